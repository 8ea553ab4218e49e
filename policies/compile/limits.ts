/**
 * A range of versions as the lowest and the highest that may start, for tools that know no other form.
 * What has a hole in it, or an end that is no version, is null: a limit is never wider or narrower than
 * the policy for any version that heeds it.
 */
import type { Bound, PlainRange, Triple } from './ranges.js';

export interface VersionLimits {
  readonly minimum: string | null;
  readonly maximum: string | null;
}

const textOf = (numbers: Triple): string => numbers.join('.');
const after = ([major, minor, patch]: Triple): Triple => [major, minor, patch + 1];
const before = ([major, minor, patch]: Triple): Triple | null =>
  patch === 0 ? null : [major, minor, patch - 1];

/** Negative, zero or positive, as versions compare. */
export const compareTriples = (one: Triple, other: Triple): number =>
  one[0] - other[0] || one[1] - other[1] || one[2] - other[2];

interface Stretch {
  readonly lower: Bound | null;
  readonly upper: Bound | null;
}

/** A range of one stretch by its ends; null for any other. */
function stretchOf(range: PlainRange): Stretch | null {
  const [bounds] = range;
  if (range.length !== 1 || bounds === undefined || bounds.length === 0) return null;
  const lowers = bounds.filter(({ operator }) => operator.startsWith('>'));
  const uppers = bounds.filter(({ operator }) => operator.startsWith('<'));
  if (lowers.length > 1 || uppers.length > 1) return null;
  if (lowers.length + uppers.length < bounds.length) return null;
  return { lower: lowers[0] ?? null, upper: uppers[0] ?? null };
}

/** Limits that keep exactly these versions; null when one end cannot be named. */
export function limitsInside(range: PlainRange): VersionLimits | null {
  const [bounds] = range;
  const [only] = bounds ?? [];
  if (range.length === 1 && bounds?.length === 1 && only?.operator === '=') {
    return { minimum: textOf(only.numbers), maximum: textOf(only.numbers) };
  }
  const stretch = stretchOf(range);
  if (stretch === null) return null;
  const { lower, upper } = stretch;
  const highest = upper?.operator === '<' ? before(upper.numbers) : (upper?.numbers ?? null);
  if (upper !== null && highest === null) return null;
  const lowest = lower?.operator === '>' ? after(lower.numbers) : (lower?.numbers ?? null);
  return {
    minimum: lowest === null ? null : textOf(lowest),
    maximum: highest === null ? null : textOf(highest),
  };
}

/**
 * Limits that leave out exactly these versions, for clients from `knownSince` on: earlier ones do not
 * heed limits at all, so a stretch that begins before them has no hole below it.
 */
export function limitsOutside(range: PlainRange, knownSince: Triple): VersionLimits | null {
  const stretch = stretchOf(range);
  if (stretch === null) return null;
  const { lower, upper } = stretch;
  if (upper !== null) {
    const isHole = lower !== null && compareTriples(lower.numbers, knownSince) > 0;
    if (isHole || compareTriples(upper.numbers, knownSince) < 0) return null;
    const lowest = upper.operator === '<' ? upper.numbers : after(upper.numbers);
    return { minimum: textOf(lowest), maximum: null };
  }
  if (lower === null) return null;
  const highest = lower.operator === '>' ? lower.numbers : before(lower.numbers);
  return highest === null ? null : { minimum: null, maximum: textOf(highest) };
}
