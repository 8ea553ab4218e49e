/**
 * A generated developer's home with a ground truth: every planted install of global scope is found with
 * the right tool, version and state, and no decoy is taken for one; in a deep scan those of projects too.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runScan } from '../../agent/scan-command.js';
import { compare, componentRows, generateHome } from '../worlds/truth.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-truth-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }), 300_000);

async function scan(home: string, os: string, flags: readonly string[]): Promise<string> {
  const printed: string[] = [];
  await runScan(['--home', home, '--platform', os, '--json', ...flags], {
    stdout: (text) => void printed.push(text),
    stderr: () => {},
  });
  return printed.join('');
}

describe('a generated home', () => {
  for (const os of ['linux', 'darwin']) {
    for (let seed = 1; seed <= 20; seed += 1) {
      const isDeep = seed % 5 === 3;
      test(
        `${os}, seed ${seed}${isDeep ? ', deep' : ''}: all that is planted is found, and no decoy`,
        { timeout: 120_000 },
        async () => {
          const home = path.join(folder, `${os}-${seed}`);
          const flags = ['--scale', '0.02', '--os', os, '--seed', String(seed)];
          const truth = generateHome(home, flags);
          const rows = componentRows(await scan(home, os, isDeep ? ['--deep'] : []));
          const { planted, missed, taken } = compare(rows, truth, { home, isDeep });
          expect(planted).toBeGreaterThan(80);
          expect(missed).toEqual([]);
          expect(taken).toEqual([]);
          // A home has ten thousand files; forty of them at once take minutes to remove.
          rmSync(home, { recursive: true, force: true });
        },
      );
    }
  }
});
