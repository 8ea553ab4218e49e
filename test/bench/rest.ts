/**
 * `npm run bench:rest`: what the agent costs while nothing happens, and for a change. Real server, real
 * agents, on a generated home of a developer (or `--home DIR`, in which a package comes and goes). At rest
 * one looks at that home, PATH and processes; scans are those of another that looks at the home alone, as
 * folders of the machine such as /tmp change all the time. Measured from outside, by the system's own
 * accounts (proc(5)), so Linux only; ended children count. Prints each target; exits 1 when one is missed.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseRecord, type Child } from '../../installers/local/children.js';
import { examplePolicy, makeFleet, until, type Fleet } from '../fleet/machines.js';
import { npmLauncher } from '../worlds/native.js';

const { values: flags } = parseArgs({
  options: {
    home: { type: 'string' },
    scale: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '2' },
    trials: { type: 'string', default: '15' },
  },
});
const top = path.resolve(import.meta.dirname, '..', '..');
const trials = Number(flags.trials);
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A clock tick of the times of children, as every Linux has it. */
const tickMs = 10;

/** Milliseconds of processor that a process, its threads and its ended children have taken. */
function cpuMs(pid: number): number {
  const threads = fs.readdirSync(`/proc/${pid}/task`).map((thread) => {
    const [nanoseconds = '0'] = fs
      .readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
      .split(' ');
    return Number(nanoseconds) / 1e6;
  });
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ofChildren = (Number(fields[13]) + Number(fields[14])) * tickMs;
  return threads.reduce((sum, one) => sum + one, ofChildren);
}

interface Memory {
  readonly all: number;
  readonly own: number;
  readonly files: number;
}

/** MiB of memory; pages of files are shared with every other program that has them. */
function memory(pid: number): Memory {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { all: of('VmRSS'), own: of('RssAnon'), files: of('RssFile') };
}

function watches(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`;
  return fs.readdirSync(folder).reduce((sum, fd) => {
    const lines = fs.readFileSync(path.join(folder, fd), 'utf8').split('\n');
    return sum + lines.filter((line) => line.startsWith('inotify ')).length;
  }, 0);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Processor time of what `begin` sets off, until the agent has surely come to rest; `restMs` per ms. */
async function costs(pid: number, windowMs: number, begin: (n: number) => void): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < trials; n += 1) {
    await wait(1_000);
    const before = cpuMs(pid);
    begin(n);
    await wait(windowMs);
    found.push(cpuMs(pid) - before);
  }
  return found;
}

function homeFor(fleet: Fleet): string {
  if (flags.home !== undefined) return path.resolve(flags.home);
  const home = path.join(fleet.folder, 'home');
  const args = ['test/bench/make-home.mjs', home, '--scale', flags.scale, '--os', 'linux'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: top, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the home could not be made: ${stderr}`);
  return home;
}

/** What `npm install -g` of something that is no AI tool writes, and its end. */
function changes(home: string): {
  readonly change: (n: number) => void;
  readonly undo: () => void;
} {
  const prefix = path.join(home, '.npm-global');
  const name = 'bench-rest-left-pad';
  const undo = (): void => {
    fs.rmSync(path.join(prefix, 'lib/node_modules', name), { recursive: true, force: true });
    fs.rmSync(path.join(prefix, 'bin', name), { force: true });
  };
  const change = (n: number): void => {
    if (n % 2 === 1) undo();
    else npmLauncher(prefix, { name, version: `1.3.${n}`, command: name });
  };
  return { change, undo };
}

/** Starts an agent as this device; answers its process once it has reported and come to rest. */
async function started(
  fleet: Fleet,
  name: string,
  env: Readonly<Record<string, string>>,
  onLog?: (line: string) => void,
): Promise<Child> {
  fleet.enrol(name);
  const child = fleet.startAgent(name, '', env, onLog);
  const api = await fleet.signIn();
  const isReported = async (): Promise<true | null> => {
    const { devices } = await api.devices();
    return devices.length > 0 && devices.every(({ state }) => state !== 'unknown') ? true : null;
  };
  await until(isReported, 60_000, 'the first report');
  await wait(25_000);
  return child;
}

