/**
 * A small reader of SQLite database files, for the records that programs keep in them: the rows of
 * ordinary tables, all of them or one by its row id. It has no SQL, uses no index, reads no table
 * WITHOUT ROWID and never writes; the scan need not load a database engine for a few lines of a file.
 * Every offset is checked, every walk is bounded, and what is damaged ends the reading and is noted.
 * Format: https://www.sqlite.org/fileformat2.html, sections 1.6 and 2.
 */
import type { Reader } from './index.js';
import { Damaged, openPages, type Encoding, type Pages } from './sqlite-pages.js';

export type SqliteValue = null | number | bigint | string | Buffer;

/** One row. A column added to the table later is missing in rows written before. */
export interface SqliteRow {
  /** Also the value of a column that is INTEGER PRIMARY KEY, for which the record holds null. */
  readonly rowid: number | bigint;
  /** One column, counted from 0; undefined past the end. Only what it needs is read. */
  value(column: number): SqliteValue | undefined;
  /** Up to so many of the first bytes of a column that holds bytes; null for any other. */
  start(column: number, length: number): Buffer | null;
  values(): readonly SqliteValue[];
}

/** `without-rowid`: an index in place of a table, which is not read here. */
export type SqliteOutcome = 'read' | 'no-table' | 'without-rowid' | 'damaged';

export interface SqliteFile {
  /** Calls `visit` with each row in the order of row ids until it says `stop`. */
  each(table: string, visit: (row: SqliteRow) => 'stop' | void): SqliteOutcome;
  /** The row with this id; null when there is none or it cannot be read. */
  row(table: string, rowid: number | bigint): readonly SqliteValue[] | null;
}

const maxPagesInTree = 20_000;
const maxDepth = 20;
const maxPayloadBytes = 32 * 1024 * 1024;
const maxColumns = 2_000;
/** What a program keeps as a small table has fewer; SQLite's own table has one a table or index. */
const schemaRoot = 1;

/** Opens a database; null when it is not there or none, which is noted. */
export function openSqlite(file: string, reader: Reader): SqliteFile | null {
  const noted = <T>(otherwise: T, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      reader.note(file, error.code);
      return otherwise;
    }
  };
  const pages = noted(null, () => openPages(file, reader));
  if (pages === null) return null;
  const known = new Map<string, number | null>();
  const rootOf = (table: string): number | null => {
    const root = known.has(table) ? (known.get(table) ?? null) : findRoot(pages, table);
    known.set(table, root);
    return root;
  };
  return {
    each: (table, visit) =>
      noted<SqliteOutcome>('damaged', () => {
        const root = rootOf(table);
        if (root === null) return 'no-table';
        if (isIndex(pages.page(root)[headerAt(root)])) return 'without-rowid';
        walk(pages, root, visit);
        return 'read';
      }),
    row: (table, rowid) =>
      noted(null, () => {
        const root = rootOf(table);
        return root === null ? null : (find(pages, root, rowid)?.values() ?? null);
      }),
  };
}

/** The first page of a table, as sqlite_schema has it: type, name, tbl_name, rootpage, sql. */
function findRoot(pages: Pages, table: string): number | null {
  let root: number | null = null;
  walk(pages, schemaRoot, (row) => {
    if (row.value(0) !== 'table' || row.value(1) !== table) return undefined;
    const page = row.value(3);
    if (typeof page !== 'number') throw new Damaged();
    root = page;
    return 'stop';
  });
  return root;
}

/** The first page begins with the header of the file. */
const headerAt = (page: number): number => (page === 1 ? 100 : 0);
const isIndex = (kind: number | undefined): boolean => kind === 2 || kind === 10;

/** A page of a table's tree, taken apart as far as its cells. */
interface Node {
  readonly bytes: Buffer;
  readonly isLeaf: boolean;
  readonly cells: readonly number[];
  /** The child after all cells, of an inner page. */
  readonly last: number;
}

