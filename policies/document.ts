/**
 * The policy document: its types, its schema, and the way from YAML to a checked value. A document
 * that is wrong anywhere is refused whole, with line, column and what was expected. Dates stay the
 * text the author wrote plus a zone; `dates.ts` turns them into instants.
 */
import type { Channel, ComponentState, Platform, Scope } from './component.js';

export const decisions = ['approve', 'allow', 'review', 'deny'] as const;
export type Decision = (typeof decisions)[number];

/** What is done, mildest first; the order is the meaning of "stronger". */
export const actions = ['observe', 'notify', 'block', 'remove'] as const;
export type Action = (typeof actions)[number];

export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** A day (YYYY-MM-DD, begins at 00:00 in the policy's zone) or an instant with offset (RFC 3339). */
export type PolicyDate = string;

/** Language tag (en, zh-CN) to text. */
export type Text = Readonly<Record<string, string>>;

export interface Match {
  readonly tool?: readonly string[];
  readonly kind?: readonly string[];
  readonly vendor?: readonly string[];
  readonly provider?: readonly string[];
  readonly channel?: readonly Channel[];
  /** Ecosystem (npm, pypi, homebrew, editor-extension ...) to whole package names. */
  readonly package?: Readonly<Record<string, readonly string[]>>;
  readonly path?: readonly string[];
  readonly publisher?: readonly string[];
  readonly owner?: readonly string[];
  readonly scope?: readonly Scope[];
  readonly state?: readonly ComponentState[];
  /** A range in the ecosystem's own notation or `vers:`. */
  readonly version?: string;
  readonly gateway?: readonly string[];
  readonly running?: boolean;
}

/** The part that a denying rule and a denying default share. */
export interface Denial {
  readonly severity: Severity;
  readonly announce: PolicyDate | null;
  readonly effective: PolicyDate;
  readonly before: Extract<Action, 'observe' | 'notify'>;
  readonly after: Action;
  readonly reason: Text;
  readonly evidence: readonly string[];
  readonly replacement: { readonly tool: string; readonly guide: string | null } | null;
}

export interface Rule {
  readonly id: string;
  readonly match: Match;
  readonly decision: Decision;
  /** Present exactly when `decision` is deny. */
  readonly denial: Denial | null;
}

export interface Policy {
  readonly policy: string;
  readonly title: string;
  /** An IANA zone, `utc` or `device-local`; null only in a document without plain dates. */
  readonly timezone: string | null;
  readonly default: {
    readonly decision: Extract<Decision, 'allow' | 'review' | 'deny'>;
    readonly denial: Denial | null;
  };
  readonly rules: readonly Rule[];
  readonly targets: {
    readonly groups: readonly string[] | null;
    readonly os: readonly Platform[] | null;
    readonly percent: number | null;
  };
}

/** One thing wrong with a document. Lines and columns count from 1. */
export interface PolicyProblem {
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  /** The field's path: `rules[1].effective`. */
  readonly field: string;
  readonly message: string;
}

export type ParsedPolicy =
  | {
      readonly kind: 'policy';
      readonly policy: Policy;
      readonly warnings: readonly PolicyProblem[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly PolicyProblem[] };
