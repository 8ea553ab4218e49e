/**
 * The files of editors, browsers, JetBrains, the registry, Fleet and the tools' own settings, each in
 * its product's documented form, for policies that reach far and for names and texts that try to break
 * out. Whether the right things are stopped is asked in `targets.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import { targets } from '../../policies/compile/index.js';
import { hostileTexts } from '../policies/compile/reading.js';
import { compiled } from '../policies/compile/policies.js';
import { fileValidators } from './target-validators.js';

const ok = {
  id: 'ok',
  match: {
    package: {
      'editor-extension': 'c.d',
      'jetbrains-plugin': 'x.y',
      'browser-extension': ['fcoeoabgfenejglbffodgkkbkcdhcgfn', 'a@b'],
      mcp: 'docs',
    },
  },
  decision: 'approve',
};
const denial = { decision: 'deny', effective: '2026-07-10', after: 'block' };

/** JSON is YAML. */
function policyOf(match: object, reason: string, after = 'block'): string {
  const ban = { ...{ id: 'ban', match }, ...denial, after, reason: { en: reason, 'zh-CN': '不' } };
  const top = { policy: 'p', title: 'A policy', timezone: 'utc', default: { decision: 'review' } };
  return JSON.stringify({ ...top, rules: [ok, ban] });
}

const matches: readonly (readonly [string, object])[] = [
  [
    'every tool by what it is',
    {
      kind: [
        'coding-agent',
        'ide',
        'editor-plugin',
        'desktop-app',
        'browser-extension',
        'model-runner',
        'sdk',
      ],
    },
  ],
  ['every MCP server', { channel: 'mcp' }],
  ['a publisher', { publisher: ['GitHub', 'Microsoft', 'Anthropic, PBC'] }],
  ['a range', { tool: 'claude-code', version: '<2.2.0' }],
  ['a range of a package', { package: { npm: '@x/y' }, version: '^1.2 || 3.x' }],
  [
    'names that are none',
    {
      package: {
        npm: ['@x', "we'ird:{"],
        'editor-extension': ['github', 'a.b'],
        'browser-extension': ['short'],
        'jetbrains-plugin': ['=1+1'],
        mcp: ['b c', '"'],
      },
    },
  ],
];

const validated = targets.filter(({ id }) => fileValidators[id] !== undefined);
test('there is a target for each validator', () => {
  expect(validated.map(({ id }) => id).sort()).toEqual(Object.keys(fileValidators).sort());
});

describe.each(validated.map((target) => [target.id, target] as const))('%s', (id, target) => {
  const validate = (yaml: string, isAllowList = false): void =>
    fileValidators[id]?.(compiled(target, yaml, { isAllowList }), isAllowList);

  test.each(matches)(
    '%s is in its form, as a list of what is denied or of what is allowed',
    (_, match) => {
      expect(() => {
        validate(policyOf(match, 'Not here.'));
        validate(policyOf(match, 'Not here.', 'remove'), true);
      }).not.toThrow();
    },
  );

  test.each(hostileTexts)('%j stays a text', (text) => {
    const name = text.replace(/\s+/g, ' ');
    const names = Object.fromEntries(
      [
        'npm',
        'pypi',
        'editor-extension',
        'browser-extension',
        'jetbrains-plugin',
        'mcp',
        'dpkg',
      ].map((ecosystem) => [ecosystem, [name, 'plain']]),
    );
    expect(() => {
      validate(policyOf({ package: names }, text));
    }).not.toThrow();
  });
});
