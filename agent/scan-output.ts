/**
 * What `curfew scan` prints: one JSON record a line for programs, a table for people. The records only
 * ever gain fields; `scan-schema.ts` describes them. Names and paths come from disks that anyone may
 * have written, so control and direction characters never reach a terminal as they are.
 */
import type { Affected } from '../policies/affected.js';
import type { Catalogue } from '../policies/catalogue.js';
import type { CandidateReason, Component, RootStatus } from '../policies/component.js';
import type { Verdict, VerdictStatus } from '../policies/evaluate.js';
import type { Problem, ProblemCode, Reading } from './detect/index.js';

export interface VerdictRecord {
  readonly status: VerdictStatus;
  readonly rule: string | null;
  /** ISO 8601; null when the deciding rule does not deny. */
  readonly effective: string | null;
  readonly daysLeft: number | null;
  readonly action: string | null;
  readonly effectiveAction: string | null;
}

export interface ComponentRecord extends Pick<
  Component,
  | 'id'
  | 'tool'
  | 'channel'
  | 'manager'
  | 'purl'
  | 'name'
  | 'version'
  | 'path'
  | 'owner'
  | 'scope'
  | 'state'
  | 'confidence'
  | 'evidence'
> {
  readonly record: 'component';
  /** Why it looks like an AI tool though nothing names it; left out for all else. */
  readonly candidate?: readonly CandidateReason[];
  /** Who signed or published it, as it says itself; left out where nothing says so. */
  readonly publisher?: string;
  /** Host of the model endpoint its tool is set up for, null for none; left out where that is not known. */
  readonly gateway?: string | null;
  /** null without a policy. */
  readonly verdict: VerdictRecord | null;
  /** Ids of the advisories that name its version; left out where there are none. */
  readonly advisories?: readonly string[];
  /** Those that may, because the version is not known. */
  readonly possibleAdvisories?: readonly string[];
  /** ISO 8601; only where history is kept. */
  readonly firstSeen?: string;
  /** The same of the last scan that saw it: earlier than this one where its place could not be read. */
  readonly lastSeen?: string;
}

export interface RootRecord {
  readonly root: string;
  readonly status: RootStatus;
  readonly problems?: readonly Problem[];
}

export interface SummaryRecord {
  readonly record: 'summary';
  readonly status: 'complete' | 'partial';
  readonly roots: readonly RootRecord[];
  readonly counts: {
    readonly components: number;
    readonly findings: number;
    /** Findings by the worst verdict of their components; empty without a policy. */
    readonly verdicts: Readonly<Partial<Record<VerdictStatus, number>>>;
  };
  readonly durationMs: number;
}

/** A component with what the policy says of it. */
export interface Judged {
  readonly component: Component;
  readonly verdict: Verdict | null;
  readonly affected?: readonly Affected[];
  readonly firstSeenMs?: number;
  readonly lastSeenMs?: number;
}

const iso = (ms: number): string => new Date(ms).toISOString();

export function componentRecord({
  component,
  verdict,
  affected = [],
  firstSeenMs,
  lastSeenMs,
}: Judged): ComponentRecord {
  const { id, tool, channel, manager, purl, name, version } = component;
  const { path, owner, scope, state, confidence, evidence, candidate, gateway } = component;
  const { publisher } = component;
  return {
    record: 'component',
    ...{ id, tool, channel, manager, purl, name, version },
    ...{ path, owner, scope, state, confidence, evidence },
    ...(candidate === undefined ? {} : { candidate }),
    ...(publisher == null ? {} : { publisher }),
    ...(gateway === undefined ? {} : { gateway }),
    verdict: verdict === null ? null : verdictRecord(verdict),
    ...advisoryFields(affected),
    ...(firstSeenMs === undefined ? {} : { firstSeen: iso(firstSeenMs) }),
    ...(lastSeenMs === undefined ? {} : { lastSeen: iso(lastSeenMs) }),
  };
}

function advisoryFields(
  affected: readonly Affected[],
): Pick<ComponentRecord, 'advisories' | 'possibleAdvisories'> {
  const idsOf = (wanted: boolean): string[] =>
    affected.filter(({ isCertain }) => isCertain === wanted).map(({ advisory }) => advisory.id);
  const [advisories, possibleAdvisories] = [idsOf(true), idsOf(false)];
  return {
    ...(advisories.length === 0 ? {} : { advisories }),
    ...(possibleAdvisories.length === 0 ? {} : { possibleAdvisories }),
  };
}

