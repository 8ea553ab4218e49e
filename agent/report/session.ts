/**
 * One open connection, from hello to its end: greets, pulls the documents that are newer, sends what
 * waits in the outbox and notices silence. It keeps nothing: whatever was not acknowledged when it
 * ends is sent again on the next one, and the server takes each report once.
 */
import {
  wireVersion,
  type DeviceFacts,
  type FromAgent,
  type FromServer,
} from '../../wire/messages.js';
import { parseMessage } from '../../wire/parse.js';
import type { Documents } from './documents.js';
import type { ServerSocket } from './network.js';
import type { Outbox } from './outbox.js';
import { DocumentPull } from './pull.js';
import { ReportSender } from './sender.js';

/** All in milliseconds of uptime; the defaults are the product's, tests use shorter ones. */
export interface Timing {
  readonly heartbeatMs: number;
  /** Without a welcome or an acknowledgement that is due, the connection is given up. */
  readonly answerMs: number;
  readonly handshakeMs: number;
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** Between tries of a device that the server does not know. */
  readonly unknownMs: number;
  /** A connection that held this long forgets the failures before it. */
  readonly stableMs: number;
}

export interface SessionContext {
  readonly deviceId: string;
  readonly documents: Documents;
  readonly outbox: Outbox;
  readonly facts: () => DeviceFacts;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly timing: Timing;
  readonly onTime: (serverMs: number) => void;
  readonly onWelcome: (welcome: Extract<FromServer, { type: 'welcome' }>) => void;
}

/** Why a connection ended; `code` is the server's word, ours (SILENT, WOKE, ...) or the close code. */
export interface SessionEnd {
  readonly code: string;
  readonly message: string;
}

const goodbyeMs = 1000;

export class Session {
  /** Resolves once, when the socket is closed. */
  readonly ended: Promise<SessionEnd>;
  readonly #socket: ServerSocket;
  readonly #context: SessionContext;
  readonly #pull: DocumentPull;
  readonly #sender: ReportSender;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #welcomeTimer: NodeJS.Timeout;
  #heardAt = performance.now();
  #beatAt = performance.now();
  #beatWall: number;
  #why: SessionEnd | null = null;

  constructor(socket: ServerSocket, context: SessionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#beatWall = context.wallNow();
    const { documents, outbox, random, timing } = context;
    const send = (message: FromAgent): void => this.#send(message);
    this.#pull = new DocumentPull({ documents, random, send, answerMs: timing.answerMs });
    const onFault = (error: unknown): void =>
      this.end('FAULT', error instanceof Error ? error.message : String(error));
    this.#sender = new ReportSender({ socket, outbox, random, onFault });
    this.ended = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#stop();
        const said = { code: `CLOSED_${code}`, message: reason.toString() };
        resolve(this.#why ?? said);
      });
    });
    socket.on('message', (content, isBinary) => this.#receive(content, isBinary));
    socket.on('ping', () => this.#heard());
    socket.on('pong', () => this.#heard());
    this.#heartbeat = setInterval(() => this.#beat(), timing.heartbeatMs);
    this.#welcomeTimer = setTimeout(
      () => this.end('SILENT', 'the server did not welcome this device in time'),
      timing.answerMs,
    );
    this.#greet();
    socket.resume();
  }

  /** Cuts the connection at once, for a reason. */
  end(code: string, message: string): void {
    this.#why ??= { code, message };
    this.#socket.terminate();
  }

  /** Says goodbye; a server that does not answer is not waited for. */
  async close(): Promise<void> {
    this.#why ??= { code: 'CLOSED', message: 'closed by this device' };
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), goodbyeMs);
    await this.ended;
    clearTimeout(timer);
  }

  #stop(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#welcomeTimer);
    this.#pull.stop();
    this.#sender.stop();
  }

  #send(message: FromAgent): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #greet(): void {
    const { documents, outbox, facts, wallNow } = this.#context;
    const { bundle, catalogue } = documents.current();
    this.#send({
      type: 'hello',
      wire: wireVersion,
      facts: facts(),
      bundleSequence: bundle?.sequence ?? 0,
      assignmentSequence: documents.assignmentSequence(),
      catalogueSha256: catalogue.sha256,
      streams: outbox.streams().slice(0, 4096),
      wallTime: new Date(wallNow()).toISOString(),
    });
  }

  #heard(): void {
    this.#heardAt = performance.now();
  }

  /** Each period: did the machine sleep, is the other side there, is an acknowledgement overdue? */
  #beat(): void {
    const { heartbeatMs, answerMs } = this.#context.timing;
    const now = performance.now();
    const wall = this.#context.wallNow();
    const sincePulse = now - this.#beatAt;
    // The monotonic clock stands still in sleep on some systems; there the wall clock has moved on alone.
    const asleepMs = Math.max(sincePulse - heartbeatMs, wall - this.#beatWall - sincePulse);
    this.#beatAt = now;
    this.#beatWall = wall;
    if (asleepMs > heartbeatMs) this.end('WOKE', 'the machine slept; connecting anew');
    else if (now - this.#heardAt >= 2 * heartbeatMs) {
      this.end('SILENT', 'the server was silent for two heartbeats');
    } else if (this.#sender.isOverdue(answerMs)) {
      this.end('SILENT', 'the server does not acknowledge reports');
    } else this.#socket.ping();
  }

  #receive(content: unknown, isBinary: boolean): void {
    this.#heard();
    if (isBinary || !Buffer.isBuffer(content)) {
      this.end('REQUEST_INVALID', 'the server sent a binary frame');
      return;
    }
    const parsed = parseMessage('from-server', content);
    if (parsed.kind === 'invalid') {
      this.end('REQUEST_INVALID', `the server sent ${parsed.path}: ${parsed.message}`);
      return;
    }
    try {
      this.#take(parsed.value);
    } catch (error) {
      // The outbox or the clock's file could not be written; nothing is lost by connecting anew.
      this.end('FAULT', error instanceof Error ? error.message : String(error));
    }
  }

  #take(message: FromServer): void {
    switch (message.type) {
      case 'welcome':
        this.#welcomed(message);
        return;
      case 'available':
        this.#pull.offer(message.what, message.sequence, message.spreadMs);
        return;
      case 'document':
        this.#pull.arrived(message.what, message.content);
        return;
      case 'ack':
        this.#sender.acknowledged(message.stream, message.seq);
        return;
      case 'resync':
        this.#sender.resync(message.stream, message.reason);
        return;
      case 'busy':
        this.#sender.wait(message.retryAfterMs);
        this.#pull.wait(message.retryAfterMs);
        return;
      case 'refused':
        this.#refused(message);
    }
  }

  #welcomed(welcome: Extract<FromServer, { type: 'welcome' }>): void {
    if (welcome.deviceId !== this.#context.deviceId) {
      this.end('DEVICE_UNKNOWN', `the server greets this device as ${welcome.deviceId}`);
      return;
    }
    clearTimeout(this.#welcomeTimer);
    this.#context.onTime(Date.parse(welcome.time));
    this.#sender.start(welcome.streams);
    this.#pull.offer('bundle', welcome.bundleSequence, 0);
    this.#pull.offer('assignment', welcome.assignmentSequence, 0);
    this.#pull.next();
    this.#context.onWelcome(welcome);
  }

  #refused({ code, message, stream, seq }: Extract<FromServer, { type: 'refused' }>): void {
    if (stream !== undefined && seq !== undefined) this.#sender.refused(stream, seq, code);
    else if (this.#pull.isWaiting) this.#pull.refused();
    // Without a name it is said of the connection; the server closes it with the same word.
    else this.#why ??= { code, message };
  }
}
