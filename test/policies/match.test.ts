/**
 * What a rule's match reaches: names whole and in their ecosystem's spelling, paths whole, gateways by
 * host; and what detectors must report so that every rule can be tried.
 */
import { describe, expect, test } from 'vitest';
import { ruleNames, wholeChannels } from '../../policies/evaluate.js';
import { deny, judge, policyOf, withRules } from './subjects.js';

describe('what a rule matches', () => {
  const matches = (match: string, situation: Parameters<typeof judge>[1] = {}): boolean =>
    judge(withRules(deny('it', match)), situation).verdict.rule === 'it';

  test('an id or an alias names the tool', () => {
    expect(matches('{ tool: claude-code }')).toBe(true);
    expect(matches('{ tool: claude-code-cli }')).toBe(true);
    expect(matches('{ tool: claude-desktop }')).toBe(false);
  });

  test('fields are joined by and, lists by or', () => {
    expect(matches('{ tool: [qoder, claude-code], channel: [npm, homebrew] }')).toBe(true);
    expect(matches('{ tool: [qoder, claude-code], channel: homebrew }')).toBe(false);
  });

  test('a harness can be denied and not the model, a model and not the harness', () => {
    const opencode = { component: { tool: 'opencode' } };
    expect(matches('{ vendor: anthropic }', opencode)).toBe(false);
    expect(matches('{ provider: Anthropic }', opencode)).toBe(true);
    expect(matches('{ vendor: anthropic }')).toBe(true);
    expect(matches('{ kind: desktop-app }')).toBe(false);
    expect(matches('{ kind: [desktop-app, coding-agent] }')).toBe(true);
  });

  test('C056: look-alike names are not matches', () => {
    const policy = withRules(
      deny('claude', '{ package: { npm: "@anthropic-ai/claude-code" } }') +
        deny('codex', '{ package: { npm: "@openai/codex" } }') +
        deny('gemini', '{ package: { npm: "@google/gemini-cli" } }') +
        deny('opencode', '{ package: { npm: opencode-ai } }'),
    );
    const lookAlikes = [
      'claude-code-router',
      'oh-my-claudecode',
      'codex-activator',
      'codex',
      'opencode',
      '@anthropic-ai-tools/claude-code',
      'gemini-cli',
      '@anthropic-ai/sdk',
      '@Anthropic-ai/claude-code',
    ];
    for (const name of lookAlikes) {
      const { verdict } = judge(policy, { component: { tool: null, name } });
      expect([name, verdict.rule]).toEqual([name, 'default']);
    }
    for (const [name, rule] of [
      ['@anthropic-ai/claude-code', 'claude'],
      ['@openai/codex', 'codex'],
      ['@google/gemini-cli', 'gemini'],
      ['opencode-ai', 'opencode'],
    ]) {
      const real = { tool: null, name: name ?? '' };
      expect(judge(policy, { component: real }).verdict).toMatchObject({
        rule,
        status: 'violation',
      });
    }
  });

  test('C057: the same name in another ecosystem is not a match', () => {
    const npm = '{ package: { npm: continue } }';
    const named = (channel: 'npm' | 'pypi' | 'homebrew' | 'editor-extension', name: string) => ({
      component: { tool: null, channel, name },
    });
    expect(matches(npm, named('npm', 'continue'))).toBe(true);
    expect(matches(npm, named('pypi', 'continue'))).toBe(false);
    expect(matches(npm, named('homebrew', 'continue'))).toBe(false);
    expect(matches(npm, named('editor-extension', 'continue.continue'))).toBe(false);
    expect(matches(npm, named('editor-extension', 'continue'))).toBe(false);
  });

  test('names compare as their ecosystem compares them', () => {
    const named = (channel: 'pypi' | 'editor-extension', name: string) => ({
      component: { tool: null, channel, name },
    });
    expect(
      matches('{ package: { pypi: Open_Interpreter } }', named('pypi', 'open-interpreter')),
    ).toBe(true);
    expect(
      matches(
        '{ package: { editor-extension: GitHub.copilot } }',
        named('editor-extension', 'github.copilot'),
      ),
    ).toBe(true);
  });

  test('a package of the system is named by its manager', () => {
    const deb = {
      component: { tool: null, channel: 'package', manager: 'dpkg', name: 'x' },
    } as const;
    expect(matches('{ package: { dpkg: x } }', deb)).toBe(true);
    expect(matches('{ package: { rpm: x } }', deb)).toBe(false);
  });

  test('a process of a package is that package, also where the catalogue does not know it', () => {
    const process = {
      component: {
        tool: null,
        channel: 'process',
        state: 'running',
        name: 'node',
        purl: 'pkg:npm/%40scope/name@1.0.0',
      },
    } as const;
    expect(matches('{ package: { npm: "@scope/name" } }', process)).toBe(true);
    expect(matches('{ package: { npm: name } }', process)).toBe(false);
  });

  test('a path is matched as a whole', () => {
    const at = (path: string, rest: object = {}) => ({ component: { path }, device: rest });
    const below = '{ path: "~/.claude/**" }';
    expect(matches(below, at('/home/ana/.claude/local/claude'))).toBe(true);
    expect(matches(below, at('/Users/ana/.claude/local/claude'))).toBe(true);
    expect(matches(below, at('/home/ana/x/.claude/local/claude'))).toBe(false);
    expect(matches(below, at('/srv/homes/ana/.claude/a', { home: '/srv/homes/ana' }))).toBe(true);
    expect(matches(below, at('/srv/homes/ana/.claude/a'))).toBe(false);
    expect(matches('{ path: /opt/*/bin/claude }', at('/opt/tools/bin/claude'))).toBe(true);
    expect(matches('{ path: /opt/*/bin/claude }', at('/opt/a/b/bin/claude'))).toBe(false);
    expect(matches('{ path: /opt/**/claude }', at('/opt/a/b/bin/claude'))).toBe(true);
    expect(matches('{ path: /opt/**/claude }', at('/opt/a/claude/x'))).toBe(false);
    expect(matches('{ path: "~/bin/claude-?.?" }', at('/home/ana/bin/claude-2.1'))).toBe(true);
    const windows = at('C:\\Users\\Ana\\AppData\\Local\\Claude\\x.exe', { platform: 'win32' });
    expect(matches('{ path: "~/appdata/local/claude/*.exe" }', windows)).toBe(true);
  });

  test('owner, publisher and scope match whole', () => {
    expect(matches('{ owner: ana }')).toBe(true);
    expect(matches('{ owner: an }')).toBe(false);
    expect(matches('{ owner: ana }', { component: { owner: null } })).toBe(false);
    expect(matches('{ owner: Ana }', { device: { platform: 'win32' } })).toBe(true);
    expect(
      matches('{ publisher: anthropic pbc }', { component: { publisher: 'Anthropic PBC' } }),
    ).toBe(true);
    expect(matches('{ publisher: anthropic pbc }')).toBe(false);
  });

  test('a gateway is the vendor, a third party, a host or none; not known is no match', () => {
    const at = (gateway: string | null) => ({ component: { gateway } });
    expect(matches('{ gateway: third-party }', at('llm.corp.example'))).toBe(true);
    expect(matches('{ gateway: third-party }', at('api.anthropic.com'))).toBe(false);
    expect(matches('{ gateway: third-party }', at('api.anthropic.com.evil.example'))).toBe(true);
    expect(matches('{ gateway: vendor }', at('api.anthropic.com'))).toBe(true);
    expect(matches('{ gateway: none }', at(null))).toBe(true);
    expect(matches('{ gateway: third-party }', at(null))).toBe(false);
    expect(matches('{ gateway: [llm.corp.example] }', at('LLM.corp.example'))).toBe(true);
    expect(matches('{ gateway: "*.corp.example" }', at('llm.corp.example'))).toBe(true);
    expect(matches('{ gateway: "*.corp.example" }', at('evilcorp.example'))).toBe(false);
    expect(matches('{ gateway: none }')).toBe(false);
    expect(matches('{ gateway: vendor }', at('vendor'))).toBe(false);
    expect(matches('{ gateway: none }', at('none'))).toBe(false);
    expect(matches('{ gateway: third-party }', at('none'))).toBe(true);
    expect(matches('{ gateway: "*.B\u00fccher.example." }', at('llm.xn--bcher-kva.example'))).toBe(
      true,
    );
  });

  test('running is asked of the component, and a live process answers it', () => {
    expect(matches('{ running: true }', { component: { running: true } })).toBe(true);
    expect(matches('{ running: false }', { component: { running: true } })).toBe(false);
    expect(matches('{ running: true }', { component: { state: 'running' } })).toBe(true);
    expect(matches('{ running: true }')).toBe(false);
    expect(matches('{ running: false }')).toBe(false);
  });
});

describe('what detectors must report for a policy', () => {
  const policy = policyOf(
    withRules(
      deny('named', '{ package: { pypi: [Open_Interpreter], npm: ["@scope/name", b] } }') +
        deny('extensions', '{ channel: editor-extension, publisher: somebody }') +
        deny('tool', '{ channel: npm, tool: claude-code }'),
    ),
  );

  test('the packages that rules name, in normal form', () => {
    expect(ruleNames(policy)).toEqual(
      new Map([
        ['pypi', new Set(['open-interpreter'])],
        ['npm', new Set(['@scope/name', 'b'])],
      ]),
    );
    expect(ruleNames(null).size).toBe(0);
  });

  test('the channels that a rule takes whole', () => {
    expect(wholeChannels(policy)).toEqual(new Set(['editor-extension']));
  });
});
