/** Connections of agents: who is let in, what they are told, and what ends a connection. */
import { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { revokeDevice } from '../../server/enrol.js';
import { planAndPublish } from './publishing.js';
import type { ProblemJson } from '../../server/views.js';
import { verifyAssignment } from '../../wire/assignment.js';
import { noFloor, verifyBundle } from '../../wire/bundle.js';
import { sha256Hex } from '../../wire/digest.js';
import { deviceToken, makeDeviceKey } from '../../wire/identity.js';
import { subprotocol } from '../../wire/messages.js';
import {
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
import { banPolicy } from './policies.js';

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

const publishBan = (effective = '2026-07-10') =>
  planAndPublish(
    {
      store: running.store,
      keys: running.server.context.keys,
      catalogue: builtInCatalogue(),
      now: running.clock.now,
    },
    { yaml: banPolicy(effective), author: 'ana' },
  );

/** How an upgrade is refused: status, Date and problem. */
async function refusal(
  token: string | null,
  { protocol = subprotocol, path = '/api/v1/agent' } = {},
): Promise<{ status: number; date: string; problem: ProblemJson }> {
  const socket = new WebSocket(`${running.url.replace('http', 'ws')}${path}`, protocol, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('it was let in')));
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          date: response.headers.date ?? '',
          problem: JSON.parse(body) as ProblemJson,
        }),
      );
    });
  });
}

describe('who is let in', () => {
  test('a device with its own fresh token is greeted with the time and its sequences', async () => {
    const agent = await new TestAgent(running.url, await tokenOf(device, noon)).opened();
    agent.send(hello());
    expect(await agent.next()).toEqual({
      type: 'welcome',
      deviceId: device.id,
      time: '2026-07-09T12:00:00.000Z',
      bundleSequence: 0,
      assignmentSequence: 1,
      streams: [],
      checkInMinutes: 60,
    });
    expect(agent.socket.protocol).toBe('curfew.v1');
  });

  test('a token is good for one connection', async () => {
    const token = await tokenOf(device, noon);
    await new TestAgent(running.url, token).opened();
    expect(await refusal(token)).toMatchObject({
      status: 401,
      problem: { code: 'DEVICE_TOKEN_INVALID' },
    });
  });

  test("a token signed with another key is refused, with the server's time in Date", async () => {
    const stranger = await makeDeviceKey();
    const forged = await deviceToken({
      deviceId: device.id,
      privateKey: stranger,
      audience: device.answer.serverId,
      nowMs: noon,
    });
    expect(await refusal(forged)).toMatchObject({
      status: 401,
      date: 'Thu, 09 Jul 2026 12:00:00 GMT',
      problem: { code: 'DEVICE_TOKEN_INVALID' },
    });
  });

  test.each([
    ['expired', noon - 6 * 60_000, 'DEVICE_TOKEN_EXPIRED'],
    ['from a clock a day ahead', noon + 86_400_000, 'DEVICE_CLOCK_SKEW'],
  ])('a token that is %s is refused by name', async (_name, at, code) => {
    expect((await refusal(await tokenOf(device, at))).problem.code).toBe(code);
  });

  test('no token, an unknown device and a foreign protocol have their own codes', async () => {
    expect((await refusal(null)).problem.code).toBe('DEVICE_TOKEN_INVALID');
    expect((await refusal('not.a.token')).problem.code).toBe('DEVICE_TOKEN_INVALID');
    const unknown = await tokenOf({ ...device, id: 'nobody' }, noon);
    expect((await refusal(unknown)).problem.code).toBe('DEVICE_UNKNOWN');
    const token = await tokenOf(device, noon);
    expect((await refusal(token, { protocol: 'curfew.v9' })).problem.code).toBe('REQUEST_INVALID');
    expect(await refusal(token, { path: '/api/v1/else' })).toMatchObject({
      status: 404,
      problem: { code: 'NOT_FOUND' },
    });
  });

  test('a revoked device is not let in, and its open connection stores nothing more', async () => {
    const agent = await connect(running, device);
    await running.store.write((writing) => writing.devices.revoke(device.id, noon));
    expect((await refusal(await tokenOf(device, noon))).problem.code).toBe('DEVICE_REVOKED');
    agent.send(new TestStream().next(snapshot([])));
    expect(await agent.next()).toMatchObject({ type: 'refused', code: 'DEVICE_REVOKED' });
    expect(await agent.whenClosed()).toBe(1008);
  });

  test('a device that another process revokes is turned out', async () => {
    const agent = await connect(running, device);
    const { store, clock } = running;
    await revokeDevice(store, { id: device.id, actor: 'ana', now: clock.now });
    expect(await agent.whenClosed()).toBe(1008);
    expect((await store.read.people.lastAudit())?.action).toBe('device.revoke');
  });

  test('the newest connection of a device is the one that lives', async () => {
    const first = await connect(running, device);
    const second = await connect(running, device);
    expect(await first.whenClosed()).toBe(4001);
    second.send(new TestStream().next(snapshot([])));
    expect((await second.next()).type).toBe('ack');
  });
});

