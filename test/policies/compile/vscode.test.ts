/**
 * The policy of VS Code and its forks: what the compiled value allows is asked as VS Code's own
 * documentation has it, and every form of the file is read back.
 */
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../../policies/catalogue.js';
import type { Compiled } from '../../../policies/compile/index.js';
import { editorTargets } from '../../../policies/compile/vscode.js';
import { compiled } from './policies.js';
import { jsonOf, payloadOf, registryOf, textOf } from './readers.js';

const target = (id: string) => {
  const found = editorTargets.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no target ${id}`);
  return found;
};
const vscode = target('vscode');

type Value = Readonly<Record<string, boolean | string | readonly string[]>>;
const valueOf = (result: Compiled): Value =>
  (jsonOf(result, 'settings.json') as { 'extensions.allowed': Value })['extensions.allowed'];

/** https://code.visualstudio.com/docs/enterprise/extensions: the more specific key wins. */
function isAllowed(value: Value, id: string, version = '1.0.0'): boolean {
  const says = (entry: boolean | string | readonly string[]): boolean =>
    typeof entry === 'boolean' || typeof entry === 'string'
      ? entry !== false
      : entry.some((one) => one.split('@')[0] === version);
  const lower = id.toLowerCase();
  const [publisher = ''] = lower.split('.');
  for (const key of [lower, publisher]) {
    const entry = value[key];
    if (entry !== undefined) return says(entry);
  }
  return value['*'] === true;
}

const policy = (rules: string, more = 'default: { decision: review }'): string => `
policy: p
title: A policy
timezone: utc
${more}
rules:
${rules}`;
const ban = (match: string, id = 'ban', after = 'block'): string =>
  `  - { id: ${id}, match: ${match}, decision: deny, effective: 2026-07-10, after: ${after}, reason: { en: Not here. } }\n`;

test('a denied extension is blocked in any spelling, and every other one stays', () => {
  const result = compiled(vscode, policy(ban('{ package: { editor-extension: GitHub.Copilot } }')));
  const value = valueOf(result);
  expect(isAllowed(value, 'GitHub.copilot')).toBe(false);
  expect(isAllowed(value, 'github.copilot-labs')).toBe(true);
  expect(isAllowed(value, 'ms-python.python')).toBe(true);
  expect(value).toEqual({ '*': true, 'github.copilot': false });
});

test('what an earlier rule approves stays, though its vendor is denied', () => {
  const keep = '  - { id: keep, match: { tool: github-copilot-chat }, decision: approve }\n';
  const all = compiled(vscode, policy(ban('{ kind: editor-plugin }')));
  const kept = builtInCatalogue().tools.filter(
    ({ identifiers, kind }) => kind === 'editor-plugin' && identifiers.editorExtension.length > 0,
  );
  for (const { identifiers } of kept) {
    for (const id of identifiers.editorExtension) {
      expect(isAllowed(valueOf(all), id), id).toBe(false);
    }
  }
  const [first] = kept;
  const some = compiled(
    vscode,
    policy(keep.replace('github-copilot-chat', first?.id ?? '') + ban('{ kind: editor-plugin }')),
  );
  for (const id of first?.identifiers.editorExtension ?? []) {
    expect(isAllowed(valueOf(some), id), id).toBe(true);
  }
});

describe('versions', () => {
  const pinned = (version: string): string =>
    policy(
      `  - { id: pin, match: { package: { editor-extension: openai.chatgpt }, version: "${version}" }, decision: allow }\n${ban('{ package: { editor-extension: openai.chatgpt } }')}`,
    );
  test('versions that a rule allows one by one become a list of exactly these', () => {
    const value = valueOf(compiled(vscode, pinned('0.4.1 || 0.4.2')));
    expect(isAllowed(value, 'openai.chatgpt', '0.4.1')).toBe(true);
    expect(isAllowed(value, 'openai.chatgpt', '0.4.2')).toBe(true);
    expect(isAllowed(value, 'openai.chatgpt', '0.4.3')).toBe(false);
    expect(isAllowed(value, 'ms-python.python', '9.9.9')).toBe(true);
  });
  test('an allowed range has no form and is listed, and nothing is blocked for it', () => {
    const result = compiled(vscode, pinned('>=0.4.1'));
    expect(result.files).toEqual([]);
    expect(result.notExpressible.map(({ rule }) => rule)).toEqual(['ban']);
  });
  test('a denied range has no form and is listed', () => {
    const result = compiled(
      vscode,
      policy(ban('{ package: { editor-extension: openai.chatgpt }, version: "<0.4.1" }')),
    );
    expect(result.files).toEqual([]);
    expect(result.notExpressible[0]?.reason).toContain('<0.4.1');
  });
});

describe('publishers', () => {
  const rule = (match: string): string => ban(match);
  test('all of a denied publisher is blocked, but what an earlier rule approves', () => {
    const keep =
      '  - { id: keep, match: { package: { editor-extension: GitHub.copilot } }, decision: approve }\n';
    for (const match of [
      '{ publisher: GitHub }',
      '{ channel: editor-extension, publisher: GitHub }',
    ]) {
      const result = compiled(vscode, policy(keep + rule(match)));
      const value = valueOf(result);
      expect(isAllowed(value, 'github.copilot'), match).toBe(true);
      expect(isAllowed(value, 'github.copilot-chat'), match).toBe(false);
      expect(isAllowed(value, 'GitHub.never-heard-of'), match).toBe(false);
      expect(isAllowed(value, 'github-like.theme'), match).toBe(true);
      expect(result.notExpressible.filter(({ tool }) => tool === null)).toEqual([]);
    }
  });
  test('what an earlier rule only tells about, or denies from a later date on, is not blocked yet', () => {
    const soft = ban('{ package: { editor-extension: github.copilot } }', 'soft', 'notify');
    const later = ban('{ package: { editor-extension: github.vscode-pr } }', 'later').replace(
      '2026-07-10',
      '2027-01-01',
    );
    const value = valueOf(compiled(vscode, policy(soft + later + rule('{ publisher: GitHub }'))));
    expect(isAllowed(value, 'github.copilot')).toBe(true);
    expect(isAllowed(value, 'github.vscode-pr')).toBe(true);
    expect(isAllowed(value, 'github.copilot-chat')).toBe(false);
  });
  test('where an earlier rule may spare what nobody has named, nothing is written', () => {
    for (const match of ['{ channel: editor-extension }', '{ publisher: GitHub, owner: ben }']) {
      const keep = `  - { id: keep, match: ${match}, decision: allow }\n`;
      const result = compiled(vscode, policy(keep + rule('{ publisher: GitHub }')));
      expect(result.files, match).toEqual([]);
      expect(result.notExpressible.map(({ rule: id }) => id)).toEqual(['ban']);
    }
  });
  test('a name that is no publisher id, or stands for a company, is listed', () => {
    for (const name of ["'Anthropic, PBC'", 'Microsoft', 'a.b']) {
      const result = compiled(vscode, policy(rule(`{ publisher: ${name} }`)));
      expect(result.files, name).toEqual([]);
      expect(result.notExpressible, name).toHaveLength(1);
    }
  });
});

describe('never everything', () => {
  test.each(['github', 'github.', '.x'])('the name %s blocks no publisher and not all', (name) => {
    const result = compiled(vscode, policy(ban(`{ package: { editor-extension: "${name}" } }`)));
    expect(result.files).toEqual([]);
    expect(result.notExpressible).toHaveLength(1);
  });
  test('a default that denies keeps the star', () => {
    const result = compiled(
      vscode,
      policy('  []', 'default: { decision: deny, effective: 2026-07-10, after: block }').replace(
        'rules:\n  []',
        'rules: []',
      ),
    );
    expect(valueOf(result)['*']).toBe(true);
    expect(isAllowed(valueOf(result), 'github.copilot')).toBe(false);
  });
  test('an allow-list that would be empty is not written', () => {
    const result = compiled(vscode, policy(ban('{ tool: claude-code }')), { isAllowList: true });
    expect(result.files).toEqual([]);
    expect(result.warnings.join()).toContain('would block all of them');
  });
});

test('an allow-list has what rules approve and nothing else', () => {
  const result = compiled(
    vscode,
    policy(
      '  - { id: ok, match: { package: { editor-extension: [github.copilot, ms-python.python] } }, decision: approve }\n' +
        ban('{ tool: claude-code }'),
    ),
    { isAllowList: true },
  );
  const value = valueOf(result);
  expect(isAllowed(value, 'github.copilot')).toBe(true);
  expect(isAllowed(value, 'ms-python.python')).toBe(true);
  expect(isAllowed(value, 'esbenp.prettier-vscode')).toBe(false);
});

describe('each place holds the same value', () => {
  const rules = policy(ban('{ package: { editor-extension: github.copilot } }'));
  const value = { '*': true, 'github.copilot': false };
  test('VS Code: object on Linux, text on macOS and Windows', () => {
    const result = compiled(vscode, rules);
    expect(jsonOf(result, 'vscode/policy.json')).toEqual({ AllowedExtensions: value });
    const payload = payloadOf(result, 'vscode/curfew.mobileconfig');
    expect(payload['PayloadType']).toBe('com.microsoft.VSCode');
    expect(JSON.parse(String(payload['AllowedExtensions']))).toEqual(value);
    const keys = registryOf(textOf(result, 'vscode/curfew.reg') ?? '');
    const key = keys['HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\VSCode'];
    expect(JSON.parse(key?.['AllowedExtensions'] ?? '')).toEqual(value);
  });
  test('Cursor and Windsurf: their own places, and no place that is not known', () => {
    const cursor = compiled(target('cursor'), rules);
    expect(payloadOf(cursor, 'cursor/curfew.mobileconfig')['PayloadType']).toBe(
      'com.todesktop.230313mzl4w4u92',
    );
    expect(textOf(cursor, '.reg')).toBeNull();
    const windsurf = compiled(target('windsurf'), rules);
    expect(textOf(windsurf, '.mobileconfig')).toBeNull();
    expect(Object.keys(registryOf(textOf(windsurf, '.reg') ?? ''))).toEqual([
      'HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Windsurf\\Windsurf',
    ]);
    for (const result of [cursor, windsurf]) {
      const { AllowedExtensions } = jsonOf(result, 'policy.json') as { AllowedExtensions: string };
      expect(JSON.parse(AllowedExtensions)).toEqual(value);
      expect(jsonOf(result, 'allowed-extensions.json')).toEqual(value);
    }
  });
});

test('what people are only told about is not blocked', () => {
  const result = compiled(
    vscode,
    policy(ban('{ package: { editor-extension: github.copilot } }', 'soft', 'notify')),
  );
  expect(result.files).toEqual([]);
  expect(result.notExpressible).toEqual([
    {
      rule: 'soft',
      tool: null,
      reason: 'the rule asks to notify only, and Visual Studio Code can only block',
    },
  ]);
});
