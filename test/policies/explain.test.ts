/**
 * The answer to "why?": every exception, rule and default in the order of trying, what happens next and
 * when, the words in both languages, and that nothing is decided about what was not reported.
 */
import { describe, expect, test } from 'vitest';
import { explain, type ExplainOptions, type Explanation } from '../../policies/explain.js';
import { explanationText } from '../../policies/explain-texts.js';
import { instantText } from '../../policies/instant-text.js';
import type { EvaluationInput } from '../../policies/evaluate.js';
import { catalogue, component, device, exception, policyOf } from './subjects.js';

const policy = policyOf(`
policy: tools
title: Tools
contact: mailto:help@example.com
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - { id: ours, match: { tool: qoder }, decision: approve }
  - id: signed
    match: { tool: claude-code, publisher: Somebody }
    decision: allow
  - id: ban
    match: { tool: claude-code }
    decision: deny
    announce: 2026-07-04
    effective: 2026-07-10
    after: block
    escalate: { after: 7 days, action: remove }
    reason: { en: '**Covert** checks.', zh-CN: 暗中检查。 }
    evidence: [https://example.com/notice]
    replacement: { tool: qoder, guide: https://example.com/move }
  - { id: last, match: { tool: claude-code }, decision: allow }
`);

const input = (rest: Partial<EvaluationInput> = {}): EvaluationInput => ({
  policy,
  catalogue,
  exceptions: [],
  component: component({ publisher: null }),
  device: device({ zone: 'Europe/Berlin', maxAction: 'notify' }),
  now: Date.parse('2026-07-01T00:00:00Z'),
  ...rest,
});

const explained = (
  rest: Partial<EvaluationInput> = {},
  options: ExplainOptions = {},
): Explanation => explain(input(rest), options);

describe('what is tried', () => {
  test('exceptions, then rules in order up to the one that decides; the rest is named', () => {
    const { steps, untried } = explained({
      exceptions: [exception({ person: 'kim' }), exception({ id: 'e2', tool: 'qoder' })],
    });
    expect(steps.map(({ rule, matched, why }) => [rule, matched, why.en, why['zh-CN']])).toEqual([
      ['exception e1', false, 'is for kim', '只适用于 kim'],
      ['ours', false, 'tool is claude-code, not qoder', '工具为 claude-code，而非 qoder'],
      ['signed', false, 'publisher is not known, not Somebody', '发布者为 未知，而非 Somebody'],
      [
        'ban',
        true,
        'tool is claude-code, state is installed, scope is global: deny',
        '工具为 claude-code，状态为 已安装，范围为 全局：禁止',
      ],
    ]);
    expect(untried).toEqual(['last', 'default']);
  });

  test('every field of a condition is there for programs', () => {
    expect(explained().steps[2]?.cause).toEqual({
      kind: 'rule',
      decision: 'deny',
      conditions: [
        { field: 'tool', asked: ['claude-code'], found: 'claude-code', answer: 'yes' },
        { field: 'state', asked: ['installed', 'running'], found: 'installed', answer: 'yes' },
        { field: 'scope', asked: ['global'], found: 'global', answer: 'yes' },
      ],
    });
  });

  test('it is plain JSON', () => {
    const whole = explained({ exceptions: [exception({ from: 0 })] });
    expect(JSON.parse(JSON.stringify(whole))).toEqual(whole);
  });
});

