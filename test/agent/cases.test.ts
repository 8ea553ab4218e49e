/**
 * Every case of `test/cases` that says what a scan must answer, put to the command line as a program
 * would use it: a real tree, real flags, exit code and output as they come. Besides the case's own
 * demands nothing that was found may run, and no file may change.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildAgent } from '../worlds/built-agent.js';
import { fingerprint } from '../worlds/layout.js';
import {
  buildRun,
  listFor,
  readCases,
  shortcomings,
  type Answer,
  type Case,
  type Run,
  type ScanRecord,
} from './case.js';

const top = path.resolve(import.meta.dirname, '..', '..');
const cases = readCases(path.join(top, 'test', 'cases'));
let program = '';

/** Cases whose channel no detector reads yet. A case that passes all the same has to leave this list. */
const notYet: Readonly<Record<string, string>> = {};

let root: string;
let state: string;

beforeAll(async () => {
  const built = await buildAgent('cases');
  program = built.program;
  return () => built.remove();
});

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-case-')));
  state = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-case-state-'));
});

afterEach(() => {
  for (const folder of [root, state]) fs.rmSync(folder, { recursive: true, force: true });
});

function flags(run: Run, each: Case): string[] {
  const list: string[] = ['scan', '--json'];
  const written = (name: string, text: string): string => {
    const at = path.join(state, name);
    fs.writeFileSync(at, text);
    return at;
  };
  if (run.world !== undefined) list.push('--world', root, '--platform', run.world);
  for (const home of run.homes ?? []) list.push('--home', path.join(root, home));
  if (run.policy !== undefined) {
    list.push('--policy', written('policy.yaml', `${run.policy.join('\n')}\n`));
  }
  if (run.at !== undefined) list.push('--at', run.at);
  if (run.accounts !== undefined) {
    list.push('--accounts', written('accounts.json', listFor(root, each, run.accounts)));
  }
  if (run.processes !== undefined) {
    list.push('--processes', written('processes.json', listFor(root, each, run.processes)));
  }
  if (run.deep === true) list.push('--deep');
  if (run.state === true) list.push('--state', path.join(state, 'history'));
  return list;
}

function scan(run: Run, each: Case): Answer {
  const done = spawnSync(process.execPath, [program, ...flags(run, each)], {
    cwd: state,
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: process.env['PATH'], TZ: 'UTC', MARKER_DIR: state },
  });
  const records = done.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ScanRecord);
  return { exit: done.status, output: done.stdout + done.stderr, records };
}

/** Everything that is wrong over the runs of a case, each with its title. */
function shortcomingsOf(each: Case): string[] {
  return each.runs.flatMap((run) => {
    fs.rmSync(root, { recursive: true, force: true });
    fs.mkdirSync(root);
    buildRun(root, each, run);
    const before = fingerprint(root);
    const answer = scan(run, each);
    const wrong = shortcomings(answer, run);
    const marks = fs.readdirSync(state).filter((name) => name.startsWith('EXECUTED'));
    if (marks.length > 0) wrong.push('a program that was found has run');
    const after = fingerprint(root);
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      if (before.get(name) !== after.get(name)) wrong.push(`${name} has changed`);
    }
    const title = run.title === undefined ? '' : `${run.title}: `;
    return wrong.map((line) => `${title}${line}${wrong[0] === line ? `\n${answer.output}` : ''}`);
  });
}

test('every case without a reason to wait is run, and no reason names a case that is not there', () => {
  expect(cases.length).toBeGreaterThan(10);
  const ids = cases.map(({ id }) => id);
  expect(Object.keys(notYet).filter((id) => !ids.includes(id))).toEqual([]);
});

test('what a case demands and a scan does not give is said', () => {
  const scoped = cases.find(({ id }) => id === 'C018');
  if (scoped?.runs[0] === undefined) throw new Error('C018 is gone');
  const demands = {
    some: [{ tool: 'claude-code', count: 2 }, { tool: 'codex-cli' }],
    none: [{ purl: '~CLAUDE-code' }],
    summary: 'partial',
    exit: 0,
    says: ['CANARY'],
    never: ['2.1.120'],
  } as const;
  const wrong = shortcomingsOf({ ...scoped, runs: [{ ...scoped.runs[0], ...demands }] });
  expect(wrong).toHaveLength(7);
});

describe('a scan of', () => {
  test.each(cases.filter(({ id }) => notYet[id] === undefined))('case $id answers', (each) => {
    expect(shortcomingsOf(each)).toEqual([]);
  });

  test.each(cases.filter(({ id }) => notYet[id] !== undefined))(
    'case $id, which waits for its channel, does not hold yet',
    (each) => {
      expect(shortcomingsOf(each), `take ${each.id} off the list`).not.toEqual([]);
    },
  );
});
