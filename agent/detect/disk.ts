/**
 * From a machine's paths to the disk's and back, and the real path behind links. This machine maps to
 * itself; a folder that stands for a machine (`--world`) keeps every path, and every absolute link in
 * it, inside that folder. Nothing here opens a file, no answer leaves the folder that stands for the
 * machine, and no call reaches a refused mount: paths are followed part by part while there is one.
 */
import fs from 'node:fs';
import type { Platform } from '../../policies/component.js';
import { isTidy, ownPath as path } from '../platform/paths.js';
import type { Entry, ProblemCode } from './index.js';
import { namesOfFolders, type FolderNames } from './folder-names.js';
import { machineMounts, noMounts, type Mounts } from './mounts.js';
import { decodeName, onDisk } from './names.js';

/** What a path leads to: a real place on the disk, nothing, or a reason why it cannot be told. */
export type Resolved =
  | { readonly kind: 'real'; readonly path: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly code: ProblemCode };

export interface Disk {
  /** null: the path cannot exist on this machine (a share, a drive-relative path). */
  toDisk(machinePath: string): string | null;
  fromDisk(diskPath: string): string;
  /** Follows every link of a disk path; may answer from what it saw earlier in the same scan. */
  resolve(diskPath: string): Resolved;
  /** Why no call may touch a path, not even to ask what it is; null: it may. */
  refuses(diskPath: string): ProblemCode | null;
  /**
   * What lies at a disk path itself, links not followed; may answer from what it saw earlier in the same
   * scan. undefined: nothing. Throws what the operating system says.
   */
  facts(diskPath: string): fs.Stats | undefined;
  /** The entries of a folder as `keepList` was told them earlier in the same scan, by its real disk path. */
  listed(diskPath: string): readonly Entry[] | undefined;
  keepList(diskPath: string, entries: readonly Entry[]): void;
  /** The next scan begins: nothing that was seen counts any longer. */
  forget(): void;
}

/** More links than this in one path is a loop, as Linux has it. */
const maxLinks = 40;

const absent: Resolved = { kind: 'absent' };
const noThrow = { throwIfNoEntry: false } as const;

/** The code of a failed call; null for what is simply not there. */
export function problemOf(error: unknown): ProblemCode | null {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return null;
    case 'EACCES':
    case 'EPERM':
      return 'denied';
    case 'ELOOP':
      return 'loop';
    default:
      return 'io';
  }
}

function failed(error: unknown): Resolved {
  const code = problemOf(error);
  return code === null ? absent : { kind: 'failed', code };
}

/** Whether `child` is `parent` or lies below it; both absolute and normal. */
export function isWithin(child: string, parent: string, sep: string): boolean {
  return child === parent || child.startsWith(parent.endsWith(sep) ? parent : `${parent}${sep}`);
}

function realPathOf(diskPath: string): string {
  const real = fs.realpathSync.native(onDisk(diskPath));
  if (!real.includes('\ufffd')) return real;
  return decodeName(fs.realpathSync.native(onDisk(diskPath), 'buffer'));
}

/** What a link says, in the spelling of a reader. */
export function linkTarget(place: string): string {
  const target = fs.readlinkSync(onDisk(place));
  return target.includes('\ufffd') ? decodeName(fs.readlinkSync(onDisk(place), 'buffer')) : target;
}

/** What lies at a path now. */
function lstat(place: string): fs.Stats | undefined {
  return fs.lstatSync(onDisk(place), noThrow);
}

/** This machine: paths are the disk's own. */
export const ownDisk: Disk = {
  toDisk: (machinePath) => path.resolve(machinePath),
  fromDisk: (diskPath) => diskPath,
  refuses: noMounts.refuses,
  facts: lstat,
  listed: () => undefined,
  keepList: () => {},
  forget: () => {},
  resolve(diskPath) {
    try {
      // Most places are not there, and an exception costs far more than the call.
      if (fs.statSync(onDisk(diskPath), noThrow) === undefined) return absent;
      return { kind: 'real', path: realPathOf(diskPath) };
    } catch (error) {
      return failed(error);
    }
  },
};

/** Only here is a folder's real path nothing but its parent's and its own name as it was asked for. */
const hasExactNames = process.platform === 'linux';

/** How a disk answers for one path by itself, and where it begins. */
interface Slow {
  readonly top: string;
  readonly mounts: Mounts;
  /** Whether a folder's real path is its parent's and its name as asked for. */
  readonly isExact: boolean;
  readonly names: FolderNames;
  readonly follow: (place: string) => Resolved;
}

