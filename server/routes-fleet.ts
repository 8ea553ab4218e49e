/** The routes that show the fleet: compliance, devices, findings, policies, and the live events. Thin. */
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import { verdictStatuses } from '../policies/evaluate.js';
import { CurfewError } from '../wire/errors.js';
import {
  advisoryList,
  complianceNow,
  deviceRow,
  findingView,
  staleBefore,
  toolName,
  trend,
} from './compliance.js';
import type { ServerContext } from './context.js';
import { softenings } from './exception-views.js';
import { cursorOf, pageQuery, sliceOf } from './paging.js';
import { policyList } from './policy-views.js';
import { requireRole, sessionSecret } from './routes-session.js';
import type { StoredFinding } from './store/records.js';
import {
  AdvisoryList,
  Compliance,
  DeviceDetail,
  DevicePage,
  deviceStates,
  FindingPage,
  PolicyList,
  ProblemJson,
  Trend,
  type Finding,
  type HistoryEntry,
} from './views.js';

const problems = { '4xx': ProblemJson, '5xx': ProblemJson };
const maxHistory = 200;
const maxFindingsShown = 1000;

const closed = { additionalProperties: false };
const DeviceQuery = Type.Object(
  {
    state: Type.Optional(Type.Enum([...deviceStates])),
    search: Type.Optional(Type.String({ maxLength: 200 })),
    ...pageQuery,
  },
  closed,
);
const FindingQuery = Type.Object(
  {
    tool: Type.Optional(Type.String({ maxLength: 128 })),
    verdict: Type.Optional(Type.Enum([...verdictStatuses])),
    device: Type.Optional(Type.String({ maxLength: 64 })),
    ...pageQuery,
  },
  closed,
);
const DeviceParams = Type.Object({ id: Type.String({ maxLength: 64 }) });

/** All routes here stand behind the session check. */
export function addFleetRoutes(app: FastifyInstance, context: ServerContext): void {
  addOverviewRoutes(app, context);
  addDeviceRoutes(app, context);
  app.get<{ Querystring: Static<typeof FindingQuery> }>(
    '/findings',
    {
      preHandler: requireRole('operator'),
      schema: {
        summary: 'Findings, worst first',
        querystring: FindingQuery,
        response: { 200: FindingPage, ...problems },
      },
    },
    async ({ query }): Promise<FindingPage> => {
      const { tool = null, verdict = null, device = null } = query;
      const canonical = tool === null ? null : (context.catalogue.tool(tool)?.id ?? tool);
      const page = await context.store.read.compliance.findings(
        { tool: canonical, verdict, device },
        sliceOf(query, 3),
      );
      return {
        findings: await withComponents(page.rows, context),
        total: page.total,
        nextCursor: cursorOf(page),
      };
    },
  );
  app.get(
    '/live',
    { schema: { summary: 'Server-sent events; each `data` is a LiveEvent' } },
    async (request, reply) => {
      const headers = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as const] : [],
      );
      context.live.add(reply.raw, sessionSecret(request), Object.fromEntries(headers));
      reply.hijack();
    },
  );
}

function addOverviewRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get(
    '/compliance',
    {
      schema: {
        summary: 'How the fleet stands now',
        response: { 200: Compliance, ...problems },
      },
    },
    async (): Promise<Compliance> => complianceNow(context),
  );
  app.get(
    '/compliance/trend',
    {
      schema: {
        summary: 'How the fleet stood over the last day',
        response: { 200: Trend, ...problems },
      },
    },
    async (): Promise<Trend> => trend(context),
  );
  app.get(
    '/advisories',
    {
      schema: {
        summary: 'The published faults that the catalogue knows',
        response: { 200: AdvisoryList, ...problems },
      },
    },
    (): Promise<AdvisoryList> => Promise.resolve(advisoryList(context.catalogue)),
  );
  app.get(
    '/policies',
    { schema: { summary: 'The live policies', response: { 200: PolicyList, ...problems } } },
    async (): Promise<PolicyList> =>
      policyList(await context.store.read.policies.latest(), context.catalogue),
  );
}

function addDeviceRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get<{ Querystring: Static<typeof DeviceQuery> }>(
    '/devices',
    {
      schema: {
        summary: 'Devices by host name',
        querystring: DeviceQuery,
        response: { 200: DevicePage, ...problems },
      },
    },
    async ({ query }): Promise<DevicePage> => {
      const { state = null, search = null } = query;
      const page = await context.store.read.devices.list(
        { state, search: search === '' ? null : search },
        sliceOf(query, 2),
        staleBefore(context),
      );
      return {
        devices: page.rows.map((row) => deviceRow(row, context)),
        total: page.total,
        nextCursor: cursorOf(page),
      };
    },
  );
  app.get<{ Params: Static<typeof DeviceParams> }>(
    '/devices/:id',
    {
      preHandler: requireRole('operator'),
      schema: {
        summary: 'A device with its findings, scans and history',
        params: DeviceParams,
        response: { 200: DeviceDetail, ...problems },
      },
    },
    async ({ params }): Promise<DeviceDetail> => deviceDetail(params.id, context),
  );
}

async function deviceDetail(id: string, context: ServerContext): Promise<DeviceDetail> {
  const { store, catalogue } = context;
  const summary = await store.read.devices.summary(id, staleBefore(context));
  if (summary === null) throw new CurfewError('NOT_FOUND', `there is no device ${id}`);
  const page = await store.read.compliance.findings(
    { tool: null, verdict: null, device: id },
    { limit: maxFindingsShown, after: null },
  );
  const scans = await store.read.reports.scans(id);
  const history = await store.read.reports.history(id, maxHistory);
  const at = { catalogue, now: context.clock() };
  return {
    ...(await softenings(store.read, summary.device, at)),
    device: deviceRow(summary, context),
    facts: summary.device.facts,
    findings: await withComponents(page.rows, context),
    scans: scans.map(({ subject, scan, counts }) => ({
      subject: subject.replace(/^person:/, ''),
      scan,
      counts,
    })),
    history: history.map((record): HistoryEntry => ({
      ...record,
      at: new Date(record.at).toISOString(),
      toolName: record.tool === null ? null : toolName(catalogue, record.tool),
    })),
  };
}

async function withComponents(
  rows: readonly StoredFinding[],
  { store, catalogue }: ServerContext,
): Promise<Finding[]> {
  const devices = new Set(rows.map(({ device }) => device));
  const known = new Map(
    await Promise.all(
      [...devices].map(async (id) => {
        const device = await store.read.devices.get(id);
        const components = await store.read.reports.components(id);
        return [id, { hostName: device?.facts.hostName ?? id, components }] as const;
      }),
    ),
  );
  return rows.map((row) => {
    const { hostName = row.device, components = [] } = known.get(row.device) ?? {};
    return findingView(row, components, { hostName, catalogue });
  });
}
