/**
 * What is in force on this device, from the signed documents it holds, and the verdict on each of its
 * components under it. Pure: the caller brings documents, components and the time. Without a bundle
 * there is no policy, and every verdict is `unknown`.
 */
import type { Catalogue } from '../policies/catalogue.js';
import type { Channel, Component, Platform } from '../policies/component.js';
import { parsePolicy, type Action, type Policy } from '../policies/document.js';
import { exceptionInstants } from '../policies/exceptions.js';
import {
  evaluate,
  ruleNames,
  selectPolicy,
  wholeChannels,
  type DeviceContext,
  type EvaluationInput,
  type Exception,
} from '../policies/evaluate.js';
import { nothingChosen, type Reporting } from '../policies/reporting.js';
import { exceptionsOf, pauseOf, type Pause } from '../wire/assignment.js';
import type { CurrentDocuments } from './report/documents.js';
import type { Judged } from './report/messages.js';
import type { StoredComponent } from './store.js';
import { noTerms, type Terms } from './terms.js';

/** What a policy makes detectors report beyond the catalogue. */
export interface AskedFor {
  /** Packages that rules name, by ecosystem. */
  readonly named: ReadonlyMap<string, ReadonlySet<string>>;
  /** Channels that a rule takes whole. */
  readonly wholeChannels: ReadonlySet<Channel>;
}

/** What of this device evaluation depends on. */
export interface Device {
  readonly id: string;
  readonly hardwareId: string | null;
  readonly platform: Platform;
  /** IANA zone now; that of `device-local` dates is fixed when a rule first arrives. */
  readonly zone: string;
  readonly maxAction: Action;
  readonly assignedUser: string | null;
  /** From the settings, until an assignment says. */
  readonly group: string | null;
}

export interface InForce {
  readonly policy: Policy | null;
  readonly catalogue: Catalogue;
  readonly exceptions: readonly Exception[];
  /** Account to person, from the assignment. */
  readonly persons: Readonly<Record<string, string>>;
  readonly group: string | null;
  /** False before an assignment has arrived, and while the bundle does not name the key that signed it. */
  readonly isAssigned: boolean;
  /** Epoch ms before which nothing is in force on this device, from the assignment; null: it says none. */
  readonly assignedGrace: number | null;
  /** Stops all acting at an instant; null: there is none. */
  readonly pauseAt: (now: number) => Pause;
  readonly bundleSequence: number | null;
  readonly asked: AskedFor;
  /** What of this device's components is reported; without a policy, by the defaults. */
  readonly reporting: Reporting;
  /** Epoch ms: a full scan older than this is repeated; null: none is asked for. */
  readonly rescanAfter: number | null;
  /** Policies of the bundle that this version cannot read. */
  readonly unreadable: number;
}

/** The one policy this device follows, with all that goes with it. */
export function inForce(
  { bundle, assignment, catalogue }: CurrentDocuments,
  device: Device,
): InForce {
  const group = assignment === null ? device.group : assignment.group;
  const parsed = [...(bundle?.policies ?? [])]
    .sort((one, other) => one.priority - other.priority)
    .map(({ yaml }) => parsePolicy(yaml));
  const policies = parsed.flatMap((one) => (one.kind === 'policy' ? [one.policy] : []));
  const { id, platform, assignedUser } = device;
  const policy = selectPolicy(policies, { id, group, platform, assignedUser });
  const named = ruleNames(policy);
  const after = assignment?.rescanAfter ?? null;
  return {
    policy,
    catalogue,
    exceptions: assignment === null ? [] : exceptionsOf(assignment),
    persons: assignment?.persons ?? {},
    group,
    isAssigned: assignment !== null,
    assignedGrace: assignment?.graceUntil == null ? null : Date.parse(assignment.graceUntil),
    pauseAt: (now) => (assignment === null ? null : pauseOf(assignment, now)),
    bundleSequence: bundle?.sequence ?? null,
    asked: { named, wholeChannels: wholeChannels(policy) },
    reporting: { choices: policy?.report ?? nothingChosen, named },
    rescanAfter: after === null ? null : Date.parse(after),
    unreadable: parsed.length - policies.length,
  };
}

/** Whether two sets of rules ask a scan for different things. */
export function asksAnew(before: InForce, after: InForce): boolean {
  const words = ({ catalogue, asked }: InForce): string =>
    JSON.stringify([
      catalogue.sha256,
      [...asked.named].map(([ecosystem, names]) => [ecosystem, ...[...names].sort()]),
      [...asked.wholeChannels].sort(),
    ]);
  return words(before) !== words(after);
}

