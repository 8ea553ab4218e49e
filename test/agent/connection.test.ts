/**
 * The link against a real server over real sockets: documents come, reports go once and in order, and
 * whatever the network does in between changes nothing that is held.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LinkStatus } from '../../agent/report/connection.js';
import { indexCatalogue } from '../../policies/catalogue.js';
import type { Subject } from '../../wire/messages.js';
import { component, noon, snapshot, startServer, type Running } from '../server/fixture.js';
import {
  makeDevice,
  openDevice,
  publishBundle,
  startFront,
  until,
  type Front,
  type TestDevice,
} from './link-fixture.js';

const machine: Subject = { kind: 'machine' };
const ana: Subject = { kind: 'person', account: 'ana' };
const event = (detail: string) =>
  ({
    kind: 'event',
    at: new Date(noon).toISOString(),
    event: 'prompt-shown',
    tool: 'claude-code',
    rule: null,
    detail,
  }) as const;

let running: Running;
const open: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(one: T): T => {
  open.push(one);
  return one;
};
beforeEach(async () => {
  running = await startServer();
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await running.stop();
  running.remove();
});

async function deviceBehindFront(): Promise<{ front: Front; device: TestDevice }> {
  const front = keep(await startFront(running.url));
  return { front, device: keep(await makeDevice(running, { serverUrl: front.url })) };
}

/** Details of a device's events as the server has them on disk, oldest first. */
async function eventsOf(device: TestDevice): Promise<string[]> {
  const history = await running.store.read.reports.history(device.identity.deviceId, 1000);
  return history
    .filter((entry) => entry.kind === 'event')
    .map((entry) => (entry.detail ?? '').replace('prompt-shown ', ''))
    .reverse();
}

describe('documents', () => {
  test('bundle and assignment come with the welcome, and with the server’s time', async () => {
    await publishBundle(running, 1);
    const device = keep(await makeDevice(running));
    device.link();
    await until(() => device.documents.current().assignment !== null, 'an assignment');
    const { bundle, assignment } = device.documents.current();
    expect(bundle?.policies).toEqual([{ priority: 0, yaml: 'policy: p1\n' }]);
    expect(assignment).toMatchObject({ sequence: 1, group: 'engineering' });
    expect(device.times).toEqual([noon]);
    expect(device.refusals).toEqual([]);
  });

  test('a bundle published meanwhile is pulled and announced to the agent', async () => {
    const device = keep(await makeDevice(running));
    const link = device.link();
    await until(() => link.status().state === 'online', 'online');
    const seen: (number | undefined)[] = [];
    device.documents.onChange(() => seen.push(device.documents.current().bundle?.sequence));
    await publishBundle(running, 1);
    await until(() => seen.includes(1), 'bundle 1');
    await publishBundle(running, 2);
    await until(() => seen.includes(2), 'bundle 2');
  });

  test('the catalogue is fetched when the agent has another one, and once', async () => {
    const empty = indexCatalogue(
      { format: 1, tools: [], editors: [], advisories: [] },
      '0'.repeat(64),
    );
    const device = keep(await makeDevice(running, { builtIn: empty }));
    device.link();
    await publishBundle(running, 1);
    const { catalogue } = running.server.context;
    await until(
      () => device.documents.current().catalogue.sha256 === catalogue.sha256,
      'catalogue',
    );
    expect(device.documents.current().catalogue.tool('claude-code')?.id).toBe('claude-code');
    expect(device.documents.needsCatalogue()).toBe(false);
    await device.close();

    const { folder, identity } = device;
    const again = await openDevice({ running, folder, identity, builtIn: empty });
    open.splice(open.indexOf(device), 1, again);
    expect(again.documents.needsCatalogue()).toBe(false);
  });

  test('a catalogue without the hash that the bundle names is refused and told once', async () => {
    const device = keep(await makeDevice(running));
    device.link();
    await publishBundle(running, 1, { catalogue: { sha256: 'f'.repeat(64) } });
    await until(() => device.documents.current().assignment !== null, 'the assignment after it');
    expect(device.refusals.map(({ what, code }) => [what, code])).toEqual([
      ['catalogue', 'CATALOGUE_INVALID'],
    ]);
    expect(device.documents.current().bundle?.sequence).toBe(1);
  });
});

