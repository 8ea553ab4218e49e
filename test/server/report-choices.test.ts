/**
 * What a policy's choices bring to the server, over a real socket and back through the API: mere counts,
 * gateways and reasons, what may not come, what is forgotten, and a database of before.
 */
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { migrations } from '../../server/store/migrations.js';
import type { DeviceDetail } from '../../server/views.js';
import type { KindCounts, ReportBody, ReportedComponent } from '../../wire/messages.js';
import {
  changes,
  component,
  connect,
  enrolDevice,
  snapshot,
  startServer,
  TestStream,
  type Enrolled,
  type Running,
  type TestAgent,
} from './fixture.js';

let running: Running;
let device: Enrolled;
let agent: TestAgent;
let stream: TestStream;

beforeEach(async () => {
  running = await startServer();
  device = await enrolDevice(running);
  agent = await connect(running, device);
  stream = new TestStream();
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

const detail = async (): Promise<DeviceDetail> =>
  (await (await running.get(`/devices/${device.id}`)).json()) as DeviceDetail;
/** Sends a body and answers with the type of the answer. */
async function report(body: ReportBody): Promise<string> {
  agent.send(stream.next(body));
  const answer = await agent.next();
  return answer.type === 'refused' ? answer.message : answer.type;
}
const counting = (body: ReportBody, of: KindCounts): ReportBody =>
  ({ ...body, counts: of }) as ReportBody;
const counts = async () => (await detail()).scans.map((one) => one.counts);

test('counts show in the API as they were last told, and go when none are told', async () => {
  expect(await report(counting(snapshot([component('a')]), { candidate: 3, model: 0 }))).toBe(
    'ack',
  );
  expect(await counts()).toEqual([{ candidate: 3, model: 0 }]);
  expect(await report(counting(changes([]), { candidate: 4 }))).toBe('ack');
  expect(await counts()).toEqual([{ candidate: 4 }]);
  expect(await report(counting(changes([]), {}))).toBe('ack');
  expect(await counts()).toEqual([{}]);
});

test('a report of an agent that knows no counts is taken', async () => {
  expect(await report(snapshot([component('a')]))).toBe('ack');
  expect(await report(changes([component('b')]))).toBe('ack');
  expect(await counts()).toEqual([{}]);
});

test('counts of a snapshot in parts are those of the whole, not their sum', async () => {
  const part = (digit: string, number: number) =>
    counting(snapshot([component(digit)], { part: number, parts: 2 }), { mcp: 5 });
  expect(await report(part('a', 1))).toBe('ack');
  expect(await report(part('b', 2))).toBe('ack');
  expect(await counts()).toEqual([{ mcp: 5 }]);
  expect((await detail()).findings[0]?.components).toHaveLength(2);
});

test('gateway and reasons come back as they were told, and are left out where none were', async () => {
  const guess = {
    ...component('b', { tool: null, status: 'review' }),
    name: 'new-agent',
    candidateReasons: ['declares-mcp', 'speaks-acp'],
  } satisfies ReportedComponent;
  const sent = { ...component('a'), gateway: 'llm.example.com' };
  expect(await report(snapshot([sent, guess, component('c')]))).toBe('ack');
  const components = (await detail()).findings.flatMap((finding) => finding.components);
  const byId = new Map(components.map((one) => [one.id[0], one]));
  expect(byId.get('a')).toEqual(sent);
  expect(byId.get('b')).toEqual(guess);
  expect(Object.keys(byId.get('c') ?? {})).not.toContain('gateway');
  expect(Object.keys(byId.get('c') ?? {})).not.toContain('candidateReasons');
});

test('what is withheld from now on is forgotten without a removal', async () => {
  const server = { ...component('b', { tool: null, status: 'review' }), name: 'tickets' };
  await report(snapshot([component('a'), server]));
  expect(await report(counting(snapshot([component('a')]), {}))).toBe('ack');
  const { findings, history, device: row } = await detail();
  expect(JSON.stringify(findings)).not.toContain('tickets');
  expect(history.map(({ kind }) => kind)).not.toContain('removed');
  expect(history[0]).toMatchObject({ kind: 'snapshot', from: '2', to: '1' });
  expect(row.hasReview).toBe(false);
});

describe('what may not come is refused by its place', () => {
  const withField = (change: Record<string, unknown>): ReportBody =>
    snapshot([{ ...component('a'), ...change } as ReportedComponent]);

  test.each([
    ['a user and password', withField({ gateway: 'ana:secret@llm.example.com' }), '/gateway'],
    ['an address', withField({ gateway: 'https://llm.example.com/v1' }), '/gateway'],
    ['a port', withField({ gateway: 'llm.example.com:8443' }), '/gateway'],
    ['a gateway too long', withField({ gateway: 'x'.repeat(254) }), '/gateway'],
    ['a reason of no list', withField({ candidateReasons: ['looks-odd'] }), '/candidateReasons'],
    ['no reason', withField({ candidateReasons: [] }), '/candidateReasons'],
    ['a count below zero', counting(snapshot([]), { mcp: -1 } as KindCounts), '/counts/mcp'],
    ['half of one', counting(snapshot([]), { mcp: 0.5 } as KindCounts), '/counts/mcp'],
    ['a kind of no list', counting(snapshot([]), { 'zebra-model': 1 } as KindCounts), '/counts'],
  ])('%s', async (_, body, place) => {
    expect(await report(body)).toContain(place);
    expect((await detail()).findings).toEqual([]);
  });
});

test('a database of the first version is taken on, with what it holds', async () => {
  const file = path.join(running.folder, 'old.db');
  const old = new Database(file);
  old.exec(migrations[0] ?? '');
  old.pragma('user_version = 1');
  old.exec("INSERT INTO server (id, created_at) VALUES ('server-1', 1)");
  const { firstSeen, evidence, verdict, ...plain } = component('a');
  const row: Readonly<Record<string, unknown>> = {
    ...plain,
    device: 'd1',
    subject: 'machine',
    first_seen: firstSeen,
    evidence: JSON.stringify(evidence),
    verdict: JSON.stringify(verdict),
  };
  const names = Object.keys(row);
  const places = names.map((name) => `@${name}`).join();
  old.prepare(`INSERT INTO components (${names.join()}) VALUES (${places})`).run(row);
  const scan = { status: 'complete', at: firstSeen, lastComplete: null, roots: 1, notRead: [] };
  old.prepare("INSERT INTO scans VALUES ('d1', 'machine', ?, 5)").run(JSON.stringify(scan));
  old.close();
  const store = openSqliteStore(file);
  expect(await store.read.reports.components('d1')).toEqual([
    { device: 'd1', subject: 'machine', component: component('a') },
  ]);
  expect(await store.read.reports.scans('d1')).toEqual([
    { subject: 'machine', scan, counts: {}, receivedAt: 5 },
  ]);
  await store.close();
});
