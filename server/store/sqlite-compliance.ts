/**
 * Counts of the fleet on SQLite. They are aggregates over an index of the stored standings, exact by
 * construction; counters kept by ingest can take their place behind the same functions.
 */
import { verdictStatuses } from '../../policies/evaluate.js';
import type { ReportedVerdict } from '../../wire/messages.js';
import { deviceStates, type DeviceState } from '../views.js';
import type { ComplianceWrites, FindingFilter, Page, Slice } from './index.js';
import type { Standing, StoredFinding, TrendPoint, Versioned } from './records.js';
import type { Sql } from './sql.js';
import { pageOf } from './sqlite-devices.js';

/** No device of any state: where counting begins. */
function noStates(): Record<DeviceState, number> {
  return Object.fromEntries(deviceStates.map((state) => [state, 0])) as Record<DeviceState, number>;
}

function states(sql: Sql, staleBefore: number): Record<DeviceState, number> {
  const counts = noStates();
  const rows = sql.all<{ standing: Standing; n: number; old: number }>(
    `SELECT standing, count(*) AS n,
       sum(CASE WHEN fresh_at IS NULL OR fresh_at < @staleBefore THEN 1 ELSE 0 END) AS old
     FROM device_status GROUP BY standing`,
    { staleBefore },
  );
  for (const { standing, n, old } of rows) {
    const canBeStale = standing !== 'never-scanned' && standing !== 'partial';
    counts[standing] += canBeStale ? n - old : n;
    if (canBeStale) counts.stale += old;
  }
  return counts;
}

interface FindingRow {
  device: string;
  key: string;
  tool: string | null;
  name: string;
  rank: number;
  verdict: string;
  first_seen: number;
  versions: string;
}
const toFinding = (row: FindingRow): StoredFinding => ({
  device: row.device,
  key: row.key,
  tool: row.tool,
  name: row.name,
  verdict: JSON.parse(row.verdict) as ReportedVerdict,
  firstSeen: row.first_seen,
  versions: JSON.parse(row.versions) as Versioned[],
});

/** Worst first; within a verdict by device and tool. */
function findings(sql: Sql, filter: FindingFilter, slice: Slice): Page<StoredFinding> {
  const where = ['1 = 1'];
  const parameters: Record<string, string | number> = {};
  if (filter.tool !== null) {
    where.push('tool = @tool');
    parameters['tool'] = filter.tool;
  }
  if (filter.verdict !== null) {
    where.push('rank = @rank');
    parameters['rank'] = verdictStatuses.indexOf(filter.verdict);
  }
  if (filter.device !== null) {
    where.push('device = @device');
    parameters['device'] = filter.device;
  }
  const from = `FROM findings WHERE ${where.join(' AND ')}`;
  const total = sql.get<{ n: number }>(`SELECT count(*) AS n ${from}`, parameters)?.n ?? 0;
  const [rank = '0', device = '', key = ''] = slice.after ?? [];
  const isFirst = slice.after === null;
  const after = isFirst ? '' : 'AND (rank, device, key) > (@afterRank, @afterDevice, @afterKey)';
  const rows = sql.all<FindingRow>(
    `SELECT device, key, tool, name, rank, verdict, first_seen, versions ${from} ${after}
     ORDER BY rank, device, key LIMIT @limit`,
    {
      ...parameters,
      ...(isFirst ? {} : { afterRank: Number(rank), afterDevice: device, afterKey: key }),
      limit: slice.limit + 1,
    },
  );
  return pageOf(
    { rows, total, limit: slice.limit },
    (row) => [String(row.rank), row.device, row.key],
    toFinding,
  );
}

export function complianceWrites(sql: Sql): ComplianceWrites {
  return {
    states: async (staleBefore) => states(sql, staleBefore),
    reviewed: async () =>
      sql.get<{ n: number }>('SELECT count(*) AS n FROM device_status WHERE has_review = 1')?.n ??
      0,
    tools: async () =>
      sql.all<{ tool: string; devices: number; violation: number; pending: number }>(
        `SELECT tool, count(*) AS devices,
           sum(rank = ${verdictStatuses.indexOf('violation')}) AS violation,
           sum(rank = ${verdictStatuses.indexOf('pending')}) AS pending
         FROM findings WHERE tool IS NOT NULL GROUP BY tool ORDER BY tool`,
      ),
    versions: async (tools) =>
      sql
        .all<{ tool: string; versions: string; devices: number }>(
          `SELECT tool, versions, devices FROM tool_versions
           WHERE tool IN (SELECT value FROM json_each(@tools)) ORDER BY tool, versions`,
          { tools: JSON.stringify(tools) },
        )
        .map((row) => ({ ...row, versions: JSON.parse(row.versions) as Versioned[] })),
    findings: async (filter, slice) => findings(sql, filter, slice),
    trend: async (since) =>
      sql
        .all<{ at: number; states: string }>(
          'SELECT at, states FROM trend WHERE at >= @since ORDER BY at',
          { since },
        )
        .map((row) => ({
          at: row.at,
          states: { ...noStates(), ...(JSON.parse(row.states) as TrendPoint['states']) },
        })),
    putTrend: async ({ at, states: counted }) => {
      sql.run('INSERT OR REPLACE INTO trend (at, states) VALUES (@at, @states)', {
        at,
        states: JSON.stringify(counted),
      });
    },
  };
}
