/**
 * What Homebrew's own records say is installed: kegs in every prefix, casks while their program is
 * there, and the records that outlived it.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { executables } from '../../agent/detect/executables.js';
import { homebrew } from '../../agent/detect/homebrew.js';
import type { World } from '../../agent/detect/index.js';
import { npmDetector } from '../../agent/detect/npm.js';
import { python } from '../../agent/detect/python.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import * as made from '../worlds/homebrew.js';
import { link, place, program } from '../worlds/native.js';
import { aider, wheelInto } from '../worlds/python.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';
let prefix = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-brew-')));
  home = path.join(top, 'Users/ana');
  prefix = path.join(top, 'opt/homebrew');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const scan = (world: World): ScanResult => scanWorld(world, { detectors: [homebrew] });
const scanMachine = (platform: Platform = 'darwin'): ScanResult =>
  scan(folderWorld(top, platform, { catalogue }));
const scanHome = (platform: Platform = 'linux'): ScanResult =>
  scan(homesWorld([home], { catalogue, platform }));

/** What a person would say was found: name, version, state, kind of record, where. */
function rows(result: ScanResult): string[] {
  expect(result.status).toBe('complete');
  return result.components.map(({ name, version, state, manager, path: at }) =>
    [name, version, state, manager, at].join(' '),
  );
}

describe('formulae', () => {
  test('a deep scan tells a formula once, whatever packages lie in its keg', () => {
    const own = path.join(home, 'homebrew');
    made.formula(own, { name: 'gemini-cli', version: '0.61.0' });
    const modules = 'Cellar/gemini-cli/0.61.0/libexec/lib/node_modules/@google/gemini-cli';
    const manifest = { name: '@google/gemini-cli', version: '0.61.0', bin: { gemini: 'x.js' } };
    place(path.join(own, modules), 'package.json', JSON.stringify(manifest));
    const project = path.join(home, 'code/one');
    place(project, 'node_modules/@google/gemini-cli/package.json', JSON.stringify(manifest));
    place(project, 'package.json', '{"dependencies":{"@google/gemini-cli":"^0.61.0"}}');
    const world = homesWorld([home], { catalogue, platform: 'darwin', isDeep: true });
    const found = scanWorld(world, { detectors: [npmDetector, homebrew] }).components;
    expect(found.map(({ channel, scope }) => `${channel} ${scope}`)).toEqual([
      'npm project',
      'homebrew global',
    ]);
  });

  test.each([
    ['darwin', 'opt/homebrew', null],
    ['darwin', 'usr/local', null],
    ['darwin', 'Users/ana/homebrew', 'ana'],
    ['linux', 'home/linuxbrew/.linuxbrew', null],
    ['linux', 'home/ana/.linuxbrew', 'ana'],
  ] as const)('a keg on %s below %s', (platform, below, owner) => {
    fs.mkdirSync(path.join(top, 'home/ana'), { recursive: true });
    made.formula(path.join(top, below), { name: 'gemini-cli', version: '0.61.0' });
    expect(scanMachine(platform).components).toMatchObject([
      {
        tool: 'gemini-cli',
        channel: 'homebrew',
        manager: 'formula',
        name: 'gemini-cli',
        version: '0.61.0',
        path: `/${below}/Cellar/gemini-cli/0.61.0`,
        owner,
        state: 'installed',
        confidence: 'high',
        evidence: ['Cellar', 'INSTALL_RECEIPT.json', 'linked'],
      },
    ]);
  });

  test('a prefix anywhere in the home shows itself by the PATH', () => {
    place(home, '.zprofile', 'export PATH="$HOME/tools/brew/bin:$PATH"\n');
    made.formula(path.join(home, 'tools/brew'), { name: 'aider', version: '0.86.1' });
    expect(rows(scanHome('darwin'))).toEqual([
      `aider 0.86.1 installed formula ${home}/tools/brew/Cellar/aider/0.86.1`,
    ]);
  });

  test('a keg that an upgrade left can still be started, and says that it is not linked', () => {
    made.formula(prefix, { name: 'ollama', version: '0.12.5' }, false);
    made.formula(prefix, { name: 'ollama', version: '0.12.6_1' });
    const found = scanMachine().components.map(({ version, state, evidence }) => [
      version,
      state,
      evidence.at(-1),
    ]);
    expect(found).toEqual([
      ['0.12.5', 'installed', 'not linked'],
      ['0.12.6_1', 'installed', 'linked'],
    ]);
  });

  test('formulae of other names are nothing, and an empty keg is a trace', () => {
    for (const name of ['ripgrep', 'goose', 'aider-extras', 'gemini']) {
      made.formula(prefix, { name, version: '1.0' });
    }
    fs.mkdirSync(path.join(prefix, 'Cellar/aider/0.86.1'), { recursive: true });
    expect(rows(scanMachine())).toEqual([
      'aider 0.86.1 residual formula /opt/homebrew/Cellar/aider/0.86.1',
    ]);
  });

  test('a keg that Homebrew has set aside while it puts it back is a trace (C023)', () => {
    made.formula(prefix, { name: 'aider', version: '0.86.1.reinstall' }, false);
    expect(rows(scanMachine())).toEqual([
      'aider 0.86.1 residual formula /opt/homebrew/Cellar/aider/0.86.1.reinstall',
    ]);
  });

  test('a keg without its receipt is less sure', () => {
    const keg = made.formula(prefix, { name: 'aider', version: '0.86.1' });
    fs.rmSync(path.join(keg, 'INSTALL_RECEIPT.json'));
    expect(scanMachine().components).toMatchObject([{ confidence: 'medium', state: 'installed' }]);
  });

  test('C036 keg, launcher and the Python package inside are one install of Homebrew', () => {
    const keg = made.formula(prefix, { name: 'aider', version: '0.86.1' });
    wheelInto(path.join(keg, 'libexec/lib/python3.12/site-packages'), aider('0.86.1'));
    const world = folderWorld(top, 'darwin', { catalogue });
    const { components } = scanWorld(world, { detectors: [python, homebrew, executables] });
    expect(components).toMatchObject([
      {
        channel: 'homebrew',
        version: '0.86.1',
        evidence: ['Cellar', 'INSTALL_RECEIPT.json', 'PATH', 'linked'],
      },
    ]);
  });

  test('a formula that a rule names is reported without a tool', () => {
    made.formula(prefix, { name: 'team-agent', version: '3.1' });
    const named = new Map([['homebrew', new Set(['team-agent'])]]);
    const result = scan(folderWorld(top, 'darwin', { catalogue, named }));
    expect(result.components).toMatchObject([{ tool: null, name: 'team-agent' }]);
  });

  test('on Windows there is none', () => {
    expect(homebrew.roots(folderWorld(top, 'win32', { catalogue }))).toEqual([]);
  });
});

