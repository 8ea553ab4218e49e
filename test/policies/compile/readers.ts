/** Reads compiled files back as the products do, without the code that wrote them. */
import type { Compiled } from '../../../policies/compile/index.js';
import { readPlist } from './reading.js';

/** The text of the file whose name ends so; null when there is none. */
export function textOf(result: Compiled, ending: string): string | null {
  return result.files.find(({ name }) => name.endsWith(ending))?.text ?? null;
}

export function jsonOf(result: Compiled, ending: string): unknown {
  return JSON.parse(textOf(result, ending) ?? 'null');
}

type Dict = Readonly<Record<string, unknown>>;

/** The only payload of a profile. */
export function payloadOf(result: Compiled, ending: string): Dict {
  const profile = readPlist(textOf(result, ending) ?? '') as { PayloadContent: readonly Dict[] };
  const payloads = profile.PayloadContent;
  const [payload] = payloads;
  if (payload === undefined || payloads.length > 1) throw new Error(`${ending}: not one payload`);
  return payload;
}

/** Keys and values of a .reg file; anything regedit would not take ends the test. */
export function registryOf(
  text: string,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const [head, ...lines] = text.split('\r\n');
  if (head !== 'Windows Registry Editor Version 5.00') throw new Error('not a .reg file');
  const keys: Record<string, Record<string, string>> = {};
  let current: Record<string, string> | undefined;
  for (const line of lines.filter((one) => one !== '')) {
    const key = /^\[(HKEY_LOCAL_MACHINE\\[^\]]+)\]$/.exec(line)?.[1];
    if (key !== undefined) {
      current = keys[key] ??= {};
      continue;
    }
    const value = /^"((?:[^"\\]|\\["\\])*)"="((?:[^"\\]|\\["\\])*)"$/.exec(line);
    if (value === null || current === undefined) throw new Error(`not a value: ${line}`);
    // regedit takes a file without a byte-order mark for the machine's own code page.
    if (/[^\x20-\x7e]/.test(line)) throw new Error(`not plain ASCII: ${line}`);
    const plain = (escaped = ''): string => escaped.replace(/\\(["\\])/g, '$1');
    current[plain(value[1])] = plain(value[2]);
  }
  return keys;
}
