/**
 * The judgement: a policy applied to one component at one instant. Pure: no I/O, no clock, no state
 * but policies made ready for matching. Precedence: exceptions first, then rules in order, then
 * `default`. What cannot be decided is `unknown`, which never counts as clear.
 */
import type { Catalogue } from './catalogue.js';
import type { Channel, Component, Platform } from './component.js';
import type { Action, Decision, Policy, Severity } from './document.js';
import { exceptionCauses, exceptionThatHolds, type Exception } from './exceptions.js';
import { actionAt, certainAction, termsOf } from './in-force.js';
import { normalPackage, packageOf, type Subject } from './match.js';
import { readyPolicy, type ReadyDenial, type ReadyPolicy, type ReadyRule } from './ready.js';
import { clauseOf, type DefaultReach, type TraceCause } from './trace.js';

/** Worst first: a finding's verdict is the first of these that any of its components has. */
export const verdictStatuses = [
  'violation',
  'pending',
  'unknown',
  'review',
  'excepted',
  'allowed',
  'approved',
] as const;
export type VerdictStatus = (typeof verdictStatuses)[number];

export type { Exception } from './exceptions.js';

/** What evaluation must know of the device. */
export interface DeviceContext {
  readonly id: string;
  readonly hardwareId: string | null;
  /** The person of the component's owner on this device: `AssignedUser` or account@device. */
  readonly person: string | null;
  readonly group: string | null;
  readonly platform: Platform;
  /** IANA zone of the device, for `device-local` dates of rules that are not in `zones`. */
  readonly zone: string;
  /** Whose device it is (`AssignedUser`), for policies that name persons; left out where nobody said. */
  readonly assignedUser?: string | null;
  /** Ceiling of the machine's settings. */
  readonly maxAction: Action;
  /** Home folder of the component's owner, for `~` in paths; without it the usual places of homes. */
  readonly home?: string | null;
}

export interface Verdict {
  readonly status: VerdictStatus;
  readonly policy: string | null;
  /** Id of the deciding rule; `default` for the default; null when no policy applies. */
  readonly rule: string | null;
  readonly severity: Severity | null;
  /** Epoch ms; null when the deciding rule does not deny. */
  readonly announce: number | null;
  /** From when it is in force on this device: the policy's date, or the end of the device's grace. */
  readonly effective: number | null;
  /** When the device was first told of the rule, where that counts: the rule gives a grace. */
  readonly noticed?: number;
  /** The zone in which `device-local` dates of the rule were read; left out for any other timezone. */
  readonly zone?: string;
  /** Until when the device has grace, by the rule or its assignment; after the policy's date or before. */
  readonly graceUntil?: number;
  /** From when the later, stronger action of the rule is asked for, where it has one. */
  readonly escalates?: number;
  /** Calendar days in the policy's zone from today to the effective day: 0 on the day, negative after. */
  readonly daysLeft: number | null;
  /** What the policy asks for at this instant. */
  readonly action: Action | null;
  /** The same under the machine's ceiling. */
  readonly effectiveAction: Action | null;
  readonly replacement: { readonly tool: string; readonly guide: string | null } | null;
}

/** Why one rule (or exception, or the default) did or did not decide. */
export interface TraceStep {
  readonly rule: string;
  readonly matched: boolean;
  /** In an English clause; `clauseOf` says the cause in other languages. */
  readonly why: string;
  readonly cause: TraceCause;
}

export interface Evaluation {
  readonly verdict: Verdict;
  readonly trace: readonly TraceStep[];
}

export interface EvaluationInput {
  /** The one policy this device follows; null: verdict `unknown`, nothing is done. */
  readonly policy: Policy | null;
  readonly catalogue: Catalogue;
  readonly exceptions: readonly Exception[];
  readonly component: Component;
  readonly device: DeviceContext;
  /** Epoch ms of trusted time. */
  readonly now: number;
  /**
   * Rule id to the instant (epoch ms) at which this device was first told of it, from which grace
   * counts; `default` for the default. A rule that is not in it has not been told of yet: it is in
   * force no earlier than its grace from now. Only rules with a grace are looked up.
   */
  readonly notices?: ReadonlyMap<string, number>;
  /** Epoch ms: the assignment lets nothing be in force on this device before; never makes it earlier. */
  readonly assignedGrace?: number;
  /** Rule id to the zone in which its `device-local` dates were read, once and for all. */
  readonly zones?: ReadonlyMap<string, string>;
  /**
   * Epoch ms: what comes into force up to this instant may be enforced. `block` and `remove` of what
   * came later wait until time is confirmed or was counted; left out, nothing waits.
   */
  readonly settledUntil?: number;
}

/** Mildest first, as `actions` of the document. */
const strength: Readonly<Record<Action, number>> = { observe: 0, notify: 1, block: 2, remove: 3 };

