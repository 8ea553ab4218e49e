/**
 * Rules compared with those before them: the same match twice, a rule whose every find is decided
 * earlier, and one that would be in force earlier than a rule that decides before it. What it says of
 * coverage is exact; patterns and hosts that merely might overlap count as overlapping for the last.
 */
import type { Catalogue } from './catalogue.js';
import { channels } from './component.js';
import { resolveDate } from './dates.js';
import type { Policy, Rule } from './document.js';
import { advice, type Advice } from './lint-checks.js';
import { channelsOf } from './lint-possible.js';
import type { Ranges } from './lint-ranges.js';
import { coversNames, meet, situationsOf, toolList, type Reach } from './lint-reach.js';

/** Comparisons of one find with one rule; a policy that takes more is not compared to its end. */
const mostSteps = 1_000_000;
const mostNamedRules = 4;

interface Ordered {
  readonly policy: Policy;
  readonly reaches: readonly Reach[];
  readonly catalogue: Catalogue;
  readonly ranges: Ranges;
  /** Places in the list of rules that can match nothing, of which enough is said. */
  readonly dead: ReadonlySet<number>;
}

/** With the instant of each rule's date. */
type Dated = Ordered & { readonly dates: readonly (number | null)[] };

/** What is left of a rule: for each tool (null: none) and channel the situations that no earlier rule decides. */
interface Left {
  readonly tool: bigint;
  readonly byChannel: number[];
}

function finds(reach: Reach, catalogue: Catalogue): Left[] {
  const lefts = [...toolList(reach.tools, catalogue), null].map((tool): Left => {
    const at = tool === null ? catalogue.tools.length : catalogue.tools.indexOf(tool);
    const possible = tool === null ? -1 : channelsOf(tool);
    const byChannel = channels.map((channel, bit) =>
      ((reach.channels & possible) >> bit) & 1 ? reach.situations & situationsOf(channel) : 0,
    );
    return { tool: 1n << BigInt(at), byChannel };
  });
  return lefts.filter(
    ({ tool, byChannel }) => (reach.tools & tool) !== 0n && byChannel.some((left) => left !== 0),
  );
}

/** Takes away what `earlier` decides; whether it decided anything. */
function takeAway(left: readonly Left[], earlier: Reach): boolean {
  let isTaken = false;
  for (const { tool, byChannel } of left) {
    if ((earlier.tools & tool) === 0n) continue;
    for (let at = 0; at < byChannel.length; at += 1) {
      const open = byChannel[at] ?? 0;
      if (!((earlier.channels >> at) & 1) || (open & earlier.situations) === 0) continue;
      byChannel[at] = open & ~earlier.situations;
      isTaken = true;
    }
  }
  return isTaken;
}

const isNothing = ({ byChannel }: Left): boolean => byChannel.every((open) => open === 0);

/** The earlier rules that together decide all that a rule matches; null where something is left. */
function decidedBy(
  at: number,
  ordered: Ordered,
  spend: (steps: number) => boolean,
): number[] | null {
  const { reaches, catalogue, ranges, dead } = ordered;
  const reach = reaches[at];
  if (reach === undefined) return null;
  let left = finds(reach, catalogue);
  const by: number[] = [];
  for (let before = 0; before < at && left.length > 0; before += 1) {
    const earlier = reaches[before];
    if (earlier === undefined || dead.has(before) || (earlier.tools & reach.tools) === 0n) continue;
    if (!spend(left.length) || !coversNames(earlier, reach, ranges)) continue;
    if (takeAway(left, earlier)) by.push(before);
    left = left.filter((one) => !isNothing(one));
  }
  if (left.length > 0) return decidedByVersions(at, ordered, spend);
  const all = finds(reach, catalogue);
  const alone = by.find((before) => takesAll(all, reaches[before]));
  return alone === undefined ? by : [alone];
}

/** Whether one rule reaches all of these finds, versions and names aside. */
const takesAll = (all: readonly Left[], earlier: Reach | undefined): boolean =>
  earlier !== undefined &&
  all.every(
    ({ tool, byChannel }) =>
      (earlier.tools & tool) !== 0n &&
      byChannel.every((open, at) => {
        const taken = (earlier.channels >> at) & 1 ? earlier.situations : 0;
        return (open & ~taken) === 0;
      }),
  );

/** As long as a range may be. */
const longestRange = 512;

/**
 * Earlier rules whose ranges hold all versions only together, like `<2` and `>=2`. What has no version
 * that can be read ends in `unknown` at the first of them.
 */
