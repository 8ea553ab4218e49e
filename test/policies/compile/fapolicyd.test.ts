/** fapolicyd's rules: places of a machine, never a home or a pattern, in front of what allows trusted files. */
import { expect, test } from 'vitest';
import { fapolicyd } from '../../../policies/compile/fapolicyd.js';
import { compiled } from './policies.js';
import { textOf } from './readers.js';

const ban = (match: string, before = ''): string =>
  `policy: p
title: P
timezone: utc
default: { decision: review }
rules:
${before}  - { id: ban, match: ${match}, decision: deny, effective: 2026-07-10, after: block, reason: { en: No. } }
`;
const rulesOf = (yaml: string): string[] =>
  (textOf(compiled(fapolicyd, yaml), '.rules') ?? '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

test('places of the machine are denied', () => {
  expect(rulesOf(ban('{ tool: [cursor, gemini-cli] }'))).toEqual([
    'deny_syslog perm=execute all : dir=/home/linuxbrew/.linuxbrew/Cellar/gemini-cli/',
    'deny_syslog perm=execute all : path=/usr/bin/gemini',
    'deny_syslog perm=execute all : dir=/usr/lib/node_modules/@google/gemini-cli/',
    'deny_syslog perm=execute all : path=/usr/local/bin/gemini',
    'deny_syslog perm=execute all : dir=/usr/local/lib/node_modules/@google/gemini-cli/',
    'deny_syslog perm=execute all : path=/usr/share/cursor/cursor',
  ]);
});

test('what lies in homes is told of', () => {
  const result = compiled(fapolicyd, ban('{ tool: kiro-cli }'));
  expect(textOf(result, '.rules')).not.toContain('.local');
  expect(result.notExpressible.map(({ reason }) => reason).join('\n')).toContain('lies in a home');
});

test.each([
  ['/opt/acme/assistant', ['deny_syslog perm=execute all : path=/opt/acme/assistant']],
  ['/opt/acme/my assistant', []],
  ['/opt/acme/a,b', []],
  ['/opt/acme/%x', []],
  ['/opt/acme/**', []],
  ['~/bin/assistant', []],
])('the path %s of a policy becomes %j', (path, rules) => {
  expect(rulesOf(ban(`{ path: '${path}' }`))).toEqual(rules);
  const told = compiled(fapolicyd, ban(`{ path: '${path}' }`)).notExpressible;
  expect(told.length).toBe(rules.length === 0 ? 1 : 0);
});

test('a path is never written after a rule that lets something be', () => {
  const ok = '  - { id: ok, match: { tool: qoder }, decision: approve }\n';
  expect(rulesOf(ban("{ path: '/opt/acme/assistant' }", ok))).toEqual([]);
});

test('what is approved is named for the admin to trust', () => {
  const ok = '  - { id: ok, match: { tool: qoder }, decision: approve }\n';
  const notes = textOf(compiled(fapolicyd, ban('{ tool: cursor }', ok)), 'notes.txt');
  expect(notes).toContain(
    "fapolicyd-cli --file add '/usr/share/qoder/bin/qoder' --trust-file curfew",
  );
  expect(notes).not.toContain('cursor');
});
