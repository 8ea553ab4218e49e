/**
 * Links in the place of folders. A tool that is moved away and linked back still runs, so a link under a
 * wanted name is looked through where it stays inside the boundary, and is a loss where it leads out or
 * in a ring: what lies behind it is not read, and not absent either.
 */
import type { Entry, Reader } from './index.js';

/** Whether a wanted entry at `place` is a folder or leads to one with something in it. */
export function isFolder({ kind }: Entry, place: string, reader: Reader): boolean {
  return kind === 'dir' || (kind === 'link' && reader.list(place).length > 0);
}
