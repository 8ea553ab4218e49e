/**
 * A hundred thousand others in the folder of every detector: it ends, finds its own or says that it did
 * not see all, and what was known stays. The quick group does the same with twenty thousand.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { homesWorld } from '../../agent/detect/world.js';
import { applyReadings, removalConfirmMs } from '../../agent/inventory.js';
import { thisPlatform } from '../../agent/platform/index.js';
import { scanWorld } from '../../agent/scan.js';
import { openStore } from '../../agent/store.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { held } from './subjects.js';

const siblings = 100_000;
/** A file may have 65,000 names on ext4. */
const namesPerFile = 50_000;

let shared = '';

/** Made once, as it takes longer than all that is asked of it. */
beforeAll(() => {
  shared = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-siblings-')), 'others');
  fs.mkdirSync(shared);
  let first = '';
  for (let count = 0; count < siblings; count += 1) {
    const file = path.join(shared, `other-${count}`);
    if (count % namesPerFile === 0) fs.writeFileSync((first = file), '');
    else fs.linkSync(first, file);
  }
}, 60_000);
afterAll(() => fs.rmSync(path.dirname(shared), { recursive: true, force: true }), 60_000);

function moveInto(from: string, to: string): void {
  for (const name of fs.readdirSync(from)) {
    fs.renameSync(path.join(from, name), path.join(to, name));
  }
  fs.rmdirSync(from);
}

/** The others come to what lies in a folder; answers how they go again. */
function crowd(folder: string): () => void {
  const own = fs.readdirSync(folder);
  moveInto(folder, shared);
  fs.renameSync(shared, folder);
  return () => {
    for (const name of own) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    fs.renameSync(folder, shared);
  };
}

test.each(held)(
  '$name among 100,000 others',
  (subject) => {
    const top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-crowd-')));
    const home = path.join(top, 'ana');
    fs.mkdirSync(home);
    const { detector, platform = thisPlatform() } = subject;
    const look = () =>
      scanWorld(homesWorld([home], { catalogue: builtInCatalogue(), platform }), {
        detectors: [detector],
        rootTimeMs: 60_000,
      });
    const folder = subject.install(home);
    const honest = look();
    const leave = crowd(folder);
    const crowded = look();
    expect(fs.readdirSync(folder).length).toBeGreaterThan(siblings);
    leave();
    const isFound = crowded.components.length === honest.components.length;
    expect(isFound || crowded.status === 'partial').toBe(true);
    const store = openStore(path.join(top, 'store'));
    applyReadings(store, { readings: honest.readings, isFull: true, atMs: 0 });
    for (const atMs of [1, 2 + removalConfirmMs]) {
      applyReadings(store, { readings: crowded.readings, isFull: true, atMs });
    }
    const known = store.components().map(({ component }) => component.id);
    expect(known).toEqual(expect.arrayContaining(honest.components.map(({ id }) => id)));
    store.close();
    fs.rmSync(top, { recursive: true });
  },
  60_000,
);
