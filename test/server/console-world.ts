/**
 * A console to look at: a real server on an empty data folder with the fleet of `console-fleet.ts`, and a
 * real Chromium with one page that is watched for errors and for requests to elsewhere. It asserts no
 * more than that the policy was published.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { createServer, type CurfewServer } from '../../server/app.js';
import { sampleTrend } from '../../server/compliance.js';
import { makeEnrolToken } from '../../server/enrol.js';
import { makeSignInLink, signInUrl } from '../../server/people.js';
import { planAndPublish } from './publishing.js';
import { readSettings } from '../../server/settings.js';
import type { Store } from '../../server/store/index.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { browserArguments, getBrowser } from '../worlds/browser.js';
import { buildConsoleIfOld, builtConsole } from './console-build.js';
import { buildFleet, policyYaml, type Fleet } from './console-fleet.js';

export interface ConsoleWorld {
  readonly address: string;
  readonly server: CurfewServer;
  readonly fleet: Fleet;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of the page, and what its content policy refused. */
  readonly problems: readonly string[];
  /** Requests to other hosts than the server. */
  readonly strangers: readonly string[];
  /** What the server takes for now, epoch ms. */
  clockMs: number;
  signInLink(): Promise<string>;
  close(): Promise<void>;
}

interface Served {
  readonly store: Store;
  readonly server: CurfewServer;
  readonly address: string;
}

async function serve(folder: string, clock: () => number): Promise<Served> {
  const settings = readSettings({
    flags: { data: folder, port: '0', 'log-level': 'error' },
    environment: {},
  });
  const store = openSqliteStore(path.join(folder, 'server.sqlite'));
  const server = await createServer({ settings, store, clock, consoleFolder: builtConsole });
  const address = await server.listen();
  const { catalogue, keys } = server.context;
  const now = clock();
  const published = await planAndPublish(
    { store, keys, catalogue, now },
    { yaml: policyYaml(now), author: 'ana' },
  );
  expect(published).toMatchObject({ kind: 'published', warnings: [[]] });
  await server.announcePublished();
  return { store, server, address };
}

/** Server, fleet and browser, ready to be looked at; nobody is signed in. */
export async function openConsole(): Promise<ConsoleWorld> {
  const executablePath = await getBrowser();
  await buildConsoleIfOld();
  const folder = mkdtempSync(path.join(tmpdir(), 'curfew-console-'));
  const time = { clockMs: Date.now() };
  const clock = (): number => time.clockMs;
  const now = clock();
  const { store, server, address } = await serve(folder, clock);
  const enrolToken = await makeEnrolToken(store, {
    group: null,
    label: null,
    lifeMs: 30 * 86_400_000,
    uses: null,
    actor: 'ana',
    now: now - 10 * 86_400_000,
  });
  const fleet = await buildFleet({
    address,
    enrolToken,
    now,
    clock,
    setClock: (at) => (time.clockMs = at),
    sample: () => sampleTrend(server.context),
  });
  const browser = await chromium.launch({ executablePath, args: [...browserArguments] });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    locale: 'en-US',
    timezoneId: 'Europe/Berlin',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  return {
    ...{ address, server, fleet, browser, context, page, ...watch(page, address) },
    get clockMs() {
      return time.clockMs;
    },
    set clockMs(at) {
      time.clockMs = at;
    },
    signInLink: async () =>
      signInUrl(address, await makeSignInLink(store, { user: 'ana', role: 'admin', now: clock() })),
    close: async () => {
      await browser.close();
      for (const device of fleet.devices) device.close();
      await server.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What somebody watching would have to be told: errors of the page, and requests to elsewhere. */
function watch(page: Page, address: string): Pick<ConsoleWorld, 'problems' | 'strangers'> {
  const problems: string[] = [];
  const strangers: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(address)) strangers.push(request.url());
  });
  return { problems, strangers };
}
