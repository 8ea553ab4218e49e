/**
 * One pass over bytes for many texts at once (the search of Wu and Manber, "A Fast Algorithm for
 * Multi-Pattern Searching", 1994): most steps skip ten bytes or more, so a big program costs little
 * more than reading it. It knows nothing about files and never copies what it looks through.
 */

export interface Searcher {
  /** Texts shorter than the overlap of two pieces are never missed between them. */
  readonly longest: number;
  /** Calls `found` with the index of each text that occurs and where; false from it ends the pass. */
  search(bytes: Buffer, found: (index: number, at: number) => boolean): void;
}

const shortestText = 8;

function slotOf(a: number, b: number, c: number): number {
  return ((a << 10) ^ (b << 5) ^ c) & 0xffff;
}

/** A searcher for these ASCII texts. Throws a RangeError for one that is too short to skip by. */
export function createSearcher(texts: readonly string[]): Searcher {
  const needles = texts.map((text) => Buffer.from(text, 'latin1'));
  const shortest = Math.min(...needles.map(({ length }) => length));
  if (shortest < shortestText) throw new RangeError(`a text has fewer than ${shortestText} bytes`);
  const longest = Math.max(0, ...needles.map(({ length }) => length));
  if (needles.length === 0) return { longest, search: () => {} };
  const step = Math.min(shortest, 64);
  const shifts = new Uint8Array(0x10000).fill(step - 2);
  const ending = new Map<number, number[]>();
  needles.forEach((needle, index) => {
    for (let at = 2; at < step; at += 1) {
      const slot = slotOf(needle[at - 2] ?? 0, needle[at - 1] ?? 0, needle[at] ?? 0);
      shifts[slot] = Math.min(shifts[slot] ?? 0, step - 1 - at);
      if (at === step - 1) ending.set(slot, [...(ending.get(slot) ?? []), index]);
    }
  });
  return {
    longest,
    search(bytes, found) {
      for (let end = step - 1; end < bytes.length;) {
        const a = bytes[end - 2] as number;
        const b = bytes[end - 1] as number;
        const slot = ((a << 10) ^ (b << 5) ^ (bytes[end] as number)) & 0xffff;
        const shift = shifts[slot] as number;
        if (shift !== 0) {
          end += shift;
          continue;
        }
        const start = end - step + 1;
        for (const index of ending.get(slot) ?? []) {
          if (startsAt(bytes, needles[index] as Buffer, start) && !found(index, start)) return;
        }
        end += 1;
      }
    },
  };
}

function startsAt(bytes: Buffer, needle: Buffer, start: number): boolean {
  if (start + needle.length > bytes.length) return false;
  for (let at = 0; at < needle.length; at += 1) {
    if (bytes[start + at] !== needle[at]) return false;
  }
  return true;
}
