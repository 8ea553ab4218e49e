/**
 * Who may open an agent's connection: the upgrade request is checked before a WebSocket exists. The
 * device token must be the device's own, fresh and never seen before; refusals are problem JSON with
 * the server's time in `Date`, by which an agent sees a clock that is off.
 */
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CurfewError } from '../wire/errors.js';
import { checkDeviceToken, peekDeviceId } from '../wire/identity.js';
import { subprotocol } from '../wire/messages.js';
import { problemOf, problemType } from './problem.js';
import type { Store } from './store/index.js';
import type { Device } from './store/records.js';

export const agentPath = '/api/v1/agent';
const maxRemembered = 1_000_000;

/** Token ids that were used, until they expire. */
export class UsedTokens {
  readonly #expiries = new Map<string, number>();
  #sweptAt = 0;

  /** Remembers the id; true: it was known. */
  see(jti: string, expMs: number, now: number): boolean {
    if (this.#expiries.has(jti)) return true;
    if (now - this.#sweptAt > 60_000 || this.#expiries.size >= maxRemembered) {
      this.#sweptAt = now;
      for (const [id, expiry] of this.#expiries) if (expiry <= now) this.#expiries.delete(id);
    }
    if (this.#expiries.size >= maxRemembered) {
      throw new CurfewError('SERVER_BUSY', 'too many connections were opened in a short time');
    }
    this.#expiries.set(jti, expMs);
    return false;
  }
}

export interface Door {
  readonly store: Store;
  readonly used: UsedTokens;
  readonly now: number;
}

/** The device behind an upgrade request. Errors: NOT_FOUND, REQUEST_INVALID, DEVICE_*. */
export async function admit(request: IncomingMessage, door: Door): Promise<Device> {
  const { store, used, now } = door;
  if (request.url?.split('?')[0] !== agentPath) {
    throw new CurfewError('NOT_FOUND', `WebSocket is spoken at ${agentPath} only`);
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  if (!offered.includes(subprotocol)) {
    throw new CurfewError('REQUEST_INVALID', `this server speaks ${subprotocol}`, {
      hint: 'Upgrade the older of agent and server.',
    });
  }
  const token = /^Bearer ([A-Za-z0-9_.-]+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) {
    throw new CurfewError('DEVICE_TOKEN_INVALID', 'the connection carries no device token');
  }
  const claimed = peekDeviceId(token);
  const device = claimed === null ? null : await store.read.devices.get(claimed);
  if (claimed === null) {
    throw new CurfewError('DEVICE_TOKEN_INVALID', 'the device token cannot be read');
  }
  if (device === null) {
    throw new CurfewError('DEVICE_UNKNOWN', `device ${claimed} is not enrolled here`, {
      hint: 'Enrol it again.',
    });
  }
  const checked = await checkDeviceToken(token, {
    publicKey: device.publicKey,
    audience: store.serverId,
    nowMs: now,
    seen: (jti, expMs) => used.see(jti, expMs, now),
  });
  if (checked.kind === 'refused') throw new CurfewError(checked.code, checked.message);
  if (device.revokedAt !== null) {
    throw new CurfewError('DEVICE_REVOKED', `device ${device.id} was revoked`);
  }
  return device;
}

/** Answers an upgrade that is not let in, and closes. */
export function turnAway(socket: Duplex, error: unknown, now: number): void {
  const answer = problemOf(error);
  const body = JSON.stringify(answer);
  const lines = [
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Error'}`,
    `Date: ${new Date(now).toUTCString()}`,
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
