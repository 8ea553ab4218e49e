/**
 * What a running tool is known by: the file it came from. Nothing of a command line but that one path
 * is kept.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import type { Problem, ProcessEntry } from '../../agent/detect/index.js';
import { processes } from '../../agent/detect/processes.js';
import { folderWorld } from '../../agent/detect/world.js';
import * as native from '../worlds/native.js';

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-processes-'));
  fs.mkdirSync(path.join(root, 'home/ana'), { recursive: true });
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const nothing = { uid: null, account: null, comm: null, exe: null, cwd: null, argv: null };

interface Look {
  readonly components: readonly Component[];
  readonly problems: readonly Problem[];
}

/** The machine with two people, and these processes running on it. */
function look(...running: readonly Partial<ProcessEntry>[]): Look {
  const world = folderWorld(root, 'linux', {
    catalogue: builtInCatalogue(),
    processes: running.map((entry, index) => ({ ...nothing, pid: 400 + index, ...entry })),
    accounts: [
      { name: 'ana', uid: 1001, home: '/home/ana', shell: '/bin/zsh' },
      { name: 'ben', uid: 1002, home: '/home/ben', shell: '/bin/zsh' },
    ],
  });
  const all = processes.roots(world).map((each) => {
    const reader = world.reader(each.boundary);
    return { components: processes.read(each, world, reader), problems: reader.problems };
  });
  expect(all).toHaveLength(1);
  return all[0] ?? { components: [], problems: [] };
}

const codex = { name: '@openai/codex', version: '0.48.0', command: 'codex' };
const script = '/opt/node/lib/node_modules/@openai/codex/cli.js';

test('C046: a script in a package is the tool, one beside it is not, and arguments are gone', () => {
  native.npmLauncher(path.join(root, 'opt/node'), codex);
  native.place(root, 'home/ana/code/codex/server.js', '// unrelated\n');
  const { components, problems } = look(
    { uid: 1001, exe: '/opt/node/bin/node', argv: ['node', script, 'exec', 'CANARY private text'] },
    {
      uid: 1001,
      exe: '/opt/node/bin/node',
      cwd: '/home/ana/code/codex',
      argv: ['node', 'server.js'],
    },
    { uid: 777 },
  );
  expect(components).toMatchObject([
    {
      channel: 'process',
      tool: 'codex-cli',
      name: '@openai/codex',
      version: '0.48.0',
      path: script,
      owner: 'ana',
      state: 'running',
    },
  ]);
  expect(components).toHaveLength(1);
  expect(JSON.stringify({ components, problems })).not.toContain('CANARY');
  expect(problems).toEqual([{ path: 'processes', code: 'denied', isLoss: false }]);
});

test('options of the runtime before the script are passed over, a program text is no script', () => {
  native.npmLauncher(path.join(root, 'opt/node'), codex);
  const node = { uid: 1001, exe: '/opt/node/bin/node' };
  expect(
    look({ ...node, argv: ['node', '--require', './x.js', '--no-warnings', script] }).components,
  ).toHaveLength(1);
  expect(look({ ...node, argv: ['node', '-e', 'CANARY', script] }).components).toEqual([]);
});

test('C044: the launcher of a vendor folder is the tool, a script of the same name is not', () => {
  native.cursorAgent(path.join(root, 'home/ana'), '2026.08.04-aaa8809');
  native.program(root, 'home/ben/bin/agent', '#!/bin/sh\necho build agent\n');
  const folder = '/home/ana/.local/share/cursor-agent/versions/2026.08.04-aaa8809';
  const { components } = look(
    {
      uid: 1001,
      comm: 'agent',
      argv: ['/home/ana/.local/bin/agent', `${folder}/index.js`, '--resume=1'],
    },
    { uid: 1002, comm: 'agent', argv: ['/bin/sh', '/home/ben/bin/agent'] },
  );
  expect(components).toMatchObject([
    { tool: 'cursor-agent', version: '2026.08.04-aaa8809', owner: 'ana', state: 'running' },
  ]);
  expect(components).toHaveLength(1);
});

test("a vendor's own runtime is the tool of the folder it lies in", () => {
  native.cursorAgent(path.join(root, 'home/ana'), '2026.08.04-aaa8809');
  const folder = '/home/ana/.local/share/cursor-agent/versions/2026.08.04-aaa8809';
  expect(
    look({ uid: 1001, exe: `${folder}/node`, argv: [`${folder}/node`, `${folder}/index.js`] })
      .components,
  ).toMatchObject([{ tool: 'cursor-agent', path: `${folder}/index.js` }]);
});

