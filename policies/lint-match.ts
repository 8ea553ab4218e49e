/**
 * What a schema cannot see of a rule's match, field by field: tools, vendors and providers that the
 * catalogue knows, paths, hosts and ranges that can be used. Whether the fields together can match
 * anything is in `lint-possible.ts`, which devices do not ask.
 */
import type { PolicyDocument } from './author-form.js';
import type { Catalogue } from './catalogue.js';
import { gatewayProviders } from './gateway.js';
import { eachOf, nameFaults, toolSuggestion } from './lint-names.js';
import { suggestion } from './nearest.js';
import { error, warning, type Fault } from './shape.js';
import type { Step } from './source.js';
import { checkRange } from './versions.js';

type AuthorMatch = PolicyDocument['rules'][number]['match'];

/** A tool that the catalogue does not have, with the nearest that it has. */
export function toolFaults(
  id: string,
  path: readonly Step[],
  catalogue: Catalogue | null,
): Fault[] {
  if (catalogue === null || catalogue.tool(id) !== null) return [];
  const hint = (): string => toolSuggestion(id, catalogue);
  return [{ ...error(path, `the catalogue has no tool "${id}"`), hint }];
}

/** Everything wrong or doubtful in a match, in the order of its fields. */
export function matchFaults(
  match: AuthorMatch,
  path: readonly Step[],
  catalogue: Catalogue | null,
): Fault[] {
  const range = match.version === undefined ? null : checkRange(match.version);
  return [
    ...eachOf(match.tool, [...path, 'tool']).flatMap(({ text, at }) =>
      toolFaults(text, at, catalogue),
    ),
    ...unknownNames(match, path, catalogue),
    ...nameFaults(match, path),
    ...eachOf(match.path, [...path, 'path']).flatMap(({ text, at }) => {
      const wrong = wrongPath(text);
      return wrong === null ? [] : [error(at, wrong)];
    }),
    ...eachOf(match.gateway, [...path, 'gateway']).flatMap(({ text, at }) =>
      gatewayFaults(text, at, catalogue),
    ),
    ...(range === null ? [] : [error([...path, 'version'], range)]),
  ];
}

/** The host that a text means which is none alone: of an address, before a port, without its brackets. */
function hostWithin(text: string): string | null {
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const parsed = isAddress
    ? URL.parse(text)
    : (URL.parse(`http://[${text}]`) ?? URL.parse(`http://${text}`));
  const host = parsed?.hostname ?? '';
  return gatewayForm.test(host) && !host.startsWith('*') ? host : null;
}

const gatewayForm = /^(\*\.)?[\p{L}\p{N}.-]+$|^\[[0-9a-f:.]+\]$/iu;
const gatewayWords = ['vendor', 'third-party', 'none'] as const;

/** What is no host, and a host that somebody meant as one of the words. */
function gatewayFaults(text: string, at: readonly Step[], catalogue: Catalogue | null): Fault[] {
  if (!gatewayForm.test(text)) {
    const message = `expected vendor, third-party, none or a host alone; found "${text}"`;
    const host = hostWithin(text);
    return [{ ...error(at, message), hint: () => (host === null ? '' : `; write "${host}"`) }];
  }
  const word = text.toLowerCase();
  if (word.includes('.') || word === 'localhost' || gatewayWords.some((one) => one === word)) {
    return [];
  }
  const isProvider =
    catalogue?.tools.some(({ provider }) => provider.includes(word)) ?? gatewayProviders.has(word);
  const meant = isProvider ? `; did you mean "provider: ${word}"?` : suggestion(word, gatewayWords);
  return meant === '' ? [] : [warning(at, `"${text}" is read as the name of a host${meant}`)];
}

/** Vendors and providers that no tool of the catalogue has: the rule could match nothing. */
function unknownNames(
  match: AuthorMatch,
  path: readonly Step[],
  catalogue: Catalogue | null,
): Fault[] {
  if (catalogue === null) return [];
  return (['vendor', 'provider'] as const).flatMap((field) => {
    const known = new Set([
      ...catalogue.tools.flatMap((tool) => tool[field]),
      ...(field === 'provider' ? gatewayProviders : []),
    ]);
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
