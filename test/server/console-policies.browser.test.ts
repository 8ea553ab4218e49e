/**
 * The page about policies in a real Chromium: what is live, and for an admin the way from a text to a plan
 * to a publish. Skipped, loudly, where there is no browser.
 */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { makePlan } from '../../server/planning.js';
import { noChange } from '../../server/policy-change.js';
import { findBrowser, howToGetBrowser, isBrowserRequired } from '../worlds/browser.js';
import { policyYaml } from './console-fleet.js';
import { openConsole, type ConsoleWorld } from './console-world.js';

const isSkipped = findBrowser() === null && !isBrowserRequired;
if (isSkipped)
  process.stderr.write(
    `\n*** SKIPPED: the browser test of policies, because no Chromium was found. ***\n*** ${howToGetBrowser} ***\n\n`,
  );

describe.skipIf(isSkipped)('the page about policies', { timeout: 60_000 }, () => {
  let world: ConsoleWorld;
  let page: Page;
  let changed: string;

  beforeAll(async () => {
    world = await openConsole();
    ({ page } = world);
    changed = policyYaml(world.clockMs).replace('effective: 2026-07-10', 'effective: 2026-07-06');
    await page.goto(await world.signInLink());
    await page.getByRole('link', { name: 'Policies' }).click();
    await page.getByRole('heading', { level: 1, name: 'Policies' }).waitFor();
  }, 400_000);
  afterAll(() => world?.close());

  const box = () => page.getByRole('textbox', { name: 'Change', exact: true });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const result = () => page.getByRole('region', { name: 'What it would do' });

  test('shows what is live, with dates and text', async () => {
    const live = page.getByRole('region', { name: 'Live policies' });
    await live.getByText('Claude Code · Denied from Jul 10, 2026').waitFor();
    await live.getByText('Text', { exact: true }).click();
    await live.getByText('id: claude-code-ban').waitFor();
    await live.getByRole('button', { name: 'Edit' }).click();
    expect(await box().inputValue()).toBe(policyYaml(world.clockMs));
  });

  test('names the place of an error, and plans and publishes nothing', async () => {
    await box().fill(changed.replace('effective: 2026-07-06', 'effective: soon'));
    await button('Plan').click();
    const alert = result().getByRole('alert');
    await alert.getByText('expected a day').waitFor();
    expect(await alert.innerText()).toMatch(/Line \d+, column \d+ rules\[\d\]\.effective/);
    expect(await button('Publish').isDisabled()).toBe(true);
  });

  test('plans with the very figures of the server', async () => {
    await box().fill(changed);
    await page.getByLabel('Also judge the fleet at').fill('2026-08-01');
    await button('Plan').click();
    const told = result().getByText(/in force 4 days earlier, from 2026-07-10 to 2026-07-06/);
    await told.waitFor();
    const { store } = world.server.context;
    const planner = { store, catalogue: builtInCatalogue(), now: world.clockMs };
    const request = {
      change: { ...noChange, texts: [changed] },
      at: ['2026-08-01'],
      author: 'ana',
    };
    const answer = await makePlan(planner, request);
    if (answer.kind === 'invalid') throw new Error('the policy is valid');
    const { impact } = answer.plan;
    const { devices, people, components } = impact;
    await result()
      .getByText(`${devices} devices, ${people} people, ${components} components`)
      .waitFor();
    const table = result().getByRole('table', { name: 'Devices', exact: true });
    const rows = await table.getByRole('row').all();
    expect(rows).toHaveLength(impact.at.length + 1);
    for (const [index, one] of impact.at.entries()) {
      const cells = (await rows[index + 1]?.getByRole('cell').allInnerTexts()) ?? [];
      const { live, planned, become } = one.devices;
      const shown = (
        ['violation', 'unforeseen', 'pending', 'unknown', 'excepted', 'clear'] as const
      ).map(
        (name) =>
          (live[name] === planned[name] ? `${planned[name]}` : `${live[name]} → ${planned[name]}`) +
          (become[name] === 0 ? '' : `\n${become[name]} new`),
      );
      expect(cells.slice(0, 6).map((text) => text.trim())).toEqual(shown);
    }
  });

  test('axe finds nothing, in light and in dark, and it fits a narrow screen', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
      const { violations } = await new AxeBuilder({ page }).options({ preload: false }).analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
      expect({ colorScheme, found }).toEqual({ colorScheme, found: [] });
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test('speaks Chinese, differences too', async () => {
    await page.getByText('中文', { exact: true }).click();
    await page.getByRole('region', { name: '预演结果' }).waitFor();
    await page.getByText(/生效提前 4 天，从 2026-07-10 改为 2026-07-06/).waitFor();
    await page.getByText('English', { exact: true }).click();
  });

  test('publishes what was planned and nothing else', async () => {
    expect(await button('Publish').isEnabled()).toBe(true);
    await box().fill(`${changed}# one more line\n`);
    expect(await button('Publish').isDisabled()).toBe(true);
    await box().fill(changed);
    await button('Publish').click();
    await page.getByText('Published as bundle 2.').waitFor();
    const live = page.getByRole('region', { name: 'Live policies' });
    await live.getByText('Claude Code · Denied from Jul 6, 2026').waitFor();
    expect(await world.server.context.store.read.policies.latestSequence()).toBe(2);
  });

  test('no page erred, broke its content policy, or spoke to another host', () => {
    expect(world.problems).toEqual([]);
    expect(world.strangers).toEqual([]);
  });
});
