/**
 * The link to the server: one connection at a time, opened anew with full jitter when it ends, for as
 * long as the agent lives. It decides when to connect and says how things stand; what is said on a
 * connection is in `session.ts`. Being offline changes nothing that is held.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CurfewError } from '../../wire/errors.js';
import { deviceToken } from '../../wire/identity.js';
import { subprotocol, type DeviceFacts } from '../../wire/messages.js';
import type { Identity } from '../identity-files.js';
import type { Documents } from './documents.js';
import {
  openSocket,
  serverAddress,
  type Answer,
  type NetworkSettings,
  type ServerSocket,
} from './network.js';
import type { Outbox } from './outbox.js';
import { Session, type SessionEnd, type Timing } from './session.js';

export const agentPath = '/api/v1/agent';

const productTiming: Timing = {
  heartbeatMs: 20_000,
  answerMs: 60_000,
  handshakeMs: 20_000,
  backoffBaseMs: 500,
  backoffCapMs: 60_000,
  unknownMs: 10 * 60_000,
  stableMs: 10_000,
};

/** `waiting`: between two tries. `unknown-device`: the server does not know us, or no longer. */
export type LinkState = 'connecting' | 'online' | 'waiting' | 'unknown-device' | 'closed';

export interface LinkStatus {
  readonly state: LinkState;
  /** Why the last try or connection ended; null once welcomed. */
  readonly problem: { readonly code: string; readonly message: string } | null;
  /** Wall time, epoch ms; null: not yet in this run. */
  readonly lastOnline: number | null;
  /** The sequence of the server's bundle at the last welcome in this run. */
  readonly serverSequence: number | null;
  readonly retryAt: number | null;
}

export interface LinkOptions {
  readonly identity: Identity;
  /** Where the server is now. Who it is stays: tokens are made for `identity.serverId` alone. */
  readonly serverUrl: string;
  readonly documents: Documents;
  readonly outbox: Outbox;
  readonly network: NetworkSettings;
  readonly facts: () => DeviceFacts;
  /** The server's time, epoch ms, at each welcome. */
  readonly onTime: (serverMs: number) => void;
  readonly wallNow?: () => number;
  readonly random?: () => number;
  readonly timing?: Partial<Timing>;
}

export interface Link {
  status(): LinkStatus;
  onStatus(listener: (status: LinkStatus) => void): () => void;
  /** Connects at once instead of waiting; call it when the network has changed or the machine woke. */
  wake(): void;
  close(): Promise<void>;
}

/** Starts to connect; SETTING_INVALID and the like show in the status and are tried again. */
export function openLink(options: LinkOptions): Link {
  return new ServerLink(options);
}

/** How a try ended and what it asks of the next one. */
interface Attempt {
  readonly problem: SessionEnd;
  readonly state: LinkState;
  /** Least wait before the next; 0 leaves it to the back-off. */
  readonly waitMs: number;
  /** The next try comes without any wait: the cause is already put right. */
  readonly isRepaired: boolean;
}