/** The milder of two actions: what a ceiling leaves of what is asked for. */
export const milder = (one: Action, other: Action): Action =>
  strength[one] <= strength[other] ? one : other;

/** A finding's verdict: the worst of its components'. null for none, which is no finding. */
export function worst(statuses: Iterable<VerdictStatus>): VerdictStatus | null {
  const present = new Set(statuses);
  return verdictStatuses.find((status) => present.has(status)) ?? null;
}

/** Who decided: a rule whose match holds, one of which only something is not known, or the default. */
type Decider =
  | { readonly kind: 'rule'; readonly rule: ReadyRule; readonly isUndecided: boolean }
  | { readonly kind: 'default'; readonly reach: DefaultReach };

function reachOf({ component }: Subject): DefaultReach {
  const isInUse =
    component.state === 'running' ||
    (component.state === 'installed' && component.scope === 'global');
  if (!isInUse) return 'not in use';
  return component.tool === null ? 'not a known tool' : 'full';
}

function decide(ready: ReadyPolicy, subject: Subject): Decider {
  for (const { rule, test } of ready.rulesFor(subject)) {
    const answer = test(subject);
    if (answer !== 'no') return { kind: 'rule', rule, isUndecided: answer === 'unknown' };
  }
  return { kind: 'default', reach: reachOf(subject) };
}

const nothingAsked = {
  severity: null,
  announce: null,
  effective: null,
  daysLeft: null,
  action: null,
  effectiveAction: null,
  replacement: null,
} as const;

const undenied: Readonly<Record<Exclude<Decision, 'deny'>, VerdictStatus>> = {
  approve: 'approved',
  allow: 'allowed',
  review: 'review',
};

/** A decision at an instant; `denial` is there exactly when it denies. */
function verdictOf(
  decided: { policy: string; rule: string; decision: Decision; denial: ReadyDenial | null },
  input: EvaluationInput,
): Verdict {
  const { policy, rule, decision, denial } = decided;
  const { now, device } = input;
  if (decision !== 'deny' || denial === null) {
    const status = decision === 'deny' ? 'unknown' : undenied[decision];
    return { status, policy, rule, ...nothingAsked };
  }
  const terms = termsOf(rule, denial, input);
  const { effective, noticed, graceUntil, escalation } = terms;
  const action = actionAt(denial, terms, now);
  const verdict: Verdict = {
    status: now >= effective ? 'violation' : 'pending',
    policy,
    rule,
    severity: denial.severity,
    announce: denial.announce,
    effective,
    daysLeft: denial.daysLeftAt(now, effective),
    action,
    effectiveAction: milder(milder(action, device.maxAction), certainAction(denial, terms, input)),
    replacement: denial.replacement,
  };
  // Most rules have none of these, and an object without spreads costs less.
  const { deviceZone } = denial;
  if (deviceZone === null && graceUntil === undefined && escalation === null) return verdict;
  return {
    ...verdict,
    ...(noticed !== undefined && { noticed }),
    ...(deviceZone !== null && { zone: deviceZone }),
    ...(graceUntil !== undefined && { graceUntil }),
    ...(escalation !== null && { escalates: escalation.at }),
  };
}

/** A rule's denial with its dates in the zone that was fixed for the rule, where one was. */
function fixedDenial(
  rule: string,
  denial: ReadyDenial | null,
  { policy, catalogue, zones }: EvaluationInput,
): ReadyDenial | null {
  const zone = zones?.get(rule);
  if (zone === undefined || policy === null) return denial;
  if (denial === null || denial.deviceZone === null || denial.deviceZone === zone) return denial;
  return readyPolicy(policy, catalogue, zone).denialOf(rule);
}

function verdictBy(decider: Decider, ready: ReadyPolicy, input: EvaluationInput): Verdict {
  const policy = ready.id;
  if (decider.kind === 'rule') {
    const { id: rule, decision } = decider.rule;
    const denial = fixedDenial(rule, decider.rule.denial, input);
    const verdict = verdictOf({ policy, rule, decision, denial }, input);
    // The date stays visible, but nothing is asked for on a guess.
    return decider.isUndecided
      ? { ...verdict, status: 'unknown', action: null, effectiveAction: null }
      : verdict;
  }
  const { decision } = ready.default;
  switch (decider.reach) {
    case 'full': {
      const denial = fixedDenial('default', ready.default.denial, input);
      return verdictOf({ policy, rule: 'default', decision, denial }, input);
    }
    case 'not in use':
      return { status: 'allowed', policy, rule: 'default', ...nothingAsked };
    case 'not a known tool': {
      // Nobody has said that this is an AI tool, candidates included: it is never denied for being one.
      const status = decision === 'allow' ? 'allowed' : 'review';
      return { status, policy, rule: 'default', ...nothingAsked };
    }
  }
}

const unexceptable: ReadonlySet<VerdictStatus> = new Set(['allowed', 'approved']);

/**
 * The verdict on a component, and why. An exception that holds is final, but never makes a verdict
 * worse: what is allowed anyway stays so. The trace is made when it is first read.
 */
