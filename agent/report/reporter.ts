/**
 * Says what changed: for each subject the difference between what is so and what the server was last
 * told, as one report, or as several where it is long. What was told is kept in the same transaction
 * as the report, so after a crash the difference is what it was. Nothing changed, nothing said.
 */
import { sha256Hex } from '../../wire/digest.js';
import type { Reporting } from '../../policies/reporting.js';
import type {
  DeviceFacts,
  KindCounts,
  ReportedComponent,
  ScanState,
  Subject,
} from '../../wire/messages.js';
import { coverage, type Coverage } from '../inventory.js';
import type { Store, StoredRoot } from '../store.js';
import { cutParts, toldOf, toReported, toScanState, type Judged } from './messages.js';
import type { Outbox } from './outbox.js';

/** How much the time of the last complete scan moves before that alone is worth a report. */
const scanNewsMs = 6 * 3600_000;

export interface ReportInput {
  readonly judged: readonly Judged[];
  /** Account to the spellings of its home. */
  readonly homes: ReadonlyMap<string, readonly string[]>;
  readonly bundleSequence: number | null;
  /** What the policy in force has reported. */
  readonly reporting: Reporting;
  /** Epoch ms of trusted time, and of the last full scan. */
  readonly now: number;
  readonly lastFull: number;
}

/** Appends what is new, for all subjects; answers how many reports that took. */
export function reportChanges(
  { store, outbox }: { readonly store: Store; readonly outbox: Outbox },
  input: ReportInput,
): number {
  const roots = store.roots();
  let count = 0;
  for (const subject of subjectsOf(roots, input.judged, outbox)) {
    count += reportSubject({ store, outbox, subject, roots }, input);
  }
  return count;
}

/** The device's facts, when they are not what was last told; never before the stream's snapshot. */
export function reportFacts(
  { store, outbox }: { readonly store: Store; readonly outbox: Outbox },
  facts: DeviceFacts,
  now: number,
): void {
  const words = JSON.stringify(facts);
  const subject: Subject = { kind: 'machine' };
  if (store.fact('facts') === words || store.told(subject).needsSnapshot) return;
  const at = new Date(now).toISOString();
  outbox.append(subject, { kind: 'device', at, facts }, () => store.saveFact('facts', words));
}

/** The machine, each account with places of its own or a component, and whoever has a stream already. */
function subjectsOf(
  roots: readonly StoredRoot[],
  judged: readonly Judged[],
  outbox: Outbox,
): readonly Subject[] {
  const accounts = new Set<string>();
  for (const { account } of roots) if (account !== null) accounts.add(account);
  for (const { component } of judged) if (component.owner !== null) accounts.add(component.owner);
  for (const { subject } of outbox.streams()) {
    if (subject.kind === 'person') accounts.add(subject.account);
  }
  return [
    { kind: 'machine' },
    ...[...accounts].sort().map((account) => ({ kind: 'person' as const, account })),
  ];
}

interface Parts {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly subject: Subject;
  readonly roots: readonly StoredRoot[];
}

/** Nothing to look at is looked at completely by each full scan. */
function coverageOf({ subject, roots }: Parts, lastFull: number): Coverage {
  const found = coverage(roots, subject.kind === 'machine' ? null : subject.account);
  return found.roots > 0 ? found : { ...found, lastComplete: lastFull, lastRead: lastFull };
}

/** What decides whether the scan's state is news; kept as text beside the stream. */
interface ToldScan {
  readonly words: string;
  readonly lastComplete: number | null;
}

function isScanNews(told: string | null, now: ToldScan): boolean {
  if (told === null) return true;
  const before = JSON.parse(told) as ToldScan;
  if (before.words !== now.words) return true;
  if (now.lastComplete === null || before.lastComplete === null) {
    return now.lastComplete !== before.lastComplete;
  }
  return now.lastComplete - before.lastComplete >= scanNewsMs;
}

function reportSubject(parts: Parts, input: ReportInput): number {
  const { store, subject } = parts;
  const owner = subject.kind === 'machine' ? null : subject.account;
  const homes = owner === null ? [] : (input.homes.get(owner) ?? []);
  const own = input.judged.filter(({ component }) => component.owner === owner);
  const { whole, counts } = toldOf(own, input.reporting);
  const current = whole.map((judged) => toReported(judged, homes));
  const hashes = new Map(current.map((one) => [one.id, sha256Hex(JSON.stringify(one))]));
  const covered = coverageOf(parts, input.lastFull);
  const scan = toScanState(covered, [...input.homes.values()].flat(), input.now);
  const { status, roots, notRead } = scan;
  const words = JSON.stringify([status, roots, notRead, input.bundleSequence, counts]);
  const toldScan: ToldScan = { words, lastComplete: covered.lastComplete };
  const state = { hashes, counts, scan, toldScan };
  const told = store.told(subject);
  // What is still here but no longer told was not removed: the server forgets it by a snapshot.
  const isWithheld = own.some(
    ({ component: { id } }) => !hashes.has(id) && told.components.has(id),
  );
  if (told.needsSnapshot || isWithheld) return appendSnapshot(parts, input, { ...state, current });
  const present = current.filter(({ id }) => told.components.get(id) !== hashes.get(id));
  const removed = [...told.components.keys()].filter((id) => !hashes.has(id));
  if (present.length + removed.length === 0 && !isScanNews(told.scan, toldScan)) return 0;
  return appendChanges(parts, input, { ...state, present, removed });
}

/** What goes with every report of a subject, and is remembered of it. */
interface State {
  readonly hashes: ReadonlyMap<string, string>;
  readonly counts: KindCounts;
  readonly scan: ScanState;
  readonly toldScan: ToldScan;
}

interface Snapshot extends State {
  readonly current: readonly ReportedComponent[];
}

function appendSnapshot(
  { store, outbox, subject }: Parts,
  { now, bundleSequence }: ReportInput,
  { current, hashes, counts, scan, toldScan }: Snapshot,
): number {
  const pieces = cutParts(current);
  const at = new Date(now).toISOString();
  const remember = (): void =>
    store.remember(subject, {
      scan: JSON.stringify(toldScan),
      isSnapshot: true,
      present: hashes,
      removed: [],
    });
  pieces.forEach((components, index) => {
    const [part, parts] = [index + 1, pieces.length];
    const body = { at, part, parts, components: [...components], counts, scan, bundleSequence };
    outbox.append(subject, { kind: 'snapshot', ...body }, part === parts ? remember : undefined);
  });
  return pieces.length;
}

interface Changes extends State {
  readonly present: readonly ReportedComponent[];
  readonly removed: readonly string[];
}

const removedPerReport = 500;

function appendChanges(
  { store, outbox, subject }: Parts,
  { now, bundleSequence }: ReportInput,
  { present, removed, hashes, counts, scan, toldScan }: Changes,
): number {
  const pieces = cutParts(present);
  const count = Math.max(pieces.length, Math.ceil(removed.length / removedPerReport));
  const at = new Date(now).toISOString();
  for (let index = 0; index < count; index += 1) {
    const here = pieces[index] ?? [];
    const gone = removed.slice(index * removedPerReport, (index + 1) * removedPerReport);
    const body = { at, present: [...here], removed: gone, counts, scan, bundleSequence };
    outbox.append(subject, { kind: 'changes', ...body }, () =>
      store.remember(subject, {
        scan: JSON.stringify(toldScan),
        isSnapshot: false,
        present: new Map(here.map(({ id }) => [id, hashes.get(id) ?? ''])),
        removed: gone,
      }),
    );
  }
  return count;
}
