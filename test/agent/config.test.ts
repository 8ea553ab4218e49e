/** What a home's settings and leftovers say: model gateways of installs, and traces of tools that are gone. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { config } from '../../agent/detect/config.js';
import { npmDetector } from '../../agent/detect/npm.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { relate, rootStates } from '../../agent/related.js';
import { runScan } from '../../agent/scan-command.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import * as made from '../worlds/config.js';
import { place } from '../worlds/native.js';
import { claudeCode, codex, npmGlobal } from '../worlds/npm.js';
import { runs } from '../runs.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-config-')));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

/** Everything in the world as a scan shows it, with npm installs beside what this channel finds. */
function shown(world = homesWorld([home], { catalogue, platform: 'linux' })): readonly Component[] {
  const { components, readings } = scanWorld(world, { detectors: [npmDetector, config] });
  return relate(components, { catalogue, roots: rootStates(readings) });
}

/** The gateway of each install, by tool. */
function gateways(world?: ReturnType<typeof homesWorld>): Record<string, unknown> {
  return Object.fromEntries(shown(world).map(({ tool, gateway }) => [tool, gateway]));
}

function install(at = home): void {
  npmGlobal(path.join(at, '.npm-global'), claudeCode('2.1.120'), codex('0.48.0'));
}

describe('the gateway of a tool', () => {
  beforeEach(() => install());

  test('is none when every place of one was read and none is set', () => {
    expect(gateways()).toEqual({ 'claude-code': null, 'codex-cli': null });
  });

  test("is the host in the tool's own settings, before that of a start file", () => {
    made.startFile(home, '.zshrc', 'export ANTHROPIC_BASE_URL=https://shell.example.test');
    made.claudeSettings(home, {
      ANTHROPIC_BASE_URL: 'https://llm.example.test:8443/v1?key=CANARY',
    });
    expect(gateways()).toEqual({ 'claude-code': 'llm.example.test', 'codex-cli': null });
  });

  test.each([
    ['.zshrc', 'export ANTHROPIC_BASE_URL="https://ana:CANARY@llm.example.test/v1"'],
    ['.bashrc', '  ANTHROPIC_BASE_URL=https://llm.example.test CANARY=1 # mine'],
    ['.profile', 'export A=1; export ANTHROPIC_BASE_URL=https://llm.example.test'],
    ['.config/fish/config.fish', 'set -gx ANTHROPIC_BASE_URL https://llm.example.test'],
  ])('is read from %s: %s', (file, line) => {
    made.startFile(home, file, line);
    expect(gateways()['claude-code']).toBe('llm.example.test');
  });

  test("is a third party's where start files differ, whichever shell it is of", () => {
    made.startFile(home, '.bashrc', 'export ANTHROPIC_BASE_URL=https://llm.example.test');
    made.startFile(home, '.zshrc', 'export ANTHROPIC_BASE_URL=https://api.anthropic.com');
    expect(gateways()['claude-code']).toBe('llm.example.test');
  });

  test('a comment sets nothing', () => {
    made.startFile(home, '.zshrc', '# export ANTHROPIC_BASE_URL=https://llm.example.test');
    expect(gateways()['claude-code']).toBeNull();
  });

  test('a value that only a shell could tell is not known, which is not none', () => {
    made.startFile(home, '.zshrc', 'export ANTHROPIC_BASE_URL="$(pass show llm)"');
    expect(gateways()['claude-code']).toBeUndefined();
  });

  test('settings that cannot be read leave it not known', () => {
    place(home, '.claude/settings.json', '{"env": {');
    expect(gateways()['claude-code']).toBeUndefined();
  });

  test('Codex: the chosen provider counts, one that is only described does not', () => {
    made.codexProvider(home, 'https://proxy.example.test/v1?key=CANARY');
    expect(gateways()['codex-cli']).toBe('proxy.example.test');
    made.codexProvider(home, 'https://proxy.example.test/v1', false);
    expect(gateways()['codex-cli']).toBeNull();
  });

  test('a settings folder that a start file moves is followed', () => {
    made.startFile(home, '.zshenv', 'export CLAUDE_CONFIG_DIR="$HOME/.claude-work"');
    made.claudeSettings(home, { ANTHROPIC_BASE_URL: 'http://127.0.0.1:3456' }, '.claude-work');
    expect(gateways()['claude-code']).toBe('127.0.0.1');
  });

  test("is read from the editor's settings of the extension too", () => {
    const list = [{ name: 'ANTHROPIC_BASE_URL', value: 'https://llm.example.test' }];
    const text = JSON.stringify({ 'claudeCode.environmentVariables': list });
    place(home, '.config/Code/User/settings.json', text);
    expect(gateways()['claude-code']).toBe('llm.example.test');
  });

  test("is nobody else's; the machine's counts for who has none, a managed one for all", () => {
    const ben = path.join(top, 'home/ben');
    install(ben);
    made.claudeSettings(ben, { ANTHROPIC_BASE_URL: 'https://llm.example.test' });
    const world = folderWorld(top, 'linux', { catalogue });
    const own = (owner: string): unknown =>
      shown(folderWorld(top, 'linux', { catalogue })).find(
        (one) => one.owner === owner && one.tool === 'claude-code',
      )?.gateway;
    expect(world.homes.map(({ account }) => account)).toEqual(['ana', 'ben']);
    expect([own('ana'), own('ben')]).toEqual([null, 'llm.example.test']);
    place(top, 'etc/profile.d/llm.sh', 'export ANTHROPIC_BASE_URL=https://all.example.test\n');
    expect([own('ana'), own('ben')]).toEqual(['all.example.test', 'llm.example.test']);
    const env = { ANTHROPIC_BASE_URL: 'https://gateway.company.test' };
    place(top, 'etc/claude-code/managed-settings.json', JSON.stringify({ env }));
    expect([own('ana'), own('ben')]).toEqual(['gateway.company.test', 'gateway.company.test']);
  });

  test("a program of the machine has the third party's host of whoever uses one", () => {
    npmGlobal(path.join(top, 'usr/local'), claudeCode('2.1.120'));
    made.claudeSettings(home, { ANTHROPIC_BASE_URL: 'https://llm.example.test' });
    const all = shown(folderWorld(top, 'linux', { catalogue }));
    expect(all.find(({ owner }) => owner === null)?.gateway).toBe('llm.example.test');
  });

  test('a rule on third-party gateways reaches a scan by hand', async () => {
    const file = place(
      top,
      'policy.yaml',
      [
        'policy: gateways',
        'title: Gateways',
        'timezone: utc',
        'default: { decision: allow }',
        'rules:',
        '  - id: third-party',
        '    match: { tool: claude-code, gateway: third-party }',
        '    decision: deny',
        '    severity: high',
        '    effective: 2026-07-10',
        '    before: notify',
        '    after: block',
        '    reason: { en: Not our gateway. }',
      ].join('\n'),
    );
    const exitCode = async (): Promise<[number, string]> => {
      let out = '';
      const io = { stdout: (text: string) => (out += text), stderr: () => {} };
      const argv = ['--home', home, '--policy', file, '--at', '2026-07-15T00:00:00Z', '--json'];
      return [await runScan(argv, io), out];
    };
    expect((await exitCode())[0]).toBe(0);
    made.claudeSettings(home, { ANTHROPIC_BASE_URL: 'https://llm.example.test' });
    const [code, out] = await exitCode();
    expect(code).toBe(1);
    expect(out).toContain('"gateway":"llm.example.test"');
  });

  test('no key, user, path or query of any setting is in what is found', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9/+=._-]{0,12}$/).map((salt) => `CANARY${salt}`);
    fc.assert(
      fc.property(secret, secret, secret, (user, query, key) => {
        const word = encodeURIComponent(user);
        const address = `https://${word}:${word}@llm.example.test/${query}?k=${query}#${query}`;
        made.claudeSettings(home, { ANTHROPIC_BASE_URL: address, ANTHROPIC_AUTH_TOKEN: key });
        made.codexProvider(home, address);
        made.startFile(
          home,
          '.zshrc',
          `export ANTHROPIC_BASE_URL='${address}' ANTHROPIC_API_KEY=${key}`,
          `alias c='ANTHROPIC_API_KEY=${key} claude --resume ${key}'`,
          `alias d='claude --api-key ${key}'`,
        );
        const world = homesWorld([home], { catalogue, platform: 'linux' });
        const { components } = scanWorld(world, { detectors: [npmDetector, config] });
        const gateway = components.filter((one) => one.gateway === 'llm.example.test');
        expect(gateway.map(({ tool }) => tool)).toEqual(['claude-code', 'codex-cli']);
        expect(JSON.stringify(components).toLowerCase()).not.toContain('canary');
      }),
      runs(30),
    );
  });
});

