/**
 * Places on a disk as targets write them: patterns with `*` for any text, separators included, as the
 * native products read theirs. Says when two patterns can mean the same file, and keeps every output
 * away from what must run whatever a policy says: the system, MDM agents, and Curfew itself.
 */
import type { Platform } from '../component.js';
import type { InstallFolder } from '../catalogue.js';
import type { DenialInForce, Denials, Judged } from './denials.js';

/** A pattern of whole paths: `*` is any text, `/` included; `oneName` any text without; all else is itself. */
export type PlacePattern = string;

/** Stands for any text within one name, as the catalogue means its stars. No path holds it. */
export const oneName = '\u0001';

const isStar = (char: string): boolean => char === '*' || char === oneName;
const takes = (star: string, char: string): boolean =>
  !isStar(char) && (star === '*' || (star === oneName && char !== '/'));

/** Whether some path fits both patterns; in no more steps than the product of their lengths. */
export function overlap(one: PlacePattern, other: PlacePattern): boolean {
  if (!canBegin(one, other)) return false;
  // Whether what stands before each place of `other` can mean the same as what was read of `one`.
  let before = rowOf('', other, []);
  for (const char of one) before = rowOf(char, other, before);
  return before[other.length] === true;
}

/** The row after one more sign of the first pattern; without a sign, the row before all. */
function rowOf(char: string, other: PlacePattern, before: readonly boolean[]): boolean[] {
  const row: boolean[] = [];
  for (let at = 0; at <= other.length; at += 1) {
    const wanted = at === 0 ? '' : other.charAt(at - 1);
    const isBoth = char === '' && at === 0;
    const isEmpty =
      (isStar(char) && before[at] === true) || (isStar(wanted) && row[at - 1] === true);
    const isTaken =
      (takes(char, wanted) && wanted !== '' && row[at - 1] === true) ||
      (takes(wanted, char) && char !== '' && before[at] === true);
    const isSame = char !== '' && char === wanted && before[at - 1] === true;
    row.push(isBoth || isEmpty || isTaken || isSame);
  }
  return row;
}

/** What stands before the first star of both decides most pairs at once. */
function canBegin(one: PlacePattern, other: PlacePattern): boolean {
  const beginning = (pattern: string): string => /^[^*\u0001]*/.exec(pattern)?.[0] ?? '';
  const [first, second] = [beginning(one), beginning(other)];
  return first.startsWith(second) || second.startsWith(first);
}

const homes: Readonly<Record<Platform, string>> = {
  linux: '/home/*',
  darwin: '/Users/*',
  win32: 'C:/Users/*',
};

/** A pattern of the catalogue or of a policy's `path` on a platform; null for one of another platform. */
export function placeOf(pattern: string, platform: Platform): PlacePattern | null {
  const slashed = platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern;
  const starred = slashed.replace(/\{version\}|\?/g, '*').replace(/\*+/g, '*');
  if (starred.startsWith('~/')) return `${homes[platform]}${starred.slice(1)}`;
  const isWindows = /^[A-Za-z]:\//.test(starred);
  if (platform !== 'win32') return starred.startsWith('/') ? starred : null;
  return isWindows ? `${starred.charAt(0).toUpperCase()}${starred.slice(1)}` : null;
}

/**
 * A pattern as an expression on whole POSIX paths: one name for `*` and a version, any names for `**`.
 * All else is itself, whatever it means in an expression. Holds in ICU and in JavaScript.
 */
