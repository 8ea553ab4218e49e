/**
 * The judgement, sentence by sentence of the language: precedence, dates, states and scopes, what is
 * unknown, exceptions, and the policy that a device follows.
 */
import { describe, expect, test } from 'vitest';
import { componentStates } from '../../policies/component.js';
import { milder, selectPolicy, worst } from '../../policies/evaluate.js';
import { deny, device, exception, judge, policyOf, withRules } from './subjects.js';

const ban = withRules(`
  - id: ban
    match: { tool: claude-code }
    decision: deny
    severity: high
    announce: 2026-07-04
    effective: 2026-07-10
    before: notify
    after: remove
    reason: { en: Not approved here. }
    replacement: { tool: qoder, guide: https://example.com/move }
`);

describe('precedence', () => {
  test('an exception that holds is final', () => {
    const { verdict, trace } = judge(ban, { exceptions: [exception()] });
    expect(verdict).toMatchObject({ status: 'excepted', rule: 'ban', action: null });
    expect(trace[0]).toMatchObject({
      rule: 'exception e1',
      matched: true,
      why: 'holds until 2026-09-01T00:00:00.000Z: Moves a customer project first.',
    });
  });

  test('the first rule whose match holds decides', () => {
    const rules = '\n  - { id: fine, match: { tool: claude-code }, decision: allow }';
    expect(judge(withRules(rules + deny('later', '{ tool: claude-code }'))).verdict).toMatchObject({
      status: 'allowed',
      rule: 'fine',
    });
  });

  test('the first rule whose match holds decides, whatever its date', () => {
    const future = deny('future', '{ tool: claude-code }').replace('2026-07-10', '2027-01-01');
    const { verdict } = judge(withRules(future + deny('now', '{ vendor: Anthropic }')));
    expect(verdict).toMatchObject({ status: 'pending', rule: 'future' });
  });

  test('then the default holds', () => {
    const other = { tool: 'opencode', name: 'opencode-ai' };
    for (const [decision, status] of [
      ['review', 'review'],
      ['allow', 'allowed'],
    ]) {
      const policy = withRules(deny('ban', '{ tool: claude-code }'), decision);
      expect(judge(policy, { component: other }).verdict).toMatchObject({
        status,
        rule: 'default',
        effective: null,
      });
    }
  });

  test('a denying default has dates like a rule', () => {
    const policy = withRules(
      '\n  - { id: ours, match: { vendor: Qoder }, decision: approve }',
      'deny, announce: 2026-07-01, effective: 2026-07-10, after: notify, reason: { en: List only. }',
    );
    expect(judge(policy, { at: '2026-07-09T23:59:59Z' }).verdict.status).toBe('pending');
    expect(judge(policy).verdict).toMatchObject({ status: 'violation', rule: 'default' });
    expect(judge(policy, { component: { tool: 'qoder' } }).verdict.status).toBe('approved');
  });

  test('each decision has its verdict', () => {
    for (const [decision, status] of [
      ['approve', 'approved'],
      ['allow', 'allowed'],
      ['review', 'review'],
    ]) {
      const rule = `\n  - { id: one, match: { tool: claude-code }, decision: ${decision} }`;
      expect(judge(withRules(rule)).verdict.status).toBe(status);
    }
  });

  test('without a policy nothing is known and nothing is done', () => {
    const { verdict } = judge(null);
    expect(verdict).toMatchObject({ status: 'unknown', policy: null, rule: null, action: null });
  });

  test('the trace names each rule tried, and why', () => {
    const rules =
      '\n  - { id: ours, match: { tool: [qoder, qoder-cli] }, decision: approve }' +
      deny('old', '{ tool: claude-code, version: <2.0.0 }') +
      deny('ban', '{ tool: claude-code }') +
      deny('never tried'.replace(' ', '-'), '{ tool: claude-code }');
    const { trace } = judge(withRules(rules));
    expect(trace.map(({ rule, matched, why }) => ({ rule, matched, why }))).toEqual([
      { rule: 'ours', matched: false, why: 'tool is claude-code, not qoder or qoder-cli' },
      { rule: 'old', matched: false, why: 'version is 2.1.100, not <2.0.0' },
      {
        rule: 'ban',
        matched: true,
        why: 'tool is claude-code, state is installed, scope is global: deny',
      },
    ]);
  });
});

