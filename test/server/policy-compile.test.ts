/**
 * `curfew-server policy compile`, run in this process on real folders: what it writes and where, what
 * it leaves alone because it did not write it, what it says, and its exit codes.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { targets } from '../../policies/compile/index.js';
import { run } from '../../server/cli.js';
import { readOrMakeKeys } from '../../server/keys.js';
import { openSqliteStore } from '../../server/store/sqlite.js';
import { banPolicy } from './policies.js';
import { planAndPublish } from './publishing.js';

let folder: string;
let policy: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-compile-'));
  policy = path.join(folder, 'policy.yaml');
  writeFileSync(policy, banPolicy('2026-07-10'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

async function compile(...words: string[]) {
  const said = { out: '', err: '' };
  const keep = (where: 'out' | 'err') =>
    ((text: string | Uint8Array) => {
      said[where] += String(text);
      return true;
    }) as typeof process.stdout.write;
  vi.spyOn(process.stdout, 'write').mockImplementation(keep('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(keep('err'));
  const code = await run(['node', 'curfew-server', 'policy', 'compile', ...words]);
  vi.restoreAllMocks();
  return { code, ...said };
}

const out = (): string => path.join(folder, 'out');
const at = ['--at', '2026-07-10'];
const rulesFile = (): string => path.join(out(), 'fapolicyd', '38-curfew.rules');

interface Line {
  readonly target: string;
  readonly files: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly status: string;
  }[];
  readonly notExpressible: readonly { readonly rule: string; readonly tool: string | null }[];
}
const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('what is written', () => {
  test('all targets, with their files as the JSON says and a list of them', async () => {
    const { code, out: text } = await compile(
      policy,
      '--target',
      'all',
      ...at,
      '--out',
      out(),
      '--json',
    );
    expect(code).toBe(3);
    const lines = linesOf(text);
    expect(lines.map(({ target }) => target)).toEqual(targets.map(({ id }) => id));
    const files = lines.flatMap((line) => line.files);
    expect(new Set(files.map(({ status }) => status))).toEqual(new Set(['written']));
    for (const { name, sha256 } of files) {
      const bytes = readFileSync(path.join(out(), name));
      expect(createHash('sha256').update(bytes).digest('hex'), name).toBe(sha256);
    }
    const list = JSON.parse(readFileSync(path.join(out(), 'curfew-compiled.json'), 'utf8')) as {
      files: Record<string, string>;
    };
    expect(list.files).toEqual(Object.fromEntries(files.map(({ name, sha256 }) => [name, sha256])));
  });

  test('nothing is denied before the date, and the first day begins where the policy says', async () => {
    await compile(policy, '--target', 'fapolicyd', '--at', '2026-07-09', '--out', out());
    expect(readFileSync(rulesFile(), 'utf8')).not.toContain('deny');
    // 00:00 of 10 July in Shanghai.
    await compile(policy, '--target', 'fapolicyd', '--at', '2026-07-09T16:00:00Z', '--out', out());
    expect(readFileSync(rulesFile(), 'utf8')).toContain('path=/usr/bin/claude');
  });

  test('a second run changes nothing, and what is no longer made goes', async () => {
    await compile(policy, '--target', 'fapolicyd,santa', ...at, '--out', out());
    const again = await compile(policy, '--target', 'fapolicyd', ...at, '--out', out(), '--json');
    expect(linesOf(again.out)[0]?.files.map(({ status }) => status)).toEqual([
      'unchanged',
      'unchanged',
    ]);
    expect(existsSync(path.join(out(), 'santa', 'rules.json'))).toBe(true);
    const list = path.join(out(), 'curfew-compiled.json');
    const files = JSON.parse(readFileSync(list, 'utf8')) as {
      format: 1;
      files: Record<string, string>;
    };
    const old = path.join(out(), 'fapolicyd', '37-old.rules');
    writeFileSync(old, 'old');
    files.files['fapolicyd/37-old.rules'] = createHash('sha256').update('old').digest('hex');
    writeFileSync(list, JSON.stringify(files));
    const { out: text } = await compile(policy, '--target', 'fapolicyd', ...at, '--out', out());
    expect(text).toMatch(/37-old\.rules\s*│\s*removed/);
    expect(existsSync(old)).toBe(false);
  });

  test('a dry run writes nothing', async () => {
    const {
      code,
      out: text,
      err,
    } = await compile(...[policy, '--target', 'santa', ...at, '--out', out(), '--dry-run']);
    expect([code, existsSync(out())]).toEqual([3, false]);
    expect(text).toContain('santa/rules.json');
    expect(err).toContain('nothing was written');
  });

  test('the live policy is compiled from the store', async () => {
    const server = path.join(folder, 'server');
    mkdirSync(server);
    const none = await compile('--live', '--data', server, '--target', 'santa', '--out', out());
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('Publish one first.')]);
    const keys = await readOrMakeKeys(server);
    const store = openSqliteStore(path.join(server, 'server.db'));
    const publisher = { store, keys, catalogue: builtInCatalogue(), now: Date.now() };
    await planAndPublish(publisher, { yaml: banPolicy('2026-07-10'), author: 'ana' });
    await store.close();
    const { code } = await compile(
      ...['--live', '--data', server, '--target', 'santa', ...at, '--out', out()],
    );
    expect(code).toBe(3);
    expect(readFileSync(path.join(out(), 'santa', 'rules.json'), 'utf8')).toContain('BLOCKLIST');
  });
});

describe('what belongs to somebody else', () => {
  test('a file that was not written here stops everything', async () => {
    mkdirSync(path.dirname(rulesFile()), { recursive: true });
    writeFileSync(rulesFile(), 'mine');
    const { code, err } = await compile(
      policy,
      '--target',
      'santa,fapolicyd',
      ...at,
      '--out',
      out(),
    );
    expect([code, err]).toEqual([2, expect.stringContaining('38-curfew.rules')]);
    expect(readFileSync(rulesFile(), 'utf8')).toBe('mine');
    expect(existsSync(path.join(out(), 'santa'))).toBe(false);
  });

  test('a file that was changed since stops everything', async () => {
    await compile(policy, '--target', 'fapolicyd', ...at, '--out', out());
    writeFileSync(rulesFile(), `${readFileSync(rulesFile(), 'utf8')}allow perm=any all : all\n`);
    const { code, err } = await compile(
      ...[policy, '--target', 'fapolicyd', '--at', '2026-07-09', '--out', out()],
    );
    expect([code, err]).toEqual([2, expect.stringContaining('changed since')]);
    expect(readFileSync(rulesFile(), 'utf8')).toContain('allow perm=any');
  });

  test.each(['fapolicyd', 'fapolicyd/38-curfew.rules'])(
    'a link at %s is not followed',
    async (name) => {
      const elsewhere = path.join(folder, 'elsewhere');
      mkdirSync(elsewhere);
      const place = path.join(out(), name);
      mkdirSync(path.dirname(place), { recursive: true });
      symlinkSync(name === 'fapolicyd' ? elsewhere : path.join(elsewhere, 'x'), place);
      const { code, err } = await compile(policy, '--target', 'fapolicyd', ...at, '--out', out());
      expect([code, err]).toEqual([2, expect.stringContaining('is in the way')]);
      expect(readdirSync(elsewhere)).toEqual([]);
    },
  );

  test.each([
    '{"format":1,"files":{"../x":"' + 'a'.repeat(64) + '"}}',
    '{"format":1,"files":{"a/../../x":"' + 'a'.repeat(64) + '"}}',
    '{"format":2,"files":{}}',
    'not json',
  ])('a list that was not written here is refused: %s', async (text) => {
    mkdirSync(out());
    writeFileSync(path.join(out(), 'curfew-compiled.json'), text);
    const { code, err } = await compile(policy, '--target', 'fapolicyd', ...at, '--out', out());
    expect([code, err]).toEqual([2, expect.stringContaining('is not a list')]);
  });

  test('a folder that cannot be made is named with its fix', async () => {
    const { code, err } = await compile(policy, '--target', 'santa', ...at, '--out', `${policy}/x`);
    expect([code, err]).toEqual([2, expect.stringContaining('--out')]);
    expect(statSync(policy).isFile()).toBe(true);
  });
});

describe('what is said', () => {
  test('limits and warnings go to stderr', async () => {
    const { out: text, err } = await compile(policy, '--target', 'santa', ...at, '--out', out());
    expect(text).not.toContain('interpreter');
    expect(err).toMatch(/santa\s*│ claude-code-ban\s*│ claude-code\s*│ a package of scripts/);
    expect(err).toContain('exceptions, grace and pauses');
  });

  test('0 when everything could be said', async () => {
    writeFileSync(
      policy,
      `policy: p
title: P
timezone: utc
default: { decision: allow }
rules:
  - { id: no, match: { package: { npm: left-one } }, decision: deny, effective: 2026-07-10, after: block, reason: { en: No. } }
`,
    );
    const { code, err } = await compile(policy, '--target', 'npm-registry', ...at, '--out', out());
    expect(code).toBe(0);
  });

  test('the targets are listed', async () => {
    const { code, out: text } = await compile('--list', '--json');
    expect(code).toBe(0);
    expect(linesOf(text).map((line) => (line as unknown as { id: string }).id)).toEqual(
      targets.map(({ id }) => id),
    );
  });

  test.each([
    ['no target', [], 'Give --target'],
    ['an unknown target', ['--target', 'santaa'], 'there is no target santaa'],
    [
      'an allow-list of a target that has none',
      ['--target', 'appcontrol', '--allow-list'],
      '--list',
    ],
    ['a date that is none', ['--target', 'santa', '--at', '2026-02-30'], 'not a day'],
    ['a zone that is none', ['--target', 'santa', '--zone', 'Mars/Base'], 'IANA zone'],
    ['a file and --live', ['--target', 'santa', '--live'], 'either'],
  ])('%s is a wrong command', async (_, words, said) => {
    const { code, err } = await compile(policy, ...words, '--out', out());
    expect([code, err, existsSync(out())]).toEqual([2, expect.stringContaining(said), false]);
  });

  test('a policy that would be refused is told with its line, and writes nothing', async () => {
    writeFileSync(
      policy,
      banPolicy('2026-07-10').replace('tool: claude-code', 'tool: claude-kode'),
    );
    const { code, err } = await compile(policy, '--target', 'all', '--out', out());
    expect([code, existsSync(out())]).toEqual([1, false]);
    expect(err).toMatch(/policy\.yaml:\d+:\d+: error/);
  });
});
