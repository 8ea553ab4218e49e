/**
 * What an assignment changes on the device that holds it: whose exceptions hold from when to when, that
 * a pause and a missing assignment stop all acting, and how often a scan may be asked for.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ceilingAt, inForce, judge, rescanWaitMs, type Device } from '../../agent/rules.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import type { AssignmentPayload } from '../../wire/assignment.js';

const yaml = `policy: ai-tools
title: AI tools
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - id: ban
    match: { tool: claude-code }
    decision: deny
    effective: 2026-07-10
    after: block
    reason: { en: Back-door risk. }
`;
/** Half a year after the ban took effect. */
const now = Date.UTC(2027, 0, 1);
const at = (offsetMs: number): string => new Date(now + offsetMs).toISOString();

const device: Device = {
  id: 'device-1',
  hardwareId: 'board-1',
  platform: 'linux',
  zone: 'UTC',
  maxAction: 'notify',
  assignedUser: null,
  group: null,
};
const found = (owner: string | null): Component => ({
  id: 'a'.repeat(32),
  tool: 'claude-code',
  channel: 'npm',
  manager: 'npm',
  purl: null,
  name: '@anthropic-ai/claude-code',
  version: '2.1.91',
  path: '/home/ana/.npm-global/lib/node_modules/@anthropic-ai/claude-code',
  owner,
  scope: 'global',
  state: 'installed',
  confidence: 'high',
  evidence: ['package.json'],
});
const empty: AssignmentPayload = {
  format: 1,
  server: 'server-1',
  device: 'device-1',
  sequence: 1,
  issuedAt: at(0),
  group: null,
  persons: {},
  exceptions: [],
  pause: false,
  message: null,
  rescanAfter: null,
};
const exception = (over: Partial<AssignmentPayload['exceptions'][number]>) => ({
  id: 'x1',
  tool: 'claude-code',
  reason: 'moving',
  author: 'kim',
  until: at(1000),
  ...over,
});

function judged(
  given: Partial<AssignmentPayload> | null,
  options: { now?: number; owner?: string | null; device?: Partial<Device>; yaml?: string } = {},
) {
  const bundle = {
    format: 1 as const,
    server: 'server-1',
    sequence: 1,
    issuedAt: at(0),
    policies: [{ priority: 0, yaml: options.yaml ?? yaml }],
    catalogue: { sha256: '0'.repeat(64) },
    assignmentKeys: [],
    nextPolicyKey: null,
  };
  const assignment = given === null ? null : { ...empty, ...given };
  const here = { ...device, ...options.device };
  const rules = inForce({ bundle, assignment, catalogue: builtInCatalogue() }, here);
  expect(rules.unreadable).toBe(0);
  const when = options.now ?? now;
  const component = found(options.owner === undefined ? 'ana' : options.owner);
  const stored = [{ component, firstSeen: now, lastSeen: now }];
  const { judged, nextChange } = judge(stored, rules, {
    device: here,
    homes: new Map(),
    now: when,
  });
  const verdict = judged[0]?.verdict;
  return {
    status: verdict?.status,
    action: verdict?.action,
    done: verdict?.effectiveAction,
    nextChange,
  };
}

describe('an exception in an assignment', () => {
  test.each([
    ['the device', { device: 'device-1' }, {}, 'excepted'],
    ['another device', { device: 'device-2' }, {}, 'violation'],
    ['the hardware', { hardwareId: 'board-1' }, {}, 'excepted'],
    ['other hardware', { hardwareId: 'board-2' }, {}, 'violation'],
    ['the account on this device', { person: 'ana@device-1' }, {}, 'excepted'],
    ['the same account elsewhere', { person: 'ana@device-2' }, {}, 'violation'],
    ['another account here', { person: 'ben@device-1' }, {}, 'violation'],
    [
      'whose device it is',
      { person: 'a@corp' },
      { device: { assignedUser: 'a@corp' } },
      'excepted',
    ],
    [
      'the account, where the device is somebody’s',
      { person: 'ana@device-1' },
      { device: { assignedUser: 'a@corp' } },
      'violation',
    ],
    ['nobody', {}, {}, 'violation'],
    ['an account of what is nobody’s', { person: 'null@device-1' }, { owner: null }, 'violation'],
    ['an account in other capitals', { person: 'Ana@device-1' }, {}, 'violation'],
    [
      'the same on Windows',
      { person: 'Ana@device-1' },
      { device: { platform: 'win32' } },
      'excepted',
    ],
  ] as const)('for %s: %s %s', (_, subject, options, status) => {
    expect(judged({ exceptions: [exception(subject)] }, options).status).toBe(status);
  });

  test('for the person that the assignment puts behind an account, whatever the account is called', () => {
    for (const account of ['ana', 'constructor', 'toString', 'hasOwnProperty']) {
      const persons = { [account]: 'kim@corp' };
      const exceptions = [exception({ person: 'kim@corp' })];
      expect(judged({ persons, exceptions }, { owner: account }).status).toBe('excepted');
      expect(judged({ exceptions }, { owner: account }).status).toBe('violation');
      const own = [exception({ person: `${account}@device-1` })];
      expect(judged({ exceptions: own }, { owner: account }).status).toBe('excepted');
    }
  });

  test('begins and ends on its very instants, which the loop is told to look at', () => {
    const exceptions = [exception({ device: 'device-1', from: at(1000), until: at(5000) })];
    const statusAt = (offsetMs: number) => judged({ exceptions }, { now: now + offsetMs });
    expect(statusAt(0)).toMatchObject({ status: 'violation', nextChange: now + 1000 });
    expect(statusAt(999).status).toBe('violation');
    expect(statusAt(1000)).toMatchObject({ status: 'excepted', nextChange: now + 5000 });
    expect(statusAt(4999).status).toBe('excepted');
    expect(statusAt(5000)).toMatchObject({ status: 'violation', nextChange: null });
  });

  test('of one tool says nothing of another', () => {
    const exceptions = [exception({ device: 'device-1', tool: 'codex' })];
    expect(judged({ exceptions }).status).toBe('violation');
  });
});