describe('dates', () => {
  test.each([
    ['2026-07-03T23:59:59.999Z', 'pending', 'observe', 7],
    ['2026-07-04T00:00:00Z', 'pending', 'notify', 6],
    ['2026-07-09T23:59:59.999Z', 'pending', 'notify', 1],
    ['2026-07-10T00:00:00Z', 'violation', 'remove', 0],
    ['2026-07-12T00:00:00Z', 'violation', 'remove', -2],
  ])('at %s a denied tool is %s and the action is %s', (at, status, action, daysLeft) => {
    expect(judge(ban, { at }).verdict).toEqual({
      status,
      policy: 'case',
      rule: 'ban',
      severity: 'high',
      announce: Date.parse('2026-07-04T00:00:00Z'),
      effective: Date.parse('2026-07-10T00:00:00Z'),
      daysLeft,
      action,
      effectiveAction: action,
      replacement: { tool: 'qoder', guide: 'https://example.com/move' },
    });
  });

  test('without announce, prompts begin at once', () => {
    const policy = withRules(deny('ban', '{ tool: claude-code }'));
    expect(judge(policy, { at: '2026-01-01T00:00:00Z' }).verdict.action).toBe('notify');
  });

  test('C066: device-local begins with the day of the device, utc with that of Greenwich', () => {
    const local = ban.replace('timezone: utc', 'timezone: device-local');
    const at = '2026-07-09T22:00:00Z';
    const berlin = { zone: 'Europe/Berlin' };
    expect(judge(local, { at, device: berlin }).verdict.status).toBe('violation');
    expect(judge(local, { at, device: { zone: 'America/Santiago' } }).verdict.status).toBe(
      'pending',
    );
    expect(judge(ban, { at, device: berlin }).verdict.status).toBe('pending');
  });

  test('until is the first instant at which an exception no longer holds', () => {
    const exceptions = [exception({ until: Date.parse('2026-08-01T00:00:00Z') })];
    const at = (text: string): string => judge(ban, { exceptions, at: text }).verdict.status;
    expect(at('2026-07-31T23:59:59.999Z')).toBe('excepted');
    expect(at('2026-08-01T00:00:00Z')).toBe('violation');
  });

  test('the ceiling of the machine makes an action milder, never stronger', () => {
    for (const maxAction of ['observe', 'notify', 'block', 'remove'] as const) {
      const { action, effectiveAction } = judge(ban, { device: { maxAction } }).verdict;
      expect([action, effectiveAction]).toEqual(['remove', maxAction]);
    }
    expect(milder('notify', 'block')).toBe('notify');
  });
});

describe('states and scopes', () => {
  const policy = withRules(deny('ban', '{ tool: claude-code }'), 'review');

  test.each([
    ['installed', 'global', 'violation'],
    ['running', 'global', 'violation'],
    ['running', 'project', 'violation'],
    ['installed', 'project', 'allowed'],
    ['cached', 'global', 'allowed'],
    ['bundled', 'global', 'allowed'],
    ['disabled', 'global', 'allowed'],
    ['residual', 'global', 'allowed'],
  ] as const)('what is %s in scope %s is by a plain rule: %s', (state, scope, status) => {
    const { verdict, trace } = judge(policy, { component: { state, scope } });
    expect(verdict.status).toBe(status);
    if (status === 'allowed') {
      expect(trace.at(-1)?.why).toContain(`leaves alone what is ${state} in scope ${scope}`);
    }
  });

  test('a rule reaches the states and scopes it names', () => {
    const named = withRules(
      deny('all', '{ tool: claude-code, state: [installed, cached], scope: [global, project] }'),
    );
    expect(judge(named, { component: { state: 'cached' } }).verdict.rule).toBe('all');
    expect(judge(named, { component: { scope: 'project' } }).verdict.rule).toBe('all');
    expect(judge(named, { component: { state: 'running' } }).verdict.status).toBe('review');
  });

  test('a denying default leaves traces and copies alone', () => {
    const list = withRules(
      '\n  - { id: ours, match: { vendor: Qoder }, decision: approve }',
      'deny, effective: 2026-07-10, after: block, reason: { en: List only. }',
    );
    for (const state of componentStates) {
      const isInUse = state === 'installed' || state === 'running';
      expect(judge(list, { component: { state } }).verdict.status).toBe(
        isInUse ? 'violation' : 'allowed',
      );
    }
  });

  test('what nobody knows as an AI tool is looked at, never denied for being one', () => {
    const unknown = { tool: null, name: 'left-pad' };
    const status = (decision: string): string =>
      judge(withRules(deny('ban', '{ tool: claude-code }'), decision), { component: unknown })
        .verdict.status;
    expect(status('allow')).toBe('allowed');
    expect(status('review')).toBe('review');
    expect(status('deny, effective: 2026-07-10, after: block, reason: { en: No. }')).toBe('review');
  });
});

