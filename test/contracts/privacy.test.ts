/**
 * C054: what a scan of a Mac touches. Every call on the file system is recorded by its path, on a home
 * of all cases with all folders for which macOS asks the person, and links from ordinary places into them.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { World } from '../../agent/detect/index.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { prepareScan, scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { link, place, program } from '../worlds/native.js';
import { codex, npmGlobal } from '../worlds/npm.js';
import { overlayCases, writeSecrets } from './secrets.js';

const catalogue = builtInCatalogue();
const guarded = [
  ...['Desktop', 'Documents', 'Downloads', 'Pictures', 'Movies', 'Music'],
  ...['Mail', 'Messages', 'Containers', 'Mobile Documents'].map((name) => `Library/${name}`),
];
let top = '';
let home = '';

beforeAll(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-privacy-')));
  home = path.join(top, 'Users/ana');
  fs.mkdirSync(home, { recursive: true });
  writeSecrets(home);
  overlayCases(path.resolve(import.meta.dirname, '../cases'), home);
  for (const folder of guarded) {
    npmGlobal(path.join(home, folder, 'npm'), codex('0.48.0'));
    place(
      home,
      `${folder}/shop/node_modules/@openai/codex/package.json`,
      '{"name": "@openai/codex"}',
    );
    program(home, `${folder}/bin/claude`);
  }
  place(home, 'notes/plans/a', '');
  // Ordinary places that lead there.
  link(home, '.proto', 'Documents/npm');
  link(home, '.rye', path.join(home, 'Library/Mobile Documents/npm'));
  link(home, 'code/linked', '../Desktop/shop');
  link(home, '.local/bin/claude-linked', '../../Downloads/bin/claude');
  fs.appendFileSync(
    path.join(home, '.zshrc'),
    '\nexport PATH="$HOME/Downloads/bin:$HOME/Music/bin:$PATH"\n',
  );
});
afterAll(() => fs.rmSync(top, { recursive: true, force: true }));

const watched = [
  'lstatSync',
  'statSync',
  'openSync',
  'opendirSync',
  'readlinkSync',
  'readdirSync',
  'readFileSync',
  'existsSync',
  'accessSync',
] as const;

interface Seen {
  readonly result: ScanResult;
  /** Every path that was handed to the operating system. */
  readonly touched: readonly string[];
}

/** Scans with every call on the file system recorded. */
async function record(make: () => World): Promise<Seen> {
  const touched: string[] = [];
  const original = Object.fromEntries(watched.map((name) => [name, fs[name]]));
  const native = fs.realpathSync.native;
  for (const name of watched) {
    const call = original[name] as (...all: unknown[]) => unknown;
    vi.spyOn(fs, name).mockImplementation(((...all: unknown[]) => {
      touched.push(String(all[0]));
      return call.apply(fs, all);
    }) as never);
  }
  vi.spyOn(fs.realpathSync, 'native').mockImplementation(((at: string, ...rest: []) => {
    touched.push(at);
    return native(at, ...rest);
  }) as never);
  try {
    const world = make();
    await prepareScan(world);
    return { result: scanWorld(world), touched };
  } finally {
    vi.restoreAllMocks();
  }
}

const exe = (): string => path.join(home, 'Downloads/Cursor.app/Contents/MacOS/Cursor');
const processes = () => [
  {
    pid: 1,
    uid: null,
    account: 'ana',
    comm: 'Cursor',
    exe: exe(),
    cwd: path.join(home, 'Desktop'),
    argv: [exe()],
  },
  {
    pid: 2,
    uid: null,
    account: 'ana',
    comm: 'node',
    exe: '/usr/bin/node',
    cwd: path.join(home, 'Documents'),
    argv: ['node', 'x.js'],
  },
];

test.each([
  [
    'a home',
    false,
    () => homesWorld([home], { catalogue, platform: 'darwin', processes: processes() }),
  ],
  [
    'a home, deep',
    true,
    () =>
      homesWorld([home], { catalogue, platform: 'darwin', isDeep: true, processes: processes() }),
  ],
  ['a machine', false, () => folderWorld(top, 'darwin', { catalogue, processes: processes() })],
  ['a machine, deep', true, () => folderWorld(top, 'darwin', { catalogue, isDeep: true })],
] as const)('C054 a scan of %s touches no folder that macOS guards', async (_, isDeep, make) => {
  const { result, touched } = await record(make);
  expect(touched.length).toBeGreaterThan(500);
  expect(result.components.length).toBeGreaterThan(30);
  const below = touched
    .filter((at) => at.startsWith(`${home}/`))
    .map((at) => at.slice(home.length + 1));
  const wrong = below.filter((at) =>
    guarded.some((folder) => at === folder || at.startsWith(`${folder}/`)),
  );
  expect([...new Set(wrong)]).toEqual([]);
  // A home's own names are read, for an editor that nobody knows yet (C009); it is never walked.
  const folders = new Set(below.map((at) => at.split('/')[0]));
  if (!isDeep) expect(folders).not.toContain('notes');
});

test('C054 what an ordinary place leads to there is said, and counts as not read', async () => {
  const { result } = await record(() => homesWorld([home], { catalogue, platform: 'darwin' }));
  const said = result.readings.flatMap(({ problems }) =>
    problems.filter(({ code }) => code === 'guarded'),
  );
  expect(said.map(({ path: at }) => at).some((at) => at.includes('/.proto'))).toBe(true);
  expect(result.status).toBe('partial');
});
