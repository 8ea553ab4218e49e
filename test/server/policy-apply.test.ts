/** `policy apply`: a folder of policies, its cases and its order, again and again. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { run } from '../../server/cli.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { banPolicy } from './policies.js';

let folder: string;
let policies: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-apply-'));
  mkdirSync(path.join(folder, 'data'));
  policies = path.join(folder, 'policies');
  mkdirSync(policies);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** Exit code, records of stdout, and stderr. */
async function apply(...flags: string[]) {
  let out = '';
  let err = '';
  const keep = (add: (text: string) => void) =>
    ((text: string | Uint8Array) => {
      add(String(text));
      return true;
    }) as typeof process.stdout.write;
  vi.spyOn(process.stdout, 'write').mockImplementation(keep((text) => (out += text)));
  vi.spyOn(process.stderr, 'write').mockImplementation(keep((text) => (err += text)));
  const data = path.join(folder, 'data');
  const words = ['policy', 'apply', policies, '--data', data, '--json', '--author', 'ci', ...flags];
  const code = await run(['node', 'curfew-server', ...words]);
  vi.restoreAllMocks();
  const records = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, err, records, result: records.at(-1) };
}

async function live(): Promise<readonly string[]> {
  const store = openSqliteStore(path.join(folder, 'data', 'server.db'));
  const ids = (await store.read.policies.latest())?.policies.map(({ policy }) => policy) ?? [];
  await store.close();
  return ids;
}

const named = (id: string): string => banPolicy('2026-07-10').replace('ai-coding-tools', id);
const write = (name: string, text: string): void => writeFileSync(path.join(policies, name), text);
const cases = (status: string): string => `cases:
  - name: the ban holds from its day on
    component: { tool: claude-code }
    device: { group: engineering, os: linux }
    at: 2026-07-11T00:00:00+08:00
    expect: { status: ${status} }
`;

test('what the folder holds is live, in the order of the paths, and a second run changes nothing', async () => {
  write('20-second.yaml', named('second'));
  write('10-first.yaml', named('first'));
  const applied = await apply();
  expect(applied.code, applied.err).toBe(0);
  expect(applied.result).toMatchObject({ event: 'published', sequence: 1 });
  expect(applied.records.map(({ record }) => record)).toEqual(['file', 'file', 'plan', 'result']);
  expect(await live()).toEqual(['first', 'second']);
  const again = await apply();
  expect([again.code, again.result]).toMatchObject([0, { event: 'same', sequence: 1 }]);
  write('05-second.yaml', named('second'));
  rmSync(path.join(policies, '20-second.yaml'));
  expect((await apply()).result).toMatchObject({ event: 'published', sequence: 2, changed: [] });
  expect(await live()).toEqual(['second', 'first']);
});

test('a policy that left the folder stays live until it is pruned', async () => {
  write('a.yaml', named('a'));
  write('b.yaml', named('b'));
  await apply();
  rmSync(path.join(policies, 'b.yaml'));
  const kept = await apply();
  expect(kept.records).toContainEqual({ record: 'unmanaged', policy: 'b' });
  expect([kept.result?.['event'], await live()]).toEqual(['same', ['a', 'b']]);
  const tried = await apply('--prune', '--dry-run');
  expect(tried.result).toMatchObject({ event: 'would-publish', removed: ['b'] });
  expect(await live()).toEqual(['a', 'b']);
  expect((await apply('--prune')).result).toMatchObject({ event: 'published', removed: ['b'] });
  expect(await live()).toEqual(['a']);
});

test('one wrong file, or one case that does not hold, and nothing is published', async () => {
  write('a.yaml', named('a'));
  write('b.yaml', banPolicy('2026-02-30').replace('ai-coding-tools', 'b'));
  const wrong = await apply();
  expect([wrong.code, wrong.result]).toEqual([1, { record: 'result', event: 'refused' }]);
  expect(wrong.err).toContain(`${path.join(policies, 'b.yaml')}:14:16: error`);
  rmSync(path.join(policies, 'b.yaml'));
  write('a.test.yaml', cases('allowed'));
  const failed = await apply();
  expect([failed.code, failed.result?.['event'], await live()]).toEqual([1, 'refused', []]);
  write('a.test.yaml', cases('violation'));
  const passed = await apply();
  expect([passed.code, passed.result?.['event']], passed.err).toEqual([0, 'published']);
});

test('what only lint refuses is told with its place, and nothing is published', async () => {
  write('a.yaml', named('a').replace('Back-door risk.', 'A <b>risk</b>.'));
  for (const flags of [[], ['--dry-run']]) {
    const marked = await apply(...flags);
    expect([marked.code, marked.result]).toEqual([1, { record: 'result', event: 'refused' }]);
    expect(marked.err).toMatch(/a\.yaml:\d+:\d+: error: .*HTML/);
  }
});

test('with the key elsewhere a dry run plans, and what was planned before can be prepared', async () => {
  const data = path.join(folder, 'data');
  const key = path.join(folder, 'policy.key');
  const words = ['key', 'make', '--out', key, '--public', `${key}.pub`];
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await run(['node', 'curfew-server', ...words])).toBe(0);
  const init = ['init', '--data', data, '--policy-key-offline', `${key}.pub`];
  expect(await run(['node', 'curfew-server', ...init])).toBe(0);
  vi.restoreAllMocks();
  write('a.yaml', named('a'));
  for (const flags of [['--dry-run'], ['--dry-run']]) {
    const tried = await apply(...flags);
    expect([tried.code, tried.result], tried.err).toMatchObject([0, { event: 'would-publish' }]);
  }
  const prepared = await apply('--prepare', path.join(folder, 'to-sign.json'));
  expect([prepared.code, prepared.err]).toEqual([0, expect.stringContaining('Bundle 1')]);
  expect((await apply()).code).toBe(2);
});

test('a folder without policies takes nothing away', async () => {
  write('a.yaml', named('a'));
  await apply();
  rmSync(path.join(policies, 'a.yaml'));
  write('.hidden.yaml', named('hidden'));
  const empty = await apply('--prune');
  expect([empty.code, empty.records]).toEqual([2, []]);
  expect(empty.err).toContain('holds no policy');
  expect(await live()).toEqual(['a']);
});
