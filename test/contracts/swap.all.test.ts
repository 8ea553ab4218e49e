/** The same as `swap.test.ts`, ten thousand times: as root, who could read all that the link leads to. */
import { expect, test } from 'vitest';
import { held } from './subjects.js';
import { inFolder, readWhileSwapped, scanWhileSwapped } from './swaps.js';

test('of 10,000 reads below a folder that is swapped none gives a byte or a name from outside', async () => {
  await inFolder(async (top) => {
    const outcome = await readWhileSwapped(top, 10_000);
    expect(outcome.inside).toBeGreaterThan(100);
    expect(outcome.refused).toBeGreaterThan(100);
  });
});

test.each(held)(
  '$name uses nothing of the person to whom the link leads, in 800 scans',
  async (subject) => {
    await inFolder((top) => scanWhileSwapped(top, subject, 800));
  },
  120_000,
);