/** After so many answers remembering begins anew. */
const maxRemembered = 100_000;
const maxLists = 1_000;
const maxListed = 1_000;

function remember<T>(known: Map<string, T>, place: string, ask: () => T): T {
  const before = known.get(place);
  if (before !== undefined || known.has(place)) return before as T;
  const answer = ask();
  keep(known, place, answer);
  return answer;
}

function keep<T>(known: Map<string, T>, place: string, answer: T): void {
  if (known.size >= maxRemembered) known.clear();
  known.set(place, answer);
}

/** The place as the disk spells it; null: nothing is there. */
function spelledThere(place: string, names: FolderNames): string | null {
  const at = place.lastIndexOf(path.sep);
  if (at <= 0) return place;
  const [folder, name] = [place.slice(0, at), place.slice(at + 1)];
  const own = names.spelling(folder, name);
  if (own === undefined || own === name) return place;
  return own === null ? null : `${folder}${path.sep}${own}`;
}

/**
 * The same answers for the length of one scan: it remembers what lies where, as detectors ask for the same
 * places again and again and most of them hold nothing. What is swapped meanwhile leads nowhere new: what
 * is opened is checked by its descriptor.
 */
function remembering({
  top,
  mounts,
  isExact,
  names,
  follow,
}: Slow): Pick<Disk, 'resolve' | 'facts' | 'listed' | 'keepList' | 'forget'> {
  const places = new Map<string, fs.Stats | undefined>();
  const led = new Map<string, Resolved>();
  const lists = new Map<string, readonly Entry[]>();
  const spelled = (place: string): string | null => (isExact ? spelledThere(place, names) : place);
  const facts = (asked: string): fs.Stats | undefined => {
    const place = spelled(asked);
    return place === null ? undefined : remember(places, place, () => lstat(place));
  };
  const leadsTo = (at: string): Resolved => {
    const before = led.get(at);
    if (before !== undefined) return before;
    const answer = entryAt(at);
    // What is not there is told from the names of its folder, and there is far more of it.
    if (!isExact || answer.kind !== 'absent') keep(led, at, answer);
    return answer;
  };
  const entryAt = (at: string): Resolved => {
    const above = path.dirname(at);
    if (at === top || above === at) return { kind: 'real', path: at };
    const folder = leadsTo(above);
    if (folder.kind !== 'real') return folder;
    if (!isExact) return follow(at);
    const own = at.slice(at.lastIndexOf(path.sep));
    const place = spelled(folder.path === path.sep ? own : folder.path + own);
    if (place === null) return absent;
    const refused = mounts.refuses(place);
    if (refused !== null) return { kind: 'failed', code: refused };
    try {
      const seen = facts(place);
      if (seen === undefined) return absent;
      return seen.isSymbolicLink() ? follow(place) : { kind: 'real', path: place };
    } catch (error) {
      return failed(error);
    }
  };
  return {
    resolve: (diskPath) => leadsTo(path.resolve(diskPath)),
    facts,
    listed: (place) => lists.get(place),
    keepList(place, found) {
      if (found.length <= maxListed && lists.size < maxLists) lists.set(place, found);
    },
    forget() {
      places.clear();
      led.clear();
      lists.clear();
      names.clear();
    },
  };
}

/** This machine for the length of one scan. */
export function rememberingDisk(mounts: Mounts = noMounts): Disk {
  const memory = remembering({
    top: path.sep,
    mounts,
    isExact: hasExactNames,
    names: namesOfFolders(false),
    follow: (place) => follow(place, mounts),
  });
  return { ...ownDisk, refuses: mounts.refuses, ...memory };
}

/**
 * Where a path of this machine leads now, for whoever does not scan: a path on a network or FUSE mount
 * is `failed`, and may not be touched.
 */
export function resolveNow(diskPath: string): Resolved {
  return rememberingDisk(machineMounts()).resolve(diskPath);
}

/** Where a path of this machine leads; asks for nothing that is refused. */
function follow(place: string, mounts: Mounts): Resolved {
  if (mounts.isNone) return ownDisk.resolve(place);
  const { root } = path.parse(place);
  const partsOf = (target: string): readonly string[] | null =>
    path.isAbsolute(target) ? target.split(path.sep) : null;
  try {
    const found = walk({ root, partsOf, mounts }, place.slice(root.length).split(path.sep));
    return found.kind === 'real' && !hasExactNames ? ownDisk.resolve(found.path) : found;
  } catch (error) {
    return failed(error);
  }
}

