/**
 * From a machine's paths to the disk's and back, and the real path behind links. This machine maps to
 * itself; a folder that stands for a machine (`--world`) keeps every path, and every absolute link in
 * it, inside that folder. Nothing here opens a file, and no answer leaves the folder that stands for
 * the machine.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Platform } from '../../policies/component.js';
import type { ProblemCode } from './index.js';

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

/** This machine: paths are the disk's own. */
export const ownDisk: Disk = {
  toDisk: (machinePath) => path.resolve(machinePath),
  fromDisk: (diskPath) => diskPath,
  resolve(diskPath) {
    try {
      // Most places are not there, and an exception costs far more than the call.
      if (fs.statSync(diskPath, noThrow) === undefined) return absent;
      return { kind: 'real', path: fs.realpathSync.native(diskPath) };
    } catch (error) {
      return failed(error);
    }
  },
};

/** Only here is a folder's real path nothing but its parent's and its own name as it was asked for. */
const hasExactNames = process.platform === 'linux';

/**
 * This machine for the length of one scan: it remembers where folders lead and which are missing, as
 * most of what a scan asks for lies in few folders or in none. A folder that is swapped meanwhile leads
 * nowhere new: what is opened is checked by its descriptor.
 */
export function rememberingDisk(): Disk {
  const folders = new Map<string, Resolved>();
  const folderAt = (at: string): Resolved => {
    let known = folders.get(at);
    if (known === undefined) {
      known = entryAt(at);
      folders.set(at, known);
    }
    return known;
  };
  const entryAt = (at: string): Resolved => {
    const above = path.dirname(at);
    if (above === at) return { kind: 'real', path: at };
    const folder = folderAt(above);
    if (folder.kind !== 'real' || !hasExactNames) {
      return folder.kind === 'absent' ? absent : ownDisk.resolve(at);
    }
    const place = folder.path === path.sep ? at : folder.path + at.slice(at.lastIndexOf(path.sep));
    try {
      const facts = fs.lstatSync(place, noThrow);
      if (facts === undefined) return absent;
      return facts.isSymbolicLink() ? ownDisk.resolve(place) : { kind: 'real', path: place };
    } catch (error) {
      return failed(error);
    }
  };
  return {
    ...ownDisk,
    resolve(diskPath) {
      const at = path.resolve(diskPath);
      return folders.get(at) ?? entryAt(at);
    },
  };
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
 * A folder as the root of a machine: `/x` is `folder/x`, `C:\x` is `folder/x`, `D:\x` is `folder/D/x`.
 * Throws when the folder does not exist.
 */
export function folderDisk(folder: string, platform: Platform): Disk {
  const root = fs.realpathSync.native(folder);
  const spelled = path.resolve(folder);
  const toDisk =
    platform === 'win32'
      ? (machinePath: string) => windowsToDisk(root, machinePath)
      : (machinePath: string) => path.join(root, path.posix.normalize(`/${machinePath}`));
  const fromDisk =
    platform === 'win32'
      ? (diskPath: string) => windowsFromDisk(root, diskPath)
      : (diskPath: string) =>
          `/${path.relative(root, diskPath).split(path.sep).join(path.posix.sep)}`;
  const partsOfLink = (target: string): readonly string[] | null => {
    for (const own of [root, spelled]) {
      if (isWithin(target, own, path.sep)) return path.relative(own, target).split(path.sep);
    }
    if (platform === 'win32' && /^[A-Za-z]:/.test(target)) {
      const place = windowsToDisk(root, target);
      return place === null ? [] : path.relative(root, place).split(path.sep);
    }
    return path.isAbsolute(target) ? target.split(path.sep) : null;
  };
  const resolve = (diskPath: string): Resolved => {
    try {
      return walk(root, path.relative(root, diskPath).split(path.sep), partsOfLink);
    } catch (error) {
      return failed(error);
    }
  };
  return { toDisk, fromDisk, resolve };
}

/** Goes down from `root` part by part; a link restarts from the root or from its own folder. */
function walk(
  root: string,
  parts: readonly string[],
  partsOfLink: (target: string) => readonly string[] | null,
): Resolved {
  const pending = [...parts].reverse();
  let at = root;
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at !== root) at = path.dirname(at);
      continue;
    }
    const next = path.join(at, part);
    const facts = fs.lstatSync(next, noThrow);
    if (facts === undefined) return absent;
    if (!facts.isSymbolicLink()) {
      at = next;
      continue;
    }
    links += 1;
    if (links > maxLinks) return { kind: 'failed', code: 'loop' };
    const target = fs.readlinkSync(next);
    const fromRoot = partsOfLink(target);
    if (fromRoot !== null) at = root;
    pending.push(...[...(fromRoot ?? target.split(path.sep))].reverse());
  }
  return { kind: 'real', path: at };
}
