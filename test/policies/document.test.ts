/**
 * From YAML to a checked policy: what the typed form is, and for each way to be wrong the line, the
 * column, the field and the words. Hostile texts are refused quickly.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import Value from 'typebox/value';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { reportDefaults } from '../../policies/complete.js';
import { parsePolicy, policyJsonSchema, type PolicyProblem } from '../../policies/document.js';
import { catalogue, policyOf } from './subjects.js';
import { runs } from '../runs.js';

const full = `policy: ai-tools
title: AI tools
timezone: Asia/Shanghai
default: { decision: deny, effective: 2026-08-01, after: notify, reason: { en: List only. } }
rules:
  - id: ours
    match: { tool: [qoder, qoder-cli], scope: [global, project] }
    decision: approve
  - id: ban
    match:
      tool: claude-code-cli
      package: { npm: "@scope/name", pypi: [one, two] }
      state: cached
      version: ">=2.1.91 <=2.1.197"
      gateway: third-party
      running: true
    decision: deny
    severity: critical
    announce: 2026-07-04
    effective: 2026-07-10T09:00:00+08:00
    before: observe
    after: remove
    reason: { en: Covert checks., zh-CN: 暗中检查。 }
    evidence: [https://example.com/notice]
    replacement: { tool: qoder, guide: https://example.com/move }
targets: { groups: engineering, os: [darwin, linux], percent: 12.5 }
report: { service: off, model: count, candidate: report }
`;

/** The document with one text put in the place of another. */
function changed(from: string, to: string): string {
  if (!full.includes(from)) throw new Error(`not in the document: ${from}`);
  return full.replace(from, to);
}

function problemsOf(yaml: string): readonly PolicyProblem[] {
  const parsed = parsePolicy(yaml, { catalogue });
  return parsed.kind === 'invalid' ? parsed.problems : [];
}

/** Changes that make the document wrong, and what is to be said of each. */
const wrong = parse(
  readFileSync(new URL('./wrong-documents.yaml', import.meta.url), 'utf8'),
) as readonly {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly at: readonly [number, number];
  readonly field: string;
  readonly message: string;
}[];

describe('the typed form', () => {
  test('single values become lists, and what was left out its default', () => {
    expect(policyOf(full)).toEqual({
      policy: 'ai-tools',
      title: 'AI tools',
      contact: null,
      timezone: 'Asia/Shanghai',
      default: {
        decision: 'deny',
        denial: {
          severity: 'medium',
          announce: null,
          effective: '2026-08-01',
          before: 'notify',
          after: 'notify',
          grace: null,
          escalate: null,
          reason: { en: 'List only.' },
          evidence: [],
          replacement: null,
        },
      },
      rules: [
        {
          id: 'ours',
          match: { tool: ['qoder', 'qoder-cli'], scope: ['global', 'project'] },
          decision: 'approve',
          denial: null,
        },
        {
          id: 'ban',
          match: {
            tool: ['claude-code-cli'],
            package: { npm: ['@scope/name'], pypi: ['one', 'two'] },
            state: ['cached'],
            version: '>=2.1.91 <=2.1.197',
            gateway: ['third-party'],
            running: true,
          },
          decision: 'deny',
          denial: {
            severity: 'critical',
            announce: '2026-07-04',
            effective: '2026-07-10T09:00:00+08:00',
            before: 'observe',
            after: 'remove',
            grace: null,
            escalate: null,
            reason: { en: 'Covert checks.', 'zh-CN': '暗中检查。' },
            evidence: ['https://example.com/notice'],
            replacement: { tool: 'qoder', guide: 'https://example.com/move' },
          },
        },
      ],
      targets: { groups: ['engineering'], users: null, os: ['darwin', 'linux'], percent: 12.5 },
      report: { mcp: 'report', model: 'count', service: 'off', candidate: 'report' },
    });
  });

  test('a document without targets and timezone is for all devices', () => {
    const policy = policyOf('policy: p\ntitle: T\ndefault: { decision: allow }\nrules: []\n');
    expect(policy.timezone).toBeNull();
    expect(policy.targets).toEqual({ groups: null, users: null, os: null, percent: null });
  });

  test('a document without report has MCP servers reported, and nothing else by choice', () => {
    const policy = policyOf('policy: p\ntitle: T\ndefault: { decision: allow }\nrules: []\n');
    const usual = { mcp: 'report', model: 'off', service: 'off', candidate: 'off' };
    expect(policy.report).toEqual(usual);
    expect(reportDefaults).toEqual(usual);
  });

  test('anchors and JSON are YAML too', () => {
    const shared = changed('{ en: List only. }', '&why { en: List only. }').replace(
      '{ en: Covert checks., zh-CN: 暗中检查。 }',
      '*why',
    );
    expect(policyOf(shared).rules[1]?.denial?.reason).toEqual({ en: 'List only.' });
    expect(policyOf(JSON.stringify(parse(full)))).toEqual(policyOf(full));
  });
});

