/**
 * From an author's texts to the live bundle: linted, joined with the policies that are live, held against
 * the plan of this very content, signed under the next sequence, stored. Agents hear of it from the
 * serving process, which watches the sequence. Publishing what is live already changes nothing.
 */
import type { PolicyProblem } from '../policies/document.js';
import { signerOf } from '../wire/bundle.js';
import { record } from './audit.js';
import { payloadOf, signerHere, signLive, type Publisher } from './bundles.js';
import { policySigner } from './keys.js';
import { planContent } from './plan.js';
import {
  changedPolicies,
  type ChangedPolicies,
  type FuturePolicy,
  type PolicyChange,
} from './policy-change.js';
import type { SignDocument, SignRequest } from './sign-files.js';
import { withMeaning } from './signing.js';
import type { Reading, Writing } from './store/index.js';
import type { StoredBundle } from './store/records.js';

export type { Publisher } from './bundles.js';

export interface PublishRequest {
  readonly change: PolicyChange;
  readonly author: string;
  /** An instant that devices go back to as the floor of their trusted time. */
  readonly resetFloor?: string | null;
  readonly isDryRun?: boolean;
}

export interface Outcome {
  readonly sequence: number;
  /** Ids of the texts that were given. */
  readonly given: readonly string[];
  /** Those whose text is new or another one. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** All that are live, in order of priority. */
  readonly policies: readonly string[];
  readonly warnings: readonly (readonly PolicyProblem[])[];
}

/** Nobody has seen what this content would do; `plannedOver`: a plan of it is of that older bundle. */
export interface Unplanned {
  readonly kind: 'unplanned';
  readonly content: string;
  readonly liveSequence: number;
  readonly plannedOver: number | null;
}

export type Published =
  | (Outcome & { readonly kind: 'published' | 'would-publish' | 'same' })
  | Extract<ChangedPolicies, { kind: 'invalid' }>
  | Unplanned;

type NotPublished =
  | (Outcome & { readonly kind: 'same' })
  | Exclude<Published, { kind: 'published' | 'would-publish' | 'same' }>;

export type Prepared =
  (Outcome & { readonly kind: 'prepared'; readonly request: SignRequest }) | NotPublished;

/** Errors: USAGE, POLICY_KEY_OFFLINE, REQUEST_TOO_LARGE. */
export async function publish(publisher: Publisher, request: PublishRequest): Promise<Published> {
  const { store, keys, now } = publisher;
  const { author, resetFloor = null, isDryRun = false } = request;
  return store.write(async (writing): Promise<Published> => {
    const next = await nextOf(writing, publisher, request);
    if (next.kind !== 'next') return next;
    const { outcome, policies } = next;
    // Before the key: a pipeline's dry run is on a server that may not have it.
    if (isDryRun) return { kind: 'would-publish', ...outcome };
    const signer = await signerHere(writing, keys);
    const { sequence } = outcome;
    await signLive(writing, publisher, { sequence, policies, author, signer, resetFloor });
    await recordPublish(writing, { at: now, author, outcome });
    return { kind: 'published', ...outcome };
  });
}

/**
 * What would be signed, for a key that is elsewhere, and with it the way back to what is live now: a
 * bundle of today's content under a sequence further on, so that a roll-back needs no key.
 */
export async function preparePublish(
  publisher: Publisher,
  request: PublishRequest,
): Promise<Prepared> {
  const { store, keys, now } = publisher;
  return store.write(async (writing): Promise<Prepared> => {
    const next = await nextOf(writing, publisher, request);
    if (next.kind !== 'next') return next;
    const { outcome, policies, live } = next;
    const { author, resetFloor = null } = request;
    const { sequence } = outcome;
    const { thumbprint } = await policySigner(writing.signing, keys);
    const draft = { sequence, policies, resetFloor };
    const documents: SignDocument[] = [
      { use: 'live', signer: 'present', payload: payloadOf(publisher, draft) },
      ...(live === null
        ? []
        : [wayBack(publisher, live, await wayBackSequence(writing, sequence))]),
    ];
    const deed = { at: now, actor: author, action: 'policy.prepare' };
    const subject = [...outcome.changed, ...outcome.removed].join(', ') || null;
    await record(writing, { ...deed, subject, detail: `sequence ${sequence}` });
    const head = { server: store.serverId, policyKey: thumbprint, author };
    return { kind: 'prepared', ...outcome, request: await withMeaning({ ...head, documents }) };
  });
}

/** How far on the sequence of a way back lies: that many publishes may come before it is of no use. */
export const wayBackGap = 1000;

/** A sequence for a way back, above every one that is reserved. */
export async function wayBackSequence(read: Reading, after: number): Promise<number> {
  const [highest] = await read.signing.ready();
  return Math.max(after + wayBackGap, (highest?.sequence ?? 0) + 1);
}

