/**
 * A device's assignment: what the server tells one device beside the bundle, signed by an online key
 * that the bundle names. It may soften and choose, never sharpen, and that is held here: of a signed
 * text only the fields below come through, and none of them can add a rule, move a date forward or
 * strengthen an action. So a stolen online key gives nobody more than that (docs/developer/wire.md).
 */
import Type, { type Static, type TSchema } from 'typebox';
import type { Exception } from '../policies/evaluate.js';
import { sha256Hex } from './digest.js';
import { openJws, signJws, type Floor } from './jws.js';
import type { SigningKey } from './keys.js';
import { checker } from './parse.js';

/** The format that this version writes and knows. */
export const assignmentFormat = 1;
const assignmentType = 'curfew-assignment+jws';

/** Over one that was taken; more would let a thief use up the numbers and so freeze a device. */
export const maxSequenceStep = 1_000_000;
export const maxMessageLength = 1000;
export const maxReasonLength = 500;

/**
 * No control characters, and none that turn the direction of a line: what people read is what was
 * written, on a terminal too. Line breaks only where `isLine` is false.
 */
const plain = (maxLength: number, isLine = true) =>
  Type.String({
    maxLength,
    pattern: isLine
      ? '^[^\\u0000-\\u001F\\u007F-\\u009F\\u2028\\u2029\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]*$'
      : '^[^\\u0000-\\u0009\\u000B-\\u001F\\u007F-\\u009F\\u2028\\u2029\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]*$',
  });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' });
const instant = Type.String({ format: 'date-time', maxLength: 40 });

const WireException = Type.Object({
  id: plain(128),
  tool: plain(128),
  person: Type.Optional(plain(256)),
  device: Type.Optional(plain(64)),
  hardwareId: Type.Optional(plain(128)),
  reason: plain(1000),
  author: plain(256),
  /** First instant at which it holds; left out: at once. */
  from: Type.Optional(instant),
  /** First instant at which it no longer holds. */
  until: instant,
});

/** Text for people by language. */
export const Message = Type.Record(
  Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$' }),
  plain(maxMessageLength, false),
  { maxProperties: 32, additionalProperties: false },
);

/** Objects stay open: a field this version does not know is passed over. */
export const AssignmentPayload = Type.Object({
  format: Type.Literal(assignmentFormat),
  server: id,
  device: id,
  sequence: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  issuedAt: instant,
  group: nullable(plain(128)),
  /** Account on the device to person; an account that is not here is `account@device`. */
  persons: Type.Record(Type.String(), plain(256), { maxProperties: 4096 }),
  exceptions: Type.Array(WireException, { maxItems: 1000 }),
  /** Stops all acting, prompts too. */
  pause: Type.Boolean(),
  /** First instant at which the pause is over by itself; null or left out: when it is taken back. */
  pauseUntil: Type.Optional(nullable(instant)),
  /** Grace for this device: no denial is in force on it before this instant, whatever its date. */
  graceUntil: Type.Optional(nullable(instant)),
  /** Shown to the people of the device. */
  message: nullable(Message),
  /** A device whose last full scan is older scans again. */
  rescanAfter: nullable(instant),
});
export type AssignmentPayload = Static<typeof AssignmentPayload>;

/** The exceptions of an assignment as evaluation takes them: instants in epoch ms. */
export function exceptionsOf({
  exceptions,
}: Pick<AssignmentPayload, 'exceptions'>): readonly Exception[] {
  return exceptions.map(({ from, until, ...rest }) => ({
    ...(rest as Omit<Exception, 'from' | 'until'>),
    ...(from !== undefined && { from: Date.parse(from) }),
    until: Date.parse(until),
  }));
}

/** What of a pause there is at an instant; `until` null: without an end of its own. */
export type Pause = { readonly until: number | null } | null;

export function pauseOf(
  { pause, pauseUntil }: Pick<AssignmentPayload, 'pause' | 'pauseUntil'>,
  now: number,
): Pause {
  if (!pause) return null;
  const until = pauseUntil == null ? null : Date.parse(pauseUntil);
  return until === null || now < until ? { until } : null;
}

export interface AssignmentTrust {
  /** `assignmentKeys` of the bundle in use. */
  readonly keys: readonly string[];
  /** The highest that was taken by any of these keys. */
  readonly floor: Floor;
  readonly device: string;
  readonly server: string;
}

