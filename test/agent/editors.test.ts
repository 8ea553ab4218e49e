/**
 * What counts as an installed editor extension: the editor's own lists decide, and nothing outside
 * the extensions folder is opened on their word.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Component } from '../../policies/component.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { editors } from '../../agent/detect/editors.js';
import type { Problem, World } from '../../agent/detect/index.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { installed, listEntry, markObsolete, unpacked, writeList } from '../worlds/editors.js';
import { link, place } from '../worlds/native.js';

const claude = { id: 'Anthropic.claude-code', version: '2.1.120' };
const config = { id: 'EditorConfig.EditorConfig', version: '0.17.4' };

let root: string;
let home: string;
let extensions: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-editors-'));
  home = path.join(root, 'home/ana');
  extensions = path.join(home, '.vscode/extensions');
  fs.mkdirSync(extensions, { recursive: true });
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

interface Look {
  readonly components: readonly Component[];
  readonly problems: readonly Problem[];
}

function look(world: World): Look {
  const readings = editors.roots(world).map((each) => {
    const reader = world.reader(each.boundary);
    return { components: editors.read(each, world, reader), problems: reader.problems };
  });
  return {
    components: readings.flatMap(({ components }) => components),
    problems: readings.flatMap(({ problems }) => problems),
  };
}

function lookAtHome(): Look {
  return look(homesWorld([home], { catalogue: builtInCatalogue() }));
}

/** As under a rule that takes the whole channel. */
function lookAtAll(): Look {
  const world = homesWorld([home], { catalogue: builtInCatalogue() });
  return look({ ...world, wholeChannels: new Set(['editor-extension']) });
}

test('a listed extension of the catalogue is found with its version, editor and owner', () => {
  installed(extensions, claude, config);
  const { components, problems } = lookAtHome();
  expect(problems).toEqual([]);
  expect(components).toMatchObject([
    {
      channel: 'editor-extension',
      manager: 'vscode',
      name: 'anthropic.claude-code',
      version: '2.1.120',
      purl: 'pkg:vscode-extension/anthropic/claude-code@2.1.120',
      path: path.join(extensions, 'anthropic.claude-code-2.1.120'),
      owner: 'ana',
      state: 'installed',
      confidence: 'high',
      evidence: ['extensions.json'],
    },
  ]);
});

test('a rule that takes the whole channel brings every extension, and one that names it brings that one', () => {
  installed(extensions, claude, config);
  expect(lookAtAll().components.map(({ name, tool }) => [name, tool === null])).toEqual([
    ['anthropic.claude-code', false],
    ['editorconfig.editorconfig', true],
  ]);
  const named = new Map([['editor-extension', new Set(['editorconfig.editorconfig'])]]);
  const world = homesWorld([home], { catalogue: builtInCatalogue(), named });
  expect(look(world).components).toHaveLength(2);
});

test('C002: a half-deleted folder in neither list is not installed and no error', () => {
  installed(extensions, config);
  fs.mkdirSync(path.join(extensions, 'anthropic.claude-code-2.1.90/dist'), { recursive: true });
  const { components, problems } = lookAtAll();
  expect(components.map(({ name }) => name)).toEqual(['editorconfig.editorconfig']);
  expect(problems).toEqual([]);
});

test('C004: an emptied list beside whole folders installs nothing and is said aloud', () => {
  unpacked(extensions, claude);
  writeList(extensions, []);
  markObsolete(extensions);
  const { components, problems } = lookAtAll();
  expect(components).toEqual([]);
  expect(problems).toEqual([
    { path: path.join(extensions, 'extensions.json'), code: 'manifest-empty', isLoss: false },
  ]);
});

test('C005: without any list the folders speak, less those marked obsolete', () => {
  unpacked(extensions, claude);
  unpacked(extensions, { id: 'GitHub.copilot', version: '1.200.0' });
  markObsolete(extensions, 'github.copilot-1.200.0');
  expect(lookAtAll().components).toMatchObject([
    { name: 'anthropic.claude-code', version: '2.1.120', confidence: 'medium' },
  ]);
});

test('an extension marked obsolete is not installed though the list still names it', () => {
  installed(extensions, claude);
  markObsolete(extensions, 'anthropic.claude-code-2.1.120');
  expect(lookAtAll().components).toEqual([]);
});

test.each([
  ['linux', 'home/ana', '.config/Code'],
  ['darwin', 'Users/ana', 'Library/Application Support/Code'],
  ['win32', 'Users/ana', 'AppData/Roaming/Code'],
] as const)('C006: one install for two named profiles on %s', (platform, folder, settings) => {
  const own = path.join(root, folder);
  const at = path.join(own, '.vscode/extensions');
  unpacked(at, claude);
  writeList(at, []);
  for (const id of ['3f2a91bc', '77aa01de']) {
    writeList(path.join(own, settings, 'User/profiles', id), [listEntry(at, claude)]);
  }
  const world = folderWorld(root, platform, { catalogue: builtInCatalogue() });
  const { components, problems } = look(world);
  expect(problems).toEqual([]);
  expect(components).toMatchObject([
    { name: 'anthropic.claude-code', evidence: ['profile:3f2a91bc', 'profile:77aa01de'] },
  ]);
});

