/**
 * What the assignments of devices are made from, on SQLite: exceptions, the terms set for a device or
 * for all, and the list of devices whose assignment may have changed, for the process that serves.
 */
import type {
  AssignmentSources,
  AssignmentSourceWrites,
  ExceptionFilter,
  Page,
  Slice,
} from './index.js';
import type { DeviceTerms, StoredException } from './records.js';
import type { Sql } from './sql.js';
import { pageOf } from './sqlite-devices.js';

const columns = `id, tool, person, device, hardware_id AS hardwareId, reason, author,
  starts_at AS "from", until, created_at AS createdAt, ended_at AS endedAt, ended_by AS endedBy`;
const open = 'ended_at IS NULL AND until > @at';

/** The device that a person of the form account@device is on; the text after the last @. */
const deviceOfPerson = (person: string | null): string | null =>
  person === null || !person.includes('@') ? null : person.slice(person.lastIndexOf('@') + 1);

function openFor(sql: Sql, { device, hardwareId, assignedUser, persons }: Subjects, at: number) {
  return sql.all<StoredException>(
    `SELECT ${columns} FROM exceptions WHERE ${open} AND (device = @device
       OR (hardware_id IS NOT NULL AND hardware_id = @hardwareId)
       OR (person IS NOT NULL AND person = @assignedUser)
       OR (person_device IS NOT NULL AND person_device = @device)
       OR (person IS NOT NULL AND person IN (SELECT value FROM json_each(@persons))))
     ORDER BY created_at, id`,
    { at, device, hardwareId, assignedUser, persons: JSON.stringify(persons) },
  );
}
type Subjects = Parameters<AssignmentSources['openFor']>[0];

function list(sql: Sql, filter: ExceptionFilter, slice: Slice): Page<StoredException> {
  const { at } = filter;
  const where = ['1 = 1'];
  const parameters: Record<string, string | number | null> = {};
  if (!filter.withPast) {
    where.push(open);
    parameters['at'] = at;
  }
  if (filter.tool !== null) {
    where.push('tool = @tool');
    parameters['tool'] = filter.tool;
  }
  const from = `FROM exceptions WHERE ${where.join(' AND ')}`;
  const total = sql.get<{ n: number }>(`SELECT count(*) AS n ${from}`, parameters)?.n ?? 0;
  const [createdAt = '', id = ''] = slice.after ?? [];
  const after = slice.after === null ? '' : 'AND (created_at, id) < (@afterTime, @afterId)';
  const rows = sql.all<StoredException>(
    `SELECT ${columns} ${from} ${after} ORDER BY created_at DESC, id DESC LIMIT @limit`,
    {
      ...parameters,
      ...(slice.after === null ? {} : { afterTime: Number(createdAt), afterId: id }),
      limit: slice.limit + 1,
    },
  );
  const keyOf = (row: StoredException): readonly string[] => [String(row.createdAt), row.id];
  return pageOf({ rows, total, limit: slice.limit }, keyOf, (row) => row);
}

function add(sql: Sql, exception: StoredException): void {
  sql.run(
    `INSERT INTO exceptions (id, tool, person, person_device, device, hardware_id, reason, author,
       starts_at, until, created_at, ended_at, ended_by)
     VALUES (@id, @tool, @person, @personDevice, @device, @hardwareId, @reason, @author, @from,
       @until, @createdAt, @endedAt, @endedBy)`,
    { ...exception, personDevice: deviceOfPerson(exception.person) },
  );
}

/** Devices that an exception can reach, as far as they are known now. */
function reachedBy(sql: Sql, { person, device, hardwareId }: StoredException): readonly string[] {
  const rows = sql.all<{ id: string }>(
    `SELECT id FROM devices WHERE revoked_at IS NULL AND (id = @device OR id = @personDevice
       OR (hardware_id IS NOT NULL AND hardware_id = @hardwareId)
       OR (assigned_user IS NOT NULL AND assigned_user = @person))
     UNION SELECT device FROM device_persons WHERE person = @person`,
    { device, personDevice: deviceOfPerson(person), hardwareId, person },
  );
  return rows.map(({ id }) => id);
}