/** What was live, to be signed in advance under a sequence that is reserved for it. */
export function wayBack(publisher: Publisher, to: StoredBundle, sequence: number): SignDocument {
  const { policies, sequence: ofSequence } = to;
  const payload = payloadOf(publisher, { sequence, policies });
  return { use: 'ready', ofSequence, signer: 'present', payload };
}

/** The first sequence above the live one that no way back has: two texts under one number are never signed. */
export async function nextSequence(read: Reading): Promise<number> {
  const taken = new Set((await read.signing.ready()).map(({ sequence }) => sequence));
  let next = (await read.policies.latestSequence()) + 1;
  while (taken.has(next)) next += 1;
  return next;
}

interface Next {
  readonly kind: 'next';
  readonly outcome: Outcome;
  readonly policies: readonly FuturePolicy[];
  readonly live: StoredBundle | null;
}

/** What is to be live next, if it is valid, a change, and planned. */
async function nextOf(
  read: Reading,
  { catalogue, keys }: Publisher,
  { change, resetFloor }: PublishRequest,
): Promise<Next | NotPublished> {
  const live = await read.policies.latest();
  const after = changedPolicies(live?.policies ?? [], change, catalogue);
  if (after.kind === 'invalid') return after;
  const { policies, given, changed, removed, warnings } = after;
  const liveSequence = live?.sequence ?? 0;
  const outcome = {
    given,
    changed,
    removed,
    warnings,
    policies: policies.map(({ policy }) => policy),
  };
  const { thumbprint } = await policySigner(read.signing, keys);
  // After a lost key even the same texts are to be signed anew.
  const isSigned = live !== null && signerOf(live.jws) === thumbprint;
  if (isSigned && resetFloor == null && isLive(live, policies, catalogue.sha256)) {
    return { kind: 'same', ...outcome, sequence: liveSequence };
  }
  const unplanned = await unplannedOf(read, planContent(policies, catalogue.sha256));
  if (unplanned !== null) return unplanned;
  const sequence = await nextSequence(read);
  return { kind: 'next', outcome: { ...outcome, sequence }, policies, live };
}

/** Null when this content was planned over what is live now. */
export async function unplannedOf(read: Reading, content: string): Promise<Unplanned | null> {
  const liveSequence = await read.policies.latestSequence();
  if ((await read.policies.plan(content, liveSequence)) !== null) return null;
  const other = await read.policies.planOf(content);
  return { kind: 'unplanned', content, liveSequence, plannedOver: other?.baseSequence ?? null };
}

/** The same texts in the same order under the same catalogue. */
function isLive(
  live: Pick<StoredBundle, 'policies' | 'catalogueSha256'>,
  policies: readonly Pick<FuturePolicy, 'yaml'>[],
  catalogueSha256: string,
): boolean {
  return (
    live.catalogueSha256 === catalogueSha256 &&
    live.policies.length === policies.length &&
    live.policies.every(({ yaml }, at) => yaml === policies[at]?.yaml)
  );
}

export async function recordPublish(
  writing: Writing,
  {
    at,
    author,
    outcome: { sequence, changed, removed, policies },
    how = '',
  }: {
    readonly at: number;
    readonly author: string;
    readonly outcome: Pick<Outcome, 'sequence' | 'changed' | 'removed' | 'policies'>;
    readonly how?: string;
  },
): Promise<void> {
  const subject = [...changed, ...removed].join(', ') || policies.join(', ') || null;
  const gone = removed.length === 0 ? '' : `; removed ${removed.join(', ')}`;
  const detail = `sequence ${sequence}${how}${gone}`;
  await record(writing, { at, actor: author, action: 'policy.publish', subject, detail });
}

/** `offline`: the catalogue of this build is not the live one's, and the key that could say so is elsewhere. */
export type Renewed =
  | { readonly kind: 'renewed'; readonly sequence: number }
  | { readonly kind: 'offline'; readonly catalogueSha256: string };

/**
 * Signs the live policies anew when this build's catalogue is not the one they name: agents fetch the
 * catalogue by that hash. Answers null when nothing had to change.
 */
export async function renewCatalogue(publisher: Publisher): Promise<Renewed | null> {
  const { store, keys, catalogue, now } = publisher;
  return store.write(async (writing): Promise<Renewed | null> => {
    const live = await writing.policies.latest();
    if (live === null || live.catalogueSha256 === catalogue.sha256) return null;
    const { key, ...signer } = await policySigner(writing.signing, keys);
    if (key === null) return { kind: 'offline', catalogueSha256: live.catalogueSha256 };
    const sequence = await nextSequence(writing);
    const { policies } = live;
    const next = { sequence, policies, author: 'server', signer: { ...signer, key } };
    await signLive(writing, publisher, next);
    const deed = { at: now, actor: 'server', action: 'catalogue.renew', subject: catalogue.sha256 };
    await record(writing, { ...deed, detail: `sequence ${sequence}` });
    return { kind: 'renewed', sequence };
  });
}
