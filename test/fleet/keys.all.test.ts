/**
 * The policy key over the whole path: a server that never has it, a real agent that is away through two
 * rotations, bundles that must not be taken, a lost key, a new online key. Keys lie in a folder of their
 * own, which stands for the machine in the safe.
 */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Child } from '../../installers/local/children.js';
import { parseSigningKey, signBundle, thumbprint, type SigningKey } from '../../wire/bundle.js';
import {
  command,
  curfewServer,
  examplePolicy,
  makeFleet,
  until,
  type Api,
  type Fleet,
} from './machines.js';

let fleet: Fleet;
let api: Api;
let agent: Child | null = null;
let device = '';
let policy: string;

const at = (name: string): string => path.join(fleet.folder, name);
const server = (...words: string[]): Record<string, unknown> =>
  JSON.parse(
    command([curfewServer, ...words], fleet.env)
      .split('\n')
      .at(-1) ?? '',
  ) as Record<string, unknown>;
const key = (name: string): SigningKey => {
  const parsed = parseSigningKey(readFileSync(at(`${name}.key`), 'utf8'));
  if (parsed.kind !== 'value') throw new Error(`${name} is no key`);
  return parsed.value;
};
interface Pins {
  readonly policyKey: string;
  readonly bundle: { readonly sequence: number };
  readonly assignment: { readonly sequence: number };
  readonly retired?: readonly string[];
}
const pins = (): Pins => JSON.parse(readFileSync(at('laptop/pins.json'), 'utf8')) as Pins;

/** Prepares a publish here, signs it in the safe, publishes what was signed. */
function publishSigned(text: string, keyName: string): number {
  writeFileSync(policy, text);
  command([curfewServer, 'policy', 'plan', policy], fleet.env);
  server('policy', 'publish', policy, '--prepare', at('to-sign.json'));
  return signAndPublish('--key', at(`${keyName}.key`));
}
function signAndPublish(...flags: string[]): number {
  server('policy', 'sign', at('to-sign.json'), ...flags, '--out', at('signed.json'));
  return Number(server('policy', 'publish', at('signed.json'))['sequence']);
}
function makeKey(name: string): void {
  server('key', 'make', '--out', at(`${name}.key`), '--public', at(`${name}.pub`));
}
const example = (day: string): string =>
  readFileSync(examplePolicy, 'utf8').replaceAll(/effective: \S+/g, `effective: ${day}`);

async function startAgent(extra: Readonly<Record<string, string>> = {}): Promise<void> {
  await agent?.stop();
  agent = fleet.startAgent('laptop', at('home'), extra);
}
const follows = (sequence: number): Promise<true> =>
  until(() => (pins().bundle.sequence === sequence ? true : null), 20_000, `sequence ${sequence}`);
/** Why this device refused bundles, as the server was told: a line for each. */
const refusals = async (): Promise<readonly string[]> => {
  const { history } = await api.device(device);
  return history
    .flatMap(({ detail }) => (detail?.startsWith('bundle-refused ') === true ? [detail] : []))
    .map((detail) => detail.slice('bundle-refused '.length));
};
/** Puts a text in the place of the live bundle, as somebody could who has the server and not the key. */
function forge(sequence: number, jws: string): void {
  const database = new Database(path.join(fleet.env['CURFEW_SERVER_DATA'] ?? '', 'server.db'));
  database
    .prepare(
      `INSERT INTO bundles (sequence, jws, published_at, author, catalogue_sha256)
       SELECT ?, ?, published_at, 'ben', catalogue_sha256 FROM bundles ORDER BY sequence DESC LIMIT 1`,
    )
    .run(sequence, jws);
  database.close();
}
/** The payload of the live bundle. */
function livePayload(): Parameters<typeof signBundle>[0] {
  const database = new Database(path.join(fleet.env['CURFEW_SERVER_DATA'] ?? '', 'server.db'));
  const { jws } = database
    .prepare(`SELECT jws FROM bundles WHERE author <> 'ben' ORDER BY sequence DESC LIMIT 1`)
    .get() as { jws: string };
  database.close();
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as Parameters<
    typeof signBundle
  >[0];
}

beforeAll(async () => {
  fleet = await makeFleet();
  policy = at('policy.yaml');
  mkdirSync(at('home'));
  server('key', 'move', '--to', at('first.key'));
  for (const name of ['second', 'third', 'found']) makeKey(name);
  publishSigned(example('2026-07-10'), 'first');
  await fleet.startServer();
  fleet.enrol('laptop');
  await startAgent();
  api = await fleet.signIn();
  device = await until(
    async () => (await api.devices()).devices[0]?.id ?? null,
    10_000,
    'a device',
  );
});
afterAll(async () => {
  await agent?.stop();
  await fleet.close();
});

