/** The page of the agent's settings: the committed one is the generated one, and says what a reader needs. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { generated } from '../../installers/generate.js';

const file = 'docs/admin/agent-settings.md';
const page = readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8');

test('the page of settings is what the table of settings generates', async () => {
  expect(await generated([file])).toEqual([{ path: file, content: page }]);
});

test('a row says type, default, meaning, environment name and since when', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toContain(
    '| `CheckInMinutes` | whole number, 5 to 1440 | `60` | Minutes between full scans, give or take ten percent. | `CURFEW_CHECK_IN_MINUTES` | 0.1.0 |',
  );
  expect(rows.find((row) => row.startsWith('| `MaxAction`'))).toContain(
    '| `observe`, `notify`, `block`, `remove` | `notify` |',
  );
  expect(rows.filter((row) => row.includes('**Secret.**'))).toEqual([
    expect.stringMatching(/^\| `EnrollToken` \| text \| not set \|/),
  ]);
});

test('the places of each system are those of the design', () => {
  for (const row of [
    '| Linux | `/etc/curfew/managed.json` | `/etc/curfew/config.json` | `/var/lib/curfew` |',
    '| macOS | `/Library/Managed Preferences/com.example.curfew.plist` | `/etc/curfew/config.json` | `/var/db/curfew` |',
    '| Windows | `HKLM\\SOFTWARE\\Policies\\Example\\Curfew` | `C:\\ProgramData\\Example\\Curfew\\config.json` | `C:\\ProgramData\\Example\\Curfew` |',
  ])
    expect(page).toContain(row);
});
