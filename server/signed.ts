/**
 * A file that was signed elsewhere becomes live here. The signature says that the key's holder wants it;
 * whether it is for this server, above what is live, planned, and names our keys and our catalogue is
 * looked at all the same. All of a file is taken, or nothing.
 */
import { parsePolicy } from '../policies/document.js';
import { verifyBundle, type BundlePayload } from '../wire/bundle.js';
import { sha256Hex } from '../wire/digest.js';
import { CurfewError } from '../wire/errors.js';
import { thumbprint } from '../wire/keys.js';
import { record } from './audit.js';
import { makeLive, type Publisher } from './bundles.js';
import {
  namedNextOnlineKey,
  policySigner,
  settleOnlineKey,
  settlePolicyKey,
  type ServerKeys,
} from './keys.js';
import { planContent } from './plan.js';
import type { FuturePolicy } from './policy-change.js';
import { recordPublish, unplannedOf, type Unplanned } from './publish.js';
import type { SignedFile } from './sign-files.js';
import type { Writing } from './store/index.js';
import type { StoredBundle } from './store/records.js';

export type PublishedSigned =
  | {
      readonly kind: 'published';
      /** Of the newest bundle; the live one's when only ways back were kept. */
      readonly sequence: number;
      readonly changed: readonly string[];
      readonly removed: readonly string[];
      readonly policies: readonly string[];
      /** Sequences of the ways back that are kept ready now. */
      readonly kept: readonly number[];
      /** JWK `x` of the policy key, if it is another one now. */
      readonly rotatedTo: string | null;
    }
  | { readonly kind: 'same'; readonly sequence: number }
  | Unplanned;

type Signed = SignedFile['documents'][number];

/** Errors: SIGNED_FILE_INVALID, POLICY_INVALID, BUNDLE_SIGNATURE_INVALID, BUNDLE_SEQUENCE_OLD and its like. */
export async function publishSigned(
  publisher: Publisher,
  signed: SignedFile,
  author: string,
): Promise<PublishedSigned> {
  const { store, keys } = publisher;
  if (signed.server !== store.serverId) {
    throw unfit(`was signed for server ${signed.server}; this is ${store.serverId}`);
  }
  let named: readonly string[] = [];
  const outcome = await store.write(async (writing) => {
    const taking = new Taking(writing, publisher, author);
    for (const document of signed.documents) {
      const stop = await taking.take(document);
      if (stop === null) continue;
      if (document === signed.documents[0]) return stop;
      throw unfit('holds a second bundle that was not planned or is live already');
    }
    named = taking.assignmentKeys;
    return taking.end();
  });
  if (outcome.kind !== 'published') return outcome;
  if (outcome.rotatedTo !== null) await settlePolicyKey(keys.folder, outcome.rotatedTo);
  // From here on the other key signs: every device is to get its assignment anew.
  if (settleOnlineKey(keys.folder, named)) {
    await store.write((writing) => writing.assignments.touch(null));
  }
  return outcome;
}

const unfit = (what: string, hint = 'Prepare it again and have that signed.'): CurfewError =>
  new CurfewError('SIGNED_FILE_INVALID', `the signed file ${what}`, { hint });

/** One file on its way in; what it changes is in the transaction that it is given. */
class Taking {
  readonly #writing: Writing;
  readonly #publisher: Publisher;
  readonly #author: string;
  readonly #kept: number[] = [];
  readonly #changed = new Set<string>();
  readonly #removed = new Set<string>();
  #rotatedTo: string | null = null;
  /** The key that a bundle of this file named, while none signed by it has come. */
  #awaited: string | null = null;
  assignmentKeys: readonly string[] = [];

  constructor(writing: Writing, publisher: Publisher, author: string) {
    this.#writing = writing;
    this.#publisher = publisher;
    this.#author = author;
  }

  /** Null when the next document may follow. */
  async take(document: Signed): Promise<PublishedSigned | null> {
    const { store, keys } = this.#publisher;
    const live = await this.#writing.policies.latest();
    const signer = await policySigner(this.#writing.signing, keys);
    const verified = await verifyBundle(document.jws, {
      pinnedKey: signer.x,
      floor: {
        sequence: live?.sequence ?? 0,
        sha256: live === null ? null : sha256Hex(live.jws),
      },
      server: store.serverId,
    });
    if (verified.kind === 'refused') {
      throw new CurfewError(verified.code, `the signed file is refused: ${verified.message}`, {
        hint: `It must be signed by ${signer.thumbprint} and be above sequence ${live?.sequence ?? 0}; prepare it again.`,
      });
    }
    const { payload } = verified;
    if (verified.kind === 'same') return { kind: 'same', sequence: payload.sequence };
    mustNameOurs(payload, keys);
    if (document.use === 'ready') {
      await this.#keep(document, payload);
      return null;
    }
    return this.#makeLive(document.jws, payload, { live, signer: signer.thumbprint });
  }

  async #makeLive(
    jws: string,
    payload: BundlePayload,
    { live, signer }: { live: StoredBundle | null; signer: string },
  ): Promise<PublishedSigned | null> {
    const { catalogue } = this.#publisher;
    if (payload.catalogue.sha256 !== catalogue.sha256) {
      throw unfit('names another catalogue than this server has');
    }
    const policies = this.#policies(payload, live);
    const before = live?.policies ?? [];
    const isSame =
      before.length === policies.length &&
      policies.every((one, at) => one.yaml === before[at]?.yaml);
    if (!isSame) {
      const unplanned = await unplannedOf(this.#writing, planContent(policies, catalogue.sha256));
      if (unplanned !== null) return unplanned;
    }
    await this.#mayRotate(payload, signer);
    await makeLive(this.#writing, this.#publisher, {
      ...{ jws, payload, policies, signer },
      author: this.#author,
    });
    const isNew = ({ sequence }: FuturePolicy): boolean => sequence === undefined;
    for (const { policy } of policies.filter(isNew)) this.#changed.add(policy);
    for (const { policy } of before) {
      if (!policies.some((one) => one.policy === policy)) this.#removed.add(policy);
    }
    this.assignmentKeys = payload.assignmentKeys;
    return null;
  }

