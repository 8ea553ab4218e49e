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
    expect(matches('{ publisher: anthropic pbc }')).toBe(false);
  });

  test.each([
    // as an installer or a store says it
    ['anthropic pbc', { publisher: 'Anthropic PBC' }],
    // the team of an Apple signature, alone and with the authority's name
    ['Q6L2SF6YDW', { publisher: 'Q6L2SF6YDW' }],
    ['Q6L2SF6YDW', { publisher: 'Developer ID Application: Anthropic PBC (Q6L2SF6YDW)' }],
    ['Anthropic PBC', { publisher: 'Developer ID Application: Anthropic PBC (Q6L2SF6YDW)' }],
    // the subject of an Authenticode or MSIX certificate, whole and by its names
    [
      'CN="Anthropic, PBC", O="Anthropic, PBC", L=San Francisco, S=California, C=US',
      {
        publisher: 'CN="Anthropic, PBC", O="Anthropic, PBC", L=San Francisco, S=California, C=US',
      },
    ],
    [
      'anthropic, pbc',
      {
        publisher: 'CN="Anthropic, PBC", O="Anthropic, PBC", L=San Francisco, S=California, C=US',
      },
    ],
    ['OpenAI, L.L.C.', { publisher: 'CN=OpenAI\\, L.L.C., O=OpenAI, C=US' }],
    // the publisher within an id
    ['GitHub', { channel: 'editor-extension', name: 'github.copilot' }],
    ['Anthropic', { channel: 'package', manager: 'winget', name: 'Anthropic.ClaudeCode' }],
    [
      'pzs8sxrjxfjjc',
      {
        channel: 'application',
        path: 'C:\\Program Files\\WindowsApps\\Claude_1.0.0.0_x64__pzs8sxrjxfjjc\\app\\claude.exe',
      },
    ],
  ] as const)('publisher %s', (publisher, rest) => {
    const match = `{ publisher: '${publisher}' }`;
    expect(matches(match, { component: rest })).toBe(true);
    expect(matches(`{ publisher: '${publisher.slice(0, -1)}' }`, { component: rest })).toBe(false);
    expect(matches(match, { component: { publisher: null } })).toBe(false);
  });

  test('a publisher is no other part of a subject', () => {
    const signed = { component: { publisher: 'CN=Someone, OU=Anthropic PBC, L=Anthropic PBC' } };
    expect(matches('{ publisher: Anthropic PBC }', signed)).toBe(false);
    expect(matches('{ publisher: Someone }', signed)).toBe(true);
  });

  describe('provider: whose models a tool talks to', () => {
    const at = (tool: string, gateway?: string | null) => ({
      component: { tool, ...(gateway === undefined ? {} : { gateway }) },
    });
    const deepseek = '{ provider: deepseek }';

    test('the host of a provider that is known decides alone', () => {
      expect(matches(deepseek, at('claude-code', 'api.deepseek.com'))).toBe(true);
      expect(matches('{ provider: anthropic }', at('claude-code', 'api.deepseek.com'))).toBe(false);
      expect(matches('{ provider: anthropic }', at('claude-code', 'api.anthropic.com'))).toBe(true);
      expect(matches('{ provider: openai }', at('opencode', 'api.anthropic.com'))).toBe(false);
    });

    test('a relay, no setting and one that is not known leave what the catalogue says', () => {
      for (const gateway of ['openrouter.ai', 'localhost', null, undefined]) {
        expect(matches('{ provider: anthropic }', at('claude-code', gateway))).toBe(true);
        expect(matches(deepseek, at('claude-code', gateway))).toBe(false);
      }
    });

    test('a model is banned in every program, and the programs stay', () => {
      const policy = withRules(deny('model', deepseek), 'allow');
      const status = (gateway: string | null): string =>
        judge(policy, at('claude-code', gateway)).verdict.status;
      expect([status('api.deepseek.com'), status(null)]).toEqual(['violation', 'allowed']);
    });
  });

  describe('a gateway that cannot be told is unknown', () => {
    const policy = withRules(
      deny('relay', '{ tool: claude-code, gateway: third-party }') + deny('rest', '{ kind: ide }'),
      'allow',
    );

    test('the rule ends in unknown, and nothing is asked for', () => {
      const { verdict, trace } = judge(policy);
      expect(verdict).toMatchObject({ status: 'unknown', rule: 'relay', effectiveAction: null });
      expect(trace.at(-1)?.why).toBe(
        'all else holds, but its gateway is not known, and may be third-party',
      );
    });

    test('not where another field is unmet, where none is set, or where the rule is decided', () => {
      const status = (rest: object): string => judge(policy, { component: rest }).verdict.status;
      expect(status({ tool: 'qoder' })).toBe('violation');
      expect(status({ gateway: null })).toBe('allowed');
      expect(status({ gateway: 'api.anthropic.com' })).toBe('allowed');
      expect(status({ gateway: 'openrouter.ai' })).toBe('violation');
    });

    test('what no entry of the catalogue claims is asked only by a rule that names it', () => {
      const unlisted = { component: { tool: null, name: 'left-pad' } };
      const by = (match: string): string =>
        judge(withRules(deny('it', match), 'allow'), unlisted).verdict.status;
      expect(by('{ gateway: third-party }')).toBe('allowed');
      expect(by('{ package: { npm: left-pad }, gateway: third-party }')).toBe('unknown');
    });

    test('a tool that talks to no model has none', () => {
      const tool = (gateway: string): string =>
        judge(withRules(deny('it', `{ tool: bridge, gateway: ${gateway} }`), 'allow'), {
          component: { tool: 'bridge' },
        }).verdict.status;
      expect([tool('none'), tool('third-party')]).toEqual(['violation', 'allowed']);
    });
  });

  test('a gateway is the vendor, a third party, a host or none', () => {
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
