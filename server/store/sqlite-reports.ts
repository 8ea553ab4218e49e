/**
 * What devices have told, on SQLite: streams, raw reports, components, scans, history. Ingest decides
 * what is written; here nothing is decided.
 */
import type { VerdictStatus } from '../../policies/evaluate.js';
import { verdictStatuses } from '../../policies/evaluate.js';
import type {
  KindCounts,
  ReportedComponent,
  ReportedVerdict,
  ScanState,
} from '../../wire/messages.js';
import type { ReportWrites } from './index.js';
import type {
  DeviceStatus,
  HistoryRecord,
  RawReport,
  Standing,
  StoredComponent,
  StoredFinding,
  Stream,
  SubjectScan,
} from './records.js';
import type { Sql } from './sql.js';

interface StreamRow {
  device: string;
  stream: string;
  subject: string;
  seq: number;
  hash: string;
  has_base: number;
  is_awaiting: number;
  part: number;
  is_superseded: number;
}
const toStream = (row: StreamRow): Stream => ({
  device: row.device,
  stream: row.stream,
  subject: row.subject,
  seq: row.seq,
  hash: row.hash,
  hasBase: row.has_base === 1,
  isAwaitingSnapshot: row.is_awaiting === 1,
  part: row.part,
  isSuperseded: row.is_superseded === 1,
});

type Columns = Omit<ReportedComponent, 'firstSeen' | 'candidateReasons'>;
interface ComponentRow extends Record<keyof Columns, unknown> {
  device: string;
  subject: string;
  evidence: string;
  verdict: string;
  first_seen: string;
  candidate_reasons: string | null;
  gateway: string | null;
}
function toComponent(row: ComponentRow): StoredComponent {
  const { device, subject, first_seen: firstSeen, evidence, verdict, ...more } = row;
  const { candidate_reasons: reasons, gateway, ...rest } = more;
  const component = {
    ...rest,
    evidence: JSON.parse(evidence) as string[],
    firstSeen,
    verdict: JSON.parse(verdict) as ReportedVerdict,
    ...(reasons === null ? {} : { candidateReasons: JSON.parse(reasons) as unknown }),
    ...(gateway === null ? {} : { gateway: gateway === '' ? null : gateway }),
  } as ReportedComponent;
  return { device, subject, component };
}

interface StatusRow {
  device: string;
  standing: Standing;
  fresh_at: number | null;
  worst: VerdictStatus | null;
  has_review: number;
  findings: number;
  bundle_sequence: number | null;
}
const toStatus = (row: StatusRow): DeviceStatus => ({
  device: row.device,
  standing: row.standing,
  freshAt: row.fresh_at,
  worst: row.worst,
  hasReview: row.has_review === 1,
  findings: row.findings,
  bundleSequence: row.bundle_sequence,
});

export function reportWrites(sql: Sql): ReportWrites {
  return { ...reads(sql), ...writes(sql) };
}

function reads(sql: Sql) {
  return {
    streams: async (device: string) =>
      sql.all<StreamRow>('SELECT * FROM streams WHERE device = @device', { device }).map(toStream),
    stream: async (device: string, stream: string) => {
      const row = sql.get<StreamRow>(
        'SELECT * FROM streams WHERE device = @device AND stream = @stream',
        { device, stream },
      );
      return row === null ? null : toStream(row);
    },
    raw: async (device: string, stream: string, seq: number) =>
      sql.get<RawReport>(
        `SELECT device, stream, seq, sha256, body, received_at AS receivedAt FROM reports
         WHERE device = @device AND stream = @stream AND seq = @seq`,
        { device, stream, seq },
      ),
    components: async (device: string, subject?: string) =>
      sql
        .all<ComponentRow>(
          `SELECT * FROM components WHERE device = @device
           AND (@subject IS NULL OR subject = @subject)`,
          { device, subject: subject ?? null },
        )
        .map(toComponent),
    component: async (device: string, subject: string, id: string) => {
      const row = sql.get<ComponentRow>(
        'SELECT * FROM components WHERE device = @device AND subject = @subject AND id = @id',
        { device, subject, id },
      );
      return row === null ? null : toComponent(row);
    },
    scans: async (device: string) =>
      sql
        .all<{ subject: string; scan: string; counts: string; received_at: number }>(
          'SELECT subject, scan, counts, received_at FROM scans WHERE device = @device ORDER BY subject',
          { device },
        )
        .map((row) => ({
          subject: row.subject,
          scan: JSON.parse(row.scan) as ScanState,
          counts: JSON.parse(row.counts) as KindCounts,
          receivedAt: row.received_at,
        })),
    status: async (device: string) => {
      const row = sql.get<StatusRow>('SELECT * FROM device_status WHERE device = @device', {
        device,
      });
      return row === null ? null : toStatus(row);
    },
    history: async (device: string, limit: number) =>
      sql.all<HistoryRecord>(
        `SELECT at, kind, tool, component, from_text AS "from", to_text AS "to", detail
         FROM history WHERE device = @device ORDER BY id DESC LIMIT @limit`,
        { device, limit },
      ),
  };
}

