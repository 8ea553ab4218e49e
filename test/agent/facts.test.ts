/** What the operating system says of the processes that run, asked while some of them end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { entriesOf, listProcesses, type ListedProcess } from '../../agent/facts.js';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function started(script: string): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(process.execPath, ['--eval', script, 'an-argument'], { stdio: 'pipe' });
  children.push(child);
  await new Promise((resolve) => child.once('spawn', resolve));
  if (child.pid === undefined) throw new Error('it has no pid');
  return child as ChildProcess & { readonly pid: number };
}
const listed = (pid: number): ListedProcess => ({
  pid,
  name: 'node',
  path: '',
  user: 'ana',
  command: '',
  params: '',
});
const waiting = "process.stdout.write('up'); setInterval(() => {}, 1000)";

test.runIf(process.platform === 'linux')(
  'a process that ended after it was listed is no entry; one that runs is, with its own words',
  async () => {
    const ended = await started('');
    await new Promise((resolve) => ended.once('exit', resolve));
    const alive = await started(waiting);
    await new Promise((resolve) => alive.stdout?.once('data', resolve));
    const entries = entriesOf([listed(ended.pid), listed(alive.pid), listed(process.pid)]);
    expect(entries).toEqual([
      {
        pid: alive.pid,
        account: 'ana',
        uid: process.getuid?.(),
        comm: expect.any(String) as string,
        exe: realpathSync(process.execPath),
        cwd: process.cwd(),
        argv: [process.execPath, '--eval', waiting, 'an-argument'],
      },
    ]);
  },
);

test('the list of the system has what we started', async () => {
  const alive = await started(waiting);
  const pids = (await listProcesses())?.map(({ pid }) => pid);
  expect(pids).toContain(alive.pid);
  expect(pids).not.toContain(process.pid);
});
