/**
 * Every message between agent and server: its schema, its type and its parser. Plain data, no
 * behaviour. Whatever arrives passes `parseMessage`, which answers with the message or the path of
 * the first field that is wrong; inside, nobody checks again.
 *
 * History of the wire version (it only grows, and travels in the WebSocket subprotocol name):
 *   1  2026-11-25  hello, welcome, get, available, document, report, ack, resync, busy, refused;
 *                  a component's candidateReasons and gateway, counts of kinds beside components,
 *                  a verdict's noticed, graceUntil, escalates and zone
 */
import Type, { type Static } from 'typebox';
import {
  candidateReasons,
  channels,
  componentStates,
  confidences,
  platforms,
  rootStatuses,
  scopes,
} from '../policies/component.js';
import { actions, severities } from '../policies/document.js';
import { verdictStatuses } from '../policies/evaluate.js';
import type { ReportKind } from '../policies/reporting.js';

export const wireVersion = 1;
export const subprotocol = `curfew.v${wireVersion}`;

/** One frame, either way. A snapshot larger than this is split into `part` and `parts`. */
export const maxFrameBytes = 1024 * 1024;
/** Components in one report; a larger state is split. */
export const maxComponentsPerReport = 500;

const closed = { additionalProperties: false } as const;
const text = (maxLength: number) => Type.String({ maxLength });
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const instant = Type.String({ format: 'date-time', maxLength: 40 });
const sequence = Type.Integer({ minimum: 0 });
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' });

/** Facts of a device that leave it. */
export const DeviceFacts = Type.Object(
  {
    hostName: text(255),
    platform: Type.Enum([...platforms]),
    osName: text(120),
    osVersion: text(120),
    arch: text(32),
    hardwareId: nullable(text(128)),
    agentVersion: text(32),
    zone: text(64),
    /** Whose device it is, where the machine's settings say so (`AssignedUser`). */
    assignedUser: Type.Optional(nullable(text(256))),
  },
  closed,
);
export type DeviceFacts = Static<typeof DeviceFacts>;

export const ReportedVerdict = Type.Object(
  {
    status: Type.Enum([...verdictStatuses]),
    policy: nullable(text(128)),
    rule: nullable(text(128)),
    severity: nullable(Type.Enum([...severities])),
    announce: nullable(instant),
    effective: nullable(instant),
    action: nullable(Type.Enum([...actions])),
    effectiveAction: nullable(Type.Enum([...actions])),
    replacement: nullable(text(128)),
    /** Of a rule with a grace: when the device was first told of it, and until when it has grace. */
    noticed: Type.Optional(instant),
    graceUntil: Type.Optional(instant),
    /** The zone in which the device has read the dates of a `device-local` rule, once and for all. */
    zone: Type.Optional(text(64)),
    /** From when the later, stronger action is asked for, where the rule has one. */
    escalates: Type.Optional(instant),
  },
  closed,
);
export type ReportedVerdict = Static<typeof ReportedVerdict>;

/** The name or address of a host and nothing else: no scheme, user, port or path can hide in it. */
export const hostPattern = '^[A-Za-z0-9_.-]+$|^\\[[0-9A-Fa-f:.]+\\]$';
export const maxHostLength = 253;

/** A component as it leaves the device: `path` shortened (`~/…`), evidence as kinds only. */
export const ReportedComponent = Type.Object(
  {
    id: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    tool: nullable(text(128)),
    channel: Type.Enum([...channels]),
    manager: nullable(text(64)),
    purl: nullable(text(512)),
    name: text(256),
    version: nullable(text(128)),
    path: text(1024),
    owner: nullable(text(256)),
    scope: Type.Enum([...scopes]),
    state: Type.Enum([...componentStates]),
    confidence: Type.Enum([...confidences]),
    evidence: Type.Array(text(64), { maxItems: 16 }),
    firstSeen: instant,
    verdict: ReportedVerdict,
    /** Why it looks like an AI tool; only of what no entry of the catalogue claims. */
    candidateReasons: Type.Optional(
      Type.Array(Type.Enum([...candidateReasons]), {
        minItems: 1,
        maxItems: candidateReasons.length,
      }),
    ),
    /** Host of the model endpoint that the tool is set up for, null for none; left out where not known. */
    gateway: Type.Optional(
      nullable(Type.String({ maxLength: maxHostLength, pattern: hostPattern })),
    ),
  },
  closed,
);
export type ReportedComponent = Static<typeof ReportedComponent>;

