/**
 * The whole fleet page by page, on SQLite. Components are read along their primary key, so a page costs
 * what it holds and no index is kept for it.
 */
import type { FleetComponent, FleetDevice, FleetReads, KindFields } from './fleet.js';
import type { Sql } from './sql.js';

/** A tool runs where one of its processes was seen for the same owner, as the agent has it. */
const runningSql = `(c.state = 'running' OR (c.tool IS NOT NULL AND EXISTS (
  SELECT 1 FROM components r WHERE r.device = c.device AND r.subject = c.subject
    AND r.tool = c.tool AND r.state = 'running')))`;
const runningOfSql = `iif(c.tool IN (SELECT value FROM json_each(@running)), ${runningSql}, NULL)`;

/** lower() knows ASCII alone, so an account with other characters is always told. */
const ownerSql = `iif(lower(c.owner) IN (SELECT value FROM json_each(@owners))
  OR c.owner GLOB '*[^ -~]*', c.owner, NULL)`;

const noticed = "json_extract(c.verdict, '$.noticed')";
const zone = "json_extract(c.verdict, '$.zone')";

/** In the order that `readKind` has. */
function kindSql({ name, path, owners, running, fixed }: KindFields): string {
  const fields = [
    'c.tool',
    'c.channel',
    'c.version',
    'c.state',
    'c.scope',
    'c.gateway',
    "CASE c.channel WHEN 'package' THEN c.manager END",
    "CASE c.channel WHEN 'process' THEN c.purl END",
    name ? 'c.name' : 'NULL',
    path ? 'c.path' : 'NULL',
    owners.length > 0 ? ownerSql : 'NULL',
    running === 'all' ? runningSql : running.length > 0 ? runningOfSql : 'NULL',
    fixed
      ? `iif(coalesce(${noticed}, ${zone}) IS NULL, NULL, json_extract(c.verdict, '$.rule'))`
      : 'NULL',
    fixed ? noticed : 'NULL',
    fixed ? zone : 'NULL',
  ];
  return `json_array(${fields.join(', ')})`;
}

const nobody: FleetDevice['persons'] = {};
const personsOf = (json: string): FleetDevice['persons'] =>
  json === '{}' ? nobody : (JSON.parse(json) as FleetDevice['persons']);

const lowered = (names: readonly string[]): string =>
  JSON.stringify(names.map((name) => name.toLowerCase()));

export function fleetReads(sql: Sql): FleetReads {
  return {
    size: async () => sql.get<{ n: number }>('SELECT count(*) AS n FROM device_status')?.n ?? 0,
    devices: async (after, limit) =>
      sql
        .all<Omit<FleetDevice, 'persons'> & { persons: string }>(
          `SELECT d.id, d.group_name AS "group", json_extract(d.facts, '$.platform') AS platform,
             json_extract(d.facts, '$.zone') AS zone, d.hardware_id AS hardwareId,
             d.assigned_user AS assignedUser, s.standing,
             (SELECT max(grace_until) FROM device_terms t WHERE t.device IN (d.id, '*')) AS graceUntil,
             (SELECT json_group_object(account, person)
               FROM device_persons p WHERE p.device = d.id) AS persons
           FROM devices d JOIN device_status s ON s.device = d.id
           WHERE d.revoked_at IS NULL AND d.id > @after ORDER BY d.id LIMIT @limit`,
          { after, limit },
        )
        .map((row) => ({ ...row, persons: personsOf(row.persons) })),
    zones: async () =>
      sql.all<{ zone: string; devices: number }>(
        `SELECT json_extract(facts, '$.zone') AS zone, count(*) AS devices FROM devices
         WHERE revoked_at IS NULL GROUP BY 1 ORDER BY 2 DESC, 1`,
      ),
    components: async ({ after, last }, { offset, limit, fields }) =>
      sql.rows<FleetComponent>(
        `SELECT c.device, c.subject, ${kindSql(fields)} FROM components c
         WHERE c.device > @after AND c.device <= @last
         ORDER BY c.device, c.subject, c.id LIMIT @limit OFFSET @offset`,
        {
          ...{ after, last, limit, offset },
          ...(fields.owners.length > 0 && { owners: lowered(fields.owners) }),
          ...(fields.running !== 'all' &&
            fields.running.length > 0 && { running: JSON.stringify(fields.running) }),
        },
      ),
  };
}