interface Resting {
  readonly memory: Memory;
  readonly watches: number;
  readonly cpuMs: number;
}

async function rest(fleet: Fleet, home: string, minutes: number): Promise<Resting> {
  const own = { HOME: home, CURFEW_OWN_HOME: 'true' };
  const agent = await started(fleet, 'resting', own);
  const before = cpuMs(agent.pid);
  await wait(minutes * 60_000);
  const spent = (cpuMs(agent.pid) - before) / minutes;
  const resting = { memory: memory(agent.pid), watches: watches(agent.pid), cpuMs: spent };
  await agent.stop();
  return resting;
}

interface Scans {
  readonly full: readonly number[];
  readonly one: readonly number[];
  /** Of the reading alone, as the agent measures it. */
  readonly reading: { readonly full: readonly number[]; readonly one: readonly number[] };
  readonly after: Memory;
}

async function scans(fleet: Fleet, home: string): Promise<Scans> {
  const own = { CURFEW_HOME_ONLY: home, CURFEW_LOG_LEVEL: 'debug' };
  const reading = { full: [] as number[], one: [] as number[] };
  let isMeasuring = false;
  const agent = await started(fleet, 'scanning', own, (line) => {
    const { event, isFull, read, durationMs } = parseRecord(line) ?? {};
    if (!isMeasuring || event !== 'read' || typeof durationMs !== 'number' || read === 0) return;
    (isFull === true ? reading.full : reading.one).push(durationMs);
  });
  isMeasuring = true;
  const full = await costs(agent.pid, 1_500, () => process.kill(agent.pid, 'SIGUSR2'));
  const { change, undo } = changes(home);
  // A look after the change, one more when it is over, and what the watcher has to do.
  const one = await costs(agent.pid, 2_500, change);
  undo();
  return { full, one, reading, after: memory(agent.pid) };
}

/** Label, value, target, unit. */
type Row = readonly [string, number, number | null, string];

function print(rows: readonly Row[]): boolean {
  const lines = rows.map(([label, value, target, unit]) => {
    const bound = target === null ? '' : `${target} ${unit}`;
    const ratio = target === null ? '' : `${(value / target).toFixed(2)} x`;
    const cell = `${value.toFixed(1)} ${unit}`;
    return `${label.padEnd(46)}${cell.padStart(12)}${bound.padStart(12)}${ratio.padStart(9)}`;
  });
  const head = `${''.padEnd(46)}${'now'.padStart(12)}${'target'.padStart(12)}${'ratio'.padStart(9)}`;
  process.stdout.write(`\n${[head, ...lines].join('\n')}\n`);
  return rows.every(([, value, target]) => target === null || value <= target);
}

const fleet = await makeFleet();
try {
  const home = homeFor(fleet);
  const minutes = Number(flags.minutes);
  await fleet.startServer();
  fleet.publish(examplePolicy);
  const resting = await rest(fleet, home, minutes);
  const { full, one, reading, after } = await scans(fleet, home);
  const isWithin = print([
    ['memory at rest (VmRSS)', resting.memory.all, 75, 'MiB'],
    ['  of its own', resting.memory.own, null, 'MiB'],
    ['  pages of files', resting.memory.files, null, 'MiB'],
    ['watches', resting.watches, 500, ''],
    [`processor in a minute at rest, of ${minutes}`, resting.cpuMs, 60, 'ms'],
    [`all roots again, nothing changed: least of ${trials}`, Math.min(...full), 20, 'ms'],
    ['  median', median(full), 20, 'ms'],
    ['  the reading alone: median', median(reading.full), 20, 'ms'],
    [`a package came or went, reading alone: least`, Math.min(...reading.one), 5, 'ms'],
    ['  median', median(reading.one), 5, 'ms'],
    ['  all of both looks, judging and reporting', median(one), null, 'ms'],
    ['memory after all scans, of the home alone', after.all, null, 'MiB'],
  ]);
  process.exitCode = isWithin ? 0 : 1;
} finally {
  await fleet.close();
}
