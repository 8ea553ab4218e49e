/** Santa's files: what is signed and where it lies, the words a person sees, and the allow-list's lock. */
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../../policies/catalogue.js';
import { santa } from '../../../policies/compile/santa.js';
import { mustRun } from '../../contracts/enforcers.js';
import { compiled, policyOf } from './policies.js';
import { jsonOf, payloadOf } from './readers.js';
import { hostileTexts } from './reading.js';

const head = 'policy: p\ntitle: P\ntimezone: utc\n';
const ban = (match: string): string =>
  `${head}default: { decision: review }
rules:
  - { id: ban, match: ${match}, decision: deny, effective: 2026-07-10, after: block,
      reason: { en: "Back  door <risk>." }, replacement: { tool: qoder, guide: https://example.com/m?a=1&b=2 } }
`;

test('a signed tool is blocked by its signing id, with why and what instead', () => {
  const result = compiled(santa, ban('{ tool: claude-code }'));
  expect(payloadOf(result, '.mobileconfig')['StaticRules']).toEqual([
    {
      identifier: 'Q6L2SF6YDW:com.anthropic.claude-code',
      rule_type: 'SIGNINGID',
      policy: 'BLOCKLIST',
      custom_msg:
        'Not approved. Back door <risk>. Use Qoder IDE instead: https://example.com/m?a=1&b=2',
      custom_url: 'https://example.com/m?a=1&b=2',
    },
  ]);
  expect(jsonOf(result, 'rules.json')).toEqual({
    rules: payloadOf(result, '.mobileconfig')['StaticRules'],
    cursor: '',
  });
});

test.each(hostileTexts)('the reason %j is shown as it is, on one line', (text) => {
  const yaml = ban('{ tool: claude-code }').replace('"Back  door <risk>."', JSON.stringify(text));
  const [rule] = payloadOf(compiled(santa, yaml), '.mobileconfig')['StaticRules'] as [
    { custom_msg: string },
  ];
  const line = text.replace(/\s+/g, ' ');
  expect(rule.custom_msg).toBe(
    `Not approved. ${line} Use Qoder IDE instead: https://example.com/m?a=1&b=2`,
  );
});

test('install folders are one pattern of whole paths', () => {
  const { blocked_path_regex: source } = jsonOf(
    compiled(santa, ban('{ tool: [claude-code, ollama] }')),
    'preflight.json',
  ) as { blocked_path_regex: string };
  const pattern = new RegExp(source);
  const tried = [
    '/Users/ana/.local/share/claude/versions/2.1.100',
    '/Applications/Ollama.app/Contents/Resources/ollama',
    '/Users/ana/.local/share/claude/versions/2.1.100/other',
    '/Users/ana/x/.claude/local/claude',
    '/Applications/OllamaXapp/Contents/Resources/ollama',
  ];
  expect(tried.map((path) => pattern.test(path))).toEqual([true, true, false, false, false]);
});

test('a publisher is the team of a signature, and never blocks the whole team', () => {
  const result = compiled(santa, ban('{ publisher: Q6L2SF6YDW }'));
  const rules = payloadOf(result, '.mobileconfig')['StaticRules'] as { identifier: string }[];
  expect(rules.map(({ identifier }) => identifier)).toEqual([
    'Q6L2SF6YDW:com.anthropic.claude-code',
  ]);
  expect(compiled(santa, ban('{ publisher: ABCDE12345 }')).notExpressible).toHaveLength(1);
});

test('without an allow-list the client keeps its mode', () => {
  const settings = payloadOf(compiled(santa, ban('{ tool: claude-code }')), '.mobileconfig');
  expect(Object.keys(settings)).not.toContain('ClientMode');
  expect(Object.keys(settings)).not.toContain('AllowedPathRegex');
});

describe('an allow-list', () => {
  const only = (tools: string): string =>
    `${head}default: { decision: deny, effective: 2026-07-10, after: block }
rules:
  - { id: ok, match: { tool: [${tools}] }, decision: approve }
`;
  const ask = (tools: string, isEnforced: boolean) =>
    santa.compile({
      policy: policyOf(only(tools)),
      catalogue: builtInCatalogue(),
      ...{ at: Date.parse('2026-08-01'), zone: 'UTC', isAllowList: true, isEnforced },
    });

  test('watches until it is enforced', () => {
    expect(payloadOf(ask('codex-cli', false), '.mobileconfig')['ClientMode']).toBe(1);
    const locked = payloadOf(ask('codex-cli', true), '.mobileconfig');
    expect(locked['ClientMode']).toBe(2);
    expect(locked['StaticRules']).toContainEqual({
      identifier: '2DC432GLL2:codex',
      rule_type: 'SIGNINGID',
      policy: 'ALLOWLIST',
    });
  });

  test('lets the system, MDM agents, Curfew and what is approved run', () => {
    const allowed = payloadOf(ask('ollama, codex-cli', true), '.mobileconfig')['AllowedPathRegex'];
    const pattern = new RegExp(String(allowed));
    const own = mustRun.darwin.filter((path) => !/^\/(Applications|Users)\//.test(path));
    expect(own.filter((path) => !pattern.test(path))).toEqual([]);
    expect(pattern.test('/Applications/Ollama.app/Contents/Resources/ollama')).toBe(true);
    expect(pattern.test('/tmp/bin/sh')).toBe(false);
  });

  test('never locks out an approved tool that it has no mark for', () => {
    const result = ask('codex-cli, qoder', true);
    expect(payloadOf(result, '.mobileconfig')['ClientMode']).toBe(1);
    expect(result.warnings.join('\n')).toContain('qoder is let be');
  });
});
