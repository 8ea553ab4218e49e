/**
 * The built console as static files: hashed assets may be kept for ever, the page itself is asked for
 * each time. Pages of the console are the same page; whatever is below `/api` and not there is a
 * problem, never a page.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { CurfewError } from '../wire/errors.js';

export async function addConsole(app: FastifyInstance, folder: string): Promise<void> {
  const isBuilt = existsSync(path.join(folder, 'index.html'));
  if (isBuilt) {
    await app.register(fastifyStatic, {
      root: folder,
      cacheControl: false,
      setHeaders: (response, file) => {
        const isHashed = path.relative(folder, file).startsWith(`assets${path.sep}`);
        const kept = isHashed ? 'public, max-age=31536000, immutable' : 'no-cache';
        response.header('cache-control', kept);
      },
    });
  }
  app.setNotFoundHandler(async (request, reply) => {
    const { pathname } = new URL(request.url, 'http://console.invalid');
    const wantsPage =
      (request.method === 'GET' || request.method === 'HEAD') &&
      pathname !== '/api' &&
      !pathname.startsWith('/api/') &&
      path.extname(pathname) === '';
    if (wantsPage && isBuilt) return reply.sendFile('index.html');
    throw wantsPage
      ? new CurfewError('NOT_FOUND', 'the console has not been built', { hint: '`npm run build`' })
      : new CurfewError('NOT_FOUND', `there is no ${request.method} ${pathname}`);
  });
}
