/**
 * Every detector against every hostile thing in the place of every file it may open: bounded in bytes,
 * never a throw, no byte from outside used, and nothing known removed by a read that was not whole. What
 * is told apart here is only whether the honest file is gone or is there and cannot be read.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { homesWorld } from '../../agent/detect/world.js';
import { applyReadings, removalConfirmMs } from '../../agent/inventory.js';
import { thisPlatform } from '../../agent/platform/index.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { openStore, type Store } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import {
  filesBelow,
  foldersAround,
  hostileFiles,
  hostileFolders,
  isRoot,
  type HostileFile,
} from '../worlds/hostile.js';
import { held, type Subject } from './subjects.js';

const catalogue = builtInCatalogue();
/** No read of one home may take more than this, whatever lies in it. */
const maxBytes = 64 * 1024 * 1024;

let top = '';
let home = '';
let store: Store;

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-hostile-')));
  fs.chmodSync(top, 0o755);
  home = path.join(top, 'ana');
  fs.mkdirSync(home);
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(top, { recursive: true, force: true });
});

interface Looked {
  readonly result: ScanResult;
  readonly bytes: number;
}

/** A scan as somebody without rights over others, with the bytes that were read counted. */
function look({ detector, platform = thisPlatform() }: Subject): Looked {
  let bytes = 0;
  const read = fs.readSync.bind(fs) as (...all: unknown[]) => number;
  const counted = (...all: unknown[]): number => {
    const count = read(...all);
    bytes += count;
    return count;
  };
  const spy = vi.spyOn(fs, 'readSync').mockImplementation(counted as typeof fs.readSync);
  if (isRoot) process.seteuid?.(65_534);
  try {
    const world = homesWorld([home], { catalogue, platform });
    return { result: scanWorld(world, { detectors: [detector] }), bytes };
  } finally {
    if (isRoot) process.seteuid?.(0);
    spy.mockRestore();
  }
}

/** The ids that the inventory has after this look and a second one, late enough to remove. */
function knownAfter(result: ScanResult, fromMs: number): Set<string> {
  for (const atMs of [fromMs, fromMs + removalConfirmMs]) {
    applyReadings(store, { readings: result.readings, isFull: true, atMs });
  }
  return new Set(store.components().map(({ component }) => component.id));
}

const thrown = ({ readings }: ScanResult): string[] =>
  readings.flatMap(({ problems }) =>
    problems.filter(({ path: at }) => at.endsWith('detector)')).map(({ path: at }) => at),
  );

/** Puts one thing in the place of another in a fresh home, and holds what two looks come to. */
function holdAgainst(
  subject: Subject,
  { put, must }: HostileFile,
  placesOf: (folder: string) => readonly string[],
): void {
  const afresh = (): string => {
    fs.rmSync(top, { recursive: true, force: true });
    fs.mkdirSync(home, { recursive: true });
    fs.chmodSync(top, 0o755);
    return subject.install(home);
  };
  const folder = afresh();
  const before = look(subject).result;
  const honest = before.components.map(({ id }) => id);
  expect(honest).not.toEqual([]);
  for (const place of placesOf(folder)) {
    afresh();
    store = openStore(path.join(top, 'store'));
    knownAfter(before, 0);
    put(place, path.join(top, 'ben'));
    const { result, bytes } = look(subject);
    const at = path.relative(home, place);
    expect(thrown(result), at).toEqual([]);
    expect(bytes, at).toBeLessThan(maxBytes);
    expect(JSON.stringify(result), at).not.toContain('CANARY');
    const known = knownAfter(result, 500_000);
    const problems = result.readings.flatMap((reading) => reading.problems);
    const found = new Set(result.components.map(({ id }) => id));
    const isSilent = problems.length === 0 && honest.some((id) => !found.has(id));
    if (must === 'note') expect(isSilent, `${at} was left out in silence`).toBe(false);
    if (must === 'keep' || result.status === 'partial') {
      for (const id of honest) expect(known.has(id), `${at} was forgotten`).toBe(true);
    }
    store.close();
  }
}

const possible = ({ needsRoot }: HostileFile): boolean => needsRoot !== true || isRoot;

describe.each(held)('$name', (subject) => {
  test.each(hostileFiles.filter(possible))(
    'with $name in the place of each of its files',
    (hostile) => {
      holdAgainst(subject, hostile, () => filesBelow(home));
    },
  );

  test.each(hostileFolders.filter(possible))(
    'with $name in the place of each folder on the way to it and below it',
    (hostile) => {
      holdAgainst(subject, hostile, (folder) => foldersAround(home, folder));
    },
  );
});
