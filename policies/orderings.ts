/**
 * How versions of one ecosystem compare: semver for npm, PEP 440 for Python, and dotted numbers for
 * the rest (Windows' four parts, calendar and editor versions); package databases have orders of their
 * own (`distributions.ts`). Each reads a version or says null, and compares two or says null where its
 * rules do not decide. A guess is never an answer.
 */
import semver, { type SemVer } from 'semver';

/** What `versions.ts` needs of an ecosystem. `bound` is always the side that a range wrote. */
export interface Ordering<Version> {
  read(text: string): Version | null;
  /** Negative, 0, positive; null where it cannot be told. */
  compare(version: Version, bound: Version): number | null;
  /** The numbers of the release, without prerelease or build. */
  release(version: Version): readonly number[];
  /** `>` where that is more than `compare(...) > 0`. */
  isAbove?(version: Version, bound: Version): boolean;
  /** Whether both count in one epoch, without which no series of numbers can be told; null: undecided. */
  isSameLine?(version: Version, bound: Version): boolean | null;
}

const longestVersion = 128;

/** Numbers as text of any length: by value, leading zeros aside; nothing is 0. */
export function compareDigits(left: string, right: string): number {
  const [one, two] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')];
  return one.length - two.length || (one < two ? -1 : one > two ? 1 : 0);
}

/** Numbers as they compare, 1.0 equal to 1.0.0. */
export function compareNumbers(left: readonly number[], right: readonly number[]): number {
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Dotted digits as numbers; null past what a number holds exactly. */
function numbersOf(text: string): number[] | null {
  const numbers = text.split('.').map(Number);
  return numbers.every(Number.isSafeInteger) ? numbers : null;
}

/** https://semver.org, read as npm does: `v1.2.3` is 1.2.3, build metadata does not count. */
export const semverOrdering: Ordering<SemVer> = {
  read: (text) => {
    const short = /^v?\d+(\.\d+)?$/.exec(text);
    if (short === null) return semver.parse(text);
    return semver.parse(short[1] === undefined ? `${text}.0.0` : `${text}.0`);
  },
  compare: (version, bound) => version.compare(bound),
  release: (version) => [version.major, version.minor, version.patch],
};

interface Pep440 {
  readonly epoch: number;
  readonly release: readonly number[];
  /** `a`, `b` or `rc` with its number. */
  readonly pre: readonly [string, number] | null;
  readonly post: number | null;
  readonly dev: number | null;
  readonly local: readonly (string | number)[] | null;
}

/** The spellings of https://peps.python.org/pep-0440/#normalization, case folded before. */
const pep440Form = new RegExp(
  [
    /^v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)/,
    /(?:[-_.]?(?<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<preNumber>\d*))?/,
    /(?:-(?<dashPost>\d+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\d*))?/,
    /(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d*))?/,
    /(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/,
  ]
    .map((part) => part.source)
    .join(''),
);
const preWords: Readonly<Record<string, string>> = {
  alpha: 'a',
  beta: 'b',
  preview: 'rc',
  pre: 'rc',
  c: 'rc',
};

const numbersIn = (local: string | undefined): readonly string[] =>
  (local ?? '').split(/[-_.]/).filter((part) => /^\d+$/.test(part));

function readPep440(text: string): Pep440 | null {
  if (text.length > longestVersion) return null;
  const found = pep440Form.exec(text.trim().toLowerCase())?.groups;
  const release = numbersOf(found?.['release'] ?? '');
  if (found === undefined || release === null) return null;
  const { epoch = '0', pre, preNumber, post, postNumber, dev, devNumber, dashPost, local } = found;
  const counts = [epoch, preNumber, dashPost, postNumber, devNumber, ...numbersIn(local)];
  if (counts.some((count) => !Number.isSafeInteger(Number(count ?? 0)))) return null;
  return {
    epoch: Number(epoch),
    release,
    pre: pre === undefined ? null : [preWords[pre] ?? pre, Number(preNumber)],
    post:
      dashPost !== undefined ? Number(dashPost) : post === undefined ? null : Number(postNumber),
    dev: dev === undefined ? null : Number(devNumber),
    local:
      local === undefined
        ? null
        : local.split(/[-_.]/).map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
  };
}

/** Sort key of what follows the release; see "Summary of permitted suffixes and relative ordering". */
function suffixKey({ pre, post, dev }: Pep440): readonly number[] {
  const isBareDev = pre === null && post === null && dev !== null;
  return [
    isBareDev ? 0 : pre === null ? 4 : 1 + ['a', 'b', 'rc'].indexOf(pre[0]),
    pre?.[1] ?? 0,
    post ?? -1,
    dev ?? Infinity,
  ];
}

