/**
 * Extensions that are switched off, as the editor's own state says, and extensions in places other than
 * a dot folder of the home. The state is written by SQLite, as the editor does.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { editors } from '../../agent/detect/editors.js';
import { homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import * as made from '../worlds/editors.js';
import { place } from '../worlds/native.js';

const catalogue = builtInCatalogue();
const claude = { id: 'Anthropic.claude-code', version: '2.1.120' };
const copilot = { id: 'GitHub.copilot', version: '1.400.0' };
let home = '';

beforeEach(() => {
  const top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-state-')));
  home = path.join(top, 'ana');
  fs.mkdirSync(home);
});
afterEach(() => fs.rmSync(path.dirname(home), { recursive: true, force: true }));

const scan = (platform: Platform = 'linux'): ScanResult =>
  scanWorld(homesWorld([home], { catalogue, platform }), { detectors: [editors] });

const rows = (result: ScanResult): string[] =>
  result.components.map(({ name, manager, version, state }) =>
    [name, manager, version, state].join(' '),
  );

/** The state of one profile with ids that are off, between values that are none of our business. */
function writeState(profile: string, off: unknown): string {
  const file = place(path.join(home, profile), 'globalStorage/state.vscdb', '');
  const db = new Database(file);
  db.pragma('synchronous = off');
  db.exec('begin; CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)');
  const add = db.prepare('insert into ItemTable values (?, ?)');
  for (let count = 0; count < 400; count += 1) add.run(`memento/${count}`, 'x'.repeat(count * 20));
  add.run('extensionsIdentifiers/enabled', '[{"id":"anthropic.claude-code"}]');
  add.run('extensionsIdentifiers/disabled', typeof off === 'string' ? off : JSON.stringify(off));
  add.run('secret://x', 'CANARY');
  db.exec('commit');
  db.close();
  return file;
}
const user = '.config/Code/User';
const off = (...ids: readonly string[]): unknown =>
  ids.map((id) => ({ id, uuid: '00000000-0000-4000-8000-000000000001' }));

describe('an extension that is switched off', () => {
  test('is disabled, and its neighbour is not', () => {
    made.installed(path.join(home, '.vscode/extensions'), claude, copilot);
    writeState(user, off('anthropic.claude-code', 'ms-python.python'));
    const result = scan();
    expect(result.status).toBe('complete');
    expect(rows(result)).toEqual([
      'anthropic.claude-code vscode 2.1.120 disabled',
      'github.copilot vscode 1.400.0 installed',
    ]);
    expect(result.components[0]?.evidence).toContain('state.vscdb');
    expect(JSON.stringify(result)).not.toContain('CANARY');
  });

  test('counts as on in the editor beside it, and on a macOS or Windows machine is read there', () => {
    made.installed(path.join(home, '.cursor/extensions'), claude);
    writeState(user, off('anthropic.claude-code'));
    expect(rows(scan())).toEqual(['anthropic.claude-code cursor 2.1.120 installed']);
    writeState('Library/Application Support/Cursor/User', off('Anthropic.Claude-Code'));
    expect(rows(scan('darwin'))).toEqual(['anthropic.claude-code cursor 2.1.120 disabled']);
  });

  test('in one profile is on in the other', () => {
    const extensions = path.join(home, '.vscode/extensions');
    made.installed(extensions, claude);
    const profile = `${user}/profiles/5a1b`;
    made.writeList(path.join(home, profile), [made.listEntry(extensions, claude)]);
    writeState(profile, off('anthropic.claude-code'));
    expect(rows(scan())).toEqual(['anthropic.claude-code vscode 2.1.120 installed']);
    writeState(user, off('anthropic.claude-code'));
    expect(rows(scan())).toEqual(['anthropic.claude-code vscode 2.1.120 disabled']);
  });

  test('is not read where no extension is wanted', () => {
    made.installed(path.join(home, '.vscode/extensions'), { id: 'a.b', version: '1.0.0' });
    fs.writeFileSync(writeState(user, []), 'no database');
    expect(scan()).toMatchObject({ status: 'complete', components: [] });
  });
});