function writes(sql: Sql) {
  return {
    putStream: async (stream: Stream) => {
      sql.run(
        `INSERT OR REPLACE INTO streams
           (device, stream, subject, seq, hash, has_base, is_awaiting, part, is_superseded)
         VALUES (@device, @stream, @subject, @seq, @hash, @hasBase, @isAwaiting, @part,
           @isSuperseded)`,
        {
          device: stream.device,
          stream: stream.stream,
          subject: stream.subject,
          seq: stream.seq,
          hash: stream.hash,
          hasBase: stream.hasBase ? 1 : 0,
          isAwaiting: stream.isAwaitingSnapshot ? 1 : 0,
          part: stream.part,
          isSuperseded: stream.isSuperseded ? 1 : 0,
        },
      );
    },
    putRaw: async (report: RawReport) => {
      sql.run(
        `INSERT OR REPLACE INTO reports (device, stream, seq, sha256, body, received_at)
         VALUES (@device, @stream, @seq, @sha256, @body, @receivedAt)`,
        { ...report },
      );
    },
    putComponent: async (stored: StoredComponent) => putComponent(sql, stored),
    removeComponent: async (device: string, subject: string, id: string) => {
      sql.run('DELETE FROM components WHERE device = @device AND subject = @subject AND id = @id', {
        device,
        subject,
        id,
      });
    },
    putScan: async (device: string, scan: SubjectScan) => putScan(sql, device, scan),
    addHistory: async (device: string, records: readonly HistoryRecord[]) => {
      for (const record of records) {
        sql.run(
          `INSERT INTO history (device, at, kind, tool, component, from_text, to_text, detail)
           VALUES (@device, @at, @kind, @tool, @component, @from, @to, @detail)`,
          { device, ...record },
        );
      }
    },
    setFindings: async (device: string, findings: readonly StoredFinding[]) =>
      setFindings(sql, device, findings),
    prune: async (before: number, limit: number) => prune(sql, before, limit),
  };
}

function putComponent(sql: Sql, { device, subject, component }: StoredComponent): void {
  const { firstSeen, evidence, verdict, candidateReasons, gateway, ...plain } = component;
  sql.run(
    `INSERT OR REPLACE INTO components (device, id, subject, tool, channel, manager, purl, name,
       version, path, owner, scope, state, confidence, evidence, first_seen, verdict,
       candidate_reasons, gateway)
     VALUES (@device, @id, @subject, @tool, @channel, @manager, @purl, @name, @version, @path,
       @owner, @scope, @state, @confidence, @evidence, @firstSeen, @verdict,
       @candidateReasons, @gateway)`,
    {
      ...plain,
      device,
      subject,
      firstSeen,
      evidence: JSON.stringify(evidence),
      verdict: JSON.stringify(verdict),
      candidateReasons: candidateReasons === undefined ? null : JSON.stringify(candidateReasons),
      // No column is null where the device knows that none is set.
      gateway: gateway === undefined ? null : (gateway ?? ''),
    },
  );
}

function putScan(sql: Sql, device: string, one: SubjectScan): void {
  const { subject, receivedAt } = one;
  sql.run(
    `INSERT OR REPLACE INTO scans (device, subject, scan, counts, received_at)
     VALUES (@device, @subject, @scan, @counts, @receivedAt)`,
    {
      device,
      subject,
      scan: JSON.stringify(one.scan),
      counts: JSON.stringify(one.counts),
      receivedAt,
    },
  );
}

interface FindingSql extends Record<string, string | number | null> {
  key: string;
}

/** Most reports change none or one: only what differs is written. */
function setFindings(sql: Sql, device: string, findings: readonly StoredFinding[]): void {
  const stored = sql.all<FindingSql>('SELECT * FROM findings WHERE device = @device', { device });
  const before = new Map(stored.map((row) => [row.key, row]));
  for (const finding of findings) {
    const row = {
      device,
      key: finding.key,
      tool: finding.tool,
      name: finding.name,
      rank: verdictStatuses.indexOf(finding.verdict.status),
      status: finding.verdict.status,
      verdict: JSON.stringify(finding.verdict),
      first_seen: finding.firstSeen,
      versions: JSON.stringify(finding.versions),
    };
    const known = before.get(finding.key);
    before.delete(finding.key);
    if (known !== undefined) {
      if (Object.entries(row).every(([name, value]) => known[name] === value)) continue;
      dropFinding(sql, device, finding.key);
    }
    sql.run(
      `INSERT INTO findings (device, key, tool, name, rank, status, verdict, first_seen, versions)
       VALUES (@device, @key, @tool, @name, @rank, @status, @verdict, @first_seen, @versions)`,
      row,
    );
  }
  for (const key of before.keys()) dropFinding(sql, device, key);
}

function dropFinding(sql: Sql, device: string, key: string): void {
  sql.run('DELETE FROM findings WHERE device = @device AND key = @key', { device, key });
}

/** Row ids grow with time, so the oldest rows are the first ones and no index by time is needed. */
function prune(sql: Sql, before: number, limit: number): number {
  const parameters = { before, limit };
  return (
    sql.run(
      `DELETE FROM reports WHERE received_at < @before
       AND id IN (SELECT id FROM reports ORDER BY id LIMIT @limit)`,
      parameters,
    ) +
    sql.run(
      `DELETE FROM history WHERE at < @before
       AND id IN (SELECT id FROM history ORDER BY id LIMIT @limit)`,
      parameters,
    ) +
    sql.run(
      `DELETE FROM trend WHERE at < @before
       AND at IN (SELECT at FROM trend ORDER BY at LIMIT @limit)`,
      parameters,
    )
  );
}
