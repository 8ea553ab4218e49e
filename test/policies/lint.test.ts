/**
 * Lint of a whole policy: for each case of lint-cases.yaml exactly what it must say; where it says it in
 * texts of every style; and that what it calls dead the evaluation never lets decide.
 */
import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { channels, componentStates, type Component } from '../../policies/component.js';
import { evaluate } from '../../policies/evaluate.js';
import { lintPolicy, type LintProblem } from '../../policies/lint-advice.js';
import { lintChecks } from '../../policies/lint-checks.js';
import { compareRanges } from '../../policies/lint-ranges.js';
import { channelsOf } from '../../policies/lint-possible.js';
import { inRange } from '../../policies/versions.js';
import { runs } from '../runs.js';
import { component, device } from './subjects.js';

const catalogue = builtInCatalogue();
const now = Date.parse('2026-06-01T00:00:00Z');
const top = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, top), 'utf8');

interface Case {
  readonly title: string;
  readonly head?: string;
  readonly rules: string;
  readonly languages?: readonly string[];
  readonly says: readonly (readonly [check: string, field: string, words: string])[];
}

const cases = parse(read('test/policies/lint-cases.yaml')) as readonly Case[];

/** A document of a case: its own fields in the place of the usual ones. */
function documentOf({ head = '', rules }: Pick<Case, 'head' | 'rules'>): string {
  const usual = { policy: 'p', title: 'T', timezone: 'utc', default: '{ decision: allow }' };
  const lines = Object.entries(usual)
    .filter(([name]) => !head.includes(`${name}:`))
    .map(([name, value]) => `${name}: ${value}\n`);
  return `${lines.join('')}${head}rules:\n${rules.replace(/^/gm, '  ')}`;
}

const problemsOf = (yaml: string, languages: readonly string[] = []): readonly LintProblem[] =>
  lintPolicy(yaml, { catalogue, now, languages }).problems;

describe('what is said of a policy', () => {
  test.each(cases)('$title', (one) => {
    const problems = problemsOf(documentOf(one), one.languages);
    expect(problems.map(({ check, field }) => [check, field])).toEqual(
      one.says.map(([check, field]) => [check, field]),
    );
    problems.forEach(({ message }, at) => expect(message).toContain(one.says[at]?.[2]));
  });

  test('every check has a case', () => {
    const tried = new Set(cases.flatMap(({ says }) => says.map(([check]) => check)));
    const elsewhere = ['policy-twice', 'compared', 'exception-nobody', 'exception-tool'];
    const rest = [...elsewhere, 'exception-never', 'exception-ended', 'exception-idle'];
    expect(Object.keys(lintChecks).filter((check) => !tried.has(check))).toEqual(
      rest.sort((a, b) => Object.keys(lintChecks).indexOf(a) - Object.keys(lintChecks).indexOf(b)),
    );
  });

  test('every check is on the page for admins, with its severity, and no other', () => {
    const page = read('docs/admin/policy-lint.md');
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (error|warning) \| \S/gm)];
    expect(rows.map(([, check, severity]) => [check, severity])).toEqual(
      Object.entries(lintChecks),
    );
  });

  test('the examples and the page for admins hold no error, nor a warning but of a date that has passed', () => {
    const files = readdirSync(new URL('policies/examples/', top)).filter(
      (file) => file.endsWith('.yaml') && !file.endsWith('.test.yaml'),
    );
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const said = problemsOf(read(`policies/examples/${file}`)).map(({ check }) => check);
      expect([file, said.filter((check) => check !== 'date-past')]).toEqual([file, []]);
    }
    const page = read('docs/admin/policy.md');
    const errors = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].flatMap((block) =>
      problemsOf(block[1] ?? '').filter(({ severity }) => severity === 'error'),
    );
    expect(errors).toEqual([]);
  });

  test('a document that devices would refuse is refused for that alone', () => {
    const { policy, problems } = lintPolicy('policy: p\n', { catalogue, now });
    expect(policy).toBeNull();
    expect(new Set(problems.map(({ check }) => check))).toEqual(new Set(['document']));
  });

  test('where rules are too many to compare with one another, that is said', () => {
    const rules = Array.from(
      { length: 400 },
      (_, at) =>
        `- { id: r${at}, match: { kind: coding-agent, version: '>=${at}.0 <${at}.9' }, decision: review }`,
    );
    const problems = problemsOf(documentOf({ rules: rules.join('\n') }));
    expect(problems.map(({ check }) => check)).toEqual(['compared']);
  });
});

describe('where a text holds what it must not', () => {
  const rule = (reason: string): string =>
    documentOf({
      rules: `- id: a\n  match: { tool: cline }\n  decision: deny\n  effective: 2026-07-10\n  after: block\n  reason:\n${reason.replace(/^/gm, '    ')}\n`,
    });

  test.each([
    [
      'plain',
      'en: one <b>two</b>',
      [
        [12, 15],
        [12, 21],
      ],
    ],
    [
      'quoted',
      "en: 'one <b>two</b>'",
      [
        [12, 16],
        [12, 22],
      ],
    ],
    [
      'literal',
      'en: |\n  one\n  two <b>\n\n  three </b>',
      [
        [14, 13],
        [16, 15],
      ],
    ],
    [
      'folded',
      'en: >-\n  one\n  two <b>\n\n  three </b>',
      [
        [14, 13],
        [16, 15],
      ],
    ],
    ['an escape', 'en: "one \\u003cb>"', [[12, 11]]],
    [
      'twice the same',
      'en: >-\n  `<b>` and\n  <b> and <b>',
      [
        [14, 9],
        [14, 17],
      ],
    ],
  ])('%s: line and column', (_, reason, places) => {
    const found = problemsOf(rule(reason)).filter(({ check }) => check === 'markdown');
    expect(found.map(({ line, column }) => [line, column])).toEqual(places);
  });
});

