/**
 * The agents' side of the server: lets connections in, greets, hands out documents, feeds the queue of
 * reports and tells everyone when something new was published. Deltas of compression are off and
 * frames bounded, so a connection costs little and no frame much.
 */
import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Catalogue } from '../policies/catalogue.js';
import { CurfewError } from '../wire/errors.js';
import { subprotocol, type FromAgent, type FromServer } from '../wire/messages.js';
import { maxMessageBytes } from '../wire/parse.js';
import { admit, turnAway, UsedTokens } from './admission.js';
import { AgentLink } from './agent-link.js';
import { assignmentOf } from './assignment.js';
import { documentFor } from './documents.js';
import type { ServerKeys } from './keys.js';
import { ReportQueue } from './report-queue.js';
import type { Store } from './store/index.js';
import type { Device } from './store/records.js';

const heartbeatMs = 30_000;
const upgradeTimeoutMs = 10_000;
const closeTimeoutMs = 2000;
/** A publish is spread so that about five agents a millisecond ask for it. */
const agentsPerSpreadMs = 5;
/** Assignments of one transaction, so that reports wait for none of them long. */
const reassignBatch = 100;

export interface AgentsOptions {
  readonly store: Store;
  readonly keys: ServerKeys;
  readonly catalogue: Catalogue;
  readonly clock: () => number;
  readonly checkInMinutes: number;
  /** A device reported, came or went. */
  readonly onDevice: (device: string) => void;
  readonly onFault: (error: unknown, device: string) => void;
}

