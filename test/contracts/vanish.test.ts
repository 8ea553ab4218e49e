/**
 * What changes while it is read, and what a process list may point to: every detector with its folder
 * taken away before each single call on the disk, and the detector of processes with every hostile file.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProcessEntry, Reader, World } from '../../agent/detect/index.js';
import { processes } from '../../agent/detect/processes.js';
import { homesWorld } from '../../agent/detect/world.js';
import { applyReadings, removalConfirmMs } from '../../agent/inventory.js';
import { thisPlatform } from '../../agent/platform/index.js';
import { scanWorld } from '../../agent/scan.js';
import { openStore } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { hostileFiles, isRoot } from '../worlds/hostile.js';
import { claudeNative, place } from '../worlds/native.js';
import { held, type Subject } from './subjects.js';

const catalogue = builtInCatalogue();
/** What a scan reads of unknown programs (64 MiB) and of the one that it has begun (512 MiB), see `contents.ts`. */
const maxProgramBytes = (64 + 512) * 1024 * 1024;
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-vanish-')));
  home = path.join(top, 'ana');
  fs.mkdirSync(home);
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(top, { recursive: true, force: true });
});

const worldOf = ({ platform = thisPlatform() }: Pick<Subject, 'platform'>, isDeep = false): World =>
  homesWorld([home], { catalogue, platform, isDeep });

const calls = ['list', 'bytes', 'part', 'facts', 'target', 'realPath'] as const;

/** The same world, whose readers say before each call on the disk how many there were. */
function counting(world: World, before: (count: number) => void): World {
  let count = 0;
  return {
    ...world,
    reader(boundary, deadlineMs) {
      const reader = world.reader(boundary, deadlineMs);
      for (const name of calls) {
        const call = reader[name].bind(reader) as (...all: unknown[]) => unknown;
        const counted = (...all: unknown[]): unknown => {
          count += 1;
          before(count);
          return call(...all);
        };
        Object.assign(reader, { [name]: counted } satisfies Partial<Record<keyof Reader, unknown>>);
      }
      return reader;
    },
  };
}

describe.each(held)('$name', (subject) => {
  const { detector } = subject;

  test('its folder may vanish before any call: nothing is thrown, and a look later all is known', () => {
    const folder = subject.install(home);
    const honest = scanWorld(worldOf(subject), { detectors: [detector] });
    const ids = new Set(honest.components.map(({ id }) => id));
    let total = 0;
    scanWorld(
      counting(worldOf(subject), (count) => (total = count)),
      { detectors: [detector] },
    );
    const store = openStore(path.join(top, 'store'));
    const apply = (readings: typeof honest.readings, atMs: number): readonly string[] =>
      applyReadings(store, { readings, isFull: true, atMs }).removed.filter((id) => ids.has(id));
    apply(honest.readings, 0);
    const step = Math.max(1, Math.floor(total / 12));
    for (let at = 1; at <= total; at += step) {
      const world = counting(worldOf(subject), (count) => {
        if (count === at) fs.renameSync(folder, `${folder}.gone`);
      });
      const result = scanWorld(world, { detectors: [detector] });
      fs.renameSync(`${folder}.gone`, folder);
      const problems = result.readings.flatMap((reading) => reading.problems);
      expect(problems.filter(({ code }) => code === 'io')).toEqual([]);
      const ms = at * 10 * removalConfirmMs;
      expect(apply(result.readings, ms)).toEqual([]);
      expect(apply(honest.readings, ms + 2 * removalConfirmMs)).toEqual([]);
    }
    store.close();
  });
});

test('1,500 folders in each other below the folder of each detector end, in deep scans too', () => {
  const nest = path.join(top, 'nest');
  fs.mkdirSync(path.join(nest, ...Array<string>(1_500).fill('d')), { recursive: true });
  for (const subject of held) {
    const folder = subject.install(home);
    fs.renameSync(nest, path.join(folder, 'nest'));
    for (const isDeep of [false, true]) {
      const { components } = scanWorld(worldOf(subject, isDeep), { detectors: [subject.detector] });
      expect(components.length, subject.name).toBeGreaterThan(0);
    }
    fs.renameSync(path.join(folder, 'nest'), nest);
    fs.rmSync(home, { recursive: true });
    fs.mkdirSync(home);
  }
});

