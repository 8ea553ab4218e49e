/**
 * Documents that people and servers write: a policy's YAML and a catalogue's JSON. What was written is what
 * is read; whatever else stands there is answered with a place in it, and nothing half read is used.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { builtInCatalogue, indexCatalogue } from '../../policies/catalogue.js';
import { parseReceivedCatalogue } from '../../policies/catalogue-received.js';
import { parseCatalogue } from '../../policies/catalogue-schema.js';
import { parsePolicy } from '../../policies/document.js';
import { readSource } from '../../policies/source.js';
import { anyText, mangledText, pieces } from '../agent/mangled.js';
import { runs } from '../runs.js';

const line = fc.stringMatching(
  /^[!-~\u{e9}\u{4e2d}]([ -~\u{e9}\u{4e2d}]{0,20}[!-~\u{e9}\u{4e2d}])?$/u,
);
/** A star at an end would make a pattern of it, which is refused. */
const name = line.filter((text) => !/^\*|\*$/.test(text));
const id = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/);
const day = fc
  .integer({ min: 1, max: 28 })
  .map((number) => `2026-07-${String(number).padStart(2, '0')}`);

const rule = fc.record({
  id,
  match: fc.oneof(
    fc.record({ tool: fc.constantFrom('claude-code', 'qoder') }),
    fc.record({ owner: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }) }),
    fc.record({ publisher: name, scope: fc.constantFrom('global', 'project') }),
    fc.record({ gateway: fc.constantFrom('vendor', 'third-party', 'llm.example.com') }),
  ),
  decision: fc.constant('deny' as const),
  effective: day,
  after: fc.constantFrom('observe', 'notify', 'block', 'remove'),
  reason: fc.record({ en: line }),
});
const rules = fc.uniqueArray(rule, { minLength: 1, maxLength: 5, selector: (one) => one.id });
const document = fc.record({
  policy: id,
  title: line,
  timezone: fc.constantFrom('utc', 'Asia/Shanghai', 'device-local'),
  default: fc.constant({ decision: 'review' as const }),
  rules,
});
const catalogue = builtInCatalogue();

test('a policy is read as it was written, in every style of YAML', () => {
  const style = fc.record({
    collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'flow' as const),
    defaultStringType: fc.constantFrom(
      'PLAIN' as const,
      'QUOTE_DOUBLE' as const,
      'QUOTE_SINGLE' as const,
    ),
    indent: fc.constantFrom(2, 4),
  });
  fc.assert(
    fc.property(document, style, (written, how) => {
      const parsed = parsePolicy(stringify(written, { ...how, version: '1.2' }), { catalogue });
      expect(parsed.kind === 'invalid' ? parsed.problems : []).toEqual([]);
      if (parsed.kind === 'invalid') return;
      const { policy } = parsed;
      expect([policy.policy, policy.title, policy.timezone]).toEqual([
        written.policy,
        written.title,
        written.timezone,
      ]);
      const listed = (value: unknown): unknown => (Array.isArray(value) ? value : [value]);
      expect(
        policy.rules.map(({ id: name, match, denial }) => [
          name,
          match,
          denial?.effective,
          denial?.after,
          denial?.reason,
        ]),
      ).toEqual(
        written.rules.map(({ id: name, match, effective, after, reason }) => [
          name,
          Object.fromEntries(Object.entries(match).map(([field, value]) => [field, listed(value)])),
          effective,
          after,
          reason,
        ]),
      );
    }),
    runs(15),
  );
});

test('a field that is wrong is named with the line that it stands on', () => {
  fc.assert(
    fc.property(
      document,
      fc.nat(),
      fc.constantFrom('effective', 'after', 'decision'),
      (written, pick, field) => {
        const at = pick % written.rules.length;
        const wrong = structuredClone(written);
        Object.assign(wrong.rules[at] as object, { [field]: 'never so' });
        const yaml = stringify(wrong, { version: '1.2' });
        const parsed = parsePolicy(yaml, { catalogue });
        expect(parsed.kind).toBe('invalid');
        if (parsed.kind !== 'invalid') return;
        const told = parsed.problems.find((problem) => problem.field === `rules[${at}].${field}`);
        expect(yaml.split('\n')[(told?.line ?? 0) - 1]).toContain(`${field}: never so`);
      },
    ),
    runs(15),
  );
});

