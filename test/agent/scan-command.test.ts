/**
 * What `curfew scan` answers a person and a program: exit codes, records that fit their schema, and
 * clear refusals. The detectors have tests of their own.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Value from 'typebox/value';
import type { TSchema } from 'typebox';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { homesWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import { runScan } from '../../agent/scan-command.js';
import { problemLines, summaryRecord, type Judged } from '../../agent/scan-output.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { verdictStatuses } from '../../policies/evaluate.js';
import * as native from '../worlds/native.js';

let root: string;
let home: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-scan-'));
  home = path.join(root, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

interface Answer {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly records: readonly Record<string, unknown>[];
}

async function scan(...argv: readonly string[]): Promise<Answer> {
  let [stdout, stderr] = ['', ''];
  const exit = await runScan(argv, {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
  });
  const lines = argv.includes('--json') ? stdout.trimEnd().split('\n').filter(Boolean) : [];
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { exit, stdout, stderr, records };
}

function policy(rule: string): string {
  const text = `policy: case
title: Test policy
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - id: claude-code-ban
    match: { ${rule} }
    decision: deny
    effective: 2026-07-10
    before: notify
    after: block
    reason: { en: Not approved here. }
    replacement: { tool: qoder }
`;
  return native.place(root, 'policy.yaml', text);
}

const inForce = '2026-07-10T00:00:00+08:00';
const dayBefore = '2026-07-09T23:59:59+08:00';

test('without a policy verdicts are null and the exit code is 0', async () => {
  native.claudeNative(home, ['2.1.120'], '2.1.120');
  const { exit, records } = await scan('--json', '--home', home);
  expect(exit).toBe(0);
  expect(records).toMatchObject([
    { record: 'component', tool: 'claude-code', version: '2.1.120', owner: 'ana', verdict: null },
    { record: 'summary', status: 'complete', counts: { components: 1, findings: 1, verdicts: {} } },
  ]);
});

test('a denied tool is a violation from the first instant of its day in the zone of the policy', async () => {
  native.claudeNative(home, ['2.1.120'], '2.1.120');
  const file = policy('tool: claude-code');
  const before = await scan('--json', '--home', home, '--policy', file, '--at', dayBefore);
  expect(before.exit).toBe(0);
  expect(before.records[0]?.['verdict']).toEqual({
    status: 'pending',
    rule: 'claude-code-ban',
    effective: '2026-07-09T16:00:00.000Z',
    daysLeft: 1,
    action: 'notify',
    effectiveAction: 'notify',
  });
  const after = await scan('--json', '--home', home, '--policy', file, '--at', inForce);
  expect(after.exit).toBe(1);
  expect(after.records[0]?.['verdict']).toMatchObject({
    status: 'violation',
    daysLeft: 0,
    action: 'block',
    effectiveAction: 'notify',
  });
});

test('findings are counted by their worst verdict, in the order of the evaluation', () => {
  const judged = verdictStatuses.map((status, index): Judged => {
    const component = { tool: 'claude-code', id: String(index) } as Judged['component'];
    return { component, verdict: { status } as Judged['verdict'] };
  });
  for (let from = 0; from < judged.length; from += 1) {
    const { counts } = summaryRecord(judged.slice(from).reverse(), [], 0);
    expect(counts).toMatchObject({
      findings: 1,
      verdicts: { [verdictStatuses[from] ?? 'none']: 1 },
    });
  }
});

test('--max-action is the ceiling of what would be done', async () => {
  native.claudeNative(home, ['2.1.120'], '2.1.120');
  const file = policy('tool: claude-code');
  const list = ['--json', '--home', home, '--policy', file, '--at', inForce, '--max-action'];
  for (const action of ['observe', 'notify', 'block']) {
    const { records } = await scan(...list, action);
    expect(records[0]?.['verdict']).toMatchObject({ effectiveAction: action });
  }
});

test('every record fits the schema that --schema prints', async () => {
  native.claudeNative(home, ['2.1.120'], null);
  native.place(home, '.vscode/extensions/extensions.json', '[{"half');
  const file = policy('tool: claude-code');
  const schema = JSON.parse((await scan('--schema')).stdout) as TSchema;
  const flags = ['--json', '--home', home, '--state', path.join(root, 'state')];
  const { records, exit } = await scan(...flags, '--policy', file, '--at', inForce);
  expect(records.map(({ record }) => record)).toEqual(['component', 'summary']);
  for (const record of records) expect(Value.Check(schema, record)).toBe(true);
  expect(Value.Check(schema, { ...records[0], state: 'lost' })).toBe(false);
  expect(exit).toBe(1);
});

test('what could not be read makes the answer 3, named in the summary', async () => {
  native.place(home, '.vscode/extensions/extensions.json', '[{"half');
  const { exit, records } = await scan('--json', '--home', home);
  expect(exit).toBe(3);
  expect(records.at(-1)).toMatchObject({
    status: 'partial',
    roots: expect.arrayContaining([
      {
        root: `editor-extension:${path.join(home, '.vscode/extensions')}`,
        status: 'partial',
        problems: [
          {
            path: path.join(home, '.vscode/extensions/extensions.json'),
            code: 'malformed',
            isLoss: true,
          },
        ],
      },
    ]) as unknown,
  });
  const table = await scan('--home', home);
  expect(table.stdout).toBe('No AI tools were found.\n');
  expect(table.stderr).toContain('Not fully read: editor-extension:');
});

test('a home that goes away before it is read is told once, with the reason', () => {
  const world = homesWorld([home], { catalogue: builtInCatalogue() });
  fs.rmSync(home, { recursive: true });
  const summary = summaryRecord([], scanWorld(world).readings, 0);
  expect(summary.status).toBe('partial');
  expect(problemLines(summary)).toMatch(
    /^Not read: npm:.* and \d+ more \(unavailable\)\n  \S+: missing or empty, .*\n$/,
  );
});

test('C061: a place that could not be read keeps what was known, a complete read removes it', async () => {
  const list = path.join(home, '.vscode/extensions/extensions.json');
  const entry = {
    identifier: { id: 'anthropic.claude-code' },
    version: '2.1.120',
    relativeLocation: 'anthropic.claude-code-2.1.120',
  };
  fs.mkdirSync(path.join(path.dirname(list), entry.relativeLocation), { recursive: true });
  const flags = ['--json', '--home', home, '--state', path.join(root, 'state')];
  const look = async (content: string, at: string): Promise<Answer> => {
    fs.writeFileSync(list, content);
    return scan(...flags, '--at', at);
  };
  const first = await look(JSON.stringify([entry]), '2026-07-01T00:00:00Z');
  const second = await look('[{"identifier"', '2026-07-02T00:00:00Z');
  expect([first.exit, second.exit]).toEqual([0, 3]);
  for (const { records } of [first, second]) {
    expect(records).toMatchObject([
      { name: 'anthropic.claude-code', firstSeen: '2026-07-01T00:00:00.000Z' },
      { record: 'summary' },
    ]);
  }
  const third = await look('[]', '2026-07-03T00:00:00Z');
  expect(third.exit).toBe(0);
  expect(third.records).toHaveLength(1);
});

test('C063: a scan of other places leaves what is known of these alone', async () => {
  native.claudeNative(home, ['2.1.120'], '2.1.120');
  const state = ['--json', '--state', path.join(root, 'state')];
  await scan(...state, '--home', home);
  const other = path.join(root, 'home/ben');
  fs.mkdirSync(other);
  expect((await scan(...state, '--home', other)).records[0]).toMatchObject({ owner: 'ana' });
});

test('a damaged history is set aside and said, and the scan goes on', async () => {
  const state = path.join(root, 'state');
  native.place(state, 'scan-history.json', '{"format":1,"roots":{"a":{"components":[{"id":7}]}}}');
  const { exit, stderr } = await scan('--json', '--home', home, '--state', state);
  expect(exit).toBe(0);
  expect(stderr).toContain('damaged-');
  expect(fs.readdirSync(state).filter((name) => name.includes('damaged-'))).toHaveLength(1);
});

test('C052: hostile names reach neither a terminal nor a line of their own', async () => {
  const folder = 'bin\n2026-07-10 OK compliant\u001b[2K\u202egpj';
  native.program(home, `${folder}/claude`);
  native.place(home, '.profile', '');
  native.link(home, '.local/bin/claude', `../../${folder}/claude`);
  const json = await scan('--json', '--home', home);
  expect(json.records).toHaveLength(2);
  expect(json.records[0]?.['path']).toBe(path.join(home, folder, 'claude'));
  const { stdout } = await scan('--home', home);
  for (const text of [json.stdout, stdout]) {
    expect(text).not.toMatch(/[\u001b\u202e]/);
    expect(text).not.toMatch(/^2026-07-10 OK/m);
  }
});

test('the table names the tool, how long is left and what to use instead', async () => {
  native.claudeNative(home, ['2.1.120'], '2.1.120');
  const file = policy('tool: claude-code');
  const at = '2026-07-01T12:00:00+08:00';
  const { stdout, exit } = await scan('--home', home, '--policy', file, '--at', at);
  expect(exit).toBe(0);
  const row = stdout.split('\n').find((line) => line.includes('2.1.120')) ?? '';
  const cells = row.split('│').map((cell) => cell.trim());
  expect(cells.slice(1, -1)).toEqual([
    'Claude Code',
    'executable (native)',
    '2.1.120 (!)',
    '~/.local/share/claude/versions/2.1.120',
    'ana',
    'installed',
    'pending',
    '9',
    'Qoder IDE',
  ]);
});

test('a folder stands for a machine of another system', async () => {
  const kim = 'data/homes/kim';
  native.program(root, `${kim}/bin/claude`);
  native.place(root, `${kim}/.zprofile`, 'export PATH="$HOME/bin:$PATH"\n');
  const list = [{ name: 'kim', uid: 20113, home: `/${kim}`, shell: '/bin/zsh' }];
  const accounts = native.place(root, 'accounts.json', JSON.stringify(list));
  const running = [{ pid: 1, uid: 20113, exe: `/${kim}/.local/share/claude/versions/2.1.9` }];
  const processes = native.place(root, 'processes.json', JSON.stringify(running));
  const flags = ['--platform', 'darwin', '--accounts', accounts, '--processes', processes];
  const { records } = await scan('--json', '--world', root, ...flags);
  expect(records).toMatchObject([
    { channel: 'executable', owner: 'kim', path: `/${kim}/bin/claude` },
    { channel: 'process', owner: 'kim', state: 'running', version: '2.1.9' },
    { record: 'summary' },
  ]);
});

test.each([
  [['--colour'], '--colour'],
  [['--home'], '--home'],
  [['--home', 'a', '--world', 'b'], 'exclude each other'],
  [['--world', '/nonexistent/world'], '--world /nonexistent/world is no folder'],
  [['--world', import.meta.filename], 'is no folder'],
  [['--home', '.', '--home', '/nonexistent/ana'], '--home /nonexistent/ana is no folder'],
  [['--home', import.meta.filename], 'is no folder'],
  [['--world', '.', '--platform', 'beos'], 'linux, darwin, win32'],
  [['--platform', 'linux'], '--platform needs'],
  [['--home', '.', '--at', '2026-07-10'], 'not a day'],
  [['--home', '.', '--at', '2026-02-30T00:00:00Z'], 'not a moment'],
  [['--home', '.', '--at', '2026-07-10T00:00:00'], 'offset'],
  [['--home', '.', '--max-action', 'explode'], 'observe, notify, block, remove'],
  [['--home', '.', '--policy', '/nonexistent/policy.yaml'], '/nonexistent/policy.yaml'],
  [['surplus'], 'surplus'],
])('%j is refused with what to do, and nothing is scanned', async (argv, words) => {
  const { exit, stdout, stderr } = await scan(...argv);
  expect([exit, stdout]).toEqual([2, '']);
  expect(stderr).toContain(words);
  expect(stderr.split('\n').length).toBeLessThan(5);
});

test('a policy that is wrong is refused with file, line and column', async () => {
  const file = native.place(root, 'wrong.yaml', 'policy: case\ntitle: Test\nrules: 7\n');
  const { exit, stdout, stderr } = await scan('--json', '--home', home, '--policy', file);
  expect([exit, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`${file}:3:8: error: rules`);
});

test.each([
  ['{}', 'expected a list'],
  ['[{"pid":"x"}]', 'processes[0].pid'],
  ['[{"pid":1,"argv":["a",2]}]', 'processes[0].argv'],
  ['[{"pid":1', 'JSON'],
])('a list of processes like %s is refused', async (content, words) => {
  const file = native.place(root, 'processes.json', content);
  const { exit, stderr } = await scan('--json', '--world', root, '--processes', file);
  expect(exit).toBe(2);
  expect(stderr).toContain(words);
});

test('a policy for other systems is judged all the same, and that is said', async () => {
  native.claudeNative(home, ['2.1.120'], '2.1.120');
  const file = policy('tool: claude-code');
  const flags = ['--json', '--home', home, '--platform', 'linux', '--policy', file];
  expect((await scan(...flags, '--at', inForce)).stderr).toBe('');
  fs.appendFileSync(file, 'targets: { os: [darwin, win32] }\n');
  const { exit, stderr } = await scan(...flags, '--at', inForce);
  expect(exit).toBe(1);
  expect(stderr).toBe(
    'warning: the policy is for darwin, win32; it is judged on linux all the same\n',
  );
});