describe('what is wrong is named with its place', () => {
  test.each(wrong)('$title', ({ from, to, at: [line, column], field, message }) => {
    expect(problemsOf(changed(from, to))).toContainEqual({
      severity: 'error',
      line,
      column,
      field,
      message,
    });
  });

  test('C066: a day without a timezone is refused', () => {
    const [first] = problemsOf(changed('timezone: Asia/Shanghai\n', ''));
    expect(first).toMatchObject({ line: 3, field: 'default.effective' });
    expect(first?.message).toContain('add "timezone" to the policy');
  });

  test('an instant needs no timezone', () => {
    const instant = '2026-07-01T00:00:00Z';
    const text = changed('timezone: Asia/Shanghai\n', '')
      .replace('effective: 2026-08-01', `effective: ${instant}`)
      .replace('announce: 2026-07-04', `announce: ${instant}`);
    expect(policyOf(text).timezone).toBeNull();
  });

  test('everything wrong is named at once, in the order of the text', () => {
    const text = changed('before: observe', 'before: block')
      .replace('decision: approve', 'decision: yes')
      .replace('os: [darwin, linux]', 'os: [mac, pc, unix, dos, vms, amiga, be, plan9]');
    expect(problemsOf(text).map(({ field }) => field)).toEqual([
      'rules[0].decision',
      'rules[1].before',
      ...Array.from({ length: 8 }, (_, at) => `targets.os[${at}]`),
    ]);
  });

  test('a vendor the catalogue does not have is worth a warning', () => {
    const parsed = parsePolicy(changed('state: cached', 'vendor: Antropic'), { catalogue });
    expect(parsed).toMatchObject({
      kind: 'policy',
      warnings: [
        {
          severity: 'warning',
          line: 13,
          column: 15,
          message: 'no tool of the catalogue has the vendor "Antropic"; did you mean "Anthropic"?',
        },
      ],
    });
  });

  test('a default that denies what is not reported is worth a warning', () => {
    const warningsOf = (yaml: string): readonly unknown[] => {
      const parsed = parsePolicy(yaml, { catalogue });
      return parsed.kind === 'policy' ? parsed.warnings : [parsed];
    };
    const off = changed('service: off', 'mcp: off');
    expect(warningsOf(off)).toMatchObject([
      { severity: 'warning', line: 27, column: 16, field: 'report.mcp' },
    ]);
    expect(warningsOf(off.replace('mcp: off', 'mcp: report'))).toEqual([]);
    expect(warningsOf(full)).toEqual([]);
    const reviewing = off.replace(/^default: .*$/m, 'default: { decision: review }');
    expect(warningsOf(reviewing)).toEqual([]);
  });

  test('without a catalogue any tool id is taken', () => {
    const text = changed('tool: claude-code-cli', 'tool: of-tomorrow');
    expect(parsePolicy(text).kind).toBe('policy');
  });
});

