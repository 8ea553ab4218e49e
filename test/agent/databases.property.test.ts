/**
 * The readers of databases that other programs keep: rpm's headers, SQLite files, registry hives, the text
 * databases of dpkg, apk and pacman. What a writer put in comes back exactly; damage costs a note, and
 * never an error or a row that nobody wrote as long as the file is whole.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { disabledExtensions } from '../../agent/detect/editor-state.js';
import { packages } from '../../agent/detect/packages.js';
import { pacmanName, recordsOf } from '../../agent/detect/packages-databases.js';
import { openHive } from '../../agent/detect/registry-hive.js';
import { readRpmHeader } from '../../agent/detect/rpm-header.js';
import { openSqlite, type SqliteValue } from '../../agent/detect/sqlite-file.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { runs } from '../runs.js';
import { hiveBytes, type HiveKey } from '../worlds/hive.js';
import * as made from '../worlds/packages.js';
import { rpmHeader } from '../worlds/rpm.js';
import { anyBytes, anyText, foreignFile, mangled, mangledText, pieces } from './mangled.js';

const catalogue = builtInCatalogue();
const word = fc.stringMatching(/^[a-z][a-z0-9+.-]{0,12}$/);
const version = fc.stringMatching(/^[0-9][a-z0-9.+~]{0,10}$/);

describe('a header of rpm', () => {
  const file = fc.stringMatching(/^(\/[a-zA-Z0-9 ._-]{1,10}){1,3}\/[a-z\u{e9}]{1,8}$/u);
  const made = fc.record(
    {
      name: word,
      version,
      release: version,
      epoch: fc.nat(),
      files: fc.uniqueArray(file, { maxLength: 6 }),
    },
    { requiredKeys: ['name', 'version', 'release'] },
  );

  test('gives back the package that was written', () => {
    fc.assert(
      fc.property(made, (written) => {
        const read = readRpmHeader(rpmHeader(written));
        const { name, version: upstream, release, epoch = null, files = [] } = written;
        expect(read).toMatchObject({ name, version: upstream, release, epoch, arch: 'x86_64' });
        expect(read?.files()).toEqual(files);
      }),
      runs(40),
    );
  });

  test('of mangled bytes gives text or nothing', () => {
    const sample = rpmHeader({
      name: 'warp',
      version: '1',
      release: '2',
      epoch: 3,
      files: ['/a/b', '/a/c', '/d/e'],
    });
    fc.assert(
      fc.property(
        fc.oneof(mangled(sample), mangled(sample.subarray(0, 400)), anyBytes),
        (bytes) => {
          const read = readRpmHeader(bytes);
          if (read === null) return;
          expect(read.name).not.toBe('');
          for (const name of read.files()) expect(typeof name).toBe('string');
        },
      ),
      runs(150),
    );
  });
});

describe('an SQLite file', () => {
  const file = foreignFile('a.db');
  afterAll(() => file.remove());

  const value: fc.Arbitrary<SqliteValue> = fc.oneof(
    fc.constant(null),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0.25),
    fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => text.isWellFormed()),
    fc.nat(9_000).map((length) => 'x'.repeat(length)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );
  const plain = (one: SqliteValue): SqliteValue =>
    typeof one === 'bigint' && Number.isSafeInteger(Number(one)) ? Number(one) : one;

  function write(
    rows: readonly (readonly SqliteValue[])[],
    pageSize: number,
    encoding: string,
  ): SqliteValue[][] {
    fs.rmSync(file.path, { force: true });
    const db = new Database(file.path);
    db.pragma('synchronous = off');
    db.pragma(`encoding = '${encoding}'`);
    db.pragma(`page_size = ${pageSize}`);
    db.exec('create table other (x); create table t (a, b, c)');
    const add = db.prepare('insert into t values (?, ?, ?)');
    db.transaction(() => rows.forEach((row) => add.run(row)))();
    const back = db.prepare('select rowid, * from t order by rowid').raw().safeIntegers().all();
    db.close();
    return (back as SqliteValue[][]).map((row) => row.map(plain));
  }

  test('gives back every row as SQLite itself does', () => {
    const row = fc.tuple(value, value, value);
    const size = fc.constantFrom(512, 1024, 4096);
    const encoding = fc.constantFrom('UTF-8', 'UTF-16le', 'UTF-16be');
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), size, encoding, (rows, pageSize, code) => {
        const wanted = write(rows, pageSize, code);
        const reader = file.holding(fs.readFileSync(file.path));
        const db = openSqlite(file.path, reader);
        const found: SqliteValue[][] = [];
        const outcome = db?.each('t', (one) => void found.push([one.rowid, ...one.values()]));
        expect(outcome).toBe('read');
        expect(found).toEqual(wanted);
        const last = wanted.at(-1);
        if (last !== undefined) expect(db?.row('t', last[0] as number)).toEqual(last.slice(1));
        expect(reader.problems).toEqual([]);
      }),
      runs(20),
    );
  });

  test('that was mangled is read, or its damage noted', () => {
    const rows = Array.from({ length: 40 }, (_, at) => [
      at,
      `text ${at}`.repeat(at),
      Buffer.alloc(at),
    ]);
    write(rows, 512, 'UTF-8');
    const sample = fs.readFileSync(file.path);
    fc.assert(
      fc.property(fc.oneof(mangled(sample), anyBytes), (bytes) => {
        const reader = file.holding(bytes);
        let count = 0;
        const outcome = openSqlite(file.path, reader)?.each('t', (row) => {
          for (const each of row.values()) {
            expect(each === null || Buffer.isBuffer(each) || typeof each !== 'object').toBe(true);
          }
          row.start(2, 4);
          count += 1;
        });
        if (outcome === undefined || outcome === 'damaged') expect(reader.problems).toHaveLength(1);
        expect(count).toBeLessThan(20_000);
      }),
      runs(50),
    );
  });
});

describe('the state of an editor', () => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-state-')));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'globalStorage/state.vscdb');
  const read = () => {
    // A world is for one scan: what it has seen on the disk stays so in it.
    const world = homesWorld([folder], { catalogue, platform: 'linux' });
    const reader = world.reader({ within: [folder] });
    return { off: disabledExtensions(folder, world, reader), problems: reader.problems };
  };

  test('names the extensions that were switched off, and no other value', () => {
    const id = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,10}\.[A-Za-z][A-Za-z0-9.-]{0,12}$/);
    const secret = fc.string({ maxLength: 30 });
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fc.assert(
      fc.property(
        fc.uniqueArray(id, { maxLength: 6 }),
        secret,
        fc.nat(200),
        (ids, other, count) => {
          fs.rmSync(file, { force: true });
          const db = new Database(file);
          db.pragma('synchronous = off');
          db.exec('CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)');
          const add = db.prepare('insert into ItemTable values (?, ?)');
          db.transaction(() => {
            for (let at = 0; at < count; at += 1) add.run(`memento/${at}`, other.repeat(at));
            add.run('extensionsIdentifiers/enabled', JSON.stringify([{ id: other }]));
            add.run(
              'extensionsIdentifiers/disabled',
              JSON.stringify(ids.map((one) => ({ id: one, uuid: 'x' }))),
            );
          })();
          db.close();
          const { off, problems } = read();
          expect([...off].sort()).toEqual([...new Set(ids.map((one) => one.toLowerCase()))].sort());
          expect(problems).toEqual([]);
        },
      ),
      runs(15),
    );
  });
});

describe('a hive', () => {
  const file = foreignFile('NTUSER.DAT');
  afterAll(() => file.remove());
  const name = fc.stringMatching(/^[A-Za-z0-9{}\u{e9}\u{436}\u{4e2d} ._-]{1,12}$/u);
  const text = fc
    .string({ unit: 'grapheme', maxLength: 20 })
    .filter((one) => one.isWellFormed() && !one.includes('\0'));
  const values = fc.dictionary(name, fc.oneof(text, fc.nat(0xffffffff)), {
    maxKeys: 4,
    noNullPrototype: true,
  });
  const unlike = (keys: readonly string[]): boolean =>
    new Set(keys.map((key) => key.toLowerCase())).size === keys.length;
  const leaf = fc.record({ values });
  const keys = fc
    .dictionary(name, leaf, { maxKeys: 12, noNullPrototype: true })
    .filter((tree) => unlike(Object.keys(tree)));

  test('gives back the keys and values that were written', () => {
    fc.assert(
      fc.property(keys, values, name, (below, own, at) => {
        fc.pre(
          [own, ...Object.values(below).map((key) => key.values)].every((one) =>
            unlike(Object.keys(one)),
          ),
        );
        const tree: HiveKey = {
          keys: { Software: { keys: { [at]: { values: own, keys: below } } } },
        };
        const reader = file.holding(hiveBytes(tree));
        const wanted = new Set(
          [own, ...Object.values(below).map((key) => key.values)].flatMap((one) =>
            Object.keys(one).map((key) => key.toLowerCase()),
          ),
        );
        const lower = (one: Readonly<Record<string, string | number>>) =>
          new Map(Object.entries(one).map(([key, value]) => [key.toLowerCase(), value]));
        const read = openHive(file.path, reader)?.read(`SOFTWARE\\${at.toUpperCase()}`, wanted);
        expect(read?.values).toEqual(lower(own));
        expect(read?.keys).toEqual(
          new Map(Object.entries(below).map(([key, one]) => [key, lower(one.values)])),
        );
        expect(reader.problems).toEqual([]);
      }),
      runs(30),
    );
  });

  test('that was mangled is read within its bounds', () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [
        `Key ${at}`,
        { values: { DisplayName: `n${at}`, Size: at } },
      ]),
    );
    const sample = hiveBytes({ keys: { Software: { keys: many } } });
    fc.assert(
      fc.property(
        fc.oneof(mangled(sample), mangled(sample.subarray(0, 5000)), anyBytes),
        (bytes) => {
          const reader = file.holding(bytes);
          const read = openHive(file.path, reader)?.read(
            'Software',
            new Set(['displayname', 'size']),
          );
          expect(read?.keys.size ?? 0).toBeLessThanOrEqual(40);
          for (const { code } of reader.problems)
            expect(['malformed', 'too-many', 'vanished']).toContain(code);
        },
      ),
      runs(50),
    );
  });
});

describe('the text databases of packages', () => {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-text-databases-')));
  afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
  const scan = (system: string, names: readonly string[]) => {
    const world = folderWorld(root, 'linux', { catalogue });
    const named = new Map([[system, new Set(names)]]);
    return scanWorld({ ...world, named }, { detectors: [packages] }).components;
  };
  const empty = (): void => {
    for (const folder of ['var', 'lib'])
      fs.rmSync(path.join(root, folder), { recursive: true, force: true });
  };
  const told = (list: ReturnType<typeof scan>): unknown[] =>
    list.map(({ name, version: found, state }) => [name, found, state]).sort();
  const list = fc.uniqueArray(fc.record({ name: word, version }), {
    maxLength: 5,
    selector: ({ name }) => name,
  });

  test('of dpkg, apk and pacman tell of each wanted package once, in its version', () => {
    fc.assert(
      fc.property(
        list,
        fc.subarray(['dpkg', 'apk', 'pacman'], { minLength: 1, maxLength: 1 }),
        (all, [system = '']) => {
          // Names that the catalogue has are told of in any case.
          fc.pre(
            all.every(
              ({ name }) =>
                catalogue.match('dpkg', name) === null && name !== 'base-files' && name !== 'musl',
            ),
          );
          empty();
          const release = all.map((one) => ({
            ...one,
            version: system === 'dpkg' ? one.version : `${one.version}-1`,
          }));
          if (system === 'dpkg')
            made.dpkgStatus(
              root,
              ...release.map((one, at) =>
                made.dpkgRecord(
                  one,
                  at % 2 === 0 ? 'install ok installed' : 'deinstall ok config-files',
                ),
              ),
            );
          else if (system === 'apk')
            release.slice(0, 1).forEach((one) => made.apkInstalled(root, one, 'x'));
          else release.forEach((one) => made.pacmanLocal(root, one, 'x'));
          const held = system === 'apk' ? release.slice(0, 1) : release;
          const wanted = held.map((one, at) => [
            one.name,
            one.version,
            system === 'dpkg' && at % 2 === 1 ? 'residual' : 'installed',
          ]);
          expect(
            told(
              scan(
                system,
                all.map(({ name }) => name),
              ),
            ),
          ).toEqual(wanted.sort());
        },
      ),
      runs(15),
    );
  });

  test('give the records that hold the line asked for, whatever stands there', () => {
    const lines = [
      'Package: a\n',
      'Package: ab\n',
      ' Package: a\n',
      'Version: 1\n',
      '\n',
      '\n\n',
      'x',
      'Package: a',
    ];
    const text = fc.oneof(
      pieces(lines),
      anyText,
      mangledText(made.dpkgRecord({ name: 'a', version: '1' })),
    );
    fc.assert(
      fc.property(text, (written) => {
        const found = recordsOf(written, 'Package: ', new Set(['a']));
        const holding = written
          .split('\n\n')
          .filter((record) => /(?:^|\n)Package: a\n/.test(`${record}\n`));
        expect(found.length).toBeLessThanOrEqual(holding.length);
        for (const record of found) {
          expect(record).toMatch(/(?:^|\n)Package: a\n/);
          expect(written).toContain(record);
        }
      }),
      runs(120),
    );
    expect(pacmanName('a-b-1.0-2')).toBe('a-b');
  });

  test('in which one record names its package a million times are read at once', () => {
    expect(recordsOf('Package: a\n'.repeat(1_000_000), 'Package: ', new Set(['a']))).toHaveLength(
      1,
    );
    expect(recordsOf('Package: a\n\n'.repeat(1_000), 'Package: ', new Set(['a']))).toHaveLength(
      1_000,
    );
  });
});
