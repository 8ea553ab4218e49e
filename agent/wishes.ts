/**
 * What the triggers of the loop have asked for since its last round, put together. It decides nothing
 * and starts nothing: the loop takes all of it at the beginning of a round.
 */

/** What a trigger asks for; left out: not asked for. A round follows in any case. */
export interface Wanted {
  /** All roots read. */
  readonly all?: boolean;
  /** A look at what runs; read on only where that changed, or where `roots` names it. */
  readonly processes?: boolean;
  readonly roots?: Iterable<string>;
  /** All roots named anew, without reading any that is known. */
  readonly plan?: boolean;
  /** Everything judged again and compared with what the server was told. */
  readonly judging?: boolean;
}

/** What one round looks at. */
export interface Look {
  readonly isFull: boolean;
  readonly wantsProcesses: boolean;
  readonly wantsPlan: boolean;
  readonly roots: ReadonlySet<string>;
}

export class Wishes {
  #all = false;
  #processes = false;
  #plan = false;
  #roots = new Set<string>();
  #isRoundDue = false;
  /** Stays until whoever judges takes it away. */
  isJudgingDue = false;

  /** Whether anything was asked for since the last round was begun. */
  get isRoundDue(): boolean {
    return this.#isRoundDue;
  }

  add(what: Wanted): void {
    this.#all ||= what.all === true;
    this.#processes ||= what.processes === true;
    this.#plan ||= what.plan === true;
    for (const id of what.roots ?? []) this.#roots.add(id);
    this.isJudgingDue ||= what.judging === true;
    this.#isRoundDue = true;
  }

  /** Begins a round: what it is to look at; nothing is asked for any more. */
  take(): Look {
    const look = {
      isFull: this.#all,
      wantsProcesses: this.#processes,
      wantsPlan: this.#plan,
      roots: this.#roots,
    };
    this.#all = this.#processes = this.#plan = this.#isRoundDue = false;
    this.#roots = new Set();
    return look;
  }
}