test('C007: ids are one whatever the capitals of list, folder and record', () => {
  const spelled = {
    ...claude,
    id: 'ANTHROPIC.Claude-Code',
    folder: 'Anthropic.claude-code-2.1.120',
  };
  installed(extensions, spelled);
  expect(lookAtHome().components).toMatchObject([
    { name: 'anthropic.claude-code', tool: 'claude-code-vscode' },
  ]);
});

test('C009: every editor of the family, its server folders and an unknown one by its shape', () => {
  const folders = ['.vscode', '.vscode-insiders', '.vscode-server', '.cursor', '.windsurf'];
  for (const folder of [...folders, '.trae', '.kiro', '.antigravity', '.newedit']) {
    installed(path.join(home, folder, 'extensions'), claude);
  }
  const labels = lookAtHome().components.map(({ manager }) => manager);
  expect([...labels].sort()).toEqual([
    'antigravity',
    'cursor',
    'kiro',
    'trae',
    'unknown:.newedit',
    'vscode',
    'vscode-insiders',
    'vscode-server',
    'windsurf',
  ]);
});

test('an editor folder that is a link to another one is read once', () => {
  installed(extensions, claude);
  link(home, '.vscode-insiders', '.vscode');
  expect(lookAtHome().components).toHaveLength(1);
});

test('C010: entries that lead out of the extensions folder are refused, the honest one stays', () => {
  place(root, 'home/ben/private/package.json', '{"publisher":"ben","name":"private"}');
  link(extensions, 'evil-1.0.0', path.join(root, 'home/ben/private'));
  unpacked(extensions, claude);
  const lying = (relativeLocation: string): unknown =>
    listEntry(extensions, claude, { identifier: { id: 'x.y' }, relativeLocation });
  writeList(extensions, [
    lying('../../other/secret'),
    lying('/etc'),
    lying('evil-1.0.0'),
    lying('..'),
    lying(''),
    listEntry(extensions, claude),
  ]);
  const { components, problems } = lookAtAll();
  expect(components.map(({ name }) => name)).toEqual(['anthropic.claude-code']);
  expect(problems.every(({ isLoss }) => !isLoss)).toBe(true);
  expect(problems.map(({ code }) => code)).toContain('refused-entry');
});

test('C012: a byte-order mark and odd entries lose none of the others', () => {
  const list = [
    listEntry(extensions, { id: 'a.first', version: '' }, { version: undefined }),
    {
      ...(listEntry(extensions, { id: 'b.second', version: '2.0.0' }) as object),
      metadata: undefined,
    },
    {
      identifier: 'c.third',
      version: '3.0.0',
      location: 'nowhere',
      relativeLocation: 'c.third-3.0.0',
    },
    listEntry(extensions, { id: 'd.fourth', version: '4.0.0' }),
    null,
  ];
  place(extensions, 'extensions.json', `\uFEFF${JSON.stringify(list)}`);
  place(extensions, 'a.first-/package.json', '{"publisher":"a","name":"first","version":"1.0.0"}');
  const { components, problems } = lookAtAll();
  expect(components.map(({ name, version }) => [name, version])).toEqual([
    ['a.first', '1.0.0'],
    ['b.second', '2.0.0'],
    ['d.fourth', '4.0.0'],
  ]);
  expect(problems).toMatchObject([{ code: 'malformed', isLoss: false }]);
});

test('a half-written list is a loss of that root and never an empty editor', () => {
  unpacked(extensions, claude);
  place(extensions, 'extensions.json', '[{"identifier":{"id":"anthropic.cl');
  expect(lookAtHome().problems).toMatchObject([{ code: 'malformed', isLoss: true }]);
});

test('C011: an extension inside the program is bundled, and switched off is told', () => {
  const program = path.join(root, 'opt/editor/resources/app');
  unpacked(path.join(program, 'extensions'), {
    id: 'GitHub.copilot-chat',
    version: '0.45.1',
    folder: 'copilot',
  });
  unpacked(path.join(program, 'extensions'), { ...config, folder: 'editorconfig' });
  place(program, 'product.json', '{"dataFolderName":".vscode","applicationName":"code"}');
  writeList(extensions, []);
  const settings = (text: string): string => place(home, '.config/Code/User/settings.json', text);
  const lookAtMachine = (): Look =>
    look(folderWorld(root, 'linux', { catalogue: builtInCatalogue() }));
  settings('{\n  // off on this machine\n  "chat.disableAIFeatures": true,\n}');
  const { components, problems } = lookAtMachine();
  expect(problems).toEqual([]);
  expect(components).toMatchObject([
    {
      name: 'github.copilot-chat',
      version: '0.45.1',
      manager: 'vscode',
      owner: null,
      state: 'bundled',
      path: '/opt/editor/resources/app/extensions/copilot',
      evidence: ['disabled:chat.disableAIFeatures', 'package.json', 'program folder'],
    },
  ]);
  settings('{"chat.disableAIFeatures": false}');
  expect(lookAtMachine().components[0]?.evidence).toEqual(['package.json', 'program folder']);
});

