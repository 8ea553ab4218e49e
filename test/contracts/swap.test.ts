/** A parent folder swapped for a link during the read, a few hundred times; see `swap.all.test.ts`. */
import { expect, test } from 'vitest';
import { held } from './subjects.js';
import { inFolder, readWhileSwapped, scanWhileSwapped } from './swaps.js';

test('of 600 reads below a folder that is swapped none gives a byte or a name from outside', async () => {
  await inFolder(async (top) => {
    const outcome = await readWhileSwapped(top, 600);
    // Else nothing was swapped while it was read, and nothing is shown.
    expect(outcome.inside).toBeGreaterThan(0);
    expect(outcome.refused + outcome.nothing).toBeGreaterThan(0);
  });
});

test.each(held)('$name uses nothing of the person to whom the link leads', async (subject) => {
  await inFolder((top) => scanWhileSwapped(top, subject, 20));
});
