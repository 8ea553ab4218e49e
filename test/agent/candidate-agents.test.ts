/**
 * Brand-new agents beside software that resembles them, as a person's machine has both: which are seen
 * as candidates and which never are. Sources of look-alikes: the manifests of well-known packages.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import * as homebrew from '../worlds/homebrew.js';
import * as native from '../worlds/native.js';
import * as pip from '../worlds/python.js';

const catalogue = builtInCatalogue();
let root: string;

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-new-agents-')));
  fs.mkdirSync(path.join(root, 'home/ana'), { recursive: true });
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function candidates(): readonly Component[] {
  const result = scanWorld(folderWorld(root, 'linux', { catalogue }));
  expect(result.status).toBe('complete');
  return result.components.filter(({ candidate }) => candidate !== undefined);
}
const rows = (): unknown[] =>
  candidates().map(({ channel, name, candidate }) => [channel, name, ...(candidate ?? [])]);

function npmGlobal(name: string, fields: object): void {
  const at = `home/ana/.npm-global/lib/node_modules/${name}/package.json`;
  native.place(root, at, JSON.stringify({ name, version: '1.0.0', ...fields }));
}
const bin = { bin: { run: 'cli.js' } };

describe('a package of npm', () => {
  test.each([
    '@anthropic-ai/sdk',
    'openai',
    '@google/genai',
    '@ai-sdk/anthropic',
    '@openrouter/sdk',
    '@github/copilot-sdk',
    '@mastra/core',
    '@anthropic-ai/claude-agent-sdk',
  ])('with a command that cannot do without %s is a candidate', (dependency) => {
    npmGlobal('new-agent', { ...bin, dependencies: { [dependency]: '1', chalk: '5' } });
    expect(rows()).toEqual([['npm', 'new-agent', 'depends-on-model-sdk']]);
  });

  test.each<[string, object]>([
    ['a library without a command', { dependencies: { openai: '4' } }],
    [
      'a framework with an optional peer',
      {
        ...bin,
        peerDependencies: { openai: '4' },
        peerDependenciesMeta: { openai: { optional: true } },
      },
    ],
    [
      'a framework with an optional part',
      { ...bin, dependencies: { express: '5' }, optionalDependencies: { openai: '4' } },
    ],
    [
      'the same, as npm writes it into a published manifest',
      { ...bin, dependencies: { openai: '4' }, optionalDependencies: { openai: '4' } },
    ],
    [
      'a tool that is tested with one',
      { ...bin, devDependencies: { openai: '4', '@anthropic-ai/sdk': '1' } },
    ],
    ['a tool that bundles one for its own tests', { ...bin, bundledDependencies: ['openai'] }],
    ['a compiler', { bin: { tsc: 'bin/tsc' } }],
    [
      'a client for schemas',
      { ...bin, dependencies: { 'openapi-fetch': '1', 'openai-like': '1' } },
    ],
    ['words alone', { ...bin, keywords: ['ai', 'agent', 'llm'], description: 'An AI agent' }],
    ['an empty command', { bin: {}, dependencies: { openai: '4' } }],
  ])('that is %s is none', (_, fields) => {
    npmGlobal('look-alike', fields);
    expect(rows()).toEqual([]);
  });

  test.each(['ai', '@ai-sdk/codemod', '@langchain/cli', 'langchain', 'openai'])(
    'that is an SDK with a command of its own is none: %s',
    (name) => {
      npmGlobal(name, { ...bin, dependencies: { '@ai-sdk/provider': '1' } });
      expect(rows()).toEqual([]);
    },
  );
});

describe('a package of Python that a person asked for', () => {
  const site = (): string => path.join(root, 'home/ana/.local/lib/python3.12/site-packages');
  function wheel(name: string, requires: readonly string[], command?: string): void {
    const more = command === undefined ? {} : { command };
    const record = pip.wheelInto(site(), { name, version: '1.0.0', ...more });
    const lines = requires.map((each) => `Requires-Dist: ${each}\n`).join('');
    const header = `Metadata-Version: 2.4\nName: ${name}\nVersion: 1.0.0\n${lines}\n`;
    fs.writeFileSync(path.join(record, 'METADATA'), header);
    fs.writeFileSync(path.join(record, 'REQUESTED'), '');
  }

  test.each([
    'anthropic>=0.40',
    'openai (>=1.0)',
    'litellm==1.80',
    'langchain-openai',
    'dspy',
    'strands-agents[anthropic]',
  ])('with a command that requires %s is a candidate', (requirement) => {
    wheel('new-agent', [requirement, 'rich'], 'new-agent');
    expect(rows()).toEqual([['pypi', 'new-agent', 'depends-on-model-sdk']]);
  });

  test('that is a library, has it for an extra, or is an SDK itself is none', () => {
    wheel('library', ['openai']);
    wheel('framework', ["openai; extra == 'ai'", 'flask'], 'framework');
    wheel('langchain-cli', ['langchain'], 'langchain');
    wheel('openai-whisper', ['torch'], 'whisper');
    expect(rows()).toEqual([]);
  });
});

describe('a formula of Homebrew that nobody names', () => {
  const prefix = (): string => path.join(root, 'home/linuxbrew/.linuxbrew');
  const formula = (name: string): string => homebrew.formula(prefix(), { name, version: '1.2.0' });

  test('made of a package that depends on a model SDK is a candidate', () => {
    const node = formula('new-agent');
    const manifest = { name: 'new-agent', version: '1.2.0', ...bin, dependencies: { openai: '4' } };
    native.place(node, 'libexec/lib/node_modules/new-agent/package.json', JSON.stringify(manifest));
    const python = formula('py-agent');
    const site = path.join(python, 'libexec/lib/python3.13/site-packages');
    const record = pip.wheelInto(site, { name: 'Py_Agent', version: '1.2.0', command: 'py-agent' });
    fs.writeFileSync(
      path.join(record, 'METADATA'),
      'Metadata-Version: 2.4\nName: py-agent\nVersion: 1.2.0\nRequires-Dist: anthropic\n\n',
    );
    pip.wheelInto(site, { name: 'openai', version: '1.0.0', command: 'openai' });
    expect(candidates()).toMatchObject([
      {
        channel: 'homebrew',
        name: 'new-agent',
        version: '1.2.0',
        tool: null,
        state: 'installed',
        purl: 'pkg:brew/new-agent@1.2.0',
      },
      { channel: 'homebrew', name: 'py-agent', candidate: ['depends-on-model-sdk'] },
    ]);
  });

  test("made of a catalogued tool's package is that tool (C036)", () => {
    const keg = formula('team-claude');
    const manifest = {
      name: '@anthropic-ai/claude-code',
      version: '2.1.120',
      bin: { claude: 'cli.js' },
    };
    native.place(
      keg,
      'libexec/lib/node_modules/@anthropic-ai/claude-code/package.json',
      JSON.stringify(manifest),
    );
    const { components } = scanWorld(folderWorld(root, 'linux', { catalogue }));
    expect(components.filter(({ tool }) => tool === 'claude-code')).toMatchObject([
      { channel: 'homebrew', name: 'team-claude', version: '1.2.0', confidence: 'medium' },
    ]);
  });

  test('made of other software, or with an SDK only among what it depends on, is none', () => {
    const keg = formula('prettier');
    native.place(
      keg,
      'libexec/lib/node_modules/prettier/package.json',
      '{"name":"prettier","bin":"x"}',
    );
    const python = formula('py-tool');
    const site = path.join(python, 'libexec/lib/python3.13/site-packages');
    pip.wheelInto(site, { name: 'py-tool', version: '1.2.0', command: 'py-tool' });
    pip.wheelInto(site, { name: 'openai', version: '1.0.0', command: 'openai' });
    expect(rows()).toEqual([]);
  });
});

describe('an agent that an editor is told to start', () => {
  const settings = (servers: object): string =>
    `// mine\n${JSON.stringify({ theme: 'x', agent_servers: servers })}`;

  test.each([
    [
      '.config/zed/settings.json',
      {
        Mine: { command: '/home/ana/agents/mine', args: ['--key', 'CANARY'], env: { K: 'CANARY' } },
      },
    ],
    ['.config/zed/settings.json', { Mine: { type: 'custom', command: '~/agents/mine' } }],
    ['.jetbrains/acp.json', { Mine: { command: 'mine', args: ['acp'] } }],
  ])('speaks ACP and is a candidate: %s', (file, servers) => {
    native.place(root, `home/ana/${file}`, settings(servers));
    native.program(root, 'home/ana/agents/mine');
    native.link(root, 'home/ana/.local/bin/mine', '../../agents/mine');
    expect(candidates()).toMatchObject([
      {
        channel: 'executable',
        name: 'mine',
        tool: null,
        owner: 'ana',
        path: '/home/ana/agents/mine',
        candidate: ['speaks-acp'],
      },
    ]);
    expect(JSON.stringify(candidates())).not.toContain('CANARY');
  });

  test('is none where the catalogue knows it, it is not there, or it is a runtime', () => {
    const servers = {
      a: { command: 'gemini', args: ['--experimental-acp'] },
      b: { command: '/home/ana/gone' },
      c: { command: 'node', args: ['/home/ana/x.js'] },
      d: { command: 'npx', args: ['-y', 'x'] },
      e: { command: 7 },
      f: null,
      g: { command: '/home/ben/agents/mine' },
    };
    native.place(root, 'home/ana/.config/zed/settings.json', settings(servers));
    native.program(root, 'home/ana/.local/bin/gemini');
    native.program(root, 'home/ben/agents/mine');
    expect(rows()).toEqual([]);
  });
});

test('an agent that Zed fetched is known by its folder, and one that nobody knows is a candidate', () => {
  const at = 'home/ana/.local/share/zed/external_agents';
  native.program(root, `${at}/registry/codex-acp/v_0.9.4_0abc/codex-acp`);
  native.program(root, `${at}/registry/new-agent/v_1.0.0_0abc/bin/new-agent`);
  native.place(root, `${at}/registry/registry.json`, '{}');
  const { components } = scanWorld(folderWorld(root, 'linux', { catalogue }));
  const found = components.filter(({ manager }) => manager === 'zed');
  expect(found).toMatchObject([
    { tool: 'acp-adapters', name: 'codex-acp', version: '0.9.4', state: 'bundled' },
    { tool: null, name: 'new-agent', version: '1.0.0', candidate: ['speaks-acp'], owner: 'ana' },
  ]);
});
