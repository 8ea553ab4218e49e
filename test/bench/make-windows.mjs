#!/usr/bin/env node
// Builds a folder that stands for drive C: of a Windows machine with AI tools planted; see test/worlds/windows-machine.ts.
//   node test/bench/make-windows.mjs FOLDER [--seed 1] [--scale 1]
// FOLDER must not exist. The truth goes to FOLDER.truth.json, the account list to FOLDER.accounts.json:
//   curfew scan --world FOLDER --platform win32 --accounts FOLDER.accounts.json --json
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    scale: { type: 'string', default: '1' },
  },
});
const [folder] = positionals;
if (folder === undefined || positionals.length > 1) {
  console.error('usage: node test/bench/make-windows.mjs FOLDER [--seed 1] [--scale 1]');
  process.exit(2);
}
const built = mkdtempSync(path.join(tmpdir(), 'make-windows-'));
try {
  const outfile = path.join(built, 'machine.mjs');
  const entry = path.join(import.meta.dirname, '..', 'worlds', 'windows-machine.ts');
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm' });
  const { makeWindowsMachine } = await import(pathToFileURL(outfile).href);
  const options = { seed: Number(values.seed), scale: Number(values.scale) };
  const { stats, findings, decoys } = makeWindowsMachine(folder, options);
  const counts = { ...stats, findings: findings.length, decoys: decoys.length };
  console.log(JSON.stringify(counts));
} finally {
  rmSync(built, { recursive: true, force: true });
}