export function evaluate(input: EvaluationInput): Evaluation {
  const { policy, catalogue, component, device } = input;
  if (policy === null) {
    return {
      verdict: { status: 'unknown', policy: null, rule: null, ...nothingAsked },
      trace: [step('none', false, { kind: 'no-policy' })],
    };
  }
  const ready = readyPolicy(policy, catalogue, device.zone);
  const tool = component.tool === null ? null : catalogue.tool(component.tool);
  const subject: Subject = { component, tool, device };
  const decider = decide(ready, subject);
  let verdict = verdictBy(decider, ready, input);
  const exception = exceptionThatHolds(input);
  const isExcepted = exception !== undefined && !unexceptable.has(verdict.status);
  if (isExcepted) {
    const { rule, replacement } = verdict;
    verdict = { status: 'excepted', policy: policy.policy, rule, ...nothingAsked, replacement };
  }
  return new Judgement(verdict, () => [
    ...exceptionCauses(input, isExcepted ? exception : undefined).map(({ id, holds, cause }) =>
      step(`exception ${id}`, holds, cause),
    ),
    ...ruleSteps(ready, subject, decider),
  ]);
}

/** A class, as a getter of its own for each evaluation would cost as much as the rest of it. */
class Judgement implements Evaluation {
  readonly verdict: Verdict;
  readonly #explain: () => readonly TraceStep[];
  #steps: readonly TraceStep[] | undefined;

  constructor(verdict: Verdict, explain: () => readonly TraceStep[]) {
    this.verdict = verdict;
    this.#explain = explain;
  }

  get trace(): readonly TraceStep[] {
    this.#steps ??= this.#explain();
    return this.#steps;
  }
}

const step = (rule: string, matched: boolean, cause: TraceCause): TraceStep => ({
  rule,
  matched,
  why: clauseOf(cause),
  cause,
});

function ruleSteps(ready: ReadyPolicy, subject: Subject, decider: Decider): TraceStep[] {
  const steps: TraceStep[] = [];
  for (const rule of ready.rules) {
    const isDeciding = decider.kind === 'rule' && decider.rule === rule;
    const conditions = rule.trace(subject);
    const cause = { kind: 'rule', decision: rule.decision, conditions } as const;
    steps.push(step(rule.id, rule.test(subject) === 'yes', cause));
    if (isDeciding) return steps;
  }
  const { state, scope, candidate = [] } = subject.component;
  const { decision } = ready.default;
  const reach = decider.kind === 'default' ? decider.reach : 'full';
  const cause = { kind: 'default', decision, reach, state, scope, candidate } as const;
  return [...steps, step('default', true, cause)];
}

/**
 * A number from 0 up to 100 that an id always has: FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/)
 * with a final mix, as the device ids of one maker differ in few bits.
 */
function percentileOf(id: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * 100;
}

/** Directories and device managers differ in capitals. */
const isOneOf = (person: string, persons: readonly string[]): boolean =>
  persons.some((one) => one.toLowerCase() === person.toLowerCase());

/** The one policy a device follows: the first whose targets include it; null for none. */
export function selectPolicy(
  policies: readonly Policy[],
  device: Pick<DeviceContext, 'id' | 'group' | 'platform' | 'assignedUser'>,
): Policy | null {
  const isTarget = ({ targets: { groups, users, os, percent } }: Policy): boolean =>
    (groups === null || (device.group !== null && groups.includes(device.group))) &&
    (users === null || isOneOf(device.assignedUser ?? '', users)) &&
    (os === null || os.includes(device.platform)) &&
    (percent === null || percentileOf(device.id) < percent);
  return policies.find(isTarget) ?? null;
}

/**
 * The packages that rules name, by ecosystem and in normal form: detectors report these too, though
 * no entry of the catalogue claims them.
 */
export function ruleNames(policy: Policy | null): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { match } of policy?.rules ?? []) {
    for (const [ecosystem, names] of Object.entries(match.package ?? {})) {
      const known = found.get(ecosystem) ?? new Set();
      for (const name of names) known.add(normalPackage(ecosystem, name));
      found.set(ecosystem, known);
    }
  }
  return found;
}

/** Whether rules name the package that a component is; `named` is what `ruleNames` found. */
export function isNamedPackage(
  component: Component,
  named: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  const [ecosystem, name] = packageOf(component);
  return named.get(ecosystem)?.has(normalPackage(ecosystem, name)) === true;
}

/** Channels that a rule takes whole, whatever the tool: detectors report all of their components. */
export function wholeChannels(policy: Policy | null): ReadonlySet<Channel> {
  const whole = (policy?.rules ?? []).filter(
    ({ match }) => !(match.tool ?? match.kind ?? match.vendor ?? match.provider ?? match.package),
  );
  return new Set(whole.flatMap(({ match }) => match.channel ?? []));
}
