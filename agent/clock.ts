/**
 * Trusted time: the last confirmed time carried by a clock that counts sleep, within one boot. The wall
 * clock cannot move it. This file is the pure state machine; reading the clocks and saving the floor
 * is at its end, in `openClock`. Invariant: confirmed time never goes back, and the floor is raised
 * by confirmed time and counted uptime alone, never by the wall clock.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { readSmallJson, writeAtomic } from './files.js';

/** How far server time may be off to count as the same. */
const agreeMs = 10 * 60_000;
/** Unconfirmed time has to be counted for so long past a date before anything is stopped for it. */
const settleMs = 24 * 3_600_000;
/** Boots without a server that are kept apart; of more, the oldest are counted as one. */
const mostBoots = 100;
/** A wall clock that moves this much against the counted time has been set. */
const jumpMs = 2 * 60_000;

export interface ClockReading {
  readonly wallMs: number;
  /** Milliseconds since boot, sleep included. */
  readonly monotonicMs: number;
  readonly bootId: string;
}

/** Also the form of the saved file. */
export interface ClockState {
  readonly bootId: string;
  /** Trusted time at the anchor, and the monotonic clock at that moment. */
  readonly anchorMs: number;
  readonly anchorMonotonicMs: number;
  readonly isConfirmed: boolean;
  /** The floor at the anchor: no later look may give a time before it. */
  readonly floorMs: number;
  /** Wall time less trusted time, as last seen. */
  readonly wallOffsetMs: number;
  /** The uptime counted since time was last confirmed, boot by boot. */
  readonly unconfirmed: readonly Counted[];
}

/** Uptime of one boot: it was counted from unconfirmed time `fromMs` on. */
export interface Counted {
  readonly fromMs: number;
  readonly ms: number;
}

/** What is worth telling the server: the event `clock-suspect` with this word as its detail. */
export type ClockSuspicion =
  'wall-jump' | 'behind-floor' | 'server-differs' | 'server-behind-floor';

export interface ClockStep {
  readonly state: ClockState;
  readonly now: number;
  readonly suspicions: readonly ClockSuspicion[];
}

const elapsed = (state: ClockState, reading: ClockReading): number =>
  Math.max(0, reading.monotonicMs - state.anchorMonotonicMs);

/** Moves the anchor to the present moment at `anchorMs`. */
function anchored(
  reading: ClockReading,
  at: Pick<ClockState, 'anchorMs' | 'floorMs' | 'isConfirmed' | 'unconfirmed'>,
): ClockState {
  return {
    ...at,
    bootId: reading.bootId,
    anchorMonotonicMs: reading.monotonicMs,
    wallOffsetMs: reading.wallMs - at.anchorMs,
  };
}

/** The clock at the start of the agent: carried on within the same boot, else begun from the wall. */
export function beginClock(saved: ClockState | null, reading: ClockReading): ClockStep {
  const isSameBoot =
    saved !== null &&
    saved.bootId === reading.bootId &&
    reading.monotonicMs >= saved.anchorMonotonicMs;
  if (isSameBoot) return lookAtClock(saved, reading);
  const floorMs = saved?.floorMs ?? 0;
  const { state, now } = fromWall(reading, floorMs, saved?.unconfirmed ?? []);
  return { state, now, suspicions: reading.wallMs < floorMs ? ['behind-floor'] : [] };
}

/** Unconfirmed time from the wall clock on, or from the floor where the wall clock is behind it. */
function fromWall(
  reading: ClockReading,
  floorMs: number,
  before: readonly Counted[],
): Omit<ClockStep, 'suspicions'> {
  const anchorMs = Math.max(reading.wallMs, floorMs);
  const unconfirmed = bounded([...before, { fromMs: anchorMs, ms: 0 }]);
  const state = anchored(reading, { anchorMs, floorMs, isConfirmed: false, unconfirmed });
  return { state, now: anchorMs };
}

/** A signed document has said that the floor is wrong: time begins anew, no earlier than `floorMs`. */
export function resetClock(reading: ClockReading, floorMs: number): ClockStep {
  return { ...fromWall(reading, floorMs, []), suspicions: [] };
}

