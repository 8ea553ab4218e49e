/**
 * The reader of SQLite files against SQLite itself: whatever better-sqlite3 writes is read row by row
 * as it gives it back, and bytes changed at will neither throw nor run on.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ProblemCode } from '../../agent/detect/index.js';
import {
  openSqlite,
  type SqliteOutcome,
  type SqliteValue,
} from '../../agent/detect/sqlite-file.js';
import { homesWorld } from '../../agent/detect/world.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { runs } from '../runs.js';

const catalogue = builtInCatalogue();
let folder = '';
let file = '';

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-sqlite-')));
  file = path.join(folder, 'a.db');
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

interface Seen {
  readonly rows: readonly (readonly SqliteValue[])[];
  readonly outcome: SqliteOutcome | 'no-file';
  readonly codes: readonly ProblemCode[];
}

/** All rows of a table as our reader has them, with the row id first. */
function read(table: string): Seen {
  const reader = homesWorld([folder], { catalogue }).reader({ within: [folder] });
  const rows: (readonly SqliteValue[])[] = [];
  const outcome =
    openSqlite(file, reader)?.each(table, (row) => void rows.push([row.rowid, ...row.values()])) ??
    'no-file';
  return { rows, outcome, codes: reader.problems.map(({ code }) => code) };
}

/** The same as SQLite has them. */
function select(db: Database.Database, table: string): readonly (readonly SqliteValue[])[] {
  const rows = db.prepare(`select rowid, * from "${table}" order by rowid`).raw().safeIntegers();
  const number = (value: SqliteValue): SqliteValue =>
    typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return (rows.all() as SqliteValue[][]).map((row) => row.map(number));
}

const integers = [0, 1, -1, 127, -128, 32767, 8388607, -8388608, 2147483647, 2 ** 45, -(2 ** 47)];
const large = [9223372036854775807n, -9223372036854775808n, 2n ** 53n];
const text = 'Grüße 你好 🚀 ';

function fill(db: Database.Database): void {
  db.pragma('synchronous = off');
  db.exec('create table t (a, b text, c blob, d real)');
  db.exec('create table "other name" (k integer, v)');
  const add = db.prepare('insert into t values (?, ?, ?, ?)');
  db.transaction(() => {
    for (const value of [...integers, ...large, null, 1.5, -0.1, 1e300])
      add.run(value, '', null, 7);
    for (let count = 0; count < 400; count += 1) {
      const length = count < 40 ? count * 997 : count;
      add.run(count, text.repeat(Math.floor(length / 20)), Buffer.alloc(length, count), count / 3);
    }
  })();
  db.prepare('insert into t (rowid, a) values (?, ?)').run(2n ** 40n, 'far');
  db.prepare('insert into t (rowid, a) values (?, ?)').run(-5, 'negative');
  db.prepare('insert into t (rowid, a) values (?, ?)').run(2n ** 62n + 1n, 'largest');
}

