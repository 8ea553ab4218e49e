/**
 * The only way to the disk: every read is bounded in bytes, entries and time, ends inside the root's
 * boundary, and opens nothing but regular files. It says nothing about what it reads and never throws
 * for what a disk may hold; what was there and could not be read is a problem, never an absence. Names
 * are spelled as `names.ts` says, so that those which are no UTF-8 lead back to the same file.
 */
import fs from 'node:fs';
import type { Platform } from '../../policies/component.js';
import { ownPath as path } from '../platform/paths.js';
import { parseCommented } from './commented-json.js';
import { isWithin, linkTarget, problemOf, type Disk, type Resolved } from './disk.js';
import type {
  Boundary,
  Entry,
  FileFacts,
  FilePart,
  Problem,
  ProblemCode,
  Reader,
} from './index.js';
import { decodeName, onDisk } from './names.js';
import { isEvicted, isPlaceholder } from './placeholders.js';

export const defaultMaxBytes = 4 * 1024 * 1024;
export const defaultMaxEntries = 100_000;
/** No system takes a longer path (Linux 4,096 bytes); following one part by part would cost much for nothing. */
export const maxPathLength = 8_192;
/**
 * A folder of this size on the disk is read whole, which costs half; no file system counts less than a
 * byte for an entry, so it holds hardly more than `defaultMaxEntries`.
 */
const smallFolderBytes = 128 * 1024;
/** More distinct problems than this in one root say no more. */
const maxProblems = 200;

export interface ReaderOptions {
  readonly boundary: Boundary;
  readonly disk: Disk;
  readonly platform: Platform;
  /** The reading of `performance.now()` at which the root's time is used up. */
  readonly deadlineMs?: number;
  readonly maxEntries?: number;
}

const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0, O_DIRECTORY = 0 } = fs.constants;
const descriptors = '/proc/self/fd';
/** Linux tells where an open descriptor really is; elsewhere device and inode are compared. */
const hasDescriptorPaths = fs.existsSync(descriptors);

/** Codes that tell of something odd without anything of the root being left unread. */
const harmless = new Set<ProblemCode>(['refused-entry', 'manifest-empty']);

export function createReader(options: ReaderOptions): Reader {
  return new DiskReader(options);
}