describe('the schema for editors', () => {
  test('the committed file is what the code says', () => {
    const path = new URL('../../policies/schema.json', import.meta.url);
    expect(readFileSync(path, 'utf8')).toBe(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
  });

  test('takes what the parser takes, and knows what a denial needs', () => {
    const schema = policyJsonSchema() as Parameters<typeof Value.Check>[0];
    const accepts = (text: string): boolean => Value.Check(schema, parse(text));
    expect(accepts(full)).toBe(true);
    expect(accepts(changed('    after: remove\n', ''))).toBe(false);
    expect(accepts(changed('decision: approve', 'decision: approve\n    after: block'))).toBe(
      false,
    );
    expect(accepts(changed('severity: critical', 'sevrity: critical'))).toBe(false);
  });

  test('describes every field of the language', () => {
    const schema = policyJsonSchema() as { properties: Record<string, unknown> };
    const silent: string[] = [];
    const visit = (node: unknown, at: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const { properties } = node as { properties?: Record<string, { description?: string }> };
      for (const [name, field] of Object.entries(properties ?? {})) {
        if (field.description === undefined) silent.push(`${at}.${name}`);
        visit(field, `${at}.${name}`);
      }
      const { items } = node as { items?: unknown };
      if (items !== undefined) visit(items, `${at}[]`);
    };
    visit({ properties: schema.properties }, '');
    expect(silent).toEqual([]);
  });
});

test('an unknown field hides no other fault', () => {
  const text = changed('    announce: 2026-07-04\n', '    announce: 2026-02-30\n    efective: 1\n');
  expect(problemsOf(text).map(({ line, field }) => [line, field])).toEqual([
    [19, 'rules[1].announce'],
    [20, 'rules[1].efective'],
  ]);
  const misspelt = text.replace('    effective: 2026-07-10T09:00:00+08:00\n', '');
  expect(problemsOf(misspelt).map(({ message }) => message)).toEqual([
    'decision deny needs the field "effective"',
    expect.stringContaining('2026-02-30'),
    expect.stringContaining('did you mean "effective"'),
  ]);
});

test('a policy that a program wrote as JSON on one line is read, however many rules it has', () => {
  const rules = Array.from({ length: 500 }, (_, at) => ({
    id: `r${at}`,
    match: { package: { npm: `name-${at}` } },
    decision: 'allow',
  }));
  const text = JSON.stringify({ policy: 'p', title: 'P', default: { decision: 'review' }, rules });
  const parsed = parsePolicy(text);
  expect(parsed.kind === 'policy' && parsed.policy.rules.length).toBe(500);
});

describe('hostile texts are refused', () => {
  const bomb = Array.from({ length: 8 }, (_, at) => {
    const inner = at === 0 ? 'x' : `*a${at - 1}`;
    return `a${at}: &a${at} [${Array.from({ length: 9 }, () => inner).join(', ')}]`;
  }).join('\n');

  test.each([
    ['too long', `title: ${'x'.repeat(300_000)}`, 'longer than 256 KiB'],
    ['brackets without end', '['.repeat(250_000), 'nested too deeply'],
    ['brackets closed again', '['.repeat(99) + ']'.repeat(99), 'nested too deeply'],
    ['a list in a list in a list', `${'- '.repeat(1000)}a`, 'nested too deeply'],
    ['a key of a key of a key', `{${'? '.repeat(1000)}a}`, 'nested too deeply'],
    [
      'a list in a list, between brackets',
      `- [a, b]${'\n- - [a, b]'}${' -'.repeat(1000)}`,
      'nested too deeply',
    ],
    [
      'steps without end',
      Array.from({ length: 300 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
      'nested too deeply',
    ],
    ['too many entries', `{${'k,'.repeat(120_000)}}`, 'too many entries'],
    [
      'many fields',
      Array.from({ length: 15_000 }, (_, at) => `k${at}: 1`).join('\n'),
      'too many entries',
    ],
    ['aliases of aliases', bomb, 'aliases: more aliases than a policy can need'],
    [
      'an alias of nothing',
      'title: *nobody',
      'aliases: an alias of something that is named nowhere before it',
    ],
    ['nothing', '', 'expected a mapping; found nothing'],
    ['a number', '5', 'expected a mapping; found the number 5'],
    ['two documents', `${full}---\n${full}`, 'a second document begins here; a file holds one'],
  ])('%s', (_, text, message) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.map((one) => one.message).join('\n')).toContain(message);
  });

  test('no more problems are named than anybody reads', () => {
    const many = Array.from({ length: 480 }, (_, at) => `tool-${at}`).join(', ');
    expect(problemsOf(changed('qoder, qoder-cli', many))).toHaveLength(100);
  });

  test('a prototype is a field like another', () => {
    const problems = problemsOf(changed('title: AI tools', 'title: AI tools\n__proto__: { x: 1 }'));
    expect(problems[0]?.message).toContain('unknown field "__proto__"');
  });

  test('YAML 1.1 by directive changes no value', () => {
    const text = `%YAML 1.1\n---\n${changed('title: AI tools', 'title: yes')}`;
    expect(policyOf(text).title).toBe('yes');
    expect(policyOf(text).report.service).toBe('off');
    expect(policyOf(text).rules[1]?.denial?.announce).toBe('2026-07-04');
  });

  test('no text makes the parser fail', () => {
    const pieces = fc.constantFrom(
      ...full.split(/(\s+|[{}[\],:])/),
      '&a',
      '*a',
      '!!x',
      '? ',
      '\t',
      '|',
      '"',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (words) => {
        const parsed = parsePolicy(words.join(''), { catalogue });
        if (parsed.kind === 'invalid') expect(parsed.problems.length).toBeGreaterThan(0);
      }),
      runs(300),
    );
  });

  test('no change of one value makes the parser fail or accept without a policy', () => {
    const lines = full.split('\n');
    fc.assert(
      fc.property(fc.nat({ max: lines.length - 1 }), fc.json({ maxDepth: 2 }), (at, value) => {
        const text = lines.map((one, row) =>
          row === at ? one.replace(/:.*$/, `: ${value}`) : one,
        );
        const parsed = parsePolicy(text.join('\n'), { catalogue });
        expect(parsed.kind === 'policy' || parsed.problems.length > 0).toBe(true);
      }),
      runs(200),
    );
  });
});

test('a byte order mark and the line ends of Windows change nothing, nor the places', () => {
  const other = (text: string): string => `\ufeff${text.replaceAll('\n', '\r\n')}`;
  expect(policyOf(other(full))).toEqual(policyOf(full));
  const text = changed('severity: critical', 'severity: urgent');
  expect(problemsOf(other(text))).toEqual(problemsOf(text));
  const first = changed('policy: ai-tools', 'policy: 5');
  expect(problemsOf(other(first))[0]).toMatchObject({ line: 1, column: 9 });
});
