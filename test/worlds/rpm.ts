/**
 * Builds databases of rpm below a folder that stands for a machine: headers as rpm's manual describes
 * them, kept in SQLite (written by SQLite itself) or in rpm's own `ndb` form.
 */
import fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { place } from './native.js';

export interface RpmPackage {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch?: number;
  readonly files?: readonly string[];
}

interface Tag {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly value: Buffer;
}

const words = (values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
};
const strings = (values: readonly string[]): Buffer =>
  Buffer.from(values.map((value) => `${value}\0`).join(''));

/** STRING is type 6, INT32 is 4, STRING_ARRAY is 8, and BIN is 7. */
function tagsOf({ name, version, release, epoch, files = [] }: RpmPackage): readonly Tag[] {
  const folders = [...new Set(files.map((file) => `${path.posix.dirname(file)}/`))];
  const list = (tag: number, values: readonly string[]): Tag[] =>
    values.length === 0 ? [] : [{ tag, type: 8, count: values.length, value: strings(values) }];
  const one = (tag: number, value: string): Tag => {
    return { tag, type: 6, count: 1, value: strings([value]) };
  };
  const indexes = files.map((file) => folders.indexOf(`${path.posix.dirname(file)}/`));
  return [
    { tag: 63, type: 7, count: 16, value: Buffer.alloc(16) },
    ...list(100, ['C']),
    one(1000, name),
    one(1001, version),
    one(1002, release),
    ...(epoch === undefined ? [] : [{ tag: 1003, type: 4, count: 1, value: words([epoch]) }]),
    one(1005, 'Says what it is. '.repeat(200)),
    one(1022, 'x86_64'),
    ...(files.length === 0
      ? []
      : [{ tag: 1116, type: 4, count: files.length, value: words(indexes) }]),
    ...list(
      1117,
      files.map((file) => path.posix.basename(file)),
    ),
    ...list(1118, folders),
  ];
}

/** A header as the database keeps it: lengths, index entries, store. */
export function rpmHeader(made: RpmPackage): Buffer {
  const entries: Buffer[] = [];
  const store: Buffer[] = [];
  let at = 0;
  for (const { tag, type, count, value } of tagsOf(made)) {
    const gap = type === 4 ? (4 - (at % 4)) % 4 : 0;
    store.push(Buffer.alloc(gap), value);
    at += gap;
    entries.push(words([tag, type, at, count]));
    at += value.length;
  }
  return Buffer.concat([words([entries.length, at]), ...entries, ...store]);
}

const others: readonly RpmPackage[] = Array.from({ length: 200 }, (_, count) => ({
  name: `other-${count}`,
  version: `${count}`,
  release: '1.fc43',
  files: Array.from({ length: 100 }, (_each, file) => `/usr/share/other/${count}/${file}`),
}));

/** The tables that rpm makes, as its own SQL has them; the file is returned. */
export function rpmSqlite(
  root: string,
  made: readonly RpmPackage[],
  folder = 'usr/lib/sysimage/rpm',
): string {
  const file = place(path.join(root, folder), 'rpmdb.sqlite', '');
  const db = new Database(file);
  db.pragma('synchronous = off');
  db.exec(`
    CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL,
      FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum));
    CREATE INDEX IF NOT EXISTS 'Name_key_idx' ON 'Name'(key ASC);`);
  const header = db.prepare('insert into Packages (blob) values (?)');
  const name = db.prepare('insert into Name values (?, ?, 0)');
  db.transaction(() => {
    for (const one of [...others, ...made]) {
      name.run(one.name, header.run(rpmHeader(one)).lastInsertRowid);
    }
  })();
  db.close();
  return file;
}

/** rpm's `ndb`: one page of slots, then a block for each package. */
export function rpmNdb(root: string, made: readonly RpmPackage[]): string {
  const little = (...values: readonly (number | string)[]): Buffer =>
    Buffer.concat(
      values.map((value) => {
        if (typeof value === 'string') return Buffer.from(value, 'latin1');
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(value);
        return bytes;
      }),
    );
  const blocks: Buffer[] = [];
  const slots: Buffer[] = [little('RpmP', 0, 7, 1, 300, 0, 0, 0)];
  let at = 4096 / 16;
  [...others.slice(0, 100), ...made].forEach((one, index) => {
    const header = rpmHeader(one);
    const head = little('BlbS', index + 1, 7, header.length);
    const whole = Buffer.concat([head, header]);
    const tail = little(0, header.length, 'BlbE');
    const padding = Buffer.alloc((16 - ((whole.length + tail.length) % 16)) % 16);
    const block = Buffer.concat([whole, padding, tail]);
    blocks.push(block);
    slots.push(little('Slot', index + 1, at, block.length / 16));
    at += block.length / 16;
  });
  while (slots.length < 4096 / 16 - 1) slots.push(little('Slot', 0, 0, 0));
  const content = Buffer.concat([...slots, ...blocks]);
  const file = place(root, 'usr/lib/sysimage/rpm/Packages.db', '');
  fs.writeFileSync(file, content);
  return file;
}
