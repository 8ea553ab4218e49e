/**
 * Situations of `test/cases/README.md` that no layout can hold: what a file is like rather than what is in
 * it (C050), names that no text holds (C052), and a machine with very many people (C055, small here; its full
 * size is in `cases.all.test.ts`). C054 is in `privacy.test.ts`.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { onDisk } from '../../agent/detect/names.js';
import { homesWorld } from '../../agent/detect/world.js';
import { promptText } from '../../agent/employee/texts.js';
import { applyReadings } from '../../agent/inventory.js';
import { componentRecord, jsonLine, peopleTable } from '../../agent/scan-output.js';
import { scanWorld } from '../../agent/scan.js';
import { openStore } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { place } from '../worlds/native.js';
import { codex, gemini, npmGlobal } from '../worlds/npm.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-cases-')));
  home = path.join(top, 'ana');
  fs.mkdirSync(home);
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(top, { recursive: true, force: true });
});

test.each([
  ['darwin', '.npm-global/lib/node_modules', '.claude/settings.json'],
  ['win32', 'AppData/Roaming/npm/node_modules', '.claude/settings.json'],
] as const)(
  'C050 cloud-only files of %s are counted and not pulled down, the rest is scanned',
  (platform, modules, settings) => {
    const prefix = path.join(home, platform === 'darwin' ? '.npm-global' : 'AppData/Roaming/npm');
    npmGlobal(
      platform === 'darwin' ? prefix : path.join(top, 'made'),
      codex('0.48.0'),
      gemini('0.9.0'),
    );
    if (platform === 'win32') {
      fs.mkdirSync(prefix, { recursive: true });
      fs.renameSync(path.join(top, 'made/lib/node_modules'), path.join(prefix, 'node_modules'));
    }
    const clouded = [
      path.join(home, modules, '@openai/codex/package.json'),
      path.join(home, settings),
    ];
    for (const file of clouded) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      // A size without a block is what both systems show of a file that is in the cloud alone.
      fs.writeFileSync(file, '');
      fs.truncateSync(file, 16_384);
      expect(fs.statSync(file)).toMatchObject({ size: 16_384, blocks: 0 });
    }
    const open = fs.openSync.bind(fs);
    const opened: string[] = [];
    vi.spyOn(fs, 'openSync').mockImplementation((file, ...rest) => {
      opened.push(String(file));
      return open(file, ...rest);
    });
    const result = scanWorld(homesWorld([home], { catalogue, platform }));
    expect(opened.filter((file) => clouded.includes(file))).toEqual([]);
    expect(result.components).toContainEqual(
      expect.objectContaining({ tool: 'gemini-cli', version: '0.9.0' }),
    );
    const marked = result.readings.filter(({ problems }) =>
      problems.some(({ code }) => code === 'placeholder'),
    );
    expect(marked.map(({ status }) => status)).toEqual(marked.map(() => 'partial'));
    const said = new Set(marked.flatMap(({ problems }) => problems.map((problem) => problem.path)));
    expect([...said].sort()).toEqual([...clouded].sort());
  },
);

const odd: readonly (readonly [string, Buffer])[] = [
  ['a newline', Buffer.from('evil\n2026-07-10 OK compliant')],
  ['an escape sequence', Buffer.from('\u{1b}[2Kx')],
  ['another direction', Buffer.from('\u{202e}gpj.exe')],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x2d, 0x31])],
  ['the sign for such bytes', Buffer.from('\ufffdff')],
  ['one form of a name', Buffer.from('cafe\u{301}')],
  ['the other form of it', Buffer.from('caf\u{e9}')],
];

test('C052 installs in folders with odd names are one each, lead back to their bytes and show as text', async () => {
  const versions = Buffer.from(path.join(home, '.nvm/versions/node/'));
  npmGlobal(path.join(top, 'prefix'), codex('0.48.0'));
  for (const [, name] of odd) {
    fs.cpSync(path.join(top, 'prefix'), path.join(top, 'copy'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    fs.mkdirSync(versions, { recursive: true });
    fs.renameSync(path.join(top, 'copy'), Buffer.concat([versions, name]));
  }
  const world = homesWorld([home], { catalogue, platform: 'linux' });
  const result = scanWorld(world);
  const found = result.components.filter(({ tool }) => tool === 'codex-cli');
  expect(new Set(found.map(({ id }) => id)).size).toBe(odd.length);

  const store = openStore(path.join(top, 'store'));
  applyReadings(store, { readings: result.readings, isFull: true, atMs: 0 });
  const kept = store
    .components()
    .map(({ component }) => component)
    .filter(({ tool }) => tool === 'codex-cli');
  store.close();
  const names = kept.map((component) => {
    // As the record says, by whichever way: the database, a line of JSON, the path as the system takes it.
    const line = jsonLine(componentRecord({ component, verdict: null }));
    expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    const again = (JSON.parse(line) as { path: string }).path;
    expect(again).toBe(component.path);
    expect(component.path.isWellFormed()).toBe(true);
    const bytes = Buffer.from(onDisk(again));
    expect(fs.statSync(bytes).isDirectory()).toBe(true);
    return bytes.subarray(versions.length).toString('latin1').split('/lib/')[0];
  });
  expect(names.sort()).toEqual(odd.map(([, name]) => name.toString('latin1')).sort());

  const judged = kept.map((component) => ({ component, verdict: null }));
  const table = await peopleTable(judged, { catalogue, homes: [home], pathSeparator: '/' });
  expect(table).not.toMatch(/[\u001b\u202a-\u202e\u2066-\u2069]|^2026-07-10/m);
});

test.each(odd)('C052 a prompt that names a package with %s is plain text', (_, name) => {
  const text = promptText('en', {
    toolName: name.toString('utf8'),
    isInForce: true,
    effective: 0,
    zone: 'UTC',
    daysLeft: 0,
    replacementName: name.toString('utf8'),
    guide: null,
    reason: {},
    organisation: null,
    contact: null,
  });
  expect(text.title + text.body).not.toMatch(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
  );
  expect(text.title).not.toContain('\n');
});

test('C055 of many people those with the tool are found in one scan, each as its owner', () => {
  const names = Array.from({ length: 60 }, (_, count) => `p${String(count).padStart(2, '0')}`);
  for (const name of names)
    fs.mkdirSync(path.join(top, 'many', name, '.config'), { recursive: true });
  for (const name of ['p07', 'p59']) {
    npmGlobal(path.join(top, 'many', name, '.npm-global'), codex('0.48.0'));
  }
  place(top, 'many/p07/.profile', '');
  const homes = names.map((name) => path.join(top, 'many', name));
  const result = scanWorld(homesWorld(homes, { catalogue, platform: 'linux' }));
  expect(result.status).toBe('complete');
  const owners = result.components
    .filter(({ tool }) => tool === 'codex-cli')
    .map(({ owner }) => owner);
  expect([...new Set(owners)].sort()).toEqual(['p07', 'p59']);
});