describe('reports', () => {
  test('made before and during the connection are on the server’s disk once and in order', async () => {
    const device = keep(await makeDevice(running));
    for (let n = 1; n <= 40; n += 1) device.outbox.append(machine, event(`m${n}`));
    for (let n = 1; n <= 40; n += 1) device.outbox.append(ana, event(`a${n}`));
    device.link();
    for (let n = 41; n <= 60; n += 1) device.outbox.append(machine, event(`m${n}`));
    await until(() => device.outbox.counts().pending === 0, 'all acknowledged');
    const events = await eventsOf(device);
    const numbers = (letter: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
    expect(events.filter((one) => one.startsWith('m'))).toEqual(numbers('m', 60));
    expect(events.filter((one) => one.startsWith('a'))).toEqual(numbers('a', 40));
  });

  test('survive a network that is cut again and again, none lost and none twice', async () => {
    const { front, device } = await deviceBehindFront();
    device.link();
    for (let n = 1; n <= 60; n += 1) {
      device.outbox.append(machine, event(`m${n}`));
      if (n % 10 === 0) front.cut();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => device.outbox.counts().pending === 0, 'all acknowledged');
    expect(await eventsOf(device)).toEqual(Array.from({ length: 60 }, (_, n) => `m${n + 1}`));
    expect(front.connections).toBeGreaterThan(2);
  });

  test('after a server restart on the same data go on where they were', async () => {
    const { front, device } = await deviceBehindFront();
    const link = device.link();
    device.outbox.append(machine, event('m1'));
    await until(() => device.outbox.counts().pending === 0, 'the first acknowledged');
    front.mode = { answer: '' };
    front.cut();
    await until(() => link.status().state === 'waiting', 'offline');
    device.outbox.append(machine, event('m2'));
    expect(await eventsOf(device)).toEqual(['m1']);
    front.mode = 'pass';
    await until(() => device.outbox.counts().pending === 0, 'the second acknowledged');
    expect(await eventsOf(device)).toEqual(['m1', 'm2']);
  });

  test('with a hole are answered by one request for a snapshot, which replaces them', async () => {
    const device = keep(await makeDevice(running));
    const asked: string[] = [];
    device.outbox.onResync((subject, reason) => {
      asked.push(reason);
      device.outbox.append(subject, snapshot([component('a')]));
    });
    const { stream, seq } = device.outbox.append(machine, event('lost'));
    device.outbox.refused(stream, seq, 'LOST');
    for (let n = 0; n < 50; n += 1) device.outbox.append(machine, event(`later ${n}`));
    device.link();
    await until(() => device.outbox.counts().pending === 0, 'all settled');
    expect(asked).toHaveLength(1);
    const stored = await running.store.read.reports.components(device.identity.deviceId);
    expect(stored.map((one) => one.component.id)).toEqual(['a'.repeat(32)]);
  });

  test('C086: one that will never be taken is set aside and the queue behind it moves', async () => {
    const device = keep(await makeDevice(running));
    device.outbox.onResync((subject) => {
      device.outbox.append(subject, snapshot([component('b')]));
    });
    device.outbox.append(machine, snapshot([component('a', { owner: 'ana' })]));
    device.outbox.append(machine, event('behind'));
    device.outbox.append(ana, event('beside'));
    device.link();
    await until(() => device.outbox.counts().pending === 0, 'all settled');
    expect(device.outbox.counts().setAside).toBe(1);
    expect(await eventsOf(device)).toContain('beside');
    const stored = await running.store.read.reports.components(device.identity.deviceId);
    expect(stored.map((one) => one.component.id)).toEqual(['b'.repeat(32)]);
  });
});

describe('a device', () => {
  test('that the server does not know says so and keeps everything', async () => {
    const device = keep(await makeDevice(running));
    device.outbox.append(machine, event('m1'));
    const identity = { ...device.identity, deviceId: 'somebody-else' };
    const link = device.link({ identity });
    await until(() => link.status().state === 'unknown-device', 'unknown');
    expect(link.status().problem?.code).toBe('DEVICE_UNKNOWN');
    expect(device.outbox.counts().pending).toBe(1);
  });

  test.each([
    ['three days behind', -3 * 24 * 3600_000],
    ['a year ahead', 365 * 24 * 3600_000],
  ])('whose clock is %s connects by the server’s time', async (_, offMs) => {
    const device = keep(await makeDevice(running));
    const problems: (string | undefined)[] = [];
    const link = device.link({ wallNow: () => running.clock.now + offMs });
    link.onStatus(({ problem }) => problems.push(problem?.code));
    await until(() => link.status().state === 'online', 'online');
    expect(problems).toContain('DEVICE_CLOCK_SKEW');
    expect(device.times).toEqual([noon]);
  });

  test('finds the server that moved to another port, and no other server takes its token', async () => {
    const device = keep(await makeDevice(running));
    device.outbox.append(machine, event('m1'));
    await running.stop();
    const other = await startServer();
    const refused = device.link({ serverUrl: other.url });
    await until(() => refused.status().problem !== null, 'refused');
    expect(refused.status()).toMatchObject({
      problem: { code: expect.stringMatching(/^DEVICE_/) as string },
      lastOnline: null,
    });
    await refused.close();
    await other.stop();
    other.remove();

    running = await startServer({ folder: running.folder });
    expect(running.url).not.toBe(device.identity.serverUrl);
    const link = device.link({ serverUrl: running.url });
    await until(() => device.outbox.counts().pending === 0, 'acknowledged at the new address');
    expect(link.status().state).toBe('online');
    expect(await eventsOf(device)).toEqual(['m1']);
  });

  test('that is closed while it connects is closed at once', async () => {
    const { front, device } = await deviceBehindFront();
    front.mode = 'hold';
    const link = device.link({ timing: { handshakeMs: 300_000 } });
    await until(() => front.connections > 1, 'connecting');
    await link.close();
    expect(link.status().state).toBe('closed');
  });
});

describe('a network', () => {
  test('C080: half-open is given up after two heartbeats, and the missed bundle comes', async () => {
    const { front, device } = await deviceBehindFront();
    const problems = new Set<string | undefined>();
    const link = device.link({ timing: { heartbeatMs: 250, handshakeMs: 400 } });
    link.onStatus(({ problem }) => problems.add(problem?.code));
    await until(() => link.status().state === 'online', 'online');
    front.mode = 'hold';
    await publishBundle(running, 1);
    await until(() => link.status().state !== 'online', 'noticed');
    expect(problems).toContain('SILENT');
    expect(device.documents.current().bundle).toBeNull();
    front.mode = 'pass';
    await until(() => device.documents.current().bundle?.sequence === 1, 'the missed bundle');
  });

  test('C080: after sleep the connection is not trusted and opened anew', async () => {
    const device = keep(await makeDevice(running));
    let aheadMs = 0;
    const problems = new Set<string | undefined>();
    const link = device.link({
      wallNow: () => running.clock.now + aheadMs,
      timing: { heartbeatMs: 50 },
    });
    link.onStatus(({ problem }) => problems.add(problem?.code));
    await until(() => link.status().state === 'online', 'online');
    aheadMs = 140_000;
    await until(() => device.times.length >= 2, 'a second welcome');
    expect(problems).toContain('WOKE');
  });

  test('C084: behind a captive portal is offline; all is kept, and real again it connects', async () => {
    const { front, device } = await deviceBehindFront();
    await publishBundle(running, 1);
    const link = device.link();
    await until(() => device.documents.current().assignment !== null, 'documents');
    device.outbox.append(machine, event('m1'));
    await until(() => device.outbox.counts().pending === 0, 'acknowledged');

    const page = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n';
    const json = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{';
    const moved =
      'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n';
    const seen: LinkStatus[] = [];
    link.onStatus((status) => seen.push(status));
    for (const mode of [
      { answer: `${page}<h1>Sign in</h1>` },
      { answer: moved },
      { answer: page, flood: true },
      { answer: json, flood: true },
    ]) {
      front.mode = mode;
      const before = front.requests.length;
      front.cut();
      await until(() => front.requests.length >= before + 2, 'tried twice');
    }
    const codes = new Set(seen.map(({ problem }) => problem?.code));
    expect([...codes].filter((code) => code !== undefined)).toContain('captive-portal');
    expect(codes).toContain('not-curfew');
    expect(seen.some(({ state }) => state === 'online')).toBe(false);
    device.outbox.append(machine, event('m2'));
    expect(device.documents.current()).toMatchObject({
      bundle: { sequence: 1 },
      assignment: { sequence: 1 },
    });

    front.mode = 'pass';
    front.cut();
    await until(() => device.outbox.counts().pending === 0, 'the report made offline');
    expect(await eventsOf(device)).toEqual(['m1', 'm2']);
  });

  test('without a server is tried with full jitter under a bound that doubles to its cap', async () => {
    const { front, device } = await deviceBehindFront();
    await front.close();
    const waits: number[] = [];
    const link = device.link({
      random: () => 0.5,
      timing: { backoffBaseMs: 4, backoffCapMs: 30 },
    });
    link.onStatus(({ retryAt, problem }) => {
      if (retryAt !== null) waits.push(retryAt - running.clock.now);
      expect([undefined, 'unreachable']).toContain(problem?.code);
    });
    await until(() => waits.length >= 6, 'six tries');
    expect(waits.slice(0, 6)).toEqual([2, 4, 8, 15, 15, 15]);
  });

  test('where the server asks for patience waits at least that long', async () => {
    const { front, device } = await deviceBehindFront();
    front.mode = {
      answer:
        'HTTP/1.1 503 Unavailable\r\nRetry-After: 7\r\nContent-Type: application/problem+json\r\n' +
        'Content-Length: 38\r\n\r\n{"code":"SERVER_BUSY","detail":"busy"}',
    };
    const link = device.link();
    await until(() => link.status().state === 'waiting', 'waiting');
    const { problem, retryAt } = link.status();
    expect(problem).toEqual({ code: 'SERVER_BUSY', message: 'busy' });
    expect(retryAt).toBeGreaterThanOrEqual(running.clock.now + 7000);
    front.mode = 'pass';
    link.wake();
    await until(() => link.status().state === 'online', 'online after wake');
  });
});