test('any text is a source or has a problem at a place in it', () => {
  const sample = stringify({
    policy: 'a',
    rules: [{ id: 'b', match: { tool: ['c'] } }],
    title: 'x\ny',
  });
  const marks = [
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '&x ',
    '*x',
    '!!map ',
    '"',
    "'",
    '|',
    '>',
    '? ',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '#',
    '\t',
    '<<: ',
  ];
  fc.assert(
    fc.property(fc.oneof(anyText, mangledText(sample), pieces(marks)), (text) => {
      const read = readSource(text);
      const problems = read.kind === 'invalid' ? read.problems : [];
      if (read.kind === 'source')
        expect(() => read.source.placeOf(['rules', 0, 'x'])).not.toThrow();
      const parsed = parsePolicy(text);
      const all = [...problems, ...(parsed.kind === 'invalid' ? parsed.problems : [])];
      for (const { line: row, column, message } of all) {
        expect(row).toBeGreaterThanOrEqual(1);
        expect(row).toBeLessThanOrEqual(text.split(/\r\n|\n|\r/).length + 1);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe('');
      }
      if (parsed.kind === 'invalid') expect(parsed.problems).not.toEqual([]);
    }),
    runs(60),
  );
});

const tool = { id: 'helper', name: 'Helper', vendor: 'V', provider: ['any'], kind: 'coding-agent' };
const received = {
  format: 1,
  tools: [
    {
      ...tool,
      identifiers: { npm: ['@v/helper'], command: ['helper'] },
      folders: [{ os: ['linux'], path: '/opt/helper/run', manager: 'v' }],
    },
    { ...tool, id: 'other', identifiers: { pypi: ['other'] } },
  ],
  editors: [{ id: 'e', name: 'E', homeFolder: '.e', configFolder: null, isServer: false }],
  advisories: [
    {
      id: 'HLP-1',
      title: 'A fault',
      severity: 'high',
      affects: [{ tool: 'helper', versions: '<2.0.0' }],
      sources: ['https://example.com/1'],
      confidence: 'high',
    },
  ],
};

/** Every object and list in a value. */
function containersIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(containersIn)];
}

test('a field of a newer catalogue changes nothing of what this build knows', () => {
  const known = parseReceivedCatalogue(received);
  expect(known.kind).toBe('catalogue');
  const name = fc.stringMatching(/^new[a-z]{3,8}$/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), name, fc.jsonValue({ maxDepth: 2 })), {
        minLength: 1,
        maxLength: 4,
      }),
      (fields) => {
        const newer = structuredClone(received);
        const objects = containersIn(newer).filter(
          (one) => !Array.isArray(one) && !('npm' in one) && !('pypi' in one),
        );
        for (const [pick, field, value] of fields)
          Object.assign(objects[pick % objects.length] ?? {}, { [field]: value });
        expect(parseReceivedCatalogue(newer)).toEqual(known);
      },
    ),
    runs(30),
  );
});

test('a catalogue of any shape is taken whole or refused, and never an error', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.jsonValue({ maxDepth: 2 })), {
        minLength: 1,
        maxLength: 3,
      }),
      (changes) => {
        const odd = structuredClone(received) as unknown;
        for (const [pick, which, value] of changes) {
          const all = containersIn(odd);
          const at = all[pick % all.length] ?? {};
          const keys = Object.keys(at);
          Object.assign(at, { [keys[which % Math.max(keys.length, 1)] ?? 'x']: value });
        }
        for (const parse of [parseCatalogue, parseReceivedCatalogue]) {
          const parsed = parse(odd);
          if (parsed.kind === 'invalid') expect(parsed.problems).not.toEqual([]);
          else
            expect(() =>
              indexCatalogue(parsed.document, 'sum').match('npm', '@v/helper'),
            ).not.toThrow();
        }
      },
    ),
    runs(60),
  );
});

test('a document of nothing but unknown fields says so', () => {
  const fields = Array.from({ length: 300 }, (_, at) => `x${at}`);
  const start = 'policy: a\ntitle: b\ndefault: { decision: allow }\nrules: []\n';
  const parsed = parsePolicy(start + fields.map((name) => `${name}: 1\n`).join(''));
  expect(parsed.kind === 'invalid' ? parsed.problems[0] : null).toMatchObject({
    field: 'x0',
    line: 5,
  });
  const odd = {
    ...received,
    tools: [{ ...tool, identifiers: Object.fromEntries(fields.map((name) => [name, 1])) }],
  };
  const refused = parseCatalogue(odd);
  const [first] = refused.kind === 'invalid' ? refused.problems : [];
  expect(first).toMatchObject({ field: 'tools[0].identifiers (helper)' });
  expect(first?.message).toContain('x299');
});

test('a policy of as many unknown fields as fit is refused at once', () => {
  const text = Array.from({ length: 20_000 }, (_, at) => `a${at}: 1\n`).join('');
  const parsed = parsePolicy(text);
  expect(parsed.kind === 'invalid' ? parsed.problems.length : 0).toBeGreaterThan(0);
});
