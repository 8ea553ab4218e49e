/**
 * A generated developer's home with a ground truth: every planted install of global scope is found with
 * the right tool, version and state, and no decoy is taken for one. The truth file's own notes say how a
 * report is compared with a finding.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runScan } from '../../agent/scan-command.js';

interface Finding {
  readonly channel: string;
  readonly tool: string | null;
  readonly name: string;
  readonly version: string | null;
  readonly path: string;
  readonly state: string;
  readonly scope: string;
  readonly target?: string;
  readonly also?: readonly string[];
  readonly install?: string;
}
interface Decoy {
  readonly path: string;
  readonly mayBe?: string;
}
interface Truth {
  readonly findings: readonly Finding[];
  readonly decoys: readonly Decoy[];
}
interface Row {
  readonly record: string;
  readonly tool: string | null;
  readonly version: string | null;
  readonly state: string;
  readonly path: string;
}

const present = new Set(['installed', 'cached', 'bundled', 'disabled']);
const top = path.resolve(import.meta.dirname, '..', '..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-truth-'));
});
// A home has ten thousand files.
afterAll(() => rmSync(folder, { recursive: true, force: true }), 300_000);

const isBelow = (place: string, root: string): boolean =>
  place === root || place.startsWith(`${root}/`);

function placesOf(row: Row, home: string): string[] {
  let real = row.path;
  try {
    real = realpathSync(row.path);
  } catch {
    // A path that stands for a record without a file.
  }
  return [row.path, real].map((place) => path.relative(home, place));
}

async function scan(home: string, os: string, flags: readonly string[]): Promise<Row[]> {
  const printed: string[] = [];
  await runScan(['--home', home, '--platform', os, '--json', ...flags], {
    stdout: (text) => void printed.push(text),
    stderr: () => {},
  });
  return printed
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
    .filter(({ record }) => record === 'component');
}

/** A tool the generator's truth has no id for may be any of ours. */
const fits = (row: Row, finding: Finding): boolean =>
  (finding.tool === null || row.tool === finding.tool) &&
  (finding.version === null || row.version === finding.version) &&
  row.state === finding.state;

describe('a generated home', () => {
  for (const os of ['linux', 'darwin']) {
    for (let seed = 1; seed <= 20; seed += 1) {
      const isDeep = seed % 5 === 3;
      test(
        `${os}, seed ${seed}${isDeep ? ', deep' : ''}: all that is planted is found, and no decoy`,
        { timeout: 120_000 },
        async () => {
          const home = path.join(folder, `${os}-${seed}`);
          const generator = path.join(top, 'test', 'bench', 'make-home.mjs');
          const args = ['--scale', '0.02', '--os', os, '--seed', String(seed)];
          execFileSync(process.execPath, [generator, home, ...args], { stdio: 'ignore' });
          const truth = JSON.parse(readFileSync(`${home}.truth.json`, 'utf8')) as Truth;
          const rows = (await scan(home, os, isDeep ? ['--deep'] : [])).map((row) => ({
            row,
            places: placesOf(row, home),
          }));
          const found = (finding: Finding): boolean => {
            const { path: at, target, also = [] } = finding;
            const roots = [at, target, ...also].filter((one) => one !== undefined);
            return rows.some(
              ({ row, places }) =>
                fits(row, finding) &&
                places.some((place) => roots.some((root) => isBelow(place, root))),
            );
          };
          const planted = truth.findings.filter(({ scope }) => isDeep || scope === 'global');
          const seen = new Set(planted.filter(found).map(({ install }) => install));
          const missed = planted
            .filter((one) => !found(one) && (one.install === undefined || !seen.has(one.install)))
            .map(({ channel, name }) => `${channel} ${name}`);
          expect(planted.length).toBeGreaterThan(80);
          expect(missed).toEqual([]);
          const taken = truth.decoys.filter(({ path: at, mayBe }) =>
            rows.some(
              ({ row, places }) =>
                present.has(row.state) &&
                row.state !== mayBe &&
                places.some((place) => isBelow(place, at)),
            ),
          );
          expect(taken).toEqual([]);
        },
      );
    }
  }
});
