/**
 * What the server asks of its database: one interface, every engine. All of it is asynchronous and
 * nothing of one engine shows. Reads see what has been committed; writes happen inside `write`, which
 * commits all or nothing and resolves only when the result is on disk. Writes are one after another.
 */
import type { VerdictStatus } from '../../policies/evaluate.js';
import type { DeviceState } from '../views.js';
import type { FleetReads } from './fleet.js';
import type {
  AuditEntry,
  Device,
  DeviceStatus,
  DeviceSummary,
  DeviceTerms,
  EnrolToken,
  HistoryRecord,
  Pass,
  RawReport,
  ReadyBundle,
  StoredAssignment,
  StoredBundle,
  StoredComponent,
  StoredException,
  StoredFinding,
  StoredPlan,
  Stream,
  SubjectKey,
  SubjectScan,
  TrendPoint,
  User,
  Versioned,
} from './records.js';

/** The page of a list: at most `limit` rows after the row whose sort key is `after`. */
export interface Slice {
  readonly limit: number;
  readonly after: readonly string[] | null;
}
export interface Page<T> {
  readonly rows: readonly T[];
  /** Of all rows the filter admits, not of this page. */
  readonly total: number;
  readonly next: readonly string[] | null;
}

export interface DeviceFilter {
  readonly state: DeviceState | null;
  /** Part of a host name, label or group, in any case. */
  readonly search: string | null;
}
export interface FindingFilter {
  readonly tool: string | null;
  readonly verdict: VerdictStatus | null;
  readonly device: string | null;
}

export interface DeviceReads {
  get(id: string): Promise<Device | null>;
  byKey(publicKey: string): Promise<Device | null>;
  /** The latest device of this hardware that is not revoked. */
  byHardware(hardwareId: string): Promise<Device | null>;
  /** Devices revoked at or after an instant. */
  revokedSince(at: number): Promise<readonly string[]>;
  /** By host name, then id; revoked devices are outside the fleet. `staleBefore`: epoch ms. */
  list(filter: DeviceFilter, slice: Slice, staleBefore: number): Promise<Page<DeviceSummary>>;
  summary(id: string, staleBefore: number): Promise<DeviceSummary | null>;
}
export interface DeviceWrites extends DeviceReads {
  add(device: Device): Promise<void>;
  setFacts(id: string, facts: Device['facts']): Promise<void>;
  /** Its agent knows no such format as the bundle of this sequence has. */
  setRefusedFormat(id: string, sequence: number): Promise<void>;
  setGroup(id: string, group: string | null): Promise<void>;
  setLastSeen(id: string, at: number): Promise<void>;
  /** Takes it out of the fleet: its status and findings go, its history stays. */
  revoke(id: string, at: number): Promise<void>;
  setStatus(status: DeviceStatus): Promise<void>;
}

export interface TokenReads {
  byHash(hash: string): Promise<EnrolToken | null>;
}
export interface TokenWrites extends TokenReads {
  add(token: Omit<EnrolToken, 'id'>): Promise<number>;
  /** Takes one use; false when none was left. */
  use(id: number): Promise<boolean>;
  revoke(id: number): Promise<void>;
}

export interface ReportReads {
  streams(device: string): Promise<readonly Stream[]>;
  stream(device: string, stream: string): Promise<Stream | null>;
  raw(device: string, stream: string, seq: number): Promise<RawReport | null>;
  components(device: string, subject?: SubjectKey): Promise<readonly StoredComponent[]>;
  component(device: string, subject: SubjectKey, id: string): Promise<StoredComponent | null>;
  scans(device: string): Promise<readonly SubjectScan[]>;
  status(device: string): Promise<DeviceStatus | null>;
  /** Newest first. */
  history(device: string, limit: number): Promise<readonly HistoryRecord[]>;
}
export interface ReportWrites extends ReportReads {
  putStream(stream: Stream): Promise<void>;
  putRaw(report: RawReport): Promise<void>;
  putComponent(stored: StoredComponent): Promise<void>;
  removeComponent(device: string, subject: SubjectKey, id: string): Promise<void>;
  putScan(device: string, scan: SubjectScan): Promise<void>;
  addHistory(device: string, records: readonly HistoryRecord[]): Promise<void>;
  /** Replaces a device's findings by these. */
  setFindings(device: string, findings: readonly StoredFinding[]): Promise<void>;
  /** Forgets raw reports, history and trend from before `before`; at most `limit` rows of each. */
  prune(before: number, limit: number): Promise<number>;
}

export interface ComplianceReads {
  states(staleBefore: number): Promise<Readonly<Record<DeviceState, number>>>;
  reviewed(): Promise<number>;
  tools(): Promise<
    readonly { tool: string; devices: number; violation: number; pending: number }[]
  >;
  /** How many devices have exactly these versions of one of the tools. */
  versions(
    tools: readonly string[],
  ): Promise<readonly { tool: string; versions: readonly Versioned[]; devices: number }[]>;
  findings(filter: FindingFilter, slice: Slice): Promise<Page<StoredFinding>>;
  /** Oldest first. */
  trend(since: number): Promise<readonly TrendPoint[]>;
}
export interface ComplianceWrites extends ComplianceReads {
  /** Writes the point of that instant, replacing one that is there. */
  putTrend(point: TrendPoint): Promise<void>;
}

