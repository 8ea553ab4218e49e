/** What is SQLite's alone: files of other versions, damaged files, how it is opened. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../server/store/sqlite.js';

describe('a SQLite file', () => {
  const inFolder = async (work: (file: string) => Promise<void> | void): Promise<void> => {
    const folder = mkdtempSync(path.join(tmpdir(), 'curfew-store-'));
    try {
      await work(path.join(folder, 'server.db'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test('of a newer server is refused and left alone', () =>
    inFolder(async (file) => {
      await openSqliteStore(file).close();
      const database = new Database(file);
      database.pragma('user_version = 999');
      database.close();
      expect(() => openSqliteStore(file)).toThrow(
        expect.objectContaining({ code: 'STORE_NEWER' }) as Error,
      );
    }));

  test('that is no database is refused by name', () =>
    inFolder((file) => {
      writeFileSync(file, 'no database at all, but long enough to be looked at\n'.repeat(50));
      expect(() => openSqliteStore(file)).toThrow(
        expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error,
      );
    }));

  test('writes with WAL and synchronous FULL, and its audit log takes no changes', () =>
    inFolder(async (file) => {
      const store = openSqliteStore(file);
      await store.write((writing) =>
        writing.people.addAudit({
          seq: 1,
          at: 1,
          actor: 'ana',
          action: 'x',
          subject: null,
          detail: null,
          prev: '',
          hash: '',
        }),
      );
      await store.close();
      const database = new Database(file);
      expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
      expect(() => database.exec("UPDATE audit SET actor = 'ben'")).toThrow('append-only');
      expect(() => database.exec('DELETE FROM audit')).toThrow('append-only');
      database.close();
    }));
});