export function expressionOf(pattern: string, platform: 'linux' | 'darwin'): string {
  const home = homes[platform].replace('*', '[^/]+');
  const parts = pattern.replace(/^~(?=\/)/, '\u0000').split(/(\{version\}|\*\*|\*|\?|\u0000)/);
  const meanings: Readonly<Record<string, string>> = {
    '{version}': '[^/]+',
    '**': '.*',
    '*': '[^/]*',
    '?': '[^/]',
    '\u0000': home,
  };
  return parts
    .map((part) => meanings[part] ?? part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('');
}

/** Where an identity lies on a platform; null for one that is no place there. */
export function placeOfFolder(
  folder: InstallFolder | null,
  platform: Platform,
): PlacePattern | null {
  if (folder?.os.includes(platform) !== true) return null;
  return placeOf(folder.path, platform);
}

/** What is run by an interpreter, which is what a native enforcer sees. */
export const isScript = (path: string): boolean => /\.(c|m)?js$|\.py$/.test(path);

/**
 * What no output may stop, and an allow-list always allows. Program folders of the MDM products as
 * their makers document them.
 */
export const kept: Readonly<Record<Platform, readonly PlacePattern[]>> = {
  darwin: [
    '/System/*',
    '/bin/*',
    '/sbin/*',
    '/usr/bin/*',
    '/usr/sbin/*',
    '/usr/libexec/*',
    '/Library/Apple/*',
    '/Library/SystemExtensions/*',
    '/Library/Application Support/Curfew/*',
    '/Applications/Santa.app/*',
    '/usr/local/jamf/*',
    '/usr/local/bin/jamf*',
    '/Library/Application Support/JAMF/*',
    '/Library/Kandji/*',
    '/Library/Intune/*',
    '/usr/local/munki/*',
    '/opt/orbit/*',
  ],
  linux: [
    '/sbin/*',
    '/usr/sbin/*',
    '/lib/*',
    '/lib64/*',
    '/usr/lib/systemd/*',
    '/bin/sh',
    '/bin/bash',
    '/usr/bin/sh',
    '/usr/bin/bash',
    '/usr/bin/env',
    '/usr/bin/sudo',
    '/usr/bin/dpkg',
    '/usr/bin/rpm',
    '/usr/bin/curfew',
    '/opt/curfew/*',
    '/opt/orbit/*',
    '/opt/microsoft/*',
  ],
  win32: [
    'C:/Windows/*',
    'C:/Program Files/Windows Defender/*',
    'C:/Program Files/Example/Curfew/*',
    'C:/ProgramData/Microsoft/*',
    'C:/Program Files (x86)/Microsoft Intune Management Extension/*',
    'C:/Program Files/Microsoft Intune Management Extension/*',
    'C:/Program Files/Orbit/*',
  ],
};

/** Why a place must not be blocked; null when it may be. */
export function whyKept(
  place: PlacePattern,
  platform: Platform,
  spared: readonly PlacePattern[],
): string | null {
  const fold = (text: string): string => (platform === 'win32' ? text.toLowerCase() : text);
  if (kept[platform].some((one) => overlap(fold(one), fold(place)))) {
    return `${place} reaches the system, an MDM agent or Curfew`;
  }
  const other = spared.find((one) => overlap(fold(one), fold(place)));
  if (other === undefined) return null;
  return `${place} reaches ${other.replaceAll(oneName, '*')}, which the policy lets be`;
}

/** The places of everything that is not denied whatever else holds. */
export function sparedPlaces(denials: Denials, platform: Platform): PlacePattern[] {
  return denials.identities.flatMap((one: Judged) => {
    if (one.outcome === 'denied') return [];
    // Any of its real places counts, and those have one name for a star.
    return placeOfFolder(one.folder, platform)?.replaceAll('*', oneName) ?? [];
  });
}

/**
 * Why a denied install folder is not blocked by its place; null when it can be, and for one that is
 * no place on the platform.
 */
export function whyNotPlace(
  { folder }: Judged,
  platform: Platform,
  spared: readonly PlacePattern[],
): string | null {
  const place = placeOfFolder(folder, platform);
  if (folder === null || place === null) return null;
  if (folder.bundled) return 'a private copy inside another program is not blocked by its place';
  if (isScript(folder.path)) return 'a script is run by an interpreter, which is what is seen';
  return whyKept(place, platform, spared);
}

/**
 * The paths of a rule of places alone, when all of them may be blocked; empty otherwise. Such a rule is
 * about the AI tools in a place, and an enforcer stops whatever lies there: so only whole paths are
 * written, never a folder or pattern, and none after a rule that lets something be, which may lie there.
 */
export function blockablePaths(
  { paths, sparedBefore }: DenialInForce,
  platform: Platform,
  spared: readonly PlacePattern[],
): readonly string[] {
  if (sparedBefore !== null) return [];
  const isSafe = (path: string): boolean => {
    const place = /[*?]|[/\\]$/.test(path) ? null : placeOf(path, platform);
    return place !== null && whyKept(place, platform, spared) === null;
  };
  return paths.every(isSafe) ? paths : [];
}
