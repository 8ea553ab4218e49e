/** The JetBrains target: a list for IDE Services and advice for the machine. */
import { expect, test } from 'vitest';
import { jetbrains } from '../../../policies/compile/jetbrains.js';
import { compiled } from './policies.js';
import { textOf } from './readers.js';

const policy = (rules: string): string => `
policy: p
title: A policy
timezone: utc
default: { decision: review }
rules:
${rules}`;
const ban = (match: string, after = 'block'): string =>
  `  - { id: ban, match: ${match}, decision: deny, effective: 2026-07-10, after: ${after}, reason: { en: 'Not "here", ben.' } }\n`;

/** The rows of a CSV file with every field in quotes. */
function rowsOf(text: string | null): string[][] {
  const rows = (text ?? '').split('\r\n').filter((row) => row !== '');
  return rows.map((row) =>
    [...row.matchAll(/"((?:[^"]|"")*)"(?:,|$)/g)].map((found) =>
      (found[1] ?? '').replaceAll('""', '"'),
    ),
  );
}

test('each denied plugin is a line of the advice and a rule for IDE Services', () => {
  const result = compiled(
    jetbrains,
    policy(ban('{ package: { jetbrains-plugin: [com.github.copilot, org.jetbrains.junie] } }')),
  );
  expect(textOf(result, 'disabled_plugins.txt')).toBe('com.github.copilot\norg.jetbrains.junie\n');
  expect(rowsOf(textOf(result, 'rules.csv'))).toEqual([
    ['Plugin ID', 'Rule', 'Reason'],
    ['com.github.copilot', 'Block on Restart', 'Not approved. Not "here", ben.'],
    ['org.jetbrains.junie', 'Block on Restart', 'Not approved. Not "here", ben.'],
  ]);
  expect(result.warnings.join()).toContain('without IDE Services nothing here holds');
});

test('what is to be removed is blocked by force', () => {
  const result = compiled(
    jetbrains,
    policy(ban('{ package: { jetbrains-plugin: a.b } }', 'remove')),
  );
  expect(rowsOf(textOf(result, 'rules.csv'))[1]?.slice(0, 2)).toEqual(['a.b', 'Block (Forced)']);
});

test('an allow-list blocks all but the allowed, never all, and switches nothing more off locally', () => {
  const ok = `  - { id: ok, match: { package: { jetbrains-plugin: com.github.copilot } }, decision: approve }\n`;
  const list = compiled(jetbrains, policy(ok + ban('{ kind: editor-plugin }')), {
    isAllowList: true,
  });
  const rows = rowsOf(textOf(list, 'rules.csv'));
  expect(rows[1]).toEqual(['All plugins', 'Block on Restart', '']);
  expect(rows).toContainEqual(['com.github.copilot', 'Allow', '']);
  expect(textOf(list, 'disabled_plugins.txt')?.split('\n')).not.toContain('com.github.copilot');
  const empty = compiled(jetbrains, policy(ban('{ tool: claude-code }')), { isAllowList: true });
  expect(empty.files).toEqual([]);
});

test('versions have no form', () => {
  const result = compiled(
    jetbrains,
    policy(ban('{ package: { jetbrains-plugin: com.github.copilot }, version: "<2.0.0" }')),
  );
  expect(result.files).toEqual([]);
  expect(result.notExpressible).toHaveLength(1);
  expect(result.notExpressible[0]?.reason).toContain('version');
});

test('a name that could begin a second line or a formula stays one field', () => {
  const result = compiled(
    jetbrains,
    policy(ban('{ package: { jetbrains-plugin: ["=cmd()", "fine id"] } }')),
  );
  expect(textOf(result, 'disabled_plugins.txt')).toBe('fine id\n');
  expect(result.notExpressible).toHaveLength(1);
});
