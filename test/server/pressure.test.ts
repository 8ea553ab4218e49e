/** When more comes than can be stored, or nothing can be: nothing is lost, nothing is doubled. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ReportQueue, type Answer } from '../../server/report-queue.js';
import { arrive } from '../../server/ingest.js';
import type { Store, Writing } from '../../server/store/index.js';
import type { Report } from '../../wire/messages.js';
import {
  changes,
  connect,
  enrolDevice,
  noon,
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

/** Holds the store's one writer until the answer is called. */
async function holdWriter(store: Store): Promise<() => void> {
  let release: () => void = () => undefined;
  await new Promise<void>((started) => {
    void store.write(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
          started();
        }),
    );
  });
  return release;
}

test('over the bound a report is turned back as busy, and all are applied once it is sent again', async () => {
  const agent = await connect(running, device);
  const stream = new TestStream();
  const release = await holdWriter(running.store);
  const reports = [stream.next(snapshot([]))];
  while (reports.length < 1100) reports.push(stream.next(changes([])));
  for (const report of reports) agent.send(report);
  const busy = await agent.next();
  if (busy.type !== 'busy') throw new Error(`expected busy, got ${busy.type}`);
  expect(busy.retryAfterMs).toBeGreaterThan(0);
  release();
  let acked = 0;
  while (acked < 1024) {
    expect(await agent.next()).toEqual({ type: 'ack', stream: stream.name, seq: (acked += 1) });
  }
  for (const report of reports.slice(acked)) agent.send(report);
  while (acked < reports.length) {
    expect(await agent.next()).toEqual({ type: 'ack', stream: stream.name, seq: (acked += 1) });
  }
});

test('a store that cannot write acknowledges nothing, and the same report is taken later', async () => {
  const { store } = running;
  let isFull = true;
  const failing: Store = {
    serverId: store.serverId,
    read: store.read,
    write: <T>(work: (writing: Writing) => Promise<T>) =>
      isFull
        ? store.write(async (writing) => {
            await work(writing);
            throw new Error('disk is full');
          })
        : store.write(work),
    close: () => store.close(),
  };
  const faults: unknown[] = [];
  const queue = new ReportQueue({
    store: failing,
    onApplied: () => undefined,
    onFault: (error) => faults.push(error),
  });
  const stream = new TestStream();
  const report = stream.next(snapshot([]));
  const offer = (one: Report): Promise<Answer> =>
    new Promise((resolve) => {
      const checked = arrive(device.id, one, noon);
      if (checked.kind === 'refused') throw new Error(checked.message);
      expect(queue.offer(checked.arrived, resolve)).toBe(true);
    });
  expect(await offer(report)).toEqual({ kind: 'failed' });
  expect(faults).toHaveLength(1);
  expect(await store.read.reports.streams(device.id)).toEqual([]);
  isFull = false;
  expect(await offer(report)).toEqual({ kind: 'ack', stream: stream.name, seq: 1 });
});
