/**
 * Bytes and texts at random, most of them real documents with a few changes: whatever comes, policy, lint,
 * catalogue and bundle answer with a value, each refusal has words and a place, and what one side takes the
 * other does not fail on. How long it may take is in fuzz-bounds.all.test.ts.
 */
import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { builtInCatalogue, indexCatalogue } from '../../policies/catalogue.js';
import { parseReceivedCatalogue } from '../../policies/catalogue-received.js';
import { parseCatalogue } from '../../policies/catalogue-schema.js';
import { parsePolicy, policyJsonSchema } from '../../policies/document.js';
import { evaluate } from '../../policies/evaluate.js';
import { lintPolicy } from '../../policies/lint-advice.js';
import { lintExceptions } from '../../policies/lint-exceptions.js';
import { decodeSource } from '../../policies/source.js';
import { noFloor, signBundle, verifyBundle } from '../../wire/bundle.js';
import { makeKey, type SigningKey } from '../../wire/keys.js';
import { parseJson } from '../../wire/parse.js';
import { anyBytes, mangled, pieces } from '../agent/mangled.js';
import { runs } from '../runs.js';
import { component, device } from './subjects.js';

const catalogue = builtInCatalogue();
const top = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, top), 'utf8');

/** Real documents: the examples, and the policies of the page for admins. */
const corpus = [
  ...readdirSync(new URL('policies/examples/', top))
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('.test.yaml'))
    .map((file) => read(`policies/examples/${file}`)),
  ...[...read('docs/admin/policy.md').matchAll(/^```yaml\n(.*?)^```$/gms)].map(
    (one) => one[1] ?? '',
  ),
];

/** Every name and word of the language, as the schema has them. */
const words = [...new Set(JSON.stringify(policyJsonSchema()).match(/[A-Za-z][A-Za-z0-9.-]+/g))];
const marks = [
  ': ',
  '\n',
  '\n  ',
  '\n    ',
  '\n  - ',
  '{ ',
  ' }',
  '[',
  ']',
  ', ',
  '"',
  "'",
  '|\n  ',
  '*a',
  '&a ',
  '2026-07-10',
  '>=1 <2',
];

const bytes = fc.oneof(
  anyBytes,
  fc.constantFrom(...corpus).chain((text) => mangled(Buffer.from(text))),
  pieces([...words, ...marks], 80).map((text) => Buffer.from(text)),
);

const languageTag = fc.constantFrom('en', 'zh-CN', 'zh-cn', 'de');
const some = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));
/** Documents of the right shape with values that nobody would choose. */
const shaped = fc
  .record(
    {
      tool: some(fc.constantFrom('claude-code', 'qoder', 'cline', 'ollama')),
      vendor: some(fc.constantFrom('Anthropic', 'OpenAI', 'Nobody')),
      channel: some(fc.constantFrom('npm', 'process', 'config', 'model', 'package')),
      state: some(fc.constantFrom('installed', 'running', 'cached', 'residual')),
      path: some(
        pieces(['/', '~/', '**', '*', 'a', '?', '[', '\\', 'C:'], 12).map((text) => `/${text}x`),
      ),
      version: pieces(
        ['>=', '<', '1', '.', '2', '-rc', ' ', '||', '^', '*', 'x', 'vers:npm/', '|', ','],
        12,
      ).map((text) => `${text}1`),
      gateway: some(fc.constantFrom('vendor', 'third-party', '*.example.com', '[::1]')),
      running: fc.boolean(),
      owner: some(fc.string({ minLength: 1, maxLength: 8 }).map((text) => `a${text}z`)),
    },
    { requiredKeys: [] },
  )
  .filter((match) => Object.keys(match).length > 0)
  .chain((match) =>
    fc.record({
      match: fc.constant(match),
      decision: fc.constant('deny'),
      effective: fc.constantFrom(
        '2026-07-10',
        '0000-01-01',
        '9999-12-31',
        '2026-03-29T01:30:00+01:00',
      ),
      announce: fc.constantFrom('2026-07-01', '2026-08-01'),
      after: fc.constantFrom('observe', 'notify', 'block', 'remove'),
      grace: fc.constantFrom('1 day', '9999 days', '9999 hours'),
      reason: fc.dictionary(languageTag, fc.string({ minLength: 1, maxLength: 60 }), {
        minKeys: 1,
      }),
      replacement: fc.record({ tool: fc.constantFrom('qoder', 'claude-code', 'cline') }),
    }),
  );
const document = fc
  .record({
    timezone: fc.constantFrom('utc', 'device-local', 'Pacific/Apia', 'Asia/Kathmandu'),
    default: fc.constantFrom<object>(
      { decision: 'allow' },
      { decision: 'deny', effective: '2026-07-10', after: 'block' },
    ),
    rules: fc.array(shaped, { maxLength: 5 }),
    targets: fc.constantFrom<object>(
      {},
      { os: ['win32'] },
      { os: ['linux', 'darwin'], percent: 0 },
    ),
  })
  .map(({ rules, ...rest }) =>
    stringify({
      policy: 'p',
      title: 'T',
      ...rest,
      rules: rules.map((rule, at) => ({ id: `r${at}`, ...rule })),
    }),
  );

