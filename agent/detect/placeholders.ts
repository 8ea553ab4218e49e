/**
 * Files that are only in the cloud: told by what the file system says of them, before they are opened,
 * because opening one downloads it.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Platform } from '../../policies/component.js';
import type { Disk } from './disk.js';
import { onDisk } from './names.js';

/**
 * Such a file has a size and no blocks. NTFS keeps files of some hundred bytes in its own table with no
 * blocks either, so there only larger ones count.
 */
export function isPlaceholder(stats: fs.Stats, platform: Platform): boolean {
  if (platform === 'linux' || stats.blocks !== 0) return false;
  return platform === 'darwin' ? stats.size > 0 : stats.size >= 1024;
}

/** Whether iCloud has taken a file away and left `.name.icloud` in its place, so that it is not absent. */
export function isEvicted(place: string | null, disk: Disk, platform: Platform): boolean {
  if (platform !== 'darwin' || place === null || !path.basename(place).includes('.')) return false;
  const folder = disk.resolve(path.dirname(place));
  if (folder.kind !== 'real') return false;
  const left = path.join(folder.path, `.${path.basename(place)}.icloud`);
  return disk.refuses(left) === null && fs.existsSync(onDisk(left));
}
