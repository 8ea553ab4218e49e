/**
 * Ranges of versions compared with one another, for lint alone: whether one is empty, holds another, or
 * meets it. A range changes its answer only at the versions it names, so it is asked about those and
 * about what lies just beside them, in each ecosystem's own order. A version that a range cannot be
 * compared with ends in `unknown`, which the rule decides too, so it counts as taken.
 */
import { checkRange, inRange } from './versions.js';

/** One for each order of versions that there is. */
const orders = ['npm', 'pypi', 'dpkg', 'rpm', 'pacman', 'apk', 'homebrew', 'executable'] as const;

/** Those that differ on numbers and dots alone. */
const plainOrders = ['npm', 'pypi', 'dpkg', 'executable'] as const;
const isPlain = (range: string): boolean => /^[\d.\s<>=|~^*xX,!]+$/.test(range);

const named = /\d[0-9A-Za-z.+!:~%_-]*/g;
const mostNamed = 130;
/** Questions to ranges in one lint; each takes some microseconds. */
const mostQuestions = 12_000;

export interface Ranges {
  /** Takes no version at all, wherever it comes from. */
  isEmpty(range: string): boolean;
  /** `outer` takes each version that `inner` takes; null is every version. */
  covers(outer: string | null, inner: string | null): boolean;
  /** Both can take the same version; null is every version. */
  meet(one: string | null, other: string | null): boolean;
  /** So many were compared that the rest was not: taken not to cover, and not to meet. */
  isSpent(): boolean;
}

/** The comparisons of one lint. */
export function compareRanges(): Ranges {
  const known = new Map<string, boolean>();
  let questions = 0;
  const remembered = (kind: string, ranges: readonly string[], find: () => boolean): boolean => {
    if (questions >= mostQuestions) return false;
    const key = [kind, ...ranges].join('\n');
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = find();
    known.set(key, made);
    return made;
  };
  const everywhere = (
    ranges: readonly string[],
    holds: (order: string, version: string) => boolean,
  ): boolean => {
    // The scheme of a `vers:` range says how to compare, whatever the ecosystem.
    const isOwn = ranges.every((range) => range.startsWith('vers:'));
    const kinds = isOwn ? ['npm'] : ranges.every(isPlain) ? plainOrders : orders;
    const versions = probesOf(ranges);
    return kinds.every((order) =>
      versions.every((version) => {
        questions += 2;
        return holds(order, version);
      }),
    );
  };
  return {
    isEmpty: (range) =>
      checkRange(range) === null &&
      remembered('empty', [range], () =>
        everywhere([range], (order, version) => inRange(order, version, range) !== 'in'),
      ),
    covers(outer, inner) {
      if (outer === null || outer === inner) return true;
      const all = inner ?? '*';
      return remembered('covers', [outer, all], () =>
        everywhere(
          [outer, all],
          (order, version) =>
            inRange(order, version, all) === 'out' || inRange(order, version, outer) !== 'out',
        ),
      );
    },
    meet(one, other) {
      if (one === null || other === null || one === other) return true;
      const isApart = (order: string, version: string): boolean =>
        inRange(order, version, one) !== 'in' || inRange(order, version, other) !== 'in';
      return remembered('meet', [one, other], () => !everywhere([one, other], isApart));
    },
    isSpent: () => questions >= mostQuestions,
  };
}

const probesOfRange = (range: string): readonly string[] => {
  const text = range.replace(/^vers:[^/]*\//, '');
  return [...text.matchAll(named)]
    .slice(0, mostNamed)
    .map(([one]) =>
      decoded(one)
        .replace(/(?:\.[xX*])+$/, '')
        .replace(/[.-]+$/, ''),
    )
    .flatMap(besides);
};

/** Versions at which one of the ranges may change its answer, and some beyond all of them. */
function probesOf(ranges: readonly string[]): readonly string[] {
  const beyond = ['0', '0.0.0', '0.0.0-0', '0.0.1', '1.0.0', '99999999.0.0', '20991231.9.9'];
  return [...new Set([...beyond, ...ranges.flatMap(probesOfRange)])];
}

/** Beside a version, in the orders that there are: the numbers before and after it, prereleases, revisions. */
function besides(version: string): readonly string[] {
  const release = /^(?:\d+[!:])?\d+(?:\.\d+)*/.exec(version)?.[0] ?? version;
  const numbers = release.split('.');
  const stepped = (at: number, by: 1 | -1): string => {
    const rest = numbers.slice(at + 1).map(() => (by < 0 ? '9999' : '0'));
    return [...numbers.slice(0, at), String(Number(numbers[at]) + by), ...rest].join('.');
  };
  const isNumber = (number: string): boolean => /^\d{1,12}$/.test(number);
  const down = numbers.flatMap((one, at) =>
    isNumber(one) && one !== '0' ? [stepped(at, -1)] : [],
  );
  const up = numbers.flatMap((one, at) => (isNumber(one) ? [stepped(at, 1)] : []));
  const three = [...numbers, '0', '0'].slice(0, Math.max(3, numbers.length)).join('.');
  const early = [three, ...up.slice(-2)].flatMap((one) => [
    `${one}-0`,
    `${one}-rc.1`,
    `${one}.dev1`,
    `${one}~rc1`,
  ]);
  return [
    version,
    release,
    three,
    ...down,
    ...up,
    ...early,
    `${three}.1`,
    `${version}.post1`,
    `${version}-1`,
  ];
}

function decoded(version: string): string {
  try {
    return decodeURIComponent(version);
  } catch {
    return version;
  }
}
