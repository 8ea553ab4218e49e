/**
 * Devices and enrolment tokens on SQLite. A device's state is computed here from its stored standing
 * and the instant that was asked, so that staleness needs no job that writes it.
 */
import type { DeviceFacts } from '../../wire/messages.js';
import type { VerdictStatus } from '../../policies/evaluate.js';
import type { DeviceState } from '../views.js';
import type { DeviceFilter, DeviceWrites, Page, Slice, TokenWrites } from './index.js';
import type { Device, DeviceSummary, EnrolToken } from './records.js';
import type { Parameters, Sql } from './sql.js';

interface DeviceRow {
  id: string;
  public_key: string;
  host_name: string;
  facts: string;
  group_name: string | null;
  label: string | null;
  enrolled_at: number;
  last_seen: number | null;
  revoked_at: number | null;
  may_replace: string | null;
  refused_format: number | null;
}
interface SummaryRow extends DeviceRow {
  state: DeviceState;
  worst: VerdictStatus | null;
  has_review: number;
  findings: number;
  fresh_at: number | null;
  bundle_sequence: number | null;
}

/** The device's state at an instant, from its standing: SQL over `s` and `@staleBefore`. */
const stateSql = `CASE
  WHEN s.standing IN ('never-scanned', 'partial') THEN s.standing
  WHEN s.fresh_at IS NULL OR s.fresh_at < @staleBefore THEN 'stale'
  ELSE s.standing END`;

const summaryColumns = `d.*, ${stateSql} AS state, s.worst, s.has_review, s.findings, s.fresh_at,
  s.bundle_sequence`;

function toDevice(row: DeviceRow): Device {
  return {
    id: row.id,
    publicKey: row.public_key,
    facts: JSON.parse(row.facts) as DeviceFacts,
    group: row.group_name,
    label: row.label,
    enrolledAt: row.enrolled_at,
    lastSeen: row.last_seen,
    revokedAt: row.revoked_at,
    mayReplace: row.may_replace,
  };
}

function toSummary(row: SummaryRow): DeviceSummary {
  return {
    device: toDevice(row),
    state: row.state,
    lastKnown: row.worst,
    hasReview: row.has_review === 1,
    findings: row.findings,
    lastComplete: row.fresh_at,
    bundleSequence: row.bundle_sequence,
    needsAgentUpgrade: (row.refused_format ?? 0) > (row.bundle_sequence ?? 0),
  };
}