class ServerLink implements Link {
  readonly #options: LinkOptions;
  readonly #timing: Timing;
  readonly #wallNow: () => number;
  readonly #random: () => number;
  readonly #listeners = new Set<(status: LinkStatus) => void>();
  readonly #work: Promise<void>;
  #status: LinkStatus = {
    state: 'connecting',
    problem: null,
    lastOnline: null,
    serverSequence: null,
    retryAt: null,
  };
  #session: Session | null = null;
  readonly #closing = new AbortController();
  #sleeping = new AbortController();
  #failures = 0;
  /** What to add to the wall clock so that the server takes the token's times. */
  #skewMs = 0;
  #wasRepaired = false;
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#timing = { ...productTiming, ...options.timing };
    this.#wallNow = options.wallNow ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#work = this.#run();
  }

  status(): LinkStatus {
    return this.#status;
  }

  onStatus(listener: (status: LinkStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  wake(): void {
    this.#failures = 0;
    if (this.#session === null) this.#sleeping.abort();
    else this.#session.end('WOKE', 'connecting anew');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort();
    this.#sleeping.abort();
    await this.#session?.close();
    await this.#work;
  }

  #tell(change: Partial<LinkStatus>): void {
    this.#status = { ...this.#status, ...change };
    for (const listener of this.#listeners) listener(this.#status);
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      this.#tell({ state: 'connecting', retryAt: null });
      const attempt = await this.#attempt();
      if (this.#isClosed) break;
      const { problem, state } = attempt;
      const waitMs = this.#waitAfter(attempt);
      this.#tell({ state, problem, retryAt: this.#wallNow() + waitMs });
      await this.#sleep(waitMs);
    }
    this.#tell({ state: 'closed', retryAt: null });
  }

  /** Full jitter: anything between nothing and a bound that doubles with each failure. */
  #waitAfter({ waitMs, isRepaired }: Attempt): number {
    // Once in a row: a server whose clock says something else each time must not be hammered.
    this.#wasRepaired = isRepaired && !this.#wasRepaired;
    if (this.#wasRepaired) return 0;
    const { backoffBaseMs, backoffCapMs } = this.#timing;
    const bound = Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return Math.max(waitMs, 0) + this.#random() * bound;
  }

  async #sleep(waitMs: number): Promise<void> {
    this.#sleeping = new AbortController();
    await sleep(waitMs, undefined, { signal: this.#sleeping.signal }).catch(() => undefined);
  }

  async #attempt(): Promise<Attempt> {
    try {
      const opened = await this.#open();
      if (opened.kind === 'open') return await this.#converse(opened.socket);
      if (opened.kind === 'offline') {
        return attemptOf({ code: opened.reason, message: opened.message });
      }
      return this.#turnedAway(opened);
    } catch (error) {
      // Settings that forbid the way, or a database that cannot be read: said, and tried again.
      const code = error instanceof CurfewError ? error.code : 'FAULT';
      return attemptOf({ code, message: error instanceof Error ? error.message : String(error) });
    }
  }

  async #open(): ReturnType<typeof openSocket> {
    const { identity, serverUrl, network } = this.#options;
    const token = await deviceToken({
      deviceId: identity.deviceId,
      privateKey: identity.key,
      audience: identity.serverId,
      nowMs: this.#wallNow() + this.#skewMs,
    });
    return openSocket(new URL(agentPath, serverAddress(serverUrl)), {
      network,
      timeoutMs: this.#timing.handshakeMs,
      headers: { authorization: `Bearer ${token}` },
      subprotocol,
      signal: this.#closing.signal,
    });
  }

  #context(): ConstructorParameters<typeof Session>[1] {
    const { identity, documents, outbox, facts, onTime } = this.#options;
    return {
      deviceId: identity.deviceId,
      documents,
      outbox,
      facts,
      wallNow: this.#wallNow,
      random: this.#random,
      timing: this.#timing,
      onTime,
      onWelcome: ({ bundleSequence: serverSequence }) => {
        const lastOnline = this.#wallNow();
        this.#tell({ state: 'online', problem: null, lastOnline, serverSequence });
      },
    };
  }

  #begin(socket: ServerSocket): Session {
    try {
      return new Session(socket, this.#context());
    } catch (error) {
      socket.terminate();
      throw error;
    }
  }

  async #converse(socket: ServerSocket): Promise<Attempt> {
    const session = this.#begin(socket);
    this.#session = session;
    if (this.#isClosed) void session.close();
    const since = performance.now();
    const problem = await session.ended;
    this.#session = null;
    if (performance.now() - since >= this.#timing.stableMs) this.#failures = 0;
    if (this.#status.state === 'online') {
      this.#status = { ...this.#status, lastOnline: this.#wallNow() };
    }
    const isUnknown = problem.code === 'DEVICE_REVOKED' || problem.code === 'DEVICE_UNKNOWN';
    return isUnknown ? this.#unknown(problem) : attemptOf(problem);
  }

  #turnedAway(answer: Answer): Attempt {
    const code = answer.code ?? `HTTP_${answer.status}`;
    const problem = { code, message: answer.detail ?? `the server answered ${answer.status}` };
    if (code === 'DEVICE_UNKNOWN' || code === 'DEVICE_REVOKED') return this.#unknown(problem);
    const isTime = code === 'DEVICE_CLOCK_SKEW' || code === 'DEVICE_TOKEN_EXPIRED';
    if (isTime && answer.dateMs !== null) {
      const before = this.#skewMs;
      this.#skewMs = answer.dateMs - this.#wallNow();
      // A second look at the same clock would end the same way.
      const isRepaired = Math.abs(this.#skewMs - before) > 1000;
      return { ...attemptOf(problem), isRepaired };
    }
    return { ...attemptOf(problem), waitMs: Math.min(answer.retryAfterMs ?? 0, 10 * 60_000) };
  }

  #unknown(problem: SessionEnd): Attempt {
    return { problem, state: 'unknown-device', waitMs: this.#timing.unknownMs, isRepaired: false };
  }
}

function attemptOf(problem: SessionEnd): Attempt {
  return { problem, state: 'waiting', waitMs: 0, isRepaired: false };
}
