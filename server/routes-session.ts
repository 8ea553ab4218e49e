/**
 * Getting in and out: enrolment of devices, sign-in by one-time link, and the check that every other
 * route passes first. The session's cookie is HttpOnly and SameSite=Strict; a write from a page of
 * another origin is refused besides.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { CurfewError } from '../wire/errors.js';
import { EnrollAnswer, EnrollRequest } from '../wire/messages.js';
import { parseEnrollRequest } from '../wire/parse.js';
import type { ServerContext } from './context.js';
import { enrol } from './enrol.js';
import { sessionLifeMs, sessionOf, signIn, signOut, type SignedIn } from './people.js';
import { ProblemJson, Session } from './views.js';
import type { Role } from './store/records.js';

const cookieName = 'curfew_session';
const problems = { '4xx': ProblemJson, '5xx': ProblemJson };

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route behind the session check. */
    signedIn: SignedIn | null;
  }
}

/** Whether a browser sends this from a page of ours; other clients send no Origin. */
function checkOrigin(request: FastifyRequest, publicUrl: string | null): void {
  const { origin } = request.headers;
  if (request.method === 'GET' || request.method === 'HEAD' || origin === undefined) return;
  const isOurs =
    origin === publicUrl || (URL.canParse(origin) && new URL(origin).host === request.host);
  if (isOurs) return;
  throw new CurfewError('AUTH_FORBIDDEN', `a page of ${origin} may not change anything here`, {
    hint: 'Behind a proxy, set public-url to the address people use.',
  });
}

/** The secret in the request's cookie; empty: none. */
export const sessionSecret = (request: FastifyRequest): string => request.cookies[cookieName] ?? '';

/** The hook that lets only signed-in requests pass. Errors: AUTH_REQUIRED, AUTH_FORBIDDEN. */
export function requireSession({ store, clock, settings }: ServerContext) {
  return async (request: FastifyRequest): Promise<void> => {
    checkOrigin(request, settings.publicUrl);
    const secret = sessionSecret(request);
    const signedIn = secret === '' ? null : await sessionOf(store, secret, clock());
    if (signedIn === null) {
      throw new CurfewError('AUTH_REQUIRED', 'this needs a session', {
        hint: 'Sign in with a link of `curfew-server user link`.',
      });
    }
    request.signedIn = signedIn;
  };
}

const ranks: readonly Role[] = ['viewer', 'operator', 'admin'];

/** The hook that lets a role and those above it pass; after `requireSession`. Errors: AUTH_FORBIDDEN. */
export function requireRole(role: Role) {
  return async ({ signedIn }: FastifyRequest): Promise<void> => {
    if (signedIn !== null && ranks.indexOf(signedIn.role) >= ranks.indexOf(role)) return;
    throw new CurfewError('AUTH_FORBIDDEN', `this needs the role ${role}`);
  };
}

const SignInRequest = Type.Object(
  { link: Type.String({ minLength: 1, maxLength: 128 }) },
  { additionalProperties: false },
);

/** `POST /enroll`: open to whoever has a token. */
export function addEnrolRoute(app: FastifyInstance, context: ServerContext): void {
  const { store, clock, keys, settings } = context;
  app.post(
    '/enroll',
    {
      config: { rateLimit: { max: settings.enrolmentsPerMinute, timeWindow: 60_000 } },
      schema: {
        summary: 'Exchange an enrolment token for a device identity',
        body: EnrollRequest,
        response: { 200: EnrollAnswer, ...problems },
      },
      // The wire's own parser judges, so that agents hear the same words everywhere.
      validatorCompiler: () => () => true,
    },
    async (request): Promise<EnrollAnswer> => {
      const parsed = parseEnrollRequest(request.body);
      if (parsed.kind === 'invalid') {
        throw new CurfewError('REQUEST_INVALID', `body${parsed.path}: ${parsed.message}`);
      }
      const answer = await enrol({ store, keys, now: clock() }, parsed.value);
      context.deviceChanged(answer.deviceId);
      return answer;
    },
  );
}

/** The routes that make, show and end a session. */
export function addSessionRoutes(app: FastifyInstance, context: ServerContext): void {
  const { store, clock, settings } = context;
  const cookie = {
    httpOnly: true,
    sameSite: 'strict',
    secure: settings.isBehindProxy,
    path: '/',
  } as const;

  app.post<{ Body: Static<typeof SignInRequest> }>(
    '/session',
    {
      config: { rateLimit: { max: 30, timeWindow: 60_000 } },
      schema: {
        summary: 'Sign in with the secret of a one-time link',
        body: SignInRequest,
        response: { 200: Session, ...problems },
      },
    },
    async (request, reply): Promise<Session> => {
      checkOrigin(request, settings.publicUrl);
      const { user, role, secret } = await signIn(store, request.body.link, clock());
      reply.setCookie(cookieName, secret, { ...cookie, maxAge: sessionLifeMs / 1000 });
      return { user, role };
    },
  );

  app.get(
    '/session',
    {
      onRequest: requireSession(context),
      schema: { summary: 'Who is signed in', response: { 200: Session, ...problems } },
    },
    async (request): Promise<Session> => signedInOf(request),
  );

  app.delete(
    '/session',
    {
      onRequest: requireSession(context),
      schema: { summary: 'Sign out', response: { 204: Type.Null(), ...problems } },
    },
    async (request, reply): Promise<FastifyReply> => {
      const secret = sessionSecret(request);
      await signOut(store, secret);
      context.live.closeSession(secret);
      return reply.clearCookie(cookieName, cookie).code(204).send();
    },
  );
}

function signedInOf({ signedIn }: FastifyRequest): SignedIn {
  if (signedIn === null) throw new CurfewError('AUTH_REQUIRED', 'this needs a session');
  return signedIn;
}
