/**
 * What holds for any versions of an ecosystem: they stand in one line, a version is read alike however it
 * is spelled, ranges agree with that line, and no text is guessed at or makes a failure.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as packaged from '../../policies/distributions.js';
import {
  dottedOrdering,
  pep440Ordering,
  semverOrdering,
  type Ordering,
} from '../../policies/orderings.js';
import { inPlainRange } from '../../policies/plain-versions.js';
import { checkRange, inRange } from '../../policies/versions.js';
import { runs } from '../runs.js';

const count = fc.oneof(fc.nat(3), fc.nat(12), fc.nat());
const dotted = (min: number, max: number): fc.Arbitrary<string> =>
  fc.array(count, { minLength: min, maxLength: max }).map((numbers) => numbers.join('.'));
const joined = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.join(''));
const perhaps = (part: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(fc.constant(''), part);
/** A few signs in any order. */
const signs = (alphabet: string, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), maxLength: max });

const preWord = fc.constantFrom('0', '1', '2', '10', 'a', 'b', 'rc', 'alpha', 'beta', 'x-1');
/** More digits than a number holds, and a number with a zero before it. */
const large = ['01', '9'.repeat(20), `${'9'.repeat(19)}8`];
/** Where a number behind the hyphen is a packager's count, a prerelease begins with a letter. */
const wordPre = joined(
  fc.constantFrom('-a', '-rc', '-beta'),
  fc
    .array(fc.oneof(preWord, fc.constantFrom(...large)), { maxLength: 3 })
    .map((all) => all.map((one) => `.${one}`).join('')),
);
const semverPre = fc
  .array(preWord, { minLength: 1, maxLength: 3 })
  .map((all) => `-${all.join('.')}`);
const pep440 = joined(
  perhaps(fc.constantFrom('1!', '2!')),
  dotted(1, 3),
  perhaps(joined(fc.constantFrom('a', 'b', 'rc'), count.map(String))),
  perhaps(count.map((number) => `.post${number}`)),
  perhaps(count.map((number) => `.dev${number}`)),
);

interface Subject<V> {
  readonly ecosystem: string;
  readonly ordering: Ordering<V>;
  /** Versions written out in full: with an epoch and a count where the ecosystem has them. */
  readonly versions: fc.Arbitrary<string>;
}

const withCount = (upstream: fc.Arbitrary<string>, rest: string): fc.Arbitrary<string> =>
  joined(fc.constantFrom('0:', '1:'), upstream, fc.constant('-1'), signs(rest, 3));

const subjects: readonly Subject<never>[] = [
  subject(
    'npm',
    semverOrdering,
    joined(dotted(3, 3), perhaps(semverPre), perhaps(fc.constant('+b'))),
  ),
  subject('pypi', pep440Ordering, pep440),
  subject(
    'dpkg',
    packaged.debianOrdering,
    withCount(joined(dotted(1, 3), signs('019aZ~+.', 5)), '01a~+.'),
  ),
  subject(
    'rpm',
    packaged.rpmOrdering,
    withCount(joined(dotted(1, 3), signs('019aZ~^_+.', 5)), '01a~^.'),
  ),
  subject(
    'pacman',
    packaged.alpmOrdering,
    // Signs side by side or at an end go round in circles in libalpm itself: 3. > 3__a > 3.0 > 3.
    withCount(joined(dotted(1, 3), signs('019aZ_+.', 5)), '01a.').filter(
      (version) => !/[_+.]{2}|[_+.](-|$)|-1?\./.test(version),
    ),
  ),
  subject(
    'apk',
    packaged.apkOrdering,
    joined(
      dotted(1, 3),
      perhaps(fc.constantFrom('a', 'b')),
      perhaps(joined(fc.constantFrom('_alpha', '_rc', '_p', '_git'), perhaps(count.map(String)))),
      count.map((number) => `-r${number}`),
    ),
  ),
  subject(
    'homebrew',
    packaged.homebrewOrdering,
    joined(
      dotted(1, 3),
      perhaps(joined(fc.constantFrom('alpha', 'beta', 'rc', '-p', '.post'), count.map(String))),
      fc.constant('_1'),
    ),
  ),
  subject('application', dottedOrdering, joined(dotted(1, 5), perhaps(wordPre))),
  subject(
    'winget',
    dottedOrdering,
    joined(
      dotted(2, 4),
      fc.oneof(count.map(String), fc.constantFrom(...large)).map((number) => `-${number}`),
    ),
  ),
];

