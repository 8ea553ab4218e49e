/**
 * Another key in the place of one: the policy key, by a bundle that the old one signs and that names the
 * new, followed at once by one that the new key signs; and the online key, which a bundle names. A lost
 * policy key is replaced without its word, and then devices have to be told by their settings.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { makePolicyKey, type BundlePayload } from '../wire/bundle.js';
import { CurfewError } from '../wire/errors.js';
import { thumbprint } from '../wire/keys.js';
import { record } from './audit.js';
import { payloadOf, signerHere, signLive, type Publisher } from './bundles.js';
import {
  nextOnlineKeyFile,
  nextPolicyKeyFile,
  placeKey,
  policySigner,
  readKey,
  settleOnlineKey,
  settlePolicyKey,
  type ServerKeys,
} from './keys.js';
import { nextSequence } from './publish.js';
import type { SignRequest } from './sign-files.js';
import { withMeaning } from './signing.js';
import type { Writing } from './store/index.js';
import type { SigningKey } from '../wire/keys.js';

export interface Rotated {
  readonly kind: 'rotated' | 'would-rotate';
  /** Of the newest bundle. */
  readonly sequence: number;
  /** Thumbprints. */
  readonly before: string;
  readonly after: string;
}

export interface KeyChange {
  readonly author: string;
  readonly isDryRun?: boolean;
}

/** The key that is to follow, made once: a rotation that was cut off goes on with the same one. */
async function nextKey(keys: ServerKeys, name: string): Promise<SigningKey> {
  const file = path.join(keys.folder, name);
  if (!existsSync(file)) placeKey(file, await makePolicyKey());
  return readKey(file);
}

/** A new policy key, made here, takes over; the file of the old one is set aside. Errors: POLICY_KEY_OFFLINE. */
export async function rotatePolicyKey(
  publisher: Publisher,
  { author, isDryRun = false }: KeyChange,
): Promise<Rotated> {
  const { store, keys, now } = publisher;
  const before = await signerHere(store.read, keys);
  if (isDryRun) {
    const sequence = (await nextSequence(store.read)) + 1;
    return { kind: 'would-rotate', sequence, before: before.thumbprint, after: 'a new key' };
  }
  await settlePolicyKey(keys.folder, before.x);
  const key = await nextKey(keys, nextPolicyKeyFile);
  const after = await thumbprint(key.x);
  const last = await store.write(async (writing) => {
    await mustStillSign(writing, keys, before.x);
    const policies = (await writing.policies.latest())?.policies ?? [];
    const sequence = await nextSequence(writing);
    const named = { sequence, policies, author, signer: before, nextPolicyKey: key.x };
    await signLive(writing, publisher, named);
    const signer = { x: key.x, thumbprint: after, key };
    const last = await nextSequence(writing);
    await signLive(writing, publisher, { sequence: last, policies, author, signer });
    const deed = { at: now, actor: author, action: 'key.rotate', subject: after };
    const detail = `sequence ${sequence}; ${before.thumbprint} is retired`;
    await record(writing, { ...deed, detail });
    return last;
  });
  await settlePolicyKey(keys.folder, key.x);
  return { kind: 'rotated', sequence: last, before: before.thumbprint, after };
}

/** Two rotations at once would have a retired key sign. Errors: SERVER_BUSY. */
async function mustStillSign(writing: Writing, keys: ServerKeys, x: string): Promise<void> {
  if ((await policySigner(writing.signing, keys)).x === x) return;
  throw new CurfewError('SERVER_BUSY', 'another command has just changed the policy key', {
    hint: 'See which one signs now with `curfew-server key show`.',
  });
}

/** The two bundles of a rotation, to be signed where both keys are. */
export async function prepareRotation(
  publisher: Publisher,
  { nextPolicyKey, author }: { readonly nextPolicyKey: string; readonly author: string },
): Promise<SignRequest> {
  return prepare(publisher, author, async (writing, sequence) => {
    const policies = (await writing.policies.latest())?.policies ?? [];
    const named = { sequence, policies, nextPolicyKey };
    const follows = { sequence: sequence + 1, policies };
    return [
      { signer: 'present', payload: payloadOf(publisher, named) },
      { signer: 'next', payload: payloadOf(publisher, follows) },
    ];
  });
}

