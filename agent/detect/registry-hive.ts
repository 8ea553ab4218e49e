/**
 * Reads keys of a Windows registry hive (NTUSER.DAT, UsrClass.dat, SOFTWARE, SYSTEM) from its file, for
 * people who are logged off and for machines that are looked at from outside. It reads pieces, never
 * the whole; every offset is checked, every list bounded, and it goes down only as far as the path says,
 * so that no cycle is followed. Changes that still lie in the log files beside a hive are not applied,
 * and values of more than 16 KB (lists of segments) are left out.
 * Format: https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md
 */
import type { Reader } from './index.js';

/** REG_SZ and REG_EXPAND_SZ (not expanded) as text, REG_DWORD as number, REG_MULTI_SZ as list. */
export type RegistryValue = string | number | readonly string[];
/** Values by name in lower case; the default value has the empty name. */
export type RegistryValues = ReadonlyMap<string, RegistryValue>;

/** A key: its own values, and those of each key directly below it by that key's name. */
export interface RegistryKey {
  readonly values: RegistryValues;
  readonly keys: ReadonlyMap<string, RegistryValues>;
}

export interface Hive {
  /**
   * The key at a path (`A\B`, without regard to case); null when there is none. Only values whose names
   * in lower case are `wanted` are read.
   */
  read(path: string, wanted: ReadonlySet<string>): RegistryKey | null;
}

const blockBytes = 4096;
const pageBytes = 64 * 1024;
/** Pages kept at a time, and read in all: 4 MiB and 256 MiB. */
const maxKeptPages = 64;
const maxPages = 4096;
const maxCells = 400_000;
const maxKeys = 20_000;
const maxValues = 2_000;
/** Longer values are kept in segments, which are not read. */
const maxTextBytes = 16_344;
const maxListBytes = 4 + 8 * 65_535;
const resident = 0x80000000;
const none = 0xffffffff;

const types = { text: 1, expandable: 2, number: 4, list: 7 } as const;

/** The hive of a file; null when it is not there, or is none, which is noted. */
export function openHive(file: string, reader: Reader): Hive | null {
  const block = reader.part(file, 0, blockBytes);
  if (block === null) return null;
  const root = rootOf(block.bytes);
  if (root === null) {
    reader.note(file, 'malformed');
    return null;
  }
  if (!isWritten(block.bytes)) reader.note(file, 'malformed', false);
  if (!isWhole(block.bytes)) reader.note(file, 'malformed');
  const end = blockBytes + block.bytes.readUInt32LE(40);
  const source = { file, reader, size: block.size, end: Math.min(end, block.size) };
  const cells = new Cells(source);
  if (block.size < end || !cells.hasBin()) reader.note(file, 'malformed');
  return { read: (path, wanted) => readKey(cells, root, path, wanted) };
}

/** Where the root key's cell is, if this is a hive of a known version. */
function rootOf(block: Buffer): number | null {
  if (block.length < blockBytes || block.toString('latin1', 0, 4) !== 'regf') return null;
  const [major, minor] = [block.readUInt32LE(20), block.readUInt32LE(24)];
  const isKnown = major === 1 && minor >= 2 && minor <= 6;
  const isPrimary = block.readUInt32LE(28) === 0 && block.readUInt32LE(32) === 1;
  return isKnown && isPrimary ? block.readUInt32LE(36) : null;
}

/** Equal sequence numbers: nothing is left in the log files. */
const isWritten = (block: Buffer): boolean => block.readUInt32LE(4) === block.readUInt32LE(8);

function isWhole(block: Buffer): boolean {
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum = (sum ^ block.readUInt32LE(at)) >>> 0;
  // These two sums are never written (the same specification, "Checksum of the base block").
  if (sum === 0xffffffff) sum = 0xfffffffe;
  return (sum === 0 ? 1 : sum) === block.readUInt32LE(508);
}

interface Source {
  readonly file: string;
  readonly reader: Reader;
  readonly size: number;
  /** Where the bins end. */
  readonly end: number;
}