function decidedByVersions(
  at: number,
  { reaches, catalogue, ranges, dead }: Ordered,
  spend: (steps: number) => boolean,
): number[] | null {
  const reach = reaches[at];
  if (reach === undefined) return null;
  const all = finds(reach, catalogue);
  const by: number[] = [];
  const parts: string[] = [];
  for (let before = 0; before < at; before += 1) {
    const earlier = reaches[before];
    const version = earlier?.version ?? null;
    if (earlier === undefined || version === null || version.startsWith('vers:')) continue;
    if (dead.has(before) || !spend(1) || !takesAll(all, earlier)) continue;
    if (!coversNames({ ...earlier, version: null }, reach, ranges)) continue;
    by.push(before);
    parts.push(version);
  }
  const together = parts.join(' || ');
  const isKnown = by.length > 1 && together.length <= longestRange;
  return isKnown && ranges.covers(together, reach.version) ? by : null;
}

const isSameMatch = (one: Rule, other: Rule): boolean => canonical(one) === canonical(other);
const canonical = ({ match }: Rule): string =>
  JSON.stringify(
    Object.entries(match)
      .map(([field, value]: [string, unknown]) => [
        field,
        Array.isArray(value) ? [...value].sort() : value,
      ])
      .sort(),
  );

/** Epoch ms of each rule's date; where it is each device's own, as in UTC. */
const datesOf = ({ rules, timezone }: Policy): readonly (number | null)[] =>
  rules.map(({ denial }) =>
    denial === null ? null : resolveDate(denial.effective, timezone, 'UTC'),
  );

function consequence(at: number, before: number, { policy, dates }: Dated): string {
  const [rule, earlier] = [policy.rules[at], policy.rules[before]];
  if (rule === undefined || earlier === undefined) return '';
  if (rule.decision !== earlier.decision) {
    return `; what this one would ${rule.decision}, that one decides as ${earlier.decision}`;
  }
  const [here, there] = [dates[at] ?? null, dates[before] ?? null];
  if (here === null || there === null || here >= there) return '';
  return `; this one would be in force earlier, from ${rule.denial?.effective ?? ''}`;
}

function coveredAdvice(at: number, by: readonly number[], dated: Dated): Advice | null {
  const { policy } = dated;
  const rule = policy.rules[at];
  const firsts = by.flatMap((before) => policy.rules[before] ?? []);
  const [first] = firsts;
  if (rule === undefined || first === undefined) return null;
  const path = ['rules', at, 'match'];
  const then = consequence(at, by[0] ?? 0, dated);
  if (firsts.length === 1 && isSameMatch(rule, first)) {
    const message = `rule ${rule.id} has the match of rule ${first.id}, which comes first, so it never decides${then}`;
    return advice('duplicate', path, message);
  }
  const names = firsts.slice(0, mostNamedRules).map(({ id }) => id);
  const more = firsts.length > names.length ? ' and others' : '';
  const message = `rule ${rule.id} can never match: rule ${names.join(', ')}${more} before it ${firsts.length === 1 ? 'decides' : 'decide'} all that it takes${then}; put it first, or remove it`;
  return advice('covered', path, message);
}

/** The first earlier rule that decides some of what a rule would deny, and is in force later. */
function shadowAdvice(
  at: number,
  ordered: Dated,
  spend: (steps: number) => boolean,
): Advice | null {
  const { policy, reaches, ranges, dead, dates } = ordered;
  const [rule, reach] = [policy.rules[at], reaches[at]];
  if (rule === undefined || reach === undefined) return null;
  const here = dates[at] ?? null;
  if (here === null) return null;
  for (let before = 0; before < at; before += 1) {
    const [earlier, its] = [policy.rules[before], reaches[before]];
    if (earlier === undefined || its === undefined || dead.has(before)) continue;
    const there = dates[before] ?? null;
    if (there === null || there <= here || !spend(4) || !meet(its, reach, ranges)) continue;
    const message = `what rule ${earlier.id} also matches is decided by it and is in force from ${earlier.denial?.effective ?? ''}, later than ${rule.denial?.effective ?? ''} here; put rule ${rule.id} first if the earlier date is meant`;
    return advice('shadowed', ['rules', at, 'effective'], message);
  }
  return null;
}

/** What is to be said of the order of the rules. */
export function orderAdvice(ordered: Ordered): Advice[] {
  const { policy, dead, ranges } = ordered;
  const dated = { ...ordered, dates: datesOf(policy) };
  let steps = 0;
  const spend = (some: number): boolean => (steps += some) <= mostSteps;
  const found = policy.rules.flatMap((_, at): Advice[] => {
    if (dead.has(at)) return [];
    const by = decidedBy(at, ordered, spend);
    const one = by === null ? shadowAdvice(at, dated, spend) : coveredAdvice(at, by, dated);
    return one === null ? [] : [one];
  });
  if (steps <= mostSteps && !ranges.isSpent()) return found;
  const message =
    'too many rules to compare each with all before it; some may be covered and not be named here';
  return [...found, advice('compared', ['rules'], message)];
}
