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
  at: { anchorMs: number; floorMs: number; isConfirmed: boolean },
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
  const isBehind = reading.wallMs < floorMs;
  const anchorMs = Math.max(reading.wallMs, floorMs);
  const state = anchored(reading, { anchorMs, floorMs, isConfirmed: false });
  return { state, now: anchorMs, suspicions: isBehind ? ['behind-floor'] : [] };
}

/** The trusted time now; the anchor moves along, so that the saved state is the present. */
export function lookAtClock(state: ClockState, reading: ClockReading): ClockStep {
  const passedMs = elapsed(state, reading);
  const now = state.anchorMs + passedMs;
  const offset = reading.wallMs - now;
  const hasJumped = Math.abs(offset - state.wallOffsetMs) > jumpMs;
  // Confirmed, the floor is the time itself; else it is the last confirmed one and the time counted since.
  const floorMs = state.isConfirmed ? now : state.floorMs + passedMs;
  const next = anchored(reading, { anchorMs: now, floorMs, isConfirmed: state.isConfirmed });
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
  const next = anchored(reading, { anchorMs, floorMs: anchorMs, isConfirmed: true });
  return { state: next, now: anchorMs, suspicions: looked.suspicions, isAccepted: true };
}

export interface Clock {
  /** Epoch ms of trusted time. */
  now(): number;
  readonly isConfirmed: boolean;
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
  const first = beginClock(parseState(readSmallJson(file)), read());
  state = first.state;
  if (first.suspicions.length > 0) queueMicrotask(() => first.suspicions.forEach(onSuspicion));
  return {
    now: () => take(lookAtClock(state, read())),
    get isConfirmed() {
      return state.isConfirmed;
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
  return isWhole ? (saved as unknown as ClockState) : null;
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
