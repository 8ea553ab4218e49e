/**
 * Reads a file that somebody named on a command line: no more of it than it may have, and nothing that
 * would be waited for. What the bytes mean is for others. Nothing else on these ways reads a file whole.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { CurfewError } from '../wire/errors.js';

/** At most one byte more than `maxBytes` of a file, however long it goes on. Errors: USAGE. */
export function readBounded(file: string, maxBytes: number): Buffer {
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  try {
    refuseOthers(file);
    const descriptor = openSync(file, 'r');
    try {
      for (let read = -1; read !== 0 && length < bytes.byteLength; length += read) {
        read = readSync(descriptor, bytes, length, bytes.byteLength - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof CurfewError) throw error;
    throw new CurfewError('USAGE', `${file} cannot be read`, { cause: error });
  }
  return bytes.subarray(0, length);
}

/** What is no file would be waited for; a shell's own pipes (`/dev/stdin`, `<(...)`) have somebody who writes. */
function refuseOthers(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined)
    throw new CurfewError('USAGE', `${file} cannot be read: it does not exist`);
  if (found.isDirectory()) {
    const hint = 'Name the files in it; `curfew-server policy apply` takes a folder.';
    throw new CurfewError('USAGE', `${file} cannot be read: it is a folder`, { hint });
  }
  if (found.isFIFO() && !path.resolve(file).startsWith('/dev/')) {
    throw new CurfewError('USAGE', `${file} cannot be read: it is a pipe`);
  }
}
