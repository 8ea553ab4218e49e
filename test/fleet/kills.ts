/**
 * Seeded `kill -9` of agent and server at random moments while tools come and change. Afterwards the
 * server holds what is on the disk, each report once and in order, and each appearance in the history
 * once: nothing lost, nothing doubled. The tests beside it say how often and from which seed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { npmLauncher } from '../worlds/native.js';
import type { Child } from '../../installers/local/children.js';
import { examplePolicy, makeFleet, until, type Fleet } from './machines.js';

/** mulberry32: a small seeded generator, so that a failing run can be repeated. */
function seeded(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface ReportKey {
  readonly stream: string;
  readonly seq: number;
  readonly sha256: string;
}

function reportsOf(file: string, table: string): ReportKey[] {
  const database = new Database(file, { readonly: true });
  try {
    return database
      .prepare<[], ReportKey>(`SELECT stream, seq, sha256 FROM ${table} ORDER BY stream, seq`)
      .all();
  } finally {
    database.close();
  }
}

/** Kills both sides `rounds` times each and holds what must hold then. */
export async function killBothSides(seed: number, rounds: number): Promise<void> {
  const fleet = await makeFleet();
  try {
    await killAndCompare(fleet, seeded(seed), rounds);
  } finally {
    await fleet.close();
  }
}

async function killAndCompare(fleet: Fleet, random: () => number, rounds: number): Promise<void> {
  const home = path.join(fleet.folder, 'home', 'ana');
  const versions = new Map<number, string>();
  const prefixes = Array.from({ length: 10 }, (_, n) =>
    path.join(home, '.nvm', 'versions', 'node', `v22.0.${n}`),
  );
  for (const prefix of prefixes)
    mkdirSync(path.join(prefix, 'lib', 'node_modules'), { recursive: true });
  let server: Child = await fleet.startServer();
  fleet.publish(examplePolicy);
  fleet.enrol('ws-1');
  const startedAt = performance.now();
  let agent: Child = fleet.startAgent('ws-1', home);
  const api = await fleet.signIn();
  const hasReported = async (): Promise<boolean | null> =>
    (await api.devices()).devices[0]?.state === 'never-scanned' ? null : true;
  await until(hasReported, 20_000, 'the first report');
  // About half of the kills come after a report, on a busy machine too.
  const longestMs = Math.min(Math.max(2 * (performance.now() - startedAt), 1000), 2500);

  for (let round = 0; round < rounds; round += 1) {
    const which = Math.floor(random() * prefixes.length);
    const version = `2.1.${100 + round}`;
    const prefix = prefixes[which] ?? '';
    const manifest = path.join(prefix, 'lib/node_modules/@anthropic-ai/claude-code/package.json');
    if (versions.has(which)) {
      const text = JSON.stringify({ name: '@anthropic-ai/claude-code', version });
      writeFileSync(manifest, text);
    } else {
      npmLauncher(prefix, { name: '@anthropic-ai/claude-code', version, command: 'claude' });
    }
    versions.set(which, version);
    const [agentAfterMs, serverAfterMs] = [100 + random() * longestMs, random() * longestMs];
    await Promise.all([
      sleep(agentAfterMs).then(() => agent.kill()),
      sleep(serverAfterMs).then(() => server.kill()),
    ]);
    server = await fleet.startServer();
    agent = fleet.startAgent('ws-1', home);
  }

  const expected = [...versions].map(([which, version]) => [`v22.0.${which}`, version]).sort();
  const [row] = (await api.devices()).devices;
  const seen = await until(
    async () => {
      const { findings } = await api.device(row?.id ?? '');
      const components = findings.flatMap((finding) => finding.components);
      const now = components
        .filter((one) => one.tool === 'claude-code')
        .map((one) => [/v22\.0\.\d+/.exec(one.path)?.[0], one.version])
        .sort();
      return JSON.stringify(now) === JSON.stringify(expected) ? now : null;
    },
    20_000,
    `the server shows ${JSON.stringify(expected)}`,
  );
  expect(seen).toEqual(expected);

  const { history } = await api.device(row?.id ?? '');
  expect(history.filter((entry) => entry.kind === 'appeared')).toHaveLength(versions.size);
  expect(history.filter((entry) => entry.kind === 'removed')).toEqual([]);

  await sleep(1_000);
  await agent.stop();
  await server.stop();
  const onServer = reportsOf(path.join(fleet.folder, 'server', 'server.db'), 'reports');
  const onDevice = reportsOf(path.join(fleet.folder, 'ws-1', 'curfew.db'), 'outbox');
  // Not all rounds got as far as a report; that some did shows that there was something to lose.
  expect(onServer.length).toBeGreaterThan(versions.size);
  expect(onServer).toEqual(onDevice);
}
