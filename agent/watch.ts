/**
 * Notices that something changed near a root, and says which roots to read again. It watches folders
 * only, at depth 0, and takes each event as a hint, never as a fact. A folder that is not there yet is
 * waited for at its nearest existing ancestor; a folder that has just come is watched itself for a
 * while, because its files come after it. Out of watches it says so, and is tried again later.
 */
import fs from 'node:fs';
import path from 'node:path';
import { watch as watchFolders } from 'chokidar';
import { rememberingDisk } from './detect/disk.js';
import type { Root } from './detect/index.js';
import { machineMounts } from './detect/mounts.js';

const quietMs = 150;
const longestMs = 500;
/** One more look after a burst, for files that came too deep to be seen. */
const echoMs = 1_200;
const verifyMs = 30_000;
const retryMs = 5 * 60_000;
const youngMs = 2 * 60_000;
const maxFolders = 440;
const maxYoung = 40;
/** Folders that are no longer wanted and still watched, before all is begun anew. */
const maxStale = 60;
/** `node_modules/@scope/name`: the scope and the package can both be new. */
const youngLevels = 2;

/** What is used of chokidar; a test may hand in one that fails. */
export interface FolderWatcher {
  add(folders: string | string[]): unknown;
  unwatch(folders: string | string[]): unknown;
  close(): Promise<void>;
  on(event: 'raw', listener: (event: string, name: string, details: unknown) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'ready', listener: () => void): unknown;
}

export type WatchState = 'watching' | 'degraded';

export interface WatchOptions {
  readonly onHint: (roots: ReadonlySet<string>) => void;
  /** `code`: of the error that took the watches away, or `back`. */
  readonly onState: (state: WatchState, code: string) => void;
  readonly makeWatcher?: (isWatched: (folder: string) => boolean) => FolderWatcher;
  readonly retryMs?: number;
  readonly echoMs?: number;
}

export interface Watch {
  /** The roots of the last plan; called after each scan. */
  follow(roots: readonly Root[]): void;
  readonly state: WatchState;
  /** Folders watched now. */
  readonly size: number;
  close(): Promise<void>;
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

const chokidarWatcher = (isWatched: (folder: string) => boolean): FolderWatcher =>
  watchFolders([], {
    depth: 0,
    ignoreInitial: true,
    ignorePermissionErrors: true,
    atomic: false,
    ignored: (folder) => !isWatched(path.normalize(folder)),
  });

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

/** What to watch for these roots, bounded. */
function planFolders(roots: readonly Root[]): Map<string, Followed> {
  const followed = new Map<string, Followed>();
  const mounts = machineMounts();
  const disk = rememberingDisk(mounts);
  // Here one call on a dead share would hold the daemon itself.
  const mayWatch = (folder: string): boolean =>
    mounts.isNone || disk.resolve(folder).kind !== 'failed';
  for (const root of roots) {
    for (const wanted of root.watch.filter(mayWatch)) {
      const place = placeToWatch(wanted, root.home?.path ?? path.parse(wanted).root);
      if (place === null) continue;
      const known = followed.get(place.folder);
      if (known === undefined && followed.size >= maxFolders) continue;
      const one = known ?? { roots: new Set(), awaited: new Set(), fileId: fileIdOf(place.folder) };
      one.roots.add(root.id);
      if (place.awaited === null) one.awaited = null;
      else one.awaited?.add(place.awaited);
      followed.set(place.folder, one);
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

  follow(roots: readonly Root[]): void {
    if (this.#isClosed) return;
    this.#roots = roots;
    if (this.#retryTimer !== null) return;
    this.#followed = planFolders(roots);
    const fresh = [...this.#followed].filter(
      ([folder, { fileId }]) => this.#added.get(folder) !== fileId,
    );
    // chokidar's `unwatch` takes all folders below with it, so nothing is taken back one by one.
    const isReplaced = fresh.some(([folder]) => this.#added.has(folder));
    const stale = [...this.#added.keys()].filter((folder) => !this.#isWanted(folder)).length;
    if (this.#watcher === null || isReplaced || stale > maxStale) {
      this.#reopen();
      return;
    }
    if (fresh.length === 0) return;
    for (const [folder, { fileId }] of fresh) this.#added.set(folder, fileId);
    this.#watcher.add(fresh.map(([folder]) => folder));
    // What came between the read and the watch is seen by one more read.
    for (const [, { roots: ids }] of fresh) this.#hint(ids);
  }

  #isWanted(folder: string): boolean {
    return this.#followed.has(folder) || this.#young.has(folder);
  }

  /** Begins anew with all that is wanted now; `ready` then asks for one more read of all roots. */
  #reopen(): void {
    const before = this.#watcher;
    this.#added = new Map([...this.#followed].map(([folder, { fileId }]) => [folder, fileId]));
    // Folders that are being filled right now are what must not be lost here.
    for (const folder of this.#young.keys()) {
      const fileId = fileIdOf(folder);
      if (fileId === null || this.#added.has(folder)) this.#young.delete(folder);
      else this.#added.set(folder, fileId);
    }
    this.#watcher = this.#open();
    this.#watcher.add([...this.#added.keys()]);
    void before?.close().catch(() => {});
  }

  #open(): FolderWatcher {
    const make = this.#options.makeWatcher ?? chokidarWatcher;
    const watcher = make((folder) => this.#isWanted(folder));
    watcher.on('raw', (event, name, details) => this.#onRaw(event, name, details));
    watcher.on('error', (error) => this.#onError(watcher, error));
    watcher.on('ready', () => this.#hint(new Set(this.#roots.map(({ id }) => id))));
    return watcher;
  }

  #onRaw(event: string, name: string | null, details: unknown): void {
    const place = (details as { watchedPath?: unknown } | null)?.watchedPath;
    if (typeof place !== 'string') return;
    const folder = path.normalize(place);
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
    if (known !== undefined && known !== fileId) this.#watcher.unwatch(folder);
    if (known !== fileId) this.#watcher.add(folder);
    this.#added.set(folder, fileId);
    this.#hint(roots);
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
    for (const [folder, { until }] of this.#young) if (until < now) this.#young.delete(folder);
    const moved = new Set<string>();
    for (const [folder, { roots, fileId }] of this.#followed) {
      if (fileIdOf(folder) !== fileId) for (const id of roots) moved.add(id);
    }
    if (moved.size > 0) this.#hint(moved);
  }

  #onError(watcher: FolderWatcher, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const isOut = ['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(code);
    if (!isOut || this.#isClosed || this.#retryTimer !== null) return;
    this.#watcher = null;
    this.#followed = new Map();
    this.#added.clear();
    this.#young.clear();
    void watcher.close().catch(() => {});
    this.#retryTimer = setTimeout(() => this.#retry(), this.#options.retryMs ?? retryMs);
    this.#options.onState('degraded', code);
  }

  #retry(): void {
    this.#retryTimer = null;
    this.follow(this.#roots);
    // An error may have come at once, and taken the watcher away again.
    if (this.#watcher !== null) this.#options.onState('watching', 'back');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#verifyTimer);
    for (const timer of [this.#quietTimer, this.#echoTimer, this.#retryTimer]) {
      if (timer !== null) clearTimeout(timer);
    }
    await this.#watcher?.close();
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
