/**
 * The policy key away from the server: what is prepared, what the signer is told, what of a signed file is
 * taken and what is not, the way back without the key, and keys that follow one another.
 */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { documentFor } from '../../server/documents.js';
import { movePolicyKey } from '../../server/key-move.js';
import { policySigner, readKey, readOrMakeKeys, type ServerKeys } from '../../server/keys.js';
import { noChange } from '../../server/policy-change.js';
import { preparePublish, publish, type Publisher } from '../../server/publish.js';
import { prepareRollback, rollback } from '../../server/rollback.js';
import {
  prepareOnlineRotation,
  prepareRotation,
  replacePolicyKey,
  rotateOnlineKey,
  rotatePolicyKey,
} from '../../server/rotation.js';
import type { SignRequest } from '../../server/sign-files.js';
import { publishSigned } from '../../server/signed.js';
import { meaningOf, signRequest } from '../../server/signing.js';
import { verifyAudit } from '../../server/audit.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { makePolicyKey, signBundle, thumbprint, type SigningKey } from '../../wire/bundle.js';
import { noon } from './fixture.js';
import { banPolicy } from './policies.js';
import { plan, planAndPublish } from './publishing.js';

let folder: string;
let safe: string;
let store: Store;
let keys: ServerKeys;
/** The policy key, as the other machine has it. */
let present: SigningKey;

const publisher = (): Publisher => ({ store, keys, catalogue: builtInCatalogue(), now: noon });

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-signed-'));
  safe = mkdtempSync(path.join(tmpdir(), 'curfew-safe-'));
  store = openSqliteStore(path.join(folder, 'server.db'));
  keys = await readOrMakeKeys(folder);
});
afterEach(async () => {
  await store.close();
  for (const one of [folder, safe]) rmSync(one, { recursive: true, force: true });
});

async function goOffline(): Promise<void> {
  const file = path.join(safe, 'policy.key');
  await movePolicyKey(publisher(), { file, author: 'ana', isDryRun: false });
  present = readKey(file);
  keys = await readOrMakeKeys(folder);
}

const first = banPolicy('2026-07-10');
const later = banPolicy('2026-08-01');
const put = (yaml: string) => ({ ...noChange, texts: [yaml] });

async function prepare(yaml: string): Promise<SignRequest> {
  await plan(publisher(), put(yaml));
  const prepared = await preparePublish(publisher(), { change: put(yaml), author: 'ana' });
  if (prepared.kind !== 'prepared') throw new Error(prepared.kind);
  return prepared.request;
}
const sign = (request: SignRequest, next: SigningKey | null = null) =>
  signRequest(request, { present, next });
const take = async (request: SignRequest, next: SigningKey | null = null) =>
  publishSigned(publisher(), await sign(request, next), 'ana');
const liveText = async () => (await store.read.policies.latest())?.policies[0]?.yaml;

