/**
 * A candidate on its way through `curfew scan`: what is printed and why, what a policy may say of a
 * guess, the exit code, and what is still known after a restart.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Value from 'typebox/value';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runScan } from '../../agent/scan-command.js';
import { scanRecordSchema } from '../../agent/scan-schema.js';
import { place } from '../worlds/native.js';

let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-guess-')));
  home = path.join(top, 'home/ana');
  const manifest = {
    name: 'brand-new-agent',
    version: '0.1.0',
    bin: { run: 'cli.js' },
    dependencies: { openai: '^5.0.0' },
  };
  const folder = '.npm-global/lib/node_modules/brand-new-agent';
  place(home, `${folder}/package.json`, JSON.stringify(manifest));
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

async function scan(...argv: readonly string[]): Promise<{ exit: number; stdout: string }> {
  let stdout = '';
  const exit = await runScan(['--home', home, '--platform', 'linux', ...argv], {
    stdout: (text) => void (stdout += text),
    stderr: () => {},
  });
  return { exit, stdout };
}
function policy(decision: string, rules = '[]'): string {
  const denial = decision === 'deny' ? ', effective: 2026-01-01T00:00:00Z, after: block' : '';
  const text = `policy: case\ntitle: Case\ndefault: { decision: ${decision}${denial} }\nrules: ${rules}\n`;
  return place(top, 'policy.yaml', text);
}
const first = (stdout: string): Record<string, unknown> =>
  JSON.parse(stdout.split('\n')[0] ?? '') as Record<string, unknown>;

test('prints why, in a record that fits the schema and in words', async () => {
  const { stdout } = await scan('--json');
  expect(Value.Check(scanRecordSchema, first(stdout))).toBe(true);
  expect(first(stdout)).toMatchObject({
    tool: null,
    name: 'brand-new-agent',
    candidate: ['depends-on-model-sdk'],
  });
  const table = await scan();
  expect(table.stdout).toContain('may be an AI tool:');
  expect(table.stdout).toContain('it depends on a model SDK');
});

test('leaves a guess at review, whatever the default', async () => {
  for (const [decision, status] of [
    ['deny', 'review'],
    ['review', 'review'],
    ['allow', 'allowed'],
  ] as const) {
    const { exit, stdout } = await scan('--json', '--policy', policy(decision));
    expect(exit).toBe(0);
    expect(first(stdout)['verdict']).toMatchObject({ status, rule: 'default', action: null });
  }
});

test('follows a rule that says where it lies', async () => {
  const rules = `
  - id: place
    match: { path: '~/.npm-global/**' }
    decision: deny
    effective: 2026-01-01T00:00:00Z
    after: notify
    reason: { en: Not here. }`;
  const { exit, stdout } = await scan('--json', '--policy', policy('review', rules));
  expect(exit).toBe(1);
  expect(first(stdout)).toMatchObject({
    candidate: ['depends-on-model-sdk'],
    verdict: { status: 'violation', rule: 'place' },
  });
});

test('still knows it after a restart, and when it came', async () => {
  const state = ['--json', '--state', path.join(top, 'state')];
  const before = first((await scan(...state)).stdout);
  const after = first((await scan(...state)).stdout);
  expect(after['candidate']).toEqual(['depends-on-model-sdk']);
  expect(after['firstSeen']).toBe(before['firstSeen']);
});
