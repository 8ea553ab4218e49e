/**
 * The same "why?" on both sides: a real home is scanned, judged and reported to a real server, and what
 * `curfew explain` says on the device is what the server answers; where the device knows more, the
 * server says so and decides nothing.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { homesWorld } from '../../agent/detect/world.js';
import { runExplain } from '../../agent/explain-command.js';
import { applyReadings } from '../../agent/inventory.js';
import { reportChanges } from '../../agent/report/reporter.js';
import { inForce, type Device } from '../../agent/rules.js';
import { prepareScan, scanWorld } from '../../agent/scan.js';
import { noteTold } from '../../agent/terms.js';
import { judgeStored } from '../../agent/verdicts.js';
import type { Explanation } from '../../policies/explain.js';
import { addException } from '../../server/exceptions.js';
import type { ComponentExplanation } from '../../server/explain-views.js';
import { makeSignInLink, signIn } from '../../server/people.js';
import { changeTerms } from '../../server/terms.js';
import { makeDevice, temporaryFolder, until, type TestDevice } from '../agent/link-fixture.js';
import { noon, startServer, type Running } from '../server/fixture.js';
import { planAndPublish } from '../server/publishing.js';

const policyOf = (rules: string): string => `policy: tools
title: Tools at work
timezone: America/New_York
contact: https://help.example.com
default: { decision: review }
rules:
  - { id: ours, match: { tool: qoder }, decision: approve }
${rules}  - id: ban
    match: { tool: claude-code }
    decision: deny
    announce: 2026-07-04
    effective: 2026-07-10
    after: block
    grace: 3 days
    escalate: { after: 7 days, action: remove }
    reason: { en: Not approved., zh-CN: 未获批准。 }
    replacement: { tool: qoder, guide: https://example.com/move }
targets: { groups: [engineering] }
`;

let running: Running;
let device: TestDevice;
let home: string;
beforeEach(async () => {
  // As the facts that the device reports say.
  vi.stubEnv('TZ', 'Asia/Shanghai');
  running = await startServer();
  home = path.join(temporaryFolder(), 'ana');
  const modules = path.join(home, '.npm-global/lib/node_modules');
  for (const [name, version] of [
    ['@anthropic-ai/claude-code', '2.1.100'],
    ['@qoder-ai/qodercli', '1.0.0'],
  ] as const) {
    fs.mkdirSync(path.join(modules, name), { recursive: true });
    const manifest = JSON.stringify({ name, version, bin: { tool: 'cli.js' } });
    fs.writeFileSync(path.join(modules, name, 'package.json'), manifest);
  }
  vi.stubEnv('CURFEW_HOME_ONLY', home);
  fs.writeFileSync(path.join(home, '.npmrc'), `prefix=${home}/.npm-global\n`);
  device = await makeDevice(running);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await device.close();
  await running.stop();
  running.remove();
});

const publisher = () => {
  const { keys, catalogue } = running.server.context;
  return { store: running.store, keys, catalogue, now: running.clock.now };
};

/** Publishes, lets the device hear of it, scan, judge and report; all of it is at the server then. */
async function live(rules = '', { timezone = 'America/New_York', zone = 'Asia/Shanghai' } = {}) {
  const yaml = policyOf(rules).replace('America/New_York', timezone);
  await planAndPublish(publisher(), { yaml, author: 'ana' });
  const link = device.link();
  await until(() => device.documents.current().assignment !== null, 'an assignment');
  const own: Device = {
    id: device.identity.deviceId,
    hardwareId: null,
    platform: 'linux',
    zone,
    maxAction: 'notify',
    assignedUser: null,
    group: null,
  };
  const { catalogue } = running.server.context;
  const world = homesWorld([home], {
    catalogue,
    isDeep: false,
    processes: null,
    platform: 'linux',
  });
  await prepareScan(world);
  const { readings } = scanWorld(world);
  const now = running.clock.now;
  applyReadings(device.store, { readings, isFull: true, atMs: now });
  const judge = () =>
    judgeStored(device.store, inForce(device.documents.current(), own), {
      device: own,
      homes: new Map([['ana', home]]),
      now,
      settledUntil: Infinity,
      away: null,
    });
  // Somebody is told, and from then on grace counts.
  for (const { verdict } of judge().judged) {
    if (verdict.status === 'pending') noteTold(device.store, verdict, now);
  }
  const judged = judge();
  reportChanges(device, {
    judged: judged.judged,
    homes: new Map([['ana', [home]]]),
    bundleSequence: device.documents.bundleSequence(),
    reporting: inForce(device.documents.current(), own).reporting,
    now,
    lastFull: now,
  });
  await until(() => device.outbox.counts().pending === 0, 'every report at the server');
  await link.close();
}