describe('traces', () => {
  const traces = (): unknown[] =>
    shown()
      .filter(({ channel }) => channel === 'config')
      .map(({ tool, name, state, confidence }) => [tool, name, state, confidence]);

  test('a state folder without a program is a trace, an empty one is none', () => {
    place(home, '.factory/AGENTS.md', '# notes');
    fs.mkdirSync(path.join(home, '.openclaw'));
    expect(traces()).toEqual([['factory-droid', 'factory-droid', 'residual', 'low']]);
  });

  test('several folders of one tool are one trace, and nothing in them is opened', () => {
    place(home, '.openclaw/openclaw.json', '{"token": "CANARY"}');
    place(home, '.clawdbot/old.json', 'CANARY');
    const [trace, ...rest] = shown();
    expect(rest).toEqual([]);
    expect(trace?.evidence).toEqual(['state folder', '~/.clawdbot', '~/.openclaw']);
  });

  test('an install explains its own folder and one that its tool shares', () => {
    made.claudeSettings(home, {});
    place(home, '.codex/auth.json', '{}');
    expect(traces()).toEqual([
      ['claude-code', 'claude-code', 'residual', 'low'],
      ['codex-cli', 'codex-cli', 'residual', 'low'],
    ]);
    npmGlobal(path.join(home, '.npm-global'), codex('0.48.0'));
    expect(traces()).toEqual([['claude-code', 'claude-code', 'residual', 'low']]);
    npmGlobal(path.join(home, '.npm-global'), claudeCode('2.1.120'));
    expect(traces()).toEqual([]);
  });

  test('an alias of a command tells its name and the tool', () => {
    made.startFile(
      home,
      '.bashrc',
      "alias cc='~/.claude/local/claude --api-key CANARY'",
      'alias ll="ls -l"',
      'alias -g x=claude-wrapper',
    );
    made.startFile(home, '.config/fish/config.fish', 'alias q codex');
    expect(traces()).toEqual([
      ['claude-code', 'cc', 'residual', 'low'],
      ['codex-cli', 'q', 'residual', 'low'],
    ]);
  });

  test("a setting alone is no trace: a variable may be another program's", () => {
    made.startFile(home, '.zshrc', 'export OPENAI_BASE_URL=https://llm.example.test');
    expect(shown()).toEqual([]);
  });
});
