/**
 * Tools that nothing names, seen the day they appear: which packages and extensions are candidates and
 * why, and which never are: libraries, dependencies, people's own projects, what a rule or the catalogue
 * names.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  extensionSigns,
  hasConsoleScript,
  npmSigns,
  pypiSigns,
  requirementsOf,
} from '../../agent/detect/candidates.js';
import { homesWorld } from '../../agent/detect/world.js';
import { scanWorld, uniteTwo } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { link, place } from '../worlds/native.js';
import * as editors from '../worlds/editors.js';
import * as npm from '../worlds/npm.js';
import * as pip from '../worlds/python.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-candidates-')));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

interface Row {
  readonly name: string;
  readonly candidate: readonly string[] | undefined;
  readonly confidence: string;
  readonly evidence: readonly string[];
}

/** Whatever is found that no entry of the catalogue claims. */
function unclaimed(named?: ReadonlyMap<string, ReadonlySet<string>>): Row[] {
  const world = homesWorld([home], { catalogue, platform: 'linux' });
  const result = scanWorld(named === undefined ? world : { ...world, named });
  expect(result.status).toBe('complete');
  return result.components
    .filter(({ tool }) => tool === null)
    .map(({ name, candidate, confidence, evidence }) => ({
      name,
      candidate,
      confidence,
      evidence,
    }));
}
const names = (): string[] => unclaimed().map(({ name }) => name);

const globals = (): string => path.join(home, '.npm-global/lib/node_modules');
function npmPackage(name: string, fields: object, folder = name): void {
  const manifest = { name, version: '0.1.0', ...fields };
  place(globals(), `${folder}/package.json`, JSON.stringify(manifest));
}
const bin = { bin: { run: 'cli.js' } };
const sdk = { dependencies: { openai: '^5.0.0' } };

/** A wheel that requires packages, with the file that pip leaves when a person asked for it. */
function wheel(site: string, name: string, requires: readonly string[], isRequested = true): void {
  const record = pip.wheelInto(site, { name, version: '1.0.0', command: name });
  const header = ['Metadata-Version: 2.4', `Name: ${name}`, 'Version: 1.0.0'];
  const lines = [...header, ...requires.map((one) => `Requires-Dist: ${one}`), '', 'About it.'];
  place(record, 'METADATA', lines.join('\n'));
  if (isRequested) place(record, 'REQUESTED', '');
}

describe('a global package of npm with a command of its own', () => {
  test.each([
    ['depends on a model SDK', sdk, 'depends-on-model-sdk', 'low', 'openai'],
    [
      'needs one from its host',
      { peerDependencies: { '@anthropic-ai/sdk': '*' } },
      'depends-on-model-sdk',
      'low',
      '@anthropic-ai/sdk',
    ],
    [
      'is made of a family of them',
      { dependencies: { '@ai-sdk/openai': '1' } },
      'depends-on-model-sdk',
      'low',
      '@ai-sdk',
    ],
    [
      'depends on one under another name',
      { dependencies: { model: 'npm:@mistralai/mistralai@1' } },
      'depends-on-model-sdk',
      'low',
      '@mistralai/mistralai',
    ],
    [
      'declares MCP',
      { dependencies: { '@modelcontextprotocol/sdk': '1' } },
      'declares-mcp',
      'low',
      '@modelcontextprotocol/sdk',
    ],
    [
      'speaks ACP',
      { dependencies: { '@agentclientprotocol/sdk': '0.4' } },
      'speaks-acp',
      'medium',
      '@agentclientprotocol/sdk',
    ],
  ])('is a candidate that %s', (_words, fields, reason, confidence, evidence) => {
    npmPackage('brand-new-agent', { ...bin, ...fields });
    expect(unclaimed()).toEqual([
      {
        name: 'brand-new-agent',
        candidate: [reason],
        confidence,
        evidence: [evidence, 'package.json'].sort(),
      },
    ]);
  });

  test('is one in a scope that the catalogue has never heard of, with all its reasons', () => {
    const dependencies = {
      '@anthropic-ai/claude-agent-sdk': '1',
      '@modelcontextprotocol/sdk': '1',
    };
    npmPackage('@acme-labs/agent', { bin: 'cli.js', dependencies });
    expect(unclaimed()).toMatchObject([
      {
        name: '@acme-labs/agent',
        candidate: ['declares-mcp', 'depends-on-model-sdk'],
        confidence: 'medium',
      },
    ]);
  });

  test('is one in the global folders of other managers, if it was asked for', () => {
    for (const folder of [
      '.bun/install/global',
      '.config/yarn/global',
      '.local/share/pnpm/global/5',
    ]) {
      const modules = path.join(home, folder, 'node_modules');
      for (const name of ['asked-for', 'brought-along']) {
        place(
          modules,
          `${name}/package.json`,
          JSON.stringify({ name, version: '1.0.0', ...bin, ...sdk }),
        );
      }
      place(home, `${folder}/package.json`, JSON.stringify({ dependencies: { 'asked-for': '1' } }));
    }
    expect(names()).toEqual(['asked-for', 'asked-for', 'asked-for']);
  });
});

