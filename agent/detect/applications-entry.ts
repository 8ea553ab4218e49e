/**
 * Menu entries of Linux desktops: their keys and the program that they start. It decides nothing about
 * what that program is, and never runs it.
 * Format: https://specifications.freedesktop.org/desktop-entry-spec/latest/
 */
import { isWithin } from './disk.js';
import type { Home, Reader, World } from './index.js';
import { pathFolders } from './shell-path.js';

export const maxEntryBytes = 64 * 1024;
/** Where packages and administrators put entries for everybody. */
export const systemEntries = ['/usr/local/share/applications', '/usr/share/applications'];

/** The folder of a person's own programs' files; elsewhere than in the home it is not looked for. */
export function dataFolder(home: Home, { path }: World): string {
  const set = home.env['XDG_DATA_HOME'];
  const isOwn = set !== undefined && isWithin(path.normalize(set), home.path, path.sep);
  return isOwn ? path.normalize(set) : path.join(home.path, '.local', 'share');
}

/** Where a person's own entries lie. */
export function entriesOf(home: Home, world: World): string {
  return world.path.join(dataFolder(home, world), 'applications');
}

/** The keys of the main group, untranslated; null when there is no such group. */
export function readEntry(text: string | null): ReadonlyMap<string, string> | null {
  const lines = (text ?? '').split('\n').map((line) => line.trim());
  const start = lines.indexOf('[Desktop Entry]');
  if (start === -1) return null;
  const end = lines.findIndex((line, index) => index > start && line.startsWith('['));
  const pairs = lines
    .slice(start + 1, end === -1 ? undefined : end)
    .filter((line) => line.includes('=') && !line.startsWith('#'))
    .map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
  return new Map(pairs);
}

/** The program of an Exec line; null when another package system starts it, or nothing is named. */
export function commandOf(exec: string): string | null {
  // A string value is unescaped first, then quotes are taken off.
  const line = exec.replace(/\\\\/g, '\\');
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '',
  );
  const isSetting = (word: string): boolean => /^\w+=/.test(word);
  const first = words.findIndex((word) => !/^(.*\/)?env$/.test(word) && !isSetting(word));
  const command = words[first] ?? '';
  const isForeign =
    /(^|\/)(flatpak|snap)$/.test(command) || /^(\/var\/lib\/snapd)?\/snap\//.test(command);
  return command === '' || command.includes('\0') || isForeign ? null : command;
}

/** Whose PATH is searched, and by which reader. */
interface Searcher {
  readonly home: Home | null;
  readonly world: World;
  readonly reader: Reader;
}

/** Where a command is now; null when it is nowhere. */
export function locate(command: string, { home, world, reader }: Searcher): string | null {
  if (world.path.isAbsolute(command)) return reader.target(command) === null ? null : command;
  if (command.includes('/')) return null;
  const folders = [...pathFolders(world, home), ...pathFolders(world, null)];
  const places = folders.map((folder) => world.path.join(folder, command));
  return places.find((path) => reader.target(path)?.kind === 'file') ?? null;
}
