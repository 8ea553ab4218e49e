/** The route that says why a component of a device is allowed or not. Thin. */
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import type { ServerContext } from './context.js';
import { explainComponent } from './explain.js';
import { ComponentExplanation } from './explain-views.js';
import { requireRole } from './routes-session.js';
import { ProblemJson } from './views.js';

const Params = Type.Object({
  id: Type.String({ maxLength: 64 }),
  component: Type.String({ pattern: '^[0-9a-f]{32}$' }),
});
const Query = Type.Object(
  { at: Type.Optional(Type.String({ format: 'date-time', maxLength: 40 })) },
  { additionalProperties: false },
);

/** Stands behind the session check, and shows as much as the device's own page. */
export function addExplainRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get<{ Params: Static<typeof Params>; Querystring: Static<typeof Query> }>(
    '/devices/:id/components/:component/explain',
    {
      preHandler: requireRole('operator'),
      schema: {
        summary: 'Why a component is allowed or not: every rule tried, what comes next, what to do',
        params: Params,
        querystring: Query,
        response: { 200: ComponentExplanation, '4xx': ProblemJson, '5xx': ProblemJson },
      },
    },
    async ({ params, query }): Promise<ComponentExplanation> =>
      explainComponent(context, {
        device: params.id,
        component: params.component,
        at: query.at === undefined ? null : Date.parse(query.at),
      }),
  );
}
