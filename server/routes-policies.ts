/**
 * The routes that plan and publish policies, for admins. A plan has the figures of `policy plan`; a publish
 * takes only what was planned over what is live. One plan is reckoned at a time, as it walks through the
 * whole fleet.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { maxSourceBytes } from '../policies/source.js';
import { CurfewError } from '../wire/errors.js';
import type { ServerContext } from './context.js';
import { mostAsked, PlanAnswer, PublishAnswer } from './plan-views.js';
import { makePlan } from './planning.js';
import { publish } from './publish.js';
import { requireRole } from './routes-session.js';
import { ProblemJson } from './views.js';

const mostTexts = 64;
const maxBodyBytes = 4 * 1024 * 1024;

const change = {
  texts: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: maxSourceBytes }), {
      maxItems: mostTexts,
      description: 'Policies as YAML, each whole',
    }),
  ),
  remove: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 256 })),
  order: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 256 })),
};
const closed = { additionalProperties: false };
const PlanBody = Type.Object(
  {
    ...change,
    at: Type.Optional(
      Type.Array(Type.String({ maxLength: 40 }), {
        maxItems: mostAsked,
        description: 'Days or instants at which the fleet is judged besides',
      }),
    ),
  },
  closed,
);
const PublishBody = Type.Object(change, closed);

const answers = { '4xx': ProblemJson, '5xx': ProblemJson };
const rateLimit = { max: 60, timeWindow: 60_000 };

/** All routes here stand behind the session check. */
export function addPolicyRoutes(app: FastifyInstance, context: ServerContext): void {
  let isPlanning = false;
  app.post<{ Body: Static<typeof PlanBody> }>(
    '/policies/plan',
    {
      preHandler: requireRole('admin'),
      bodyLimit: maxBodyBytes,
      config: { rateLimit },
      schema: {
        summary: 'What a change of the policies would do; nothing becomes live',
        body: PlanBody,
        response: { 200: PlanAnswer, ...answers },
      },
    },
    async (request): Promise<PlanAnswer> => {
      if (isPlanning) {
        throw new CurfewError('SERVER_BUSY', 'another plan is being reckoned', {
          hint: 'Try again in a moment.',
        });
      }
      isPlanning = true;
      try {
        const { store, catalogue, clock } = context;
        const planner = { store, catalogue, now: clock() };
        const { at = [] } = request.body;
        return await makePlan(planner, {
          change: changeOf(request.body),
          at,
          author: who(request),
        });
      } finally {
        isPlanning = false;
      }
    },
  );
  app.post<{ Body: Static<typeof PublishBody> }>(
    '/policies/publish',
    {
      preHandler: requireRole('admin'),
      bodyLimit: maxBodyBytes,
      config: { rateLimit },
      schema: {
        summary: 'Make live what was planned',
        body: PublishBody,
        response: { 200: PublishAnswer, ...answers },
      },
    },
    async (request): Promise<PublishAnswer> => publishPlanned(context, request),
  );
}

function changeOf({ texts = [], remove = [], order = [] }: Static<typeof PublishBody>) {
  if (texts.length + remove.length + order.length > 0) return { texts, remove, order };
  throw new CurfewError('REQUEST_INVALID', 'texts, remove and order are all empty');
}

const who = ({ signedIn }: FastifyRequest): string => signedIn?.user ?? '';

async function publishPlanned(
  { store, keys, catalogue, clock }: ServerContext,
  request: FastifyRequest<{ Body: Static<typeof PublishBody> }>,
): Promise<PublishAnswer> {
  const publisher = { store, keys, catalogue, now: clock() };
  const outcome = await publish(publisher, {
    change: changeOf(request.body),
    author: who(request),
  });
  switch (outcome.kind) {
    case 'invalid':
      throw new CurfewError('POLICY_INVALID', 'a policy has errors', {
        hint: 'Plan it: the plan lists them.',
      });
    case 'unplanned':
      throw outcome.plannedOver === null
        ? new CurfewError('PLAN_MISSING', 'nobody has planned this very content', {
            hint: 'Plan it first, and publish these very texts.',
          })
        : new CurfewError(
            'PLAN_STALE',
            `it was planned over sequence ${outcome.plannedOver}, and ${outcome.liveSequence} is live now`,
            { hint: 'Plan it again.' },
          );
    default: {
      const { kind, sequence, changed, removed, policies } = outcome;
      const isPublished = kind === 'published';
      return {
        ...{ isPublished, sequence, changed: [...changed], removed: [...removed] },
        policies: [...policies],
      };
    }
  }
}
