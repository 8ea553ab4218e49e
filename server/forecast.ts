/**
 * What a component comes to under some policies, at several instants, by the same evaluation as on the
 * device. A device tells its server less than it knows: no publisher, a path without names of projects,
 * no word of a gateway that is not set. Where a rule asks for that and the answer would matter, the
 * outcome is `unforeseen`, never a guess.
 */
import type { Catalogue } from '../policies/catalogue.js';
import type { Component } from '../policies/component.js';
import { isZone, resolveDate } from '../policies/dates.js';
import type { Denial, Policy, Rule } from '../policies/document.js';
import {
  evaluate,
  type DeviceContext,
  type Exception,
  type VerdictStatus,
} from '../policies/evaluate.js';
import type { Kind } from './store/fleet.js';

/** What a component comes to, worst first. Whatever is allowed or approved is `clear`. */
export const outcomes = ['violation', 'pending', 'unknown', 'review', 'excepted', 'clear'] as const;
export type Outcome = (typeof outcomes)[number];

/** A set of outcomes as bits, so that a device's outcomes are joined by `or`. */
export const bitOf = (outcome: Outcome): number => 1 << outcomes.indexOf(outcome);
/** In the upper bits stands what is possible, in the lower ones what is certain at the least. */
export const possibleShift = 8;

const outcomeOf: Readonly<Record<VerdictStatus, Outcome>> = {
  violation: 'violation',
  pending: 'pending',
  unknown: 'unknown',
  review: 'review',
  excepted: 'excepted',
  allowed: 'clear',
  approved: 'clear',
};
const bits = Object.fromEntries(
  Object.entries(outcomeOf).map(([status, outcome]) => [status, bitOf(outcome)]),
) as Readonly<Record<VerdictStatus, number>>;

/** Of several outcomes the mildest; a `review` that may be none is as good as clear. */
function mildest(possible: number): number {
  if ((possible & (possible - 1)) === 0) return possible;
  return (possible & bitOf('review')) !== 0 ? bitOf('clear') : 1 << (31 - Math.clz32(possible));
}

/** A field of `match` that the server cannot answer for a component. */
export type OpenField = 'publisher' | 'path' | 'gateway';
export interface OpenRule {
  readonly policy: string;
  readonly rule: string;
  readonly fields: readonly OpenField[];
}

export interface Forecast {
  /** By instant: the outcomes that are possible, and of them the mildest, which is certain at the least. */
  readonly bits: Uint16Array;
  /** The rules that may hold or not, where that matters. */
  readonly open: readonly OpenRule[];
}

/** What of a component's fields the server has whole. */
interface Known {
  /** `home`: from the home on, whose own place is not told. */
  readonly path: 'whole' | 'home' | 'shortened';
  readonly hasGateway: boolean;
}

const longestPath = 1024;

function knownOf({ path, gateway }: Pick<Kind, 'path' | 'gateway'>): Known {
  const isShortened = path === null || path.includes('…') || path.length >= longestPath;
  return {
    path: isShortened ? 'shortened' : path.startsWith('~') ? 'home' : 'whole',
    hasGateway: gateway !== null,
  };
}

function openFields({ match }: Rule, known: Known): readonly OpenField[] {
  const fields: OpenField[] = [];
  if (match.publisher !== undefined) fields.push('publisher');
  const isBelowHome = match.path?.every((pattern) => /^~[/\\]/.test(pattern)) ?? true;
  if (known.path === 'shortened' ? match.path !== undefined : known.path === 'home' && !isBelowHome)
    fields.push('path');
  if (!known.hasGateway && match.gateway?.includes('none') === true) fields.push('gateway');
  return fields;
}

/** The fields of a rule that a report does not answer for a component of this path and gateway. */
export function unreportedFields(
  rule: Rule,
  told: Pick<Kind, 'path' | 'gateway'>,
): readonly OpenField[] {
  return openFields(rule, knownOf(told));
}

/** A rule that may hold, and the policy as if it did and all open rules before it did not. */
interface Branch {
  readonly open: OpenRule;
  readonly policy: Policy;
}
interface Branches {
  /** As if no open rule held. */
  readonly otherwise: Policy;
  readonly branches: readonly Branch[];
}

function withoutFields(rule: Rule, fields: readonly OpenField[]): Rule {
  const match = Object.fromEntries(
    Object.entries(rule.match).filter(([name]) => !fields.includes(name as OpenField)),
  );
  return { ...rule, match };
}

function branchesOf(policy: Policy, known: Known): Branches {
  const open = policy.rules.map((rule) => openFields(rule, known));
  const isOpen = (at: number): boolean => (open[at]?.length ?? 0) > 0;
  if (!open.some((fields) => fields.length > 0)) return { otherwise: policy, branches: [] };
  const branches = policy.rules.flatMap((rule, at) => {
    const fields = open[at] ?? [];
    if (fields.length === 0) return [];
    const before = policy.rules.slice(0, at).filter((_, index) => !isOpen(index));
    const rules = [...before, withoutFields(rule, fields)];
    const named = { policy: policy.policy, rule: rule.id, fields };
    return [{ open: named, policy: { ...policy, rules } }];
  });
  const otherwise = { ...policy, rules: policy.rules.filter((_, at) => !isOpen(at)) };
  return { otherwise, branches };
}

