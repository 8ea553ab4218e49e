/**
 * Watches folders, each at depth 0 and by a chokidar watcher of its own: one for all would take the folders
 * below with it when one is given up. Chokidar lists a folder before it watches it, so they are begun a few
 * at a time, which keeps the burst small. It says what the system says, and does not know what an event
 * means; `watch.ts` does.
 */
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { watch as watchPath, type FSWatcher } from 'chokidar';

/** What is used of a watcher; a test may hand in one that fails. */
export interface FolderWatcher {
  /** A folder that is watched already is watched anew: it may be another by now. */
  add(folders: readonly string[]): void;
  unwatch(folder: string): void;
  close(): void;
  /** `name`: of the direct entry that changed, or the folder's own at its end; null: not told. */
  on(event: 'change', listener: (folder: string, kind: string, name: string | null) => void): void;
  /** From now on nothing is missed; what came before is for a read to find. */
  on(event: 'ready', listener: (folder: string) => void): void;
  /** The system has no more watches to give. */
  on(event: 'error', listener: (error: unknown) => void): void;
}

/** Out of watches or of what they need; anything else concerns one folder. */
const outCodes: readonly unknown[] = ['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'];
const maxBeginning = 8;

/** Watches nothing yet. */
export function createFolderWatcher(): FolderWatcher {
  return new ChokidarFolders();
}

class ChokidarFolders implements FolderWatcher {
  readonly #events = new EventEmitter();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #waiting = new Set<string>();
  readonly #beginning = new Set<FSWatcher>();

  add(folders: readonly string[]): void {
    for (const folder of folders) {
      this.unwatch(folder);
      this.#waiting.add(folder);
    }
    this.#beginMore();
  }

  unwatch(folder: string): void {
    this.#waiting.delete(folder);
    const watcher = this.#watchers.get(folder);
    if (watcher === undefined) return;
    this.#watchers.delete(folder);
    this.#begun(watcher);
    void watcher.close().catch(() => {});
  }

  close(): void {
    this.#events.removeAllListeners().on('error', () => {});
    for (const folder of [...this.#waiting, ...this.#watchers.keys()]) this.unwatch(folder);
  }

  on(event: string, listener: (...words: never[]) => void): void {
    this.#events.on(event, listener as (...words: unknown[]) => void);
  }

  #beginMore(): void {
    for (const folder of this.#waiting) {
      if (this.#beginning.size >= maxBeginning) return;
      this.#waiting.delete(folder);
      this.#begin(folder);
    }
  }

  #begin(folder: string): void {
    const watcher = watchPath(folder, {
      depth: 0,
      ignoreInitial: true,
      ignorePermissionErrors: true,
      atomic: false,
      // Its entries are not asked for one by one.
      ignored: (place) => path.normalize(place) !== folder,
    });
    this.#watchers.set(folder, watcher);
    this.#beginning.add(watcher);
    watcher.on('raw', (kind, name, details) => {
      const { watchedPath } = details as { readonly watchedPath?: unknown };
      const isOwn = typeof watchedPath === 'string' && path.normalize(watchedPath) === folder;
      if (isOwn) this.#events.emit('change', folder, kind, name);
    });
    watcher.on('error', (error) => this.#failed(folder, error));
    watcher.on('ready', () => {
      this.#begun(watcher);
      if (this.#watchers.get(folder) === watcher) this.#events.emit('ready', folder);
      this.#beginMore();
    });
  }

  #begun(watcher: FSWatcher): void {
    this.#beginning.delete(watcher);
  }

  #failed(folder: string, error: unknown): void {
    this.unwatch(folder);
    const isOut = outCodes.includes((error as NodeJS.ErrnoException).code);
    if (isOut) this.#events.emit('error', error);
    else this.#events.emit('change', folder, 'rename', path.basename(folder));
    this.#beginMore();
  }
}
