/**
 * The uninstall keys of a Windows machine and of each person: what installers register for "Installed
 * apps" (https://learn.microsoft.com/windows/win32/msi/uninstall-registry-key). It says what stands
 * there and decides nothing. How to uninstall is never read: those commands may hold anything.
 */
import type { Home, Problem, Reader, World } from './index.js';
import { expandPlace, hiveFile, readRegistry, type Branch } from './registry.js';
import type { RegistryValues } from './registry-hive.js';

/** One uninstall key. */
export interface UninstallEntry {
  /** Name of the key: a product code in braces, or what the installer calls itself. */
  readonly id: string;
  /** The key as the registry's own tools write it. */
  readonly key: string;
  readonly home: Home | null;
  readonly name: string | null;
  readonly version: string | null;
  readonly publisher: string | null;
  /** Where the program is said to lie, and which file has its icon; absolute, or null. */
  readonly location: string | null;
  readonly icon: string | null;
  /** Id of the winget package, where winget itself registered it. */
  readonly winget: string | null;
}

const wanted = new Set([
  'displayname',
  'displayversion',
  'publisher',
  'installlocation',
  'displayicon',
  'targetfullpath',
  'wingetpackageidentifier',
]);
const below = 'Microsoft\\Windows\\CurrentVersion\\Uninstall';
const views = ['', 'WOW6432Node\\'];
const maxTextLength = 1_024;

interface Answer {
  readonly entries: readonly UninstallEntry[];
  readonly problems: readonly Problem[];
}

const answers = new WeakMap<World, Map<Home | null, Answer>>();

/**
 * The keys of a person, or of the machine for `home` null, read once in a world. What could not be
 * read is noted to each reader that asks; `reader` may look where the hive lies.
 */
export function uninstallEntries(
  home: Home | null,
  world: World,
  reader: Reader,
): readonly UninstallEntry[] {
  const known = answers.get(world) ?? new Map<Home | null, Answer>();
  answers.set(world, known);
  const answer = known.get(home) ?? readAll(home, world, reader);
  known.set(home, answer);
  for (const { path, code, isLoss } of answer.problems) reader.note(path, code, isLoss);
  return answer.entries;
}

function readAll(home: Home | null, world: World, reader: Reader): Answer {
  const place: Pick<Branch, 'hive' | 'home'> = { hive: home === null ? 'software' : 'user', home };
  const top = home === null ? '' : 'Software\\';
  const file = hiveFile(place, world);
  const entries = views.flatMap((view) => {
    const key = `${top}${view}${below}`;
    const found = readRegistry({ ...place, key, wanted }, world, reader);
    const start = home === null ? 'HKEY_LOCAL_MACHINE\\SOFTWARE' : 'HKEY_CURRENT_USER';
    return [...(found?.keys ?? [])].map(([id, values]) =>
      entryOf(values, { id, key: `${start}\\${key}\\${id}`, home }),
    );
  });
  return { entries, problems: reader.problems.filter(({ path }) => path === file) };
}

function entryOf(
  values: RegistryValues,
  { id, key, home }: Pick<UninstallEntry, 'id' | 'key' | 'home'>,
): UninstallEntry {
  const text = (name: string): string | null => {
    const value = values.get(name);
    const trimmed = typeof value === 'string' ? value.replaceAll('\0', '').trim() : '';
    return trimmed === '' || trimmed.length > maxTextLength ? null : trimmed;
  };
  return {
    ...{ id, key, home },
    name: text('displayname'),
    version: text('displayversion'),
    publisher: text('publisher'),
    location: placeOf(text('installlocation'), home),
    icon: placeOf(text('targetfullpath') ?? iconFile(text('displayicon')), home),
    winget: text('wingetpackageidentifier'),
  };
}

/** `"C:\x\y.exe",0` names a file and the number of an icon in it. */
const iconFile = (text: string | null): string | null => text?.replace(/,\s*-?\d+$/, '') ?? null;

/** A place on a drive; shares and what needs another's variables are no place of this machine. */
function placeOf(text: string | null, home: Home | null): string | null {
  const bare = text?.replace(/^"(.*)"$/, '$1').trim() ?? '';
  const expanded = expandPlace(bare, home);
  // A question mark stands for a letter that a code page lacks.
  if (expanded === null || !/^[A-Za-z]:[\\/]/.test(expanded)) return null;
  return /[?\ufffd"<>|]/.test(expanded) ? null : expanded;
}
