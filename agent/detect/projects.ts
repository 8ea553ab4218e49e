/**
 * The node_modules folders of a person's projects, for a deep scan alone. The walk follows no link,
 * enters no hidden folder, none that the platform guards with a privacy question, and no node_modules;
 * it is bounded in depth and folders, and says so when it stops early.
 */
import type { Platform } from '../../policies/component.js';
import type { Reader, World } from './index.js';

const maxDepth = 8;
const maxFolders = 20_000;

/** Direct entries of a home that a scan never touches: guarded, or no place for projects. */
const guarded: Readonly<Record<Platform, ReadonlySet<string>>> = {
  linux: new Set(['snap']),
  darwin: new Set([
    'Applications',
    'Desktop',
    'Documents',
    'Downloads',
    'Library',
    'Movies',
    'Music',
    'Pictures',
    'Public',
  ]),
  win32: new Set(['AppData', 'Application Data', 'Local Settings', 'OneDrive']),
};

/** The node_modules folders below a home, in a fixed order. */
export function projectFolders(home: string, world: World, reader: Reader): readonly string[] {
  const found: string[] = [];
  let level = [home];
  let count = 0;
  for (let depth = 0; depth <= maxDepth && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const folder of level) {
      count += 1;
      if (count > maxFolders) {
        reader.note(folder, 'too-many');
        return found;
      }
      for (const { name, kind } of reader.list(folder)) {
        if (kind !== 'dir' || name.startsWith('.')) continue;
        if (folder === home && guarded[world.platform].has(name)) continue;
        (name === 'node_modules' ? found : next).push(world.path.join(folder, name));
      }
    }
    level = next;
  }
  return found;
}
