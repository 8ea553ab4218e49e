/**
 * What a program on the PATH or in a vendor's folder is: decided by the file it leads to and the
 * record beside it, never by the name alone, and never by running it.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { executables } from '../../agent/detect/executables.js';
import { watchedFolders, type Problem, type World } from '../../agent/detect/index.js';
import { folderWorld, homesWorld, parseAccounts } from '../../agent/detect/world.js';
import * as native from '../worlds/native.js';

let root: string;
let home: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-executables-'));
  home = path.join(root, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

interface Look {
  readonly components: readonly Component[];
  readonly problems: readonly Problem[];
}

/** Every root read, and what they yield joined by id as the inventory does. */
function look(world: World): Look {
  const found = new Map<string, Component>();
  const problems: Problem[] = [];
  for (const each of executables.roots(world)) {
    const reader = world.reader(each.boundary);
    for (const component of executables.read(each, world, reader)) {
      const known = found.get(component.id);
      if (known !== undefined) expect(component).toEqual(known);
      found.set(component.id, component);
    }
    problems.push(...reader.problems);
  }
  return { components: [...found.values()], problems };
}

const lookAtHome = (): Look => look(homesWorld([home], { catalogue: builtInCatalogue() }));

function lookAt(platform: 'linux' | 'darwin' | 'win32', accounts?: unknown): Look {
  const people = accounts === undefined ? {} : { accounts: parseAccounts(accounts) };
  return look(folderWorld(root, platform, { catalogue: builtInCatalogue(), ...people }));
}

test('the native installer: the launched version and the one left beside it, each once', () => {
  native.claudeNative(home, ['2.1.91', '2.1.120'], '2.1.120');
  const { components, problems } = lookAtHome();
  expect(problems).toEqual([]);
  expect(components.map(({ version, evidence }) => [version, evidence])).toEqual([
    ['2.1.120', ['PATH', 'install folder']],
    ['2.1.91', ['install folder', 'no launcher']],
  ]);
  expect(components[0]).toMatchObject({
    tool: 'claude-code',
    channel: 'executable',
    manager: 'native',
    name: 'claude',
    path: path.join(home, '.local/share/claude/versions/2.1.120'),
    owner: 'ana',
    state: 'installed',
    confidence: 'high',
  });
});

test('C042: versions without a launcher count, empty and non-executable files do not', () => {
  native.claudeNative(home, ['2.1.150', '2.1.162'], null);
  const versions = '.local/share/claude/versions';
  native.place(home, `${versions}/2.1.170`, '', 0o755);
  native.place(home, `${versions}/2.1.171`, 'BIN', 0o644);
  native.program(home, `${versions}/staging`);
  const { components } = lookAtHome();
  expect(components.map(({ version }) => version)).toEqual(['2.1.150', '2.1.162']);
  expect(components.every(({ evidence }) => evidence.includes('no launcher'))).toBe(true);
});

test('the migrated local install is the npm package in its own folder, not the script before it', () => {
  native.claudeLocal(home, '1.0.30');
  expect(lookAtHome().components).toMatchObject([
    { channel: 'npm', manager: 'local', name: '@anthropic-ai/claude-code', version: '1.0.30' },
  ]);
});

test('a version that is part of the file name is read from it', () => {
  native.qoderNative(home, '1.0.5');
  expect(lookAtHome().components).toMatchObject([{ tool: 'qoder-cli', version: '1.0.5' }]);
});

test('C044: a generic command is the tool only through what it leads to', () => {
  const folder = native.cursorAgent(home, '2026.08.04-aaa8809');
  native.program(root, 'home/ben/bin/agent', '#!/bin/sh\necho build agent\n');
  const { components } = lookAt('linux');
  expect(components).toMatchObject([
    {
      tool: 'cursor-agent',
      name: 'cursor-agent',
      version: '2026.08.04-aaa8809',
      path: `/${path.relative(root, path.join(folder, 'cursor-agent'))}`,
      owner: 'ana',
    },
  ]);
});

test('C048: a PATH of oddities finds a tool once and a missing or wrong part is no error', () => {
  native.program(root, 'opt/tools/bin/claude');
  native.program(root, 'etc/hosts', 'BIN');
  const parts = ':.:~/.local/bin:$HOME/bin/:"/opt/with:colon/bin":/nonexistent/bin:/etc/hosts';
  const profile = `export PATH='${parts}:/opt/tools/bin:/opt/tools/bin/:/opt/tools//bin'\n`;
  native.place(home, '.profile', profile);
  native.program(home, 'bin/claude');
  const { components, problems } = lookAt('linux');
  expect(components.map((component) => [component.path, component.owner]).sort()).toEqual([
    ['/home/ana/bin/claude', 'ana'],
    ['/opt/tools/bin/claude', null],
  ]);
  expect(problems).toEqual([]);
});