/** Clocks of server and device may differ by this and agree (design, time). */
const agreementMs = 10 * 60_000;
/** Between two scans that assignments ask for. */
const rescanGapMs = 10 * 60_000;

/**
 * In how many ms the full scan is due that an assignment asks for; null: none is. One that was asked for
 * in the future is not due, and never do assignments make a device scan without end.
 */
export function rescanWaitMs(
  { rescanAfter }: Pick<InForce, 'rescanAfter'>,
  lastFull: number | null,
  now: number,
): number | null {
  if (rescanAfter === null || rescanAfter > now + agreementMs) return null;
  if (lastFull === null) return 0;
  return lastFull >= rescanAfter ? null : Math.max(0, lastFull + rescanGapMs - now);
}

/**
 * The strongest that may be done on this device at an instant: no more than its settings say, and
 * nothing in a pause or before the first assignment has arrived, as that may hold an exception.
 */
export function ceilingAt(
  { isAssigned, pauseAt }: Pick<InForce, 'isAssigned' | 'pauseAt'>,
  maxAction: Action,
  now: number,
): Action {
  return isAssigned && pauseAt(now) === null ? maxAction : 'observe';
}

/** While something waits for time to be settled, it is looked whether it is. */
const settleCheckMs = 10 * 60_000;

export interface Judgement {
  readonly judged: readonly Judged[];
  /** Epoch ms of the next instant at which a verdict changes by itself; null: none is known. */
  readonly nextChange: number | null;
}

/** What the verdicts of a device depend on beside its components and rules. */
export interface JudgeContext {
  readonly device: Device;
  /** Account to home folder. */
  readonly homes: ReadonlyMap<string, string>;
  /** Epoch ms of trusted time. */
  readonly now: number;
  /** Left out, nobody was told of anything yet. */
  readonly terms?: Terms;
  /** What came into force later than this is not enforced yet; see `agent/clock.ts`. */
  readonly settledUntil?: number;
}

/** All that the evaluation of a component takes. */
export function evaluationInput(
  component: Component,
  rules: InForce,
  { device, homes, now, terms = noTerms, settledUntil = Infinity }: JudgeContext,
): EvaluationInput {
  const { policy, catalogue, exceptions, group, assignedGrace } = rules;
  const { owner } = component;
  const { id, hardwareId, platform, zone, assignedUser } = device;
  const context: DeviceContext = {
    ...{ id, hardwareId, platform, zone, assignedUser, group },
    person: personOf(owner, rules, device),
    maxAction: ceilingAt(rules, device.maxAction, now),
    home: owner === null ? null : (homes.get(owner) ?? null),
  };
  const { notices, zones } = terms;
  return {
    ...{ policy, catalogue, exceptions, component, now, notices, zones, settledUntil },
    ...(assignedGrace !== null && { assignedGrace }),
    device: context,
  };
}

/** The verdict on each component. */
export function judge(
  components: readonly StoredComponent[],
  rules: InForce,
  around: JudgeContext,
): Judgement {
  const { now, terms = noTerms, settledUntil = Infinity } = around;
  const instants = [...exceptionInstants(rules.exceptions), rules.pauseAt(now)?.until ?? 0];
  if (terms.nextNotice !== null) instants.push(terms.nextNotice);
  const judged = components.map(({ component, firstSeen }) => {
    const { verdict } = evaluate(evaluationInput(component, rules, around));
    const { announce, effective, escalates } = verdict;
    for (const at of [announce, effective, escalates]) if (at != null) instants.push(at);
    for (const at of [effective, escalates]) {
      if (at != null && at <= now && at > settledUntil) instants.push(now + settleCheckMs);
    }
    return { component, firstSeen, verdict };
  });
  const coming = instants.filter((at) => at > now);
  return { judged, nextChange: coming.length === 0 ? null : Math.min(...coming) };
}

function personOf(owner: string | null, rules: InForce, device: Device): string | null {
  if (device.assignedUser !== null) return device.assignedUser;
  if (owner === null) return null;
  // Accounts may have names that every object has.
  const known = Object.hasOwn(rules.persons, owner) ? rules.persons[owner] : undefined;
  return known ?? `${owner}@${device.id}`;
}
