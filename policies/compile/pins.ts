/**
 * Versions that a rule lets be of something otherwise denied, for targets that can say "these versions
 * alone". Only the plain case is answered: one rule that spares a range stands before a denial of all
 * versions. Anything else is null, and the target lists it.
 */
import type { Judged } from './denials.js';
import { reachingRule } from './identities.js';
import type { CompileInput } from './index.js';

/** The range that is spared, in the policy's notation. */
export function sparedVersions(judged: Judged, input: CompileInput): string | null {
  const { policy, catalogue } = input;
  const { outcome, unseen, versions, sparedBy } = judged;
  if (outcome !== 'partly' || versions !== null || sparedBy === null) return null;
  if (unseen.join() !== 'version') return null;
  const place = policy.rules.findIndex(({ id }) => id === judged.rule);
  if (policy.rules[place]?.match.version !== undefined) return null;
  const before = place === -1 ? policy.rules : policy.rules.slice(0, place);
  const reaching = before.filter(({ match, decision }) => {
    return reachingRule(match, catalogue, decision === 'deny').reach(judged).kind !== 'no';
  });
  const [only] = reaching;
  if (only === undefined || reaching.length > 1 || only.decision === 'deny') return null;
  return only.match.version ?? null;
}
