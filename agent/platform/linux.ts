/**
 * Linux: accounts from /etc/passwd, where people begin at uid 1000. Directory accounts that are in no
 * file are found by their home below /home. Reads only those two; never a home's content.
 */
import fs from 'node:fs';
import path from 'node:path';
import { listMounts, mountsOf } from '../detect/mounts.js';
import type { Account, PlatformFacts } from './index.js';
import { posixPath } from './paths.js';

/**
 * The uids of people: regular ones, those that systemd-homed gives (https://systemd.io/UIDS-GIDS/), and
 * above `nobody` those of company directories. What lies between is for dynamic service users.
 */
const people = [
  [1_000, 60_000],
  [60_001, 60_513],
  [65_537, Infinity],
] as const;
/** What stands for no home at all. */
const noHomes = new Set(['/', '/nonexistent', '/dev/null', '/var/empty', '/run/empty']);

/** Accounts of a passwd(5) file; lines of another shape are left out. */
export function parsePasswd(text: string): readonly Account[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, , , home, shell] = line.split(':');
    if (name === undefined || name === '' || name.startsWith('#')) return [];
    if (home === undefined || !home.startsWith('/') || !/^\d+$/.test(uid ?? '')) return [];
    return [{ name, uid: Number(uid), home, shell: shell === '' ? null : (shell ?? null) }];
  });
}

/** Shells that do not log in. */
export function isLoginShell(shell: string | null): boolean {
  return shell === null || !/(^|\/)(nologin|false|sync|halt|shutdown)$/.test(shell.trim());
}

function isPerson({ uid, home, shell }: Account): boolean {
  if (!isLoginShell(shell) || noHomes.has(home)) return false;
  if (uid === null || uid === 0) return true;
  return people.some(([first, last]) => uid >= first && uid <= last);
}

/**
 * Accounts of a company directory that signed in here: their home is there, their line is not. A home on
 * a network mount is known by the mount alone, and whose it is by its name.
 */
function directoryHomes(known: readonly Account[]): readonly Account[] {
  const homes = new Set(known.map(({ home }) => path.posix.normalize(home)));
  const mounted = listMounts();
  const mounts = mountsOf(mounted);
  const names = new Set([
    ...(mounts.refuses('/home') === null ? namesBelowHome() : []),
    ...mounted
      .map(({ point }) => point)
      .filter((point) => path.posix.dirname(point) === '/home' && mounts.refuses(point) !== null)
      .map((point) => path.posix.basename(point)),
  ]);
  return [...names]
    .filter((name) => !homes.has(`/home/${name}`))
    .filter((name) => name !== 'linuxbrew' && name !== 'lost+found')
    .flatMap((name): Account[] => {
      const home = `/home/${name}`;
      if (mounts.refuses(home) !== null) return [{ name, uid: null, home, shell: null }];
      const facts = fs.lstatSync(home, { throwIfNoEntry: false });
      return facts?.isDirectory() === true ? [{ name, uid: facts.uid, home, shell: null }] : [];
    })
    .filter(isPerson);
}

function namesBelowHome(): readonly string[] {
  try {
    return fs.readdirSync('/home');
  } catch {
    return [];
  }
}

/**
 * Where managers of programs link what they install. Their set-up puts the folder on the PATH in a file
 * of its own or in the shell's start, which may be anywhere.
 */
export const posixBins = [
  '.cargo/bin',
  'go/bin',
  '.deno/bin',
  '.bun/bin',
  '.npm-global/bin',
  '.nix-profile/bin',
  '.local/state/nix/profile/bin',
  '.local/state/nix/profiles/home-manager/home-path/bin',
  '.local/share/devbox/global/default/.devbox/nix/profile/default/bin',
] as const;

export const linux: PlatformFacts = {
  platform: 'linux',
  path: posixPath,
  homeFolders: ['/home'],
  sharedNames: ['linuxbrew', 'lost+found'],
  rootHome: '/root',
  defaultPath: [
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
    '/snap/bin',
    '/run/current-system/sw/bin',
    '/nix/var/nix/profiles/default/bin',
    '/home/linuxbrew/.linuxbrew/bin',
  ],
  pathFiles: [],
  pathFolders: [],
  homeBins: ['.local/bin', 'bin'],
  ownBins: posixBins,
  configFolder: '.config',
  localFolder: '.local/share',
  cacheFolder: '.cache',
  isPerson,
  listAccounts() {
    try {
      const listed = parsePasswd(fs.readFileSync('/etc/passwd', 'utf8'));
      return [...listed, ...directoryHomes(listed)];
    } catch {
      return null;
    }
  },
};
