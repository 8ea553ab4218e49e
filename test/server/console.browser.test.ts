/**
 * The console in a real Chromium against the real server: devices report over the real protocol, a
 * person signs in by a one-time link and watches. Without a browser the suite is skipped, loudly; where
 * a browser is required (CI, CURFEW_GET_BROWSER=1) it is fetched, and nothing is skipped.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceStates } from '../../server/views.js';
import { findBrowser, howToGetBrowser, isBrowserRequired } from '../worlds/browser.js';
import {
  claudeCode,
  claudeCodeTrace,
  fleetStates,
  guess,
  pendingDays,
  qoder,
  snapshot,
  type Fleet,
} from './console-fleet.js';
import { asksWhy } from './console-why.js';
import { openConsole, type ConsoleWorld } from './console-world.js';

const root = path.resolve(import.meta.dirname, '../..');
const isSkipped = findBrowser() === null && !isBrowserRequired;
if (isSkipped)
  process.stderr.write(
    `\n*** SKIPPED: the console's browser test, because no Chromium was found. ***\n*** ${howToGetBrowser} ***\n\n`,
  );

describe.skipIf(isSkipped)('the console in a browser', { timeout: 60_000 }, () => {
  let world: ConsoleWorld;
  let address: string;
  let fleet: Fleet;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    world = await openConsole();
    ({ address, fleet, browser, context, page } = world);
  }, 400_000);
  afterAll(() => world?.close());

  const seen = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const countOf = async (label: string) => {
    const fleetPanel = page.getByRole('region', { name: 'Fleet' });
    const name = new RegExp(`^\\d+ ?${label}$`);
    return parseInt(await fleetPanel.getByRole('link', { name }).innerText(), 10);
  };
  const state = (name: string, word: string) =>
    page.getByRole('row').filter({ hasText: name }).getByText(word, { exact: true }).first();

  test('whoever has no session is told how to get a link', async () => {
    await page.goto(address);
    await seen('curfew-server user link');
    expect(await page.getByRole('navigation').count()).toBe(0);
  });

  test('a one-time link opens the overview and leaves the address', async () => {
    const link = await world.signInLink();
    await page.goto(link);
    await page.getByRole('region', { name: 'Fleet' }).waitFor();
    expect(page.url()).toBe(`${address}/#/`);
    await page.evaluate('window.isSamePage = true');

    const other = await browser.newContext();
    const stranger = await other.newPage();
    await stranger.goto(link);
    await stranger.getByText('AUTH_LINK_INVALID').waitFor();
    await other.close();
  });

  test('the overview counts every device once, in the state it is in', async () => {
    const words = {
      violation: 'Violation',
      pending: 'Pending',
      unknown: 'Unknown',
      partial: 'Partial',
      stale: 'Stale',
      'never-scanned': 'Never scanned',
      excepted: 'Excepted',
      clear: 'Clear',
    } as const;
    const shown: Record<string, number> = {};
    for (const one of deviceStates) shown[one] = await countOf(words[one]);
    expect(shown).toEqual(fleetStates);
    await seen('16 devices');
    await seen('1 device with something to review');
  });

  test('dates count in the policy’s zone and show the viewer’s on focus', async () => {
    const dates = page.getByRole('region', { name: 'Dates' });
    const items = dates.getByRole('listitem');
    expect(await items.filter({ hasText: 'OpenAI Codex CLI' }).innerText()).toContain(
      `${pendingDays} days\nuntil in force`,
    );
    const ban = items.filter({ hasText: 'Claude Code' });
    expect(await ban.innerText()).toContain('In force since Jul 10, 2026 Asia/Shanghai');
    expect(await ban.innerText()).toContain('Use Qoder CLI instead');
    await ban.locator('.date').focus();
    await page.getByRole('tooltip').getByText('Jul 9, 2026').waitFor();
  });

  test('the chart is drawn and can be read as a table', async () => {
    const trend = page.getByRole('region', { name: 'Over time' });
    await trend.locator('.recharts-area').first().waitFor();
    await trend.getByText('Show as a table').click();
    const rows = trend.getByRole('row');
    expect(await rows.count()).toBeGreaterThan(15);
    const oldest = await rows.last().getByRole('cell').allInnerTexts();
    const newest = await rows.nth(1).getByRole('cell').allInnerTexts();
    expect([oldest[0], newest[0]]).toEqual(['10', '2']);
    await trend.getByText('Show as a table').click();
  });

  test('a violation turns up without reload', async () => {
    world.clockMs = Date.now();
    const need = page.getByRole('region', { name: 'Most in need' });
    expect(await need.getByText('kim-laptop').count()).toBe(0);
    await page.getByText('Live', { exact: true }).waitFor();
    await snapshot(fleet.kim, 'kim', world.clockMs, {
      components: [qoder('kim', world.clockMs), claudeCode('kim', world.clockMs)],
    });
    await need.getByText('kim-laptop').waitFor({ timeout: 2000 });
    await state('kim-laptop', 'Violation').waitFor();
    await page.getByRole('status').getByText('kim-laptop: Violation').waitFor();
    await expect.poll(() => countOf('Violation')).toBe(fleetStates.violation + 1);
    await expect.poll(() => countOf('Clear')).toBe(fleetStates.clear - 1);
    await page.locator('tr[data-changed="true"]').filter({ hasText: 'kim-laptop' }).waitFor();
    expect(await page.evaluate('window.isSamePage')).toBe(true);
    if (process.env['CURFEW_UPDATE_SCREENSHOTS'] === '1') await takePicture();
  });

  /** Once the marks of the change have faded; the pointer rests where it opens nothing. */
  async function takePicture(): Promise<void> {
    await page.mouse.move(2, 400);
    await page.locator('[data-changed="true"]').first().waitFor({ state: 'detached' });
    await page.evaluate('document.activeElement.blur()');
    await page.waitForTimeout(500);
    mkdirSync(path.join(root, 'docs/img'), { recursive: true });
    await page.screenshot({ path: path.join(root, 'docs/img/console.png') });
  }

  test('a row opens the device by keyboard, with finding and history', async () => {
    await page.getByRole('link', { name: 'kim-laptop' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'kim-laptop' }).waitFor();
    const finding = page.getByRole('article').filter({ hasText: 'Claude Code' });
    const text = await finding.innerText();
    for (const fact of ['Violation', 'Use Qoder CLI instead', 'In force since Jul 10, 2026'])
      expect(text).toContain(fact);
    const component = finding.getByRole('row').nth(1);
    expect(await component.innerText()).toMatch(
      /@anthropic-ai\/claude-code\s+2\.1\.91\s+npm · nvm/,
    );
    const history = page.getByRole('region', { name: 'History' });
    await history.getByText('Enrolled').waitFor();
    await history.getByText('Qoder CLI').first().waitFor();
    await page.getByRole('region', { name: 'Scans' }).getByText('Home of kim').waitFor();
  });

  test('why opens by keyboard with every rule that was tried, and gives the focus back', () =>
    asksWhy(page));

  test('the history shows technical entries only when asked', async () => {
    const history = page.getByRole('region', { name: 'History' });
    expect(await history.getByText('Snapshot', { exact: true }).count()).toBe(0);
    const isShown = history.getByRole('switch', { name: 'Show technical entries' });
    await isShown.click();
    await history.getByText('Snapshot', { exact: true }).first().waitFor();
    await isShown.click();
    await history.getByText('Snapshot', { exact: true }).first().waitFor({ state: 'detached' });
  });

  test('what is left of a tool has no verdict but is called a trace', async () => {
    const trace = claudeCodeTrace('kim', world.clockMs);
    await snapshot(fleet.kim, 'kim', world.clockMs, {
      components: [claudeCode('kim', world.clockMs), trace],
    });
    const finding = page.getByRole('article').filter({ hasText: 'Claude Code' });
    const row = finding.getByRole('row').filter({ hasText: '.claude-code-2DTsDk1V' });
    await row.getByText('Trace', { exact: true }).waitFor();
    expect(await row.getByText('Allowed').count()).toBe(0);
    await snapshot(fleet.kim, 'kim', world.clockMs, { components: [trace] });
    await finding.getByRole('heading').getByText('Trace', { exact: true }).waitFor();
    expect(await finding.getByText('Allowed').count()).toBe(0);
  });

  test('an open device changes when its tool is removed', async () => {
    await snapshot(fleet.kim, 'kim', world.clockMs, { components: [qoder('kim', world.clockMs)] });
    await page.getByRole('article').filter({ hasText: 'Claude Code' }).waitFor({
      state: 'detached',
      timeout: 2000,
    });
    await page.getByText('Clear', { exact: true }).first().waitFor();
    expect(await page.evaluate('window.isSamePage')).toBe(true);
    // A snapshot tells no removals; that it holds less is not folded away.
    const history = page.getByRole('region', { name: 'History' });
    await history.getByText('Snapshot', { exact: true }).first().waitFor();
  });

  test('C052 hostile names are shown as text, with what hides written out', async () => {
    await page.getByRole('link', { name: 'Devices', exact: true }).click();
    await page.getByRole('searchbox').fill('ana-lap');
    await seen('1 of 1 device');
    await page.getByRole('link', { name: 'ana-laptop' }).click();
    const finding = page.getByRole('article').filter({ hasText: 'gpj.exe' });
    expect(await finding.getByRole('heading').innerText()).toContain(
      'evil\\u000a\\u202egpj.exe<img src=x onerror=alert(1)>',
    );
    expect(await page.locator('main img').count()).toBe(0);
    await page.getByText('review', { exact: true }).waitFor();
  });

  test('a guess says why it is one, and a tool where its requests go and what is wrong with it', async () => {
    await page.goto(`${address}/#/devices/${fleet.ana.id}`);
    const guess = page.getByRole('article').filter({ hasText: 'brand-new-agent' });
    await guess.getByText('not in the catalogue').waitFor();
    expect(await guess.innerText()).toContain(
      'May be an AI tool: it has a command and depends on a model vendor’s SDK; it speaks the Agent Client Protocol (ACP)',
    );
    expect(await guess.getByText('Model gateway').count()).toBe(0);
    const tool = page.getByRole('article').filter({ hasText: 'Claude Code' });
    await tool.getByText('Model gateway llm.example.com', { exact: true }).waitFor();
    expect(await tool.getByRole('columnheader', { name: 'Model gateway' }).count()).toBe(0);
    const faults = tool.getByRole('listitem');
    await faults.getByText('Covert check of time zone').waitFor();
    expect((await faults.allInnerTexts()).map((text) => text.split(':')[0])).toEqual([
      'High claude-code-covert-prompt-marker',
      'Medium CVE-2026-46406',
    ]);
    expect(await faults.first().innerText()).toContain('Fixed in Claude Code 2.1.198');
    expect(await faults.first().getByRole('link').getAttribute('href')).toBe(
      'https://github.com/anthropics/claude-code/issues/72518',
    );
  });

  test('what the policy has only counted shows as a number', async () => {
    const scans = page.getByRole('region', { name: 'Scans' });
    await scans.getByText('2 local models; 0 services left behind').waitFor();
  });

  test('gateways are a column where components differ in them', async () => {
    const tool = claudeCode('ana', world.clockMs, { gateway: 'llm.example.com' });
    const other = claudeCode('ana', world.clockMs, { id: 'f'.repeat(32), path: '~/bin/claude' });
    await snapshot(fleet.ana, 'ana', world.clockMs, {
      components: [tool, other, guess('ana', world.clockMs)],
      counts: { model: 2, service: 0 },
    });
    const rows = page.getByRole('article').filter({ hasText: 'Claude Code' }).getByRole('row');
    await rows.filter({ hasText: '~/bin/claude' }).getByText('none known').waitFor();
    await rows.getByText('llm.example.com', { exact: true }).waitFor();
  });

  test('the tools say on how many devices a version has a published fault', async () => {
    await page.goto(`${address}/#/`);
    const row = page.getByRole('row').filter({ hasText: 'Claude Code' });
    // All that have it, but the one whose version could not be read.
    const cells = row.getByRole('cell');
    await expect.poll(async () => (await cells.allInnerTexts()).map(Number)).toEqual([6, 4, 0, 5]);
    await row
      .getByRole('note', { name: '5 devices with a published fault: CVE-2026-46406' })
      .hover();
    await page.getByRole('tooltip').getByText('claude-code-covert-prompt-marker').waitFor();
  });

  test('the list narrows by state, and an unknown device says so', async () => {
    await page.goto(`${address}/#/devices?state=partial`);
    await seen('1 of 1 device');
    expect(await state('ana-build', 'Violation').count()).toBe(1);
    await page.getByRole('searchbox').fill('nobody has this name');
    await page.getByRole('button', { name: 'Show all devices' }).click();
    await seen('16 of 16 devices');
    await page.goto(`${address}/#/devices/no-such-device`);
    await page.getByRole('alert').getByText('NOT_FOUND').waitFor();
  });

  test('a root that could not be read is named', async () => {
    await page.goto(`${address}/#/devices?state=partial`);
    await page.getByRole('link', { name: 'ana-build' }).click();
    const scans = page.getByRole('region', { name: 'Scans' });
    await scans.getByText('~/.volta/tools').waitFor();
    expect(await scans.innerText()).toContain('not readable');
    await page.getByText('last known: Violation').waitFor();
  });

  test('nothing is missed while the live link is down', async () => {
    await page.goto(`${address}/#/devices`);
    await state('kim-laptop', 'Clear').waitFor();
    world.server.context.live.close();
    await page.getByText('Reconnecting', { exact: true }).waitFor();
    await snapshot(fleet.kim, 'kim', world.clockMs, {
      components: [claudeCode('kim', world.clockMs)],
    });
    await page.getByText('Live', { exact: true }).waitFor();
    await state('kim-laptop', 'Violation').waitFor();
  });

  test('axe finds nothing, in light and in dark, in any view', async () => {
    const views = [
      ['/', 'kim-laptop'],
      ['/devices', 'kim-laptop'],
      [`/devices/${fleet.kim.id}`, 'kim-laptop'],
      [`/devices/${fleet.ana.id}`, 'Published faults'],
    ] as const;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [view, text] of views) {
        await page.goto(`${address}/#${view}`);
        await page.getByText(text).first().waitFor();
        await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
        if (view === '/') await page.locator('.recharts-area').first().waitFor();
        const { violations } = await new AxeBuilder({ page }).options({ preload: false }).analyze();
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
        expect({ view, colorScheme, found }).toEqual({ view, colorScheme, found: [] });
      }
    }
    await page.emulateMedia({ colorScheme: 'light' });
  });

  test('Chinese is one switch away, and stays', async () => {
    await page.goto(`${address}/#/`);
    await page.getByText('中文', { exact: true }).click();
    await page.getByRole('heading', { name: '最需处理' }).waitFor();
    await seen('存在后门风险。');
    await page.reload();
    await page.getByRole('link', { name: '总览' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
    await page.goto(`${address}/#/devices/${fleet.ana.id}`);
    await seen('可能是 AI 工具：带有命令，并依赖模型厂商的 SDK；支持代理客户端协议（ACP）');
    await seen('策略只要求上报数量：2 个本地模型；0 个残留服务');
    await seen('已公布的缺陷');
    await page.goto(`${address}/#/devices/${fleet.kim.id}`);
    await page
      .getByRole('button', { name: /^为什么？/ })
      .first()
      .click();
    await page.getByRole('dialog').getByText('请改用 Qoder CLI。').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('English', { exact: true }).click();
    await page.getByRole('link', { name: 'Overview' }).waitFor();
  });

  test('a browser in Chinese starts in Chinese', async () => {
    const other = await browser.newContext({ locale: 'zh-CN' });
    const chinese = await other.newPage();
    await chinese.goto(address);
    await chinese.getByRole('heading', { name: '登录 Curfew' }).waitFor();
    await other.close();
  });

  test('it fits a screen of 360 pixels', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const [view, text] of [
      ['/', 'kim-laptop'],
      ['/devices', 'kim-laptop'],
      [`/devices/${fleet.kim.id}`, 'kim-laptop'],
      [`/devices/${fleet.ana.id}`, 'Published faults'],
    ] as const) {
      await page.goto(`${address}/#${view}`);
      await page.getByText(text).first().waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test('signing out ends the session everywhere', async () => {
    const second = await context.newPage();
    await second.goto(`${address}/#/devices`);
    await second.getByText('kim-laptop').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await seen('Sign in to Curfew');
    await second.reload();
    await second.getByText('Sign in to Curfew').waitFor();
  });

  test('a server that is gone is named, with a way to try again', async () => {
    await page.goto(await world.signInLink());
    await page.getByRole('link', { name: 'ana-laptop' }).waitFor();
    await world.server.close();
    await page.getByText('Reconnecting', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'ana-laptop' }).click();
    const failure = page.getByRole('main').getByRole('alert');
    await failure.getByText('NO_ANSWER').waitFor();
    expect(await failure.getByRole('button', { name: 'Try again' }).count()).toBe(1);
  });

  test('no page erred, broke its content policy, or spoke to another host', () => {
    expect(world.problems).toEqual([]);
    expect(world.strangers).toEqual([]);
  });
});
