/**
 * The fleet's inventory as reports change it: components and their history per subject, findings and
 * standing per device. All of it runs inside the transaction of the report. A snapshot replaces a
 * subject's state and writes no removals into the history: what it lacks may never have been there.
 */
import { verdictStatuses, type VerdictStatus } from '../policies/evaluate.js';
import type { ReportBody, ReportedComponent } from '../wire/messages.js';
import type { Writing } from './store/index.js';
import type {
  DeviceStatus,
  HistoryRecord,
  Standing,
  StoredFinding,
  SubjectKey,
  SubjectScan,
  Versioned,
} from './store/records.js';
import { isTrace } from './trace.js';

/** Whose state a report changes, and when: `at` by the device, `receivedAt` by the server. */
export interface SubjectState {
  readonly device: string;
  readonly subject: SubjectKey;
  readonly at: number;
  readonly receivedAt: number;
}
export interface Applied {
  readonly device: string;
  readonly history: readonly HistoryRecord[];
}
type Snapshot = Pick<
  Extract<ReportBody, { kind: 'snapshot' }>,
  'components' | 'counts' | 'scan' | 'bundleSequence'
>;
type Changes = Extract<ReportBody, { kind: 'changes' }>;

/** The key of the finding a component belongs to. */
export function findingKey(component: ReportedComponent): string {
  return component.tool ?? `${component.channel}:${component.name}`;
}

/** What the history calls a component that came or went: its version, but a trace has no use of one. */
function known(component: ReportedComponent): string {
  return isTrace(component) ? component.state : (component.version ?? component.state);
}

/** The verdict as the history tells it: of a trace it tells none. */
function told(component: ReportedComponent | null): VerdictStatus | null {
  return component === null || isTrace(component) ? null : component.verdict.status;
}

/** What the history says about a component that came, changed or is as it was. */
function difference(
  before: ReportedComponent | null,
  after: ReportedComponent,
  at: number,
): readonly HistoryRecord[] {
  const entry = { at, tool: after.tool, component: after.name };
  const records: HistoryRecord[] = [];
  if (before === null) {
    records.push({ ...entry, kind: 'appeared', from: null, to: known(after), detail: after.path });
  } else {
    if (before.version !== after.version) {
      const versions = { from: before.version, to: after.version, detail: 'version' };
      records.push({ ...entry, kind: 'changed', ...versions });
    }
    if (before.state !== after.state) {
      const states = { from: before.state, to: after.state, detail: 'state' };
      records.push({ ...entry, kind: 'changed', ...states });
    }
  }
  const statuses = { from: told(before), to: told(after), detail: after.verdict.rule };
  if (statuses.to !== null && statuses.from !== statuses.to) {
    records.push({ ...entry, kind: 'verdict', ...statuses });
  }
  return records;
}

export async function applySnapshot(
  writing: Writing,
  state: SubjectState,
  snapshot: Snapshot,
): Promise<Applied> {
  const { device, subject, at } = state;
  const stored = await writing.reports.components(device, subject);
  const before = new Map(stored.map(({ component }) => [component.id, component]));
  const after = new Map(snapshot.components.map((component) => [component.id, component]));
  const history: HistoryRecord[] = [
    {
      at,
      kind: 'snapshot',
      tool: null,
      component: null,
      from: String(before.size),
      to: String(after.size),
      detail: subject,
    },
  ];
  for (const component of after.values()) {
    history.push(...difference(before.get(component.id) ?? null, component, at));
    await writing.reports.putComponent({ device, subject, component });
  }
  for (const id of before.keys()) {
    if (!after.has(id)) await writing.reports.removeComponent(device, subject, id);
  }
  history.push(...(await applyScan(writing, state, snapshot)));
  await refresh(writing, device, snapshot.bundleSequence);
  return { device, history };
}

export async function applyChanges(
  writing: Writing,
  state: SubjectState,
  changes: Changes,
): Promise<Applied> {
  const { device, subject, at } = state;
  const history: HistoryRecord[] = [];
  for (const id of changes.removed) {
    const gone = await writing.reports.component(device, subject, id);
    if (gone === null) continue;
    const { tool, name, path } = gone.component;
    const removed = { from: known(gone.component), to: null, detail: path };
    history.push({ at, kind: 'removed', tool, component: name, ...removed });
    await writing.reports.removeComponent(device, subject, id);
  }
  for (const component of changes.present) {
    const before = await writing.reports.component(device, subject, component.id);
    history.push(...difference(before?.component ?? null, component, at));
    await writing.reports.putComponent({ device, subject, component });
  }
  history.push(...(await applyScan(writing, state, changes)));
  await refresh(writing, device, changes.bundleSequence);
  return { device, history };
}

