/**
 * THE PIPELINE, read this first. Triggers say what to look at; then, one round at a time, in order:
 * detect -> inventory -> evaluate -> report -> prompt. A step that fails is named in the log and the
 * loop goes on. It opens no file, socket or thread itself: all of that is handed in. Nothing here acts
 * on a device; the strongest it does is speak.
 */
import { schedule } from 'node-cron';
import type { Subject } from '../wire/messages.js';
import { openAttendance, type Attendance } from './attendance.js';
import type { Root } from './detect/index.js';
import { findingKeys, findingsOf, type Prompter } from './employee/prompt.js';
import { applyReadings } from './inventory.js';
import type { Loop, LoopParts, Standing } from './loop-parts.js';
import type { Judged } from './report/messages.js';
import { EventQueue, manifestEvents, type AgentEvent } from './report/events.js';
import { reportChanges, reportFacts } from './report/reporter.js';
import { asksAnew, inForce, rescanWaitMs, type InForce } from './rules.js';
import type { ScanOutcome } from './scanner.js';
import { judgeStored } from './verdicts.js';
import type { Watch } from './watch.js';
import { Wishes, type Look, type Wanted } from './wishes.js';

export type { Log, Loop, LoopParts, Standing } from './loop-parts.js';

const minuteMs = 60_000;
/** Unless something changed, what the server was told is compared with what is so once in this time. */
const reportMs = 60 * minuteMs;
/** Between two questions about the machine itself, which cost processes of the system. */
const factsMs = 55 * minuteMs;
/** Between two looks for other roots, unless single ones were read: then only they were seen to. */
const planMs = 5 * minuteMs;
/** Between two reads of all roots while nothing can be watched. */
const unwatchedMs = 30_000;
/** After a scan that failed as a whole. */
const retryMs = 30_000;
/** A server that keeps asking for snapshots gets one in this time. */
const snapshotMs = 5_000;

/** Starts with a full scan; then the triggers drive it until `close`. */
export function startLoop(parts: LoopParts): Loop {
  return new AgentLoop(parts);
}

