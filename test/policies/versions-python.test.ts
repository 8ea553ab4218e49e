/**
 * The vectors that are published for PEP 440: the examples of the specification and the tables of its
 * reference implementation (packaging, tests/test_version.py and tests/test_specifiers.py). An installer
 * leaves `2.0a1` out of `<2.0`; Curfew does not, and says so here.
 */
import { describe, expect, test } from 'vitest';
import { pep440Ordering } from '../../policies/orderings.js';
import { checkRange, inRange, type RangeAnswer } from '../../policies/versions.js';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);
const by = (version: string, range: string): RangeAnswer => inRange('pypi', version, range);

/** The sign of the order of two versions; null where one cannot be read. */
function order(left: string, right: string): number | null {
  const [one, two] = [pep440Ordering.read(left), pep440Ordering.read(right)];
  if (one === null || two === null) return null;
  const difference = pep440Ordering.compare(one, two);
  return difference === null ? null : Math.sign(difference);
}

describe('the order of versions', () => {
  // VERSIONS of packaging, lowest first; once more in the first epoch.
  const inOneEpoch = words(`
    1.0.dev0 1.0.dev456 1.0.dev456+local 1.0a0 1.0a0.post0.dev0 1.0a0.post0 1.0a1.dev1 1.0a1.dev1+local
    1.0a1 1.0a1+local 1.0b0 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 1.0b2.post345 1.0b2-346 1.0rc0
    1.0rc1.dev1 1.0c1 1.0rc2 1.0 1.0.post0.dev0 1.0.post0 1.0.post456.dev34 1.0.post456
    1.0.post456+local 1.0.1.dev1 1.0.1a1 1.0.1 1.0.1+local 1.0.1.post1 1.1.dev1 1.2+a 1.2+abc
    1.2+abcdef 1.2+def 1.2+0 1.2+1 1.2+1.abc 1.2+1.1 1.2+1.1.0 1.2+2 1.2+123 1.2+123456
    1.2.r32+123456 1.2.rev33+123456`);
  const versions = [...inOneEpoch, ...inOneEpoch.map((version) => `1!${version}`)];

  test('is that of the reference implementation for each pair of its list', () => {
    const wrong = versions.flatMap((low, at) =>
      versions
        .slice(at + 1)
        .filter((high) => order(low, high) !== -1 || by(high, `<=${low}`) !== 'out')
        // A bound without a local version takes all of them: 1.0.1+local is 1.0.1 to a range.
        .filter((high) => high !== `${low}+local`)
        .map((high) => [low, high]),
    );
    expect(versions).toHaveLength(92);
    expect(wrong).toEqual([]);
  });

  test('holds a version equal to itself', () => {
    for (const version of versions) expect(order(version, version)).toBe(0);
  });
});

