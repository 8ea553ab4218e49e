/** The commands, run in this process on a real data folder; `serve` as its own process when built. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { run } from '../../server/cli.js';
import { enrol, tokenPrefix } from '../../server/enrol.js';
import { readOrMakeKeys } from '../../server/keys.js';
import { noChange } from '../../server/policy-change.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { makeDeviceKey } from '../../wire/identity.js';
import { facts } from './fixture.js';
import { banPolicy } from './policies.js';
import { plan } from './publishing.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-cli-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** A command line's exit code and what it wrote. */
async function curfewServer(...words: string[]) {
  let out = '';
  let err = '';
  const keep = (add: (text: string) => void) =>
    ((text: string | Uint8Array) => {
      add(String(text));
      return true;
    }) as typeof process.stdout.write;
  vi.spyOn(process.stdout, 'write').mockImplementation(keep((text) => (out += text)));
  vi.spyOn(process.stderr, 'write').mockImplementation(keep((text) => (err += text)));
  const code = await run(['node', 'curfew-server', ...words]);
  vi.restoreAllMocks();
  return { code, out, err };
}

/** Keeps a plan of a text in the data folder. */
async function planned(yaml: string): Promise<void> {
  const store = openSqliteStore(path.join(folder, 'server.db'));
  const keys = await readOrMakeKeys(folder);
  const publisher = { store, keys, catalogue: builtInCatalogue(), now: Date.now() };
  await plan(publisher, { ...noChange, texts: [yaml] });
  await store.close();
}

test('a folder that was mistyped does not become another server', async () => {
  const mistyped = path.join(folder, 'mistyped');
  for (const words of [
    ['token', 'create'],
    ['device', 'list'],
    ['exception', 'list'],
    ['policy', 'rollback', '--list'],
    ['key', 'show'],
  ]) {
    const { code, out, err } = await curfewServer(...words, '--data', mistyped);
    expect([words, code, out]).toEqual([words, 2, '']);
    expect(err).toContain(`there is no folder ${mistyped}`);
    expect(err).toContain(`curfew-server init --data ${mistyped}`);
  }
  expect(existsSync(mistyped)).toBe(false);
});

test('what never ends, a pipe nobody writes to and a folder are refused in time', async () => {
  const pipe = path.join(folder, 'pipe.yaml');
  spawnSync('mkfifo', [pipe]);
  for (const words of [['lint'], ['plan'], ['publish'], ['compile', '--target', 'santa']]) {
    const [command = '', ...flags] = words;
    const of = (file: string) => curfewServer('policy', command, file, ...flags);
    vi.stubEnv('CURFEW_SERVER_DATA', folder);
    expect([words, (await of(pipe)).code]).toEqual([words, 2]);
    const endless = await of('/dev/zero');
    expect([words, endless.out, endless.err]).toEqual([
      words,
      '',
      expect.stringMatching(/larger|longer/),
    ]);
  }
  const signing = await curfewServer('policy', 'sign', pipe, '--key', '/dev/zero', '--out', 'x');
  expect([signing.code, signing.err]).toEqual([2, expect.stringContaining('is a pipe')]);
  const made = await curfewServer('policy', 'plan', folder, '--data', folder);
  expect([made.code, made.err]).toEqual([2, expect.stringContaining('is a folder')]);
  vi.unstubAllEnvs();
});

test('bytes that are no UTF-8 are never planned as other signs', async () => {
  const file = path.join(folder, 'latin.yaml');
  writeFileSync(
    file,
    Buffer.from(banPolicy('2026-07-10').replace('risk.', 'risqu\u00e9.'), 'latin1'),
  );
  for (const words of [['plan'], ['publish'], ['compile', '--target', 'santa']]) {
    vi.stubEnv('CURFEW_SERVER_DATA', folder);
    const { code, out, err } = await curfewServer('policy', ...words, file);
    expect([words, code === 0, out, err]).toEqual([
      words,
      false,
      '',
      expect.stringMatching(/latin\.yaml:\d+:\d+: .*UTF-8/),
    ]);
  }
  vi.unstubAllEnvs();
});

test('compile refuses what planning refuses', async () => {
  const file = path.join(folder, 'marked.yaml');
  writeFileSync(file, banPolicy('2026-07-10').replace('Back-door risk.', 'A <b>risk</b>.'));
  const out = path.join(folder, 'compiled');
  const words = ['policy', 'compile', file, '--target', 'santa', '--out', out];
  const { code, err } = await curfewServer(...words);
  expect([code, err]).toEqual([1, expect.stringContaining('HTML')]);
  expect(existsSync(out)).toBe(false);
});

