/**
 * How tests run. `npm test` takes everything but the groups named by a middle suffix: `.all.` (long),
 * `.real.` (installs from the npm registry), `.bench.` (timings). `test:all` adds those by name.
 */
import { defineConfig } from 'vitest/config';

const group = process.env['CURFEW_TEST_GROUP'] ?? 'quick';
const groups: Record<string, { include: string[]; exclude: string[] }> = {
  quick: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.{all,real}.test.ts'],
  },
  all: { include: ['test/**/*.all.test.ts'], exclude: [] },
  real: { include: ['test/**/*.real.test.ts'], exclude: [] },
};
const chosen = groups[group];
if (chosen === undefined)
  throw new Error(`CURFEW_TEST_GROUP must be one of ${Object.keys(groups).join(', ')}`);

export default defineConfig({
  test: {
    ...chosen,
    pool: 'forks',
    // Some tests mostly wait (a removal is confirmed after 45 s), so more of them than cores.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { TZ: 'UTC' },
  },
});
