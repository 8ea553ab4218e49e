/**
 * From an author's text to the live bundle: linted, joined with the policies that are live, signed
 * under the next sequence, stored. Agents hear of it from the serving process, which watches the
 * sequence. Publishing what is live already changes nothing.
 */
import type { Catalogue } from '../policies/catalogue.js';
import { parsePolicy, type PolicyProblem } from '../policies/document.js';
import { documentFormat, signBundle } from '../wire/bundle.js';
import { record } from './audit.js';
import type { ServerKeys } from './keys.js';
import type { Store, Writing } from './store/index.js';
import type { StoredBundle, StoredPolicy } from './store/records.js';

export interface Publisher {
  readonly store: Store;
  readonly keys: ServerKeys;
  readonly catalogue: Catalogue;
  readonly now: number;
}
export interface PublishRequest {
  readonly yaml: string;
  readonly author: string;
}

export type Published =
  | {
      readonly kind: 'published';
      readonly sequence: number;
      readonly policy: string;
      readonly warnings: readonly PolicyProblem[];
    }
  | {
      readonly kind: 'same';
      readonly sequence: number;
      readonly policy: string;
      readonly warnings: readonly PolicyProblem[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly PolicyProblem[] };

export async function publish(
  publisher: Publisher,
  { yaml, author }: PublishRequest,
): Promise<Published> {
  const { store, catalogue, now } = publisher;
  const parsed = parsePolicy(yaml, { catalogue });
  if (parsed.kind === 'invalid') return parsed;
  const { warnings } = parsed;
  const { policy } = parsed.policy;
  return store.write(async (writing): Promise<Published> => {
    const live = await writing.policies.latest();
    const isLive = live?.policies.some((one) => one.policy === policy && one.yaml === yaml);
    if (live !== null && isLive === true && live.catalogueSha256 === catalogue.sha256) {
      return { kind: 'same', sequence: live.sequence, policy, warnings };
    }
    const sequence = (live?.sequence ?? 0) + 1;
    const changed: StoredPolicy = { policy, yaml, sequence, publishedAt: now, author };
    const policies = withPolicy(live?.policies ?? [], changed);
    await addSigned(writing, publisher, { sequence, policies, author });
    const deed = { at: now, actor: author, action: 'policy.publish', subject: policy };
    await record(writing, { ...deed, detail: `sequence ${sequence}` });
    return { kind: 'published', sequence, policy, warnings };
  });
}

/**
 * Signs the live policies anew when this build's catalogue is not the one they name: agents fetch the
 * catalogue by that hash. Answers the new sequence, or null when nothing had to change.
 */
export async function renewCatalogue(publisher: Publisher): Promise<number | null> {
  const { store, catalogue, now } = publisher;
  return store.write(async (writing) => {
    const live = await writing.policies.latest();
    if (live === null || live.catalogueSha256 === catalogue.sha256) return null;
    const sequence = live.sequence + 1;
    await addSigned(writing, publisher, { sequence, policies: live.policies, author: 'server' });
    const deed = { at: now, actor: 'server', action: 'catalogue.renew', subject: catalogue.sha256 };
    await record(writing, { ...deed, detail: `sequence ${sequence}` });
    return sequence;
  });
}

/** A policy keeps its place in the order of priority; a new one comes last. */
function withPolicy(live: readonly StoredPolicy[], changed: StoredPolicy): StoredPolicy[] {
  const at = live.findIndex(({ policy }) => policy === changed.policy);
  return at < 0 ? [...live, changed] : live.with(at, changed);
}

async function addSigned(
  writing: Writing,
  { store, keys, catalogue, now }: Publisher,
  next: Pick<StoredBundle, 'sequence' | 'policies' | 'author'>,
): Promise<void> {
  const jws = await signBundle(
    {
      format: documentFormat,
      server: store.serverId,
      sequence: next.sequence,
      issuedAt: new Date(now).toISOString(),
      policies: next.policies.map(({ yaml }, priority) => ({ priority, yaml })),
      catalogue: { sha256: catalogue.sha256 },
      assignmentKeys: [keys.online.x],
      nextPolicyKey: null,
    },
    keys.policy,
  );
  const catalogueSha256 = catalogue.sha256;
  await writing.policies.addBundle({ ...next, jws, publishedAt: now, catalogueSha256 });
}
