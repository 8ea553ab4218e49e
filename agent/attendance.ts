/**
 * Whether this device was away: off or asleep for a day or more, by trusted time. It is asked whenever
 * the agent does something, and says so once. It decides nothing.
 */
import type { Absence } from './terms.js';

/** A night is no absence. */
const absenceMs = 24 * 3_600_000;

export interface Attendance {
  /** The agent is alive at `now`. */
  look(now: number): void;
  /** The absence that ended since it was last taken; null: there was none. */
  take(): Absence | null;
}

/** `lastAlive`: when the agent last was, before this start; null: never. Epoch ms of trusted time. */
export function openAttendance(lastAlive: number | null): Attendance {
  let last = lastAlive;
  let absence: Absence | null = null;
  return {
    look(now) {
      if (last !== null && now - last >= absenceMs) absence = { from: last, until: now };
      last = now;
    },
    take() {
      const taken = absence;
      absence = null;
      return taken;
    },
  };
}
