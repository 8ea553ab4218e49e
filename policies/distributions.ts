/**
 * How the versions of package databases compare: Debian, RPM, Arch (alpm), Alpine (apk) and Homebrew,
 * each in its own order. A version there is the maker's, with an epoch before and the packager's count
 * behind it. A range is written about the maker's version, so an epoch or a count that a bound leaves
 * out is not held against it; where it would decide, the answer is undecided and never a guess.
 */
import { compareDigits, type Ordering } from './orderings.js';

/** A version in the three parts that all of these systems know. */
export interface Packaged {
  readonly epoch: number;
  readonly isEpochWritten: boolean;
  /** The maker's version. */
  readonly upstream: string;
  /** The packager's count; null where none is written. */
  readonly revision: string | null;
}

type Compare = (left: string, right: string) => number;

const longestVersion = 128;
const digits = /^\d+$/;

const compareText: Compare = (left, right) => (left < right ? -1 : left > right ? 1 : 0);

/** Weight of a sign in Debian's order: `~` before the end, letters before all other signs. */
function debianWeight(sign: string | undefined): number {
  if (sign === undefined || digits.test(sign)) return 0;
  if (sign === '~') return -1;
  return sign.charCodeAt(0) + (/[A-Za-z]/.test(sign) ? 0 : 256);
}

