/**
 * `npm run up` as a visitor meets it: a first run, a second one that finds its data, and the faults that
 * must end in a sentence with the fix and never in a stack trace. Each run has a home, a data folder and
 * a port of its own.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand, startChild, type Answer } from '../../installers/local/children.js';
import { freePort, until } from '../fleet/machines.js';
import { npmLauncher, qoderNative } from '../worlds/native.js';

const top = path.resolve(import.meta.dirname, '..', '..');
const upFile = path.join(top, 'dist', 'local', 'up.mjs');
const startFile = path.join(top, 'installers', 'local', 'start.mjs');
/** Makes Node believe that it is another version; loaded before the program. */
const asNode = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;

let folder: string;
let home: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-up-'));
  home = path.join(folder, 'ana');
  const prefix = path.join(home, '.nvm', 'versions', 'node', 'v22.22.0');
  npmLauncher(prefix, { name: '@anthropic-ai/claude-code', version: '2.1.150', command: 'claude' });
  qoderNative(home, '1.1.52');
  env = {
    HOME: home,
    PATH: path.join(home, '.local', 'bin'),
    CURFEW_HOME: path.join(folder, 'data'),
    PORT: String(await freePort()),
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const up = (
  args: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  runCommand([upFile, '--port', env['PORT'] ?? '', ...args], { ...env, ...extra });

function expectSentence(answer: Answer, ...words: readonly string[]): void {
  expect(answer.code).toBe(2);
  for (const word of words) expect(answer.stderr).toContain(word);
  expect(answer.stderr).not.toMatch(/^\s+at .+:\d+:\d+/m);
}

function devices(): unknown[] {
  const file = path.join(folder, 'data', 'server', 'server.db');
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare('SELECT id FROM devices').all();
  } finally {
    database.close();
  }
}

describe('npm run up', () => {
  test('--once prints what was found and exits with 1 for a violation', async () => {
    const { code, stdout, stderr } = await up(['--once']);
    expect(code, stderr).toBe(1);
    const line = stdout.split('\n').find((one) => one.includes('2.1.150')) ?? '';
    for (const word of ['Claude Code', 'npm (nvm)', 'installed', 'violation', 'Qoder']) {
      expect(line).toContain(word);
    }
    expect(stdout.split('\n').find((one) => one.includes('1.1.52'))).toContain('approved');
    expect(stderr).toContain('Claude Code');
  });

  test('a second run finds its data again, and a date to come makes the same install pending', async () => {
    const before = devices();
    const { code, stdout, stderr } = await up(['--once', '--effective', '2099-01-31']);
    expect(code, stderr + stdout).toBe(0);
    expect(stdout.split('\n').find((one) => one.includes('2.1.150'))).toContain('pending');
    expect(before).toHaveLength(1);
    expect(devices()).toEqual(before);
  });

  test('another port finds the same devices again', async () => {
    const before = devices();
    const port = String(await freePort());
    const { code, stdout, stderr } = await runCommand([upFile, '--once', '--port', port], env);
    expect(code, stderr).toBe(1);
    expect(stdout).toContain('violation');
    expect(devices()).toEqual(before);
  });

  test(
    'goes on until it is told to stop, with a sign-in link that works, and ends cleanly',
    { timeout: 60_000 },
    async () => {
      const child = startChild(
        'up',
        [upFile, '--port', env['PORT'] ?? '', '--demo'],
        env,
        (line) => {
          lines.push(line);
        },
      );
      const lines: string[] = [];
      const printed: string[] = [];
      child.onLine((line) => printed.push(line));
      const link = await until(
        () =>
          printed
            .map((line) => /Console: (\S+)/.exec(line)?.[1])
            .find((one) => one !== undefined) ?? null,
        40_000,
        'the link',
      );
      expect(printed.join('\n')).toContain('A made-up home');
      const url = new URL(link);
      const answer = await fetch(`${url.origin}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: url.origin },
        body: JSON.stringify({ link: url.hash.split('/').at(-1) }),
      });
      expect(answer.status).toBe(200);
      const cookie = (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
      const page = await fetch(`${url.origin}/api/v1/devices`, { headers: { cookie } });
      const { devices: rows } = (await page.json()) as { devices: { label: string | null }[] };
      expect(rows.map(({ label }) => label).sort()).toEqual(['made-up home', null]);
      expect(await child.stop()).toBe(0);
      await expect(fetch(url.origin)).rejects.toThrow();
    },
  );
});

describe('faults end in a sentence', () => {
  test('a busy port names another', async () => {
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const address = busy.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const answer = await runCommand([upFile, '--once', '--port', String(port)], env);
    expectSentence(answer, String(port), '--port');
    await new Promise((resolve) => busy.close(resolve));
  });

  test('a data folder that cannot be written says so', async () => {
    const file = path.join(folder, 'a-file');
    writeFileSync(file, '');
    expectSentence(
      await up(['--once'], { CURFEW_HOME: path.join(file, 'data') }),
      file,
      'CURFEW_HOME',
    );
  });

  test.skipIf(process.getuid?.() === 0)('a folder without the right to write says so', async () => {
    const locked = path.join(folder, 'locked');
    mkdirSync(locked, { mode: 0o500 });
    expectSentence(
      await up(['--once'], { CURFEW_HOME: path.join(locked, 'data') }),
      locked,
      'CURFEW_HOME',
    );
  });

  test('a date that is none says what a date looks like', async () => {
    expectSentence(await up(['--once', '--effective', '10.7.2026']), '10.7.2026', '2027-01-31');
    expectSentence(await up(['--once', '--effective', '2027-02-30']), '2027-02-30');
  });

  test('an unknown option names the help', async () => {
    expectSentence(await up(['--onec']), '--onec', '--help');
  });

  test('an old Node says which one is needed', async () => {
    const old = asNode('18.20.0');
    expectSentence(await runCommand(['--import', old, startFile, 'up']), '18.20.0', '20.19');
    const twenty = asNode('20.20.2');
    const curfew = path.join(top, 'dist', 'agent', 'curfew.mjs');
    const server = path.join(top, 'dist', 'server', 'curfew-server.mjs');
    expectSentence(await runCommand(['--import', twenty, curfew, 'scan']), '20.20.2', '22');
    expectSentence(await runCommand(['--import', twenty, server, 'serve']), '20.20.2', '22');
  });
});

/** Whether a process of ours with this data folder is alive, by its command line and environment. */
function leftOver(dataFolder: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const all = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return all.includes(`CURFEW_HOME=${dataFolder}\0`);
      } catch {
        return false;
      }
    });
}

describe.skipIf(process.platform !== 'linux')('whatever ends it, nothing is left running', () => {
  const endings = [
    ['up alone, at once', (pid: number) => process.kill(pid, 'SIGKILL')],
    ['up alone, with a request', (pid: number) => process.kill(pid, 'SIGTERM')],
  ] as const;
  for (const [name, end] of endings) {
    test(`${name}: server and agent end too`, { timeout: 60_000 }, async () => {
      const dataFolder = path.join(folder, name.replaceAll(/\W+/g, '-'));
      const child = startChild('up', [upFile, '--port', '0'], { ...env, CURFEW_HOME: dataFolder });
      let pid = 0;
      child.onLine((line) => {
        if (line.startsWith('Console:')) pid = child.pid;
      });
      await until(() => (pid > 0 ? true : null), 40_000, 'the link');
      expect(leftOver(dataFolder).length).toBeGreaterThanOrEqual(3);
      end(pid);
      await until(() => (leftOver(dataFolder).length === 0 ? true : null), 15_000, 'all gone');
    });
  }
});