test.each(['not json', '{"id":"anthropic.claude-code"}', '7'])(
  'a state that is no list leaves the extension installed and marks the root: %s',
  (text) => {
    made.installed(path.join(home, '.vscode/extensions'), claude);
    writeState(user, text);
    const result = scan();
    expect(rows(result)).toEqual(['anthropic.claude-code vscode 2.1.120 installed']);
    expect(result.status).toBe('partial');
  },
);

test('a damaged state file leaves the extension installed and marks the root', () => {
  made.installed(path.join(home, '.vscode/extensions'), claude);
  const file = writeState(user, off('anthropic.claude-code'));
  fs.truncateSync(file, fs.statSync(file).size / 2);
  const result = scan();
  expect(result.components).toMatchObject([{ name: 'anthropic.claude-code', state: 'installed' }]);
  expect(result.status).toBe('partial');
});

describe('other places', () => {
  test.each([
    ['.var/app/com.visualstudio.code', 'data/vscode/extensions', 'config/Code/User', 'vscode'],
    ['.var/app/com.vscodium.codium', 'data/codium/extensions', 'config/VSCodium/User', 'vscodium'],
    ['snap/code/common', '.vscode/extensions', '.config/Code/User', 'vscode'],
    ['.local/share/code-server', 'extensions', 'User', 'code-server'],
  ])('%s is read with the state beside it', (folder, extensions, state, manager) => {
    made.installed(path.join(home, folder, extensions), claude, copilot);
    writeState(path.join(folder, state), off('github.copilot'));
    expect(rows(scan())).toEqual([
      `anthropic.claude-code ${manager} 2.1.120 installed`,
      `github.copilot ${manager} 1.400.0 disabled`,
    ]);
  });

  test('the revision in use and its number are one folder of a snap', () => {
    made.installed(path.join(home, 'snap/code/211/.vscode/extensions'), claude);
    fs.symlinkSync('211', path.join(home, 'snap/code/current'));
    expect(rows(scan())).toEqual(['anthropic.claude-code vscode 2.1.120 installed']);
  });

  test.each([
    ['.bashrc', 'export VSCODE_EXTENSIONS="$HOME/ext"'],
    ['.zshrc', "alias code='code --extensions-dir ~/ext --new-window'"],
    ['.config/fish/config.fish', 'alias code "code --extensions-dir=$HOME/ext"'],
  ])('a folder that %s names is read', (file, line) => {
    made.installed(path.join(home, 'ext'), claude);
    place(home, file, `${line}\n`);
    expect(rows(scan())).toEqual(['anthropic.claude-code vscode 2.1.120 installed']);
  });

  test('a folder in another home is not', () => {
    const other = path.join(path.dirname(home), 'ben/ext');
    made.installed(other, claude);
    place(home, '.bashrc', `export VSCODE_EXTENSIONS=${other}\n`);
    expect(scan()).toMatchObject({ status: 'complete', components: [] });
  });

  test('a portable copy keeps its own, known by its product record', () => {
    const product = JSON.stringify({ dataFolderName: '.vscode-oss' });
    const program = path.join(home, 'opt/VSCodium');
    place(program, 'resources/app/product.json', product);
    made.installed(path.join(program, 'data/extensions'), claude);
    made.installed(path.join(home, 'work/data/extensions'), copilot);
    expect(rows(scan())).toEqual(['anthropic.claude-code vscodium 2.1.120 installed']);
  });

  test('on macOS the folder lies beside the bundle', () => {
    made.installed(path.join(home, 'Applications/code-portable-data/extensions'), claude);
    expect(rows(scan('darwin'))).toEqual(['anthropic.claude-code vscode 2.1.120 installed']);
  });
});
