/**
 * The kills again from other seeds: other moments, other orders.
 */
import { test } from 'vitest';
import { killBothSides } from './kills.js';

for (const seed of [1, 2]) {
  test(
    `fifty kills of each side from seed ${seed} lose and double nothing`,
    { timeout: 300_000 },
    () => killBothSides(seed, 50),
  );
}
