/**
 * One process to a data folder: an empty SQLite file whose exclusive lock is held while the process
 * lives. The operating system frees it with the process, also after `kill -9`, so nothing stale stays
 * behind. It says nothing over the wire; it is here because agent and server both need it and share no
 * other folder.
 */
import path from 'node:path';
import Sqlite, { type Database, type Options } from 'better-sqlite3';
import { CurfewError } from './errors.js';

export const lockName = 'lock.db';

export interface FolderLock {
  /** Lets the next process in. */
  release(): void;
}

/**
 * Takes the folder, which is there, for this process. Errors: FOLDER_IN_USE when another one has it,
 * FOLDER_NOT_WRITABLE when no lock can be had there. `options` are those of every database of the caller.
 */
export function lockFolder(
  folder: string,
  options: Pick<Options, 'nativeBinding'> = {},
): FolderLock {
  const file = path.join(folder, lockName);
  let database: Database | null = null;
  try {
    database = new Sqlite(file, { ...options, timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    const held = database;
    return { release: () => void held.close() };
  } catch (error) {
    database?.close();
    const isHeld = error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
    if (isHeld) {
      throw new CurfewError('FOLDER_IN_USE', `another process works on the data folder ${folder}`, {
        hint: 'Stop that one first, or choose another data folder.',
      });
    }
    throw new CurfewError('FOLDER_NOT_WRITABLE', `${file} cannot be locked`, {
      hint: 'Give this account the right to write there, on a file system that has locks; a damaged file may be removed.',
      cause: error,
    });
  }
}
