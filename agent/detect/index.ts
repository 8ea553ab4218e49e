/**
 * The list of detectors and the contract each obeys. A detector is one channel: it says which roots
 * matter in a world, and reads one root into components. It never opens a file but through the
 * `Reader` it is handed, never runs anything, and never decides what a finding means.
 *
 * Reads are synchronous on purpose: a scan is thousands of tiny reads, and the event loop costs more
 * than the disk. The daemon reads root by root, and in a thread of its own where a folder may hang, so
 * that it costs that root and nothing else.
 */
import type { PlatformPath } from 'node:path';
import type { Catalogue } from '../../policies/catalogue.js';
import type { Channel, Component, Platform, RootStatus } from '../../policies/component.js';
import { applications } from './applications.js';
import { browsers } from './browsers.js';
import { config } from './config.js';
import { editors } from './editors.js';
import { executables } from './executables.js';
import { homebrew } from './homebrew.js';
import { jetbrains } from './jetbrains.js';
import { mcp } from './mcp.js';
import { models } from './models.js';
import { npmDetector } from './npm.js';
import { packages } from './packages.js';
import { processes } from './processes.js';
import { python } from './python.js';
import type { LiveRegistry } from './registry.js';
import { services } from './services.js';
import { insideWsl } from './wsl.js';

/** A local person's home. `env` holds only variables known for that person, never the daemon's. */
export interface Home {
  readonly account: string;
  readonly uid: number | null;
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /**
   * True when no account list vouches for this home (`--home`, or a folder's own homes), so that an
   * empty folder is an empty home; else empty means not mounted, and nothing known of it is removed.
   */
  readonly mayBeEmpty?: boolean;
}

/** A live process as the operating system lists it. `argv` null: not readable by us. */
export interface ProcessEntry {
  readonly pid: number;
  readonly uid: number | null;
  readonly account: string | null;
  readonly comm: string | null;
  readonly exe: string | null;
  readonly cwd: string | null;
  readonly argv: readonly string[] | null;
}

/**
 * The machine that is looked at: this one, one home, or a folder that stands for a machine. All paths
 * in it are the machine's own; the reader maps them to the disk.
 */
export interface World {
  readonly platform: Platform;
  /** `node:path` of the machine's platform, not of the one we run on. */
  readonly path: PlatformPath;
  readonly homes: readonly Home[];
  /** Whether places that belong to no person are looked at too (false for `--home`). */
  readonly hasSystem: boolean;
  /** PATH folders of the machine itself, and of each home by account, unexpanded and in order. */
  readonly systemPath: readonly string[];
  readonly homePath: ReadonlyMap<string, readonly string[]>;
  readonly catalogue: Catalogue;
  /** Start files that say more PATH folders, and could not be read. */
  readonly unread?: readonly Problem[];
  /** null: processes are not looked at. */
  readonly processes: readonly ProcessEntry[] | null;
  /** Also project copies and content markers everywhere. */
  readonly isDeep: boolean;
  /**
   * Packages that rules name and the catalogue may not know, by the policy's ecosystems (npm, pypi,
   * editor-extension ...), each in its ecosystem's normal form. Reported too, with tool null.
   */
  readonly named?: ReadonlyMap<string, ReadonlySet<string>>;
  /** Channels that a rule takes whole: every component of them is reported, with tool null if unclaimed. */
  readonly wholeChannels?: ReadonlySet<Channel>;
  /** The registry of a Windows machine that runs; left out, hives are read from their files. */
  readonly registry?: LiveRegistry;
  /** What programs are by their contents; left out, each file is looked into once per world. */
  readonly contents?: ContentsCache;
  /** How many bytes of programs one scan may read for that; left out: `defaultContentBudgetBytes`. */
  readonly contentBudgetBytes?: number;
  /**
   * A reader for one root, or for looking around while roots are being listed (what exists, which
   * prefix is set). `deadlineMs`: the reading of `performance.now()` at which its time is used up.
   */
  reader(boundary: Boundary, deadlineMs?: number): Reader;
  /** A scan begins or is over: what the disk was seen to hold no longer counts, and is dropped. */
  readonly forget?: () => void;
  /** A folder of this machine as a machine of its own, without processes; null when it is not there. */
  readonly inside?: (folder: string, platform: Platform) => World | null;
}

/** The folders a read may end in, after links are followed; machine paths. Everything else is refused. */
export interface Boundary {
  readonly within: readonly string[];
}

/** A shallow place where installs show. The same root is watched and read. */
export interface Root {
  /** Unique in a world and stable between scans: `npm:/usr/local/lib/node_modules`. */
  readonly id: string;
  readonly channel: Channel;
  readonly manager: string | null;
  /** How the folder is laid out, for a detector that knows several layouts. */
  readonly layout?: string;
  readonly path: string;
  /** null: belongs to the machine. */
  readonly home: Home | null;
  readonly boundary: Boundary;
  /** Folders whose direct entries change when an install comes or goes (machine paths, depth 0). */
  readonly watch: readonly string[];
}

export interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'dir' | 'link' | 'other';
}

export interface FileFacts {
  readonly kind: 'file' | 'dir' | 'link' | 'other';
  readonly size: number;
  readonly isExecutable: boolean;
  readonly mtimeMs: number;
  /** When file or record last changed; unlike `mtimeMs` nobody can set it. */
  readonly ctimeMs: number;
  /** Device and inode, equal for hard links of one file. */
  readonly fileId: string;
  readonly uid: number;
}

