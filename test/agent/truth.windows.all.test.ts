/**
 * A generated Windows machine with a ground truth: every planted install of global scope is found with
 * the right tool, version, state and owner, and no decoy is taken for one. The truth's own notes say
 * how a report is compared with a finding. `notYet` names what waits for a way to read it, and must
 * miss. CURFEW_TRUTH_SEEDS sets how many seeds are tried.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runScan } from '../../agent/scan-command.js';
import { makeWindowsMachine, type WindowsFinding } from '../worlds/windows-machine.js';
import { windowsPath } from '../worlds/windows-places.js';

interface Row {
  readonly record: string;
  readonly tool: string | null;
  readonly channel: string;
  readonly name: string;
  readonly version: string | null;
  readonly state: string;
  readonly scope: string;
  readonly owner: string | null;
  readonly path: string;
}

const notYet: readonly string[] = [];
const present = new Set(['installed', 'running', 'cached', 'bundled', 'disabled']);
const seeds = Number(process.env['CURFEW_TRUTH_SEEDS'] ?? '20');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-windows-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function scan(machine: string): Promise<Row[]> {
  const printed: string[] = [];
  const accounts = `${machine}.accounts.json`;
  await runScan(['--world', machine, '--platform', 'win32', '--accounts', accounts, '--json'], {
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

/** Whether a report's path is one of the truth's, or lies below it; Windows names have no case. */
function isAt(row: Row, at: string): boolean {
  const [place, root] = [row.path.toLowerCase(), windowsPath(at).toLowerCase()];
  return place === root || place.startsWith(`${root}\\`);
}

const placesOf = ({ path: at, target, also = [] }: WindowsFinding): readonly string[] =>
  target === undefined ? [at, ...also] : [at, target, ...also];

const fits = (row: Row, finding: WindowsFinding): boolean =>
  placesOf(finding).some((at) => isAt(row, at)) &&
  (finding.tool === null || row.tool === finding.tool) &&
  (finding.version === null || row.version === finding.version) &&
  row.state === finding.state &&
  row.owner === finding.owner;

describe('a generated Windows machine', () => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    test(
      `seed ${seed}: all that is planted is found, and no decoy`,
      { timeout: 120_000 },
      async () => {
        const at = path.join(folder, `seed-${seed}`);
        const { findings, decoys } = makeWindowsMachine(at, { seed });
        const rows = await scan(at);
        const planted = findings.filter(({ scope }) => scope === 'global');
        const missed = planted
          .filter((finding) => !rows.some((row) => fits(row, finding)))
          .map(({ channel, name, path: place }) => `${channel} ${name} ${place}`);
        expect(planted.length).toBeGreaterThan(120);
        expect(missed).toEqual(notYet);
        const taken = decoys.flatMap(({ why, path: place, mayBe }) =>
          rows
            .filter(({ state }) => present.has(state) && state !== mayBe)
            .filter((row) => isAt(row, place))
            .filter(
              (row) => !planted.some((finding) => isWithin(finding, place) && fits(row, finding)),
            )
            .map((row) => `${why}: ${row.channel} ${row.name} ${row.path}`),
        );
        expect(taken).toEqual([]);
      },
    );
  }
});

/** A finding that lies inside a decoy is a finding. */
function isWithin(finding: WindowsFinding, place: string): boolean {
  return placesOf(finding).some((at) => at !== place && at.startsWith(`${place}/`));
}