describe('documents', () => {
  test('a publish reaches a connected agent, and what it pulls verifies against the pinned key', async () => {
    const agent = await connect(running, device);
    await publishBan();
    await running.server.announcePublished();
    expect(await agent.next()).toMatchObject({ type: 'available', what: 'bundle', sequence: 1 });
    agent.send({ type: 'get', what: 'bundle' });
    const document = await agent.next();
    if (document.type !== 'document') throw new Error(document.type);
    const verified = await verifyBundle(document.content, {
      pinnedKey: device.answer.policyKey,
      floor: noFloor,
      server: device.answer.serverId,
    });
    if (verified.kind !== 'bundle') throw new Error(JSON.stringify(verified));
    expect(verified.payload.policies).toEqual([{ priority: 0, yaml: banPolicy('2026-07-10') }]);
    agent.send({ type: 'get', what: 'assignment' });
    const assigned = await agent.next();
    if (assigned.type !== 'document') throw new Error(assigned.type);
    const assignment = await verifyAssignment(assigned.content, {
      keys: verified.payload.assignmentKeys,
      floor: noFloor,
      device: device.id,
      server: device.answer.serverId,
    });
    expect(assignment).toMatchObject({
      kind: 'assignment',
      payload: { sequence: 1, group: 'engineering', pause: false, exceptions: [] },
    });
    agent.send({ type: 'get', what: 'catalogue' });
    const catalogue = await agent.next();
    if (catalogue.type !== 'document') throw new Error(catalogue.type);
    expect(sha256Hex(catalogue.content)).toBe(verified.payload.catalogue.sha256);
  });

  test('a publish of another process is announced within its poll', async () => {
    const agent = await connect(running, device);
    await publishBan();
    expect(await agent.next()).toMatchObject({ type: 'available', sequence: 1 });
  });

  test('the bundle is refused by name while there is none', async () => {
    const agent = await connect(running, device);
    agent.send({ type: 'get', what: 'bundle' });
    expect(await agent.next()).toMatchObject({ type: 'refused', code: 'NOT_FOUND' });
  });

  test('an assignment is issued once and stays the same over connections', async () => {
    const content = async (): Promise<string> => {
      const agent = await connect(running, device);
      agent.send({ type: 'get', what: 'assignment' });
      const document = await agent.next();
      await agent.close();
      return document.type === 'document' ? document.content : document.type;
    };
    const first = await content();
    running.clock.now += 3_600_000;
    expect(await content()).toBe(first);
  });
});

describe('what ends a connection', () => {
  test.each([
    ['garbage', 'no JSON at all {'],
    ['another shape', { type: 'report', stream: 'x' }],
    ['an unknown word', { type: 'shutdown' }],
    ['a second hello', hello()],
  ])('%s is refused with a code and closed', async (_name, message) => {
    const agent = await connect(running, device);
    agent.send(message);
    expect(await agent.next()).toMatchObject({ type: 'refused', code: 'REQUEST_INVALID' });
    expect(await agent.whenClosed()).toBe(1008);
  });

  test('a binary frame is refused', async () => {
    const agent = await connect(running, device);
    agent.socket.send(Buffer.from('{"type":"get","what":"bundle"}'));
    expect(await agent.next()).toMatchObject({ type: 'refused' });
    expect(await agent.whenClosed()).toBe(1008);
  });

  test('a report before hello is refused', async () => {
    const agent = await new TestAgent(running.url, await tokenOf(device, noon)).opened();
    agent.send(new TestStream().next(snapshot([])));
    expect(await agent.next()).toMatchObject({ type: 'refused', code: 'REQUEST_INVALID' });
    expect(await agent.whenClosed()).toBe(1008);
  });

  test('an oversize frame is cut off before it is read, and others go on', async () => {
    const other = await connect(running, await enrolDevice(running, 'laptop-2'));
    const agent = await connect(running, device);
    agent.send(JSON.stringify({ type: 'get', what: 'x'.repeat(2 * 1024 * 1024) }));
    expect(await agent.whenClosed()).toBe(1009);
    other.send(new TestStream().next(snapshot([])));
    expect((await other.next()).type).toBe('ack');
  });

  test('stopping answers what was taken and says goodbye', async () => {
    const agent = await connect(running, device);
    const stream = new TestStream();
    agent.send(stream.next(snapshot([])));
    expect(await agent.next()).toMatchObject({ type: 'ack' });
    await running.server.close();
    expect(await agent.whenClosed()).toBe(1001);
  });
});
