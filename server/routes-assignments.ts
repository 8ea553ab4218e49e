/**
 * The routes about what assignments say: exceptions, and what is set for a device or for all. Looking is
 * for operators, granting and ending for admins. Thin: parse, call, answer.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { CurfewError } from '../wire/errors.js';
import { Message } from '../wire/assignment.js';
import type { ServerContext } from './context.js';
import { exceptionRow } from './exception-views.js';
import { addException, endException, plannedException } from './exceptions.js';
import { cursorOf, pageQuery, sliceOf } from './paging.js';
import { requireRole } from './routes-session.js';
import { changeTerms, type TermsOutcome } from './terms.js';
import {
  DeviceTermsView,
  ExceptionMade,
  ExceptionPage,
  ExceptionRow,
  ProblemJson,
} from './views.js';

const problems = { '4xx': ProblemJson, '5xx': ProblemJson };
const closed = { additionalProperties: false };
const line = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const date = Type.String({ minLength: 1, maxLength: 40 });
const zone = Type.Optional(line(64));
const dryRun = Type.Optional(Type.Boolean());

const ExceptionQuery = Type.Object(
  { tool: Type.Optional(line(128)), past: Type.Optional(Type.Boolean()), ...pageQuery },
  closed,
);
const NewException = Type.Object(
  {
    tool: line(128),
    person: Type.Optional(line(256)),
    device: Type.Optional(line(64)),
    hardwareId: Type.Optional(line(128)),
    reason: line(1000),
    from: Type.Optional(date),
    until: date,
    zone,
    dryRun,
  },
  closed,
);
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const terms = {
  /** Null: the pause ends. */
  pause: Type.Optional(nullable(Type.Object({ until: Type.Optional(date), zone }, closed))),
  /** Null: the dates of the policy hold again. */
  grace: Type.Optional(nullable(Type.Object({ until: date, zone }, closed))),
  message: Type.Optional(nullable(Message)),
  rescan: Type.Optional(Type.Boolean()),
  dryRun,
};
const FleetTerms = Type.Object(terms, closed);
const DeviceTermsBody = Type.Object(
  {
    group: Type.Optional(nullable(line(128))),
    person: Type.Optional(Type.Object({ account: line(256), person: nullable(line(256)) }, closed)),
    ...terms,
  },
  closed,
);
const IdParams = Type.Object({ id: Type.String({ maxLength: 64 }) });

const actorOf = ({ signedIn }: FastifyRequest): string => {
  if (signedIn === null) throw new CurfewError('AUTH_REQUIRED', 'this needs a session');
  return signedIn.user;
};

/** All routes here stand behind the session check. */
export function addAssignmentRoutes(app: FastifyInstance, context: ServerContext): void {
  addExceptionList(app, context);
  addExceptionChanges(app, context);
  app.patch<{ Body: Static<typeof FleetTerms> }>(
    '/fleet',
    {
      preHandler: requireRole('admin'),
      schema: {
        summary: 'Set pause, grace, message or scan for all devices',
        body: FleetTerms,
        response: { 200: DeviceTermsView, ...problems },
      },
    },
    async (request): Promise<DeviceTermsView> => set(null, request, context),
  );
  app.patch<{ Body: Static<typeof DeviceTermsBody>; Params: Static<typeof IdParams> }>(
    '/devices/:id',
    {
      preHandler: requireRole('admin'),
      schema: {
        summary: 'Set group, people, pause, grace, message or scan of a device',
        params: IdParams,
        body: DeviceTermsBody,
        response: { 200: DeviceTermsView, ...problems },
      },
    },
    async (request): Promise<DeviceTermsView> => set(request.params.id, request, context),
  );
}

function addExceptionList(app: FastifyInstance, context: ServerContext): void {
  const { store, catalogue, clock } = context;
  app.get<{ Querystring: Static<typeof ExceptionQuery> }>(
    '/exceptions',
    {
      preHandler: requireRole('operator'),
      schema: {
        summary: 'Exceptions, newest first',
        querystring: ExceptionQuery,
        response: { 200: ExceptionPage, ...problems },
      },
    },
    async ({ query }): Promise<ExceptionPage> => {
      const { tool = null, past = false } = query;
      const canonical = tool === null ? null : (catalogue.tool(tool)?.id ?? tool);
      const now = clock();
      const filter = { tool: canonical, withPast: past, at: now };
      const page = await store.read.assignments.list(filter, sliceOf(query, 2));
      const exceptions = page.rows.map((one) => exceptionRow(one, { catalogue, now }));
      return { exceptions, total: page.total, nextCursor: cursorOf(page) };
    },
  );
}

function addExceptionChanges(app: FastifyInstance, context: ServerContext): void {
  const { store, catalogue, clock } = context;
  app.post<{ Body: Static<typeof NewException> }>(
    '/exceptions',
    {
      preHandler: requireRole('admin'),
      schema: {
        summary: 'Let somebody keep a tool for a while',
        body: NewException,
        response: { 200: ExceptionMade, ...problems },
      },
    },
    async (request): Promise<ExceptionMade> => {
      const { dryRun: isDryRun = false, ...given } = request.body;
      const { person = null, device = null, hardwareId = null, from = null } = given;
      const actor = actorOf(request);
      const now = clock();
      const wanted = {
        ...{ tool: given.tool, reason: given.reason, until: given.until, author: actor },
        ...{ person, device, hardwareId, from, zone: given.zone ?? null },
      };
      const excepting = { store, catalogue, now };
      const made = isDryRun
        ? await plannedException(excepting, wanted)
        : await addException(excepting, wanted, actor);
      const exception = exceptionRow(made.exception, { catalogue, now });
      return { exception, devices: made.devices.length, isMade: !isDryRun };
    },
  );
  app.delete<{ Params: Static<typeof IdParams> }>(
    '/exceptions/:id',
    {
      preHandler: requireRole('admin'),
      schema: {
        summary: 'End an exception now',
        params: IdParams,
        response: { 200: ExceptionRow, ...problems },
      },
    },
    async (request): Promise<ExceptionRow> => {
      const { id } = request.params;
      const now = clock();
      const { exception } = await endException(store, { id, actor: actorOf(request), now });
      return exceptionRow(exception, { catalogue, now });
    },
  );
}

async function set(
  device: string | null,
  request: FastifyRequest<{ Body: Static<typeof DeviceTermsBody> }>,
  { store, clock }: ServerContext,
): Promise<DeviceTermsView> {
  const { dryRun: isDryRun = false, pause, grace, ...rest } = request.body;
  const outcome = await changeTerms(store, {
    ...{ device, actor: actorOf(request), now: clock(), isDryRun },
    change: {
      ...rest,
      ...(pause !== undefined && {
        pause: pause === null ? null : { until: pause.until ?? null, zone: pause.zone ?? null },
      }),
      ...(grace !== undefined && {
        grace: grace === null ? null : { until: grace.until, zone: grace.zone ?? null },
      }),
    },
  });
  return termsView(outcome);
}

function termsView({ device, isChanged, group, terms, persons }: TermsOutcome): DeviceTermsView {
  const { isPaused, pauseUntil, graceUntil, message, rescanAfter } = terms;
  const iso = (at: number | null): string | null =>
    at === null ? null : new Date(at).toISOString();
  return {
    ...{ device, isChanged, group, persons: [...persons] },
    pause: isPaused ? { until: iso(pauseUntil) } : null,
    graceUntil: iso(graceUntil),
    message: message === null ? null : { ...message },
    rescanAfter: iso(rescanAfter),
  };
}
