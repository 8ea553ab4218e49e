/**
 * Roots behind places that cannot be read: what was known of them stays, and their owner is marked. The
 * root itself is then in no plan at all, which must not be taken for its end.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { homesWorld } from '../../agent/detect/world.js';
import { applyReadings, removalConfirmMs } from '../../agent/inventory.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { openStore } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { isRoot } from '../worlds/hostile.js';
import { claudeNative, place, program } from '../worlds/native.js';
import { codex, npmrcPrefix, nvm } from '../worlds/npm.js';
import { aider, pipx } from '../worlds/python.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-unlisted-')));
  fs.chmodSync(top, 0o755);
  home = path.join(top, 'ana');
  fs.mkdirSync(home);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

function scan(): ScanResult {
  if (isRoot) process.seteuid?.(65_534);
  try {
    return scanWorld(homesWorld([home], { catalogue, platform: 'linux' }));
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

const spoils: Readonly<Record<string, (at: string) => void>> = {
  'may not be read': (at) => fs.chmodSync(at, 0o000),
  'is a link to itself'(at) {
    fs.rmSync(at, { recursive: true });
    fs.symlinkSync(at, at);
  },
  'is a FIFO': (at) => {
    fs.rmSync(at, { recursive: true });
    execFileSync('mkfifo', [at]);
  },
  'leads out of the home'(at) {
    fs.renameSync(at, path.join(top, 'elsewhere'));
    fs.symlinkSync(path.join(top, 'elsewhere'), at);
  },
};

const ways: readonly (readonly [string, string, readonly string[], () => void])[] = [
  [
    "nvm's versions",
    '.nvm/versions',
    ['may not be read', 'is a link to itself', 'leads out of the home'],
    () => nvm(home, 'v22.1.0', codex('0.48.0')),
  ],
  [
    "nvm's folder",
    '.nvm',
    ['may not be read', 'is a link to itself', 'leads out of the home'],
    () => nvm(home, 'v22.1.0', codex('0.48.0')),
  ],
  [
    'the npmrc that names the prefix',
    '.npmrc',
    ['may not be read', 'is a link to itself', 'is a FIFO'],
    () => npmrcPrefix(home, '~/deep/own', codex('0.48.0')),
  ],
  [
    'the start file that names a PATH',
    '.profile',
    ['may not be read', 'is a link to itself', 'is a FIFO'],
    () => {
      program(home, 'far/off/claude');
      place(home, '.profile', 'export PATH="$HOME/far/off:$PATH"\n');
      claudeNative(path.join(home, 'far'), ['2.1.120'], null);
      fs.rmSync(path.join(home, 'far/off/claude'));
      fs.symlinkSync('../.local/share/claude/versions/2.1.120', path.join(home, 'far/off/claude'));
    },
  ],
  [
    'the folder of a tool',
    '.local/share/pipx',
    ['may not be read', 'is a link to itself', 'leads out of the home'],
    () => pipx(home, aider('0.86.1')),
  ],
];

test.each(
  ways.flatMap(([name, at, kinds, install]) => kinds.map((kind) => ({ name, kind, at, install }))),
)('what was known stays when $name $kind', ({ kind, at, install }) => {
  install();
  const before = scan();
  expect(before.status).toBe('complete');
  const ids = before.components.map(({ id }) => id);
  expect(ids).not.toEqual([]);
  spoils[kind]?.(path.join(home, at));
  const after = scan();
  expect(after.status).toBe('partial');
  const store = openStore(path.join(top, 'store'));
  applyReadings(store, { readings: before.readings, isFull: true, atMs: 0 });
  for (const atMs of [1_000, 2_000 + removalConfirmMs]) {
    const { removed } = applyReadings(store, { readings: after.readings, isFull: true, atMs });
    expect(removed).toEqual([]);
  }
  const known = new Set(store.components().map(({ component }) => component.id));
  expect(ids.filter((id) => !known.has(id))).toEqual([]);
  store.close();
});
