/**
 * The records that the server keeps, as every engine gives and takes them. Times are epoch
 * milliseconds, closed lists are the shared ones. Nothing here knows a database.
 */
import type { DeviceFacts, KindCounts, ReportedVerdict, ScanState } from '../../wire/messages.js';
import type { ReportedComponent } from '../../wire/messages.js';
import type { VerdictStatus } from '../../policies/evaluate.js';
import type { DeviceState } from '../views.js';

/** A stored device class: the device's state as if time stood still. `stale` is added by the query. */
export type Standing = Exclude<DeviceState, 'stale'>;

export interface EnrolToken {
  readonly id: number;
  readonly hash: string;
  readonly group: string | null;
  readonly label: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Null: without limit. */
  readonly usesLeft: number | null;
  readonly isRevoked: boolean;
}

export interface Device {
  readonly id: string;
  /** Ed25519, JWK `x`. */
  readonly publicKey: string;
  readonly facts: DeviceFacts;
  readonly group: string | null;
  readonly label: string | null;
  readonly enrolledAt: number;
  readonly lastSeen: number | null;
  readonly revokedAt: number | null;
  /** A device of the same hardware that this one may stand for; an admin decides. */
  readonly mayReplace: string | null;
}

/** What the fleet view shows of a device, with its state computed for the instant that was asked. */
export interface DeviceSummary {
  readonly device: Device;
  readonly state: DeviceState;
  readonly lastKnown: VerdictStatus | null;
  readonly hasReview: boolean;
  readonly findings: number;
  readonly lastComplete: number | null;
  readonly bundleSequence: number | null;
  /** It refused a bundle of a newer format and has taken none since. */
  readonly needsAgentUpgrade: boolean;
}

/** Whose stream: `machine`, or `person:<account>`. */
export type SubjectKey = string;

export interface Stream {
  readonly device: string;
  readonly stream: string;
  readonly subject: SubjectKey;
  /** The last applied report; 0: none. */
  readonly seq: number;
  /** Its hash; 64 zeros at 0. */
  readonly hash: string;
  /** True once a whole snapshot has been applied: changes have something to change. */
  readonly hasBase: boolean;
  /** True between a `resync` answer and the snapshot that follows it, which may have any seq. */
  readonly isAwaitingSnapshot: boolean;
  /** The last part of an unfinished snapshot; 0: none is open. */
  readonly part: number;
  /** Another stream of the same subject has taken over (rebuilt database). */
  readonly isSuperseded: boolean;
}

export interface RawReport {
  readonly device: string;
  readonly stream: string;
  readonly seq: number;
  readonly sha256: string;
  readonly body: string;
  readonly receivedAt: number;
}

/** A component as last reported, with the subject whose stream carries it. */
export interface StoredComponent {
  readonly device: string;
  readonly subject: SubjectKey;
  readonly component: ReportedComponent;
}

/** A version and by whose numbering it counts. Of the package URL no more than its type is kept. */
export type Versioned = Pick<ReportedComponent, 'channel' | 'manager' | 'purl'> & {
  readonly version: string;
};

/** A tool on a device; `key` is the tool's id, or channel and name of what no entry claims. */
export interface StoredFinding {
  readonly device: string;
  readonly key: string;
  readonly tool: string | null;
  readonly name: string;
  readonly verdict: ReportedVerdict;
  readonly firstSeen: number;
  /** Each once, in one order; empty for what no entry of the catalogue claims. */
  readonly versions: readonly Versioned[];
}

const historyKinds = [
  'enrolled',
  'appeared',
  'changed',
  'removed',
  'verdict',
  'event',
  'scan',
  'snapshot',
] as const;

export interface HistoryRecord {
  readonly at: number;
  readonly kind: (typeof historyKinds)[number];
  readonly tool: string | null;
  readonly component: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly detail: string | null;
}

export interface SubjectScan {
  readonly subject: SubjectKey;
  readonly scan: ScanState;
  /** Of kinds of which the policy asks for no more. */
  readonly counts: KindCounts;
  /** Server time of the report that carried it. */
  readonly receivedAt: number;
}

/** The stored part of a device's compliance; written by ingest in the transaction of the report. */
export interface DeviceStatus {
  readonly device: string;
  readonly standing: Standing;
  /** The last complete scan of any subject, never later than its report's arrival; null: none. */
  readonly freshAt: number | null;
  readonly worst: VerdictStatus | null;
  readonly hasReview: boolean;
  readonly findings: number;
  readonly bundleSequence: number | null;
}

export interface StoredPolicy {
  readonly policy: string;
  readonly yaml: string;
  /** The bundle in which this text first stood. */
  readonly sequence: number;
  readonly publishedAt: number;
  readonly author: string;
}

export interface StoredBundle {
  readonly sequence: number;
  readonly jws: string;
  readonly publishedAt: number;
  readonly author: string;
  readonly catalogueSha256: string;
  /** In order of priority. */
  readonly policies: readonly StoredPolicy[];
}

/** That somebody has seen what publishing these very texts over that bundle would do. */
export interface StoredPlan {
  /** `planContent` of what would be live. */
  readonly content: string;
  /** Sequence of the bundle that was live when it was made; 0: none. */
  readonly baseSequence: number;
  readonly author: string;
  readonly at: number;
}

/** A bundle that was signed in advance: the way back to `ofSequence`, good while a lower one is live. */
export interface ReadyBundle {
  readonly sequence: number;
  readonly ofSequence: number;
  readonly jws: string;
  readonly author: string;
  readonly keptAt: number;
}

export interface StoredAssignment {
  readonly device: string;
  readonly sequence: number;
  readonly jws: string;
  readonly issuedAt: number;
}

/** Somebody may keep a tool for a while. Exactly one of person, device and hardware id is named. */
export interface StoredException {
  readonly id: string;
  /** Id of a catalogue entry. */
  readonly tool: string;
  /** What `AssignedUser` says, or account@device. */
  readonly person: string | null;
  readonly device: string | null;
  readonly hardwareId: string | null;
  readonly reason: string;
  readonly author: string;
  /** First instant at which it holds; null: at once. */
  readonly from: number | null;
  /** First instant at which it no longer holds. */
  readonly until: number;
  readonly createdAt: number;
  /** Ended before its time. */
  readonly endedAt: number | null;
  readonly endedBy: string | null;
}

/** What an admin has set for a device, or for all of them, besides its group and its exceptions. */
export interface DeviceTerms {
  readonly isPaused: boolean;
  /** First instant at which the pause is over by itself; null: until somebody ends it. */
  readonly pauseUntil: number | null;
  /** Nothing is in force on the device before this instant; null: the policy's dates hold. */
  readonly graceUntil: number | null;
  /** Language tag to text, shown to the people of the device. */
  readonly message: Readonly<Record<string, string>> | null;
  /** A full scan from before this instant is repeated. */
  readonly rescanAfter: number | null;
}

export type Role = 'viewer' | 'operator' | 'admin';

export interface User {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
}

/** A signed-in browser or an unused sign-in link: only the secret's hash is known. */
export interface Pass {
  readonly hash: string;
  readonly user: string;
  readonly expiresAt: number;
}

export interface AuditEntry {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly detail: string | null;
  /** Hash of the entry before, and of this one over it. */
  readonly prev: string;
  readonly hash: string;
}

export interface TrendPoint {
  readonly at: number;
  readonly states: Readonly<Record<DeviceState, number>>;
}
