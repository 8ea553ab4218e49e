/**
 * One package's header as rpm keeps it in its database: an index of tags and a store of their values,
 * without the lead and magic that it has in a package file. Only names, versions and file names are
 * taken from it. A header that was cut short gives what is in its first bytes.
 * Format: https://rpm-software-management.github.io/rpm/manual/format_header.html and the manual's
 * list of tags.
 */

export interface RpmHeader {
  readonly name: string;
  readonly version: string | null;
  readonly release: string | null;
  readonly epoch: number | null;
  readonly arch: string | null;
  /** Absolute paths of the package's files; empty where the header was cut short before them. */
  files(): readonly string[];
}

const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  arch: 1022,
  oldFilenames: 1027,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
} as const;

const int32 = 4;
const string = 6;
const stringArray = 8;
/** Where rpm itself draws the line. */
const maxTags = 0xffff;
const maxFiles = 200_000;

interface Entry {
  readonly type: number;
  readonly at: number;
  readonly count: number;
}

/** null: no header, or its name is not in these bytes. */
export function readRpmHeader(blob: Buffer): RpmHeader | null {
  if (blob.length < 8) return null;
  const count = blob.readUInt32BE(0);
  const store = 8 + count * 16;
  if (count === 0 || count > maxTags || store > blob.length) return null;
  const end = Math.min(blob.length, store + blob.readUInt32BE(4));
  const entries = new Map<number, Entry>();
  for (let at = 8; at < store; at += 16) {
    const entry = {
      type: blob.readUInt32BE(at + 4),
      at: store + blob.readUInt32BE(at + 8),
      count: blob.readUInt32BE(at + 12),
    };
    if (entry.at < end) entries.set(blob.readUInt32BE(at), entry);
  }
  const values = { blob, end, entries };
  const one = (tag: number): string | null => stringsOf(values, tag)[0] ?? null;
  const name = one(tags.name);
  if (name === null || name === '') return null;
  return {
    name,
    version: one(tags.version),
    release: one(tags.release),
    epoch: numbersOf(values, tags.epoch)[0] ?? null,
    arch: one(tags.arch),
    files: () => filesOf(values),
  };
}

interface Values {
  readonly blob: Buffer;
  /** Where the store ends, or the bytes that there are of it. */
  readonly end: number;
  readonly entries: ReadonlyMap<number, Entry>;
}

/** Strings of a tag, each ended by a zero byte; those whose end is missing are left out. */
function stringsOf({ blob, end, entries }: Values, tag: number): readonly string[] {
  const entry = entries.get(tag);
  if (entry === undefined || (entry.type !== string && entry.type !== stringArray)) return [];
  const found: string[] = [];
  for (let { at } = entry; found.length < Math.min(entry.count, maxFiles);) {
    const stop = blob.indexOf(0, at);
    if (stop === -1 || stop >= end) return found;
    found.push(blob.toString('utf8', at, stop));
    at = stop + 1;
  }
  return found;
}

function numbersOf({ blob, end, entries }: Values, tag: number): readonly number[] {
  const entry = entries.get(tag);
  if (entry === undefined || entry.type !== int32) return [];
  const count = Math.min(entry.count, maxFiles, Math.floor((end - entry.at) / 4));
  return Array.from({ length: count }, (_, index) => blob.readUInt32BE(entry.at + index * 4));
}

/** A base name for each file, and the number of the folder that it is in; very old ones are whole. */
function filesOf(values: Values): readonly string[] {
  const names = stringsOf(values, tags.baseNames);
  const folders = stringsOf(values, tags.dirNames);
  const indexes = numbersOf(values, tags.dirIndexes);
  if (names.length === 0) return stringsOf(values, tags.oldFilenames);
  return names.flatMap((name, index) => {
    const folder = folders[indexes[index] ?? -1];
    return folder === undefined ? [] : [folder + name];
  });
}
