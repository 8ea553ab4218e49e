/**
 * `npm run bench:scan`: the time of `curfew scan` and `curfew scan --deep` as whole processes, in pairs
 * with `find` over the same home, which only lists names, and with bumblebee where one is named; and what
 * the scans found of what is planted there. Prints a table with ratios and targets; exits 1 when one is
 * missed. Linux only: a peak of memory is read from proc(5). Other work on the machine blurs it.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compare, componentRows, generateHome, readTruth, type Truth } from '../worlds/truth.js';

const usage = `Usage: npm run bench:scan -- [--home DIR] [--scale N] [--pairs N] [--bumblebee FILE]

  --home DIR        a home made by test/bench/make-home.mjs, its truth beside it; default: make one
  --scale N         how large that one is; 1 (the default) is 399,527 files and takes a minute
  --pairs N         pairs of runs of a plain scan and its peer; default 20, a fourth of it for deep scans
  --bumblebee FILE  a built bumblebee, as a second peer
  --no-rest         leave out what the agent costs at rest (npm run bench:rest on the same home)
  Example: npm run bench:scan -- --scale 0.1 --pairs 10
`;
const top = path.resolve(import.meta.dirname, '..', '..');
const curfew = [process.execPath, path.join(top, 'dist', 'agent', 'curfew.mjs')];
/** Measured once beside each other: bumblebee's baseline scan took a tenth of the time of `find`, its deep scan 1.03. */
const bumblebeeOfFind = { plain: 0.31 / 3.1, deep: 3.2 / 3.1 };
const target = { plain: 0.6, deep: 0.7, deepMiB: 150 };

interface Run {
  readonly ms: number;
  readonly peakMiB: number;
  readonly printed: string;
}

/** Runs a command to its end; the peak is looked up every few milliseconds, as it only grows. */
async function run([file = '', ...args]: readonly string[], home: string): Promise<Run> {
  const out = path.join(os.tmpdir(), `curfew-bench-${process.pid}.out`);
  const descriptor = fs.openSync(out, 'w');
  const startedAt = performance.now();
  const child = spawn(file, args, {
    stdio: ['ignore', descriptor, 'ignore'],
    env: { ...process.env, HOME: home },
  });
  let peakMiB = 0;
  const look = setInterval(() => {
    try {
      const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakMiB = Math.max(peakMiB, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It has ended.
    }
  }, 5);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  const ms = performance.now() - startedAt;
  clearInterval(look);
  fs.closeSync(descriptor);
  const printed = fs.readFileSync(out, 'utf8');
  fs.rmSync(out);
  if (code === null || code === 2) throw new Error(`${file} ${args.join(' ')} ended with ${code}`);
  return { ms, peakMiB, printed };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Each of the commands in turn, so that what else the machine does meets all of them. */
async function inTurns(
  commands: readonly (readonly string[])[],
  { turns, home }: { readonly turns: number; readonly home: string },
): Promise<readonly (readonly Run[])[]> {
  const runs = commands.map((): Run[] => []);
  // Once unmeasured: the first run finds nothing in memory.
  for (const command of commands) await run(command, home);
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [index, command] of commands.entries()) {
      runs[index]?.push(await run(command, home));
    }
    process.stderr.write(`\rcurfew: bench:scan: ${turn + 1} of ${turns} turns `);
  }
  process.stderr.write('\n');
  return runs;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;

interface Kind {
  readonly name: 'plain' | 'deep';
  readonly turns: number;
  readonly home: string;
  readonly truth: Truth;
  readonly bumblebee: string | undefined;
}

/** Measures one kind of scan and prints its lines; false when a target is missed. */
async function measure({ name, turns, home, truth, bumblebee }: Kind): Promise<boolean> {
  const isDeep = name === 'deep';
  const scan = [...curfew, 'scan', '--home', home, '--json', ...(isDeep ? ['--deep'] : [])];
  const profile = isDeep ? ['--profile', 'deep', '--root', home] : ['--profile', 'baseline'];
  const peers = bumblebee === undefined ? [] : [[bumblebee, 'scan', ...profile]];
  const commands = [scan, ['find', home], ...peers];
  const [ours = [], find = [], peer = []] = await inTurns(commands, { turns, home });
  const [own, other] = [ours, find].map((runs) => median(runs.map(({ ms }) => ms))) as [
    number,
    number,
  ];
  const measured = peer.length === 0 ? null : median(peer.map(({ ms }) => ms));
  const bound = measured ?? other * bumblebeeOfFind[name];
  const ratio = own / bound;
  const peakMiB = Math.max(...ours.map((one) => one.peakMiB));
  const rows = componentRows(ours.at(-1)?.printed ?? '');
  const { planted, missed, taken } = compare(rows, truth, { home, isDeep });
  const lines = [
    `${isDeep ? 'curfew scan --deep' : 'curfew scan'}: median of ${turns} pairs`,
    `  curfew                            ${seconds(own)}`,
    `  find                              ${seconds(other)}   ratio ${(own / other).toFixed(3)}`,
    `  bumblebee, ${measured === null ? 'by its ratio to find' : 'measured'}`.padEnd(36) +
      `${seconds(bound)}   ratio ${ratio.toFixed(2)}, target ${target[name]}`,
    `  peak memory                       ${peakMiB.toFixed(0)} MiB${isDeep ? `, target ${target.deepMiB}` : ''}`,
    `  planted installs found            ${planted - missed.length} of ${planted}; decoys taken for one: ${taken.length}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  const isSmall = !isDeep || peakMiB <= target.deepMiB;
  return isSmall && ratio <= target[name] && missed.length === 0 && taken.length === 0;
}

/** The agent's part, by its own benchmark on the same home. */
function restOn(home: string): boolean {
  const program = path.join(import.meta.dirname, 'bench-rest.mjs');
  return spawnSync(process.execPath, [program, '--home', home], { stdio: 'inherit' }).status === 0;
}

const { values: flags } = parseArgs({
  allowNegative: true,
  options: {
    home: { type: 'string' },
    scale: { type: 'string', default: '1' },
    pairs: { type: 'string', default: '20' },
    bumblebee: { type: 'string' },
    rest: { type: 'boolean', default: true },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  process.stdout.write(usage);
} else {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-bench-scan-'));
  try {
    const home = path.resolve(flags.home ?? path.join(folder, 'home'));
    if (flags.home === undefined) process.stderr.write('curfew: bench:scan: making a home ...\n');
    const generator = path.join(top, 'test', 'bench', 'make-home.mjs');
    const truth =
      flags.home === undefined
        ? generateHome(home, ['--scale', flags.scale, '--os', 'linux'], generator)
        : readTruth(home);
    const turns = Math.max(1, Number(flags.pairs));
    const [bare = []] = await inTurns([[process.execPath, '-e', '0']], { turns: 10, home });
    process.stdout.write(`a bare Node start: ${seconds(median(bare.map(({ ms }) => ms)))}\n`);
    const kind = { home, truth, bumblebee: flags.bumblebee };
    const isPlainGood = await measure({ ...kind, name: 'plain', turns });
    const deepTurns = Math.max(1, Math.round(turns / 4));
    const isDeepGood = await measure({ ...kind, name: 'deep', turns: deepTurns });
    const isRestGood = !flags.rest || restOn(home);
    process.exitCode = isPlainGood && isDeepGood && isRestGood ? 0 : 1;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
