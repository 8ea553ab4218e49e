/**
 * What an admin sets for one device or for all of them, and what their assignments then say: group, the
 * person behind an account, a pause, a message, a scan that is due. Each is in the audit log, and what
 * is set already changes nothing.
 */
import { Message, maxMessageLength, hasAddress } from '../wire/assignment.js';
import { CurfewError } from '../wire/errors.js';
import { checker } from '../wire/parse.js';
import { record } from './audit.js';
import { futureInstant } from './instants.js';
import { lineOf } from './lines.js';
import type { Reading, Store, Writing } from './store/index.js';
import type { Device, DeviceTerms } from './store/records.js';

export interface TermsRequest {
  /** Null: all devices, also those that are yet to come. */
  readonly device: string | null;
  readonly actor: string;
  readonly now: number;
  /** Says what would change and changes nothing. */
  readonly isDryRun?: boolean;
  readonly change: TermsChange;
}

/** What to set; what is left out stays. */
export interface TermsChange {
  /** Null: none. Of one device only. */
  readonly group?: string | null;
  /** Of one device only; `person` null: the account is `account@device` again. */
  readonly person?: { readonly account: string; readonly person: string | null };
  /** Null: ends the pause. `until`: a policy date, null: until it is ended. */
  readonly pause?: { readonly until: string | null; readonly zone: string | null } | null;
  /** Nothing is in force before `until`, a policy date; null: the policy's dates hold again. */
  readonly grace?: { readonly until: string; readonly zone: string | null } | null;
  /** Language to text; null: takes it back. */
  readonly message?: Readonly<Record<string, string>> | null;
  /** True: who has not fully scanned since now does so. */
  readonly rescan?: boolean;
}

export interface TermsOutcome {
  /** Null: all. */
  readonly device: string | null;
  readonly isChanged: boolean;
  /** Group and terms after the change. */
  readonly group: string | null;
  readonly terms: DeviceTerms;
  readonly persons: readonly { readonly account: string; readonly person: string }[];
}

/** Errors: NOT_FOUND, REQUEST_INVALID. */
export async function changeTerms(store: Store, request: TermsRequest): Promise<TermsOutcome> {
  if (request.isDryRun === true) return (await plan(store.read, request)).outcome;
  return store.write(async (writing) => {
    const planned = await plan(writing, request);
    if (planned.outcome.isChanged) await carryOut(writing, request, planned);
    return planned.outcome;
  });
}

interface Planned {
  readonly outcome: TermsOutcome;
  /** What is done, in words for the audit log. */
  readonly deeds: readonly string[];
}

async function plan(
  reading: Pick<Reading, 'assignments' | 'devices'>,
  request: TermsRequest,
): Promise<Planned> {
  const { device: id, change } = request;
  const device = id === null ? null : await deviceOf(reading, id);
  if (device === null && (change.group !== undefined || change.person !== undefined)) {
    throw new CurfewError('REQUEST_INVALID', 'group and person are of one device');
  }
  const before = await reading.assignments.terms(id);
  const terms = changedTerms(before, request);
  const group = change.group === undefined ? (device?.group ?? null) : groupOf(change.group);
  const known = id === null ? [] : await reading.assignments.persons(id);
  const persons = changedPersons(known, change);
  const deeds = [
    ...(group === (device?.group ?? null) ? [] : [`group ${group ?? 'none'}`]),
    ...(JSON.stringify(persons) === JSON.stringify(known) ? [] : personWords(change)),
    ...termWords(before, terms),
  ];
  return {
    outcome: { device: id, isChanged: deeds.length > 0, group, terms, persons },
    deeds,
  };
}

async function carryOut(
  { assignments, devices, ...writing }: Writing,
  { device, actor, now, change }: TermsRequest,
  { outcome, deeds }: Planned,
): Promise<void> {
  await assignments.setTerms(device, outcome.terms);
  if (device !== null) await devices.setGroup(device, outcome.group);
  if (device !== null && change.person !== undefined) {
    const { account, person } = change.person;
    await assignments.setPerson(device, account.trim(), person?.trim() ?? null);
  }
  await assignments.touch(device);
  const action = device === null ? 'fleet.set' : 'device.set';
  const deed = { at: now, actor, action, subject: device, detail: deeds.join('; ') };
  await record({ assignments, devices, ...writing }, deed);
}