function windowsToDisk(root: string, machinePath: string): string | null {
  const match = /^([A-Za-z]):[\\/]?(.*)$/.exec(path.win32.normalize(machinePath));
  if (match === null) return null;
  const [, drive = '', rest = ''] = match;
  const parts = rest.split('\\').filter((part) => part !== '');
  return drive.toUpperCase() === 'C'
    ? path.join(root, ...parts)
    : path.join(root, drive.toUpperCase(), ...parts);
}

function windowsFromDisk(root: string, diskPath: string): string {
  const parts = path.relative(root, diskPath).split(path.sep);
  const first = parts[0] ?? '';
  return /^[A-Z]$/.test(first)
    ? path.win32.join(`${first}:\\`, ...parts.slice(1))
    : path.win32.join('C:\\', ...parts);
}

/**
 * A folder as the root of a machine, for the length of one scan: `/x` is `folder/x`, `C:\x` is `folder/x`, `D:\x` is `folder/D/x`.
 * Throws when the folder does not exist or lies on a refused mount.
 */
export function folderDisk(folder: string, platform: Platform, mounts: Mounts = noMounts): Disk {
  const spelled = path.resolve(folder);
  const own = follow(spelled, mounts);
  if (own.kind === 'failed' && own.code === 'network-mount') {
    throw new Error('it lies on a network or FUSE mount, which is not looked into');
  }
  const root = fs.realpathSync.native(folder);
  const toDisk =
    platform === 'win32'
      ? (machinePath: string) => windowsToDisk(root, machinePath)
      : (machinePath: string) =>
          isTidy(machinePath) && path.sep === '/' && root !== '/'
            ? root + machinePath
            : path.join(root, path.posix.normalize(`/${machinePath}`));
  const fromDisk =
    platform === 'win32'
      ? (diskPath: string) => windowsFromDisk(root, diskPath)
      : (diskPath: string) =>
          `/${path.relative(root, diskPath).split(path.sep).join(path.posix.sep)}`;
  const partsOf = (target: string): readonly string[] | null => {
    for (const own of [root, spelled]) {
      if (isWithin(target, own, path.sep)) return path.relative(own, target).split(path.sep);
    }
    if (platform === 'win32' && /^[A-Za-z]:/.test(target)) {
      const place = windowsToDisk(root, target);
      return place === null ? [] : path.relative(root, place).split(path.sep);
    }
    return path.isAbsolute(target) ? target.split(path.sep) : null;
  };
  // Windows knows names in any case, and so does macOS as it comes.
  const names = namesOfFolders(platform !== 'linux');
  const walked = (diskPath: string): Resolved => {
    try {
      const parts = path.relative(root, diskPath).split(path.sep);
      return walk({ root, partsOf, mounts, names }, parts);
    } catch (error) {
      return failed(error);
    }
  };
  const memory = remembering({ top: root, mounts, isExact: true, names, follow: walked });
  return { toDisk, fromDisk, refuses: mounts.refuses, ...memory };
}

interface Ground {
  /** The top, above which nothing leads. */
  readonly root: string;
  /** The parts below the top of a link that begins there; null for one that begins in its own folder. */
  readonly partsOf: (target: string) => readonly string[] | null;
  readonly mounts: Mounts;
  readonly names?: FolderNames;
}

/** Goes down from `root` part by part; a link restarts from the root or from its own folder. */
function walk({ root, partsOf, mounts, names }: Ground, parts: readonly string[]): Resolved {
  const pending = [...parts].reverse();
  let at = root;
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at !== root) at = path.dirname(at);
      continue;
    }
    const next = path.join(at, names?.spelling(at, part) ?? part);
    const refused = mounts.refuses(next);
    if (refused !== null) return { kind: 'failed', code: refused };
    const facts = fs.lstatSync(onDisk(next), noThrow);
    if (facts === undefined) return absent;
    if (!facts.isSymbolicLink()) {
      at = next;
      continue;
    }
    links += 1;
    if (links > maxLinks) return { kind: 'failed', code: 'loop' };
    const target = linkTarget(next);
    const fromRoot = partsOf(target);
    if (fromRoot !== null) at = root;
    pending.push(...[...(fromRoot ?? target.split(path.sep))].reverse());
  }
  return { kind: 'real', path: at };
}
