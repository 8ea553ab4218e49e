/** Reports over a real socket: once, in order, acknowledged when durable, and the ways back into order. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeviceDetail } from '../../server/views.js';
import {
  changes,
  component,
  connect,
  enrolDevice,
  partial,
  snapshot,
  startServer,
  TestStream,
  type Enrolled,
  type Running,
} from './fixture.js';

let running: Running;
let device: Enrolled;

beforeEach(async () => {
  running = await startServer();
  device = await enrolDevice(running);
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

const detail = async (): Promise<DeviceDetail> =>
  (await (await running.get(`/devices/${device.id}`)).json()) as DeviceDetail;
const kinds = async (): Promise<string[]> => (await detail()).history.map(({ kind }) => kind);

describe('in order', () => {
  test('a snapshot and a change are acknowledged and show in the API', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([component('a')])));
    expect(await agent.next()).toEqual({ type: 'ack', stream: stream.name, seq: 1 });
    agent.send(stream.next(changes([component('b', { status: 'violation' })], ['a'.repeat(32)])));
    expect(await agent.next()).toEqual({ type: 'ack', stream: stream.name, seq: 2 });
    const { device: row, findings } = await detail();
    expect(row.state).toBe('violation');
    expect(findings).toMatchObject([
      { tool: 'claude-code', toolName: 'Claude Code', verdict: 'violation', replacement: 'qoder' },
    ]);
    expect(findings[0]?.components.map(({ id }) => id)).toEqual(['b'.repeat(32)]);
    expect(await kinds()).toContain('removed');
  });

  test('a report that was applied is acknowledged again and has no second effect', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    const first = stream.next(snapshot([component('a')]));
    agent.send(first);
    await agent.next();
    const before = await kinds();
    agent.send(first);
    expect(await agent.next()).toEqual({ type: 'ack', stream: stream.name, seq: 1 });
    expect(await kinds()).toEqual(before);
  });

  test('what an update leaves behind for a moment is told as a trace, without a verdict', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    const left = {
      ...component('b', { status: 'allowed', version: '2.1.90' }),
      state: 'residual' as const,
      path: '/usr/lib/node_modules/@anthropic-ai/.claude-code-2DTsDk1V',
    };
    const trace = { ...left, verdict: { ...left.verdict, rule: 'default' } };
    agent.send(stream.next(snapshot([component('a')])));
    agent.send(stream.next(changes([trace])));
    agent.send(stream.next(changes([], [trace.id])));
    for (const seq of [1, 2, 3]) {
      expect(await agent.next()).toEqual({ type: 'ack', stream: stream.name, seq });
    }
    const { history } = await detail();
    const ofTool = history.filter(({ tool }) => tool !== null).reverse();
    expect(ofTool.map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ['appeared', null, '2.1.91'],
      ['verdict', null, 'pending'],
      ['appeared', null, 'residual'],
      ['removed', 'residual', null],
    ]);
  });

  test('a verdict is told of a left-over that a rule names, and of one that is put to use', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    const named = { ...component('a', { status: 'violation' }), state: 'residual' as const };
    const left = { ...component('b', { status: 'allowed' }), state: 'residual' as const };
    const trace = { ...left, verdict: { ...left.verdict, rule: 'default' } };
    agent.send(stream.next(snapshot([named, trace])));
    agent.send(stream.next(changes([component('b', { status: 'violation' })])));
    for (const seq of [1, 2]) expect(await agent.next()).toMatchObject({ type: 'ack', seq });
    const { history } = await detail();
    const verdicts = history.filter(({ kind }) => kind === 'verdict');
    expect(verdicts.map(({ from, to }) => [from, to])).toEqual([
      [null, 'violation'],
      [null, 'violation'],
    ]);
  });

  test('a burst of reports is applied in its order', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([])));
    for (let version = 1; version <= 60; version += 1) {
      agent.send(stream.next(changes([component('a', { version: `2.1.${version}` })])));
    }
    let acked = 0;
    while (acked < 61) {
      const answer = await agent.next();
      expect(answer).toEqual({ type: 'ack', stream: stream.name, seq: acked + 1 });
      acked += 1;
    }
    const { findings, history } = await detail();
    expect(findings[0]?.components[0]?.version).toBe('2.1.60');
    const changed = history.filter(({ kind }) => kind === 'changed').reverse();
    expect(changed.map(({ to }) => to)).toEqual(
      Array.from({ length: 59 }, (_, index) => `2.1.${index + 2}`),
    );
  });

  test('what was acknowledged is there after a restart, and the chain goes on', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([component('a')])));
    await agent.next();
    const { folder } = running;
    await running.stop();
    running = await startServer({ folder });
    const again = await connect(running, device);
    expect(again.heard[0]).toMatchObject({ streams: [{ stream: stream.name, seq: 1 }] });
    again.send(stream.next(changes([], ['a'.repeat(32)])));
    expect(await again.next()).toEqual({ type: 'ack', stream: stream.name, seq: 2 });
    expect((await detail()).device.state).toBe('clear');
  });
});

describe('out of order', () => {
  test('a gap is answered with resync, and a snapshot at any seq heals it without removals', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([component('a'), component('b')])));
    await agent.next();
    stream.next(changes([component('c')]));
    agent.send(stream.next(changes([component('d')])));
    expect(await agent.next()).toEqual({ type: 'resync', stream: stream.name, reason: 'gap' });
    agent.send(stream.next(snapshot([component('b'), component('d')])));
    expect(await agent.next()).toEqual({ type: 'ack', stream: stream.name, seq: 4 });
    const ids = (await detail()).findings.flatMap(({ components }) =>
      components.map(({ id }) => id),
    );
    expect(ids.sort()).toEqual(['b'.repeat(32), 'd'.repeat(32)]);
    expect(await kinds()).not.toContain('removed');
  });

  test('resync is asked once, however many reports follow the gap', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([])));
    stream.next(changes([]));
    for (let count = 0; count < 5; count += 1) agent.send(stream.next(changes([])));
    agent.send(stream.next(snapshot([])));
    const answers = [await agent.next(), await agent.next(), await agent.next()];
    expect(answers.map(({ type }) => type)).toEqual(['ack', 'resync', 'ack']);
  });

  test('the same seq with another hash is answered with resync', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([component('a')])));
    await agent.next();
    const other = new TestStream({ kind: 'machine' }, stream.name);
    agent.send(other.next(snapshot([component('b')])));
    expect(await agent.next()).toEqual({
      type: 'resync',
      stream: stream.name,
      reason: 'hash-differs',
    });
    agent.send(other.next(snapshot([component('b')])));
    expect(await agent.next()).toEqual({ type: 'ack', stream: stream.name, seq: 2 });
  });

  test('a stream whose first report is not the first is asked for a snapshot', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    stream.next(snapshot([]));
    agent.send(stream.next(changes([component('a')])));
    expect(await agent.next()).toEqual({
      type: 'resync',
      stream: stream.name,
      reason: 'new-stream',
    });
  });

  test('a new stream of the machine replaces what the old one said', async () => {
    const agent = await connect(running, device);
    const old = new TestStream();
    agent.send(old.next(snapshot([component('a')])));
    await agent.next();
    const rebuilt = new TestStream();
    agent.send(rebuilt.next(snapshot([component('b')])));
    await agent.next();
    const ids = (await detail()).findings.flatMap(({ components }) =>
      components.map(({ id }) => id),
    );
    expect(ids).toEqual(['b'.repeat(32)]);
    expect(await kinds()).not.toContain('removed');
    agent.send(old.next(changes([component('c')])));
    expect(await agent.next()).toMatchObject({ type: 'resync', reason: 'new-stream' });
  });
});

describe('in parts', () => {
  test('a snapshot in parts applies when the last has come', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([component('a')])));
    await agent.next();
    agent.send(stream.next(snapshot([component('b')], { part: 1, parts: 2 })));
    expect(await agent.next()).toMatchObject({ type: 'ack', seq: 2 });
    const ids = async () =>
      (await detail()).findings.flatMap(({ components }) => components.map(({ id }) => id)).sort();
    expect(await ids()).toEqual(['a'.repeat(32)]);
    agent.send(stream.next(snapshot([component('c')], { part: 2, parts: 2 })));
    expect(await agent.next()).toMatchObject({ type: 'ack', seq: 3 });
    expect(await ids()).toEqual(['b'.repeat(32), 'c'.repeat(32)]);
  });

  test('a part without the one before is asked for again', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([], { part: 2, parts: 3 })));
    expect(await agent.next()).toMatchObject({ type: 'resync', reason: 'gap' });
  });
});

describe('what a stream may carry', () => {
  test("a person's stream with another person's component is refused", async () => {
    const agent = await connect(running, device);
    const stream = new TestStream({ kind: 'person', account: 'ana' });
    agent.send(stream.next(snapshot([component('a', { owner: 'ben' })])));
    expect(await agent.next()).toMatchObject({
      type: 'refused',
      code: 'REPORT_INVALID',
      stream: stream.name,
      seq: 1,
    });
    expect((await detail()).device.state).toBe('never-scanned');
  });

  test("the machine's stream carries nothing with an owner", async () => {
    const agent = await connect(running, device);
    agent.send(new TestStream().next(snapshot([component('a', { owner: 'ana' })])));
    expect(await agent.next()).toMatchObject({ type: 'refused', code: 'REPORT_INVALID' });
  });

  test('a hash that is not that of the report is refused', async () => {
    const agent = await connect(running, device);
    const report = new TestStream().next(snapshot([]));
    agent.send({ ...report, body: report.body.replace('"roots":12', '"roots":13') });
    expect(await agent.next()).toMatchObject({ type: 'refused', code: 'REPORT_INVALID' });
  });

  test("another device's stream is a stream of one's own, and changes nothing there", async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([component('a')])));
    await agent.next();
    const other = await enrolDevice(running, 'laptop-2');
    const liar = await connect(running, other);
    liar.send(stream.next(changes([], ['a'.repeat(32)])));
    expect(await liar.next()).toMatchObject({ type: 'resync', reason: 'new-stream' });
    expect((await detail()).findings).toHaveLength(1);
  });

  test('machine and persons add up to one device, partial where one is', async () => {
    const agent = await connect(running, device);
    agent.send(new TestStream().next(snapshot([component('a', { status: 'allowed' })])));
    await agent.next();
    const ana = new TestStream({ kind: 'person', account: 'ana' });
    agent.send(ana.next(snapshot([component('b', { owner: 'ana' })], { scan: partial })));
    await agent.next();
    const { device: row, scans } = await detail();
    expect([row.state, row.lastKnown]).toEqual(['partial', 'pending']);
    expect(scans.map(({ subject, scan }) => [subject, scan.status])).toEqual([
      ['machine', 'complete'],
      ['ana', 'partial'],
    ]);
  });
});