export type VerifiedAssignment =
  | {
      readonly kind: 'assignment';
      readonly payload: AssignmentPayload;
      readonly floor: Floor;
      /** JWK `x` of the key that signed it; the floor is this key's. */
      readonly signedBy: string;
    }
  | { readonly kind: 'same'; readonly payload: AssignmentPayload }
  | { readonly kind: 'refused'; readonly code: 'ASSIGNMENT_INVALID'; readonly message: string };

/** The assignment as compact JWS, by one of the bundle's `assignmentKeys`. */
export async function signAssignment(payload: AssignmentPayload, key: SigningKey): Promise<string> {
  return signJws(payload, key, { typ: assignmentType });
}

const address = /[a-z][a-z0-9+.-]*:\/\/|\bwww\.|\b(?:mailto|javascript|data|tel|sms):/i;

/**
 * Whether a text names an address to go to. Those come from the policy alone, which the policy key
 * signs: a stolen online key must not send people anywhere.
 */
export const hasAddress = (text: string): boolean => address.test(text);

const check = checker(AssignmentPayload);

/** An assignment from the wire or from the device's own store. */
export async function verifyAssignment(
  jws: string,
  trust: AssignmentTrust,
): Promise<VerifiedAssignment> {
  const { floor } = trust;
  const opened = await openJws(jws, trust.keys, assignmentType);
  if (opened.kind !== 'opened') return refused(opened.message);
  const checked = check(opened.tree);
  if (checked.kind === 'invalid') return refused(`${checked.path} ${checked.message}`.trim());
  const payload = knownFields(checked.value);
  const fault = faultOf(payload, trust);
  if (fault !== null) return refused(fault);
  const sha256 = sha256Hex(jws);
  // Only here, unlike a bundle: a key that the bundle no longer names takes its assignments with it.
  if (sha256 === floor.sha256) return { kind: 'same', payload };
  if (payload.sequence <= floor.sequence) {
    return refused(`sequence ${payload.sequence}; ${floor.sequence} was seen`);
  }
  if (payload.sequence > floor.sequence + maxSequenceStep) {
    return refused(`sequence ${payload.sequence} leaps too far from ${floor.sequence}`);
  }
  const raised = { sequence: payload.sequence, sha256 };
  return { kind: 'assignment', payload, floor: raised, signedBy: opened.signedBy };
}

const refused = (message: string) =>
  ({ kind: 'refused', code: 'ASSIGNMENT_INVALID', message }) as const;

/** What no schema says: for whom it is, instants that exist, no addresses in what people read. */
function faultOf(payload: AssignmentPayload, { server, device }: AssignmentTrust): string | null {
  if (payload.server !== server || payload.device !== device) {
    return `is for device ${payload.device} of server ${payload.server}`;
  }
  const { exceptions, message, issuedAt, pauseUntil, graceUntil, rescanAfter } = payload;
  const instants = [
    ...[issuedAt, pauseUntil, graceUntil, rescanAfter],
    ...exceptions.flatMap(({ from, until }) => [from, until]),
  ];
  const unreal = instants.find((at) => at != null && Number.isNaN(Date.parse(at)));
  if (unreal != null) return `${unreal} is no instant`;
  const shown = [
    ...Object.values(message ?? {}),
    ...exceptions.flatMap(({ reason, author }) => [reason, author]),
  ];
  return shown.some(hasAddress) ? 'a text in it names an address' : null;
}

/** The fields that an assignment has, and no other, whatever else was signed. */
function knownFields(given: AssignmentPayload): AssignmentPayload {
  const { format, server, device, sequence, issuedAt, group, pause, rescanAfter } = given;
  return {
    ...{ format, server, device, sequence, issuedAt, group, pause, rescanAfter },
    pauseUntil: given.pauseUntil ?? null,
    graceUntil: given.graceUntil ?? null,
    persons: { ...given.persons },
    message: given.message === null ? null : { ...given.message },
    exceptions: given.exceptions.map((one) => ({
      ...{ id: one.id, tool: one.tool, reason: one.reason, author: one.author, until: one.until },
      ...(one.person !== undefined && { person: one.person }),
      ...(one.device !== undefined && { device: one.device }),
      ...(one.hardwareId !== undefined && { hardwareId: one.hardwareId }),
      ...(one.from !== undefined && { from: one.from }),
    })),
  };
}