function bounded(boots: readonly Counted[]): readonly Counted[] {
  const [first, second, ...rest] = boots;
  if (boots.length <= mostBoots || first === undefined || second === undefined) return boots;
  const ms = first.ms + second.ms;
  return [{ fromMs: second.fromMs + second.ms - ms, ms }, ...rest];
}

/** How much uptime has been counted past an instant while time was unconfirmed. */
function countedPast({ unconfirmed }: ClockState, at: number): number {
  let counted = 0;
  for (const { fromMs, ms } of unconfirmed) counted += Math.min(ms, Math.max(0, fromMs + ms - at));
  return counted;
}

/**
 * Epoch ms: an instant up to this one has passed beyond doubt, as time is confirmed or was counted for
 * 24 h past it. -Infinity: none has.
 */
export function settledUntil(state: ClockState): number {
  if (state.isConfirmed) return Infinity;
  const ends = state.unconfirmed.map(({ fromMs, ms }) => fromMs + ms);
  if (countedPast(state, -Infinity) < settleMs) return -Infinity;
  let [early, late] = [Math.max(...ends) - settleMs * 2, Math.max(...ends)];
  while (countedPast(state, early) < settleMs) early -= late - early;
  // What is counted past an instant only falls with it, so the last one that has enough is between.
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (countedPast(state, middle) >= settleMs) early = middle;
    else late = middle;
  }
  return early;
}

/** The trusted time now; the anchor moves along, so that the saved state is the present. */
export function lookAtClock(state: ClockState, reading: ClockReading): ClockStep {
  const passedMs = elapsed(state, reading);
  const now = state.anchorMs + passedMs;
  const offset = reading.wallMs - now;
  const hasJumped = Math.abs(offset - state.wallOffsetMs) > jumpMs;
  // Confirmed, the floor is the time itself; else it is the last confirmed one and the time counted since.
  const floorMs = state.isConfirmed ? now : state.floorMs + passedMs;
  const { isConfirmed } = state;
  const last = state.unconfirmed.at(-1);
  const unconfirmed =
    isConfirmed || last === undefined
      ? []
      : [...state.unconfirmed.slice(0, -1), { fromMs: last.fromMs, ms: last.ms + passedMs }];
  const next = anchored(reading, { anchorMs: now, floorMs, isConfirmed, unconfirmed });
  return {
    // The offset moves along, so that slow drift never adds up to a jump.
    state: next,
    now,
    suspicions: hasJumped ? ['wall-jump'] : [],
  };
}

/** What the server says the time is: confirms, or is refused with a suspicion. */
export function confirmClock(
  state: ClockState,
  reading: ClockReading,
  serverMs: number,
): ClockStep & { readonly isAccepted: boolean } {
  const looked = lookAtClock(state, reading);
  const refuse = (why: ClockSuspicion) => ({
    ...looked,
    suspicions: [...looked.suspicions, why],
    isAccepted: false,
  });
  const agrees = (otherMs: number): boolean => Math.abs(serverMs - otherMs) <= agreeMs;
  if (!agrees(looked.now) && (state.isConfirmed || !agrees(reading.wallMs))) {
    return refuse('server-differs');
  }
  const { floorMs } = looked.state;
  if (serverMs < floorMs - agreeMs) return refuse('server-behind-floor');
  // Confirmed time never goes back; unconfirmed time may, down to the floor.
  const anchorMs = Math.max(serverMs, state.isConfirmed ? looked.now : floorMs);
  const next = anchored(reading, {
    anchorMs,
    floorMs: anchorMs,
    isConfirmed: true,
    unconfirmed: [],
  });
  return { state: next, now: anchorMs, suspicions: looked.suspicions, isAccepted: true };
}

