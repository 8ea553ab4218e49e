/**
 * What of a component the device tells its server. Tools of the catalogue and what a rule decided or
 * names are always told; of four kinds it is the policy's choice; all other software is nobody's
 * business. It makes no message: what a component looks like on its way is in `wire/`.
 */
import type { Component } from './component.js';
import { isNamedPackage, type Verdict } from './evaluate.js';

/** What a policy chooses about: MCP servers, local models, services left behind, guesses. */
export const reportKinds = ['mcp', 'model', 'service', 'candidate'] as const;
export type ReportKind = (typeof reportKinds)[number];

/** Nothing leaves, only how many there are, or the components themselves. */
export const reportChoices = ['off', 'count', 'report'] as const;
export type ReportChoice = (typeof reportChoices)[number];
export type ReportChoices = Readonly<Record<ReportKind, ReportChoice>>;

/** Until a policy has come nobody has chosen, and a name that has left cannot be taken back. */
export const nothingChosen: ReportChoices = {
  mcp: 'off',
  model: 'off',
  service: 'off',
  candidate: 'off',
};

/** What decides about a component besides itself. */
export interface Reporting {
  readonly choices: ReportChoices;
  /** The packages that rules name, as `ruleNames` gives them. */
  readonly named: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The kind by which a component is told; null where there is nothing to choose. */
export function reportKind({
  channel,
  candidate,
}: Pick<Component, 'channel' | 'candidate'>): ReportKind | null {
  if (candidate !== undefined) return 'candidate';
  return channel === 'mcp' || channel === 'model' || channel === 'service' ? channel : null;
}

/**
 * How a judged component is told. What a rule decided is told whole, as the server must see what its
 * policy does; the default is no rule.
 */
export function reportChoice(
  { component, verdict }: { readonly component: Component; readonly verdict: Verdict },
  { choices, named }: Reporting,
): ReportChoice {
  if (verdict.rule !== null && verdict.rule !== 'default') return 'report';
  const kind = reportKind(component);
  if (kind !== null) return choices[kind];
  return component.tool !== null || isNamedPackage(component, named) ? 'report' : 'off';
}
