/** The database itself: versions, damage, durability of small files. */
import fs from 'node:fs';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { readSmall, readSmallJson, writeAtomic } from '../../agent/files.js';
import { databaseName, openStore } from '../../agent/store.js';
import { schemaVersion } from '../../agent/store-schema.js';
import { makeComponent, makeFolder } from './store-fixture.js';

test('what was stored is there after the database is opened again', () => {
  const folder = makeFolder();
  const first = openStore(folder);
  first.putComponent(makeComponent('codex'), 1000);
  first.close();
  const second = openStore(folder);
  second.putComponent(makeComponent('codex', { version: '2.0.0' }), 5000);
  const [stored] = second.components();
  expect(stored?.component.version).toBe('2.0.0');
  expect([stored?.firstSeen, stored?.lastSeen]).toEqual([1000, 5000]);
  expect(second.setAsideAs).toBeNull();
  second.close();
});

test('it is WAL, waits for the disk, and nobody else may read it', () => {
  const folder = makeFolder();
  openStore(folder).close();
  const file = path.join(folder, databaseName);
  const db = new Sqlite(file);
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(db.pragma('user_version', { simple: true })).toBe(schemaVersion);
  db.close();
  expect(fs.statSync(file).mode & 0o077).toBe(0);
});

test('a database of a newer version is refused and left as it is', () => {
  const folder = makeFolder();
  openStore(folder).close();
  const db = new Sqlite(path.join(folder, databaseName));
  db.pragma(`user_version = ${schemaVersion + 1}`);
  db.close();
  expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'STORE_NEWER' }));
  const after = new Sqlite(path.join(folder, databaseName));
  expect(after.pragma('user_version', { simple: true })).toBe(schemaVersion + 1);
  after.close();
});

const damages: readonly (readonly [string, (file: string) => void])[] = [
  ['overwritten in the middle', (file) => overwrite(file, 8192, 4096)],
  ['without its head', (file) => overwrite(file, 0, 100)],
  ['cut to half', (file) => fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2))],
];

function overwrite(file: string, at: number, bytes: number): void {
  const descriptor = fs.openSync(file, 'r+');
  fs.writeSync(descriptor, Buffer.alloc(bytes, 0xa5), 0, bytes, at);
  fs.closeSync(descriptor);
}

test.each(damages)('a database %s is set aside, kept, and begun anew', (_, damage) => {
  const folder = makeFolder();
  const store = openStore(folder);
  for (let n = 0; n < 300; n += 1) store.putComponent(makeComponent(`tool-${n}`), 1000);
  store.close();
  const file = path.join(folder, databaseName);
  damage(file);
  const size = fs.statSync(file).size;
  const fresh = openStore(folder, { nowMs: Date.UTC(2026, 6, 1) });
  expect(fresh.setAsideAs).toBe(`${file}.damaged-2026-07-01T00-00-00-000Z`);
  expect(fs.statSync(fresh.setAsideAs ?? '').size).toBe(size);
  expect(fresh.components()).toEqual([]);
  fresh.close();
});

test('an empty file in its place is a new database', () => {
  const folder = makeFolder();
  fs.writeFileSync(path.join(folder, databaseName), '');
  const store = openStore(folder);
  expect(store.components()).toEqual([]);
  store.close();
});

test('a look beside a running agent needs no right to write and makes nothing', () => {
  const folder = makeFolder();
  expect(() => openStore(folder, { isReadOnly: true })).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND' }),
  );
  const running = openStore(folder);
  running.putComponent(makeComponent('codex'), 1000);
  const beside = openStore(folder, { isReadOnly: true });
  expect(beside.components()).toHaveLength(1);
  expect(() => beside.putComponent(makeComponent('x'), 1)).toThrow(/readonly/);
  beside.close();
  running.close();
});

test('a small file is replaced whole, is its owner’s alone, and leaves nothing beside it', () => {
  const folder = makeFolder();
  const file = path.join(folder, 'identity.json');
  writeAtomic(file, '{"a":1}');
  writeAtomic(file, '{"a":2}');
  expect(readSmallJson(file)).toEqual({ a: 2 });
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect(fs.readdirSync(folder)).toEqual(['identity.json']);
  expect(readSmall(path.join(folder, 'none'))).toBeNull();
  expect(() => readSmall(folder)).toThrow(/not a regular file/);
});
