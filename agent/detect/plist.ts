/**
 * Apple property lists, XML and binary, into plain values. It knows no key and resolves nothing: text,
 * numbers, truth values, lists and dictionaries come back, dates and raw bytes are null. A list that is
 * broken, nested too deeply or larger than its bytes explain is undefined, never half of one.
 * Formats: https://www.apple.com/DTDs/PropertyList-1.0.dtd and CFBinaryPList.c of Apple's CF.
 */
export type PlistValue =
  string | number | boolean | null | readonly PlistValue[] | ReadonlyMap<string, PlistValue>;

const maxDepth = 32;
/** A binary list may name one object many times; this many are looked at. */
const maxObjects = 100_000;

/** The value of a property list; undefined when it is none. Never throws. */
export function parsePlist(bytes: Buffer): PlistValue | undefined {
  try {
    return bytes.toString('latin1', 0, 8) === 'bplist00'
      ? parseBinary(bytes)
      : parseXml(textOf(bytes));
  } catch {
    // What is wrong with it does not matter: offsets that lead nowhere, tags that do not match.
    return undefined;
  }
}

/** UTF-8, or what a mark or an XML declaration without one says is UTF-16. */
function textOf(bytes: Buffer): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) {
    return bytes.toString('utf16le');
  }
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) {
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  }
  return bytes.toString('utf8');
}

const broken = (): never => {
  throw new RangeError('no property list');
};

interface Frame {
  readonly tag: 'array' | 'dict' | 'plist';
  readonly values: PlistValue[];
  readonly entries: Map<string, PlistValue>;
  key: string | null;
}

/** A tag with the text before it; `tag` is empty for what is neither text nor a tag of the list. */
interface Token {
  readonly before: string;
  readonly tag: string;
  readonly kind: 'open' | 'close' | 'empty';
}

const tagName = /^<(\/?)(\w+)[^>]*?(\/?)>$/;

/** Each byte is looked at once: what has no end is broken, not looked for again from the next sign on. */
function* tokens(text: string): Generator<Token> {
  let end = 0;
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', end)) {
    const before = decoded(text.slice(end, at));
    const mark = ['<!--', '<![CDATA['].find((each) => text.startsWith(each, at));
    const tail = mark === '<!--' ? '-->' : mark === undefined ? '>' : ']]>';
    const close = text.indexOf(tail, at);
    if (close === -1) return broken();
    end = close + tail.length;
    const raw = mark === '<![CDATA[' ? text.slice(at + mark.length, close) : '';
    const [, slash, tag = '', empty] = mark === undefined ? tagOf(text.slice(at, end)) : [];
    const kind = slash === '/' ? 'close' : empty === '/' ? 'empty' : 'open';
    yield { before: before + raw, tag, kind };
  }
}

const tagOf = (text: string): readonly string[] => tagName.exec(text) ?? [];

function parseXml(text: string): PlistValue {
  const stack: Frame[] = [];
  let leaf: { readonly tag: string; text: string } | null = null;
  let result: PlistValue | undefined;
  for (const { before, tag, kind } of tokens(text)) {
    if (leaf !== null) leaf.text += before;
    if (tag === '') continue;
    if (kind === 'close') {
      if (leaf?.tag === tag) {
        add(stack, tag, leaf.text);
        leaf = null;
      } else result = close(stack, leaf === null ? tag : '');
    } else if (leaf !== null) broken();
    else if (tag === 'plist' || tag === 'array' || tag === 'dict') {
      stack.push({ tag, values: [], entries: new Map(), key: null });
      if (stack.length > maxDepth) broken();
      if (kind === 'empty') result = close(stack, tag);
    } else if (kind === 'empty') add(stack, tag, '');
    else leaf = { tag, text: '' };
  }
  return stack.length > 0 || leaf !== null || result === undefined ? broken() : result;
}

/** Ends the innermost list or dictionary; the value of the whole when it was the outermost. */
function close(stack: Frame[], tag: string): PlistValue | undefined {
  const frame = stack.pop();
  if (frame?.tag !== tag) return broken();
  if (frame.tag === 'plist') return stack.length === 0 ? frame.values[0] : broken();
  put(stack, frame.tag === 'dict' ? frame.entries : frame.values);
  return undefined;
}

function add(stack: Frame[], tag: string, text: string): void {
  const frame = stack.at(-1);
  if (tag === 'key' && frame !== undefined) frame.key = text;
  else if (tag === 'string') put(stack, text);
  else if (tag === 'true' || tag === 'false') put(stack, tag === 'true');
  else put(stack, tag === 'integer' || tag === 'real' ? numberIn(text) : null);
}