describe('casks', () => {
  test('a cask of a command, with its launcher, is one install', () => {
    made.commandCask(prefix, 'claude-code', '2.1.120', 'claude');
    const world = folderWorld(top, 'darwin', { catalogue });
    const { components } = scanWorld(world, { detectors: [homebrew, executables] });
    expect(components).toMatchObject([
      {
        tool: 'claude-code',
        channel: 'homebrew',
        manager: 'cask',
        version: '2.1.120',
        path: '/opt/homebrew/Caskroom/claude-code/2.1.120',
        evidence: ['Caskroom', 'PATH', 'claude-code.json'],
      },
    ]);
  });

  test('its program deleted by hand leaves a trace', () => {
    const staged = made.commandCask(prefix, 'claude-code', '2.1.120', 'claude');
    fs.rmSync(path.join(staged, 'claude'));
    expect(rows(scanMachine())).toEqual([
      'claude-code 2.1.120 residual cask /opt/homebrew/Caskroom/claude-code/2.1.120',
    ]);
  });

  test("an app in the machine's folder is installed, with the whole version", () => {
    const appFolder = path.join(top, 'Applications');
    made.appCask(prefix, { token: 'cursor', version: '3.12.10,24a12dbd', appFolder }, 'Cursor');
    expect(scanMachine().components).toMatchObject([
      { tool: 'cursor', version: '3.12.10,24a12dbd', state: 'installed', confidence: 'high' },
    ]);
  });

  test('C038 a record whose app went to the bin is a trace, wherever the record points', () => {
    const appFolder = path.join(top, 'Applications');
    const app = made.appCask(prefix, { token: 'cursor', version: '3.12.10', appFolder }, 'Cursor');
    fs.rmSync(app, { recursive: true });
    const result = scanMachine();
    expect(rows(result)).toEqual([
      'cursor 3.12.10 residual cask /opt/homebrew/Caskroom/cursor/3.12.10',
    ]);
    expect(result.components[0]?.evidence).toContain('program missing');
  });

  test('an app is found where it was told to go and under the name it was given', () => {
    const artifacts = [
      { app: ['Cursor.app', { target: 'Editor.app' }] },
      { zap: [{ trash: '~/x' }] },
    ];
    made.cask(prefix, { token: 'cursor', version: '3.1', artifacts, appFolder: '/Users/ana/Apps' });
    expect(scanMachine().components).toMatchObject([{ state: 'residual' }]);
    place(home, 'Apps/Editor.app/Contents/Info.plist', '<plist/>');
    expect(scanMachine().components).toMatchObject([{ state: 'installed' }]);
  });

  test('a command inside an app counts by the app', () => {
    const artifacts = [
      { app: ['Cursor.app'] },
      { binary: ['$APPDIR/Cursor.app/Contents/Resources/app/bin/code', { target: 'cursor' }] },
    ];
    made.cask(prefix, { token: 'cursor', version: '3.1', artifacts });
    expect(scanMachine().components).toMatchObject([{ state: 'residual' }]);
    program(top, 'Applications/Cursor.app/Contents/Resources/app/bin/code');
    expect(scanMachine().components).toMatchObject([{ state: 'installed' }]);
  });

  test("a record in Homebrew's own language is read where it speaks in plain words", () => {
    const ruby = 'cask "cursor" do\n  version "3.1"\n  app "Cursor.app"\nend\n';
    made.cask(prefix, { token: 'cursor', version: '3.1', artifacts: [], ruby });
    expect(scanMachine().components).toMatchObject([{ state: 'residual', confidence: 'high' }]);
    place(top, 'Applications/Cursor.app/Contents/Info.plist', '<plist/>');
    expect(scanMachine().components).toMatchObject([{ state: 'installed' }]);
  });

  test('a name that the record computes is left to what lies in the folder', () => {
    const ruby = 'cask "codex" do\n  binary "codex-#{arch}-apple-darwin", target: "codex"\nend\n';
    const staged = made.cask(prefix, { token: 'codex', version: '0.141.0', artifacts: [], ruby });
    expect(scanMachine().components).toMatchObject([{ state: 'residual' }]);
    program(staged, 'codex-aarch64-apple-darwin');
    expect(scanMachine().components).toMatchObject([{ state: 'installed', confidence: 'medium' }]);
  });

  test('a version folder without a record does not borrow the app of the version in use', () => {
    const appFolder = path.join(top, 'Applications');
    made.appCask(prefix, { token: 'cursor', version: '3.2', appFolder }, 'Cursor');
    link(prefix, 'Caskroom/cursor/3.1/Cursor.app', path.join(appFolder, 'Cursor.app'));
    expect(scanMachine().components.map(({ version, state }) => `${version} ${state}`)).toEqual([
      '3.1 residual',
      '3.2 installed',
    ]);
  });

  test('of two records the one written last is in use', () => {
    const appFolder = path.join(top, 'Applications');
    const old = { token: 'cursor', version: '3.10', time: '20260101120000.000', appFolder };
    made.appCask(prefix, old, 'Cursor');
    const late = { ...old, version: '3.9', time: '20260202120000.000' };
    made.appCask(prefix, late, 'Cursor');
    expect(scanMachine().components.map(({ version, state }) => `${version} ${state}`)).toEqual([
      '3.10 residual',
      '3.9 installed',
    ]);
  });

  test('a half-written record marks the root, and the folder speaks with less certainty', () => {
    made.commandCask(prefix, 'claude-code', '2.1.120', 'claude');
    const folder = 'Caskroom/claude-code/.metadata/2.1.120/20260701120000.000/Casks';
    fs.truncateSync(path.join(prefix, folder, 'claude-code.json'), 20);
    const result = scanMachine();
    expect(result.status).toBe('partial');
    expect(result.components).toMatchObject([{ state: 'installed', confidence: 'medium' }]);
  });

  test.each([
    '[]',
    'null',
    '7',
    '{"artifacts":{"app":1}}',
    '{"artifacts":[null,{"app":[]},{"app":[7]}]}',
  ])('a record of another shape says nothing: %s', (text) => {
    const staged = made.cask(prefix, { token: 'cursor', version: '3.1', artifacts: [] });
    const folder = 'Caskroom/cursor/.metadata/3.1/20260701120000.000/Casks/cursor.json';
    place(prefix, folder, text);
    program(staged, 'cursor');
    expect(scanMachine().components).toMatchObject([{ state: 'installed', confidence: 'medium' }]);
  });

  test('a record nested without end costs that record alone', () => {
    made.commandCask(prefix, 'claude-code', '2.1.120', 'claude');
    made.commandCask(prefix, 'codex', '0.141.0', 'codex');
    const folder = 'Caskroom/codex/.metadata/0.141.0/20260701120000.000/Casks';
    place(prefix, `${folder}/codex.json`, `{"artifacts":${'['.repeat(100_000)}`);
    const result = scanMachine();
    expect(result.status).toBe('partial');
    expect(result.components.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'claude-code installed',
      'codex installed',
    ]);
  });

  test('a record cannot call something else on the machine its program', () => {
    const artifacts = [{ app: ['../../../../../etc/passwd'] }, { binary: ['a\u0000b'] }];
    made.cask(prefix, { token: 'cursor', version: '3.1', artifacts });
    place(top, 'etc/passwd', 'ana:x:1001:1001::/Users/ana:/bin/zsh\n');
    expect(scanMachine().components).toMatchObject([{ state: 'residual' }]);
  });

  test('casks of other names are nothing', () => {
    const appFolder = path.join(top, 'Applications');
    made.appCask(prefix, { token: 'gemini', version: '2.9.11', appFolder }, 'Gemini 2');
    made.appCask(prefix, { token: 'cursor-pro', version: '1.0', appFolder }, 'Cursor Pro');
    expect(rows(scanMachine())).toEqual([]);
  });
});
