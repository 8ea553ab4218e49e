/** The outbox on a real database: chain, durability, acknowledgement, bound; and what the reporter puts in. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { beforeEach, describe, expect, test } from 'vitest';
import { applyReadings } from '../../agent/inventory.js';
import { cutParts, rootLabel, shortenPath, toReported } from '../../agent/report/messages.js';
import { openOutbox, type Outbox } from '../../agent/report/outbox.js';
import { reportChanges, type ReportInput } from '../../agent/report/reporter.js';
import { databaseName, openStore, type Store } from '../../agent/store.js';
import { reportDefaults } from '../../policies/complete.js';
import type { Verdict } from '../../policies/evaluate.js';
import type { ReportBody, Subject } from '../../wire/messages.js';
import { parseBody } from '../../wire/parse.js';
import { makeComponent, makeFolder, makeRoot, reading } from './store-fixture.js';

const machine: Subject = { kind: 'machine' };
const person: Subject = { kind: 'person', account: 'ana' };
const now = Date.UTC(2026, 6, 1);
const event = (detail: string): ReportBody => ({
  kind: 'event',
  at: new Date(now).toISOString(),
  event: 'clock-suspect',
  tool: null,
  rule: null,
  detail,
});

let folder: string;
let store: Store;
let outbox: Outbox;
beforeEach(() => {
  folder = makeFolder();
  store = openStore(folder);
  outbox = openOutbox({ store, now: () => now });
  return () => store.close();
});

const details = (): (string | null)[] =>
  outbox.pending(new Map(), 100).map(({ body }) => {
    const parsed = JSON.parse(body) as { detail?: string };
    return parsed.detail ?? null;
  });

test('each report carries the hash of the one before, from 64 zeros on', () => {
  const reports = ['one', 'two', 'three'].map((word) => outbox.append(machine, event(word)));
  expect(reports.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(reports[0]?.prev).toBe('0'.repeat(64));
  for (const [index, { stream, seq, prev, body, sha256 }] of reports.entries()) {
    if (index > 0) expect(prev).toBe(reports[index - 1]?.sha256);
    const link = createHash('sha256').update(`${stream}\n${seq}\n${prev}\n${body}`).digest('hex');
    expect(sha256).toBe(link);
  }
});

test('a report is on disk before anyone hears of it', () => {
  let seen = 0;
  outbox.onAppend(({ sha256 }) => {
    const beside = new Sqlite(path.join(folder, databaseName), { readonly: true });
    const row = beside.prepare('SELECT state FROM outbox WHERE sha256 = ?').get(sha256);
    beside.close();
    expect(row).toEqual({ state: 'pending' });
    seen += 1;
  });
  outbox.append(machine, event('one'));
  expect(seen).toBe(1);
});

test('the chain goes on after the database is opened again', () => {
  const first = outbox.append(machine, event('one'));
  store.close();
  store = openStore(folder);
  outbox = openOutbox({ store, now: () => now });
  const second = outbox.append(machine, event('two'));
  expect(second).toMatchObject({ stream: first.stream, seq: 2, prev: first.sha256 });
  expect(details()).toEqual(['one', 'two']);
});

test('what fails beside a report takes the report with it', () => {
  outbox.append(machine, event('one'));
  const failing = () =>
    outbox.append(machine, event('lost'), () => {
      throw new Error('no space');
    });
  expect(failing).toThrow('no space');
  expect(outbox.append(machine, event('two')).seq).toBe(2);
  expect(details()).toEqual(['one', 'two']);
});

test('streams have chains of their own, and pending begins after what was sent', () => {
  const mine = outbox.append(machine, event('m1'));
  const hers = outbox.append(person, event('p1'));
  outbox.append(machine, event('m2'));
  expect(mine.stream).not.toBe(hers.stream);
  const after = outbox.pending(new Map([[mine.stream, 1]]), 10);
  expect(after.map(({ subject, seq }) => [subject.kind, seq])).toEqual([
    ['machine', 2],
    ['person', 1],
  ]);
  expect(outbox.pending(new Map(), 1)).toHaveLength(1);
});

test('only the acknowledgement takes a report out, and it stays in the ledger', () => {
  const { stream } = outbox.append(machine, event('one'));
  outbox.append(machine, event('two'));
  outbox.append(machine, event('three'));
  outbox.acknowledged(stream, 2);
  outbox.acknowledged(stream, 2);
  expect(details()).toEqual(['three']);
  expect(outbox.counts()).toEqual({ pending: 1, acknowledged: 2, setAside: 0 });
  expect(store.ledger(stream, 10).map(({ seq, state }) => [seq, state])).toEqual([
    [3, 'pending'],
    [2, 'acknowledged'],
    [1, 'acknowledged'],
  ]);
});

test('a refused report is set aside and counted; the ones behind it move on', () => {
  const { stream } = outbox.append(machine, event('one'));
  outbox.append(machine, event('two'));
  outbox.refused(stream, 1, 'REPORT_INVALID');
  expect(details()).toEqual(['two']);
  expect(outbox.counts().setAside).toBe(1);
});

test('what the bound drops leaves a marker with the number, and asks for a snapshot', () => {
  const small = openOutbox({ store, now: () => now, maxPending: 10 });
  const asked: string[] = [];
  small.onResync((subject, reason) => asked.push(`${subject.kind} ${reason}`));
  for (let n = 1; n <= 11; n += 1) small.append(machine, event(`n${n}`));
  const left = small.pending(new Map(), 100);
  expect(left.map(({ seq }) => seq)).toEqual([6, 7, 8, 9, 10, 11, 12]);
  expect(JSON.parse(left.at(-1)?.body ?? '')).toMatchObject({ event: 'skipped', detail: '5' });
  expect(asked).toEqual(['machine gap']);
});

const denied: Verdict = {
  status: 'violation',
  policy: 'p',
  rule: 'ban',
  severity: 'high',
  announce: null,
  effective: Date.UTC(2026, 6, 9, 16),
  daysLeft: 0,
  action: 'block',
  effectiveAction: 'notify',
  replacement: { tool: 'qoder', guide: null },
};

const reporting = { choices: reportDefaults, named: new Map<string, ReadonlySet<string>>() };

describe('the reporter', () => {
  const root = makeRoot('npm:globals');
  const input = (change: Partial<ReportInput> = {}): ReportInput => ({
    judged: store
      .components()
      .map(({ component, firstSeen }) => ({ component, firstSeen, verdict: denied })),
    homes: new Map([['ana', ['/home/ana']]]),
    bundleSequence: 1,
    reporting,
    now,
    lastFull: now,
    ...change,
  });
  const report = (change: Partial<ReportInput> = {}): readonly ReportBody[] => {
    const before = new Map(outbox.streams().map(({ stream, lastSeq }) => [stream, lastSeq]));
    reportChanges({ store, outbox }, input(change));
    return outbox.pending(before, 100).map(({ body }) => {
      const parsed = parseBody(body);
      if (parsed.kind !== 'value') throw new Error(`${parsed.path} ${parsed.message}`);
      return parsed.value;
    });
  };
  const scan = (...names: string[]): void => {
    const components = names.map((name) => makeComponent(name));
    applyReadings(store, { readings: [reading(root, components)], isFull: true, atMs: now });
  };

  test('a stream begins with a snapshot, then only what changed is said, then nothing', () => {
    scan('codex');
    const first = report();
    expect(first.map(({ kind }) => kind)).toEqual(['snapshot', 'snapshot']);
    expect(first[1]).toMatchObject({ part: 1, parts: 1, components: [{ name: 'codex' }] });
    expect(report()).toEqual([]);
    scan('codex', 'opencode');
    expect(report()).toMatchObject([
      { kind: 'changes', present: [{ name: 'opencode' }], removed: [] },
    ]);
    expect(report()).toEqual([]);
  });

  test('a removal, another verdict and another bundle are each said once', () => {
    scan('codex', 'opencode');
    report();
    store.dropComponent(makeComponent('codex').id);
    expect(report()).toMatchObject([
      { kind: 'changes', present: [], removed: [makeComponent('codex').id] },
    ]);
    const excepted = input().judged.map((one) => ({
      ...one,
      verdict: { ...denied, status: 'excepted' as const },
    }));
    expect(report({ judged: excepted })).toMatchObject([
      { present: [{ name: 'opencode', verdict: { status: 'excepted' } }] },
    ]);
    const published = report({ judged: excepted, bundleSequence: 2 });
    expect(published.map((body) => 'bundleSequence' in body && body.bundleSequence)).toEqual([
      2, 2,
    ]);
  });

  test('a root that could not be read is said, with the home shortened', () => {
    const inHome = { ...root, id: 'npm:/home/ana/.npm-global' };
    const read = (status: 'complete' | 'unreadable'): void =>
      void applyReadings(store, {
        readings: [reading(inHome, [], status)],
        isFull: true,
        atMs: now,
      });
    read('complete');
    report();
    read('unreadable');
    expect(report()).toMatchObject([
      {
        scan: { status: 'partial', notRead: [{ root: 'npm:~/.npm-global', status: 'unreadable' }] },
      },
    ]);
  });

  test('after a resync the next report of that stream is a snapshot of all', () => {
    scan('codex', 'opencode');
    report();
    store.askSnapshot(person);
    expect(report()).toMatchObject([{ kind: 'snapshot', components: [{}, {}] }]);
  });

  test('a long state is cut into parts that each fit, and no component is lost', () => {
    scan(...Array.from({ length: 1201 }, (_, n) => `tool-${n}`));
    const parts = report().filter((body) => body.kind === 'snapshot' && body.components.length > 0);
    expect(parts).toMatchObject([
      { part: 1, parts: 3 },
      { part: 2, parts: 3 },
      { part: 3, parts: 3 },
    ]);
    const sizes = parts.map((body) => (body.kind === 'snapshot' ? body.components.length : 0));
    expect(sizes).toEqual([500, 500, 201]);
  });
});

test('parts keep to bytes as well as to numbers', () => {
  const name = 'x'.repeat(256);
  const path = `/home/ana/.${'y'.repeat(1000)}`;
  const components = Array.from({ length: 500 }, (_, n) =>
    toReported(
      { component: makeComponent(`${n}${name}`, { path }), firstSeen: now, verdict: denied },
      ['/home/ana'],
    ),
  );
  const parts = cutParts(components);
  expect(parts.flat()).toHaveLength(500);
  for (const part of parts) {
    expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThan(1024 * 1024);
  }
});

test.each([
  [
    '/home/ana/.nvm/versions/node/v22/lib/node_modules/codex',
    'global',
    '~/.nvm/versions/node/v22/lib/node_modules/codex',
  ],
  [
    '/home/ana/code/secret-shop/node_modules/@openai/codex',
    'project',
    '~/…/node_modules/@openai/codex',
  ],
  ['/home/ana/jobs/secret-client/node_modules/.bin/codex', 'global', '~/…/node_modules/.bin/codex'],
  ['/home/ana/secret-client/bin/claude', 'global', '~/…/claude'],
  ['/home/ana/bin/claude', 'global', '~/bin/claude'],
  ['/srv/secret-client/node_modules/codex', 'project', '/…/node_modules/codex'],
  ['/usr/local/bin/claude', 'global', '/usr/local/bin/claude'],
  ['/home/anabel/.npm/codex', 'global', '/home/anabel/.npm/codex'],
] as const)('the path %s (%s) leaves as %s', (from, scope, leaves) => {
  const component = makeComponent('codex', { path: from, scope });
  expect(shortenPath(component, ['/home/ana'])).toBe(leaves);
});

test.each([
  ['npm:/home/ana/.npm-global', 'npm:~/.npm-global'],
  ['mcp:roots:/home/ana', 'mcp:roots:~'],
  ['executable:/home/ana/secret-client/tools/bin', 'executable:~/…/bin'],
  ['npm:/home/ana/secret-client/lib/node_modules', 'npm:~/…/node_modules'],
  ['npm:/home/anabel/.npm-global', 'npm:/home/anabel/.npm-global'],
  ['npm:/usr/local/lib/node_modules', 'npm:/usr/local/lib/node_modules'],
  ['executable:C:\\Users\\Ana\\secret-client\\bin', 'executable:~/…/bin'],
] as const)('the root %s is named %s where it could not be read', (id, leaves) => {
  expect(rootLabel(id, ['/home/ana', 'C:\\Users\\Ana'])).toBe(leaves);
});

test('a Windows path leaves with slashes and without the account’s folder', () => {
  const component = makeComponent('codex', {
    path: 'C:\\Users\\Ana 100% Lima\\AppData\\Roaming\\npm\\node_modules\\codex',
  });
  expect(shortenPath(component, ['C:\\Users\\Ana 100% Lima'])).toBe(
    '~/AppData/Roaming/npm/node_modules/codex',
  );
});
