/**
 * How tests run. `npm test` takes everything but the groups named by a middle suffix: `.all.` (long)
 * and `.real.` (installs from the npm registry). `test:all` adds those by name, and tries each property
 * of the `.property.` files more often.
 */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const group = process.env['CURFEW_TEST_GROUP'] ?? 'quick';
const groups: Record<string, { include: string[]; exclude: string[] }> = {
  quick: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.{all,real}.test.ts'],
  },
  all: { include: ['test/**/*.{all,property}.test.ts'], exclude: [] },
  real: { include: ['test/**/*.real.test.ts'], exclude: [] },
};
const chosen = groups[group];
if (chosen === undefined)
  throw new Error(`CURFEW_TEST_GROUP must be one of ${Object.keys(groups).join(', ')}`);

/** The files that take longest or mostly wait, in that order; begun late they would be waited for at the end. */
const longest = [
  'fleet/kill',
  'agent/truth',
  'fleet/path',
  'server/console',
  'contracts/',
  'installers/up',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((part) => moduleId.includes(`/test/${part}`));
      return at === -1 ? longest.length : at;
    };
    return (await super.sort(files)).sort((one, two) => rank(one) - rank(two));
  }
}

export default defineConfig({
  test: {
    ...chosen,
    pool: 'forks',
    // Some tests mostly wait (a removal is confirmed after 45 s), so more of them than cores.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    testTimeout: group === 'all' ? 180_000 : 30_000,
    hookTimeout: 60_000,
    env: {
      TZ: 'UTC',
      CURFEW_PROPERTY_RUNS: process.env['CURFEW_PROPERTY_RUNS'] ?? (group === 'all' ? '10' : '1'),
    },
  },
});
