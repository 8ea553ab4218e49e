/**
 * A hundred thousand others in the folder of every detector: it ends, finds its own or says that it did
 * not see all, and what was known stays. The quick group does the same with twenty thousand.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
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

function crowd(folder: string): void {
  let first = '';
  for (let count = 0; count < siblings; count += 1) {
    const file = path.join(folder, `other-${count}`);
    if (count % namesPerFile === 0) fs.writeFileSync((first = file), '');
    else fs.linkSync(first, file);
  }
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
    crowd(folder);
    const crowded = look();
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
