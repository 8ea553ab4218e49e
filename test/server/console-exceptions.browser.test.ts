/**
 * What softens the policy on a device, in a real Chromium against the real server: an exception appears
 * on the open page when it is granted and goes when it is ended, a pause too. Skipped, loudly, where
 * there is no browser.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addException, endException } from '../../server/exceptions.js';
import { changeTerms } from '../../server/terms.js';
import { findBrowser, howToGetBrowser, isBrowserRequired } from '../worlds/browser.js';
import { openConsole, type ConsoleWorld } from './console-world.js';

const isSkipped = findBrowser() === null && !isBrowserRequired;
if (isSkipped)
  process.stderr.write(
    `\n*** SKIPPED: the browser test of exceptions, because no Chromium was found. ***\n*** ${howToGetBrowser} ***\n\n`,
  );

describe.skipIf(isSkipped)('the page of a device', { timeout: 60_000 }, () => {
  let world: ConsoleWorld;
  beforeAll(async () => {
    world = await openConsole();
  }, 400_000);
  afterAll(() => world?.close());

  test('shows exceptions and a pause as they come, and no longer when they go', async () => {
    const { page, server, fleet, clockMs: now } = world;
    const { store, catalogue } = server.context;
    await page.goto(await world.signInLink());
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${world.address}/#/devices/${fleet.kim.id}`);
    await page.getByRole('region', { name: 'Scans' }).waitFor();
    const region = page.getByRole('region', { name: 'Exceptions' });
    expect(await region.count()).toBe(0);

    const until = new Date(now + 86_400_000).toISOString();
    const { exception } = await addException(
      { store, catalogue, now },
      {
        ...{ tool: 'claude-code', person: `kim@${fleet.kim.id}`, device: null, hardwareId: null },
        ...{ reason: 'Moves <b>one</b> project first.', author: 'ana', from: null },
        ...{ until, zone: null },
      },
      'ana',
    );
    await region.getByText('Moves <b>one</b> project first.').waitFor();
    expect(await region.innerText()).toMatch(/Claude Code\s+holds[\s\S]*granted by ana/);
    expect(await region.locator('time').getAttribute('datetime')).toBe(until);

    const pause = { until: null, zone: null };
    const target = { device: fleet.kim.id, actor: 'ana', now };
    await changeTerms(store, { ...target, change: { pause } });
    await region.getByText('until it is ended').waitFor();
    await endException(store, { id: exception.id, actor: 'ana', now });
    await region.getByText('Moves').waitFor({ state: 'detached' });
    await changeTerms(store, { ...target, change: { pause: null } });
    await region.waitFor({ state: 'detached' });
    expect(world.problems).toEqual([]);
    expect(world.strangers).toEqual([]);
  });
});
