/**
 * A generated developer's home beside its ground truth: makes one, reads the truth file, and says which
 * planted installs a scan's records miss and which decoys they take for one. The truth file's own notes
 * say how a record is compared with a finding.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

export interface TruthFinding {
  readonly channel: string;
  /** null: the generator has no id for it; any tool of the catalogue is right. */
  readonly tool: string | null;
  readonly name: string;
  readonly version: string | null;
  readonly path: string;
  readonly state: string;
  readonly scope: string;
  readonly target?: string;
  readonly also?: readonly string[];
  /** Findings with the same one are one install seen twice. */
  readonly install?: string;
}

interface Decoy {
  readonly path: string;
  /** The state that is right there. */
  readonly mayBe?: string;
}

export interface Truth {
  readonly findings: readonly TruthFinding[];
  readonly decoys: readonly Decoy[];
}

/** What a scan says of a component, as far as the truth goes. */
export interface ScannedRow {
  readonly record: string;
  readonly tool: string | null;
  readonly version: string | null;
  readonly state: string;
  readonly path: string;
}

const generator = path.resolve(import.meta.dirname, '..', 'bench', 'make-home.mjs');

/** Makes a home in a folder that does not exist yet; `flags` are the generator's own. */
export function generateHome(home: string, flags: readonly string[], at = generator): Truth {
  const made = spawnSync(process.execPath, [at, home, ...flags], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`the home could not be made: ${made.stderr}`);
  return readTruth(home);
}

export function readTruth(home: string): Truth {
  return JSON.parse(readFileSync(`${home}.truth.json`, 'utf8')) as Truth;
}

/** The component records of what `curfew scan --json` printed. */
export function componentRows(printed: string): readonly ScannedRow[] {
  return printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ScannedRow)
    .filter(({ record }) => record === 'component');
}

const present = new Set(['installed', 'cached', 'bundled', 'disabled']);

const isBelow = (place: string, root: string): boolean =>
  place === root || place.startsWith(`${root}/`);

function placesOf(row: ScannedRow, home: string): readonly string[] {
  let real = row.path;
  try {
    real = realpathSync(row.path);
  } catch {
    // A path that stands for a record without a file.
  }
  return [row.path, real].map((place) => path.relative(home, place));
}

const fits = (row: ScannedRow, finding: TruthFinding): boolean =>
  (finding.tool === null || row.tool === finding.tool) &&
  (finding.version === null || row.version === finding.version) &&
  row.state === finding.state;

export interface Compared {
  readonly planted: number;
  readonly missed: readonly string[];
  /** Decoys that were taken for an install. */
  readonly taken: readonly Decoy[];
}

/** Holds a scan against the truth; without `isDeep` only installs of global scope count. */
export function compare(
  rows: readonly ScannedRow[],
  truth: Truth,
  { home, isDeep }: { readonly home: string; readonly isDeep: boolean },
): Compared {
  const placed = rows.map((row) => ({ row, places: placesOf(row, home) }));
  const isFound = (finding: TruthFinding): boolean => {
    const { path: at, target, also = [] } = finding;
    const roots = [at, target, ...also].filter((one) => one !== undefined);
    return placed.some(
      ({ row, places }) =>
        fits(row, finding) && places.some((place) => roots.some((root) => isBelow(place, root))),
    );
  };
  const planted = truth.findings.filter(({ scope }) => isDeep || scope === 'global');
  const seen = new Set(planted.filter(isFound).map(({ install }) => install));
  const missed = planted
    .filter((one) => !isFound(one) && (one.install === undefined || !seen.has(one.install)))
    .map(({ channel, name }) => `${channel} ${name}`);
  const taken = truth.decoys.filter(({ path: at, mayBe }) =>
    placed.some(
      ({ row, places }) =>
        present.has(row.state) && row.state !== mayBe && places.some((place) => isBelow(place, at)),
    ),
  );
  return { planted: planted.length, missed, taken };
}