class AgentLoop implements Loop {
  readonly #parts: LoopParts;
  readonly #prompter: Prompter;
  readonly #watch: Watch;
  readonly #stop: (() => unknown)[] = [];
  readonly #listeners = new Set<(standing: Standing) => void>();
  readonly #wishes = new Wishes();
  readonly #events: EventQueue;
  readonly #attendance: Attendance;
  readonly #homes = new Map<string, string>();
  readonly #snapshotAt = new Map<string, number>();
  #planned: ReadonlyMap<string, Root> = new Map();
  #rules: InForce;
  #nextChange: number | null = null;
  #lastFull: number | null = null;
  #fullDueAt = 0;
  #factsDueAt = 0;
  #reportDueAt = 0;
  /** The processes of the last look, by their marks. */
  #running = '';
  #planDueAt = 0;
  #standing: Standing | null = null;
  /** What besides the inventory the verdicts stand for. */
  #judgedFor = '';
  #judgedAt = 0;
  #confirmTimer: NodeJS.Timeout | null = null;
  #work: Promise<void> | null = null;
  #isClosed = false;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#events = new EventQueue(parts.store, parts.outbox);
    this.#attendance = openAttendance(parts.clock.savedMs);
    this.#rules = inForce(parts.documents(), parts.device());
    this.#prompter = parts.prompter(this);
    this.#watch = parts.watch({
      onHint: (roots) => this.#want({ roots }),
      onState: (state, code) => this.#watchingChanged(state, code),
    });
    const cron = schedule('* * * * *', () => this.#minute(), { suppressMissedWarning: true });
    this.#stop.push(() => cron.destroy());
    const unwatched = setInterval(() => this.#unwatched(), unwatchedMs);
    const instants = setInterval(() => this.#instant(), 1000);
    this.#stop.push(
      () => clearInterval(unwatched),
      () => clearInterval(instants),
    );
    this.#stop.push(parts.outbox.onResync((subject) => this.#resync(subject)));
    this.#want({ all: true, judging: true });
  }

  // Triggers: each says what is wanted, and returns at once.

  documentsChanged(): void {
    const before = this.#rules;
    this.#rules = inForce(this.#parts.documents(), this.#parts.device());
    const { bundleSequence: bundle, unreadable, policy } = this.#rules;
    const { clock, log } = this.#parts;
    log.info({ area: 'policy', event: 'rules', bundle, policy: policy?.policy ?? null });
    if (unreadable > 0) log.error({ area: 'policy', event: 'unreadable', unreadable });
    const waitMs = rescanWaitMs(this.#rules, this.#lastFull, clock.now());
    if (waitMs !== null) this.#fullDueAt = Math.min(this.#fullDueAt, performance.now() + waitMs);
    this.#want({ all: waitMs === 0 || asksAnew(before, this.#rules), judging: true });
  }

  scanAll(): void {
    this.#want({ all: true });
  }

  judgeAgain(): void {
    this.#want({ judging: true });
  }

  raise(event: AgentEvent): void {
    this.#events.add(event);
    this.#want({});
  }

  onStanding(listener: (standing: Standing) => void): void {
    this.#listeners.add(listener);
  }

  #minute(): void {
    this.#attendance.look(this.#parts.clock.now());
    this.#step('clock', () => {
      this.#parts.clock.save();
      this.#parts.store.saveTrustedTime(this.#parts.clock.now(), this.#parts.clock.isConfirmed);
    });
    const all = performance.now() >= this.#fullDueAt;
    this.#want({ all, processes: true, plan: performance.now() >= this.#planDueAt });
  }

  /** A timer of one second instead of one till the date: sleep and long waits cannot mislead it. */
  #instant(): void {
    if (this.#nextChange === null || this.#parts.clock.now() < this.#nextChange) return;
    this.#nextChange = null;
    this.#want({ judging: true });
  }

  #unwatched(): void {
    if (this.#watch.state === 'degraded') this.#want({ roots: this.#planned.keys() });
  }

  #watchingChanged(state: Watch['state'], code: string): void {
    this.#parts.log.warn({ area: 'watch', event: state, code });
    const detail = `${state} ${code}`;
    this.raise({ subject: { kind: 'machine' }, event: 'watching-degraded', detail });
  }

  #resync(subject: Subject): void {
    this.#parts.store.askSnapshot(subject);
    const last = this.#snapshotAt.get(JSON.stringify(subject)) ?? -snapshotMs;
    const waitMs = Math.max(0, last + snapshotMs - performance.now());
    this.#snapshotAt.set(JSON.stringify(subject), performance.now() + waitMs);
    setTimeout(() => this.#want({ judging: true }), waitMs).unref();
  }

  #want(what: Wanted): void {
    this.#wishes.add(what);
    this.#pump();
  }

  #pump(): void {
    if (this.#work !== null || this.#isClosed) return;
    this.#work = this.#rounds().finally(() => {
      this.#work = null;
      if (this.#wishes.isRoundDue) this.#pump();
    });
  }

  async #rounds(): Promise<void> {
    while (this.#wishes.isRoundDue && !this.#isClosed) await this.#round(this.#wishes.take());
  }

  async #round(look: Look): Promise<void> {
    const { isFull, wantsProcesses, wantsPlan, roots } = look;
    if (isFull || wantsProcesses || wantsPlan || roots.size > 0) {
      const outcome = await this.#step('detect', () => this.#detect(look));
      if (outcome === null) this.#againLater({ all: isFull, processes: wantsProcesses, roots });
      else if (outcome !== 'unchanged')
        this.#step('inventory', () => this.#inventory(outcome, isFull));
    }
    // Before the first full scan nothing is known well enough to be said.
    if (this.#lastFull === null || this.#isClosed) return;
    const standing = this.#step('evaluate', () => this.#evaluate());
    if (standing === null) return;
    const { judged } = standing;
    if (performance.now() >= this.#reportDueAt) {
      this.#step('report', () => this.#report(judged, this.#lastFull ?? 0));
    }
    // Not waited for: the system may take its time to answer.
    if (performance.now() >= this.#factsDueAt) void this.#step('facts', () => this.#reportFacts());
    this.#step('events', () => this.#events.flush(this.#parts.clock.now()));
    this.#step('prompt', () => this.#prompt(judged));
    for (const listener of this.#listeners) listener(standing);
  }

  /** What could not be looked at is still to be looked at. */
  #againLater(what: Wanted): void {
    setTimeout(() => this.#want(what), retryMs).unref();
  }

  /** The only place that catches everything: names the step, logs, and lets the loop go on. */
  #step<T>(name: string, work: () => T): T | null {
    const failed = (error: unknown): null => {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#parts.log.error({ area: 'loop', event: 'step-failed', step: name, message });
      return null;
    };
    try {
      const result = work();
      return result instanceof Promise ? (result.catch(failed) as T) : result;
    } catch (error) {
      return failed(error);
    }
  }

  async #detect({
    isFull,
    wantsProcesses,
    wantsPlan,
    roots,
  }: Look): Promise<ScanOutcome | 'unchanged'> {
    const { store, scanner, processes } = this.#parts;
    const running = isFull || wantsProcesses ? await processes() : null;
    const marks = running?.map(({ mark }) => mark).join('\n') ?? this.#running;
    // A component that several roots show is read from all of them, so that its record stays whole.
    const chosen = new Set(store.sharing(roots));
    if (marks !== this.#running) chosen.add('processes');
    if (!isFull && !wantsPlan && chosen.size === 0) return 'unchanged';
    const { catalogue, asked } = this.#rules;
    const outcome = await scanner.scan({
      roots: isFull ? 'all' : chosen,
      asked,
      catalogue,
      processes: running,
    });
    this.#running = marks;
    this.#planDueAt = isFull || wantsPlan ? performance.now() + planMs : 0;
    return outcome;
  }

  #inventory(outcome: ScanOutcome, isFull: boolean): void {
    const { store, clock, log } = this.#parts;
    const atMs = clock.now();
    for (const { account, path } of outcome.homes) this.#homes.set(account, path);
    const changes = applyReadings(store, { readings: outcome.readings, isFull, atMs });
    const { present, removed, nextChecks, haveRootsChanged } = changes;
    this.#wishes.isJudgingDue ||= present.length + removed.length > 0 || haveRootsChanged;
    const counts = { present: present.length, removed: removed.length };
    const { durationMs } = outcome;
    const read = outcome.readings.length;
    log[isFull ? 'info' : 'debug']({
      area: 'scan',
      event: 'read',
      isFull,
      read,
      durationMs,
      ...counts,
    });
    if (isFull) {
      this.#lastFull = atMs;
      const jitter = 0.9 + 0.2 * this.#parts.random();
      this.#fullDueAt = performance.now() + this.#parts.checkInMinutes * minuteMs * jitter;
    }
    for (const event of manifestEvents(store, outcome.readings)) this.raise(event);
    this.#followRoots(outcome, isFull);
    this.#confirmLater(nextChecks, atMs);
  }

  /** Roots that a scan names for the first time are read too; one that is gone asks for a full scan. */
  #followRoots({ roots, readings, fresh }: ScanOutcome, isFull: boolean): void {
    const before = this.#planned;
    const ofDisk = roots.filter(({ channel }) => channel !== 'process');
    this.#planned = new Map(ofDisk.map((root) => [root.id, root]));
    const read = isFull ? fresh : new Set(readings.map(({ root }) => root.id));
    this.#watch.follow([...this.#planned.values()], read);
    if (isFull) return;
    const added = [...this.#planned.keys()].filter((id) => !before.has(id));
    const isOneGone = [...before.keys()].some((id) => !this.#planned.has(id));
    if (added.length > 0 || isOneGone) this.#want({ roots: added, all: isOneGone });
  }

  /** The second look that a removal needs. */
  #confirmLater(checks: readonly { root: string; atMs: number }[], now: number): void {
    if (this.#confirmTimer !== null) clearTimeout(this.#confirmTimer);
    this.#confirmTimer = null;
    if (checks.length === 0) return;
    const first = Math.min(...checks.map(({ atMs }) => atMs));
    const due = checks.filter(({ atMs }) => atMs <= first + 1000).map(({ root }) => root);
    const isPlanned = due.every((root) => root === 'processes' || this.#planned.has(root));
    const processes = due.includes('processes');
    // Past due is a root that was read again just now and not to its end: no hurry with that one.
    const waitMs = first > now ? first - now + 1050 : minuteMs;
    const look = (): void => this.#want({ roots: due, all: !isPlanned, processes });
    this.#confirmTimer = setTimeout(look, Math.min(waitMs, minuteMs));
  }

  /** What stood before stands still, unless something that it depends on is another. */
  #evaluate(): Standing {
    const { store, clock } = this.#parts;
    const [now, device] = [clock.now(), this.#parts.device()];
    this.#attendance.look(now);
    const judgedFor = JSON.stringify([device, [...this.#homes], clock.isConfirmed]);
    const isDue = this.#wishes.isJudgingDue || now >= (this.#nextChange ?? Infinity);
    const isSame = !isDue && judgedFor === this.#judgedFor && now >= this.#judgedAt;
    if (isSame && this.#standing !== null) return this.#standing;
    const settledUntil = clock.settledUntil();
    const around = { device, homes: this.#homes, now, settledUntil, away: this.#attendance.take() };
    const { judged, nextChange } = judgeStored(store, this.#rules, around);
    const isScanComplete = store
      .roots()
      .every(({ status }) => status === 'complete' || status === 'absent');
    this.#wishes.isJudgingDue = false;
    this.#nextChange = nextChange;
    this.#reportDueAt = 0;
    this.#judgedFor = judgedFor;
    this.#judgedAt = now;
    return (this.#standing = { judged, isScanComplete, rules: this.#rules });
  }

  #report(judged: readonly Judged[], lastFull: number): void {
    const { store, outbox, clock, spellings } = this.#parts;
    const homes = new Map([...this.#homes].map(([account, home]) => [account, spellings(home)]));
    reportChanges({ store, outbox }, { ...this.#rules, judged, homes, now: clock.now(), lastFull });
    this.#reportDueAt = performance.now() + reportMs;
  }

  async #reportFacts(): Promise<void> {
    this.#factsDueAt = performance.now() + factsMs;
    const facts = await this.#parts.facts();
    if (!this.#isClosed) reportFacts(this.#parts, facts, this.#parts.clock.now());
  }

  #prompt(judged: readonly Judged[]): void {
    const { policy, catalogue } = this.#rules;
    if (policy === null) return;
    const accounts = [...this.#homes.keys()];
    const live = findingKeys(judged, accounts);
    const { store } = this.#parts;
    // A finding that ended is told anew if it comes back.
    for (const finding of store.prompted()) if (!live.has(finding)) store.forgetPrompts(finding);
    const findings = findingsOf(judged, accounts);
    this.#prompter.offer(findings, policy, { catalogue, deviceZone: this.#parts.device().zone });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stop) await stop();
    if (this.#confirmTimer !== null) clearTimeout(this.#confirmTimer);
    this.#watch.close();
    this.#parts.scanner.close();
    const late = new Promise((resolve) => setTimeout(resolve, 2000).unref());
    await Promise.race([this.#work, late]);
  }
}
