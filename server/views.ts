/**
 * What the REST API answers: one TypeBox schema per shape, used to serialize, to write the OpenAPI
 * file and to type the console. Times are ISO strings; counts are whole numbers. A field is added,
 * never renamed.
 */
import Type, { type Static } from 'typebox';
import { severities } from '../policies/document.js';
import { verdictStatuses } from '../policies/evaluate.js';
import { DeviceFacts, KindCounts, ReportedComponent, ScanState } from '../wire/messages.js';

/** The first that applies, in this order (design, Words). Their counts add up to `total`. */
export const deviceStates = [
  'never-scanned',
  'partial',
  'stale',
  'violation',
  'pending',
  'unknown',
  'excepted',
  'clear',
] as const;
export type DeviceState = (typeof deviceStates)[number];

const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: 'date-time' });

export const DeviceRow = Type.Object({
  id: Type.String(),
  hostName: Type.String(),
  label: nullable(Type.String()),
  platform: Type.String(),
  osName: Type.String(),
  osVersion: Type.String(),
  agentVersion: Type.String(),
  group: nullable(Type.String()),
  state: Type.Enum([...deviceStates]),
  /** The worst verdict last reported, also while stale or partial; null: nothing reported. */
  lastKnown: nullable(Type.Enum([...verdictStatuses])),
  hasReview: Type.Boolean(),
  isOnline: Type.Boolean(),
  findings: Type.Integer(),
  enrolledAt: time,
  lastSeen: nullable(time),
  lastComplete: nullable(time),
  bundleSequence: nullable(Type.Integer()),
  /** Its agent is too old for the live bundle; it goes by the last one it understood. */
  needsAgentUpgrade: Type.Boolean(),
});
export type DeviceRow = Static<typeof DeviceRow>;

export const DevicePage = Type.Object({
  devices: Type.Array(DeviceRow),
  total: Type.Integer(),
  /** Pass as `cursor` for the next page; null on the last. */
  nextCursor: nullable(Type.String()),
});
export type DevicePage = Static<typeof DevicePage>;

/** A tool on a device with its components; the verdict is the worst of theirs. */
export const Finding = Type.Object({
  deviceId: Type.String(),
  hostName: Type.String(),
  tool: nullable(Type.String()),
  toolName: Type.String(),
  verdict: Type.Enum([...verdictStatuses]),
  policy: nullable(Type.String()),
  rule: nullable(Type.String()),
  effective: nullable(time),
  replacement: nullable(Type.String()),
  replacementName: nullable(Type.String()),
  firstSeen: time,
  components: Type.Array(ReportedComponent),
  /** Ids of the catalogue's advisories that name the version of a component. */
  advisories: Type.Array(Type.String()),
  /** Those that may, because a version is not known. */
  possibleAdvisories: Type.Array(Type.String()),
});
export type Finding = Static<typeof Finding>;

export const FindingPage = Type.Object({
  findings: Type.Array(Finding),
  total: Type.Integer(),
  nextCursor: nullable(Type.String()),
});
export type FindingPage = Static<typeof FindingPage>;

export const HistoryEntry = Type.Object({
  at: time,
  kind: Type.Enum([
    'enrolled',
    'appeared',
    'changed',
    'removed',
    'verdict',
    'event',
    'scan',
    'snapshot',
  ]),
  tool: nullable(Type.String()),
  toolName: nullable(Type.String()),
  component: nullable(Type.String()),
  from: nullable(Type.String()),
  to: nullable(Type.String()),
  detail: nullable(Type.String()),
});
export type HistoryEntry = Static<typeof HistoryEntry>;

/** Somebody may keep a tool for a while; exactly one of person, device and hardware id is named. */
export const ExceptionRow = Type.Object({
  id: Type.String(),
  tool: Type.String(),
  toolName: Type.String(),
  person: nullable(Type.String()),
  device: nullable(Type.String()),
  hardwareId: nullable(Type.String()),
  reason: Type.String(),
  author: Type.String(),
  /** Null: at once. */
  from: nullable(time),
  /** First instant at which it no longer holds. */
  until: time,
  createdAt: time,
  /** Ended before its time, and by whom. */
  endedAt: nullable(time),
  endedBy: nullable(Type.String()),
  /** False also before it begins. */
  holds: Type.Boolean(),
});
export type ExceptionRow = Static<typeof ExceptionRow>;

export const ExceptionPage = Type.Object({
  exceptions: Type.Array(ExceptionRow),
  total: Type.Integer(),
  nextCursor: nullable(Type.String()),
});
export type ExceptionPage = Static<typeof ExceptionPage>;

export const ExceptionMade = Type.Object({
  exception: ExceptionRow,
  /** Devices that it reaches, as far as they are known now. */
  devices: Type.Integer(),
  /** False: a dry run. */
  isMade: Type.Boolean(),
});
export type ExceptionMade = Static<typeof ExceptionMade>;

/** `until` null: until somebody ends it. */
const Pause = nullable(Type.Object({ until: nullable(time) }));

/** What is set for a device, or with `device` null for all of them. */
export const DeviceTermsView = Type.Object({
  device: nullable(Type.String()),
  isChanged: Type.Boolean(),
  group: nullable(Type.String()),
  persons: Type.Array(Type.Object({ account: Type.String(), person: Type.String() })),
  pause: Pause,
  graceUntil: nullable(time),
  message: nullable(Type.Record(Type.String(), Type.String())),
  rescanAfter: nullable(time),
});
export type DeviceTermsView = Static<typeof DeviceTermsView>;

