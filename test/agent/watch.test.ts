/** Hints from real folders: what comes, what comes later, what is not there yet, and running out of watches. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Root } from '../../agent/detect/index.js';
import type { FolderWatcher } from '../../agent/folder-watcher.js';
import { placeToWatch, startWatch, type Watch } from '../../agent/watch.js';
import { makeFolder } from './store-fixture.js';

let home: string;
let watch: Watch | null = null;
let hints: string[][] = [];
let states: string[] = [];
beforeEach(() => {
  home = makeFolder();
  hints = [];
  states = [];
});
afterEach(() => {
  watch?.close();
  watch = null;
});

function rootOf(id: string, ...folders: string[]): Root {
  const within = folders.map((folder) => path.join(home, folder));
  return {
    id,
    channel: 'npm',
    manager: null,
    path: within[0] ?? home,
    home: { account: 'ana', uid: null, path: home, env: {} },
    boundary: { within },
    watch: within,
  };
}

/** Resolves once `holds`; fails loudly when it does not come to hold. */
async function until(holds: () => boolean, what: string): Promise<void> {
  for (let n = 0; n < 1000; n += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never came: ${what}; hints ${JSON.stringify(hints)}`);
}

const idsOf = (roots: readonly Root[]): ReadonlySet<string> => new Set(roots.map(({ id }) => id));
const hinted = (id: string): boolean => hints.some((roots) => roots.includes(id));

/** Waits until no more hints come (the echo is the last), and forgets them. */
async function settle(): Promise<void> {
  for (let count = -1; count !== hints.length;) {
    count = hints.length;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  hints = [];
}

/** Follows the roots; the first read that `ready` asks for has passed. */
async function follow(roots: readonly Root[]): Promise<Watch> {
  const started = startWatch({
    onHint: (ids) => void hints.push([...ids].sort()),
    onState: (state, code) => void states.push(`${state} ${code}`),
    echoMs: 200,
  });
  watch = started;
  started.follow(roots, idsOf(roots));
  await until(() => hints.length > 0, 'the first read');
  await settle();
  return started;
}

const write = (file: string, text = '{}'): void => {
  fs.mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
  fs.writeFileSync(path.join(home, file), text);
};

test('a change hints at the roots that watch the folder, and at no other', async () => {
  write('a/x');
  write('b/x');
  await follow([rootOf('one', 'a'), rootOf('two', 'a'), rootOf('three', 'b')]);
  write('a/new');
  await until(() => hints.length > 0, 'a hint');
  expect(hints[0]).toEqual(['one', 'two']);
});

test('a file that comes into a new package long after its folder is noticed', async () => {
  write('lib/node_modules/npm/package.json');
  await follow([rootOf('globals', 'lib/node_modules')]);
  fs.mkdirSync(path.join(home, 'lib/node_modules/@openai/codex'), { recursive: true });
  await until(() => hinted('globals'), 'a hint for the folder');
  // The folder's own hints pass first, so that they cannot be taken for the file's.
  await settle();
  write('lib/node_modules/@openai/codex/package.json');
  await until(() => hinted('globals'), 'a hint for the file');
});

test('a folder whose parents do not exist yet is noticed when it comes in one move', async () => {
  write('.vscode/extensions/extensions.json');
  const roots = [rootOf('vscode', '.vscode/extensions'), rootOf('cursor', '.cursor/extensions')];
  const started = await follow(roots);
  write('.bash_history', 'ls');
  const outside = makeFolder();
  fs.mkdirSync(path.join(outside, 'cursor/extensions'), { recursive: true });
  fs.renameSync(path.join(outside, 'cursor'), path.join(home, '.cursor'));
  await until(() => hints.length > 0, 'a hint');
  expect(hints[0]).toEqual(['cursor']);
  started.follow(roots, idsOf(roots));
  await settle();
  write('.cursor/extensions/extensions.json');
  await until(() => hints.length > 0, 'a hint for its content');
  expect(hints[0]).toEqual(['cursor']);
});

test('a folder that was replaced is watched again', async () => {
  write('lib/node_modules/x/package.json');
  const roots = [rootOf('globals', 'lib/node_modules')];
  const started = await follow(roots);
  fs.rmSync(path.join(home, 'lib'), { recursive: true });
  fs.mkdirSync(path.join(home, 'lib/node_modules'), { recursive: true });
  await until(() => hinted('globals'), 'a hint for the end of the folder');
  started.follow(roots, idsOf(roots));
  await settle();
  write('lib/node_modules/late');
  await until(() => hinted('globals'), 'a hint in the new folder');
});

test('a folder that went and came back between two looks is watched again', async () => {
  write('lib/node_modules/@scope/x/package.json');
  const roots = [rootOf('globals', 'lib/node_modules', 'lib/node_modules/@scope')];
  const started = await follow(roots);
  for (let round = 1; round <= 3; round += 1) {
    // The file system gives the same inode number again.
    fs.rmSync(path.join(home, 'lib/node_modules/@scope'), { recursive: true });
    write('lib/node_modules/@scope/x/package.json');
    await until(() => hinted('globals'), `a hint for the new folder, round ${round}`);
    started.follow(roots, idsOf(roots));
    await settle();
    write(`lib/node_modules/@scope/late-${round}`);
    await until(() => hinted('globals'), `a hint in the new folder, round ${round}`);
    await settle();
  }
});

test('files cost no watch: a folder of 500 is one', async () => {
  for (let n = 0; n < 500; n += 1) write(`many/f${n}`);
  const started = await follow([rootOf('many', 'many')]);
  expect(started.size).toBe(1);
  expect(inotifyWatches()).toBeLessThanOrEqual(4);
});

/** What the kernel counts for this process (proc(5), fdinfo); 0 where there is no inotify. */
function inotifyWatches(): number {
  if (process.platform !== 'linux') return 0;
  let count = 0;
  for (const fd of fs.readdirSync('/proc/self/fdinfo')) {
    try {
      const lines = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').split('\n');
      count += lines.filter((line) => line.startsWith('inotify ')).length;
    } catch {
      // Closed since it was listed.
    }
  }
  return count;
}

test('the place to watch is the folder, or the nearest existing one and the name awaited there', () => {
  write('.config/x');
  const at = (folder: string) => placeToWatch(path.join(home, folder), home);
  expect(at('.config')).toEqual({ folder: path.join(home, '.config'), awaited: null });
  expect(at('.config/Code/User')).toEqual({
    folder: path.join(home, '.config'),
    awaited: 'Code',
  });
  expect(at('.cursor/extensions')).toEqual({ folder: home, awaited: '.cursor' });
  expect(placeToWatch('/nowhere-at-all/x', '/')).toBeNull();
  expect(placeToWatch(path.join(home, 'gone/x'), path.join(home, 'gone'))).toBeNull();
});

test('C104 out of watches it says so, does not fail, and comes back by itself', async () => {
  write('a/x');
  const failures = ['ENOSPC', 'EMFILE'];
  const made: string[] = [];
  const makeWatcher = (): FolderWatcher => {
    const code = failures.shift() ?? null;
    made.push(code ?? 'works');
    return {
      add: () => {},
      unwatch: () => {},
      close: () => {},
      on(event: string, listener: (...words: never[]) => void) {
        const error = Object.assign(new Error('no more'), { code });
        if (event === 'error' && code !== null) setTimeout(() => listener(error as never), 5);
      },
    };
  };
  const started = startWatch({
    onHint: (ids) => void hints.push([...ids]),
    onState: (state, code) => void states.push(`${state} ${code}`),
    makeWatcher,
    retryMs: 50,
  });
  watch = started;
  started.follow([rootOf('one', 'a')], new Set());
  await until(() => states.includes('degraded ENOSPC'), 'the first state');
  expect(started.state).toBe('degraded');
  await until(() => made.includes('works'), 'a watcher that works');
  await until(() => started.state === 'watching', 'the last state');
  expect(made).toEqual(['ENOSPC', 'EMFILE', 'works']);
  expect(states).toContain('degraded EMFILE');
  expect(states.at(-1)).toBe('watching back');
});
