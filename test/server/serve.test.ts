/**
 * `curfew-server serve` as its own process, built as it ships: it says where it listens, hears of
 * what other processes publish, stops cleanly, and keeps what it acknowledged through `kill -9`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeEnrolToken } from '../../server/enrol.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { makeDeviceKey } from '../../wire/identity.js';
import type { EnrollAnswer } from '../../wire/messages.js';
import {
  changes,
  component,
  facts,
  hello,
  postEnrol,
  snapshot,
  TestAgent,
  TestStream,
  tokenOf,
  type Enrolled,
} from './fixture.js';
import { banPolicy } from './policies.js';

const top = path.resolve(import.meta.dirname, '../..');
let built: string;
let folder: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  mkdirSync(path.join(top, 'test/.cache'), { recursive: true });
  built = mkdtempSync(path.join(top, 'test/.cache/server-'));
  await build({
    entryPoints: { 'curfew-server': path.join(top, 'server/main.ts') },
    outdir: built,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    target: 'node22',
    format: 'esm',
  });
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-serve-'));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  rmSync(folder, { recursive: true, force: true });
});

function start(...words: string[]): ChildProcess {
  const child = spawn(
    process.execPath,
    [path.join(built, 'curfew-server.mjs'), ...words, '--data', folder],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  children.add(child);
  return child;
}
const exitOf = (child: ChildProcess): Promise<number | string | null> =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));

interface Serving {
  readonly child: ChildProcess;
  readonly url: string;
}
async function serve(): Promise<Serving> {
  const child = start('serve', '--port', '0', '--log-level', 'error');
  if (child.stdout === null) throw new Error('no stdout');
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { event: string; url: string };
    expect(said.event).toBe('listening');
    return { child, url: said.url };
  }
  throw new Error('it ended without listening');
}

async function enrolAt(url: string): Promise<Enrolled> {
  const store = openSqliteStore(path.join(folder, 'server.db'));
  const token = await makeEnrolToken(store, {
    group: null,
    label: null,
    lifeMs: 60_000,
    uses: 1,
    actor: 'test',
    now: Date.now(),
  });
  await store.close();
  const key = await makeDeviceKey();
  const body = { token, publicKey: key.x, facts: facts('laptop-1'), group: '', label: null };
  const answer = (await (await postEnrol(url, body)).json()) as EnrollAnswer;
  return { id: answer.deviceId, key, answer };
}
async function connectAt(url: string, device: Enrolled): Promise<TestAgent> {
  const agent = await new TestAgent(url, await tokenOf(device, Date.now())).opened();
  agent.send(hello());
  expect((await agent.next()).type).toBe('welcome');
  return agent;
}

test('it says where it listens, hears of a publish elsewhere, and stops cleanly when told', async () => {
  const { child, url } = await serve();
  const agent = await connectAt(url, await enrolAt(url));
  const file = path.join(folder, 'ban.yaml');
  writeFileSync(file, banPolicy('2026-07-10'));
  expect(await exitOf(start('policy', 'plan', file))).toBe(0);
  expect(await exitOf(start('policy', 'publish', file))).toBe(0);
  expect(await agent.next()).toMatchObject({ type: 'available', what: 'bundle', sequence: 1 });
  child.kill('SIGTERM');
  expect(await exitOf(child)).toBe(0);
  expect(await agent.whenClosed()).toBe(1001);
});

test('a second server on the same data is refused with the folder and the fix, other commands work', async () => {
  const first = await serve();
  const second = start('serve', '--port', '0', '--log-level', 'error');
  const said: Buffer[] = [];
  second.stderr?.on('data', (part: Buffer) => said.push(part));
  expect(await exitOf(second)).toBe(2);
  const words = Buffer.concat(said).toString('utf8');
  expect(words).toContain(`another process works on the data folder ${folder}`);
  expect(words).toContain('Stop that one first');
  expect(await exitOf(start('token', 'create'))).toBe(0);
  first.child.kill('SIGKILL');
  expect(await exitOf(first.child)).toBe('SIGKILL');
  const { child } = await serve();
  child.kill('SIGTERM');
  expect(await exitOf(child)).toBe(0);
});

test('what was acknowledged outlives kill -9, and nothing is doubled', async () => {
  let { child, url } = await serve();
  const device = await enrolAt(url);
  const stream = new TestStream();
  const reports = [stream.next(snapshot([]))];
  for (let version = 1; version <= 200; version += 1) {
    reports.push(stream.next(changes([component('a', { version: `1.0.${version}` })])));
  }
  let acked = 0;
  for (const killAfter of [1, 17, 60, 61, 140]) {
    const agent = await connectAt(url, device);
    const [welcome] = agent.heard;
    const seq = welcome?.type === 'welcome' ? (welcome.streams[0]?.seq ?? 0) : 0;
    expect(seq).toBeGreaterThanOrEqual(acked);
    // What was stored but not yet said before the kill is not sent, so no ack of it comes.
    acked = seq;
    for (const report of reports.slice(seq)) agent.send(report);
    while (acked < killAfter) {
      const answer = await agent.next();
      if (answer.type !== 'ack') throw new Error(answer.type);
      acked = answer.seq;
    }
    child.kill('SIGKILL');
    expect(await exitOf(child)).toBe('SIGKILL');
    ({ child, url } = await serve());
  }
  const agent = await connectAt(url, device);
  for (const report of reports) agent.send(report);
  while (acked < reports.length) {
    const answer = await agent.next();
    if (answer.type !== 'ack') throw new Error(answer.type);
    acked = answer.seq;
  }
  child.kill('SIGTERM');
  expect(await exitOf(child)).toBe(0);
  const store = openSqliteStore(path.join(folder, 'server.db'));
  const history = await store.read.reports.history(device.id, 10_000);
  await store.close();
  const versions = history.filter(({ kind }) => kind === 'changed').map(({ to }) => to);
  expect(versions.reverse()).toEqual(Array.from({ length: 199 }, (_, index) => `1.0.${index + 2}`));
});
