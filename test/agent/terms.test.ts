/**
 * From when rules count on one device: first notices, returns from absences, fixed zones, and what is
 * told of them. Database and judgement are the real ones; time is a number, people are a flag.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { openAttendance } from '../../agent/attendance.js';
import { findingsOf } from '../../agent/employee/prompt.js';
import { toReported } from '../../agent/report/messages.js';
import { inForce, type Device } from '../../agent/rules.js';
import { openStore, type Store } from '../../agent/store.js';
import { noteTold } from '../../agent/terms.js';
import { judgeStored } from '../../agent/verdicts.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Verdict } from '../../policies/evaluate.js';
import type { AssignmentPayload } from '../../wire/assignment.js';
import { makeComponent, makeFolder } from './store-fixture.js';

const hour = 3_600_000;
const instant = (text: string): number => Date.parse(text);
const iso = (at: number | null | undefined): string | null =>
  at == null ? null : new Date(at).toISOString().replace('.000Z', 'Z');

const ban = (fields: string, timezone = 'utc'): string => `
policy: tools
title: Tools
timezone: ${timezone}
default: { decision: allow }
rules:
  - id: ban
    match: { tool: claude-code }
    decision: deny
    announce: 2026-07-04
    effective: 2026-07-10
    after: block
    reason: { en: Not approved. }
    ${fields}
`;

const assignment: AssignmentPayload = {
  format: 1,
  server: 'server-1',
  device: 'device-1',
  sequence: 1,
  issuedAt: '2026-07-01T00:00:00Z',
  group: null,
  persons: {},
  exceptions: [],
  pause: false,
  message: null,
  rescanAfter: null,
};

const stores: Store[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});

interface Options extends Partial<Device> {
  /** When the agent was last alive, before it started. */
  readonly lastAlive?: string;
  readonly people?: readonly string[];
}

/** One device that runs and is looked at whenever a test asks. */
function deviceOn(yaml: string, { lastAlive, people = ['ana'], ...rest }: Options = {}) {
  const store = openStore(makeFolder());
  stores.push(store);
  store.putComponent(makeComponent('claude-code'), 0);
  let device: Device = {
    id: 'device-1',
    hardwareId: null,
    platform: 'linux',
    zone: 'UTC',
    maxAction: 'remove',
    assignedUser: null,
    group: null,
    ...rest,
  };
  const rulesOf = (text: string, given: Partial<AssignmentPayload> = {}) => {
    const bundle = {
      format: 1 as const,
      server: 'server-1',
      sequence: 1,
      issuedAt: '2026-07-01T00:00:00Z',
      policies: [{ priority: 0, yaml: text }],
      catalogue: { sha256: '0'.repeat(64) },
      assignmentKeys: [],
      nextPolicyKey: null,
    };
    const documents = { bundle, assignment: { ...assignment, ...given } };
    const rules = inForce({ ...documents, catalogue: builtInCatalogue() }, device);
    expect(rules.unreadable).toBe(0);
    return rules;
  };
  let rules = rulesOf(yaml);
  let attendance = openAttendance(lastAlive === undefined ? null : instant(lastAlive));
  let isAsleep = true;
  let lastAt: number | null = null;
  const judgement = (at: string, settledUntil: number) => {
    const now = instant(at);
    for (; !isAsleep && lastAt !== null && lastAt < now; lastAt += 12 * hour)
      attendance.look(lastAt);
    [isAsleep, lastAt] = [false, now];
    attendance.look(now);
    const homes = new Map(people.map((account) => [account, `/home/${account}`]));
    const away = attendance.take();
    return judgeStored(store, rules, { device, homes, now, settledUntil, away });
  };
  return {
    store,
    publish: (text: string, given: Partial<AssignmentPayload> = {}) =>
      void (rules = rulesOf(text, given)),
    /** Until the next look, whenever that is. */
    sleep: () => void (isAsleep = true),
    restart(alive: string) {
      attendance = openAttendance(instant(alive));
      isAsleep = true;
    },
    move: (zone: string) => void (device = { ...device, zone }),
    judged: (at: string, settledUntil = Infinity) => judgement(at, settledUntil).judged,
    nextChange: (at: string) => iso(judgement(at, Infinity).nextChange),
    at(at: string, settledUntil = Infinity): Verdict {
      const verdict = judgement(at, settledUntil).judged[0]?.verdict;
      if (verdict === undefined) throw new Error('nothing was judged');
      return verdict;
    },
    /** Shows what is due, as the prompter would; answers the statuses that were told. */
    tell(at: string): readonly string[] {
      const now = instant(at);
      return findingsOf(judgement(at, Infinity).judged, people).flatMap(
        ({ key, rule, verdict }) => {
          if (store.promptedAs(key, rule) === verdict.status) return [];
          store.rememberPrompt(key, rule, { status: verdict.status, atMs: now });
          noteTold(store, verdict, now);
          return [verdict.status];
        },
      );
    },
  };
}
const words = ({ status, effective }: Verdict): readonly unknown[] => [status, iso(effective)];

