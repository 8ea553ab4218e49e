/**
 * What planned rules name and devices do not report yet: packages that no entry of the catalogue claims,
 * channels that are off in what is live. The inventory has none of it, so a plan says so instead of
 * counting none.
 */
import type { Catalogue, IdentifierKind } from '../policies/catalogue.js';
import type { Policy } from '../policies/document.js';
import { ruleNames, wholeChannels } from '../policies/evaluate.js';
import { normalPackage } from '../policies/match.js';

export interface Unreported {
  readonly policy: string;
  readonly rule: string;
  readonly channels: readonly string[];
  /** Ecosystem and name. */
  readonly packages: readonly string[];
}

const identifierOf: Readonly<Record<string, readonly IdentifierKind[]>> = {
  npm: ['npm', 'npmParts'],
  homebrew: ['homebrewFormula', 'homebrewCask'],
  'editor-extension': ['editorExtension'],
  'jetbrains-plugin': ['jetbrainsPlugin'],
  'browser-extension': ['browserExtension'],
};

/** Kinds of which a policy chooses whether they are reported. */
const chosen = ['mcp', 'model', 'service'] as const;

export function unreported(
  live: readonly Policy[],
  planned: readonly Policy[],
  catalogue: Catalogue,
): readonly Unreported[] {
  const known = knownNames(live, catalogue);
  const whole = new Set(live.flatMap((policy) => [...wholeChannels(policy)]));
  const isTold = (channel: string): boolean =>
    whole.has(channel as never) ||
    !chosen.some(
      (kind) => kind === channel && !live.some(({ report }) => report[kind] === 'report'),
    );
  return planned.flatMap((policy) =>
    policy.rules.flatMap(({ id, match }) => {
      const names = Object.entries(match.package ?? {}).flatMap(([ecosystem, list]) =>
        list
          .map((name) => `${ecosystem} ${normalPackage(ecosystem, name)}`)
          .filter((name) => !known.has(name)),
      );
      const asksWhole = wholeChannels({
        ...policy,
        rules: policy.rules.filter((one) => one.id === id),
      });
      const channels = (match.channel ?? []).filter(
        (channel) => (asksWhole.has(channel) && !whole.has(channel)) || !isTold(channel),
      );
      return names.length === 0 && channels.length === 0
        ? []
        : [{ policy: policy.policy, rule: id, channels, packages: names }];
    }),
  );
}

/** Packages of the catalogue, and those that live rules name already. */
function knownNames(live: readonly Policy[], catalogue: Catalogue): ReadonlySet<string> {
  const names = new Set<string>();
  for (const policy of live) {
    for (const [ecosystem, list] of ruleNames(policy)) {
      for (const name of list) names.add(`${ecosystem} ${name}`);
    }
  }
  for (const { identifiers } of catalogue.tools) {
    for (const [kind, list] of Object.entries(identifiers)) {
      const ecosystem =
        Object.entries(identifierOf).find(([, kinds]) => kinds.includes(kind as never))?.[0] ??
        kind;
      for (const name of list) names.add(`${ecosystem} ${normalPackage(ecosystem, name)}`);
    }
  }
  return names;
}
