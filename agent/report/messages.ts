/**
 * What leaves the device, made from what is known on it: a component as the wire has it, the state of
 * the scan, and the pieces a long list is cut into. The home becomes `~`, names of projects become
 * `…`, evidence stays kinds; nothing that is not a field of `wire/messages.ts` can get out here.
 */
import { candidateReasons, type Component } from '../../policies/component.js';
import type { Verdict } from '../../policies/evaluate.js';
import { reportChoice, reportKind, reportKinds, type Reporting } from '../../policies/reporting.js';
import {
  hostPattern,
  maxComponentsPerReport,
  maxCount,
  maxHostLength,
  type KindCounts,
  type ReportedComponent,
  type ReportedVerdict,
  type ScanState,
} from '../../wire/messages.js';
import { fitText } from '../../wire/parse.js';
import type { Coverage } from '../inventory.js';

/** Room for the components of one report; the frame has some more for what is around them. */
const maxPartBytes = 700 * 1024;
const maxNotRead = 100;
const maxEvidence = 16;

/** Folders right below a home that are no project's: dot folders besides, which programs make. */
const knownBelowHome = new Set(['Library', 'AppData', 'Applications', 'bin', 'go', 'snap']);

/**
 * A path as it may leave. `homes`: the spellings of the owner's home (as listed, and its real path).
 * In a home, whatever is not in a program's own folder is somebody's project, and of a project only
 * the package is named: `~/…/node_modules/x`.
 */
export function shortenPath(component: Component, homes: readonly string[]): string {
  const path = component.path.replaceAll('\\', '/');
  const home = homes
    .map((one) => one.replaceAll('\\', '/').replace(/\/+$/, ''))
    .find((one) => one !== '' && (path === one || path.startsWith(`${one}/`)));
  const start = home === undefined ? '' : '~';
  const below = path.slice(home?.length ?? 0);
  const isProject = component.scope === 'project' || (home !== undefined && isStrange(below));
  return fitText(start + (isProject ? withoutProject(below) : below), 1024);
}

/** Whether a path below a home lies in a folder that no program makes. */
function isStrange(below: string): boolean {
  const [, first = '', ...rest] = below.split('/');
  return rest.length > 0 && !first.startsWith('.') && !knownBelowHome.has(first);
}

