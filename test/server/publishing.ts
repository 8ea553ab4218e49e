/** Publishes for tests of other things, the way an admin has to: planned first, then published. */
import { keepPlan, planContent } from '../../server/plan.js';
import { changedPolicies, noChange, type PolicyChange } from '../../server/policy-change.js';
import { publish, type Published, type Publisher } from '../../server/publish.js';

/** Keeps a plan of what a change makes of the live policies; of an invalid one none. */
export async function plan(
  { store, catalogue, now }: Publisher,
  change: PolicyChange,
): Promise<void> {
  await store.write(async (writing) => {
    const live = await writing.policies.latest();
    const after = changedPolicies(live?.policies ?? [], change, catalogue);
    if (after.kind === 'invalid') return;
    const content = planContent(after.policies, catalogue.sha256);
    const baseSequence = live?.sequence ?? 0;
    await keepPlan(writing, { content, baseSequence, author: 'ana', at: now });
  });
}

/** Plans one policy and makes it live. */
export async function planAndPublish(
  publisher: Publisher,
  { yaml, author }: { readonly yaml: string; readonly author: string },
): Promise<Published> {
  const change = { ...noChange, texts: [yaml] };
  await plan(publisher, change);
  return publish(publisher, { change, author });
}
