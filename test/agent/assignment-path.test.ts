/**
 * The way of an exception from an admin's word to a verdict, through the real server, the wire and what
 * the device keeps: live, offline, over restarts and a lost database, after a restored server, and with
 * a new online key.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inForce, judge, type Device } from '../../agent/rules.js';
import { databaseName } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { addException, endException } from '../../server/exceptions.js';
import { changeTerms, type TermsChange } from '../../server/terms.js';
import { makePolicyKey } from '../../wire/bundle.js';
import { noon, startServer, type Running } from '../server/fixture.js';
import { makeDevice, openDevice, publishBundle, until, type TestDevice } from './link-fixture.js';
import { found } from './thief.js';

const hourMs = 3_600_000;
const iso = (at: number): string => new Date(at).toISOString();
const yaml = `policy: ai-tools
title: AI tools
timezone: utc
default: { decision: review }
rules:
  - id: ban
    match: { tool: claude-code }
    decision: deny
    effective: 2026-07-01
    after: block
    reason: { en: Not here. }
`;

let running: Running;
let device: TestDevice;
beforeEach(async () => {
  running = await startServer();
  await publishBundle(running, 1, { policies: [{ priority: 0, yaml }] });
  device = await makeDevice(running);
});
afterEach(async () => {
  await device.close();
  await running.stop();
  running.remove();
});

/** The status of the denied tool on the device at an instant, and what would be done. */
function standing(at = noon): readonly (string | null | undefined)[] {
  const here: Device = {
    ...{ id: device.identity.deviceId, hardwareId: null, platform: 'linux', zone: 'UTC' },
    ...{ maxAction: 'notify', assignedUser: null, group: null },
  };
  const rules = inForce(device.documents.current(), here);
  const stored = [{ component: found(), firstSeen: noon, lastSeen: noon }];
  const { judged } = judge(stored, rules, { device: here, homes: new Map(), now: at });
  return [judged[0]?.verdict.status, judged[0]?.verdict.effectiveAction];
}
const grant = (untilMs: number) => {
  const { store, catalogue } = running.server.context;
  const person = `ana@${device.identity.deviceId}`;
  const named = { person, device: null, hardwareId: null };
  const rest = { tool: 'claude-code', reason: 'moving', author: 'kim', from: null, zone: null };
  const request = { ...named, ...rest, until: iso(untilMs) };
  return addException({ store, catalogue, now: running.clock.now }, request, 'kim');
};
const set = (change: TermsChange) =>
  changeTerms(running.store, {
    ...{ device: device.identity.deviceId, actor: 'kim', now: running.clock.now, change },
  });
const is = (status: string, done: string | null) => () =>
  JSON.stringify(standing()) === JSON.stringify([status, done]);
async function restart(): Promise<void> {
  const { folder, identity } = device;
  await device.close();
  device = await openDevice({ running, folder, identity });
}

test('an exception reaches a connected device, holds offline to its very end, and is ended at once', async () => {
  expect(standing()).toEqual(['unknown', null]);
  const link = device.link();
  await until(is('violation', 'notify'), 'the bundle and the first assignment');
  const { exception } = await grant(noon + hourMs);
  await until(is('excepted', null), 'the exception');
  await link.close();
  await restart();
  expect(standing(noon + hourMs - 1)).toEqual(['excepted', null]);
  expect(standing(noon + hourMs)).toEqual(['violation', 'notify']);
  device.link();
  await until(() => device.times.length > 0, 'a connection');
  await endException(running.store, { id: exception.id, actor: 'kim', now: noon });
  await until(is('violation', 'notify'), 'the end');
});

test('a pause is heard live and ends by itself', async () => {
  device.link();
  await until(is('violation', 'notify'), 'the first assignment');
  await set({ pause: { until: iso(noon + hourMs), zone: null } });
  await until(is('violation', 'observe'), 'the pause');
  expect(standing(noon + hourMs)).toEqual(['violation', 'notify']);
});

test('before the first assignment has arrived nothing is done', async () => {
  const { documents } = device;
  const bundle = await running.store.read.policies.latest();
  await documents.take('bundle', bundle?.jws ?? '');
  expect(standing()).toEqual(['violation', 'observe']);
  device.link();
  await until(is('violation', 'notify'), 'the first assignment');
});

test('a lost database loses no floor, and the very assignment comes back', async () => {
  await grant(noon + hourMs);
  const link = device.link();
  await until(is('excepted', null), 'the exception');
  const { sequence } = device.documents.current().assignment ?? { sequence: 0 };
  await link.close();
  await device.close();
  for (const ending of ['', '-wal', '-shm']) {
    rmSync(path.join(device.folder, databaseName + ending), { force: true });
  }
  await restart();
  expect(device.documents.current().assignment).toBeNull();
  expect(device.documents.assignmentSequence()).toBe(0);
  device.link();
  await until(is('excepted', null), 'the exception again');
  expect(device.documents.current().assignment?.sequence).toBe(sequence);
  expect(device.refusals).toEqual([]);
});

test('with another online key in the bundle the old assignment goes and a new one comes', async () => {
  await grant(noon + hourMs);
  device.link();
  await until(is('excepted', null), 'the exception');
  const before = device.documents.current().assignment?.sequence ?? 0;
  const other = await makePolicyKey();
  await publishBundle(running, 2, { policies: [{ priority: 0, yaml }], assignmentKeys: [other.x] });
  await until(() => device.documents.current().assignment === null, 'the key to go');
  expect(standing()).toEqual(['violation', 'observe']);
  await publishBundle(running, 3, { policies: [{ priority: 0, yaml }] });
  await until(is('excepted', null), 'the key that is named again');
  expect(device.documents.current().assignment?.sequence).toBe(before);
});

test('a server that knows less than the device goes on above it', async () => {
  device.link();
  await until(is('violation', 'notify'), 'the first assignment');
  await set({ message: { en: 'One' } });
  await until(() => device.documents.current().assignment?.sequence === 2, 'the second');
  await restart();
  // As after a restored backup of before this device was greeted.
  const database = new Database(path.join(running.folder, 'server.db'));
  database.exec('DELETE FROM assignments');
  database.close();
  await set({ message: { en: 'Two' } });
  device.link();
  await until(() => device.documents.current().assignment?.message?.['en'] === 'Two', 'the next');
  expect(device.documents.current().assignment?.sequence).toBe(3);
});