export interface PolicyReads {
  /** Sequence of the newest bundle; 0: none. */
  latestSequence(): Promise<number>;
  latest(): Promise<StoredBundle | null>;
  bundle(sequence: number): Promise<StoredBundle | null>;
  /** The newest bundle below a sequence. */
  bundleBefore(sequence: number): Promise<StoredBundle | null>;
  /** The device's newest assignment. */
  assignment(device: string): Promise<StoredAssignment | null>;
  /** The newest plan of this content over this bundle. */
  plan(content: string, baseSequence: number): Promise<StoredPlan | null>;
  /** The newest plan of this content over any bundle. */
  planOf(content: string): Promise<StoredPlan | null>;
}
export interface PolicyWrites extends PolicyReads {
  addBundle(bundle: StoredBundle): Promise<void>;
  addAssignment(assignment: StoredAssignment): Promise<void>;
  /** Keeps a plan, and of all plans the newest thousand. */
  addPlan(plan: StoredPlan): Promise<void>;
}

export interface SigningReads {
  /** JWK `x` of the key that signs the next bundle; null: none was decided on yet. */
  policyKey(): Promise<string | null>;
  /** The newest bundle, signed by the key with this thumbprint, that names the key after it. */
  rotationBy(signer: string): Promise<string | null>;
  /** Whether a key with this thumbprint was retired by a rotation. */
  hasSigned(signer: string): Promise<boolean>;
  /** Highest sequence first. */
  ready(): Promise<readonly ReadyBundle[]>;
  /** The text of a catalogue that a bundle has named. */
  catalogue(sha256: string): Promise<string | null>;
}
export interface SigningWrites extends SigningReads {
  setPolicyKey(x: string): Promise<void>;
  addRotation(sequence: number, signer: string): Promise<void>;
  addReady(ready: ReadyBundle): Promise<void>;
  /** Forgets those that can be used no more. */
  dropReady(upTo: number): Promise<void>;
  putCatalogue(sha256: string, text: string): Promise<void>;
}

export interface ExceptionFilter {
  readonly tool: string | null;
  /** Also those that were ended or are over at `at`, epoch ms. */
  readonly withPast: boolean;
  readonly at: number;
}

/** Whose exceptions a device gets; `assignedUser` and `persons` compare in any case. */
export interface DeviceSubjects {
  readonly device: string;
  readonly hardwareId: string | null;
  readonly assignedUser: string | null;
  readonly persons: readonly string[];
}

/** What assignments are made from. A device of null stands for all of them. */
export interface AssignmentSources {
  exception(id: string): Promise<StoredException | null>;
  /** Neither ended nor over at an instant, also those that have not begun; oldest first. */
  open(at: number): Promise<readonly StoredException[]>;
  /** Those of `open` that name this device, its hardware or a person on it. */
  openFor(subjects: DeviceSubjects, at: number): Promise<readonly StoredException[]>;
  /** Newest first. */
  list(filter: ExceptionFilter, slice: Slice): Promise<Page<StoredException>>;
  /** The devices, as far as they are known now, that an exception reaches. */
  reachedBy(exception: StoredException): Promise<readonly string[]>;
  terms(device: string | null): Promise<DeviceTerms>;
  /** Who stands behind accounts of a device, as an admin set it. */
  persons(device: string): Promise<readonly { account: string; person: string }[]>;
  /** Number of the last change; 0: none. */
  lastChange(): Promise<number>;
  changesSince(after: number, limit: number): Promise<AssignmentChanges>;
}
export interface AssignmentChanges {
  /** To go on from. */
  readonly last: number;
  readonly devices: readonly string[];
  /** The terms of all devices have changed. */
  readonly isEvery: boolean;
}
export interface AssignmentSourceWrites extends AssignmentSources {
  addException(exception: StoredException): Promise<void>;
  endException(id: string, end: { readonly at: number; readonly by: string }): Promise<void>;
  setTerms(device: string | null, terms: DeviceTerms): Promise<void>;
  /** Null: the account is `account@device` again. */
  setPerson(device: string, account: string, person: string | null): Promise<void>;
  /** Says that the device's assignment may have changed, for the process that serves. */
  touch(device: string | null): Promise<void>;
}

export interface PeopleReads {
  user(name: string): Promise<User | null>;
  session(hash: string): Promise<Pass | null>;
  /** Oldest first. */
  audit(afterSeq: number, limit: number): Promise<readonly AuditEntry[]>;
  lastAudit(): Promise<AuditEntry | null>;
}
export interface PeopleWrites extends PeopleReads {
  putUser(user: User): Promise<void>;
  addLink(link: Pass): Promise<void>;
  /** Takes the link out, so that it serves once. */
  takeLink(hash: string): Promise<Pass | null>;
  addSession(session: Pass): Promise<void>;
  removeSession(hash: string): Promise<void>;
  removeExpired(before: number): Promise<void>;
  addAudit(entry: AuditEntry): Promise<void>;
}

export interface Reading {
  readonly devices: DeviceReads;
  readonly tokens: TokenReads;
  readonly reports: ReportReads;
  readonly compliance: ComplianceReads;
  readonly fleet: FleetReads;
  readonly policies: PolicyReads;
  readonly signing: SigningReads;
  readonly assignments: AssignmentSources;
  readonly people: PeopleReads;
}
export interface Writing {
  readonly devices: DeviceWrites;
  readonly tokens: TokenWrites;
  readonly reports: ReportWrites;
  readonly compliance: ComplianceWrites;
  readonly fleet: FleetReads;
  readonly policies: PolicyWrites;
  readonly signing: SigningWrites;
  readonly assignments: AssignmentSourceWrites;
  readonly people: PeopleWrites;
}

export interface Store {
  /** Random, made with the database; part of the enrolment answer and of device tokens. */
  readonly serverId: string;
  readonly read: Reading;
  write<T>(work: (writing: Writing) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
