/**
 * How the results of `policy test` look: a failed case with what was expected, what came out and every
 * rule that was tried, and the whole as JUnit XML for the systems that collect it. It runs nothing.
 */
import type { CaseRun } from '../../policies/test-runs.js';
import { isUndecided, type TraceCause } from '../../policies/trace.js';
import type { TestedFile } from './policy-test.js';

/** A failed case at one of its times, for people. */
export function failureText({ at, fields, trace }: CaseRun): string {
  const width = Math.max(...fields.map(({ field }) => field.length));
  const wide = Math.max(...trace.map(({ rule }) => rule.length));
  const lines = [
    `at ${at}`,
    ...fields.map(({ field, expected, actual, isSame }) =>
      isSame
        ? `  ${field.padEnd(width)}  ${expected}`
        : `  ${field.padEnd(width)}  expected ${expected}, but it is ${actual ?? 'nothing'}`,
    ),
    'tried:',
    ...trace.map(
      ({ rule, matched, why, cause }) =>
        `  ${rule.padEnd(wide)}  ${markOf(matched, cause)}  ${why}`,
    ),
  ];
  return lines.map((line) => `      ${line}`).join('\n');
}

const markOf = (matched: boolean, cause: TraceCause): string =>
  cause.kind === 'rule' && isUndecided(cause.conditions) ? '?  ' : matched ? 'yes' : 'no ';

/** Control characters that XML 1.0 has no way to write. */
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};
const xml = (text: string): string =>
  text
    .toWellFormed()
    .replace(unwritable, '\ufffd')
    .replace(/[&<>"]/g, (character) => entities[character] ?? character);

/** The results in the form that CI systems read (https://github.com/testmoapp/junitxml). */
export function junitXml(tested: readonly TestedFile[]): string {
  const suites = tested.map((one) => suiteOf(one));
  const total = (field: 'tests' | 'failures' | 'errors'): number =>
    suites.reduce((sum, suite) => sum + suite[field], 0);
  const counts = `tests="${total('tests')}" failures="${total('failures')}" errors="${total('errors')}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="curfew-server policy test" ${counts}>`,
    ...suites.flatMap(({ lines }) => lines),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Suite {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly lines: readonly string[];
}

function suiteOf({ file, policy, runs, durationMs }: TestedFile): Suite {
  const name = `name="${xml(file)}"`;
  if (runs === null) {
    const lines = [
      `  <testsuite ${name} tests="1" failures="0" errors="1">`,
      `    <testcase name="the files can be read" classname="${xml(file)}">`,
      `      <error message="${xml(`${file} or ${policy} is not valid`)}"/>`,
      '    </testcase>',
      '  </testsuite>',
    ];
    return { tests: 1, failures: 0, errors: 1, lines };
  }
  const failures = runs.filter(({ isPassed }) => !isPassed).length;
  const counts = `tests="${runs.length}" failures="${failures}" errors="0"`;
  const lines = [
    `  <testsuite ${name} ${counts} time="${(durationMs / 1000).toFixed(3)}">`,
    ...runs.flatMap((run) => caseLines(run, file)),
    '  </testsuite>',
  ];
  return { tests: runs.length, failures, errors: 0, lines };
}

function caseLines(run: CaseRun, file: string): readonly string[] {
  const open = `<testcase name="${xml(`${run.name} (${run.at})`)}" classname="${xml(file)}"`;
  if (run.isPassed) return [`    ${open}/>`];
  const [wrong] = run.fields.filter(({ isSame }) => !isSame);
  const what = `${wrong?.field ?? ''}: expected ${wrong?.expected ?? ''}, but it is ${wrong?.actual ?? 'nothing'}`;
  return [
    `    ${open}>`,
    `      <failure message="${xml(what)}">${xml(failureText(run))}</failure>`,
    '    </testcase>',
  ];
}
