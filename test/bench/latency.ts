/**
 * `npm run bench:latency`: how long after the last file of a denied install is written does the
 * server's API show it? Real server, real agent, 200 trials at seeded moments, each a fresh install in
 * another Node prefix. Beside it, in the same run, a bare chokidar watcher on the same kind of folder:
 * what the file system itself costs. Prints median, p99 and the ratio; exits 1 over the bound.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { watch } from 'chokidar';
import { makeFleet, examplePolicy, until, type Api } from '../fleet/machines.js';
import { npmLauncher } from '../worlds/native.js';

const trials = Number(process.env['CURFEW_BENCH_TRIALS'] ?? 200);
const boundMs = 2_000;
const pkg = { name: '@anthropic-ai/claude-code', command: 'claude' };

function makePrefixes(home: string): string[] {
  return Array.from({ length: trials }, (_, n) => {
    const prefix = path.join(home, '.nvm', 'versions', 'node', `v22.0.${n}`);
    mkdirSync(path.join(prefix, 'lib', 'node_modules'), { recursive: true });
    return prefix;
  });
}

/** Counts the device events of the server's live stream; each is a reason to ask the API again. */
interface Live {
  readonly count: number;
  close(): void;
}

async function follow(url: string, cookie: string): Promise<Live> {
  const stop = new AbortController();
  const answer = await fetch(`${url}/api/v1/live`, { headers: { cookie }, signal: stop.signal });
  if (!answer.ok || answer.body === null) throw new Error(`the live stream: ${answer.status}`);
  const live = { count: 0, close: () => stop.abort() };
  const body = answer.body.pipeThrough(new TextDecoderStream());
  void (async () => {
    for await (const part of body) live.count += part.split('"kind":"device"').length - 1;
  })().catch(() => {});
  return live;
}

/** Milliseconds from the last write until the API lists an install with this version. */
async function throughCurfew(api: Api, live: Live, prefix: string, n: number): Promise<number> {
  const version = `2.1.${n}`;
  let looked = live.count;
  npmLauncher(prefix, { ...pkg, version });
  const writtenAt = performance.now();
  while (performance.now() - writtenAt < 30_000) {
    if (live.count === looked) {
      await new Promise((resolve) => setTimeout(resolve, 4));
      continue;
    }
    looked = live.count;
    const { findings } = await api.findings('?tool=claude-code');
    if (findings.some((one) => one.components.some((two) => two.version === version))) {
      return performance.now() - writtenAt;
    }
  }
  throw new Error(`version ${version} is not in the API after 30 s`);
}

/** The same write, seen by a bare watcher. */
async function throughChokidar(prefix: string, n: number): Promise<number> {
  const modules = path.join(prefix, 'lib', 'node_modules');
  const watcher = watch(modules, { depth: 0, ignoreInitial: true });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  let seenAt: number | null = null;
  watcher.on('all', () => {
    seenAt ??= performance.now();
  });
  npmLauncher(prefix, { ...pkg, version: `2.1.${n}` });
  const writtenAt = performance.now();
  await until(() => (seenAt === null ? null : true), 10_000, 'an event of chokidar');
  await watcher.close();
  return Math.max(0, (seenAt ?? writtenAt) - writtenAt);
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;

function row(label: string, times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const cells = [0.5, 0.99, 1].map((share) => at(sorted, share).toFixed(1).padStart(8));
  return `${label.padEnd(34)}${cells.join('')}`;
}

const fleet = await makeFleet();
try {
  const home = path.join(fleet.folder, 'home', 'ana');
  const prefixes = makePrefixes(home);
  const bare = makePrefixes(path.join(fleet.folder, 'bare'));
  await fleet.startServer();
  fleet.publish(examplePolicy);
  fleet.enrol('ws-1');
  fleet.startAgent('ws-1', home);
  const api = await fleet.signIn();
  await until(
    async () => ((await api.devices()).devices[0]?.state === 'clear' ? true : null),
    30_000,
    'the first report',
  );
  const live = await follow(fleet.url, api.cookie);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let n = 0; n < trials; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20 + ((n * 7919) % 180)));
    ours.push(await throughCurfew(api, live, prefixes[n] ?? '', n));
    theirs.push(await throughChokidar(bare[n] ?? '', n));
    if (process.stderr.isTTY) process.stderr.write(`\r${n + 1} of ${trials}`);
  }
  live.close();
  const p99 = at(
    [...ours].sort((a, b) => a - b),
    0.99,
  );
  const medians = [ours, theirs].map((times) =>
    at(
      [...times].sort((a, b) => a - b),
      0.5,
    ),
  );
  process.stdout.write(
    [
      `\n${trials} installs, milliseconds after the last file was written`,
      `${''.padEnd(34)}  median     p99     max`,
      row('in the API, through Curfew', ours),
      row('event of a bare chokidar watcher', theirs),
      `times the watcher's median: ${((medians[0] ?? 0) / Math.max(0.1, medians[1] ?? 0.1)).toFixed(0)}; p99 within ${boundMs} ms: ${p99 <= boundMs ? 'yes' : 'NO'}`,
      '',
    ].join('\n'),
  );
  process.exitCode = p99 <= boundMs ? 0 : 1;
} finally {
  await fleet.close();
}
