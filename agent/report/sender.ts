/**
 * Sends what waits in the outbox: in order per stream, a bounded number unacknowledged. Nothing
 * leaves the outbox before the server has it on disk or has said that it never will take it. When the
 * server asks for a snapshot, what waited before it is not sent; the snapshot's acknowledgement
 * settles it.
 */
import type { FromServer } from '../../wire/messages.js';
import { maxMessageBytes } from '../../wire/parse.js';
import type { ServerSocket } from './network.js';
import type { Outbox, ResyncReason } from './outbox.js';

type Welcome = Extract<FromServer, { type: 'welcome' }>;

const maxUnacknowledged = 32;
const maxUnsentBytes = 2 * 1024 * 1024;
const maxWaitMs = 10 * 60_000;

export interface SenderOptions {
  readonly socket: ServerSocket;
  readonly outbox: Outbox;
  readonly random: () => number;
  /** The outbox could not be read or written. */
  readonly onFault: (error: unknown) => void;
}

export class ReportSender {
  readonly #options: SenderOptions;
  /** Highest sequence per stream that was sent, or need not be, on this connection. */
  readonly #sent = new Map<string, number>();
  readonly #unacknowledged = new Map<string, readonly number[]>();
  readonly #awaitingSnapshot = new Set<string>();
  readonly #unlisten: readonly (() => void)[];
  #progressAt = performance.now();
  #wait: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isPumping = false;
  #isClogged = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { outbox } = options;
    const pump = (): void => this.#pump();
    this.#unlisten = [outbox.onAppend(pump), outbox.onSettled(pump)];
  }

  /** After the welcome, which says what the server has: acknowledgements may have been lost. */
  start(streams: Welcome['streams']): void {
    const own = new Map(this.#options.outbox.streams().map((row) => [row.stream, row.lastSeq]));
    for (const { stream, seq } of streams) {
      // More than was ever made here is a database put back from a copy; the server will ask.
      if (seq > 0 && seq <= (own.get(stream) ?? 0)) this.#options.outbox.acknowledged(stream, seq);
    }
    this.#isStarted = true;
    this.#pump();
  }

  stop(): void {
    this.#isStarted = false;
    clearTimeout(this.#wait);
    for (const unlisten of this.#unlisten) unlisten();
  }

  isOverdue(answerMs: number): boolean {
    const isIdle = this.#inFlight === 0 || this.#wait !== undefined;
    return !isIdle && performance.now() - this.#progressAt > answerMs;
  }

  acknowledged(stream: string, seq: number): void {
    // Only what was sent here can be acknowledged here.
    const upTo = Math.min(seq, this.#sent.get(stream) ?? 0);
    if (upTo === 0) return;
    this.#awaitingSnapshot.delete(stream);
    this.#settle(stream, (one) => one > upTo);
    this.#options.outbox.acknowledged(stream, upTo);
  }

  /** This report will never be taken; the ones behind it go on. */
  refused(stream: string, seq: number, code: string): void {
    this.#awaitingSnapshot.delete(stream);
    this.#settle(stream, (one) => one !== seq);
    this.#options.outbox.refused(stream, seq, code);
  }

  resync(stream: string, reason: ResyncReason): void {
    if (this.#awaitingSnapshot.has(stream)) return;
    const row = this.#options.outbox.streams().find((one) => one.stream === stream);
    if (row === undefined) return;
    this.#awaitingSnapshot.add(stream);
    this.#settle(stream, () => false);
    this.#sent.set(stream, row.lastSeq);
    this.#options.outbox.resync(stream, reason);
    this.#pump();
  }

  /** The server has no room: all that is not acknowledged is sent again after the wait. */
  wait(retryAfterMs: number): void {
    clearTimeout(this.#wait);
    this.#sent.clear();
    this.#unacknowledged.clear();
    const jittered = Math.min(retryAfterMs, maxWaitMs) * (1 + this.#options.random() / 4);
    this.#wait = setTimeout(() => {
      this.#wait = undefined;
      this.#progressAt = performance.now();
      this.#pump();
    }, jittered);
  }

  get #inFlight(): number {
    let count = 0;
    for (const seqs of this.#unacknowledged.values()) count += seqs.length;
    return count;
  }

  #settle(stream: string, isLeft: (seq: number) => boolean): void {
    this.#progressAt = performance.now();
    const left = (this.#unacknowledged.get(stream) ?? []).filter(isLeft);
    if (left.length === 0) this.#unacknowledged.delete(stream);
    else this.#unacknowledged.set(stream, left);
  }

  #pump(): void {
    // Setting a report aside below tells the outbox's listeners, of which this is one.
    if (!this.#isStarted || this.#isPumping || this.#wait !== undefined) return;
    this.#isPumping = true;
    try {
      while (this.#sendNext());
    } catch (error) {
      this.#options.onFault(error);
    } finally {
      this.#isPumping = false;
    }
  }

  /** True when there may be more to send now. */
  #sendNext(): boolean {
    const { socket, outbox } = this.#options;
    this.#isClogged = socket.bufferedAmount > maxUnsentBytes;
    if (this.#isClogged || this.#inFlight >= maxUnacknowledged) return false;
    const [report] = outbox.pending(this.#sent, 1);
    if (report === undefined || socket.readyState !== socket.OPEN) return false;
    const { stream, seq } = report;
    const text = JSON.stringify(report);
    this.#sent.set(stream, seq);
    if (Buffer.byteLength(text) > maxMessageBytes) {
      outbox.refused(stream, seq, 'REQUEST_TOO_LARGE');
      return true;
    }
    if (this.#inFlight === 0) this.#progressAt = performance.now();
    this.#unacknowledged.set(stream, [...(this.#unacknowledged.get(stream) ?? []), seq]);
    socket.send(text, () => {
      if (this.#isClogged) this.#pump();
    });
    return true;
  }
}