describe('the first notice', () => {
  const grace = ban('grace: 3 days');

  test('a device that was told in good time goes by the date', () => {
    const device = deviceOn(grace);
    expect(device.tell('2026-07-04T09:00:00Z')).toEqual(['pending']);
    expect(words(device.at('2026-07-09T23:59:59Z'))).toEqual(['pending', '2026-07-10T00:00:00Z']);
    expect(words(device.at('2026-07-10T00:00:00Z'))).toEqual(['violation', '2026-07-10T00:00:00Z']);
  });

  test('one that is enrolled after the date has its grace from the notice that was shown', () => {
    const device = deviceOn(grace);
    expect(device.at('2026-07-20T09:00:00Z').status).toBe('pending');
    device.tell('2026-07-20T10:00:00Z');
    expect(words(device.at('2026-07-20T12:00:00Z'))).toEqual(['pending', '2026-07-23T10:00:00Z']);
    expect(device.at('2026-07-23T10:00:00Z').status).toBe('violation');
  });

  test('a policy edited under the same rule id does not begin it anew', () => {
    const device = deviceOn(grace);
    device.tell('2026-07-20T10:00:00Z');
    device.publish(grace.replace('title: Tools', 'title: Edited').replace('approved', 'wanted'));
    expect(device.tell('2026-07-22T10:00:00Z')).toEqual([]);
    expect(words(device.at('2026-07-23T10:00:00Z'))).toEqual(['violation', '2026-07-23T10:00:00Z']);
    device.publish(grace.replace('3 days', '5 days'));
    expect(words(device.at('2026-07-23T11:00:00Z'))).toEqual(['pending', '2026-07-25T10:00:00Z']);
  });

  test('another rule has a notice of its own', () => {
    const device = deviceOn(grace);
    device.tell('2026-07-20T10:00:00Z');
    device.publish(grace.replace('id: ban', 'id: other'));
    expect(device.at('2026-08-20T10:00:00Z').status).toBe('pending');
  });

  test('where nobody can be shown anything it counts after a day in vain, and that moment is known', () => {
    const device = deviceOn(grace);
    expect(device.nextChange('2026-07-20T10:00:00Z')).toBe('2026-07-23T10:00:00Z');
    expect(device.nextChange('2026-07-20T11:00:00Z')).toBe('2026-07-21T10:00:00Z');
    expect(words(device.at('2026-07-22T10:00:00Z'))).toEqual(['pending', '2026-07-24T10:00:00Z']);
    expect(device.at('2026-07-24T10:00:00Z').status).toBe('violation');
  });

  test.each([
    ['the rule only observes until the date', ban('grace: 3 days\n    before: observe'), {}],
    ['nobody is here', grace, { people: [] }],
    ['the machine’s settings let nobody be told', grace, { maxAction: 'observe' }],
  ] as const)(
    'where %s, the first judgement after the announcement is the notice',
    (_, yaml, options) => {
      const device = deviceOn(yaml, options);
      expect(device.at('2026-07-03T10:00:00Z').noticed).toBeUndefined();
      expect(iso(device.at('2026-07-20T10:00:00Z').noticed)).toBe('2026-07-20T10:00:00Z');
      expect(words(device.at('2026-07-23T10:00:00Z'))).toEqual([
        'violation',
        '2026-07-23T10:00:00Z',
      ]);
    },
  );

  test('in a pause nothing counts as said', () => {
    const device = deviceOn(ban('grace: 3 days\n    before: observe'));
    device.publish(ban('grace: 3 days\n    before: observe'), { pause: true });
    expect(device.at('2026-07-20T10:00:00Z').noticed).toBeUndefined();
    device.publish(ban('grace: 3 days\n    before: observe'));
    expect(iso(device.at('2026-07-21T10:00:00Z').noticed)).toBe('2026-07-21T10:00:00Z');
  });

  test('it is reported, and so is the end of the grace', () => {
    const device = deviceOn(grace);
    device.tell('2026-07-20T10:00:00Z');
    const [judged] = device.judged('2026-07-20T12:00:00Z');
    if (judged === undefined) throw new Error('nothing was judged');
    expect(toReported(judged, ['/home/ana']).verdict).toMatchObject({
      status: 'pending',
      noticed: '2026-07-20T10:00:00.000Z',
      graceUntil: '2026-07-23T10:00:00.000Z',
    });
  });

  test('a rule without grace keeps nothing and says nothing more', () => {
    const device = deviceOn(ban(''));
    device.tell('2026-07-20T10:00:00Z');
    expect([...device.store.terms('tools').keys()]).toEqual([]);
    expect(device.at('2026-07-20T10:00:00Z').status).toBe('violation');
  });
});