describe('versions', () => {
  const policy = withRules(
    deny('a', '{ package: { npm: a }, version: "*" }') +
      deny('b', '{ package: { npm: b }, version: <2.0.0 }') +
      deny('rest', '{ package: { npm: b } }').replace('2026-07-10', '2026-12-31'),
  );
  const status = (name: string, version: string | null): string =>
    judge(policy, { component: { tool: null, name, version } }).verdict.status;

  test('C060: any version takes an unread one, a range leaves it unknown, a prerelease is in it', () => {
    expect(status('a', null)).toBe('violation');
    expect(status('b', null)).toBe('unknown');
    expect(status('b', '1.9.9')).toBe('violation');
    expect(status('b', '2.0.0-rc.1')).toBe('violation');
    expect(status('b', '2.0.0')).toBe('pending');
  });

  test('a rule whose only unmet field is an unknown version ends in unknown, and nothing is asked', () => {
    const { verdict, trace } = judge(policy, {
      component: { tool: null, name: 'b', version: 'who knows' },
    });
    expect(verdict).toMatchObject({
      status: 'unknown',
      rule: 'b',
      action: null,
      effectiveAction: null,
    });
    expect(trace.at(-1)).toMatchObject({
      rule: 'b',
      matched: false,
      why: 'all else holds, but version who knows cannot be compared with <2.0.0',
    });
  });

  test('an unknown version with another field unmet is no match', () => {
    expect(status('c', null)).toBe('review');
  });
});

describe('exceptions', () => {
  const statusWith = (rest: object): string =>
    judge(ban, { exceptions: [exception(rest)] }).verdict.status;
  const { person: _, ...nobody } = exception();

  test('one names a person, a device or a hardware id', () => {
    const only = (rest: object): string =>
      judge(ban, { exceptions: [{ ...nobody, ...rest }] }).verdict.status;
    expect(only({ person: 'ana@device-1' })).toBe('excepted');
    expect(only({ person: 'ben@device-1' })).toBe('violation');
    expect(only({ device: 'device-1' })).toBe('excepted');
    expect(only({ device: 'device-2' })).toBe('violation');
    expect(only({ hardwareId: 'hw-1' })).toBe('excepted');
    expect(only({ hardwareId: 'hw-2' })).toBe('violation');
    expect(only({})).toBe('violation');
  });

  test('no hardware id matches nothing', () => {
    const exceptions = [{ ...nobody, hardwareId: 'hw-1' }];
    expect(judge(ban, { exceptions, device: { hardwareId: null } }).verdict.status).toBe(
      'violation',
    );
  });

  test('all that one names must be so', () => {
    expect(statusWith({ device: 'device-2' })).toBe('violation');
  });

  test('one is for its tool, by id or alias', () => {
    expect(statusWith({ tool: 'claude-code-cli' })).toBe('excepted');
    expect(statusWith({ tool: 'claude-desktop' })).toBe('violation');
  });
});

describe('which policy a device follows', () => {
  const target = (name: string, targets: string): ReturnType<typeof policyOf> =>
    policyOf(
      `policy: ${name}\ntitle: T\ndefault: { decision: allow }\nrules: []\ntargets: ${targets}`,
    );

  test('the first whose targets include it', () => {
    const policies = [
      target('sales', '{ groups: sales }'),
      target('macs', '{ groups: [engineering], os: darwin }'),
      target('engineering', '{ groups: [sales, engineering] }'),
      target('rest', '{ percent: 100 }'),
    ];
    expect(selectPolicy(policies, device())?.policy).toBe('engineering');
    expect(selectPolicy(policies, device({ platform: 'darwin' }))?.policy).toBe('macs');
    expect(selectPolicy(policies, device({ group: null }))?.policy).toBe('rest');
    expect(selectPolicy(policies.slice(0, 2), device())).toBeNull();
  });

  test('a percentage takes about that share, and a larger one takes all of a smaller one', () => {
    const ids = Array.from({ length: 5000 }, (_, at) => `device-${at}`);
    const taken = (percent: number): string[] => {
      const policies = [target('p', `{ percent: ${percent} }`)];
      return ids.filter((id) => selectPolicy(policies, device({ id })) !== null);
    };
    expect(taken(0)).toEqual([]);
    expect(taken(100)).toEqual(ids);
    const [one, ten, fifty] = [taken(1), taken(10), taken(50)];
    expect(one.length).toBeGreaterThan(25);
    expect(one.length).toBeLessThan(75);
    expect(ten.length).toBeGreaterThan(420);
    expect(ten.length).toBeLessThan(580);
    expect(ten).toEqual(expect.arrayContaining(one));
    expect(fifty).toEqual(expect.arrayContaining(ten));
  });
});

describe('a finding', () => {
  test('has the worst verdict of its components', () => {
    expect(worst(['approved', 'pending', 'violation', 'unknown'])).toBe('violation');
    expect(worst(['allowed', 'unknown', 'excepted'])).toBe('unknown');
    expect(worst(['approved'])).toBe('approved');
    expect(worst([])).toBeNull();
  });
});
