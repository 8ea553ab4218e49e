/**
 * Whose a model endpoint is: every host that a provider documents for its own models is the vendor's for
 * its tools, and whatever only looks like one, or stands between, is a third party's.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { urlHost } from '../../agent/detect/mcp-command.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { gatewayKind, plainHost, type GatewayKind } from '../../policies/gateway.js';
import { runs } from '../runs.js';

const catalogue = builtInCatalogue();

const kindFor = (tool: string, host: string | null): GatewayKind => {
  const entry = catalogue.tool(tool);
  if (entry === null) throw new Error(`no tool ${tool}`);
  return gatewayKind(host, entry);
};

describe('the hosts that providers document', () => {
  test.each([
    ['claude-code', 'api.anthropic.com'],
    ['claude-code', 'aws-external-anthropic.us-east-1.api.aws'],
    ['codex-cli', 'api.openai.com'],
    ['codex-cli', 'eu.api.openai.com'],
    ['codex-cli', 'chatgpt.com'],
    ['gemini-cli', 'generativelanguage.googleapis.com'],
    ['gemini-cli', 'aiplatform.googleapis.com'],
    ['gemini-cli', 'europe-west4-aiplatform.googleapis.com'],
    ['gemini-cli', 'cloudcode-pa.googleapis.com'],
    ['qwen-code', 'dashscope.aliyuncs.com'],
    ['qwen-code', 'dashscope-intl.aliyuncs.com'],
    ['qwen-code', 'dashscope-us.aliyuncs.com'],
    ['qwen-code', 'cn-hongkong.dashscope.aliyuncs.com'],
    ['qwen-code', 'coding.dashscope.aliyuncs.com'],
    ['qwen-code', 'ws-1a2b.ap-southeast-1.maas.aliyuncs.com'],
    ['qwen-code', 'portal.qwen.ai'],
  ])('are the vendor’s for %s: %s', (tool, host) => {
    expect(kindFor(tool, host)).toBe('vendor');
  });

  test.each([
    'api.anthropic.com',
    'api.openai.com',
    'generativelanguage.googleapis.com',
    'dashscope.aliyuncs.com',
    'api.mistral.ai',
    'codestral.mistral.ai',
    'api.x.ai',
    'api.deepseek.com',
    'api.moonshot.cn',
    'api.moonshot.ai',
    'api.kimi.com',
    'open.bigmodel.cn',
    'api.z.ai',
    'api.minimax.io',
    'api.minimaxi.com',
    'api.githubcopilot.com',
  ])('are the vendor’s for a tool that talks to any provider: %s', (host) => {
    expect(kindFor('aider', host)).toBe('vendor');
    const others = ['claude-code', 'codex-cli', 'gemini-cli', 'qwen-code'].map((tool) =>
      kindFor(tool, host),
    );
    expect(others.filter((kind) => kind === 'vendor').length).toBeLessThanOrEqual(1);
  });
});

describe('a third party’s', () => {
  test.each([
    // Clouds that resell, and the deployments of their customers.
    'bedrock-runtime.us-east-1.amazonaws.com',
    'us-east5-aiplatform.googleapis.com',
    'my-resource.services.ai.azure.com',
    'my-resource.openai.azure.com',
    // Compatible endpoints of other vendors, and relays.
    'api.deepseek.com',
    'api.z.ai',
    'dashscope-intl.aliyuncs.com',
    'openrouter.ai',
    'api.together.xyz',
    'api.fireworks.ai',
    'api.groq.com',
    // This machine and the company's network: what stands behind it is not known.
    'localhost',
    '127.0.0.1',
    '[::1]',
    '10.0.0.7',
    'litellm',
  ])('for Claude Code: %s', (host) => {
    expect(kindFor('claude-code', host)).toBe('third-party');
  });

  test.each([
    ['qwen-code', '1234567890.cn-shanghai.fc.aliyuncs.com'],
    ['qwen-code', 'proxy.oss-cn-beijing.aliyuncs.com'],
    ['qwen-code', 'xdashscope.aliyuncs.com'],
    ['gemini-cli', 'script.google.com'],
    ['gemini-cli', 'relay-abc.a.run.app'],
    ['codex-cli', 'my-resource.openai.azure.com'],
    ['aider', 'openrouter.ai'],
    ['aider', 'localhost'],
    ['claude-code', 'aws-external-anthropic.api.aws'],
    ['claude-code', 'aws-external-anthropic.us-east-1.evil.api.aws'],
    ['claude-code', 'relay.api.aws'],
    ['aider', 'my-app.space.z.ai'],
    ['aider', 'my-app.space.minimax.io'],
  ])('for %s, where others can run a program: %s', (tool, host) => {
    expect(kindFor(tool, host)).toBe('third-party');
  });

  test.each([
    'api.anthropic.com.evil.example',
    'apianthropic.com',
    'evil-anthropic.com',
    'anthropic.com.cn',
    'anthropic.co',
    'api.anthropic.com-evil.example',
    // Cyrillic in place of the first letter, as typed and as it goes over the wire.
    '\u{430}pi.\u{430}nthropic.com',
    'xn--nthropic-06g.com',
    '\u{ff41}nthropic.evil.example',
    'anthropic',
    'com',
    '.',
    // Words of a rule are no hosts.
    'vendor',
    'none',
    'third-party',
  ])('what only looks like Anthropic’s: %s', (host) => {
    expect(kindFor('claude-code', host)).toBe('third-party');
  });

  test('any, for a tool whose provider is not known', () => {
    expect(gatewayKind('api.anthropic.com', null)).toBe('third-party');
    expect(gatewayKind(null, null)).toBe('none');
  });
});

test.each([
  ['https://api.anthropic.com', 'api.anthropic.com', 'vendor'],
  ['  https://API.Anthropic.COM./v1  ', 'api.anthropic.com', 'vendor'],
  ['https://api.anthropic.com:8443/v1', 'api.anthropic.com', 'vendor'],
  ['https://api.anthropic.com@evil.example/', 'evil.example', 'third-party'],
  ['https://api.anthropic.com%40evil.example/', null, 'none'],
  ['https://evil.example/api.anthropic.com', 'evil.example', 'third-party'],
  ['https://evil.example?x=.anthropic.com', 'evil.example', 'third-party'],
  ['https://evil.example#.anthropic.com', 'evil.example', 'third-party'],
  ['https://evil.example\\.anthropic.com', 'evil.example', 'third-party'],
  ['https://ev\til.example./', 'evil.example', 'third-party'],
  ['https://\u{430}nthropic.com/', 'xn--nthropic-06g.com', 'third-party'],
  ['https://\u{ff41}nthropic\u{3002}com/', 'anthropic.com', 'vendor'],
  ['http://[::1]:4000', '[::1]', 'third-party'],
  ['http://2130706433/', '127.0.0.1', 'third-party'],
  ['http://localhost:4000', 'localhost', 'third-party'],
  ['http://vendor/', 'vendor', 'third-party'],
  ['api.anthropic.com', null, 'none'],
])('a setting of %s is the host %s: %s', (setting, host, kind) => {
  expect(urlHost(setting)).toBe(host);
  expect(kindFor('claude-code', urlHost(setting))).toBe(kind);
});

test('a host is compared without case, the dot of a full name and its script', () => {
  expect(plainHost('LLM.Corp.Example.')).toBe('llm.corp.example');
  expect(plainHost('B\u{fc}cher.Example')).toBe('xn--bcher-kva.example');
  expect(plainHost('[::1]')).toBe('[::1]');
});

test('nothing before or behind a vendor’s name makes another host the vendor’s', () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
  const own = fc.constantFrom('anthropic.com', 'claude.ai', 'claude.com');
  fc.assert(
    fc.property(own, label, label, (domain, before, behind) => {
      expect(kindFor('claude-code', `${before}.${domain}`)).toBe('vendor');
      expect(kindFor('claude-code', `${before}.${domain}.${behind}`)).toBe('third-party');
      expect(kindFor('claude-code', `${before}${domain}`)).toBe('third-party');
      expect(kindFor('claude-code', `${domain}${behind}`)).toBe('third-party');
      expect(urlHost(`https://${domain}:x@${before}.${behind}.example/`)).toBe(
        `${before}.${behind}.example`,
      );
    }),
    runs(100),
  );
});

test('no text makes a host with more in it than a host', () => {
  const text = fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.string({ unit: 'binary', maxLength: 60 }).map((rest) => `https://${rest}`),
    fc
      .string({ unit: fc.constantFrom(...':/@.[]%#?\\a1 \t'), maxLength: 30 })
      .map((rest) => `http://${rest}`),
  );
  fc.assert(
    fc.property(text, (setting) => {
      const host = urlHost(setting);
      if (host === null) return;
      expect(host).toMatch(/^[a-z0-9_.-]+$|^\[[0-9a-f:.]+\]$/);
      expect(plainHost(host)).toBe(host);
      expect(urlHost(`https://${host}/`)).toBe(host);
    }),
    runs(300),
  );
});
