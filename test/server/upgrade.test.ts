/** A device whose agent is too old for the live bundle shows as such until it has taken one. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DevicePage } from '../../server/views.js';
import {
  component,
  connect,
  enrolDevice,
  snapshot,
  startServer,
  TestStream,
  type Running,
} from './fixture.js';
import { banPolicy } from './policies.js';
import { planAndPublish } from './publishing.js';

let running: Running;
beforeEach(async () => {
  running = await startServer();
});
afterEach(async () => {
  await running.stop();
  running.remove();
});

const needsUpgrade = async (): Promise<readonly boolean[]> => {
  const page = (await (await running.get('/devices')).json()) as DevicePage;
  return page.devices.map((one) => one.needsAgentUpgrade);
};
const event = (detail: string) => ({
  kind: 'event' as const,
  at: new Date(running.clock.now).toISOString(),
  event: 'bundle-refused' as const,
  tool: null,
  rule: null,
  detail,
});

test('C090: a bundle in an unknown format marks the device, another refusal does not', async () => {
  const { keys, catalogue } = running.server.context;
  const publisher = { store: running.store, keys, catalogue, now: running.clock.now };
  for (const day of ['2026-07-10', '2026-07-11']) {
    await planAndPublish(publisher, { yaml: banPolicy(day), author: 'ana' });
  }
  const agent = await connect(running, await enrolDevice(running));
  const stream = new TestStream();
  const report = async (body: Parameters<TestStream['next']>[0]): Promise<void> => {
    agent.send(stream.next(body));
    for (;;) if ((await agent.next()).type === 'ack') return;
  };
  await report(snapshot([component('a')]));
  await report(event('bundle BUNDLE_SIGNATURE_INVALID'));
  expect(await needsUpgrade()).toEqual([false]);
  // It has sequence 1; the live one is 2.
  await report(event('bundle BUNDLE_FORMAT_UNKNOWN'));
  expect(await needsUpgrade()).toEqual([true]);
  await report({ ...snapshot([component('a')]), bundleSequence: 2 } as ReturnType<typeof snapshot>);
  expect(await needsUpgrade()).toEqual([false]);
});
