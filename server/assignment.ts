/**
 * The assignment of a device: gathered from its group, its people, the exceptions that name it and what
 * an admin has set, signed with the online key, and kept. It is issued anew, under the next sequence,
 * when what it says has changed and only then; that an exception or a pause has run out is nothing
 * new, as the device knows the end itself.
 */
import { decodeProtectedHeader } from 'jose';
import {
  assignmentFormat,
  pauseOf,
  signAssignment,
  type AssignmentPayload,
  type Pause,
} from '../wire/assignment.js';
import { thumbprint } from '../wire/keys.js';
import { maxFrameBytes } from '../wire/messages.js';
import { parseJson } from '../wire/parse.js';
import type { ServerKeys } from './keys.js';
import { isPlainLine } from './lines.js';
import type { Reading, Writing } from './store/index.js';
import type { Device, DeviceTerms, StoredAssignment, StoredException } from './store/records.js';

export interface Issuer {
  readonly serverId: string;
  readonly keys: ServerKeys;
  readonly now: number;
}

/** What an assignment says, without its number and its time. */
export type AssignmentContent = Pick<
  AssignmentPayload,
  | 'group'
  | 'persons'
  | 'exceptions'
  | 'pause'
  | 'pauseUntil'
  | 'graceUntil'
  | 'message'
  | 'rescanAfter'
>;

export interface Issued {
  readonly assignment: StoredAssignment;
  /** False: it says what it said before. */
  readonly isNew: boolean;
}

const highestSeen = 2 ** 52;

/**
 * The device's assignment as it has to be now. `seen`: the sequence that the device holds; one above
 * what is stored here (after a restored backup) is passed, or the device would refuse all to come.
 */
export async function assignmentOf(
  writing: Writing,
  device: Device,
  { serverId, keys, now }: Issuer,
  seen = 0,
): Promise<Issued> {
  const known = await writing.policies.assignment(device.id);
  const content = await contentOf(writing, device, now);
  // A device says what it likes; what leaves no numbers to go on with is not listened to.
  const held = seen <= highestSeen ? seen : 0;
  if (known !== null && known.sequence >= held && (await saysTheSame(known, content, keys, now))) {
    return { assignment: known, isNew: false };
  }
  const sequence = Math.max(known?.sequence ?? 0, held) + 1;
  const jws = await signAssignment(
    {
      format: assignmentFormat,
      server: serverId,
      device: device.id,
      sequence,
      issuedAt: iso(now),
      ...content,
    },
    keys.online,
  );
  const assignment = { device: device.id, sequence, jws, issuedAt: now };
  await writing.policies.addAssignment(assignment);
  return { assignment, isNew: true };
}

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

/** What the device's assignment has to say now. */
export async function contentOf(
  { assignments }: Pick<Reading, 'assignments'>,
  device: Device,
  now: number,
): Promise<AssignmentContent> {
  const { id, facts, group } = device;
  const persons = await assignments.persons(id);
  const exceptions = await assignments.openFor(
    {
      device: id,
      hardwareId: facts.hardwareId,
      assignedUser: facts.assignedUser ?? null,
      persons: persons.map(({ person }) => person),
    },
    now,
  );
  const own = await assignments.terms(id);
  const all = await assignments.terms(null);
  const pause = pauseAt([own, all], now);
  const graceUntil = isoOrNull(later(own.graceUntil, all.graceUntil));
  const spelling = spellingOf([facts.assignedUser, ...persons.map(({ person }) => person)]);
  return {
    // At enrolment a device may have asked for any text as its group; with that one it would take nothing.
    group: group !== null && isPlainLine(group, 128) ? group : null,
    persons: Object.fromEntries(persons.map(({ account, person }) => [account, person])),
    exceptions: exceptions.map((one) => wireException(one, spelling)),
    pause: pause !== null,
    pauseUntil: isoOrNull(pause?.until ?? null),
    ...(graceUntil !== null && { graceUntil }),
    message: own.message ?? all.message,
    rescanAfter: isoOrNull(later(own.rescanAfter, all.rescanAfter)),
  };
}

const later = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.max(one, other);

/** What of several pauses there is: as long as the longest. */
export function pauseAt(terms: readonly DeviceTerms[], now: number): Pause {
  const ends = terms
    .filter(({ isPaused, pauseUntil }) => isPaused && (pauseUntil === null || now < pauseUntil))
    .map(({ pauseUntil }) => pauseUntil);
  if (ends.length === 0) return null;
  return { until: ends.includes(null) ? null : Math.max(...ends.map((end) => end ?? 0)) };
}

/** A person as the device itself writes it: directories and admins differ in capitals, agents compare all. */
function spellingOf(known: readonly (string | null | undefined)[]): (person: string) => string {
  const byFold = new Map(known.flatMap((one) => (one == null ? [] : [[one.toLowerCase(), one]])));
  return (person) => byFold.get(person.toLowerCase()) ?? person;
}

function wireException(
  { id, tool, person, device, hardwareId, reason, author, from, until }: StoredException,
  spelling: (person: string) => string,
): AssignmentContent['exceptions'][number] {
  return {
    ...{ id, tool, reason, author },
    ...(person !== null && { person: spelling(person) }),
    ...(device !== null && { device }),
    ...(hardwareId !== null && { hardwareId }),
    ...(from !== null && { from: iso(from) }),
    until: iso(until),
  };
}

/** Whether a stored assignment, signed by today's key, says this; what has run out counts for nothing. */
async function saysTheSame(
  { jws }: StoredAssignment,
  content: AssignmentContent,
  keys: ServerKeys,
  now: number,
): Promise<boolean> {
  if (decodeProtectedHeader(jws).kid !== (await thumbprint(keys.online.x))) return false;
  const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url');
  const tree = parseJson(payload, maxFrameBytes);
  if (tree.kind === 'invalid') return false;
  return words(tree.value as AssignmentPayload, now) === words(content, now);
}

/** One text for one meaning at an instant. */
function words(content: AssignmentContent, now: number): string {
  const pause = pauseOf(content, now);
  const { group, persons, exceptions, graceUntil = null, message, rescanAfter } = content;
  return JSON.stringify([
    ...[group, Object.entries(persons).sort(), pause],
    exceptions.filter(({ until }) => Date.parse(until) > now),
    ...[message === null ? null : Object.entries(message).sort(), rescanAfter, graceUntil],
  ]);
}
