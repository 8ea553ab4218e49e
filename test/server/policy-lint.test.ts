/** `policy lint` and `policy schema` as a CI runs them: files, folders, exit codes, and the lines of JSON. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { run } from '../../server/cli.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-lint-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** A command line's exit code and what it wrote. */
async function policy(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
  const code = await run(['node', 'curfew-server', 'policy', ...words]);
  vi.restoreAllMocks();
  return { code, out, err };
}

function file(name: string, text: string | Buffer): string {
  const at = path.join(folder, name);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(at, text);
  return at;
}

const ban = (rest = ''): string => `policy: p
title: T
timezone: utc
default: { decision: review }
rules:
  - { id: a, match: { tool: cline }, decision: deny, effective: 2026-07-10, after: block, reason: { en: x } }
${rest}`;
const dead = '  - { id: b, match: { tool: cline }, decision: allow }\n';
const day = ['--at', '2026-06-01'];

describe('exit codes', () => {
  test('0 clean, and with warnings; 1 with an error, and with warnings under --strict', async () => {
    const clean = file('clean.yaml', ban());
    expect(await policy('lint', clean, ...day)).toEqual({
      code: 0,
      out: `${clean}: p is valid\n`,
      err: '',
    });
    expect((await policy('lint', clean, ...day, '--strict')).code).toBe(0);
    const late = await policy('lint', clean, '--at', '2026-07-10T00:00:01Z');
    expect([late.code, late.out]).toEqual([0, `${clean}: p is valid\n`]);
    expect(late.err).toContain(`${clean}:6:65: warning: rules[0].effective: 2026-07-10 began`);
    expect(late.err).toContain('no errors, 1 warning');
    expect((await policy('lint', clean, '--at', '2026-07-10T00:00:01Z', '--strict')).code).toBe(1);
    const wrong = file('wrong.yaml', ban(dead));
    const refused = await policy('lint', wrong, ...day);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain(
      `${wrong}:7:21: error: rules[1].match: rule b has the match of rule a`,
    );
  });

  test('without --at dates are held against the clock', async () => {
    const past = file('past.yaml', ban().replace('2026-07-10', '2020-01-01'));
    expect((await policy('lint', past)).err).toContain('2020-01-01 began');
  });

  test.each([
    [['lint'], 'missing required argument'],
    [['lint', 'nowhere.yaml'], 'nowhere.yaml does not exist'],
    [['lint', '.', '--at', 'soon'], '--at is "soon"; expected a day'],
    [['lint', '.', '--languages', 'en,x_y'], '"x_y", which is not a language tag'],
  ])('2 for %j', async (words, message) => {
    const { code, err } = await policy(...words);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test('2 for a folder without policies', async () => {
    const { code, err } = await policy('lint', folder);
    expect([code, err.includes(`there is no policy in ${folder}`)]).toEqual([2, true]);
  });
});

describe('what it reads', () => {
  test('folders to their depth, each file once, cases beside policies not', async () => {
    const one = file('one.yaml', ban());
    file('deep/er/two.yml', ban().replace('policy: p', 'policy: q'));
    file('one.test.yaml', 'cases: []');
    file('notes.txt', 'x');
    const { code, out } = await policy('lint', folder, one, ...day);
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.slice(folder.length + 1))).toEqual([
      'deep/er/two.yml: q is valid',
      'one.yaml: p is valid',
      '',
    ]);
  });

  test('cases that a shell names beside the policies are passed over, and alone are none', async () => {
    const one = file('one.yaml', ban());
    const beside = file('one.test.yaml', 'cases: []');
    expect((await policy('lint', one, beside, ...day)).code).toBe(0);
    const { code, err } = await policy('lint', beside);
    expect([code, err.includes('`curfew-server policy test` runs the cases')]).toEqual([2, true]);
  });

  test('two files of one policy are an error', async () => {
    file('a.yaml', ban());
    file('b.yaml', ban());
    const { code, err } = await policy('lint', folder, ...day);
    expect(code).toBe(1);
    expect(err).toContain(`a.yaml is the policy "p" too; publishing one would replace the other`);
  });

  test('bytes that are no text, and more of them than a policy may have', async () => {
    const odd = file('odd.yaml', Buffer.from([0x61, 0x0a, 0xff]));
    expect((await policy('lint', odd)).err).toContain(`${odd}:2:1: error: bytes that are no UTF-8`);
    const large = file('large.yaml', Buffer.alloc(3_000_000, 'x'));
    const { code, err } = await policy('lint', large);
    expect([code, err.includes('longer than 256 KiB')]).toEqual([1, true]);
  });

  test('languages that are asked for', async () => {
    const one = file('one.yaml', ban());
    const { code, err } = await policy('lint', one, ...day, '--languages', 'en, zh-cn');
    expect(code).toBe(1);
    expect(err).toContain('error: rules[0].reason: no text in zh-CN, which was asked for');
    expect((await policy('lint', one, ...day, '--languages', 'en')).code).toBe(0);
  });

  test('exceptions beside policies', async () => {
    const one = file('one.yaml', ban());
    const list = file(
      'exceptions.json',
      JSON.stringify([
        { id: 'e1', tool: 'cline', person: 'ana', until: '2026-06-01T00:00:00Z' },
        { id: 'e2', tool: 'goose', person: 'ana', until: '2026-06-02T00:00:00Z' },
      ]),
    );
    const { code, err } = await policy('lint', one, ...day, '--exceptions', list);
    expect(code).toBe(0);
    expect(err).toContain('warning: [0].until: exception e1 ended at 2026-06-01T00:00:00Z');
    expect(err).toContain(
      'warning: [1].tool: exception e2 matches nothing: no policy here denies goose',
    );
  });
});

test('--json has a line for each problem, and one for all', async () => {
  const wrong = file('wrong.yaml', ban(dead));
  const { code, out, err } = await policy('lint', wrong, ...day, '--json');
  expect([code, err]).toEqual([1, '']);
  const records = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(records).toEqual([
    {
      record: 'problem',
      file: wrong,
      severity: 'error',
      check: 'duplicate',
      line: 7,
      column: 21,
      field: 'rules[1].match',
      message: expect.stringContaining('rule b has the match of rule a') as string,
    },
    { record: 'summary', files: 1, errors: 1, warnings: 0, at: '2026-06-01T00:00:00.000Z' },
  ]);
});

test('the schema is printed with the names of the catalogue', async () => {
  const { code, out } = await policy('schema');
  expect(code).toBe(0);
  const schema = JSON.parse(out) as { $schema: string };
  expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
  expect(out).toContain('"claude-code"');
});
