/**
 * `curfew explain`: by a policy file over a real home, and by what the daemon keeps; which words mean
 * what, both languages, and the exit codes.
 */
import fs from 'node:fs';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runExplain } from '../../agent/explain-command.js';
import { applyReadings } from '../../agent/inventory.js';
import { openStore } from '../../agent/store.js';
import type { Explanation } from '../../policies/explain.js';
import { makeComponent, makeFolder, makeRoot, reading } from './store-fixture.js';

let folder: string;
let home: string;
let packageFolder: string;
let policy: string;
const ban = `policy: tools
title: Tools at work
contact: https://help.example.com
timezone: Asia/Shanghai
default: { decision: review }
rules:
  - { id: ours, match: { tool: qoder }, decision: approve }
  - id: ban
    match: { tool: claude-code }
    decision: deny
    announce: 2026-07-04
    effective: 2026-07-10
    after: block
    reason: { en: Not approved., zh-CN: 未获批准。 }
    replacement: { tool: qoder, guide: https://example.com/move }
`;

beforeEach(() => {
  folder = makeFolder();
  home = path.join(folder, 'ana');
  packageFolder = path.join(home, '.npm-global/lib/node_modules/@anthropic-ai/claude-code');
  fs.mkdirSync(packageFolder, { recursive: true });
  fs.writeFileSync(path.join(home, '.npmrc'), `prefix=${home}/.npm-global\n`);
  fs.writeFileSync(
    path.join(packageFolder, 'package.json'),
    '{"name":"@anthropic-ai/claude-code","version":"2.1.100","bin":{"claude":"cli.js"}}',
  );
  policy = path.join(folder, 'policy.yaml');
  fs.writeFileSync(policy, ban);
  vi.stubEnv('TZ', 'Europe/Berlin');
  vi.stubEnv('LC_ALL', 'en_GB.UTF-8');
  vi.stubEnv('CURFEW_DATA_FOLDER', folder);
});
afterEach(() => vi.unstubAllEnvs());

async function run(...argv: string[]) {
  const said = { out: '', err: '' };
  const code = await runExplain(argv, {
    stdout: (text) => void (said.out += text),
    stderr: (text) => void (said.err += text),
  });
  return { code, ...said };
}

const before = '2026-07-05T00:00:00+08:00';
const scan = (at = before): string[] => ['--policy', policy, '--home', home, '--at', at];

describe('by a policy file', () => {
  test('says what holds, why, what comes and what to do, in both zones', async () => {
    const { code, out, err } = await run(...scan());
    expect([code, err]).toEqual([0, '']);
    const lines = out.split('\n').map((line) => line.trim());
    expect(lines).toContain(
      'Claude Code will not be allowed here from 10 July 2026, 00:00 (Asia/Shanghai); 9 July 2026, 18:00 (Europe/Berlin) on: 5 days left.',
    );
    expect(lines).toContain('ours  no   tool is claude-code, not qoder');
    expect(lines).toContain(
      'ban   yes  tool is claude-code, state is installed, scope is global: deny',
    );
    for (const word of ['Not approved.', 'Use Qoder IDE instead.', 'https://example.com/move']) {
      expect(out).toContain(word);
    }
    expect(lines).toContain('Questions: https://help.example.com');
    expect(out).toContain('(Europe/Berlin): violation, people are told (rule ban)');
  });

  test('a person who reads Chinese gets Chinese', async () => {
    vi.stubEnv('LC_ALL', 'zh_CN.UTF-8');
    const { out } = await run('qoder', 'claude-code', ...scan());
    expect(out).toContain('此处将不允许使用 Claude Code：还有 5 天。');
    expect(out).toContain('工具为 claude-code，而非 qoder');
    expect(out).toContain('未获批准。');
    expect(out).toContain('Qoder IDE：本机上没有找到。');
  });

  test('--json is a record for each component and one for all; a violation is code 1', async () => {
    const { code, out } = await run(...scan('2026-07-10T00:00:00+08:00'), '--json');
    const [first, last, ...none] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([code, none]).toEqual([1, []]);
    expect(first).toMatchObject({
      record: 'explanation',
      component: { tool: 'claude-code', version: '2.1.100', owner: 'ana' },
      policy: { policy: 'tools', zone: 'Asia/Shanghai' },
      deviceZone: 'Europe/Berlin',
      verdict: { status: 'violation', rule: 'ban', action: 'block', effectiveAction: 'notify' },
      limit: 'ceiling',
      steps: [
        { rule: 'ours', matched: false },
        { rule: 'ban', matched: true },
      ],
    });
    expect(last).toMatchObject({ record: 'summary', explained: 1, isComplete: true });
  });

  test('a tool, its alias and name, a package, a path, a file below it and an id mean the same', async () => {
    const { out } = await run(...scan(), '--json');
    const { component } = JSON.parse(out.split('\n')[0] ?? '') as Explanation;
    for (const word of [
      'claude-code',
      'Claude Code',
      'claude CODE',
      '@anthropic-ai/claude-code',
      packageFolder,
      path.join(packageFolder, 'package.json'),
      home,
      component.id,
      component.id.slice(0, 8),
    ]) {
      const chosen = await run(word, ...scan(), '--json');
      expect(chosen.out.split('\n')[0], word).toContain(component.id);
    }
  });

  test('an unknown word is a usage error with the nearest right one', async () => {
    for (const [word, near] of [
      ['claude-cod', 'claude-code'],
      ['@anthropic-ai/claude-cod', '@anthropic-ai/claude-code'],
      ['Clade Code', 'Claude Code'],
    ] as const) {
      const { code, out, err } = await run(word, ...scan());
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain(`did you mean "${near}"?`);
    }
    expect((await run('/nowhere', ...scan())).code).toBe(2);
  });

  test('wrong flags are named', async () => {
    for (const [argv, said] of [
      [['--home', home], '--home says where to scan, and needs a --policy'],
      [['--colour'], '--colour'],
      [['--at', '2026-07-10'], 'expected an instant with offset'],
      [['--policy', path.join(folder, 'none.yaml')], 'cannot be read'],
      [['--data', folder, '--policy', policy], 'exclude each other'],
    ] as const) {
      const { code, out, err } = await run(...argv);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain(said);
    }
    expect((await run('--help')).code).toBe(0);
  });
});

