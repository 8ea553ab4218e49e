/**
 * The pipeline on a real home, scanner, watcher and database; only the clock, the notification and the
 * link are stand-ins. What is asserted is what would reach the server.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../agent/clock.js';
import { createPrompter } from '../../agent/employee/prompt.js';
import { startLoop, type Loop, type LoopParts } from '../../agent/loop.js';
import { openOutbox, type Outbox } from '../../agent/report/outbox.js';
import { createScanner, type Scanner } from '../../agent/scanner.js';
import { openStore, type Store } from '../../agent/store.js';
import { noteTold } from '../../agent/terms.js';
import { startWatch } from '../../agent/watch.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { AssignmentPayload } from '../../wire/assignment.js';
import type { BundlePayload } from '../../wire/bundle.js';
import type { ReportBody, ReportedComponent } from '../../wire/messages.js';
import { parseBody } from '../../wire/parse.js';
import { facts } from '../server/fixture.js';
import { makeFolder } from './store-fixture.js';
import { bundlePayload, device, empty } from './thief.js';

const beforeTheDay = Date.UTC(2026, 6, 9, 15, 59, 59);
const theDay = Date.UTC(2026, 6, 9, 16);
const second = 1000;

const yaml = `
policy: ai-tools
title: AI tools
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - id: ban
    match: { tool: claude-code }
    decision: deny
    severity: high
    announce: 2026-07-04
    effective: 2026-07-10
    before: notify
    after: block
    reason: { en: Because. }
    replacement: { tool: qoder }
`;
const bundle = (sequence: number, ...texts: readonly string[]): BundlePayload => ({
  ...bundlePayload(sequence, []),
  policies: texts.map((text, priority) => ({ priority, yaml: text })),
});

let home: string;
let store: Store;
let outbox: Outbox;
let loop: Loop | null = null;
let now = beforeTheDay;
let held: BundlePayload | null = null;
let assigned: AssignmentPayload | null = null;
let errors: object[] = [];
let isShown = true;
let notified: string[] = [];

beforeEach(() => {
  home = path.join(makeFolder(), 'ana');
  fs.mkdirSync(home);
  fs.writeFileSync(path.join(home, '.npmrc'), 'prefix=${HOME}/.npm-global\n');
  store = openStore(makeFolder());
  outbox = openOutbox({ store, now: () => now });
  now = beforeTheDay;
  held = bundle(1, yaml);
  assigned = empty;
  errors = [];
  notified = [];
  isShown = true;
});
afterEach(async () => {
  await loop?.close();
  loop = null;
  store.close();
});

const clock: Clock = {
  now: () => now,
  isConfirmed: true,
  confirm: () => {},
  save: () => {},
  savedMs: null,
  settledUntil: () => Infinity,
  reset: () => {},
};
const log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields: object) => void errors.push(fields),
};

const makePrompter: LoopParts['prompter'] = (raising) =>
  createPrompter({
    notifier: {
      show: (_, { title }) => {
        notified.push(title);
        return Promise.resolve(isShown ? { kind: 'shown' } : { kind: 'not-shown', why: 'away' });
      },
    },
    recipients: () => [{ account: 'ana', uid: 1000, home, isCurrent: true }],
    wasShown: ({ key, rule, verdict }) => store.promptedAs(key, rule) === verdict.status,
    onShown({ key, rule, tool, account, verdict }) {
      store.rememberPrompt(key, rule, { status: verdict.status, atMs: now });
      if (noteTold(store, verdict, now)) raising.judgeAgain();
      const subject = { kind: 'person', account } as const;
      raising.raise({ subject, event: 'prompt-shown', tool, rule: verdict.rule });
    },
    onNotShown: () => {},
    onLine: () => {},
    organisation: null,
    contact: null,
    env: {},
  });

function start(scanner?: Scanner): Loop {
  loop = startLoop({
    store,
    outbox,
    clock,
    scanner: scanner ?? createScanner({ place: { kind: 'homes', folders: [home] }, worker: null }),
    prompter: makePrompter,
    watch: startWatch,
    documents: () => ({ bundle: held, assignment: assigned, catalogue: builtInCatalogue() }),
    device: () => ({ ...device, maxAction: 'notify' }),
    facts: () => Promise.resolve(facts('ws-17')),
    processes: () => Promise.resolve(null),
    spellings: (one) => [one],
    checkInMinutes: 60,
    random: () => 0.5,
    log,
  });
  return loop;
}

const folderOf = (name: string): string => path.join(home, '.npm-global/lib/node_modules', name);
function install(name: string, version: string): void {
  fs.mkdirSync(folderOf(name), { recursive: true });
  const manifest = JSON.stringify({ name, version, bin: { claude: 'cli.js' } });
  fs.writeFileSync(path.join(folderOf(name), 'package.json'), manifest);
}
const claude = '@anthropic-ai/claude-code';

/** What the server would have read of ana's stream, oldest first. */
function reports(): readonly ReportBody[] {
  return outbox
    .pending(new Map(), 1000)
    .filter(({ subject }) => subject.kind === 'person')
    .map(({ body }) => {
      const parsed = parseBody(body);
      if (parsed.kind !== 'value') throw new Error(`${parsed.path} ${parsed.message}`);
      return parsed.value;
    });
}
const changes = () => reports().filter((body) => body.kind === 'changes');
const present = (): readonly ReportedComponent[] =>
  reports().flatMap((body) =>
    body.kind === 'changes' ? body.present : body.kind === 'snapshot' ? body.components : [],
  );

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let n = 0; n < 1000; n += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never came: ${what}; ${JSON.stringify({ reports: reports(), errors })}`);
}
const begun = (): Promise<void> => until(() => reports().length > 0, 'the first report');

test('a denied tool is in a report moments after it was installed, judged', async () => {
  now = theDay;
  start();
  await begun();
  expect(reports()).toMatchObject([{ kind: 'snapshot', part: 1, parts: 1, components: [] }]);
  install(claude, '2.1.91');
  await until(() => present().length > 0, 'a report of the install');
  expect(changes()[0]).toMatchObject({
    present: [
      {
        tool: 'claude-code',
        version: '2.1.91',
        owner: 'ana',
        path: `~/.npm-global/lib/node_modules/${claude}`,
        verdict: {
          status: 'violation',
          rule: 'ban',
          effective: '2026-07-09T16:00:00.000Z',
          action: 'block',
          effectiveAction: 'notify',
          replacement: 'qoder',
        },
      },
    ],
    removed: [],
    bundleSequence: 1,
  });
  expect(errors).toEqual([]);
});

test('a removal is reported after the second look, and the gap of an update is not', async () => {
  install(claude, '2.1.91');
  const running = start();
  await begun();
  const id = present()[0]?.id;
  const scanned = async (): Promise<void> => {
    const rounds = new Promise<void>((resolve) => running.onStanding(() => resolve()));
    running.scanAll();
    await rounds;
  };
  fs.renameSync(folderOf(claude), folderOf('@anthropic-ai/.claude-code-2DTsDk1V'));
  await scanned();
  now += 40 * second;
  await scanned();
  install(claude, '2.1.92');
  await until(() => present().some(({ version }) => version === '2.1.92'), 'the update');
  const removed = (): string[] => changes().flatMap((body) => body.removed);
  expect(removed()).not.toContain(id);
  fs.rmSync(folderOf(claude), { recursive: true });
  await scanned();
  expect(removed()).not.toContain(id);
  now += 46 * second;
  await scanned();
  await until(() => removed().includes(id ?? ''), 'the removal');
});

test('without a bundle the verdict is unknown and nobody is told anything', async () => {
  held = null;
  install(claude, '2.1.91');
  start();
  await begun();
  expect(reports()[0]).toMatchObject({
    bundleSequence: null,
    components: [{ verdict: { status: 'unknown', rule: null, action: null } }],
  });
  expect(notified).toEqual([]);
});

test('a bundle that arrives is judged by at once', async () => {
  held = null;
  install(claude, '2.1.91');
  const running = start();
  await begun();
  held = bundle(4, yaml);
  running.documentsChanged();
  await until(() => changes().length > 0, 'the new verdict');
  expect(changes()[0]).toMatchObject({
    bundleSequence: 4,
    present: [{ verdict: { status: 'pending' } }],
  });
});

test('C070: the date takes effect by itself, 39 days after the policy came and not early', async () => {
  now = theDay - 39 * 24 * 3_600 * second;
  install(claude, '2.1.91');
  start();
  await begun();
  expect(present()[0]?.verdict.status).toBe('pending');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect([changes(), notified]).toEqual([[], []]);
  now = theDay - 1;
  await until(() => notified.length > 0, 'the prompt after the announcement');
  const isInForce = () => present().some(({ verdict }) => verdict.status === 'violation');
  expect(isInForce()).toBe(false);
  now = theDay;
  await until(isInForce, 'the violation');
  await until(() => notified.length > 1, 'the word that it is in force');
  expect(notified[1]).toBe('Claude Code is no longer allowed on this device');
});

test('C071: on wake from a sleep over the date there is one report, one prompt, and the grace from then', async () => {
  held = bundle(1, yaml.replace('before: notify', 'grace: 24 hours'));
  now = Date.UTC(2026, 6, 8, 18);
  install(claude, '2.1.91');
  const running = start();
  await begun();
  await until(() => notified.length === 1, 'the first prompt');
  await until(() => present().at(-1)?.verdict.noticed !== undefined, 'the notice');
  const wake = Date.UTC(2026, 6, 13, 7, 30);
  const evaluations = new Set<unknown>();
  running.onStanding(({ judged }) => {
    if (now === wake) evaluations.add(judged);
  });
  const told = changes().length;
  now = wake;
  await until(() => changes().length > told && notified.length > 1, 'the wake');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(changes().slice(told)).toMatchObject([
    {
      present: [
        {
          verdict: {
            status: 'pending',
            noticed: '2026-07-13T07:30:00.000Z',
            effective: '2026-07-14T07:30:00.000Z',
          },
        },
      ],
    },
  ]);
  expect(notified).toHaveLength(2);
  expect(evaluations.size).toBe(1);
});

test('the owner is told once, through an update and an edited policy, and the server hears of it', async () => {
  install(claude, '2.1.91');
  const running = start();
  const shown = () => reports().filter((body) => body.kind === 'event');
  await until(() => shown().length > 0, 'the event');
  expect(shown()).toMatchObject([{ event: 'prompt-shown', tool: 'claude-code', rule: 'ban' }]);
  install(claude, '2.1.92');
  await until(() => present().some(({ version }) => version === '2.1.92'), 'the update');
  held = bundle(2, yaml.replace('title: AI tools', 'title: Edited'));
  running.documentsChanged();
  await until(() => changes().some((body) => body.bundleSequence === 2), 'the new bundle');
  expect(notified).toHaveLength(1);
  expect(shown()).toHaveLength(1);
});

test('nobody is told before the first assignment has arrived, nor in a pause, which ends by itself', async () => {
  assigned = null;
  install(claude, '2.1.91');
  const running = start();
  await begun();
  assigned = { ...empty, pause: true, pauseUntil: new Date(theDay - 500).toISOString() };
  running.documentsChanged();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(notified).toEqual([]);
  now = theDay - 500;
  await until(() => notified.length > 0, 'the prompt after the pause');
});

test('what could not be shown is no event', async () => {
  isShown = false;
  install(claude, '2.1.91');
  start();
  await until(() => notified.length > 0, 'the attempt');
  expect(reports().filter((body) => body.kind === 'event')).toEqual([]);
  expect(store.prompted()).toEqual([]);
});

test('a server that asks for it gets a snapshot of that stream', async () => {
  install(claude, '2.1.91');
  start();
  await begun();
  const stream = outbox.streams().find(({ subject }) => subject.kind === 'person')?.stream;
  outbox.resync(stream ?? '', 'gap');
  const snapshots = () => reports().filter((body) => body.kind === 'snapshot');
  await until(() => snapshots().length === 2, 'the snapshot');
  expect(snapshots()[1]).toMatchObject({ part: 1, parts: 1, components: [{ name: claude }] });
});

test('events wait for the snapshot that a stream begins with', async () => {
  const running = start();
  running.raise({ subject: { kind: 'machine' }, event: 'store-reset' });
  const kinds = (): string[] =>
    outbox
      .pending(new Map(), 100)
      .filter(({ subject }) => subject.kind === 'machine')
      .map(({ body }) => (JSON.parse(body) as ReportBody).kind);
  await until(() => kinds().includes('event'), 'the event');
  expect(kinds()[0]).toBe('snapshot');
  expect(kinds().sort()).toEqual(['device', 'event', 'snapshot']);
});

test('a scan that fails is named in the log, loses nothing, and the next one goes on', async () => {
  install(claude, '2.1.91');
  const real = createScanner({ place: { kind: 'homes', folders: [home] }, worker: null });
  let failures = 0;
  const running = start({
    scan: (request) => {
      failures += 1;
      return failures <= 1 ? Promise.reject(new Error('disk on fire')) : real.scan(request);
    },
    close: () => real.close(),
  });
  await until(() => errors.length > 0, 'the error');
  expect(errors[0]).toMatchObject({ event: 'step-failed', step: 'detect' });
  expect(outbox.streams()).toEqual([]);
  running.scanAll();
  await begun();
  expect(present()).toMatchObject([{ name: claude }]);
});

test('a home that is gone keeps what was known of it', async () => {
  install(claude, '2.1.91');
  const running = start();
  await begun();
  fs.renameSync(home, `${home}-away`);
  running.scanAll();
  await until(() => changes().some(({ scan }) => scan.status === 'partial'), 'the partial scan');
  now += 90 * second;
  running.scanAll();
  await new Promise<void>((resolve) => running.onStanding(() => resolve()));
  expect(changes().flatMap(({ removed }) => removed)).toEqual([]);
  expect(store.components()).toHaveLength(1);
});
