/**
 * A folder that hangs: a FUSE mount whose other end is this process, which never answers. Any call on it
 * waits until `release`. Only for Linux as root; whoever touches such a folder does it in a process of
 * its own, under a time limit.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

export interface Hang {
  /** Ends it: what waits gets an error, and the folder is as before. */
  release(): void;
}

/** Mounts on an empty folder; null where the system does not let us. */
export function hangAt(folder: string): Hang | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  let descriptor: number;
  try {
    descriptor = fs.openSync('/dev/fuse', 'r+');
  } catch {
    return null;
  }
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
  const mounted = spawnSync('mount', ['-i', '-t', 'fuse.hang', 'hang', folder, '-o', options], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
    timeout: 5_000,
  });
  if (mounted.status !== 0) {
    fs.closeSync(descriptor);
    return null;
  }
  return {
    release() {
      // Lazily, as nothing answers; without this end the kernel then gives up every call that waits.
      spawnSync('umount', ['-l', folder], { stdio: 'ignore', timeout: 5_000 });
      fs.closeSync(descriptor);
    },
  };
}