describe('by what the daemon knows', () => {
  function filled(status: 'complete' | 'timeout' = 'complete'): void {
    const store = openStore(folder);
    const component = makeComponent('@anthropic-ai/claude-code', { tool: 'claude-code' });
    const readings = [reading(makeRoot('npm:globals'), [component], status)];
    applyReadings(store, { readings, isFull: true, atMs: Date.now() });
    store.close();
  }

  test('without a policy nothing is decided, and it cannot tell', async () => {
    filled();
    // SQLite has files of its own beside a database that is read.
    const names = (): string[] =>
      fs.readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name));
    const files = [names(), fs.readFileSync(path.join(folder, 'curfew.db'))];
    const { code, out } = await run('claude-code');
    expect(code).toBe(3);
    expect(out).toContain('No policy is known that this device follows');
    expect(out).toContain('no policy has arrived for this device');
    expect([names(), fs.readFileSync(path.join(folder, 'curfew.db'))]).toEqual(files);
  });

  test('what could not be read is said', async () => {
    filled('timeout');
    const { out } = await run('--data', folder);
    expect(out).toContain('Not all places could be read');
  });

  test('a folder that is closed to this person is no folder without an agent', async () => {
    filled();
    // Root may read everything, so it looks as nobody does.
    const isRoot = process.geteuid?.() === 0;
    fs.chmodSync(folder, isRoot ? 0o700 : 0);
    if (isRoot) process.seteuid?.(65534);
    const { code, out, err } = await run('claude-code').finally(() => {
      if (isRoot) process.seteuid?.(0);
      fs.chmodSync(folder, 0o700);
    });
    expect([code, out]).toEqual([3, '']);
    expect(err).toContain(`you may not read what the agent keeps in ${folder}`);
    expect(err).toContain('curfew explain --policy FILE');
  });

  test('a database of another version is said to be one, and stays as it is', async () => {
    filled();
    for (const [version, said] of [
      [1, 'is of an older version of the agent'],
      [999, 'was written by a newer version'],
    ] as const) {
      const db = new Sqlite(path.join(folder, 'curfew.db'));
      db.pragma(`user_version = ${version}`);
      db.close();
      const { code, out, err } = await run();
      expect([code, out]).toEqual([3, '']);
      expect(err).toContain(said);
    }
  });

  test('without a database it says what to do', async () => {
    const { code, out, err } = await run();
    expect([code, out]).toEqual([3, '']);
    expect(err).toContain('curfew run');
  });
});