/** The cells of one file, through a few pages that are kept; what is wrong is noted and is null. */
class Cells {
  readonly #source: Source;
  readonly #pages = new Map<number, Buffer>();
  #pageCount = 0;
  #cellCount = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  hasBin(): boolean {
    return this.#bytes(blockBytes, 4)?.toString('latin1') === 'hbin';
  }

  /** The first `length` bytes of a cell in use, or as many as it has. */
  cell(offset: number, length: number): Buffer | null {
    this.#cellCount += 1;
    if (this.#cellCount > maxCells) return this.#refused('too-many');
    const at = blockBytes + offset;
    if (offset % 8 !== 0 || at + 8 > this.#source.end) return this.#refused('malformed');
    const head = this.#bytes(at, 4);
    if (head === null) return null;
    const size = -head.readInt32LE(0); // below zero: in use
    if (size < 8 || at + size > this.#source.end) return this.#refused('malformed');
    return this.#bytes(at + 4, Math.min(length, size - 4));
  }

  get isSpent(): boolean {
    return this.#cellCount > maxCells || this.#pageCount > maxPages;
  }

  refuse(): void {
    this.#refused('malformed');
  }

  #refused(code: 'malformed' | 'too-many'): null {
    this.#source.reader.note(this.#source.file, code);
    return null;
  }

  #bytes(at: number, length: number): Buffer | null {
    const first = Math.floor(at / pageBytes);
    const last = Math.floor((at + length - 1) / pageBytes);
    const pages: Buffer[] = [];
    for (let page = first; page <= last; page += 1) {
      const bytes = this.#page(page);
      if (bytes === null) return null;
      pages.push(bytes);
    }
    // What lies across pages is copied, which costs as much as reading it.
    this.#pageCount += pages.length - 1;
    if (this.#pageCount > maxPages) return this.#refused('too-many');
    const joined = pages.length === 1 ? (pages[0] as Buffer) : Buffer.concat(pages);
    const from = at - first * pageBytes;
    return joined.length < from + length
      ? this.#refused('malformed')
      : joined.subarray(from, from + length);
  }

  #page(page: number): Buffer | null {
    const kept = this.#pages.get(page);
    if (kept !== undefined) return kept;
    this.#pageCount += 1;
    if (this.#pageCount > maxPages) return this.#refused('too-many');
    const { reader, file, size } = this.#source;
    const part = reader.part(file, page * pageBytes, pageBytes);
    if (part === null || part.size !== size) {
      reader.note(file, 'vanished');
      return null;
    }
    const oldest = this.#pages.keys().next();
    if (this.#pages.size === maxKeptPages && oldest.done !== true) this.#pages.delete(oldest.value);
    this.#pages.set(page, part.bytes);
    return part.bytes;
  }
}

function readKey(
  cells: Cells,
  root: number,
  path: string,
  wanted: ReadonlySet<string>,
): RegistryKey | null {
  let node = nodeAt(cells, root);
  for (const part of path.split('\\')) {
    if (node === null) return null;
    const name = part.toLowerCase();
    node = findBelow(cells, node, name);
  }
  if (node === null) return null;
  const keys = new Map<string, RegistryValues>();
  for (const child of nodesBelow(cells, node)) {
    if (cells.isSpent) break;
    keys.set(child.name, valuesOf(cells, child, wanted));
  }
  return { values: valuesOf(cells, node, wanted), keys };
}

function findBelow(cells: Cells, node: Node, name: string): Node | null {
  for (const child of nodesBelow(cells, node)) {
    if (child.name.toLowerCase() === name) return child;
  }
  return null;
}

/** A key's cell (`nk`). */
interface Node {
  readonly name: string;
  readonly keyCount: number;
  readonly keyList: number;
  readonly valueCount: number;
  readonly valueList: number;
}

const nodeBytes = 76;
/** A name has at most 255 characters. */
const maxNameBytes = 512;

function nodeAt(cells: Cells, offset: number): Node | null {
  const cell = cells.cell(offset, nodeBytes + maxNameBytes);
  if (cell === null) return null;
  if (cell.length < nodeBytes || cell.toString('latin1', 0, 2) !== 'nk') {
    cells.refuse();
    return null;
  }
  const name = nameIn(cell, nodeBytes, cell.readUInt16LE(72), (cell.readUInt16LE(2) & 0x20) !== 0);
  if (name === null) {
    cells.refuse();
    return null;
  }
  return {
    name,
    keyCount: cell.readUInt32LE(20),
    keyList: cell.readUInt32LE(28),
    valueCount: cell.readUInt32LE(36),
    valueList: cell.readUInt32LE(40),
  };
}

/** A name in Latin-1 or UTF-16; null when it reaches out of its cell. */
function nameIn(cell: Buffer, at: number, length: number, isLatin: boolean): string | null {
  if (length > maxNameBytes || at + length > cell.length) return null;
  return cell.toString(isLatin ? 'latin1' : 'utf16le', at, at + length);
}

function* nodesBelow(cells: Cells, { keyCount, keyList }: Node): Generator<Node> {
  if (keyCount === 0 || keyList === none) return;
  let count = 0;
  for (const offset of offsetsIn(cells, keyList, true)) {
    count += 1;
    if (cells.isSpent || count > Math.min(keyCount, maxKeys)) {
      cells.refuse();
      return;
    }
    const node = nodeAt(cells, offset);
    if (node !== null) yield node;
  }
  if (count < keyCount) cells.refuse();
}

/** The keys of a list: `lf` and `lh` have a hint beside each, `li` none, `ri` is a list of lists. */
function* offsetsIn(cells: Cells, at: number, mayBeIndex: boolean): Generator<number> {
  const list = cells.cell(at, maxListBytes);
  const kind = list === null || list.length < 4 ? '' : list.toString('latin1', 0, 2);
  const step = kind === 'lf' || kind === 'lh' ? 8 : kind === 'li' || kind === 'ri' ? 4 : 0;
  if (list === null || step === 0 || (kind === 'ri' && !mayBeIndex)) {
    if (list !== null) cells.refuse();
    return;
  }
  const count = list.readUInt16LE(2);
  for (let index = 0; index < count && !cells.isSpent; index += 1) {
    const from = 4 + index * step;
    if (from + 4 > list.length) {
      cells.refuse();
      return;
    }
    const offset = list.readUInt32LE(from);
    if (kind === 'ri') yield* offsetsIn(cells, offset, false);
    else yield offset;
  }
}

function valuesOf(cells: Cells, node: Node, wanted: ReadonlySet<string>): RegistryValues {
  const values = new Map<string, RegistryValue>();
  if (node.valueCount === 0 || node.valueList === none) return values;
  const count = Math.min(node.valueCount, maxValues);
  const list = cells.cell(node.valueList, count * 4);
  if (node.valueCount > maxValues || (list !== null && list.length < count * 4)) cells.refuse();
  for (let at = 0; list !== null && at + 4 <= list.length; at += 4) {
    const found = valueAt(cells, list.readUInt32LE(at), wanted);
    if (found !== null) values.set(found.name, found.value);
  }
  return values;
}

const valueBytes = 20;

/** A value's cell (`vk`); null for one that is not wanted or of another type. */
function valueAt(
  cells: Cells,
  offset: number,
  wanted: ReadonlySet<string>,
): { readonly name: string; readonly value: RegistryValue } | null {
  const cell = cells.cell(offset, valueBytes + maxNameBytes);
  if (cell === null) return null;
  const isValue = cell.length >= valueBytes && cell.toString('latin1', 0, 2) === 'vk';
  // Names of values may be longer than those of keys; none that is wanted is.
  const length = isValue ? cell.readUInt16LE(2) : 0;
  if (!isValue) cells.refuse();
  if (!isValue || length > maxNameBytes) return null;
  const name = nameIn(cell, valueBytes, length, (cell.readUInt16LE(16) & 1) !== 0);
  if (name === null) cells.refuse();
  if (name === null || !wanted.has(name.toLowerCase())) return null;
  const content = contentOf(cells, cell);
  const value = content === null ? null : decode(cell.readUInt32LE(12), content);
  return value === null ? null : { name: name.toLowerCase(), value };
}

function contentOf(cells: Cells, cell: Buffer): Buffer | null {
  const stated = cell.readUInt32LE(4);
  if (stated >= resident) {
    const length = stated - resident;
    if (length <= 4) return cell.subarray(8, 8 + length);
    cells.refuse();
    return null;
  }
  if (stated === 0) return Buffer.alloc(0);
  if (stated > maxTextBytes) return null;
  const content = cells.cell(cell.readUInt32LE(8), stated);
  if (content !== null && content.length < stated) cells.refuse();
  return content;
}

function decode(type: number, content: Buffer): RegistryValue | null {
  if (type === types.number) return content.length === 4 ? content.readUInt32LE(0) : null;
  const text = content.toString('utf16le');
  if (type === types.list) return text.split('\0').filter((part) => part !== '');
  if (type !== types.text && type !== types.expandable) return null;
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}