describe('what SQLite has written', () => {
  const pageSizes = [512, 1024, 4096, 32_768, 65_536];
  const encodings = ['UTF-8', 'UTF-16le', 'UTF-16be'];
  const shapes = pageSizes.flatMap((size) =>
    encodings.map((encoding) => [size, encoding] as const),
  );

  test.each(shapes)('pages of %i bytes in %s are read row by row', (size, encoding) => {
    const db = new Database(file);
    db.pragma(`page_size = ${size}`);
    db.pragma(`encoding = "${encoding}"`);
    db.pragma(`auto_vacuum = ${size === 1024 ? 'full' : size === 512 ? 'incremental' : 'none'}`);
    fill(db);
    expect(read('t')).toEqual({ rows: select(db, 't'), outcome: 'read', codes: [] });
    expect(read('other name')).toEqual({ rows: [], outcome: 'read', codes: [] });
    db.exec('delete from t where rowid % 3 = 0');
    db.exec("update t set b = b || 'x' where rowid % 5 = 0");
    expect(read('t').rows).toEqual(select(db, 't'));
    db.exec('vacuum');
    expect(read('t').rows).toEqual(select(db, 't'));
    db.exec('delete from t');
    expect(read('t')).toEqual({ rows: [], outcome: 'read', codes: [] });
    db.close();
  });

  test('a row is found by its id, in trees of several levels', () => {
    const db = new Database(file);
    db.pragma('page_size = 512');
    fill(db);
    const reader = homesWorld([folder], { catalogue }).reader({ within: [folder] });
    const found = openSqlite(file, reader);
    for (const [rowid, ...values] of select(db, 't')) {
      expect(found?.row('t', rowid as number | bigint)).toEqual(values);
    }
    for (const absent of [-6, 9_999, 2n ** 63n - 1n]) expect(found?.row('t', absent)).toBeNull();
    expect(found?.row('nowhere', 1)).toBeNull();
    expect(reader.problems).toEqual([]);
    db.close();
  });

  test('hundreds of tables, names with quotes and indices are told apart', () => {
    const db = new Database(file);
    db.exec('begin');
    for (let count = 0; count < 300; count += 1) {
      db.exec(
        `create table "t'${count}" (a text unique); insert into "t'${count}" values ('${count}')`,
      );
    }
    db.exec('commit');
    db.exec(`create index t on "t'1" (a); create view v as select 1`);
    db.close();
    expect(read("t'217").rows).toEqual([[1, '217']]);
    expect(read('t').outcome).toBe('no-table');
    expect(read('v').outcome).toBe('no-table');
  });

  test('a table WITHOUT ROWID is refused, and said to be one', () => {
    const db = new Database(file);
    db.exec('create table t (k text primary key, v) without rowid; insert into t values (1, 2)');
    db.close();
    expect(read('t')).toEqual({ rows: [], outcome: 'without-rowid', codes: [] });
  });

  test('a column that was added later is missing in older rows', () => {
    const db = new Database(file);
    db.exec('create table t (a); insert into t values (1); alter table t add b default 7');
    db.exec('insert into t values (2, 8)');
    db.close();
    expect(read('t').rows).toEqual([
      [1, 1],
      [2, 2, 8],
    ]);
  });

  test('reading stops where it is told to', () => {
    const db = new Database(file);
    fill(db);
    db.close();
    const reader = homesWorld([folder], { catalogue }).reader({ within: [folder] });
    let count = 0;
    openSqlite(file, reader)?.each('t', () => {
      count += 1;
      return count === 3 ? 'stop' : undefined;
    });
    expect(count).toBe(3);
  });
});

describe('a write-ahead log beside the file', () => {
  /** A database whose writer has not moved its log into the file, as it lies on the disk. */
  function logged(work: (db: Database.Database) => void): readonly (readonly SqliteValue[])[] {
    const live = path.join(folder, 'live.db');
    const db = new Database(live);
    db.pragma('journal_mode = wal');
    db.pragma('wal_autocheckpoint = 0');
    db.exec('create table t (a, b)');
    db.pragma('wal_checkpoint(truncate)');
    work(db);
    const rows = select(db, 't');
    fs.copyFileSync(live, file);
    fs.copyFileSync(`${live}-wal`, `${file}-wal`);
    db.close();
    return rows;
  }
  const add = (db: Database.Database, from: number, to: number): void => {
    const insert = db.prepare('insert into t values (?, ?)');
    db.transaction(() => {
      for (let count = from; count < to; count += 1) insert.run(count, 'x'.repeat(count * 10));
    })();
  };

  test('what it has committed counts, and nothing is made or changed beside the file', () => {
    const rows = logged((db) => {
      add(db, 0, 300);
      db.exec('delete from t where a < 20');
    });
    expect(rows.length).toBe(280);
    const before = fs.readdirSync(folder);
    expect(read('t')).toEqual({ rows, outcome: 'read', codes: [] });
    expect(fs.readdirSync(folder)).toEqual(before);
  });

  test('a round of the log after it was moved into the file counts alone', () => {
    const rows = logged((db) => {
      add(db, 0, 200);
      db.pragma('wal_checkpoint(restart)');
      add(db, 200, 210);
    });
    expect(read('t').rows).toEqual(rows);
  });

  test('a transaction whose end is missing does not count', () => {
    const rows = logged((db) => {
      add(db, 0, 1);
      add(db, 1, 300);
    });
    expect(read('t').rows).toEqual(rows);
    fs.truncateSync(`${file}-wal`, fs.statSync(`${file}-wal`).size - 1);
    expect(read('t').rows).toEqual(rows.slice(0, 1));
  });

  test('a log of something else is none', () => {
    const db = new Database(file);
    fill(db);
    const rows = select(db, 't');
    db.close();
    fs.writeFileSync(`${file}-wal`, Buffer.alloc(100_000, 7));
    expect(read('t')).toEqual({ rows, outcome: 'read', codes: [] });
  });
});