function subject<V>(
  ecosystem: string,
  ordering: Ordering<V>,
  versions: fc.Arbitrary<string>,
): Subject<never> {
  return { ecosystem, ordering: ordering as unknown as Ordering<never>, versions };
}

describe.each(subjects)('$ecosystem', ({ ecosystem, ordering, versions }) => {
  const order = (left: string, right: string): number => {
    const [one, two] = [ordering.read(left), ordering.read(right)];
    if (one === null || two === null) throw new Error(`not read: ${left} ${right}`);
    const difference = ordering.compare(one, two);
    if (difference === null || Number.isNaN(difference)) throw new Error(`${left} or ${right}?`);
    return Math.sign(difference);
  };

  test('any two versions stand in one order, whichever is asked first', () => {
    fc.assert(
      fc.property(versions, versions, (left, right) => {
        expect(order(left, left)).toBe(0);
        expect(order(left, right) + order(right, left)).toBe(0);
      }),
      runs(60),
    );
  });

  test('what comes before the earlier one comes before the later one', () => {
    fc.assert(
      fc.property(fc.array(versions, { minLength: 3, maxLength: 6 }), (some) => {
        const sorted = [...some].sort(order);
        for (const [at, low] of sorted.entries()) {
          for (const high of sorted.slice(at + 1)) {
            expect([low, high, order(low, high)]).not.toEqual([low, high, 1]);
          }
        }
      }),
      runs(40),
    );
  });

  test('a range takes what its order says', () => {
    const isSame = (left: string, right: string): boolean => left.split('.post')[0] === right;
    fc.assert(
      fc.property(versions, versions, (version, bound) => {
        // A bound of one or two numbers stands for its series; a post-release of Python is not above its release.
        fc.pre(!/^\d+(\.\d+)?$/.test(bound) && !isSame(version, bound));
        const sign = order(version, bound);
        const held = { '<': sign < 0, '<=': sign <= 0, '=': sign === 0, '!=': sign !== 0 };
        const all = {
          ...held,
          '>=': sign >= 0,
          ...(ecosystem === 'pypi' ? {} : { '>': sign > 0 }),
        };
        for (const [operator, isIn] of Object.entries(all)) {
          const range = `${operator}${bound}`;
          expect([range, inRange(ecosystem, version, range)]).toEqual([range, isIn ? 'in' : 'out']);
        }
        const plain = inPlainRange(ecosystem, version, `<=${bound}`);
        expect([null, sign <= 0]).toContain(plain);
      }),
      runs(60),
    );
  });

  test('two ranges joined by || and by a blank are their union and their overlap', () => {
    fc.assert(
      fc.property(versions, versions, versions, (version, low, high) => {
        const [above, below] = [`>=${low}`, `<${high}`];
        const [one, two] = [above, below].map((range) => inRange(ecosystem, version, range));
        expect(['in', 'out']).toEqual(expect.arrayContaining([one, two]));
        const [both, either] = [`${above} ${below}`, `${above} || ${below}`];
        expect(inRange(ecosystem, version, both)).toBe(one === 'in' && two === 'in' ? 'in' : 'out');
        expect(inRange(ecosystem, version, either)).toBe([one, two].includes('in') ? 'in' : 'out');
      }),
      runs(40),
    );
  });
});

