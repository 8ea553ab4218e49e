/**
 * The index of rules leaves out only what cannot match: with it the same rule decides as when each is
 * tried in order, for random policies and components; and a path is never lost by its first names.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { componentStates, platforms, scopes, type Component } from '../../policies/component.js';
import { beginningOf, matchesPath } from '../../policies/glob.js';
import type { Subject } from '../../policies/match.js';
import { readyPolicy } from '../../policies/ready.js';
import { runs } from '../runs.js';
import { catalogue, component, device, judge, policyOf, withRules } from './subjects.js';

const tools = ['claude-code', 'opencode', 'qoder', 'claude-desktop'];
const usedChannels = [
  'npm',
  'pypi',
  'executable',
  'editor-extension',
  'application',
  'process',
] as const;
const names = ['@corp/agent', 'corp_agent', 'Corp.Agent', 'corp.agent', 'other'];
const publishers = [
  'Corp Ltd',
  'corp ltd',
  'Developer ID Application: Corp Ltd (ABCDE12345)',
  'ABCDE12345',
];
const places = [
  '/opt/corp/a',
  '/opt/corp',
  '/opt/corpse/a',
  '/home/ana/bin/x',
  '/home/ben/bin/x',
  'C:\\Tools\\a.exe',
  '/opt/a\\b/c',
];
const patterns = [
  '/opt/corp/**',
  '/opt/*',
  '~/bin/*',
  '/opt/corp',
  '/**',
  '/opt/c?rp/a',
  'C:\\tools\\*',
  '/home/ana/**/x',
  '/opt/a\\b/*',
];

const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.subarray([...values], { minLength: 1 });
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });

const match = fc
  .record({
    tool: optional(some(tools)),
    vendor: optional(fc.constantFrom('anthropic', 'Qoder')),
    provider: optional(fc.constantFrom('anthropic', 'openai')),
    channel: optional(some(usedChannels)),
    package: optional(
      fc.dictionary(fc.constantFrom('npm', 'pypi', 'editor-extension'), some(names), {
        minKeys: 1,
      }),
    ),
    publisher: optional(some(publishers)),
    path: optional(some(patterns)),
    owner: optional(fc.constantFrom('ana', 'ben')),
    scope: optional(some(scopes)),
    state: optional(some(componentStates)),
    version: optional(fc.constantFrom('>=1.0.0 <2.0.0', '*')),
    gateway: optional(fc.constantFrom('third-party', 'none')),
    running: optional(fc.boolean()),
  })
  .map((fields) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  )
  .filter((fields) => Object.keys(fields).length > 0);

const found: fc.Arbitrary<Component> = fc
  .record({
    tool: fc.constantFrom(...tools, null),
    channel: fc.constantFrom(...usedChannels),
    name: fc.constantFrom(...names),
    purl: fc.constantFrom(null, 'pkg:npm/%40corp/agent@1.0.0', 'pkg:pypi/corp-agent@1.0.0'),
    version: fc.constantFrom('1.5.0', '2.0.0', null),
    path: fc.constantFrom(...places),
    owner: fc.constantFrom('ana', 'ben', null),
    scope: fc.constantFrom(...scopes),
    state: fc.constantFrom(...componentStates),
    publisher: fc.constantFrom(undefined, null, ...publishers),
    gateway: fc.constantFrom(undefined, null, 'openrouter.ai', 'api.anthropic.com'),
    running: fc.constantFrom(undefined, true, false),
  })
  .map((fields) =>
    component(
      Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    ),
  );

test('the rule that decides is the one found by trying each in order', () => {
  const policies = fc.array(match, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      policies,
      fc.array(found, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...platforms),
      (matches, all, platform) => {
        const rules = matches.map(
          (one, at) => `  - { id: r${at}, decision: allow, match: ${JSON.stringify(one)} }`,
        );
        const policy = policyOf(withRules(rules.join('\n')));
        const ready = readyPolicy(policy, catalogue, 'UTC');
        const one = device({ platform, home: '/home/ana' });
        for (const each of all) {
          const tool = each.tool === null ? null : catalogue.tool(each.tool);
          const subject: Subject = { component: each, tool, device: one };
          const first = ready.rules.find((rule) => rule.test(subject) !== 'no');
          const { verdict } = judge(policy, {
            component: each,
            device: { platform, home: '/home/ana' },
          });
          expect(verdict.rule).toBe(first?.id ?? 'default');
          if (first !== undefined)
            expect(verdict.status === 'unknown').toBe(first.test(subject) === 'unknown');
        }
      },
    ),
    runs(150),
  );
});

describe('the first names of a path', () => {
  const step = fc.constantFrom('a', 'İ', 'B', 'a\\b', '*', '?', '**', 'a*', 'x', '');
  const start = fc.constantFrom('/', '~/', 'C:\\', '/home/ana/', 'C:/Users/ana/');
  const pattern = fc
    .tuple(start, fc.array(step, { maxLength: 4 }))
    .map(([top, steps]) => top + steps.join('/'));
  const home = fc.constantFrom(null, '/home/ana', 'C:\\Users\\ana');

  test('are those of every pattern that it matches', () => {
    let matched = 0;
    fc.assert(
      fc.property(pattern, pattern, home, fc.boolean(), (one, other, ownHome, isWindows) => {
        // A path that is likely to match: the pattern with its wildcards filled.
        for (const path of [
          other,
          one.replaceAll('**', 'q/r').replaceAll('*', 'q').replaceAll('?', 'q'),
        ]) {
          const facts = {
            path: path.replace(/^~/, ownHome ?? '/home/ben'),
            home: ownHome,
            isWindows,
          };
          if (!matchesPath([one], facts)) continue;
          matched += 1;
          expect(beginningOf([one])(facts)).toBe(true);
        }
      }),
      runs(2_000),
    );
    expect(matched).toBeGreaterThan(100);
  });

  test('tell other paths apart', () => {
    const isBegun = beginningOf(['/opt/corp/**', '~/bin/*', 'C:\\Tools\\*']);
    const seen = (path: string, isWindows = false): boolean =>
      isBegun({ path, home: null, isWindows });
    expect(['/opt/corp/x', '/home/kim/bin/x', '/Users/kim/bin/x'].every((path) => seen(path))).toBe(
      true,
    );
    expect(['/opt/corpse/x', '/home/kim/bins/x', '/usr/bin/x'].some((path) => seen(path))).toBe(
      false,
    );
    expect([seen('c:\\tools\\a.exe', true), seen('c:\\tool\\a.exe', true)]).toEqual([true, false]);
  });
});
