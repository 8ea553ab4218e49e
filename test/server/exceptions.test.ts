/** Exceptions as an admin makes and ends them: what is refused and why, whom they reach, what is kept. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifyAudit } from '../../server/audit.js';
import {
  addException,
  endException,
  maxExceptionsPerDevice,
  plannedException,
  type ExceptionRequest,
} from '../../server/exceptions.js';
import { enrolDevice, noon, startServer, type Running } from './fixture.js';

let running: Running;
let device: string;
beforeEach(async () => {
  running = await startServer();
  device = (await enrolDevice(running, 'laptop-1', 'board-1')).id;
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

const request = (over: Partial<ExceptionRequest> = {}): ExceptionRequest => ({
  tool: 'claude-code',
  person: null,
  device,
  hardwareId: null,
  reason: 'Moves a customer project first.',
  author: 'kim',
  from: null,
  until: '2026-08-01',
  zone: 'Asia/Shanghai',
  ...over,
});
const excepting = () => {
  const { store, catalogue } = running.server.context;
  return { store, catalogue, now: running.clock.now };
};
const add = (over: Partial<ExceptionRequest> = {}) =>
  addException(excepting(), request(over), 'kim');

describe('an exception', () => {
  test('ends at the first instant of its day in the zone that was named', async () => {
    const { exception, devices } = await add();
    expect(exception).toMatchObject({
      tool: 'claude-code',
      device,
      until: Date.UTC(2026, 6, 31, 16),
    });
    expect(devices).toEqual([device]);
    expect(await running.store.read.assignments.exception(exception.id)).toEqual(exception);
  });

  test('ends at an instant that needs no zone, and where midnight is skipped at the first one', async () => {
    const until = '2026-08-01T09:30:00+02:00';
    const instant = (await add({ until, zone: null })).exception.until;
    expect(instant).toBe(Date.UTC(2026, 7, 1, 7, 30));
    // Cuba's clocks go from 00:00 to 01:00 on 8 March 2027.
    const gap = (await add({ until: '2027-03-14', zone: 'America/Havana' })).exception.until;
    expect(new Date(gap).toISOString()).toBe('2027-03-14T05:00:00.000Z');
  });

  test.each([
    ['a tool that is none', { tool: 'claude-cod' }, 'did you mean "claude-code"?'],
    ['an end that has passed', { until: '2026-07-09' }, 'until: 2026-07-09 has passed'],
    ['an end that is no date', { until: 'soon' }, 'until: expected a day'],
    ['a day of no month', { until: '2026-02-30' }, 'until: 2026-02-30 is not a day'],
    ['a day without a zone', { zone: null }, 'until: 2026-08-01 is a day and needs a zone'],
    ['a zone that is none', { zone: 'Mars/Base' }, 'zone: "Mars/Base" is no zone'],
    ['the zone of each device', { zone: 'device-local' }, 'is no zone'],
    ['nobody', { device: null }, 'names nobody'],
    ['two subjects', { person: 'ana' }, 'names 2 subjects'],
    ['three subjects', { person: 'ana', hardwareId: 'b' }, 'names 3 subjects'],
    ['a device that is not there', { device: 'nobody' }, 'there is no device nobody'],
    ['no reason', { reason: '  ' }, 'reason: is empty'],
    ['a reason nobody reads to its end', { reason: 'x'.repeat(501) }, 'reason: has 501 characters'],
    ['control characters', { reason: 'a\u001b[2Jb' }, 'reason: holds control characters'],
    ['an address', { reason: 'see https://example.com' }, 'reason: names an address'],
    ['an end before its beginning', { from: '2026-08-02' }, 'from: 2026-08-02 is not before until'],
  ])('with %s is refused, and says so', async (_, over, words) => {
    await expect(add(over)).rejects.toThrow(words);
    expect(await running.store.read.assignments.open(0)).toEqual([]);
    expect((await running.store.read.people.lastAudit())?.action).toBe('device.enrol');
  });

  test('C007: goes by the id of the catalogue, in whatever capitals the tool was written', async () => {
    for (const tool of ['Claude-Code', ' claude-code ']) {
      expect((await add({ tool })).exception.tool).toBe('claude-code');
    }
  });

  test('of hardware or people reaches who is there, and who comes later is no error', async () => {
    const none = { device: null };
    expect((await add({ ...none, hardwareId: 'BOARD-1' })).devices).toEqual([device]);
    expect((await add({ ...none, person: `ana@${device}` })).devices).toEqual([device]);
    expect((await add({ ...none, person: 'ana@corp.example' })).devices).toEqual([]);
    expect((await add({ ...none, hardwareId: 'board-of-next-week' })).devices).toEqual([]);
  });

  test('is planned without being made', async () => {
    const { exception, devices } = await plannedException(excepting(), request());
    expect([exception.tool, devices]).toEqual(['claude-code', [device]]);
    expect(await running.store.read.assignments.open(0)).toEqual([]);
    await expect(plannedException(excepting(), request({ tool: 'x' }))).rejects.toThrow('tool:');
  });

  test('is ended once, and both stand in the audit log', async () => {
    const { exception } = await add();
    const { id } = exception;
    const { store } = running;
    const end = (isDryRun: boolean) =>
      endException(store, { id, actor: 'ben', now: noon + 5, isDryRun });
    expect(await end(true)).toMatchObject({ isChanged: true });
    expect((await store.read.assignments.exception(id))?.endedAt).toBeNull();
    expect(await end(false)).toMatchObject({ isChanged: true, devices: [device] });
    expect(await end(false)).toMatchObject({ isChanged: false });
    expect(await store.read.assignments.exception(id)).toMatchObject({
      endedAt: noon + 5,
      endedBy: 'ben',
    });
    const gone = endException(store, { id: 'none', actor: 'ben', now: noon });
    await expect(gone).rejects.toThrow('there is no exception none');
    const entries = await store.read.people.audit(0, 100);
    expect(entries.slice(-2)).toMatchObject([
      { actor: 'kim', action: 'exception.add', subject: id },
      { actor: 'ben', action: 'exception.end', subject: id },
    ]);
    expect(entries.at(-2)?.detail).toBe(
      `claude-code for device ${device} until 2026-07-31T16:00:00.000Z`,
    );
    expect((await verifyAudit(store.read)).kind).toBe('whole');
  });

  test('is one of at most so many on a device', async () => {
    for (let made = 0; made < maxExceptionsPerDevice; made += 1) await add();
    await expect(add()).rejects.toThrow(`has ${maxExceptionsPerDevice} exceptions already`);
    await expect(add({ device: null, hardwareId: 'board-1' })).rejects.toThrow('already');
    running.clock.now = Date.UTC(2026, 7, 1);
    expect((await add({ until: '2026-09-01' })).devices).toEqual([device]);
  });
});
