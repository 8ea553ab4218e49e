/**
 * The answer to "why?": a component's verdict with every rule tried, what happens next and when, and what
 * to do about it; plain JSON, the same on a device and on the server. It judges with `evaluate` alone.
 * Where the one who explains does not know what the device knows, it says so and decides nothing.
 */
import type { Catalogue } from './catalogue.js';
import type { Component } from './component.js';
import { zoneOf } from './dates.js';
import type { Action, Denial, Match, Rule, Severity, Text } from './document.js';
import {
  evaluate,
  type EvaluationInput,
  type TraceStep,
  type Verdict,
  type VerdictStatus,
} from './evaluate.js';
import { instantText } from './instant-text.js';
import { languages, type Language } from './language.js';
import { clauseOf, type TraceCause } from './trace.js';

type Iso = string;

export interface ExplainedVerdict {
  readonly status: VerdictStatus;
  readonly rule: string | null;
  readonly severity: Severity | null;
  readonly announce: Iso | null;
  readonly effective: Iso | null;
  readonly noticed: Iso | null;
  readonly graceUntil: Iso | null;
  readonly escalates: Iso | null;
  readonly daysLeft: number | null;
  readonly action: Action | null;
  readonly effectiveAction: Action | null;
}

/** One exception, rule or default that was tried, in the order of trying. */
export interface ExplainedStep {
  readonly rule: string;
  readonly matched: boolean;
  /** Why it did or did not match, a clause in each language. */
  readonly why: Readonly<Record<Language, string>>;
  readonly cause: PlainCause;
}

/** A cause with its instants as ISO 8601. */
export type PlainCause =
  | Exclude<TraceCause, { kind: 'exception' }>
  | (Omit<Extract<TraceCause, { kind: 'exception' }>, 'from' | 'until'> & {
      readonly from?: Iso;
      readonly until: Iso;
    });

/** What the verdict becomes by itself. */
export interface ComingChange {
  readonly at: Iso;
  readonly status: VerdictStatus;
  readonly rule: string | null;
  readonly action: Action | null;
  readonly effectiveAction: Action | null;
}

export interface Advice {
  /** Why the policy denies it, by language. */
  readonly reason: Text;
  readonly evidence: readonly string[];
  readonly replacement: {
    readonly tool: string;
    readonly name: string;
    readonly guide: string | null;
  } | null;
  /** Where to ask. */
  readonly contact: string | null;
}

export interface Explanation {
  readonly component: Pick<
    Component,
    | 'id'
    | 'tool'
    | 'name'
    | 'version'
    | 'channel'
    | 'manager'
    | 'path'
    | 'owner'
    | 'scope'
    | 'state'
  > & { readonly toolName: string };
  /** null: the device follows none. `zone`: in which the policy counts days. */
  readonly policy: {
    readonly policy: string;
    readonly title: string;
    readonly zone: string;
  } | null;
  readonly deviceZone: string;
  /** For which instant it was judged. */
  readonly at: Iso;
  /** null: not decided, because of `undecided`. */
  readonly verdict: ExplainedVerdict | null;
  /** The first rule, and its fields, that only the device can decide. */
  readonly undecided: { readonly rule: string; readonly fields: readonly string[] } | null;
  /** Why less is done than the policy asks for: the device may do no more, or the time is not certain. */
  readonly limit: 'ceiling' | 'time' | null;
  readonly steps: readonly ExplainedStep[];
  /** What comes after the deciding one and was not tried. */
  readonly untried: readonly string[];
  readonly coming: readonly ComingChange[];
  /** Whether grace has not begun: `coming` takes it to begin as soon as people may be told. */
  readonly awaitsNotice: boolean;
  readonly advice: Advice | null;
}

export interface ExplainOptions {
  /** The fields of a rule's match that the one who explains does not know of this component. */
  readonly unreported?: (rule: Rule) => readonly (keyof Match)[];
  /**
   * Epoch ms: at a later instant, a grace of which no notice is known is taken to have begun then, or
   * when people were first to be told. Left out, grace begins at the very instant that is asked for.
   */
  readonly noticedFrom?: number;
  /** False where the ceiling of the device is not known: then no action under it is said. */
  readonly isCeilingKnown?: boolean;
  /** Where to ask when the policy does not say. */
  readonly contact?: string | null;
}

const iso = (at: number): Iso => new Date(at).toISOString();
const isoOrNull = (at: number | null | undefined): Iso | null => (at == null ? null : iso(at));

