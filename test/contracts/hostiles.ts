/**
 * How every detector is held against every hostile thing in the place of every file and folder it may
 * meet: bounded in bytes, never a throw, no byte from outside used, and nothing known removed by a read
 * that was not whole. `hostile.test.ts` takes a few places of each, `hostile.all.test.ts` all of them.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
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
/** One inventory for all: what is held is told anew before each hostile thing, at a later time. */
let store: Store;
let storeFolder = '';
let nowMs = 0;

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
function knownAfter({ readings }: ScanResult): Set<string> {
  for (let looks = 0; looks < 2; looks += 1) {
    nowMs += removalConfirmMs;
    applyReadings(store, { readings, isFull: true, atMs: nowMs });
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
    knownAfter(before);
    put(place, path.join(top, 'ben'));
    const { result, bytes } = look(subject);
    const at = path.relative(home, place);
    expect(thrown(result), at).toEqual([]);
    expect(bytes, at).toBeLessThan(maxBytes);
    expect(JSON.stringify(result), at).not.toContain('CANARY');
    const known = knownAfter(result);
    const problems = result.readings.flatMap((reading) => reading.problems);
    const found = new Set(result.components.map(({ id }) => id));
    const isSilent = problems.length === 0 && honest.some((id) => !found.has(id));
    if (must === 'note') expect(isSilent, `${at} was left out in silence`).toBe(false);
    if (must === 'keep' || result.status === 'partial') {
      for (const id of honest) expect(known.has(id), `${at} was forgotten`).toBe(true);
    }
  }
}

const possible = ({ needsRoot }: HostileFile): boolean => needsRoot !== true || isRoot;

/** The first, the last, and others evenly between. */
function some(places: readonly string[], most: number): readonly string[] {
  if (places.length <= most) return places;
  const step = (places.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, count) => places[Math.round(count * step)] ?? '');
}

/** Declares the tests, with at most so many places for each detector and hostile thing. */
export function holdAll(mostPlaces: number): void {
  beforeAll(() => {
    storeFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-hostile-store-'));
    store = openStore(storeFolder);
  });
  afterAll(() => {
    store.close();
    fs.rmSync(storeFolder, { recursive: true, force: true });
  });
  beforeEach(() => {
    top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-hostile-')));
    home = path.join(top, 'ana');
  });
  afterEach(() => {
    vi.restoreAllMocks();
    fs.rmSync(top, { recursive: true, force: true });
  });
  describe.each(held)('$name', (subject) => {
    test.each(hostileFiles.filter(possible))('with $name in the place of its files', (hostile) => {
      holdAgainst(subject, hostile, () => some(filesBelow(home), mostPlaces));
    });
    test.each(hostileFolders.filter(possible))(
      'with $name in the place of folders on the way to it and below it',
      (hostile) => {
        holdAgainst(subject, hostile, (folder) => some(foldersAround(home, folder), mostPlaces));
      },
    );
  });
}
