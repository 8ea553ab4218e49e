/**
 * Writes registry hives (NTUSER.DAT, SOFTWARE, SYSTEM) as Windows lays them out, for worlds in which
 * somebody is logged off. It writes one bin with every key, sorted as Windows sorts, and no security
 * cells; what it writes was read back with hivexml and reglookup.
 * Format: https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md
 */
import fs from 'node:fs';
import path from 'node:path';

/** A key: text becomes REG_SZ, or REG_EXPAND_SZ where it has a `%name%`; a number REG_DWORD. */
export interface HiveKey {
  readonly values?: Readonly<Record<string, string | number>>;
  readonly keys?: Readonly<Record<string, HiveKey>>;
}

const none = 0xffffffff;
const blockBytes = 4096;
const binHeaderBytes = 32;

/** Writes a hive, and the folders above it. */
export function writeHive(file: string, tree: HiveKey): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, hiveBytes(tree));
}

/** The tree with a key at `C\A\B` set, so that a world can be put together key by key. */
export function withKey(tree: HiveKey, name: string, key: HiveKey): HiveKey {
  const [first = '', ...rest] = name.split('\\');
  const known = tree.keys?.[first] ?? {};
  const below = rest.length === 0 ? merged(known, key) : withKey(known, rest.join('\\'), key);
  return { ...tree, keys: { ...tree.keys, [first]: below } };
}

const merged = (a: HiveKey, b: HiveKey): HiveKey => ({
  values: { ...a.values, ...b.values },
  keys: { ...a.keys, ...b.keys },
});

export function hiveBytes(tree: HiveKey): Buffer {
  const cells = new Cells();
  const root = addKey(cells, 'ROOT', tree, none);
  const bin = cells.bin();
  return Buffer.concat([baseBlock(root, bin.length), bin]);
}

/** Cells in the order they are made; an offset counts from the first bin. */
class Cells {
  #next = binHeaderBytes;
  readonly #cells = new Map<number, Buffer>();

  add(content: Buffer): number {
    const size = Math.ceil((content.length + 4) / 8) * 8;
    const cell = Buffer.alloc(size);
    cell.writeInt32LE(-size, 0); // below zero: in use
    content.copy(cell, 4);
    const at = this.#next;
    this.#cells.set(at, cell);
    this.#next += size;
    return at;
  }

  /** Writes into a cell that is there already. */
  patch(at: number, offset: number, value: number): void {
    this.#cells.get(at)?.writeUInt32LE(value, 4 + offset);
  }

  bin(): Buffer {
    const size = Math.ceil(this.#next / blockBytes) * blockBytes;
    const header = Buffer.alloc(binHeaderBytes);
    header.write('hbin', 0, 'latin1');
    header.writeUInt32LE(size, 8);
    const rest = Buffer.alloc(size - this.#next);
    if (rest.length > 0) rest.writeInt32LE(rest.length, 0);
    return Buffer.concat([header, ...this.#cells.values(), rest]);
  }
}

function baseBlock(root: number, binBytes: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write('regf', 0, 'latin1');
  block.writeUInt32LE(1, 4); // both sequence numbers alike: written to the end
  block.writeUInt32LE(1, 8);
  block.writeUInt32LE(1, 20);
  block.writeUInt32LE(5, 24);
  block.writeUInt32LE(1, 32);
  block.writeUInt32LE(root, 36);
  block.writeUInt32LE(binBytes, 40);
  block.writeUInt32LE(1, 44);
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum = (sum ^ block.readUInt32LE(at)) >>> 0;
  block.writeUInt32LE(sum, 508);
  return block;
}

interface Name {
  readonly bytes: Buffer;
  readonly isLatin: boolean;
}

function nameOf(text: string): Name {
  const isLatin = /^[\u0000-\u00ff]*$/.test(text);
  return { bytes: Buffer.from(text, isLatin ? 'latin1' : 'utf16le'), isLatin };
}

const upper = (text: string): string => text.toUpperCase();

function addKey(cells: Cells, name: string, key: HiveKey, parent: number): number {
  const { bytes, isLatin } = nameOf(name);
  const node = Buffer.alloc(76 + bytes.length);
  node.write('nk', 0, 'latin1');
  node.writeUInt16LE((isLatin ? 0x20 : 0) | (parent === none ? 0x0c : 0), 2);
  for (const at of [28, 32, 40, 44, 48]) node.writeUInt32LE(none, at);
  node.writeUInt32LE(parent === none ? 0 : parent, 16);
  node.writeUInt16LE(bytes.length, 72);
  bytes.copy(node, 76);
  const at = cells.add(node);
  const children = Object.entries(key.keys ?? {})
    .sort(([a], [b]) => (upper(a) < upper(b) ? -1 : 1))
    .map(([child, tree]) => [child, addKey(cells, child, tree, at)] as const);
  cells.patch(at, 20, children.length);
  if (children.length > 0) cells.patch(at, 28, addList(cells, children));
  const values = Object.entries(key.values ?? {}).map(([each, value]) =>
    addValue(cells, each, value),
  );
  cells.patch(at, 36, values.length);
  if (values.length > 0) cells.patch(at, 40, cells.add(numbers(values)));
  return at;
}

function numbers(list: readonly number[]): Buffer {
  const bytes = Buffer.alloc(list.length * 4);
  list.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return bytes;
}

/** `lh`: each child's offset with a hash of its name. */
function addList(cells: Cells, children: readonly (readonly [string, number])[]): number {
  const head = Buffer.alloc(4);
  head.write('lh', 0, 'latin1');
  head.writeUInt16LE(children.length, 2);
  const entries = children.flatMap(([name, at]) => [at, hashOf(name)]);
  return cells.add(Buffer.concat([head, numbers(entries)]));
}

function hashOf(name: string): number {
  let hash = 0;
  for (const unit of upper(name)) hash = (Math.imul(hash, 37) + unit.charCodeAt(0)) >>> 0;
  return hash;
}

function addValue(cells: Cells, name: string, value: string | number): number {
  const isText = typeof value === 'string';
  const content = isText ? Buffer.from(`${value}\0`, 'utf16le') : numbers([value]);
  const { bytes, isLatin } = nameOf(name);
  const record = Buffer.alloc(20 + bytes.length);
  record.write('vk', 0, 'latin1');
  record.writeUInt16LE(bytes.length, 2);
  record.writeUInt16LE(isLatin ? 1 : 0, 16);
  bytes.copy(record, 20);
  const isResident = content.length <= 4; // lies in the place of its own offset
  record.writeUInt32LE((content.length | (isResident ? 0x80000000 : 0)) >>> 0, 4);
  if (isResident) content.copy(record, 8);
  else record.writeUInt32LE(cells.add(content), 8);
  record.writeUInt32LE(!isText ? 4 : /%[^%]+%/.test(value) ? 2 : 1, 12);
  return cells.add(record);
}
