/**
 * Situations of `test/cases/README.md` that concern the server, by their ids: cloned and renamed
 * devices, what a refusal may change, lost answers, and how old answers are counted.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { revokeDevice } from '../../server/enrol.js';
import type { Compliance, DeviceDetail, DevicePage } from '../../server/views.js';
import type { ScanState } from '../../wire/messages.js';
import {
  changes,
  component,
  connect,
  enrolDevice,
  hello,
  noon,
  snapshot,
  startServer,
  TestAgent,
  TestStream,
  tokenOf,
  type Enrolled,
  type Running,
} from './fixture.js';

let running: Running;

beforeEach(async () => {
  running = await startServer();
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

const get = async <T>(route: string): Promise<T> => (await (await running.get(route)).json()) as T;
const devices = async () => (await get<DevicePage>('/devices')).devices;
const caseFile = (name: string): unknown =>
  JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../cases', name), 'utf8'));

interface CaseDevice {
  readonly id: string;
  readonly lastScan: 'complete' | 'partial' | null;
  readonly lastScanAt: string | null;
  readonly violations: readonly string[];
  readonly retired?: boolean;
}
type CaseCounts = Record<'compliant' | 'nonCompliant' | 'stale' | 'never' | 'partial', number>;

const scanOf = ({ lastScan, lastScanAt }: CaseDevice): ScanState => ({
  status: lastScan ?? 'complete',
  at: lastScanAt ?? '',
  lastComplete: lastScan === 'complete' ? lastScanAt : null,
  roots: 3,
  notRead: [],
});

const counts = async (): Promise<CaseCounts & { enrolled: number }> => {
  const { states, total } = await get<Compliance>('/compliance');
  return {
    enrolled: total,
    compliant: states.clear,
    nonCompliant: states.violation,
    stale: states.stale,
    never: states['never-scanned'],
    partial: states.partial,
  };
};

test('C112 old answers are stale, never clear, and all states add up to the enrolled', async () => {
  const fleet = caseFile('C112/devices.json') as { now: string; devices: CaseDevice[] };
  const expected = caseFile('C112/expected.json') as {
    enrolled: number;
    before: CaseCounts;
    afterDeletingRuleR: CaseCounts;
  };
  const streams = new Map<string, TestStream>();
  const enrolled = new Map<string, Enrolled>();
  for (const one of fleet.devices) {
    running.clock.now = Date.parse(one.lastScanAt ?? '2026-06-01T00:00:00Z');
    const device = await enrolDevice(running, one.id);
    enrolled.set(one.id, device);
    if (one.lastScan === null) continue;
    const agent = await connect(running, device);
    const stream = new TestStream();
    streams.set(one.id, stream);
    const found = one.violations.map(() => component('a', { status: 'violation' }));
    agent.send(stream.next(snapshot(found, { scan: scanOf(one) })));
    expect((await agent.next()).type).toBe('ack');
    await agent.close();
    if (one.retired === true) {
      await revokeDevice(running.store, { id: device.id, actor: 'ana', now: running.clock.now });
    }
  }
  running.clock.now = Date.parse(fleet.now);
  const { enrolled: total } = expected;
  expect(await counts()).toEqual({ enrolled: total, ...expected.before });
  // Rule R is deleted: the one device with R that is online judges anew and says so.
  const online = fleet.devices.find(({ id }) => id === 'dev-004');
  const [device, stream] = [enrolled.get('dev-004'), streams.get('dev-004')];
  if (online === undefined || device === undefined || stream === undefined) throw new Error('C112');
  const agent = await connect(running, device);
  agent.send(stream.next(changes([component('a', { status: 'allowed' })], [], scanOf(online))));
  expect((await agent.next()).type).toBe('ack');
  expect(await counts()).toEqual({ enrolled: total, ...expected.afterDeletingRuleR });
});

test('C065 a wiped device that enrols again starts empty, its history stays with the old one', async () => {
  const old = await enrolDevice(running, 'laptop-1', 'board-7');
  const agent = await connect(running, old);
  const found = ['a', 'b', 'c'].map((digit) => component(digit, { status: 'violation' }));
  agent.send(new TestStream().next(snapshot(found)));
  await agent.next();
  expect(await counts()).toMatchObject({ enrolled: 1, nonCompliant: 1 });
  await revokeDevice(running.store, { id: old.id, actor: 'ana', now: noon });
  expect(await counts()).toMatchObject({ enrolled: 0, nonCompliant: 0 });
  const renewed = await enrolDevice(running, 'laptop-1', 'board-7');
  const again = await connect(running, renewed);
  again.send(new TestStream().next(snapshot([])));
  await again.next();
  expect(await counts()).toMatchObject({ enrolled: 1, compliant: 1, nonCompliant: 0 });
  const { findings, history } = await get<DeviceDetail>(`/devices/${renewed.id}`);
  expect([findings, history.filter(({ kind }) => kind === 'appeared')]).toEqual([[], []]);
  expect((await running.store.read.reports.history(old.id, 100)).length).toBeGreaterThan(3);
});

test('C091 clones with one hardware id are three devices that do not take over from each other', async () => {
  const clones: Enrolled[] = [];
  for (const name of ['a', 'b', 'c']) clones.push(await enrolDevice(running, name, 'serial-1'));
  expect(new Set(clones.map(({ id }) => id)).size).toBe(3);
  const marks = await Promise.all(
    clones.map(async ({ id }) => (await running.store.read.devices.get(id))?.mayReplace ?? null),
  );
  expect(marks[0]).toBeNull();
  expect(marks.slice(1).every((mark) => clones.some(({ id }) => id === mark))).toBe(true);
  const streams = clones.map(() => new TestStream());
  const links = await Promise.all(clones.map((clone) => connect(running, clone)));
  for (let cycle = 0; cycle < 10; cycle += 1) {
    for (const [index, link] of links.entries()) {
      const found = index === 0 ? [component('a', { status: 'violation' })] : [];
      link.send(streams[index]?.next(snapshot(found)));
      expect((await link.next()).type).toBe('ack');
    }
  }
  const states = new Map((await devices()).map(({ id, state }) => [id, state]));
  expect(clones.map(({ id }) => states.get(id))).toEqual(['violation', 'clear', 'clear']);
});

test('C093 a renamed host is one device, and two hosts of one name are two', async () => {
  const device = await enrolDevice(running, 'ws-17');
  const agent = await new TestAgent(running.url, await tokenOf(device, noon)).opened();
  agent.send(hello('ana-laptop'));
  await agent.next();
  await enrolDevice(running, 'localhost');
  await enrolDevice(running, 'localhost');
  expect((await devices()).map(({ hostName }) => hostName)).toEqual([
    'ana-laptop',
    'localhost',
    'localhost',
  ]);
});

test('C095 no refusal makes a new device on the server', async () => {
  const device = await enrolDevice(running);
  const tokens = [
    await tokenOf(device, noon + 3_600_000),
    await tokenOf(device, noon - 6 * 60_000),
    (await tokenOf(device, noon)).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    await tokenOf({ ...device, id: 'nobody' }, noon),
  ];
  for (const token of tokens) {
    await expect(new TestAgent(running.url, token).opened()).rejects.toThrow('401');
  }
  expect((await devices()).map(({ id }) => id)).toEqual([device.id]);
});

test('C101 a batch whose answers were lost is stored once when it is sent again', async () => {
  const device = await enrolDevice(running);
  const agent = await connect(running, device);
  const stream = new TestStream();
  const batch = [stream.next(snapshot([]))];
  while (batch.length < 9) {
    batch.push(stream.next(changes([component('a', { version: `1.0.${batch.length}` })])));
  }
  for (const report of batch.slice(0, 8)) agent.send(report);
  await expect
    .poll(async () => (await running.store.read.reports.stream(device.id, stream.name))?.seq, {
      timeout: 20_000,
    })
    .toBe(8);
  agent.socket.terminate();
  const again = await connect(running, device);
  for (const report of batch) again.send(report);
  const foreign = new TestStream({ kind: 'person', account: 'ana' });
  again.send(foreign.next(snapshot([component('b', { owner: 'ben' })])));
  const answers = [];
  while (answers.length < 10) answers.push(await again.next());
  expect(answers.filter(({ type }) => type === 'ack')).toHaveLength(9);
  expect(answers.filter(({ type }) => type === 'refused')).toMatchObject([
    { code: 'REPORT_INVALID', stream: foreign.name, seq: 1 },
  ]);
  const { history } = await get<DeviceDetail>(`/devices/${device.id}`);
  expect(history.filter(({ kind }) => kind === 'changed')).toHaveLength(7);
});
