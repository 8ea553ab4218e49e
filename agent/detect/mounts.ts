/**
 * The mounts that are not looked into: network shares and FUSE, where one call may wait for a server
 * that never answers. Their list is read once per scan from the system's own table, which touches
 * none of them; whoever goes to the disk asks here before the first call. A mount that appears while a
 * scan runs is seen by the next one. Windows has none: homes there are never mapped drives.
 */
import fs from 'node:fs';
import type { ProblemCode } from './index.js';
import { decodeName } from './names.js';

export interface Mounts {
  /** True: nothing is refused, and nobody has to ask. */
  readonly isNone: boolean;
  /** Why a disk path without links in it must not be touched; null: it may be. */
  refuses(diskPath: string): ProblemCode | null;
}

export const noMounts: Mounts = { isNone: true, refuses: () => null };

/** One line of the system's table. */
export interface Mount {
  /** Spelled as a reader lists it, see `names.ts`. */
  readonly point: string;
  readonly isLocal: boolean;
}

/**
 * Types without a block device behind them that nevertheless never wait for anybody else. A type that is
 * neither here nor on a device is taken for a network's: new ones come every few years.
 */
const localTypes = new Set(
  `aufs bcachefs bdev binder binfmt_misc bpf btrfs cgroup cgroup2 configfs cpuset debugfs devpts devtmpfs
  ecryptfs efivarfs erofs fusectl hugetlbfs incremental-fs jffs2 lxfs mqueue nsfs nullfs overlay overlayfs
  pipefs proc pstore ramfs resctrl rootfs rpc_pipefs sdcardfs securityfs selinuxfs shiftfs smackfs sockfs
  squashfs sysfs tmpfs tracefs ubifs unionfs wslfs yaffs2 zfs`.split(/\s+/),
);

/** FUSE file systems over what lies on this machine; trusted only where root has mounted them. */
const localFuse = /^fuse\.(snapfuse|squashfuse(_ll)?|lxcfs|fuse-overlayfs|mergerfs|bindfs)$/;

/**
 * Lines of /proc/self/mountinfo (proc_pid_mountinfo(5)). Lines of another shape are left out. Binds and
 * copies of a mount have lines of their own, of the same type.
 */
export function parseMountinfo(table: Buffer): readonly Mount[] {
  // One character per byte: names need not be UTF-8.
  return table
    .toString('latin1')
    .split('\n')
    .flatMap((line): Mount[] => {
      const [fields = '', rest] = line.split(' - ', 2);
      const [, , device = '', , point] = fields.split(' ');
      const [type = '', , options = ''] = rest?.split(' ') ?? [];
      if (point === undefined || type === '') return [];
      const bytes = Buffer.from(unescaped(point), 'latin1');
      return [{ point: decodeName(bytes), isLocal: isLocal(type, device, options) }];
    });
}

function isLocal(type: string, device: string, options: string): boolean {
  if (type.startsWith('fuse.') || type === 'fuse') {
    return localFuse.test(type) && options.split(',').includes('user_id=0');
  }
  return localTypes.has(type) || !device.startsWith('0:');
}

/** Blanks, tabs, newlines and backslashes are written as three octal digits. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));

/** What /sbin/mount of macOS prints: `//ben@host/share on /Volumes/share (smbfs, nodev, mounted by ben)`. */
export function parseMountOutput(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, places = '', words = ''] = /^(.*) \(([^()]*)\)$/.exec(line) ?? [];
    const [type = '', ...flags] = words.split(', ');
    const isFuse = /fuse/i.test(type);
    const mount = { isLocal: flags.includes('local') && !isFuse };
    // A source may hold the word between the two itself, so every reading of the line counts.
    return [...places.matchAll(/ on (?=\/)/g)].map(({ index }) => {
      return { ...mount, point: places.slice(index + 4) };
    });
  });
}

/** macOS takes names that differ in case or in their form of Unicode for one. */
const keyOf = (place: string): string =>
  process.platform === 'darwin' ? place.normalize('NFC').toLowerCase() : place;

/**
 * Of several mounts on one folder the last lies on top. The top of the file system is never refused:
 * a machine that runs from a share is that share. Nor is what the kernel itself serves below /proc and
 * /sys, where systemd keeps an automount that never leaves the machine. `allowed`: paths that a setting
 * lets us look into wherever they lie; a mount that holds one is not refused.
 */
export function mountsOf(mounts: readonly Mount[], allowed: readonly string[] = []): Mounts {
  const top = new Map(mounts.map(({ point, isLocal }) => [point, isLocal]));
  const points = [...top]
    .filter(([point, isLocal]) => !isLocal && point !== '/' && !/^\/(proc|sys)\//.test(point))
    .map(([point]) => point)
    .filter((point) => !allowed.some((place) => `${place}/`.startsWith(`${point}/`)));
  return refusing(new Map(points.map((point) => [point, 'network-mount'])), noMounts);
}

/** The same with further folders that are left alone for the reason beside each. */
export function refusing(folders: ReadonlyMap<string, ProblemCode>, mounts: Mounts): Mounts {
  if (folders.size === 0) return mounts;
  const known = new Map([...folders].map(([folder, code]) => [keyOf(folder), code]));
  return {
    isNone: false,
    refuses(diskPath) {
      let at = keyOf(diskPath);
      for (;;) {
        const code = known.get(at);
        if (code !== undefined) return code;
        const cut = at.lastIndexOf('/');
        if (cut <= 0) return mounts.refuses(diskPath);
        at = at.slice(0, cut);
      }
    },
  };
}

/** The mounts of this machine as they are now; none where the table cannot be read. */
export function machineMounts(allowed: readonly string[] = []): Mounts {
  return mountsOf(listMounts(), allowed);
}

/** Every mount of this machine. */
export function listMounts(): readonly Mount[] {
  try {
    if (process.platform === 'linux') {
      return parseMountinfo(fs.readFileSync('/proc/self/mountinfo'));
    }
    if (process.platform !== 'darwin') return [];
    // Loaded here alone. The program prints what the kernel remembers and asks no server.
    const { spawnSync } = process.getBuiltinModule('node:child_process');
    const { stdout } = spawnSync('/sbin/mount', [], { encoding: 'utf8', timeout: 2_000 });
    return parseMountOutput(stdout);
  } catch {
    return [];
  }
}