test('a program whose file was removed while it ran is still running', () => {
  const exe = '/home/ana/.local/share/claude/versions/2.1.120 (deleted)';
  expect(look({ uid: 1001, exe, argv: ['claude', '--resume'] }).components).toMatchObject([
    { tool: 'claude-code', version: '2.1.120', path: exe.replace(' (deleted)', '') },
  ]);
});

test('a process that renamed itself is known through its own PATH, and only there', () => {
  const pkg = { name: '@anthropic-ai/claude-code', version: '2.1.91', command: 'claude' };
  native.npmLauncher(path.join(root, 'home/ana/.npm-global'), pkg);
  native.place(root, 'home/ana/.profile', 'PATH="$HOME/.npm-global/bin:$PATH"\n');
  const title = { exe: '/usr/bin/node', argv: ['claude'] };
  expect(look({ uid: 1001, ...title }).components).toMatchObject([
    { tool: 'claude-code', version: '2.1.91', owner: 'ana', confidence: 'medium' },
  ]);
  expect(look({ uid: 1002, ...title }).components).toEqual([]);
});

test('many processes of one tool and owner are one component, another owner is another', () => {
  native.npmLauncher(path.join(root, 'opt/node'), codex);
  const run = { exe: '/opt/node/bin/node', argv: ['node', script] };
  const owners = look({ uid: 1001, ...run }, { uid: 1001, ...run }, { uid: 1002, ...run });
  expect(owners.components.map(({ owner }) => owner)).toEqual(['ana', 'ben']);
});

describe('a process whose file is no longer there', () => {
  const modules = '/home/ana/.npm-global/lib/node_modules';

  test.each([
    ['@openai/codex', { exe: `${modules}/@openai/codex/vendor/x/codex (deleted)` }],
    ['@openai/codex', { exe: `${modules}/@openai/codex-linux-x64/vendor/x/codex (deleted)` }],
    [
      '@google/gemini-cli',
      {
        exe: '/usr/bin/node',
        argv: ['node', `${modules}/@google/gemini-cli/dist/index.js`, 'CANARY'],
      },
    ],
    ['aider-chat', { exe: '/home/ana/.local/share/uv/tools/aider-chat/bin/python (deleted)' }],
  ])('still runs as %s by the folders that it lay in, with the version unknown', (name, entry) => {
    const { components } = look({ uid: 1001, ...entry });
    expect(components).toMatchObject([
      { name, version: null, state: 'running', confidence: 'medium', owner: 'ana' },
    ]);
    expect(JSON.stringify(components)).not.toContain('CANARY');
  });

  test('in a folder of other software is nothing', () => {
    expect(look({ uid: 1001, exe: `${modules}/left-pad/codex (deleted)` }).components).toEqual([]);
  });
});

test('options of a runtime that take a word of their own are passed over', () => {
  native.npmLauncher(path.join(root, 'opt/node'), codex);
  const argv = ['node', '--title', 'work', '--inspect-port', '0', '--no-warnings', script];
  expect(look({ uid: 1001, exe: '/opt/node/bin/node', argv }).components).toMatchObject([
    { tool: 'codex-cli' },
  ]);
});

test('a program of a snap or of the Nix store is the tool of its folder', () => {
  const { components } = look(
    { uid: 1001, exe: '/snap/ollama/12/bin/ollama' },
    {
      uid: 1002,
      exe: '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-codex-0.60.0/bin/.codex-wrapped',
    },
  );
  expect(components).toMatchObject([
    { tool: 'ollama', manager: 'snap', owner: 'ana' },
    { tool: 'codex-cli', manager: 'nix', version: '0.60.0', owner: 'ben' },
  ]);
});

test('on Windows the owner is known by the name after the domain, and else by whose the file is', () => {
  const exe = 'C:\\Users\\ana\\.local\\bin\\claude.exe';
  const world = folderWorld(root, 'win32', {
    catalogue: builtInCatalogue(),
    accounts: [
      { name: 'ana', uid: null, home: 'C:\\Users\\ana', shell: null },
      { name: 'ben', uid: null, home: 'C:\\Users\\ben', shell: null },
    ],
    processes: [
      { ...nothing, pid: 1, account: 'CORP\\Ben', exe },
      { ...nothing, pid: 2, exe: `\\\\?\\${exe}` },
    ],
  });
  const owners = processes.roots(world).flatMap((each) => {
    const found = processes.read(each, world, world.reader(each.boundary));
    return found.map(({ tool, owner }) => [tool, owner]);
  });
  expect(owners).toEqual([
    ['claude-code', 'ben'],
    ['claude-code', 'ana'],
  ]);
});
