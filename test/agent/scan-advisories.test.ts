/**
 * Published faults as scans show them: beside the version they are of, in the records and at the foot
 * of the table.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runScan } from '../../agent/scan-command.js';
import { scanRecordSchema } from '../../agent/scan-schema.js';
import Value from 'typebox/value';
import { claudeNative, program } from '../worlds/native.js';
import { claudeCode, gemini, npmGlobal } from '../worlds/npm.js';

const covert = 'claude-code-covert-prompt-marker';
let home = '';

beforeEach(() => {
  home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-faults-')));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

interface Row {
  readonly record: string;
  readonly version?: string | null;
  readonly advisories?: readonly string[];
  readonly possibleAdvisories?: readonly string[];
}

async function scan(...flags: readonly string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await runScan(['--home', home, '--platform', 'linux', ...flags], {
    stdout: (more) => void (text += more),
    stderr: () => {},
  });
  return { code, text };
}

async function rows(): Promise<readonly Row[]> {
  const { text } = await scan('--json');
  const all = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  for (const row of all) expect(Value.Check(scanRecordSchema, row)).toBe(true);
  return all.filter(({ record }) => record === 'component');
}

const global = (): string => path.join(home, '.npm-global');

describe('a version with a published fault', () => {
  test('is told with its id in the record, and a clean one beside it is not', async () => {
    claudeNative(home, ['2.1.150', '2.1.198'], '2.1.198');
    const told = (await rows()).map(({ version, advisories = [] }) => [version, advisories]);
    expect(told.sort()).toEqual([
      ['2.1.150', [covert]],
      ['2.1.198', []],
    ]);
  });

  test('is marked in the table, with title and source at its foot, once for all installs', async () => {
    claudeNative(home, ['2.1.150', '2.1.160'], '2.1.160');
    const { code, text } = await scan();
    expect(code).toBe(0);
    expect(text).toContain('2.1.150 (!)');
    expect(text).toContain('2.1.160 (!)');
    const foot = text.split('\n').filter((line) => line.startsWith('(!)'));
    expect(foot).toEqual([
      `(!) ${covert} (high): Covert check of time zone and proxy host, hidden in the date line of the system prompt. https://github.com/anthropics/claude-code/issues/72518`,
    ]);
  });
});

describe('a program whose version no record states', () => {
  test('may have any fault of the tool, and is not told to have one', async () => {
    program(home, '.local/bin/claude', '\u007fELF some program');
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row?.advisories).toBeUndefined();
    expect(row?.possibleAdvisories).toContain(covert);
    const { text } = await scan();
    expect(text).toContain('unknown (?)');
    expect(text).toContain('(?) Claude Code: the version is not known, so any');
    expect(text).not.toContain('(!)');
  });
});

describe('what has no published fault', () => {
  test('has neither field nor foot', async () => {
    npmGlobal(global(), claudeCode('2.1.331'), gemini('0.61.0'));
    fs.writeFileSync(path.join(home, '.npmrc'), `prefix=${global()}\n`);
    const told = await rows();
    expect(told.length).toBeGreaterThan(1);
    for (const row of told) {
      expect(row).not.toHaveProperty('advisories');
      expect(row).not.toHaveProperty('possibleAdvisories');
    }
    expect((await scan()).text).not.toMatch(/\((!|\?)\)/);
  });
});
