/**
 * A person who swaps a parent folder for a link out of their home, over and over, while it is read. The
 * tests in `swap.test.ts` (a few hundred reads) and `swap.all.test.ts` (ten thousand) share it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { rememberingDisk } from '../../agent/detect/disk.js';
import { createReader } from '../../agent/detect/reader.js';
import { homesWorld } from '../../agent/detect/world.js';
import { thisPlatform } from '../../agent/platform/index.js';
import { scanWorld } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { place } from '../worlds/native.js';
import { filesBelow } from '../worlds/hostile.js';
import type { Subject } from './subjects.js';

/** Two renames put the link where the folder was, two more put it back; then the same again. */
const swapping = `
  const fs = require('node:fs');
  const [folder, link] = process.argv.slice(1);
  process.stdout.write('ready');
  for (;;) {
    fs.renameSync(folder, folder + '.aside');
    fs.renameSync(link, folder);
    for (let spin = 0; spin < 20000; spin += 1);
    fs.renameSync(folder, link);
    fs.renameSync(folder + '.aside', folder);
    for (let spin = 0; spin < 20000; spin += 1);
  }`;

async function startSwapping(folder: string, outside: string): Promise<ChildProcess> {
  const link = `${folder}.link`;
  fs.symlinkSync(outside, link);
  const child = spawn(process.execPath, ['-e', swapping, folder, link], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.EventEmitter, 'data');
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A folder for one test, gone afterwards also when the test fails. */
export async function inFolder(work: (top: string) => Promise<void>): Promise<void> {
  const top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-swap-')));
  fs.chmodSync(top, 0o755);
  try {
    await work(top);
  } finally {
    fs.rmSync(top, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What the reads came to; each was of one file, its part, or its folder's list. */
export interface Outcome {
  inside: number;
  refused: number;
  nothing: number;
}

/** Reads below a folder that is being swapped; fails on the first byte or name from outside. */
export async function readWhileSwapped(top: string, tries: number): Promise<Outcome> {
  place(top, 'in/parent/deep/file', 'INSIDE');
  place(top, 'out/deep/file', 'CANARY');
  place(top, 'out/deep/CANARY', 'CANARY');
  const boundary = { within: [path.join(top, 'in')] };
  const folder = path.join(top, 'in/parent');
  const file = path.join(folder, 'deep/file');
  const child = await startSwapping(folder, path.join(top, 'out'));
  const outcome: Outcome = { inside: 0, refused: 0, nothing: 0 };
  try {
    for (let count = 0; count < tries; count += 1) {
      const one = createReader({ boundary, disk: rememberingDisk(), platform: 'linux' });
      const seen = [
        one.text(file),
        one.part(file, -4, 4)?.bytes.toString() ?? null,
        one
          .list(path.dirname(file))
          .map(({ name }) => name)
          .join() || null,
      ][count % 3];
      expect(['INSIDE', 'SIDE', 'file', null]).toContain(seen);
      if (seen !== null && seen !== undefined) outcome.inside += 1;
      else if (one.problems.length > 0) outcome.refused += 1;
      else outcome.nothing += 1;
    }
  } finally {
    await stop(child);
  }
  return outcome;
}

/** Scans a home in which the folder above an install is being swapped for that of another person. */
export async function scanWhileSwapped(
  top: string,
  subject: Subject,
  tries: number,
): Promise<void> {
  const { detector, platform = thisPlatform() } = subject;
  const [home, other] = [path.join(top, 'ana'), path.join(top, 'ben')];
  const above = path.relative(home, subject.install(home)).split(path.sep)[0] ?? '';
  subject.install(other);
  for (const file of filesBelow(other)) {
    const text = fs.readFileSync(file, 'latin1');
    fs.writeFileSync(file, text.replace(/\d+\.\d+\.\d+/g, '6.6.6-CANARY'), 'latin1');
  }
  const child = await startSwapping(path.join(home, above), path.join(other, above));
  try {
    for (let count = 0; count < tries; count += 1) {
      const world = homesWorld([home], { catalogue: builtInCatalogue(), platform });
      const { components } = scanWorld(world, { detectors: [detector] });
      expect(JSON.stringify(components)).not.toContain('CANARY');
    }
  } finally {
    await stop(child);
  }
}