export interface Clock {
  /** Epoch ms of trusted time. */
  now(): number;
  readonly isConfirmed: boolean;
  /** Trusted time when it was last saved before this start; null: never. */
  readonly savedMs: number | null;
  /** Epoch ms up to which an instant has passed beyond doubt: `block` and `remove` wait for that. */
  settledUntil(): number;
  /** From a signed document: time begins anew, no earlier than `floorMs`. */
  reset(floorMs: number): void;
  /** Server time, from a signed-in connection. */
  confirm(serverMs: number): void;
  /** Saves the floor; called each minute and at the end. */
  save(): void;
}

export interface ClockOptions {
  /** The small file of the floor. */
  readonly file: string;
  readonly read: () => ClockReading;
  readonly onSuspicion: (why: ClockSuspicion) => void;
}

/** The trusted clock on a saved floor. */
export function openClock({ file, read, onSuspicion }: ClockOptions): Clock {
  let state: ClockState;
  let lastRefusal: ClockSuspicion | null = null;
  const take = (step: ClockStep): number => {
    state = step.state;
    for (const why of step.suspicions) {
      // A server that keeps differing is said once, until it agrees again.
      if (why.startsWith('server-') && why === lastRefusal) continue;
      if (why.startsWith('server-')) lastRefusal = why;
      onSuspicion(why);
    }
    return step.now;
  };
  const saved = parseState(readSmallJson(file));
  const first = beginClock(saved, read());
  state = first.state;
  if (first.suspicions.length > 0) queueMicrotask(() => first.suspicions.forEach(onSuspicion));
  return {
    now: () => take(lookAtClock(state, read())),
    get isConfirmed() {
      return state.isConfirmed;
    },
    savedMs: saved?.anchorMs ?? null,
    settledUntil() {
      take(lookAtClock(state, read()));
      return settledUntil(state);
    },
    reset(floorMs) {
      lastRefusal = null;
      take(resetClock(read(), floorMs));
      writeAtomic(file, JSON.stringify(state));
    },
    confirm(serverMs) {
      const step = confirmClock(state, read(), serverMs);
      if (step.isAccepted) lastRefusal = null;
      take(step);
    },
    save() {
      take(lookAtClock(state, read()));
      writeAtomic(file, JSON.stringify(state));
    },
  };
}

function parseState(value: unknown): ClockState | null {
  if (typeof value !== 'object' || value === null) return null;
  const saved = value as Record<string, unknown>;
  const numbers = ['anchorMs', 'anchorMonotonicMs', 'floorMs', 'wallOffsetMs'];
  const isWhole =
    numbers.every((key) => Number.isFinite(saved[key])) &&
    typeof saved['bootId'] === 'string' &&
    typeof saved['isConfirmed'] === 'boolean';
  if (!isWhole) return null;
  const boots: unknown = saved['unconfirmed'];
  const isCounted = (one: unknown): boolean =>
    typeof one === 'object' &&
    one !== null &&
    ['fromMs', 'ms'].every((key) => Number.isFinite((one as Record<string, unknown>)[key]));
  // Files of earlier versions have not counted: their boots begin now.
  const unconfirmed =
    Array.isArray(boots) && boots.every(isCounted)
      ? boots
      : saved['isConfirmed'] === true
        ? []
        : [{ fromMs: saved['anchorMs'], ms: 0 }];
  return { ...saved, unconfirmed } as unknown as ClockState;
}

/** The clocks of this machine. os.uptime counts sleep on Linux (/proc/uptime), macOS and Windows. */
export function machineClock(): () => ClockReading {
  const bootId = readBootId();
  return () => ({ wallMs: Date.now(), monotonicMs: Math.round(os.uptime() * 1000), bootId });
}

/** The system's id of this boot; where there is none, each start of the agent counts as a boot. */
function readBootId(): string {
  try {
    if (process.platform === 'linux') {
      return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    }
    if (process.platform === 'darwin') {
      const args = ['-n', 'kern.bootsessionuuid'];
      return execFileSync('/usr/sbin/sysctl', args, { encoding: 'utf8', timeout: 5_000 }).trim();
    }
  } catch {
    // Not readable here: as if there were none.
  }
  return `start-${randomUUID()}`;
}