describe('what lint calls dead', () => {
  const tools = ['claude-code', 'codex-cli', 'cline', 'ollama'];
  const some = <T extends string>(values: readonly T[]) =>
    fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }), {
      nil: undefined,
    });
  const match = fc
    .record({
      tool: some(tools),
      vendor: some(['Anthropic', 'OpenAI']),
      kind: some(['coding-agent', 'editor-plugin', 'model-runner']),
      channel: some(['npm', 'executable', 'process', 'config', 'package']),
      state: some(componentStates),
      scope: some(['global', 'project']),
      running: fc.option(fc.boolean(), { nil: undefined }),
      version: fc.option(fc.constantFrom('>=2', '<2', '>=1.5 <3', '2.x', '>2 <2'), {
        nil: undefined,
      }),
      owner: some(['ana', 'ben']),
    })
    .map((fields) =>
      Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    )
    .filter((fields) => Object.keys(fields).length > 0);

  /** Finds as detectors make them: of a channel its states, of a tool its channels. */
  const found = fc
    .record({
      tool: fc.constantFrom(...tools, null),
      channel: fc.constantFrom(...channels),
      state: fc.constantFrom(...componentStates),
      scope: fc.constantFrom('global' as const, 'project' as const),
      running: fc.constantFrom(true, false, undefined),
      version: fc.constantFrom('1.0.0', '1.9.0', '2.0.0', '2.5.1', '3.0.0', null),
      owner: fc.constantFrom('ana', 'ben', null),
    })
    .filter(({ channel, state }) => {
      if (channel === 'process' || state === 'running')
        return channel === 'process' && state === 'running';
      if (channel === 'config' || channel === 'service') return state === 'residual';
      return channel === 'model'
        ? state === 'installed'
        : channel !== 'mcp' || state === 'installed' || state === 'disabled';
    })
    .filter(({ tool, channel }) => {
      const entry = tool === null ? null : catalogue.tool(tool);
      return entry === null || ((channelsOf(entry) >> channels.indexOf(channel)) & 1) === 1;
    })
    .map(({ running, ...rest }): Component =>
      component(running === undefined ? rest : { ...rest, running }),
    );

  test('never decides, whatever is found', () => {
    let dead = 0;
    fc.assert(
      fc.property(
        fc.array(match, { minLength: 2, maxLength: 6 }),
        fc.array(found, { minLength: 20, maxLength: 40 }),
        (matches, components) => {
          const rules = matches.map((one, at) => ({
            id: `r${at}`,
            match: one,
            decision: 'review',
          }));
          const yaml = documentOf({
            rules: rules.map((one) => `- ${JSON.stringify(one)}`).join('\n'),
          });
          const { policy, problems } = lintPolicy(yaml, { catalogue, now });
          const idle = problems.filter(({ check }) =>
            ['never-matches', 'covered', 'duplicate'].includes(check),
          );
          const ids = new Set(idle.map(({ field }) => `r${/\d+/.exec(field)?.[0] ?? ''}`));
          dead += ids.size;
          for (const one of components) {
            const { verdict } = evaluate({
              policy,
              catalogue,
              exceptions: [],
              component: one,
              device: device(),
              now,
            });
            // An empty range still cannot be compared with a version that nobody could read.
            if (verdict.status !== 'unknown') expect(ids).not.toContain(verdict.rule);
          }
        },
      ),
      runs(150),
    );
    expect(dead).toBeGreaterThan(20);
  });

  test('a range that lint calls empty, or held by another, is so for every version tried', () => {
    const number = fc.nat({ max: 4 });
    const version = fc
      .tuple(number, number, fc.constantFrom('', '.0', '.1', '-rc.1', '.0-0'))
      .map(([major, minor, rest]) => `${major}.${minor}${rest}`);
    const bound = fc.tuple(fc.constantFrom('>=', '<=', '>', '<', '=', '^', '~', '!='), version);
    const range = fc
      .array(
        fc.array(
          bound.map((one) => one.join('')),
          { minLength: 1, maxLength: 3 },
        ),
        { minLength: 1, maxLength: 2 },
      )
      .map((all) => all.map((one) => one.join(' ')).join(' || '));
    let counted = 0;
    fc.assert(
      fc.property(
        range,
        range,
        fc.array(version, { minLength: 20, maxLength: 20 }),
        (one, other, versions) => {
          const ranges = compareRanges();
          const [isEmpty, isHeld, isApart] = [
            ranges.isEmpty(one),
            ranges.covers(one, other),
            !ranges.meet(one, other),
          ];
          counted += Number(isEmpty) + Number(isHeld) + Number(isApart);
          for (const order of ['npm', 'pypi', 'dpkg', 'executable']) {
            for (const tried of versions) {
              const [here, there] = [inRange(order, tried, one), inRange(order, tried, other)];
              if (isEmpty) expect([one, tried, here]).not.toContain('in');
              if (isHeld && there !== 'out')
                expect([one, other, order, tried, here]).not.toContain('out');
              if (isApart)
                expect([one, other, order, tried, here === 'in' && there === 'in']).not.toContain(
                  true,
                );
            }
          }
        },
      ),
      runs(120),
    );
    expect(counted).toBeGreaterThan(20);
  });
});
