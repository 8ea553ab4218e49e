/**
 * The dates of denials, read at an instant that is given: what has begun already, begins after it is in
 * force, lies so far ahead that a digit may be wrong, or means another instant on each device. Texts that
 * are no date at all were refused before.
 */
import { addDuration, resolveDate, zoneOf } from './dates.js';
import type { Action, Denial, Policy } from './document.js';
import { milder } from './evaluate.js';
import { advice, type Advice } from './lint-checks.js';
import type { Step } from './source.js';

const dayMs = 86_400_000;
const farDays = 5 * 366;

export interface PlacedDenial {
  readonly denial: Denial;
  readonly path: readonly Step[];
  /** In words: `rule x`, `the default`. */
  readonly name: string;
}

/** Every denial of a policy with where it stands. */
export function denialsOf(policy: Policy): PlacedDenial[] {
  const { denial } = policy.default;
  return [
    ...(denial === null ? [] : [{ denial, path: ['default'], name: 'the default' }]),
    ...policy.rules.flatMap(({ id, denial: own }, at) =>
      own === null ? [] : [{ denial: own, path: ['rules', at], name: `rule ${id}` }],
    ),
  ];
}

const isStronger = (one: Action, other: Action): boolean =>
  one !== other && milder(one, other) === other;

const daysBetween = (from: number, to: number): string => {
  const days = Math.floor((to - from) / dayMs);
  return days === 0 ? 'less than a day' : days === 1 ? 'one day' : `${days} days`;
};

/** What is to be said of a policy's dates at `now` (epoch ms). */
export function dateAdvice(policy: Policy, now: number): Advice[] {
  const denials = denialsOf(policy);
  return [
    ...deviceLocalAdvice(policy, denials),
    ...denials.flatMap((one) => [
      ...orderAdvice(one, policy),
      ...pastAdvice(one, policy, now),
      ...actionAdvice(one),
    ]),
  ];
}

function orderAdvice({ denial, path, name }: PlacedDenial, { timezone }: Policy): Advice[] {
  const { announce, effective } = denial;
  if (announce === null) return [];
  const instant = (date: string): number => resolveDate(date, timezone, 'UTC');
  if (instant(announce) <= instant(effective)) return [];
  const message = `${name} is announced on ${announce}, after it is in force on ${effective}`;
  return [advice('announce-order', [...path, 'announce'], message)];
}

function pastAdvice(placed: PlacedDenial, policy: Policy, now: number): Advice[] {
  const { denial, path, name } = placed;
  const { timezone } = policy;
  const effective = resolveDate(denial.effective, timezone, 'UTC');
  if (effective - now > farDays * dayMs) {
    const message = `${denial.effective} is ${Math.round((effective - now) / dayMs / 365)} years ahead; look at its year`;
    return [advice('date-far', [...path, 'effective'], message)];
  }
  if (effective > now) return graceAdvice(placed, policy);
  const grace = denial.grace === null ? '' : `, each device after its grace of ${denial.grace}`;
  const message = `${denial.effective} began ${daysBetween(effective, now)} ago: ${name} is in force as soon as devices have it${grace}`;
  return [advice('date-past', [...path, 'effective'], message)];
}

/** A grace that ends later than the date on a device that is told at once: the date is never the date. */
function graceAdvice({ denial, path, name }: PlacedDenial, { timezone }: Policy): Advice[] {
  const { grace, announce, effective } = denial;
  if (grace === null || announce === null) return [];
  const zone = zoneOf(timezone, 'UTC');
  const told = resolveDate(announce, timezone, 'UTC');
  const date = resolveDate(effective, timezone, 'UTC');
  if (addDuration(told, grace, zone) <= date) return [];
  const message = `${name} gives a grace of ${grace} from the first notice, which comes on ${announce} at the earliest, so no device is in force on ${effective}; announce it earlier, or give less grace`;
  return [advice('grace-covers-notice', [...path, 'grace'], message)];
}

function actionAdvice({ denial, path, name }: PlacedDenial): Advice[] {
  const { before, after } = denial;
  if (!isStronger(before, after)) return [];
  const message = `${name} does less from its date on (${after}) than before it (${before})`;
  return [advice('action-order', [...path, 'after'], message)];
}

function deviceLocalAdvice({ timezone }: Policy, denials: readonly PlacedDenial[]): Advice[] {
  if (timezone !== 'device-local') return [];
  const days = denials.flatMap(({ denial }) =>
    [denial.announce, denial.effective].filter((date) => date?.length === 10),
  );
  const [day] = days;
  if (day === undefined || day === null) return [];
  const [first, last] = [
    resolveDate(day, 'Pacific/Kiritimati', 'UTC'),
    resolveDate(day, 'Etc/GMT+12', 'UTC'),
  ];
  const text = (instant: number): string =>
    new Date(instant).toISOString().replace(':00.000Z', 'Z');
  const message = `device-local: ${day} begins on each device at its own midnight, from ${text(first)} to ${text(last)}, in the zone it had when the rule arrived; name a zone for one instant everywhere`;
  return [advice('device-local', ['timezone'], message)];
}
