/**
 * `curfew run --once` as a process of its own, at a real server: it is done when that server has
 * everything, wherever it listens now, and never says so without having been welcomed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrol } from '../../agent/report/enrol.js';
import { lockFolder } from '../../wire/lock.js';
import { planAndPublish } from '../server/publishing.js';
import { facts, startServer, type Running } from '../server/fixture.js';
import { banPolicy } from '../server/policies.js';
import { directNetwork, enrolToken, temporaryFolder } from './link-fixture.js';

const top = path.resolve(import.meta.dirname, '../..');
let built: string;
let running: Running;

beforeAll(async () => {
  mkdirSync(path.join(top, 'test/.cache'), { recursive: true });
  built = mkdtempSync(path.join(top, 'test/.cache/run-'));
  await build({
    entryPoints: [path.join(top, 'agent/run.ts')],
    outdir: built,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node22',
    format: 'esm',
  });
  running = await startServer();
  const { keys, catalogue } = running.server.context;
  const policy = { yaml: banPolicy('2026-07-10'), author: 'ana' };
  await planAndPublish({ store: running.store, keys, catalogue, now: running.clock.now }, policy);
});
afterAll(async () => {
  await running.stop();
  running.remove();
  rmSync(built, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly err: string;
}

/** Gives up on the server after three seconds instead of the product's two minutes. */
function runOnce(folder: string, serverUrl: string): Promise<Ended> {
  const home = path.join(folder, 'home');
  mkdirSync(home, { recursive: true });
  const script = `
    import { runAgent } from ${JSON.stringify(pathToFileURL(path.join(built, 'run.mjs')).href)};
    const io = { stdout: () => {}, stderr: (text) => process.stderr.write(text) };
    process.exitCode = await runAgent(['--once'], io, 3_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: {
      ...process.env,
      CURFEW_DATA_FOLDER: folder,
      CURFEW_HOME_ONLY: home,
      CURFEW_SERVER_URL: serverUrl,
      CURFEW_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (part: Buffer) => (err += part.toString('utf8')));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, err })));
}

async function enrolled(): Promise<string> {
  const folder = temporaryFolder();
  await enrol({
    serverUrl: running.url,
    token: await enrolToken(running),
    policyKeyThumbprint: null,
    facts: facts('laptop-1'),
    group: '',
    label: null,
    dataFolder: folder,
    network: directNetwork,
  });
  return folder;
}

const long = { timeout: 90_000 };

test(
  'all is reported: 0; the same with nobody there: 3 and why; at its new port: 0 again',
  long,
  async () => {
    const folder = await enrolled();
    const first = running.url;
    expect(await runOnce(folder, first)).toMatchObject({ code: 0 });
    await running.stop();
    const alone = await runOnce(folder, first);
    expect(alone.code).toBe(3);
    expect(alone.err).toMatch(
      /curfew run: after 3 s the server did not welcome this device \(.+\)/,
    );
    running = await startServer({ folder: running.folder });
    expect(running.url).not.toBe(first);
    expect(await runOnce(folder, running.url)).toMatchObject({ code: 0 });
  },
);

test('not enrolled, nothing was reported: 3 and why', long, async () => {
  const { code, err } = await runOnce(temporaryFolder(), running.url);
  expect(code).toBe(3);
  expect(err).toMatch(/after 3 s this machine is not enrolled at a server; \d+ reports wait here/);
});

test('on a data folder that another process has: 2, with the folder and the fix', async () => {
  const folder = temporaryFolder();
  const lock = lockFolder(folder);
  const { code, err } = await runOnce(folder, running.url);
  lock.release();
  expect(code).toBe(2);
  expect(err).toContain(`curfew run: another process works on the data folder ${folder}\n  Stop`);
});
