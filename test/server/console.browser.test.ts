/**
 * The console in a real Chromium against the real server: devices report over the real protocol, a
 * person signs in by a one-time link and watches. Without a browser the suite is skipped, loudly; where
 * a browser is required (CI, CURFEW_GET_BROWSER=1) it is fetched, and nothing is skipped.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServer, type CurfewServer } from '../../server/app.js';
import { sampleTrend } from '../../server/compliance.js';
import { makeEnrolToken } from '../../server/enrol.js';
import { makeSignInLink, signInUrl } from '../../server/people.js';
import { publish } from '../../server/publish.js';
import { readSettings } from '../../server/settings.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { deviceStates } from '../../server/views.js';
import {
  browserArguments,
  findBrowser,
  getBrowser,
  howToGetBrowser,
  isBrowserRequired,
} from '../worlds/browser.js';
import { buildConsoleIfOld, builtConsole } from './console-build.js';
import {
  buildFleet,
  claudeCode,
  claudeCodeTrace,
  fleetStates,
  pendingDays,
  policyYaml,
  qoder,
  snapshot,
  type Fleet,
} from './console-fleet.js';

const root = path.resolve(import.meta.dirname, '../..');
const isSkipped = findBrowser() === null && !isBrowserRequired;
if (isSkipped)
  process.stderr.write(
    `\n*** SKIPPED: the console's browser test, because no Chromium was found. ***\n*** ${howToGetBrowser} ***\n\n`,
  );

describe.skipIf(isSkipped)('the console in a browser', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'curfew-console-'));
  let clockMs = Date.now();
  let store: Store;
  let server: CurfewServer;
  let address: string;
  let fleet: Fleet;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const problems: string[] = [];
  const strangers: string[] = [];

  const signInLink = async () =>
    signInUrl(address, await makeSignInLink(store, { user: 'ana', role: 'admin', now: clockMs }));

  /** What somebody watching would have to be told: errors of the page, and requests to elsewhere. */
  const watch = (watched: Page) => {
    watched.on('pageerror', (error) => problems.push(error.message));
    watched.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) problems.push(message.text());
    });
    watched.on('request', (request) => {
      if (!request.url().startsWith(address)) strangers.push(request.url());
    });
  };

  beforeAll(async () => {
    const executablePath = await getBrowser();
    await buildConsoleIfOld();
    const now = clockMs;
    const settings = readSettings({
      flags: { data: folder, port: '0', 'log-level': 'error' },
      environment: {},
    });
    store = openSqliteStore(path.join(folder, 'server.sqlite'));
    const clock = () => clockMs;
    server = await createServer({ settings, store, clock, consoleFolder: builtConsole });
    address = await server.listen();
    const { catalogue, keys } = server.context;
    const published = await publish(
      { store, keys, catalogue, now },
      { yaml: policyYaml(now), author: 'ana' },
    );
    expect(published).toMatchObject({ kind: 'published', warnings: [] });
    await server.announcePublished();
    const enrolToken = await makeEnrolToken(store, {
      group: null,
      label: null,
      lifeMs: 30 * 86_400_000,
      uses: null,
      actor: 'ana',
      now: now - 10 * 86_400_000,
    });
    fleet = await buildFleet({
      address,
      enrolToken,
      now,
      clock,
      setClock: (at) => (clockMs = at),
      sample: () => sampleTrend(server.context),
    });
    browser = await chromium.launch({ executablePath, args: [...browserArguments] });
    context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme: 'light',
      locale: 'en-US',
      timezoneId: 'Europe/Berlin',
    });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    watch(page);
  }, 400_000);

  afterAll(async () => {
    await browser?.close();
    for (const device of fleet?.devices ?? []) device.close();
    await server?.close();
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

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
    const link = await signInLink();
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
    clockMs = Date.now();
    const need = page.getByRole('region', { name: 'Most in need' });
    expect(await need.getByText('kim-laptop').count()).toBe(0);
    await page.getByText('Live', { exact: true }).waitFor();
    await snapshot(fleet.kim, 'kim', clockMs, [qoder('kim', clockMs), claudeCode('kim', clockMs)]);
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
    const trace = claudeCodeTrace('kim', clockMs);
    await snapshot(fleet.kim, 'kim', clockMs, [claudeCode('kim', clockMs), trace]);
    const finding = page.getByRole('article').filter({ hasText: 'Claude Code' });
    const row = finding.getByRole('row').filter({ hasText: '.claude-code-2DTsDk1V' });
    await row.getByText('Trace', { exact: true }).waitFor();
    expect(await row.getByText('Allowed').count()).toBe(0);
    await snapshot(fleet.kim, 'kim', clockMs, [trace]);
    await finding.getByRole('heading').getByText('Trace', { exact: true }).waitFor();
    expect(await finding.getByText('Allowed').count()).toBe(0);
  });

  test('an open device changes when its tool is removed', async () => {
    await snapshot(fleet.kim, 'kim', clockMs, [qoder('kim', clockMs)]);
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
    server.context.live.close();
    await page.getByText('Reconnecting', { exact: true }).waitFor();
    await snapshot(fleet.kim, 'kim', clockMs, [claudeCode('kim', clockMs)]);
    await page.getByText('Live', { exact: true }).waitFor();
    await state('kim-laptop', 'Violation').waitFor();
  });

  test('axe finds nothing, in light and in dark, in any view', async () => {
    const views = ['/', '/devices', `/devices/${fleet.kim.id}`];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const view of views) {
        await page.goto(`${address}/#${view}`);
        await page.getByText('kim-laptop').first().waitFor();
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
    for (const view of ['/', '/devices', `/devices/${fleet.kim.id}`]) {
      await page.goto(`${address}/#${view}`);
      await page.getByText('kim-laptop').first().waitFor();
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
    await page.goto(await signInLink());
    await page.getByRole('link', { name: 'ana-laptop' }).waitFor();
    await server.close();
    await page.getByText('Reconnecting', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'ana-laptop' }).click();
    const failure = page.getByRole('main').getByRole('alert');
    await failure.getByText('NO_ANSWER').waitFor();
    expect(await failure.getByRole('button', { name: 'Try again' }).count()).toBe(1);
  });

  test('no page erred, broke its content policy, or spoke to another host', () => {
    expect(problems).toEqual([]);
    expect(strangers).toEqual([]);
  });
});