/** null for what is written as a number and is none. */
function numberIn(text: string): number | null {
  const value = text.trim() === '' ? NaN : Number(text);
  return Number.isNaN(value) ? null : value;
}

function put(stack: readonly Frame[], value: PlistValue): void {
  const frame = stack.at(-1);
  if (frame === undefined) return broken();
  if (frame.tag !== 'dict') frame.values.push(value);
  else if (frame.key === null) broken();
  else {
    frame.entries.set(frame.key, value);
    frame.key = null;
  }
}

const named: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
};

function decoded(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi, (...found) => {
    const [, hex, decimal, name] = found as (string | undefined)[];
    if (name !== undefined) return named[name.toLowerCase()] ?? '';
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/** A binary list while it is read: where its parts lie, and how much of it has been looked at. */
interface Binary {
  readonly bytes: Buffer;
  readonly offsetSize: number;
  readonly refSize: number;
  readonly count: number;
  /** Where the table of offsets begins, which is where the objects end. */
  readonly table: number;
  readonly texts: Map<number, string>;
  textBytes: number;
  looked: number;
}

function parseBinary(bytes: Buffer): PlistValue {
  const trailer = bytes.subarray(bytes.length - 32);
  const [offsetSize, refSize] = [trailer.readUInt8(6), trailer.readUInt8(7)];
  const [count, top, table] = [8, 16, 24].map((at) => Number(trailer.readBigUInt64BE(at)));
  if (count === undefined || top === undefined || table === undefined) return broken();
  if (table + count * offsetSize > bytes.length - 32) return broken();
  const counts = { textBytes: 0, looked: 0 };
  const list: Binary = { bytes, offsetSize, refSize, count, table, texts: new Map(), ...counts };
  return readObject(list, top, 0);
}

function sized({ bytes }: Binary, at: number): { readonly length: number; readonly start: number } {
  const low = bytes.readUInt8(at) & 15;
  if (low < 15) return { length: low, start: at + 1 };
  const width = 2 ** (bytes.readUInt8(at + 1) & 15);
  return { length: bytes.readUIntBE(at + 2, width), start: at + 2 + width };
}

/** One text may be named many times, and texts that lie in each other would be more than the file. */
function textAt(list: Binary, at: number, width: 1 | 2): string {
  const known = list.texts.get(at);
  if (known !== undefined) return known;
  const { length, start } = sized(list, at);
  list.textBytes += length * width;
  if (start + length * width > list.table || list.textBytes > list.table) broken();
  const part = Buffer.from(list.bytes.subarray(start, start + length * width));
  const value = width === 1 ? part.toString('latin1') : part.swap16().toString('utf16le');
  list.texts.set(at, value);
  return value;
}

function objectsAt(
  list: Binary,
  { start, length }: { readonly start: number; readonly length: number },
  depth: number,
): PlistValue[] {
  const { bytes, refSize, table } = list;
  if (start + length * refSize > table || depth > maxDepth) broken();
  return Array.from({ length }, (_, index) =>
    readObject(list, bytes.readUIntBE(start + index * refSize, refSize), depth),
  );
}

function readObject(list: Binary, ref: number, depth: number): PlistValue {
  const { bytes, offsetSize, refSize, count, table } = list;
  list.looked += 1;
  if (ref >= count || list.looked > maxObjects) broken();
  const at = bytes.readUIntBE(table + ref * offsetSize, offsetSize);
  const marker = bytes.readUInt8(at);
  switch (marker >> 4) {
    case 0:
      return marker === 8 || marker === 9 ? marker === 9 : null;
    case 1:
      return wholeNumber(bytes, at + 1, 2 ** (marker & 15));
    case 2:
      return (marker & 15) === 2 ? bytes.readFloatBE(at + 1) : bytes.readDoubleBE(at + 1);
    case 5:
      return textAt(list, at, 1);
    case 6:
      return textAt(list, at, 2);
    case 10:
    case 12:
      return objectsAt(list, sized(list, at), depth + 1);
    case 13: {
      const { length, start } = sized(list, at);
      const keys = objectsAt(list, { start, length }, depth + 1);
      const values = objectsAt(list, { start: start + length * refSize, length }, depth + 1);
      return new Map(
        keys.map((key, at) => [typeof key === 'string' ? key : broken(), values[at] ?? null]),
      );
    }
    default:
      return null;
  }
}

function wholeNumber(bytes: Buffer, at: number, width: number): number {
  if (width <= 4) return bytes.readUIntBE(at, width);
  return Number(bytes.readBigInt64BE(at + width - 8));
}
