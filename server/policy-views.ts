/**
 * The live policies as people see them: each denying rule with the instants its dates mean and what to
 * use instead. The text of the author is the source; nothing here is stored.
 */
import type { Catalogue } from '../policies/catalogue.js';
import { resolveDate } from '../policies/dates.js';
import { parsePolicy, type Denial, type Policy } from '../policies/document.js';
import { toolName } from './compliance.js';
import type { StoredBundle, StoredPolicy } from './store/records.js';
import type { PolicyList, PolicyRow } from './views.js';

/** Shown for `device-local`, whose day begins at another instant on each device. */
const shownZone = 'UTC';

export function policyList(bundle: StoredBundle | null, catalogue: Catalogue): PolicyList {
  return {
    policies: (bundle?.policies ?? []).map((stored) => policyRow(stored, catalogue)),
    bundleSequence: bundle?.sequence ?? 0,
  };
}

function policyRow(stored: StoredPolicy, catalogue: Catalogue): PolicyRow {
  const parsed = parsePolicy(stored.yaml);
  const policy = parsed.kind === 'policy' ? parsed.policy : null;
  return {
    policy: stored.policy,
    title: policy?.title ?? stored.policy,
    sequence: stored.sequence,
    publishedAt: new Date(stored.publishedAt).toISOString(),
    timezone: policy?.timezone ?? null,
    yaml: stored.yaml,
    denials: policy === null ? [] : denialsOf(policy, catalogue),
  };
}

type DenialRow = PolicyRow['denials'][number];

function denialsOf(policy: Policy, catalogue: Catalogue): DenialRow[] {
  const rows = policy.rules.flatMap(({ id, match, denial }) => {
    if (denial === null) return [];
    const tools = (match.tool ?? []).map((tool) => catalogue.tool(tool)?.id ?? tool);
    return [denialRow({ rule: id, tools, denial }, policy, catalogue)];
  });
  const { denial } = policy.default;
  if (denial === null) return rows;
  return [...rows, denialRow({ rule: 'default', tools: [], denial }, policy, catalogue)];
}

function denialRow(
  { rule, tools, denial }: { rule: string; tools: string[]; denial: Denial },
  { timezone }: Policy,
  catalogue: Catalogue,
): DenialRow {
  const instant = (date: string): string =>
    new Date(resolveDate(date, timezone, shownZone)).toISOString();
  const replacement = denial.replacement?.tool ?? null;
  return {
    rule,
    tools,
    toolNames: tools.map((tool) => toolName(catalogue, tool)),
    announce: denial.announce === null ? null : instant(denial.announce),
    effective: instant(denial.effective),
    effectiveText: denial.effective,
    replacement,
    replacementName: replacement === null ? null : toolName(catalogue, replacement),
    reason: { ...denial.reason },
  };
}
