/**
 * Keys that follow one another: the policy key made here, elsewhere or in the place of a lost one, and the
 * online key. Which bundle each device gets depends on the key that it trusts.
 */
import { readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { documentFor } from '../../server/documents.js';
import { policySigner, readOrMakeKeys } from '../../server/keys.js';
import {
  prepareOnlineRotation,
  prepareRotation,
  replacePolicyKey,
  rotateOnlineKey,
  rotatePolicyKey,
} from '../../server/rotation.js';
import { publishSigned } from '../../server/signed.js';
import { signRequest } from '../../server/signing.js';
import { makePolicyKey, thumbprint } from '../../wire/bundle.js';
import { planAndPublish } from './publishing.js';
import {
  closeWorld,
  first,
  folder,
  goOffline,
  keepInSafe,
  keys,
  later,
  openWorld,
  prepare,
  present,
  publisher,
  sign,
  store,
  take,
} from './signing-world.js';

beforeEach(openWorld);
afterEach(closeWorld);

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
    const { x, key } = await policySigner(store.read.signing, keys);
    expect([x === before, key?.x === x, await thumbprint(x)]).toEqual([false, true, rotated.after]);
    expect(readdirSync(folder)).toContain(
      `retired-policy-key-${(await thumbprint(before)).slice(0, 12)}.json`,
    );
    await rotatePolicyKey(publisher(), { author: 'ana' });
    await planAndPublish(publisher(), { yaml: later, author: 'ana' });
    const newest = (await policySigner(store.read.signing, keys)).x;
    expect(await Promise.all([before, x, newest].map(sequenceFor))).toEqual([2, 4, 6]);
  });

  test('is made once where two commands want one at the same time', async () => {
    await planAndPublish(publisher(), { yaml: first, author: 'ana' });
    const both = await Promise.allSettled(
      [1, 2].map(() => rotatePolicyKey(publisher(), { author: 'ana' })),
    );
    const signer = await policySigner(store.read.signing, keys);
    expect(signer.key?.x).toBe(signer.x);
    expect(both.map(({ status }) => status)).toContain('fulfilled');
    // Whoever came second was refused, or rotated the new key in its turn: nothing retired has signed.
    const rotations = both.filter(({ status }) => status === 'fulfilled').length;
    expect(await store.read.policies.latestSequence()).toBe(1 + 2 * rotations);
    expect(await sequenceFor(signer.x)).toBe(1 + 2 * rotations);
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

  test('that is made because the file was lost is not taken for the old one', async () => {
    await planAndPublish(publisher(), { yaml: first, author: 'ana' });
    const { x } = await policySigner(store.read.signing, keys);
    rmSync(path.join(folder, 'policy-key.json'));
    const made = await readOrMakeKeys(folder);
    expect(made.policyKey).not.toBe(x);
    expect(await policySigner(store.read.signing, made)).toMatchObject({ x, key: null });
    const late = planAndPublish({ ...publisher(), keys: made }, { yaml: later, author: 'ana' });
    await expect(late).rejects.toMatchObject({ code: 'POLICY_KEY_OFFLINE' });
    // The way out, with the key that was made.
    const { policyKey } = made;
    await replacePolicyKey({ ...publisher(), keys: made }, { x: policyKey, author: 'ana' });
    const outcome = await planAndPublish(
      { ...publisher(), keys: made },
      { yaml: later, author: 'ana' },
    );
    expect(outcome).toMatchObject({ kind: 'published', sequence: 2 });
  });

  test('in the place of a lost one signs the next bundle and is no retired one', async () => {
    await goOffline();
    await take(await prepare(first));
    const found = await makePolicyKey();
    await replacePolicyKey(publisher(), { x: found.x, author: 'ana' });
    keepInSafe(found);
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
