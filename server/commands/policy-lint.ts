/**
 * `policy lint`: everything wrong or doubtful in policy files, with line and column, for people and for a
 * CI. The only part of lint that knows a clock and reads files; nothing is changed. `policies/lint-*.ts`
 * hold the checks.
 */
import { globSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { builtInCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { checkDate, resolveDate } from '../../policies/dates.js';
import type { Policy } from '../../policies/document.js';
import { lintPolicy, type LintProblem } from '../../policies/lint-advice.js';
import { lintExceptions } from '../../policies/lint-exceptions.js';
import { decodeSource, maxSourceBytes } from '../../policies/source.js';
import { CurfewError } from '../../wire/errors.js';
import { readBounded } from '../bounded-file.js';
import { print, say, textOf, type Options, type SetExitCode } from '../command-line.js';

const help = `
Exit code: 0 nothing wrong (warnings are not wrong, but with --strict they are); 1 an error; 2 usage.
Example: curfew-server policy lint policies/ --languages en,zh-CN --strict`;

interface LintedFile {
  readonly file: string;
  readonly policy: Policy | null;
  readonly problems: readonly LintProblem[];
}

interface Terms {
  readonly catalogue: Catalogue;
  readonly now: number;
  readonly languages: readonly string[];
}

export function addLintCommand(policy: Command, setExitCode: SetExitCode): void {
  policy
    .command('lint <path...>')
    .description('check policies: files, or folders of them')
    .option('--at <time>', 'judge dates as of a day (UTC) or an instant (default: now)')
    .option('--languages <tags>', 'languages that every text must have, like en,zh-CN')
    .option('--exceptions <file>', 'also check a list of exceptions against the policies')
    .option('--strict', 'warnings are errors')
    .option('--json', 'a line of JSON for each problem, and one for all')
    .addHelpText('after', help)
    .action((paths: readonly string[], options: Options) => {
      const terms: Terms = {
        catalogue: builtInCatalogue(),
        now: instantOf(textOf(options['at'])),
        languages: languagesOf(textOf(options['languages'])),
      };
      const linted = withTwins(filesIn(paths).map((file) => lintFile(file, terms)));
      const exceptions = textOf(options['exceptions']);
      if (exceptions !== null) linted.push(lintExceptionsFile(exceptions, linted, terms));
      const isStrict = options['strict'] === true;
      if (options['json'] === true) tellPrograms(linted, terms.now);
      else tellPeople(linted);
      const isWrong = (one: LintProblem): boolean => isStrict || one.severity === 'error';
      if (linted.some(({ problems }) => problems.some(isWrong))) setExitCode(1);
    });
}

function instantOf(text: string | null): number {
  if (text === null) return Date.now();
  const checked = checkDate(text);
  if (checked.kind !== 'invalid') return resolveDate(text, 'utc', 'UTC');
  throw new CurfewError('USAGE', `--at is "${text}"; ${checked.message}`);
}

function languagesOf(text: string | null): readonly string[] {
  const tags = (text ?? '').split(',').map((tag) => tag.trim());
  return tags
    .filter((tag) => tag !== '')
    .map((tag) => {
      try {
        return Intl.getCanonicalLocales(tag)[0] ?? tag;
      } catch (error) {
        const message = `--languages holds "${tag}", which is not a language tag like en or zh-CN`;
        throw new CurfewError('USAGE', message, { cause: error });
      }
    });
}

const casesForm = /\.test\.ya?ml$/;

/** The policy files that paths mean, each once; cases beside them are none. Errors: USAGE. */
function filesIn(paths: readonly string[]): readonly string[] {
  const files = paths.flatMap((one) => {
    const found = statSync(one, { throwIfNoEntry: false });
    if (found === undefined) throw new CurfewError('USAGE', `${one} does not exist`);
    // A shell that expands policies/*.yaml names the cases too.
    if (!found.isDirectory()) return casesForm.test(one) ? [] : [one];
    const exclude = (name: string): boolean => name === 'node_modules' || name === '.git';
    const below = globSync('**/*.{yaml,yml}', { cwd: one, exclude })
      .filter((name) => !casesForm.test(name))
      .sort();
    if (below.length > 0) return below.map((name) => path.join(one, name));
    throw new CurfewError('USAGE', `there is no policy in ${one}`, {
      hint: 'Policies are files that end in .yaml or .yml.',
    });
  });
  if (files.length > 0) return [...new Set(files.map((file) => path.normalize(file)))];
  throw new CurfewError('USAGE', `${paths.join(', ')}: cases of a policy, which is another file`, {
    hint: 'Lint NAME.yaml; `curfew-server policy test` runs the cases in NAME.test.yaml.',
  });
}

function lintFile(file: string, terms: Terms): LintedFile {
  const decoded = decodeSource(readBounded(file, maxSourceBytes));
  if (decoded.kind === 'text') return { file, ...lintPolicy(decoded.text, terms) };
  const problems = decoded.problems.map((problem): LintProblem => ({
    check: 'document',
    severity: 'error',
    field: '',
    ...problem,
  }));
  return { file, policy: null, problems };
}

/** Two files of one policy id: publishing the second would replace the first. */
function withTwins(linted: readonly LintedFile[]): LintedFile[] {
  const first = new Map<string, string>();
  return linted.map((one) => {
    const id = one.policy?.policy;
    const other = id === undefined ? undefined : first.get(id);
    if (id === undefined || other === undefined) {
      if (id !== undefined) first.set(id, one.file);
      return one;
    }
    const message = `${other} is the policy "${id}" too; publishing one would replace the other`;
    const problem = { severity: 'error', line: 1, column: 1, field: 'policy', message } as const;
    return { ...one, problems: [{ check: 'policy-twice', ...problem }, ...one.problems] };
  });
}

function lintExceptionsFile(
  file: string,
  linted: readonly LintedFile[],
  { catalogue, now }: Terms,
): LintedFile {
  const decoded = decodeSource(readBounded(file, maxSourceBytes));
  const policies = linted.flatMap(({ policy }) => policy ?? []);
  const problems =
    decoded.kind === 'text'
      ? lintExceptions(decoded.text, { policies, catalogue, now })
      : decoded.problems.map((one): LintProblem => ({
          check: 'document',
          severity: 'error',
          field: '',
          ...one,
        }));
  return { file, policy: null, problems };
}

function tellPeople(linted: readonly LintedFile[]): void {
  for (const { file, policy, problems } of linted) {
    for (const { severity, line, column, field, message } of problems) {
      const at = field === '' ? '' : `${field}: `;
      process.stderr.write(`${file}:${line}:${column}: ${severity}: ${at}${message}\n`);
    }
    if (policy !== null && problems.every(({ severity }) => severity === 'warning')) {
      print(`${file}: ${policy.policy} is valid`);
    }
  }
  const { errors, warnings } = countsOf(linted);
  if (errors + warnings > 0) say(`${counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
}

const counted = (count: number, word: string): string =>
  `${count === 0 ? 'no' : count} ${word}${count === 1 ? '' : 's'}`;

function countsOf(linted: readonly LintedFile[]): { errors: number; warnings: number } {
  const all = linted.flatMap(({ problems }) => problems);
  const errors = all.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: all.length - errors };
}

function tellPrograms(linted: readonly LintedFile[], now: number): void {
  for (const { file, problems } of linted) {
    for (const { severity, check, line, column, field, message } of problems) {
      print(
        JSON.stringify({ record: 'problem', file, severity, check, line, column, field, message }),
      );
    }
  }
  const at = new Date(now).toISOString();
  print(JSON.stringify({ record: 'summary', files: linted.length, ...countsOf(linted), at }));
}
