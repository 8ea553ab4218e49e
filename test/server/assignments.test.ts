/**
 * Assignments on their way: what they say, that they are issued anew when that has changed and only then,
 * and that a connected device hears of it whoever made the change.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addException, endException, type ExceptionRequest } from '../../server/exceptions.js';
import { changeTerms, type TermsChange } from '../../server/terms.js';
import { verifyAssignment, type AssignmentPayload } from '../../wire/assignment.js';
import { noFloor } from '../../wire/bundle.js';
import type { FromServer } from '../../wire/messages.js';
import {
  enrolDevice,
  facts,
  hello,
  noon,
  startServer,
  TestAgent,
  tokenOf,
  type Enrolled,
  type Running,
} from './fixture.js';

const hourMs = 3_600_000;
const iso = (at: number): string => new Date(at).toISOString();

let running: Running;
let device: Enrolled;
let agents: TestAgent[];
beforeEach(async () => {
  running = await startServer();
  device = await enrolDevice(running, 'laptop-1', 'board-1');
  agents = [];
});
afterEach(async () => {
  for (const agent of agents) agent.socket.terminate();
  await running.stop();
  running.remove();
});

interface Greeting {
  readonly assignmentSequence?: number;
  readonly assignedUser?: string | null;
}

/** A connection of the device, with the sequence that the welcome offers. */
async function connected(greeting: Greeting = {}, of = device) {
  const { assignmentSequence = 0, assignedUser } = greeting;
  const token = await tokenOf(of, running.clock.now);
  const agent = await new TestAgent(running.url, token).opened();
  agents.push(agent);
  const named = {
    ...facts('laptop-1', 'board-1'),
    ...(assignedUser !== undefined && { assignedUser }),
  };
  agent.send({ ...hello(), facts: named, assignmentSequence });
  const welcome = await agent.next();
  if (welcome.type !== 'welcome') throw new Error(welcome.type);
  return { agent, sequence: welcome.assignmentSequence };
}

/** The assignment as the device would take it. */
async function fetched(agent: TestAgent, of = device): Promise<AssignmentPayload> {
  agent.send({ type: 'get', what: 'assignment' });
  const message = await agent.next();
  if (message.type !== 'document') throw new Error(message.type);
  const verified = await verifyAssignment(message.content, {
    keys: [running.server.context.keys.online.x],
    floor: noFloor,
    device: of.id,
    server: running.store.serverId,
  });
  if (verified.kind !== 'assignment') throw new Error(JSON.stringify(verified));
  return verified.payload;
}

const add = (over: Partial<ExceptionRequest> = {}) => {
  const { store, catalogue } = running.server.context;
  const nobody = { person: null, device: null, hardwareId: null };
  const rest = { tool: 'claude-code', reason: 'moving', author: 'kim', from: null, zone: null };
  const request = { ...nobody, ...rest, until: iso(noon + 24 * hourMs), ...over };
  return addException({ store, catalogue, now: running.clock.now }, request, 'kim');
};
const set = (change: TermsChange, of: string | null = device.id) =>
  changeTerms(running.store, { device: of, actor: 'kim', now: running.clock.now, change });
const end = (id: string) =>
  endException(running.store, { id, actor: 'kim', now: running.clock.now });
const stored = async (id = device.id) => running.store.read.policies.assignment(id);
const announce = () => running.server.announceAssignments();
/** What has been offered; an answer on the same connection comes after all that was sent before it. */
async function offers(agent: TestAgent): Promise<FromServer[]> {
  agent.send({ type: 'get', what: 'bundle' });
  const found = [];
  for (;;) {
    const message = await agent.next();
    if (message.type !== 'available') return found;
    found.push(message);
  }
}

