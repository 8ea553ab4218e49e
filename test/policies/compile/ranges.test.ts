/**
 * A policy's range in npm's notation and as comparisons: never another answer than evaluation gives,
 * for the reader that a registry's filter uses and for releases compared by their numbers.
 */
import semver from 'semver';
import { describe, expect, test } from 'vitest';
import { limitsInside, limitsOutside } from '../../../policies/compile/limits.js';
import {
  exactVersions,
  npmRange,
  plainRange,
  type PlainRange,
  type Triple,
} from '../../../policies/compile/ranges.js';
import { inRange } from '../../../policies/versions.js';

const ranges = [
  '>=2.1.91 <=2.1.197',
  '<2',
  '<2.1',
  '<=2',
  '>2.1',
  '>=1.0,<2.0',
  '^1.2 || 3.x',
  '~1.2.3',
  '1.2.3 - 2.0',
  '1.2.3 || =1.2.4',
  '>1.0.0-beta.2',
  'vers:npm/>=2.1.91|<=2.1.197',
  'vers:npm/1.2.3|2.0.0',
  '*',
];
const versions = [
  ...['0.9.9', '1.0.0-beta.2', '1.0.0-beta.3', '1.0.0', '1.2.0-rc.1', '1.2.2', '1.2.3-rc.1'],
  ...['1.2.3', '1.2.4', '1.2.5', '1.3.0', '1.9.9', '2.0.0-rc.1', '2.0.0', '2.0.1', '2.1.0-rc.1'],
  ...[
    '2.1.0',
    '2.1.91-rc.1',
    '2.1.91',
    '2.1.197',
    '2.1.198-rc.1',
    '2.1.198',
    '2.2.0',
    '3.0.0-rc.1',
  ],
  ...['3.4.5', '4.0.0-rc.1', '4.0.0'],
];

describe.each(ranges)('%s', (range) => {
  test('means the same to a registry', () => {
    const written = npmRange(range);
    expect(written).not.toBeNull();
    // As @verdaccio/package-filter asks.
    const options = { includePrerelease: true, loose: true };
    for (const version of versions) {
      const isIn = semver.satisfies(version, new semver.Range(written ?? ''), options);
      expect(isIn ? 'in' : 'out', version).toBe(inRange('npm', version, range));
    }
  });
});

const compare = (one: Triple, other: Triple): number =>
  one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
function isWithin(range: PlainRange, version: string): boolean {
  const own = version.split('.').map(Number) as unknown as Triple;
  return range.some((all) =>
    all.every(({ operator, numbers }) => {
      const order = compare(own, numbers);
      return operator === '='
        ? order === 0
        : operator.startsWith('<')
          ? order < 0 || (operator === '<=' && order === 0)
          : order > 0 || (operator === '>=' && order === 0);
    }),
  );
}

test('comparisons of numbers give a release the same answer', () => {
  const releases = versions.filter((version) => !version.includes('-'));
  for (const range of ranges) {
    const plain = plainRange(range);
    if (plain === null) continue;
    for (const version of releases) {
      const expected = inRange('npm', version, range) === 'in';
      expect(isWithin(plain, version), `${version} in ${range}`).toBe(expected);
    }
  }
});

test('what npm cannot say is null, never something near it', () => {
  for (const range of ['vers:pypi/>=1', '~=1.2', 'vers:npm/!=1.0.0', 'vers:npm/>=1|<2|!=1.5.0']) {
    expect(npmRange(range), range).toBeNull();
  }
  expect(plainRange('>1.0.0-beta.2')).toBeNull();
});

test('versions that are named one by one', () => {
  expect(exactVersions('1.2.3 || =1.2.4')).toEqual(['1.2.3', '1.2.4']);
  expect(exactVersions('1.2.x')).toBeNull();
  expect(exactVersions('>=1.2.3 <=1.2.3')).toBeNull();
});

describe('limits', () => {
  /** All releases from 2.1.150 on, which is where limits are heeded. */
  const heeding = [
    '2.1.163',
    '2.1.197',
    '2.1.198',
    '2.2.0',
    '2.2.1',
    '2.3.3',
    '2.3.4',
    '2.3.5',
    '3.0.0',
  ];
  const since: Triple = [2, 1, 163];
  test.each(['>=2.1.91 <=2.1.197', '<2.2.0', '<=2.2.0', '>2.3.4', '>=2.3.4'])(
    'those that leave out %s leave out nothing else',
    (range) => {
      const limits = limitsOutside(plainRange(range) ?? [], since);
      expect(limits).not.toBeNull();
      for (const version of heeding) {
        const isLetIn =
          (limits?.minimum == null || semver.gte(version, limits.minimum)) &&
          (limits?.maximum == null || semver.lte(version, limits.maximum));
        expect(isLetIn, version).toBe(inRange('npm', version, range) === 'out');
      }
    },
  );
  test.each(['>=2.2.0 <2.3.4', '2.2.1', '>2.1.197', '<=2.3.3'])(
    'those that keep %s keep nothing else',
    (range) => {
      const limits = limitsInside(plainRange(range) ?? []);
      expect(limits).not.toBeNull();
      for (const version of heeding) {
        const isLetIn =
          (limits?.minimum == null || semver.gte(version, limits.minimum)) &&
          (limits?.maximum == null || semver.lte(version, limits.maximum));
        expect(isLetIn, version).toBe(inRange('npm', version, range) === 'in');
      }
    },
  );
});
