/**
 * What a schema cannot see of a policy: dates that exist and have a zone, ids that are unique, fields
 * that only a denial has, ranges, paths and addresses that can be used, names the catalogue knows. It
 * judges the author's form, never the fleet, and asks for no clock.
 */
import { wrongAddress } from './addresses.js';
import type { Catalogue } from './catalogue.js';
import { checkDate, isZone } from './dates.js';
import { actions, type PolicyDocument } from './author-form.js';
import { matchFaults, toolFaults } from './lint-match.js';
import { targetFaults } from './lint-names.js';
import { suggestion } from './nearest.js';
import { error, warning, type Fault } from './shape.js';
import type { Step } from './source.js';

type AuthorRule = PolicyDocument['rules'][number];
type Decided = PolicyDocument['default'] | AuthorRule;

/** Fields of a rule that have a meaning only where it denies. */
export const denialFieldNames = [
  'severity',
  'announce',
  'effective',
  'before',
  'after',
  'grace',
  'escalate',
  'reason',
  'evidence',
  'replacement',
] as const;

/** Everything wrong or doubtful in a document of the right shape, in the order of its fields. */
export function findFaults(author: PolicyDocument, catalogue: Catalogue | null): Fault[] {
  return [
    ...contactFaults(author.contact),
    ...zoneFaults(author.timezone),
    ...decidedFaults(author.default, ['default'], author.timezone, catalogue),
    ...author.rules.flatMap((rule, at) => [
      ...idFaults(author.rules, at),
      ...matchFaults(rule.match, ['rules', at, 'match'], catalogue),
      ...decidedFaults(rule, ['rules', at], author.timezone, catalogue),
    ]),
    ...targetFaults(author),
    ...reportFaults(author),
  ];
}

/** Of the four kinds MCP servers alone can be denied by the default, and that is no rule. */
function reportFaults({ default: { decision }, report }: PolicyDocument): Fault[] {
  const choice = report?.mcp ?? 'report';
  if (decision !== 'deny' || choice === 'report') return [];
  const message = `the server will not see which MCP servers the default denies: report them, or name them in a rule`;
  return [warning(['report', 'mcp'], message)];
}

/** Short forms that ICU takes for one zone and people for several; they are no names of IANA's. */
const sharedShort =
  /^(A[CEGRS]T|BET|BST|C[ANS]T|CTT|E[AC]T|I[ES]T|JST|MIT|N[ES]T|P[LNRS]T|SST|VST)$/i;

function zoneFaults(timezone: string | undefined): Fault[] {
  if (timezone === undefined) return [];
  if (sharedShort.test(timezone)) {
    const message = `"${timezone}" stands for several zones; name one, like Asia/Shanghai or America/Chicago`;
    return [error(['timezone'], message)];
  }
  if (isZone(timezone)) return [];
  const near = /[+-]\d/.test(timezone)
    ? '; an offset knows nothing of daylight saving'
    : suggestion(timezone, [...Intl.supportedValuesOf('timeZone'), 'utc', 'device-local']);
  const message = `expected an IANA zone such as Asia/Shanghai, utc, or device-local; found "${timezone}"${near}`;
  return [error(['timezone'], message)];
}

function idFaults(rules: readonly AuthorRule[], at: number): Fault[] {
  const id = rules[at]?.id;
  const path = ['rules', at, 'id'];
  if (id === 'default') {
    return [error(path, '"default" names what holds without a rule; give the rule another id')];
  }
  const first = rules.findIndex((rule) => rule.id === id);
  if (first === at) return [];
  return [error(path, `rules[${first}] has the id "${id}" already; an id names one rule`)];
}

function decidedFaults(
  decided: Decided,
  path: readonly Step[],
  timezone: string | undefined,
  catalogue: Catalogue | null,
): Fault[] {
  if (decided.decision !== 'deny') {
    return denialFieldNames
      .filter((name) => decided[name] !== undefined)
      .map((name) =>
        error([...path, name], `"${name}" is for decision deny, not ${decided.decision}`, true),
      );
  }
  const missing = (['effective', 'after'] as const)
    .filter((name) => decided[name] === undefined)
    .map((name) => error(path, `decision deny needs the field "${name}"`));
  return [
    ...missing,
    ...dateFaults(decided, path, timezone),
    ...durationFaults(decided, path, timezone),
    ...reasonFaults(decided, path),
    ...addressFaults(decided, path),
    ...(decided.replacement === undefined
      ? []
      : toolFaults(decided.replacement.tool, [...path, 'replacement', 'tool'], catalogue)),
  ];
}

function dateFaults(
  decided: Decided,
  path: readonly Step[],
  timezone: string | undefined,
): Fault[] {
  return (['announce', 'effective'] as const).flatMap((name) => {
    const text = decided[name];
    if (text === undefined) return [];
    const checked = checkDate(text);
    const at = [...path, name];
    if (checked.kind === 'invalid') return [error(at, checked.message)];
    if (checked.kind === 'instant' || timezone !== undefined) return [];
    const message = `the day ${text} needs to begin somewhere: add "timezone" to the policy (an IANA zone, utc or device-local)`;
    return [error(at, message)];
  });
}

/** Days need a zone to be days of, and what comes later is more than what came before. */
function durationFaults(
  { grace, escalate, after }: Decided,
  path: readonly Step[],
  timezone: string | undefined,
): Fault[] {
  const written = [
    { text: grace, at: [...path, 'grace'] },
    { text: escalate?.after, at: [...path, 'escalate', 'after'] },
  ];
  const faults = written
    .filter(({ text }) => text?.includes('day') === true && timezone === undefined)
    .map(({ text, at }) =>
      error(at, `${text} need a calendar: add "timezone" to the policy, or say it in hours`),
    );
  if (escalate === undefined || after === undefined) return faults;
  if (actions.indexOf(escalate.action) > actions.indexOf(after)) return faults;
  const message = `expected an action stronger than "after: ${after}"; found "${escalate.action}"`;
  return [...faults, error([...path, 'escalate', 'action'], message)];
}

function contactFaults(contact: string | undefined): Fault[] {
  if (contact === undefined) return [];
  const expected = `expected an address like https://example.com/help or mailto:help@example.com; found "${contact}"`;
  if (!/^(https:|mailto:)/i.test(contact)) return [error(['contact'], expected)];
  const wrong = wrongAddress(contact, 'web or mail');
  return wrong === null ? [] : [error(['contact'], wrong)];
}

function reasonFaults(decided: Decided, path: readonly Step[]): Fault[] {
  const tags = Object.keys(decided.reason ?? {});
  if (tags.length === 0) {
    const message = 'a denial needs a "reason" in one language at least, like { en: ... }';
    return 'id' in decided ? [error(path, message)] : [warning(path, message)];
  }
  return tags.flatMap((tag) => {
    if (decided.reason?.[tag]?.trim() === '') {
      return [error([...path, 'reason', tag], `the reason in ${tag} holds nothing but space`)];
    }
    try {
      Intl.getCanonicalLocales(tag);
      return [];
    } catch {
      return [error([...path, 'reason', tag], `"${tag}" is not a language tag`, true)];
    }
  });
}

function addressFaults(decided: Decided, path: readonly Step[]): Fault[] {
  const guide = decided.replacement?.guide;
  return [
    ...(decided.evidence ?? []).map((url, at) => ({ url, at: [...path, 'evidence', at] })),
    ...(guide === undefined ? [] : [{ url: guide, at: [...path, 'replacement', 'guide'] }]),
  ].flatMap(({ url, at }) => {
    const wrong = wrongAddress(url);
    return wrong === null ? [] : [error(at, wrong)];
  });
}
