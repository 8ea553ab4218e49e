/**
 * What the examples mean: the ban of Claude Code on both sides of its date, with the catalogue as it
 * ships; and every YAML block of the page for admins as a policy that is accepted.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parsePolicy, type Policy } from '../../policies/document.js';
import { evaluate, type Verdict } from '../../policies/evaluate.js';
import { lintPolicy } from '../../policies/lint-advice.js';
import { parseCases } from '../../policies/test-cases.js';
import { runCases } from '../../policies/test-runs.js';
import { component, device } from './subjects.js';

const catalogue = builtInCatalogue();
const top = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, top), 'utf8');

function accepted(yaml: string): Policy {
  const parsed = parsePolicy(yaml, { catalogue });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems, null, 1));
  expect(parsed.warnings).toEqual([]);
  return parsed.policy;
}

function verdict(policy: Policy, at: string, rest: Parameters<typeof component>[0] = {}): Verdict {
  return evaluate({
    policy,
    catalogue,
    exceptions: [],
    component: component(rest),
    device: device({ zone: 'America/Los_Angeles' }),
    now: Date.parse(at),
  }).verdict;
}

const examples = readdirSync(new URL('policies/examples/', top))
  .filter((file) => !file.endsWith('.test.yaml'))
  .map((file) => file.replace(/\.yaml$/, ''));

describe.each(examples)('the example %s', (name) => {
  const yaml = read(`policies/examples/${name}.yaml`);

  test('is accepted, and lint has nothing to say of it in either language', () => {
    const now = Date.parse('2026-02-01T00:00:00Z');
    const linted = lintPolicy(yaml, { catalogue, now, languages: ['en', 'zh-CN'] });
    expect(linted.problems).toEqual([]);
  });

  test('means what its cases say, and each of its rules decides in one', () => {
    const policy = accepted(yaml);
    const parsed = parseCases(read(`policies/examples/${name}.test.yaml`), { policy, catalogue });
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems, null, 1));
    const runs = [...runCases(parsed.document, { policy, catalogue })];
    const failed = runs.filter(({ isPassed }) => !isPassed);
    expect(failed.map(({ name: title, at, fields }) => ({ title, at, fields }))).toEqual([]);
    const decided = new Set(runs.map(({ verdict }) => verdict.rule));
    expect(policy.rules.filter(({ id }) => !decided.has(id)).map(({ id }) => id)).toEqual([]);
    expect(runs.length).toBeGreaterThan(3);
  });

  test('has its part of the page', () => {
    const page = read('docs/admin/policy-examples.md');
    expect(page).toContain(`\n## ${name}\n`);
    expect(page).toContain(`(../../policies/examples/${name}.yaml)`);
  });
});

test('there is an example for each purpose', () => {
  expect(examples).toEqual([
    'advisory-range',
    'allow-list',
    'claude-code-to-qoder',
    'local-models-only',
    'observe-everything',
    'openclaw-at-once',
    'third-party-gateway',
  ]);
});

describe('claude-code-to-qoder', () => {
  const policy = accepted(read('policies/examples/claude-code-to-qoder.yaml'));

  test('Claude Code is pending before, and a violation from the first instant of 10 July in Shanghai', () => {
    expect(verdict(policy, '2026-07-09T15:59:59.999Z')).toMatchObject({
      status: 'pending',
      rule: 'claude-code-ban',
      action: 'notify',
      daysLeft: 1,
    });
    expect(verdict(policy, '2026-07-09T16:00:00.000Z')).toMatchObject({
      status: 'violation',
      rule: 'claude-code-ban',
      severity: 'high',
      effective: Date.parse('2026-07-09T16:00:00.000Z'),
      action: 'block',
      daysLeft: 0,
      replacement: { tool: 'qoder', guide: 'https://docs.qoder.com' },
    });
  });

  test('people are told from the first instant of 4 July in Shanghai', () => {
    expect(verdict(policy, '2026-07-03T15:59:59.999Z').action).toBe('observe');
    expect(verdict(policy, '2026-07-03T16:00:00.000Z').action).toBe('notify');
  });

  test.each(['2.1.91', '2.1.198', '99.0.0', null])('version %s is denied as all are', (version) => {
    expect(verdict(policy, '2026-07-15T00:00:00Z', { version }).status).toBe('violation');
  });

  test('what people are asked to move to is approved, and other tools are looked at', () => {
    const after = '2026-07-15T00:00:00Z';
    expect(verdict(policy, after, { tool: 'qoder' }).status).toBe('approved');
    expect(verdict(policy, after, { tool: 'qoder-cli' }).status).toBe('approved');
    expect(verdict(policy, after, { tool: 'claude-code-vscode' }).status).toBe('review');
  });

  test('a run-once copy is a violation while it runs', () => {
    const after = '2026-07-15T00:00:00Z';
    expect(verdict(policy, after, { state: 'cached' }).status).toBe('allowed');
    expect(verdict(policy, after, { state: 'running', scope: 'project' }).status).toBe('violation');
  });

  test('it gives its reason in English and Simplified Chinese', () => {
    const ban = policy.rules.find(({ id }) => id === 'claude-code-ban');
    expect(Object.keys(ban?.denial?.reason ?? {})).toEqual(['en', 'zh-CN']);
  });

  test('with the extensions added as its comment says, it takes them too', () => {
    const text = read('policies/examples/claude-code-to-qoder.yaml');
    const wider = /#\s+(match: \{ tool: \[claude-code, .*\})/.exec(text)?.[1] ?? '';
    const changed = accepted(text.replace('    match: { tool: claude-code }', `    ${wider}`));
    const extension = { tool: 'claude-code-vscode', channel: 'editor-extension' } as const;
    expect(verdict(changed, '2026-07-15T00:00:00Z', extension).status).toBe('violation');
  });
});

describe('the page for admins', () => {
  const page = read('docs/admin/policy.md');
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map((block) => block[1] ?? '');

  test('has examples', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(5);
  });

  test.each(blocks.map((block) => [/^policy: (.*)$/m.exec(block)?.[1] ?? 'none', block]))(
    'the example %s is accepted',
    (id, block) => {
      expect(accepted(block).policy).toBe(id);
    },
  );

  test('its allow-list and its advisory mean what the page says', () => {
    const [list, advisory] = ['allow-list', 'one-advisory'].map((id) =>
      accepted(blocks.find((block) => block.startsWith(`policy: ${id}\n`)) ?? ''),
    );
    if (list === undefined || advisory === undefined) throw new Error('missing');
    expect(verdict(list, '2026-09-30T21:59:59.999Z').status).toBe('pending');
    expect(verdict(list, '2026-09-30T22:00:00Z').status).toBe('violation');
    expect(verdict(list, '2026-10-02T00:00:00Z', { tool: 'qoder' }).status).toBe('approved');
    const after = '2026-07-15T00:00:00Z';
    const versions = ['2.1.90', '2.1.91', '2.1.197', '2.1.198', null];
    expect(versions.map((version) => verdict(advisory, after, { version }).status)).toEqual([
      'allowed',
      'violation',
      'violation',
      'allowed',
      'unknown',
    ]);
  });

  test('names every field of the language', () => {
    const schema = JSON.parse(read('policies/schema.json')) as {
      properties: { rules: { items: { properties: Record<string, { properties?: object }> } } };
    };
    const rule = schema.properties.rules.items.properties;
    const fields = [
      ...Object.keys(schema.properties),
      ...Object.keys(rule),
      ...Object.keys(rule['match']?.properties ?? {}),
    ];
    expect(fields.length).toBeGreaterThan(25);
    expect(fields.filter((field) => !page.includes(`\`${field}\``))).toEqual([]);
  });
});
