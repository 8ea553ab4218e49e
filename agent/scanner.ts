/**
 * Runs scans and keeps the time. They run in the agent's own thread and let the loop breathe between
 * roots, as mounts that may hang are never touched. Only where homes on a network are looked into they run
 * in a thread of their own: a root that hangs becomes a reading with status `timeout`, its thread is given
 * up and a new one reads the rest; so a dead network folder costs its root and one thread, once in
 * `retryHungMs`.
 */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Catalogue } from '../policies/catalogue.js';
import type { Reading, Root } from './detect/index.js';
import type { SavedCache } from './detect/contents-cache.js';
import {
  newMemory,
  runScan,
  type Place,
  type ScanOutcome,
  type ScanRequest,
} from './living-scan.js';
import type { WorkerMessage } from './scanner-worker.js';

export type { Place, ScanOutcome } from './living-scan.js';

/** More than a root's own deadline, which a system call that never returns does not obey. */
const hungMs = 15_000;
const retryHungMs = 6 * 3600_000;

/** Reads of this length together are followed by a look at what else there is to do. */
const sliceMs = 20;

/** What whoever asks for a scan decides. `catalogue` null: that of this build. */
export type Asked = Pick<ScanRequest, 'roots' | 'asked' | 'processes'> & {
  readonly catalogue: Catalogue | null;
};

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
  const told = keepTold(options.told);
  const file = options.worker === undefined ? threadFor(options.place) : options.worker;
  return file === null ? hereScanner(options.place, told) : new ThreadScanner(file, options, told);
}

/** From sources (tests) no built thread lies beside, and scans run here whatever is looked at. */
function threadFor({ hasNetworkHomes }: Place): URL | null {
  const beside = new URL('./scanner-worker.mjs', import.meta.url);
  return hasNetworkHomes === true && existsSync(beside) ? beside : null;
}

function hereScanner(place: Place, told: Told): Scanner {
  const memory = newMemory();
  const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    async scan({ catalogue, ...asked }) {
      await breathe();
      let since = performance.now();
      const at = (): Promise<void> | null => {
        if (performance.now() - since < sliceMs) return null;
        return breathe().then(() => void (since = performance.now()));
      };
      // Indexed already by whoever asks.
      memory.catalogue = catalogue;
      const sent = catalogue === null ? null : { sha256: catalogue.sha256, document: null };
      const request = { ...asked, catalogue: sent, skip: new Set<string>(), told: told.last() };
      return told.keep(await runScan(place, request, memory, { plan: () => {}, at }));
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
  /** The catalogue that the thread has. */
  #sent: string | null = null;
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
      const worker = (this.#worker ??= this.#start());
      const catalogue = this.#toSend(request.catalogue);
      const asked = { ...request, catalogue, skip, told: this.#told.last() };
      const attempt = await this.#attempt(asked, worker);
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

  /** The document only once for each thread: it is large. */
  #toSend(catalogue: Catalogue | null): ScanRequest['catalogue'] {
    if (catalogue === null) return null;
    const { sha256, tools, editors, advisories } = catalogue;
    const isKnown = this.#sent === sha256;
    this.#sent = sha256;
    return { sha256, document: isKnown ? null : { format: 1, tools, editors, advisories } };
  }

  #attempt(request: ScanRequest, worker: Worker): Promise<Attempt> {
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
    this.#sent = null;
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
