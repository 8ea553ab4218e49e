/**
 * One entry of a zip archive (a jar, an add-on), read through the `Reader` without unpacking anything:
 * the directory at the archive's end, then the entry itself. Sizes an archive states are believed only
 * within bounds, and what is inflated is bounded by what may come out. It notes nothing; the caller
 * knows whether a broken archive is a loss.
 * Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.
 */
import type { ProblemCode, Reader } from './index.js';

/** `absent`: no such entry, or no readable file at all (the reader has then noted why). */
export type ArchiveEntry =
  | { readonly kind: 'found'; readonly bytes: Buffer }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly code: ProblemCode };

/** An entry larger than this is none of a manifest. */
export const maxEntryBytes = 4 * 1024 * 1024;
/** A directory of some 200,000 entries. */
const maxDirectoryBytes = 16 * 1024 * 1024;
/** First look: enough for the whole of a small archive, or for the end and its directory. */
const tailBytes = 16 * 1024;

const endSignature = 0x06054b50;
const endBytes = 22;
const maxCommentBytes = 0xffff;
const largeEndSignature = 0x06064b50;
const largeEndBytes = 56;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const directorySignature = 0x02014b50;
const directoryBytes = 46;
const localSignature = 0x04034b50;
const localBytes = 30;
const encrypted = 0x1;

const absent: ArchiveEntry = { kind: 'absent' };
const failed = (code: ProblemCode): ArchiveEntry => ({ kind: 'failed', code });

/** What the end of the archive says of its directory. */
interface Directory {
  readonly offset: number;
  readonly bytes: number;
}

/** What the directory says of an entry. */
interface Listed {
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly plainBytes: number;
  readonly offset: number;
}

/** A view of the archive that keeps its tail, where most of what is asked for lies. */
interface Archive {
  /** Exactly these bytes; null when the archive does not have them. */
  read(offset: number, length: number): Buffer | null;
  readonly tail: Buffer;
  readonly size: number;
}

/** Reads the entry of exactly this name. */
export function readEntry(file: string, name: string, reader: Reader): ArchiveEntry {
  const archive = openArchive(file, reader);
  if (archive === null) return absent;
  const directory = findDirectory(archive);
  if (directory === null) return failed('malformed');
  if (directory.bytes > maxDirectoryBytes) return failed('too-large');
  const list = archive.read(directory.offset, directory.bytes);
  if (list === null) return failed('malformed');
  const listed = findEntry(list, Buffer.from(name));
  if (listed === null || listed === 'malformed') {
    return listed === null ? absent : failed('malformed');
  }
  return unpack(listed, archive);
}

function openArchive(file: string, reader: Reader): Archive | null {
  const load = (length: number) => reader.part(file, -length, length);
  const short = load(tailBytes);
  if (short === null) return null;
  const isWhole = short.size <= tailBytes || endAt(short.bytes) !== -1;
  const end = isWhole ? short : load(endBytes + maxCommentBytes);
  if (end === null) return null;
  return {
    tail: end.bytes,
    size: end.size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > end.size) return null;
      const from = offset - end.offset;
      if (from >= 0) return end.bytes.subarray(from, from + length);
      const part = reader.part(file, offset, length);
      return part?.bytes.length === length ? part.bytes : null;
    },
  };
}

/** Where in the tail the end record begins; -1 for none. Its comment has to reach the archive's end. */
function endAt(tail: Buffer): number {
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    if (at + endBytes + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return -1;
}

function findDirectory(archive: Archive): Directory | null {
  const { tail, size } = archive;
  const at = endAt(tail);
  if (at === -1) return null;
  const bytes = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  const isLarge = offset === 0xffffffff || tail.readUInt16LE(at + 10) === 0xffff;
  return isLarge
    ? (largeDirectory(archive, size - tail.length + at) ?? { offset, bytes })
    : { offset, bytes };
}

/** More than 65,534 entries or 4 GB: the real numbers stand in a record of their own. */
function largeDirectory(archive: Archive, end: number): Directory | null {
  const locator = archive.read(end - locatorBytes, locatorBytes);
  if (locator?.readUInt32LE(0) !== locatorSignature) return null;
  const record = archive.read(Number(locator.readBigUInt64LE(8)), largeEndBytes);
  if (record?.readUInt32LE(0) !== largeEndSignature) return null;
  const [bytes, offset] = [record.readBigUInt64LE(40), record.readBigUInt64LE(48)];
  return { bytes: Number(bytes), offset: Number(offset) };
}

function findEntry(list: Buffer, name: Buffer): Listed | null | 'malformed' {
  for (let at = 0; at < list.length;) {
    if (at + directoryBytes > list.length) return 'malformed';
    if (list.readUInt32LE(at) !== directorySignature) return 'malformed';
    const nameBytes = list.readUInt16LE(at + 28);
    const start = at + directoryBytes;
    if (nameBytes === name.length && list.subarray(start, start + nameBytes).equals(name)) {
      return {
        flags: list.readUInt16LE(at + 8),
        method: list.readUInt16LE(at + 10),
        crc: list.readUInt32LE(at + 16),
        packedBytes: list.readUInt32LE(at + 20),
        plainBytes: list.readUInt32LE(at + 24),
        offset: list.readUInt32LE(at + 42),
      };
    }
    at = start + nameBytes + list.readUInt16LE(at + 30) + list.readUInt16LE(at + 32);
  }
  return null;
}

function unpack(listed: Listed, archive: Archive): ArchiveEntry {
  const { flags, method, crc, packedBytes, plainBytes } = listed;
  if (packedBytes > maxEntryBytes || plainBytes > maxEntryBytes) return failed('too-large');
  if ((flags & encrypted) !== 0) return failed('malformed');
  const local = archive.read(listed.offset, localBytes);
  if (local?.readUInt32LE(0) !== localSignature) return failed('malformed');
  const start = listed.offset + localBytes + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed = archive.read(start, packedBytes);
  if (packed === null) return failed('malformed');
  const bytes = method === 0 ? packed : method === 8 ? inflate(packed) : 'malformed';
  if (typeof bytes === 'string') return failed(bytes);
  // Loaded here alone: few archives are read, and it costs as much as a hundred of them.
  const zlib = process.getBuiltinModule('node:zlib');
  if (bytes.length !== plainBytes || zlib.crc32(bytes) !== crc) return failed('malformed');
  return { kind: 'found', bytes };
}

function inflate(packed: Buffer): Buffer | ProblemCode {
  try {
    return process
      .getBuiltinModule('node:zlib')
      .inflateRawSync(packed, { maxOutputLength: maxEntryBytes });
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return isTooLarge ? 'too-large' : 'malformed';
  }
}
