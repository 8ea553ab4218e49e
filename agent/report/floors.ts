/**
 * Which assignments are too old to be taken. The highest number is kept for each online key and counts
 * while the bundle names that key, so a bundle that names a new key in place of a stolen one also takes
 * away the numbers that a thief has used up; numbers of a key that stays are never forgotten.
 */
import type { Floor } from '../../wire/bundle.js';
import type { Pins } from '../identity-files.js';

/** Keys whose numbers are kept; a bundle names at most eight. */
export const mostAssignmentFloors = 32;

/** The floor under the keys that the bundle in use names. */
export function assignmentFloor(
  { assignment, assignmentFloors }: Pins,
  keys: readonly string[],
): Floor {
  // Pins of before there were floors by key: the one number counts for whatever key there is.
  if (assignmentFloors === undefined) return assignment;
  const sequence = Math.max(0, ...keys.map((key) => assignmentFloors[key] ?? 0));
  return { sequence, sha256: assignment.sha256 };
}

/** The pins after an assignment was taken that `signedBy`, one of the bundle's `keys`, had signed. */
export function withAssignment(
  pins: Pins,
  taken: { readonly floor: Floor; readonly signedBy: string; readonly keys: readonly string[] },
): Pins {
  const { floor, signedBy, keys } = taken;
  const before = assignmentFloor(pins, keys).sequence;
  const known = pins.assignmentFloors ?? Object.fromEntries(keys.map((key) => [key, before]));
  const others = Object.entries(known).filter(([key]) => key !== signedBy);
  const isNamed = ([key]: readonly [string, number]): boolean => keys.includes(key);
  const kept = [...others.filter((one) => !isNamed(one)), ...others.filter(isNamed)];
  const assignmentFloors = Object.fromEntries(
    [...kept, [signedBy, floor.sequence] as const].slice(-mostAssignmentFloors),
  );
  return { ...pins, assignment: floor, assignmentFloors };
}
