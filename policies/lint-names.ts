/**
 * Names that match whole and that nothing can have: a pattern, as only paths and hosts know them, a package
 * with its version or as an address. And what somebody meant who named a tool by another name than its id.
 * It judges texts alone; whether the catalogue has a name is asked elsewhere.
 */
import type { PolicyDocument } from './author-form.js';
import type { Catalogue } from './catalogue.js';
import { suggestion } from './nearest.js';
import { error, type Fault } from './shape.js';
import type { Step } from './source.js';

type AuthorMatch = PolicyDocument['rules'][number]['match'];

/** The values of a field with their paths, for one value as for a list. */
export function eachOf(
  value: string | readonly string[] | undefined,
  path: readonly Step[],
): { text: string; at: readonly Step[] }[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [{ text: value, at: path }];
  return value.map((text, at) => ({ text, at: [...path, at] }));
}

/** Within a name a star may be its own, as that of E*TRADE is. */
const patternForm = /^\*|\*$/;

function patternFaults(
  value: string | readonly string[] | undefined,
  path: readonly Step[],
): Fault[] {
  return eachOf(value, path)
    .filter(({ text }) => patternForm.test(text))
    .map(({ text, at }) => {
      const message = `names match whole, and "${text}" is a pattern; write each name, or match by another field`;
      return error(at, message);
    });
}

/** Why no package of an ecosystem has such a name; null for nothing. */
function wrongPackage(ecosystem: string, name: string): string | null {
  if (/^pkg:[a-z]+\//i.test(name)) {
    return `expected the name of a package alone; found the package URL "${name}"`;
  }
  const versioned =
    ecosystem === 'npm'
      ? /^((?:@[^/@]+\/)?[^/@]+)@/.exec(name)
      : ecosystem === 'pypi'
        ? /^([^=<>~!\s]+)\s*[=<>~!]/.exec(name)
        : null;
  if (versioned === null) return null;
  return `expected the name of a package alone; found "${name}"; write "${versioned[1] ?? ''}", and the version in the field "version"`;
}

/** Names in a match that nothing can have. */
export function nameFaults(match: AuthorMatch, path: readonly Step[]): Fault[] {
  const packages = Object.entries(match.package ?? {}).flatMap(([ecosystem, names]): Fault[] => {
    const at = [...path, 'package', ecosystem];
    const wrong = eachOf(names, at).flatMap(({ text, at: place }) => {
      const message = wrongPackage(ecosystem, text);
      return message === null ? [] : [error(place, message)];
    });
    return [...patternFaults(names, at), ...wrong];
  });
  return [
    ...packages,
    ...patternFaults(match.publisher, [...path, 'publisher']),
    ...patternFaults(match.owner, [...path, 'owner']),
  ];
}

/** Groups and persons that are patterns: no device would follow the policy. */
export function targetFaults({ targets }: PolicyDocument): Fault[] {
  return [
    ...patternFaults(targets?.groups, ['targets', 'groups']),
    ...patternFaults(targets?.users, ['targets', 'users']),
  ];
}

const mostMeant = 4;
const wordsOf = (text: string): string[] => text.toLowerCase().split(/[^\p{L}\p{N}]+/u);

/** The ids that may be meant by a name: of the tool that is called so, or of those that have all its words. */
export function toolSuggestion(name: string, catalogue: Catalogue): string {
  const plain = name.toLowerCase();
  const id = plain.replace(/[\s_]+/g, '-');
  const called = catalogue.tools.find(
    (tool) => tool.name.toLowerCase() === plain || tool.id === id || tool.aliases.includes(id),
  );
  if (called !== undefined) return `; did you mean "${called.id}"?`;
  const words = wordsOf(name).filter((word) => word !== '');
  const meant = catalogue.tools.filter((tool) => {
    const own = new Set(wordsOf([tool.id, tool.name, ...tool.aliases].join(' ')));
    return words.length > 0 && words.every((word) => own.has(word));
  });
  if (meant.length === 0) {
    const ids = catalogue.tools.flatMap((tool) => [tool.id, ...tool.aliases]);
    return suggestion(name, ids);
  }
  const list = meant.slice(0, mostMeant).map(({ id }) => `"${id}"`);
  const more = meant.length > mostMeant ? ' or another' : '';
  return `; did you mean ${list.join(', ')}${more}?`;
}
