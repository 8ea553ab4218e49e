/**
 * Dates as an admin gives them beside a policy: the policy's own forms, a day in a named zone or an
 * instant with offset, read by the policy's own functions. No zone is ever guessed.
 */
import { checkDate, isZone, resolveDate } from '../policies/dates.js';
import { CurfewError } from '../wire/errors.js';

export interface GivenDate {
  /** What it is called where it was given. */
  readonly name: string;
  readonly date: string;
  /** Needed for a day. */
  readonly zone: string | null;
  /** Epoch ms. */
  readonly now: number;
  readonly isPastAllowed?: boolean;
}

/** Epoch ms of a date that is yet to come. Errors: REQUEST_INVALID. */
export function futureInstant({ name, date, zone, now, isPastAllowed = false }: GivenDate): number {
  if (zone !== null && (zone === 'device-local' || !isZone(zone))) {
    throw new CurfewError('REQUEST_INVALID', `zone: "${zone}" is no zone`, {
      hint: 'Give an IANA zone such as Asia/Shanghai, or utc.',
    });
  }
  const checked = checkDate(date);
  if (checked.kind === 'invalid') {
    throw new CurfewError('REQUEST_INVALID', `${name}: ${checked.message}`);
  }
  if (checked.kind === 'day' && zone === null) {
    throw new CurfewError('REQUEST_INVALID', `${name}: ${date} is a day and needs a zone`, {
      hint: `Give a zone (--zone Asia/Shanghai), or an instant such as ${date}T09:00:00+08:00.`,
    });
  }
  const at = resolveDate(date, zone, 'UTC');
  if (at <= now && !isPastAllowed) {
    throw new CurfewError('REQUEST_INVALID', `${name}: ${date} has passed`, {
      hint: `It is ${new Date(now).toISOString()}; give a later date. A day begins at 00:00 in its zone.`,
    });
  }
  return at;
}