/** More of one kind than this are told as this many. */
export const maxCount = 1_000_000;
const howMany = Type.Optional(Type.Integer({ minimum: 0, maximum: maxCount }));

/**
 * How many there are of a kind of which the policy asks for no more than that (`count`). A kind that is
 * reported, or not spoken of, is left out, and so is what a rule decided: it is among the components.
 */
export const KindCounts = Type.Object(
  { mcp: howMany, model: howMany, service: howMany, candidate: howMany } satisfies Record<
    ReportKind,
    typeof howMany
  >,
  closed,
);
export type KindCounts = Static<typeof KindCounts>;

/** How far the device has looked: the roots that were not read to their end, by label. */
export const ScanState = Type.Object(
  {
    status: Type.Enum(['complete', 'partial']),
    at: instant,
    /** Completion of the last scan in which every root was read to its end. */
    lastComplete: nullable(instant),
    roots: Type.Integer({ minimum: 0 }),
    notRead: Type.Array(
      Type.Object({ root: text(256), status: Type.Enum([...rootStatuses]) }, closed),
      { maxItems: 100 },
    ),
  },
  closed,
);
export type ScanState = Static<typeof ScanState>;

export const eventKinds = [
  'prompt-shown',
  'clock-suspect',
  'store-reset',
  'bundle-refused',
  'manifest-empty',
  'watching-degraded',
  'skipped',
] as const;

/** What one report says. The body travels as JSON text, so that it is hashed and kept byte for byte. */
export const ReportBody = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('snapshot'),
      at: instant,
      /** Replaces all state of the stream once part `parts` has been applied; counted from 1. */
      part: Type.Integer({ minimum: 1 }),
      parts: Type.Integer({ minimum: 1 }),
      components: Type.Array(ReportedComponent, { maxItems: maxComponentsPerReport }),
      /** Of the whole state, in each part alike. */
      counts: Type.Optional(KindCounts),
      scan: ScanState,
      bundleSequence: nullable(sequence),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('changes'),
      at: instant,
      /** New or changed components, whole. */
      present: Type.Array(ReportedComponent, { maxItems: maxComponentsPerReport }),
      removed: Type.Array(Type.String({ pattern: '^[0-9a-f]{32}$' }), {
        maxItems: maxComponentsPerReport,
      }),
      /** As they stand now, not what changed. */
      counts: Type.Optional(KindCounts),
      scan: ScanState,
      bundleSequence: nullable(sequence),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal('device'), at: instant, facts: DeviceFacts }, closed),
  Type.Object(
    {
      kind: Type.Literal('event'),
      at: instant,
      event: Type.Enum([...eventKinds]),
      tool: nullable(text(128)),
      rule: nullable(text(128)),
      /** A short machine word of the event (`seen`, a refused sequence, a count), never free content. */
      detail: nullable(text(128)),
    },
    closed,
  ),
]);
export type ReportBody = Static<typeof ReportBody>;

/** Machine stream or one person's, by account name. */
export const Subject = Type.Union([
  Type.Object({ kind: Type.Literal('machine') }, closed),
  Type.Object({ kind: Type.Literal('person'), account: text(256) }, closed),
]);
export type Subject = Static<typeof Subject>;

/**
 * A link of a stream's chain: sha256 = SHA-256 of `stream LF seq LF prev LF body`, all as UTF-8.
 * `stream` is random per database; seq counts from 1; prev is 64 zeros at seq 1.
 */
export const Report = Type.Object(
  {
    type: Type.Literal('report'),
    stream: id,
    subject: Subject,
    seq: Type.Integer({ minimum: 1 }),
    prev: sha256,
    sha256,
    body: Type.String({ maxLength: maxFrameBytes }),
  },
  closed,
);
export type Report = Static<typeof Report>;

