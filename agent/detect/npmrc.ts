/**
 * The three settings of npm that say where packages lie: prefix, globalconfig and cache. Every other
 * line, registries and credentials above all, is skipped unread. Variables stand for the owner's.
 */
import { expandFolder } from './shell-path.js';
import type { Home, Reader, World } from './index.js';

export interface NpmSettings {
  readonly prefix: string | null;
  readonly globalconfig: string | null;
  readonly cache: string | null;
}

const maxFileBytes = 256 * 1024;

/** Reads one npmrc (https://docs.npmjs.com/cli/configuring-npm/npmrc); all null when absent. */
export function readNpmrc(
  file: string,
  home: Home | null,
  world: World,
  reader: Reader,
): NpmSettings {
  const found = { prefix: null, globalconfig: null, cache: null } as Record<
    keyof NpmSettings,
    string | null
  >;
  for (const line of (reader.text(file, maxFileBytes) ?? '').split('\n')) {
    const match = /^(prefix|globalconfig|cache)\s*=(.+)$/.exec(line.trim());
    const written = match?.[2]?.trim() ?? '';
    if (match === null || written === '') continue;
    const value = written.replace(/^(["'])(.*)\1$/, '$2');
    found[match[1] as keyof NpmSettings] = folderOf(value, home, world);
  }
  return found;
}

/**
 * The absolute folder that a setting names; null when it says none that can be known. npm writes
 * `${NAME}` on every platform; Windows users also write `%NAME%`.
 */
export function folderOf(value: string, home: Home | null, world: World): string | null {
  const owner = {
    home: home?.path ?? null,
    account: home?.account ?? null,
    env: home?.env ?? {},
  };
  const folder = expandFolder(value, owner, 'linux');
  const expanded = folder === null ? null : expandFolder(folder, owner, world.platform);
  return expanded !== null && world.path.isAbsolute(expanded)
    ? world.path.normalize(expanded)
    : null;
}
