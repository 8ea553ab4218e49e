/**
 * The evaluation step: judges what is on the machine by the rules in force, and keeps in the store which
 * verdict stands since when. Verdicts that did not change are not written. What a rule means is decided
 * in `policies/evaluate.ts`; nothing here reports or shows anything.
 */
import { attach } from './inventory.js';
import { ceilingAt, judge, type Device, type InForce, type Judgement } from './rules.js';
import type { Store } from './store.js';
import { noteJudged, termsOf, type Absence } from './terms.js';

export interface Around {
  readonly device: Device;
  /** Account to home folder. */
  readonly homes: ReadonlyMap<string, string>;
  /** Epoch ms of trusted time. */
  readonly now: number;
  /** Epoch ms up to which an instant has passed beyond doubt. */
  readonly settledUntil: number;
  /** The absence that this judgement ends; null: there was none. */
  readonly away: Absence | null;
}

/** The judgement by the terms of this device; notices that it makes are kept and counted at once. */
function judgeByTerms(store: Store, rules: InForce, around: Around): Judgement {
  const { device, now, away, homes } = around;
  const components = attach(store, rules.catalogue);
  const by = (absence: Absence | null): Judgement => {
    const terms = termsOf(store, rules, { zone: device.zone, now, away: absence });
    return judge(components, rules, { ...around, terms });
  };
  const judgement = by(away);
  const verdicts = judgement.judged.map(({ verdict }) => verdict);
  // Where an assignment keeps it from speaking, nothing counts as said.
  const ceiling = ceilingAt(rules, device.maxAction, now);
  if (ceiling !== device.maxAction) return judgement;
  const isHeard = homes.size > 0 && ceiling !== 'observe';
  return noteJudged(store, verdicts, { now, isHeard }) ? by(null) : judgement;
}

/** Judges every component; the changes are in the store when it returns. */
export function judgeStored(store: Store, rules: InForce, around: Around): Judgement {
  const judgement = store.transaction(() => judgeByTerms(store, rules, around));
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
