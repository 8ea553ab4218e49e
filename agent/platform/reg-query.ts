/**
 * The registry of the Windows machine we run on, asked of the system's own `reg.exe` by its full path,
 * bounded in bytes and time. Hives of people who are logged on are locked, so it is asked for those; it
 * loads no hive of anybody else. Its text is in the console's code page: letters beyond ASCII may come
 * out wrong, and a value of several lines is cut after its first.
 */
import path from 'node:path';
import type { Branch, LiveRegistry } from '../detect/registry.js';
import type { RegistryKey, RegistryValue, RegistryValues } from '../detect/registry-hive.js';

export const profileList = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList';
const timeoutMs = 10_000;
const maxBytes = 32 * 1024 * 1024;

/** The answer to `reg query <key> [/s]`: empty for a key that is not there, null for no answer. */
export type Query = (key: string, isDeep: boolean) => string | null;

/** Runs reg.exe. It ends with 1 for a key that is not there, and for one that may not be read. */
export const queryRegistry: Query = (key, isDeep) => {
  const root = process.env['SystemRoot'] ?? '';
  const windows = /^[A-Za-z]:\\/.test(root) ? root : 'C:\\Windows';
  const program = path.win32.join(windows, 'System32', 'reg.exe');
  try {
    return process
      .getBuiltinModule('node:child_process')
      .execFileSync(program, ['query', key, ...(isDeep ? ['/s'] : []), '/reg:64'], {
        encoding: 'utf8',
        timeout: timeoutMs,
        maxBuffer: maxBytes,
        windowsHide: true,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
  } catch (error) {
    return (error as { status?: unknown }).status === 1 ? '' : null;
  }
};

/** Homes of people by security identifier, from `reg query ProfileList /s`. */
export function parseProfileList(text: string): ReadonlyMap<string, string> {
  const profiles = text.split(/^(?=HKEY_)/m).flatMap((block): [string, string][] => {
    const sid = /^HKEY_LOCAL_MACHINE\\.*\\(S-1-(?:5-21|12-1)-[\d-]+)\s*$/m.exec(block)?.[1];
    const home = /^[ \t]+ProfileImagePath[ \t]+REG_(?:EXPAND_)?SZ[ \t]+(.+)$/m
      .exec(block)?.[1]
      ?.trim();
    if (sid === undefined || home === undefined || home === '') return [];
    return [[sid, home.replace(/^%SystemDrive%/i, 'C:')]];
  });
  return new Map(profiles);
}

/**
 * The wanted values of a key and of those directly below it, from `reg query <key> /s`. A line of a
 * value is four spaces, name, four spaces, type, four spaces, content; the default value's name is in
 * the system's language, in parentheses, and is left out.
 */
export function parseQuery(text: string, key: string, wanted: ReadonlySet<string>): RegistryKey {
  const top = key.replace(/^HKLM(?=\\)/, 'HKEY_LOCAL_MACHINE').replace(/^HKU(?=\\)/, 'HKEY_USERS');
  const own = new Map<string, RegistryValue>();
  const keys = new Map<string, Map<string, RegistryValue>>();
  let target: Map<string, RegistryValue> | null = null;
  for (const line of text.split(/\r?\n/)) {
    if (/^HKEY_\w+(\\|$)/.test(line)) {
      // A key without values of its own may go unsaid.
      const isBelow = line.toLowerCase().startsWith(`${top.toLowerCase()}\\`);
      const name = isBelow ? line.slice(top.length + 1) : '';
      if (name !== '' && !name.includes('\\')) keys.set(name, keys.get(name) ?? new Map());
      target = line.length === top.length ? own : (keys.get(name) ?? null);
      continue;
    }
    const [, name = '', type = '', content = ''] =
      /^ {4}(\S.*?) {4}(REG_[A-Z_]+)(?: {4}(.*))?$/.exec(line) ?? [];
    const value = wanted.has(name.toLowerCase()) ? valueOf(type, content) : null;
    if (value !== null) target?.set(name.toLowerCase(), value);
  }
  return { values: own, keys: keys as ReadonlyMap<string, RegistryValues> };
}

function valueOf(type: string, content: string): RegistryValue | null {
  if (type === 'REG_SZ' || type === 'REG_EXPAND_SZ') return content;
  if (type === 'REG_MULTI_SZ') return content.split('\\0').filter((part) => part !== '');
  const number = type === 'REG_DWORD' ? /^0x([0-9a-f]{1,8})$/i.exec(content)?.[1] : undefined;
  return number === undefined ? null : Number.parseInt(number, 16);
}

/**
 * The live registry; which hives are loaded is asked once, when it is first needed. What gets no answer
 * is looked for in the hive's file, which says so if it is locked.
 */
export function liveRegistry(query: Query = queryRegistry): LiveRegistry {
  let loaded: ReadonlyMap<string, string> | null = null;
  const topOf = ({ hive, home }: Branch): string | null => {
    if (home === null) return hive === 'system' ? 'HKLM\\SYSTEM' : 'HKLM\\SOFTWARE';
    loaded ??= loadedHives(query);
    const sid = loaded.get(home.path.toLowerCase());
    if (sid === undefined) return null;
    return hive === 'classes' ? `HKU\\${sid}_Classes` : `HKU\\${sid}`;
  };
  return {
    read(branch) {
      const top = topOf(branch);
      const text = top === null ? null : query(`${top}\\${branch.key}`, true);
      if (top === null || text === null) return 'unloaded';
      if (text !== '') return parseQuery(text, `${top}\\${branch.key}`, branch.wanted);
      // A hive whose top may not be read has no keys as far as reg.exe tells.
      return (query(top, false) ?? '') === '' ? 'unloaded' : null;
    },
  };
}

/** Security identifiers of people whose hives are loaded, by their home in lower case. */
function loadedHives(query: Query): ReadonlyMap<string, string> {
  const homes = parseProfileList(query(profileList, true) ?? '');
  const users = query('HKU', false) ?? '';
  const sids = [...users.matchAll(/^HKEY_USERS\\(S-[\d-]+)\s*$/gm)].map(([, sid = '']) => sid);
  return new Map(
    sids.flatMap((sid): [string, string][] => {
      const home = homes.get(sid);
      return home === undefined ? [] : [[home.toLowerCase(), sid]];
    }),
  );
}
