/**
 * `curfew status` and `curfew inventory`: what the agent knows, read from its database without writing
 * and without asking the running agent, so that a hung one cannot hold an answer up. `status` says how
 * things stand, `inventory` lists the components.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import path from 'node:path';
import { builtInCatalogue } from '../policies/catalogue.js';
import { currentZone } from '../policies/dates.js';
import { worst } from '../policies/evaluate.js';
import { CurfewError } from '../wire/errors.js';
import { machineClock, openClock } from './clock.js';
import { languageFor } from './employee/texts.js';
import { documentsIn } from './explain-known.js';
import { readIdentity } from './identity-files.js';
import { attach } from './inventory.js';
import { localPeople, thisPlatform } from './platform/index.js';
import type { CommandIo } from './run.js';
import { advisoryLines, withAdvisories } from './scan-advisories.js';
import { componentRecord, peopleTable, printable, type Judged } from './scan-output.js';
import { machineSettings } from './settings.js';
import { assignedLines, assignedRecord, type AssignedRecord } from './status-assigned.js';
import { openStore, type Store, type StoredRoot } from './store.js';

/** A state older than this is no answer about today (design, Words). */
const staleMs = 7 * 24 * 3600_000;

const statusHelp = `Usage: curfew status [--json | --oneline]

  Says what the agent on this machine knows. Exit code 1: a violation; 3: it cannot tell; 0: fine.

  --json      one JSON object
  --oneline   one word and the counts, for scripts
  Example: curfew status --oneline
`;

const inventoryHelp = `Usage: curfew inventory [--format table|json]

  Lists what the agent on this machine has found, with the verdict on each. Exit codes as of status.
  Example: curfew inventory --format json
`;

/** `clear`, `violation`, `pending`, `unknown`, `partial`, `stale`, `never-scanned`: the first that applies. */
export interface StatusRecord extends AssignedRecord {
  readonly record: 'status';
  readonly state: string;
  readonly enrolled: boolean;
  readonly deviceId: string | null;
  readonly components: number;
  readonly verdicts: Readonly<Record<string, number>>;
  /** Components whose version an advisory names. */
  readonly withAdvisories: number;
  readonly lastComplete: string | null;
  readonly bundleSequence: number | null;
  readonly pendingReports: number;
  readonly setAsideReports: number;
  readonly notRead: readonly { readonly root: string; readonly status: string }[];
}

interface Known {
  readonly judged: readonly Judged[];
  readonly status: StatusRecord;
}

/** Answers the exit code. */
export async function runStatus(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = { json: { type: 'boolean' }, oneline: { type: 'boolean' } } as const;
  return guarded('status', io, async () => {
    const values = valuesOf(argv, options);
    if (values.help === true) return print(io, statusHelp);
    const { status } = await readKnown();
    if (values.json === true) io.stdout(`${JSON.stringify(status)}\n`);
    else if (values.oneline === true) io.stdout(`${oneLine(status)}\n`);
    else io.stdout(people(status) + assignedText(status));
    return exitCode(status);
  });
}

/** Answers the exit code. */
export async function runInventory(argv: readonly string[], io: CommandIo): Promise<number> {
  return guarded('inventory', io, async () => {
    const values = valuesOf(argv, { format: { type: 'string' } });
    if (values.help === true) return print(io, inventoryHelp);
    const format = values.format ?? 'table';
    if (format !== 'table' && format !== 'json') {
      throw new CurfewError('USAGE', `--format ${printable(String(format))} is not known`, {
        hint: 'Give table or json.',
      });
    }
    const { judged, status } = await readKnown();
    if (format === 'json') {
      for (const one of judged) io.stdout(`${JSON.stringify(componentRecord(one))}\n`);
    } else {
      const { HomeOnly } = machineSettings(thisPlatform(), process.env).values;
      const homes = HomeOnly === null ? localPeople().map(({ home }) => home) : [HomeOnly];
      const catalogue = builtInCatalogue();
      const context = { catalogue, homes, pathSeparator: path.sep };
      io.stdout((await peopleTable(judged, context)) + advisoryLines(judged, catalogue));
      for (const { root, status: word } of status.notRead) {
        io.stdout(`Not fully read: ${printable(root)} (${word})\n`);
      }
    }
    return exitCode(status);
  });
}

async function print(io: CommandIo, text: string): Promise<number> {
  io.stdout(text);
  return Promise.resolve(0);
}

async function guarded(name: string, io: CommandIo, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    io.stderr(`curfew ${name}: ${printable(error.message)}\n`);
    if (error.hint !== null) io.stderr(`  ${error.hint}\n`);
    return error.code === 'USAGE' ? 2 : 3;
  }
}

type Options = Readonly<Record<string, { readonly type: 'boolean' | 'string' }>>;

function valuesOf(
  argv: readonly string[],
  options: Options,
): Readonly<Record<string, string | boolean | undefined>> {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
    return values as Record<string, string | boolean | undefined>;
  } catch (error) {
    throw new CurfewError('USAGE', error instanceof Error ? error.message : String(error));
  }
}

