/**
 * Denials of everything that one publisher has made, for editors that know publishers. A publisher is
 * named only when no earlier rule could spare an extension of it that nobody has named; those that are
 * named and spared are listed beside it. What a rule says of other things than extensions is not asked.
 */
import type { Match } from '../document.js';
import type { DenialInForce, Denials, Judged } from './denials.js';
import { reachingRule, type Identity } from './identities.js';
import type { CompileInput } from './index.js';
import { isMild } from './words.js';

export interface DeniedPublishers {
  /** Lower case, as in an extension's id. */
  readonly publishers: readonly string[];
  /** Ids of these publishers that an earlier rule spares. */
  readonly spared: readonly string[];
  /** Rules all of whose publishers are among them. */
  readonly rules: ReadonlySet<string>;
}

const publisherId = /^[a-z0-9][a-z0-9-]*$/;
/** In VS Code this key stands for every publisher of the company: more than a policy means by it. */
const organizations: ReadonlySet<string> = new Set(['microsoft']);

const publisherOf = (name: string): string => name.toLowerCase().split('.')[0] ?? '';

/** Whether the match speaks of publishers and of nothing that an editor could not see. */
function isOfPublishers({ publisher, channel, state, scope, ...others }: Match): boolean {
  return (
    publisher !== undefined &&
    Object.keys(others).length === 0 &&
    (channel?.includes('editor-extension') ?? true) &&
    (state?.includes('installed') ?? true) &&
    (scope?.includes('global') ?? true)
  );
}

/** The rules before this one that let something be, or only speak of it. */
function sparingBefore(
  { rule }: DenialInForce,
  denials: Denials,
  { policy, catalogue }: CompileInput,
) {
  const denying = new Set(denials.inForce.filter((one) => !isMild(one)).map((one) => one.rule));
  const place = policy.rules.findIndex(({ id }) => id === rule);
  return policy.rules
    .slice(0, place)
    .filter(({ id }) => !denying.has(id))
    .map(({ match, decision }) => reachingRule(match, catalogue, decision === 'deny'));
}

const extension = (name: string): Identity => ({
  ...{ tool: null, kind: 'editorExtension', name, folder: null },
});

/** What the policy denies by publisher alone; empty where nothing can be said. */
export function deniedPublishers(denials: Denials, input: CompileInput): DeniedPublishers {
  const publishers = new Set<string>();
  const spared = new Set<string>();
  const rules = new Set<string>();
  for (const rule of denials.inForce) {
    const match = input.policy.rules.find(({ id }) => id === rule.rule)?.match;
    if (match === undefined || isMild(rule) || !isOfPublishers(match)) continue;
    const earlier = sparingBefore(rule, denials, input);
    const names = (match.publisher ?? []).map((name) => name.toLowerCase());
    const sayable = names.filter(
      (name) =>
        publisherId.test(name) &&
        !organizations.has(name) &&
        // An extension that nobody has named: no earlier rule may reach it.
        earlier.every((one) => one.reach(extension(`${name}.not-named`)).kind === 'no'),
    );
    for (const name of sayable) publishers.add(name);
    if (sayable.length === names.length) rules.add(rule.rule);
    const kept = denials.identities.filter(
      (one) =>
        isExtensionOf(one, sayable) && earlier.some((before) => before.reach(one).kind !== 'no'),
    );
    for (const { name } of kept) spared.add(name.toLowerCase());
  }
  return { publishers: [...publishers].sort(), spared: [...spared].sort(), rules };
}

/** Whether it is an extension of one of these publishers. */
export function isExtensionOf(
  { kind, name }: Pick<Judged, 'kind' | 'name'>,
  publishers: readonly string[],
): boolean {
  return kind === 'editorExtension' && publishers.includes(publisherOf(name));
}