class DiskReader implements Reader {
  readonly #options: ReaderOptions;
  #folders: readonly string[] | null = null;
  readonly #problems = new Map<string, Problem>();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** The boundary on the disk, as listed and as it really lies; looked up when first needed. */
  get #inside(): readonly string[] {
    const { boundary, disk } = this.#options;
    this.#folders ??= boundary.within.flatMap((folder) => {
      const place = disk.toDisk(folder);
      if (place === null) return [];
      const real = disk.resolve(place);
      return [place, ...(real.kind === 'real' ? [real.path] : [])];
    });
    return this.#folders;
  }

  get problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }

  note(file: string, code: ProblemCode, isLoss = !harmless.has(code)): void {
    const key = `${code}\0${file}`;
    if (this.#problems.has(key) && !isLoss) return;
    if (this.#problems.size < maxProblems) this.#problems.set(key, { path: file, code, isLoss });
    else if (isLoss) this.#problems.set('too-many', { path: file, code: 'too-many', isLoss });
  }

  list(folder: string): readonly Entry[] {
    return this.#attempt(folder, [], () => {
      const real = this.#enter(folder);
      return real === null ? [] : this.#entries(folder, real);
    });
  }

  bytes(file: string, maxBytes = defaultMaxBytes): Buffer | null {
    return this.#attempt(file, null, () => {
      const real = this.#enter(file) ?? this.#evicted(file);
      if (real === null || !this.#isReadable(file, real, maxBytes)) return null;
      return this.#opened(file, real, (descriptor, size) => {
        const bytes = readAtMost(descriptor, size, maxBytes);
        if (bytes === null) this.note(file, 'too-large');
        return bytes;
      });
    });
  }

  part(file: string, offset: number, length: number, into?: Buffer): FilePart | null {
    return this.#attempt(file, null, () => {
      const real = this.#enter(file) ?? this.#evicted(file);
      if (real === null || !this.#isReadable(file, real, Infinity)) return null;
      return this.#opened(file, real, (descriptor, size) => {
        const from = Math.min(offset < 0 ? Math.max(size + offset, 0) : offset, size);
        const wanted = Math.max(Math.min(length, size - from), 0);
        const hasRoom = into !== undefined && into.length >= wanted;
        const bytes = hasRoom ? into.subarray(0, wanted) : Buffer.allocUnsafe(wanted);
        const count = bytes.length === 0 ? 0 : fs.readSync(descriptor, bytes, { position: from });
        return { bytes: bytes.subarray(0, count), offset: from, size };
      });
    });
  }

  text(file: string, maxBytes?: number): string | null {
    const bytes = this.bytes(file, maxBytes);
    const text = bytes === null ? null : decoded(bytes);
    return text?.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  json(file: string, maxBytes?: number): unknown {
    const text = this.text(file, maxBytes);
    if (text === null) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      const value = parseCommented(text);
      if (value === undefined) this.note(file, 'malformed');
      return value;
    }
  }

  facts(file: string): FileFacts | null {
    return this.#attempt(file, null, () => {
      const place = this.#options.disk.toDisk(file);
      if (place === null) return null;
      const folder = this.#real(file, this.#options.disk.resolve(path.dirname(place)));
      if (folder === null) return null;
      const entry = path.join(folder, path.basename(place));
      if (!this.#isInside(file, entry) || this.#isRefused(file, entry)) return null;
      const stats = this.#options.disk.facts(entry);
      return stats === undefined ? this.#evicted(file) : factsOf(stats);
    });
  }

  target(file: string): FileFacts | null {
    return this.#attempt(file, null, () => {
      const real = this.#leadsTo(file);
      const stats = real === null ? undefined : this.#options.disk.facts(real);
      return stats === undefined ? null : factsOf(stats);
    });
  }

  realPath(file: string): string | null {
    return this.#attempt(file, null, () => {
      const real = this.#leadsTo(file);
      return real === null ? null : this.#options.disk.fromDisk(real);
    });
  }

  /** Runs one operation in time; a failure of the operating system is noted, an absence is not. */
  #attempt<T>(file: string, nothing: T, operation: () => T): T {
    if (performance.now() >= (this.#options.deadlineMs ?? Infinity)) {
      if (!this.problems.some(({ code }) => code === 'timeout')) this.note(file, 'timeout');
      return nothing;
    }
    if (file.length > maxPathLength) {
      this.note(file.slice(0, 200), 'io');
      return nothing;
    }
    try {
      return operation();
    } catch (error) {
      const code = problemOf(error);
      if (code !== null) this.note(file, code);
      return nothing;
    }
  }

  #evicted(file: string): null {
    const { disk, platform } = this.#options;
    if (isEvicted(disk.toDisk(file), disk, platform)) this.note(file, 'placeholder');
    return null;
  }

  #leadsTo(file: string): string | null {
    const place = this.#options.disk.toDisk(file);
    return place === null ? null : this.#real(file, this.#options.disk.resolve(place));
  }

  #real(file: string, resolved: Resolved): string | null {
    if (resolved.kind === 'failed') this.#noteRefusal(file, resolved.code);
    return resolved.kind === 'real' ? resolved.path : null;
  }

  /** To look for something in a guarded folder is no loss, as nothing is looked for there; a link into one is. */
  #noteRefusal(file: string, code: ProblemCode): void {
    const place = code === 'guarded' ? this.#options.disk.toDisk(file) : null;
    const isAsked = place !== null && this.#options.disk.refuses(place) === 'guarded';
    this.note(file, code, !isAsked);
  }

  /** The real place behind a path if it lies inside the boundary. */
  #enter(file: string): string | null {
    const real = this.#leadsTo(file);
    return real !== null && this.#isInside(file, real) ? real : null;
  }

  #isInside(file: string, real: string): boolean {
    if (this.#inside.some((folder) => isWithin(real, folder, path.sep))) return true;
    this.note(file, 'outside');
    return false;
  }

  #isRefused(file: string, place: string): boolean {
    const code = this.#options.disk.refuses(place);
    if (code !== null) this.#noteRefusal(file, code);
    return code !== null;
  }

  /** Decided before opening: opening a device acts on it, and opening a placeholder downloads it. */
  #isReadable(file: string, real: string, maxBytes: number): boolean {
    const facts = this.#options.disk.facts(real);
    if (facts === undefined) this.note(file, 'vanished');
    else if (!facts.isFile()) this.note(file, 'not-regular');
    else if (facts.size > maxBytes) this.note(file, 'too-large');
    else if (isPlaceholder(facts, this.#options.platform)) this.note(file, 'placeholder');
    else return true;
    return false;
  }

  /** Hands out the open file once it is known to be the one that was checked. */
  #opened<T>(
    file: string,
    real: string,
    read: (descriptor: number, size: number) => T | null,
  ): T | null {
    const descriptor = this.#open(file, real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    if (descriptor === null) return null;
    try {
      const facts = fs.fstatSync(descriptor);
      if (!facts.isFile()) {
        this.note(file, 'not-regular');
        return null;
      }
      return this.#isStillThere(file, real, descriptor) ? read(descriptor, facts.size) : null;
    } finally {
      fs.closeSync(descriptor);
    }
  }

  #open(file: string, real: string, flags: number): number | null {
    try {
      return fs.openSync(onDisk(real), flags);
    } catch (error) {
      this.note(file, problemOf(error) ?? 'vanished');
      return null;
    }
  }

  /** Whether the open descriptor is the place that was checked, and not one swapped in since. */
  #isStillThere(file: string, real: string, descriptor: number): boolean {
    if (hasDescriptorPaths) {
      return this.#isInside(file, linkTarget(`${descriptors}/${descriptor}`));
    }
    const opened = fs.fstatSync(descriptor, { bigint: true });
    const named = fs.lstatSync(onDisk(real), { bigint: true });
    const again = this.#options.disk.resolve(real);
    const isSame =
      opened.dev === named.dev &&
      opened.ino === named.ino &&
      again.kind === 'real' &&
      again.path === real;
    if (!isSame) this.note(file, 'vanished');
    return isSame;
  }

  #entries(folder: string, real: string): readonly Entry[] {
    const { disk, maxEntries = defaultMaxEntries } = this.#options;
    const known = disk.listed(real);
    if (known !== undefined && known.length <= maxEntries) return known;
    const facts = disk.facts(real);
    if (facts?.isDirectory() !== true) return [];
    if (!hasDescriptorPaths) return this.#stream(folder, real);
    const descriptor = this.#open(folder, real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (descriptor === null) return [];
    try {
      const at = linkTarget(`${descriptors}/${descriptor}`);
      if (!this.#isInside(folder, at)) return [];
      const entries = this.#stream(folder, `${descriptors}/${descriptor}`, facts.size);
      // What was swapped in meanwhile lies inside this boundary, and perhaps outside the next.
      if (at === real && entries.length < maxEntries) disk.keepList(real, entries);
      return entries;
    } finally {
      fs.closeSync(descriptor);
    }
  }

  #stream(folder: string, opened: string, size = Infinity): readonly Entry[] {
    const listed = this.#listed(folder, opened, { isSmall: size <= smallFolderBytes });
    // Bytes cost more than text, and hardly a folder needs them.
    const isText = listed.every(({ name }) => !name.includes('\ufffd'));
    const entries = isText ? listed : this.#listed(folder, opened, { asBytes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  #listed(folder: string, opened: string, { asBytes = false, isSmall = false }): Entry[] {
    const maxEntries = this.#options.maxEntries ?? defaultMaxEntries;
    // Node takes 'buffer' here as everywhere (fs.opendirSync); only the type does not say so.
    const encoding = (asBytes ? 'buffer' : 'utf8') as BufferEncoding;
    const entries: Entry[] = [];
    const add = (entry: fs.Dirent): boolean => {
      if (entries.length === maxEntries) this.note(folder, 'too-many');
      if (entries.length >= maxEntries) return false;
      const name: string | Buffer = entry.name;
      const spelling = typeof name === 'string' ? name : decodeName(name);
      entries.push({ name: spelling, kind: kindOf(entry) });
      return true;
    };
    if (isSmall) {
      fs.readdirSync(opened, { withFileTypes: true, encoding }).every(add);
      return entries;
    }
    const stream = fs.opendirSync(asBytes ? onDisk(opened) : opened, { bufferSize: 256, encoding });
    try {
      for (let entry = stream.readSync(); entry !== null; entry = stream.readSync()) {
        if (!add(entry)) break;
      }
    } finally {
      stream.closeSync();
    }
    return entries;
  }
}

