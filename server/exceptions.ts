/**
 * Exceptions: somebody may keep a tool for a while. Made and ended here, by an admin's word, each with
 * reason, author and end, in the audit log. Devices get them in their assignments; whom one concerns
 * is looked up again at each hello, so a device that comes later gets it too.
 */
import { randomBytes } from 'node:crypto';
import type { Catalogue } from '../policies/catalogue.js';
import { suggestion } from '../policies/nearest.js';
import { CurfewError } from '../wire/errors.js';
import { record } from './audit.js';
import { futureInstant } from './instants.js';
import { lineOf, shownLine } from './lines.js';
import type { Reading, Store } from './store/index.js';
import type { StoredException } from './store/records.js';
import { maxReasonLength } from '../wire/assignment.js';

/** More would not fit into a message, and nobody could tell what holds. */
export const maxExceptionsPerDevice = 100;

export interface ExceptionRequest {
  readonly tool: string;
  readonly person: string | null;
  readonly device: string | null;
  readonly hardwareId: string | null;
  readonly reason: string;
  readonly author: string;
  /** Policy dates: a day, which needs `zone`, or an instant. `from` null: at once. */
  readonly from: string | null;
  readonly until: string;
  readonly zone: string | null;
}

export interface Excepting {
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly now: number;
}

export interface MadeException {
  readonly exception: StoredException;
  /** Devices that it reaches, as far as they are known now. */
  readonly devices: readonly string[];
}

/** What the exception would be; nothing is changed. Errors: as of `addException`. */
export async function plannedException(
  { store, catalogue, now }: Excepting,
  request: ExceptionRequest,
): Promise<MadeException> {
  return made(store.read, catalogue, request, now);
}

/** Errors: REQUEST_INVALID, with what is wrong; NOT_FOUND for a device that is not enrolled. */
export async function addException(
  { store, catalogue, now }: Excepting,
  request: ExceptionRequest,
  actor: string,
): Promise<MadeException> {
  return store.write(async (writing) => {
    const result = await made(writing, catalogue, request, now);
    const { exception, devices } = result;
    await writing.assignments.addException(exception);
    for (const device of devices) await writing.assignments.touch(device);
    const words = `${exception.tool} for ${subjectOf(exception)} until ${new Date(exception.until).toISOString()}`;
    const deed = { at: now, actor, action: 'exception.add', subject: exception.id };
    await record(writing, { ...deed, detail: words });
    return result;
  });
}

/** Whom an exception names, in words. */
export function subjectOf({ person, device, hardwareId }: StoredException): string {
  if (person !== null) return `person ${person}`;
  return device === null ? `hardware ${hardwareId ?? ''}` : `device ${device}`;
}

export interface Ended {
  readonly exception: StoredException;
  readonly devices: readonly string[];
  /** False: it had ended already. */
  readonly isChanged: boolean;
}

export interface EndRequest {
  readonly id: string;
  readonly actor: string;
  readonly now: number;
  /** Says what would be done and does nothing. */
  readonly isDryRun?: boolean;
}

/** Ends an exception before its time; devices that are connected hear of it at once. Errors: NOT_FOUND. */
export async function endException(store: Store, request: EndRequest): Promise<Ended> {
  const { id, actor, now, isDryRun = false } = request;
  return store.write(async (writing) => {
    const exception = await writing.assignments.exception(id);
    if (exception === null) {
      throw new CurfewError('NOT_FOUND', `there is no exception ${id}`, {
        hint: 'List them with `curfew-server exception list`.',
      });
    }
    const devices = await writing.assignments.reachedBy(exception);
    if (exception.endedAt !== null || exception.until <= now) {
      return { exception, devices, isChanged: false };
    }
    const ended = { exception: { ...exception, endedAt: now, endedBy: actor }, devices };
    if (isDryRun) return { ...ended, isChanged: true };
    await writing.assignments.endException(id, { at: now, by: actor });
    for (const device of devices) await writing.assignments.touch(device);
    const deed = { at: now, actor, action: 'exception.end', subject: id };
    await record(writing, { ...deed, detail: `${exception.tool} for ${subjectOf(exception)}` });
    return { ...ended, isChanged: true };
  });
}

