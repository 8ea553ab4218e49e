/**
 * The policy key away from the server: what is prepared, what the signer is told, what of a signed file is
 * taken and what is not, and the way back without the key.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifyAudit } from '../../server/audit.js';
import { movePolicyKey } from '../../server/key-move.js';
import { policySigner } from '../../server/keys.js';
import { publish } from '../../server/publish.js';
import { prepareRollback, rollback } from '../../server/rollback.js';
import { publishSigned } from '../../server/signed.js';
import { meaningOf, signRequest } from '../../server/signing.js';
import { makePolicyKey, signBundle } from '../../wire/bundle.js';
import { banPolicy } from './policies.js';
import { plan, planAndPublish } from './publishing.js';
import {
  closeWorld,
  first,
  folder,
  goOffline,
  keys,
  later,
  liveText,
  openWorld,
  prepare,
  present,
  publisher,
  put,
  safe,
  sign,
  store,
  take,
} from './signing-world.js';

beforeEach(openWorld);
afterEach(closeWorld);

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
