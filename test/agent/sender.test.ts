/**
 * The order of sending against a server that says what a busy, slow or wrong one would: a scripted
 * WebSocket on loopback, so that each answer comes exactly when the test wants it.
 */
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { writePins, type Identity } from '../../agent/identity-files.js';
import { openLink, type Link } from '../../agent/report/connection.js';
import { openDocuments } from '../../agent/report/documents.js';
import { openOutbox, type Outbox } from '../../agent/report/outbox.js';
import type { Timing } from '../../agent/report/session.js';
import { openStore } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { noFloor } from '../../wire/bundle.js';
import { makeDeviceKey } from '../../wire/identity.js';
import type { FromAgent, FromServer, Report } from '../../wire/messages.js';
import { parseMessage } from '../../wire/parse.js';
import { facts, noon } from '../server/fixture.js';
import { directNetwork, temporaryFolder, until } from './link-fixture.js';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Scripted {
  readonly link: Link;
  readonly outbox: Outbox;
  readonly heard: FromAgent[];
  readonly reports: () => Report[];
  connections: number;
  say(message: FromServer): void;
}

/** A device linked to a server that greets and then says only what `onReport` and the test say. */
async function scripted(
  onReport: (report: Report, say: Scripted['say']) => void = () => undefined,
  timing: Partial<Timing> = {},
) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  let socket: WebSocket | null = null;
  const heard: FromAgent[] = [];
  const say = (message: FromServer): void => socket?.send(JSON.stringify(message));
  server.on('connection', (opened) => {
    socket = opened;
    state.connections += 1;
    opened.on('message', (text: Buffer) => {
      const parsed = parseMessage('from-agent', text);
      if (parsed.kind === 'invalid') throw new Error(`${parsed.path} ${parsed.message}`);
      heard.push(parsed.value);
      if (parsed.value.type === 'hello') say(welcome);
      if (parsed.value.type === 'report') onReport(parsed.value, say);
    });
  });
  const { port } = server.address() as AddressInfo;
  const device = await deviceFor(`http://127.0.0.1:${port}`, timing);
  const state: Scripted = {
    ...device,
    heard,
    reports: () => heard.filter((one) => one.type === 'report'),
    connections: 0,
    say,
  };
  closers.unshift(() => void server.close());
  return state;
}

const welcome: FromServer = {
  type: 'welcome',
  deviceId: 'device-1',
  time: new Date(noon).toISOString(),
  bundleSequence: 0,
  assignmentSequence: 0,
  streams: [],
  checkInMinutes: 60,
};

async function deviceFor(
  serverUrl: string,
  timing: Partial<Timing>,
): Promise<{ link: Link; outbox: Outbox }> {
  const folder = temporaryFolder();
  const key = await makeDeviceKey();
  const ids = { serverId: 'server-1', deviceId: 'device-1' };
  const identity: Identity = {
    format: 1,
    serverUrl,
    ...ids,
    key,
    policyKey: 'unverified',
    enrolledAt: new Date(noon).toISOString(),
  };
  writePins(folder, { format: 1, ...ids, policyKey: key.x, bundle: noFloor, assignment: noFloor });
  const store = openStore(folder);
  const now = (): number => noon;
  const outbox = openOutbox({ store, now });
  const builtIn = builtInCatalogue();
  const kept = { dataFolder: folder, identity, store, builtIn, now, onRefused: () => undefined };
  const link = openLink({
    identity,
    serverUrl,
    documents: await openDocuments(kept),
    outbox,
    network: directNetwork,
    facts: () => facts('laptop-1'),
    onTime: () => undefined,
    random: () => 0,
    timing: { backoffBaseMs: 5, ...timing },
  });
  closers.push(async () => {
    await link.close();
    store.close();
  });
  return { link, outbox };
}

