/**
 * One agent's connection after it was let in: messages in, answers out. It keeps the order of each
 * stream even when something is turned back as `busy`, asks once for a snapshot, and closes on what
 * no agent of ours would send. An acknowledgement leaves only after the commit.
 */
import type { RawData, WebSocket } from 'ws';
import type { FromAgent, FromServer, Report } from '../wire/messages.js';
import { parseMessage } from '../wire/parse.js';
import { arrive } from './ingest.js';
import type { Answer, ReportQueue } from './report-queue.js';
import type { Device } from './store/records.js';

const maxUnsentBytes = 8 * 1024 * 1024;
/** Of one agent, so that none fills the queue for all. */
const maxInFlight = 1024;
const maxInFlightBytes = 4 * 1024 * 1024;
const helloTimeoutMs = 15_000;
const retryAfterMs = 2000;
/** WebSocket close codes, RFC 6455 section 7.4. */
const policyViolation = 1008;

type Hello = Extract<FromAgent, { type: 'hello' }>;
type Get = Extract<FromAgent, { type: 'get' }>;

/** What a link needs of the server around it. */
export interface LinkContext {
  readonly queue: ReportQueue;
  readonly clock: () => number;
  /** What answers a hello; errors end the connection. */
  readonly greet: (device: Device, hello: Hello) => Promise<FromServer>;
  readonly find: (device: Device, get: Get) => Promise<FromServer>;
  readonly onFault: (error: unknown, device: string) => void;
}

export class AgentLink {
  readonly device: Device;
  lastHeard: number;
  isAlive = true;
  readonly #socket: WebSocket;
  readonly #context: LinkContext;
  readonly #helloTimer: NodeJS.Timeout;
  /** Per stream, the seq that was turned back: later ones wait until it comes again. */
  readonly #turnedBack = new Map<string, number>();
  readonly #askedSnapshot = new Set<string>();
  #hasGreeted = false;
  #inFlight = 0;
  #inFlightBytes = 0;

  constructor(socket: WebSocket, device: Device, context: LinkContext) {
    this.device = device;
    this.#socket = socket;
    this.#context = context;
    this.lastHeard = context.clock();
    this.#helloTimer = setTimeout(() => this.#refuse('no hello came'), helloTimeoutMs);
    socket.on('message', (content, isBinary) => this.#receive(content, isBinary));
    socket.on('pong', () => this.#heard());
    socket.on('close', () => clearTimeout(this.#helloTimer));
    // Oversize frames and protocol faults: ws closes with the right code by itself.
    socket.on('error', () => socket.terminate());
  }

  send(message: FromServer): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > maxUnsentBytes) this.#socket.terminate();
    else this.#socket.send(text);
  }

  /** Pings, or cuts a connection that has been silent since the last time. */
  beat(): void {
    if (!this.isAlive) {
      this.#socket.terminate();
      return;
    }
    this.isAlive = false;
    this.#socket.ping();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #heard(): void {
    this.isAlive = true;
    this.lastHeard = this.#context.clock();
  }

  #receive(content: RawData, isBinary: boolean): void {
    this.#heard();
    if (isBinary || !Buffer.isBuffer(content)) {
      this.#refuse('binary frames are not spoken here');
      return;
    }
    const parsed = parseMessage('from-agent', content);
    if (parsed.kind === 'invalid') {
      this.#refuse(`message${parsed.path}: ${parsed.message}`);
      return;
    }
    const message = parsed.value;
    if (this.#hasGreeted === (message.type === 'hello')) {
      this.#refuse(this.#hasGreeted ? 'hello came twice' : `${message.type} came before hello`);
      return;
    }
    switch (message.type) {
      case 'hello':
        this.#hasGreeted = true;
        clearTimeout(this.#helloTimer);
        this.#answer(this.#context.greet(this.device, message));
        return;
      case 'get':
        this.#answer(this.#context.find(this.device, message));
        return;
      case 'report':
        this.#report(message);
    }
  }

  #answer(work: Promise<FromServer>): void {
    work.then(
      (message) => this.send(message),
      (error: unknown) => {
        this.#context.onFault(error, this.device.id);
        this.send({ type: 'busy', retryAfterMs });
        this.close(1011, 'fault');
      },
    );
  }

  #report(report: Report): void {
    const { stream, seq } = report;
    const turnedBack = this.#turnedBack.get(stream);
    if (turnedBack !== undefined) {
      if (seq > turnedBack) return;
      this.#turnedBack.delete(stream);
    }
    const checked = arrive(this.device.id, report, this.#context.clock());
    if (checked.kind === 'refused') {
      this.#settle(report, checked);
      return;
    }
    const bytes = report.body.length;
    const hasRoom =
      this.#inFlight === 0 ||
      (this.#inFlight < maxInFlight && this.#inFlightBytes + bytes <= maxInFlightBytes);
    const isTaken =
      hasRoom &&
      this.#context.queue.offer(checked.arrived, (answer) => {
        this.#inFlight -= 1;
        this.#inFlightBytes -= bytes;
        this.#settle(report, answer);
      });
    if (!isTaken) {
      this.#turnBack(report);
      return;
    }
    this.#inFlight += 1;
    this.#inFlightBytes += bytes;
  }

  #turnBack({ stream, seq }: Report): void {
    this.#turnedBack.set(stream, seq);
    this.send({ type: 'busy', retryAfterMs });
  }

  #settle(report: Report, answer: Answer): void {
    switch (answer.kind) {
      case 'ack':
        this.#askedSnapshot.delete(answer.stream);
        this.send({ type: 'ack', stream: answer.stream, seq: answer.seq });
        return;
      case 'resync':
        if (this.#askedSnapshot.has(answer.stream)) return;
        this.#askedSnapshot.add(answer.stream);
        this.send({ type: 'resync', stream: answer.stream, reason: answer.reason });
        return;
      case 'refused': {
        const { code, message, stream, seq } = answer;
        this.send({ type: 'refused', code, message, stream, seq });
        if (code === 'DEVICE_REVOKED') this.close(policyViolation, code);
        return;
      }
      case 'failed':
        this.#turnBack(report);
    }
  }

  /** For what no agent of ours sends: a coded word, then the end. */
  #refuse(message: string): void {
    this.send({ type: 'refused', code: 'REQUEST_INVALID', message: message.slice(0, 512) });
    this.close(policyViolation, 'REQUEST_INVALID');
  }
}