export class Agents {
  readonly #options: AgentsOptions;
  readonly #queue: ReportQueue;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: () => subprotocol,
  });
  readonly #links = new Map<string, AgentLink>();
  readonly #used = new UsedTokens();
  readonly #heartbeat: NodeJS.Timeout;
  #isClosing = false;

  constructor(options: AgentsOptions) {
    this.#options = options;
    const { store, onDevice, onFault } = options;
    this.#queue = new ReportQueue({ store, onApplied: onDevice, onFault });
    this.#heartbeat = setInterval(() => {
      for (const link of this.#links.values()) link.beat();
    }, heartbeatMs);
    this.#heartbeat.unref();
  }

  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      if (socket instanceof Socket) {
        socket.setTimeout(upgradeTimeoutMs, () => socket.destroy());
      }
      this.#open(request, socket, head).catch((error: unknown) => {
        turnAway(socket, error, this.#options.clock());
      });
    });
  }

  get connected(): number {
    return this.#links.size;
  }

  isOnline(device: string): boolean {
    return this.#links.has(device);
  }

  /** Epoch ms of the last sign of life of a connected device; null when it is not connected. */
  lastHeard(device: string): number | null {
    return this.#links.get(device)?.lastHeard ?? null;
  }

  /** Tells every connected agent that there is a newer bundle. */
  announce(sequence: number): void {
    const spreadMs = Math.min(60_000, Math.ceil(this.#links.size / agentsPerSpreadMs));
    const message: FromServer = { type: 'available', what: 'bundle', sequence, spreadMs };
    const text = JSON.stringify(message);
    for (const link of this.#links.values()) link.sendText(text);
  }

  /**
   * Issues and offers anew the assignments of connected devices that have changed; null: of all of
   * them. Who is not connected gets its own at its next hello.
   */
  async reassign(devices: readonly string[] | null): Promise<void> {
    const { store, keys, clock } = this.#options;
    const connected = (devices ?? [...this.#links.keys()]).filter((id) => this.#links.has(id));
    for (let start = 0; start < connected.length && !this.#isClosing; start += reassignBatch) {
      const batch = connected.slice(start, start + reassignBatch);
      const issued = await store.write(async (writing) => {
        const issuer = { serverId: store.serverId, keys, now: clock() };
        const made = [];
        for (const id of batch) {
          const device = await writing.devices.get(id);
          if (device !== null) made.push(await assignmentOf(writing, device, issuer));
        }
        return made;
      });
      for (const { assignment, isNew } of issued) {
        const { device, sequence } = assignment;
        if (!isNew) continue;
        this.#links
          .get(device)
          ?.send({ type: 'available', what: 'assignment', sequence, spreadMs: 0 });
      }
    }
  }

  /** Ends the connection of a device that is no longer welcome. */
  disconnect(device: string): void {
    this.#links.get(device)?.close(1008, 'DEVICE_REVOKED');
  }

  async #open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (this.#isClosing) throw new CurfewError('SERVER_BUSY', 'the server is stopping');
    const { store, clock } = this.#options;
    const device = await admit(request, { store, used: this.#used, now: clock() });
    if (socket.destroyed) return;
    if (socket instanceof Socket) socket.setTimeout(0);
    this.#sockets.handleUpgrade(request, socket, head, (accepted) => this.#join(accepted, device));
  }

  #join(socket: WebSocket, device: Device): void {
    const link = new AgentLink(socket, device, {
      queue: this.#queue,
      clock: this.#options.clock,
      greet: (from, hello) => this.#greet(from, hello),
      find: (from, get) => this.#find(from, get),
      onFault: this.#options.onFault,
    });
    // One connection a device: the newest is the one that lives.
    this.#links.get(device.id)?.close(4001, 'another connection of this device');
    this.#links.set(device.id, link);
    socket.on('close', () => {
      if (this.#links.get(device.id) !== link) return;
      this.#links.delete(device.id);
      if (!this.#isClosing) void this.#keepLastHeard([link]);
      this.#options.onDevice(device.id);
    });
  }

  async #greet(device: Device, hello: Extract<FromAgent, { type: 'hello' }>): Promise<FromServer> {
    const { store, keys, clock, checkInMinutes } = this.#options;
    const now = clock();
    const { assignment, streams } = await store.write(async (writing) => {
      await writing.devices.setFacts(device.id, hello.facts);
      await writing.devices.setLastSeen(device.id, now);
      const issuer = { serverId: store.serverId, keys, now };
      // As it is now: what was read at the door may be older than the change that this hello is for.
      const known = (await writing.devices.get(device.id)) ?? device;
      const issued = await assignmentOf(writing, known, issuer, hello.assignmentSequence);
      return {
        assignment: issued.assignment,
        streams: await writing.reports.streams(device.id),
      };
    });
    this.#options.onDevice(device.id);
    return {
      type: 'welcome',
      deviceId: device.id,
      time: new Date(now).toISOString(),
      bundleSequence: await store.read.policies.latestSequence(),
      assignmentSequence: assignment.sequence,
      streams: streams.map(({ stream, seq }) => ({ stream, seq })),
      checkInMinutes,
    };
  }

  async #find({ id }: Device, get: Extract<FromAgent, { type: 'get' }>): Promise<FromServer> {
    const { store, catalogue } = this.#options;
    const { what } = get;
    const content = await documentFor(store.read, get, { device: id, catalogue });
    return content === null
      ? { type: 'refused', code: 'NOT_FOUND', message: `there is no ${what} yet` }
      : { type: 'document', what, content };
  }

  async #keepLastHeard(links: readonly AgentLink[]): Promise<void> {
    try {
      await this.#options.store.write(async (writing) => {
        for (const link of links) await writing.devices.setLastSeen(link.device.id, link.lastHeard);
      });
    } catch (error) {
      this.#options.onFault(error, links[0]?.device.id ?? '');
    }
  }

  /** Takes nothing new, answers what it has, says goodbye. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#heartbeat);
    await this.#queue.close();
    const links = [...this.#links.values()];
    await this.#keepLastHeard(links);
    for (const link of links) link.close(1001, 'the server is stopping');
    const until = Date.now() + closeTimeoutMs;
    while (this.#links.size > 0 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const link of this.#links.values()) link.terminate();
    this.#sockets.close();
  }
}
