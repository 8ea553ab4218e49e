/**
 * From when rules count on this device: the zone of their `device-local` dates, fixed when they first
 * arrive, and the notice from which grace counts. A notice is made once per policy and rule and never
 * moves again, but for one return from an absence over the date; an edited rule of the same id keeps it.
 */
import type { Policy } from '../policies/document.js';
import type { Verdict } from '../policies/evaluate.js';
import { readyPolicy } from '../policies/ready.js';
import type { InForce } from './rules.js';
import type { RuleTerms } from './store-terms.js';
import type { Store } from './store.js';

/** Nobody can stay in grace by never being told: after so long in vain the notice counts as given. */
const untoldMs = 24 * 3_600_000;

/** The device was off or asleep: last alive at `from`, back at `until`, epoch ms of trusted time. */
export interface Absence {
  readonly from: number;
  readonly until: number;
}

/** What evaluation takes of the terms. */
export interface Terms {
  readonly notices: ReadonlyMap<string, number>;
  readonly zones: ReadonlyMap<string, string>;
  /** Epoch ms of the next instant at which a notice is made by itself; null: none is waiting. */
  readonly nextNotice: number | null;
}

export const noTerms: Terms = { notices: new Map(), zones: new Map(), nextNotice: null };

/** The first notice by `now`; null: none yet. */
function firstNotice({ judgedAt, toldAt }: RuleTerms, now: number): number | null {
  if (toldAt !== null || judgedAt === null) return toldAt;
  return now >= judgedAt + untoldMs ? judgedAt + untoldMs : null;
}

/** The denials of a policy whose terms are a matter of the device. */
function ruleIdsWithTerms({ rules, default: byDefault, timezone }: Policy): readonly string[] {
  return [...rules, { id: 'default', denial: byDefault.denial }].flatMap(({ id, denial }) =>
    denial !== null && (timezone === 'device-local' || denial.grace !== null) ? [id] : [],
  );
}

/** Whether a rule came into force on this device, told at `noticed`, while it was away. */
function wasMissed(
  { zone, rule }: RuleTerms,
  noticed: number,
  { policy, catalogue, away }: Pick<InForce, 'policy' | 'catalogue'> & { readonly away: Absence },
): boolean {
  const denial = policy === null ? null : readyPolicy(policy, catalogue, zone).denialOf(rule);
  if (denial === null || !denial.hasGrace) return false;
  const inForceFrom = Math.max(denial.effective, denial.graceUntil(noticed));
  return inForceFrom > away.from && inForceFrom <= away.until;
}

/** The terms of the policy in force; what is new of them is in the store when it returns. */
export function termsOf(
  store: Store,
  { policy, catalogue }: InForce,
  around: { readonly zone: string; readonly now: number; readonly away: Absence | null },
): Terms {
  const ids = policy === null ? [] : ruleIdsWithTerms(policy);
  if (policy === null || ids.length === 0) return noTerms;
  const notices = new Map<string, number>();
  const zones = new Map<string, string>();
  const waiting: number[] = [];
  const known = store.terms(policy.policy);
  const { zone, now, away } = around;
  for (const rule of ids) {
    const before = known.get(rule);
    let terms = before ?? { rule, zone, judgedAt: null, toldAt: null, returnedAt: null };
    const noticed = firstNotice(terms, now);
    if (noticed !== null && away !== null && terms.returnedAt === null) {
      if (wasMissed(terms, noticed, { policy, catalogue, away })) {
        terms = { ...terms, returnedAt: away.until };
        // What was said of the date holds no longer.
        store.forgetPromptsOf(`${policy.policy}/${rule}`);
      }
    }
    if (terms !== before) store.putTerms(policy.policy, terms);
    zones.set(rule, terms.zone);
    if (noticed !== null) notices.set(rule, Math.max(noticed, terms.returnedAt ?? noticed));
    else if (terms.judgedAt !== null) waiting.push(terms.judgedAt + untoldMs);
  }
  return { notices, zones, nextNotice: waiting.length === 0 ? null : Math.min(...waiting) };
}

/**
 * Keeps which rules with a grace were judged and announced. Where nobody is to be told, as the rule
 * only observes until then, or can be (`isHeard` false), that is the notice itself; answers whether
 * there was one.
 */
export function noteJudged(
  store: Store,
  verdicts: Iterable<Verdict>,
  around: { readonly now: number; readonly isHeard: boolean },
): boolean {
  const { now, isHeard } = around;
  const seen = new Set<string>();
  let isNoticed = false;
  for (const verdict of verdicts) {
    const { policy, rule, status, announce, action, graceUntil } = verdict;
    if (policy === null || rule === null || status !== 'pending' || seen.has(rule)) continue;
    if (graceUntil === undefined || verdict.noticed !== undefined) continue;
    if (announce !== null && now < announce) continue;
    seen.add(rule);
    const terms = store.terms(policy).get(rule);
    if (terms === undefined) continue;
    const isSilent = action === 'observe' || !isHeard;
    if (isSilent) store.putTerms(policy, { ...terms, toldAt: now });
    else if (terms.judgedAt === null) store.putTerms(policy, { ...terms, judgedAt: now });
    isNoticed ||= isSilent;
  }
  return isNoticed;
}

/** A person was told of a verdict; answers whether that is the rule's first notice on this device. */
export function noteTold(store: Store, { policy, rule }: Verdict, now: number): boolean {
  if (policy === null || rule === null) return false;
  const terms = store.terms(policy).get(rule);
  if (terms === undefined || firstNotice(terms, now) !== null) return false;
  store.putTerms(policy, { ...terms, toldAt: now });
  return true;
}
