/**
 * What a scan has looked at on the disk, so that the next can tell whether all of it is as it was: then
 * what was found stands, and nothing is read again. Each place is stamped before it is looked at, so a
 * change that comes in between is a change. One that leaves inode, size and time of change as they were
 * cannot be seen; so what changed just before the look counts as changed the next time. Invariant: only
 * what went through the wrapped readers is covered; who looks in another way must not ask here.
 */
import type { PlatformPath } from 'node:path';
import type { FileFacts, Reader } from './detect/index.js';

/** Some file systems count time in steps of two seconds. */
const youngMs = 2_100;
/** With more places than this nothing counts as unchanged. */
const maxPlaces = 40_000;

/** A place, and how it was; the empty text is like no other. */
type Stamps = Map<string, string>;

/** How places are at the time of one scan, each asked for once. */
export class PlaceStamps {
  readonly #reader: Reader;
  readonly #whole = new Map<string, Stamp | null>();
  readonly #which = new Map<string, Stamp | null>();

  /** `reader`: of the same world, may ask about any place. */
  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** null: it is not there. `isWhole`: also of a folder what is in it. */
  of(place: string, isWhole: boolean): Stamp | null {
    const known = isWhole ? this.#whole : this.#which;
    const before = known.get(place);
    if (before !== undefined) return before;
    const stamp = stampOf(place, this.#reader, isWhole);
    known.set(place, stamp);
    return stamp;
  }
}

export class LookedAt {
  readonly #path: PlatformPath;
  readonly #stamps: PlaceStamps;
  /** Files that were read and folders that were listed. */
  readonly #read: Stamps = new Map();
  /** What was there when it was asked for; of a folder only which one it is. */
  readonly #there: Stamps = new Map();
  /** The deepest folder that is there, and names below it that are not. */
  readonly #absent = new Map<string, Set<string>>();
  readonly #above: Stamps = new Map();

  /** `stamps`: of the scan in which the looking is done. */
  constructor(path: PlatformPath, stamps: PlaceStamps) {
    this.#path = path;
    this.#stamps = stamps;
  }

  /** The same reader, which remembers here what it is asked for. */
  through(inner: Reader): Reader {
    const after = <T>(place: string, isRead: boolean, look: () => T): T => {
      this.#note(place, isRead);
      return look();
    };
    return {
      list: (folder) => after(folder, true, () => inner.list(folder)),
      bytes: (file, maxBytes) => after(file, true, () => inner.bytes(file, maxBytes)),
      part: (file, ...rest) => after(file, true, () => inner.part(file, ...rest)),
      text: (file, maxBytes) => after(file, true, () => inner.text(file, maxBytes)),
      json: (file, maxBytes) => after(file, true, () => inner.json(file, maxBytes)),
      facts: (place) => after(place, false, () => inner.facts(place)),
      target: (place) => after(place, false, () => inner.target(place)),
      realPath: (place) => after(place, false, () => inner.realPath(place)),
      note: (...words) => inner.note(...words),
      get problems() {
        return inner.problems;
      },
    };
  }

  #note(place: string, isRead: boolean): void {
    const known = isRead ? this.#read : this.#there;
    if (known.has(place) || known.size > maxPlaces) return;
    const stamp = this.#stamps.of(place, isRead);
    if (stamp === null) this.#noteAbsent(place);
    else known.set(place, trusted(stamp));
  }

  #noteAbsent(place: string): void {
    let [folder, name] = [this.#path.dirname(place), this.#path.basename(place)];
    let stamp = this.#stamps.of(folder, true);
    while (stamp === null && folder !== this.#path.dirname(folder)) {
      [folder, name] = [this.#path.dirname(folder), this.#path.basename(folder)];
      stamp = this.#stamps.of(folder, true);
    }
    const names = this.#absent.get(folder) ?? new Set();
    this.#absent.set(folder, names.add(name));
    if (!this.#above.has(folder)) this.#above.set(folder, stamp === null ? '' : trusted(stamp));
  }

  /** Whether all of it is as it was, by the stamps of another scan of the same places. */
  isSame(stamps: PlaceStamps): boolean {
    if (Math.max(this.#read.size, this.#there.size) > maxPlaces) return false;
    for (const [place, before] of this.#there) {
      if (stamps.of(place, false)?.text !== before) return false;
    }
    for (const [place, before] of this.#read) {
      if (stamps.of(place, true)?.text !== before) return false;
    }
    for (const [folder, names] of this.#absent) {
      if (stamps.of(folder, true)?.text === this.#above.get(folder)) continue;
      for (const name of names) {
        if (stamps.of(this.#path.join(folder, name), false) !== null) return false;
      }
    }
    return true;
  }
}

export interface Stamp {
  readonly text: string;
  /** Epoch ms of the latest change that it tells of; 0: it tells of none. */
  readonly changedMs: number;
}

/** How a place is now; null: it is not there. `isWhole`: also of a folder what is in it. */
function stampOf(place: string, reader: Reader, isWhole: boolean): Stamp | null {
  const own = reader.facts(place);
  if (own === null) return null;
  if (own.kind !== 'link') return ofFacts(own, isWhole);
  const link = ofFacts(own, true);
  const target = reader.target(place);
  if (target === null) return link;
  const led = ofFacts(target, isWhole);
  const changedMs = Math.max(link.changedMs, led.changedMs);
  return { text: `${link.text} ${led.text}`, changedMs };
}

function ofFacts({ kind, fileId, size, ctimeMs }: FileFacts, isWhole: boolean): Stamp {
  if (kind === 'dir' && !isWhole) return { text: `dir ${fileId}`, changedMs: 0 };
  return { text: `${kind} ${fileId} ${size} ${ctimeMs}`, changedMs: ctimeMs };
}

/** A place that has changed just now may change again without another time. */
function trusted({ text, changedMs }: Stamp): string {
  return changedMs > Date.now() - youngMs ? '' : text;
}