describe('what an assignment says', () => {
  test('is what was set, and with nothing set nothing', async () => {
    const { agent, sequence } = await connected();
    expect(await fetched(agent)).toEqual({
      ...{ format: 1, server: running.store.serverId, device: device.id, sequence },
      ...{ issuedAt: iso(noon), group: 'engineering', persons: {}, exceptions: [] },
      ...{ pause: false, pauseUntil: null, graceUntil: null, message: null, rescanAfter: null },
    });
  });

  test('is all that was set, of the device before that of all', async () => {
    const from = iso(noon + hourMs);
    const { exception } = await add({ hardwareId: 'board-1', from });
    await set({ group: 'lab', person: { account: 'ana', person: 'ana@corp.example' } });
    await set(
      { message: { en: 'For all' }, pause: { until: from, zone: null }, rescan: true },
      null,
    );
    await set({ message: { en: 'For you', 'zh-CN': '给你' } });
    const { agent } = await connected();
    expect(await fetched(agent)).toMatchObject({
      group: 'lab',
      persons: { ana: 'ana@corp.example' },
      exceptions: [
        {
          ...{ id: exception.id, tool: 'claude-code', hardwareId: 'board-1', reason: 'moving' },
          ...{ author: 'kim', from, until: iso(noon + 24 * hourMs) },
        },
      ],
      ...{ pause: true, pauseUntil: from, rescanAfter: iso(noon) },
      message: { en: 'For you', 'zh-CN': '给你' },
    });
  });

  test('an exception of a person is on each of their devices, as that device writes the name', async () => {
    const second = await enrolDevice(running, 'laptop-2');
    const third = await enrolDevice(running, 'laptop-3');
    await add({ person: 'ana@corp.example' });
    const assignedUser = 'Ana@Corp.example';
    const first = await connected({ assignedUser });
    const mapped = { device: second.id, actor: 'kim', now: noon };
    const person = { account: 'ana', person: 'ANA@corp.example' };
    await changeTerms(running.store, { ...mapped, change: { person } });
    expect((await fetched(first.agent)).exceptions).toMatchObject([{ person: assignedUser }]);
    const other = await connected({}, second);
    expect((await fetched(other.agent, second)).exceptions).toMatchObject([
      { person: 'ANA@corp.example' },
    ]);
    const nobody = await connected({}, third);
    expect((await fetched(nobody.agent, third)).exceptions).toEqual([]);
  });

  test('grace is in it until the later of two instants, and taken back', async () => {
    const graceOf = async () => (await fetched((await connected()).agent)).graceUntil;
    const [soon, late] = [iso(noon + hourMs), iso(noon + 2 * hourMs)];
    expect(await graceOf()).toBeNull();
    await set({ grace: { until: late, zone: null } }, null);
    await set({ grace: { until: soon, zone: null } });
    expect(await graceOf()).toBe(late);
    await set({ grace: null }, null);
    expect(await graceOf()).toBe(soon);
    await set({ grace: null });
    expect(await graceOf()).toBeNull();
    const past = { until: iso(noon - 1), zone: null };
    await expect(set({ grace: past })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  test('the longest of two pauses counts, and one without an end is the longest', async () => {
    const pauseOf = async () => {
      const { agent } = await connected();
      const { pause, pauseUntil } = await fetched(agent);
      return [pause, pauseUntil];
    };
    const [soon, later] = [iso(noon + hourMs), iso(noon + 2 * hourMs)];
    await set({ pause: { until: later, zone: null } }, null);
    await set({ pause: { until: soon, zone: null } });
    expect(await pauseOf()).toEqual([true, later]);
    await set({ pause: { until: null, zone: null } });
    expect(await pauseOf()).toEqual([true, null]);
    await set({ pause: null }, null);
    await set({ pause: null });
    expect(await pauseOf()).toEqual([false, null]);
  });
});

describe('an assignment is issued anew', () => {
  test('when what it says has changed, and only then', async () => {
    expect((await connected()).sequence).toBe(1);
    const first = await stored();
    expect((await connected()).sequence).toBe(1);
    await set({ group: 'engineering' });
    await set({ pause: null });
    expect((await connected()).sequence).toBe(1);
    expect(await stored()).toEqual(first);
    const { exception } = await add({ device: device.id });
    expect((await connected()).sequence).toBe(2);
    await end(exception.id);
    expect((await connected()).sequence).toBe(3);
    await set({ message: { en: 'Hello' } });
    expect((await connected()).sequence).toBe(4);
  });

  test('not for an exception or a pause that has run out: that one drops out of the next', async () => {
    await add({ device: device.id });
    await set({ pause: { until: iso(noon + hourMs), zone: null } });
    const { agent, sequence } = await connected();
    expect((await fetched(agent)).exceptions).toHaveLength(1);
    running.clock.now = noon + 25 * hourMs;
    expect((await connected()).sequence).toBe(sequence);
    await set({ group: 'lab' });
    const next = await connected();
    expect(next.sequence).toBe(sequence + 1);
    expect(await fetched(next.agent)).toMatchObject({
      exceptions: [],
      pause: false,
      pauseUntil: null,
    });
  });

  test('above what the device holds, when this server is behind it after a restored backup', async () => {
    expect((await connected({ assignmentSequence: 41 })).sequence).toBe(42);
    expect((await connected({ assignmentSequence: 42 })).sequence).toBe(42);
    expect((await connected({ assignmentSequence: 0 })).sequence).toBe(42);
  });

  test('and nobody else’s is touched', async () => {
    const others = [];
    for (const name of ['laptop-2', 'laptop-3']) others.push(await enrolDevice(running, name));
    for (const other of others) await connected({}, other);
    await connected();
    const before = await Promise.all(others.map(({ id }) => stored(id)));
    await add({ device: device.id });
    await announce();
    expect((await stored())?.sequence).toBe(2);
    expect(await Promise.all(others.map(({ id }) => stored(id)))).toEqual(before);
  });
});

test('a device whose group is no line that an agent takes gets its assignment all the same', async () => {
  await running.store.write(({ devices }) => devices.setGroup(device.id, 'lab\u202E\n'));
  await add({ device: device.id });
  const { agent } = await connected();
  expect(await fetched(agent)).toMatchObject({ group: null, exceptions: [{ reason: 'moving' }] });
});

test('numbers that leave none to go on with are not listened to', async () => {
  for (const assignmentSequence of [Number.MAX_SAFE_INTEGER, 1e300]) {
    expect((await connected({ assignmentSequence })).sequence).toBe(1);
  }
  await set({ group: 'lab' });
  expect((await connected()).sequence).toBe(2);
});

describe('a connected device', () => {
  test('hears at once of what another process has changed', async () => {
    const { agent } = await connected();
    const { exception } = await add({ person: `ana@${device.id}` });
    expect(await agent.next()).toEqual({
      type: 'available',
      what: 'assignment',
      sequence: 2,
      spreadMs: 0,
    });
    expect((await fetched(agent)).exceptions).toMatchObject([{ id: exception.id }]);
    await end(exception.id);
    expect(await agent.next()).toMatchObject({ sequence: 3 });
    expect((await fetched(agent)).exceptions).toEqual([]);
  });

  test('hears of what is set for all, once, and of nothing that leaves its own as it is', async () => {
    const second = await enrolDevice(running, 'laptop-2');
    await set({ message: { en: 'Own' } });
    const one = await connected();
    const other = await connected({}, second);
    await set({ message: { en: 'For all' } }, null);
    await announce();
    await announce();
    expect(await offers(one.agent)).toEqual([]);
    expect(await offers(other.agent)).toMatchObject([{ sequence: 2 }]);
  });

  test('is not woken for another’s', async () => {
    const second = await enrolDevice(running, 'laptop-2');
    const one = await connected();
    const other = await connected({}, second);
    await add({ device: second.id });
    await announce();
    expect(await offers(other.agent)).toHaveLength(1);
    expect(await offers(one.agent)).toEqual([]);
  });

  test('that was away gets it when it comes, as does one that is enrolled only then', async () => {
    await add({ hardwareId: 'board-9' });
    await set({ pause: { until: null, zone: null } }, null);
    await announce();
    const late = await enrolDevice(running, 'laptop-9', 'board-9');
    const token = await tokenOf(late, running.clock.now);
    const agent = await new TestAgent(running.url, token).opened();
    agents.push(agent);
    agent.send({ ...hello(), facts: facts('laptop-9', 'board-9') });
    await agent.next();
    expect(await fetched(agent, late)).toMatchObject({
      pause: true,
      exceptions: [{ hardwareId: 'board-9' }],
    });
  });
});

describe('what is set', () => {
  test.each([
    [{ message: { en: 'See https://evil.example' } }, 'message: names an address'],
    [{ message: { en: '\u001b[2J' } }, 'message/en'],
    [{ message: { 'not a language': 'x' } }, 'message'],
    [{ message: { en: 'x'.repeat(1001) } }, 'message/en'],
    [{ group: ' ' }, 'group: is empty'],
    [{ pause: { until: '2026-07-01', zone: 'utc' } }, 'until: 2026-07-01 has passed'],
    [{ pause: { until: '2026-08-01', zone: null } }, 'needs a zone'],
    [{ person: { account: '', person: 'x' } }, 'account: is empty'],
    [{ person: { account: '__proto__', person: 'x' } }, 'no name of an account'],
  ])('%j is refused', async (change, words) => {
    await expect(set(change)).rejects.toThrow(words);
  });

  test('of one device is refused for all, and for a device that is not there', async () => {
    await expect(set({ group: 'lab' }, null)).rejects.toThrow('of one device');
    await expect(set({ pause: null }, 'nobody')).rejects.toThrow('there is no device nobody');
  });

  test('stands in the audit log when it changed something, and a dry run changes nothing', async () => {
    const change = { group: 'lab', message: { en: 'Hello' } };
    const request = { device: device.id, actor: 'kim', now: noon, change };
    const planned = await changeTerms(running.store, { ...request, isDryRun: true });
    expect(planned).toMatchObject({ isChanged: true, group: 'lab' });
    expect((await running.store.read.devices.get(device.id))?.group).toBe('engineering');
    expect((await changeTerms(running.store, request)).isChanged).toBe(true);
    expect((await changeTerms(running.store, request)).isChanged).toBe(false);
    const entries = await running.store.read.people.audit(0, 100);
    const deeds = entries.filter(({ action }) => action === 'device.set');
    expect(deeds).toMatchObject([
      { actor: 'kim', subject: device.id, detail: 'group lab; message in en' },
    ]);
  });
});
