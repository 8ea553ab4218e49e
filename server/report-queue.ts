/**
 * The queue between sockets and the store: reports of many devices are committed together and
 * answered after the commit. It is bounded in count and bytes; what does not fit is told `busy` by
 * the caller. A batch that fails is tried again one by one, so a bad report harms nobody else.
 */
import { ingest, type Arrived, type Outcome } from './ingest.js';
import type { Store } from './store/index.js';

const maxBatch = 100;
const maxQueued = 20_000;
const maxQueuedBytes = 64 * 1024 * 1024;

/** `failed`: nothing was stored; the same report may come again. */
export type Answer = Outcome | { readonly kind: 'failed' };

interface Waiting {
  readonly arrived: Arrived;
  readonly answer: (answer: Answer) => void;
}

export interface ReportQueueOptions {
  readonly store: Store;
  /** Called after a commit, once per device that it changed. */
  readonly onApplied: (device: string) => void;
  readonly onFault: (error: unknown, device: string) => void;
}

export class ReportQueue {
  readonly #options: ReportQueueOptions;
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #isClosed = false;
  #work: Promise<void> | null = null;

  constructor(options: ReportQueueOptions) {
    this.#options = options;
  }

  /** False when the queue is over its bound or closed: nothing was taken. */
  offer(arrived: Arrived, answer: (answer: Answer) => void): boolean {
    const bytes = arrived.report.body.length;
    if (this.#isClosed) return false;
    if (this.#waiting.length >= maxQueued || this.#bytes + bytes > maxQueuedBytes) return false;
    this.#waiting.push({ arrived, answer });
    this.#bytes += bytes;
    this.#work ??= this.#run();
    return true;
  }

  /** Takes nothing more; resolves when all that was taken is answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
  }

  async #run(): Promise<void> {
    // One turn of the loop first: what other sockets brought in the same tick shares the commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxBatch);
      for (const { arrived } of batch) this.#bytes -= arrived.report.body.length;
      await this.#commit(batch);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#work = null;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const outcomes = await this.#apply(batch);
    if (outcomes === null) {
      for (const one of batch) {
        if (batch.length > 1) await this.#commit([one]);
        else one.answer({ kind: 'failed' });
      }
      return;
    }
    const changed = new Set<string>();
    for (const [index, { arrived, answer }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      if (outcome.kind === 'ack') changed.add(arrived.device);
      answer(outcome);
    }
    for (const device of changed) this.#options.onApplied(device);
  }

  /** The outcomes once they are on disk; null: the transaction failed and nothing is. */
  async #apply(batch: readonly Waiting[]): Promise<readonly Outcome[] | null> {
    try {
      return await this.#options.store.write(async (writing) => {
        const outcomes: Outcome[] = [];
        for (const { arrived } of batch) outcomes.push(await ingest(writing, arrived));
        return outcomes;
      });
    } catch (error) {
      this.#options.onFault(error, batch[0]?.arrived.device ?? '');
      return null;
    }
  }
}
