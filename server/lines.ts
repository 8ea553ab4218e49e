/**
 * Texts that an admin gives and that end up on devices: one line, no control characters, and where
 * people read them no addresses, as agents refuse an assignment that has any (wire/assignment.ts).
 */
import { hasAddress } from '../wire/assignment.js';
import { CurfewError } from '../wire/errors.js';

/** Also what turns the direction of a line. */
const unprintable = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;

/** Whether an agent takes the text as a line. */
export const isPlainLine = (text: string, maxLength: number): boolean =>
  text.length <= maxLength && !unprintable.test(text) && text.isWellFormed();

/** The trimmed line. Errors: REQUEST_INVALID. */
export function lineOf(name: string, text: string, maxLength: number): string {
  const line = text.trim();
  if (line === '') throw new CurfewError('REQUEST_INVALID', `${name}: is empty`);
  if (line.length > maxLength) {
    const message = `${name}: has ${line.length} characters; ${maxLength} are the most`;
    throw new CurfewError('REQUEST_INVALID', message);
  }
  if (!isPlainLine(line, maxLength)) {
    throw new CurfewError('REQUEST_INVALID', `${name}: holds control characters`);
  }
  return line;
}

/** A line that people on devices read. Errors: REQUEST_INVALID. */
export function shownLine(name: string, text: string, maxLength: number): string {
  const line = lineOf(name, text, maxLength);
  if (!hasAddress(line)) return line;
  throw new CurfewError('REQUEST_INVALID', `${name}: names an address`, {
    hint: 'Agents take addresses from the policy alone, which the policy key signs; write the words only.',
  });
}
