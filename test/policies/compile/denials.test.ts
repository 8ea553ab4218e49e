/** What a policy denies in an enforcer's terms, in the YAML an admin would write, and what is said of the rest. */
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../../policies/catalogue.js';
import { denialsOf, type Denials } from '../../../policies/compile/denials.js';
import {
  hashedUuid,
  messageOf,
  unexpressed,
  usualWarnings,
} from '../../../policies/compile/words.js';
import { parsePolicy, type Policy } from '../../../policies/document.js';

const catalogue = builtInCatalogue();

function policyOf(rules: string, byDefault = 'decision: review'): Policy {
  const parsed = parsePolicy(
    `policy: p\ntitle: P\ntimezone: utc\ndefault: { ${byDefault} }\nrules:\n${rules}`,
    { catalogue },
  );
  if (parsed.kind === 'policy') return parsed.policy;
  throw new Error(JSON.stringify(parsed.problems));
}

function denialsAt(rules: string, options: { at?: string; byDefault?: string } = {}): Denials {
  return denialsOf({
    policy: policyOf(rules, options.byDefault),
    catalogue,
    at: Date.parse(options.at ?? '2026-08-01T00:00:00Z'),
    zone: 'UTC',
    isAllowList: false,
  });
}

const deny = (id: string, match: string, after = 'block'): string =>
  `  - { id: ${id}, match: { ${match} }, decision: deny, effective: 2026-07-10, after: ${after}, reason: { en: no } }\n`;
const letBe = (id: string, match: string, decision = 'approve'): string =>
  `  - { id: ${id}, match: { ${match} }, decision: ${decision} }\n`;

const outcome = (denials: Denials, kind: string, name: string): string | undefined =>
  denials.identities.find((one) => one.kind === kind && one.name === name)?.outcome;
const claudeNpm = '@anthropic-ai/claude-code';
const claudeSigned = 'Q6L2SF6YDW:com.anthropic.claude-code';

