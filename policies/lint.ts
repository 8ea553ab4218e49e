/**
 * What a schema cannot see of a policy: dates that exist and have a zone, ids that are unique, fields
 * that only a denial has, ranges, paths and addresses that can be used, names the catalogue knows. It
 * judges the author's form, never the fleet, and asks for no clock.
 */
import type { Catalogue } from './catalogue.js';
import { checkDate, isZone } from './dates.js';
import { actions, type PolicyDocument } from './author-form.js';
import { suggestion } from './nearest.js';
import type { Fault } from './shape.js';
import type { Step } from './source.js';
import { checkRange } from './versions.js';

type AuthorRule = PolicyDocument['rules'][number];
type Decided = PolicyDocument['default'] | AuthorRule;

const error = (path: readonly Step[], message: string, isKey = false): Fault => ({
  severity: 'error',
  path,
  message,
  isKey,
});
const warning = (path: readonly Step[], message: string): Fault => ({
  severity: 'warning',
  path,
  message,
});

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

function zoneFaults(timezone: string | undefined): Fault[] {
  if (timezone === undefined || isZone(timezone)) return [];
  const near = suggestion(timezone, [...Intl.supportedValuesOf('timeZone'), 'utc', 'device-local']);
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
  const url = URL.parse(contact);
  const isMail = url?.protocol === 'mailto:' && /^[^\s@]+@[^\s@]+$/.test(url.pathname);
  const isPage = url?.protocol === 'https:' && url.username === '' && url.password === '';
  if (isMail || isPage) return [];
  const message = `expected an address like https://example.com/help or mailto:help@example.com; found "${contact}"`;
  return [error(['contact'], message)];
}

function reasonFaults(decided: Decided, path: readonly Step[]): Fault[] {
  const tags = Object.keys(decided.reason ?? {});
  if (tags.length === 0) {
    const message = 'a denial needs a "reason" in one language at least, like { en: ... }';
    return 'id' in decided ? [error(path, message)] : [warning(path, message)];
  }
  return tags.flatMap((tag) => {
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

/** People will click it: nothing but a web page, and no password in it. */
function wrongAddress(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) {
    return `expected a web address like https://example.com/notice; found "${text}"`;
  }
  return url.username === '' && url.password === ''
    ? null
    : 'an address must not hold a user name or a password';
}

function toolFaults(id: string, path: readonly Step[], catalogue: Catalogue | null): Fault[] {
  if (catalogue === null || catalogue.tool(id) !== null) return [];
  const hint = (): string =>
    suggestion(
      id,
      catalogue.tools.flatMap((tool) => [tool.id, ...tool.aliases]),
    );
  return [{ ...error(path, `the catalogue has no tool "${id}"`), hint }];
}

/** The values of a field with their paths, for one value as for a list. */
function eachOf(
  value: string | readonly string[] | undefined,
  path: readonly Step[],
): { text: string; at: readonly Step[] }[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [{ text: value, at: path }];
  return value.map((text, at) => ({ text, at: [...path, at] }));
}

function matchFaults(
  match: AuthorRule['match'],
  path: readonly Step[],
  catalogue: Catalogue | null,
): Fault[] {
  const range = match.version === undefined ? null : checkRange(match.version);
  return [
    ...eachOf(match.tool, [...path, 'tool']).flatMap(({ text, at }) =>
      toolFaults(text, at, catalogue),
    ),
    ...unknownNames(match, path, catalogue),
    ...eachOf(match.path, [...path, 'path']).flatMap(({ text, at }) => {
      const wrong = wrongPath(text);
      return wrong === null ? [] : [error(at, wrong)];
    }),
    ...eachOf(match.gateway, [...path, 'gateway']).flatMap(({ text, at }) =>
      /^(\*\.)?[\p{L}\p{N}.-]+$|^\[[0-9a-f:.]+\]$/iu.test(text)
        ? []
        : [error(at, `expected vendor, third-party, none or a host alone; found "${text}"`)],
    ),
    ...(range === null ? [] : [error([...path, 'version'], range)]),
  ];
}

/** Vendors and providers that no tool of the catalogue has: the rule could match nothing. */
function unknownNames(
  match: AuthorRule['match'],
  path: readonly Step[],
  catalogue: Catalogue | null,
): Fault[] {
  if (catalogue === null) return [];
  return (['vendor', 'provider'] as const).flatMap((field) => {
    const known = new Set(catalogue.tools.flatMap((tool) => tool[field]));
    const plain = new Set([...known].map((name) => name.toLowerCase()));
    return eachOf(match[field], [...path, field])
      .filter(({ text }) => !plain.has(text.toLowerCase()))
      .map(({ text, at }) => ({
        ...warning(at, `no tool of the catalogue has the ${field} "${text}"`),
        hint: () => suggestion(text, known),
      }));
  });
}

function wrongPath(text: string): string | null {
  if (!/^(~|[A-Za-z]:)?[/\\]/.test(text)) {
    return `expected a whole path that begins with ~/, / or a drive; found "${text}"`;
  }
  const names = text.split(/[/\\]/);
  if (names.includes('..') || names.includes('.'))
    return `a path has no "." or ".." in it: "${text}"`;
  const isMixed = names.some((name) => name.includes('**') && name !== '**');
  return isMixed ? `** stands for whole names, between two slashes: "${text}"` : null;
}