describe('policy', () => {
  test('publish makes a sequence once, lint judges without publishing', async () => {
    const file = path.join(folder, 'ban.yaml');
    writeFileSync(file, banPolicy('2026-07-10'));
    expect((await curfewServer('policy', 'lint', file)).code).toBe(0);
    const publish = () => curfewServer('policy', 'publish', file, '--data', folder);
    const unplanned = await publish();
    expect([unplanned.code, unplanned.out]).toEqual([2, '']);
    expect(unplanned.err).toContain(`curfew-server policy plan ${file} --data ${folder}`);
    await planned(banPolicy('2026-07-10'));
    expect(JSON.parse((await publish()).out)).toEqual({
      event: 'published',
      sequence: 1,
      policy: 'ai-coding-tools',
      changed: ['ai-coding-tools'],
      removed: [],
      policies: ['ai-coding-tools'],
    });
    expect(JSON.parse((await publish()).out)).toMatchObject({ event: 'same', sequence: 1 });
  });

  test('a wrong policy is refused with file, line and column, and exit code 1', async () => {
    const file = path.join(folder, 'wrong.yaml');
    writeFileSync(file, banPolicy('soon'));
    for (const words of [
      ['policy', 'lint', file],
      ['policy', 'publish', file, '--data', folder],
    ]) {
      const { code, out, err } = await curfewServer(...words);
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain(`${file}:14:16: error: rules[1].effective`);
    }
  });
});

describe('token, link and devices', () => {
  test('a token that was made enrols a device, which is then listed', async () => {
    const made = await curfewServer(
      ...['token', 'create', '--data', folder, '--group', 'engineering', '--uses', '1'],
    );
    const token = made.out.trim();
    expect(token.startsWith(tokenPrefix)).toBe(true);
    const store = openSqliteStore(path.join(folder, 'server.db'));
    const keys = await readOrMakeKeys(folder);
    const { x: publicKey } = await makeDeviceKey();
    const request = { token, publicKey, facts: facts('laptop-1'), group: '', label: null };
    const { deviceId } = await enrol({ store, keys, now: Date.now() }, request);
    await store.close();
    const listed = await curfewServer('device', 'list', '--data', folder, '--json');
    expect(JSON.parse(listed.out)).toEqual({
      id: deviceId,
      hostName: 'laptop-1',
      group: 'engineering',
      state: 'never-scanned',
      lastKnown: null,
      findings: 0,
    });
    expect((await curfewServer('device', 'list', '--data', folder)).out).toContain('laptop-1');
    const revoke = (id: string) => curfewServer('device', 'revoke', id, '--data', folder);
    expect((await revoke('nobody')).err).toContain('there is no device nobody');
    expect((await revoke(deviceId)).code).toBe(0);
    expect((await curfewServer('device', 'list', '--data', folder, '--json')).out).toBe('');
  });

  test('a link points at the console, with the secret behind the fragment', async () => {
    const { out } = await curfewServer(
      ...['user', 'link', '--data', folder, '--public-url', 'https://curfew.example'],
    );
    expect(out).toMatch(/^https:\/\/curfew\.example\/#\/sign-in\/[A-Za-z0-9_-]{43}\n$/);
  });

  test('init prints the key to pin, the same each time', async () => {
    const first = await curfewServer('init', '--data', folder);
    const second = await curfewServer('init', '--data', folder);
    expect(second.out).toBe(first.out);
    expect(JSON.parse(first.out)).toMatchObject({
      policyKeyThumbprint: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string,
    });
  });
});

describe('what goes wrong', () => {
  test.runIf(process.platform === 'linux')(
    'a disk that takes nothing is told in words',
    async () => {
      const words = (out: string) => ['key', 'make', '--out', out, '--public', `${out}.pub`];
      for (const out of ['/proc/sys/new.key', path.join(folder, 'none', 'new.key')]) {
        const { code, err } = await curfewServer(...words(out));
        expect([code, err]).toEqual([2, expect.stringContaining(out)]);
        expect(err).not.toMatch(/\n +at /);
      }
    },
  );

  test('is a sentence with its fix and exit code 2, never a stack', async () => {
    const busy = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => busy.once('listening', resolve));
    const { port } = busy.address() as { port: number };
    const serve = (...words: string[]) =>
      curfewServer('serve', '--data', folder, '--log-level', 'silent', ...words);
    const taken = await serve('--port', String(port));
    expect([taken.code, taken.out]).toEqual([2, '']);
    expect(taken.err).toContain(`port ${port} on 127.0.0.1 is used by another program`);
    expect(taken.err).toContain('--port');
    const open = await serve('--host', '0.0.0.0', '--port', '0');
    expect(open.code).toBe(2);
    expect(open.err).toContain('behind-proxy');
    busy.close();
    for (const words of [['fly'], ['serve', '--port', 'x'], ['token', 'create', '--uses', '0']]) {
      const answer = await curfewServer(...words, ...(words.length > 1 ? ['--data', folder] : []));
      expect(answer.code).toBe(2);
      expect(answer.err + taken.err + open.err).not.toMatch(/\n\s+at /);
    }
  });
});
