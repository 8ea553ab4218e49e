/**
 * What the examples mean: the ban of Claude Code on both sides of its date, with the catalogue as it
 * ships; and every YAML block of the page for admins as a policy that is accepted.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parsePolicy, type Policy } from '../../policies/document.js';
import { evaluate, type Verdict } from '../../policies/evaluate.js';
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

test('every example is accepted without a warning', () => {
  const files = readdirSync(new URL('policies/examples/', top)).filter(
    (file) => !file.endsWith('.test.yaml'),
  );
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) accepted(read(`policies/examples/${file}`));
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