async function readKnown(): Promise<Known> {
  const settings = machineSettings(thisPlatform(), process.env);
  const folder = settings.values.DataFolder;
  const store = openStore(folder, { isReadOnly: true });
  try {
    const verdicts = new Map(
      store.verdicts().map(({ component, verdict }) => [component, verdict]),
    );
    const catalogue = builtInCatalogue();
    const known = attach(store, catalogue).map(({ component, firstSeen }) => ({
      component,
      verdict: verdicts.get(component.id) ?? null,
      firstSeenMs: firstSeen,
    }));
    const judged = await withAdvisories(known, catalogue);
    const now = trustedNow(folder);
    const assigned = assignedRecord(await documentsIn(folder, store, { settings, now }), now);
    return { judged, status: { ...statusOf(store, judged, folder), ...assigned } };
  } finally {
    store.close();
  }
}

/** The running agent's time, as its file tells it; nothing is written. */
function trustedNow(folder: string): number {
  const file = path.join(folder, 'clock.json');
  return openClock({ file, read: machineClock(), onSuspicion: () => undefined }).now();
}

function assignedText(status: StatusRecord): string {
  const language = languageFor({ home: os.homedir(), env: process.env });
  const reader = { language, zone: currentZone(), catalogue: builtInCatalogue() };
  return assignedLines(status, reader)
    .map((line) => `${line}\n`)
    .join('');
}

const isAffected = ({ affected = [] }: Judged): boolean =>
  affected.some(({ isCertain }) => isCertain);

const isRead = ({ status }: StoredRoot): boolean => status === 'complete' || status === 'absent';

function statusOf(
  store: Store,
  judged: readonly Judged[],
  folder: string,
): Omit<StatusRecord, keyof AssignedRecord> {
  const roots = store.roots();
  const times = roots.map(({ lastComplete }) => lastComplete);
  const isEver = times.length > 0 && times.every((at) => at !== null);
  const lastComplete = isEver ? Math.min(...times.map((at) => at ?? 0)) : null;
  const statuses = judged.map(({ verdict }) => verdict?.status ?? 'unknown');
  const counts: Record<string, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  const reports = store.reportCounts();
  const identity = readIdentity(folder);
  return {
    record: 'status',
    state: stateOf(roots, lastComplete, worst(statuses)),
    enrolled: identity !== null,
    deviceId: identity?.deviceId ?? null,
    components: judged.length,
    verdicts: counts,
    withAdvisories: judged.filter(isAffected).length,
    lastComplete: lastComplete === null ? null : new Date(lastComplete).toISOString(),
    bundleSequence: store.document('bundle')?.sequence ?? null,
    pendingReports: reports.pending,
    setAsideReports: reports.setAside,
    notRead: roots.filter((root) => !isRead(root)).map(({ id, status }) => ({ root: id, status })),
  };
}

/** The order of the design: what is not known well comes before what was last known. */
function stateOf(
  roots: readonly StoredRoot[],
  lastComplete: number | null,
  verdict: string | null,
): string {
  if (roots.length === 0) return 'never-scanned';
  if (!roots.every(isRead)) return 'partial';
  if (lastComplete === null || Date.now() - lastComplete > staleMs) return 'stale';
  return ['violation', 'pending', 'unknown', 'excepted'].find((one) => one === verdict) ?? 'clear';
}

function exitCode({ state, verdicts }: StatusRecord): number {
  if ((verdicts['violation'] ?? 0) > 0) return 1;
  return ['clear', 'pending', 'excepted'].includes(state) ? 0 : 3;
}

function oneLine({ state, components, verdicts }: StatusRecord): string {
  const counts = Object.entries(verdicts).map(([status, count]) => `${status}=${count}`);
  return [state, `components=${components}`, ...counts].join(' ');
}

function people(status: StatusRecord): string {
  const verdicts = Object.entries(status.verdicts).map(([word, count]) => `${count} ${word}`);
  const lines = [
    `State: ${status.state}`,
    `Components: ${status.components}${verdicts.length === 0 ? '' : ` (${verdicts.join(', ')})`}`,
    ...(status.withAdvisories === 0
      ? []
      : [`With published faults: ${status.withAdvisories} (curfew inventory names them)`]),
    `Last complete scan: ${status.lastComplete ?? 'never'}`,
    `Policy bundle: ${status.bundleSequence ?? 'none yet'}`,
    `Server: ${status.enrolled ? `enrolled as ${status.deviceId}` : 'not enrolled'}`,
    `Reports waiting: ${status.pendingReports}`,
    ...(status.setAsideReports > 0 ? [`Reports refused: ${status.setAsideReports}`] : []),
    ...status.notRead.map(
      ({ root, status: word }) => `Not fully read: ${printable(root)} (${word})`,
    ),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
