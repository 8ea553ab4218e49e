/**
 * Asks the console why a tool is not allowed, as a person with a keyboard and as one with a screen
 * reader would; used by the console's browser test on the page of a device with Claude Code on it.
 */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const said = [
  'Back-door risk.',
  'Use Qoder CLI instead.',
  'tool is claude-code, not qoder or qoder-cli',
  'tool is claude-code, state is installed, scope is global: deny',
  'What the server does not know: the full path; who published or signed it',
];

/** Opens the dialog, reads it, closes it. */
export async function asksWhy(page: Page): Promise<void> {
  const finding = page.getByRole('article').filter({ hasText: 'Claude Code' });
  const button = finding.getByRole('button', { name: /^Why\? / }).first();
  await button.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Why: Claude Code' });
  await dialog.getByText('Claude Code is not allowed here since 10 July 2026, 00:00').waitFor();
  const text = await dialog.innerText();
  for (const words of said) expect(text).toContain(words);
  const { violations } = await new AxeBuilder({ page }).options({ preload: false }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)).toEqual([]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  const hasFocus = await button.evaluate(
    (node: { ownerDocument: { activeElement: unknown } }) =>
      node.ownerDocument.activeElement === node,
  );
  expect(hasFocus).toBe(true);
}