test('C056: the command of a package that only shares the name is nothing', () => {
  const global = path.join(root, 'usr/local');
  native.npmLauncher(global, { name: 'claude', version: '1.0.0', command: 'claude' });
  native.npmLauncher(global, {
    name: '@anthropic-ai-tools/x',
    version: '1.0.0',
    command: 'qodercli',
  });
  expect(lookAt('linux').components).toEqual([]);
});

test('a launcher that leads into a package the npm channel reads is left to that channel', () => {
  const real = { name: '@anthropic-ai/claude-code', version: '2.1.91', command: 'claude' };
  native.npmLauncher(path.join(root, 'usr/local'), real);
  expect(lookAt('linux').components).toEqual([]);
});

test('a launcher into a package in a place nobody lists is that package', () => {
  const real = { name: '@anthropic-ai/claude-code', version: '2.1.91', command: 'claude' };
  native.npmLauncher(path.join(home, 'apps/unusual'), real);
  native.link(home, '.local/bin/claude', '../../apps/unusual/bin/claude');
  expect(lookAtHome().components).toMatchObject([
    { channel: 'npm', purl: 'pkg:npm/%40anthropic-ai/claude-code@2.1.91', owner: 'ana' },
  ]);
});

test('C108: what is found is never run, and its version stays unknown', () => {
  const marker = path.join(root, 'EXECUTED');
  native.program(home, '.local/bin/claude', `#!/bin/sh\ntouch "${marker}"\nsleep 3600\n`);
  expect(lookAtHome().components).toMatchObject([
    { name: 'claude', version: null, confidence: 'low', evidence: ['PATH', 'name'] },
  ]);
  expect(fs.existsSync(marker)).toBe(false);
});

test("C109: a tool in a person's own PATH folder is theirs, service accounts are nobody", () => {
  native.place(root, 'data/homes/kim/.zprofile', 'export PATH="$HOME/tools/bin:$PATH"\n');
  native.program(root, 'data/homes/kim/tools/bin/claude');
  native.program(root, 'var/svc-build/bin/claude');
  const { components } = lookAt('darwin', [
    { name: 'kim', uid: 20113, home: '/data/homes/kim', shell: '/bin/zsh' },
    { name: 'svc-build', uid: 499, home: '/var/svc-build', shell: '/usr/bin/false' },
  ]);
  expect(components).toMatchObject([{ path: '/data/homes/kim/tools/bin/claude', owner: 'kim' }]);
  expect(components).toHaveLength(1);
});

test('two names and a hard link of one file are one component', () => {
  native.program(home, 'apps/claude-code/claude-bin');
  native.link(home, '.local/bin/claude', '../../apps/claude-code/claude-bin');
  fs.linkSync(
    path.join(home, 'apps/claude-code/claude-bin'),
    path.join(home, '.local/bin/qodercli'),
  );
  expect(lookAtHome().components).toHaveLength(1);
});

test.each([
  ['a dangling launcher', () => native.link(home, '.local/bin/claude', '../share/gone/claude')],
  ['an empty file', () => native.place(home, '.local/bin/claude', '', 0o755)],
  ['a file without execute permission', () => native.place(home, '.local/bin/claude', 'BIN')],
  ['a text file of a similar name', () => native.program(home, '.local/bin/claude.txt')],
  ['a folder', () => native.program(home, '.local/bin/claude/readme')],
  [
    'a shell script that asdf wrote',
    () =>
      native.program(
        home,
        '.local/bin/claude',
        '#!/usr/bin/env bash\nexec asdf exec "claude" "$@"\n',
      ),
  ],
  [
    'a launcher pip wrote',
    () => native.program(home, '.local/bin/claude', '#!/usr/bin/python3\nimport sys\n'),
  ],
] as const)('%s is no install', (_, build) => {
  build();
  expect(lookAtHome().components).toEqual([]);
});

test('C026: the program behind a shim is never the tool', () => {
  native.program(home, '.volta/bin/volta-shim');
  native.link(home, '.volta/bin/claude', 'volta-shim');
  native.place(home, '.profile', 'PATH="$HOME/.volta/bin:$PATH"\n');
  expect(lookAtHome().components).toEqual([]);
});

test('a link out of the home is followed nowhere, said, and takes nothing else with it', () => {
  native.program(root, 'home/ben/tool');
  native.link(home, '.local/bin/claude', path.join(root, 'home/ben/tool'));
  native.qoderNative(home, '1.0.5');
  const { components, problems } = lookAtHome();
  expect(components.map(({ tool }) => tool)).toEqual(['qoder-cli']);
  expect(problems).toEqual([
    { path: path.join(home, '.local/bin/claude'), code: 'outside', isLoss: false },
  ]);
});

