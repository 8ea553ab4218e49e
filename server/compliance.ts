/**
 * How the fleet stands: devices by state, adding up to the total; what of each tool is where; and the
 * same over time. A device's state comes from its stored standing and the instant asked, so staleness
 * is right without a job. Counts are aggregates over an index of standings for now; counters kept by
 * ingest would stand behind the same store functions.
 */
import { affectedBy } from '../policies/advisories.js';
import type { Catalogue } from '../policies/catalogue.js';
import type { Agents } from './agents.js';
import type { Store } from './store/index.js';
import type { DeviceSummary, StoredComponent, StoredFinding, TrendPoint } from './store/records.js';
import type { AdvisoryList, Compliance, DeviceRow, Finding, Trend } from './views.js';
import { findingKey } from './inventory.js';

const dayMs = 86_400_000;
const minuteMs = 60_000;
const trendSpanMs = dayMs;

/** What the views are made from. */
export interface FleetSources {
  readonly store: Store;
  readonly agents: Agents;
  readonly catalogue: Catalogue;
  readonly clock: () => number;
  readonly staleDays: number;
}

/** Epoch ms before which a last complete scan makes a device stale. */
export const staleBefore = ({ clock, staleDays }: FleetSources): number =>
  clock() - staleDays * dayMs;

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

/** What people call a tool; an id that the catalogue does not know is shown as it is. */
export function toolName(catalogue: Catalogue, id: string): string {
  return catalogue.tool(id)?.name ?? id;
}

export async function complianceNow(sources: FleetSources): Promise<Compliance> {
  const { store, agents, catalogue, clock } = sources;
  const reads = store.read.compliance;
  const states = await reads.states(staleBefore(sources));
  const tools = await reads.tools();
  const faults = await faultsOf(sources);
  return {
    at: iso(clock()),
    total: Object.values(states).reduce((sum, count) => sum + count, 0),
    states,
    review: await reads.reviewed(),
    online: agents.connected,
    tools: tools.map((row) => ({
      ...row,
      toolName: toolName(catalogue, row.tool),
      ...(faults.get(row.tool) ?? { affected: 0, advisories: [] }),
    })),
  };
}

type Faults = Pick<Compliance['tools'][number], 'affected' | 'advisories'>;

/** By tool, on how many devices a version is that an advisory names. Devices alike are judged once. */
async function faultsOf({ store, catalogue }: FleetSources): Promise<ReadonlyMap<string, Faults>> {
  const named = new Set(
    catalogue.advisories.flatMap(({ affects }) => affects.map((one) => one.tool)),
  );
  const faults = new Map<string, Faults>();
  for (const { tool, versions, devices } of await store.read.compliance.versions([...named])) {
    const found = versions.flatMap((version) =>
      affectedBy({ ...version, tool, state: 'installed' }, catalogue).filter(
        (one) => one.isCertain,
      ),
    );
    if (found.length === 0) continue;
    const { affected, advisories } = faults.get(tool) ?? { affected: 0, advisories: [] };
    const ids = new Set([...advisories, ...found.map(({ advisory }) => advisory.id)]);
    faults.set(tool, { affected: affected + devices, advisories: [...ids].sort() });
  }
  return faults;
}

/** The catalogue's advisories as people read them. */
export function advisoryList({ advisories }: Catalogue): AdvisoryList {
  return {
    advisories: advisories.map(({ id, title, severity, fixed, sources }) => ({
      id,
      title,
      severity,
      fixed,
      sources: [...sources],
    })),
  };
}

/** The last day; the shorter it has been recorded, the finer. The last sample of a bucket stands for it. */
export async function trend({ store, clock }: FleetSources): Promise<Trend> {
  const now = clock();
  const points = await store.read.compliance.trend(now - trendSpanMs);
  const spanMs = now - (points[0]?.at ?? now);
  const bucketMinutes = spanMs <= 2 * 60 * minuteMs ? 1 : spanMs <= dayMs / 2 ? 5 : 15;
  const bucketMs = bucketMinutes * minuteMs;
  const buckets = new Map<number, TrendPoint['states']>();
  for (const { at, states } of points) buckets.set(at - (at % bucketMs), states);
  return {
    bucketMinutes,
    points: [...buckets].map(([at, states]) => ({ at: iso(at), states })),
  };
}

/** Writes the present counts as the point of this minute. */
export async function sampleTrend(sources: FleetSources): Promise<void> {
  const { store, clock } = sources;
  const now = clock();
  const states = await store.read.compliance.states(staleBefore(sources));
  await store.write((writing) =>
    writing.compliance.putTrend({ at: now - (now % minuteMs), states }),
  );
}

export function deviceRow(summary: DeviceSummary, { agents }: FleetSources): DeviceRow {
  const { device } = summary;
  const { facts } = device;
  return {
    id: device.id,
    hostName: facts.hostName,
    label: device.label,
    platform: facts.platform,
    osName: facts.osName,
    osVersion: facts.osVersion,
    agentVersion: facts.agentVersion,
    group: device.group,
    state: summary.state,
    lastKnown: summary.lastKnown,
    hasReview: summary.hasReview,
    isOnline: agents.isOnline(device.id),
    findings: summary.findings,
    enrolledAt: iso(device.enrolledAt),
    lastSeen: isoOrNull(agents.lastHeard(device.id) ?? device.lastSeen),
    lastComplete: isoOrNull(summary.lastComplete),
    bundleSequence: summary.bundleSequence,
    needsAgentUpgrade: summary.needsAgentUpgrade,
  };
}

/** A finding with the components that make it; `stored` are those of its device. */
export function findingView(
  finding: StoredFinding,
  stored: readonly StoredComponent[],
  { hostName, catalogue }: { readonly hostName: string; readonly catalogue: Catalogue },
): Finding {
  const { tool, name, verdict } = finding;
  const components = stored
    .map(({ component }) => component)
    .filter((component) => findingKey(component) === finding.key);
  return {
    deviceId: finding.device,
    hostName,
    tool,
    toolName: tool === null ? name : toolName(catalogue, tool),
    verdict: verdict.status,
    policy: verdict.policy,
    rule: verdict.rule,
    effective: verdict.effective,
    replacement: verdict.replacement,
    replacementName: verdict.replacement === null ? null : toolName(catalogue, verdict.replacement),
    firstSeen: iso(finding.firstSeen),
    components,
    ...advisoriesOf(components, catalogue),
  };
}

function advisoriesOf(
  components: Finding['components'],
  catalogue: Catalogue,
): Pick<Finding, 'advisories' | 'possibleAdvisories'> {
  const affected = components.flatMap((component) => affectedBy(component, catalogue));
  const idsOf = (wanted: boolean): string[] => [
    ...new Set(
      affected.flatMap(({ advisory, isCertain }) => (isCertain === wanted ? advisory.id : [])),
    ),
  ];
  return { advisories: idsOf(true), possibleAdvisories: idsOf(false) };
}
