/**
 * How often a property is tried and from which seed: always the same few in `npm test`, more in the long
 * group. CURFEW_PROPERTY_RUNS multiplies the tries, CURFEW_PROPERTY_SEED names another seed; a property
 * that fails prints both the seed and the smallest example it found.
 */
interface Runs {
  readonly seed: number;
  readonly numRuns: number;
}

const times = Number(process.env['CURFEW_PROPERTY_RUNS'] ?? 1);
const seed = Number(process.env['CURFEW_PROPERTY_SEED'] ?? 20260710);

/** For `fc.assert`: `few` tries in the quick group. */
export function runs(few: number): Runs {
  if (!(times > 0) || !Number.isSafeInteger(seed)) {
    throw new Error('CURFEW_PROPERTY_RUNS and CURFEW_PROPERTY_SEED must be numbers');
  }
  return { seed, numRuns: Math.ceil(few * times) };
}
