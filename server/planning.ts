/**
 * A plan: what a change of the policies would do, before anybody publishes it. Lint first, which stops it;
 * then the difference in words, the dates in the fleet's zones, the impact on the present inventory and
 * what changes for other enforcers. The plan is kept by its content, so that publish can ask for it.
 */
import type { Catalogue } from '../policies/catalogue.js';
import { targets as allTargets, type Target } from '../policies/compile/index.js';
import { checkDate, resolveDate } from '../policies/dates.js';
import { difference } from '../policies/difference.js';
import { parsePolicy, type Policy } from '../policies/document.js';
import { lintPolicy } from '../policies/lint-advice.js';
import { CurfewError } from '../wire/errors.js';
import { record } from './audit.js';
import { toolName } from './compliance.js';
import { impactOf, type Impact } from './impact.js';
import type { Figures } from './impact-tally.js';
import { keepPlan, planContent } from './plan.js';
import {
  knownZones,
  planDates,
  planInstants,
  type FleetZone,
  type PlanInstants,
} from './plan-dates.js';
import { targetChanges } from './plan-targets.js';
import { unreported } from './plan-unreported.js';
import { mostAsked, type PlanAnswer, type PlanProblem, type PlanView } from './plan-views.js';
import { changedPolicies, type ChangedPolicies, type PolicyChange } from './policy-change.js';
import type { Store } from './store/index.js';
import type { StoredBundle } from './store/records.js';

export interface Planner {
  readonly store: Store;
  readonly catalogue: Catalogue;
  /** Epoch ms. */
  readonly now: number;
  readonly targets?: readonly Target[];
  readonly onProgress?: (devices: number, total: number) => void;
}
export interface PlanRequest {
  readonly change: PolicyChange;
  /** Days, which begin in the zone of the first policy, or instants. */
  readonly at: readonly string[];
  readonly author: string;
}

/** How often a plan begins anew, because something else was published meanwhile. */
const attempts = 3;

/** Errors: USAGE, REQUEST_INVALID, SERVER_BUSY. */
export async function makePlan(planner: Planner, request: PlanRequest): Promise<PlanAnswer> {
  checkAsked(request.at);
  const problems = lintProblems(request.change.texts, planner);
  if (problems.some(({ severity }) => severity === 'error')) return { kind: 'invalid', problems };
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const live = await planner.store.read.policies.latest();
    const next = changedPolicies(live?.policies ?? [], request.change, planner.catalogue);
    if (next.kind === 'invalid') return { kind: 'invalid', problems: problemsOf(next) };
    const plan = { ...(await reckon(planner, request, live, next)), warnings: problems };
    if (await keep(planner, request, plan)) return { kind: 'plan', plan };
  }
  throw new CurfewError('SERVER_BUSY', 'other policies were published while this was planned', {
    hint: 'Plan again.',
  });
}

/** All that lint says of the texts. */
function lintProblems(texts: readonly string[], { catalogue, now }: Planner): PlanProblem[] {
  return texts.flatMap((yaml, text) =>
    lintPolicy(yaml, { catalogue, now }).problems.map(
      ({ severity, line, column, field, message }) => ({
        ...{ text, severity, line, column, field, message },
      }),
    ),
  );
}

function problemsOf({ faults }: Extract<ChangedPolicies, { kind: 'invalid' }>): PlanProblem[] {
  return faults.flatMap(({ index, problems }) =>
    problems.map((problem) => ({ text: index, ...problem })),
  );
}

async function keep(
  { store, now }: Planner,
  { author }: PlanRequest,
  { content, baseSequence, policies, removed }: PlanView,
): Promise<boolean> {
  return store.write(async (writing) => {
    if (!(await keepPlan(writing, { content, baseSequence, author, at: now }))) return false;
    const changed = policies.filter(({ state }) => state !== 'same').map(({ policy }) => policy);
    const subject = [...changed, ...removed].join(', ') || null;
    const deed = { at: now, actor: author, action: 'policy.plan', subject };
    await record(writing, { ...deed, detail: `content ${content} over sequence ${baseSequence}` });
    return true;
  });
}

type Next = Extract<ChangedPolicies, { kind: 'policies' }>;