describe('a policy key that is elsewhere', () => {
  test('leaves its public half here, and publishing asks for a signed file', async () => {
    const { x } = await policySigner(store.read.signing, keys);
    await goOffline();
    expect(readdirSync(folder)).not.toContain('policy-key.json');
    const private_ = present.d;
    for (const name of readdirSync(folder)) {
      expect(readFileSync(path.join(folder, name), 'latin1')).not.toContain(private_);
    }
    if (process.platform !== 'win32') {
      expect(statSync(path.join(safe, 'policy.key')).mode & 0o777).toBe(0o600);
    }
    expect(await policySigner(store.read.signing, keys)).toMatchObject({ x, key: null });
    await plan(publisher(), put(first));
    const direct = publish(publisher(), { change: put(first), author: 'ana' });
    await expect(direct).rejects.toMatchObject({ code: 'POLICY_KEY_OFFLINE' });
    expect(await take(await prepare(first))).toMatchObject({ kind: 'published', sequence: 1 });
    expect(await liveText()).toBe(first);
  });

  test('is never written over what is there, nor into the data folder', async () => {
    const move = (file: string) =>
      movePolicyKey(publisher(), { file, author: 'ana', isDryRun: false });
    await expect(move(path.join(folder, 'safe.key'))).rejects.toMatchObject({ code: 'USAGE' });
    const taken = path.join(safe, 'taken');
    await movePolicyKey(publisher(), { file: taken, author: 'ana', isDryRun: true });
    expect([existsSync(taken), existsSync(path.join(folder, 'policy-key.json'))]).toEqual([
      false,
      true,
    ]);
  });

  test('signs what its holder is told from the payload, whatever the server wrote beside it', async () => {
    await goOffline();
    const request = await prepare(first);
    const [document] = request.documents;
    if (document === undefined) throw new Error('no document');
    const words = (await meaningOf(document)).join('\n');
    for (const said of [
      'Bundle 1',
      store.serverId,
      'ai-coding-tools',
      'claude-code-ban',
      '2026-07-10',
    ]) {
      expect(words).toContain(said);
    }
    const swapped = { ...document.payload, policies: [{ priority: 0, yaml: later }] };
    const forged = { ...document, payload: swapped };
    expect((await meaningOf(forged)).join('\n')).toContain('2026-08-01');
    const rotating = { ...document.payload, nextPolicyKey: keys.online.x };
    expect((await meaningOf({ ...document, payload: rotating })).join('\n')).toContain(
      'THE POLICY KEY CHANGES',
    );
    const hidden = { ...document, payload: { ...document.payload, uninstall: true } };
    await expect(meaningOf(hidden)).rejects.toMatchObject({ code: 'SIGNED_FILE_INVALID' });
  });

  test('prints nothing of a title that a terminal would obey', async () => {
    await goOffline();
    const { documents } = await prepare(first);
    const [document] = documents;
    const yaml = first.replace(/^title: .*$/m, 'title: "AI \\u202E tools"');
    const payload = { ...(document ?? never()).payload, policies: [{ priority: 0, yaml }] };
    const lines = await meaningOf({ ...(document ?? never()), payload }).catch(String);
    expect(String(lines)).toContain('policy');
    expect(String(lines)).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('a signed file', () => {
  beforeEach(goOffline);

  test('of another server, by another key, or of content that was not planned is refused', async () => {
    const request = await prepare(first);
    const signed = await sign(request);
    const other = { ...signed, server: 'another-server' };
    await expect(publishSigned(publisher(), other, 'ana')).rejects.toMatchObject({
      code: 'SIGNED_FILE_INVALID',
    });
    const [document] = request.documents;
    if (document === undefined) throw new Error('no document');
    const stranger = await makePolicyKey();
    await expect(signRequest(request, { present: stranger, next: null })).rejects.toMatchObject({
      code: 'SIGNED_FILE_INVALID',
    });
    const withJws = (jws: string) => ({ ...signed, documents: [{ use: 'live' as const, jws }] });
    const forged = withJws(await signBundle(document.payload, stranger));
    await expect(publishSigned(publisher(), forged, 'ana')).rejects.toMatchObject({
      code: 'BUNDLE_SIGNATURE_INVALID',
    });
    const unseen = { ...document.payload, policies: [{ priority: 0, yaml: later }] };
    const unplanned = withJws(await signBundle(unseen, present));
    expect(await publishSigned(publisher(), unplanned, 'ana')).toMatchObject({ kind: 'unplanned' });
    const { x } = await makePolicyKey();
    const foreign = withJws(
      await signBundle({ ...document.payload, assignmentKeys: [x] }, present),
    );
    await expect(publishSigned(publisher(), foreign, 'ana')).rejects.toMatchObject({
      code: 'SIGNED_FILE_INVALID',
    });
    const sha256 = 'e'.repeat(64);
    const dated = { ...document.payload, catalogue: { sha256 } };
    await expect(
      publishSigned(publisher(), withJws(await signBundle(dated, present)), 'ana'),
    ).rejects.toMatchObject({ code: 'SIGNED_FILE_INVALID' });
    expect(await store.read.policies.latest()).toBeNull();
  });

  test('is taken once, and not after something else was published', async () => {
    const signed = await sign(await prepare(first));
    const late = await sign(await prepare(later));
    await publishSigned(publisher(), signed, 'ana');
    expect(await publishSigned(publisher(), signed, 'ana')).toEqual({ kind: 'same', sequence: 1 });
    await expect(publishSigned(publisher(), late, 'ana')).rejects.toMatchObject({
      code: 'BUNDLE_SEQUENCE_OLD',
    });
    expect(await liveText()).toBe(first);
  });

  test('brings the way back to what was live, which then needs no key', async () => {
    await take(await prepare(first));
    expect(await take(await prepare(later))).toMatchObject({ sequence: 2, kept: [1002] });
    const dry = await rollback(publisher(), { to: null, author: 'ana', isDryRun: true });
    expect(dry).toMatchObject({ kind: 'would-roll-back', sequence: 1002, isSignedInAdvance: true });
    expect(await liveText()).toBe(later);
    expect(await rollback(publisher(), { to: null, author: 'ana' })).toMatchObject({
      kind: 'rolled-back',
      sequence: 1002,
      from: 2,
      to: 1,
    });
    expect(await liveText()).toBe(first);
    expect(await store.read.signing.ready()).toEqual([]);
    // And on from there.
    expect(await take(await prepare(later))).toMatchObject({ sequence: 1003 });
    expect(await verifyAudit(store.read)).toMatchObject({ kind: 'whole' });
  });

  test('without one, a roll-back says how to get it signed, and takes it then', async () => {
    await take(await prepare(first));
    await take(await prepare(later));
    await take(await prepare(banPolicy('2026-09-01')));
    await store.write((writing) => writing.signing.dropReady(5000));
    const back = () => rollback(publisher(), { to: 1, author: 'ana' });
    await expect(back()).rejects.toMatchObject({
      code: 'POLICY_KEY_OFFLINE',
      hint: expect.stringContaining('policy rollback --to 1 --prepare') as string,
    });
    const request = await prepareRollback(publisher(), { to: 1, author: 'ana' });
    expect((await meaningOf(request.documents[0] ?? never())).join()).toContain('without this key');
    expect(await take(request)).toMatchObject({ sequence: 3, kept: [1003], changed: [] });
    expect(await back()).toMatchObject({ kind: 'rolled-back', sequence: 1003, to: 1 });
  });

  test('holds no way back to what was never live', async () => {
    await take(await prepare(first));
    const request = await prepareRollback(publisher(), { to: 1, author: 'ana' });
    const [document] = request.documents;
    const payload = { ...(document ?? never()).payload, policies: [{ priority: 0, yaml: later }] };
    const jws = await signBundle(payload, present);
    const signed = {
      ...(await sign(request)),
      documents: [{ use: 'ready' as const, ofSequence: 1, jws }],
    };
    await expect(publishSigned(publisher(), signed, 'ana')).rejects.toMatchObject({
      code: 'SIGNED_FILE_INVALID',
    });
  });
});

function never(): never {
  throw new Error('the request holds nothing');
}

describe('a roll-back with the key here', () => {
  test('is a higher sequence of the older content, and the way forward again', async () => {
    for (const yaml of [first, later]) await planAndPublish(publisher(), { yaml, author: 'ana' });
    await expect(rollback(publisher(), { to: 7, author: 'ana' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await rollback(publisher(), { to: 2, author: 'ana' })).toMatchObject({ kind: 'same' });
    const to1 = { to: 1, author: 'ana' };
    expect(await rollback(publisher(), to1)).toMatchObject({ kind: 'rolled-back', sequence: 3 });
    expect(await liveText()).toBe(first);
    expect(await rollback(publisher(), { ...to1, to: null })).toMatchObject({ sequence: 4, to: 2 });
    const actions = (await store.read.people.audit(0, 20)).map(({ action, detail }) => [
      action,
      detail,
    ]);
    expect(actions).toContainEqual(['policy.rollback', 'sequence 3 for 2']);
  });

  test('of the only content there was is refused', async () => {
    await expect(rollback(publisher(), { to: null, author: 'ana' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await planAndPublish(publisher(), { yaml: first, author: 'ana' });
    await expect(rollback(publisher(), { to: null, author: 'ana' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

/** Which sequence a device gets that trusts this key. */
async function sequenceFor(key: string): Promise<number> {
  const get = { type: 'get', what: 'bundle', policyKey: await thumbprint(key) } as const;
  const jws = await documentFor(store.read, get, { device: 'd1', catalogue: builtInCatalogue() });
  const payload = Buffer.from(jws?.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(payload) as { sequence: number }).sequence;
}

describe('a new policy key', () => {
  test('made here takes over at once; devices that trust an older one get the step from there', async () => {
    await planAndPublish(publisher(), { yaml: first, author: 'ana' });
    const before = keys.policyKey;
    const dry = await rotatePolicyKey(publisher(), { author: 'ana', isDryRun: true });
    expect([dry.kind, await store.read.policies.latestSequence()]).toEqual(['would-rotate', 1]);
    const rotated = await rotatePolicyKey(publisher(), { author: 'ana' });
    expect(rotated).toMatchObject({ kind: 'rotated', sequence: 3 });
    keys = await readOrMakeKeys(folder);
    const { x, key } = await policySigner(store.read.signing, keys);
    expect([x === before, key?.x === x, await thumbprint(x)]).toEqual([false, true, rotated.after]);
    expect(readdirSync(folder)).toContain(
      `retired-policy-key-${(await thumbprint(before)).slice(0, 12)}.json`,
    );
    await rotatePolicyKey(publisher(), { author: 'ana' });
    keys = await readOrMakeKeys(folder);
    await planAndPublish(publisher(), { yaml: later, author: 'ana' });
    const newest = (await policySigner(store.read.signing, keys)).x;
    expect(await Promise.all([before, x, newest].map(sequenceFor))).toEqual([2, 4, 6]);
  });

  test('is used by a server that was running before it was made', async () => {
    const serving = publisher();
    await planAndPublish(serving, { yaml: first, author: 'ana' });
    await rotatePolicyKey(
      { ...publisher(), keys: await readOrMakeKeys(folder) },
      { author: 'ana' },
    );
    const outcome = await planAndPublish(serving, { yaml: later, author: 'ana' });
    expect(outcome).toMatchObject({ kind: 'published', sequence: 4 });
  });

  test('is the next one’s business also where a rotation was cut off after its commit', async () => {
    await planAndPublish(publisher(), { yaml: first, author: 'ana' });
    await rotatePolicyKey(publisher(), { author: 'ana' });
    // As it was before the files were put in order.
    const now = path.join(folder, 'policy-key.json');
    renameSync(now, path.join(folder, 'next-policy-key.json'));
    const retired = readdirSync(folder).find((name) => name.startsWith('retired-')) ?? '';
    renameSync(path.join(folder, retired), now);
    keys = await readOrMakeKeys(folder);
    const outcome = await planAndPublish(publisher(), { yaml: later, author: 'ana' });
    expect(outcome).toMatchObject({ kind: 'published', sequence: 4 });
    expect(await rotatePolicyKey(publisher(), { author: 'ana' })).toMatchObject({ sequence: 6 });
  });

  test('elsewhere is named and used by one signed file, and the old one signs no more', async () => {
    await goOffline();
    await take(await prepare(first));
    const next = await makePolicyKey();
    const request = await prepareRotation(publisher(), { nextPolicyKey: next.x, author: 'ana' });
    await expect(sign(request)).rejects.toMatchObject({ code: 'SIGNED_FILE_INVALID' });
    const half = await sign({ ...request, documents: request.documents.slice(0, 1) });
    await expect(publishSigned(publisher(), half, 'ana')).rejects.toMatchObject({
      code: 'SIGNED_FILE_INVALID',
    });
    expect(await store.read.policies.latestSequence()).toBe(1);
    const late = await sign(await prepare(later));
    expect(await take(request, next)).toMatchObject({ sequence: 3, rotatedTo: next.x });
    keys = await readOrMakeKeys(folder);
    expect(await policySigner(store.read.signing, keys)).toMatchObject({ x: next.x, key: null });
    await expect(publishSigned(publisher(), late, 'ana')).rejects.toMatchObject({
      code: 'BUNDLE_SIGNATURE_INVALID',
    });
    const back = await prepareRotation(publisher(), { nextPolicyKey: present.x, author: 'ana' });
    const again = await signRequest(back, { present: next, next: present });
    await expect(publishSigned(publisher(), again, 'ana')).rejects.toMatchObject({
      code: 'SIGNED_FILE_INVALID',
    });
  });

  test('in the place of a lost one signs the next bundle and is no retired one', async () => {
    await goOffline();
    await take(await prepare(first));
    const found = await makePolicyKey();
    await replacePolicyKey(publisher(), { x: found.x, author: 'ana' });
    keys = await readOrMakeKeys(folder);
    present = found;
    // The same texts, which the lost key signed last.
    expect(await take(await prepare(first))).toMatchObject({ kind: 'published', sequence: 2 });
    expect(await sequenceFor(found.x)).toBe(2);
    await expect(
      replacePolicyKey(publisher(), { x: found.x, author: 'ana' }),
    ).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a new online key', () => {
  const named = async () => {
    const jws = (await store.read.policies.latest())?.jws ?? '';
    const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString();
    return (JSON.parse(payload) as { assignmentKeys: string[] }).assignmentKeys;
  };

  test('is named beside the old one, once, and signs from then on', async () => {
    await planAndPublish(publisher(), { yaml: first, author: 'ana' });
    const old = keys.online.x;
    const changes = await store.read.assignments.lastChange();
    await rotateOnlineKey(publisher(), { author: 'ana', isImmediate: false });
    expect(await named()).toEqual([keys.online.x, old]);
    expect(keys.online.x).not.toBe(old);
    const { isEvery } = await store.read.assignments.changesSince(changes, 10);
    expect(isEvery).toBe(true);
    await planAndPublish(publisher(), { yaml: later, author: 'ana' });
    expect(await named()).toEqual([keys.online.x]);
  });

  test('after a theft is the only one named; with the policy key elsewhere as well', async () => {
    await goOffline();
    await take(await prepare(first));
    const old = keys.online.x;
    const change = { author: 'ana', isImmediate: true };
    const request = await prepareOnlineRotation(publisher(), change);
    expect(keys.online.x).toBe(old);
    expect(await take(request)).toMatchObject({ kind: 'published', sequence: 2, changed: [] });
    expect(keys.online.x).not.toBe(old);
    expect(await named()).toEqual([keys.online.x]);
  });
});
