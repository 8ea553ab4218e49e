/**
 * The part of the store that concerns reports: streams, outbox, ledger, and what the server was last
 * told. SQL only; `report/outbox.ts` says what it means. The next sequence number, the report and what
 * it makes known are written in one transaction, so a crash leaves all of it or nothing.
 */
import { randomUUID } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { reportHash, zeroHash } from '../wire/digest.js';
import type { Report, Subject } from '../wire/messages.js';

/** Acknowledged reports kept as ledger, per stream. */
const keptInLedger = 2000;
/** Reports between two looks at the ledger's bound. */
const pruneEvery = 100;

export interface StreamRow {
  readonly stream: string;
  readonly subject: Subject;
  readonly lastSeq: number;
}

/** A report as the ledger shows it. `state`: pending, acknowledged, set-aside or dropped. */
export interface LedgerRow {
  readonly stream: string;
  readonly seq: number;
  readonly body: string;
  readonly createdAt: number;
  readonly state: string;
  readonly ackedAt: number | null;
}

export interface ReportStore {
  appendReport(subject: Subject, body: string, atMs: number, also?: () => void): Report;
  pendingReports(after: ReadonlyMap<string, number>, limit: number): readonly Report[];
  pendingCount(stream: string): number;
  /** Takes the oldest waiting reports out; answers how many. */
  dropOldest(stream: string, count: number): number;
  acknowledge(stream: string, seq: number, atMs: number): void;
  setAside(stream: string, seq: number, code: string): void;
  streams(): readonly StreamRow[];
  reportCounts(): { pending: number; acknowledged: number; setAside: number };
  ledger(stream: string, limit: number): readonly LedgerRow[];
  /** What the server was last told of a subject: scan state as JSON, and component id to hash. */
  told(subject: Subject): Told;
  /** Only within `also` of `appendReport`. */
  remember(subject: Subject, told: Remembered): void;
  askSnapshot(subject: Subject): void;
}

export interface Told {
  readonly scan: string | null;
  /** True for a new stream and after a resync: the next report is a snapshot. */
  readonly needsSnapshot: boolean;
  readonly components: ReadonlyMap<string, string>;
}

