/**
 * A policy made ready for many evaluations: dates as instants, matches as conditions, and for each
 * tool the few rules that can speak of it. Made once per policy, catalogue and zone and kept as long
 * as the policy lives; nothing in it depends on a component, a device or the time.
 */
import type { Catalogue } from './catalogue.js';
import { addDuration, dayBounds, daysLeft, resolveDate, zoneOf } from './dates.js';
import type { Action, Decision, Denial, Policy, Rule, Severity } from './document.js';
import { conditionsOf, testAll, type Answer, type Subject } from './match.js';
import { indexRules, type IndexedRule, type Reaching } from './rule-index.js';
import type { TracedCondition } from './trace.js';

export interface ReadyDenial {
  /** The zone in which its dates were read, where that is the device's own; else null. */
  readonly deviceZone: string | null;
  readonly severity: Severity;
  /** Epoch ms. */
  readonly announce: number | null;
  readonly effective: number;
  readonly before: Action;
  readonly after: Action;
  readonly hasGrace: boolean;
  readonly replacement: Denial['replacement'];
  /** When the grace of a device ends that was first told then; that very instant where there is none. */
  graceUntil(noticed: number): number;
  /** The later and stronger action of a device on which it came into force then; null for none. */
  escalation(inForceFrom: number): { readonly at: number; readonly action: Action } | null;
  /** Calendar days from `now` until it is in force. */
  daysLeftAt(now: number, inForceFrom: number): number;
}

export interface ReadyRule {
  readonly id: string;
  readonly decision: Decision;
  readonly denial: ReadyDenial | null;
  /** `unknown`: all is met but a version that cannot be compared, or a gateway that cannot be told. */
  test(subject: Subject): Answer;
  /** Each condition with what it asks for and what it found. */
  trace(subject: Subject): readonly TracedCondition[];
}

export interface ReadyPolicy {
  readonly id: string;
  readonly rules: readonly ReadyRule[];
  readonly default: { readonly decision: Decision; readonly denial: ReadyDenial | null };
  /** The denial of a rule, or of `default`; null for what does not deny. */
  denialOf(rule: string): ReadyDenial | null;
  /** The rules, in order, that can match a component. */
  rulesFor(subject: Subject): readonly Reaching[];
}

/** More instants of one kind than devices share: what is remembered of them is forgotten then. */
const mostInstants = 10_000;

/** Calendars cost a thousand times a comparison, and devices of a fleet share most of their instants. */
function remembering(count: (at: number) => number): (at: number) => number {
  const known = new Map<number, number>();
  return (at) => {
    let result = known.get(at);
    if (result === undefined) {
      if (known.size >= mostInstants) known.clear();
      known.set(at, (result = count(at)));
    }
    return result;
  };
}

/** Days until an instant; a day's answer is the same all day. */
function countingDays(zone: string): ReadyDenial['daysLeftAt'] {
  let today = { from: 0, until: 0, daysTo: (_: number): number => 0 };
  return (now, inForceFrom) => {
    if (now < today.from || now >= today.until) {
      const daysTo = remembering((at) => daysLeft(now, at, zone));
      today = { ...dayBounds(now, zone), daysTo };
    }
    return today.daysTo(inForceFrom);
  };
}

function readyDenial(denial: Denial, policy: Policy, deviceZone: string): ReadyDenial {
  const zone = zoneOf(policy.timezone, deviceZone);
  const instant = (date: string): number => resolveDate(date, policy.timezone, deviceZone);
  const { grace, escalate } = denial;
  const escalated =
    escalate === null ? null : remembering((at) => addDuration(at, escalate.after, zone));
  return {
    deviceZone: policy.timezone === 'device-local' ? deviceZone : null,
    severity: denial.severity,
    announce: denial.announce === null ? null : instant(denial.announce),
    effective: instant(denial.effective),
    before: denial.before,
    after: denial.after,
    hasGrace: grace !== null,
    replacement: denial.replacement,
    graceUntil: grace === null ? (at) => at : remembering((at) => addDuration(at, grace, zone)),
    escalation: (from) =>
      escalate === null || escalated === null
        ? null
        : { at: escalated(from), action: escalate.action },
    daysLeftAt: countingDays(zone),
  };
}

function compileRule(rule: Rule, policy: Policy, catalogue: Catalogue, zone: string): IndexedRule {
  const conditions = conditionsOf(rule.match, catalogue);
  return {
    match: rule.match,
    conditions,
    rule: {
      id: rule.id,
      decision: rule.decision,
      denial: rule.denial === null ? null : readyDenial(rule.denial, policy, zone),
      test: (subject) => testAll(conditions, subject),
      trace: (subject) =>
        conditions.map((one) => ({
          field: one.field,
          asked: one.asked,
          found: one.found(subject),
          answer: one.test(subject),
        })),
    },
  };
}

function compilePolicy(policy: Policy, catalogue: Catalogue, zone: string): ReadyPolicy {
  const compiled = policy.rules.map((rule) => compileRule(rule, policy, catalogue, zone));
  const { decision, denial } = policy.default;
  const byDefault = denial === null ? null : readyDenial(denial, policy, zone);
  const denials = new Map(compiled.map(({ rule }) => [rule.id, rule.denial]));
  return {
    id: policy.policy,
    rules: compiled.map(({ rule }) => rule),
    default: { decision, denial: byDefault },
    denialOf: (rule) => denials.get(rule) ?? (rule === 'default' ? byDefault : null),
    rulesFor: indexRules(compiled),
  };
}

const ready = new WeakMap<Policy, WeakMap<Catalogue, Map<string, ReadyPolicy>>>();

/** The policy ready for evaluation. `deviceZone` counts only where the policy says `device-local`. */
export function readyPolicy(policy: Policy, catalogue: Catalogue, deviceZone: string): ReadyPolicy {
  const zone = policy.timezone === 'device-local' ? deviceZone : 'UTC';
  let byCatalogue = ready.get(policy);
  if (byCatalogue === undefined) ready.set(policy, (byCatalogue = new WeakMap()));
  let byZone = byCatalogue.get(catalogue);
  if (byZone === undefined) byCatalogue.set(catalogue, (byZone = new Map()));
  let made = byZone.get(zone);
  if (made === undefined) byZone.set(zone, (made = compilePolicy(policy, catalogue, zone)));
  return made;
}