describe('processes', () => {
  const live = (change: Partial<ProcessEntry>): ProcessEntry => {
    return {
      pid: 1,
      uid: 1000,
      account: 'ana',
      comm: null,
      exe: null,
      cwd: null,
      argv: null,
      ...change,
    };
  };
  /** A program, a script and a working folder, all of them below the same path. */
  const around = (file: string): readonly ProcessEntry[] => [
    live({ exe: file, argv: [file] }),
    live({ exe: '/usr/bin/node', argv: ['node', file, 'exec'] }),
    live({ exe: '/usr/bin/node', argv: ['node', 'index.js'], cwd: file }),
    live({ exe: '/usr/bin/python3', argv: ['python3', `${file}/bin/aider`] }),
    live({ argv: ['claude'] }),
  ];
  const look = (list: readonly ProcessEntry[]): ReturnType<typeof scanWorld> =>
    scanWorld({ ...worldOf({}), processes: list }, { detectors: [processes], rootTimeMs: 20_000 });

  test.each(hostileFiles.filter(({ needsRoot }) => needsRoot !== true || isRoot))(
    'that came from $name are told by nothing in it',
    ({ put }) => {
      claudeNative(home, ['2.1.120'], '2.1.120');
      const file = place(home, 'work/claude', 'version 2.1.120\n', 0o755);
      put(file, path.join(top, 'ben'));
      let bytes = 0;
      const read = fs.readSync.bind(fs) as (...all: unknown[]) => number;
      const counted = (...all: unknown[]): number => {
        const count = read(...all);
        bytes += count;
        return count;
      };
      vi.spyOn(fs, 'readSync').mockImplementation(counted as typeof fs.readSync);
      const result = look(around(file));
      expect(bytes).toBeLessThan(maxProgramBytes);
      expect(JSON.stringify(result)).not.toContain('CANARY');
      expect(result.components.filter(({ path: at }) => at === file)).toEqual([]);
    },
  );

  test('with paths that no disk holds are no finding and no failure', () => {
    const odd = [
      '',
      '\0',
      'a\0b',
      '/',
      '//',
      '\u{1b}[2K',
      '/x'.repeat(50_000),
      `/${'y'.repeat(5_000)}`,
    ];
    const result = look([
      ...odd.flatMap((file) => around(file)),
      live({ exe: '/usr/bin/node', argv: Array<string>(100_000).fill('--flag') }),
      live({ exe: '/usr/bin/node', argv: ['node', 'x'.repeat(1_000_000)], cwd: '/' }),
    ]);
    expect(result.components).toEqual([]);
    const thrown = result.readings.flatMap(({ problems }) => problems);
    expect(thrown.filter(({ path: at }) => at.endsWith('detector)'))).toEqual([]);
  });

  test('20,000 of one tool are one finding', () => {
    claudeNative(home, ['2.1.120'], '2.1.120');
    const exe = path.join(home, '.local/share/claude/versions/2.1.120');
    const result = look(
      Array.from({ length: 20_000 }, (_, pid) =>
        live({ pid, exe, argv: [exe, 'CANARY-argument'] }),
      ),
    );
    expect(result.components).toMatchObject([{ tool: 'claude-code', state: 'running' }]);
    expect(JSON.stringify(result)).not.toContain('CANARY');
  });
});

test('a path that is longer than the system takes is a loss, not a throw', () => {
  claudeNative(home, ['2.1.120'], '2.1.120');
  const script = `cd "$1" && for n in $(seq 40); do mkdir ${'z'.repeat(200)} && cd ${'z'.repeat(200)}; done`;
  const below = path.join(home, 'code');
  fs.mkdirSync(below);
  execFileSync('bash', ['-c', script, 'bash', below]);
  const { components } = scanWorld(worldOf({}, true));
  expect(components.map(({ tool }) => tool)).toContain('claude-code');
  execFileSync('rm', ['-rf', below]);
});
