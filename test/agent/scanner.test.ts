/** Scans in a thread: a root that hangs costs itself, a thread that dies costs one scan. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import type { Reading } from '../../agent/detect/index.js';
import { createScanner, type ScanOutcome, type Scanner } from '../../agent/scanner.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { SavedCache } from '../../agent/detect/contents-cache.js';
import { elf, goInfo } from '../worlds/programs.js';
import { makeFolder, makeRoot } from './store-fixture.js';

let scanner: Scanner | null = null;
afterEach(() => {
  scanner?.close();
  vi.useRealTimers();
});

const request = (roots: 'all' | ReadonlySet<string>) => ({
  roots,
  asked: { named: new Map(), wholeChannels: new Set<never>() },
  catalogue: null,
  processes: null,
});

/** A thread of the test's own, with the three roots of `plan`, and what it does at a root. */
function threadThat(atRoot: string): URL {
  const file = path.join(makeFolder(), 'worker.mjs');
  const roots = ['one', 'stuck', 'three'].map((id) => makeRoot(id));
  fs.writeFileSync(
    file,
    `import { parentPort, workerData } from 'node:worker_threads';
     const roots = ${JSON.stringify(roots)};
     parentPort.on('message', ({ skip }) => {
       parentPort.postMessage({ kind: 'plan', roots });
       const readings = [];
       for (const root of roots) {
         if (skip.has(root.id)) continue;
         parentPort.postMessage({ kind: 'at', root: root.id });
         ${atRoot}
         readings.push({ root, status: 'complete', problems: [], components: [] });
       }
       const told = { catalogue: '', files: [] };
       const fresh = new Set(roots.map(({ id }) => id));
       const outcome = { roots, homes: [], readings, fresh, durationMs: 1, told };
       parentPort.postMessage({ kind: 'outcome', outcome });
     });`,
  );
  return pathToFileURL(file);
}
const statuses = async (from: Scanner, roots: 'all' | ReadonlySet<string> = 'all') =>
  Object.fromEntries(
    (await from.scan(request(roots))).readings.map(({ root, status }) => [root.id, status]),
  );
const place = { kind: 'homes', folders: ['/nowhere'] } as const;

test('a root that hangs is not read, all others are, and it is not tried again at once', async () => {
  const hung: string[] = [];
  scanner = createScanner({
    place,
    worker: threadThat(`if (root.id === 'stuck') for (;;) {}`),
    hungMs: 3000,
    onHung: (root) => void hung.push(root),
  });
  const expected = { one: 'complete', stuck: 'timeout', three: 'complete' };
  expect(await statuses(scanner)).toEqual(expected);
  expect(await statuses(scanner)).toEqual(expected);
  expect(hung).toEqual(['stuck']);
});

test('a thread that ends fails that scan, and the next one has a new thread', async () => {
  const marker = path.join(makeFolder(), 'marker');
  const once = `
    const fs = process.getBuiltinModule('node:fs');
    if (!fs.existsSync(${JSON.stringify(marker)})) {
      fs.writeFileSync(${JSON.stringify(marker)}, '');
      process.exit(3);
    }`;
  scanner = createScanner({ place, worker: threadThat(once), hungMs: 5000 });
  await expect(scanner.scan(request('all'))).rejects.toThrow('the thread ended');
  expect(await statuses(scanner)).toMatchObject({ one: 'complete' });
});

test('one thread answers many scans', async () => {
  scanner = createScanner({ place, worker: threadThat(''), hungMs: 2000 });
  for (let n = 0; n < 5; n += 1) {
    expect(Object.keys(await statuses(scanner))).toEqual(['one', 'stuck', 'three']);
  }
});

test('from sources a scan runs here: only the roots asked for are read, all are named', async () => {
  const home = path.join(makeFolder(), 'ana');
  const folder = path.join(home, '.npm-global/lib/node_modules/opencode-ai');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"opencode-ai","version":"1.2.3"}');
  scanner = createScanner({ place: { kind: 'homes', folders: [home] }, worker: null });
  const all = await scanner.scan(request('all'));
  const [found] = all.readings.filter(({ components }) => components.length > 0);
  expect(found?.components[0]).toMatchObject({
    name: 'opencode-ai',
    version: '1.2.3',
    owner: 'ana',
  });
  const one = await scanner.scan(request(new Set([found?.root.id ?? ''])));
  expect(one.readings.map(({ root }) => root.id)).toEqual([found?.root.id]);
  expect(one.roots.map(({ id }) => id)).toEqual(all.roots.map(({ id }) => id));
  expect(builtInCatalogue().tool(found?.components[0]?.tool ?? '')?.name).toBe('OpenCode');
});

