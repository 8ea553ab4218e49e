/**
 * The evaluation step: judges what is on the machine by the rules in force, and keeps in the store which
 * verdict stands since when. Verdicts that did not change are not written. What a rule means is decided
 * in `policies/evaluate.ts`; nothing here reports or shows anything.
 */
import { attach } from './inventory.js';
import { judge, type Device, type InForce, type Judgement } from './rules.js';
import type { Store } from './store.js';

export interface Around {
  readonly device: Device;
  /** Account to home folder. */
  readonly homes: ReadonlyMap<string, string>;
  /** Epoch ms of trusted time. */
  readonly now: number;
}

/** Judges every component; the changes are in the store when it returns. */
export function judgeStored(store: Store, rules: InForce, around: Around): Judgement {
  const judgement = judge(attach(store, rules.catalogue), rules, around);
  const known = new Map(store.verdicts().map((one) => [one.component, one]));
  const changed = judgement.judged.filter(
    ({ component, verdict }) =>
      JSON.stringify(known.get(component.id)?.verdict) !== JSON.stringify(verdict),
  );
  if (changed.length === 0) return judgement;
  store.transaction(() => {
    for (const { component, verdict } of changed) {
      const before = known.get(component.id);
      const isSame = before?.verdict.status === verdict.status;
      store.putVerdict(component.id, verdict, isSame ? before.since : around.now);
      if (isSame) continue;
      const { id, tool } = component;
      const words = { before: before?.verdict.status ?? null, after: verdict.status };
      store.addHistory({ at: around.now, kind: 'verdict', component: id, tool, ...words });
    }
  });
  return judgement;
}