/** Explains one component at one instant. */
export function explain(input: EvaluationInput, options: ExplainOptions = {}): Explanation {
  const { policy, catalogue, component, device, now } = input;
  const asked = evaluate(input);
  const { noticedFrom = now } = options;
  const notices = noticesFrom(asked.verdict, noticedFrom, input);
  const { verdict, trace } = noticedFrom < now ? evaluate({ ...input, notices }) : asked;
  const { unreported = () => [], isCeilingKnown = true, contact = null } = options;
  const rules = new Map(policy?.rules.map((rule) => [rule.id, rule]));
  const steps = trace.map((one) => {
    const rule = one.cause.kind === 'rule' ? rules.get(one.rule) : undefined;
    return rule === undefined ? one : withUnreported(one, unreported(rule));
  });
  const underCeiling = <T extends Pick<ExplainedVerdict, 'effectiveAction'>>(said: T): T =>
    isCeilingKnown ? said : { ...said, effectiveAction: null };
  const open = steps.find((one) => !one.matched && isOpen(one)) ?? null;
  const isDecided = open === null;
  const policyZone = verdict.zone ?? zoneOf(policy?.timezone ?? null, device.zone);
  const zones = policy === null ? [device.zone] : [policyZone, device.zone];
  const denial = isDecided ? denialOf(verdict, input) : null;
  return {
    component: { ...identityOf(component), toolName: toolNameOf(component, catalogue) },
    policy:
      policy === null ? null : { policy: policy.policy, title: policy.title, zone: policyZone },
    deviceZone: device.zone,
    at: iso(now),
    verdict: isDecided ? underCeiling(plainVerdict(verdict)) : null,
    undecided: open === null ? null : { rule: open.rule, fields: openFields(open) },
    limit: isDecided && isCeilingKnown ? limitOf(verdict, { ...input, notices }) : null,
    steps: steps.map((one) => explainedStep(one, zones)),
    untried: untriedOf(input, steps),
    coming: isDecided ? comingChanges({ ...input, notices }).map(underCeiling) : [],
    awaitsNotice: isDecided && awaitsNotice(asked.verdict, input),
    advice: denial === null ? null : adviceOf(denial, input, contact),
  };
}

function identityOf(component: Component): Omit<Explanation['component'], 'toolName'> {
  const { id, tool, name, version, channel, manager, path, owner, scope, state } = component;
  return { id, tool, name, version, channel, manager, path, owner, scope, state };
}

const toolNameOf = ({ tool, name }: Component, catalogue: Catalogue): string =>
  tool === null ? name : (catalogue.tool(tool)?.name ?? tool);

function plainVerdict(verdict: Verdict): ExplainedVerdict {
  const { status, rule, severity, daysLeft, action, effectiveAction } = verdict;
  return {
    ...{ status, rule, severity, daysLeft, action, effectiveAction },
    announce: isoOrNull(verdict.announce),
    effective: isoOrNull(verdict.effective),
    noticed: isoOrNull(verdict.noticed),
    graceUntil: isoOrNull(verdict.graceUntil),
    escalates: isoOrNull(verdict.escalates),
  };
}

function limitOf(verdict: Verdict, input: EvaluationInput): Explanation['limit'] {
  const { action, effectiveAction } = verdict;
  if (action === null || action === effectiveAction) return null;
  const { settledUntil: _, ...settled } = input;
  return evaluate(settled).verdict.effectiveAction === effectiveAction ? 'ceiling' : 'time';
}

/** A step as one sees it who does not know these fields. */
function withUnreported(step: TraceStep, unreported: readonly (keyof Match)[]): TraceStep {
  const { cause } = step;
  if (cause.kind !== 'rule' || !cause.conditions.some(({ field }) => unreported.includes(field))) {
    return step;
  }
  const conditions = cause.conditions.map((one) =>
    unreported.includes(one.field) ? { ...one, found: null, answer: 'not-reported' as const } : one,
  );
  const matched = conditions.every(({ answer }) => answer === 'yes');
  return { ...step, matched, cause: { ...cause, conditions } };
}

/** Whether all that is known of it holds and something is not known. */
function isOpen({ cause }: TraceStep): boolean {
  if (cause.kind !== 'rule') return false;
  const has = (wanted: string): boolean => cause.conditions.some((one) => one.answer === wanted);
  return has('not-reported') && !has('no');
}

function openFields({ cause }: TraceStep): readonly string[] {
  if (cause.kind !== 'rule') return [];
  return cause.conditions.flatMap(({ field, answer }) =>
    answer === 'not-reported' ? [field] : [],
  );
}