describe('what happens next', () => {
  test('prompts, the date and the later action, each with its instant and what this device may do', () => {
    expect(explained().coming).toEqual([
      {
        at: '2026-07-03T16:00:00.000Z',
        ...{ status: 'pending', rule: 'ban', action: 'notify', effectiveAction: 'notify' },
      },
      {
        at: '2026-07-09T16:00:00.000Z',
        ...{ status: 'violation', rule: 'ban', action: 'block', effectiveAction: 'notify' },
      },
      {
        at: '2026-07-16T16:00:00.000Z',
        ...{ status: 'violation', rule: 'ban', action: 'remove', effectiveAction: 'notify' },
      },
    ]);
  });

  test('an exception ends into whatever the rules say then', () => {
    const until = Date.parse('2026-08-01T00:00:00+08:00');
    const { verdict, coming, steps } = explained({ exceptions: [exception({ until })] });
    expect(verdict).toMatchObject({ status: 'excepted', rule: 'ban' });
    expect(coming).toMatchObject([
      { at: '2026-07-31T16:00:00.000Z', status: 'violation', action: 'remove' },
    ]);
    expect(steps[0]?.why.en).toBe(
      'holds until 1 August 2026, 00:00 (Asia/Shanghai); 31 July 2026, 18:00 (Europe/Berlin): Moves a customer project first.',
    );
  });

  test('one that begins later shows when', () => {
    const [from, until] = [Date.parse('2026-07-11T00:00:00Z'), Date.parse('2026-07-12T00:00:00Z')];
    const { coming } = explained({ exceptions: [exception({ from, until })] });
    expect(coming.map(({ at, status }) => [at.slice(0, 10), status])).toEqual([
      ['2026-07-03', 'pending'],
      ['2026-07-09', 'violation'],
      ['2026-07-11', 'excepted'],
      ['2026-07-12', 'violation'],
      ['2026-07-16', 'violation'],
    ]);
  });

  test('grace that has not begun is taken to begin when people are told', () => {
    const graced = policyOf(`
policy: tools
title: Tools
timezone: utc
default: { decision: review }
rules:
  - id: ban
    match: { tool: claude-code }
    decision: deny
    announce: 2026-07-04
    effective: 2026-07-10
    grace: 14 days
    after: block
    reason: { en: Covert checks. }
`);
    const told = explained({ policy: graced });
    expect(told.awaitsNotice).toBe(true);
    expect(told.coming.map(({ at, status }) => [at, status])).toEqual([
      ['2026-07-04T00:00:00.000Z', 'pending'],
      ['2026-07-18T00:00:00.000Z', 'violation'],
    ]);
    const notices = new Map([['ban', Date.parse('2026-06-01T00:00:00Z')]]);
    const long = explained({ policy: graced, notices });
    expect([long.awaitsNotice, long.coming.at(-1)?.at]).toEqual([
      false,
      '2026-07-10T00:00:00.000Z',
    ]);
  });

  test('at a later time, grace is taken to have begun from when notices were not known', () => {
    const graced = policyOf(`
policy: tools
title: Tools
timezone: utc
default: { decision: review }
rules:
  - id: ban
    match: { tool: claude-code }
    decision: deny
    effective: 2026-07-10
    grace: 14 days
    after: block
    reason: { en: Covert checks. }
`);
    const now = Date.parse('2026-08-01T00:00:00Z');
    const later = explained(
      { policy: graced, now },
      { noticedFrom: Date.parse('2026-07-09T00:00:00Z') },
    );
    expect(later.verdict).toMatchObject({
      status: 'violation',
      effective: '2026-07-23T00:00:00.000Z',
      noticed: '2026-07-09T00:00:00.000Z',
    });
    expect(later.awaitsNotice).toBe(true);
    expect(explained({ policy: graced, now }).verdict?.status).toBe('pending');
  });

  test('nothing comes of what no rule denies', () => {
    expect(explained({ component: component({ tool: 'qoder' }) }).coming).toEqual([]);
    expect(explained({ policy: null }).coming).toEqual([]);
  });
});

describe('what was not reported', () => {
  test('a rule that asks for it is left open, and nothing is decided', () => {
    const { verdict, undecided, steps, coming, advice } = explained(
      {},
      { unreported: () => ['publisher', 'path'] },
    );
    expect([verdict, coming, advice]).toEqual([null, [], null]);
    expect(undecided).toEqual({ rule: 'signed', fields: ['publisher'] });
    expect(steps.map(({ rule, matched }) => [rule, matched])).toEqual([
      ['ours', false],
      ['signed', false],
      ['ban', true],
    ]);
    expect(steps[1]?.why).toEqual({
      en: 'the device alone knows its publisher, which would have to be Somebody',
      'zh-CN': '只有设备知道其发布者，须为 Somebody',
    });
  });

  test('a ceiling that is not known is not said', () => {
    const { verdict, coming } = explained({}, { isCeilingKnown: false });
    expect([verdict?.action, verdict?.effectiveAction]).toEqual(['observe', null]);
    expect(coming.map(({ action, effectiveAction }) => [action, effectiveAction])).toEqual([
      ['notify', null],
      ['block', null],
      ['remove', null],
    ]);
  });

  test('a rule that is not met anyway stays so, and one that decides earlier decides', () => {
    const { verdict, undecided } = explained(
      { component: component({ tool: 'qoder' }) },
      { unreported: () => ['publisher'] },
    );
    expect([verdict?.status, undecided]).toEqual(['approved', null]);
  });

  test('what looks met without the device, and is not known to be, decides nothing', () => {
    const signed = component({ publisher: 'Somebody' });
    expect(explained({ component: signed }).verdict?.status).toBe('allowed');
    const unknown = explained({ component: signed }, { unreported: () => ['publisher'] });
    expect([unknown.verdict, unknown.undecided?.rule]).toEqual([null, 'signed']);
  });
});

