/**
 * The way back: what was live before becomes live again under a new and higher sequence, never a lower
 * one. With the policy key here it is signed at once; with the key elsewhere, a bundle that was signed in
 * advance is used. No plan is asked for: it was live, and going back must not wait.
 */
import { parsePolicy } from '../policies/document.js';
import { verifyBundle, type BundlePayload } from '../wire/bundle.js';
import { CurfewError } from '../wire/errors.js';
import { record } from './audit.js';
import { keyOffline, makeLive, signLive, type Publisher } from './bundles.js';
import { policySigner, type PolicySigner } from './keys.js';
import { nextSequence, wayBack, wayBackSequence } from './publish.js';
import type { SignRequest } from './sign-files.js';
import { hasTexts, mustNameOurs } from './signed.js';
import { withMeaning } from './signing.js';
import type { Reading, Writing } from './store/index.js';
import type { StoredBundle } from './store/records.js';

export interface RollbackRequest {
  /** A sequence that was live; null: the content before the present one. */
  readonly to: number | null;
  readonly author: string;
  readonly isDryRun?: boolean;
}

export type RolledBack =
  | {
      readonly kind: 'rolled-back' | 'would-roll-back';
      /** The new one, above every one that was live. */
      readonly sequence: number;
      readonly from: number;
      readonly to: number;
      readonly policies: readonly string[];
      readonly isSignedInAdvance: boolean;
    }
  | { readonly kind: 'same'; readonly sequence: number; readonly to: number };

/** Errors: NOT_FOUND, POLICY_KEY_OFFLINE, POLICY_INVALID. */
export async function rollback(
  publisher: Publisher,
  request: RollbackRequest,
): Promise<RolledBack> {
  const { store, keys } = publisher;
  return store.write(async (writing): Promise<RolledBack> => {
    const { live, target } = await targetOf(writing, request.to);
    if (isSameContent(live, target)) {
      return { kind: 'same', sequence: live.sequence, to: target.sequence };
    }
    mustBeReadable(target);
    const signer = await policySigner(writing.signing, keys);
    const { key } = signer;
    const ready =
      key === null ? await readyFor(writing, publisher, { live, target, signer }) : null;
    const sequence = ready?.payload.sequence ?? (await nextSequence(writing));
    const outcome = {
      ...{ sequence, from: live.sequence, to: target.sequence },
      policies: target.policies.map(({ policy }) => policy),
      isSignedInAdvance: ready !== null,
    };
    if (request.isDryRun === true) return { kind: 'would-roll-back', ...outcome };
    const { policies } = target;
    const { author } = request;
    if (ready !== null) {
      const bundle = { ...ready, policies, author, signer: signer.thumbprint };
      await makeLive(writing, publisher, bundle);
    } else if (key !== null) {
      await signLive(writing, publisher, {
        sequence,
        policies,
        author,
        signer: { ...signer, key },
      });
    }
    const deed = { at: publisher.now, actor: author, action: 'policy.rollback' };
    const subject = `sequence ${target.sequence}`;
    await record(writing, {
      ...deed,
      subject,
      detail: `sequence ${sequence} for ${live.sequence}`,
    });
    return { kind: 'rolled-back', ...outcome };
  });
}

/** A way back that is to be signed elsewhere and then kept here until it is needed. */
export async function prepareRollback(
  publisher: Publisher,
  { to, author }: RollbackRequest,
): Promise<SignRequest> {
  const { store, keys, now } = publisher;
  return store.write(async (writing) => {
    const target =
      to === null ? await targetOf(writing, null) : { target: await bundleAt(writing, to) };
    mustBeReadable(target.target);
    const { thumbprint } = await policySigner(writing.signing, keys);
    const live = await writing.policies.latestSequence();
    const document = wayBack(publisher, target.target, await wayBackSequence(writing, live));
    const deed = { at: now, actor: author, action: 'policy.prepare-rollback' };
    const { sequence } = document.payload;
    const subject = `sequence ${target.target.sequence}`;
    await record(writing, { ...deed, subject, detail: `sequence ${sequence}` });
    return withMeaning({
      server: store.serverId,
      policyKey: thumbprint,
      author,
      documents: [document],
    });
  });
}

async function bundleAt(read: Reading, sequence: number): Promise<StoredBundle> {
  const found = await read.policies.bundle(sequence);
  if (found !== null) return found;
  throw new CurfewError('NOT_FOUND', `no bundle ${sequence} was ever live here`, {
    hint: 'See what was with `curfew-server policy rollback --list`.',
  });
}

async function targetOf(
  read: Reading,
  to: number | null,
): Promise<{ live: StoredBundle; target: StoredBundle }> {
  const live = await read.policies.latest();
  if (live === null)
    throw new CurfewError('NOT_FOUND', 'nothing is live that could be rolled back');
  if (to !== null) return { live, target: await bundleAt(read, to) };
  let before = await read.policies.bundleBefore(live.sequence);
  while (before !== null && isSameContent(live, before)) {
    before = await read.policies.bundleBefore(before.sequence);
  }
  if (before !== null) return { live, target: before };
  throw new CurfewError('NOT_FOUND', 'nothing else was live before', {
    hint: 'Publish another policy, or take one out with `policy publish --remove POLICY`.',
  });
}

const isSameContent = (one: StoredBundle, other: StoredBundle): boolean =>
  one.policies.length === other.policies.length &&
  one.policies.every(({ yaml }, at) => yaml === other.policies[at]?.yaml);

/** A text of an older server that this one reads no more is no way back for agents either. */
function mustBeReadable({ sequence, policies }: StoredBundle): void {
  for (const { policy, yaml } of policies) {
    if (parsePolicy(yaml).kind === 'policy') continue;
    throw new CurfewError(
      'POLICY_INVALID',
      `the policy ${policy} of sequence ${sequence} is not valid in this version`,
      { hint: 'Publish a corrected text instead.' },
    );
  }
}

/** The highest way back to this content that is signed by the present key and fits what is live. */
async function readyFor(
  writing: Writing,
  { store, keys, catalogue }: Publisher,
  {
    live,
    target,
    signer,
  }: { readonly live: StoredBundle; readonly target: StoredBundle; readonly signer: PolicySigner },
): Promise<{ readonly jws: string; readonly payload: BundlePayload }> {
  const why: string[] = [];
  for (const { jws, sequence } of await writing.signing.ready()) {
    const floor = { sequence: live.sequence, sha256: null };
    const trust = { pinnedKey: signer.x, floor, server: store.serverId };
    const verified = await verifyBundle(jws, trust);
    if (verified.kind === 'refused') why.push(`${sequence}: ${verified.message}`);
    if (verified.kind !== 'bundle' || !hasTexts(verified.payload, target)) continue;
    const { payload } = verified;
    const { sha256 } = payload.catalogue;
    if (sha256 !== catalogue.sha256 && (await writing.signing.catalogue(sha256)) === null) {
      why.push(`${sequence}: its catalogue is gone`);
      continue;
    }
    mustNameOurs(payload, keys);
    return { jws, payload };
  }
  const told = why.length === 0 ? '' : ` (of those kept: ${why.join('; ')})`;
  throw keyOffline(
    signer.thumbprint,
    `No way back to sequence ${target.sequence} was signed in advance${told}. Write it with \`curfew-server policy rollback --to ${target.sequence} --prepare FILE\`, sign it with \`curfew-server policy sign\`, and give the signed file to \`curfew-server policy publish\`; then roll back.`,
  );
}