/** The two sides as evaluation takes them; what this version cannot read, devices cannot either. */
function sidesOf(live: StoredBundle | null, next: Next) {
  const read = (texts: readonly { readonly yaml: string }[]): readonly Policy[] =>
    texts.flatMap(({ yaml }) => {
      const parsed = parsePolicy(yaml);
      return parsed.kind === 'policy' ? [parsed.policy] : [];
    });
  return { before: read(live?.policies ?? []), after: read(next.policies) };
}

interface Sides {
  readonly before: readonly Policy[];
  readonly after: readonly Policy[];
  /** Policies that the request gives: their dates are looked at. */
  readonly concerned: readonly Policy[];
  readonly zones: readonly FleetZone[];
  readonly instants: PlanInstants;
}

async function reckon(
  planner: Planner,
  request: PlanRequest,
  live: StoredBundle | null,
  next: Next,
): Promise<Omit<PlanView, 'warnings'>> {
  const { store, catalogue, now, onProgress } = planner;
  const { before, after } = sidesOf(live, next);
  const { texts } = request.change;
  const named = new Set(texts.length > 0 ? idsOf(texts) : next.changed);
  const concerned = after.filter(({ policy }) => named.has(policy));
  // Only days of each device's own zone are another instant in each: else the walk counts the zones.
  const isLocal = concerned.some(({ timezone }) => timezone === 'device-local');
  const known = knownZones(isLocal ? await store.read.fleet.zones() : []);
  const told = toldFrom(live, before, now);
  const asked = request.at.map((text) => askedInstant(text, concerned));
  const dated = { policies: concerned, zones: known, now, asked, toldFrom: told.planned };
  const instants = planInstants(dated);
  const total = await store.read.fleet.size();
  const impact = await impactOf({
    fleet: store.read.fleet,
    exceptions: await store.read.assignments.open(now),
    catalogue,
    live: { policies: before, toldFrom: told.live },
    planned: { policies: after, toldFrom: told.planned },
    instants: instants.instants.map(({ at }) => at),
    ...(onProgress !== undefined && { onProgress: (devices) => onProgress(devices, total) }),
  });
  const zones = knownZones(impact.zones);
  const sides = { before, after, concerned, zones, instants };
  return { ...headOf(planner, live, next, sides), ...bodyOf(planner, sides, impact) };
}

type Head =
  'content' | 'baseSequence' | 'catalogueSha256' | 'at' | 'isChange' | 'policies' | 'removed';

function headOf(
  { catalogue, now }: Planner,
  live: StoredBundle | null,
  next: Next,
  { before, after }: Sides,
): Pick<PlanView, Head> {
  const content = planContent(next.policies, catalogue.sha256);
  const isKnown = (id: string): boolean => before.some(({ policy }) => policy === id);
  return {
    content,
    baseSequence: live?.sequence ?? 0,
    catalogueSha256: catalogue.sha256,
    at: new Date(now).toISOString(),
    isChange: live === null || content !== planContent(live.policies, live.catalogueSha256),
    policies: next.policies.map(({ policy }) => ({
      policy,
      title: after.find((one) => one.policy === policy)?.title ?? policy,
      state: !next.changed.includes(policy) ? 'same' : isKnown(policy) ? 'changed' : 'new',
    })),
    removed: [...next.removed],
  };
}

function bodyOf(
  { catalogue, targets = allTargets }: Planner,
  { before, after, concerned, zones, instants }: Sides,
  impact: Impact,
): Omit<PlanView, Head | 'warnings'> {
  const changes = targetChanges({
    ...{ targets, live: before, planned: after, catalogue },
    instants: compiledAt(instants),
    zone: zones[0]?.zone ?? 'UTC',
  });
  return {
    difference: difference(before, after).map((one) => ({ ...one, words: { ...one.words } })),
    dates: planDates(concerned, zones).map((date) => ({
      ...date,
      instants: date.instants.map((one) => ({ at: one.at, zones: [...one.zones] })),
    })),
    impact: impactView(impact, instants, {
      catalogue,
      unreported: unreported(before, after, catalogue),
      grace: graceOf(concerned),
    }),
    targets: changes.map((one) => ({
      ...one,
      changes: one.changes.map(({ at, files }) => ({ at, files: [...files] })),
    })),
  };
}

