/**
 * Runs scans in a thread of their own and keeps the time. A root that hangs becomes a reading with
 * status `timeout`, its thread is given up and a new one reads the rest; so a dead network folder costs
 * its root and one thread, once in `retryHungMs`. From sources (tests), where no built thread lies
 * beside, scans run here and have only the reader's own deadlines.
 */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Reading, Root } from './detect/index.js';
import type { SavedCache } from './detect/contents-cache.js';
import {
  runScan,
  type Memory,
  type Place,
  type ScanOutcome,
  type ScanRequest,
  type WorkerMessage,
} from './scanner-worker.js';

export type { Place, ScanOutcome, ScanRequest } from './scanner-worker.js';

/** More than a root's own deadline, which a system call that never returns does not obey. */
const hungMs = 15_000;
const retryHungMs = 6 * 3600_000;

/** What whoever asks for a scan decides. */
type Asked = Omit<ScanRequest, 'skip' | 'told'>;

/** Keeps programs told by their contents over restarts; saved only when they changed. */
export interface ToldPrograms {
  load(): SavedCache | null;
  save(told: SavedCache): void;
}

export interface Scanner {
  /** Rejects when not even the roots could be listed. */
  scan(request: Asked): Promise<ScanOutcome>;
  close(): void;
}

export interface ScannerOptions {
  readonly place: Place;
  /** The thread's file; left out: beside the running file, if there. */
  readonly worker?: URL | null;
  readonly hungMs?: number;
  readonly onHung?: (root: string) => void;
  readonly told?: ToldPrograms;
}

/** The scanner of a place. */
export function createScanner(options: ScannerOptions): Scanner {
  const beside = new URL('./scanner-worker.mjs', import.meta.url);
  const file = options.worker === undefined ? (existsSync(beside) ? beside : null) : options.worker;
  const told = keepTold(options.told);
  if (file !== null) return new ThreadScanner(file, options, told);
  const memory: Memory = { contents: null };
  return {
    scan: async (request) => {
      await new Promise((resolve) => setImmediate(resolve));
      const asked = { ...request, skip: new Set<string>(), told: told.last() };
      return told.keep(await runScan(options.place, asked, memory));
    },
    close: () => {},
  };
}

interface Told {
  last(): SavedCache | null;
  keep(outcome: ScanOutcome): ScanOutcome;
}

function keepTold(programs: ToldPrograms | undefined): Told {
  let last = programs?.load() ?? null;
  return {
    last: () => last,
    keep(outcome) {
      const { told } = outcome;
      if (JSON.stringify(told) !== JSON.stringify(last)) programs?.save(told);
      last = told;
      return outcome;
    },
  };
}

type Heard = WorkerMessage | { readonly kind: 'ended'; readonly message: string };
type Attempt =
  | { readonly kind: 'outcome'; readonly outcome: ScanOutcome }
  | { readonly kind: 'hung'; readonly root: Root }
  | { readonly kind: 'failed' | 'ended'; readonly message: string };

class ThreadScanner implements Scanner {
  readonly #file: URL;
  readonly #options: ScannerOptions;
  readonly #told: Told;
  readonly #hung = new Map<string, { readonly root: Root; readonly at: number }>();
  #worker: Worker | null = null;
  /** Who listens to the thread now; between scans nobody does. */
  #hear: (message: Heard, from: Worker) => void = () => {};

  constructor(file: URL, options: ScannerOptions, told: Told) {
    this.#file = file;
    this.#options = options;
    this.#told = told;
  }

  async scan(request: Asked): Promise<ScanOutcome> {
    for (const [id, { at }] of this.#hung) {
      if (performance.now() - at > retryHungMs) this.#hung.delete(id);
    }
    for (;;) {
      const skip = new Set(this.#hung.keys());
      const attempt = await this.#attempt({ ...request, skip, told: this.#told.last() });
      if (attempt.kind === 'outcome') {
        return this.#withHung(this.#told.keep(attempt.outcome), request);
      }
      if (attempt.kind !== 'hung') throw new Error(`scan failed: ${attempt.message}`);
      this.#hung.set(attempt.root.id, { root: attempt.root, at: performance.now() });
      this.#options.onHung?.(attempt.root.id);
    }
  }

  /** Adds the roots that hang as what they are: not read. */
  #withHung(outcome: ScanOutcome, { roots }: Asked): ScanOutcome {
    const missing: Reading[] = [...this.#hung.values()]
      .filter(({ root }) => roots === 'all' || roots.has(root.id))
      .map(({ root }) => ({ root, status: 'timeout', problems: [], components: [] }));
    return { ...outcome, readings: [...outcome.readings, ...missing] };
  }

  #attempt(request: ScanRequest): Promise<Attempt> {
    const worker = (this.#worker ??= this.#start());
    let roots: readonly Root[] = [];
    let at: string | null = null;
    return new Promise((resolve) => {
      const end = (attempt: Attempt, isUsable: boolean): void => {
        clearTimeout(timer);
        this.#hear = () => {};
        if (!isUsable) this.#abandon(worker);
        resolve(attempt);
      };
      const late = (): void => {
        const root = roots.find(({ id }) => id === at);
        if (root === undefined) end({ kind: 'failed', message: 'listing the roots hung' }, false);
        else end({ kind: 'hung', root }, false);
      };
      const timer = setTimeout(late, this.#options.hungMs ?? hungMs);
      this.#hear = (message, from) => {
        if (from !== worker) return;
        timer.refresh();
        if (message.kind === 'plan') roots = message.roots;
        else if (message.kind === 'at') at = message.root;
        else end(message, message.kind !== 'ended');
      };
      worker.postMessage(request);
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#file, { workerData: { curfewPlace: this.#options.place } });
    worker.on('message', (message: WorkerMessage) => this.#hear(message, worker));
    const ended = (message: string): void => this.#hear({ kind: 'ended', message }, worker);
    worker.on('error', (error) => ended(error.message));
    worker.on('exit', () => ended('the thread ended'));
    return worker;
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
