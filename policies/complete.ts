/**
 * From the author's form of a policy, already checked, to the typed one: single values become lists,
 * what was left out gets its default. The defaults of the language are written here and nowhere else.
 */
import type { PolicyDocument } from './author-form.js';
import type { Decision, Denial, Match, Policy } from './document.js';
import type { ReportChoices } from './reporting.js';

type AuthorRule = PolicyDocument['rules'][number];
type AuthorDenial = Omit<AuthorRule, 'id' | 'match' | 'decision'>;

/** What holds of `report` where a policy says nothing, and on a device that follows none. */
export const reportDefaults: ReportChoices = {
  mcp: 'report',
  model: 'off',
  service: 'off',
  candidate: 'off',
};

const listOf = <T extends string>(value: T | readonly T[]): readonly T[] =>
  typeof value === 'string' ? [value] : value;

function matchOf(author: AuthorRule['match']): Match {
  const { package: packages, version, running, ...lists } = author;
  const named = Object.entries(packages ?? {}).map(([name, value]) => [name, listOf(value)]);
  return {
    ...Object.fromEntries(Object.entries(lists).map(([name, value]) => [name, listOf(value)])),
    ...(packages === undefined ? {} : { package: Object.fromEntries(named) }),
    ...(version === undefined ? {} : { version }),
    ...(running === undefined ? {} : { running }),
  };
}

/** The checks have seen that a denial has its date and action. */
function denialOf(decision: Decision, author: AuthorDenial): Denial | null {
  if (decision !== 'deny') return null;
  const { replacement } = author;
  return {
    severity: author.severity ?? 'medium',
    announce: author.announce ?? null,
    effective: author.effective ?? '',
    before: author.before ?? 'notify',
    after: author.after ?? 'observe',
    grace: author.grace ?? null,
    escalate: author.escalate ?? null,
    reason: author.reason ?? {},
    evidence: author.evidence ?? [],
    replacement:
      replacement === undefined
        ? null
        : { tool: replacement.tool, guide: replacement.guide ?? null },
  };
}

/** The policy that a checked document means. */
export function complete(author: PolicyDocument): Policy {
  const { groups, users, os, percent } = author.targets ?? {};
  return {
    policy: author.policy,
    title: author.title,
    contact: author.contact ?? null,
    timezone: author.timezone ?? null,
    default: {
      decision: author.default.decision,
      denial: denialOf(author.default.decision, author.default),
    },
    rules: author.rules.map((rule) => ({
      id: rule.id,
      match: matchOf(rule.match),
      decision: rule.decision,
      denial: denialOf(rule.decision, rule),
    })),
    targets: {
      groups: groups === undefined ? null : listOf(groups),
      users: users === undefined ? null : listOf(users),
      os: os === undefined ? null : listOf(os),
      percent: percent ?? null,
    },
    report: { ...reportDefaults, ...author.report },
  };
}