  /** The policies of a payload; of a text that is live already, what is stored of it. */
  #policies({ policies }: BundlePayload, live: StoredBundle | null): FuturePolicy[] {
    const { catalogue } = this.#publisher;
    return [...policies]
      .sort((one, other) => one.priority - other.priority)
      .map(({ yaml }) => {
        const stored = live?.policies.find((one) => one.yaml === yaml);
        if (stored !== undefined) return stored;
        const parsed = parsePolicy(yaml, { catalogue });
        if (parsed.kind === 'policy') return { policy: parsed.policy.policy, yaml };
        const [first] = parsed.problems;
        throw new CurfewError(
          'POLICY_INVALID',
          `a policy of the signed file is refused: line ${first?.line ?? 1}: ${first?.message ?? ''}`,
          { hint: 'Correct the policy and prepare it again.' },
        );
      });
  }

  /** A bundle that names a new key is followed by one that this key signed, or newcomers could trust nothing. */
  async #mayRotate({ nextPolicyKey, sequence }: BundlePayload, signer: string): Promise<void> {
    if (this.#awaited !== null && (await thumbprint(this.#awaited)) === signer) {
      this.#rotatedTo = this.#awaited;
      this.#awaited = null;
    }
    if (nextPolicyKey === null) return;
    const next = await thumbprint(nextPolicyKey);
    if (next === signer || (await this.#writing.signing.hasSigned(next))) {
      throw unfit(`names ${next} as the next policy key, which is in use or retired`);
    }
    this.#awaited = nextPolicyKey;
    const deed = { at: this.#publisher.now, actor: this.#author, action: 'key.rotate' };
    await record(this.#writing, {
      ...deed,
      subject: next,
      detail: `sequence ${sequence}; ${signer} is retired`,
    });
  }

  async #keep({ jws, ofSequence }: Signed, payload: BundlePayload): Promise<void> {
    const { now } = this.#publisher;
    const { signing, policies } = this.#writing;
    const of = ofSequence === undefined ? null : await policies.bundle(ofSequence);
    if (of === null || !hasTexts(payload, of)) {
      throw unfit('holds a way back to what was never live here');
    }
    if (payload.nextPolicyKey !== null || payload.resetFloor !== undefined) {
      throw unfit('holds a way back that does more than go back');
    }
    const { sequence } = payload;
    const other = (await signing.ready()).find((one) => one.sequence === sequence);
    if (other !== undefined && other.jws !== jws) {
      throw unfit(`holds a way back under ${sequence}, which another one has`);
    }
    const author = this.#author;
    await signing.addReady({ sequence, ofSequence: of.sequence, jws, author, keptAt: now });
    this.#kept.push(sequence);
    const deed = { at: now, actor: author, action: 'policy.keep-rollback' };
    await record(this.#writing, {
      ...deed,
      subject: `sequence ${of.sequence}`,
      detail: `ready as sequence ${sequence}`,
    });
  }

  async end(): Promise<PublishedSigned> {
    if (this.#awaited !== null)
      throw unfit('names a new policy key and holds nothing signed by it');
    const live = await this.#writing.policies.latest();
    const outcome = {
      sequence: live?.sequence ?? 0,
      changed: [...this.#changed],
      removed: [...this.#removed],
      policies: (live?.policies ?? []).map(({ policy }) => policy),
    };
    const hasPublished = this.assignmentKeys.length > 0;
    if (hasPublished) {
      const { now } = this.#publisher;
      const publish = { at: now, author: this.#author, outcome, how: ', signed elsewhere' };
      await recordPublish(this.#writing, publish);
    }
    return { kind: 'published', ...outcome, kept: this.#kept, rotatedTo: this.#rotatedTo };
  }
}

/** Whether a bundle holds just what another one held, in its order. */
export function hasTexts(payload: BundlePayload, { policies }: StoredBundle): boolean {
  const texts = [...payload.policies].sort((one, other) => one.priority - other.priority);
  return (
    texts.length === policies.length && texts.every(({ yaml }, at) => yaml === policies[at]?.yaml)
  );
}

/** Assignments are signed by our keys alone. */
export function mustNameOurs({ assignmentKeys }: BundlePayload, keys: ServerKeys): void {
  const next = namedNextOnlineKey(keys.folder);
  const ours = [keys.online.x, ...(next === null ? [] : [next])];
  if (assignmentKeys.length > 0 && assignmentKeys.every((one) => ours.includes(one))) return;
  throw unfit('names keys for assignments that are not those of this server');
}
