/**
 * Counting what a plan does: the outcomes of devices and people under what is live and under what is
 * planned, at several instants. Whoever has several components counts once, by the worst of them;
 * `review` and `excepted` are counted besides for whoever has any. It judges nothing itself.
 */
import { bitOf, outcomes, possibleShift, type OpenRule, type Outcome } from './forecast.js';

/**
 * How a device or person stands: by the worst outcome, but `review` decides nothing, as in the console.
 * `unforeseen`: one that is worse than all that is certain is possible.
 */
export const standings = [
  'violation',
  'unforeseen',
  'pending',
  'unknown',
  'excepted',
  'clear',
] as const satisfies readonly (Outcome | 'unforeseen')[];
export type PlanStanding = (typeof standings)[number];

export type Counts = Readonly<Record<PlanStanding, number>>;
export interface Figures {
  readonly live: Counts;
  readonly planned: Counts;
  /** Those that would stand so by the plan and do not by what is live. */
  readonly become: Counts;
  /** With anything that somebody should look at. */
  readonly review: { readonly live: number; readonly planned: number };
  /** With anything that an exception lets them keep. */
  readonly excepted: { readonly live: number; readonly planned: number };
}

const worstFirst = standings.filter((standing) => standing !== 'unforeseen');
const unforeseen = standings.indexOf('unforeseen');
const sureOnly = (1 << possibleShift) - 1;

/** For every set of outcomes the place in `standings` of the worst one. */
const worstOf = Uint8Array.from({ length: 1 << outcomes.length }, (_, set) =>
  standings.indexOf(worstFirst.find((standing) => (set & bitOf(standing)) !== 0) ?? 'clear'),
);

/** The place in `standings` of every set, asked for millions of times. */
const standingOf = Uint8Array.from({ length: 1 << (possibleShift + outcomes.length) }, (_, set) => {
  const certain = worstOf[set & sureOnly] ?? 0;
  const possible = worstOf[set >> possibleShift] ?? 0;
  return possible < certain ? unforeseen : certain;
});

const review = bitOf('review');
const excepted = bitOf('excepted');
const width = standings.length;

/** Sets of outcomes by instant, what is live before what is planned: [live 0, planned 0, live 1, ...]. */
export type Sets = Uint16Array;

export class Tally {
  readonly #instants: number;
  readonly #states: Uint32Array;
  readonly #become: Uint32Array;
  readonly #review: Uint32Array;
  readonly #excepted: Uint32Array;

  constructor(instants: number) {
    this.#instants = instants;
    this.#states = new Uint32Array(instants * 2 * width);
    this.#become = new Uint32Array(instants * width);
    this.#review = new Uint32Array(instants * 2);
    this.#excepted = new Uint32Array(instants * 2);
  }

  /** Counts one device or person, whose sets begin at `from`. */
  add(sets: Sets, from = 0): void {
    for (let at = 0; at < this.#instants; at += 1) {
      const slot = at * 2;
      const before = this.#count(sets[from + slot] ?? 0, slot);
      const after = this.#count(sets[from + slot + 1] ?? 0, slot + 1);
      if (before !== after) bump(this.#become, at * width + after);
    }
  }

  /** Answers the standing. */
  #count(set: number, slot: number): number {
    const standing = standingOf[set] ?? 0;
    bump(this.#states, slot * width + standing);
    if ((set & review) !== 0) bump(this.#review, slot);
    if ((set & excepted) !== 0) bump(this.#excepted, slot);
    return standing;
  }

  figures(at: number): Figures {
    const two = (counts: Uint32Array) => ({
      live: counts[at * 2] ?? 0,
      planned: counts[at * 2 + 1] ?? 0,
    });
    return {
      live: countsOf(this.#states, at * 2),
      planned: countsOf(this.#states, at * 2 + 1),
      become: countsOf(this.#become, at),
      review: two(this.#review),
      excepted: two(this.#excepted),
    };
  }
}

function bump(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] ?? 0) + 1;
}

function countsOf(counts: Uint32Array, row: number): Counts {
  return Object.fromEntries(
    standings.map((standing, at) => [standing, counts[row * width + at] ?? 0]),
  ) as Counts;
}

/** Sets of many keys in one piece of memory, each made empty when it is first asked for. */
export class SetsByKey {
  readonly #length: number;
  readonly #places = new Map<string, number>();
  #sets: Sets;

  /** `length`: of each key's sets. */
  constructor(length: number) {
    this.#length = length;
    this.#sets = new Uint16Array(length * 16);
  }

  /** Joins outcomes to those of a key. */
  join(key: string, sets: Sets): void {
    let from = this.#places.get(key);
    if (from === undefined) {
      from = this.#places.size * this.#length;
      this.#places.set(key, from);
      if (from + this.#length > this.#sets.length) this.#grow();
      this.#sets.fill(0, from, from + this.#length);
    }
    for (let at = 0; at < this.#length; at += 1) {
      this.#sets[from + at] = (this.#sets[from + at] ?? 0) | (sets[at] ?? 0);
    }
  }

  #grow(): void {
    const larger = new Uint16Array(this.#sets.length * 2);
    larger.set(this.#sets);
    this.#sets = larger;
  }

  /** Each key with where its sets begin in `sets`. */
  each(take: (key: string, sets: Sets, from: number) => void): void {
    for (const [key, from] of this.#places) take(key, this.#sets, from);
  }

  clear(): void {
    this.#places.clear();
  }
}

/** A rule that the server cannot foresee, and for how much that matters. */
export interface OpenFigures extends OpenRule {
  readonly components: number;
  readonly devices: number;
}

export class OpenTally {
  readonly #counts = new Map<string, OpenFigures & { readonly last: string }>();

  /** Counts a component of a device; a device's components come one after another. */
  add(rule: OpenRule, device: string): void {
    const key = JSON.stringify(rule);
    const before = this.#counts.get(key) ?? { ...rule, components: 0, devices: 0, last: '' };
    this.#counts.set(key, {
      ...before,
      components: before.components + 1,
      devices: before.devices + (before.last === device ? 0 : 1),
      last: device,
    });
  }

  figures(): readonly OpenFigures[] {
    return [...this.#counts.values()].map(({ last: _, ...figures }) => figures);
  }
}