function verdictRecord(verdict: Verdict): VerdictRecord {
  const { status, rule, effective, daysLeft, action, effectiveAction } = verdict;
  const at = effective === null ? null : iso(effective);
  return { status, rule, effective: at, daysLeft, action, effectiveAction };
}

export function summaryRecord(
  judged: readonly Judged[],
  readings: readonly Reading[],
  durationMs: number,
): SummaryRecord {
  const isRead = ({ status }: Reading): boolean => status === 'complete' || status === 'absent';
  const findings = worstOfFindings(judged);
  const verdicts: Partial<Record<VerdictStatus, number>> = {};
  for (const status of findings.values()) {
    if (status !== null) verdicts[status] = (verdicts[status] ?? 0) + 1;
  }
  return {
    record: 'summary',
    status: readings.every(isRead) ? 'complete' : 'partial',
    roots: readings.map(({ root, status, problems }) => {
      return { root: root.id, status, ...(problems.length === 0 ? {} : { problems }) };
    }),
    counts: {
      components: judged.length,
      findings: findings.size,
      verdicts,
    },
    durationMs,
  };
}

/** One entry per tool, or per name where no tool claims it. */
function worstOfFindings(judged: readonly Judged[]): ReadonlyMap<string, VerdictStatus | null> {
  const worst = new Map<string, VerdictStatus | null>();
  for (const { component, verdict } of judged) {
    const key = component.tool ?? `${component.channel} ${component.name}`;
    const known = worst.get(key) ?? null;
    const status = verdict?.status ?? null;
    const isWorse = status !== null && (known === null || rank(status) < rank(known));
    if (isWorse || !worst.has(key)) worst.set(key, status);
  }
  return worst;
}

/** Worst first, as in `policies/evaluate.ts`, which a scan without a policy does not load. */
const ranks: Readonly<Record<VerdictStatus, number>> = {
  violation: 0,
  pending: 1,
  unknown: 2,
  review: 3,
  excepted: 4,
  allowed: 5,
  approved: 6,
};
const rank = (status: VerdictStatus): number => ranks[status];

/** 2 is for usage alone; a violation weighs more than not having seen all. */
export function exitCodeOf(judged: readonly Judged[], summary: SummaryRecord): 0 | 1 | 3 {
  const has = (wanted: VerdictStatus): boolean =>
    judged.some(({ verdict }) => verdict?.status === wanted);
  if (has('violation')) return 1;
  return summary.status === 'partial' || has('unknown') ? 3 : 0;
}

/** Control characters, and those that turn the direction of text or show nothing. */
const unprintable =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text for a person: what would not show as itself is written as `\u....`. */
export function printable(text: string): string {
  return text.replace(unprintable, escaped);
}

/** One record as a line of JSON that is safe to show. */
export function jsonLine(record: ComponentRecord | SummaryRecord): string {
  return `${JSON.stringify(record).replace(unprintable, escaped)}\n`;
}

export interface TableContext {
  readonly catalogue: Catalogue;
  /** Folders written as `~`. */
  readonly homes: readonly string[];
  readonly pathSeparator: string;
}

const heads = [
  'tool',
  'channel',
  'version',
  'path',
  'owner',
  'state',
  'verdict',
  'days left',
  'use instead',
];

/** The table for people, worst first, or a sentence when there is nothing to show. */
export async function peopleTable(
  judged: readonly Judged[],
  context: TableContext,
): Promise<string> {
  if (judged.length === 0) return 'No AI tools were found.\n';
  const { default: Table } = await import('cli-table3');
  const table = new Table({ head: heads, style: { head: [], border: [], compact: true } });
  for (const each of [...judged].sort(worstFirst)) table.push(row(each, context));
  return `${table.toString()}\n`;
}

function worstFirst(a: Judged, b: Judged): number {
  const of = ({ verdict }: Judged): number => (verdict === null ? Infinity : rank(verdict.status));
  return of(a) - of(b);
}

