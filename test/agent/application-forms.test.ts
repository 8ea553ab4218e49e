/**
 * Applications in places and forms that are less usual, each still told once: signed by somebody, kept on
 * another disk or in a folder of their own, made for the iPad, or with another tool's command inside.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applications } from '../../agent/detect/applications.js';
import { executables } from '../../agent/detect/executables.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import { bundle, infoPlist, menuEntry, unpackedEditor } from '../worlds/applications.js';
import { link, place, program } from '../worlds/native.js';
import { machO, signature, universal } from '../worlds/programs.js';

const catalogue = builtInCatalogue();
const cursorId = 'com.todesktop.230313mzl4w4u92';
let root = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-forms-')));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const scan = (platform: Platform): ScanResult =>
  scanWorld(folderWorld(root, platform, { catalogue }), { detectors: [applications, executables] });

describe('the team that signed a macOS application', () => {
  const write = (bytes: Buffer): void => {
    bundle(path.join(root, 'Applications'), 'Claude', {
      id: 'com.anthropic.claudefordesktop',
      version: '0.14.10',
    });
    fs.writeFileSync(path.join(root, 'Applications/Claude.app/Contents/MacOS/Claude'), bytes);
  };
  const own = machO(signature('com.anthropic.claudefordesktop', 'Q6L2SF6YDW'));

  test('is read in its main program, for one processor or several', () => {
    const found = { publisher: 'Q6L2SF6YDW', evidence: ['Info.plist', 'code signature'] };
    write(own);
    expect(scan('darwin').components).toMatchObject([found]);
    write(universal(own));
    expect(scan('darwin').components).toMatchObject([found]);
  });

  test('is nobody for a signature that anyone can make, or none', () => {
    write(machO(signature('com.anthropic.claudefordesktop', null)));
    expect(scan('darwin').components).toMatchObject([
      { publisher: null, evidence: ['Info.plist'] },
    ]);
    write(Buffer.from('#!/bin/sh\n'));
    expect(scan('darwin').components).toMatchObject([{ publisher: null }]);
  });

  test('a program that is cut short or is no file at all costs the bundle nothing', () => {
    write(own.subarray(0, own.length - 60));
    expect(scan('darwin')).toMatchObject({ status: 'complete', components: [{ publisher: null }] });
    const file = path.join(root, 'Applications/Claude.app/Contents/MacOS/Claude');
    fs.rmSync(file);
    fs.mkdirSync(file);
    expect(scan('darwin')).toMatchObject({ status: 'complete', components: [{ publisher: null }] });
  });

  test('a record that names a program elsewhere leads nowhere', () => {
    write(own);
    place(root, 'Users/ana/secret', 'x');
    const record = infoPlist({ id: 'dev.kiro.desktop', name: '../../../../Users/ana/secret' });
    place(root, 'Applications/Kiro.app/Contents/Info.plist', record);
    const kiro = scan('darwin').components.find(({ tool }) => tool === 'kiro');
    expect(kiro).toMatchObject({ publisher: null });
  });
});

describe('on macOS', () => {
  test('an application that a link leads to on another disk is installed there', () => {
    bundle(path.join(root, 'Volumes/Disk'), 'Cursor', { id: cursorId, version: '2.0.34' });
    link(root, 'Applications/Cursor.app', '/Volumes/Disk/Cursor.app');
    expect(scan('darwin')).toMatchObject({
      status: 'complete',
      components: [{ tool: 'cursor', version: '2.0.34', path: '/Volumes/Disk/Cursor.app' }],
    });
  });

  test('a link into the home of somebody else is not followed', () => {
    bundle(path.join(root, 'Users/ben/Apps'), 'Cursor', { id: cursorId, version: '2.0.34' });
    link(root, 'Users/ana/Applications/Cursor.app', '/Users/ben/Apps/Cursor.app');
    expect(scan('darwin').components).toEqual([]);
  });

  test('an app of the iPad has its record in the bundle inside', () => {
    const inside = 'Applications/ChatGPT.app/Wrapper/ChatGPT.app';
    place(root, `${inside}/Info.plist`, infoPlist({ id: 'com.openai.chat', version: '1.2025.1' }));
    link(root, 'Applications/ChatGPT.app/WrappedBundle', 'Wrapper/ChatGPT.app');
    expect(scan('darwin').components).toMatchObject([
      { tool: 'chatgpt-classic', version: '1.2025.1', path: '/Applications/ChatGPT.app' },
    ]);
  });

  test('a record may be in UTF-16', () => {
    const record = infoPlist({ id: cursorId, version: '2.0.34' });
    const bytes = Buffer.from(`\ufeff${record.replace('UTF-8', 'UTF-16')}`, 'utf16le');
    place(root, 'Applications/Cursor.app/Contents/Info.plist', '');
    fs.writeFileSync(path.join(root, 'Applications/Cursor.app/Contents/Info.plist'), bytes);
    expect(scan('darwin').components).toMatchObject([{ tool: 'cursor', version: '2.0.34' }]);
  });

  test('without a version for people that of the build stands', () => {
    const record = infoPlist({ id: 'dev.zed.Zed' });
    const build = '<key>CFBundleVersion</key><string>0.207.3</string>\n</dict>\n</plist>';
    const text = record.replace('</dict>\n</plist>', build);
    place(root, 'Applications/Zed.app/Contents/Info.plist', text);
    expect(scan('darwin').components).toMatchObject([{ tool: 'zed', version: '0.207.3' }]);
  });

  test('a command that lies in the application of another tool is a part of that one', () => {
    bundle(path.join(root, 'Applications'), 'Codex', { id: 'com.openai.codex', version: '26.1' });
    program(root, 'Applications/Codex.app/Contents/Resources/codex');
    link(root, 'usr/local/bin/codex', '/Applications/Codex.app/Contents/Resources/codex');
    const told = scan('darwin').components.map(({ tool, state }) => [tool, state]);
    expect(told).toEqual([
      ['codex-app', 'installed'],
      ['codex-cli', 'bundled'],
    ]);
  });
});

describe('on Linux', () => {
  test("a menu entry that starts a program in its vendor's folder is told, once and with its version", () => {
    unpackedEditor(path.join(root, 'usr/share/cursor'), 'cursor', '2.0.34');
    menuEntry(path.join(root, 'usr/share/applications'), 'cursor', '/usr/share/cursor/cursor %F');
    link(root, 'usr/bin/cursor', '/usr/share/cursor/cursor');
    expect(scan('linux').components).toMatchObject([
      { tool: 'cursor', version: '2.0.34', state: 'installed', path: '/usr/share/cursor/cursor' },
    ]);
  });

  test.each([
    ['opt/cursor', null],
    ['home/ana/Applications/Editors', 'ana'],
  ])('an AppImage in a folder of its own, %s, is found', (folder, owner) => {
    program(path.join(root, folder), 'Cursor-1.7.44-x86_64.AppImage');
    expect(scan('linux').components).toMatchObject([{ tool: 'cursor', version: '1.7.44', owner }]);
  });

  test('that AppImage is one install with its command on the PATH', () => {
    program(root, 'opt/cursor/Cursor-1.7.44.AppImage');
    link(root, 'usr/local/bin/cursor', '/opt/cursor/Cursor-1.7.44.AppImage');
    expect(scan('linux').components).toHaveLength(1);
  });
});