function withoutProject(below: string): string {
  const parts = below.split('/');
  const at = parts.indexOf('node_modules');
  return `/…/${(at > 0 ? parts.slice(at) : parts.slice(-1)).join('/')}`;
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const instantOf = <Name extends string>(
  name: Name,
  at: number | undefined,
): { readonly [key in Name]?: string } =>
  (at === undefined ? {} : { [name]: new Date(at).toISOString() }) as { [key in Name]?: string };

function toReportedVerdict(verdict: Verdict): ReportedVerdict {
  const { status, policy, rule, severity, action, effectiveAction } = verdict;
  return {
    status,
    policy,
    rule,
    severity,
    announce: iso(verdict.announce),
    effective: iso(verdict.effective),
    action,
    effectiveAction,
    replacement: verdict.replacement?.tool ?? null,
    ...instantOf('noticed', verdict.noticed),
    ...instantOf('graceUntil', verdict.graceUntil),
    ...(verdict.zone === undefined ? {} : { zone: fitText(verdict.zone, 64) }),
    ...instantOf('escalates', verdict.escalates),
  };
}

export interface Judged {
  readonly component: Component;
  /** Epoch ms. */
  readonly firstSeen: number;
  readonly verdict: Verdict;
}

/** What of a subject is told: some components whole, of others how many there are, of the rest nothing. */
export interface Told {
  readonly whole: readonly Judged[];
  readonly counts: KindCounts;
}

/** Parts what is known of one subject as the policy chooses. */
export function toldOf(judged: readonly Judged[], reporting: Reporting): Told {
  const counts: KindCounts = {};
  for (const kind of reportKinds) if (reporting.choices[kind] === 'count') counts[kind] = 0;
  const whole = judged.filter((one) => {
    const choice = reportChoice(one, reporting);
    const kind = choice === 'count' ? reportKind(one.component) : null;
    if (kind !== null) counts[kind] = Math.min((counts[kind] ?? 0) + 1, maxCount);
    return choice === 'report';
  });
  return { whole, counts };
}

/** Of an MCP server its name, program and package leave; where it connects to and its variables stay. */
function evidenceOf({ channel, evidence }: Component): readonly string[] {
  return channel === 'mcp' ? evidence.filter((kind) => !/^(env|host) /.test(kind)) : evidence;
}

const fit = (text: string | null, maxLength: number): string | null =>
  text === null ? null : fitText(text, maxLength);

/** Reasons as the wire lists them: a database may hold those of another version. */
function reasonsOf({ candidate = [] }: Component): Pick<ReportedComponent, 'candidateReasons'> {
  const reasons = candidateReasons.filter((reason) => candidate.includes(reason));
  return reasons.length === 0 ? {} : { candidateReasons: reasons };
}

const host = new RegExp(hostPattern);

/** A host alone; whatever else somebody made of it stays here. */
function gatewayOf({ gateway }: Component): Pick<ReportedComponent, 'gateway'> {
  if (gateway === null) return { gateway };
  const isHost = typeof gateway === 'string' && gateway.length <= maxHostLength;
  return isHost && host.test(gateway) ? { gateway } : {};
}

/** A judged component in the form of the wire, field by field. */
export function toReported(
  { component, firstSeen, verdict }: Judged,
  homes: readonly string[],
): ReportedComponent {
  return {
    id: component.id,
    tool: fit(component.tool, 128),
    channel: component.channel,
    manager: fit(component.manager, 64),
    purl: fit(component.purl, 512),
    name: fitText(component.name, 256),
    version: fit(component.version, 128),
    path: shortenPath(component, homes),
    owner: fit(component.owner, 256),
    scope: component.scope,
    state: component.state,
    confidence: component.confidence,
    evidence: evidenceOf(component)
      .slice(0, maxEvidence)
      .map((kind) => fitText(kind, 64)),
    firstSeen: new Date(firstSeen).toISOString(),
    verdict: toReportedVerdict(verdict),
    ...reasonsOf(component),
    ...gatewayOf(component),
  };
}

/** A root's id, shortened as a path is: it is one with the channel before it. */
export function rootLabel(id: string, homes: readonly string[]): string {
  const slashed = id.replaceAll('\\', '/');
  const home = homes
    .map((one) => one.replaceAll('\\', '/').replace(/\/+$/, ''))
    .find((one) => one !== '' && `${slashed}/`.includes(`${one}/`));
  if (home === undefined) return id;
  const at = `${slashed}/`.indexOf(`${home}/`);
  const below = slashed.slice(at + home.length);
  const start = `${slashed.slice(0, at)}~`;
  return start + (isStrange(below) ? withoutProject(below) : below);
}

/** How far a subject's roots were read. */
export function toScanState(
  coverage: Coverage,
  homes: readonly string[],
  nowMs: number,
): ScanState {
  return {
    status: coverage.isComplete ? 'complete' : 'partial',
    at: new Date(coverage.lastRead === 0 ? nowMs : coverage.lastRead).toISOString(),
    lastComplete: iso(coverage.lastComplete),
    roots: coverage.roots,
    notRead: coverage.notRead
      .slice(0, maxNotRead)
      .map(({ id, status }) => ({ root: fitText(rootLabel(id, homes), 256), status })),
  };
}

/** Cuts a list so that each part fits into one report, by number and by bytes; at least one part. */
export function cutParts(
  components: readonly ReportedComponent[],
): readonly (readonly ReportedComponent[])[] {
  const parts: ReportedComponent[][] = [[]];
  let bytes = 0;
  for (const component of components) {
    const size = Buffer.byteLength(JSON.stringify(component), 'utf8') + 1;
    const last = parts.at(-1) ?? [];
    if (last.length > 0 && (last.length >= maxComponentsPerReport || bytes + size > maxPartBytes)) {
      parts.push([component]);
      bytes = size;
    } else {
      last.push(component);
      bytes += size;
    }
  }
  return parts;
}