describe('normalisation', () => {
  // test_normalized_versions of packaging.
  test.each(
    Object.entries({
      '1.0.dev0': '1.0dev 1.0.dev 1.0-dev 1.0DEV 1.0.DEV 1.0-DEV',
      '1.0.dev1': '1.0dev1 1.0-dev1 1.0DEV1 1.0.DEV1 1.0-DEV1',
      '1.0a0': '1.0a 1.0.a 1.0-a 1.0alpha 1.0.alpha 1.0-alpha 1.0A 1.0.A 1.0-A 1.0ALPHA 1.0-ALPHA',
      '1.0a1': '1.0.a1 1.0-a1 1.0.alpha1 1.0-alpha1 1.0.A1 1.0-A1 1.0.ALPHA1 1.0-ALPHA1',
      '1.0b0': '1.0b 1.0.b 1.0-b 1.0beta 1.0.beta 1.0-beta 1.0B 1.0.B 1.0-B 1.0BETA 1.0-BETA',
      '1.0b1': '1.0.b1 1.0-b1 1.0.beta1 1.0-beta1 1.0.B1 1.0-B1 1.0.BETA1 1.0-BETA1',
      '1.0rc0': '1.0c 1.0.c 1.0-c 1.0rc 1.0.rc 1.0-rc 1.0C 1.0.C 1.0-C 1.0RC 1.0.RC 1.0-RC',
      '1.0rc1': '1.0.c1 1.0-c1 1.0.rc1 1.0-rc1 1.0.C1 1.0-C1 1.0.RC1 1.0-RC1',
      '1.0.post0': '1.0post 1.0.post 1.0-post 1.0POST 1.0.POST 1.0-POST 1.0r 1.0rev 1.0.post000',
      '1.0.post1': '1.0post1 1.0-post1 1.0POST1 1.0.POST1 1.0-POST1 1.0.r1 1.0.rev1',
      '1.0.post5': '1.0-5 1.0-r5 1.0-rev5',
      '1.0+abc': '1.0+AbC',
      '1.1': '1.01',
      '1.0a5': '1.0a05',
      '1.0b7': '1.0b07',
      '1.0rc56': '1.0c056',
      '1.0rc9': '1.0rc09',
      '1.1.dev9000': '1.1.dev09000',
      '1.2': '00!1.2 0!1.2',
      '100!0.0': '0100!0.0',
      '1.0': 'v1.0 V1.0 1.0.0 1',
    }),
  )('%s is also written %s', (normal, spellings) => {
    for (const spelling of words(spellings)) {
      expect([spelling, order(spelling, normal)]).toEqual([spelling, 0]);
      expect([spelling, by(normal, `==${spelling}`)]).toEqual([spelling, 'in']);
    }
  });

  test('blanks around a version do not count', () => {
    for (const version of ['   v1.0\t\n', '\u{202f}1.0\t\u{2029}\n ']) {
      expect(by(version, '==1.0')).toBe('in');
    }
  });

  // test_invalid_versions of packaging.
  test.each([
    'french toast',
    '1.0+a+',
    '1.0++',
    '1.0+_foobar',
    '1.0+foo&asd',
    '1.0+1+1',
    '1. 0',
    '1 .0',
    '1.0 a1',
    '1.0a 1',
    '\u{660}\u{661}\u{662}.\u{663}\u{664}\u{665}',
    '.',
    '..',
    '1..0',
    '1.0.',
    '.1.0',
    '1..2.3',
    '1.0+\u{130}',
  ])('"%s" is no version, and no range decides about it', (version) => {
    expect(pep440Ordering.read(version)).toBeNull();
    for (const range of ['==1.0', '==1.*', '>=1.0', '>1', '<=1.0', '<1', '~=1.0', '!=1', '!=1.*']) {
      expect([range, by(version, range)]).toEqual([range, 'unknown']);
    }
  });
});

/** Specifier, what it takes, what it leaves out. */
type Vector = readonly [specifier: string, inside: string, outside: string];

