/**
 * What the REST API answers to "why?": the explanation of `policies/explain.ts` field by field, what the
 * device itself reported, and what the server does not know of it. Times are ISO strings.
 */
import Type, { type Static } from 'typebox';
import { channels, componentStates, scopes } from '../policies/component.js';
import { actions, severities } from '../policies/document.js';
import { verdictStatuses } from '../policies/evaluate.js';
import type { PlainCause } from '../policies/explain.js';
import { ReportedVerdict } from '../wire/messages.js';

const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: 'date-time' });
const text = Type.String();
const maybeAction = nullable(Type.Enum([...actions]));

const Step = Type.Object({
  /** `exception <id>`, the id of a rule, or `default`. */
  rule: text,
  matched: Type.Boolean(),
  why: Type.Object({ en: text, 'zh-CN': text }),
  /** The same as fields: of a rule each condition with what it asks for and what was found. */
  cause: Type.Unsafe<PlainCause>({ type: 'object', additionalProperties: true }),
});

export const ExplanationView = Type.Object({
  component: Type.Object({
    id: text,
    tool: nullable(text),
    toolName: text,
    name: text,
    version: nullable(text),
    channel: Type.Enum([...channels]),
    manager: nullable(text),
    path: text,
    owner: nullable(text),
    scope: Type.Enum([...scopes]),
    state: Type.Enum([...componentStates]),
  }),
  /** Null: the device follows none. `zone`: in which the policy counts days. */
  policy: nullable(Type.Object({ policy: text, title: text, zone: text })),
  deviceZone: text,
  at: time,
  /** Null: not decided, because of `undecided`. */
  verdict: nullable(
    Type.Object({
      status: Type.Enum([...verdictStatuses]),
      rule: nullable(text),
      severity: nullable(Type.Enum([...severities])),
      announce: nullable(time),
      effective: nullable(time),
      noticed: nullable(time),
      graceUntil: nullable(time),
      escalates: nullable(time),
      daysLeft: nullable(Type.Integer()),
      action: maybeAction,
      effectiveAction: maybeAction,
    }),
  ),
  /** The first rule, and its fields, that only the device can decide. */
  undecided: nullable(Type.Object({ rule: text, fields: Type.Array(text) })),
  limit: nullable(Type.Enum(['ceiling', 'time'])),
  steps: Type.Array(Step),
  untried: Type.Array(text),
  coming: Type.Array(
    Type.Object({
      at: time,
      status: Type.Enum([...verdictStatuses]),
      rule: nullable(text),
      action: maybeAction,
      effectiveAction: maybeAction,
    }),
  ),
  awaitsNotice: Type.Boolean(),
  advice: nullable(
    Type.Object({
      reason: Type.Record(Type.String(), Type.String()),
      evidence: Type.Array(text),
      replacement: nullable(Type.Object({ tool: text, name: text, guide: nullable(text) })),
      contact: nullable(text),
    }),
  ),
});

/** What only the device knows; `ceiling`: the most that may be done there. */
export const unknowns = ['path', 'publisher', 'ceiling'] as const;

export const ComponentExplanation = Type.Object({
  explanation: ExplanationView,
  /** What the device made of it when it last judged. */
  reported: ReportedVerdict,
  /** Whether it comes to the same; null: the server cannot decide, or another time was asked for. */
  agrees: nullable(Type.Boolean()),
  /** Of the live bundle, and of the one that the device goes by. */
  bundleSequence: Type.Integer(),
  deviceBundleSequence: nullable(Type.Integer()),
  unknown: Type.Array(Type.Enum([...unknowns])),
});
export type ComponentExplanation = Static<typeof ComponentExplanation>;