export interface Remembered {
  readonly scan: string;
  readonly isSnapshot: boolean;
  readonly present: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

interface StreamSql {
  subject: string;
  stream: string;
  last_seq: number;
  last_hash: string;
  scan: string | null;
  needs_snapshot: number;
}
interface OutboxSql {
  stream: string;
  subject: string;
  seq: number;
  prev: string;
  sha256: string;
  body: string;
}

const keyOf = (subject: Subject): string =>
  subject.kind === 'machine' ? 'machine' : `person:${subject.account}`;
const subjectOf = (key: string): Subject =>
  key === 'machine'
    ? { kind: 'machine' }
    : { kind: 'person', account: key.slice('person:'.length) };

const toReport = (row: OutboxSql): Report => ({
  type: 'report',
  stream: row.stream,
  subject: subjectOf(row.subject),
  seq: row.seq,
  prev: row.prev,
  sha256: row.sha256,
  body: row.body,
});

/** The reports' part of an open database. */
export function reportStore(db: Database): ReportStore {
  return { ...appending(db), ...settling(db), ...reading(db), ...telling(db) };
}

function streamOf(db: Database, key: string): StreamSql {
  const find = db.prepare<[string], StreamSql>('SELECT * FROM streams WHERE subject = ?');
  const known = find.get(key);
  if (known !== undefined) return known;
  db.prepare('INSERT INTO streams VALUES (?, ?, 0, ?, NULL, 1)').run(key, randomUUID(), zeroHash);
  return find.get(key) as StreamSql;
}

function appending(db: Database): Pick<ReportStore, 'appendReport'> {
  const insert = db.prepare(
    `INSERT INTO outbox (stream, seq, prev, sha256, body, created_at, state)
     VALUES (?, ?, ?, ?, ?, ?, 'pending')`,
  );
  const advance = db.prepare('UPDATE streams SET last_seq = ?, last_hash = ? WHERE subject = ?');
  const append = db.transaction(
    (subject: Subject, body: string, atMs: number, also?: () => void): Report => {
      const key = keyOf(subject);
      const row = streamOf(db, key);
      const seq = row.last_seq + 1;
      const sha256 = reportHash(row.stream, seq, row.last_hash, body);
      insert.run(row.stream, seq, row.last_hash, sha256, body, atMs);
      advance.run(seq, sha256, key);
      also?.();
      return {
        type: 'report',
        stream: row.stream,
        subject,
        seq,
        prev: row.last_hash,
        sha256,
        body,
      };
    },
  );
  return {
    appendReport: (subject, body, atMs, also) => append.immediate(subject, body, atMs, also),
  };
}

function settling(db: Database): Pick<ReportStore, 'acknowledge' | 'setAside' | 'dropOldest'> {
  const acknowledge = db.prepare(
    `UPDATE outbox SET state = 'acknowledged', acked_at = ?
     WHERE stream = ? AND seq <= ? AND state = 'pending'`,
  );
  const prune = db.prepare(
    `DELETE FROM outbox WHERE stream = ? AND state <> 'pending' AND seq <= ? - ${keptInLedger}`,
  );
  const aside = db.prepare(
    `UPDATE outbox SET state = 'set-aside', code = ? WHERE stream = ? AND seq = ? AND state = 'pending'`,
  );
  const drop = db.prepare(
    `UPDATE outbox SET state = 'dropped' WHERE stream = @stream AND state = 'pending' AND seq IN
     (SELECT seq FROM outbox WHERE stream = @stream AND state = 'pending' ORDER BY seq LIMIT @count)`,
  );
  return {
    acknowledge(stream, seq, atMs) {
      acknowledge.run(atMs, stream, seq);
      if (seq % pruneEvery === 0) prune.run(stream, seq);
    },
    setAside: (stream, seq, code) => void aside.run(code, stream, seq),
    dropOldest: (stream, count) => drop.run({ stream, count }).changes,
  };
}

function reading(
  db: Database,
): Pick<ReportStore, 'pendingReports' | 'pendingCount' | 'streams' | 'reportCounts' | 'ledger'> {
  const waiting = db.prepare<[string, number, number], OutboxSql>(
    `SELECT outbox.stream, subject, seq, prev, sha256, body
     FROM outbox JOIN streams ON streams.stream = outbox.stream
     WHERE outbox.stream = ? AND state = 'pending' AND seq > ? ORDER BY seq LIMIT ?`,
  );
  const count = db.prepare<[string], { n: number }>(
    `SELECT count(*) AS n FROM outbox WHERE stream = ? AND state = 'pending'`,
  );
  const all = db.prepare<[], StreamSql>('SELECT * FROM streams ORDER BY subject');
  const counts = db.prepare<[], { state: string; n: number }>(
    'SELECT state, count(*) AS n FROM outbox GROUP BY state',
  );
  const ledger = db.prepare<[string, number], LedgerRow>(
    `SELECT stream, seq, body, created_at AS createdAt, state, acked_at AS ackedAt
     FROM outbox WHERE stream = ? ORDER BY seq DESC LIMIT ?`,
  );
  return {
    pendingReports(after, limit) {
      const found: Report[] = [];
      for (const { stream } of all.all()) {
        if (found.length >= limit) break;
        const rows = waiting.all(stream, after.get(stream) ?? 0, limit - found.length);
        found.push(...rows.map(toReport));
      }
      return found;
    },
    pendingCount: (stream) => count.get(stream)?.n ?? 0,
    streams: () =>
      all.all().map(({ stream, subject, last_seq: lastSeq }) => ({
        stream,
        subject: subjectOf(subject),
        lastSeq,
      })),
    reportCounts() {
      const by = new Map(counts.all().map(({ state, n }) => [state, n]));
      return {
        pending: by.get('pending') ?? 0,
        acknowledged: by.get('acknowledged') ?? 0,
        setAside: by.get('set-aside') ?? 0,
      };
    },
    ledger: (stream, limit) => ledger.all(stream, limit),
  };
}

function telling(db: Database): Pick<ReportStore, 'told' | 'remember' | 'askSnapshot'> {
  const hashes = db.prepare<[string], { component: string; hash: string }>(
    'SELECT component, hash FROM reported WHERE subject = ?',
  );
  const stream = db.prepare<[string], StreamSql>('SELECT * FROM streams WHERE subject = ?');
  const forgetAll = db.prepare('DELETE FROM reported WHERE subject = ?');
  const forget = db.prepare('DELETE FROM reported WHERE component = ? AND subject = ?');
  const keep = db.prepare('INSERT OR REPLACE INTO reported VALUES (?, ?, ?)');
  const saveScan = db.prepare('UPDATE streams SET scan = ?, needs_snapshot = 0 WHERE subject = ?');
  const ask = db.prepare('UPDATE streams SET needs_snapshot = 1 WHERE subject = ?');
  return {
    told(subject) {
      const key = keyOf(subject);
      const row = stream.get(key);
      const rows = hashes.all(key).map(({ component, hash }) => [component, hash] as const);
      return {
        scan: row?.scan ?? null,
        needsSnapshot: row === undefined || row.needs_snapshot === 1,
        components: new Map(rows),
      };
    },
    remember(subject, { scan, isSnapshot, present, removed }) {
      const key = keyOf(subject);
      if (isSnapshot) forgetAll.run(key);
      for (const id of removed) forget.run(id, key);
      for (const [id, hash] of present) keep.run(id, key, hash);
      saveScan.run(scan, key);
    },
    askSnapshot: (subject) => void ask.run(keyOf(subject)),
  };
}