// test_specifiers and the two tables of prereleases after it.
const specifiers: readonly Vector[] = [
  ['==2', '2.0 2.0+deadbeef', '2.1'],
  ['==2.0.0', '2.0 2.0+deadbeef', '2.1'],
  ['==2+deadbeef', '2.0+deadbeef', '2.0'],
  ['==2.0.0+deadbeef', '2.0+deadbeef', '2.0'],
  ['==2.0.0+deadbeef.00', '2.0+deadbeef.0', '2.0'],
  ['==2.*', '2.dev1 2a1 2a1.post1 2b1 2b1.dev1 2c1 2c1.post1.dev1 2rc1 2 2.0 2.0.0 0!2', '3 1.9'],
  ['==2.0.*', '2c1.post1.dev1 2rc1 2 2.0.0.0', '2.1 2.1.0.0'],
  ['==2.0.0.*', '2', '3'],
  ['==0!2.*', '2', '3'],
  ['==2.1.*', '2.1+local.version', '2.0'],
  ['==3.*', '3', '2.0'],
  ['!=2', '2.1 2.0.1', '2.0 2.0+deadbeef'],
  ['!=2.0.0', '2.0.1', '2.0 2.0+deadbeef'],
  ['!=2.0+deadbeef', '2.0', '2.0+deadbeef'],
  ['!=2+deadbeef', '2.0', '2.0+deadbeef'],
  ['!=2.*', '3', '2.dev1 2a1 2a1.post1 2b1 2b1.dev1 2c1.post1.dev1 2rc1 2 2.0 2.0.0'],
  ['!=2.0.*', '2.1 2.1.0.0', '2c1.post1.dev1 2rc1 2 2.0.0.0'],
  ['>=2', '2.0 2.0.post1 2.0.post1.dev1 3', '2.0.dev1 2.0a1 2.0a1.dev1 2.0b1.post1 2.0rc1 1'],
  ['>=3.0.0a7', '3.0.0a8', '3.0.0a6'],
  ['<=2', '2.0 2.0.dev1 2.0a1 2.0a1.dev1 2.0b1.post1 2.0rc1 1', '2.0.post1 2.0.post1.dev1 3'],
  ['<=3.0.0a8', '3.0.0a7', '3.0.0a9'],
  [
    '>2',
    '3 2.0.1 2.1.post1 2.1+local.version',
    '1 2.0.dev1 2.0a1.post1 2.0 2.0.post1 2.0.post1.dev1',
  ],
  ['>2.0', '2.1', '2.0+local.version'],
  ['>3.0.0a7', '3.0.0a8', '3.0.0a7'],
  ['<2.1', '2.0 2.0.dev0', '2.1'],
  ['<3.0.0a8', '3.0.0a7', '3.0.0a8'],
  ['<2', '1', '2.0 2.post1 2.post1.dev1 3'],
  ['~=1.0', '1 1.0.1 1.1 1.9999999', '2.0 2!1.0'],
  ['~=1.0a1', '1.1', '2.0'],
  ['~=1.0.0', '1.0.1', '1.1.0 1.1.post1'],
  ['~=2022.01.01', '2022.01.01', '2022.02.01'],
  ['~=2!1.0', '2!1.0', '1.0'],
  ['==2!1.*', '2!1.0 2!1.0.0', '1.0'],
  ['==2!1.0.0.0.*', '2!1.0.0', '1.0'],
  ['==2!1.0', '2!1.0', '1.0'],
  ['==1.*', '1.0', '2!1.0'],
  ['!=1.0', '2!1.0', '1.0'],
  ['!=2!1.0', '1.0', '2!1.0'],
  ['<=2!0.1', '1.0', '2!1.0'],
  ['>=2.0', '2!1.0', '1.9'],
  ['<2!0.1', '1.0', '2!0.1'],
  ['>2.0', '2!1.0', '2.0'],
  ['>2.0dev', '2.0.5', '2.0.dev0'],
  // A local version is none of those above its public one; the public parts count.
  [
    '>1.0.dev1',
    '1.0+local 1.0.dev2+local 1.0.dev2 1.0 1.0a1 1.1 1.1.post0',
    '1.0.dev1+local 1.0.dev0',
  ],
  ['>4.1.0a2.dev1234', '4.1.0a2.dev1235+local', '4.1.0a2.dev1234+local'],
  ['>1.0a1', '1.0a2+local 1.0.post0 1.0a2.post0', '1.0a1+local 1.0a1.post0'],
  ['>1.0b1', '1.0b2+local 1.0b2.post0', '1.0b1+local'],
  ['>1.0rc1', '1.0rc2+local 1.0.post0', '1.0rc1+local 1.0rc1.post0'],
  ['>1.0.post1', '1.0.post2+local', '1.0.post1+local'],
  ['>1.0.post1.dev1', '1.0.post1.dev2+local', '1.0.post1.dev1+local'],
  // A post-release of the bound is not above it; one of another release is.
  ['>1.0.dev1', '1.0.post0 1.0.post1', '0.9.post0'],
  ['>1.0', '2.0.post0', '1.0.post0 1.0.post1 0.9.post0'],
  ['<1.0.post1', '1.0.dev0 1.0a1 1.0rc1 1.0.post0.dev0 1.0 1.0.post0 0.9', '1.0.post1'],
  ['>=2.0.dev1', '2.0a1', '2.0.dev0'],
  ['==2.0.*', '2.0.dev1 2.0a1.dev1', '2.1.dev1'],
  ['<1.0.dev1', '0.9.dev1', '1.0.dev1'],
  ['<2.0a2', '2.0a1', '2.0a2'],
];