async function made(
  reading: Pick<Reading, 'assignments' | 'devices'>,
  catalogue: Catalogue,
  request: ExceptionRequest,
  now: number,
): Promise<MadeException> {
  const until = futureInstant({ name: 'until', date: request.until, zone: request.zone, now });
  const exception: StoredException = {
    id: randomBytes(6).toString('hex'),
    tool: toolOf(request.tool, catalogue),
    ...subjectFrom(request),
    reason: shownLine('reason', request.reason, maxReasonLength),
    author: shownLine('author', request.author, 128),
    from: fromOf(request, until, now),
    until,
    createdAt: now,
    endedAt: null,
    endedBy: null,
  };
  if (exception.device !== null) await checkDevice(reading, exception.device);
  const devices = await reading.assignments.reachedBy(exception);
  for (const device of devices) await checkRoom(reading, device, now);
  return { exception, devices };
}

function toolOf(given: string, catalogue: Catalogue): string {
  const tool = catalogue.tool(given) ?? catalogue.tool(given.trim().toLowerCase());
  if (tool !== null) return tool.id;
  const near = suggestion(
    given,
    catalogue.tools.map(({ id }) => id),
  );
  throw new CurfewError('REQUEST_INVALID', `tool: no tool of the catalogue is "${given}"${near}`, {
    hint: 'docs/admin/tools.md lists the tools.',
  });
}

type Subject = Pick<StoredException, 'person' | 'device' | 'hardwareId'>;

function subjectFrom({ person, device, hardwareId }: Subject): Subject {
  const given = [person, device, hardwareId].filter((one) => one !== null);
  if (given.length !== 1) {
    const said = given.length === 0 ? 'names nobody' : `names ${given.length} subjects`;
    throw new CurfewError('REQUEST_INVALID', `an exception ${said}`, {
      hint: 'Name exactly one: a person, a device or a hardware id.',
    });
  }
  return {
    person: person === null ? null : lineOf('person', person, 256),
    device: device === null ? null : lineOf('device', device, 64),
    // Agents report it in lower case.
    hardwareId: hardwareId === null ? null : lineOf('hardware', hardwareId, 128).toLowerCase(),
  };
}

function fromOf({ from, zone }: ExceptionRequest, until: number, now: number): number | null {
  if (from === null) return null;
  const at = futureInstant({ name: 'from', date: from, zone, now, isPastAllowed: true });
  if (at >= until) {
    throw new CurfewError('REQUEST_INVALID', `from: ${from} is not before until`, {
      hint: 'An exception begins before it ends.',
    });
  }
  return at <= now ? null : at;
}

async function checkDevice({ devices }: Pick<Reading, 'devices'>, id: string): Promise<void> {
  const device = await devices.get(id);
  if (device !== null && device.revokedAt === null) return;
  throw new CurfewError('NOT_FOUND', `there is no device ${id}`, {
    hint: 'List them with `curfew-server device list`; an exception of a machine that is to come names its hardware id.',
  });
}

async function checkRoom(
  { assignments, devices }: Pick<Reading, 'assignments' | 'devices'>,
  id: string,
  now: number,
): Promise<void> {
  const device = await devices.get(id);
  const persons = await assignments.persons(id);
  const open = await assignments.openFor(
    {
      device: id,
      hardwareId: device?.facts.hardwareId ?? null,
      assignedUser: device?.facts.assignedUser ?? null,
      persons: persons.map(({ person }) => person),
    },
    now,
  );
  if (open.length < maxExceptionsPerDevice) return;
  throw new CurfewError('REQUEST_INVALID', `device ${id} has ${open.length} exceptions already`, {
    hint: 'End some that are no longer needed; a policy is the place for what concerns many tools.',
  });
}