async function onDevice(at: string): Promise<readonly Explanation[]> {
  let out = '';
  await runExplain(['--data', device.folder, '--json', '--at', at], {
    stdout: (text) => void (out += text),
    stderr: () => undefined,
  });
  const records = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { record: string });
  return records.filter(({ record }) => record === 'explanation') as unknown as Explanation[];
}

async function onServer(component: string, at: string): Promise<ComponentExplanation> {
  const route = `/devices/${device.identity.deviceId}/components/${component}/explain`;
  const answer = await running.get(`${route}?at=${encodeURIComponent(at)}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as ComponentExplanation;
}

/** What both sides know. The ceiling and the whole path are the device's alone. */
function shared(explained: Explanation | ComponentExplanation['explanation']): object {
  const { component, verdict, coming, limit: _limit, ...rest } = explained;
  const { path: _path, ...named } = component;
  const plain = verdict === null ? null : { ...verdict, effectiveAction: null };
  const changes = coming.map((change) => ({ ...change, effectiveAction: null }));
  // `curfew explain` puts the kind of the record first.
  const { record: _record, ...both } = rest as typeof rest & { record?: string };
  return { ...both, component: named, verdict: plain, coming: changes };
}

describe('device and server', () => {
  test('say the same of every component, before the date, after it and long after', async () => {
    await live();
    for (const at of ['2026-07-01T00:00:00Z', '2026-07-10T04:00:00Z', '2026-09-01T00:00:00Z']) {
      const here = await onDevice(at);
      expect(here.map(({ component }) => component.tool).sort()).toEqual([
        'claude-code',
        'qoder-cli',
      ]);
      for (const one of here) {
        const there = await onServer(one.component.id, at);
        expect(shared(there.explanation)).toEqual(shared(one));
        expect(there.unknown).toEqual(expect.arrayContaining(['path', 'publisher', 'ceiling']));
      }
    }
  });

  test('also of an exception that the assignment brought', async () => {
    const { store, catalogue } = publisher();
    const until = '2026-08-01';
    await addException(
      { store, catalogue, now: noon },
      {
        tool: 'claude-code',
        person: null,
        device: device.identity.deviceId,
        hardwareId: null,
        reason: 'Moves a customer first.',
        author: 'kim',
        from: null,
        until,
        zone: 'America/New_York',
      },
      'kim',
    );
    await live();
    const at = '2026-07-20T00:00:00Z';
    const here = (await onDevice(at)).find(({ component }) => component.tool === 'claude-code');
    expect(here?.verdict?.status).toBe('excepted');
    expect(here?.steps[0]?.why.en).toContain('Moves a customer first.');
    const there = await onServer(here?.component.id ?? '', at);
    expect(shared(there.explanation)).toEqual(shared(here as Explanation));
  });

  test('also of a grace that the assignment gives, beside that of the rule', async () => {
    await changeTerms(running.store, {
      device: device.identity.deviceId,
      actor: 'kim',
      now: noon,
      change: { grace: { until: '2026-08-05', zone: 'America/New_York' } },
    });
    await live();
    const at = '2026-07-20T00:00:00Z';
    const here = (await onDevice(at)).find(({ component }) => component.tool === 'claude-code');
    expect(here?.verdict).toMatchObject({
      status: 'pending',
      effective: '2026-08-05T04:00:00.000Z',
    });
    const there = await onServer(here?.component.id ?? '', at);
    expect(shared(there.explanation)).toEqual(shared(here as Explanation));
  });

  test('also of a day that the device has read in the zone where the rule first reached it', async () => {
    await live('', { timezone: 'device-local', zone: 'Europe/Berlin' });
    const at = '2026-07-09T12:00:00Z';
    const here = (await onDevice(at)).find(({ component }) => component.tool === 'claude-code');
    expect(here?.verdict?.announce).toBe('2026-07-03T22:00:00.000Z');
    const there = await onServer(here?.component.id ?? '', at);
    expect(shared(there.explanation)).toEqual(shared(here as Explanation));
  });

  test('what the device has judged stands beside it, and agrees at that time', async () => {
    await live();
    const [first] = await onDevice('2026-07-09T12:00:00Z');
    const route = `/devices/${device.identity.deviceId}/components/${first?.component.id}/explain`;
    const answer = (await (await running.get(route)).json()) as ComponentExplanation;
    expect(answer).toMatchObject({ agrees: true, bundleSequence: 1, deviceBundleSequence: 1 });
    expect(answer.reported.status).toBe(answer.explanation.verdict?.status);
    // Another policy, of which the device has not heard yet.
    const yaml = policyOf('')
      .replace('decision: approve', 'decision: review')
      .replace('qoder }', '[qoder, qoder-cli, claude-code] }');
    await planAndPublish(publisher(), { yaml, author: 'ana' });
    const later = (await (await running.get(route)).json()) as ComponentExplanation;
    expect(later).toMatchObject({ bundleSequence: 2, deviceBundleSequence: 1 });
    expect([later.explanation.verdict?.rule, later.agrees]).toEqual(['ours', false]);
  });
});

describe('what the server cannot know', () => {
  test('a rule by publisher is left to the device', async () => {
    await live(`  - id: signed
    match: { tool: claude-code, publisher: Somebody }
    decision: allow
`);
    const at = '2026-07-20T00:00:00Z';
    const here = (await onDevice(at)).find(({ component }) => component.tool === 'claude-code');
    expect(here?.verdict).toMatchObject({ status: 'violation', rule: 'ban' });
    const { explanation, agrees, reported } = await onServer(here?.component.id ?? '', at);
    expect(explanation).toMatchObject({
      verdict: null,
      undecided: { rule: 'signed', fields: ['publisher'] },
      coming: [],
      advice: null,
    });
    expect([agrees, reported.rule]).toEqual([null, 'ban']);
  });

  test('a gateway, that there is none, and that it is not known are told, so both judge alike', async () => {
    await live(`  - { id: none, match: { tool: qoder-cli, gateway: none }, decision: allow }
  - { id: relay, match: { tool: [claude-code, qoder-cli], gateway: third-party }, decision: review }
`);
    const at = '2026-07-20T00:00:00Z';
    for (const one of await onDevice(at)) {
      const { explanation } = await onServer(one.component.id, at);
      expect(shared(explanation)).toEqual(shared(one));
    }
  });

  test('a path below the home it does know', async () => {
    await live(`  - id: global
    match: { tool: claude-code, path: ~/.npm-global/** }
    decision: allow
`);
    const at = '2026-07-20T00:00:00Z';
    const here = (await onDevice(at)).find(({ component }) => component.tool === 'claude-code');
    const { explanation } = await onServer(here?.component.id ?? '', at);
    expect([here?.verdict?.rule, explanation.verdict?.rule]).toEqual(['global', 'global']);
  });
});

test('an operator may ask; a viewer sees no owners and paths; what is not there is said', async () => {
  await live();
  const [first] = await onDevice('2026-07-09T12:00:00Z');
  const routeTo = (component: string): string =>
    `/devices/${device.identity.deviceId}/components/${component}/explain`;
  const route = routeTo(first?.component.id ?? '');
  const link = await makeSignInLink(running.store, { user: 'ben', role: 'viewer', now: noon });
  const { secret } = await signIn(running.store, link, noon);
  expect((await running.get(route, `curfew_session=${secret}`)).status).toBe(403);
  expect((await running.get(route, '')).status).toBe(401);
  expect((await running.get(route)).status).toBe(200);
  const none = '0'.repeat(32);
  const answer = await running.get(routeTo(none));
  expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
  expect((await running.get(`/devices/nobody/components/${none}/explain`)).status).toBe(404);
  expect((await running.get(`${routeTo(none)}?at=tomorrow`)).status).toBe(400);
});
