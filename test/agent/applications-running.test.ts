/**
 * Running programs of applications and packages: what they are is what the bundle, the mount, the
 * package or the menu entry says, and never their name alone.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { executables } from '../../agent/detect/executables.js';
import type { ProcessEntry } from '../../agent/detect/index.js';
import { processes } from '../../agent/detect/processes.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Component, Platform } from '../../policies/component.js';
import { bundle, infoPlist, menuEntry, unpackedEditor } from '../worlds/applications.js';
import { place, program } from '../worlds/native.js';
import { dpkgFiles } from '../worlds/packages.js';

const catalogue = builtInCatalogue();
const cursorId = 'com.todesktop.230313mzl4w4u92';
let root = '';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-running-')));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const entry = (exe: string, argv: readonly string[] = [exe]): ProcessEntry => ({
  pid: 7,
  uid: null,
  account: 'ana',
  comm: null,
  exe,
  cwd: '/',
  argv,
});
const running = (platform: Platform, ...exes: readonly string[]): readonly Component[] => {
  const world = folderWorld(root, platform, {
    catalogue,
    processes: exes.map((exe) => entry(exe)),
  });
  return scanWorld(world, { detectors: [processes] }).components;
};

test('all programs inside a bundle are the one application, wherever it lies', () => {
  const at = bundle(path.join(root, 'opt'), 'Editor', { id: cursorId, version: '1.7.3' });
  const inner = 'Contents/Frameworks/Cursor Helper (GPU).app';
  place(at, `${inner}/Contents/Info.plist`, infoPlist({ id: 'com.example.helper' }));
  program(at, `${inner}/Contents/MacOS/Cursor Helper (GPU)`);
  const files = ['Contents/MacOS/Editor', `${inner}/Contents/MacOS/Cursor Helper (GPU)`];
  expect(running('darwin', ...files.map((file) => `/opt/Editor.app/${file}`))).toMatchObject([
    {
      tool: 'cursor',
      channel: 'process',
      manager: 'bundle',
      version: '1.7.3',
      path: '/opt/Editor.app',
      owner: 'ana',
      state: 'running',
    },
  ]);
});

test('a bundle of another vendor, and one where macOS would ask, are not', () => {
  bundle(path.join(root, 'Applications'), 'Cursor', { id: 'com.example.mouse' });
  bundle(path.join(root, 'Users/ana/Downloads'), 'Cursor', { id: cursorId });
  const files = ['/Applications', '/Users/ana/Downloads'].map((folder) => {
    return `${folder}/Cursor.app/Contents/MacOS/Cursor`;
  });
  expect(running('darwin', ...files)).toEqual([]);
});

test('an AppImage is known by its mount and its program together', () => {
  const mounts = ['Cursor', 'Editor', 'cursor'].map((name) => `/tmp/.mount_${name}x1Y2z3`);
  expect(
    running(
      'linux',
      `${mounts[0]}/usr/share/cursor/cursor`,
      `${mounts[1]}/usr/share/cursor/cursor`,
      `${mounts[2]}/usr/bin/theme`,
    ),
  ).toMatchObject([{ tool: 'cursor', manager: 'appimage', state: 'running' }]);
});

test('a program that a package or an entry leads to is; one of the same name alone is not', () => {
  const shipped = '/usr/share/windsurf/windsurf';
  dpkgFiles(root, 'windsurf', [shipped]);
  unpackedEditor(path.join(root, 'opt/Zed'), 'zed', '1');
  menuEntry(path.join(root, 'usr/share/applications'), 'dev.zed.Zed', '/opt/Zed/zed');
  for (const file of [shipped, '/srv/windsurf', '/srv/zed']) program(root, file);
  const found = running('linux', shipped, '/opt/Zed/zed', '/srv/windsurf', '/srv/zed');
  expect(found.map(({ tool, path: at }) => `${tool} ${at}`)).toEqual([
    `windsurf ${shipped}`,
    'zed /opt/Zed/zed',
  ]);
});

test('a command that is the tool by its name alone is the tool too while it runs, and elsewhere it is not', () => {
  program(root, 'usr/bin/ollama');
  program(root, 'opt/other/ollama');
  const entry = (pid: number, exe: string): object => {
    return {
      pid,
      uid: 996,
      account: 'ollama',
      comm: 'ollama',
      exe,
      cwd: '/',
      argv: [exe, 'serve'],
    };
  };
  const listed = [entry(1, '/usr/bin/ollama'), entry(2, '/opt/other/ollama')];
  const world = folderWorld(root, 'linux', { catalogue, processes: listed as ProcessEntry[] });
  const told = scanWorld(world, { detectors: [executables, processes] }).components;
  expect(told).toMatchObject([
    { channel: 'executable', tool: 'ollama', state: 'installed', confidence: 'low' },
    {
      channel: 'process',
      tool: 'ollama',
      state: 'running',
      confidence: 'medium',
      path: '/usr/bin/ollama',
    },
  ]);
});
