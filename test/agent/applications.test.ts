/**
 * What counts as an installed application: bundle identifiers on macOS, menu entries with the program
 * they start and AppImages on Linux, vendors' folders on Windows. Names that people see prove nothing.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applications } from '../../agent/detect/applications.js';
import { executables } from '../../agent/detect/executables.js';
import type { World } from '../../agent/detect/index.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component, Platform } from '../../policies/component.js';
import { bundle, infoPlist, menuEntry, unpackedEditor } from '../worlds/applications.js';
import { writeHive } from '../worlds/hive.js';
import { link, place, program } from '../worlds/native.js';
import { dpkgFiles, dpkgRecord, dpkgStatus } from '../worlds/packages.js';

const catalogue = builtInCatalogue();
const cursorId = 'com.todesktop.230313mzl4w4u92';
let root = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-applications-')));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function scan(platform: Platform, change: Partial<World> = {}): ScanResult {
  const world = { ...folderWorld(root, platform, { catalogue }), ...change };
  return scanWorld(world, { detectors: [applications, executables] });
}

const look = (platform: Platform): readonly Component[] => scan(platform).components;
const states = (result: ScanResult): (string | undefined)[] =>
  result.readings.flatMap(({ status, problems }) => (problems.length > 0 ? [status] : []));

describe('on macOS', () => {
  const apps = (): string => path.join(root, 'Applications');
  const own = (): string => path.join(root, 'Users/ana/Applications');

  test('C040: a bundle is known by its identifier, wherever it lies and whatever it is called', () => {
    bundle(path.join(own(), 'Tools'), 'My Editor 2', { id: cursorId, version: '1.7.3' });
    bundle(apps(), 'Cursor', { id: 'com.example.mousecursor', version: '3.0' });
    expect(look('darwin')).toMatchObject([
      {
        tool: 'cursor',
        channel: 'application',
        manager: 'bundle',
        name: cursorId,
        version: '1.7.3',
        path: '/Users/ana/Applications/Tools/My Editor 2.app',
        owner: 'ana',
        state: 'installed',
        confidence: 'high',
        publisher: null,
      },
    ]);
  });

  test('a bundle of the machine belongs to nobody, and without a version none is made up', () => {
    bundle(apps(), 'Claude', { id: 'com.anthropic.claudefordesktop' });
    expect(look('darwin')).toMatchObject([{ tool: 'claude-desktop', owner: null, version: null }]);
  });

  test('the Team ID of a provisioning profile is the publisher', () => {
    const at = bundle(apps(), 'Claude', { id: 'com.anthropic.claudefordesktop' });
    const list =
      '<key>TeamIdentifier</key>\n\t<array>\n\t\t<string>Q6L2SF6YDW</string>\n\t</array>';
    place(at, 'Contents/embedded.provisionprofile', `0\x82*\x86H<plist>${list}</plist>\xff\0`);
    expect(look('darwin')).toMatchObject([{ tool: 'claude-desktop', publisher: 'Q6L2SF6YDW' }]);
  });

  test('a binary property list is read', () => {
    const at = bundle(apps(), 'LM Studio', { id: 'x' });
    // <dict CFBundleIdentifier = ai.elementlabs.lmstudio>, put together byte by byte.
    const [key, value] = ['CFBundleIdentifier', 'ai.elementlabs.lmstudio'];
    const text = (each: string): number[] => [0x5f, 0x10, each.length, ...Buffer.from(each)];
    const bytes = [...Buffer.from('bplist00'), 0xd1, 1, 2, ...text(key), ...text(value)];
    const offsets = [8, 11, 11 + 3 + key.length];
    const trailer = Buffer.alloc(32);
    trailer.set([1, 1], 6);
    trailer.set([3], 15);
    trailer.set([bytes.length], 31);
    const list = Buffer.concat([Buffer.from([...bytes, ...offsets]), trailer]);
    fs.writeFileSync(path.join(at, 'Contents/Info.plist'), list);
    expect(look('darwin')).toMatchObject([{ tool: 'lm-studio', version: null }]);
  });

  test('C040: folders in folders are looked through for bundles', () => {
    bundle(path.join(own(), 'Tools/Editors.localized'), 'My Editor', { id: cursorId });
    const at = bundle(path.join(apps(), 'One/Two'), 'Ollama', { id: 'com.electron.ollama' });
    link(root, 'usr/local/bin/ollama', program(at, 'Contents/Resources/ollama'));
    expect(look('darwin')).toMatchObject([
      { tool: 'ollama', path: '/Applications/One/Two/Ollama.app', owner: null },
      { tool: 'cursor', path: '/Users/ana/Applications/Tools/Editors.localized/My Editor.app' },
    ]);
  });

  test('bundles inside bundles, deeper folders and the Trash are not looked into', () => {
    bundle(path.join(apps(), 'Other.app/Contents/Applications'), 'Cursor', { id: cursorId });
    bundle(path.join(apps(), 'One/Two/Three'), 'Cursor', { id: cursorId });
    bundle(path.join(root, 'Users/ana/.Trash'), 'Cursor', { id: cursorId });
    bundle(path.join(root, 'Users/ana/Downloads'), 'Cursor', { id: cursorId });
    expect(look('darwin')).toEqual([]);
  });

  test('a second name of one bundle is no second install, and a link into a home is not followed', () => {
    bundle(apps(), 'Cursor', { id: cursorId, version: '1.0.0' });
    link(apps(), 'Editor.app', 'Cursor.app');
    const other = bundle(path.join(root, 'Users/ben/Apps'), 'Windsurf', {
      id: 'com.exafunction.windsurf',
    });
    link(apps(), 'Windsurf.app', other);
    const result = scan('darwin');
    expect(result.components).toMatchObject([{ path: '/Applications/Cursor.app' }]);
    expect(result.status).toBe('complete');
    expect(result.readings.flatMap(({ problems }) => problems)).toContainEqual({
      path: '/Applications/Windsurf.app',
      code: 'outside',
      isLoss: false,
    });
  });

  test('a bundle whose cask keeps a link to it says so; one that lies in the cask is Homebrew’s', () => {
    const at = bundle(apps(), 'Cursor', { id: cursorId, version: '1.0.0' });
    link(root, 'opt/homebrew/Caskroom/cursor/1.0.0/Cursor.app', at);
    const staged = path.join(root, 'opt/homebrew/Caskroom/windsurf/1.2');
    link(apps(), 'Windsurf.app', bundle(staged, 'Windsurf', { id: 'com.exafunction.windsurf' }));
    expect(look('darwin')).toMatchObject([
      { path: '/Applications/Cursor.app', evidence: ['Caskroom', 'Info.plist'] },
    ]);
  });

  test('a command inside a bundle is a part of that install', () => {
    const at = bundle(apps(), 'Windsurf', { id: 'com.exafunction.windsurf', version: '1.2.3' });
    const command = program(at, 'Contents/Resources/app/bin/windsurf', '#!/usr/bin/env bash\n');
    link(root, 'usr/local/bin/windsurf', command);
    const ollama = bundle(apps(), 'Ollama', { id: 'com.electron.ollama', version: '0.12.6' });
    link(root, 'usr/local/bin/ollama', program(ollama, 'Contents/Resources/ollama'));
    expect(look('darwin')).toMatchObject([
      { channel: 'application', tool: 'ollama' },
      { channel: 'application', tool: 'windsurf' },
    ]);
  });

  test('a broken record marks the folder, and the other bundles are still found', () => {
    bundle(apps(), 'Cursor', { id: cursorId });
    const broken = bundle(apps(), 'Claude', { id: 'com.anthropic.claudefordesktop' });
    const half = infoPlist({ id: 'com.anthropic.claudefordesktop' }).slice(0, -20);
    fs.writeFileSync(path.join(broken, 'Contents/Info.plist'), half);
    const result = scan('darwin');
    expect(result.components).toMatchObject([{ tool: 'cursor' }]);
    expect(states(result)).toEqual(['partial']);
  });

  test('other software is reported only under a rule that takes the whole channel', () => {
    bundle(apps(), 'Mail', { id: 'com.example.mail', version: '2' });
    expect(look('darwin')).toEqual([]);
    const all = scan('darwin', { wholeChannels: new Set(['application']) });
    expect(all.components).toMatchObject([{ tool: null, name: 'com.example.mail', version: '2' }]);
  });
});

describe('on Linux', () => {
  const home = (): string => path.join(root, 'home/ana');
  const entries = (): string => path.join(home(), '.local/share/applications');

  test('an AppImage and its menu entry are one install with the version of the file', () => {
    program(home(), 'Applications/Cursor-1.7.54-x86_64.AppImage');
    menuEntry(
      entries(),
      'cursor',
      '/home/ana/Applications/Cursor-1.7.54-x86_64.AppImage --no-sandbox %U',
    );
    expect(look('linux')).toMatchObject([
      {
        tool: 'cursor',
        channel: 'application',
        manager: 'appimage',
        name: 'cursor',
        version: '1.7.54',
        path: '/home/ana/Applications/Cursor-1.7.54-x86_64.AppImage',
        owner: 'ana',
        state: 'installed',
        confidence: 'high',
        evidence: ['AppImage', 'desktop entry'],
      },
    ]);
  });

  test.each([
    ['LM-Studio-0.3.30-4-x64.AppImage', 'lm-studio', '0.3.30'],
    ['Cursor-0.47.8-82ef0f61.deb.glibc2.25-x86_64.AppImage', 'cursor', '0.47.8'],
    ['cursor_1.2.3_amd64.appimage', 'cursor', '1.2.3'],
    ['Windsurf.AppImage', 'windsurf', null],
  ])('an AppImage without an entry is known by its file: %s', (file, tool, version) => {
    program(home(), `AppImages/${file}`);
    expect(look('linux')).toMatchObject([{ tool, version, confidence: 'medium' }]);
  });

  test.each(['Cursor-theme-1.0.AppImage', 'mycursor.AppImage', 'cursor', 'cursor.AppImage.zsync'])(
    'a file that only resembles one is none: %s',
    (file) => {
      program(home(), `Applications/${file}`);
      expect(look('linux')).toEqual([]);
    },
  );

  test('an AppImage that may not be run is a trace', () => {
    place(home(), 'Applications/Cursor-1.7.54.AppImage', 'BIN');
    expect(look('linux')).toMatchObject([{ tool: 'cursor', state: 'residual' }]);
  });

  test('an AppImage anywhere in the home is found by the entry that starts it', () => {
    program(home(), 'tools/x/Cursor-2.0.0.AppImage');
    menuEntry(entries(), 'my-editor', '"/home/ana/tools/x/Cursor-2.0.0.AppImage" %F');
    expect(look('linux')).toMatchObject([{ tool: 'cursor', version: '2.0.0' }]);
  });

  test('a renamed AppImage is taken on the word of its entry, with little confidence', () => {
    program(home(), 'Applications/editor.AppImage');
    menuEntry(
      entries(),
      'cursor',
      'env DESKTOPINTEGRATION=1 /home/ana/Applications/editor.AppImage',
    );
    expect(look('linux')).toMatchObject([{ tool: 'cursor', version: null, confidence: 'low' }]);
  });

  test('a title, a similar id, or an id with a program of another name is not the tool', () => {
    program(root, 'usr/bin/pointer-theme-settings');
    program(root, 'usr/bin/cursor-theme');
    menuEntry(entries(), 'cursor-theme', 'cursor-theme', 'Name=Cursor\n');
    menuEntry(entries(), 'cursor', '/usr/bin/pointer-theme-settings');
    expect(look('linux')).toEqual([]);
  });

  test('an unpacked editor is its program, with the version of its own record', () => {
    unpackedEditor(path.join(root, 'opt/Windsurf'), 'windsurf', '1.12.20');
    menuEntry(path.join(root, 'usr/share/applications'), 'windsurf', '/opt/Windsurf/windsurf %F');
    expect(look('linux')).toMatchObject([
      { tool: 'windsurf', version: '1.12.20', path: '/opt/Windsurf/windsurf', owner: null },
    ]);
  });

  test('its launcher on the PATH is no second install', () => {
    const at = path.join(root, 'usr/share/windsurf');
    unpackedEditor(at, 'windsurf', '1.12.20');
    link(root, 'usr/bin/windsurf', program(at, 'bin/windsurf', '#!/usr/bin/env sh\nexec x\n'));
    menuEntry(
      path.join(root, 'usr/share/applications'),
      'windsurf',
      '/usr/share/windsurf/windsurf',
    );
    expect(look('linux')).toMatchObject([{ channel: 'application', version: '1.12.20' }]);
  });

  test('a program in the home and its command are one install', () => {
    program(home(), '.local/zed.app/bin/zed');
    link(home(), '.local/bin/zed', '../zed.app/bin/zed');
    menuEntry(entries(), 'dev.zed.Zed', '/home/ana/.local/zed.app/bin/zed %U');
    expect(look('linux')).toMatchObject([
      { tool: 'zed', channel: 'application', path: '/home/ana/.local/zed.app/bin/zed' },
    ]);
  });

  test('entries that are FIFOs, loops, huge or no text harm nothing but what they say', () => {
    program(home(), 'Applications/Cursor-1.7.54.AppImage');
    fs.mkdirSync(entries(), { recursive: true });
    execFileSync('mkfifo', [path.join(entries(), 'windsurf.desktop')]);
    link(entries(), 'lm-studio.desktop', 'lm-studio.desktop');
    fs.truncateSync(place(entries(), 'cursor.desktop', ''), 200 * 1024 * 1024);
    fs.writeFileSync(path.join(entries(), 'x.desktop'), Buffer.from([0xff, 0xfe, 0, 0x5b]));
    const result = scan('linux');
    expect(result.components).toMatchObject([{ tool: 'cursor', confidence: 'medium' }]);
    expect(states(result)).toEqual(['partial']);
  });

  test('what a package has put there is the package channel’s to tell', () => {
    const files = ['/usr/share/windsurf/windsurf', '/usr/share/windsurf/bin/windsurf'];
    dpkgStatus(root, dpkgRecord({ name: 'windsurf', version: '1.12.20' }));
    dpkgFiles(root, 'windsurf', files);
    for (const file of files) program(root, file);
    link(root, 'usr/bin/windsurf', '/usr/share/windsurf/bin/windsurf');
    menuEntry(
      path.join(root, 'usr/share/applications'),
      'windsurf',
      '/usr/share/windsurf/windsurf',
    );
    expect(look('linux')).toEqual([]);
  });

  test('an entry whose program is gone is a trace; one that flatpak or snap starts says nothing', () => {
    menuEntry(entries(), 'cursor', '/home/ana/Applications/Cursor-1.0.AppImage');
    menuEntry(entries(), 'windsurf', '/usr/bin/flatpak run com.example.Windsurf');
    menuEntry(entries(), 'lm-studio', '/snap/bin/lm-studio');
    expect(look('linux')).toMatchObject([
      {
        tool: 'cursor',
        state: 'residual',
        path: '/home/ana/.local/share/applications/cursor.desktop',
      },
    ]);
  });

  test('an entry that was hidden, and one that leads into another home, bring nothing', () => {
    program(root, 'home/ben/Applications/Cursor-1.7.54.AppImage');
    menuEntry(entries(), 'cursor', '/home/ben/Applications/Cursor-1.7.54.AppImage');
    menuEntry(entries(), 'windsurf', '/opt/windsurf/windsurf', 'Hidden=true\n');
    const result = scan('linux');
    expect(result.components.map(({ owner }) => owner)).toEqual(['ben']);
    const own = result.readings.find(({ root: { path: at } }) =>
      at.endsWith('ana/.local/share/applications'),
    );
    expect(own).toMatchObject({
      status: 'complete',
      components: [],
      problems: [{ code: 'outside', isLoss: false }],
    });
  });
});

describe('on Windows', () => {
  test('C043: files speak for somebody who is signed off, whatever the case of the folder', () => {
    const programs = 'Users/ben/AppData/Local/Programs';
    writeHive(path.join(root, 'Users/ana/NTUSER.DAT'), {});
    unpackedEditor(path.join(root, programs, 'cursor'), 'Cursor.exe', '1.7.54');
    place(root, `${programs}/windsurf/Windsurf.exe`, '');
    const result = scan('win32');
    expect(result.status).toBe('complete');
    expect(result.components).toMatchObject([
      {
        tool: 'cursor',
        channel: 'application',
        version: '1.7.54',
        path: 'C:\\Users\\ben\\AppData\\Local\\Programs\\cursor\\Cursor.exe',
        owner: 'ben',
        state: 'installed',
      },
    ]);
  });

  test('a launcher beside the folders of its versions is no install of its own', () => {
    const at = 'Users/ana/AppData/Local/AnthropicClaude';
    for (const file of ['claude.exe', 'app-1.0.9/claude.exe', 'app-1.1.0/claude.exe']) {
      place(root, `${at}/${file}`, 'MZ');
    }
    const versions = look('win32').map(({ tool, version }) => `${tool} ${version}`);
    expect(versions.sort()).toEqual(['claude-desktop 1.0.9', 'claude-desktop 1.1.0']);
  });

  test('a command in the folder of such a program is a part of it', () => {
    const programs = 'Users/ana/AppData/Local/Programs';
    place(root, `${programs}/Ollama/ollama app.exe`, 'MZ');
    place(root, `${programs}/Ollama/ollama.exe`, 'MZ');
    place(root, `${programs}/Windsurf/Windsurf.exe`, 'MZ');
    place(root, `${programs}/Windsurf/resources/app/bin/windsurf.cmd`, '@echo off\n');
    const folders = ['Ollama', 'Windsurf\\resources\\app\\bin'].map(
      (folder) => `C:\\Users\\ana\\AppData\\Local\\Programs\\${folder}`,
    );
    const { components } = scan('win32', { homePath: new Map([['ana', folders]]) });
    expect(components.map(({ channel, tool }) => `${channel} ${tool}`).sort()).toEqual([
      'application ollama',
      'application windsurf',
    ]);
  });

  test('a folder of another program of the same name is not entered', () => {
    place(root, 'Users/ana/AppData/Local/Programs/Cursor Theme/Cursor.exe', 'MZ');
    place(root, 'Users/ana/AppData/Local/Cursor/Cursor.exe', 'MZ');
    expect(look('win32')).toEqual([]);
  });
});

test('a home alone is looked at as it lies on the disk', () => {
  const home = path.join(root, 'ana');
  bundle(path.join(home, 'Applications'), 'Cursor', { id: cursorId, version: '1.0.0' });
  bundle(path.join(root, 'Applications'), 'Claude', { id: 'com.anthropic.claudefordesktop' });
  const world = homesWorld([home], { catalogue, platform: 'darwin' });
  const { components } = scanWorld(world, { detectors: [applications] });
  expect(components).toMatchObject([
    { tool: 'cursor', path: path.join(home, 'Applications/Cursor.app') },
  ]);
});
