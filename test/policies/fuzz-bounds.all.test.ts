/**
 * No input to policy, catalogue or bundle crashes their readers, holds them up for a second or takes more
 * than 200 MiB: each of the nastiest shapes is read in a process of its own, whose memory is measured.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundlePayloads, bundleTexts, catalogueShapes, policyShapes } from './shapes.js';

const mostMs = 1000;
const mostMebibytes = 200;
/** Without it garbage would be left lying, as there is room; with it what is needed shows. */
const heap = ['--max-old-space-size=150', '--max-semi-space-size=4'];

const folder = mkdtempSync(path.join(tmpdir(), 'curfew-fuzz-'));
const program = path.join(folder, 'child.mjs');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await build({
    entryPoints: [path.join(import.meta.dirname, 'fuzz-child.ts')],
    ...{ bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' },
    mainFields: ['module', 'main'],
    banner: {
      js: "const require = (name) => process.getBuiltinModule('node:module').createRequire(import.meta.url)(name);",
    },
  });
});

interface Measured {
  readonly name: string;
  readonly ms: number;
  /** Over what the process takes without any shape. */
  readonly mebibytes: number;
  readonly outcome: string;
}

/** Runs the child on one kind; the name of the shape that it ended at, or null, and what it measured. */
async function measure(
  kind: string,
): Promise<{ endedAt: string | null; all: Measured[]; words: string }> {
  const child = spawn(process.execPath, [...heap, program, kind], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [words, endedAt] = ['', null as string | null];
  child.stderr.on('data', (data: Buffer) => (words += data.toString()));
  const all: Measured[] = [];
  let hang = setTimeout(() => child.kill('SIGKILL'), 60_000);
  for await (const line of createInterface(child.stdout)) {
    const record = JSON.parse(line) as Measured & { begins?: string };
    if (record.begins === undefined) all.push(record);
    endedAt = record.begins ?? null;
    clearTimeout(hang);
    hang = setTimeout(() => child.kill('SIGKILL'), 20_000);
  }
  clearTimeout(hang);
  return { endedAt, all, words };
}

describe('the nastiest shapes are read within a second and 200 MiB', () => {
  test.each([
    ['policy', Object.keys(policyShapes)],
    ['lint', Object.keys(policyShapes)],
    ['catalogue', Object.keys(catalogueShapes)],
    ['bundle', [...Object.keys(bundleTexts), ...Object.keys(bundlePayloads)]],
  ])('by the readers of a %s', { timeout: 300_000 }, async (kind, names) => {
    const { endedAt, all, words } = await measure(kind);
    expect([endedAt, words]).toEqual([null, '']);
    expect(all.map(({ name }) => name)).toEqual(names);
    // Not all are turned away at the door.
    if (kind !== 'bundle')
      expect(
        all.filter(({ outcome }) => /^(policy|catalogue)|catalogue$/.test(outcome)).length,
      ).toBeGreaterThan(3);
    expect(all.filter(({ ms }) => ms > mostMs)).toEqual([]);
    expect(all.filter(({ mebibytes }) => mebibytes > mostMebibytes)).toEqual([]);
  });
});