export const Hello = Type.Object(
  {
    type: Type.Literal('hello'),
    wire: Type.Integer({ minimum: 1 }),
    facts: DeviceFacts,
    /** Highest verified sequences on the device; 0: none. */
    bundleSequence: sequence,
    assignmentSequence: sequence,
    catalogueSha256: nullable(sha256),
    streams: Type.Array(Type.Object({ stream: id, subject: Subject, lastSeq: sequence }, closed), {
      maxItems: 4096,
    }),
    wallTime: instant,
  },
  closed,
);
export const Get = Type.Object(
  {
    type: Type.Literal('get'),
    what: Type.Enum(['bundle', 'assignment', 'catalogue']),
    /** Thumbprint of the policy key that the device trusts, so that it gets a bundle it can verify. */
    policyKey: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })),
  },
  closed,
);

export const Welcome = Type.Object(
  {
    type: Type.Literal('welcome'),
    deviceId: id,
    time: instant,
    bundleSequence: sequence,
    assignmentSequence: sequence,
    /** What the server has on disk of each stream it knows of this device. */
    streams: Type.Array(Type.Object({ stream: id, seq: sequence }, closed), { maxItems: 4096 }),
    checkInMinutes: Type.Integer({ minimum: 1 }),
  },
  closed,
);
/** There is a newer document; ask for it within `spreadMs`, at random. */
export const Available = Type.Object(
  {
    type: Type.Literal('available'),
    what: Type.Enum(['bundle', 'assignment']),
    sequence,
    spreadMs: Type.Integer({ minimum: 0 }),
  },
  closed,
);
/** A signed document (compact JWS); for the catalogue the JSON text, which must have the bundle's hash. */
export const Document = Type.Object(
  {
    type: Type.Literal('document'),
    what: Type.Enum(['bundle', 'assignment', 'catalogue']),
    content: Type.String({ maxLength: maxFrameBytes }),
  },
  closed,
);
/** On disk up to and including `seq`. */
export const Ack = Type.Object({ type: Type.Literal('ack'), stream: id, seq: sequence }, closed);
/** Send a snapshot of this stream: a gap, a new stream or another hash under a known seq. */
export const Resync = Type.Object(
  {
    type: Type.Literal('resync'),
    stream: id,
    reason: Type.Enum(['gap', 'new-stream', 'hash-differs', 'asked']),
  },
  closed,
);
export const Busy = Type.Object(
  { type: Type.Literal('busy'), retryAfterMs: Type.Integer({ minimum: 0 }) },
  closed,
);
/** This message will never be accepted; a report named here is set aside and counted by the agent. */
export const Refused = Type.Object(
  {
    type: Type.Literal('refused'),
    code: text(64),
    message: text(512),
    stream: Type.Optional(id),
    seq: Type.Optional(sequence),
  },
  closed,
);

export const FromAgent = Type.Union([Hello, Get, Report]);
export type FromAgent = Static<typeof FromAgent>;
export const FromServer = Type.Union([Welcome, Available, Document, Ack, Resync, Busy, Refused]);
export type FromServer = Static<typeof FromServer>;

/** `POST /api/v1/enroll`. */
export const EnrollRequest = Type.Object(
  {
    token: text(128),
    /** The device's public Ed25519 key as JWK `x`, base64url of 32 bytes. */
    publicKey: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    facts: DeviceFacts,
    group: text(128),
    /** A label for the console ("made-up home"); null on real machines. */
    label: nullable(text(128)),
  },
  closed,
);
export type EnrollRequest = Static<typeof EnrollRequest>;

export const EnrollAnswer = Type.Object(
  {
    deviceId: id,
    serverId: id,
    /** The policy key to pin (JWK `x`) and its RFC 7638 thumbprint. */
    policyKey: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    policyKeyThumbprint: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    time: instant,
  },
  closed,
);
export type EnrollAnswer = Static<typeof EnrollAnswer>;
