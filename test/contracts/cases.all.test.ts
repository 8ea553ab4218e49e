/**
 * C055 at its full size: a machine with 2,000 people, ten with a denied tool, and a project folder of 300,000
 * files. One scan of all must stay far inside the 30 s of processor time that the case gives, so there is
 * nothing to be resumed: each cycle sees everyone, and all ten are found in the first.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderWorld } from '../../agent/detect/world.js';
import { prepareScan, scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { claudeNative } from '../worlds/native.js';
import { codex, npmGlobal, nvm } from '../worlds/npm.js';

const people = 2_000;
const files = 300_000;
/** Of the processor, for one cycle; the case's own limit. */
const budgetMs = 30_000;
/** As many names as a file may have on ext4, and a few less. */
const namesPerFile = 50_000;

let top = '';
const nameOf = (count: number): string => `p${String(count).padStart(4, '0')}`;
const withTool = Array.from({ length: 10 }, (_, count) => nameOf(count * 199 + 7));

/** A deep node_modules: a hundred packages in each of three hundred folders, ten files in each. */
function project(folder: string): void {
  let first = '';
  let count = 0;
  for (let one = 0; one < 300; one += 1) {
    for (let two = 0; two < 100; two += 1) {
      const at = path.join(folder, 'node_modules', `p-${one}`, 'node_modules', `q-${two}`);
      fs.mkdirSync(at, { recursive: true });
      for (let three = 0; three < 10; three += 1, count += 1) {
        const file = path.join(at, `${three}.js`);
        if (count % namesPerFile === 0) fs.writeFileSync((first = file), '');
        else fs.linkSync(first, file);
      }
    }
  }
  if (count !== files) throw new Error(`${count} files were made`);
}

beforeAll(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-many-')));
  const lines: string[] = [];
  for (let count = 0; count < people; count += 1) {
    const name = nameOf(count);
    const home = path.join(top, 'home', name);
    for (const folder of ['.config', '.cache', '.local/bin', 'code']) {
      fs.mkdirSync(path.join(home, folder), { recursive: true });
    }
    fs.writeFileSync(path.join(home, '.profile'), 'export PATH="$HOME/bin:$PATH"\n');
    lines.push(`${name}:x:${1_000 + count}:100::/home/${name}:/bin/bash`);
  }
  fs.mkdirSync(path.join(top, 'etc'));
  fs.writeFileSync(path.join(top, 'etc/passwd'), `${lines.join('\n')}\n`);
  withTool.forEach((name, index) => {
    const home = path.join(top, 'home', name);
    if (index % 3 === 0) npmGlobal(path.join(home, '.npm-global'), codex('0.48.0'));
    else if (index % 3 === 1) nvm(home, 'v22.1.0', codex('0.48.0'));
    else claudeNative(home, ['2.1.120'], '2.1.120');
  });
  project(path.join(top, 'home', nameOf(0), 'code/shop'));
}, 300_000);
afterAll(() => fs.rmSync(top, { recursive: true, force: true }), 300_000);

test.each([false, true])(
  'C055 one cycle finds all ten within the 30 s of processor time, deep: %s',
  async (isDeep) => {
    const before = process.cpuUsage();
    const world = folderWorld(top, 'linux', { catalogue: builtInCatalogue(), isDeep });
    await prepareScan(world);
    const result = scanWorld(world);
    const { user, system } = process.cpuUsage(before);
    console.info(`C055 deep ${isDeep}: ${Math.round((user + system) / 1000)} ms of processor`);
    expect((user + system) / 1000).toBeLessThan(budgetMs);
    const owners = result.components
      .filter(({ tool, state }) => tool !== null && state === 'installed')
      .map(({ owner }) => owner);
    expect([...new Set(owners)].sort()).toEqual([...withTool].sort());
    expect(result.readings.length).toBeGreaterThan(people);
  },
  120_000,
);