describe('a return from an absence over the date', () => {
  const grace = ban('grace: 24 hours');

  test('C071: asleep over the deadline, the grace begins once at the wake, and one prompt says so', () => {
    const device = deviceOn(grace);
    expect(device.tell('2026-07-05T10:00:00Z')).toEqual(['pending']);
    device.at('2026-07-08T18:00:00Z');
    device.sleep();
    expect(device.tell('2026-07-13T07:30:00Z')).toEqual(['pending']);
    expect(words(device.at('2026-07-13T07:30:01Z'))).toEqual(['pending', '2026-07-14T07:30:00Z']);
    expect(device.tell('2026-07-13T20:00:00Z')).toEqual([]);
    expect(device.tell('2026-07-14T07:30:00Z')).toEqual(['violation']);
    expect(device.tell('2026-07-14T08:00:00Z')).toEqual([]);
  });

  test('it is given once: a second absence is none', () => {
    const device = deviceOn(grace);
    device.tell('2026-07-05T10:00:00Z');
    device.at('2026-07-08T18:00:00Z');
    device.sleep();
    expect(words(device.at('2026-07-13T07:00:00Z'))).toEqual(['pending', '2026-07-14T07:00:00Z']);
    device.sleep();
    expect(words(device.at('2026-07-20T07:00:00Z'))).toEqual(['violation', '2026-07-14T07:00:00Z']);
  });

  test.each([
    ['less than a day', '2026-07-09T12:00:01Z', '2026-07-10T12:00:00Z', '2026-07-10T00:00:00Z'],
    ['a day to the second', '2026-07-09T12:00:00Z', '2026-07-10T12:00:00Z', '2026-07-11T12:00:00Z'],
    [
      'over before the date',
      '2026-07-05T12:00:00Z',
      '2026-07-09T23:00:00Z',
      '2026-07-10T00:00:00Z',
    ],
    [
      'begun after the date',
      '2026-07-10T01:00:00Z',
      '2026-07-20T00:00:00Z',
      '2026-07-10T00:00:00Z',
    ],
  ])('an absence of %s', (_, gone, back, effective) => {
    const device = deviceOn(grace);
    device.tell('2026-07-05T10:00:00Z');
    device.at(gone);
    device.sleep();
    expect(iso(device.at(back).effective)).toBe(effective);
  });

  test('the end of a grace that was running is such a date too', () => {
    const device = deviceOn(ban('grace: 3 days'));
    device.tell('2026-07-20T10:00:00Z');
    device.at('2026-07-21T10:00:00Z');
    device.sleep();
    expect(words(device.at('2026-07-27T10:00:00Z'))).toEqual(['pending', '2026-07-30T10:00:00Z']);
  });

  test('a machine that was off is one that was away', () => {
    const device = deviceOn(grace);
    device.tell('2026-07-05T10:00:00Z');
    device.restart('2026-07-06T10:00:00Z');
    expect(words(device.at('2026-07-13T07:30:00Z'))).toEqual(['pending', '2026-07-14T07:30:00Z']);
  });

  test('what came while it was away is told first, and has its grace from there', () => {
    const device = deviceOn(grace, { lastAlive: '2026-07-01T10:00:00Z' });
    expect(device.tell('2026-07-13T07:30:00Z')).toEqual(['pending']);
    expect(words(device.at('2026-07-13T08:00:00Z'))).toEqual(['pending', '2026-07-14T07:30:00Z']);
  });

  test('a rule without grace is in force at the wake, and that is told once', () => {
    const device = deviceOn(ban(''));
    expect(device.tell('2026-07-05T10:00:00Z')).toEqual(['pending']);
    device.sleep();
    expect(device.tell('2026-07-13T07:30:00Z')).toEqual(['violation']);
    expect(device.tell('2026-07-13T07:31:00Z')).toEqual([]);
  });
});

