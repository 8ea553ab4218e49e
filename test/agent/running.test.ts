/** What the operating system says of the processes that run, asked while some of them end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { createProcessList, entriesOf, listProcesses, markOf } from '../../agent/running.js';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function started(command: string, args: readonly string[]): Promise<Running> {
  const child = spawn(command, args, { stdio: 'pipe' });
  children.push(child);
  await new Promise((resolve) => child.once('spawn', resolve));
  if (child.pid === undefined) throw new Error('it has no pid');
  return child as Running;
}
type Running = ChildProcess & { readonly pid: number };

const waiting = "process.stdout.write('up'); setInterval(() => {}, 1000)";
async function waitingNode(): Promise<Running> {
  const child = await started(process.execPath, ['--eval', waiting, 'an-argument']);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}
const isLinux = process.platform === 'linux';

test.runIf(isLinux)(
  'a process is listed with its own words, and no more once it has ended',
  async () => {
    const list = createProcessList();
    const child = await waitingNode();
    const entryOf = async () => (await list())?.find(({ pid }) => pid === child.pid);
    const first = await entryOf();
    expect(first).toEqual({
      pid: child.pid,
      mark: expect.stringContaining(`${child.pid} (`) as string,
      account: expect.any(String) as string,
      uid: process.getuid?.(),
      comm: expect.any(String) as string,
      exe: realpathSync(process.execPath),
      cwd: process.cwd(),
      argv: [process.execPath, '--eval', waiting, 'an-argument'],
    });
    // The very same: it was not looked into again.
    expect(await entryOf()).toBe(first);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(await entryOf()).toBeUndefined();
  },
);

test.runIf(isLinux)('a process that becomes another program is looked into again', async () => {
  const list = createProcessList();
  const child = await started('/bin/sh', ['-c', 'read line; exec sleep 60']);
  const argvOf = async () => (await list())?.find(({ pid }) => pid === child.pid)?.argv ?? null;
  await until(async () => (await argvOf())?.[0] === '/bin/sh');
  child.stdin?.write('go\n');
  await until(async () => (await argvOf())?.[0] === 'sleep');
  expect(await argvOf()).toEqual(['sleep', '60']);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it never came');
}

// Field 4 on, as proc(5) numbers them; flags is the ninth, starttime the 22nd.
const rest = Array.from({ length: 49 }, (_, index) => String(index + 4));
const line = (name: string, flags = '4194304'): string =>
  `77 (${name}) S ${[...rest.slice(0, 5), flags, ...rest.slice(6)].join(' ')}`;

test('the mark of a process holds what changes with another program or another start', () => {
  expect(markOf(line('node'))).toBe('77 (node) 22 26 28 48');
  expect(markOf(line('a) S 1 2 (b'))).toBe('77 (a) S 1 2 (b) 22 26 28 48');
  // PF_KTHREAD of the kernel's sched.h.
  expect(markOf(line('kworker/0:1', String(0x00200000 | 0x40)))).toBeNull();
  expect(markOf('')).toBeNull();
});

test('the list of the system has what we started, and not ourselves', async () => {
  const alive = await waitingNode();
  const pids = (await listProcesses())?.map(({ pid }) => pid);
  expect(pids).toContain(alive.pid);
  expect(pids).not.toContain(process.pid);
});

test('where the system lists them, what is empty is not known', () => {
  const one = { pid: 7, name: 'node', path: '', user: 'ana', params: '--flag a', started: 'x' };
  expect(
    entriesOf([
      { ...one, command: '/bin/node' },
      { ...one, pid: process.pid, command: '' },
    ]),
  ).toEqual([
    {
      pid: 7,
      mark: JSON.stringify([7, 'x', 'node', '', '/bin/node', '--flag a']),
      uid: null,
      account: 'ana',
      comm: 'node',
      exe: null,
      cwd: null,
      argv: ['/bin/node', '--flag', 'a'],
    },
  ]);
});