/** More would tell nobody more, and a target may take a tenth of a second for each. */
const mostCompiled = 3;

/** When enforcers' files are compared: now, when the first date comes into force, and when the last has. */
function compiledAt({ instants }: PlanInstants): readonly number[] {
  const dated = instants.filter(({ reasons }) => reasons.some(({ kind }) => kind !== 'announce'));
  const wanted = [...dated.slice(0, mostCompiled - 1), ...dated.slice(-1)];
  return [...new Set(wanted.map(({ at }) => at))];
}

function idsOf(texts: readonly string[]): readonly string[] {
  return texts.flatMap((yaml) => {
    const parsed = parsePolicy(yaml);
    return parsed.kind === 'policy' ? [parsed.policy.policy] : [];
  });
}

/** Since when devices can know of a rule: that of a live one since its text was published. */
function toldFrom(live: StoredBundle | null, before: readonly Policy[], now: number) {
  const published = new Map(live?.policies.map((one) => [one.policy, one.publishedAt]));
  const since = (policy: string): number => published.get(policy) ?? now;
  const rules = new Map(before.map(({ policy, rules: list }) => [policy, list]));
  const isLive = (policy: string, rule: string): boolean =>
    rule === 'default'
      ? rules.has(policy)
      : rules.get(policy)?.some(({ id }) => id === rule) === true;
  return {
    live: since,
    planned: (policy: string, rule: string) => (isLive(policy, rule) ? since(policy) : now),
  };
}

/** Errors: REQUEST_INVALID. */
function askedInstant(text: string, policies: readonly Policy[]): number {
  const checked = checkDate(text);
  if (checked.kind === 'invalid') {
    throw new CurfewError('REQUEST_INVALID', `--at is "${text}"; ${checked.message}`);
  }
  const zone = policies.find(({ timezone }) => timezone !== null)?.timezone ?? 'utc';
  return resolveDate(text, zone, 'UTC');
}

/** Errors: REQUEST_INVALID. */
function checkAsked(at: readonly string[]): void {
  if (at.length <= mostAsked) return;
  throw new CurfewError('REQUEST_INVALID', `${at.length} instants are asked for; ${mostAsked} fit`);
}

function graceOf(policies: readonly Policy[]): { policy: string; rule: string }[] {
  return policies.flatMap(({ policy, rules, default: rest }) =>
    [...rules, { id: 'default', denial: rest.denial }].flatMap(({ id, denial }) =>
      denial?.grace == null ? [] : [{ policy, rule: id }],
    ),
  );
}

interface Beside {
  readonly catalogue: Catalogue;
  readonly unreported: ReturnType<typeof unreported>;
  readonly grace: readonly { policy: string; rule: string }[];
}

function impactView(
  impact: Impact,
  { instants, left }: PlanInstants,
  { catalogue, unreported: missing, grace }: Beside,
): PlanView['impact'] {
  const { devices, neverScanned, partial, withoutZone, components, people } = impact;
  return {
    ...{ devices, neverScanned, partial, withoutZone, components, people },
    follows: [...impact.follows],
    at: impact.at.map((one, index) => ({
      at: new Date(one.at).toISOString(),
      reasons: [...(instants[index]?.reasons ?? [])],
      devices: one.devices,
      people: one.people,
      tools: one.tools
        .filter(({ figures }) => isOfInterest(figures))
        .map(({ tool, figures }) => ({
          tool,
          toolName: tool === null ? null : toolName(catalogue, tool),
          devices: figures,
        })),
    })),
    instantsLeft: left,
    unforeseen: impact.open.map((one) => ({ ...one, fields: [...one.fields] })),
    unreported: missing.map((one) => ({
      ...one,
      channels: [...one.channels],
      packages: [...one.packages],
    })),
    grace: [...grace],
  };
}

/** A tool that is clear on every device, live and planned, tells nobody anything. */
function isOfInterest({ live, planned, review, excepted }: Figures): boolean {
  const marks = review.live + review.planned + excepted.live + excepted.planned;
  return (
    marks > 0 ||
    [live, planned].some((counts) =>
      Object.entries(counts).some(([standing, count]) => standing !== 'clear' && count > 0),
    )
  );
}