describe('what is no database, or a damaged one', () => {
  test('nothing there is nothing said; an empty or other file is malformed', () => {
    expect(read('t')).toEqual({ rows: [], outcome: 'no-file', codes: [] });
    for (const content of ['', 'SQLite format 3\0', 'x'.repeat(4096)]) {
      fs.writeFileSync(file, content);
      expect(read('t')).toEqual({ rows: [], outcome: 'no-file', codes: ['malformed'] });
    }
  });

  test('a file cut to half gives its first rows and says so', () => {
    const db = new Database(file);
    fill(db);
    const count = select(db, 't').length;
    db.close();
    fs.truncateSync(file, fs.statSync(file).size / 2);
    const seen = read('t');
    expect(seen.outcome).toBe('damaged');
    expect(seen.codes).toEqual(['malformed']);
    expect(seen.rows.length).toBeLessThan(count);
  });

  test('a transaction cut short is said', () => {
    const db = new Database(file);
    fill(db);
    db.close();
    fs.writeFileSync(`${file}-journal`, Buffer.from('d9d505f920a163d700000001', 'hex'));
    expect(read('t').codes).toEqual(['malformed']);
    fs.writeFileSync(`${file}-journal`, Buffer.alloc(512));
    expect(read('t').codes).toEqual([]);
  });

  test('inner pages that lead to themselves end', () => {
    const db = new Database(file);
    db.pragma('page_size = 512');
    fill(db);
    const root = db.prepare("select rootpage from sqlite_master where name = 't'").pluck().get();
    db.close();
    const bytes = fs.readFileSync(file);
    const at = ((root as number) - 1) * 512;
    expect(bytes[at]).toBe(5);
    bytes.writeUInt32BE(root as number, at + 8);
    fs.writeFileSync(file, bytes);
    expect(read('t')).toMatchObject({ outcome: 'damaged', codes: ['malformed'] });
  });

  test('bytes changed at will throw nothing and give no endless rows', () => {
    const db = new Database(file);
    db.pragma('page_size = 512');
    fill(db);
    const count = select(db, 't').length;
    db.close();
    const whole = fs.readFileSync(file);
    const change = fc.record({
      at: fc.oneof(
        fc.nat(whole.length - 1),
        fc.nat(700),
        fc.nat(120).map((page) => page * 512),
      ),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
    });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.nat(1000),
        (changes, cut) => {
          const bytes = Buffer.from(whole);
          for (const { at, bytes: those } of changes) Buffer.from(those).copy(bytes, at);
          fs.writeFileSync(file, cut < 100 ? bytes.subarray(0, cut * 600) : bytes);
          expect(read('t').rows.length).toBeLessThan(count * 200);
        },
      ),
      runs(60),
    );
  });
});