test('a program folder in a home belongs to that person', () => {
  const app = path.join(root, 'Users/ana/Applications/Any Editor.app/Contents/Resources/app');
  unpacked(path.join(app, 'extensions'), { ...claude, folder: 'claude' });
  const world = folderWorld(root, 'darwin', { catalogue: builtInCatalogue() });
  expect(look(world).components).toMatchObject([
    { name: 'anthropic.claude-code', state: 'bundled', owner: 'ana', manager: null },
  ]);
});

test.each([
  ['linux', 'snap/code/current/usr/share/code/resources/app', 'vscode', null],
  [
    'linux',
    'var/lib/flatpak/app/com.visualstudio.code/current/active/files/extra/vscode/resources/app',
    'vscode',
    null,
  ],
  ['linux', 'home/ana/VSCode-linux-x64/resources/app', 'vscode', 'ana'],
  ['linux', 'home/ana/.vscode-server/cli/servers/Stable-abc/server', 'vscode-server', 'ana'],
  ['linux', 'home/ana/.cursor-server/bin/0123abc', 'cursor-server', 'ana'],
  ['win32', 'Users/ana/Apps/VSCode/resources/app', 'vscode', 'ana'],
] as const)('C011: on %s an extension in %s is bundled', (platform, program, manager, owner) => {
  const copilot = { id: 'GitHub.copilot-chat', version: '0.45.1', folder: 'copilot' };
  unpacked(path.join(root, program, 'extensions'), copilot);
  place(path.join(root, program), 'product.json', '{"dataFolderName":".vscode"}');
  const world = folderWorld(root, platform, { catalogue: builtInCatalogue() });
  expect(look(world).components).toMatchObject([
    { name: 'github.copilot-chat', version: '0.45.1', state: 'bundled', manager, owner },
  ]);
});

describe('of an extension that is listed', () => {
  const states = (): unknown[] =>
    lookAtHome().components.map(({ version, state }) => [version, state]);
  const later = { ...claude, version: '2.1.121' };

  test('twice the later version is loaded, and the other one is a trace', () => {
    installed(extensions, { ...claude, version: '2.1.9' }, later);
    expect(states()).toEqual([
      ['2.1.9', 'residual'],
      ['2.1.121', 'installed'],
    ]);
  });

  test('by two profiles with a version of its own each is loaded', () => {
    installed(extensions, claude);
    unpacked(extensions, later);
    writeList(path.join(home, '.config/Code/User/profiles/-1a2b'), [listEntry(extensions, later)]);
    expect(states()).toEqual([
      ['2.1.120', 'installed'],
      ['2.1.121', 'installed'],
    ]);
  });

  test('a folder that is half deleted leaves a trace (C002), and one that is not seen counts', () => {
    writeList(extensions, [listEntry(extensions, claude)]);
    expect(states()).toEqual([['2.1.120', 'installed']]);
    place(extensions, 'anthropic.claude-code-2.1.120/dist/main.js', '');
    expect(states()).toEqual([['2.1.120', 'residual']]);
  });

  test('the place may be the name of the folder alone', () => {
    unpacked(extensions, claude);
    const location = 'anthropic.claude-code-2.1.120';
    const entry = listEntry(extensions, claude, { location, relativeLocation: undefined });
    writeList(extensions, [entry]);
    expect(states()).toEqual([['2.1.120', 'installed']]);
  });
});

test('C009: an editor that nobody knows shows itself by its extensions too', () => {
  unpacked(path.join(home, '.new-editor/extensions'), claude);
  unpacked(path.join(home, '.notes/extensions'), { ...claude, folder: 'claude' });
  expect(lookAtHome().components).toMatchObject([
    { name: 'anthropic.claude-code', manager: 'unknown:.new-editor', confidence: 'medium' },
  ]);
});

test('C005: of two versions without any list the later one is loaded', () => {
  unpacked(extensions, { ...claude, version: '2.1.9' });
  unpacked(extensions, { ...claude, version: '2.1.120' });
  expect(lookAtHome().components).toMatchObject([
    { version: '2.1.120', state: 'installed', confidence: 'medium' },
    { version: '2.1.9', state: 'residual' },
  ]);
});
