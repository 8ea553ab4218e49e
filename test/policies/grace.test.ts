/**
 * Grace, escalation and the persons a policy is for. Instants are written out; days are those of the
 * policy's zone, through the nights in which the clocks are changed.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import Value from 'typebox/value';
import { parse } from 'yaml';
import { parsePolicy, policyJsonSchema } from '../../policies/document.js';
import { selectPolicy } from '../../policies/evaluate.js';
import { runs } from '../runs.js';
import { device, judge, policyOf } from './subjects.js';

const ban = (fields: string, timezone = 'Europe/Berlin'): string => `
policy: ban
title: Ban
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
const iso = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : new Date(at).toISOString();

describe('grace', () => {
  const grace = ban('grace: 3 days');

  test.each([
    // told early: the policy's date holds
    ['2026-07-04T08:00:00Z', '2026-07-09T21:59:59Z', 'pending', '2026-07-09T22:00:00.000Z'],
    ['2026-07-04T08:00:00Z', '2026-07-09T22:00:00Z', 'violation', '2026-07-09T22:00:00.000Z'],
    // told two days before: one day more than the date
    ['2026-07-08T08:00:00Z', '2026-07-11T07:59:59Z', 'pending', '2026-07-11T08:00:00.000Z'],
    ['2026-07-08T08:00:00Z', '2026-07-11T08:00:00Z', 'violation', '2026-07-11T08:00:00.000Z'],
    // enrolled ten days late
    ['2026-07-20T08:00:00Z', '2026-07-22T12:00:00Z', 'pending', '2026-07-23T08:00:00.000Z'],
    ['2026-07-20T08:00:00Z', '2026-07-24T00:00:00Z', 'violation', '2026-07-23T08:00:00.000Z'],
  ])('told at %s, at %s it is %s, in force from %s', (told, at, status, effective) => {
    const { verdict } = judge(grace, { at, notices: { ban: told } });
    expect([verdict.status, iso(verdict.effective)]).toEqual([status, effective]);
    expect(iso(verdict.noticed)).toBe(told.replace('Z', '.000Z'));
  });

  test('in grace the mild action holds, the days left count to its end, and its end is said', () => {
    const told = { ban: '2026-07-20T08:00:00Z' };
    const { verdict } = judge(grace, { at: '2026-07-22T12:00:00Z', notices: told });
    expect(verdict).toMatchObject({ action: 'notify', daysLeft: 1 });
    expect(iso(verdict.graceUntil)).toBe('2026-07-23T08:00:00.000Z');
  });

  test('a device that was not told yet is pending for as long as it was not', () => {
    for (const at of ['2026-07-20T08:00:00Z', '2027-07-20T08:00:00Z']) {
      const { verdict } = judge(grace, { at });
      expect(verdict.status).toBe('pending');
      expect(Number(verdict.effective) - Date.parse(at)).toBe(3 * 24 * 3_600_000);
      expect(verdict.noticed).toBeUndefined();
    }
  });

  test('days are calendar days through a change of the clocks, hours are hours', () => {
    const told = { ban: '2026-10-24T10:00:00Z' }; // noon in Berlin, where the 25th has 25 hours
    const at = '2026-10-24T12:00:00Z';
    const end = (fields: string): string | null =>
      iso(judge(ban(fields), { at, notices: told }).verdict.graceUntil);
    expect(end('grace: 1 day')).toBe('2026-10-25T11:00:00.000Z');
    expect(end('grace: 24 hours')).toBe('2026-10-25T10:00:00.000Z');
  });

  test('a rule without grace asks for no notice and knows none', () => {
    const { verdict } = judge(ban(''), { at: '2026-07-20T08:00:00Z' });
    expect(verdict.status).toBe('violation');
    expect(verdict).not.toHaveProperty('graceUntil');
    expect(verdict).not.toHaveProperty('noticed');
  });

  test('another rule’s notice is none of this one’s', () => {
    const { verdict } = judge(grace, {
      at: '2026-07-20T08:00:00Z',
      notices: { other: '2026-07-04T08:00:00Z' },
    });
    expect(verdict.status).toBe('pending');
  });

  test('a denying default has its grace under the name default', () => {
    const list = `
policy: list
title: List
timezone: utc
default: { decision: deny, effective: 2026-07-10, after: block, grace: 24 hours, reason: { en: List. } }
rules: []
`;
    const at = '2026-07-15T00:00:00Z';
    expect(judge(list, { at }).verdict.status).toBe('pending');
    const notices = { default: '2026-07-13T23:00:00Z' };
    expect(judge(list, { at, notices }).verdict.status).toBe('violation');
  });
});

describe('grace from the assignment', () => {
  const given = (policy: string, at: string, until: string) =>
    judge(policy, { at, assignedGrace: until }).verdict;

  test.each([
    // later than the date: nothing is in force before
    ['2026-07-15T00:00:00Z', '2026-07-20T00:00:00Z', 'pending', '2026-07-20T00:00:00.000Z'],
    ['2026-07-20T00:00:00Z', '2026-07-20T00:00:00Z', 'violation', '2026-07-20T00:00:00.000Z'],
    // earlier than the date: never sooner
    ['2026-07-09T12:00:00Z', '2026-07-01T00:00:00Z', 'pending', '2026-07-09T22:00:00.000Z'],
    ['2026-07-15T00:00:00Z', '2026-07-01T00:00:00Z', 'violation', '2026-07-09T22:00:00.000Z'],
  ])('at %s with grace until %s it is %s', (at, until, status, effective) => {
    const verdict = given(ban(''), at, until);
    expect([verdict.status, iso(verdict.effective)]).toEqual([status, effective]);
  });

  test('the later of it and the rule’s own counts, and the escalation from there', () => {
    const both = ban('grace: 3 days\n    escalate: { after: 7 days, action: remove }');
    const notices = { ban: '2026-07-20T08:00:00Z' };
    const of = (assignedGrace: string) =>
      judge(both, { at: '2026-07-22T00:00:00Z', notices, assignedGrace }).verdict;
    expect(iso(of('2026-07-21T00:00:00Z').effective)).toBe('2026-07-23T08:00:00.000Z');
    expect(iso(of('2026-07-25T00:00:00Z').effective)).toBe('2026-07-25T00:00:00.000Z');
    expect(iso(of('2026-07-25T00:00:00Z').escalates)).toBe('2026-08-01T00:00:00.000Z');
  });
});

describe('escalation', () => {
  const later = ban('escalate: { after: 7 days, action: remove }');

  test.each([
    ['2026-07-09T21:59:59Z', 'pending', 'notify'],
    ['2026-07-09T22:00:00Z', 'violation', 'block'],
    ['2026-07-16T21:59:59Z', 'violation', 'block'],
    ['2026-07-16T22:00:00Z', 'violation', 'remove'],
  ])('at %s it is a %s that asks for %s', (at, status, action) => {
    const { verdict } = judge(later, { at });
    expect(verdict).toMatchObject({ status, action, effectiveAction: action });
    expect(iso(verdict.escalates)).toBe('2026-07-16T22:00:00.000Z');
  });

  test('it counts from when the rule came into force on this device, its grace included', () => {
    const both = ban('grace: 3 days\n    escalate: { after: 7 days, action: remove }');
    const notices = { ban: '2026-07-20T08:00:00Z' };
    const action = (at: string): string | null => judge(both, { at, notices }).verdict.action;
    expect(action('2026-07-30T07:59:59Z')).toBe('block');
    expect(action('2026-07-30T08:00:00Z')).toBe('remove');
  });

  test('the machine’s ceiling holds for it too', () => {
    const at = '2026-08-01T00:00:00Z';
    const { verdict } = judge(later, { at, device: { maxAction: 'notify' } });
    expect(verdict).toMatchObject({ action: 'remove', effectiveAction: 'notify' });
  });
});

test('the typed form keeps what the author wrote, and the schema for editors takes it', () => {
  const text = `${ban('grace: 3 days\n    escalate: { after: 168 hours, action: remove }')}
contact: mailto:help@example.com
targets: { users: ana@example.com }
`;
  const policy = policyOf(text);
  expect(policy.rules[0]?.denial).toMatchObject({
    grace: '3 days',
    escalate: { after: '168 hours', action: 'remove' },
  });
  expect(policy).toMatchObject({
    contact: 'mailto:help@example.com',
    targets: { users: ['ana@example.com'] },
  });
  const schema = policyJsonSchema() as Parameters<typeof Value.Check>[0];
  expect(Value.Check(schema, parse(text))).toBe(true);
  expect(Value.Check(schema, parse(text.replace('3 days', 'three days')))).toBe(false);
});

describe('what is refused', () => {
  const problem = (fields: string, timezone?: string): string => {
    const parsed = parsePolicy(ban(fields, timezone));
    return parsed.kind === 'invalid' ? (parsed.problems[0]?.message ?? '') : 'nothing';
  };

  test.each(['3', '0 days', '3 weeks', '3days', '-1 day', '1.5 days', '3  days', 'P3D'])(
    'a grace of %s',
    (text) => expect(problem(`grace: "${text}"`)).toMatch(/like "3 days" or "24 hours"; found/),
  );

  test('an escalation that is no stronger', () => {
    const message = problem('escalate: { after: 7 days, action: block }');
    expect(message).toBe('expected an action stronger than "after: block"; found "block"');
  });

  test('days without a zone to be days of', () => {
    const text = ban('grace: 3 days')
      .replace('timezone: Europe/Berlin\n', '')
      .replace('announce: 2026-07-04', 'announce: 2026-07-04T00:00:00Z')
      .replace('effective: 2026-07-10', 'effective: 2026-07-10T00:00:00Z');
    expect(parsePolicy(text)).toMatchObject({
      kind: 'invalid',
      problems: [{ field: 'rules[0].grace', message: expect.stringContaining('timezone') }],
    });
    expect(parsePolicy(text.replace('3 days', '72 hours')).kind).toBe('policy');
  });

  test('grace and escalation of what is not denied', () => {
    const text = ban('grace: 3 days').replace('decision: deny', 'decision: allow');
    const parsed = parsePolicy(text);
    const messages = parsed.kind === 'invalid' ? parsed.problems.map((one) => one.message) : [];
    expect(messages).toContain('"grace" is for decision deny, not allow');
  });
});

describe('persons and contact', () => {
  const policy = (lines: string): string =>
    `policy: p\ntitle: T\ndefault: { decision: allow }\nrules: []\n${lines}`;

  test('targets by user: the persons whose device it is, whole, capitals aside', () => {
    const policies = [policyOf(policy('targets: { users: [ana@example.com, ben] }'))];
    const follows = (assignedUser?: string | null): boolean =>
      selectPolicy(policies, device(assignedUser === undefined ? {} : { assignedUser })) !== null;
    expect(follows('ana@example.com')).toBe(true);
    expect(follows('ben')).toBe(true);
    expect(follows('Ana@Example.com')).toBe(true);
    expect([follows('ana'), follows(''), follows(null), follows()]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test('users and groups are joined by and', () => {
    const policies = [policyOf(policy('targets: { users: ben, groups: sales }'))];
    const of = (group: string): boolean =>
      selectPolicy(policies, device({ assignedUser: 'ben', group })) !== null;
    expect([of('sales'), of('engineering')]).toEqual([true, false]);
  });

  test.each(['https://example.com/help', 'mailto:help@example.com'])('a contact %s', (contact) => {
    expect(policyOf(policy(`contact: ${contact}`)).contact).toBe(contact);
  });

  test.each([
    'http://example.com',
    'help@example.com',
    'mailto:',
    'https://a:b@example.com',
    'javascript:alert(1)',
  ])('no contact %s', (contact) =>
    expect(parsePolicy(policy(`contact: "${contact}"`)).kind).toBe('invalid'),
  );
});

test('for given notices time only moves pending to violation, and the action only grows then', () => {
  const strength = ['observe', 'notify', 'block', 'remove'];
  const hour = 3_600_000;
  const from = Date.parse('2026-06-25T00:00:00Z');
  const instants = fc.integer({ min: 0, max: 60 * 24 }).map((hours) => from + hours * hour);
  const fields = fc.record({
    grace: fc.option(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom('days', 'hours'))),
    escalate: fc.option(fc.integer({ min: 1, max: 20 })),
    zone: fc.constantFrom('Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'utc'),
  });
  fc.assert(
    fc.property(fields, fc.option(instants), instants, instants, (made, told, first, second) => {
      const { grace, escalate, zone } = made;
      const text = ban(
        [
          grace === null ? '' : `grace: ${grace.join(' ')}`,
          escalate === null ? '' : `escalate: { after: ${escalate} days, action: remove }`,
        ]
          .filter((line) => line !== '')
          .join('\n    '),
        zone,
      );
      const policy = policyOf(text);
      const notices = told === null ? {} : { ban: new Date(told).toISOString() };
      const at = (now: number) =>
        judge(policy, { at: new Date(now).toISOString(), notices }).verdict;
      const [before, after] = [at(Math.min(first, second)), at(Math.max(first, second))];
      if (before.status === 'violation') expect(after.status).toBe('violation');
      expect(strength.indexOf(after.action ?? '')).toBeGreaterThanOrEqual(
        strength.indexOf(before.action ?? ''),
      );
      if (told !== null) expect(after.effective).toBe(before.effective);
    }),
    runs(150),
  );
});