describe('a verdict that changes is told once', () => {
  test('pending, then in force; an edited text is told to nobody', () => {
    const device = deviceOn(ban(''));
    expect(device.tell('2026-07-05T10:00:00Z')).toEqual(['pending']);
    device.publish(ban('severity: critical').replace('approved', 'wanted'));
    expect(device.tell('2026-07-06T10:00:00Z')).toEqual([]);
    expect(device.tell('2026-07-10T00:00:00Z')).toEqual(['violation']);
    device.publish(ban('severity: low'));
    expect(device.tell('2026-07-11T10:00:00Z')).toEqual([]);
  });

  test('C074: a date brought forward is told when it is in force, one put off when that is lifted', () => {
    const device = deviceOn(ban(''));
    device.tell('2026-07-04T10:00:00Z');
    device.publish(ban('').replace('2026-07-10', '2026-07-05'));
    expect(device.tell('2026-07-04T12:00:00Z')).toEqual([]);
    expect(device.tell('2026-07-05T00:00:00Z')).toEqual(['violation']);
    device.publish(ban('').replace('2026-07-10', '2026-07-31'));
    expect(device.tell('2026-07-06T00:00:00Z')).toEqual(['pending']);
    expect(device.tell('2026-07-07T00:00:00Z')).toEqual([]);
    expect(device.tell('2026-07-31T00:00:00Z')).toEqual(['violation']);
    const changes = device.store.history(10).filter(({ kind }) => kind === 'verdict');
    expect(changes.map(({ before, after }) => [before, after]).reverse()).toEqual([
      [null, 'pending'],
      ['pending', 'violation'],
      ['violation', 'pending'],
      ['pending', 'violation'],
    ]);
  });
});

describe('device-local dates', () => {
  const local = ban('', 'device-local');

  test('C066: the zone of the day on which the rule came is kept, whatever the person sets later', () => {
    const device = deviceOn(local, { zone: 'Asia/Shanghai' });
    expect(words(device.at('2026-07-05T10:00:00Z'))).toEqual(['pending', '2026-07-09T16:00:00Z']);
    device.move('America/Los_Angeles');
    expect(words(device.at('2026-07-09T16:00:00Z'))).toEqual(['violation', '2026-07-09T16:00:00Z']);
    expect(device.at('2026-07-09T17:00:00Z').zone).toBe('Asia/Shanghai');
  });

  test('an edited date is read in the same zone, a rule that is new in the present one', () => {
    const device = deviceOn(local, { zone: 'Asia/Shanghai' });
    device.at('2026-07-05T10:00:00Z');
    device.move('America/Los_Angeles');
    device.publish(local.replace('2026-07-10', '2026-07-12'));
    expect(iso(device.at('2026-07-05T11:00:00Z').effective)).toBe('2026-07-11T16:00:00Z');
    device.publish(local.replace('id: ban', 'id: other'));
    expect(iso(device.at('2026-07-05T12:00:00Z').effective)).toBe('2026-07-10T07:00:00Z');
  });

  test('the zone is reported with the instants that came of it', () => {
    const device = deviceOn(local, { zone: 'Asia/Kathmandu' });
    const [judged] = device.judged('2026-07-05T10:00:00Z');
    if (judged === undefined) throw new Error('nothing was judged');
    expect(toReported(judged, []).verdict).toMatchObject({
      zone: 'Asia/Kathmandu',
      effective: '2026-07-09T18:15:00.000Z',
    });
  });
});

describe('time that is not confirmed', () => {
  const later = ban('escalate: { after: 7 days, action: remove }');
  const done = (at: string, settled: string | null): string | null =>
    deviceOn(later).at(at, settled === null ? -Infinity : instant(settled)).effectiveAction;

  test.each([
    ['2026-07-09T10:00:00Z', null, 'notify'],
    ['2026-07-12T10:00:00Z', null, 'notify'],
    ['2026-07-12T10:00:00Z', '2026-07-09T23:59:59Z', 'notify'],
    ['2026-07-12T10:00:00Z', '2026-07-10T00:00:00Z', 'block'],
    ['2026-07-18T10:00:00Z', '2026-07-10T00:00:00Z', 'block'],
    ['2026-07-18T10:00:00Z', '2026-07-17T00:00:00Z', 'remove'],
  ])('at %s, settled until %s: %s', (at, settled, action) => {
    expect(done(at, settled)).toBe(action);
  });

  test('the verdict and the prompt use it', () => {
    const verdict = deviceOn(later).at('2026-07-12T10:00:00Z', -Infinity);
    expect(verdict).toMatchObject({ status: 'violation', action: 'block' });
  });
});
