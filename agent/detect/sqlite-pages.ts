/**
 * The pages of an SQLite database file, read one by one within bounds. Pages that a write-ahead log
 * beside it has committed stand for those of the file, as for SQLite itself; nothing is ever written,
 * locked or made beside the file. It knows nothing of what the pages hold.
 * Formats: https://www.sqlite.org/fileformat2.html, sections 1.3, 3 and 4.
 */
import type { Reader } from './index.js';

/** What is not as the format says; never leaves the reading of the file. */
export class Damaged extends Error {
  readonly code: 'malformed' | 'too-large';
  constructor(code: 'malformed' | 'too-large' = 'malformed') {
    super(code);
    this.code = code;
  }
}

export type Encoding = 'utf8' | 'utf16le' | 'utf16be';

export interface Pages {
  /** Bytes of a page that the format may use. */
  readonly usable: number;
  readonly encoding: Encoding;
  /** One page, counted from 1. Throws `Damaged` for a page that is not there. */
  page(number: number): Buffer;
}

const headerBytes = 100;
const magic = 'SQLite format 3\0';
/** Read at once: neighbours are asked for next, more often than not. */
const chunkBytes = 32 * 1024;
const maxChunks = 64;
/** More than this is not read from one database, however large it is. */
const maxReadBytes = 256 * 1024 * 1024;
const maxLogBytes = 64 * 1024 * 1024;
const encodings: readonly (Encoding | undefined)[] = ['utf8', 'utf8', 'utf16le', 'utf16be'];

/** Opens a database file; null when it is not there. Throws `Damaged` when it is none. */
export function openPages(file: string, reader: Reader): Pages | null {
  const start = reader.part(file, 0, headerBytes);
  if (start === null) return null;
  const header = start.bytes;
  if (header.length < headerBytes || header.toString('latin1', 0, 16) !== magic)
    throw new Damaged();
  const power = header.readUInt16BE(16);
  const pageSize = power === 1 ? 65_536 : power;
  const usable = pageSize - (header[20] ?? 0);
  const encoding = encodings[header.readUInt32BE(56)];
  const isPower = pageSize >= 512 && (pageSize & (pageSize - 1)) === 0;
  if (!isPower || usable < 480 || encoding === undefined) throw new Damaged();
  const log = readLog(`${file}-wal`, pageSize, reader);
  noteJournal(`${file}-journal`, reader);
  const reads = chunkReader(reader);
  const count = Math.floor(start.size / pageSize);
  return {
    usable,
    encoding,
    page(number) {
      const logged = log.get(number);
      if (logged !== undefined) return reads(`${file}-wal`, logged, pageSize);
      if (!Number.isInteger(number) || number < 1 || number > count) throw new Damaged();
      return reads(file, (number - 1) * pageSize, pageSize);
    },
  };
}

/** A journal that is in use: a transaction is running or was cut short, and the file is between two states. */
function noteJournal(file: string, reader: Reader): void {
  const start = reader.part(file, 0, 8)?.bytes.toString('hex');
  if (start === 'd9d505f920a163d7') reader.note(file, 'malformed');
}

type Read = (file: string, offset: number, length: number) => Buffer;

/** Reads through chunks, a bounded number of which are kept; the oldest goes first. */
function chunkReader(reader: Reader): Read {
  const chunks = new Map<string, Buffer>();
  let total = 0;
  const chunk = (file: string, number: number): Buffer => {
    const key = `${number}:${file}`;
    const known = chunks.get(key);
    if (known !== undefined) return known;
    total += chunkBytes;
    if (total > maxReadBytes) throw new Damaged('too-large');
    const part = reader.part(file, number * chunkBytes, chunkBytes);
    if (part === null) throw new Damaged();
    const [oldest] = chunks.keys();
    if (chunks.size >= maxChunks && oldest !== undefined) chunks.delete(oldest);
    chunks.set(key, part.bytes);
    return part.bytes;
  };
  return (file, offset, length) => {
    const pieces: Buffer[] = [];
    for (let at = offset; at < offset + length;) {
      const from = at % chunkBytes;
      const piece = chunk(file, Math.floor(at / chunkBytes)).subarray(
        from,
        from + offset + length - at,
      );
      if (piece.length === 0) throw new Damaged();
      pieces.push(piece);
      at += piece.length;
    }
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  };
}

const logHeaderBytes = 32;
const frameHeaderBytes = 24;
/** The last bit of the log's own magic says in which byte order its checksums are counted. */
const logMagic = 0x377f0682;

/** Where the log holds the last committed content of each page: page -> offset in the log. */
function readLog(file: string, pageSize: number, reader: Reader): ReadonlyMap<number, number> {
  const nothing = new Map<number, number>();
  const size = reader.facts(file)?.size ?? 0;
  if (size <= logHeaderBytes) return nothing;
  if (size > maxLogBytes) throw new Damaged('too-large');
  const log = reader.bytes(file, maxLogBytes);
  // Half a header is what a program that was stopped leaves; it says nothing.
  if (log === null || log.length < logHeaderBytes) return nothing;
  const word = log.readUInt32BE(0);
  if ((word & ~1) >>> 0 !== logMagic || log.readUInt32BE(8) !== pageSize) return nothing;
  const sum = checksum((word & 1) === 1);
  let state = sum([0, 0], log, 0, 24);
  if (!isSum(state, log, 24)) return nothing;
  const committed = new Map<number, number>();
  let waiting: [number, number][] = [];
  const frameBytes = frameHeaderBytes + pageSize;
  for (let at = logHeaderBytes; at + frameBytes <= log.length; at += frameBytes) {
    // A frame of an earlier round of the log has other salts, and ends this one.
    if (log.compare(log, 16, 24, at + 8, at + 16) !== 0) break;
    state = sum(sum(state, log, at, 8), log, at + frameHeaderBytes, pageSize);
    if (!isSum(state, log, at + 16)) break;
    waiting.push([log.readUInt32BE(at), at + frameHeaderBytes]);
    if (log.readUInt32BE(at + 4) === 0) continue;
    for (const [page, offset] of waiting) committed.set(page, offset);
    waiting = [];
  }
  return committed;
}

type Sum = readonly [number, number];

const isSum = ([first, second]: Sum, log: Buffer, at: number): boolean =>
  log.readUInt32BE(at) === first && log.readUInt32BE(at + 4) === second;

/** The log's running checksum over words of four bytes, two at a time (section 4.2). */
function checksum(isBigEndian: boolean) {
  return ([first, second]: Sum, bytes: Buffer, from: number, length: number): Sum => {
    const view = new DataView(bytes.buffer, bytes.byteOffset + from, length);
    let [a, b] = [first, second];
    for (let at = 0; at + 8 <= length; at += 8) {
      a = (a + view.getUint32(at, !isBigEndian) + b) >>> 0;
      b = (b + view.getUint32(at + 4, !isBigEndian) + a) >>> 0;
    }
    return [a, b];
  };
}