function nodeOf(pages: Pages, number: number): Node {
  const bytes = pages.page(number);
  const at = headerAt(number);
  const kind = bytes[at];
  if (kind !== 5 && kind !== 13) throw new Damaged();
  const isLeaf = kind === 13;
  const count = bytes.readUInt16BE(at + 3);
  const first = at + (isLeaf ? 8 : 12);
  if (first + count * 2 > pages.usable) throw new Damaged();
  const cells = Array.from({ length: count }, (_, index) => {
    const cell = bytes.readUInt16BE(first + index * 2);
    if (cell < first + count * 2 || cell + 4 > pages.usable) throw new Damaged();
    return cell;
  });
  return { bytes, isLeaf, cells, last: isLeaf ? 0 : bytes.readUInt32BE(at + 8) };
}

/** All rows below a page in order. A page that comes up twice is a loop. */
function walk(pages: Pages, root: number, visit: (row: SqliteRow) => 'stop' | void): void {
  const seen = new Set<number>();
  const waiting = [{ page: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { page, depth } = next;
    if (seen.has(page) || depth > maxDepth) throw new Damaged();
    if (seen.size >= maxPagesInTree) throw new Damaged('too-large');
    seen.add(page);
    const { bytes, isLeaf, cells, last } = nodeOf(pages, page);
    if (isLeaf) {
      for (const cell of cells) if (visit(rowAt(pages, bytes, cell)) === 'stop') return;
      continue;
    }
    const children = [...cells.map((cell) => bytes.readUInt32BE(cell)), last];
    for (const child of children.reverse()) waiting.push({ page: child, depth: depth + 1 });
  }
}

/** One row by its id, down one branch: each inner cell is a child and the largest id in it. */
function find(pages: Pages, root: number, rowid: number | bigint): SqliteRow | null {
  let page = root;
  for (let depth = 0; depth <= maxDepth; depth += 1) {
    const { bytes, isLeaf, cells, last } = nodeOf(pages, page);
    if (isLeaf) {
      for (const cell of cells) {
        const row = rowAt(pages, bytes, cell);
        if (row.rowid === rowid) return row;
      }
      return null;
    }
    const cell = cells.find((each) => rowid <= signed(varint(bytes, each + 4).value));
    page = cell === undefined ? last : bytes.readUInt32BE(cell);
  }
  throw new Damaged();
}

/** A number of one to nine bytes, seven bits a byte, the ninth whole (section 1.6). */
function varint(
  bytes: Buffer,
  at: number,
): { readonly value: number | bigint; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 8; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) throw new Damaged();
    if (index === 7 || value >= 2 ** 45) return longVarint(bytes, at);
    value = value * 128 + (byte & 127);
    if (byte < 128) return { value, end: at + index + 1 };
  }
  throw new Damaged();
}

function longVarint(bytes: Buffer, at: number): { readonly value: bigint; readonly end: number } {
  let value = 0n;
  for (let index = 0; index < 9; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) throw new Damaged();
    if (index === 8) return { value: (value << 8n) | BigInt(byte), end: at + 9 };
    value = (value << 7n) | BigInt(byte & 127);
    if (byte < 128) return { value, end: at + index + 1 };
  }
  throw new Damaged();
}

/** A length or an offset: small, or the record is damaged. */
function small(bytes: Buffer, at: number): { readonly value: number; readonly end: number } {
  const { value, end } = varint(bytes, at);
  if (value > maxPayloadBytes) throw new Damaged(value > 2 ** 31 ? 'malformed' : 'too-large');
  return { value: Number(value), end };
}

/** Sixty-four bits with a sign, as a number where that is exact. */
function signed(value: number | bigint): number | bigint {
  if (typeof value === 'number') return value;
  const integer = BigInt.asIntN(64, value);
  const isExact = integer >= Number.MIN_SAFE_INTEGER && integer <= Number.MAX_SAFE_INTEGER;
  return isExact ? Number(integer) : integer;
}

