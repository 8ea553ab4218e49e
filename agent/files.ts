/**
 * Small files that must survive anything: identity, key pins, sequence floors, the time floor. A write
 * is whole or not at all (temporary file, fsync, rename, fsync of the folder) and only its owner may
 * read it. Big or many things belong in the database, not here.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const maxSmallBytes = 1024 * 1024;

/** Writes the file durably, mode 0600; a reader sees the old content or the new, never a part. */
export function writeAtomic(file: string, content: string): void {
  const folder = path.dirname(file);
  const fresh = path.join(folder, `.${path.basename(file)}.${randomBytes(6).toString('hex')}.new`);
  const descriptor = fs.openSync(fresh, 'wx', 0o600);
  try {
    fs.writeFileSync(descriptor, content);
    fs.fsyncSync(descriptor);
  } catch (error) {
    fs.closeSync(descriptor);
    fs.rmSync(fresh, { force: true });
    throw error;
  }
  fs.closeSync(descriptor);
  fs.renameSync(fresh, file);
  syncFolder(folder);
}

/** Makes a rename in the folder durable; Windows has no such thing and answers EPERM or EISDIR. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The file's text, or null when it is not there. Refuses what is no regular file or over `maxBytes`. */
export function readSmall(file: string, maxBytes = maxSmallBytes): string | null {
  let descriptor;
  try {
    descriptor = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  try {
    const facts = fs.fstatSync(descriptor);
    if (!facts.isFile()) throw new Error(`${file} is not a regular file`);
    if (facts.size > maxBytes)
      throw new Error(`${file} has ${facts.size} bytes; ${maxBytes} are read`);
    return fs.readFileSync(descriptor, 'utf8');
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The file's JSON, or null when it is absent or holds none: then it counts as lost, not as an error. */
export function readSmallJson(file: string): unknown {
  const text = readSmall(file);
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Whether an error of the file system says that something is simply not there. */
export function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