function explainedStep(
  { rule, matched, cause }: TraceStep,
  zones: readonly string[],
): ExplainedStep {
  const why = Object.fromEntries(
    languages.map((language) => [
      language,
      clauseOf(cause, language, (at) => instantText(at, zones, language)),
    ]),
  ) as Record<Language, string>;
  return { rule, matched, why, cause: plainCause(cause) };
}

function plainCause(cause: TraceCause): PlainCause {
  if (cause.kind !== 'exception') return cause;
  const { from, until, ...rest } = cause;
  return { ...rest, ...(from === undefined ? {} : { from: iso(from) }), until: iso(until) };
}

function untriedOf({ policy }: EvaluationInput, steps: readonly TraceStep[]): readonly string[] {
  const tried = new Set(steps.map(({ rule }) => rule));
  const all = [
    ...(policy?.rules.map(({ id }) => id) ?? []),
    ...(policy === null ? [] : ['default']),
  ];
  return all.filter((id) => !tried.has(id));
}

/** The denial that speaks of the component, in force or not, or that an exception holds off. */
function denialOf(
  { status, rule }: Verdict,
  { policy }: Pick<EvaluationInput, 'policy'>,
): Denial | null {
  if (policy === null || !['violation', 'pending', 'unknown', 'excepted'].includes(status)) {
    return null;
  }
  const named = policy.rules.find(({ id }) => id === rule);
  return named === undefined ? policy.default.denial : named.denial;
}

function adviceOf(denial: Denial, input: EvaluationInput, contact: string | null): Advice {
  const { policy, catalogue } = input;
  const { reason, evidence, replacement } = denial;
  return {
    reason,
    evidence,
    replacement:
      replacement === null
        ? null
        : {
            tool: replacement.tool,
            name: catalogue.tool(replacement.tool)?.name ?? replacement.tool,
            guide: replacement.guide,
          },
    contact: policy?.contact ?? contact,
  };
}

/** More changes than any policy has for one component. */
const mostChanges = 10;

/** What the verdict becomes from now on if nothing but the time changes, in order. */
function comingChanges({ settledUntil: _, ...input }: EvaluationInput): readonly ComingChange[] {
  const changes: ComingChange[] = [];
  let { now } = input;
  let { verdict } = evaluate(input);
  let notices = noticesFrom(verdict, now, input);
  // Each instant is one at which something begins or ends; not all change the verdict.
  for (let looks = 0; looks < 4 * mostChanges && changes.length < mostChanges; looks += 1) {
    ({ verdict } = evaluate({ ...input, now, notices }));
    const next = nextInstant(verdict, input, now);
    if (next === null) break;
    now = next;
    const before = wordsOf(verdict);
    ({ verdict } = evaluate({ ...input, now, notices }));
    notices = noticesFrom(verdict, now, { ...input, notices });
    const after = wordsOf(verdict);
    if (JSON.stringify(before) !== JSON.stringify(after)) changes.push({ at: iso(now), ...after });
  }
  return changes;
}

/** Grace that has not begun begins when people may first be told. */
function noticesFrom(
  verdict: Verdict,
  now: number,
  input: Pick<EvaluationInput, 'policy' | 'notices'>,
): ReadonlyMap<string, number> {
  const { rule, announce } = verdict;
  const { notices = new Map<string, number>() } = input;
  if (!awaitsNotice(verdict, input) || rule === null) return notices;
  return new Map([...notices, [rule, Math.max(now, announce ?? now)]]);
}

/** Whether the rule gives a grace of which no notice is known. */
function awaitsNotice(verdict: Verdict, input: Pick<EvaluationInput, 'policy'>): boolean {
  const { graceUntil, noticed } = verdict;
  if (graceUntil === undefined || noticed !== undefined) return false;
  return denialOf(verdict, input)?.grace != null;
}

function wordsOf({ status, rule, action, effectiveAction }: Verdict): Omit<ComingChange, 'at'> {
  return { status, rule, action, effectiveAction };
}

function nextInstant(
  verdict: Verdict,
  { exceptions }: EvaluationInput,
  now: number,
): number | null {
  const { announce, effective, escalates } = verdict;
  const instants = [announce, effective, escalates ?? null];
  for (const { from, until } of exceptions) instants.push(from ?? null, until);
  const later = instants.filter((at) => at !== null && at > now) as number[];
  return later.length === 0 ? null : Math.min(...later);
}
