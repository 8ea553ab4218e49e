/**
 * Chromium itself as the validator of its extension policy: the compiled file lies where Debian's
 * Chromium reads machine policies, and `chrome://policy` says whether each is in order. As root on Linux
 * alone, as the folder is the machine's; the file is taken away again.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { chromium } from 'playwright-core';
import { browserTargets } from '../../../policies/compile/browsers.js';
import {
  browserArguments,
  findBrowser,
  getBrowser,
  isBrowserRequired,
} from '../../worlds/browser.js';
import { compiled } from './policies.js';
import { textOf } from './readers.js';

const folder = '/etc/chromium/policies/managed';
const file = path.join(folder, 'curfew-test.json');
const isPossible = process.platform === 'linux' && process.getuid?.() === 0;

const isSkipped = !isPossible || (findBrowser() === null && !isBrowserRequired);

let executablePath = '';
beforeAll(async () => {
  if (!isSkipped) executablePath = await getBrowser();
}, 300_000);
afterEach(() => {
  if (!isSkipped) rmSync(file, { force: true });
});

/** What chrome://policy has in the row of a policy: its value, and one of the cells is its status. */
async function rowOf(name: string, text: string): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
  const browser = await chromium.launch({ executablePath, args: [...browserArguments] });
  try {
    const page = await browser.newPage();
    await page.goto('chrome://policy');
    // The row's own cells: playwright looks through shadow roots.
    const row = page.locator('.policy.row').filter({ hasText: name }).first();
    await row.waitFor({ timeout: 20_000 });
    const cells = await row.locator('div').allTextContents();
    return cells.map((cell) => cell.trim());
  } finally {
    await browser.close();
  }
}

const id = 'fcoeoabgfenejglbffodgkkbkcdhcgfn';
const policy = `
policy: p
title: A policy
timezone: utc
default: { decision: review }
rules:
  - id: ban
    match: { package: { browser-extension: ${id} } }
    decision: deny
    effective: 2026-07-10
    after: remove
    reason: { en: 'Not "here" \\ there.', zh-CN: 不可。 }
    replacement: { tool: qoder, guide: 'https://example.com/?a=1&b=2' }
`;

describe.skipIf(isSkipped)('Chromium', { timeout: 60_000 }, () => {
  test('takes the compiled policy and finds nothing wrong with it', async () => {
    const chrome = browserTargets.find((one) => one.id === 'chrome');
    if (chrome === undefined) throw new Error('no target chrome');
    const result = compiled(chrome, policy);
    const cells = await rowOf('ExtensionSettings', textOf(result, 'chrome/curfew.json') ?? '');
    expect(cells.join(' ')).toContain(id);
    expect(cells.join(' ')).toContain('"installation_mode":"removed"');
    expect(cells).toContain('OK');
  });

  test('does say so where one is wrong', async () => {
    const wrong = { ExtensionSettings: { [id]: { installation_mode: 'forbidden' } } };
    const cells = await rowOf('ExtensionSettings', JSON.stringify(wrong));
    expect(cells.join(' ')).toContain('forbidden');
    expect(cells).not.toContain('OK');
  });
});