describe('is no candidate', () => {
  test.each<[string, string, object]>([
    ['a library without a command', 'lib', sdk],
    ['an SDK that has a command itself', 'openai', { ...bin, dependencies: { '@ai-sdk/x': '1' } }],
    ['what is only built with an SDK', 'tool', { ...bin, devDependencies: { openai: '5' } }],
    [
      'a name that only resembles an SDK',
      'tool',
      { ...bin, dependencies: { 'openai-x': '5', aix: '1' } },
    ],
    [
      'another package under an SDK’s name',
      'tool',
      { ...bin, dependencies: { openai: 'npm:left-pad@1' } },
    ],
    ['a command that is empty', 'tool', { bin: {}, ...sdk }],
    ['a manifest of odd shapes', 'tool', { bin: [1], dependencies: ['openai'] }],
  ])('%s', (_words, name, fields) => {
    npmPackage(name, fields);
    expect(names()).toEqual([]);
  });

  test('a look-alike of a denied tool (C056)', () => {
    for (const name of [
      'claude-code-router',
      'oh-my-claudecode',
      'codex',
      'opencode',
      'gemini-cli',
    ]) {
      npmPackage(name, bin);
    }
    npmPackage('@anthropic-ai-tools/claude-code', bin);
    expect(names()).toEqual([]);
  });

  test('a dependency of another global, nor a project’s', () => {
    npmPackage('plain', bin);
    npmPackage('nested-agent', { ...bin, ...sdk }, 'plain/node_modules/nested-agent');
    const manifest = JSON.stringify({ name: 'mine', version: '1.0.0', ...bin, ...sdk });
    place(home, 'code/shop/node_modules/mine/package.json', manifest);
    place(home, 'code/shop/package.json', manifest);
    link(globals(), 'mine', '../../../code/shop');
    expect(names()).toEqual([]);
  });

  test('what run-once commands keep', () => {
    const folder = '.npm/_npx/0123456789abcdef';
    const manifest = { name: 'once', version: '1.0.0', ...bin, ...sdk };
    place(home, `${folder}/package.json`, JSON.stringify({ dependencies: { once: '1' } }));
    place(home, `${folder}/node_modules/once/package.json`, JSON.stringify(manifest));
    expect(names()).toEqual([]);
  });

  test('what the catalogue has, by name or as a part', () => {
    npmPackage('@openai/codex', { ...bin, ...sdk });
    npmPackage('@anthropic-ai/claude-agent-sdk-linux-x64', { ...bin, ...sdk });
    expect(names()).toEqual([]);
  });

  test('what a rule names: that is what the rule says it is', () => {
    npmPackage('brand-new-agent', { ...bin, ...sdk });
    const [row] = unclaimed(new Map([['npm', new Set(['brand-new-agent'])]]));
    expect(row).toMatchObject({ name: 'brand-new-agent', confidence: 'high' });
    expect(row?.candidate).toBeUndefined();
  });

  test('another package’s broken manifest, which makes no root partial either', () => {
    place(
      globals(),
      'torn/package.json',
      '{ "name": "torn", "bin": "x", "dependencies": { "openai"',
    );
    npmPackage('whole', { ...bin, ...sdk });
    expect(names()).toEqual(['whole']);
  });
});

describe('a Python package with a command', () => {
  const site = (): string => path.join(home, '.local/lib/python3.12/site-packages');

  test('is a candidate in its own environment, and not what it depends on', () => {
    const at = pip.pipx(home, { name: 'newagent', version: '1.0.0', command: 'newagent' });
    const own = path.join(at, 'lib/python3.12/site-packages');
    wheel(own, 'newagent', ['anthropic>=0.40', 'rich']);
    wheel(own, 'helper-agent', ['openai']);
    expect(unclaimed()).toEqual([
      {
        name: 'newagent',
        candidate: ['depends-on-model-sdk'],
        confidence: 'low',
        evidence: ['METADATA', 'anthropic', 'pipx_metadata.json'],
      },
    ]);
    const uv = pip.uvTool(home, { name: 'acp-agent', version: '1.0.0', command: 'acp-agent' });
    const requires = ['mcp[cli] (>=1.2)', 'Agent.Client_Protocol ~= 0.4 ; python_version > "3.8"'];
    wheel(path.join(uv, 'lib/python3.12/site-packages'), 'acp-agent', requires);
    expect(unclaimed().find(({ name }) => name === 'acp-agent')).toMatchObject({
      candidate: ['declares-mcp', 'speaks-acp'],
      confidence: 'medium',
      evidence: ['METADATA', 'agent-client-protocol', 'mcp', 'uv-receipt.toml'],
    });
  });

  test('is one among a person’s own packages if the person asked for it', () => {
    wheel(site(), 'asked', ['litellm']);
    wheel(site(), 'brought', ['litellm'], false);
    wheel(path.join(home, '.pyenv/versions/3.12.6/lib/python3.12/site-packages'), 'py', ['ollama']);
    expect(names().sort()).toEqual(['asked', 'py']);
  });

  test('is none with an SDK for an extra alone, without a command, or in a project', () => {
    wheel(site(), 'extra', ['openai; extra == "ai"', "anthropic ; 'all' in extra"]);
    wheel(site(), 'plain', ['openai-whisper-like', 'requests']);
    const silent = pip.wheelInto(site(), { name: 'silent', version: '1.0.0' });
    place(silent, 'METADATA', 'Name: silent\nVersion: 1.0.0\nRequires-Dist: openai\n\n');
    place(silent, 'REQUESTED', '');
    place(silent, 'entry_points.txt', '[pytest11]\nsilent = silent.plugin\n');
    wheel(path.join(home, 'code/shop/.venv/lib/python3.12/site-packages'), 'mine', ['openai']);
    expect(names()).toEqual([]);
  });
});

