/**
 * What an author wants changed among the live policies: texts put in or replaced, policies taken out, the
 * order of priority. It answers with the policies as they would then be live, which is what a plan is of
 * and what a publish signs. Pure; nothing is stored or signed here.
 */
import type { Catalogue } from '../policies/catalogue.js';
import { parsePolicy, type PolicyProblem } from '../policies/document.js';
import { CurfewError } from '../wire/errors.js';
import type { StoredPolicy } from './store/records.js';
import { withChanged } from './plan.js';

export interface PolicyChange {
  /** The authors' texts, each a whole policy. */
  readonly texts: readonly string[];
  /** Ids of policies that go. */
  readonly remove: readonly string[];
  /** Ids in order of priority; those that are not named follow in the order they have. */
  readonly order: readonly string[];
}
export const noChange: PolicyChange = { texts: [], remove: [], order: [] };

/** A policy as it would be live: of one that stays as it is, all that is stored of it. */
export type FuturePolicy = Pick<StoredPolicy, 'policy' | 'yaml'> & Partial<StoredPolicy>;

export type ChangedPolicies =
  | {
      readonly kind: 'policies';
      /** In order of priority. */
      readonly policies: readonly FuturePolicy[];
      /** Ids of the texts, in their order. */
      readonly given: readonly string[];
      /** Those whose text is new or another one. */
      readonly changed: readonly string[];
      readonly removed: readonly string[];
      /** Of each text, in the order of the texts. */
      readonly warnings: readonly (readonly PolicyProblem[])[];
    }
  | {
      readonly kind: 'invalid';
      readonly faults: readonly {
        /** Of the text in `texts`. */
        readonly index: number;
        readonly problems: readonly PolicyProblem[];
      }[];
    };

/** A bundle holds no more (`BundlePayload`). */
const mostPolicies = 256;

/** Errors: USAGE, of a change that contradicts itself or names what is not there. */
export function changedPolicies(
  live: readonly StoredPolicy[],
  { texts, remove, order }: PolicyChange,
  catalogue: Catalogue,
): ChangedPolicies {
  const parsed = texts.map((yaml) => ({ yaml, result: parsePolicy(yaml, { catalogue }) }));
  const faults = parsed.flatMap(({ result }, index) =>
    result.kind === 'invalid' ? [{ index, problems: result.problems }] : [],
  );
  if (faults.length > 0) return { kind: 'invalid', faults };
  const put = parsed.flatMap(({ yaml, result }): FuturePolicy[] =>
    result.kind === 'invalid' ? [] : [{ policy: result.policy.policy, yaml }],
  );
  mustBeOnce(put.map(({ policy }) => policy));
  mustBeThere(remove, live, put);
  const kept = live.filter(({ policy }) => !remove.includes(policy));
  const isAsLive = ({ policy, yaml }: FuturePolicy): boolean =>
    live.some((one) => one.policy === policy && one.yaml === yaml);
  const changing = put.filter((one) => !isAsLive(one));
  const policies = inOrder(withChanged<FuturePolicy>(kept, changing), order);
  if (policies.length > mostPolicies) {
    throw new CurfewError(
      'USAGE',
      `${policies.length} policies would be live; ${mostPolicies} fit`,
    );
  }
  return {
    kind: 'policies',
    policies,
    given: put.map(({ policy }) => policy),
    changed: changing.map(({ policy }) => policy),
    removed: [...remove],
    warnings: parsed.map(({ result }) => (result.kind === 'invalid' ? [] : result.warnings)),
  };
}

function mustBeOnce(ids: readonly string[]): void {
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice === undefined) return;
  throw new CurfewError('USAGE', `two of the files are the policy ${twice}`, {
    hint: 'Give each policy a name of its own in its field `policy`.',
  });
}

function mustBeThere(
  remove: readonly string[],
  live: readonly StoredPolicy[],
  put: readonly FuturePolicy[],
): void {
  for (const id of remove) {
    if (put.some(({ policy }) => policy === id)) {
      throw new CurfewError('USAGE', `the policy ${id} is to be published and to be removed`);
    }
    if (live.some(({ policy }) => policy === id)) continue;
    const names = live.map(({ policy }) => policy).join(', ');
    throw new CurfewError('USAGE', `there is no live policy ${id} to remove`, {
      hint: names === '' ? 'No policy is live.' : `Live are: ${names}.`,
    });
  }
}

function inOrder(
  policies: readonly FuturePolicy[],
  order: readonly string[],
): readonly FuturePolicy[] {
  const first = order.map((id) => {
    const found = policies.find(({ policy }) => policy === id);
    if (found !== undefined) return found;
    const names = policies.map(({ policy }) => policy).join(', ');
    throw new CurfewError('USAGE', `the order names ${id}, which would not be live`, {
      hint: `There would be: ${names}.`,
    });
  });
  mustBeOnce(order);
  return [...first, ...policies.filter((one) => !first.includes(one))];
}
