/**
 * Runs scans in a thread of their own and keeps the time. A root that hangs becomes a reading with
 * status `timeout`, its thread is given up and a new one reads the rest; so a dead network folder costs
 * its root and one thread, once in `retryHungMs`. From sources (tests), where no built thread lies
 * beside, scans run here and have only the reader's own deadlines.
 */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Reading, Root } from './detect/index.js';
import {
  runScan,
  type Place,
  type ScanOutcome,
  type ScanRequest,
  type WorkerMessage,
} from './scanner-worker.js';

export type { Place, ScanOutcome, ScanRequest } from './scanner-worker.js';

/** More than a root's own deadline, which a system call that never returns does not obey. */
const hungMs = 15_000;
const retryHungMs = 6 * 3600_000;

export interface Scanner {
  /** Rejects when not even the roots could be listed. */
  scan(request: Omit<ScanRequest, 'skip'>): Promise<ScanOutcome>;
  close(): void;
}

export interface ScannerOptions {
  readonly place: Place;
  /** The thread's file; left out: beside the running file, if there. */
  readonly worker?: URL | null;
  readonly hungMs?: number;
  readonly onHung?: (root: string) => void;
}

/** The scanner of a place. */
export function createScanner(options: ScannerOptions): Scanner {
  const beside = new URL('./scanner-worker.mjs', import.meta.url);
  const file = options.worker === undefined ? (existsSync(beside) ? beside : null) : options.worker;
  if (file !== null) return new ThreadScanner(file, options);
  return {
    scan: async (request) => {
      await new Promise((resolve) => setImmediate(resolve));
      return runScan(options.place, { ...request, skip: new Set() });
    },
    close: () => {},
  };
}

type Attempt =
  | { readonly kind: 'outcome'; readonly outcome: ScanOutcome }
  | { readonly kind: 'hung'; readonly root: Root }
  | { readonly kind: 'failed'; readonly message: string };

class ThreadScanner implements Scanner {
  readonly #file: URL;
  readonly #options: ScannerOptions;
  readonly #hung = new Map<string, { readonly root: Root; readonly at: number }>();
  #worker: Worker | null = null;

  constructor(file: URL, options: ScannerOptions) {
    this.#file = file;
    this.#options = options;
  }

  async scan(request: Omit<ScanRequest, 'skip'>): Promise<ScanOutcome> {
    for (const [id, { at }] of this.#hung) {
      if (performance.now() - at > retryHungMs) this.#hung.delete(id);
    }
    for (;;) {
      const attempt = await this.#attempt({ ...request, skip: new Set(this.#hung.keys()) });
      if (attempt.kind === 'failed') throw new Error(`scan failed: ${attempt.message}`);
      if (attempt.kind === 'outcome') return this.#withHung(attempt.outcome, request);
      this.#hung.set(attempt.root.id, { root: attempt.root, at: performance.now() });
      this.#options.onHung?.(attempt.root.id);
    }
  }

  /** Adds the roots that hang as what they are: not read. */
  #withHung(outcome: ScanOutcome, { roots }: Omit<ScanRequest, 'skip'>): ScanOutcome {
    const missing: Reading[] = [...this.#hung.values()]
      .filter(({ root }) => roots === 'all' || roots.has(root.id))
      .map(({ root }) => ({ root, status: 'timeout', problems: [], components: [] }));
    return { ...outcome, readings: [...outcome.readings, ...missing] };
  }

  #attempt(request: ScanRequest): Promise<Attempt> {
    this.#worker ??= new Worker(this.#file, { workerData: { curfewPlace: this.#options.place } });
    const worker = this.#worker;
    let roots: readonly Root[] = [];
    let at: string | null = null;
    return new Promise((resolve) => {
      const end = (attempt: Attempt, isUsable: boolean): void => {
        clearTimeout(timer);
        worker.removeAllListeners();
        worker.on('error', () => {});
        if (!isUsable) this.#abandon(worker);
        resolve(attempt);
      };
      const late = (): void => {
        const root = roots.find(({ id }) => id === at);
        if (root === undefined) end({ kind: 'failed', message: 'listing the roots hung' }, false);
        else end({ kind: 'hung', root }, false);
      };
      const timer = setTimeout(late, this.#options.hungMs ?? hungMs);
      worker.on('message', (message: WorkerMessage) => {
        timer.refresh();
        if (message.kind === 'plan') roots = message.roots;
        else if (message.kind === 'at') at = message.root;
        else end(message, true);
      });
      worker.on('error', (error) => end({ kind: 'failed', message: error.message }, false));
      worker.on('exit', () => end({ kind: 'failed', message: 'the thread ended' }, false));
      worker.postMessage(request);
    });
  }

  /** A thread inside a system call cannot be ended; it is left behind and must not hold the process. */
  #abandon(worker: Worker): void {
    worker.unref();
    void worker.terminate().catch(() => {});
    if (this.#worker === worker) this.#worker = null;
  }

  close(): void {
    if (this.#worker !== null) this.#abandon(this.#worker);
  }
}
