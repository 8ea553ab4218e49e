/**
 * Plain releases against plain ranges, by their numbers alone: where all ecosystems agree, so that
 * nothing that knows how they differ has to be loaded. Anything else is not decided here but by
 * `versions.ts`, and what is decided here is never another answer than its.
 */
const plainVersion =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-(?:alpha|beta|rc)(?:\.(?:0|[1-9]\d{0,8}))?)?$/;
const plainBound =
  /^(?:(>=|<=|>|<|)((?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){2})|(>=|<)((?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8}))?))$/;

/** Where a prerelease is written as semver has it; package databases put their own count there. */
const writesPrereleases: ReadonlySet<string> = new Set([
  'npm',
  'executable',
  'process',
  'editor-extension',
  'jetbrains-plugin',
]);

type Triple = readonly [number, number, number];

function readTriple(text: string): Triple {
  const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number);
  return [major, minor, patch];
}

const compare = (a: Triple, b: Triple): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

function holds(operator: string, order: number): boolean {
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    default:
      return order === 0;
  }
}

/** Whether the release is in the range; null where its numbers alone do not say so. */
export function inPlainRange(ecosystem: string, version: string, range: string): boolean | null {
  const read = plainVersion.exec(version);
  if (read === null) return null;
  const [, major, minor, patch, prerelease] = read;
  if (prerelease !== undefined && !writesPrereleases.has(ecosystem)) return null;
  const own = readTriple(`${major}.${minor}.${patch}`);
  let isIn = false;
  for (const alternative of range.split('||')) {
    let isMet = true;
    for (const written of alternative.trim().split(/\s+/)) {
      const bound = plainBound.exec(written);
      if (bound === null) return null;
      // A bound below or from a shorter number on is one with zeros behind it, for releases of three.
      const order = compare(own, readTriple(bound[2] ?? bound[4] ?? ''));
      // A prerelease is beside its own release, and far from all others.
      if (order === 0 && prerelease !== undefined) return null;
      isMet &&= holds(bound[1] ?? bound[3] ?? '', order);
    }
    isIn ||= isMet;
  }
  return isIn;
}
