/**
 * The server put together: HTTP with its limits and headers, the routes, the agents' WebSocket, the
 * static console, and the clockwork that samples the trend, prunes what is old and notices what
 * another process published. It can be asked without a port (`app.inject`), and closing drains.
 */
import type { IncomingMessage, ServerOptions as HttpOptions } from 'node:http';
import path from 'node:path';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { builtInCatalogue } from '../policies/catalogue.js';
import { CurfewError } from '../wire/errors.js';
import { Agents } from './agents.js';
import { startClockwork } from './clockwork.js';
import { addConsole } from './console-files.js';
import type { ServerContext } from './context.js';
import { readOrMakeKeys } from './keys.js';
import { LiveUpdates } from './live.js';
import { makeLog, type CurfewServerLog } from './log.js';
import { answerProblems } from './problem.js';
import { renewCatalogue } from './publish.js';
import { addAssignmentRoutes } from './routes-assignments.js';
import { addCompiledRoutes } from './routes-compiled.js';
import { addExplainRoutes } from './routes-explain.js';
import { addFleetRoutes } from './routes-fleet.js';
import { addPolicyRoutes } from './routes-policies.js';
import { addEnrolRoute, addSessionRoutes, requireSession } from './routes-session.js';
import { isLoopback, prepareFolder, type Settings } from './settings.js';
import type { Store } from './store/index.js';

const maxBodyBytes = 64 * 1024;
const requestTimeoutMs = 30_000;
const requestsPerMinute = 1200;
/** What requests under way get when the server stops. */
const answerGraceMs = 1000;

export interface ServerOptions {
  readonly settings: Settings;
  readonly store: Store;
  readonly clock?: () => number;
  /** The built console; default `dist/console` beside the built server. */
  readonly consoleFolder?: string;
  readonly log?: CurfewServerLog;
}

export interface CurfewServer {
  readonly app: FastifyInstance;
  readonly context: ServerContext;
  /** Binds and answers the address. Errors: PORT_BUSY, SETTING_INVALID. */
  listen(): Promise<string>;
  /** Looks for a newer bundle now instead of within a second. */
  announcePublished(): Promise<void>;
  /** Looks for changed assignments now instead of within a second. */
  announceAssignments(): Promise<void>;
  /** Stops taking, answers what was taken. The store stays open: it is the caller's. */
  close(): Promise<void>;
}

export async function createServer(options: ServerOptions): Promise<CurfewServer> {
  const { settings } = options;
  prepareFolder(settings.dataFolder);
  const context = await makeContext(options);
  const { store, keys, catalogue, clock } = context;
  const renewed = await renewCatalogue({ store, keys, catalogue, now: clock() });
  if (renewed?.kind === 'offline') {
    // Agents go on with the catalogue that the live bundle names; this server still has its text.
    context.log.warn({
      area: 'policy',
      event: 'catalogue-not-renewed',
      live: renewed.catalogueSha256,
    });
  }
  const app = await makeApp(context, options.consoleFolder ?? defaultConsoleFolder());
  context.agents.attach(app.server);
  const clockwork = await startClockwork(context);
  context.touch = clockwork.touch;
  return {
    app,
    context,
    listen: () => listen(app, settings),
    announcePublished: clockwork.announcePublished,
    announceAssignments: clockwork.announceAssignments,
    close: async () => {
      context.live.close();
      await context.agents.close();
      // A connection on which nothing was asked yet does not count as idle, and browsers open some ahead.
      const cut = setTimeout(() => app.server.closeAllConnections(), answerGraceMs);
      await app.close();
      clearTimeout(cut);
      await clockwork.stop();
    },
  };
}

interface MutableContext extends ServerContext {
  /** Set once the clockwork runs: a change makes it sample the trend. */
  touch: () => void;
}

