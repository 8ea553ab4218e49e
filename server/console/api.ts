/**
 * The console's way to the server: one call function and the queries built on it. Types come from
 * `server/views.ts` and are only types: the server serializes by the same schemas and sends these
 * files itself, so both are always of one build. Every call has a time limit, and whatever goes wrong
 * is a `Fault` with a code to show.
 */
import { QueryCache, QueryClient, infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { ComponentExplanation } from '../explain-views.js';
import type { PlanAnswer, PublishAnswer } from '../plan-views.js';
import type {
  AdvisoryList,
  Compliance,
  DeviceDetail,
  DevicePage,
  DeviceState,
  PolicyList,
  ProblemJson,
  Session,
  Trend,
} from '../views.js';

const callTimeoutMs = 20_000;
/** A plan walks through the whole fleet. */
const planTimeoutMs = 300_000;

/** What a call failed with. `status` is null when no answer came. */
export class Fault extends Error {
  readonly code: string;
  readonly status: number | null;

  constructor(code: string, status: number | null, message: string) {
    super(message);
    this.name = 'Fault';
    this.code = code;
    this.status = status;
  }
}

async function faultOf(answer: Response): Promise<Fault> {
  try {
    const problem = (await answer.json()) as Partial<ProblemJson>;
    if (typeof problem.code === 'string')
      return new Fault(problem.code, answer.status, problem.detail ?? problem.title ?? '');
  } catch {
    // Not the server's own answer: a proxy in between, which has no code of ours.
  }
  return new Fault(`HTTP_${answer.status}`, answer.status, answer.statusText);
}

interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

async function call<T>(path: string, options: Call = {}): Promise<T> {
  const { method = 'GET', body, signal, timeoutMs = callTimeoutMs } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new Fault('NO_ANSWER', null, '');
  }
  if (!answer.ok) throw await faultOf(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** Exchanges the secret of a one-time link for a session (and its cookie). */
export const signIn = (link: string) =>
  call<Session>('/session', { method: 'POST', body: { link } });

/** Ends the session on the server. */
export const signOut = () => call<undefined>('/session', { method: 'DELETE' });

/** Who is signed in; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Infinity,
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await call<Session>('/session', { signal });
    } catch (fault) {
      if (fault instanceof Fault && fault.status === 401) return null;
      throw fault;
    }
  },
});

/** Dates pass without an event, so counts are asked for now and then even when nothing is reported. */
const quietRefreshMs = 60_000;

/** The counts of the fleet. */
export const complianceQuery = queryOptions({
  queryKey: ['compliance'],
  refetchInterval: quietRefreshMs,
  queryFn: ({ signal }) => call<Compliance>('/compliance', { signal }),
});

/** The counts over time. */
export const trendQuery = queryOptions({
  queryKey: ['trend'],
  refetchInterval: quietRefreshMs,
  queryFn: ({ signal }) => call<Trend>('/compliance/trend', { signal }),
});

/** The published faults of the catalogue: the same as long as the server runs. */
export const advisoriesQuery = queryOptions({
  queryKey: ['advisories'],
  staleTime: Infinity,
  queryFn: ({ signal }) => call<AdvisoryList>('/advisories', { signal }),
});

/** The published policies. */
export const policiesQuery = queryOptions({
  queryKey: ['policies'],
  queryFn: ({ signal }) => call<PolicyList>('/policies', { signal }),
});

/** What publishing a policy would do; `at`: days or instants to judge the fleet at besides. */
export const planPolicy = ({
  yaml,
  at,
}: {
  readonly yaml: string;
  readonly at: readonly string[];
}) =>
  call<PlanAnswer>('/policies/plan', {
    method: 'POST',
    body: { texts: [yaml], at },
    timeoutMs: planTimeoutMs,
  });

/** Makes live what was planned. */
export const publishPolicy = (yaml: string) =>
  call<PublishAnswer>('/policies/publish', { method: 'POST', body: { texts: [yaml] } });

/** One device with all that is known of it. */
export const deviceQuery = (id: string) =>
  queryOptions({
    queryKey: ['device', id],
    refetchInterval: quietRefreshMs,
    queryFn: ({ signal }) => call<DeviceDetail>(`/devices/${encodeURIComponent(id)}`, { signal }),
  });

/** Why a component of a device is allowed or not. */
export const explanationQuery = (device: string, component: string) =>
  queryOptions({
    queryKey: ['device', device, 'explain', component],
    queryFn: ({ signal }) =>
      call<ComponentExplanation>(
        `/devices/${encodeURIComponent(device)}/components/${encodeURIComponent(component)}/explain`,
        { signal },
      ),
  });

/** The first devices in one state. */
export const topDevicesQuery = (state: DeviceState, limit: number) =>
  queryOptions({
    queryKey: ['devices', 'top', { state, limit }],
    queryFn: ({ signal }) =>
      call<DevicePage>(`/devices?${new URLSearchParams({ state, limit: String(limit) })}`, {
        signal,
      }),
  });

/** What a list of devices is narrowed to. */
export interface DeviceFilter {
  readonly state: DeviceState | null;
  readonly search: string;
  readonly limit: number;
}

/** Devices by filter, page after page. */
export const devicesQuery = ({ state, search, limit }: DeviceFilter) =>
  infiniteQueryOptions({
    queryKey: ['devices', { state, search, limit }],
    initialPageParam: null as string | null,
    getNextPageParam: (page: DevicePage) => page.nextCursor,
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: String(limit) });
      if (state !== null) query.set('state', state);
      if (search !== '') query.set('search', search);
      if (pageParam !== null) query.set('cursor', pageParam);
      return call<DevicePage>(`/devices?${query.toString()}`, { signal });
    },
  });

/** Forgets all answers of the session before; null: nobody is signed in any more. */
export function startSession(client: QueryClient, session: Session | null): void {
  client.setQueryData(sessionQuery.queryKey, session);
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
}

/** The cache of answers. A session that ended anywhere shows as signed out everywhere. */
export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: (fault) => {
        if (fault instanceof Fault && fault.status === 401) startSession(client, null);
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, fault) =>
          failures < 2 &&
          fault instanceof Fault &&
          (fault.status === null || fault.status === 429 || fault.status >= 500),
      },
    },
  });
  return client;
}