/** Something worth saying about a root. `isLoss`: part of the root was not read, so nothing may be removed. */
export interface Problem {
  readonly path: string;
  readonly code: ProblemCode;
  readonly isLoss: boolean;
}

export const problemCodes = [
  'denied', // no permission
  'outside', // a link leads out of the root's boundary
  'not-regular', // a FIFO, device or socket where a file was expected
  'too-large', // more bytes than the limit of the read
  'too-many', // more entries than the limit of the list
  'malformed', // not what its format says
  'unsupported', // a format that is known and not read
  'loop', // links that lead to each other
  'vanished', // gone between list and read
  'timeout', // the root's time is used up
  'placeholder', // a cloud-only file, not pulled down
  'io', // any other error of the operating system
  'refused-entry', // an entry of a manifest that names a place outside
  'manifest-empty', // an empty manifest beside full folders
  'network-mount', // on a network or FUSE mount, which is not looked into
  'not-mounted', // a home or a disk that should be there is missing or empty
  'locked', // encrypted, and its owner has not unlocked it
  'guarded', // in a folder for which macOS asks the person, which is not looked into
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** A piece of a file, where it begins, and how large the file is. */
export interface FilePart {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly size: number;
}

/**
 * The only way to the disk. Every method takes machine paths, follows no link out of the boundary,
 * opens nothing but regular files, is bounded, and answers null or empty for what is simply not there.
 * What was there and could not be read becomes a problem with `isLoss`.
 */
export interface Reader {
  /** Direct entries, sorted by name; empty when absent. Dot entries included. */
  list(folder: string): readonly Entry[];
  /** The bytes of a file; null when absent or refused. Default limit 4 MiB. */
  bytes(file: string, maxBytes?: number): Buffer | null;
  /**
   * Up to `length` bytes from `offset` on (below zero: from the end back), of a file of any size. Fewer
   * where the file ends; null when absent or refused. The bytes lie in `into` where they have room there.
   */
  part(file: string, offset: number, length: number, into?: Buffer): FilePart | null;
  /** Text in UTF-8, or in UTF-16 with its mark; without that mark. null when absent or refused. Default limit 4 MiB. */
  text(file: string, maxBytes?: number): string | null;
  /** Parsed JSON (comments and trailing commas allowed); undefined when absent, refused or malformed. */
  json(file: string, maxBytes?: number): unknown;
  /** The entry itself, links not followed; null when absent. */
  facts(path: string): FileFacts | null;
  /** What the path leads to in the end, links followed, without opening it; null when absent or dangling. */
  target(path: string): FileFacts | null;
  /** The real path in machine form, wherever it leads; null when absent, dangling or a loop. Reads nothing. */
  realPath(path: string): string | null;
  note(path: string, code: ProblemCode, isLoss?: boolean): void;
  readonly problems: readonly Problem[];
}

/** What a program is by its contents. `tool` null: something else than any tool of the catalogue. */
export interface Contents {
  readonly tool: string | null;
  readonly version: string | null;
  readonly evidence: 'go module' | 'content marker' | 'code signature';
  /** Team ID of the signature, where there is one. */
  readonly publisher?: string;
}

/** Answers by file, kept between scans by whoever makes the world; `contents-cache.ts` has one. */
export interface ContentsCache {
  /** undefined: not looked into since it last changed. null: nothing that the catalogue knows. */
  get(facts: FileFacts): Contents | null | undefined;
  /** The last answer for whatever file lay at this path. */
  earlier(path: string): Contents | null;
  set(path: string, facts: FileFacts, contents: Contents | null): void;
  /** Files that were left for a later scan, as the budget was used up; each scan counts anew. */
  pending: number;
}

export interface Reading {
  readonly root: Root;
  readonly status: RootStatus;
  readonly problems: readonly Problem[];
  readonly components: readonly Component[];
}

export interface Detector {
  readonly channel: Channel;
  /** The roots of this channel that exist or may come to exist; cheap, bounded, and the same each time. */
  roots(world: World): readonly Root[];
  /** What one root holds. Problems go to the reader; nothing is thrown for what a disk may hold. */
  read(root: Root, world: World, reader: Reader): readonly Component[];
  /**
   * More folders of a root to watch, which depend on what lies there now: `roots` looks into none. Asked by
   * who watches, so a single scan does without.
   */
  readonly watch?: (root: Root, world: World) => readonly string[];
  /** Loads what reading this world needs and most worlds do not; awaited before its roots are read. */
  readonly prepare?: (world: World) => Promise<void>;
}

/** One for each channel that is looked at. Package records come first: of two records they say more. */
export const channelDetectors: readonly Detector[] = [
  npmDetector,
  python,
  homebrew,
  editors,
  jetbrains,
  browsers,
  packages,
  applications,
  executables,
  mcp,
  config,
  models,
  services,
  processes,
];

/** Those and the one that looks with them into the Linux distributions of a Windows machine. */
export const detectors: readonly Detector[] = [
  ...channelDetectors,
  insideWsl(() => channelDetectors),
];

/** All folders of a root that are to be watched now. */
export function watchedFolders(detector: Detector, root: Root, world: World): readonly string[] {
  return [...new Set([...root.watch, ...(detector.watch?.(root, world) ?? [])])];
}
