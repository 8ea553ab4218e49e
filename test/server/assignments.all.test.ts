/**
 * Assignments of a large fleet: an exception for somebody is a matter of their devices, whatever the
 * number of all the others and of their exceptions.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { assignmentOf } from '../../server/assignment.js';
import { addException } from '../../server/exceptions.js';
import { readOrMakeKeys } from '../../server/keys.js';
import type { StoredException } from '../../server/store/records.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { changeTerms } from '../../server/terms.js';
import { facts } from './fixture.js';

const now = Date.UTC(2026, 6, 9);
const devices = 100_000;
const people = 50_000;

const exceptionOf = (index: number): StoredException => ({
  ...{ id: `e${index}`, tool: 'claude-code', person: null, device: null, hardwareId: null },
  ...{ reason: 'moving', author: 'kim', from: null, until: now + 1e9, createdAt: now },
  ...{ endedAt: null, endedBy: null },
  ...[{ device: `d${index}` }, { person: `u${index}@corp` }, { hardwareId: `b${index}` }][
    index % 3
  ],
});

test(
  'of a hundred thousand devices only those are looked at whom a change concerns',
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'curfew-assignments-'));
    const file = path.join(folder, 'server.db');
    const store = openSqliteStore(file);
    try {
      const keys = await readOrMakeKeys(folder);
      const issuer = { serverId: store.serverId, keys, now };
      await store.write(async (writing) => {
        for (let index = 0; index < devices; index += 1) {
          const assignedUser = `u${index % people}@corp`;
          await writing.devices.add({
            ...{ id: `d${index}`, publicKey: `k${index}`, group: null, label: null, enrolledAt: 1 },
            ...{ lastSeen: null, revokedAt: null, mayReplace: null },
            facts: { ...facts(`h${index}`, `b${index}`), assignedUser },
          });
        }
        for (let index = 0; index < 20_000; index += 1) {
          await writing.assignments.addException(exceptionOf(index));
        }
      });
      const issue = (ids: readonly string[]) =>
        store.write(async (writing) => {
          const issued = [];
          for (const id of ids) {
            const device = await writing.devices.get(id);
            if (device !== null) issued.push(await assignmentOf(writing, device, issuer));
          }
          return issued;
        });
      const some = Array.from({ length: 300 }, (_, index) => `d${index}`);
      await issue(some);
      const database = new Database(file, { readonly: true });
      const rows = () =>
        database.prepare('SELECT device, sequence FROM assignments ORDER BY 1').all();
      const before = rows();

      const { assignments } = store.read;
      const last = await assignments.lastChange();
      const made = await addException(
        { store, catalogue: builtInCatalogue(), now },
        {
          ...{
            tool: 'codex',
            person: 'U77@corp',
            device: null,
            hardwareId: null,
            reason: 'moving',
          },
          ...{ author: 'kim', from: null, until: '2026-08-01', zone: 'utc' },
        },
        'kim',
      );
      expect([...made.devices].sort()).toEqual(['d50077', 'd77']);
      const changed = await assignments.changesSince(last, 100);
      expect(changed).toMatchObject({ devices: ['d50077', 'd77'], isEvery: false });
      expect(rows()).toEqual(before);
      const again = await issue(some);
      expect(again.filter(({ isNew }) => isNew).map(({ assignment }) => assignment.device)).toEqual(
        ['d77'],
      );

      // One row says it for all of them; each gets its own when it comes.
      await changeTerms(store, {
        device: null,
        actor: 'kim',
        now,
        change: { pause: { until: null, zone: null } },
      });
      expect(await assignments.changesSince(changed.last, 100)).toMatchObject({
        devices: [],
        isEvery: true,
      });
      expect((await issue(['d9'])).map(({ isNew }) => isNew)).toEqual([true]);
      database.close();
    } finally {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
