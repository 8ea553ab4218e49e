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

export class LiveUpdates {
  readonly #listeners = new Set<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => this.#send(': still here\n\n'), heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Takes over an answer whose request was let in. Errors: SERVER_BUSY. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
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
    this.#listeners.add(response);
    response.on('close', () => this.#listeners.delete(response));
    response.on('error', () => this.#listeners.delete(response));
  }

  publish(event: LiveEvent): void {
    this.#send(`data: ${JSON.stringify(event)}\n\n`);
  }

  get count(): number {
    return this.#listeners.size;
  }

  #send(text: string): void {
    for (const listener of this.#listeners) {
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
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }
}
