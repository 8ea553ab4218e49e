/**
 * The contract of a store, its part on assignments: whose exceptions reach which device, which of them
 * are open at an instant, what is set for one device and for all, and that no change goes unnoticed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../server/store/index.js';
import type { Device, StoredException } from '../../server/store/records.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { facts } from '../server/fixture.js';

const engines: readonly { name: string; open: (folder: string) => Store }[] = [
  { name: 'sqlite', open: (folder) => openSqliteStore(path.join(folder, 'server.db')) },
];

const device = (id: string, assignedUser: string | null = null): Device => ({
  id,
  publicKey: `key-of-${id}`,
  facts: { ...facts(id, `board-${id}`), assignedUser },
  group: null,
  label: null,
  enrolledAt: 1000,
  lastSeen: null,
  revokedAt: null,
  mayReplace: null,
});
const exception = (id: string, over: Partial<StoredException>): StoredException => ({
  id,
  tool: 'claude-code',
  person: null,
  device: null,
  hardwareId: null,
  reason: 'moving',
  author: 'kim',
  from: null,
  until: 9000,
  createdAt: 1000,
  endedAt: null,
  endedBy: null,
  ...over,
});
const subjects = (id: string, assignedUser: string | null = null, persons: string[] = []) => ({
  device: id,
  hardwareId: `board-${id}`,
  assignedUser,
  persons,
});

describe.each(engines)('$name', ({ open }) => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-store-'));
    store = open(folder);
    await store.write(async ({ devices }) => {
      await devices.add(device('d1', 'Ana@corp.example'));
      await devices.add(device('d2', 'ana@corp.example'));
      await devices.add(device('d3'));
    });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const add = (...exceptions: StoredException[]) =>
    store.write(async ({ assignments }) => {
      for (const one of exceptions) await assignments.addException(one);
    });
  const idsFor = async (...of: Parameters<typeof subjects>) =>
    (await store.read.assignments.openFor(subjects(...of), 5000)).map(({ id }) => id);

  test('an exception comes back as it was put, and is open until its end or until it is ended', async () => {
    const one = exception('a', { device: 'd1', from: 2000 });
    await add(one, exception('b', { device: 'd1', until: 5000, createdAt: 1001 }));
    const { assignments } = store.read;
    expect(await assignments.exception('a')).toEqual(one);
    expect((await assignments.open(4999)).map(({ id }) => id)).toEqual(['a', 'b']);
    expect((await assignments.open(5000)).map(({ id }) => id)).toEqual(['a']);
    await store.write((writing) => writing.assignments.endException('a', { at: 5100, by: 'kim' }));
    await store.write((writing) => writing.assignments.endException('a', { at: 5200, by: 'ben' }));
    expect(await assignments.open(4999)).toMatchObject([{ id: 'b' }]);
    expect(await assignments.exception('a')).toEqual({ ...one, endedAt: 5100, endedBy: 'kim' });
  });

  test('a device gets what names it, its hardware or its people, and nothing else', async () => {
    await add(
      exception('of-device', { device: 'd1' }),
      exception('of-hardware', { hardwareId: 'BOARD-d1' }),
      exception('of-assigned', { person: 'ana@corp.example' }),
      exception('of-account', { person: 'ben@d1' }),
      exception('of-mapped', { person: 'Kim@corp.example' }),
      exception('of-another', { device: 'd2' }),
      exception('of-nobody-here', { person: 'zoe' }),
    );
    expect((await idsFor('d1', 'ANA@corp.example')).sort()).toEqual(
      ['of-account', 'of-assigned', 'of-device', 'of-hardware'].sort(),
    );
    expect(await idsFor('d3', null, ['kim@corp.example'])).toEqual(['of-mapped']);
    expect(await idsFor('d3')).toEqual([]);
  });

  test('an exception reaches every device of its person and no device that was revoked', async () => {
    await store.write(({ assignments }) => assignments.setPerson('d3', 'kim', 'ana@corp.example'));
    const { assignments } = store.read;
    const person = exception('a', { person: 'ANA@corp.example' });
    expect([...(await assignments.reachedBy(person))].sort()).toEqual(['d1', 'd2', 'd3']);
    expect(await assignments.reachedBy(exception('b', { person: 'ben@d2' }))).toEqual(['d2']);
    expect(await assignments.reachedBy(exception('c', { hardwareId: 'board-d3' }))).toEqual(['d3']);
    await store.write(({ devices }) => devices.revoke('d2', 1));
    expect(await assignments.reachedBy(exception('d', { device: 'd2' }))).toEqual([]);
  });

  test('lists newest first without gaps, past ones only when asked for', async () => {
    const ids = Array.from({ length: 7 }, (_, index) => `e${index}`);
    await add(
      ...ids.map((id, index) => exception(id, { device: 'd1', createdAt: 1000 + (index >> 1) })),
    );
    await add(exception('past', { device: 'd1', until: 2000, createdAt: 900 }));
    const filter = { tool: 'claude-code', withPast: false, at: 5000 };
    const first = await store.read.assignments.list(filter, { limit: 4, after: null });
    const second = await store.read.assignments.list(filter, { limit: 4, after: first.next });
    expect([...first.rows, ...second.rows].map(({ id }) => id)).toEqual(ids.toReversed());
    expect([first.total, second.next]).toEqual([7, null]);
    const all = { ...filter, withPast: true };
    expect((await store.read.assignments.list(all, { limit: 9, after: null })).total).toBe(8);
    const other = { ...all, tool: 'codex' };
    expect((await store.read.assignments.list(other, { limit: 9, after: null })).rows).toEqual([]);
  });

  test('terms of a device and of all are kept apart, and begin empty', async () => {
    const nothing = {
      ...{ isPaused: false, pauseUntil: null, graceUntil: null },
      ...{ message: null, rescanAfter: null },
    };
    const some = {
      ...{ isPaused: true, pauseUntil: 7, graceUntil: 9 },
      ...{ message: { en: 'Hello' }, rescanAfter: 8 },
    };
    expect(await store.read.assignments.terms('d1')).toEqual(nothing);
    await store.write(({ assignments }) => assignments.setTerms(null, some));
    expect(await store.read.assignments.terms('d1')).toEqual(nothing);
    expect(await store.read.assignments.terms(null)).toEqual(some);
    await store.write(({ assignments }) => assignments.setTerms(null, nothing));
    expect(await store.read.assignments.terms(null)).toEqual(nothing);
  });

  test('changes are told once each, from where the last look ended', async () => {
    const { assignments } = store.read;
    const start = await assignments.lastChange();
    await store.write(async (writing) => {
      for (const id of ['d1', 'd2', 'd1']) await writing.assignments.touch(id);
    });
    const seen = await assignments.changesSince(start, 100);
    expect(seen).toMatchObject({ devices: ['d1', 'd2'], isEvery: false });
    await store.write((writing) => writing.assignments.touch(null));
    const next = await assignments.changesSince(seen.last, 100);
    expect(next).toMatchObject({ devices: [], isEvery: true });
    const none = await assignments.changesSince(next.last, 100);
    expect(none).toEqual({ last: next.last, devices: [], isEvery: false });
    expect(await assignments.lastChange()).toBe(next.last);
  });

  test('a group and the person of an account are set and taken back', async () => {
    await store.write(async ({ devices, assignments }) => {
      await devices.setGroup('d1', 'sales');
      await assignments.setPerson('d1', 'ana', 'a');
      await assignments.setPerson('d1', 'ana', 'b');
      await assignments.setPerson('d1', 'ben', 'c');
      await assignments.setPerson('d1', 'ben', null);
    });
    expect((await store.read.devices.get('d1'))?.group).toBe('sales');
    expect(await store.read.assignments.persons('d1')).toEqual([{ account: 'ana', person: 'b' }]);
  });
});
