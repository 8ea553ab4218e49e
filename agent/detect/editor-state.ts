/**
 * Which extensions a person has switched off in an editor of the VS Code family: one value of the SQLite
 * file in which the editor keeps the state of a profile. No other value of it is looked at; it holds
 * what was opened and typed. What is switched off for a single project counts as on.
 * Format: microsoft/vscode, extensionManagement.ts and storageMain.ts.
 */
import type { Reader, World } from './index.js';
import { openSqlite } from './sqlite-file.js';

const key = 'extensionsIdentifiers/disabled';
const maxExtensions = 4_000;

/**
 * The ids, in lower case, that are switched off in one profile. `profile` is its folder, and of the
 * default profile the editor's `User` folder. Empty when the editor has kept nothing.
 */
export function disabledExtensions(
  profile: string,
  world: World,
  reader: Reader,
): ReadonlySet<string> {
  const file = world.path.join(profile, 'globalStorage', 'state.vscdb');
  if (reader.facts(file) === null) return new Set();
  let value: unknown = null;
  const outcome = openSqlite(file, reader)?.each('ItemTable', (row) => {
    if (row.value(0) !== key) return undefined;
    value = row.value(1);
    return 'stop';
  });
  if (outcome === 'no-table' || outcome === 'without-rowid') reader.note(file, 'malformed');
  if (value === null) return new Set();
  const ids = idsIn(Buffer.isBuffer(value) ? value.toString('utf8') : value);
  if (ids === null) reader.note(file, 'malformed');
  return new Set(ids ?? []);
}

/** `[{"id": "publisher.name", "uuid": "..."}]`; null when it is no list. */
function idsIn(text: unknown): readonly string[] | null {
  try {
    const list: unknown = typeof text === 'string' ? JSON.parse(text) : null;
    if (!Array.isArray(list)) return null;
    return list.slice(0, maxExtensions).flatMap((entry: unknown) => {
      const isNamed = typeof entry === 'object' && entry !== null && 'id' in entry;
      return isNamed && typeof entry.id === 'string' ? [entry.id.toLowerCase()] : [];
    });
  } catch {
    return null;
  }
}

/**
 * Whether an extension is switched off in every list that names it: `profile:<id>` for a named
 * profile, else the default one. Each profile's state is read once, and only when it is asked for.
 */
export function offSwitch(
  user: string | null,
  world: World,
  reader: Reader,
): (id: string, lists: readonly string[]) => boolean {
  const known = new Map<string, ReadonlySet<string>>();
  const offIn = (list: string): ReadonlySet<string> => {
    const name = /^profile:([\w-]+)$/.exec(list)?.[1];
    const profile = name === undefined ? user : world.path.join(user ?? '', 'profiles', name);
    const off = known.get(list) ?? disabledExtensions(profile ?? '', world, reader);
    known.set(list, off);
    return off;
  };
  return (id, lists) => {
    if (user === null) return false;
    const asked = lists.length === 0 ? [''] : lists;
    return asked.every((list) => offIn(list).has(id.toLowerCase()));
  };
}