export const DeviceDetail = Type.Object({
  device: DeviceRow,
  facts: DeviceFacts,
  findings: Type.Array(Finding),
  /** `counts`: how many there are of a kind where the policy asks for no more than that. */
  scans: Type.Array(Type.Object({ subject: Type.String(), scan: ScanState, counts: KindCounts })),
  /** Those that hold on it, and those that are yet to begin. */
  exceptions: Type.Array(ExceptionRow),
  /** Of this device or of all: nothing is done and nobody is prompted. */
  pause: Pause,
  history: Type.Array(HistoryEntry),
});
export type DeviceDetail = Static<typeof DeviceDetail>;

export const PolicyRow = Type.Object({
  policy: Type.String(),
  title: Type.String(),
  sequence: Type.Integer(),
  publishedAt: time,
  timezone: nullable(Type.String()),
  yaml: Type.String(),
  /** One row per denying rule. */
  denials: Type.Array(
    Type.Object({
      rule: Type.String(),
      tools: Type.Array(Type.String()),
      /** What people call the tools, in their order. */
      toolNames: Type.Array(Type.String()),
      announce: nullable(time),
      effective: time,
      /** The effective date as the author wrote it. */
      effectiveText: Type.String(),
      replacement: nullable(Type.String()),
      replacementName: nullable(Type.String()),
      reason: Type.Record(Type.String(), Type.String()),
    }),
  ),
});
export type PolicyRow = Static<typeof PolicyRow>;

export const PolicyList = Type.Object({
  policies: Type.Array(PolicyRow),
  bundleSequence: Type.Integer(),
});
export type PolicyList = Static<typeof PolicyList>;

export const Compliance = Type.Object({
  at: time,
  total: Type.Integer(),
  states: Type.Record(Type.Enum([...deviceStates]), Type.Integer()),
  /** Devices with a `review` mark; they are counted in their state too. */
  review: Type.Integer(),
  online: Type.Integer(),
  tools: Type.Array(
    Type.Object({
      tool: Type.String(),
      toolName: Type.String(),
      devices: Type.Integer(),
      violation: Type.Integer(),
      pending: Type.Integer(),
      /** Devices with a version that an advisory of the catalogue names, and those advisories' ids. */
      affected: Type.Integer(),
      advisories: Type.Array(Type.String()),
    }),
  ),
});
export type Compliance = Static<typeof Compliance>;

/** The published faults that the server's catalogue knows; findings and tools name them by id. */
export const AdvisoryList = Type.Object({
  advisories: Type.Array(
    Type.Object({
      id: Type.String(),
      title: Type.String(),
      severity: Type.Enum([...severities]),
      /** First version without it, in words; null when none is known. */
      fixed: nullable(Type.String()),
      sources: Type.Array(Type.String()),
    }),
  ),
});
export type AdvisoryList = Static<typeof AdvisoryList>;

/** Points of the chart: the counts by state as they stood at the end of each bucket. */
export const Trend = Type.Object({
  bucketMinutes: Type.Integer(),
  points: Type.Array(
    Type.Object({ at: time, states: Type.Record(Type.Enum([...deviceStates]), Type.Integer()) }),
  ),
});
export type Trend = Static<typeof Trend>;

export const Session = Type.Object({
  user: Type.String(),
  role: Type.Enum(['viewer', 'operator', 'admin']),
});
export type Session = Static<typeof Session>;

/** RFC 9457, with the code of `wire/errors.ts`. */
export const ProblemJson = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
});
export type ProblemJson = Static<typeof ProblemJson>;

/**
 * Routes (all under `/api/v1`, all but the first two and `openapi.json` need a session):
 *   POST   /enroll                       EnrollRequest -> EnrollAnswer
 *   POST   /session   { link }           the one-time link's secret -> Session and a cookie
 *   GET    /session                      Session
 *   DELETE /session                      signs out
 *   GET    /compliance                   Compliance
 *   GET    /compliance/trend             Trend
 *   GET    /advisories                   AdvisoryList
 *   GET    /devices?state&search&limit&cursor   DevicePage
 *   GET    /devices/:id                  DeviceDetail
 *   GET    /devices/:id/components/:component/explain?at   ComponentExplanation
 *   PATCH  /devices/:id   { group, person, pause, grace, message, rescan, dryRun }   DeviceTermsView
 *   PATCH  /fleet         { pause, grace, message, rescan, dryRun }                  DeviceTermsView
 *   GET    /exceptions?tool&past&limit&cursor   ExceptionPage
 *   POST   /exceptions                   a new one -> ExceptionMade
 *   DELETE /exceptions/:id               ends it -> ExceptionRow
 *   GET    /findings?tool&verdict&device&limit&cursor   FindingPage
 *   GET    /policies                     PolicyList
 *   POST   /policies/plan    { texts, remove, order, at }   PlanAnswer (server/plan-views.ts)
 *   POST   /policies/publish { texts, remove, order }       PublishAnswer
 *   GET    /policies/:policy/compiled/:target ?at           CompiledPolicy (operator)
 *   GET    /live                         server-sent events; each `data` is a LiveEvent
 *   GET    /openapi.json
 */
export const LiveEvent = Type.Union([
  Type.Object({ kind: Type.Literal('device'), id: Type.String() }),
  Type.Object({ kind: Type.Literal('policy'), bundleSequence: Type.Integer() }),
]);
export type LiveEvent = Static<typeof LiveEvent>;