export interface OnlineKeyChange extends KeyChange {
  /** The old key was stolen: what it signed stops holding with this bundle. */
  readonly isImmediate: boolean;
}

/** Which keys a bundle names while the online one changes hands; the later bundles name the new one alone. */
async function namedOnline(keys: ServerKeys, isImmediate: boolean): Promise<string[]> {
  const next = await nextKey(keys, nextOnlineKeyFile);
  return isImmediate ? [next.x] : [next.x, keys.online.x];
}

/** A new online key takes over, and every device gets its assignment anew. Errors: POLICY_KEY_OFFLINE. */
export async function rotateOnlineKey(
  publisher: Publisher,
  { author, isImmediate, isDryRun = false }: OnlineKeyChange,
): Promise<Rotated> {
  const { store, keys, now } = publisher;
  const before = await thumbprint(keys.online.x);
  const signer = await signerHere(store.read, keys);
  if (isDryRun) {
    const sequence = await nextSequence(store.read);
    return { kind: 'would-rotate', sequence, before, after: 'a new key' };
  }
  const assignmentKeys = await namedOnline(keys, isImmediate);
  const after = await thumbprint(assignmentKeys[0] ?? '');
  const sequence = await store.write(async (writing) => {
    const policies = (await writing.policies.latest())?.policies ?? [];
    await mustStillSign(writing, keys, signer.x);
    const sequence = await nextSequence(writing);
    await signLive(writing, publisher, { sequence, policies, author, signer, assignmentKeys });
    const deed = { at: now, actor: author, action: 'key.rotate-online', subject: after };
    const detail = `sequence ${sequence}; ${before} ${isImmediate ? 'holds no more' : 'goes'}`;
    await record(writing, { ...deed, detail });
    return sequence;
  });
  settleOnlineKey(keys.folder, assignmentKeys);
  await store.write((writing) => writing.assignments.touch(null));
  return { kind: 'rotated', sequence, before, after };
}

/** The bundle that names a new online key, to be signed where the policy key is. */
export async function prepareOnlineRotation(
  publisher: Publisher,
  { author, isImmediate }: OnlineKeyChange,
): Promise<SignRequest> {
  const assignmentKeys = await namedOnline(publisher.keys, isImmediate);
  return prepare(publisher, author, async (writing, sequence) => {
    const policies = (await writing.policies.latest())?.policies ?? [];
    const payload = payloadOf(publisher, { sequence, policies, assignmentKeys });
    return [{ signer: 'present', payload }];
  });
}

type Part = { readonly signer: 'present' | 'next'; readonly payload: BundlePayload };

function prepare(
  { store, keys, now }: Publisher,
  author: string,
  parts: (writing: Writing, sequence: number) => Promise<readonly Part[]>,
): Promise<SignRequest> {
  return store.write(async (writing) => {
    const sequence = await nextSequence(writing);
    const documents = (await parts(writing, sequence)).map((one) => ({
      use: 'live' as const,
      ...one,
    }));
    const { thumbprint: policyKey } = await policySigner(writing.signing, keys);
    const deed = { at: now, actor: author, action: 'key.prepare', subject: policyKey };
    await record(writing, { ...deed, detail: `sequence ${sequence}` });
    return withMeaning({ server: store.serverId, policyKey, author, documents });
  });
}

/**
 * The policy key is lost or in other hands: another one signs from now on. No device follows by itself;
 * each has to be told the new thumbprint by its setting `PolicyKey`.
 */
export async function replacePolicyKey(
  { store, keys, now }: Publisher,
  { x, author }: { readonly x: string; readonly author: string },
): Promise<{ readonly before: string; readonly after: string }> {
  const after = await thumbprint(x);
  const before = await policySigner(store.read.signing, keys);
  await store.write(async (writing) => {
    if (x === before.x || (await writing.signing.hasSigned(after))) {
      throw new CurfewError('USAGE', `the key ${after} is in use or retired`, {
        hint: 'Make a new one with `curfew-server key make`.',
      });
    }
    await writing.signing.setPolicyKey(x);
    const deed = { at: now, actor: author, action: 'key.replace', subject: after };
    await record(writing, { ...deed, detail: `${before.thumbprint} is given up` });
  });
  await settlePolicyKey(keys.folder, x);
  return { before: before.thumbprint, after };
}
