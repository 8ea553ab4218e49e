/**
 * The judgement: a policy applied to one component at one instant. Pure: no I/O, no clock, no state.
 * Precedence is the design's: exceptions first, then rules in order, then `default`.
 */
import type { Catalogue } from './catalogue.js';
import type { Component, Platform } from './component.js';
import type { Action, Policy, Severity } from './document.js';

/** Worst first: a finding's verdict is the first of these that any of its components has. */
export const verdictStatuses = [
  'violation',
  'pending',
  'unknown',
  'review',
  'excepted',
  'allowed',
  'approved',
] as const;
export type VerdictStatus = (typeof verdictStatuses)[number];

/** Somebody may keep a tool until an instant. Names a person, a device or a hardware id. */
export interface Exception {
  readonly id: string;
  readonly tool: string;
  readonly person?: string;
  readonly device?: string;
  readonly hardwareId?: string;
  readonly reason: string;
  readonly author: string;
  /** First instant (epoch ms) at which it no longer holds. */
  readonly until: number;
}

/** What evaluation must know of the device. */
export interface DeviceContext {
  readonly id: string;
  readonly hardwareId: string | null;
  /** The person of the component's owner on this device: `AssignedUser` or account@device. */
  readonly person: string | null;
  readonly group: string | null;
  readonly platform: Platform;
  /** IANA zone, resolved once for `device-local` dates. */
  readonly zone: string;
  /** Ceiling of the machine's settings. */
  readonly maxAction: Action;
}

export interface Verdict {
  readonly status: VerdictStatus;
  readonly policy: string | null;
  /** Id of the deciding rule; `default` for the default; null when no policy applies. */
  readonly rule: string | null;
  readonly severity: Severity | null;
  /** Epoch ms; null when the deciding rule does not deny. */
  readonly announce: number | null;
  readonly effective: number | null;
  /** Calendar days in the policy's zone from today to the effective day: 0 on the day, negative after. */
  readonly daysLeft: number | null;
  /** What the policy asks for at this instant. */
  readonly action: Action | null;
  /** The same under the machine's ceiling. */
  readonly effectiveAction: Action | null;
  readonly replacement: { readonly tool: string; readonly guide: string | null } | null;
}

/** Why one rule (or exception, or the default) did or did not decide. */
export interface TraceStep {
  readonly rule: string;
  readonly matched: boolean;
  readonly why: string;
}

export interface Evaluation {
  readonly verdict: Verdict;
  readonly trace: readonly TraceStep[];
}

export interface EvaluationInput {
  /** The one policy this device follows; null: verdict `unknown`, nothing is done. */
  readonly policy: Policy | null;
  readonly catalogue: Catalogue;
  readonly exceptions: readonly Exception[];
  readonly component: Component;
  readonly device: DeviceContext;
  /** Epoch ms of trusted time. */
  readonly now: number;
}
