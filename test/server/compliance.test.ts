/** How the fleet stands: states that add up, staleness by time, the trend. Over real agents. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleTrend } from '../../server/compliance.js';
import type { Compliance, DevicePage, Trend } from '../../server/views.js';
import {
  changes,
  component,
  connect,
  enrolDevice,
  noon,
  partial,
  snapshot,
  startServer,
  TestStream,
  type Running,
  type Status,
} from './fixture.js';

let running: Running;
const dayMs = 86_400_000;

beforeEach(async () => {
  running = await startServer();
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

async function report(statuses: Status[], scan?: typeof partial) {
  const agent = await connect(running, await enrolDevice(running));
  const components = statuses.map((status, index) => component('abcdef'[index] ?? '0', { status }));
  agent.send(new TestStream().next(snapshot(components, scan === undefined ? {} : { scan })));
  await agent.next();
  return agent;
}
const compliance = async (): Promise<Compliance> =>
  (await (await running.get('/compliance')).json()) as Compliance;
const counted = async (): Promise<Record<string, number>> => {
  const { states, total } = await compliance();
  expect(Object.values(states).reduce((sum, count) => sum + count, 0)).toBe(total);
  return Object.fromEntries(Object.entries(states).filter(([, count]) => count > 0));
};

describe('states', () => {
  test('are the first that applies, add up to the fleet, and review is a mark beside', async () => {
    await enrolDevice(running);
    await report(['violation', 'approved']);
    await report(['pending', 'review']);
    await report(['unknown', 'excepted']);
    await report(['excepted', 'allowed']);
    await report(['review']);
    await report([]);
    await report(['violation'], partial);
    expect(await counted()).toEqual({
      'never-scanned': 1,
      partial: 1,
      violation: 1,
      pending: 1,
      unknown: 1,
      excepted: 1,
      clear: 2,
    });
    const { total, review, online, tools } = await compliance();
    expect([total, review, online]).toEqual([8, 2, 7]);
    expect(tools).toEqual([
      {
        tool: 'claude-code',
        toolName: 'Claude Code',
        devices: 6,
        violation: 2,
        pending: 1,
        affected: 6,
        advisories: ['CVE-2026-46406', 'claude-code-covert-prompt-marker'],
      },
    ]);
  });

  test('a tool counts each device once that has a version with a published fault', async () => {
    // The covert check: 2.1.91 up to and including 2.1.197. The other fault ended before 2.1.150.
    for (const versions of [['2.1.197'], ['2.1.150', '2.1.91'], ['2.1.198'], [null], ['2.1.91']]) {
      const agent = await connect(running, await enrolDevice(running));
      const components = versions.map((version, at) => ({ ...component(`${at}`), version }));
      agent.send(new TestStream().next(snapshot(components)));
      await agent.next();
    }
    expect((await compliance()).tools).toMatchObject([
      {
        devices: 5,
        affected: 3,
        advisories: ['CVE-2026-46406', 'claude-code-covert-prompt-marker'],
      },
    ]);
  });

  test('become stale seven days after the last complete scan, and keep the last violation', async () => {
    const agent = await report(['violation']);
    running.clock.now = noon + 7 * dayMs;
    expect(await counted()).toEqual({ violation: 1 });
    running.clock.now += 1;
    expect(await counted()).toEqual({ stale: 1 });
    const { devices } = (await (await running.get('/devices')).json()) as DevicePage;
    expect(devices[0]).toMatchObject({ state: 'stale', lastKnown: 'violation' });
    const at = new Date(running.clock.now).toISOString();
    const scan = { status: 'complete' as const, at, lastComplete: at, roots: 3, notRead: [] };
    agent.send(new TestStream().next(snapshot([], { scan })));
    await agent.next();
    expect(await counted()).toEqual({ clear: 1 });
  });

  test('are not kept fresh by a device clock that runs ahead', async () => {
    const agent = await connect(running, await enrolDevice(running));
    const scan = {
      status: 'complete' as const,
      at: '2099-01-01T00:00:00Z',
      lastComplete: '2099-01-01T00:00:00Z',
      roots: 1,
      notRead: [],
    };
    agent.send(new TestStream().next(snapshot([], { scan })));
    await agent.next();
    running.clock.now = noon + 7 * dayMs + 1;
    expect(await counted()).toEqual({ stale: 1 });
  });

  test('follow a device from violation to clear', async () => {
    const agent = await connect(running, await enrolDevice(running));
    const stream = new TestStream();
    agent.send(stream.next(snapshot([component('a', { status: 'violation' })])));
    await agent.next();
    expect(await counted()).toEqual({ violation: 1 });
    agent.send(stream.next(changes([], ['a'.repeat(32)])));
    await agent.next();
    expect(await counted()).toEqual({ clear: 1 });
  });

  test('show who is connected now', async () => {
    const agent = await report([]);
    expect((await compliance()).online).toBe(1);
    await agent.close();
    await expect.poll(async () => (await compliance()).online, { timeout: 20_000 }).toBe(0);
    const { devices } = (await (await running.get('/devices')).json()) as DevicePage;
    expect(devices[0]).toMatchObject({ isOnline: false, lastSeen: '2026-07-09T12:00:00.000Z' });
  });
});

describe('the trend', () => {
  const trend = async (): Promise<Trend> =>
    (await (await running.get('/compliance/trend')).json()) as Trend;

  test('has a point a minute, with the counts at its end', async () => {
    const { context } = running.server;
    const sampleAt = async (minutes: number): Promise<void> => {
      running.clock.now = noon + minutes * 60_000;
      await sampleTrend(context);
    };
    await sampleAt(1);
    await report(['violation']);
    await sampleAt(1.5);
    await sampleAt(2);
    const { bucketMinutes, points } = await trend();
    expect(bucketMinutes).toBe(1);
    expect(points.slice(-2).map(({ at, states }) => [at, states.violation])).toEqual([
      ['2026-07-09T12:01:00.000Z', 1],
      ['2026-07-09T12:02:00.000Z', 1],
    ]);
  });

  test('grows coarser with the span, and covers a day', async () => {
    const { context } = running.server;
    for (let minutes = 0; minutes <= 25 * 60; minutes += 5) {
      running.clock.now = noon + minutes * 60_000;
      await sampleTrend(context);
    }
    const { bucketMinutes, points } = await trend();
    expect(bucketMinutes).toBe(15);
    expect(points).toHaveLength(97);
    expect(points[0]?.at).toBe('2026-07-09T13:00:00.000Z');
  });

  test('is sampled by the server itself soon after a change', async () => {
    await report(['violation']);
    await expect
      .poll(async () => (await trend()).points.at(-1)?.states.violation, { timeout: 20_000 })
      .toBe(1);
  });
});
