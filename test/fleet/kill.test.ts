/**
 * Fifty kills of each side from one seed; other seeds are in the long group. `CURFEW_KILL_SEED` repeats
 * a run that failed.
 */
import { test } from 'vitest';
import { killBothSides } from './kills.js';

const seed = Number(process.env['CURFEW_KILL_SEED'] ?? 20_260_710);

test('fifty kills of each side lose and double nothing', { timeout: 300_000 }, () =>
  killBothSides(seed, 50),
);