describe('what a denial reaches', () => {
  test('every identifier and folder of a denied tool, and nothing of others', () => {
    const denials = denialsAt(deny('ban', 'tool: claude-code'));
    const denied = denials.identities.filter((one) => one.outcome === 'denied');
    expect(new Set(denied.map((one) => one.tool?.id))).toEqual(new Set(['claude-code']));
    const kinds = new Set(denied.map(({ kind }) => kind));
    expect(kinds).toContain('npm');
    expect(kinds).toContain('homebrewCask');
    expect(kinds).toContain('codeSignature');
    expect(kinds).toContain('folder');
    expect(denials.inForce.map(({ rule, action }) => [rule, action])).toEqual([['ban', 'block']]);
  });

  test('nothing before the date, and the date is told', () => {
    const before = denialsAt(deny('ban', 'tool: claude-code'), { at: '2026-07-09T23:59:59.999Z' });
    expect(before.identities.filter((one) => one.outcome !== 'spared')).toEqual([]);
    expect(before.inForce).toEqual([]);
    expect(before.later).toEqual([{ rule: 'ban', effective: Date.parse('2026-07-10T00:00:00Z') }]);
    const on = denialsAt(deny('ban', 'tool: claude-code'), { at: '2026-07-10T00:00:00Z' });
    expect(outcome(on, 'npm', claudeNpm)).toBe('denied');
  });

  test.each(['approve', 'allow', 'review'])(
    'an earlier rule that says %s is kept to',
    (decision) => {
      const denials = denialsAt(
        letBe('kept', 'tool: claude-code', decision) + deny('ban', 'vendor: Anthropic'),
      );
      expect(outcome(denials, 'npm', claudeNpm)).toBe('spared');
      expect(outcome(denials, 'npm', '@anthropic-ai/claude-agent-sdk')).toBe('denied');
    },
  );

  test('a later rule does not lift an earlier denial', () => {
    const denials = denialsAt(
      deny('ban', 'tool: claude-code') + letBe('late', 'tool: claude-code'),
    );
    expect(outcome(denials, 'npm', claudeNpm)).toBe('denied');
  });

  test('an earlier denial that is not yet in force decides over a later one that is', () => {
    const later = deny('later', 'tool: claude-code').replace('2026-07-10', '2026-12-01');
    const denials = denialsAt(later + deny('ban', 'vendor: Anthropic'));
    expect(outcome(denials, 'npm', claudeNpm)).toBe('spared');
  });

  test('a denying default reaches every tool of the catalogue but what rules let be', () => {
    const denials = denialsAt(letBe('ok', 'tool: [qoder, qoder-cli]'), {
      byDefault: 'decision: deny, effective: 2026-07-10, after: block',
    });
    const spared = denials.identities.filter((one) => one.outcome === 'spared');
    expect(new Set(spared.map((one) => one.tool?.id))).toEqual(new Set(['qoder', 'qoder-cli']));
    expect(spared.every(({ isPermitted }) => isPermitted)).toBe(true);
  });

  test('a channel reaches the names of that channel, and no mark that other channels share', () => {
    const denials = denialsAt(deny('ban', 'tool: claude-code, channel: npm'));
    expect(outcome(denials, 'npm', claudeNpm)).toBe('denied');
    expect(outcome(denials, 'homebrewCask', 'claude-code')).toBe('spared');
    expect(outcome(denials, 'codeSignature', claudeSigned)).toBe('partly');
  });

  test('what one channel is approved for is not blocked by a mark that it shares', () => {
    const denials = denialsAt(
      letBe('by-npm', 'tool: claude-code, channel: npm') + deny('ban', 'tool: claude-code'),
    );
    expect(outcome(denials, 'npm', claudeNpm)).toBe('spared');
    expect(outcome(denials, 'codeSignature', claudeSigned)).toBe('partly');
    expect(outcome(denials, 'homebrewCask', 'claude-code')).toBe('denied');
  });

  test.each([
    ['version', "version: '<2.1.198'"],
    ['gateway', 'gateway: third-party'],
    ['owner', 'owner: ben'],
    ['running', 'running: true'],
    ['path', "path: '/opt/**'"],
    ['publisher', 'publisher: Anthropic'],
  ])('%s decides partly, in a denial and in what is spared before one', (field, condition) => {
    const denied = denialsAt(deny('ban', `tool: claude-code, ${condition}`));
    const spared = denialsAt(
      letBe('kept', `tool: claude-code, ${condition}`) + deny('ban', 'tool: claude-code'),
    );
    for (const denials of [denied, spared]) {
      const found = denials.identities.find(({ name }) => name === claudeNpm);
      expect([found?.outcome, found?.rule, found?.unseen]).toEqual(['partly', 'ban', [field]]);
    }
    expect(denied.identities.find(({ name }) => name === claudeNpm)?.sparedBy).toBeNull();
    expect(spared.identities.find(({ name }) => name === claudeNpm)?.sparedBy).toBe('kept');
  });

  test('a version that is denied alone gives its range', () => {
    const denials = denialsAt(deny('ban', "tool: claude-code, version: '>=2.1.91 <=2.1.197'"));
    const found = denials.identities.find(({ name }) => name === claudeNpm);
    expect(found?.versions).toBe('>=2.1.91 <=2.1.197');
  });

  test('a version that is denied first and the rest after it is denied whole', () => {
    const denials = denialsAt(
      deny('old', "tool: claude-code, version: '<2.1.198'") + deny('all', 'tool: claude-code'),
    );
    expect(outcome(denials, 'npm', claudeNpm)).toBe('denied');
  });

  test('the mildest of several denials is what is asked for', () => {
    const denials = denialsAt(
      deny('old', "tool: claude-code, version: '<2.1.198'", 'notify') +
        deny('all', 'tool: claude-code'),
    );
    expect(denials.identities.find(({ name }) => name === claudeNpm)?.action).toBe('notify');
  });

  test('traces that are let be take nothing from a denial', () => {
    const denials = denialsAt(
      letBe('traces', 'tool: claude-code, state: residual', 'allow') +
        deny('ban', 'tool: claude-code'),
    );
    expect(outcome(denials, 'npm', claudeNpm)).toBe('denied');
  });

  test('a package that no tool claims is reached by its name, and spared by an earlier rule', () => {
    const denials = denialsAt(
      letBe('one', 'package: { npm: left-one }') +
        deny('ban', 'package: { npm: [left-one, left-two], pypi: Some_Thing }'),
    );
    const names = denials.identities.filter(({ tool }) => tool === null);
    expect(names.map(({ kind, name, outcome: it }) => [kind, name, it])).toEqual([
      ['npm', 'left-one', 'spared'],
      ['npm', 'left-two', 'denied'],
      ['pypi', 'some-thing', 'denied'],
    ]);
  });

  test('a rule of places alone is told of as a whole and denies no tool', () => {
    const denials = denialsAt(
      deny('place', "path: ['/opt/x/**']") + deny('sign', 'publisher: ACME'),
    );
    expect(denials.identities.every((one) => one.outcome === 'spared')).toBe(true);
    expect(denials.inForce.map(({ paths, publishers }) => [paths, publishers])).toEqual([
      [['/opt/x/**'], []],
      [[], ['ACME']],
    ]);
  });
});