test('a version of Python is the same one in every spelling', () => {
  const part = (words: readonly string[], marks: readonly string[]) =>
    fc.option(
      fc.record({
        word: fc.constantFrom(...words),
        mark: fc.constantFrom(...marks),
        number: count,
      }),
      { nil: null },
    );
  const separators = ['', '.', '-', '_'];
  const release = fc.array(count, { minLength: 1, maxLength: 4 });
  const pre = part(['a', 'b', 'rc'], separators);
  const post = part(['post'], separators);
  const dev = part(['dev'], separators);
  const words: Readonly<Record<string, readonly string[]>> = {
    a: ['a', 'alpha', 'A', 'ALPHA'],
    b: ['b', 'beta', 'Beta'],
    rc: ['rc', 'c', 'pre', 'preview', 'RC'],
    post: ['post', 'rev', 'r', 'Post'],
    dev: ['dev', 'DEV'],
  };
  const inner = fc.constantFrom(...separators);
  const style = fc.record({
    zeros: fc.nat(2),
    v: fc.boolean(),
    inner,
    word: fc.nat(9),
    blank: fc.boolean(),
  });
  fc.assert(
    fc.property(release, pre, post, dev, style, (numbers, before, after, unfinished, how) => {
      const plain = [before, after, unfinished].map((one, at) =>
        one === null ? '' : `${at === 0 ? '' : '.'}${one.word}${one.number}`,
      );
      const normal = `${numbers.join('.')}${plain.join('')}`;
      const zeros = '0'.repeat(how.zeros);
      const spelled = [before, after, unfinished].map((one) => {
        if (one === null) return '';
        const spellings = words[one.word] ?? [];
        const word = spellings[how.word % spellings.length] ?? '';
        return `${one.mark}${word}${how.inner}${zeros}${one.number}`;
      });
      const text = `${how.v ? 'v' : ''}${numbers.map((number) => zeros + number).join('.')}${spelled.join('')}`;
      const odd = how.blank ? ` ${text}\n` : text;
      const [one, two] = [pep440Ordering.read(normal), pep440Ordering.read(odd)];
      expect(two).toEqual(one);
      expect(one?.release).toEqual(numbers);
      expect(inRange('pypi', odd, `==${normal}`)).toBe('in');
    }),
    runs(80),
  );
});

test('a series holds its numbers, also in what comes before its first release', () => {
  const ecosystem = fc.constantFrom('npm', 'pypi', 'executable', 'homebrew');
  fc.assert(
    fc.property(
      ecosystem,
      count,
      count,
      count,
      fc.boolean(),
      (kind, major, minor, patch, isPre) => {
        const version = `${major}.${minor}.${patch}${isPre ? (kind === 'pypi' ? 'rc1' : '-rc.1') : ''}`;
        const answers = [
          `${major}.x`,
          `${major}.${minor}.*`,
          `<=${major}.x`,
          `>=${major}.${minor}.x`,
        ].map((range) => inRange(kind, version, range));
        expect(answers).toEqual(['in', 'in', 'in', 'in']);
        const others = [
          `${major + 1}.x`,
          `>${major}.x`,
          `!=${major}.x`,
          `<=${major}.${minor}.x <${major}.x`,
        ];
        expect(others.slice(0, 3).map((range) => inRange(kind, version, range))).toEqual([
          'out',
          'out',
          'out',
        ]);
      },
    ),
    runs(60),
  );
});

test('nothing that is not a version of an ecosystem is decided by a range of numbers', () => {
  const kinds = ['npm', 'pypi', 'dpkg', 'rpm', 'pacman', 'apk', 'homebrew', 'application'];
  const word = fc.stringMatching(/^[a-uw-z][a-z -]{0,12}$/);
  fc.assert(
    fc.property(fc.constantFrom(...kinds), word, count, (kind, text, bound) => {
      for (const range of [`<${bound}.0`, `>=${bound}.0`, `!=${bound}.0`, `${bound}.x`]) {
        expect(inRange(kind, text, range)).toBe('unknown');
        expect(inRange(kind, null, range)).toBe('unknown');
      }
    }),
    runs(60),
  );
});

test('no text, as version or as range, makes a failure', () => {
  const kinds = ['npm', 'pypi', 'dpkg', 'rpm', 'pacman', 'apk', 'homebrew', 'winget', 'x'];
  const odd = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...'0129.-+~^_:!*xv<>=|, alphrcdev'), maxLength: 40 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...kinds), odd, odd, (kind, version, range) => {
      expect(['in', 'out', 'unknown']).toContain(inRange(kind, version, range));
      const isRefused = checkRange(range) !== null;
      if (isRefused) expect(inRange(kind, version, range)).toBe('unknown');
      expect(['in', 'out', 'unknown']).toContain(inRange(kind, version, `vers:${kind}/${range}`));
    }),
    runs(150),
  );
});