/** Epoch ms from which devices can have been told of a rule; before, it was not live. */
export type ToldFrom = (policy: string, rule: string) => number;

export interface ForecastSettings {
  readonly catalogue: Catalogue;
  /** Epoch ms. */
  readonly instants: readonly number[];
  readonly toldFrom: ToldFrom;
}

/** Judges kinds of components under policies; what it makes of a policy is kept as long as it lives. */
export class Forecaster {
  readonly #settings: ForecastSettings;
  readonly #branches = new Map<Policy, Map<string, Branches>>();
  readonly #notices = new Map<Policy, Map<string, ReadonlyMap<string, number>>>();

  constructor(settings: ForecastSettings) {
    this.#settings = settings;
  }

  /** `exceptions`: those that may concern this device; the kind is one of its components'. */
  forecast(
    kind: Kind,
    policy: Policy | null,
    around: {
      readonly device: DeviceContext;
      readonly exceptions: readonly Exception[];
      /** Epoch ms. */
      readonly assignedGrace?: number;
    },
  ): Forecast {
    const component = componentOf(kind);
    const known = knownOf(kind);
    const { otherwise, branches } =
      policy === null ? { otherwise: null, branches: [] } : this.#branchesOf(policy, known);
    const open = new Set<OpenRule>();
    const { instants, catalogue } = this.#settings;
    const notices = policy === null ? none : this.#noticesFor(kind, policy, around.device.zone);
    const fixed = { notices, zones: zonesOf(kind) };
    const found = Uint16Array.from(instants, (now) => {
      const input = { catalogue, component, now, ...fixed, ...around };
      let possible = bits[evaluate({ ...input, policy: otherwise }).verdict.status];
      for (const branch of branches) {
        const { rule, status } = evaluate({ ...input, policy: branch.policy }).verdict;
        if (rule !== branch.open.rule || (possible | bits[status]) === possible) continue;
        possible |= bits[status];
        open.add(branch.open);
      }
      return (possible << possibleShift) | mildest(possible);
    });
    return { bits: found, open: [...open] };
  }

  /** Where the device has told when it was first told, that is so. */
  #noticesFor({ rule, noticed }: Kind, policy: Policy, zone: string): ReadonlyMap<string, number> {
    const notices = this.#noticesOf(policy, zone);
    if (rule === null || noticed === null || !notices.has(rule)) return notices;
    return new Map([...notices, [rule, Date.parse(noticed)]]);
  }

  /** Grace counts from the first notice; each device is taken to have had it as early as it could. */
  #noticesOf(policy: Policy, zone: string): ReadonlyMap<string, number> {
    let byZone = this.#notices.get(policy);
    if (byZone === undefined) this.#notices.set(policy, (byZone = new Map()));
    let notices = byZone.get(zone);
    if (notices === undefined) {
      const denials: readonly (readonly [string, Denial | null])[] = [
        ...policy.rules.map(({ id, denial }) => [id, denial] as const),
        ['default', policy.default.denial],
      ];
      const toldAt = (rule: string, { announce }: Denial): number =>
        Math.max(
          this.#settings.toldFrom(policy.policy, rule),
          announce === null ? 0 : resolveDate(announce, policy.timezone, zone),
        );
      notices = new Map(
        denials.flatMap(([rule, denial]) =>
          denial === null || denial.grace === null ? [] : [[rule, toldAt(rule, denial)]],
        ),
      );
      byZone.set(zone, notices);
    }
    return notices;
  }

  #branchesOf(policy: Policy, known: Known): Branches {
    let ofPolicy = this.#branches.get(policy);
    if (ofPolicy === undefined) this.#branches.set(policy, (ofPolicy = new Map()));
    const key = `${known.path} ${known.hasGateway}`;
    let made = ofPolicy.get(key);
    if (made === undefined) ofPolicy.set(key, (made = branchesOf(policy, known)));
    return made;
  }
}

const none: ReadonlyMap<string, number> = new Map();
const noZones: ReadonlyMap<string, string> = new Map();

/** A device reads the dates of a local rule once; where it lives later changes nothing. */
const zonesOf = ({ rule, zone }: Kind): ReadonlyMap<string, string> =>
  rule !== null && zone !== null && isZone(zone) && zone !== 'device-local'
    ? new Map([[rule, zone]])
    : noZones;

/** Fields that decide nothing are left empty. */
function componentOf(kind: Kind): Component {
  const { gateway, running, rule: _rule, noticed: _noticed, zone: _zone, ...known } = kind;
  return {
    ...known,
    id: '',
    name: kind.name ?? '',
    path: kind.path ?? '',
    confidence: 'high',
    evidence: [],
    ...(gateway === null ? {} : { gateway }),
    ...(running === null ? {} : { running }),
  };
}
