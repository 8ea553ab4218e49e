/** What `curfew status` and `curfew inventory` say of a database, and with which exit code. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyReadings } from '../../agent/inventory.js';
import { runInventory, runStatus } from '../../agent/status-command.js';
import { openStore, type Store } from '../../agent/store.js';
import type { Verdict, VerdictStatus } from '../../policies/evaluate.js';
import { makeComponent, makeFolder, makeRoot, reading } from './store-fixture.js';

let folder: string;
let before: string | undefined;
beforeEach(() => {
  folder = makeFolder();
  before = process.env['CURFEW_DATA_FOLDER'];
  process.env['CURFEW_DATA_FOLDER'] = folder;
});
afterEach(() => {
  if (before === undefined) delete process.env['CURFEW_DATA_FOLDER'];
  else process.env['CURFEW_DATA_FOLDER'] = before;
});

const verdict = (status: VerdictStatus): Verdict => ({
  status,
  policy: 'p',
  rule: 'ban',
  severity: null,
  announce: null,
  effective: null,
  daysLeft: null,
  action: null,
  effectiveAction: null,
  replacement: null,
});

function filled(work: (store: Store) => void): void {
  const store = openStore(folder);
  work(store);
  store.close();
}

async function run(command: typeof runStatus, ...argv: string[]) {
  const said = { out: '', err: '' };
  const code = await command(argv, {
    stdout: (text) => void (said.out += text),
    stderr: (text) => void (said.err += text),
  });
  return { code, ...said };
}

function scanned(status: VerdictStatus, rootStatus: 'complete' | 'timeout' = 'complete'): void {
  const component = makeComponent('codex');
  const readings = [reading(makeRoot('npm:globals'), [component], rootStatus)];
  filled((store) => {
    applyReadings(store, { readings, isFull: true, atMs: Date.now() });
    store.putVerdict(component.id, verdict(status), 0);
  });
}

test.each([
  ['violation', 'complete', 'violation components=1 violation=1', 1],
  ['pending', 'complete', 'pending components=1 pending=1', 0],
  ['approved', 'complete', 'clear components=1 approved=1', 0],
  ['unknown', 'complete', 'unknown components=1 unknown=1', 3],
  ['violation', 'timeout', 'partial components=1 violation=1', 1],
  ['approved', 'timeout', 'partial components=1 approved=1', 3],
] as const)('%s after a %s scan is one line and its code', async (status, root, line, code) => {
  scanned(status, root);
  expect(await run(runStatus, '--oneline')).toEqual({ code, out: `${line}\n`, err: '' });
});

test('a state of eight days ago is stale and is no all-clear', async () => {
  const readings = [reading(makeRoot('npm:globals'), [])];
  const atMs = Date.now() - 8 * 24 * 3600_000;
  filled((store) => applyReadings(store, { readings, isFull: true, atMs }));
  expect(await run(runStatus, '--oneline')).toMatchObject({ code: 3, out: 'stale components=0\n' });
});

test('without a database it cannot tell, and says what to do', async () => {
  const { code, out, err } = await run(runStatus);
  expect([code, out]).toEqual([3, '']);
  expect(err).toContain('curfew run');
});

test('an unknown word is a usage error', async () => {
  expect(await run(runStatus, '--colour')).toMatchObject({ code: 2, out: '' });
  expect(await run(runInventory, '--format', 'xml')).toMatchObject({ code: 2, out: '' });
});

test('--json and the inventory are records for programs', async () => {
  scanned('violation');
  const status = await run(runStatus, '--json');
  expect(JSON.parse(status.out)).toMatchObject({
    record: 'status',
    state: 'violation',
    enrolled: false,
    verdicts: { violation: 1 },
    pendingReports: 0,
  });
  const inventory = await run(runInventory, '--format', 'json');
  expect(inventory.code).toBe(1);
  expect(JSON.parse(inventory.out)).toMatchObject({
    record: 'component',
    name: 'codex',
    verdict: { status: 'violation', rule: 'ban' },
  });
  const table = await run(runInventory);
  expect(table.out).toContain('violation');
});

test('records that are never judged, as a trace that an install explains, do not make it unsure', async () => {
  const codex = makeComponent('codex', { tool: 'codex-cli' });
  const left = { tool: 'codex-cli', channel: 'config', state: 'residual' } as const;
  const trace = makeComponent('codex-state', left);
  const record = { ...left, evidence: ['model gateway'], gateway: 'llm.example.test' };
  const setting = makeComponent('codex-cli gateway', record);
  const all = [reading(makeRoot('npm:globals'), [codex, trace, setting])];
  filled((store) => {
    applyReadings(store, { readings: all, isFull: true, atMs: Date.now() });
    store.putVerdict(codex.id, verdict('approved'), 0);
  });
  const line = 'clear components=1 approved=1\n';
  expect(await run(runStatus, '--oneline')).toMatchObject({ code: 0, out: line });
  const inventory = await run(runInventory, '--format', 'json');
  expect(JSON.parse(inventory.out)).toMatchObject({ name: 'codex', gateway: 'llm.example.test' });
});
