/**
 * macOS: accounts from Directory Services, where people begin at uid 500. It asks the system's own
 * `dscl`, by its full path and with a time limit, and reads no home.
 */
import type { Account, PlatformFacts } from './index.js';
import { isLoginShell, posixBins } from './linux.js';
import { posixPath } from './paths.js';

const firstPerson = 500;

/** Accounts of `dscl . -readall /Users NFSHomeDirectory UniqueID UserShell`: blocks parted by `-`. */
export function parseDirectory(text: string): readonly Account[] {
  return text.split(/^-$/m).flatMap((block) => {
    const field = (name: string): string | null =>
      new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(block)?.[1]?.trim() ?? null;
    const name = field('RecordName')?.split(' ')[0];
    const home = field('NFSHomeDirectory');
    const uid = field('UniqueID');
    if (name === undefined || home === null || !home.startsWith('/')) return [];
    if (uid === null || !/^-?\d+$/.test(uid)) return [];
    return [{ name, uid: Number(uid), home, shell: field('UserShell') }];
  });
}

function isPerson({ name, uid, shell }: Account): boolean {
  if (name === 'Guest' || name === 'Shared' || !isLoginShell(shell)) return false;
  return uid === null || uid === 0 || uid >= firstPerson;
}

export const darwin: PlatformFacts = {
  platform: 'darwin',
  path: posixPath,
  homeFolders: ['/Users'],
  sharedNames: ['Shared', 'Guest', '.localized'],
  rootHome: '/var/root',
  defaultPath: [
    '/usr/local/bin',
    '/usr/bin',
    '/bin',
    '/usr/sbin',
    '/sbin',
    '/opt/homebrew/bin',
    '/opt/homebrew/sbin',
    '/run/current-system/sw/bin',
    '/nix/var/nix/profiles/default/bin',
  ],
  pathFiles: ['/etc/paths'],
  pathFolders: ['/etc/paths.d'],
  homeBins: ['.local/bin', 'bin'],
  ownBins: posixBins,
  configFolder: 'Library/Application Support',
  localFolder: 'Library/Application Support',
  cacheFolder: 'Library/Caches',
  isPerson,
  listAccounts() {
    try {
      const fields = ['RecordName', 'NFSHomeDirectory', 'UniqueID', 'UserShell'];
      const text = process
        .getBuiltinModule('node:child_process')
        .execFileSync('/usr/bin/dscl', ['.', '-readall', '/Users', ...fields], {
          encoding: 'utf8',
          timeout: 10_000,
          maxBuffer: 16 * 1024 * 1024,
          stdio: ['ignore', 'pipe', 'ignore'],
        });
      return parseDirectory(text);
    } catch {
      return null;
    }
  },
};
