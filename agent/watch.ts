/**
 * Notices that something changed near a root, and says which roots to read again. It watches folders
 * only, at depth 0, and takes each event as a hint, never as a fact. A folder that is not there yet is
 * waited for at its nearest existing ancestor; a folder that has just come is watched itself for a
 * while, because its files come after it. Out of watches it says so, and is tried again later.
 */
import fs from 'node:fs';
import path from 'node:path';
import { rememberingDisk } from './detect/disk.js';
import type { Root } from './detect/index.js';
import { machineMounts } from './detect/mounts.js';
import { createFolderWatcher, type FolderWatcher } from './folder-watcher.js';

const quietMs = 150;
const longestMs = 500;
/** One more look after a burst, for files that came too deep to be seen. */
const echoMs = 1_200;
const verifyMs = 30_000;
const retryMs = 5 * 60_000;
const youngMs = 2 * 60_000;
const maxFolders = 440;
const maxYoung = 40;
/** `node_modules/@scope/name`: the scope and the package can both be new. */
const youngLevels = 2;

export type WatchState = 'watching' | 'degraded';

export interface WatchOptions {
  readonly onHint: (roots: ReadonlySet<string>) => void;
  /** `code`: of the error that took the watches away, or `back`. */
  readonly onState: (state: WatchState, code: string) => void;
  readonly makeWatcher?: () => FolderWatcher;
  readonly retryMs?: number;
  readonly echoMs?: number;
}

export interface Watch {
  /**
   * The roots of the last plan; called after each scan. `read`: those that were read just now; what is
   * watched for another stays as it is, unless its folders are not the same.
   */
  follow(roots: readonly Root[], read: ReadonlySet<string>): void;
  readonly state: WatchState;
  /** Folders watched now. */
  readonly size: number;
  close(): void;
}

/** A watched folder: the roots it speaks for, and when it stands for missing ones, the names awaited. */
interface Followed {
  readonly roots: Set<string>;
  /** Names of direct entries that matter; null: all. */
  awaited: Set<string> | null;
  fileId: string | null;
}

interface Young {
  readonly roots: ReadonlySet<string>;
  readonly level: number;
  readonly until: number;
}

function fileIdOf(folder: string): string | null {
  try {
    const facts = fs.statSync(folder);
    // Inode numbers are given out again at once, so the time of birth belongs to it.
    return facts.isDirectory() ? `${facts.dev}:${facts.ino}:${facts.birthtimeMs}` : null;
  } catch {
    return null;
  }
}

/** The folder to watch for another: itself, or its nearest existing ancestor and the name awaited there. */
export function placeToWatch(
  folder: string,
  top: string,
): { readonly folder: string; readonly awaited: string | null } | null {
  let place = path.normalize(folder);
  let awaited: string | null = null;
  while (fileIdOf(place) === null) {
    const parent = path.dirname(place);
    if (parent === place || place === path.normalize(top)) return null;
    awaited = path.basename(place);
    place = parent;
  }
  // The top of the file system changes for too many reasons to stand for anything.
  return path.dirname(place) === place ? null : { folder: place, awaited };
}

/** Where a root's folders are watched; kept until it is read again. */
interface Placed {
  readonly wanted: readonly string[];
  readonly places: readonly {
    readonly folder: string;
    readonly awaited: string | null;
    readonly fileId: string | null;
  }[];
}

/** Asks, for the roots of one plan, where their folders are to be watched. */
function placing(): (root: Root) => Placed {
  const mounts = machineMounts();
  const disk = rememberingDisk(mounts);
  // Here one call on a dead share would hold the daemon itself.
  const mayWatch = (folder: string): boolean =>
    mounts.isNone || disk.resolve(folder).kind !== 'failed';
  return ({ watch: wanted, home }) => {
    const places = wanted.filter(mayWatch).flatMap((folder) => {
      const place = placeToWatch(folder, home?.path ?? path.parse(folder).root);
      return place === null ? [] : [{ ...place, fileId: fileIdOf(place.folder) }];
    });
    return { wanted, places };
  };
}

