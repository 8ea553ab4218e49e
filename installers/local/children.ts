/**
 * The processes that `npm run up` starts: server, agents and short commands. Each is started without a
 * shell, by the Node that runs us, and is stopped and waited for; a channel lets them notice when we are
 * gone without a word. Secrets reach them by environment, never by argument.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

const bundles = path.resolve(import.meta.dirname, '..');
export const curfew = path.join(bundles, 'agent', 'curfew.mjs');
export const curfewServer = path.join(bundles, 'server', 'curfew-server.mjs');

/** How long a process may take to stop after being asked. */
const stopMs = 8_000;
/** Of what a child says on stderr, the last lines are kept to explain its death. */
const keptLines = 12;

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Each JSON object that the child prints on a line of stdout. */
  onRecord(listener: (record: Readonly<Record<string, unknown>>) => void): void;
  /** Each line of stdout. */
  onLine(listener: (line: string) => void): void;
  /** Resolves with the exit code once the process has ended; 1 when a signal ended it. */
  readonly ended: Promise<number>;
  /** The last lines it wrote to stderr. */
  lastWords(): string;
  stop(): Promise<number>;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<number>;
}

/** Starts a long-running child whose stdout is JSON lines. `onLog` receives each line of its stderr. */
export function startChild(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onLog: (line: string) => void = () => {},
): Child {
  const child = spawn(process.execPath, [...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error(`${name} has no pipes`);
  const last: string[] = [];
  const listeners: ((line: string) => void)[] = [];
  createInterface({ input: stderr }).on('line', (line) => {
    last.push(line);
    if (last.length > keptLines) last.shift();
    onLog(line);
  });
  createInterface({ input: stdout }).on('line', (line) => {
    for (const listener of listeners) listener(line);
  });
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
  return {
    name,
    pid: child.pid ?? 0,
    onLine: (listener) => void listeners.push(listener),
    onRecord: (listener) =>
      void listeners.push((line) => {
        const record = parseRecord(line);
        if (record !== null) listener(record);
      }),
    ended,
    lastWords: () => last.join('\n'),
    stop: () => stop(child, ended),
    kill: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

/** The JSON object on a line; null when it holds none. */
export function parseRecord(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

async function stop(child: ChildProcess, ended: Promise<number>): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await ended;
    clearTimeout(timer);
  }
  return ended;
}

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a short command to its end, with what it printed; killed after `timeoutMs`. */
export function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = 60_000,
): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => err.push(part));
    const done = (code: number, extra = ''): void =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8') + extra,
      });
    child.on('error', (error) => done(1, error.message));
    child.on('close', (code) => done(code ?? 1));
  });
}
