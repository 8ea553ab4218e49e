/**
 * Errors as HTTP answers: RFC 9457 problem JSON with a code of `wire/errors.ts`, whatever threw. What
 * is ours is told with its hint; a fault of the server is logged whole and told as a fault, so no
 * inner text leaves.
 */
import type { FastifyError, FastifyInstance } from 'fastify';
import { CurfewError, errorCodes, type ErrorCode } from '../wire/errors.js';
import type { ProblemJson } from './views.js';

export const problemType = 'application/problem+json; charset=utf-8';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in or not known',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  422: 'Not valid',
  429: 'Too many requests',
  500: 'Fault of the server',
  503: 'Not now',
};

export function problem(code: ErrorCode, detail: string): ProblemJson {
  const status = errorCodes[code];
  return {
    type: `urn:curfew:error:${code}`,
    title: titles[status] ?? 'Error',
    status,
    code,
    detail,
  };
}

/** Whatever was thrown as what is answered. */
export function problemOf(error: unknown): ProblemJson {
  if (error instanceof CurfewError) {
    return problem(
      error.code,
      [error.message, error.hint].filter((one) => one !== null).join('. '),
    );
  }
  const { statusCode, message = '', code } = error as Partial<FastifyError>;
  if (statusCode === 429) return problem('REQUEST_TOO_MANY', message);
  if (statusCode === 413 || code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return problem('REQUEST_TOO_LARGE', message);
  }
  if (statusCode === 404) return problem('NOT_FOUND', message);
  if (statusCode === 503) return problem('SERVER_BUSY', message);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return problem('REQUEST_INVALID', message);
  }
  return problem('SERVER_FAULT', 'The server failed; its log says why.');
}

/** Answers every error of an app in this form. */
export function answerProblems(
  app: FastifyInstance,
  logFault: (error: unknown, url: string) => void,
): void {
  app.setErrorHandler(async (error, request, reply) => {
    const answer = problemOf(error);
    if (answer.status >= 500 && answer.code === 'SERVER_FAULT') {
      logFault(error, request.routeOptions.url ?? '');
    }
    // Serialized here: the route's own schema speaks of its success only.
    return reply.code(answer.status).type(problemType).send(JSON.stringify(answer));
  });
}
