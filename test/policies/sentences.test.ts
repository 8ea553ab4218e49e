/**
 * The language, sentence by sentence: `sentences.yaml` holds each sentence with a policy as an admin
 * would write it and the cases that the sentence decides, in the form of `policy test`; or the texts
 * that it refuses. Nothing is judged here.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parsePolicy } from '../../policies/document.js';
import { parseCases } from '../../policies/test-cases.js';
import { runCases } from '../../policies/test-runs.js';

interface Sentence {
  readonly sentence: string;
  /** A whole policy, or the rules of one in UTC whose default is review. */
  readonly policy?: string;
  readonly rules?: unknown;
  readonly cases?: readonly unknown[];
  /** What is put in the place of a text of the policy, and what is said of it. */
  readonly refused?: readonly {
    readonly from: string;
    readonly to: string;
    readonly message: string;
  }[];
}

const catalogue = builtInCatalogue();
const chapters = parse(
  readFileSync(new URL('./sentences.yaml', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly Sentence[]>>;

function textOf({ policy, rules }: Sentence): string {
  if (policy !== undefined) return policy;
  return stringify({
    policy: 'sentence',
    title: 'A sentence',
    timezone: 'utc',
    default: { decision: 'review' },
    rules,
  });
}

describe.each(Object.entries(chapters))('%s', (_, sentences) => {
  test.each(sentences.map((one) => [one.sentence, one] as const))('%s', (_, one) => {
    const text = textOf(one);
    const parsed = parsePolicy(text, { catalogue });
    if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems, null, 1));
    const { policy } = parsed;
    const runs = (one.cases ?? []).flatMap((given) => {
      const cases = parseCases(stringify({ cases: [given] }), { policy, catalogue });
      if (cases.kind === 'invalid') throw new Error(JSON.stringify(cases.problems, null, 1));
      return [...runCases(cases.document, { policy, catalogue })];
    });
    const failed = runs.filter(({ isPassed }) => !isPassed);
    expect(failed.map(({ name, at, fields }) => ({ name, at, fields }))).toEqual([]);
    for (const { from, to, message } of one.refused ?? []) {
      expect(text).toContain(from);
      const wrong = parsePolicy(text.replace(from, to), { catalogue });
      const messages = wrong.kind === 'invalid' ? wrong.problems.map((each) => each.message) : [];
      expect(messages.join('\n')).toContain(message);
    }
    expect(runs.length + (one.refused?.length ?? 0)).toBeGreaterThan(0);
  });
});
