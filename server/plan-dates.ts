/**
 * The dates of a plan: for each denial the instants its dates mean in every zone the fleet lives in, and
 * from them the instants at which the fleet is judged. Dates are resolved by the policies' own functions;
 * here they are only gathered and written in local time.
 */
import { Temporal } from 'temporal-polyfill';
import { addDuration, isZone, resolveDate, zoneOf } from '../policies/dates.js';
import type { Denial, Policy } from '../policies/document.js';

/** A zone of the fleet and how many devices tell it. */
export interface FleetZone {
  readonly zone: string;
  readonly devices: number;
}

export const planEvents = ['announce', 'effective', 'grace'] as const;
export type PlanEvent = (typeof planEvents)[number];

export interface PlanDate {
  readonly policy: string;
  /** `default` for the default. */
  readonly rule: string;
  readonly event: Exclude<PlanEvent, 'grace'>;
  /** As the author wrote it. */
  readonly date: string;
  readonly timezone: string | null;
  /** By instant: one, or of `device-local` one for each offset from UTC. */
  readonly instants: readonly {
    readonly at: string;
    readonly zones: readonly (FleetZone & { readonly local: string })[];
  }[];
}

/** Why the fleet is judged at an instant. */
export type Reason =
  | { readonly kind: 'now' | 'asked' }
  | { readonly kind: PlanEvent; readonly policy: string; readonly rule: string };
export interface PlanInstant {
  /** Epoch ms. */
  readonly at: number;
  readonly reasons: readonly Reason[];
}

/** The zones that are known, each once; the fleet's own where it tells none that is. */
export function knownZones(zones: readonly FleetZone[]): readonly FleetZone[] {
  const known = zones.filter(({ zone }) => zone !== 'device-local' && isZone(zone));
  return known.length > 0 ? known : [{ zone: 'UTC', devices: 0 }];
}

interface PlacedDenial {
  readonly policy: Policy;
  readonly rule: string;
  readonly denial: Denial;
}

function denialsOf(policy: Policy): readonly PlacedDenial[] {
  const all = [...policy.rules, { id: 'default', denial: policy.default.denial }];
  return all.flatMap(({ id, denial }) => (denial === null ? [] : [{ policy, rule: id, denial }]));
}

const iso = (at: number): string => new Date(at).toISOString();

const localTime = (at: number, zone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at)
    .toZonedDateTimeISO(zone)
    .toString({ timeZoneName: 'never', smallestUnit: 'minute' });

/** Every date of the policies, with the instants it means. */
export function planDates(
  policies: readonly Policy[],
  zones: readonly FleetZone[],
): readonly PlanDate[] {
  return policies.flatMap(denialsOf).flatMap(({ policy, rule, denial }) =>
    (['announce', 'effective'] as const).flatMap((event): PlanDate[] => {
      const date = denial[event];
      if (date === null) return [];
      const { timezone } = policy;
      const byInstant = Map.groupBy(zones, ({ zone }) => resolveDate(date, timezone, zone));
      const instants = [...byInstant]
        .sort(([one], [other]) => one - other)
        .map(([at, there]) => ({
          at: iso(at),
          zones: there.map(({ zone, devices }) => ({ zone, devices, local: localTime(at, zone) })),
        }));
      return [{ policy: policy.policy, rule, event, date, timezone, instants }];
    }),
  );
}

/** More instants than anybody compares; the soonest are kept. */
const mostInstants = 40;

interface InstantRequest {
  /** Whose dates are looked at. */
  readonly policies: readonly Policy[];
  readonly zones: readonly FleetZone[];
  readonly now: number;
  /** Epoch ms, as somebody asked for. */
  readonly asked: readonly number[];
  readonly toldFrom: (policy: string, rule: string) => number;
}

export interface PlanInstants {
  /** In the order of time. */
  readonly instants: readonly PlanInstant[];
  /** Instants of dates for which there was no room. */
  readonly left: number;
}

/** Now, what was asked for, and each date that is still to come; of local dates the first and the last. */
export function planInstants(request: InstantRequest): PlanInstants {
  const { now, asked } = request;
  const coming = request.policies
    .flatMap(denialsOf)
    .flatMap((placed) => eventsOf(placed, request))
    .filter(({ at }) => at > now);
  const soonest = [...new Set(coming.map(({ at }) => at))].sort((one, other) => one - other);
  const wanted = new Set(soonest.slice(0, mostInstants));
  const all = [
    { at: now, reason: { kind: 'now' } as Reason },
    ...asked.map((at) => ({ at, reason: { kind: 'asked' } as Reason })),
    ...coming.filter(({ at }) => wanted.has(at)),
  ];
  const instants = [...Map.groupBy(all, ({ at }) => at)]
    .sort(([one], [other]) => one - other)
    .map(([at, found]) => ({ at, reasons: found.map(({ reason }) => reason) }));
  return { instants, left: soonest.length - wanted.size };
}

function eventsOf(
  { policy, rule, denial }: PlacedDenial,
  { zones, toldFrom }: InstantRequest,
): { at: number; reason: Reason }[] {
  const { timezone } = policy;
  const ends = (instants: readonly number[]): readonly number[] => [
    ...new Set([Math.min(...instants), Math.max(...instants)]),
  ];
  const resolved = (date: string): readonly number[] =>
    zones.map(({ zone }) => resolveDate(date, timezone, zone));
  const event = (kind: PlanEvent, instants: readonly number[]) =>
    ends(instants).map((at) => ({ at, reason: { kind, policy: policy.policy, rule } }));
  const { announce, effective, grace } = denial;
  const announced = announce === null ? [] : resolved(announce);
  const inForce = resolved(effective);
  const graceEnds =
    grace === null
      ? []
      : zones.map(({ zone }, at) => {
          const told = Math.max(toldFrom(policy.policy, rule), announced[at] ?? 0);
          return Math.max(inForce[at] ?? 0, addDuration(told, grace, zoneOf(timezone, zone)));
        });
  return [
    ...(announced.length === 0 ? [] : event('announce', announced)),
    ...event('effective', inForce),
    ...(graceEnds.length === 0 ? [] : event('grace', graceEnds)),
  ];
}
