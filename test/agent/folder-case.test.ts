/**
 * A folder that stands for a Windows machine or a Mac finds names in any case, as those systems do, and
 * tells paths as the disk spells them; one that stands for a Linux machine does not.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderDisk } from '../../agent/detect/disk.js';
import { createReader } from '../../agent/detect/reader.js';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { place } from '../worlds/native.js';
import { codex, npmGlobal } from '../worlds/npm.js';

let top = '';
beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-case-')));
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

test.each(['win32', 'darwin'] as const)('on %s a name is found in any case', (platform) => {
  const [root, asked, told] =
    platform === 'win32'
      ? ['C:\\', 'C:\\users\\ANA\\appdata\\A.TXT', 'C:\\Users\\ana\\AppData\\a.txt']
      : ['/', '/users/ANA/appdata/A.TXT', '/Users/ana/AppData/a.txt'];
  place(top, 'Users/ana/AppData/a.txt', 'here');
  fs.symlinkSync('APPDATA', path.join(top, 'Users/ana/link'));
  const reader = createReader({
    boundary: { within: [root] },
    disk: folderDisk(top, platform),
    platform,
  });
  expect(reader.text(asked)).toBe('here');
  expect(reader.realPath(asked)).toBe(told);
  expect(reader.facts(asked)?.kind).toBe('file');
  expect(reader.realPath(asked.replace('appdata', 'LINK'))).toBe(told);
  expect(reader.text(asked.replace('A.TXT', 'B.TXT'))).toBeNull();
  expect(reader.problems).toEqual([]);
});

test('of two names that differ by case alone the one that was asked for is read', () => {
  place(top, 'Users/ana/a.txt', 'small');
  place(top, 'Users/ana/A.txt', 'large');
  const disk = folderDisk(top, 'darwin');
  const reader = createReader({ boundary: { within: ['/'] }, disk, platform: 'darwin' });
  expect(reader.text('/Users/ana/a.txt')).toBe('small');
  expect(reader.text('/Users/ana/A.txt')).toBe('large');
});

test('on Linux a name in another case is another name', () => {
  place(top, 'home/ana/a.txt', 'here');
  const disk = folderDisk(top, 'linux');
  const reader = createReader({ boundary: { within: ['/'] }, disk, platform: 'linux' });
  expect(reader.text('/home/ana/A.txt')).toBeNull();
});

test('a Windows machine whose folders are spelled in small letters has its packages found', () => {
  npmGlobal(path.join(top, 'users/ana/appdata/roaming/npm'), codex('0.48.0'));
  const from = path.join(top, 'users/ana/appdata/roaming/npm/lib/node_modules');
  if (fs.existsSync(from)) {
    fs.renameSync(from, path.join(top, 'users/ana/appdata/roaming/npm/node_modules'));
  }
  const world = folderWorld(top, 'win32', { catalogue: builtInCatalogue() });
  const tools = scanWorld(world).components.map(({ tool, channel }) => [tool, channel]);
  expect(tools).toContainEqual(['codex-cli', 'npm']);
});