/** Gives the first so many bytes of a record, following its overflow pages as far as needed. */
type Payload = (length: number) => Buffer;

function rowAt(pages: Pages, bytes: Buffer, cell: number): SqliteRow {
  const size = varint(bytes, cell);
  const rowid = varint(bytes, size.end);
  if (size.value > 2 ** 31) throw new Damaged();
  const payload = payloadOf(pages, bytes, { at: rowid.end, size: Number(size.value) });
  let columns: readonly Column[] | null = null;
  const value = (index: number): SqliteValue | undefined => {
    columns ??= columnsOf(payload, Number(size.value));
    const column = columns[index];
    return column === undefined ? undefined : valueOf(column, payload, pages.encoding);
  };
  return {
    rowid: signed(rowid.value),
    value,
    start: (index, length) => {
      columns ??= columnsOf(payload, Number(size.value));
      const column = columns[index];
      if (column === undefined || column.type < 12 || column.type % 2 === 1) return null;
      const end = column.at + Math.min(length, column.length);
      return Buffer.from(payload(end).subarray(column.at));
    },
    values: () => {
      columns ??= columnsOf(payload, Number(size.value));
      return columns.map((column) => valueOf(column, payload, pages.encoding));
    },
  };
}

/** How much of a record lies on the page itself (section 1.6, table leaf cells). */
function localBytes(size: number, usable: number): number {
  if (size <= usable - 35) return size;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const local = least + ((size - least) % (usable - 4));
  return local <= usable - 35 ? local : least;
}

function payloadOf(
  pages: Pages,
  bytes: Buffer,
  { at, size }: { readonly at: number; readonly size: number },
): Payload {
  const local = localBytes(size, pages.usable);
  if (at + local + (local < size ? 4 : 0) > pages.usable) throw new Damaged();
  let known = bytes.subarray(at, at + local);
  let next = local < size ? bytes.readUInt32BE(at + local) : 0;
  return (length) => {
    if (length > size) throw new Damaged();
    if (length > maxPayloadBytes) throw new Damaged('too-large');
    if (length <= known.length) return known.subarray(0, length);
    const pieces = [known];
    // Each page adds bytes, so a loop of pages ends with the length that is asked for.
    for (let have = known.length; have < length;) {
      const page = pages.page(next);
      const piece = page.subarray(4, 4 + Math.min(pages.usable - 4, size - have));
      pieces.push(piece);
      have += piece.length;
      next = page.readUInt32BE(0);
    }
    known = Buffer.concat(pieces);
    return known.subarray(0, length);
  };
}

interface Column {
  /** The serial type (section 2.1). */
  readonly type: number;
  readonly at: number;
  readonly length: number;
}

const fixedLengths = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0] as const;

function columnsOf(payload: Payload, size: number): readonly Column[] {
  const first = small(payload(Math.min(size, 9)), 0);
  if (first.value < first.end || first.value > size) throw new Damaged();
  const header = payload(first.value);
  const columns: Column[] = [];
  let at = first.value;
  for (let place = first.end; place < header.length;) {
    const { value: type, end } = small(header, place);
    const length = fixedLengths[type] ?? (type < 12 ? -1 : Math.floor((type - 12) / 2));
    if (length < 0 || at + length > size || columns.length >= maxColumns) throw new Damaged();
    columns.push({ type, at, length });
    at += length;
    place = end;
  }
  return columns;
}

function valueOf({ type, at, length }: Column, payload: Payload, encoding: Encoding): SqliteValue {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  const bytes = payload(at + length).subarray(at);
  if (type === 7) return bytes.readDoubleBE(0);
  if (type === 6) return signed(bytes.readBigInt64BE(0));
  if (type < 6) return bytes.readIntBE(0, length);
  if (type % 2 === 0) return Buffer.from(bytes);
  if (encoding !== 'utf16be') return bytes.toString(encoding);
  return Buffer.from(bytes.subarray(0, length & ~1))
    .swap16()
    .toString('utf16le');
}
