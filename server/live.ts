/**
 * Who is told when something changes: open consoles, by server-sent events. An event says what to ask
 * again, never what it became, so nothing here needs a right beyond the session. The number of
 * listeners is bounded, and one that does not read is cut off.
 */
import type { ServerResponse } from 'node:http';
import { CurfewError } from '../wire/errors.js';
import type { LiveEvent } from './views.js';

const maxListeners = 500;
const maxUnreadBytes = 256 * 1024;
const heartbeatMs = 15_000;
/** Then the browser opens a new one, which is let in anew. */
const longestMs = 60 * 60_000;

/** Who listens, and since when on the steady clock. */
interface Listener {
  readonly session: string;
  readonly openedAtMs: number;
}

export class LiveUpdates {
  readonly #listeners = new Map<ServerResponse, Listener>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => {
      const since = performance.now() - longestMs;
      this.#end(({ openedAtMs }) => openedAtMs < since);
      this.#send(': still here\n\n');
    }, heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Takes over an answer to a request that `session` let in. Errors: SERVER_BUSY. */
  add(response: ServerResponse, session: string, headers: Readonly<Record<string, string>>): void {
    if (this.#listeners.size >= maxListeners) {
      throw new CurfewError('SERVER_BUSY', `${maxListeners} live connections are open`, {
        hint: 'Close some consoles and reload.',
      });
    }
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.write('retry: 2000\n\n');
    this.#listeners.set(response, { session, openedAtMs: performance.now() });
    response.on('close', () => this.#listeners.delete(response));
    response.on('error', () => this.#listeners.delete(response));
  }

  publish(event: LiveEvent): void {
    this.#send(`data: ${JSON.stringify(event)}\n\n`);
  }

  get count(): number {
    return this.#listeners.size;
  }

  /** Ends what a session that is over listens to. */
  closeSession(session: string): void {
    this.#end((listener) => listener.session === session);
  }

  #end(isOver: (listener: Listener) => boolean): void {
    for (const [response, listener] of this.#listeners) {
      if (!isOver(listener)) continue;
      this.#listeners.delete(response);
      response.end();
    }
  }

  #send(text: string): void {
    for (const listener of this.#listeners.keys()) {
      if (listener.writableLength > maxUnreadBytes) {
        this.#listeners.delete(listener);
        listener.destroy();
      } else {
        listener.write(text);
      }
    }
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#end(() => true);
  }
}