const append = (outbox: Outbox, count: number): void => {
  for (let n = 0; n < count; n += 1) {
    const at = new Date(noon).toISOString();
    const event = { kind: 'event', at, event: 'prompt-shown', tool: null, rule: null } as const;
    outbox.append({ kind: 'machine' }, { ...event, detail: null });
  }
};
const seqs = (reports: readonly Report[]): number[] => reports.map(({ seq }) => seq);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('sending', () => {
  test('stops at 32 unacknowledged reports and goes on as they are acknowledged', async () => {
    const { outbox, reports, say } = await scripted();
    append(outbox, 40);
    await until(() => reports().length >= 32, '32 reports');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seqs(reports())).toEqual(range(1, 32));
    say({ type: 'ack', stream: reports()[0]?.stream ?? '', seq: 5 });
    await until(() => reports().length >= 37, 'five more');
    expect(seqs(reports())).toEqual(range(1, 37));
    expect(outbox.counts()).toMatchObject({ pending: 35, acknowledged: 5 });
  });

  test('after `busy` sends all that is not acknowledged again, in order, and not before the wait', async () => {
    let isBusy = true;
    const { outbox, reports } = await scripted(({ stream, seq }, answer) => {
      if (isBusy && seq === 3) answer({ type: 'busy', retryAfterMs: 120 });
      else if (!isBusy || seq < 3) answer({ type: 'ack', stream, seq });
    });
    append(outbox, 5);
    await until(() => reports().length === 5, 'the first five');
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(reports()).toHaveLength(5);
    isBusy = false;
    await until(() => outbox.counts().pending === 0, 'all acknowledged');
    expect(seqs(reports())).toEqual([1, 2, 3, 4, 5, 3, 4, 5]);
  });

  test('believes no acknowledgement of what was never sent', async () => {
    const { outbox, reports, say } = await scripted();
    append(outbox, 40);
    await until(() => reports().length === 32, '32 reports');
    say({ type: 'ack', stream: reports()[0]?.stream ?? '', seq: 1000 });
    await until(() => reports().length === 40, 'the rest');
    expect(outbox.counts()).toMatchObject({ pending: 8, acknowledged: 32 });
    expect(seqs(reports())).toEqual(range(1, 40));
  });

  test('asks for one snapshot in a burst of requests, and sends nothing that waited before it', async () => {
    const { outbox, reports, say } = await scripted();
    let asked = 0;
    outbox.onResync(() => (asked += 1));
    append(outbox, 40);
    await until(() => reports().length === 32, '32 reports');
    const stream = reports()[0]?.stream ?? '';
    for (let n = 0; n < 10; n += 1) say({ type: 'resync', stream, reason: 'gap' });
    await until(() => asked > 0, 'a request');
    append(outbox, 1);
    await until(() => reports().length > 32, 'the next report');
    expect([asked, seqs(reports())]).toEqual([1, [...range(1, 32), 41]]);
    say({ type: 'ack', stream, seq: 41 });
    await until(() => outbox.counts().pending === 0, 'what waited is settled by it');
  });

  test('without an acknowledgement in time connects anew and sends again', async () => {
    const state = await scripted(undefined, { heartbeatMs: 40, answerMs: 250 });
    append(state.outbox, 1);
    await until(() => state.connections >= 2, 'a second connection');
    await until(() => state.reports().length >= 2, 'the report again');
    expect(seqs(state.reports()).slice(0, 2)).toEqual([1, 1]);
  });

  test('sets aside a report that no frame can carry', async () => {
    const { outbox, reports } = await scripted(({ stream, seq }, answer) =>
      answer({ type: 'ack', stream, seq }),
    );
    const at = new Date(noon).toISOString();
    const detail = '"'.repeat(600_000);
    const event = { kind: 'event', at, event: 'skipped', tool: null, rule: null, detail } as const;
    outbox.append({ kind: 'machine' }, event);
    append(outbox, 1);
    await until(() => outbox.counts().pending === 0, 'settled');
    expect(outbox.counts()).toMatchObject({ acknowledged: 1, setAside: 1 });
    expect(seqs(reports())).toEqual([2]);
  });
});

describe('a server', () => {
  test('that speaks nonsense or of another device is left and tried again', async () => {
    const state = await scripted();
    const seen = new Set<string | undefined>();
    state.link.onStatus(({ problem }) => seen.add(problem?.code));
    await until(() => state.link.status().state === 'online', 'online');
    state.say({ type: 'nonsense' } as unknown as FromServer);
    await until(() => seen.has('REQUEST_INVALID'), 'left');
    await until(() => state.connections >= 2 && state.link.status().state === 'online', 'back');
    state.say({ ...welcome, deviceId: 'device-2' } as FromServer);
    await until(() => state.link.status().state === 'unknown-device', 'unknown');
  });

  test('that offers a bundle within a spread is asked for it once', async () => {
    const { link, heard, say } = await scripted();
    await until(() => link.status().state === 'online', 'online');
    for (let n = 0; n < 5; n += 1) {
      say({ type: 'available', what: 'bundle', sequence: 3, spreadMs: 20 });
    }
    await until(() => heard.some(({ type }) => type === 'get'), 'a request');
    say({ type: 'document', what: 'bundle', content: 'forged' });
    await new Promise((resolve) => setTimeout(resolve, 60));
    const asked = heard.filter((one) => one.type === 'get');
    expect(asked).toEqual([
      { type: 'get', what: 'bundle', policyKey: expect.any(String) as string },
    ]);
  });
});
