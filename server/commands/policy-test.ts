/**
 * `policy test`: runs the cases beside policies and says which came out as expected. It knows no fleet
 * and changes nothing. Exit code 1: a case failed; 2: a file cannot be used, or there is nothing to run.
 */
import { existsSync, globSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { builtInCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { parsePolicy, type PolicyProblem } from '../../policies/document.js';
import { parseCases, policyNamedIn } from '../../policies/test-cases.js';
import { runCases, type CaseRun } from '../../policies/test-runs.js';
import { CurfewError } from '../../wire/errors.js';
import {
  print,
  readPolicy,
  say,
  tellProblems,
  textOf,
  type Options,
  type SetExitCode,
} from '../command-line.js';
import { failureText, junitXml } from './policy-test-output.js';

export const caseEnding = /\.test\.(yaml|yml)$/;

/** A file of cases that was run; `null` runs: it could not be, and the problems have been told. */
export interface TestedFile {
  readonly file: string;
  readonly policy: string;
  readonly runs: readonly CaseRun[] | null;
  /** Rules that decided in no case. */
  readonly undecided: readonly string[];
  readonly durationMs: number;
}

export function addTestCommand(policy: Command, setExitCode: SetExitCode): void {
  policy
    .command('test <path...>')
    .description(
      'run the cases beside policies: NAME.test.yaml beside NAME.yaml, or all of a folder',
    )
    .option('--json', 'a line of JSON for each case, and one for all')
    .option('--junit <file>', 'also write the results as JUnit XML')
    .addHelpText(
      'after',
      '\nExit code: 0 all as expected; 1 a case failed; 2 a file cannot be used.' +
        '\nExample: curfew-server policy test policies/ --junit results.xml',
    )
    .action((paths: readonly string[], options: Options) => {
      const isJson = options['json'] === true;
      const catalogue = builtInCatalogue();
      const tested = filesIn(paths).map((file) =>
        readable(file, () => testFile(file, catalogue, isJson)),
      );
      const junit = textOf(options['junit']);
      if (junit !== null) writeResults(junit, tested);
      setExitCode(conclude(tested, isJson));
    });
}

/** The files of cases that paths mean, each once. Errors: USAGE where a path has none. */
function filesIn(paths: readonly string[]): readonly string[] {
  const files = paths.flatMap((one) => {
    const found = statSync(one, { throwIfNoEntry: false });
    if (found === undefined) throw new CurfewError('USAGE', `${one} does not exist`);
    if (found.isDirectory()) return filesBelow(one);
    const file = caseEnding.test(one) ? one : one.replace(/\.(yaml|yml)$/, '.test.$1');
    if (file !== one && existsSync(file)) return [file];
    if (caseEnding.test(one)) return [one];
    throw new CurfewError('USAGE', `${one} has no cases beside it`, {
      hint: `Write them to ${file === one ? `${one}.test.yaml` : file}.`,
    });
  });
  return [...new Set(files.map((file) => path.normalize(file)))];
}

function filesBelow(folder: string): readonly string[] {
  const files = globSync('**/*.test.{yaml,yml}', {
    cwd: folder,
    exclude: (name) => name === 'node_modules' || name === '.git',
  });
  if (files.length > 0) return files.sort().map((file) => path.join(folder, file));
  throw new CurfewError('USAGE', `there are no cases in ${folder}`, {
    hint: 'Cases of NAME.yaml are in NAME.test.yaml beside it.',
  });
}

function policyFileOf(file: string, yaml: string): string {
  const named = policyNamedIn(yaml);
  if (named !== null) return path.resolve(path.dirname(file), named);
  const plain = file.replace(caseEnding, '.$1');
  const other = plain.endsWith('.yaml')
    ? plain.replace(/yaml$/, 'yml')
    : plain.replace(/yml$/, 'yaml');
  return !existsSync(plain) && existsSync(other) ? other : plain;
}

/** A file that cannot be read costs itself alone. */
export function readable(file: string, test: () => TestedFile): TestedFile {
  try {
    return test();
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    say(`${file}: ${error.message}`);
    return { file, policy: file, runs: null, undecided: [], durationMs: 0 };
  }
}

export function testFile(file: string, catalogue: Catalogue, isJson: boolean): TestedFile {
  const startMs = performance.now();
  const yaml = readPolicy(file);
  const policyFile = policyFileOf(file, yaml);
  const unusable = (of: string, problems: readonly PolicyProblem[]): TestedFile => {
    tellProblems(of, problems);
    return { file, policy: policyFile, runs: null, undecided: [], durationMs: 0 };
  };
  const parsed = parsePolicy(readPolicy(policyFile), { catalogue });
  if (parsed.kind === 'invalid') return unusable(policyFile, parsed.problems);
  const { policy } = parsed;
  const cases = parseCases(yaml, { policy, catalogue });
  if (cases.kind === 'invalid') return unusable(file, cases.problems);
  const runs: CaseRun[] = [];
  for (const run of runCases(cases.document, { policy, catalogue })) {
    runs.push(run);
    if (isJson) print(JSON.stringify({ record: 'case', file, ...run, ...timesOf(run) }));
  }
  const decided = new Set(runs.map(({ verdict }) => verdict.rule));
  const undecided = policy.rules.map(({ id }) => id).filter((id) => !decided.has(id));
  const durationMs = Math.round(performance.now() - startMs);
  const tested = { file, policy: policyFile, runs, undecided, durationMs };
  if (!isJson) tellRuns(tested);
  return tested;
}

/** A verdict's instants as every program reads them. */
function timesOf({ verdict }: CaseRun): object {
  const iso = (at: number | null): string | null =>
    at === null ? null : new Date(at).toISOString();
  return {
    verdict: { ...verdict, announce: iso(verdict.announce), effective: iso(verdict.effective) },
  };
}

function tellRuns({ file, runs, undecided }: TestedFile): void {
  print(file);
  for (const [name, all] of Map.groupBy(runs ?? [], (run) => run.name)) {
    const failed = all.filter(({ isPassed }) => !isPassed);
    const times = all.length === 1 ? '' : ` (${all.length} times)`;
    print(`  ${failed.length === 0 ? '✓' : '✗'} ${name}${times}`);
    for (const run of failed) print(failureText(run));
  }
  if (undecided.length > 0) say(`${file}: no case is decided by ${undecided.join(', ')}`);
}

function writeResults(file: string, tested: readonly TestedFile[]): void {
  try {
    writeFileSync(file, junitXml(tested));
  } catch (error) {
    throw new CurfewError('USAGE', `--junit ${file} cannot be written`, { cause: error });
  }
}

/** Says how it ended and answers the exit code. */
function conclude(tested: readonly TestedFile[], isJson: boolean): number {
  const runs = tested.flatMap((one) => one.runs ?? []);
  const failed = runs.filter(({ isPassed }) => !isPassed).length;
  const unusable = tested.filter((one) => one.runs === null).length;
  const passed = runs.length - failed;
  if (isJson) {
    const undecided = tested.flatMap(({ file, undecided: rules }) =>
      rules.length === 0 ? [] : [{ file, rules }],
    );
    const counts = { files: tested.length, passed, failed, unusable, undecided };
    print(JSON.stringify({ record: 'summary', ...counts }));
  } else {
    const files = unusable === 0 ? '' : `, ${unusable} of ${tested.length} files cannot be used`;
    print(`${passed} passed, ${failed} failed${files}`);
  }
  return unusable > 0 ? 2 : failed > 0 ? 1 : 0;
}
