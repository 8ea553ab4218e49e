/**
 * Enrolment at a real server: the key is made here, the policy key is checked or marked, and an answer
 * that was lost costs nothing.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runEnroll } from '../../agent/enroll-command.js';
import {
  enrollingFile,
  identityFile,
  pinsFile,
  readIdentity,
  readPins,
  writePins,
} from '../../agent/identity-files.js';
import { enrol, type EnrolOptions } from '../../agent/report/enrol.js';
import { makePolicyKey, thumbprint } from '../../wire/bundle.js';
import { facts, noon, startServer, type Running } from '../server/fixture.js';
import { directNetwork, enrolToken, startFront, temporaryFolder, until } from './link-fixture.js';

let running: Running;
let folder: string;
beforeAll(async () => {
  running = await startServer();
});
afterAll(async () => {
  await running.stop();
  running.remove();
});
beforeEach(() => {
  folder = path.join(temporaryFolder(), 'state');
});

const options = async (more: Partial<EnrolOptions> = {}): Promise<EnrolOptions> => ({
  serverUrl: running.url,
  token: await enrolToken(running),
  policyKeyThumbprint: null,
  facts: facts('laptop-1'),
  group: '',
  label: 'made-up home',
  dataFolder: folder,
  network: directNetwork,
  ...more,
});
const expected = (): Promise<string> => thumbprint(running.server.context.keys.policyKey);

describe('enrolling', () => {
  test('makes a device the server knows, and keeps the private key here', async () => {
    const { identity, serverTimeMs } = await enrol(await options());
    const device = await running.store.read.devices.get(identity.deviceId);
    expect(device).toMatchObject({ publicKey: identity.key.x, label: 'made-up home' });
    expect(JSON.stringify(device)).not.toContain(identity.key.d);
    expect(serverTimeMs).toBe(noon);
    expect(readIdentity(folder)).toEqual(identity);
    expect(readPins(folder)).toMatchObject({
      policyKey: running.server.context.keys.policyKey,
      bundle: { sequence: 0 },
    });
    for (const file of [identityFile(folder), pinsFile(folder)]) {
      expect(statSync(file).mode & 0o777, file).toBe(0o600);
    }
    expect(existsSync(enrollingFile(folder))).toBe(false);
  });

  test('marks a key of first use unverified, and one that PolicyKey names verified', async () => {
    expect((await enrol(await options())).identity.policyKey).toBe('unverified');
    const named = await options({ policyKeyThumbprint: await expected() });
    expect((await enrol(named)).identity.policyKey).toBe('verified');
  });

  test('at a server with another policy key than the named one is refused, nothing is pinned', async () => {
    const other = await thumbprint((await makePolicyKey()).x);
    await expect(enrol(await options({ policyKeyThumbprint: other }))).rejects.toMatchObject({
      code: 'ENROLL_POLICY_KEY_MISMATCH',
      message: expect.stringContaining(await expected()) as string,
    });
    expect([readIdentity(folder), readPins(folder)]).toEqual([null, null]);
  });

  test('again at the same server lowers no floor and takes no other key on trust', async () => {
    await enrol(await options());
    const pins = readPins(folder);
    if (pins === null) throw new Error('no pins');
    const bundle = { sequence: 9, sha256: 'a'.repeat(64) };
    writePins(folder, { ...pins, bundle, assignment: bundle });
    await enrol(await options());
    expect(readPins(folder)).toMatchObject({ bundle, assignment: { sequence: 0 } });
    writePins(folder, { ...pins, policyKey: (await makePolicyKey()).x });
    await expect(enrol(await options())).rejects.toMatchObject({
      code: 'ENROLL_POLICY_KEY_MISMATCH',
    });
  });

  test('again never takes a key that this device has seen retired, even when it is named', async () => {
    await enrol(await options());
    const pins = readPins(folder);
    if (pins === null) throw new Error('no pins');
    const other = (await makePolicyKey()).x;
    writePins(folder, { ...pins, policyKey: other, retired: [await expected()] });
    const named = await options({ policyKeyThumbprint: await expected() });
    await expect(enrol(named)).rejects.toMatchObject({ code: 'ENROLL_POLICY_KEY_MISMATCH' });
    // A key that was not retired is taken when it is named, and the one before it is left for good.
    const bundle = { sequence: 9, sha256: 'a'.repeat(64) };
    writePins(folder, { ...pins, policyKey: other, bundle });
    await enrol(await options({ policyKeyThumbprint: await expected() }));
    expect(readPins(folder)).toMatchObject({
      policyKey: running.server.context.keys.policyKey,
      retired: [await thumbprint(other)],
      bundle: { sequence: 0 },
    });
  });

  test('whose answer was lost is the same device the second time', async () => {
    const count = async (): Promise<number> => {
      const slice = { limit: 1, after: null };
      return (await running.store.read.devices.list({ state: null, search: null }, slice, 0)).total;
    };
    const before = await count();
    const front = await startFront(running.url);
    const request = await options({ serverUrl: front.url });
    front.mode = 'mute';
    const lost = enrol(request).catch((error: unknown) => error);
    await until(async () => (await count()) === before + 1, 'the device at the server');
    front.cut();
    expect(await lost).toMatchObject({ code: 'ENROLL_UNREACHABLE' });
    expect(readIdentity(folder)).toBeNull();
    front.mode = 'pass';
    const { identity } = await enrol(request);
    expect(await count()).toBe(before + 1);
    const device = await running.store.read.devices.get(identity.deviceId);
    expect(device?.publicKey).toBe(identity.key.x);
    await front.close();
  });

  test.each([
    ['a token nobody made', async () => 'cfe_unknown', 'ENROLL_TOKEN_UNKNOWN'],
    [
      'a token that is used up',
      async () => {
        const token = await enrolToken(running);
        const dataFolder = `${folder}-other`;
        await enrol(await options({ token, dataFolder }));
        return token;
      },
      'ENROLL_TOKEN_USED_UP',
    ],
  ])('with %s is refused with its code', async (_, token, code) => {
    await expect(enrol(await options({ token: await token() }))).rejects.toMatchObject({ code });
    expect(readIdentity(folder)).toBeNull();
  });

  test('C084: behind a captive portal or with nobody there is unreachable and can be tried again', async () => {
    const front = await startFront(running.url);
    front.mode = { answer: 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>Sign in</h1>' };
    const request = await options({ serverUrl: front.url });
    await expect(enrol(request)).rejects.toMatchObject({ code: 'ENROLL_UNREACHABLE' });
    front.mode = 'pass';
    expect((await enrol(request)).identity.deviceId).toMatch(/./);
    await front.close();
    const gone = await options({ serverUrl: front.url, dataFolder: `${folder}-2` });
    await expect(enrol(gone)).rejects.toMatchObject({ code: 'ENROLL_UNREACHABLE' });
  });

  test('with a damaged identity file stops with its name', async () => {
    await enrol(await options());
    writeFileSync(identityFile(folder), '{"format":1,');
    expect(() => readIdentity(folder)).toThrow(/identity\.json is damaged/);
  });
});

describe('curfew enroll', () => {
  const run = async (argv: string[], env: Record<string, string> = {}) => {
    const said = { out: '', err: '' };
    const io = {
      stdout: (text: string) => void (said.out += text),
      stderr: (text: string) => void (said.err += text),
    };
    const code = await runEnroll(argv, io, { CURFEW_DATA_FOLDER: folder, ...env });
    return { code, ...said };
  };
  const at = (url = running.url): string[] => ['--server', url];

  test('takes the token from a named variable or a file, and says whom it trusted unseen', async () => {
    const joined = await run([...at(), '--token-env', 'JOIN'], { JOIN: await enrolToken(running) });
    expect(joined).toMatchObject({ code: 0, err: '' });
    expect(joined.out).toMatch(/^enrolled: device .+\nunverified key: /);
    const again = await run(at());
    expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/^enrolled already/) });

    folder = `${folder}-2`;
    const file = path.join(temporaryFolder(), 'token');
    writeFileSync(file, `${await enrolToken(running)}\n`);
    const verified = await run(['--token-file', file], {
      CURFEW_SERVER_URL: running.url,
      CURFEW_POLICY_KEY: await expected(),
    });
    expect(verified.out).toMatch(/^enrolled: device \S+ at \S+\n$/);
  });

  test.each([
    ['no token', []],
    ['a variable that is not set', ['--token-env', 'JOIN']],
    ['a file that is not there', ['--token-file', '/nowhere/token']],
    ['two sources', ['--token-env', 'JOIN', '--token-file', '/nowhere/token']],
    ['a token as an argument', ['cfe_secret']],
    ['a token as an option', ['--token', 'cfe_secret']],
  ])('with %s is wrong usage, and what was typed is not repeated', async (_, flags) => {
    const said = await run([...at(), ...flags]);
    expect(said).toMatchObject({ code: 2, out: '' });
    expect(said.err).toMatch(/^curfew enroll: /);
    expect(said.err).not.toContain('cfe_secret');
  });

  test('once enrolled, at another address changes nothing and names the setting that decides', async () => {
    await run([...at(), '--token-env', 'JOIN'], { JOIN: await enrolToken(running) });
    const before = readIdentity(folder);
    const said = await run(at('https://curfew.corp.example'));
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(said.out).toMatch(/^enrolled already: .*\n.*ServerUrl decides/);
    expect(readIdentity(folder)).toEqual(before);
  });

  test('that the server refuses ends with 3 and the reason', async () => {
    const said = await run([...at(), '--token-env', 'JOIN'], { JOIN: 'cfe_unknown' });
    expect(said.code).toBe(3);
    expect(said.err).toMatch(/token is unknown/);
  });
});