describe('an editor extension', () => {
  const folder = (): string => path.join(home, '.vscode/extensions');
  function installed(fields: object, id = 'acme.helper'): void {
    editors.installed(folder(), { id, version: '1.0.0' });
    const [publisher, name] = id.split('.');
    const manifest = { publisher, name, version: '1.0.0', ...fields };
    place(folder(), `${id}-1.0.0/package.json`, JSON.stringify(manifest));
  }

  test.each([
    ['a chat participant', { contributes: { chatParticipants: [{ id: 'x' }] } }, 'declares-chat'],
    [
      'a chat model',
      { contributes: { languageModelChatProviders: { vendor: 'x' } } },
      'declares-chat',
    ],
    [
      'MCP servers',
      { contributes: { mcpServerDefinitionProviders: [{ id: 'x' }] } },
      'declares-mcp',
    ],
    ['the category AI', { categories: ['Other', 'AI'] }, 'declares-chat'],
    ['the category Chat', { categories: ['Chat'] }, 'declares-chat'],
  ])('that declares %s is a candidate', (_words, fields, reason) => {
    installed(fields);
    expect(unclaimed()).toMatchObject([
      { name: 'acme.helper', candidate: [reason], confidence: 'low' },
    ]);
  });

  test('that declares none of it, or nothing in it, is none', () => {
    installed({
      displayName: 'AI',
      categories: ['Programming Languages', 'Machine Learning'],
      contributes: { chatParticipants: [], languageModelTools: [{ name: 'environment' }] },
    });
    expect(names()).toEqual([]);
  });

  test('that the editor does not load is none', () => {
    installed({ categories: ['AI'] });
    editors.markObsolete(folder(), 'acme.helper-1.0.0');
    expect(names()).toEqual([]);
  });

  test('of the catalogue stays what it is', () => {
    installed({ categories: ['AI', 'Chat'] }, 'github.copilot');
    expect(names()).toEqual([]);
  });
});

describe('signs', () => {
  test('are found in nothing that is not a manifest', () => {
    for (const odd of [
      null,
      undefined,
      1,
      'openai',
      [],
      { contributes: 1, bin: 1 },
      { categories: {} },
    ]) {
      expect(npmSigns(odd, catalogue)).toBeNull();
      expect(extensionSigns(odd)).toBeNull();
    }
    expect(pypiSigns('x', '', catalogue)).toBeNull();
    expect(
      extensionSigns(JSON.parse('{"contributes":{"__proto__":[1],"constructor":[1]}}')),
    ).toBeNull();
  });

  test('of a header end where the header does', () => {
    const text =
      'Name: x\nrequires-dist: OpenAI==1\r\nRequires-Dist:\n\nRequires-Dist: anthropic\n';
    expect(requirementsOf(text)).toEqual(['openai']);
  });

  test('of a command are in their own section', () => {
    expect(hasConsoleScript('[console_scripts]\r\nx = x:main\r\n')).toBe(true);
    expect(hasConsoleScript('[gui_scripts]\nx = x:main\n[console_scripts]\n; none\n')).toBe(false);
    expect(hasConsoleScript('')).toBe(false);
  });

  test('of one record go when another record knows the tool', () => {
    const known: Component = {
      ...{ id: '0'.repeat(32), tool: null, channel: 'npm', manager: 'npm', purl: null, name: 'x' },
      ...{ version: '1.0.0', path: '/x', owner: null, scope: 'global', state: 'installed' },
      ...{ confidence: 'low', evidence: ['openai'], candidate: ['depends-on-model-sdk'] },
    };
    const { candidate, ...sure } = known;
    expect(uniteTwo(known, { ...sure, tool: 'qoder' })).not.toHaveProperty('candidate');
    expect(uniteTwo({ ...sure, confidence: 'medium' }, known).candidate).toEqual(candidate);
  });
});