test('C027: thousands of per-shell links to one folder are one root', () => {
  const install = path.join(home, '.local/share/fnm/node-versions/v22.1.0/installation');
  native.program(install, 'bin/claude');
  const shells = path.join(home, '.local/state/fnm_multishells');
  fs.mkdirSync(shells, { recursive: true });
  for (let shell = 0; shell < 2_000; shell += 1)
    fs.symlinkSync(install, path.join(shells, `${shell}_1`));
  native.place(home, '.profile', `PATH="${shells}/7_1/bin:${shells}/8_1/bin:$PATH"\n`);
  const { components } = lookAtHome();
  expect(components.map((component) => component.path)).toEqual([path.join(install, 'bin/claude')]);
});

test('C032: three Windows launchers are one package, and one without it only a trace', () => {
  const npm = path.join(root, 'Users/Ana 100% Lima/AppData/Roaming/npm');
  const start = 'node_modules\\@anthropic-ai\\claude-code\\cli.js';
  native.place(npm, 'claude', `#!/bin/sh\nnode "$basedir/${start.replaceAll('\\', '/')}"\n`);
  native.place(npm, 'claude.cmd', `@ECHO off\r\n"%~dp0\\${start}" %*\r\n`);
  native.place(npm, 'claude.ps1', `& node "$basedir/${start.replaceAll('\\', '/')}" $args\r\n`);
  expect(lookAt('win32').components).toMatchObject([
    { name: 'claude', state: 'residual', confidence: 'low', owner: 'Ana 100% Lima' },
  ]);
  const record = '{"name":"@anthropic-ai/claude-code","version":"2.1.91"}';
  native.place(npm, 'node_modules/@anthropic-ai/claude-code/package.json', record);
  expect(lookAt('win32').components).toEqual([]);
});

test('Homebrew kegs and casks are known by their folder', () => {
  const brew = path.join(root, 'opt/homebrew');
  native.program(brew, 'Caskroom/claude-code/2.1.120/claude');
  native.link(brew, 'bin/claude', '../Caskroom/claude-code/2.1.120/claude');
  native.program(brew, 'Caskroom/gemini/2.9.11/claude-x');
  expect(lookAt('darwin').components).toMatchObject([
    {
      channel: 'homebrew',
      tool: 'claude-code',
      name: 'claude-code',
      version: '2.1.120',
      path: '/opt/homebrew/Caskroom/claude-code/2.1.120',
    },
  ]);
});

test("a private copy inside an editor's extension is bundled", () => {
  const at =
    '.vscode/extensions/anthropic.claude-code-2.1.120-linux-x64/resources/native-binary/claude';
  native.program(home, at);
  expect(lookAtHome().components).toMatchObject([
    { tool: 'claude-code', state: 'bundled', version: '2.1.120', path: path.join(home, at) },
  ]);
});

test('a launcher is watched together with the place it leads to', () => {
  native.claudeNative(home, ['2.1.120'], '2.1.120');
  const world = homesWorld([home], { catalogue: builtInCatalogue() });
  const roots = executables.roots(world);
  const bin = path.join(home, '.local/bin');
  const watched = roots
    .filter((each) => each.path === bin)
    .flatMap((root) => watchedFolders(executables, root, world));
  expect(watched).toEqual([bin, path.join(home, '.local/share/claude/versions')]);
  expect(new Set(roots.map(({ id }) => id)).size).toBe(roots.length);
});

test('a folder that a PATH of Windows spells in two ways is one root', () => {
  const tools = path.join(root, 'Users/ana/tools');
  native.program(tools, 'claude.exe');
  const people = [{ name: 'ana', uid: null, home: 'C:\\Users\\ana', shell: null }];
  const world = folderWorld(root, 'win32', { catalogue: builtInCatalogue(), accounts: people });
  const homePath = new Map([['ana', ['C:\\Users\\ana\\tools', 'c:\\users\\ANA\\tools\\']]]);
  const { components } = look({ ...world, homePath });
  expect(components).toMatchObject([
    { name: 'claude', path: 'C:\\Users\\ana\\tools\\claude.exe', owner: 'ana' },
  ]);
});

test('a PATH folder that leads into another home is said, not followed', () => {
  const other = path.join(root, 'home/ben');
  native.program(other, 'tools/opencode');
  native.link(home, '.local/bin', path.join(other, 'tools'));
  const { components, problems } = lookAtHome();
  expect(components).toEqual([]);
  expect(problems.map(({ path: at, code, isLoss }) => [at, code, isLoss])).toContainEqual([
    path.join(home, '.local/bin'),
    'outside',
    true,
  ]);
});
