/**
 * A policy made ready for many evaluations: dates as instants, matches as conditions, and for each
 * tool the few rules that can speak of it. Made once per policy, catalogue and zone and kept as long
 * as the policy lives; nothing in it depends on a component, a device or the time.
 */
import type { Catalogue } from './catalogue.js';
import { dayBounds, daysLeft, resolveDate, zoneOf } from './dates.js';
import type { Action, Decision, Denial, Policy, Rule, Severity } from './document.js';
import { conditionsOf, type Answer, type Condition, type Subject } from './match.js';
import type { TracedCondition } from './trace.js';

export interface ReadyDenial {
  readonly severity: Severity;
  /** Epoch ms. */
  readonly announce: number | null;
  readonly effective: number;
  readonly before: Action;
  readonly after: Action;
  readonly replacement: Denial['replacement'];
  daysLeftAt(now: number): number;
}

export interface ReadyRule {
  readonly id: string;
  readonly decision: Decision;
  readonly denial: ReadyDenial | null;
  /** `unknown`: all is met but a version that cannot be compared. */
  test(subject: Subject): Answer;
  /** Each condition with what it asks for and what it found. */
  trace(subject: Subject): readonly TracedCondition[];
}

export interface ReadyPolicy {
  readonly id: string;
  readonly rules: readonly ReadyRule[];
  readonly default: { readonly decision: Decision; readonly denial: ReadyDenial | null };
  /** The rules, in order, that can match a component of this tool. */
  rulesFor(subject: Subject): readonly ReadyRule[];
}

function readyDenial(denial: Denial, policy: Policy, deviceZone: string): ReadyDenial {
  const zone = zoneOf(policy.timezone, deviceZone);
  const instant = (date: string): number => resolveDate(date, policy.timezone, deviceZone);
  const effective = instant(denial.effective);
  let today = { from: 0, until: 0, days: 0 };
  return {
    severity: denial.severity,
    announce: denial.announce === null ? null : instant(denial.announce),
    effective,
    before: denial.before,
    after: denial.after,
    replacement: denial.replacement,
    daysLeftAt: (now) => {
      // Counting days costs a thousand times a comparison, and a day's answer is the same all day.
      if (now < today.from || now >= today.until) {
        today = { ...dayBounds(now, zone), days: daysLeft(now, effective, zone) };
      }
      return today.days;
    },
  };
}

function testAll(conditions: readonly Condition[], subject: Subject): Answer {
  let answer: Answer = 'yes';
  for (const condition of conditions) {
    const one = condition.test(subject);
    if (one === 'no') return 'no';
    if (one === 'unknown') answer = 'unknown';
  }
  return answer;
}

interface Compiled {
  readonly rule: ReadyRule;
  readonly ofTool: readonly Condition[];
}

function compileRule(rule: Rule, policy: Policy, catalogue: Catalogue, zone: string): Compiled {
  const conditions = conditionsOf(rule.match, catalogue);
  return {
    ofTool: conditions.filter(({ isOfTool }) => isOfTool),
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

/** More tools than any catalogue has: ids from outside must not fill the memory. */
const mostTools = 10_000;

function compilePolicy(policy: Policy, catalogue: Catalogue, zone: string): ReadyPolicy {
  const compiled = policy.rules.map((rule) => compileRule(rule, policy, catalogue, zone));
  const { decision, denial } = policy.default;
  const byTool = new Map<string | null, readonly ReadyRule[]>();
  return {
    id: policy.policy,
    rules: compiled.map(({ rule }) => rule),
    default: {
      decision,
      denial: denial === null ? null : readyDenial(denial, policy, zone),
    },
    rulesFor: (subject) => {
      const id = subject.component.tool;
      const known = byTool.get(id);
      if (known !== undefined) return known;
      const possible = compiled.filter(({ ofTool }) => testAll(ofTool, subject) === 'yes');
      const rules = possible.map(({ rule }) => rule);
      if (byTool.size >= mostTools) byTool.clear();
      byTool.set(id, rules);
      return rules;
    },
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