/** What to watch for roots that are placed, bounded; the newest look at a folder comes last and counts. */
function followedOf(placed: ReadonlyMap<string, Placed>): Map<string, Followed> {
  const followed = new Map<string, Followed>();
  for (const [id, { places }] of placed) {
    for (const { folder, awaited, fileId } of places) {
      const known = followed.get(folder);
      if (known === undefined && followed.size >= maxFolders) continue;
      const one = known ?? { roots: new Set(), awaited: new Set(), fileId };
      one.roots.add(id);
      one.fileId = fileId;
      if (awaited === null) one.awaited = null;
      else one.awaited?.add(awaited);
      followed.set(folder, one);
    }
  }
  return followed;
}

/** Starts watching nothing; `follow` says what. */
export function startWatch(options: WatchOptions): Watch {
  return new RootWatch(options);
}

class RootWatch implements Watch {
  readonly #options: WatchOptions;
  #watcher: FolderWatcher | null = null;
  #roots: readonly Root[] = [];
  #placed: ReadonlyMap<string, Placed> = new Map();
  #followed = new Map<string, Followed>();
  /** Folders given to the watcher, and which folder that was. */
  #added = new Map<string, string | null>();
  readonly #young = new Map<string, Young>();
  readonly #hinted = new Set<string>();
  readonly #echo = new Set<string>();
  #firstHintAt = 0;
  #quietTimer: NodeJS.Timeout | null = null;
  #echoTimer: NodeJS.Timeout | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  readonly #verifyTimer: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#verifyTimer = setInterval(() => this.#verify(), verifyMs).unref();
  }

  get state(): WatchState {
    return this.#retryTimer === null ? 'watching' : 'degraded';
  }

  get size(): number {
    return this.#followed.size + this.#young.size;
  }

  follow(roots: readonly Root[], read: ReadonlySet<string>): void {
    if (this.#isClosed) return;
    this.#roots = roots;
    if (this.#retryTimer !== null) return;
    const place = placing();
    const kept = new Map<string, Placed>();
    const placed = new Map<string, Placed>();
    for (const root of roots) {
      const known = read.has(root.id) ? undefined : this.#placed.get(root.id);
      const isSame = known !== undefined && known.wanted.join('\0') === root.watch.join('\0');
      if (isSame) kept.set(root.id, known);
      else placed.set(root.id, place(root));
    }
    this.#placed = new Map([...kept, ...placed]);
    this.#followed = followedOf(this.#placed);
    this.#watcher ??= this.#open();
    for (const folder of this.#added.keys()) this.#dropUnwanted(folder);
    const fresh = [...this.#followed].filter(
      ([folder, { fileId }]) => this.#added.get(folder) !== fileId,
    );
    for (const [folder, { fileId }] of fresh) this.#added.set(folder, fileId);
    this.#watcher.add(fresh.map(([folder]) => folder));
  }

  #dropUnwanted(folder: string): void {
    if (this.#followed.has(folder) || this.#young.has(folder)) return;
    this.#watcher?.unwatch(folder);
    this.#added.delete(folder);
  }

  #open(): FolderWatcher {
    const watcher = (this.#options.makeWatcher ?? createFolderWatcher)();
    watcher.on('change', (folder, kind, name) => this.#onChange(folder, kind, name));
    watcher.on('ready', (folder) => this.#onReady(folder));
    watcher.on('error', (error) => this.#onError(watcher, error));
    return watcher;
  }

  /** What came between the read and the watch is seen by one more read. */
  #onReady(folder: string): void {
    const young = this.#young.get(folder);
    this.#hint(this.#followed.get(folder)?.roots ?? young?.roots ?? new Set());
    if (young !== undefined) this.#watchBelow(folder, young.roots, young.level);
  }

  #onChange(folder: string, event: string, name: string | null): void {
    const followed = this.#followed.get(folder);
    const young = this.#young.get(folder);
    const roots = followed?.roots ?? young?.roots;
    if (roots === undefined) return;
    const awaited = followed?.awaited ?? null;
    // Linux says a folder's own end with its own name.
    const isOwnEnd = event === 'rename' && name === path.basename(folder);
    if (isOwnEnd) this.#added.set(folder, null);
    if (awaited !== null && name !== null && !awaited.has(name) && !isOwnEnd) return;
    this.#hint(roots);
    if (event === 'rename' && name !== null && awaited === null) {
      this.#watchYoung(path.join(folder, name), roots, (young?.level ?? 0) + 1);
    }
  }

  /** A folder that has just come is still being filled. */
  #watchYoung(folder: string, roots: ReadonlySet<string>, level: number): void {
    if (level > youngLevels || this.#watcher === null || this.#isClosed) return;
    const fileId = fileIdOf(folder);
    if (this.#followed.has(folder) || fileId === null || this.#young.size >= maxYoung) return;
    const known = this.#added.get(folder);
    if (known === fileId && this.#young.has(folder)) return;
    this.#young.set(folder, { roots, level, until: performance.now() + youngMs });
    if (known !== fileId) this.#watcher.add([folder]);
    this.#added.set(folder, fileId);
    this.#hint(roots);
    this.#watchBelow(folder, roots, level);
  }

  #watchBelow(folder: string, roots: ReadonlySet<string>, level: number): void {
    for (const name of subfolders(folder)) {
      this.#watchYoung(path.join(folder, name), roots, level + 1);
    }
  }

  #hint(roots: ReadonlySet<string>): void {
    if (this.#isClosed || roots.size === 0) return;
    const now = performance.now();
    if (this.#hinted.size === 0) this.#firstHintAt = now;
    for (const id of roots) this.#hinted.add(id);
    const waitMs = Math.max(0, Math.min(quietMs, this.#firstHintAt + longestMs - now));
    if (this.#quietTimer !== null) clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => this.#flush(), waitMs);
  }

  #flush(): void {
    const roots = new Set(this.#hinted);
    this.#hinted.clear();
    this.#options.onHint(roots);
    for (const id of roots) this.#echo.add(id);
    if (this.#echoTimer !== null) clearTimeout(this.#echoTimer);
    this.#echoTimer = setTimeout(() => {
      const again = new Set(this.#echo);
      this.#echo.clear();
      this.#options.onHint(again);
    }, this.#options.echoMs ?? echoMs);
  }

  /** Catches what no event tells: a folder replaced together with its parent, or one that appeared unseen. */
  #verify(): void {
    const now = performance.now();
    for (const [folder, { until }] of this.#young) {
      if (until >= now) continue;
      this.#young.delete(folder);
      this.#dropUnwanted(folder);
    }
    const moved = new Set<string>();
    for (const [folder, { roots, fileId }] of this.#followed) {
      if (fileIdOf(folder) !== fileId) for (const id of roots) moved.add(id);
    }
    if (moved.size > 0) this.#hint(moved);
  }

  #onError(watcher: FolderWatcher, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (this.#isClosed || this.#retryTimer !== null) return;
    this.#watcher = null;
    this.#followed = new Map();
    this.#placed = new Map();
    this.#added.clear();
    this.#young.clear();
    watcher.close();
    this.#retryTimer = setTimeout(() => this.#retry(), this.#options.retryMs ?? retryMs);
    this.#options.onState('degraded', code);
  }

  #retry(): void {
    this.#retryTimer = null;
    this.follow(this.#roots, new Set());
    // An error may have come at once, and taken the watcher away again.
    if (this.#watcher !== null) this.#options.onState('watching', 'back');
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#verifyTimer);
    for (const timer of [this.#quietTimer, this.#echoTimer, this.#retryTimer]) {
      if (timer !== null) clearTimeout(timer);
    }
    this.#watcher?.close();
  }
}

/** A few direct subfolders of a new folder; a crowded one is no package's. */
function subfolders(folder: string): readonly string[] {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    return entries.length > 16
      ? []
      : entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