describe('acting', () => {
  test('is what the settings allow once an assignment is here, and nothing before', () => {
    expect(judged({})).toMatchObject({ status: 'violation', action: 'block', done: 'notify' });
    expect(judged(null)).toMatchObject({ status: 'violation', action: 'block', done: 'observe' });
  });

  test('stops in a pause until its end, and the verdict stays', () => {
    const paused = { pause: true, pauseUntil: at(1000) };
    expect(judged(paused)).toMatchObject({
      ...{ status: 'violation', action: 'block', done: 'observe' },
      nextChange: now + 1000,
    });
    expect(judged(paused, { now: now + 1000 }).done).toBe('notify');
    expect(judged({ pause: true }, { now: now + 1e12 }).done).toBe('observe');
    expect(judged({ pause: false, pauseUntil: at(1000) }).done).toBe('notify');
  });

  test('asks in a grace for no more than without it', () => {
    const graceUntil = at(1000);
    expect(judged({ graceUntil })).toMatchObject({ status: 'pending', action: 'notify' });
    const silent = { yaml: yaml.replace('after: block', 'after: observe') };
    expect(judged({}, silent)).toMatchObject({ status: 'violation', action: 'observe' });
    expect(judged({ graceUntil }, silent)).toMatchObject({ status: 'pending', action: 'observe' });
  });

  test('never goes beyond the settings, whatever an assignment says', () => {
    const rules = { isAssigned: true, pauseAt: () => null };
    for (const maxAction of ['observe', 'notify', 'block', 'remove'] as const) {
      expect(ceilingAt(rules, maxAction, now)).toBe(maxAction);
      expect(ceilingAt({ ...rules, isAssigned: false }, maxAction, now)).toBe('observe');
      expect(ceilingAt({ ...rules, pauseAt: () => ({ until: null }) }, maxAction, now)).toBe(
        'observe',
      );
    }
  });
});

describe('a scan that an assignment asks for', () => {
  const minute = 60_000;
  test('is due when the last one is older, and no sooner than ten minutes after it', () => {
    const wait = (rescanAfter: number | null, lastFull: number | null) =>
      rescanWaitMs({ rescanAfter }, lastFull, now);
    expect(wait(null, now - minute)).toBeNull();
    expect(wait(now, null)).toBe(0);
    expect(wait(now - minute, now - 60 * minute)).toBe(0);
    expect(wait(now - 60 * minute, now - minute)).toBeNull();
    expect(wait(now, now - minute)).toBe(9 * minute);
    // The server's clock may be a little ahead; what is meant for later is no matter of now.
    expect(wait(now + minute, now - 60 * minute)).toBe(0);
    expect(wait(now + 60 * minute, now - 60 * minute)).toBeNull();
    expect(wait(Date.parse('9999-12-31T23:59:59Z'), null)).toBeNull();
  });

  test('comes at most six times an hour, however many assignments ask', () => {
    const asked = fc.array(fc.integer({ min: 0, max: 60 * minute }), { maxLength: 400 });
    fc.assert(
      fc.property(asked, (moments) => {
        let [lastFull, scans, dueAt] = [0, 0, Infinity];
        for (const moment of moments.sort((one, other) => one - other)) {
          if (moment >= dueAt) [lastFull, scans, dueAt] = [moment, scans + 1, Infinity];
          const waitMs = rescanWaitMs({ rescanAfter: moment }, lastFull, moment);
          if (waitMs === 0) [lastFull, scans] = [moment, scans + 1];
          else if (waitMs !== null) dueAt = Math.min(dueAt, moment + waitMs);
        }
        expect(scans).toBeLessThanOrEqual(6);
      }),
    );
  });
});
