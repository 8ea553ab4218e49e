/**
 * A plan as the REST API, `policy plan --json` and the console have it: one schema, so that all three show
 * the same figures. Times are ISO instants; texts come in every language that differences are told in.
 */
import Type, { type Static, type TSchema } from 'typebox';
import { standings } from './impact-tally.js';
import { planEvents } from './plan-dates.js';

const time = Type.String({ description: 'RFC 3339, UTC' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const words = Type.Object({ en: Type.String(), 'zh-CN': Type.String() });

const counts = Type.Object(
  Object.fromEntries(standings.map((name) => [name, Type.Integer()])) as Record<
    (typeof standings)[number],
    Type.TInteger
  >,
);
const marks = Type.Object({ live: Type.Integer(), planned: Type.Integer() });
const PlanFigures = Type.Object({
  live: counts,
  planned: counts,
  become: counts,
  review: marks,
  excepted: marks,
});

const reason = Type.Union([
  Type.Object({ kind: Type.Enum(['now', 'asked']) }),
  Type.Object({
    kind: Type.Enum([...planEvents]),
    policy: Type.String(),
    rule: Type.String(),
  }),
]);

export const PlanProblem = Type.Object({
  /** Of the text, counted from 0. */
  text: Type.Integer(),
  severity: Type.Enum(['error', 'warning']),
  line: Type.Integer(),
  column: Type.Integer(),
  field: Type.String(),
  message: Type.String(),
});
export type PlanProblem = Static<typeof PlanProblem>;

export const PlanView = Type.Object({
  /** SHA-256 of what would be live: texts in order, and the catalogue's hash. */
  content: Type.String(),
  /** Of the bundle that is live; the plan ends with it. 0: none. */
  baseSequence: Type.Integer(),
  catalogueSha256: Type.String(),
  at: time,
  /** False: what would be live is live already. */
  isChange: Type.Boolean(),
  /** As they would be live, in order of priority. */
  policies: Type.Array(
    Type.Object({
      policy: Type.String(),
      title: Type.String(),
      state: Type.Enum(['new', 'changed', 'same']),
    }),
  ),
  removed: Type.Array(Type.String()),
  warnings: Type.Array(PlanProblem),
  difference: Type.Array(
    Type.Object({ policy: Type.String(), rule: nullable(Type.String()), words }),
  ),
  dates: Type.Array(
    Type.Object({
      policy: Type.String(),
      rule: Type.String(),
      event: Type.Enum(['announce', 'effective']),
      date: Type.String(),
      timezone: nullable(Type.String()),
      instants: Type.Array(
        Type.Object({
          at: time,
          zones: Type.Array(
            Type.Object({ zone: Type.String(), devices: Type.Integer(), local: Type.String() }),
          ),
        }),
      ),
    }),
  ),
  impact: Type.Object({
    devices: Type.Integer(),
    neverScanned: Type.Integer(),
    partial: Type.Integer(),
    withoutZone: Type.Integer(),
    components: Type.Integer(),
    people: Type.Integer(),
    follows: Type.Array(
      Type.Object({
        policy: nullable(Type.String()),
        live: Type.Integer(),
        planned: Type.Integer(),
      }),
    ),
    at: Type.Array(
      Type.Object({
        at: time,
        reasons: Type.Array(reason),
        devices: PlanFigures,
        people: PlanFigures,
        tools: Type.Array(
          Type.Object({
            tool: nullable(Type.String()),
            toolName: nullable(Type.String()),
            devices: PlanFigures,
          }),
        ),
      }),
    ),
    /** Dates that are to come and were left out, as there are too many. */
    instantsLeft: Type.Integer(),
    /** Rules of which the server does not know whether they hold, and for how much that matters. */
    unforeseen: Type.Array(
      Type.Object({
        policy: Type.String(),
        rule: Type.String(),
        fields: Type.Array(Type.Enum(['publisher', 'path', 'gateway'])),
        components: Type.Integer(),
        devices: Type.Integer(),
      }),
    ),
    /** What rules name and devices do not report so far. */
    unreported: Type.Array(
      Type.Object({
        policy: Type.String(),
        rule: Type.String(),
        channels: Type.Array(Type.String()),
        packages: Type.Array(Type.String()),
      }),
    ),
    /** Rules with grace whose devices have not all told since when they know. */
    grace: Type.Array(Type.Object({ policy: Type.String(), rule: Type.String() })),
  }),
  targets: Type.Array(
    Type.Object({
      target: Type.String(),
      title: Type.String(),
      policy: Type.String(),
      changes: Type.Array(
        Type.Object({
          at: time,
          files: Type.Array(
            Type.Object({
              name: Type.String(),
              change: Type.Enum(['new', 'changed', 'gone']),
            }),
          ),
        }),
      ),
    }),
  ),
});
export type PlanView = Static<typeof PlanView>;
export type PlanFigures = Static<typeof PlanFigures>;

export const PlanAnswer = Type.Union([
  Type.Object({ kind: Type.Literal('plan'), plan: PlanView }),
  Type.Object({ kind: Type.Literal('invalid'), problems: Type.Array(PlanProblem) }),
]);
export type PlanAnswer = Static<typeof PlanAnswer>;

/** More than a request may ask for. */
export const mostAsked = 20;

export const PublishAnswer = Type.Object({
  /** False: all of it was live already. */
  isPublished: Type.Boolean(),
  sequence: Type.Integer(),
  changed: Type.Array(Type.String()),
  removed: Type.Array(Type.String()),
  /** All that are live, in order of priority. */
  policies: Type.Array(Type.String()),
});
export type PublishAnswer = Static<typeof PublishAnswer>;
