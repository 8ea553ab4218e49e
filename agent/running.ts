/**
 * What runs on this machine. On Linux the list is read from /proc (proc(5)) by ourselves: asking for it by
 * a program costs a process and a hundred times the time, every minute. Elsewhere systeminformation
 * asks the system. A process that was there last time is not looked into again; of a process nothing
 * is kept here but what detectors need to match, and that only while it runs.
 */
import fs from 'node:fs';
import type { Systeminformation } from 'systeminformation';
import type { ProcessEntry } from './detect/index.js';
import type { MarkedProcess } from './living-scan.js';
import { parsePasswd } from './platform/linux.js';

const timeLimitMs = 5_000;
const maxProcesses = 50_000;
/** A stat line holds 52 numbers and a name of at most 64 bytes. */
const maxStatBytes = 2048;
const maxArgumentBytes = 64 * 1024;

/** Asks for what runs now; null when the list could not be had. */
export type ProcessList = () => Promise<readonly MarkedProcess[] | null>;

/** A list that knows what it has said before. */
export function createProcessList(): ProcessList {
  if (process.platform !== 'linux') return listBySystem;
  let known: ReadonlyMap<string, MarkedProcess> = new Map();
  return () => {
    const now = new Map<string, MarkedProcess>();
    const nameOf = accountNames();
    for (const { pid, mark } of linuxMarks()) {
      const entry = known.get(mark) ?? linuxEntry(pid, mark, nameOf);
      if (entry !== null) now.set(mark, entry);
    }
    known = now;
    return Promise.resolve(now.size === 0 ? null : [...now.values()]);
  };
}

/** What runs now, asked once. */
export const listProcesses: ProcessList = () => createProcessList()();

interface Marked {
  readonly pid: number;
  readonly mark: string;
}

/** Everything but ourselves and the kernel's own threads. */
function linuxMarks(): readonly Marked[] {
  const buffer = Buffer.allocUnsafe(maxStatBytes);
  return fs
    .readdirSync('/proc')
    .slice(0, maxProcesses)
    .flatMap((name): readonly Marked[] => {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return [];
      const line = attempt(() => readStart(`/proc/${name}/stat`, buffer));
      const mark = line === null ? null : markOf(line);
      return mark === null ? [] : [{ pid, mark }];
    });
}

const kernelThread = 0x00200000;

/**
 * What tells a process from any other: number and time of its start; and from itself before an exec: its
 * name and where the kernel laid out its program, stack and arguments. Null for the kernel's threads.
 * Exported for its test.
 */
export function markOf(line: string): string | null {
  // The name stands in parentheses and may hold anything, parentheses too.
  const end = line.lastIndexOf(')');
  const fields = line.slice(end + 2).split(' ');
  // Numbered as in proc(5), where the field behind the name is the third.
  const field = (number: number): string => fields[number - 3] ?? '';
  if (end < 0 || (Number(field(9)) & kernelThread) !== 0) return null;
  return [line.slice(0, end + 1), ...[22, 26, 28, 48].map(field)].join(' ');
}

function readStart(file: string, buffer: Buffer): string {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY);
  try {
    const length = fs.readSync(descriptor, buffer, 0, buffer.length, 0);
    return buffer.toString('latin1', 0, length);
  } finally {
    fs.closeSync(descriptor);
  }
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Account names by number, read when the first is asked for. */
function accountNames(): (uid: number | null) => string | null {
  let names: ReadonlyMap<number, string> | null = null;
  return (uid) => {
    names ??= new Map(
      parsePasswd(attempt(() => fs.readFileSync('/etc/passwd', 'utf8')) ?? '')
        .flatMap(({ uid: own, name }) => (own === null ? [] : [[own, name] as const]))
        // Of two names of one number the first counts, as for the system.
        .reverse(),
    );
    return uid === null ? null : (names.get(uid) ?? null);
  };
}

/**
 * Linux says it exactly: arguments parted by NUL, links to the program and its folder. What may not be
 * read is null in the entry; null for an entry: the process has ended.
 */
function linuxEntry(
  pid: number,
  mark: string,
  nameOf: (uid: number | null) => string | null,
): MarkedProcess | null {
  const folder = `/proc/${pid}`;
  const uid = attempt(() => fs.statSync(folder).uid);
  const bytes = attempt(() => readBytes(`${folder}/cmdline`));
  const argv = bytes === null ? null : bytes.split('\0').slice(0, -1);
  const entry = {
    pid,
    mark,
    uid,
    account: nameOf(uid),
    comm: attempt(() => fs.readFileSync(`${folder}/comm`, 'utf8').trim()),
    exe: attempt(() => fs.readlinkSync(`${folder}/exe`).replace(/ \(deleted\)$/, '')),
    cwd: attempt(() => fs.readlinkSync(`${folder}/cwd`)),
    argv,
  };
  // Looked at last: a process that ended between two reads would look like one that hides something.
  return fs.existsSync(folder) ? entry : null;
}

function readBytes(file: string): string {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY);
  try {
    const buffer = Buffer.allocUnsafe(maxArgumentBytes);
    let length = 0;
    for (;;) {
      const count = fs.readSync(descriptor, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0 || length === buffer.length) return buffer.toString('utf8', 0, length);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A process as systeminformation lists it; what is empty is not known. */
export type ListedProcess = Pick<
  Systeminformation.ProcessesProcessData,
  'pid' | 'name' | 'path' | 'user' | 'command' | 'params' | 'started'
>;

const listBySystem: ProcessList = async () => {
  const { default: si } = await import('systeminformation');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeLimitMs);
  });
  const listed = await Promise.race([si.processes().catch(() => null), late]);
  clearTimeout(timer);
  return listed === null ? null : entriesOf(listed.list);
};

/** The listed processes but ourselves. */
export function entriesOf(listed: readonly ListedProcess[]): readonly MarkedProcess[] {
  return listed
    .filter(({ pid }) => pid > 0 && pid !== process.pid)
    .map((one): MarkedProcess => {
      const { pid, name, path, user, command, params, started } = one;
      const argv = command === '' ? null : [command, ...params.split(' ').filter(Boolean)];
      const entry: Omit<ProcessEntry, 'pid'> = {
        uid: null,
        account: user === '' ? null : user,
        comm: name === '' ? null : name,
        exe: path === '' ? null : path,
        cwd: null,
        argv,
      };
      return { pid, mark: JSON.stringify([pid, started, name, path, command, params]), ...entry };
    });
}
