/**
 * `curfew run`: the daemon. Reads the settings, opens the store, and ties loop, prompts and link
 * together; the work itself is in `loop.ts`. Not enrolled, or without a server, it looks and waits and
 * tries again: it never ends for that. Logs are JSON lines on stderr.
 *
 * `--once` ends when the reports of the first full scan are acknowledged. `--table` prints, once the
 * first judged scan stands, one line {"record":"state",...} on stdout: for `npm run up` alone.
 */
import { parseArgs } from 'node:util';
import { builtInCatalogue } from '../policies/catalogue.js';
import { CurfewError } from '../wire/errors.js';
import type { AgentEvent } from './report/events.js';
import { openAgent, type Agent } from './run-parts.js';
import { componentRecord, printable } from './scan-output.js';
import { startTidying } from './small-heap.js';
import type { Standing } from './loop.js';

/** Where a command writes: results to `stdout`, all else to `stderr`. */
export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
}

export const runHelp = `Usage: curfew run [--once] [--table]

  Looks at this machine, reports to the server of the settings and tells people what their policy says.

  --once    end when the first full scan has been reported;
            1: a violation, 3: not all is known, or not all was reported
  --table   print the first state as one JSON line (internal, for npm run up)

  Settings come from managed settings, the configuration file and CURFEW_... variables.
  SIGUSR2 makes it look at everything again at once (not on Windows).
  Example: CURFEW_DATA_FOLDER=/tmp/curfew curfew run --once
`;

/** Waited for the policy of the server before a first state is taken without one. */
const policyWaitMs = 10_000;
/** `--once` gives up on a server that takes nothing. */
const productOnceLimitMs = 120_000;
/** Stopping may take this long. */
const stopMs = 4_500;

interface Flags {
  readonly once: boolean;
  readonly table: boolean;
}

interface Run {
  readonly flags: Flags;
  readonly io: CommandIo;
  readonly onceLimitMs: number;
}

/** Runs until it is told to stop; answers the exit code. */
export async function runAgent(
  argv: readonly string[],
  io: CommandIo,
  onceLimitMs = productOnceLimitMs,
): Promise<number> {
  try {
    const flags = parseFlags(argv);
    if (flags === 'help') {
      io.stdout(runHelp);
      return 0;
    }
    return await run({ flags, io, onceLimitMs });
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    io.stderr(`curfew run: ${error.message}\n${error.hint === null ? '' : `  ${error.hint}\n`}`);
    return 2;
  }
}

function parseFlags(argv: readonly string[]): Flags | 'help' {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean' },
        table: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) return 'help';
    return { once: values.once === true, table: values.table === true };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CurfewError('USAGE', message, { hint: 'See: curfew run --help' });
  }
}

async function run(parts: Run): Promise<number> {
  const { flags, io } = parts;
  const stopped = stopSignal();
  const agent = await openAgent(builtInCatalogue());
  if (agent.store.setAsideAs !== null) agent.loop.raise(storeReset);
  const stopTidying = startTidying();
  const rescan = (): void => agent.loop.scanAll();
  if (process.platform !== 'win32') process.on('SIGUSR2', rescan);
  try {
    const first = firstStanding(agent).then((standing) => {
      if (flags.table) io.stdout(`${stateLine(standing)}\n`);
      return flags.once ? onceDone(agent, standing, parts) : stopped;
    });
    return await Promise.race([stopped, first]);
  } finally {
    stopTidying();
    process.off('SIGUSR2', rescan);
    await Promise.race([
      agent.close(),
      new Promise((resolve) => setTimeout(resolve, stopMs).unref()),
    ]);
    // A thread that hangs in the operating system must not keep the process.
    setTimeout(() => process.exit(), 300).unref();
  }
}

const storeReset: AgentEvent = { subject: { kind: 'machine' }, event: 'store-reset' };

/** A signal, or the end of the process that started us with a channel to it (`npm run up`). */
function stopSignal(): Promise<number> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.once(name, () => resolve(0));
    }
    process.once('disconnect', () => resolve(0));
    process.channel?.unref();
  });
}

/** Whether a policy judged it, and no older one than the server has. */
function isJudgedAnew({ rules }: Standing, { linkStatus }: Agent): boolean {
  const serverSequence = linkStatus()?.serverSequence ?? null;
  if (rules.policy === null || serverSequence === null) return false;
  return (rules.bundleSequence ?? 0) >= serverSequence;
}

/** The first state that is worth showing: judged by the server's policy, or without it after a while. */
function firstStanding(agent: Agent): Promise<Standing> {
  return new Promise((resolve) => {
    let last: Standing | null = null;
    let isLate = false;
    const look = (): void => {
      if (last === null || !(isLate || isJudgedAnew(last, agent))) return;
      clearTimeout(timer);
      resolve(last);
    };
    const timer = setTimeout(() => {
      isLate = true;
      look();
    }, policyWaitMs);
    agent.loop.onStanding((standing) => {
      last = standing;
      look();
    });
    void agent.welcomed.then(look);
  });
}

/** By the rule for exit codes 1: a violation, 3: not all is known, or not all was reported. */
async function onceDone(agent: Agent, standing: Standing, run: Run): Promise<number> {
  const isReported = await reported(agent, run.onceLimitMs);
  if (!isReported) run.io.stderr(notReported(agent, run.onceLimitMs));
  const has = (status: string): boolean =>
    standing.judged.some(({ verdict }) => verdict.status === status);
  if (has('violation')) return 1;
  return !isReported || !standing.isScanComplete || has('unknown') ? 3 : 0;
}

/** Whether the server has welcomed this device and nothing is pending, before the time is over. */
async function reported({ outbox, welcomed }: Agent, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const settled = (): Promise<boolean> =>
    new Promise((resolve) => {
      const look = (): void => void (outbox.counts().pending === 0 && resolve(true));
      outbox.onSettled(look);
      look();
    });
  const isReported = await Promise.race([welcomed.then(settled), late]);
  clearTimeout(timer);
  return isReported;
}

function notReported({ outbox, linkStatus }: Agent, limitMs: number): string {
  const status = linkStatus();
  const what =
    status === null
      ? 'this machine is not enrolled at a server'
      : status.lastOnline === null
        ? `the server did not welcome this device (${status.problem?.message ?? status.state})`
        : 'the server has not taken every report';
  const waiting = `${outbox.counts().pending} reports wait here`;
  return `curfew run: after ${limitMs / 1000} s ${printable(what)}; ${waiting}\n`;
}

function stateLine({ judged, isScanComplete, rules }: Standing): string {
  return JSON.stringify({
    record: 'state',
    status: isScanComplete ? 'complete' : 'partial',
    policy: rules.policy?.policy ?? null,
    bundleSequence: rules.bundleSequence,
    components: judged.map(({ component, verdict, firstSeen }) =>
      componentRecord({ component, verdict, firstSeenMs: firstSeen }),
    ),
  });
}