/** UTF-8, unless a mark says UTF-16: Windows PowerShell writes settings in it. */
function decoded(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return bytes.toString('utf16le');
  if (first !== 0xfe || second !== 0xff) return bytes.toString('utf8');
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
}

/** undefined: no JSON even so, or nested deeper than a parser that calls itself can follow. */
function kindOf(entry: fs.Dirent | fs.Stats): Entry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'dir';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

function factsOf(stats: fs.Stats): FileFacts {
  return {
    kind: kindOf(stats),
    size: stats.size,
    isExecutable: (stats.mode & 0o111) !== 0,
    mtimeMs: stats.mtimeMs,
    ctimeMs: stats.ctimeMs,
    fileId: `${stats.dev}:${stats.ino}`,
    uid: stats.uid,
  };
}

/** null: more bytes than allowed; the size is only a first guess, as a file may grow while it is read. */
function readAtMost(descriptor: number, size: number, maxBytes: number): Buffer | null {
  let buffer = Buffer.allocUnsafe(Math.min(size, maxBytes) + 1);
  let length = 0;
  for (;;) {
    const count = fs.readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length > maxBytes) return null;
    // As long as it said, and nothing behind it: asking once more would only say so again.
    if (length === size && length < buffer.length) return buffer.subarray(0, length);
    if (length < buffer.length) continue;
    const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2, maxBytes + 1));
    buffer.copy(larger);
    buffer = larger;
  }
}
