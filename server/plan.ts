/**
 * What a plan is of: the texts that would be live, in order, under a catalogue, over the bundle that is
 * live now. A plan is kept by the hash of that content, so whoever publishes can ask whether somebody has
 * seen what this very content does; once another bundle is live, the answer is no again. What it does to
 * the fleet is reckoned in `impact.ts`; nothing here makes anything live.
 */
import { sha256Hex } from '../wire/digest.js';
import type { PolicyReads, Writing } from './store/index.js';
import type { StoredPlan } from './store/records.js';

/** A policy's id and the author's text. */
export interface PolicyText {
  readonly policy: string;
  readonly yaml: string;
}

/** SHA-256 over the texts that would be live, in order of priority, and the catalogue's own hash. */
export function planContent(
  policies: readonly Pick<PolicyText, 'yaml'>[],
  catalogueSha256: string,
): string {
  return sha256Hex(JSON.stringify([catalogueSha256, ...policies.map(({ yaml }) => yaml)]));
}

/** The live texts with some changed: a policy keeps its place in the order, a new one comes last. */
export function withChanged<Live extends PolicyText>(
  live: readonly Live[],
  changed: readonly Live[],
): readonly Live[] {
  return changed.reduce<readonly Live[]>((texts, one) => {
    const at = texts.findIndex(({ policy }) => policy === one.policy);
    return at < 0 ? [...texts, one] : texts.with(at, one);
  }, live);
}

/** Whether this content was planned over what is live now. */
export async function isPlanned(policies: PolicyReads, content: string): Promise<boolean> {
  return (await policies.plan(content, await policies.latestSequence())) !== null;
}

/** Keeps a plan, unless something was published since it was begun: then it would be of the past. */
export async function keepPlan(writing: Writing, plan: StoredPlan): Promise<boolean> {
  if ((await writing.policies.latestSequence()) !== plan.baseSequence) return false;
  await writing.policies.addPlan(plan);
  return true;
}