async function makeContext(options: ServerOptions): Promise<MutableContext> {
  const { settings, store, clock = Date.now, log = makeLog(settings.logLevel) } = options;
  const keys = await readOrMakeKeys(settings.dataFolder);
  const catalogue = builtInCatalogue();
  const live = new LiveUpdates();
  const agents = new Agents({
    store,
    keys,
    catalogue,
    clock,
    checkInMinutes: settings.checkInMinutes,
    onDevice: (id) => context.deviceChanged(id),
    onFault: (error, device) =>
      log.error({ area: 'agents', event: 'fault', device, err: error }, 'fault'),
  });
  const context: MutableContext = {
    settings,
    store,
    keys,
    catalogue,
    clock,
    live,
    agents,
    log,
    staleDays: settings.staleDays,
    touch: () => undefined,
    deviceChanged: (id) => {
      context.touch();
      live.publish({ kind: 'device', id });
    },
  };
  return context;
}

/**
 * Only a WebSocket is an upgrade here; Java's client, for one, offers h2c on any request and expects a
 * plain answer. Node 22.21 has the option, its types do not yet.
 */
const httpOptions = {
  requestTimeout: requestTimeoutMs,
  shouldUpgradeCallback: ({ headers }: IncomingMessage) =>
    headers.upgrade?.toLowerCase() === 'websocket',
} as HttpOptions;

/** The app with every route and the OpenAPI document; no port, no clock. */
async function makeApp(context: ServerContext, consoleFolder: string): Promise<FastifyInstance> {
  const { settings, log } = context;
  const app = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    http: httpOptions,
    trustProxy: settings.isBehindProxy,
    routerOptions: { maxParamLength: 200 },
    ajv: { customOptions: { removeAdditional: false } },
  });
  app.server.headersTimeout = requestTimeoutMs;
  answerProblems(app, (error, url) =>
    log.error({ area: 'api', event: 'fault', url, err: error }, 'fault'),
  );
  await app.register(helmet, securityHeaders(settings));
  await app.register(cookie);
  await app.register(rateLimit, { max: requestsPerMinute, timeWindow: 60_000 });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Curfew', version: '1', description: 'The REST API of curfew-server.' },
    },
  });
  app.decorateRequest('signedIn', null);
  await app.register(
    async (api) => {
      addEnrolRoute(api, context);
      addSessionRoutes(api, context);
      api.get('/openapi.json', { schema: { summary: 'This document' } }, async () => app.swagger());
      await api.register(async (inside) => {
        inside.addHook('onRequest', requireSession(context));
        addFleetRoutes(inside, context);
        addPolicyRoutes(inside, context);
        addExplainRoutes(inside, context);
        addCompiledRoutes(inside, context);
        addAssignmentRoutes(inside, context);
      });
    },
    { prefix: '/api/v1' },
  );
  await addConsole(app, consoleFolder);
  await app.ready();
  return app;
}

/** Nothing inline, styles neither: the console sets its variables through the style sheets it may use. */
function securityHeaders({ isBehindProxy }: Settings) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Only where TLS is certain; on plain loopback it would lock the browser out.
    strictTransportSecurity: isBehindProxy,
    referrerPolicy: { policy: 'no-referrer' as const },
  };
}

const defaultConsoleFolder = (): string => path.resolve(import.meta.dirname, '..', 'console');

async function listen(app: FastifyInstance, { host, port, isBehindProxy }: Settings) {
  if (!isLoopback(host) && !isBehindProxy) {
    throw new CurfewError('SETTING_INVALID', `${host} can be reached from outside without TLS`, {
      hint: 'Keep host at 127.0.0.1, or set behind-proxy when a proxy ends TLS before this server.',
    });
  }
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw listenFault(error, { host, port });
  }
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

function listenFault(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new CurfewError('PORT_BUSY', `port ${port} on ${host} is used by another program`, {
      hint: 'Stop that program, or choose another port with --port (0: any free one).',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new CurfewError('SETTING_INVALID', `${host}:${port} cannot be listened on (${code})`, {
      hint: 'Choose an address of this machine and a port that this user may use.',
      cause: error,
    });
  }
  return error;
}