/** Debian Policy 5.6.12: text and numbers in turn, text by weight and numbers by value. */
export function compareDebianText(left: string, right: string): number {
  const [one, two] = [left, right].map((text) => text.match(/\D*\d*/g) ?? []);
  for (let at = 0; at < Math.max(one?.length ?? 0, two?.length ?? 0); at += 1) {
    const [, word = '', number = ''] = /^(\D*)(\d*)$/.exec(one?.[at] ?? '') ?? [];
    const [, otherWord = '', otherNumber = ''] = /^(\D*)(\d*)$/.exec(two?.[at] ?? '') ?? [];
    for (let sign = 0; sign < Math.max(word.length, otherWord.length); sign += 1) {
      const difference = debianWeight(word[sign]) - debianWeight(otherWord[sign]);
      if (difference !== 0) return difference;
    }
    const difference = compareDigits(number, otherNumber);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Words and numbers between signs that only separate; `~` and `^` are words of their own. */
const rpmParts = (text: string): readonly string[] => text.match(/\d+|[A-Za-z]+|[~^]/g) ?? [];

/**
 * rpm's rpmvercmp: part by part, numbers by value and above words; `~` comes before the end of a version
 * and `^` right behind it. Whoever has parts left is later.
 */
export function compareRpmText(left: string, right: string): number {
  const [one, two] = [rpmParts(left), rpmParts(right)];
  for (let at = 0; at < Math.max(one.length, two.length); at += 1) {
    const [part, other] = [one[at], two[at]];
    if (part === other) continue;
    if (part === '~' || other === '~') return part === '~' ? -1 : 1;
    if (part === '^') return other === undefined ? 1 : -1;
    if (other === '^') return part === undefined ? -1 : 1;
    if (part === undefined || other === undefined) return part === undefined ? -1 : 1;
    const order = compareParts(part, other);
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(part: string, other: string): number {
  const [isNumber, isOtherNumber] = [digits.test(part), digits.test(other)];
  if (isNumber !== isOtherNumber) return isNumber ? 1 : -1;
  return isNumber ? compareDigits(part, other) : compareText(part, other);
}

/**
 * pacman's vercmp: as rpm, but a longer gap between parts is later, and letters behind an end (`1.0rc`)
 * come before it, unless they stand behind a gap that the other side has not got.
 */
export function compareAlpmText(left: string, right: string): number {
  const parts = (text: string) => [...text.matchAll(/([^A-Za-z0-9]*)(\d+|[A-Za-z]+|$)/g)];
  const [one, two] = [parts(left), parts(right)];
  for (let at = 0; ; at += 1) {
    const [, gap = '', part = ''] = one[at] ?? [];
    const [, otherGap = '', other = ''] = two[at] ?? [];
    const isGapOnOne = (gap === '') !== (otherGap === '');
    if (part === '' && other === '') return isGapOnOne ? gap.length - otherGap.length : 0;
    if (part === '') return (gap === '' && otherGap !== '') || digits.test(other) ? -1 : 1;
    if (other === '') return (otherGap === '' && gap !== '') || digits.test(part) ? 1 : -1;
    if (gap.length !== otherGap.length) return gap.length - otherGap.length;
    const order = compareParts(part, other);
    if (order !== 0) return order;
  }
}

const apkForm = /^(\d+(?:\.\d+)*)([a-z]?)((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?$/;
const apkSuffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];

/** Alpine's order (apk-tools, doc/apk-package.5.scd): numbers, a letter, then `_alpha` to `_p`. */
export function compareApkText(left: string, right: string): number {
  const [, numbers = '', letter = '', suffixes = ''] = apkForm.exec(left) ?? [];
  const [, others = '', otherLetter = '', otherSuffixes = ''] = apkForm.exec(right) ?? [];
  return (
    compareApkNumbers(numbers.split('.'), others.split('.')) ||
    compareText(letter, otherLetter) ||
    compareApkSuffixes(suffixes.split('_').slice(1), otherSuffixes.split('_').slice(1))
  );
}

/** Behind the first dot a number with a leading zero is a decimal fraction, and compares as text. */
function compareApkNumbers(left: readonly string[], right: readonly string[]): number {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [one, two] = [left[at] ?? '', right[at] ?? ''];
    const isFraction = at > 0 && (one.startsWith('0') || two.startsWith('0'));
    const order = isFraction ? compareText(one, two) : compareDigits(one, two);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

const apkSuffix = /^([a-z]*)(\d*)$/;

function compareApkSuffixes(left: readonly string[], right: readonly string[]): number {
  const none = apkSuffixes.indexOf('');
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [, word = '', count = ''] = apkSuffix.exec(left[at] ?? '') ?? [];
    const [, otherWord = '', otherCount = ''] = apkSuffix.exec(right[at] ?? '') ?? [];
    const rank = word === '' ? none : apkSuffixes.indexOf(word);
    const otherRank = otherWord === '' ? none : apkSuffixes.indexOf(otherWord);
    const order = rank - otherRank || compareDigits(count, otherCount);
    if (order !== 0) return order;
  }
  return 0;
}

/** Homebrew's own words, and those by which others mark what comes before a release. */
const brewParts =
  /(nightly|canary|dev|next|insiders?|alpha|a(?=\d)|beta|b(?=\d)|pre|rc|\.post(?=\d)|p(?=\d|$|[^a-z]))(\d*)|(\d+)|([a-z]+)/g;
const brewRanks: Readonly<Record<string, number>> = {
  alpha: -4,
  a: -4,
  beta: -3,
  b: -3,
  pre: -2,
  rc: -1,
  p: 2,
  '.post': 3,
};

interface BrewPart {
  /** Below 0 what comes before a release; 1 a word, 2 and 3 patches, 4 a number. */
  readonly rank: number;
  readonly text: string;
}

function partsOfBrew(text: string): readonly BrewPart[] {
  return [...text.toLowerCase().matchAll(brewParts)].map(([, word, count, number, letters]) => {
    if (number !== undefined) return { rank: 4, text: number };
    return word === undefined
      ? { rank: 1, text: letters ?? '' }
      : { rank: brewRanks[word] ?? -5, text: count ?? '' };
  });
}

/** Homebrew's Version: `1.2.3rc3`, `1.2.3`, `1.2.3-p34`, `1.2.3.post1`, `1.2.4` in this order; 0.1 is 0.1.0. */
export function compareBrewText(left: string, right: string): number {
  const [one, two] = [partsOfBrew(left), partsOfBrew(right)];
  const none: BrewPart = { rank: 0, text: '' };
  // A number that the other side does not have counts as 0, so that 2.1-p195 meets 2.1.0-p194 at its patch.
  for (let at = 0, otherAt = 0; at < one.length || otherAt < two.length;) {
    const [part, other] = [one[at] ?? none, two[otherAt] ?? none];
    if (part.rank === 4 && other.rank !== 4) {
      if (compareDigits(part.text, '0') !== 0) return 1;
      at += 1;
    } else if (other.rank === 4 && part.rank !== 4) {
      if (compareDigits(other.text, '0') !== 0) return -1;
      otherAt += 1;
    } else {
      const isWord = part.rank === 1 && other.rank === 1;
      const order =
        part.rank - other.rank || (isWord ? compareText : compareDigits)(part.text, other.text);
      if (order !== 0) return order;
      at += 1;
      otherAt += 1;
    }
  }
  return 0;
}

interface Form {
  /** What may stand before and behind the maker's version; groups epoch, upstream and revision. */
  readonly form: RegExp;
  readonly compare: Compare;
  /** Whether a count on one side only says nothing (pacman); else no count is the earliest. */
  readonly isCountOptional?: boolean;
  /** What packagers add to the maker's version without making another of it (`+dfsg`). */
  readonly repack?: RegExp;
}

/** Words that a packager's count never begins with, and a maker's prerelease does. */
const preWord = /^(alpha|beta|rc|pre|preview|dev|nightly|canary|next|insiders?)(?![a-z])/i;

function packaged({ form, compare, repack, isCountOptional = false }: Form): Ordering<Packaged> {
  return {
    read: (text) => {
      const found = text.length > longestVersion ? undefined : form.exec(text)?.groups;
      const epoch = Number(found?.['epoch'] ?? 0);
      if (found === undefined || !Number.isSafeInteger(epoch)) return null;
      const { upstream = '', revision } = found;
      const isEpochWritten = found['epoch'] !== undefined;
      // `2.0.0-rc.1`, by somebody who did not know that a hyphen begins the count.
      return revision !== undefined && preWord.test(revision)
        ? { epoch, isEpochWritten, upstream: `${upstream}~${revision}`, revision: null }
        : { epoch, isEpochWritten, upstream, revision: revision ?? null };
    },
    compare: (version, bound) => {
      if (version.epoch !== bound.epoch) {
        return bound.isEpochWritten ? version.epoch - bound.epoch : null;
      }
      const plain = repack !== undefined && !repack.test(bound.upstream);
      const upstream = plain ? version.upstream.replace(repack, '') : version.upstream;
      const order = compare(upstream, bound.upstream);
      if (order !== 0 || bound.revision === null) return order;
      if (version.revision === null && isCountOptional) return 0;
      return compare(version.revision ?? '', bound.revision);
    },
    release: ({ upstream }) => (/^\d+(?:\.\d+)*/.exec(upstream)?.[0] ?? '').split('.').map(Number),
    isSameLine: (version, bound) =>
      version.epoch === bound.epoch || (bound.isEpochWritten ? false : null),
  };
}

/** Debian and its descendants; `compareDebianText` is dpkg's. */
export const debianOrdering = packaged({
  // A colon stands behind an epoch only.
  form: /^(?:(?<epoch>\d+):|(?!.*:))(?<upstream>\d[A-Za-z0-9.+~:-]*?)(?:-(?<revision>[A-Za-z0-9.+~]*))?$/,
  compare: compareDebianText,
  repack: /\+(?:dfsg|ds|repack)[0-9.]*$/,
});

export const rpmOrdering = packaged({
  form: /^(?:(?<epoch>\d+):)?(?<upstream>\d[A-Za-z0-9.+_~^]*)(?:-(?<revision>[A-Za-z0-9.+_~^]*))?$/,
  compare: compareRpmText,
});

export const alpmOrdering = packaged({
  form: /^(?:(?<epoch>\d+):)?(?<upstream>\d[A-Za-z0-9.+_~^]*)(?:-(?<revision>[A-Za-z0-9.+_]*))?$/,
  compare: compareAlpmText,
  isCountOptional: true,
});

export const apkOrdering = packaged({
  form: /^(?<upstream>\d+(?:\.\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(?:~[0-9a-f]+)?)(?:-r(?<revision>\d+))?$/,
  compare: compareApkText,
});

/** A cask's build behind a comma makes no other version; `_1` counts the formula's own changes. */
export const homebrewOrdering = packaged({
  form: /^(?<upstream>\d[A-Za-z0-9.+~-]*)(?:_(?<revision>\d+))?(?:,.*)?$/,
  compare: compareBrewText,
});
