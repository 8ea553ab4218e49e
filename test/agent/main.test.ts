/**
 * The command line as it ships: one bundle, words that lead to commands, and a start that loads no
 * more than the command needs.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const top = path.resolve(import.meta.dirname, '..', '..');
let folder: string;
let inputs: Readonly<
  Record<string, { readonly imports: readonly { path: string; kind: string }[] }>
>;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-main-'));
  const { metafile } = await build({
    absWorkingDir: top,
    entryPoints: { curfew: 'agent/main.ts' },
    outdir: path.join(folder, 'out'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    metafile: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    external: ['better-sqlite3'],
    mainFields: ['module', 'main'],
    logLevel: 'silent',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  inputs = metafile.inputs;
});

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function curfew(...argv: readonly string[]): { exit: number | null; out: string; err: string } {
  const entry = path.join(folder, 'out', 'curfew.mjs');
  const done = spawnSync(process.execPath, [entry, ...argv], { encoding: 'utf8', timeout: 20_000 });
  return { exit: done.status, out: done.stdout, err: done.stderr };
}

test('version prints the version of the package', () => {
  expect(curfew('version')).toEqual({ exit: 0, out: `${manifest.version}\n`, err: '' });
});

test('help lists every command with an example, without a command it is an error', () => {
  const { exit, out } = curfew('--help');
  expect(exit).toBe(0);
  expect(out).toMatch(/^ {2}scan .*\n .*curfew scan /m);
  expect(curfew()).toEqual({ exit: 2, out: '', err: out });
});

test('a slip of the pen is answered with the word that was meant', () => {
  const { exit, out, err } = curfew('scann');
  expect([exit, out]).toEqual([2, '']);
  expect(err).toContain('did you mean "scan"?');
});

test('words that every object has are no commands', () => {
  expect(curfew('constructor').exit).toBe(2);
});

test('scan works from the bundle', () => {
  const home = path.join(folder, 'ana');
  fs.mkdirSync(home);
  const { exit, out, err } = curfew('scan', '--home', home);
  expect([exit, out, err]).toEqual([0, 'No AI tools were found.\n', '']);
});

/** Every file that is loaded when this one is, lazily loaded ones left out. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { path: next, kind } of inputs[file]?.imports ?? []) {
    if (kind !== 'dynamic-import') loadedWith(next, seen);
  }
  return seen;
}

test('a scan starts without the database, the server link and what only some scans need', () => {
  const loaded = [...loadedWith('agent/scan-command.ts')];
  expect(loaded).toContain('agent/detect/reader.ts');
  const heavy =
    /node_modules\/(better-sqlite3|ws|typebox|yaml|cli-table3|temporal-polyfill|chokidar|systeminformation|jose|pino)\//;
  expect(loaded.filter((file) => heavy.test(file) || file === 'better-sqlite3')).toEqual([]);
  const first = [...loadedWith('agent/main.ts')].sort();
  expect(first).toEqual(['agent/main.ts', 'agent/output.ts', 'node:fs', 'node:path']);
});