/** Keeps how far the subject was looked at, and what was only counted; the history hears of the former. */
async function applyScan(
  writing: Writing,
  { device, subject, at, receivedAt }: SubjectState,
  { scan, counts = {} }: Pick<Changes, 'scan' | 'counts'>,
): Promise<readonly HistoryRecord[]> {
  const scans = await writing.reports.scans(device);
  const before = scans.find((one) => one.subject === subject)?.scan.status ?? null;
  await writing.reports.putScan(device, { subject, scan, counts, receivedAt });
  if (before === scan.status) return [];
  const statuses = { from: before, to: scan.status, detail: subject };
  return [{ at, kind: 'scan', tool: null, component: null, ...statuses }];
}

/** Findings and standing from what is stored now; the one place that computes them. */
async function refresh(
  writing: Writing,
  device: string,
  bundleSequence: number | null,
): Promise<void> {
  const stored = await writing.reports.components(device);
  const components = stored.map(({ component }) => component);
  const findings = findingsOf(device, components);
  await writing.reports.setFindings(device, findings);
  const before = await writing.reports.status(device);
  const scans = await writing.reports.scans(device);
  const statuses = components.map(({ verdict }) => verdict.status);
  const status: DeviceStatus = {
    device,
    standing: standingOf(statuses, scans),
    freshAt: freshAt(scans),
    worst: worstOf(statuses),
    hasReview: statuses.includes('review'),
    findings: findings.length,
    bundleSequence: bundleSequence ?? before?.bundleSequence ?? null,
  };
  await writing.devices.setStatus(status);
}

/** One finding per tool; its verdict is the worst of its components', its age the oldest's. */
export function findingsOf(
  device: string,
  components: readonly ReportedComponent[],
): readonly StoredFinding[] {
  const groups = Map.groupBy(components, findingKey);
  return [...groups].flatMap(([key, group]) => {
    const worst = worstOf(group.map(({ verdict }) => verdict.status));
    const first = group
      .filter(({ verdict }) => verdict.status === worst)
      .sort((a, b) => (a.id < b.id ? -1 : 1))[0];
    if (first === undefined) return [];
    const firstSeen = Math.min(...group.map((one) => Date.parse(one.firstSeen)));
    const { tool, name, verdict } = first;
    const versions = tool === null ? [] : versionsOf(group);
    return [{ device, key, tool, name, verdict, firstSeen, versions }];
  });
}

/** The versions of a finding, alike for all devices that have the same: such ones are counted together. */
function versionsOf(components: readonly ReportedComponent[]): readonly Versioned[] {
  const texts = components.flatMap(({ channel, manager, purl, version }) => {
    const type = purl === null ? null : (/^pkg:[a-z0-9.+-]+\//.exec(purl)?.[0] ?? null);
    return version === null ? [] : JSON.stringify({ channel, manager, purl: type, version });
  });
  return [...new Set(texts)].sort().map((text) => JSON.parse(text) as Versioned);
}

function worstOf(statuses: readonly VerdictStatus[]): VerdictStatus | null {
  return verdictStatuses.find((status) => statuses.includes(status)) ?? null;
}

const counted = ['violation', 'pending', 'unknown', 'excepted'] as const;

/** The device's state but for time: `review` is a mark beside it and decides nothing. */
function standingOf(statuses: readonly VerdictStatus[], scans: readonly SubjectScan[]): Standing {
  if (scans.length === 0) return 'never-scanned';
  if (scans.some(({ scan }) => scan.status === 'partial')) return 'partial';
  return counted.find((status) => statuses.includes(status)) ?? 'clear';
}

/**
 * When the device was last looked at to the end: the newest of its subjects, since a person who left
 * the machine is not looked at again. A clock that runs ahead counts no later than the arrival.
 */
function freshAt(scans: readonly SubjectScan[]): number | null {
  const times = scans.flatMap(({ scan, receivedAt }) => {
    const last = scan.lastComplete ?? (scan.status === 'complete' ? scan.at : null);
    return last === null ? [] : [Math.min(Date.parse(last), receivedAt)];
  });
  return times.length === 0 ? null : Math.max(...times);
}