describe('what changes with time', () => {
  const rule = (more: string): string =>
    `  - { id: ban, match: { tool: claude-code }, decision: deny, effective: 2026-07-10, after: notify, ${more} reason: { en: no } }\n`;

  test('a denial that escalates asks for the stronger action from its instant on', () => {
    const rules = rule('escalate: { after: 7 days, action: block },');
    const actionAt = (at: string): unknown => denialsAt(rules, { at }).inForce[0]?.action;
    expect(actionAt('2026-07-16T23:59:59.999Z')).toBe('notify');
    expect(actionAt('2026-07-17T00:00:00Z')).toBe('block');
  });

  test('a grace of each device is told of by what blocks, and the denial stands', () => {
    const denials = denialsAt(rule('grace: 3 days,').replace('notify', 'block'));
    const sight = { product: 'Santa', whyNot: () => null };
    const written = new Set(denials.identities);
    expect(unexpressed(denials, written, { ...sight, isBlocking: true })).toEqual([
      {
        rule: 'ban',
        tool: null,
        reason: 'each device has 3 days from its first notice, which Santa does not count',
      },
    ]);
    expect(unexpressed(denials, written, { ...sight, isBlocking: false })).toEqual([]);
  });

  test('whom the policy is for is a warning, and so is what comes later', () => {
    const policy: Policy = {
      ...policyOf(rule('').replace('2026-07-10', '2026-09-01')),
      targets: { groups: ['engineering'], users: ['ana'], os: ['darwin'], percent: 10 },
    };
    const input = {
      policy,
      catalogue,
      at: Date.parse('2026-08-01'),
      zone: 'UTC',
      isAllowList: false,
    };
    expect(usualWarnings(input, denialsOf(input))).toEqual([
      'ban is in force from 2026-09-01T00:00:00.000Z; compile again then',
      'the policy is for groups engineering and the devices of ana and operating systems darwin and 10 percent of the devices only: deploy the files to no others',
    ]);
  });
});

describe('what is said', () => {
  test('of each denied tool that was not written, with a reason', () => {
    const denials = denialsAt(deny('ban', 'kind: coding-agent'));
    const said = unexpressed(denials, new Set(), {
      product: 'Nothing',
      isBlocking: true,
      whyNot: () => null,
    });
    const agents = catalogue.tools.filter(({ kind }) => kind === 'coding-agent');
    expect(said.map(({ tool }) => tool)).toEqual(agents.map(({ id }) => id).sort());
    expect(said[0]?.reason).toBe('the catalogue has nothing of it that Nothing sees');
  });

  test('a rule that asks for words only is not expressed by what blocks', () => {
    const denials = denialsAt(deny('ban', 'tool: claude-code', 'notify'));
    const said = unexpressed(denials, new Set(denials.identities), {
      product: 'Santa',
      isBlocking: true,
      whyNot: () => null,
    });
    expect(said).toEqual([
      { rule: 'ban', tool: null, reason: 'the rule asks to notify only, and Santa can only block' },
    ]);
  });

  test('to a person: why, and what to use instead', () => {
    const [rule] = policyOf(
      `  - { id: ban, match: { tool: claude-code }, decision: deny, effective: 2026-07-10, after: block,
         reason: { zh-CN: 不可, en: "Back  **door**\\nrisk, [why](https://example.com/w)." }, replacement: { tool: qoder, guide: https://example.com/m } }`,
    ).rules;
    if (rule?.denial == null) throw new Error('no denial');
    expect(messageOf(rule.denial, catalogue)).toBe(
      'Not approved. Back door risk, why (https://example.com/w). Use Qoder IDE instead: https://example.com/m',
    );
    expect(messageOf(rule.denial, catalogue, 12)).toBe('Not approve…');
  });

  test('ids are UUIDs that depend on every part', () => {
    const id = hashedUuid('a', 'b');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(
      [hashedUuid('a', 'b'), hashedUuid('ab'), hashedUuid('a,b')].map((it) => it === id),
    ).toEqual([true, false, false]);
  });
});