const long = { timeout: 120_000 };

test(
  'a device follows what was signed where the key is; the key is nowhere else',
  long,
  async () => {
    await follows(1);
    expect(pins().policyKey).toBe(key('first').x);
    const text = key('first').d;
    for (const name of readdirSync(at('server'))) {
      expect(readFileSync(at(`server/${name}`), 'latin1'), name).not.toContain(text);
    }
  },
);

test('a device that was away through two rotations comes to the newest bundle', long, async () => {
  await agent?.stop();
  for (const [before, after] of [
    ['first', 'second'],
    ['second', 'third'],
  ] as const) {
    server('key', 'rotate', '--next', at(`${after}.pub`), '--prepare', at('to-sign.json'));
    signAndPublish('--key', at(`${before}.key`), '--next-key', at(`${after}.key`));
  }
  const newest = publishSigned(example('2026-07-20'), 'third');
  expect(newest).toBe(6);
  await startAgent();
  await follows(6);
  expect(pins().policyKey).toBe(key('third').x);
  expect(pins().retired).toEqual(
    await Promise.all(['first', 'second'].map((name) => thumbprint(key(name).x))),
  );
  await until(
    async () => ((await api.device(device)).device.bundleSequence === 6 ? true : null),
    20_000,
    'the report of sequence 6',
  );
  expect(await refusals()).toEqual([]);
});

test('C087, C090: retired, of a newer format, or with a field more', long, async () => {
  const payload = livePayload();
  const retired = await signBundle({ ...payload, sequence: 7 }, key('second'));
  forge(7, retired);
  const told = (count: number) =>
    until(async () => ((await refusals()).length >= count ? true : null), 20_000, 'the event');
  await told(1);
  // Once, however often it is offered.
  await startAgent();
  await until(
    async () => ((await api.devices()).devices[0]?.isOnline === true ? true : null),
    20_000,
    'online',
  );
  const newer = { ...payload, sequence: 8, format: 2 as unknown as 1, rules: [] };
  forge(8, await signBundle(newer, key('third')));
  await told(2);
  expect(await refusals()).toEqual([
    'bundle BUNDLE_FORMAT_UNKNOWN',
    'bundle BUNDLE_SIGNATURE_INVALID',
  ]);
  expect(pins().bundle.sequence).toBe(6);
  const isOld = async () => (await api.device(device)).device.needsAgentUpgrade;
  expect(await isOld()).toBe(true);
  forge(9, await signBundle({ ...payload, sequence: 9, ...{ stage: 'canary' } }, key('third')));
  await follows(9);
  await until(async () => ((await isOld()) ? null : true), 20_000, 'the report of sequence 9');
});

test(
  'a lost key is replaced: the settings name the new one, and the device follows that alone',
  long,
  async () => {
    server('key', 'replace', at('found.pub'));
    const rescue = publishSigned(example('2026-08-01'), 'found');
    expect(rescue).toBe(10);
    const before = (await refusals()).length;
    await until(
      async () => ((await refusals()).length > before ? true : null),
      20_000,
      'the word that nobody vouches for the new key',
    );
    expect(pins().policyKey).toBe(key('third').x);
    await startAgent({ CURFEW_POLICY_KEY: await thumbprint(key('found').x) });
    await follows(10);
    expect(pins().policyKey).toBe(key('found').x);
    // The setting is still there later, or forgotten somewhere: both are well.
    await startAgent();
    expect(publishSigned(example('2026-08-02'), 'found')).toBe(11);
    await follows(11);
  },
);

test(
  'a stolen online key is replaced, and the device has an assignment by the new one',
  long,
  async () => {
    const before = pins().assignment.sequence;
    const refusedBefore = (await refusals()).length;
    server('key', 'rotate-online', '--now', '--prepare', at('to-sign.json'));
    expect(signAndPublish('--key', at('found.key'))).toBe(12);
    await follows(12);
    await until(
      () => (pins().assignment.sequence > before ? true : null),
      20_000,
      'an assignment by the new key',
    );
    expect((await refusals()).length).toBe(refusedBefore);
  },
);

test('what was live comes back under a higher sequence without any key', long, async () => {
  expect(publishSigned(example('2026-08-03'), 'found')).toBe(13);
  await follows(13);
  const back = server('policy', 'rollback', '--author', 'ana');
  expect(back).toMatchObject({ event: 'rolled-back', to: 12, isSignedInAdvance: true });
  await follows(Number(back['sequence']));
  const { policies } = await api.get<{ policies: { yaml: string }[] }>('/policies');
  expect(policies[0]?.yaml).toContain('effective: 2026-08-02');
});