test.each(specifiers)(
  'Python reads "%s" so that it takes %s and leaves %s out',
  (range, inside, outside) => {
    expect(checkRange(range)).toBeNull();
    for (const version of words(inside))
      expect([version, by(version, range)]).toEqual([version, 'in']);
    for (const version of words(outside))
      expect([version, by(version, range)]).toEqual([version, 'out']);
  },
);

// test_arbitrary_equality: sign by sign, whatever it says, but for the case of its letters.
test.each<Vector>([
  ['===1.0', '1.0', '1.0.0 1.0.dev0 1.0+downstream1 0!1.0'],
  ['===1.0.dev0', '1.0.dev0 1.0.DEV0', '1.0.dev00'],
  ['===foobar', 'foobar FooBar', 'baz'],
  ['===1.0+abc.def', '1.0+ABC.DEF', '1.0+abc-def'],
  ['===1.01', '1.01', '1.1'],
  ['===1.a1', '1.a1', '1a1'],
  ['===1.0-1', '1.0-1', '1.0.post1'],
  ['===0!1.0', '0!1.0', '1.0'],
])('"%s" takes %s and leaves %s out', (range, inside, outside) => {
  for (const version of words(inside))
    expect([version, by(version, range)]).toEqual([version, 'in']);
  for (const version of words(outside))
    expect([version, by(version, range)]).toEqual([version, 'out']);
});

// test_specifiers_invalid.
test.each(
  words(`
    =>2.0 == ~=1.0.* ==1.0.*+5 !=1.0.*+deadbeef ==2.0a1.* !=2.0a1.* ==2.0.post1.* !=2.0.post1.*
    ==2.0.dev1.* !=2.0.dev1.* ==1.0+5.* !=1.0+deadbeef.* ==1.0.*.5 ~=1 ~=v1 ~=1!2 ~=1a1
    ==1.2+\u{130}`),
)('"%s" is no specifier, so it decides nothing', (range) => {
  for (const version of ['0.1', '1.0', '2.0', '2.0a1', '1.0+5']) {
    expect([version, by(version, range)]).toEqual([version, 'unknown']);
  }
});

test.each<Vector>([
  ['<2', '2.0.dev1 2.0a1 2.0a1.post1 2.0b1 2.0b2.dev1 2.0c1.post1.dev1 2.0rc1', '2.0'],
  ['<1.0.post1', '1.0.post1.dev0', '1.0.post1'],
  ['<2.0', '2.0a1', '2.0'],
])('unlike an installer, "%s" takes %s, which come before it', (range, inside, outside) => {
  for (const version of words(inside))
    expect([version, by(version, range)]).toEqual([version, 'in']);
  for (const version of words(outside))
    expect([version, by(version, range)]).toEqual([version, 'out']);
});

test.each<Vector>([
  // In npm's notation, which Python does not know, and which a rule for both may use.
  ['<=2.x', '2.0 2.1 2.99.1', '3.0'],
  ['>2.x', '3.0', '2.0 2.1'],
  ['>=2.x', '2.0rc1 2.0 3.0', '1.9'],
  ['<2.x', '1.9 2.0rc1', '2.0'],
  ['1.2.3 - 2.x', '1.2.3 2.9', '1.2.2 3.0'],
  ['^1.2 || 3.x', '1.2 1.9 3.0', '2.0 1.1'],
  // Read by their order, though an installer refuses a local version here.
  ['<=1.0+cu121', '1.0+cu121 1.0', '1.0+cu122'],
  ['>=v1!1.0', '1!1.0', '2.0'],
])('"%s" takes %s and leaves %s out of Python’s', (range, inside, outside) => {
  expect(checkRange(range)).toBeNull();
  for (const version of words(inside))
    expect([version, by(version, range)]).toEqual([version, 'in']);
  for (const version of words(outside))
    expect([version, by(version, range)]).toEqual([version, 'out']);
});
