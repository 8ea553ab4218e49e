/**
 * Everything that is to be said of a policy before it is published: what devices would refuse, and what a
 * document can only be judged for as a whole, with the catalogue and an instant. Pure: `now` is given, no
 * file is read. Devices do none of this; they take what was published.
 */
import type { Catalogue } from './catalogue.js';
import { policyFrom, type Policy, type PolicyProblem } from './document.js';
import type { Advice, LintCheck } from './lint-checks.js';
import { dateAdvice } from './lint-dates.js';
import { orderAdvice } from './lint-order.js';
import { impossibleRules } from './lint-possible.js';
import { compareRanges } from './lint-ranges.js';
import { reachOf } from './lint-reach.js';
import { textAdvice } from './lint-texts.js';
import { allowListAdvice, replacementAdvice } from './lint-verdicts.js';
import { fieldName, readSource, type Source } from './source.js';

export interface LintOptions {
  readonly catalogue: Catalogue;
  /** Epoch ms; dates before it are past. */
  readonly now: number;
  /** Language tags that every text must have. */
  readonly languages?: readonly string[];
}

export interface LintProblem extends PolicyProblem {
  readonly check: LintCheck;
}

export interface Linted {
  /** Null for a document that devices would refuse. */
  readonly policy: Policy | null;
  /** In the order of the text; the first of each severity where there are more than anybody corrects. */
  readonly problems: readonly LintProblem[];
}

const mostProblems = 100;

/** What is wrong or doubtful in a policy's text. */
export function lintPolicy(yaml: string, options: LintOptions): Linted {
  const ofDocument = (problems: readonly PolicyProblem[]): LintProblem[] =>
    problems.map((problem) => ({ check: 'document', ...problem }));
  const read = readSource(yaml);
  if (read.kind === 'invalid') {
    const problems = read.problems.map(
      (one) => ({ severity: 'error', field: '', ...one }) as const,
    );
    return { policy: null, problems: ofDocument(problems) };
  }
  const { source } = read;
  const parsed = policyFrom(source, { catalogue: options.catalogue });
  if (parsed.kind === 'invalid') return { policy: null, problems: ofDocument(parsed.problems) };
  const { policy, warnings } = parsed;
  const advised = inOrder(advise(policy, options)).map((one) => placed(one, source));
  return { policy, problems: inOrder([...ofDocument(warnings), ...advised]).sort(byPlace) };
}

/** What is to be said of a checked policy, beyond what `parsePolicy` says. */
export function advise(policy: Policy, { catalogue, now, languages = [] }: LintOptions): Advice[] {
  const ranges = compareRanges();
  const reaches = policy.rules.map(({ match }) => reachOf(match, catalogue));
  const impossible = impossibleRules(policy, reaches, { catalogue, ranges });
  const dead = new Set(impossible.map(({ path }) => Number(path[1])));
  return [
    ...impossible,
    ...orderAdvice({ policy, reaches, catalogue, ranges, dead }),
    ...dateAdvice(policy, now),
    ...replacementAdvice({ policy, catalogue, dead }),
    ...allowListAdvice({ policy, catalogue, dead }),
    ...textAdvice(policy, languages),
  ];
}

function placed({ check, severity, path, message, within }: Advice, source: Source): LintProblem {
  const place =
    within === undefined
      ? source.placeOf(path)
      : source.placeWithin(path, within.found, within.offset);
  return { check, severity, ...place, field: fieldName(path), message };
}

/** As many as anybody corrects, errors before warnings. */
function inOrder<Problem extends { readonly severity: 'error' | 'warning' }>(
  problems: readonly Problem[],
): Problem[] {
  const isError = ({ severity }: Problem): boolean => severity === 'error';
  const rest = problems.filter((one) => !isError(one));
  return [...problems.filter(isError), ...rest].slice(0, mostProblems);
}

const byPlace = (left: LintProblem, right: LintProblem): number =>
  left.line - right.line || left.column - right.column;
