/**
 * A bundle from what is to be live, and how one becomes live: stored under its sequence with the policies
 * and the catalogue it names. Whether it may is for the callers to judge; this is the one place that
 * writes a bundle, and no sequence is ever written twice or below one that is there.
 */
import type { Catalogue } from '../policies/catalogue.js';
import { documentFormat, signBundle, type BundlePayload } from '../wire/bundle.js';
import { CurfewError } from '../wire/errors.js';
import { maxFrameBytes } from '../wire/messages.js';
import { catalogueText } from './catalogue-text.js';
import { policySigner, rememberPolicyKey, type PolicySigner, type ServerKeys } from './keys.js';
import type { FuturePolicy } from './policy-change.js';
import type { Reading, Store, Writing } from './store/index.js';
import type { StoredPolicy } from './store/records.js';

export interface Publisher {
  readonly store: Store;
  readonly keys: ServerKeys;
  readonly catalogue: Catalogue;
  readonly now: number;
}

export interface BundleDraft {
  readonly sequence: number;
  /** In order of priority. */
  readonly policies: readonly Pick<StoredPolicy, 'yaml'>[];
  readonly nextPolicyKey?: string;
  /** Default: the online key. */
  readonly assignmentKeys?: readonly string[];
  /** An instant; see `BundlePayload`. */
  readonly resetFloor?: string | null;
}

/** What is to be signed. Errors: REQUEST_TOO_LARGE, before anybody is asked to sign it. */
export function payloadOf(
  { store, keys, catalogue, now }: Publisher,
  draft: BundleDraft,
): BundlePayload {
  const { sequence, policies, nextPolicyKey = null, assignmentKeys, resetFloor } = draft;
  const payload: BundlePayload = {
    format: documentFormat,
    server: store.serverId,
    sequence,
    issuedAt: new Date(now).toISOString(),
    policies: policies.map(({ yaml }, priority) => ({ priority, yaml })),
    catalogue: { sha256: catalogue.sha256 },
    assignmentKeys: [...(assignmentKeys ?? [keys.online.x])],
    nextPolicyKey,
    ...(resetFloor == null ? {} : { resetFloor }),
  };
  mustFit(payload);
  return payload;
}

/** Header and signature of a JWS take less. */
const signatureBytes = 1024;

function mustFit(payload: BundlePayload): void {
  const bytes = Math.ceil((Buffer.byteLength(JSON.stringify(payload)) * 4) / 3) + signatureBytes;
  if (bytes <= maxFrameBytes) return;
  throw new CurfewError(
    'REQUEST_TOO_LARGE',
    `the bundle would have ${bytes} bytes; ${maxFrameBytes} fit into a message to devices`,
    { hint: 'Publish fewer or shorter policies.' },
  );
}

export interface LiveBundle {
  readonly jws: string;
  readonly payload: BundlePayload;
  readonly policies: readonly FuturePolicy[];
  readonly author: string;
  /** Of the key that signed it. */
  readonly signer: string;
}

/** Makes a signed bundle the live one. The next one is signed by the key it names, if it names one. */
export async function makeLive(
  writing: Writing,
  { keys, catalogue, now }: Pick<Publisher, 'keys' | 'catalogue' | 'now'>,
  { jws, payload, policies, author, signer }: LiveBundle,
): Promise<void> {
  const { sequence, nextPolicyKey } = payload;
  const { sha256 } = payload.catalogue;
  await writing.policies.addBundle({
    sequence,
    jws,
    author,
    publishedAt: now,
    catalogueSha256: sha256,
    policies: policies.map((one) => ({
      policy: one.policy,
      yaml: one.yaml,
      sequence: one.sequence ?? sequence,
      publishedAt: one.publishedAt ?? now,
      author: one.author ?? author,
    })),
  });
  if (sha256 === catalogue.sha256) {
    await writing.signing.putCatalogue(sha256, catalogueText(catalogue));
  }
  await rememberPolicyKey(writing.signing, keys);
  if (nextPolicyKey !== null) {
    await writing.signing.addRotation(sequence, signer);
    await writing.signing.setPolicyKey(nextPolicyKey);
  }
  await writing.signing.dropReady(sequence);
}

export interface SigningSigner extends PolicySigner {
  readonly key: NonNullable<PolicySigner['key']>;
}

/** The key that signs, if it lies here. Errors: POLICY_KEY_OFFLINE. */
export async function signerHere(read: Reading, keys: ServerKeys): Promise<SigningSigner> {
  const signer = await policySigner(read.signing, keys);
  const { key, thumbprint } = signer;
  if (key !== null) return { ...signer, key };
  throw keyOffline(thumbprint);
}

export function keyOffline(thumbprint: string, hint?: string): CurfewError {
  return new CurfewError(
    'POLICY_KEY_OFFLINE',
    `the policy key ${thumbprint} is not on this server`,
    {
      hint:
        hint ??
        'If its file is lost, see docs/admin/policy-keys.md. Else write what is to be signed with --prepare FILE, sign it where the key is with `curfew-server policy sign`, and publish the signed file here.',
    },
  );
}

/** Signs and makes live in one step. Errors: REQUEST_TOO_LARGE. */
export async function signLive(
  writing: Writing,
  publisher: Publisher,
  draft: BundleDraft & {
    readonly policies: readonly FuturePolicy[];
    readonly author: string;
    readonly signer: SigningSigner;
  },
): Promise<void> {
  const { policies, author, signer } = draft;
  const payload = payloadOf(publisher, draft);
  const jws = await signBundle(payload, signer.key);
  await makeLive(writing, publisher, { jws, payload, policies, author, signer: signer.thumbprint });
}
