/** The tools' own managed settings, read back as JSON, TOML and property lists. */
import { describe, expect, test } from 'vitest';
import { readToml } from '../../../agent/detect/toml.js';
import { aiTools } from '../../../policies/compile/ai-tools.js';
import { compiled } from './policies.js';
import { jsonOf, payloadOf, registryOf, textOf } from './readers.js';

const policy = (rules: string): string => `
policy: p
title: A policy
timezone: utc
default: { decision: review }
rules:
${rules}`;
const ban = (match: string, after = 'block', id = 'ban'): string =>
  `  - { id: ${id}, match: ${match}, decision: deny, effective: 2026-07-10, after: ${after}, reason: { en: Not here. } }\n`;
const of = (rules: string) => compiled(aiTools, policy(rules));

const claude = 'claude-code/managed-settings.json';

describe('MCP servers by name', () => {
  const result = of(ban('{ package: { mcp: [shady, "web search"] } }'));
  test('Claude Code gets those names that all its versions take', () => {
    const settings = { deniedMcpServers: [{ serverName: 'shady' }] };
    expect(jsonOf(result, claude)).toEqual(settings);
    const payload = payloadOf(result, 'claude-code/curfew.mobileconfig');
    expect(payload['PayloadType']).toBe('com.anthropic.claudecode');
    expect(payload['deniedMcpServers']).toEqual(settings.deniedMcpServers);
    const keys = registryOf(textOf(result, 'claude-code/curfew.reg') ?? '');
    const value = keys['HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\ClaudeCode']?.['Settings'];
    expect(JSON.parse(value ?? '')).toEqual(settings);
    expect(result.warnings.join()).toContain('web search');
  });
  test('Gemini CLI and Qwen Code get all names, and no list of what is allowed', () => {
    for (const tool of ['gemini-cli', 'qwen-code']) {
      expect(jsonOf(result, `${tool}/settings.json`)).toEqual({
        mcp: { excluded: ['shady', 'web search'] },
      });
    }
  });
  test('Codex and VS Code get nothing, and the admin is told', () => {
    expect(textOf(result, 'requirements.toml')).toBeNull();
    expect(textOf(result, 'policy.json')).toBeNull();
    expect(result.warnings.join()).toContain('Codex and VS Code have no list of denied');
    expect(result.notExpressible).toEqual([]);
  });
});

describe('all MCP servers', () => {
  test('none is allowed where a tool has a word for none', () => {
    const result = of(ban('{ channel: mcp, scope: [global, project] }'));
    expect(jsonOf(result, claude)).toEqual({
      allowedMcpServers: [],
      allowManagedMcpServersOnly: true,
    });
    expect(readToml(textOf(result, 'codex/requirements.toml') ?? '')).toEqual({ mcp_servers: {} });
    const payload = payloadOf(result, 'codex/curfew.mobileconfig');
    const decoded = Buffer.from(String(payload['requirements_toml_base64']), 'base64').toString();
    expect(decoded).toBe(textOf(result, 'codex/requirements.toml'));
    expect(jsonOf(result, 'vscode/policy.json')).toEqual({ ChatMCP: 'none' });
    expect(textOf(result, 'gemini-cli/settings.json')).toBeNull();
  });
  test('what an earlier rule allows stays, and nothing is written where that cannot be said', () => {
    const keep = '  - { id: keep, match: { package: { mcp: docs } }, decision: approve }\n';
    const result = of(keep + ban('{ channel: mcp }'));
    expect(jsonOf(result, claude)).toEqual({
      allowedMcpServers: [{ serverName: 'docs' }],
      allowManagedMcpServersOnly: true,
    });
    expect(jsonOf(result, 'gemini-cli/settings.json')).toEqual({ mcp: { allowed: ['docs'] } });
    expect(textOf(result, 'requirements.toml')).toBeNull();
    expect(textOf(result, 'policy.json')).toBeNull();
  });
});

describe('versions of Claude Code', () => {
  const cases: readonly [string, object | null][] = [
    // Clients before 2.1.163 heed no limits, so nothing below the range is lost.
    ['>=2.1.91 <=2.1.197', { requiredMinimumVersion: '2.1.198' }],
    ['<2.2.0', { requiredMinimumVersion: '2.2.0' }],
    ['>2.3.4', { requiredMaximumVersion: '2.3.4' }],
    ['>=2.3.4', { requiredMaximumVersion: '2.3.3' }],
    ['>=2.2.0 <2.3.0', null], // 2.1.200 is allowed and would be lost
    ['<=2.1.100', null], // none of them heeds it
    ['>=2.2.0', null], // the last version before has no name
    ['2.2.1', null],
  ];
  test.each(cases)('denied %s', (range, expected) => {
    const result = of(ban(`{ tool: claude-code, version: "${range}" }`));
    expect(jsonOf(result, claude)).toEqual(expected);
    const told = result.notExpressible.map(({ tool }) => tool);
    expect(told).toEqual(expected === null ? ['claude-code'] : []);
  });
  test.each([
    '{ tool: claude-code, channel: npm, version: "<2.2.0" }',
    '{ package: { npm: "@anthropic-ai/claude-code" }, version: "<2.2.0" }',
  ])('a rule about one way of installing alone sets none: %s', (match) => {
    const result = of(ban(match));
    expect(result.files).toEqual([]);
    expect(new Set(result.notExpressible.map(({ tool }) => tool))).toEqual(
      new Set(['claude-code']),
    );
  });
  test('a stretch that alone is allowed has both ends', () => {
    const keep =
      '  - { id: keep, match: { tool: claude-code, version: ">=2.2.0 <2.2.9" }, decision: allow }\n';
    expect(jsonOf(of(keep + ban('{ tool: claude-code }')), claude)).toEqual({
      requiredMinimumVersion: '2.2.0',
      requiredMaximumVersion: '2.2.8',
    });
  });
});

test('a tool that is denied as a whole is no matter of its settings, and is listed', () => {
  const result = of(ban('{ tool: [claude-code, codex-cli] }'));
  expect(result.files).toEqual([]);
  expect(result.notExpressible.map(({ tool }) => tool)).toEqual(['claude-code', 'codex-cli']);
});

test('what people are only told about changes no setting', () => {
  const result = of(
    ban('{ package: { mcp: shady } }', 'notify') + ban('{ channel: mcp }', 'observe', 'all'),
  );
  expect(result.files).toEqual([]);
  expect(result.notExpressible).toHaveLength(2);
});
