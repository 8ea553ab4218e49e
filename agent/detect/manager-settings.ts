/**
 * Where a person's settings move the global folders of pnpm, Yarn and Bun: one line of each file. Every
 * other line, registries and credentials above all, is skipped unread. Variables stand for the owner's.
 * Sources: pnpm.io (cli/config, settings: globalDir), classic.yarnpkg.com (yarnrc), bun.com
 * (runtime/bunfig).
 */
import { homeOf } from './component.js';
import type { Home, Reader, World } from './index.js';
import { folderOf } from './npmrc.js';
import { maxPathLength } from './reader.js';

export interface MovedFolders {
  readonly pnpm: readonly string[];
  readonly yarn: readonly string[];
  readonly bun: readonly string[];
}

const maxFileBytes = 256 * 1024;

const lines = {
  pnpmIni: /^[ \t]*global-dir[ \t]*=(.+)$/m,
  pnpmYaml: /^globalDir:(.+)$/m,
  yarn: /^[ \t]*(?:--)?global-folder[ \t](.+)$/m,
  bun: /^[ \t]*globalDir[ \t]*=(.+)$/m,
} as const;

/** Absolute folders, as their owner's files name them; each list in the order of the files. */
export function movedFolders(home: Home, world: World, reader: Reader): MovedFolders {
  const { join } = world.path;
  const at = (...names: string[]): string => join(home.path, ...names);
  const said = (file: string, line: RegExp): readonly string[] => {
    if (homeOf(world, file) !== home) return [];
    const text = reader.text(file, maxFileBytes) ?? '';
    const value = line.exec(text.replaceAll('\r', ''))?.[1]?.trim().slice(0, maxPathLength) ?? '';
    // A comment may follow.
    const bare = value.split(' #', 1)[0]?.trim() ?? '';
    const quoted = /^(["'])(.*?)\1/.exec(value)?.[2];
    const folder = value === '' ? null : folderOf(quoted ?? bare, home, world);
    return folder === null ? [] : [folder];
  };
  const config = home.env['XDG_CONFIG_HOME'];
  const own = {
    linux: '.config/pnpm',
    darwin: 'Library/Preferences/pnpm',
    win32: 'AppData/Local/pnpm/config',
  };
  const pnpm = [...(config === undefined ? [] : [join(config, 'pnpm')]), at(own[world.platform])];
  return {
    pnpm: [
      ...said(at('.npmrc'), lines.pnpmIni),
      ...pnpm.flatMap((folder) => [
        ...said(join(folder, 'rc'), lines.pnpmIni),
        ...said(join(folder, 'config.yaml'), lines.pnpmYaml),
      ]),
    ],
    yarn: said(at('.yarnrc'), lines.yarn),
    bun: [
      ...said(at('.bunfig.toml'), lines.bun),
      ...(config === undefined ? [] : said(join(config, '.bunfig.toml'), lines.bun)),
    ],
  };
}
