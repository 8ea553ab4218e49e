/** The route that gives a live policy in another enforcer's words, as `policy compile --live` does. Thin. */
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import { targets } from '../policies/compile/index.js';
import { parsePolicy } from '../policies/document.js';
import { CurfewError } from '../wire/errors.js';
import type { ServerContext } from './context.js';
import { requireRole } from './routes-session.js';
import { ProblemJson } from './views.js';

const Params = Type.Object({
  policy: Type.String({ maxLength: 64, description: 'The id of a live policy' }),
  target: Type.String({ maxLength: 64, description: 'As `policy compile --list` has it' }),
});
const Query = Type.Object(
  {
    at: Type.Optional(
      Type.String({
        format: 'date-time',
        maxLength: 40,
        description: 'Denials in force then; without it, now',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Device-local dates are taken in UTC, and products that can audit are told to. */
export const CompiledPolicy = Type.Object({
  policy: Type.String(),
  target: Type.String(),
  at: Type.String({ format: 'date-time' }),
  files: Type.Array(
    Type.Object({ name: Type.String(), text: Type.String(), purpose: Type.String() }),
  ),
  notExpressible: Type.Array(
    Type.Object({
      rule: Type.String(),
      tool: Type.Union([Type.String(), Type.Null()]),
      reason: Type.String(),
    }),
  ),
  warnings: Type.Array(Type.String()),
});
export type CompiledPolicy = Static<typeof CompiledPolicy>;

/** Stands behind the session check; what is made holds nothing of devices. */
export function addCompiledRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get<{ Params: Static<typeof Params>; Querystring: Static<typeof Query> }>(
    '/policies/:policy/compiled/:target',
    {
      preHandler: requireRole('operator'),
      schema: {
        summary: 'A live policy as files for another enforcer, and what it cannot say',
        params: Params,
        querystring: Query,
        response: { 200: CompiledPolicy, '4xx': ProblemJson, '5xx': ProblemJson },
      },
    },
    async ({ params, query }): Promise<CompiledPolicy> => {
      const at = query.at === undefined ? context.clock() : Date.parse(query.at);
      return compiledPolicy(context, { ...params, at });
    },
  );
}

/** Errors: NOT_FOUND. */
async function compiledPolicy(
  { store, catalogue }: ServerContext,
  asked: { readonly policy: string; readonly target: string; readonly at: number },
): Promise<CompiledPolicy> {
  const target = targets.find(({ id }) => id === asked.target);
  if (target === undefined) {
    const hint = `There are ${targets.map(({ id }) => id).join(', ')}.`;
    throw new CurfewError('NOT_FOUND', `there is no target ${asked.target}`, { hint });
  }
  const live = await store.read.policies.latest();
  const stored = live?.policies.find(({ policy }) => policy === asked.policy);
  const parsed = stored === undefined ? null : parsePolicy(stored.yaml);
  if (parsed?.kind !== 'policy') {
    throw new CurfewError('NOT_FOUND', `no policy ${asked.policy} is live`);
  }
  const { files, notExpressible, warnings } = target.compile({
    ...{ policy: parsed.policy, catalogue, at: asked.at, zone: 'UTC', isAllowList: false },
  });
  return {
    ...{ policy: asked.policy, target: target.id, at: new Date(asked.at).toISOString() },
    files: files.map(({ name, text, purpose }) => ({ name, text, purpose })),
    notExpressible: notExpressible.map(({ rule, tool, reason }) => ({ rule, tool, reason })),
    warnings: [...warnings],
  };
}