test('a program told by its contents is not looked into again, not after a restart either', async () => {
  const home = path.join(makeFolder(), 'ana');
  const file = path.join(home, 'bin/notes');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const program = elf([
    { name: '.go.buildinfo', bytes: goInfo('github.com/ollama/ollama', 'v0.9.0') },
  ]);
  fs.writeFileSync(file, program, { mode: 0o755 });
  const at = new Date('2026-01-01T00:00:00Z');
  fs.utimesSync(file, at, at);
  let saved: SavedCache | null = null;
  const started = (told: SavedCache | null): Scanner =>
    createScanner({
      place: { kind: 'homes', folders: [home] },
      worker: null,
      told: { load: () => told, save: (programs) => void (saved = programs) },
    });
  const tools = async (from: Scanner): Promise<unknown[]> =>
    (await from.scan(request('all'))).readings
      .flatMap(({ components }) => components)
      .map(({ tool, version }) => [tool, version]);
  expect(await tools(started(null))).toEqual([['ollama', '0.9.0']]);
  expect(saved).toMatchObject({ files: [{ path: file, contents: { tool: 'ollama' } }] });
  // What is kept says something that the file does not, so it is seen who answers.
  const kept = JSON.parse(JSON.stringify(saved).replace('0.9.0', '0.9.9')) as SavedCache;
  const again = started(kept);
  for (let n = 0; n < 2; n += 1) expect(await tools(again)).toEqual([['ollama', '0.9.9']]);
  fs.utimesSync(file, at, new Date('2026-01-02T00:00:00Z'));
  expect(await tools(again)).toEqual([['ollama', '0.9.0']]);
});

/** A home with Node prefixes, looked at long after anything in it has changed. */
function oldHome(): { readonly home: string; readonly install: (prefix: string) => void } {
  const home = path.join(makeFolder(), 'ana');
  const install = (prefix: string): void => {
    const folder = path.join(home, prefix, 'lib/node_modules/opencode-ai');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"opencode-ai","version":"1.2.3"}');
  };
  install('.nvm/versions/node/v22.0.0');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
  return { home, install };
}
const versionsOf = (outcome: ScanOutcome): readonly unknown[] =>
  outcome.readings.flatMap(({ components }) => components.map(({ path: place }) => place)).sort();
const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 25));

test('a full scan reads nothing again of a home that is as it was, and all when it is not', async () => {
  const { home, install } = oldHome();
  const here = createScanner({ place: { kind: 'homes', folders: [home] }, worker: null });
  const first = await here.scan(request('all'));
  const again = await here.scan(request('all'));
  const byId = new Map(first.readings.map((reading) => [reading.root.id, reading]));
  expect(again.readings).toHaveLength(first.readings.length);
  expect([...again.fresh]).toEqual([]);
  // The very same problems: nothing was read to note them.
  for (const { root, problems } of again.readings) {
    expect(problems).toBe(byId.get(root.id)?.problems);
  }
  await aMoment();
  install('.nvm/versions/node/v24.0.0');
  const third = await here.scan(request('all'));
  expect(versionsOf(third)).toEqual(
    ['v22.0.0', 'v24.0.0'].map((version) =>
      path.join(home, '.nvm/versions/node', version, 'lib/node_modules/opencode-ai'),
    ),
  );
});

test('a look for other roots finds what a settings file names since, without reading the others', async () => {
  const { home, install } = oldHome();
  const here = createScanner({ place: { kind: 'homes', folders: [home] }, worker: null });
  const all = await here.scan(request('all'));
  await aMoment();
  install('elsewhere');
  fs.writeFileSync(path.join(home, '.npmrc'), 'prefix=${HOME}/elsewhere\n');
  const { roots, readings } = await here.scan(request(new Set()));
  expect(readings).toEqual([]);
  const known = new Set(all.roots.map(({ id }) => id));
  const fresh = roots.filter(({ id }) => !known.has(id));
  expect(fresh.map(({ path: place }) => place)).toContain(
    path.join(home, 'elsewhere/lib/node_modules'),
  );
  const read = await here.scan(request(new Set(fresh.map(({ id }) => id))));
  expect(versionsOf(read)).toEqual([path.join(home, 'elsewhere/lib/node_modules/opencode-ai')]);
});

test('each root alone is read as in a scan of all', async () => {
  const { home } = oldHome();
  const here = createScanner({ place: { kind: 'homes', folders: [home] }, worker: null });
  const all = await here.scan(request('all'));
  for (const reading of all.readings) {
    const { readings } = await here.scan(request(new Set([reading.root.id])));
    const words = (of: readonly Reading[]): unknown =>
      of.map(({ root, status, components }) => [root.id, status, components]);
    expect(words(readings)).toEqual(words([reading]));
  }
});
