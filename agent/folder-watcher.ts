/**
 * Watches folders, each at depth 0 and by one watch of the system (`fs.watch`: inotify, FSEvents,
 * ReadDirectoryChangesW). It reads nothing: a library that lists every folder and asks for each entry
 * before it watches cost the agent at rest 5 MB, and each change more than the scan that follows. It says
 * what the system says, and does not know what an event means; `watch.ts` does.
 */
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

/** What is used of a watcher; a test may hand in one that fails. */
export interface FolderWatcher {
  /** A folder that is watched already is watched anew: it may be another by now. */
  add(folders: readonly string[]): void;
  unwatch(folder: string): void;
  close(): void;
  /** `name`: of the direct entry that changed, or the folder's own at its end; null: not told. */
  on(event: 'change', listener: (folder: string, kind: string, name: string | null) => void): void;
  /** The system has no more watches to give. */
  on(event: 'error', listener: (error: unknown) => void): void;
}

/** Out of watches or of what they need; anything else concerns one folder. */
const outCodes: readonly unknown[] = ['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'];

/** Watches nothing yet. */
export function createFolderWatcher(): FolderWatcher {
  const events = new EventEmitter();
  const watches = new Map<string, fs.FSWatcher>();
  const unwatch = (folder: string): void => {
    watches.get(folder)?.close();
    watches.delete(folder);
  };
  const failed = (folder: string, error: unknown): void => {
    unwatch(folder);
    const isOut = outCodes.includes((error as NodeJS.ErrnoException).code);
    // Windows tells the end of a folder by an error.
    if (isOut) events.emit('error', error);
    else events.emit('change', folder, 'rename', path.basename(folder));
  };
  const watch = (folder: string): void => {
    unwatch(folder);
    try {
      const one = fs.watch(folder, (kind, name) => events.emit('change', folder, kind, name));
      one.on('error', (error) => failed(folder, error));
      watches.set(folder, one);
    } catch (error) {
      const isOut = outCodes.includes((error as NodeJS.ErrnoException).code);
      // Later, so that whoever adds has come to its end. One that is gone is noticed by whoever looks.
      if (isOut) setImmediate(() => events.emit('error', error));
    }
  };
  return {
    add: (folders) => folders.forEach(watch),
    unwatch,
    close() {
      for (const folder of [...watches.keys()]) unwatch(folder);
      events.removeAllListeners().on('error', () => {});
    },
    on: (event, listener) => void events.on(event, listener as (...words: unknown[]) => void),
  };
}