interface TermsRow {
  device: string;
  is_paused: number;
  pause_until: number | null;
  message: string | null;
  rescan_after: number | null;
  grace_until: number | null;
}

function terms(sql: Sql, device: string): DeviceTerms {
  const row = sql.get<TermsRow>('SELECT * FROM device_terms WHERE device = @device', { device });
  return {
    isPaused: row?.is_paused === 1,
    pauseUntil: row?.pause_until ?? null,
    graceUntil: row?.grace_until ?? null,
    message: row?.message == null ? null : (JSON.parse(row.message) as DeviceTerms['message']),
    rescanAfter: row?.rescan_after ?? null,
  };
}

function setTerms(sql: Sql, device: string, next: DeviceTerms): void {
  sql.run(
    `INSERT OR REPLACE INTO device_terms (device, is_paused, pause_until, message, rescan_after, grace_until)
     VALUES (@device, @isPaused, @pauseUntil, @message, @rescanAfter, @graceUntil)`,
    {
      device,
      isPaused: next.isPaused ? 1 : 0,
      pauseUntil: next.pauseUntil,
      graceUntil: next.graceUntil,
      message: next.message === null ? null : JSON.stringify(next.message),
      rescanAfter: next.rescanAfter,
    },
  );
}

/** A change that concerns every device stands as this one; no device has the id. */
const everyDevice = '*';
/** Far more than a serving process can miss between two looks. */
const keptChanges = 200_000;

function changesSince(sql: Sql, after: number, limit: number) {
  const rows = sql.all<{ id: number; device: string }>(
    'SELECT id, device FROM assignment_changes WHERE id > @after ORDER BY id LIMIT @limit',
    { after, limit },
  );
  const named = rows.map(({ device }) => device);
  return {
    last: rows.at(-1)?.id ?? after,
    devices: [...new Set(named.filter((device) => device !== everyDevice))],
    isEvery: named.includes(everyDevice),
  };
}

function touch(sql: Sql, device: string): void {
  const row = sql.get<{ id: number }>(
    'INSERT INTO assignment_changes (device) VALUES (@device) RETURNING id',
    { device },
  );
  sql.run('DELETE FROM assignment_changes WHERE id <= @before', {
    before: (row?.id ?? 0) - keptChanges,
  });
}

export function assignmentSources(sql: Sql): AssignmentSourceWrites {
  return {
    exception: async (id) =>
      sql.get<StoredException>(`SELECT ${columns} FROM exceptions WHERE id = @id`, { id }),
    open: async (at) =>
      sql.all<StoredException>(
        `SELECT ${columns} FROM exceptions WHERE ${open} ORDER BY created_at, id`,
        { at },
      ),
    openFor: async (subjects, at) => openFor(sql, subjects, at),
    list: async (filter, slice) => list(sql, filter, slice),
    reachedBy: async (exception) => reachedBy(sql, exception),
    terms: async (device) => terms(sql, device ?? everyDevice),
    persons: async (device) =>
      sql.all<{ account: string; person: string }>(
        'SELECT account, person FROM device_persons WHERE device = @device ORDER BY account',
        { device },
      ),
    lastChange: async () =>
      sql.get<{ n: number | null }>('SELECT max(id) AS n FROM assignment_changes')?.n ?? 0,
    changesSince: async (after, limit) => changesSince(sql, after, limit),
    addException: async (exception) => add(sql, exception),
    endException: async (id, { at, by }) => {
      sql.run(
        'UPDATE exceptions SET ended_at = @at, ended_by = @by WHERE id = @id AND ended_at IS NULL',
        { id, at, by },
      );
    },
    setTerms: async (device, next) => setTerms(sql, device ?? everyDevice, next),
    setPerson: async (device, account, person) => {
      sql.run('DELETE FROM device_persons WHERE device = @device AND account = @account', {
        device,
        account,
      });
      if (person === null) return;
      sql.run('INSERT INTO device_persons VALUES (@device, @account, @person)', {
        device,
        account,
        person,
      });
    },
    touch: async (device) => touch(sql, device ?? everyDevice),
  };
}
