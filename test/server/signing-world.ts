/**
 * A server's store and keys in a folder, and a second folder that stands for the machine where the policy
 * key is when it is not here: what tests of signing and of new keys share, made anew for each test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { movePolicyKey } from '../../server/key-move.js';
import { readKey, readOrMakeKeys, type ServerKeys } from '../../server/keys.js';
import { noChange } from '../../server/policy-change.js';
import { preparePublish, type Publisher } from '../../server/publish.js';
import type { SignRequest } from '../../server/sign-files.js';
import { publishSigned } from '../../server/signed.js';
import { signRequest } from '../../server/signing.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import type { SigningKey } from '../../wire/bundle.js';
import { noon } from './fixture.js';
import { banPolicy } from './policies.js';
import { plan } from './publishing.js';

export let folder: string;
export let safe: string;
export let store: Store;
export let keys: ServerKeys;
/** The policy key, as the other machine has it. */
export let present: SigningKey;

export const publisher = (): Publisher => ({
  store,
  keys,
  catalogue: builtInCatalogue(),
  now: noon,
});

export async function openWorld(): Promise<void> {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-signed-'));
  safe = mkdtempSync(path.join(tmpdir(), 'curfew-safe-'));
  store = openSqliteStore(path.join(folder, 'server.db'));
  keys = await readOrMakeKeys(folder);
}

export async function closeWorld(): Promise<void> {
  await store.close();
  for (const one of [folder, safe]) rmSync(one, { recursive: true, force: true });
}

/** The policy key leaves the server for the safe. */
export async function goOffline(): Promise<void> {
  const file = path.join(safe, 'policy.key');
  await movePolicyKey(publisher(), { file, author: 'ana', isDryRun: false });
  present = readKey(file);
}

export const first = banPolicy('2026-07-10');
export const later = banPolicy('2026-08-01');
export const put = (yaml: string) => ({ ...noChange, texts: [yaml] });

/** Plans a policy and writes what is to be signed. */
export async function prepare(yaml: string): Promise<SignRequest> {
  await plan(publisher(), put(yaml));
  const prepared = await preparePublish(publisher(), { change: put(yaml), author: 'ana' });
  if (prepared.kind !== 'prepared') throw new Error(prepared.kind);
  return prepared.request;
}
export const sign = (request: SignRequest, next: SigningKey | null = null) =>
  signRequest(request, { present, next });
export const take = async (request: SignRequest, next: SigningKey | null = null) =>
  publishSigned(publisher(), await sign(request, next), 'ana');
export const liveText = async () => (await store.read.policies.latest())?.policies[0]?.yaml;

/** From now on the safe holds this key. */
export function keepInSafe(key: SigningKey): void {
  present = key;
}
