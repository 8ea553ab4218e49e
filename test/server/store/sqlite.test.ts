/** What is SQLite's alone: files of other versions, damaged files, how it is opened. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { migrations } from '../../../server/store/migrations.js';
import { openSqliteStore } from '../../../server/store/sqlite.js';
import { component, facts } from '../fixture.js';

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

  test('counts the devices of each set of versions through every change', () =>
    inFolder(async (file) => {
      const store = openSqliteStore(file);
      const { verdict } = component('a');
      const finding = (device: string, tool: string | null, version: string | null) => ({
        device,
        key: tool ?? 'npm:x',
        tool,
        name: 'x',
        verdict,
        firstSeen: 1,
        versions:
          version === null ? [] : [{ channel: 'npm' as const, manager: null, purl: null, version }],
      });
      const device = fc.constantFrom('d1', 'd2', 'd3');
      const found = fc.record({
        tool: fc.constantFrom('x', 'y', null),
        version: fc.constantFrom('1', '2', null),
      });
      const change = fc.record({
        device,
        findings: fc.uniqueArray(found, { selector: ({ tool }) => tool, maxLength: 3 }),
        isRevoked: fc.boolean(),
      });
      await store.write(async (writing) => {
        for (const id of ['d1', 'd2', 'd3'])
          await writing.devices.add({
            id,
            publicKey: id,
            facts: facts(id),
            group: null,
            label: null,
            enrolledAt: 1,
            lastSeen: null,
            revokedAt: null,
            mayReplace: null,
          });
      });
      // What each device has, kept here by hand.
      const has = new Map<string, readonly string[]>();
      await fc.assert(
        fc.asyncProperty(change, async ({ device: id, findings, isRevoked }) => {
          await store.write(async (writing) => {
            if (isRevoked) await writing.devices.revoke(id, 5);
            else
              await writing.reports.setFindings(
                id,
                findings.map(({ tool, version }) => finding(id, tool, version)),
              );
          });
          const own = findings.flatMap(({ tool, version }) =>
            tool !== null && version !== null ? `${tool} ${version}` : [],
          );
          has.set(id, isRevoked ? [] : own);
          const expected = Map.groupBy([...has.values()].flat().sort(), (one) => one);
          const counted = await store.read.compliance.versions(['x', 'y']);
          expect(
            counted.map((row) => [`${row.tool} ${row.versions[0]?.version}`, row.devices]),
          ).toEqual([...expected].map(([key, group]) => [key, group.length]));
        }),
        { seed: 3, numRuns: 200 },
      );
      await store.close();
    }));

  test('of a server without these counts is counted when it is taken on', () =>
    inFolder(async (file) => {
      const old = new Database(file);
      for (const step of migrations.slice(0, 3)) old.exec(step);
      old.pragma('user_version = 3');
      old.exec("INSERT INTO server (id, created_at) VALUES ('server-1', 1)");
      const put = old.prepare(
        "INSERT INTO findings VALUES (?, 'x', ?, 'x', 0, 'violation', '{}', 1, ?)",
      );
      const versions = '[{"channel":"npm","manager":null,"purl":null,"version":"1"}]';
      put.run('d1', 'x', versions);
      put.run('d2', 'x', versions);
      put.run('d3', 'x', '[]');
      put.run('d4', null, '[]');
      old.close();
      const store = openSqliteStore(file);
      expect(await store.read.compliance.versions(['x'])).toEqual([
        { tool: 'x', versions: JSON.parse(versions) as unknown, devices: 2 },
      ]);
      await store.close();
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