function compareKeys(left: readonly number[], right: readonly number[]): number {
  for (const [at, value] of left.entries()) {
    const other = right[at] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/** Parts of a local version: text before numbers, fewer before more. */
function compareLocal(
  left: readonly (string | number)[],
  right: readonly (string | number)[],
): number {
  for (const [at, part] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (part === other) continue;
    if (typeof part === typeof other) return part < other ? -1 : 1;
    return typeof part === 'number' ? 1 : -1;
  }
  return left.length - right.length;
}

const compareUpToDev = (left: Pep440, right: Pep440): number =>
  left.epoch - right.epoch ||
  compareNumbers(left.release, right.release) ||
  compareKeys(suffixKey(left), suffixKey(right));

/**
 * https://peps.python.org/pep-0440/. A local version (`+cu121`) counts only where the bound has one,
 * and `>1.7` leaves `1.7.post1` out. Unlike an installer, no prerelease is left out of a range.
 */
export const pep440Ordering: Ordering<Pep440> = {
  read: readPep440,
  compare: (version, bound) =>
    compareUpToDev(version, bound) ||
    (bound.local === null ? 0 : compareLocal(version.local ?? [], bound.local)),
  release: (version) => version.release,
  isAbove: (version, bound) => {
    const isPostOfBound =
      version.post !== null &&
      bound.post === null &&
      bound.dev === null &&
      compareUpToDev({ ...version, post: null, dev: null }, bound) === 0;
    return !isPostOfBound && (pep440Ordering.compare(version, bound) ?? 0) > 0;
  },
  isSameLine: (version, bound) => version.epoch === bound.epoch,
};

interface Dotted {
  readonly epoch: string | null;
  readonly release: readonly number[];
  /** Parts of a prerelease; null for a release. */
  readonly pre: readonly string[] | null;
  /** A packager's own count behind `-` or `_`, which makes no other version. */
  readonly revision: string | null;
  /** The commit behind a date (`2025.10.22-f894c20`), which tells builds of one day apart. */
  readonly commit: string | null;
  /** A suffix without a known meaning: undecided between equal releases. */
  readonly isOdd: boolean;
}

const dottedForm = /^(?:(\d+):)?v?(\d+(?:\.\d+)*)(.*)$/s;
const preForm =
  /^(?:[-~]|[._]?(?=(?:alpha|beta|rc|pre|preview|dev|nightly|canary|insiders?|eap|next)(?![a-z])|[abc]\d))([a-z][0-9a-z.~-]*)$/;
const commitForm = /^-(?=[a-f]*\d)([0-9a-f]{7,40})$/;

/** A day as ISO 8601 writes it, which is no release of a year with a revision. */
const dayForm = /^(v?)((?:19|20)\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?!\d)/;

function readDotted(text: string): Dotted | null {
  if (text.length > longestVersion) return null;
  const plain = text.trim().toLowerCase().replace(dayForm, '$1$2.$3.$4');
  const found = dottedForm.exec(plain);
  const release = numbersOf(found?.[2] ?? '');
  if (found === null || release === null) return null;
  // Build metadata (`+x`), and Homebrew's `,build` of a cask, make no other version.
  const suffix = (found[3] ?? '').replace(/[+,].*$/s, '');
  const [first = 0] = release;
  const isDate = release.length === 3 && first >= 1990 && first < 2200;
  const commit = isDate ? commitForm.exec(suffix) : null;
  const revision = commit === null ? /^[-_](\d+)$/.exec(suffix) : null;
  const pre = commit === null && revision === null ? preForm.exec(suffix) : null;
  return {
    epoch: found[1] ?? null,
    release,
    pre: pre === null ? null : (pre[1] ?? '').split(/[.~-]|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])/),
    revision: revision?.[1] ?? null,
    commit: commit?.[1] ?? null,
    isOdd: suffix !== '' && [commit, revision, pre].every((part) => part === null),
  };
}

/** Parts of a prerelease as semver orders them: numbers by value and before words, fewer before more. */
function comparePre(left: readonly string[], right: readonly string[]): number {
  for (const [at, part] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (part === other) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(part), /^\d+$/.test(other)];
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    if (!isNumber) return part < other ? -1 : 1;
    const order = compareDigits(part, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/**
 * Dotted numbers of any length, with prerelease words and a packager's revision. Equal numbers with a
 * suffix nobody can read, and an epoch on one side only, are undecided.
 */
export const dottedOrdering: Ordering<Dotted> = {
  read: readDotted,
  compare: (version, bound) => {
    if ((version.epoch === null) !== (bound.epoch === null)) return null;
    const byEpoch = compareDigits(version.epoch ?? '', bound.epoch ?? '');
    if (byEpoch !== 0) return byEpoch;
    const byRelease = compareNumbers(version.release, bound.release);
    if (byRelease !== 0) return byRelease;
    if (version.isOdd || bound.isOdd) return null;
    if (version.pre !== null && bound.pre !== null) return comparePre(version.pre, bound.pre);
    if (version.pre !== null || bound.pre !== null) return version.pre !== null ? -1 : 1;
    if (bound.commit !== null) return version.commit === bound.commit ? 0 : null;
    return bound.revision === null ? 0 : compareDigits(version.revision ?? '', bound.revision);
  },
  release: (version) => version.release,
};