/** Marks behind a version: an advisory names it, or may, because it is not known. */
export const advisoryMarks = { certain: '(!)', possible: '(?)' };

function versionCell({ component, affected = [] }: Judged): string {
  const version = component.version ?? 'unknown';
  if (affected.some(({ isCertain }) => isCertain)) return `${version} ${advisoryMarks.certain}`;
  return affected.length === 0 ? version : `${version} ${advisoryMarks.possible}`;
}

function row(judged: Judged, context: TableContext): string[] {
  const { component, verdict } = judged;
  const { catalogue } = context;
  const tool = component.tool === null ? null : catalogue.tool(component.tool);
  const instead = verdict?.replacement?.tool ?? null;
  const [name = '', ...cells] = [
    tool?.name ?? component.name,
    component.manager === null ? component.channel : `${component.channel} (${component.manager})`,
    versionCell(judged),
    shortPath(component.path, context),
    component.owner ?? 'machine',
    component.state,
    verdict?.status ?? '-',
    daysLeft(verdict),
    instead === null ? '' : (catalogue.tool(instead)?.name ?? instead),
  ].map(printable);
  return [[name, ...guessLines(component)].join('\n'), ...cells];
}

const reasonWords: Readonly<Record<CandidateReason, string>> = {
  'depends-on-model-sdk': 'it depends on a model SDK',
  'declares-mcp': 'it declares MCP',
  'speaks-acp': 'it speaks ACP',
  'declares-chat': 'it declares a chat',
};

/** Why something that nothing names is in the list at all. */
function guessLines({ candidate }: Component): readonly string[] {
  if (candidate === undefined) return [];
  return ['may be an AI tool:', ...candidate.map((reason) => reasonWords[reason])];
}

function daysLeft(verdict: Verdict | null): string {
  if (verdict === null || verdict.daysLeft === null) return '';
  return verdict.status === 'violation' ? 'in force' : String(verdict.daysLeft);
}

function shortPath(path: string, { homes, pathSeparator }: TableContext): string {
  const home = homes.find((folder) => path.startsWith(folder + pathSeparator));
  return home === undefined ? path : `~${path.slice(home.length)}`;
}

/** What was not read to its end, and what was odd, a line each; empty when there is nothing to say. */
export function problemLines({ roots }: SummaryRecord): string {
  const isRead = ({ status }: RootRecord): boolean => status === 'complete' || status === 'absent';
  // What all roots of a person have in common is said once.
  const unread = Map.groupBy(
    roots.filter((root) => !isRead(root)),
    (root) => JSON.stringify([root.status, root.problems ?? root.status]),
  );
  const lines = [
    ...[...unread.values()].flatMap((group) => linesOf(group)),
    ...roots.filter(isRead).flatMap((root) => (root.problems ?? []).map(problemLine)),
  ];
  const shown = lines.slice(0, maxProblemLines);
  const rest = lines.length - shown.length;
  const more = rest === 0 ? [] : [`  and ${rest} more; --json lists them all`];
  return [...shown, ...more].map((line) => `${printable(line)}\n`).join('');
}

const maxProblemLines = 50;

/** Roots with one status and the same problems. */
function linesOf([first, ...others]: readonly RootRecord[]): readonly string[] {
  if (first === undefined) return [];
  const { root, status, problems } = first;
  const isWhole = problems === undefined || status === 'unavailable';
  const rest = others.length === 0 ? '' : ` and ${others.length} more`;
  return [
    `${isWhole ? 'Not read' : 'Not fully read'}: ${root}${rest} (${status})`,
    ...(problems ?? []).map(problemLine),
  ];
}

/** Codes that an administrator would not guess. */
const problemWords: Readonly<Partial<Record<ProblemCode, string>>> = {
  unsupported: 'in a format that is not read',
  'network-mount': 'on a network or FUSE mount, which is not looked into',
  'not-mounted': 'missing or empty, as if its disk were not mounted',
  locked: 'encrypted and not unlocked',
  placeholder: 'only in the cloud, and not pulled down',
  guarded: 'in a folder for which macOS asks the person, which is not looked into',
};

const problemLine = ({ path, code }: Problem): string => `  ${path}: ${problemWords[code] ?? code}`;