describe('in words', () => {
  test('English', () => {
    const text = explanationText(explained(), 'en');
    expect(text.headline).toBe(
      'claude-code will not be allowed here from 10 July 2026, 00:00 (Asia/Shanghai); 9 July 2026, 18:00 (Europe/Berlin) on: 9 days left.',
    );
    expect(text).toMatchObject({
      reason: 'Covert checks.',
      todo: ['Use qoder instead.', 'Remove claude-code from here.'],
      links: [
        { label: 'How to move', address: 'https://example.com/move' },
        { label: 'Questions', address: 'mailto:help@example.com' },
        { label: 'Read up', address: 'https://example.com/notice' },
      ],
      untried: 'Not tried, because the rule before decides: last, default',
    });
    expect(text.coming[1]).toBe(
      '10 July 2026, 00:00 (Asia/Shanghai); 9 July 2026, 18:00 (Europe/Berlin): violation, people are told (rule ban)',
    );
  });

  test('Chinese, with no English sentence left', () => {
    const text = explanationText(explained(), 'zh-CN');
    expect(text.headline).toBe(
      '自 2026年7月10日 00:00 (Asia/Shanghai)；2026年7月9日 18:00 (Europe/Berlin) 起，此处将不允许使用 claude-code：还有 9 天。',
    );
    expect(text.reason).toBe('暗中检查。');
    const words = [text.headline, ...text.now, ...text.coming, ...text.todo, text.untried].join();
    expect(words).not.toMatch(/\b(is|the|rule|use|remove|tried|now)\b/i);
  });

  test.each([
    [
      'violation',
      { now: Date.parse('2026-07-10T00:00:00Z') },
      'not allowed here since',
      '不允许使用',
    ],
    ['excepted', { exceptions: [exception()] }, 'an exception holds', '有例外生效'],
    [
      'approved',
      { component: component({ tool: 'qoder' }) },
      'approved by rule ours',
      '规则 ours 批准',
    ],
    ['review', { component: component({ tool: 'opencode' }) }, 'No rule names', '没有规则提到'],
    [
      'allowed',
      { component: component({ tool: 'opencode', state: 'cached' }) },
      'no rule is about it',
      '没有规则涉及',
    ],
    ['unknown', { policy: null }, 'No policy is known', '没有已知的适用于本设备的策略'],
  ] as const)('%s has a headline in both', (status, rest, english, chinese) => {
    const one = explained(rest);
    expect(one.verdict?.status).toBe(status);
    expect(explanationText(one, 'en').headline).toContain(english);
    expect(explanationText(one, 'zh-CN').headline).toContain(chinese);
  });
});

test('less than the policy asks for has its reason', () => {
  const now = Date.parse('2026-07-12T00:00:00Z');
  const all = device({ maxAction: 'remove' });
  expect(explained({ now }).limit).toBe('ceiling');
  expect(explained({ now, device: all }).limit).toBeNull();
  const doubtful = explained({ now, device: all, settledUntil: 0 });
  expect([doubtful.limit, doubtful.verdict?.effectiveAction]).toEqual(['time', 'notify']);
  expect(explanationText(doubtful, 'en').now[0]).toContain(
    'not certain yet that the time has come',
  );
  expect(explanationText(explained({ now }), 'en').now[0]).toBe(
    'The policy says now that it is blocked; at most notify may be done on this device, so people are told.',
  );
});

test('an instant is said once where clocks agree, with seconds where it has any', () => {
  const at = Date.parse('2026-07-09T16:00:00Z');
  expect(instantText(at, ['Asia/Shanghai', 'Asia/Singapore'], 'en')).toBe(
    '10 July 2026, 00:00 (Asia/Shanghai)',
  );
  expect(instantText(at - 1000, ['Asia/Kathmandu'], 'zh-CN')).toBe(
    '2026年7月9日 21:44:59 (Asia/Kathmandu)',
  );
});
