/**
 * Package URLs as their specification writes them (https://github.com/package-url/purl-spec): the few
 * types that components have, written and read. The scan writes one for every component, and the
 * specification's own library costs a third of the scan's start; the tests hold the two equal.
 */

export interface PackageUrlParts {
  /** As the specification lists it, lower case: npm, pypi, deb, brew ... */
  readonly type: string;
  readonly namespace?: string | null;
  readonly name: string;
  readonly version?: string | null;
  readonly qualifiers?: Readonly<Record<string, string>> | null;
}

/** Types whose names are one in all cases. */
const caseless: ReadonlySet<string> = new Set(['alpm', 'apk', 'deb', 'github', 'npm', 'pypi']);

function encoded(text: string, kept: RegExp): string {
  return encodeURIComponent(text).replace(kept, decodeURIComponent);
}

/** The package URL; null when the parts are none that the specification allows. */
export function writePackageUrl(parts: PackageUrlParts): string | null {
  const { type } = parts;
  const fold = (text: string): string => (caseless.has(type) ? text.toLowerCase() : text);
  const segments = (parts.namespace ?? '').split('/').filter((segment) => segment !== '');
  const namespace = type === 'rpm' ? segments.join('/').toLowerCase() : fold(segments.join('/'));
  const folded = fold(parts.name.trim());
  const name = type === 'pypi' ? folded.replaceAll('_', '-') : folded;
  const given = (parts.version ?? '').trim();
  const version = type === 'huggingface' ? given.toLowerCase() : given;
  if (name === '') return null;
  try {
    const path = [
      `pkg:${type}`,
      ...(namespace === '' ? [] : [encoded(namespace, /%3A|%2F/g)]),
      encodeURIComponent(name),
    ].join('/');
    const at = version === '' ? '' : `@${encoded(version, /%3A|%2B/g)}`;
    return path + at + qualifierText(parts.qualifiers ?? {});
  } catch {
    return null; // half of a surrogate pair is no text
  }
}

function qualifierText(qualifiers: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(qualifiers)
    .map(([key, value]): [string, string] => [key.toLowerCase(), value.trim()])
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs).toString().replaceAll('+', '%20')}`;
}

/** Type, namespace and name of a package URL; null for any other text. */
export function readPackageUrl(
  text: string,
): { readonly type: string; readonly namespace: string | null; readonly name: string } | null {
  const [, type = '', rest = ''] = /^pkg:\/*([a-z][a-z0-9.+-]*)\/([^?#]*)/i.exec(text) ?? [];
  const slash = rest.lastIndexOf('/');
  const [encodedName = ''] = rest.slice(slash + 1).split('@', 1);
  if (encodedName === '') return null;
  try {
    const namespace = slash <= 0 ? null : decodeURIComponent(rest.slice(0, slash));
    return { type: type.toLowerCase(), namespace, name: decodeURIComponent(encodedName) };
  } catch {
    return null; // a broken escape
  }
}