/** What every reader of a policy must hold for a text; whether it was taken. */
function holds(text: string): boolean {
  const parsed = parsePolicy(text, { catalogue });
  const { policy, problems } = lintPolicy(text, { catalogue, now: 1.8e12, languages: ['en'] });
  expect(policy === null).toBe(parsed.kind === 'invalid');
  const lines = text.split(/\r\n|\n|\r/);
  for (const { line, column, message } of problems) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length + 1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).not.toBe('');
  }
  if (policy === null) {
    expect(problems.filter(({ severity }) => severity === 'error')).not.toEqual([]);
    return false;
  }
  // What lint had no error for, a device takes without the catalogue too.
  expect(parsePolicy(text).kind).toBe('policy');
  const input = { policy, catalogue, exceptions: [], device: device(), now: 1.8e12 };
  const found = [
    component({}),
    component({ version: null, state: 'running' }),
    component({ tool: null }),
  ];
  for (const one of found) expect(evaluate({ ...input, component: one }).trace).not.toEqual([]);
  return true;
}

describe('policies', () => {
  test('bytes at random, and real documents with a few changes', () => {
    fc.assert(
      fc.property(bytes, (raw) => {
        const decoded = decodeSource(raw);
        if (decoded.kind === 'text') holds(decoded.text);
        else expect(decoded.problems[0]?.message).toMatch(/UTF-8|UTF-16/);
      }),
      runs(150),
    );
  });

  test('documents of the right shape with values that nobody would choose', () => {
    let taken = 0;
    fc.assert(
      fc.property(document, (text) => {
        taken += Number(holds(text));
      }),
      runs(20),
    );
    expect(taken).toBeGreaterThan(3);
  });

  test('lists of exceptions', () => {
    const sample = stringify([
      { id: 'e1', tool: 'claude-code', person: 'ana', until: '2026-07-10T00:00:00Z' },
      { id: 'e2', tool: 'qoder', device: 'd', until: '2026-07-11T00:00:00+08:00' },
    ]);
    fc.assert(
      fc.property(mangled(Buffer.from(sample)), (raw) => {
        const said = lintExceptions(raw.toString('utf8'), { policies: [], catalogue, now: 0 });
        for (const { message } of said) expect(message).not.toBe('');
      }),
      runs(60),
    );
  });
});

/** A catalogue small enough to be changed everywhere. */
const small = JSON.stringify({
  format: 1,
  tools: [
    {
      ...{ id: 'helper', name: 'Helper', vendor: 'V', provider: ['any'], kind: 'coding-agent' },
      identifiers: { npm: ['@v/helper'], pypi: ['helper'], command: ['helper'] },
      folders: [{ os: ['linux'], path: '/opt/helper/{version}/run', manager: 'v' }],
    },
  ],
  editors: [{ id: 'e', name: 'E', homeFolder: '.e', configFolder: null, isServer: false }],
  advisories: [
    {
      ...{ id: 'HLP-1', title: 'A fault', severity: 'high', confidence: 'high' },
      affects: [{ tool: 'helper', versions: '<2.0.0' }],
      sources: ['https://example.com/1'],
    },
  ],
});

/** One sign of it another, so that it is still JSON more often than not. */
const oneSign = fc
  .tuple(fc.nat(small.length - 1), fc.constantFrom('a', '0', '-', '/', '*', '\\', '"'))
  .map(([at, sign]) => Buffer.from(small.slice(0, at) + sign + small.slice(at + 1)));

test('catalogues: bytes of JSON with a few changes are taken whole or refused with words', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(anyBytes, mangled(Buffer.from(small)), oneSign), (raw) => {
      const tree = parseJson(raw, 1_000_000);
      if (tree.kind === 'invalid') {
        expect(tree.message).not.toBe('');
        return;
      }
      for (const parsed of [parseCatalogue(tree.value), parseReceivedCatalogue(tree.value)]) {
        if (parsed.kind === 'invalid') {
          expect(parsed.problems.map(({ message }) => message)).not.toContain('');
          expect(parsed.problems).not.toEqual([]);
          continue;
        }
        taken += 1;
        const index = indexCatalogue(parsed.document, 'x');
        for (const { id } of parsed.document.tools) expect(index.tool(id)?.id).toBe(id);
      }
    }),
    runs(150),
  );
  expect(taken).toBeGreaterThan(0);
});

describe('bundles', () => {
  let key: SigningKey;
  let jws: string;
  beforeAll(async () => {
    key = await makeKey();
    jws = await signBundle(
      {
        ...{ format: 1, server: 's', sequence: 1, issuedAt: '2026-07-01T00:00:00Z' },
        policies: corpus.slice(0, 2).map((yaml, priority) => ({ priority, yaml })),
        catalogue: { sha256: 'a'.repeat(64) },
        assignmentKeys: [key.x],
        nextPolicyKey: null,
      },
      key,
    );
  });

  test('a text with any change is refused with a code, and the text itself is taken', async () => {
    const trust = { pinnedKey: key.x, floor: noFloor };
    expect((await verifyBundle(jws, trust)).kind).toBe('bundle');
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyBytes, mangled(Buffer.from(jws))), async (raw) => {
        const text = raw.toString('latin1');
        fc.pre(text !== jws);
        expect(await verifyBundle(text, trust)).toMatchObject({
          kind: 'refused',
          code: expect.stringMatching(/^BUNDLE_(SIGNATURE_INVALID|MALFORMED)$/) as string,
        });
      }),
      runs(150),
    );
  });
});
