/**
 * Which document to ask for next on a connection: the bundle first, then the catalogue it names, then
 * the assignment, one at a time. What could not be had is not asked for again until a higher sequence
 * is offered or minutes have passed, so a bad document costs a look and no loop.
 */
import type { FromAgent } from '../../wire/messages.js';
import type { DocumentKind } from '../store.js';
import type { Documents } from './documents.js';

export interface PullOptions {
  readonly documents: Documents;
  readonly random: () => number;
  readonly send: (message: FromAgent) => void;
  /** How long a document may take to come. */
  readonly answerMs: number;
}

/** After this, give or take half, what could not be had is tried again. */
const retryMs = 10 * 60_000;

type Numbered = 'bundle' | 'assignment';

export class DocumentPull {
  readonly #options: PullOptions;
  readonly #offered: Record<Numbered, number> = { bundle: 0, assignment: 0 };
  /** The sequence, or the catalogue's hash, at which a document could not be had. */
  readonly #failed = new Map<DocumentKind, number | string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #asked: DocumentKind | null = null;
  #deadline: NodeJS.Timeout | undefined;
  #isPaused = false;
  #isStopped = false;

  constructor(options: PullOptions) {
    this.#options = options;
  }

  /** Whether an answer to `get` is due. */
  get isWaiting(): boolean {
    return this.#asked !== null;
  }

  /** There is this sequence; it is asked for at a random moment within `spreadMs`. */
  offer(what: Numbered, sequence: number, spreadMs: number): void {
    this.#offered[what] = Math.max(this.#offered[what], sequence);
    if (spreadMs > 0) this.#later(() => this.next(), this.#options.random() * spreadMs);
    else if (this.#asked === null) queueMicrotask(() => this.next());
  }

  /** Asks for what is needed first, if nothing is asked for already. */
  next(): void {
    if (this.#asked !== null || this.#isPaused || this.#isStopped) return;
    const what = this.#needed();
    if (what === null) return;
    this.#asked = what;
    this.#deadline = this.#later(() => this.refused(), this.#options.answerMs);
    const { documents, send } = this.#options;
    send(
      what === 'bundle'
        ? { type: 'get', what, policyKey: documents.policyKey() }
        : { type: 'get', what },
    );
  }

  arrived(what: DocumentKind, content: string): void {
    if (what !== this.#asked) return;
    this.#endDeadline();
    this.#options.documents
      .take(what, content, what === 'bundle' ? this.#offered.bundle : 0)
      // What is held already, in place of what was offered, leads nowhere.
      .then((taken) => this.#settle(what, taken.kind === 'taken' && taken.isNew))
      // The store or the pins could not be written: as good as not had.
      .catch(() => this.#settle(what, false));
  }

  /** What was asked for is not to be had. */
  refused(): void {
    if (this.#asked !== null) this.#settle(this.#asked, false);
  }

  /** The server is busy: what was asked for is asked for again after the wait. */
  wait(retryAfterMs: number): void {
    if (this.#asked === null) return;
    this.#endDeadline();
    this.#asked = null;
    this.#isPaused = true;
    this.#later(() => {
      this.#isPaused = false;
      this.next();
    }, retryAfterMs);
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #settle(what: DocumentKind, isTaken: boolean): void {
    this.#endDeadline();
    this.#asked = null;
    if (!isTaken) {
      this.#failed.set(what, this.#version(what));
      const retry = (): void => {
        this.#failed.delete(what);
        this.next();
      };
      this.#later(retry, retryMs * (0.5 + this.#options.random()));
      if (what === 'catalogue') this.#options.documents.doWithoutCatalogue();
    }
    this.next();
  }

  #needed(): DocumentKind | null {
    const { documents } = this.#options;
    const { bundle, assignment } = documents.current();
    const isWanted = (what: DocumentKind): boolean =>
      this.#failed.get(what) !== this.#version(what);
    const { bundle: offered } = this.#offered;
    const isDue =
      offered > documents.bundleSequence() || (offered > 0 && documents.awaitsNamedKey());
    if (isDue && isWanted('bundle')) return 'bundle';
    if (documents.needsCatalogue() && isWanted('catalogue')) return 'catalogue';
    const isNewer = this.#offered.assignment > (assignment?.sequence ?? 0);
    return bundle !== null && isNewer && isWanted('assignment') ? 'assignment' : null;
  }

  #version(what: DocumentKind): number | string {
    const { bundle } = this.#options.documents.current();
    if (what === 'catalogue') return bundle?.catalogue.sha256 ?? '';
    // An assignment that one bundle's keys refuse may be good under the next.
    if (what === 'assignment') return `${this.#offered.assignment}/${bundle?.sequence ?? 0}`;
    return this.#offered.bundle;
  }

  #endDeadline(): void {
    clearTimeout(this.#deadline);
    if (this.#deadline !== undefined) this.#timers.delete(this.#deadline);
  }

  #later(work: () => void, afterMs: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, afterMs);
    this.#timers.add(timer);
    return timer;
  }
}