async function deviceOf({ devices }: Pick<Reading, 'devices'>, id: string): Promise<Device> {
  const device = await devices.get(id);
  if (device !== null && device.revokedAt === null) return device;
  throw new CurfewError('NOT_FOUND', `there is no device ${id}`, {
    hint: 'List them with `curfew-server device list`.',
  });
}

/** Named people of one device; more would make its assignment too large. */
const maxPersons = 200;

const groupOf = (group: string | null): string | null =>
  group === null ? null : lineOf('group', group, 128);

function changedPersons(
  known: TermsOutcome['persons'],
  { person: change }: TermsChange,
): TermsOutcome['persons'] {
  if (change === undefined) return known;
  const account = lineOf('account', change.account, 256);
  if (account === '__proto__') {
    throw new CurfewError('REQUEST_INVALID', 'account: __proto__ is no name of an account');
  }
  const others = known.filter((one) => one.account !== account);
  if (change.person === null) return others;
  if (others.length >= maxPersons) {
    throw new CurfewError('REQUEST_INVALID', `the device has ${maxPersons} people already`, {
      hint: 'A machine of many is better named by account@device.',
    });
  }
  const person = lineOf('person', change.person, 256);
  return [...others, { account, person }].sort((one, other) =>
    one.account < other.account ? -1 : 1,
  );
}

const personWords = ({ person }: TermsChange): string[] =>
  person === undefined ? [] : [`account ${person.account} is ${person.person ?? 'nobody known'}`];

function changedTerms(before: DeviceTerms, { change, now }: TermsRequest): DeviceTerms {
  return {
    ...before,
    ...(change.pause !== undefined && pauseFrom(change.pause, now)),
    ...(change.grace !== undefined && { graceUntil: graceFrom(change.grace, now) }),
    ...(change.message !== undefined && { message: messageFrom(change.message) }),
    ...(change.rescan === true && { rescanAfter: now }),
  };
}

function pauseFrom(
  pause: TermsChange['pause'],
  now: number,
): Pick<DeviceTerms, 'isPaused' | 'pauseUntil'> {
  if (pause == null) return { isPaused: false, pauseUntil: null };
  const { until, zone } = pause;
  if (until === null) return { isPaused: true, pauseUntil: null };
  const pauseUntil = futureInstant({ name: 'until', date: until, zone, now });
  return { isPaused: true, pauseUntil };
}

const graceFrom = (grace: TermsChange['grace'], now: number): number | null =>
  grace == null ? null : futureInstant({ name: 'until', date: grace.until, zone: grace.zone, now });

const checkMessage = checker(Message);

function messageFrom(message: Readonly<Record<string, string>> | null): DeviceTerms['message'] {
  if (message === null || Object.keys(message).length === 0) return null;
  const checked = checkMessage(message);
  if (checked.kind === 'invalid') {
    throw new CurfewError('REQUEST_INVALID', `message${checked.path}: ${checked.message}`, {
      hint: `Language tags (en, zh-CN) to texts of at most ${maxMessageLength} characters, without control characters.`,
    });
  }
  if (Object.values(message).some(hasAddress)) {
    throw new CurfewError('REQUEST_INVALID', 'message: names an address', {
      hint: 'Agents take addresses from the policy alone (contact, guide), which the policy key signs.',
    });
  }
  return checked.value;
}

function termWords(before: DeviceTerms, after: DeviceTerms): string[] {
  const words: string[] = [];
  const { isPaused, pauseUntil, graceUntil, message, rescanAfter } = after;
  if (isPaused !== before.isPaused || pauseUntil !== before.pauseUntil) {
    const end =
      pauseUntil === null ? 'until it is ended' : `until ${new Date(pauseUntil).toISOString()}`;
    words.push(isPaused ? `pause ${end}` : 'no pause');
  }
  if (graceUntil !== before.graceUntil) {
    const end = graceUntil === null ? null : new Date(graceUntil).toISOString();
    words.push(end === null ? 'no grace' : `grace until ${end}`);
  }
  if (JSON.stringify(message) !== JSON.stringify(before.message)) {
    words.push(message === null ? 'no message' : `message in ${Object.keys(message).join(', ')}`);
  }
  if (rescanAfter !== before.rescanAfter) words.push('a full scan');
  return words;
}
