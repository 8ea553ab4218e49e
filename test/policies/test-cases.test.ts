/**
 * Cases beside a policy: what a short form means, which outcomes are compared and how, and for each way
 * to write a wrong case the line, the column and the words.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import Value from 'typebox/value';
import { parse } from 'yaml';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parsePolicy } from '../../policies/document.js';
import { casesJsonSchema, parseCases, policyNamedIn } from '../../policies/test-cases.js';
import { runCases, type CaseRun } from '../../policies/test-runs.js';
import { runs } from '../runs.js';
import { catalogue, policyOf } from './subjects.js';

const policy = policyOf(`
policy: tools
title: Tools
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - { id: ours, match: { tool: qoder }, decision: approve }
  - id: relay
    match: { tool: claude-code, gateway: third-party }
    decision: deny
    effective: 2026-07-01
    after: remove
    reason: { en: No relay. }
  - id: old
    match: { tool: claude-code, version: '<2.1.91' }
    decision: allow
  - id: ban
    match: { tool: claude-code }
    decision: deny
    severity: high
    announce: 2026-07-04
    effective: 2026-07-10
    after: block
    grace: 5 days
    reason: { en: Not approved. }
    replacement: { tool: qoder }
  - id: named
    match: { package: { npm: '@someone/agent' }, path: ~/agents/** }
    decision: deny
    effective: 2026-07-10
    after: observe
    reason: { en: Not approved. }
targets: { groups: [engineering], os: [darwin, linux], percent: 0 }
`);

function runsOf(yaml: string): readonly CaseRun[] {
  const parsed = parseCases(yaml, { policy, catalogue });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems, null, 1));
  return [...runCases(parsed.document, { policy, catalogue })];
}

const failed = (runs: readonly CaseRun[]) =>
  runs.filter(({ isPassed }) => !isPassed).map(({ name, at, fields }) => ({ name, at, fields }));

const oneCase = (rest: string): string => `cases:\n  - name: it\n${rest.replace(/^/gm, '    ')}`;

describe('what a case means', () => {
  test('the short form is the tool as npm has it, installed for a user in a group of the policy', () => {
    const [run] = runsOf(
      oneCase(
        'component: { tool: claude-code, version: 2.1.100 }\nat: 2026-07-16\nexpect: { rule: ban }',
      ),
    );
    const seen = run?.trace.flatMap(({ cause }) => (cause.kind === 'rule' ? cause.conditions : []));
    const found = new Map(seen?.map((one) => [one.field, one.found]));
    expect(Object.fromEntries(found)).toEqual({
      tool: 'claude-code',
      state: 'installed',
      scope: 'global',
      gateway: 'none',
      version: '2.1.100',
    });
    expect(run?.isPassed).toBe(true);
  });

  test('a tool without a version is unknown to a rule of versions', () => {
    const runs = runsOf(
      oneCase(
        'component: { tool: claude-code }\nat: 2026-07-16\nexpect: { status: unknown, rule: old }',
      ),
    );
    expect(failed(runs)).toEqual([]);
  });

  test('days begin in the zone of the policy, and each time has its own expectation', () => {
    const notices = 'notices: { ban: 2026-06-01 }\n';
    const component = 'component: { tool: claude-code, version: 2.1.100 }\n';
    const times =
      'times:\n' +
      '  - { at: 2026-07-03, expect: { action: observe, daysLeft: 7 } }\n' +
      '  - { at: 2026-07-09T15:59:59Z, expect: { status: pending, effective: 2026-07-10 } }\n' +
      '  - { at: 2026-07-09T16:00:00Z, expect: { status: violation, daysLeft: 0 } }\n';
    expect(failed(runsOf(oneCase(component + notices + times)))).toEqual([]);
  });

  test('grace counts from the notice that the case gives', () => {
    const runs = runsOf(
      oneCase(
        'component: { tool: claude-code, version: 2.1.100 }\nnotices: { ban: 2026-07-20 }\ntimes:\n' +
          '  - { at: 2026-07-24, expect: { status: pending, graceUntil: 2026-07-25 } }\n' +
          '  - { at: 2026-07-25, expect: { status: violation, effective: 2026-07-25 } }\n',
      ),
    );
    expect(failed(runs)).toEqual([]);
  });

  test('gateway, path and package of what no catalogue knows', () => {
    const runs = runsOf(`cases:
  - name: a relay
    component: { tool: claude-code, gateway: llm.example.test }
    at: 2026-07-02
    expect: { rule: relay, action: remove }
  - name: a gateway that nobody can tell
    component: { tool: claude-code, gateway: null }
    at: 2026-07-02
    expect: { rule: relay, status: unknown }
  - name: in the home of the user
    component: { channel: npm, name: '@someone/agent', path: ~/agents/one }
    device: { os: darwin, user: ben }
    at: 2026-07-10
    expect: { rule: named, status: violation }
  - name: elsewhere
    component: { channel: npm, name: '@someone/agent' }
    at: 2026-07-10
    expect: { rule: default, status: review }
`);
    expect(failed(runs)).toEqual([]);
  });

  test('exceptions hold for whom they name, until their end', () => {
    const runs = runsOf(`device: { person: ana, id: d1 }
cases:
  - name: hers
    component: { tool: claude-code, version: 2.1.100 }
    device: { group: engineering }
    exceptions: [{ tool: claude-code, person: ana, until: 2026-08-01 }]
    at: 2026-07-20
    expect: { follows: false }
  - name: another's
    component: { tool: claude-code, version: 2.1.100 }
    device: { person: ben }
    exceptions: [{ tool: claude-code, person: ana, until: 2026-08-01 }]
    at: 2026-07-20
    expect: { follows: false }
`);
    // A percentage of 0 has no device that is named by an id.
    expect(failed(runs)).toEqual([]);
    const held = runsOf(
      oneCase(
        'component: { tool: claude-code, version: 2.1.100 }\ndevice: { person: ana }\n' +
          'exceptions: [{ tool: claude-code-cli, person: ana, from: 2026-07-15, until: 2026-08-01 }]\ntimes:\n' +
          '  - { at: 2026-07-14T23:59:59+08:00, expect: { rule: ban } }\n' +
          '  - { at: 2026-07-31T23:59:59+08:00, expect: { status: excepted } }\n' +
          '  - { at: 2026-08-01, expect: { rule: ban } }\n',
      ),
    );
    expect(failed(held)).toEqual([]);
  });
});

describe('what failed', () => {
  test('each field that a case names is said with what it is, and the rules that were tried', () => {
    const [run] = runsOf(
      oneCase(
        'component: { tool: claude-code, version: 2.1.100 }\nnotices: { ban: 2026-06-01 }\n' +
          'at: 2026-07-09\nexpect: { status: violation, rule: ban, effective: 2026-07-11 }',
      ),
    );
    expect(run?.isPassed).toBe(false);
    expect(run?.fields).toEqual([
      { field: 'status', expected: 'violation', actual: 'pending', isSame: false },
      { field: 'rule', expected: 'ban', actual: 'ban', isSame: true },
      {
        field: 'effective',
        expected: '2026-07-11',
        actual: '2026-07-09T16:00:00.000Z',
        isSame: false,
      },
    ]);
    expect(run?.trace.map(({ rule, matched }) => [rule, matched])).toEqual([
      ['ours', false],
      ['relay', false],
      ['old', false],
      ['ban', true],
    ]);
  });

  test('a device outside the targets fails a case that did not ask for it', () => {
    const [run] = runsOf(
      oneCase(
        'component: { tool: qoder }\ndevice: { os: win32 }\nat: 2026-07-10\nexpect: { rule: ours }',
      ),
    );
    expect(run?.fields).toEqual([
      { field: 'follows', expected: 'true', actual: 'false', isSame: false },
      { field: 'rule', expected: 'ours', actual: null, isSame: false },
    ]);
  });
});

const right = `device: { zone: Europe/Berlin }
cases:
  - name: one
    component: { tool: claude-code, channel: npm }
    exceptions: [{ tool: claude-code, person: ana, until: 2026-08-01 }]
    notices: { ban: 2026-07-01 }
    at: [2026-07-10, 2026-07-11T00:00:00Z]
    expect: { status: violation, rule: ban, effective: 2026-07-10, replacement: qoder }
  - name: two
    component: { channel: npm, name: other }
    times: [{ at: 2026-07-10, expect: { status: review } }]
`;

describe('wrong cases', () => {
  test('the committed schema for editors is what the code says', () => {
    const file = new URL('../../policies/test-cases.schema.json', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(`${JSON.stringify(casesJsonSchema(), null, 2)}\n`);
  });

  test('the document that the changes below are made to is right', () => {
    expect(parseCases(right, { policy, catalogue }).kind).toBe('cases');
    expect(Value.Check(casesJsonSchema() as Parameters<typeof Value.Check>[0], parse(right))).toBe(
      true,
    );
  });

  test.each([
    [
      'statuz: violation',
      'status: violation',
      8,
      15,
      'unknown field "statuz"; did you mean "status"?',
    ],
    ['status: violated', 'status: violation', 8, 23, 'did you mean "violation"?'],
    ['rule: bann,', 'rule: ban,', 8, 40, 'the policy has no rule "bann"; did you mean "ban"?'],
    ['replacement: qodr', 'replacement: qoder', 8, 81, 'has no tool "qodr"; did you mean "qoder"?'],
    ['tool: claude-cod,', 'tool: claude-code,', 4, 24, 'did you mean "claude-code"?'],
    ['zone: Europe/Berln', 'zone: Europe/Berlin', 1, 17, 'did you mean "Europe/Berlin"?'],
    ['[2026-07-32,', '[2026-07-10,', 7, 10, '2026-07-32 is not a day of the calendar'],
    ['until: soon', 'until: 2026-08-01', 5, 59, 'expected a day like 2026-07-10'],
    ['{ bann: 2026', '{ ban: 2026', 6, 16, 'no rule "bann"; did you mean "ban"?'],
    ['{ name: other }', '{ channel: npm, name: other }', 10, 16, 'a component needs a "tool", or'],
    ['name: one', 'name: two', 9, 11, 'cases[0] has the name "one" already'],
    ['daysLeft: "3",', 'rule: ban,', 8, 44, 'a whole number; found "3"; write it without quotes'],
    ['"person": [ana]', 'person: ana', 5, 49, 'expected text; found a list'],
  ])('%s', (wrong, was, line, column, message) => {
    const changed = right.replace(was, wrong);
    const parsed = parseCases(changed, { policy, catalogue });
    const problems = parsed.kind === 'invalid' ? parsed.problems : [];
    expect(problems.map((one) => [one.line, one.column])).toEqual([[line, column]]);
    expect(problems[0]?.message).toContain(message);
  });

  test.each([
    ['at: 2026-07-10\n', 'missing field "expect"'],
    ['expect: { status: pending }\n', 'missing field "at"'],
    [
      'at: 2026-07-10\nexpect: { status: pending }\ntimes: [{ at: 2026-07-10, expect: { rule: ban } }]',
      'never both',
    ],
    ['at: 2026-07-10\nexpect: { follows: false, status: pending }', 'has no verdict of it'],
    ['at: 2026-07-10\nexpect: {}', 'expected at least one entry'],
  ])('%j is no case', (rest, message) => {
    const parsed = parseCases(oneCase(`component: { tool: qoder }\n${rest}`), {
      policy,
      catalogue,
    });
    const messages = parsed.kind === 'invalid' ? parsed.problems.map((one) => one.message) : [];
    expect(messages.join('\n')).toContain(message);
  });

  test('a day without a timezone of the policy needs an offset', () => {
    const bare = policyOf('{ policy: p, title: P, default: { decision: review }, rules: [] }');
    const yaml = oneCase('component: { tool: qoder }\nat: 2026-07-10\nexpect: { status: review }');
    const parsed = parseCases(yaml, { policy: bare, catalogue });
    expect(parsed.kind === 'invalid' && parsed.problems[0]?.message).toContain('no timezone');
  });
});

test('no text makes reading cases throw, and what is taken runs', () => {
  const cut = fc
    .tuple(fc.nat(right.length), fc.nat(20), fc.string({ maxLength: 12 }))
    .map(([at, length, put]) => right.slice(0, at) + put + right.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(cut, fc.string()), (text) => {
      const parsed = parseCases(text, { policy, catalogue });
      if (parsed.kind === 'invalid') expect(parsed.problems.length).toBeGreaterThan(0);
      else for (const run of runCases(parsed.document, { policy, catalogue })) void run.trace;
    }),
    runs(300),
  );
});

test('the cases that the page for admins shows come out as it says', () => {
  const read = (file: string): string =>
    readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const [, shown = ''] = /```yaml\n(# yaml-language-server[^]*?)```/.exec(
    read('docs/admin/policy-in-git.md'),
  ) as RegExpExecArray;
  const shipped = builtInCatalogue();
  const parsed = parsePolicy(read('policies/examples/claude-code-to-qoder.yaml'));
  if (parsed.kind === 'invalid') throw new Error('the example is not valid');
  const context = { policy: parsed.policy, catalogue: shipped };
  const cases = parseCases(shown, context);
  if (cases.kind === 'invalid') throw new Error(JSON.stringify(cases.problems));
  const runs = [...runCases(cases.document, context)];
  expect(failed(runs)).toEqual([]);
  expect(runs).toHaveLength(3);
});

test('a file of cases may name its policy', () => {
  expect(policyNamedIn('policy: other.yaml\ncases: []')).toBe('other.yaml');
  expect(policyNamedIn('cases: []')).toBeNull();
  expect(policyNamedIn('policy: [')).toBeNull();
});

test('every tool of the catalogue can be written in the short form on every system', () => {
  const shipped = builtInCatalogue();
  const plain = policyOf('{ policy: p, title: P, default: { decision: review }, rules: [] }');
  const cases = shipped.tools.flatMap(({ id }) =>
    ['linux', 'darwin', 'win32'].map(
      (os) =>
        `  - { name: ${id} on ${os}, component: { tool: ${id} }, device: { os: ${os} }, at: 2026-07-10T00:00:00Z, expect: { status: review } }`,
    ),
  );
  const parsed = parseCases(`cases:\n${cases.join('\n')}`, { policy: plain, catalogue: shipped });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems.slice(0, 3)));
  const runs = [...runCases(parsed.document, { policy: plain, catalogue: shipped })];
  expect(failed(runs)).toEqual([]);
  expect(runs).toHaveLength(shipped.tools.length * 3);
});
