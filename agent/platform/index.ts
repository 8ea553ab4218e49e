/**
 * The one place that asks which operating system this is. It answers for a platform (whose accounts
 * are people, which PATH is usual, where settings lie), so that a world of any platform can be looked
 * at from any other, and for this machine (its accounts, its current user). It never reads a home.
 */
import os from 'node:os';
import type { PlatformPath } from 'node:path';
import { platforms, type Platform } from '../../policies/component.js';
import type { LiveRegistry } from '../detect/registry.js';
import { darwin } from './darwin.js';
import { linux } from './linux.js';
import { win32 } from './win32.js';

export { ownPath } from './paths.js';

/** An account as the operating system lists it; `home` and `shell` as written there. */
export interface Account {
  readonly name: string;
  readonly uid: number | null;
  readonly home: string;
  readonly shell: string | null;
}

/** What differs between platforms, as far as looking at a machine goes. */
export interface PlatformFacts {
  readonly platform: Platform;
  readonly path: PlatformPath;
  /** The folders whose direct entries are homes, and names among them that are nobody's. */
  readonly homeFolders: readonly string[];
  readonly sharedNames: readonly string[];
  /** The home of the system's own account, where it has one that a person may use. */
  readonly rootHome: string | null;
  /** PATH where nothing sets another. */
  readonly defaultPath: readonly string[];
  /** Files with further PATH folders, one a line, and folders of such files. */
  readonly pathFiles: readonly string[];
  readonly pathFolders: readonly string[];
  /** Folders below a home that are usually on its owner's PATH. */
  readonly homeBins: readonly string[];
  /** The same of managers of programs, each on its owner's PATH where it is there. */
  readonly ownBins: readonly string[];
  /** Below a home: where programs keep settings, local state and caches. */
  readonly configFolder: string;
  readonly localFolder: string;
  readonly cacheFolder: string;
  /** Whether a listed account is a person's, not a service's or a guest's. */
  isPerson(account: Account): boolean;
  /** The accounts of the machine we run on, from its own list; null when it cannot be read. */
  listAccounts(): readonly Account[] | null;
  /** The registry of the machine we run on, where the platform has one. */
  readonly liveRegistry?: () => LiveRegistry;
}

const all: Readonly<Record<Platform, PlatformFacts>> = { linux, darwin, win32 };

export function platformFacts(platform: Platform): PlatformFacts {
  return all[platform];
}

/** The platform we run on; anything unknown is treated as Linux, which it then resembles most. */
export function thisPlatform(): Platform {
  return platforms.find((platform) => platform === process.platform) ?? 'linux';
}

/** Whether every home can be read: root, or SYSTEM and elevated administrators on Windows. */
export function isPrivileged(): boolean {
  if (process.getuid !== undefined) return process.getuid() === 0;
  return os.userInfo().username.toUpperCase() === 'SYSTEM';
}

export function currentAccount(): Account {
  const user = os.userInfo();
  return {
    name: user.username,
    uid: user.uid >= 0 ? user.uid : null,
    home: os.homedir(),
    shell: user.shell,
  };
}

/** The people of the machine we run on; as someone without rights over others, only oneself. */
export function localPeople(): readonly Account[] {
  const own = currentAccount();
  if (!isPrivileged()) return [own];
  const facts = platformFacts(thisPlatform());
  const listed = facts.listAccounts();
  return listed === null ? [own] : listed.filter((account) => facts.isPerson(account));
}
