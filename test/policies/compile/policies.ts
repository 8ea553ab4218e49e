/** Policies as an admin writes them, compiled for one target at an instant after their dates. */
import { builtInCatalogue } from '../../../policies/catalogue.js';
import type { Compiled, Target } from '../../../policies/compile/index.js';
import { parsePolicy, type Policy } from '../../../policies/document.js';

const known = new Map<string, Policy>();

/** The policy of a text, the same one for the same text; the test ends when it is wrong. */
export function policyOf(yaml: string): Policy {
  const before = known.get(yaml);
  if (before !== undefined) return before;
  const parsed = parsePolicy(yaml, { catalogue: builtInCatalogue() });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems, null, 1));
  known.set(yaml, parsed.policy);
  return parsed.policy;
}

export function compiled(
  target: Target,
  yaml: string,
  { at = '2026-08-01T00:00:00Z', isAllowList = false } = {},
): Compiled {
  return target.compile({
    policy: policyOf(yaml),
    catalogue: builtInCatalogue(),
    ...{ at: Date.parse(at), zone: 'UTC', isAllowList },
  });
}
