/** Vendors' own folders that a person's variables move: each person's as their start files say, in the home alone. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { executables } from '../../agent/detect/executables.js';
import { processes } from '../../agent/detect/processes.js';
import { folderWorld, parseAccounts } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { link, place, program } from '../worlds/native.js';

const catalogue = builtInCatalogue();
let root = '';

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-moved-'));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const accounts = parseAccounts([
  { name: 'ana', uid: 1000, home: '/home/ana', shell: '/bin/zsh' },
  { name: 'ben', uid: 1001, home: '/home/ben', shell: '/bin/zsh' },
]);

function scan(...programs: readonly string[]): ScanResult {
  const listed = programs.map((exe, at) => {
    return { pid: at + 1, uid: 1000, account: 'ana', comm: 'claude', exe, cwd: '/', argv: [exe] };
  });
  const world = folderWorld(root, 'linux', { catalogue, accounts, processes: listed });
  return scanWorld(world, { detectors: [executables, processes] });
}

test('a version in a folder of data that was moved is the tool of its own installer', () => {
  place(root, 'home/ana/.zshenv', 'export XDG_DATA_HOME="$HOME/.data"\n');
  place(root, 'home/ben/.zshenv', '');
  program(root, 'home/ana/.data/claude/versions/2.1.150');
  link(root, 'home/ana/.local/bin/claude', '/home/ana/.data/claude/versions/2.1.150');
  // Another person's variable moves nothing of ben's.
  program(root, 'home/ben/.data/claude/versions/2.1.100');
  const { components, status } = scan('/home/ana/.data/claude/versions/2.1.150');
  expect(status).toBe('complete');
  expect(components).toMatchObject([
    {
      tool: 'claude-code',
      manager: 'native',
      version: '2.1.150',
      owner: 'ana',
      confidence: 'high',
      path: '/home/ana/.data/claude/versions/2.1.150',
    },
    { tool: 'claude-code', state: 'running', version: '2.1.150', owner: 'ana' },
  ]);
});

test("a folder that is said to lie in somebody else's home moves nothing", () => {
  place(root, 'home/ana/.zshenv', 'export XDG_DATA_HOME=/home/ben/.data\n');
  program(root, 'home/ben/.data/claude/versions/2.1.100');
  program(root, 'home/ana/.local/share/claude/versions/2.1.150');
  expect(scan().components).toMatchObject([{ owner: 'ana', version: '2.1.150' }]);
});
