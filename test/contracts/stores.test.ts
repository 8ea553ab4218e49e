/**
 * The contract of a store: one suite for every engine. What is written is there after reopening, all
 * or nothing, one write after another; counts are exact; pages have no gap. An engine joins by one
 * line in `engines`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../server/store/index.js';
import type { Device, DeviceStatus, HistoryRecord, Stream } from '../../server/store/records.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { component, facts, type Status } from '../server/fixture.js';

const engines: readonly { name: string; open: (folder: string) => Store }[] = [
  { name: 'sqlite', open: (folder) => openSqliteStore(path.join(folder, 'server.db')) },
];

const device = (id: string, hostName = id): Device => ({
  id,
  publicKey: `key-of-${id}`,
  facts: facts(hostName, `board-${id}`),
  group: null,
  label: null,
  enrolledAt: 1000,
  lastSeen: null,
  revokedAt: null,
  mayReplace: null,
});
const status = (id: string, over: Partial<DeviceStatus>): DeviceStatus => ({
  device: id,
  standing: 'clear',
  freshAt: 5000,
  worst: null,
  hasReview: false,
  findings: 0,
  bundleSequence: null,
  ...over,
});
const stream = (over: Partial<Stream> = {}): Stream => ({
  device: 'd1',
  stream: 's1',
  subject: 'machine',
  seq: 3,
  hash: 'f'.repeat(64),
  hasBase: true,
  isAwaitingSnapshot: false,
  part: 0,
  isSuperseded: false,
  ...over,
});

describe.each(engines)('$name', ({ open }) => {
  let folder: string;
  let store: Store;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-store-'));
    store = open(folder);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const addDevices = (...ids: string[]) =>
    store.write(async (writing) => {
      for (const id of ids) await writing.devices.add(device(id));
    });

  describe('writes', () => {
    test('are there after reopening, and the server keeps its id', async () => {
      await addDevices('d1');
      const { serverId } = store;
      await store.close();
      store = open(folder);
      expect(store.serverId).toBe(serverId);
      expect(await store.read.devices.get('d1')).toEqual(device('d1'));
      expect(await store.read.devices.byKey('key-of-d1')).toEqual(device('d1'));
      expect(await store.read.devices.byHardware('board-d1')).toEqual(device('d1'));
    });

    test('that fail leave nothing, and the next one works', async () => {
      const failing = store.write(async (writing) => {
        await writing.devices.add(device('d1'));
        throw new Error('in the middle');
      });
      await expect(failing).rejects.toThrow('in the middle');
      expect(await store.read.devices.get('d1')).toBeNull();
      await addDevices('d1');
      expect(await store.read.devices.get('d1')).not.toBeNull();
    });

    test('are not seen by reads before they are committed', async () => {
      await store.write(async (writing) => {
        await writing.devices.add(device('d1'));
        expect(await writing.devices.get('d1')).not.toBeNull();
        expect(await store.read.devices.get('d1')).toBeNull();
      });
      expect(await store.read.devices.get('d1')).not.toBeNull();
    });

    test('run one after another, also when they pause', async () => {
      const order: string[] = [];
      const slow = store.write(async (writing) => {
        order.push('slow begins');
        await new Promise((resolve) => setTimeout(resolve, 20));
        await writing.devices.add(device('d1'));
        order.push('slow ends');
      });
      const quick = store.write(async (writing) => {
        order.push('quick begins');
        expect(await writing.devices.get('d1')).not.toBeNull();
      });
      await Promise.all([slow, quick]);
      expect(order).toEqual(['slow begins', 'slow ends', 'quick begins']);
    });

    test('of two devices with one key are refused', async () => {
      await addDevices('d1');
      const twin = { ...device('d2'), publicKey: 'key-of-d1' };
      await expect(store.write((writing) => writing.devices.add(twin))).rejects.toThrow();
    });
  });

  describe('enrolment tokens', () => {
    test('are used as often as they may, and not once more', async () => {
      const base = { group: 'g', label: null, createdAt: 1, expiresAt: 9, isRevoked: false };
      const id = await store.write((writing) =>
        writing.tokens.add({ ...base, hash: 'h', usesLeft: 2 }),
      );
      const use = () => store.write((writing) => writing.tokens.use(id));
      expect([await use(), await use(), await use()]).toEqual([true, true, false]);
      expect(await store.read.tokens.byHash('h')).toEqual({ ...base, id, hash: 'h', usesLeft: 0 });
      await store.write((writing) => writing.tokens.revoke(id));
      expect((await store.read.tokens.byHash('h'))?.isRevoked).toBe(true);
      expect(await store.read.tokens.byHash('other')).toBeNull();
    });
  });

  describe('reports', () => {
    test('streams, raw reports and scans come back as they were put', async () => {
      const raw = {
        device: 'd1',
        stream: 's1',
        seq: 3,
        sha256: 'a'.repeat(64),
        body: '{"x":"√"}',
        receivedAt: 77,
      };
      const scan = {
        status: 'partial' as const,
        at: '2026-07-09T12:00:00Z',
        lastComplete: null,
        roots: 2,
        notRead: [{ root: '~/x', status: 'timeout' as const }],
      };
      const counts = { model: 0, candidate: 3 };
      await store.write(async (writing) => {
        await writing.reports.putStream(stream());
        await writing.reports.putStream(stream({ seq: 4, isAwaitingSnapshot: true, part: 2 }));
        await writing.reports.putRaw(raw);
        await writing.reports.putScan('d1', { subject: 'machine', scan, counts, receivedAt: 5 });
      });
      const expected = stream({ seq: 4, isAwaitingSnapshot: true, part: 2 });
      expect(await store.read.reports.stream('d1', 's1')).toEqual(expected);
      expect(await store.read.reports.streams('d1')).toEqual([expected]);
      expect(await store.read.reports.stream('d2', 's1')).toBeNull();
      expect(await store.read.reports.raw('d1', 's1', 3)).toEqual(raw);
      expect(await store.read.reports.raw('d1', 's1', 4)).toBeNull();
      expect(await store.read.reports.scans('d1')).toEqual([
        { subject: 'machine', scan, counts, receivedAt: 5 },
      ]);
    });

    test('components belong to a device and a subject', async () => {
      const told = { candidateReasons: ['speaks-acp' as const], gateway: 'llm.example.com' };
      const own = {
        device: 'd1',
        subject: 'person:ana',
        component: { ...component('a'), ...told },
      };
      const same = { device: 'd1', subject: 'machine', component: component('a') };
      await store.write(async (writing) => {
        await writing.reports.putComponent(own);
        await writing.reports.putComponent(same);
        await writing.reports.putComponent({ ...own, device: 'd2' });
      });
      expect(await store.read.reports.components('d1', 'person:ana')).toEqual([own]);
      expect(await store.read.reports.components('d1')).toHaveLength(2);
      await store.write((writing) =>
        writing.reports.removeComponent('d1', 'person:ana', 'a'.repeat(32)),
      );
      expect(await store.read.reports.components('d1')).toEqual([same]);
      const id = 'a'.repeat(32);
      expect(await store.read.reports.component('d2', 'person:ana', id)).not.toBeNull();
    });

    test('history comes newest first and old things are forgotten in bounded steps', async () => {
      const record = (at: number): HistoryRecord => ({
        at,
        kind: 'event',
        tool: null,
        component: null,
        from: null,
        to: null,
        detail: String(at),
      });
      const records = [1, 2, 3, 4].map(record);
      await store.write((writing) => writing.reports.addHistory('d1', records));
      expect(await store.read.reports.history('d1', 2)).toEqual([record(4), record(3)]);
      const prune = () => store.write((writing) => writing.reports.prune(4, 2));
      expect([await prune(), await prune(), await prune()]).toEqual([2, 1, 0]);
      expect(await store.read.reports.history('d1', 9)).toEqual([record(4)]);
    });
  });

  describe('the fleet', () => {
    test('states add up to the devices, and staleness is a matter of the question', async () => {
      await addDevices('d1', 'd2', 'd3', 'd4', 'd5');
      await store.write(async (writing) => {
        await writing.devices.setStatus(status('d2', { standing: 'violation', hasReview: true }));
        await writing.devices.setStatus(status('d3', { standing: 'clear', freshAt: 6000 }));
        await writing.devices.setStatus(status('d4', { standing: 'partial', freshAt: 1 }));
        await writing.devices.setStatus(status('d5', { standing: 'pending', freshAt: null }));
      });
      const states = async (before: number) =>
        Object.entries(await store.read.compliance.states(before)).filter(([, n]) => n > 0);
      expect(await states(5000)).toEqual([
        ['never-scanned', 1],
        ['partial', 1],
        ['stale', 1],
        ['violation', 1],
        ['clear', 1],
      ]);
      expect(await states(5001)).toEqual([
        ['never-scanned', 1],
        ['partial', 1],
        ['stale', 2],
        ['clear', 1],
      ]);
      expect(await store.read.compliance.reviewed()).toBe(1);
      const stale = { state: 'stale' as const, search: null };
      const page = await store.read.devices.list(stale, { limit: 9, after: null }, 5001);
      expect(page.rows.map((row) => [row.device.id, row.state, row.lastKnown])).toEqual([
        ['d2', 'stale', null],
        ['d5', 'stale', null],
      ]);
    });

    test('a revoked device is outside every count and list', async () => {
      await addDevices('d1', 'd2');
      await store.write((writing) => writing.devices.revoke('d1', 5));
      expect((await store.read.compliance.states(0))['never-scanned']).toBe(1);
      const all = { state: null, search: null };
      const page = await store.read.devices.list(all, { limit: 9, after: null }, 0);
      expect(page.rows.map((row) => row.device.id)).toEqual(['d2']);
      expect(await store.read.devices.summary('d1', 0)).toBeNull();
      expect((await store.read.devices.get('d1'))?.revokedAt).toBe(5);
      expect(await store.read.devices.revokedSince(5)).toEqual(['d1']);
      expect(await store.read.devices.revokedSince(6)).toEqual([]);
      expect(await store.read.devices.byHardware('board-d1')).toBeNull();
    });

    test('findings count by tool and page worst first', async () => {
      const finding = (id: string, tool: string, at: Status, version = '1.0.0') => ({
        device: id,
        key: tool,
        tool,
        name: tool,
        verdict: component('a', { status: at }).verdict,
        firstSeen: 1,
        versions: [{ channel: 'npm' as const, manager: 'npm', purl: 'pkg:npm/', version }],
      });
      await addDevices('d1', 'd2', 'd3');
      await store.write(async (writing) => {
        await writing.reports.setFindings('d1', [finding('d1', 'x', 'approved')]);
        await writing.reports.setFindings('d1', [
          finding('d1', 'x', 'violation'),
          finding('d1', 'y', 'approved'),
        ]);
        await writing.reports.setFindings('d2', [finding('d2', 'x', 'pending', '2.0.0')]);
        await writing.reports.setFindings('d3', [finding('d3', 'x', 'violation')]);
      });
      expect(await store.read.compliance.tools()).toEqual([
        { tool: 'x', devices: 3, violation: 2, pending: 1 },
        { tool: 'y', devices: 1, violation: 0, pending: 0 },
      ]);
      const counted = await store.read.compliance.versions(['x', 'of-nobody']);
      expect(counted.map((row) => [row.tool, row.versions[0]?.version, row.devices])).toEqual([
        ['x', '1.0.0', 2],
        ['x', '2.0.0', 1],
      ]);
      const seen: string[] = [];
      const filter = { tool: 'x', verdict: null, device: null };
      let after: readonly string[] | null = null;
      do {
        const page = await store.read.compliance.findings(filter, { limit: 1, after });
        expect(page.total).toBe(3);
        seen.push(...page.rows.map((row) => `${row.device} ${row.verdict.status}`));
        after = page.next;
      } while (after !== null);
      expect(seen).toEqual(['d1 violation', 'd3 violation', 'd2 pending']);
    });

    test('the trend keeps one point for an instant', async () => {
      const states = await store.read.compliance.states(0);
      await store.write(async (writing) => {
        await writing.compliance.putTrend({ at: 60, states });
        await writing.compliance.putTrend({ at: 60, states: { ...states, clear: 2 } });
        await writing.compliance.putTrend({ at: 120, states });
      });
      const points = await store.read.compliance.trend(60);
      expect(points.map(({ at, states: { clear } }) => [at, clear])).toEqual([
        [60, 2],
        [120, 0],
      ]);
      expect(await store.read.compliance.trend(61)).toHaveLength(1);
    });
  });

  describe('policies and people', () => {
    test('the newest bundle comes with its policies in order, the newest assignment with its device', async () => {
      const policy = (name: string) => ({
        policy: name,
        yaml: `policy: ${name}\n`,
        sequence: 1,
        publishedAt: 1,
        author: 'ana',
      });
      const bundle = (sequence: number, names: readonly string[]) => ({
        sequence,
        jws: `jws-${sequence}`,
        publishedAt: sequence,
        author: 'ana',
        catalogueSha256: 'c'.repeat(64),
        policies: names.map(policy),
      });
      expect(await store.read.policies.latest()).toBeNull();
      expect(await store.read.policies.latestSequence()).toBe(0);
      await store.write(async (writing) => {
        await writing.policies.addBundle(bundle(1, ['b']));
        await writing.policies.addBundle(bundle(2, ['b', 'a']));
        for (const sequence of [1, 2]) {
          const jws = `assignment-${sequence}`;
          await writing.policies.addAssignment({ device: 'd1', sequence, jws, issuedAt: 1 });
        }
      });
      expect(await store.read.policies.latest()).toEqual(bundle(2, ['b', 'a']));
      expect(await store.read.policies.latestSequence()).toBe(2);
      expect((await store.read.policies.assignment('d1'))?.jws).toBe('assignment-2');
      expect(await store.read.policies.assignment('d2')).toBeNull();
      const again = store.write((writing) => writing.policies.addBundle(bundle(2, [])));
      await expect(again).rejects.toThrow();
    });

    test('a link is taken once, sessions end, users keep their last role', async () => {
      const pass = { hash: 'h', user: 'ana', expiresAt: 10 };
      await store.write(async (writing) => {
        await writing.people.putUser({ name: 'ana', role: 'viewer', createdAt: 1 });
        await writing.people.putUser({ name: 'ana', role: 'admin', createdAt: 2 });
        await writing.people.addLink(pass);
        await writing.people.addSession(pass);
      });
      expect(await store.read.people.user('ana')).toEqual({
        name: 'ana',
        role: 'admin',
        createdAt: 1,
      });
      const take = () => store.write((writing) => writing.people.takeLink('h'));
      expect([await take(), await take()]).toEqual([pass, null]);
      expect(await store.read.people.session('h')).toEqual(pass);
      await store.write((writing) => writing.people.removeExpired(9));
      expect(await store.read.people.session('h')).toEqual(pass);
      await store.write((writing) => writing.people.removeExpired(10));
      expect(await store.read.people.session('h')).toBeNull();
    });

    test('an audit entry stands at its place once', async () => {
      const entry = {
        seq: 1,
        at: 1,
        actor: 'ana',
        action: 'policy.publish',
        subject: null,
        detail: null,
        prev: '0'.repeat(64),
        hash: 'a'.repeat(64),
      };
      await store.write((writing) => writing.people.addAudit(entry));
      expect(await store.read.people.lastAudit()).toEqual(entry);
      expect(await store.read.people.audit(0, 10)).toEqual([entry]);
      expect(await store.read.people.audit(1, 10)).toEqual([]);
      const again = store.write((writing) => writing.people.addAudit(entry));
      await expect(again).rejects.toThrow();
    });
  });
});
