/**
 * A policy's version range in the few forms that other products understand: npm's own notation, and
 * plain comparisons of three numbers. It decides nothing (`versions.ts` does); a range that cannot be
 * said exactly is null, so that a target lists it instead of writing something near it.
 */
import semver from 'semver';

export type BoundOperator = '<' | '<=' | '>' | '>=' | '=';
export type Triple = readonly [number, number, number];

export interface Bound {
  readonly operator: BoundOperator;
  readonly numbers: Triple;
  /** Written `1.2.3-0`: before every prerelease of that release, not after them. */
  readonly isBeforePrereleases: boolean;
}

/** Outer list: any of them; inner list: all of them. */
export type PlainRange = readonly (readonly Bound[])[];

/** `vers:npm/>=1.0.0|<=2.0.0`: one version, or the two ends of one stretch. */
function withoutVers(range: string): string | null {
  const found = /^vers:(?:npm|semver)\/(\S+)$/.exec(range);
  if (found === null) return null;
  const parts = (found[1] ?? '').split('|').map((part) => decodeURIComponent(part));
  if (parts.some((part) => part.startsWith('!=') || part.includes('*'))) return null;
  const isStretch = /^>=?/.test(parts[0] ?? '') && /^<=?/.test(parts[1] ?? '');
  if (parts.length === 1 || (parts.length === 2 && isStretch)) return parts.join(' ');
  return parts.every((part) => /^\d/.test(part)) ? parts.join(' || ') : null;
}

/**
 * The range as npm's library reads it, with every bound written out, so that nothing in it depends on
 * an option of the reader: `<2` takes 2.0.0-rc.1, as `versions.ts` has it. Null for another notation.
 */
export function npmRange(range: string): string | null {
  const text = range.trim();
  const plain = text.startsWith('vers:') ? withoutVers(text) : text;
  if (plain === null || plain.split('||').some((one) => one.trim() === '')) return null;
  const padded = plain
    .split('||')
    .map((one) => one.trim().replace(/^(\S+)\s+-\s+(\S+)$/, '>=$1 <=$2'))
    .join('||')
    .replaceAll(',', ' ')
    .replace(/={2,3}/g, '=')
    .replace(/<\s*v?(\d+)(\.\d+)?(?:\.[xX*])*(?![\w.+*-])/g, (_, major: string, minor?: string) => {
      return `<${major}${minor ?? '.0'}.0`;
    });
  if (padded.includes('~=') || semver.validRange(padded) === null) return null;
  const { set } = new semver.Range(padded, { includePrerelease: true });
  return set.map((all) => all.map(({ value }) => value || '*').join(' ')).join(' || ');
}

const zeroth = /^(<|>=)(\d+\.\d+\.\d+)-0$/;
const bound = /^(<=|>=|<|>|)(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/;

/** The range as comparisons of release numbers; null when a prerelease or another notation is in it. */
export function plainRange(range: string): PlainRange | null {
  const npm = npmRange(range);
  if (npm === null) return null;
  const alternatives: Bound[][] = [];
  for (const alternative of npm.split(' || ')) {
    const bounds: Bound[] = [];
    for (const written of alternative.split(' ')) {
      if (written === '*') continue;
      const isBeforePrereleases = zeroth.test(written);
      const read = bound.exec(written.replace(zeroth, '$1$2'));
      if (read === null) return null;
      const [, operator = '', major, minor, patch] = read;
      bounds.push({
        operator: (operator === '' ? '=' : operator) as BoundOperator,
        numbers: [Number(major), Number(minor), Number(patch)],
        isBeforePrereleases,
      });
    }
    alternatives.push(bounds);
  }
  return alternatives;
}

/** Versions that a range names one by one, with nothing between them; null for any other range. */
export function exactVersions(range: string): readonly string[] | null {
  const npm = npmRange(range);
  if (npm === null) return null;
  const versions = npm.split(' || ');
  return versions.every((one) => semver.valid(one) === one) ? versions : null;
}