const like = (search: string): string => `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;

function list(sql: Sql, filter: DeviceFilter, slice: Slice, staleBefore: number) {
  const where = ['d.revoked_at IS NULL'];
  const parameters: Record<string, string | number | null> = { staleBefore };
  if (filter.state !== null) {
    where.push(`${stateSql} = @state`);
    parameters['state'] = filter.state;
  }
  if (filter.search !== null) {
    where.push(`(d.host_name LIKE @search ESCAPE '\\' OR d.label LIKE @search ESCAPE '\\'
      OR d.group_name LIKE @search ESCAPE '\\')`);
    parameters['search'] = like(filter.search);
  }
  const from = `FROM devices d JOIN device_status s ON s.device = d.id WHERE ${where.join(' AND ')}`;
  const total = sql.get<{ n: number }>(`SELECT count(*) AS n ${from}`, parameters)?.n ?? 0;
  const [name = '', id = ''] = slice.after ?? [];
  const after = slice.after === null ? '' : 'AND (d.host_name, d.id) > (@afterName, @afterId)';
  const rows = sql.all<SummaryRow>(
    `SELECT ${summaryColumns} ${from} ${after} ORDER BY d.host_name, d.id LIMIT @limit`,
    {
      ...parameters,
      ...(slice.after === null ? {} : { afterName: name, afterId: id }),
      limit: slice.limit + 1,
    },
  );
  return pageOf({ rows, total, limit: slice.limit }, (row) => [row.host_name, row.id], toSummary);
}

/** A page from one row more than was asked for: the extra row says that there is a next page. */
export function pageOf<Row, T>(
  found: { readonly rows: readonly Row[]; readonly total: number; readonly limit: number },
  keyOf: (row: Row) => readonly string[],
  toRecord: (row: Row) => T,
): Page<T> {
  const shown = found.rows.slice(0, found.limit);
  const last = shown.at(-1);
  const hasMore = found.rows.length > found.limit && last !== undefined;
  return { rows: shown.map(toRecord), total: found.total, next: hasMore ? keyOf(last) : null };
}

export function deviceWrites(sql: Sql): DeviceWrites {
  const one = (where: string, parameters: Parameters): Device | null => {
    const row = sql.get<DeviceRow>(`SELECT * FROM devices WHERE ${where}`, parameters);
    return row === null ? null : toDevice(row);
  };
  return {
    get: async (id) => one('id = @id', { id }),
    byKey: async (publicKey) => one('public_key = @publicKey', { publicKey }),
    byHardware: async (hardwareId) =>
      one('hardware_id = @hardwareId AND revoked_at IS NULL ORDER BY enrolled_at DESC LIMIT 1', {
        hardwareId,
      }),
    revokedSince: async (at) =>
      sql
        .all<{ id: string }>('SELECT id FROM devices WHERE revoked_at >= @at', { at })
        .map(({ id }) => id),
    list: async (filter, slice, staleBefore) => list(sql, filter, slice, staleBefore),
    summary: async (id, staleBefore) => {
      const row = sql.get<SummaryRow>(
        `SELECT ${summaryColumns} FROM devices d JOIN device_status s ON s.device = d.id
         WHERE d.id = @id AND d.revoked_at IS NULL`,
        { id, staleBefore },
      );
      return row === null ? null : toSummary(row);
    },
    add: async (device) => add(sql, device),
    setFacts: async (id, facts) => setFacts(sql, id, facts),
    setRefusedFormat: async (id, sequence) => {
      sql.run('UPDATE devices SET refused_format = @sequence WHERE id = @id', { id, sequence });
    },
    setGroup: async (id, group) => {
      sql.run('UPDATE devices SET group_name = @group WHERE id = @id', { id, group });
    },
    setLastSeen: async (id, at) => {
      sql.run('UPDATE devices SET last_seen = @at WHERE id = @id', { id, at });
    },
    revoke: async (id, at) => {
      sql.run('UPDATE devices SET revoked_at = @at WHERE id = @id', { id, at });
      sql.run('DELETE FROM device_status WHERE device = @id', { id });
      sql.run('DELETE FROM findings WHERE device = @id', { id });
    },
    setStatus: async (status) => {
      sql.run(
        `INSERT OR REPLACE INTO device_status
           (device, standing, fresh_at, worst, has_review, findings, bundle_sequence)
         VALUES (@device, @standing, @freshAt, @worst, @hasReview, @findings, @bundleSequence)`,
        { ...status, hasReview: status.hasReview ? 1 : 0 },
      );
    },
  };
}

function setFacts(sql: Sql, id: string, facts: DeviceFacts): void {
  sql.run(
    `UPDATE devices SET facts = @facts, host_name = @hostName, hardware_id = @hardwareId,
       assigned_user = @assignedUser WHERE id = @id`,
    {
      id,
      facts: JSON.stringify(facts),
      hostName: facts.hostName,
      hardwareId: facts.hardwareId,
      assignedUser: facts.assignedUser ?? null,
    },
  );
}

function add(sql: Sql, device: Device): void {
  sql.run(
    `INSERT INTO devices (id, public_key, host_name, facts, hardware_id, group_name, label,
       enrolled_at, last_seen, revoked_at, may_replace, assigned_user)
     VALUES (@id, @publicKey, @hostName, @facts, @hardwareId, @group, @label, @enrolledAt,
       @lastSeen, @revokedAt, @mayReplace, @assignedUser)`,
    {
      ...device,
      facts: JSON.stringify(device.facts),
      hostName: device.facts.hostName,
      hardwareId: device.facts.hardwareId,
      assignedUser: device.facts.assignedUser ?? null,
    },
  );
  sql.run(
    `INSERT INTO device_status (device, standing, has_review, findings)
     VALUES (@id, 'never-scanned', 0, 0)`,
    { id: device.id },
  );
}

interface TokenRow {
  id: number;
  hash: string;
  group_name: string | null;
  label: string | null;
  created_at: number;
  expires_at: number;
  uses_left: number | null;
  is_revoked: number;
}

const toToken = (row: TokenRow): EnrolToken => ({
  id: row.id,
  hash: row.hash,
  group: row.group_name,
  label: row.label,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  usesLeft: row.uses_left,
  isRevoked: row.is_revoked === 1,
});

export function tokenWrites(sql: Sql): TokenWrites {
  return {
    byHash: async (hash) => {
      const row = sql.get<TokenRow>('SELECT * FROM enrol_tokens WHERE hash = @hash', { hash });
      return row === null ? null : toToken(row);
    },
    add: async (token) => {
      const row = sql.get<{ id: number }>(
        `INSERT INTO enrol_tokens
           (hash, group_name, label, created_at, expires_at, uses_left, is_revoked)
         VALUES (@hash, @group, @label, @createdAt, @expiresAt, @usesLeft, @isRevoked)
         RETURNING id`,
        { ...token, isRevoked: token.isRevoked ? 1 : 0 },
      );
      return row?.id ?? 0;
    },
    use: async (id) =>
      sql.run(
        `UPDATE enrol_tokens SET uses_left = uses_left - 1
         WHERE id = @id AND is_revoked = 0 AND (uses_left IS NULL OR uses_left > 0)`,
        { id },
      ) === 1,
    revoke: async (id) => {
      sql.run('UPDATE enrol_tokens SET is_revoked = 1 WHERE id = @id', { id });
    },
  };
}
