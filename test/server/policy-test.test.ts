/**
 * `curfew-server policy test`, run in this process on real files: which files it finds, what it says of
 * cases that fail, the JSON and the JUnit form, and its exit codes.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import { casesJsonSchema } from '../../policies/test-cases.js';
import { run } from '../../server/cli.js';
import { banPolicy } from './policies.js';

const examples = path.resolve(import.meta.dirname, '../../policies/examples');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'curfew-cases-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

async function policyTest(...words: string[]) {
  return policy('test', ...words);
}

async function policy(...words: string[]) {
  const said = { out: '', err: '' };
  const keep = (where: 'out' | 'err') =>
    ((text: string | Uint8Array) => {
      said[where] += String(text);
      return true;
    }) as typeof process.stdout.write;
  vi.spyOn(process.stdout, 'write').mockImplementation(keep('out'));
  vi.spyOn(process.stderr, 'write').mockImplementation(keep('err'));
  const code = await run(['node', 'curfew-server', 'policy', ...words]);
  vi.restoreAllMocks();
  return { code, ...said };
}

const pending = `cases:
  - name: pending on the day before
    component: { tool: claude-code, version: 2.1.100 }
    at: 2026-07-09
    expect: { status: pending, daysLeft: 1 }
`;

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('every example has cases, its own rules decide in them, and all come out as expected', async () => {
  const files = readdirSync(examples);
  const policies = files.filter((file) => /^(?!.*\.test\.).*\.yaml$/.test(file));
  expect(policies.length).toBeGreaterThan(0);
  const without = policies.filter((file) => !files.includes(file.replace('.yaml', '.test.yaml')));
  expect(without).toEqual([]);
  const { code, out, err } = await policyTest(examples);
  expect([code, err], out).toEqual([0, '']);
  expect(out).toMatch(/\n\d+ passed, 0 failed\n$/);
});

test('a policy, its cases and its folder are the same cases', async () => {
  const file = write('ban.yaml', banPolicy('2026-07-10'));
  const cases = write('ban.test.yaml', pending);
  for (const words of [[file], [cases], [folder], [file, cases, folder]]) {
    const { code, out, err } = await policyTest(...words);
    expect([code, out]).toEqual([
      0,
      `${cases}\n  ✓ pending on the day before\n1 passed, 0 failed\n`,
    ]);
    expect(err).toContain('no case is decided by qoder-approved');
  }
});

test('a failed case says what was expected, what it is, and each rule that was tried', async () => {
  write('ban.yaml', banPolicy('2026-07-09'));
  write('ban.test.yaml', pending);
  const { code, out } = await policyTest(folder);
  expect(code).toBe(1);
  expect(out).toContain(`  ✗ pending on the day before
      at 2026-07-09
        status    expected pending, but it is violation
        daysLeft  expected 1, but it is 0
      tried:
        qoder-approved   no   tool is claude-code, not qoder or qoder-cli
        claude-code-ban  yes  tool is claude-code, state is installed, scope is global: deny
`);
  expect(out).toMatch(/\n0 passed, 1 failed\n$/);
});

test('a rule that could not be decided is marked as neither matching nor not', async () => {
  write(
    'old.yaml',
    `policy: old
title: Old
default: { decision: allow }
rules:
  - { id: vendor, match: { vendor: OpenAI }, decision: review }
  - { id: old, match: { tool: claude-code, version: '<2' }, decision: review }
  - { id: all, match: { tool: claude-code }, decision: approve }
`,
  );
  write(
    'old.test.yaml',
    `cases:
  - name: no version
    component: { tool: claude-code }
    at: 2026-07-10T00:00:00Z
    expect: { status: review }
`,
  );
  const { code, out } = await policyTest(folder);
  expect(code).toBe(1);
  expect(out).toMatch(
    /^ +vendor {2}no {3}vendor is Anthropic, not OpenAI\n +old {5}\? {4}all else/m,
  );
});

test('--json is a record for each case and one for all', async () => {
  write('deep/below/ban.yaml', banPolicy('2026-07-10'));
  const file = write('deep/below/ban.test.yaml', pending);
  const { code, out } = await policyTest(folder, '--json');
  const records = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(code).toBe(0);
  expect(records).toMatchObject([
    {
      record: 'case',
      file,
      name: 'pending on the day before',
      at: '2026-07-09',
      isPassed: true,
      verdict: { status: 'pending', effective: '2026-07-09T16:00:00.000Z' },
    },
    { record: 'summary', files: 1, passed: 1, failed: 0, unusable: 0 },
  ]);
});

test('--junit is XML that a parser takes, also with hostile names', async () => {
  write('a"&<\u0001/ban.yaml', banPolicy('2026-07-09'));
  write('a"&<\u0001/ban.test.yaml', pending.replace('pending on the day before', '"<&\\"]]> 名"'));
  const junit = path.join(folder, 'results.xml');
  expect((await policyTest(folder, '--junit', junit)).code).toBe(1);
  const xml = readFileSync(junit, 'utf8');
  const checked = await validateXML({
    xml: { fileName: 'results.xml', contents: xml },
    extension: 'schema',
    schema: { fileName: 'junit.xsd', contents: junitSchema },
  });
  expect(checked.errors).toEqual([]);
  expect(xml).toContain('tests="1" failures="1" errors="0"');
});

test('files that cannot be used are told with their place, and weigh more than a failed case', async () => {
  write('ban.yaml', banPolicy('2026-07-09'));
  write('ban.test.yaml', pending);
  const wrong = write('wrong.yaml', banPolicy('soon'));
  write('wrong.test.yaml', pending);
  const other = write(
    'other.test.yaml',
    `policy: ban.yaml\n${pending.replace('status', 'statuz')}`,
  );
  const { code, out, err } = await policyTest(folder);
  expect(code).toBe(2);
  expect(err).toContain(`${wrong}:14:16: error: rules[1].effective: expected a day`);
  expect(err).toContain(`${other}:6:15: error: cases[0].expect.statuz: unknown field`);
  expect(out).toMatch(/0 passed, 1 failed, 2 of 3 files cannot be used\n$/);
});

test('nothing to run is no success', async () => {
  const file = write('ban.yaml', banPolicy('2026-07-10'));
  for (const [words, said] of [
    [[folder], 'there are no cases in'],
    [[file], 'Write them to'],
    [[path.join(folder, 'missing.yaml')], 'does not exist'],
  ] as const) {
    const { code, out, err } = await policyTest(...words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
  }
});

test('policy schema --cases is the schema of what is written here', async () => {
  const { code, out } = await policy('schema', '--cases');
  expect([code, JSON.parse(out)]).toEqual([0, casesJsonSchema()]);
});

test('cases without their policy cost themselves alone', async () => {
  write('ban.yaml', banPolicy('2026-07-10'));
  write('ban.test.yaml', pending);
  const lonely = write('lonely.test.yaml', pending);
  const { code, out, err } = await policyTest(folder);
  expect([
    code,
    err.includes(`${lonely}: ${path.join(folder, 'lonely.yaml')} cannot be read`),
  ]).toEqual([2, true]);
  expect(out).toMatch(/1 passed, 0 failed, 1 of 2 files cannot be used\n$/);
});

/** What systems that collect JUnit results need of it. */
const junitSchema = `<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="testsuites"><xs:complexType>
    <xs:sequence><xs:element ref="testsuite" maxOccurs="unbounded"/></xs:sequence>
    <xs:attribute name="name" type="xs:string"/><xs:attributeGroup ref="counts"/>
  </xs:complexType></xs:element>
  <xs:attributeGroup name="counts">
    <xs:attribute name="tests" type="xs:integer" use="required"/>
    <xs:attribute name="failures" type="xs:integer" use="required"/>
    <xs:attribute name="errors" type="xs:integer" use="required"/>
  </xs:attributeGroup>
  <xs:element name="testsuite"><xs:complexType>
    <xs:sequence><xs:element name="testcase" maxOccurs="unbounded"><xs:complexType>
      <xs:choice minOccurs="0">
        <xs:element name="failure" type="said"/><xs:element name="error" type="said"/>
      </xs:choice>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="classname" type="xs:string" use="required"/>
    </xs:complexType></xs:element></xs:sequence>
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="time" type="xs:decimal"/><xs:attributeGroup ref="counts"/>
  </xs:complexType></xs:element>
  <xs:complexType name="said"><xs:simpleContent><xs:extension base="xs:string">
    <xs:attribute name="message" type="xs:string" use="required"/>
  </xs:extension></xs:simpleContent></xs:complexType>
</xs:schema>`;
