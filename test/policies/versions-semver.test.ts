/**
 * The vectors that are published for semver: those of semver.org and of npm's own implementation. Where
 * npm leaves a prerelease out of a range that its order puts it in, Curfew does not; those are named.
 */
import { describe, expect, test } from 'vitest';
import { semverOrdering } from '../../policies/orderings.js';
import { checkRange, inRange } from '../../policies/versions.js';

/** One per word; a space never stands in a version. */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

describe('what semver.org calls a version', () => {
  // The two lists behind https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string
  test.each(
    words(`
      0.0.4 1.2.3 10.20.30 1.1.2-prerelease+meta 1.1.2+meta 1.1.2+meta-valid 1.0.0-alpha 1.0.0-beta
      1.0.0-alpha.beta 1.0.0-alpha.beta.1 1.0.0-alpha.1 1.0.0-alpha0.valid 1.0.0-alpha.0valid
      1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay 1.0.0-rc.1+build.1 2.0.0-rc.1+build.123
      1.2.3-beta 10.2.3-DEV-SNAPSHOT 1.2.3-SNAPSHOT-123 1.0.0 2.0.0 1.1.7 2.0.0+build.1848
      2.0.1-alpha.1227 1.0.0-alpha+beta 1.2.3----RC-SNAPSHOT.12.9.1--.12+788
      1.2.3----R-S.12.9.1--.12+meta 1.2.3----RC-SNAPSHOT.12.9.1--.12
      1.0.0+0.build.1-rc.10000aaa-kk-0.1 1.0.0-0A.is.legal`),
  )('%s is one', (version) => {
    expect(inRange('npm', version, '>=0.0.0-0')).toBe('in');
    expect(semverOrdering.read(version)?.raw).toBe(version);
  });

  test.each(
    words(`
      1.2.3-0123 1.2.3-0123.0123 1.1.2+.123 +invalid -invalid -invalid+invalid -invalid.01 alpha
      alpha.beta alpha.beta.1 alpha.1 alpha+beta alpha_beta alpha. alpha.. beta 1.0.0-alpha_beta
      -alpha. 1.0.0-alpha.. 1.0.0-alpha..1 1.0.0-alpha...1 1.0.0-alpha....1 1.0.0-alpha.....1
      1.0.0-alpha......1 1.0.0-alpha.......1 01.1.1 1.01.1 1.1.01 1.2.3.DEV 1.2-SNAPSHOT
      1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788 1.2-RC-SNAPSHOT -1.0.3-gamma+b7718 +justmeta
      9.8.7+meta+meta 9.8.7-whatever+meta+meta
      99999999999999999999999.999999999999999999.99999999999999999----RC-SNAPSHOT.12.09.1--------------------------------..12`),
  )('%s is none, and no range decides about it', (version) => {
    expect(semverOrdering.read(version)).toBeNull();
    for (const range of ['<2.0.0', '>=0.0.0', '!=1.0.0', '1.x', 'vers:npm/!=1.0.0']) {
      expect(inRange('npm', version, range)).toBe('unknown');
    }
  });

  test('1 and 1.2 are read as their first release, and numbers past what can be held are not', () => {
    expect(inRange('npm', '1.2', '=1.2.0')).toBe('in');
    // Valid by semver.org's list; npm's own implementation refuses it as too large.
    const large = '99999999999999999999999.999999999999999999.99999999999999999';
    expect(inRange('npm', large, '>=1.0.0')).toBe('unknown');
  });
});

// test/fixtures/comparisons.js of npm's node-semver; the first is the later one.
test.each([
  ['0.0.0', '0.0.0-foo'],
  ['0.0.1', '0.0.0'],
  ['1.0.0', '0.9.9'],
  ['0.10.0', '0.9.0'],
  ['0.99.0', '0.10.0'],
  ['v2.0.0', '1.2.3'],
  ['0.0.0', 'v0.0.0-foo'],
  ['1.2.3', '1.2.3-asdf'],
  ['1.2.3', '1.2.3-4'],
  ['1.2.3', '1.2.3-4-foo'],
  ['1.2.3-5-foo', '1.2.3-5'],
  ['1.2.3-5', '1.2.3-4'],
  ['1.2.3-5-foo', '1.2.3-5-Foo'],
  ['3.0.0', '2.7.2+asdf'],
  ['1.2.3-a.10', '1.2.3-a.5'],
  ['1.2.3-a.b', '1.2.3-a.5'],
  ['1.2.3-a.b', '1.2.3-a'],
  ['1.2.3-a.b.c.10.d.5', '1.2.3-a.b.c.5.d.100'],
  ['1.2.3-r2', '1.2.3-r100'],
  ['1.2.3-r100', '1.2.3-R2'],
])('npm puts %s after %s', (late, early) => {
  expect(inRange('npm', late, `>${early}`)).toBe('in');
  expect(inRange('npm', early, `<${late}`)).toBe('in');
  expect(inRange('npm', late, `<=${early}`)).toBe('out');
  expect(inRange('npm', early, `=${late}`)).toBe('out');
});

// test/fixtures/equality.js
test.each([
  ['1.2.3', 'v1.2.3'],
  ['1.2.3-0', 'v1.2.3-0'],
  ['1.2.3-beta', ' v1.2.3-beta'],
  ['1.2.3-beta+build', '1.2.3-beta+otherbuild'],
  ['1.2.3+build', ' = 1.2.3+otherbuild'],
  ['  v1.2.3+build', '1.2.3+otherbuild'],
])('npm takes %s and %s for one version', (left, right) => {
  expect(inRange('npm', left, right)).toBe('in');
  expect(inRange('npm', left, `>=${right.replace('=', '')}`)).toBe('in');
});

/** Range, what is in it, what is not. */
type Vector = readonly [range: string, inside: string, outside: string];

// test/fixtures/range-include.js and range-exclude.js
const ranges: readonly Vector[] = [
  ['1.0.0 - 2.0.0', '1.2.3', '2.2.3'],
  ['^1.2.3+build', '1.2.3 1.3.0', '2.0.0 1.2.0'],
  ['1.2.3-pre+asdf - 2.4.3-pre+asdf', '1.2.3 1.2.3-pre.2 2.4.3-alpha', ''],
  ['1.2.3+asdf - 2.4.3+asdf', '1.2.3', '1.2.3-pre.2'],
  ['1.0.0', '1.0.0', '1.0.1'],
  ['>=1.0.0', '1.0.0 1.0.1 1.1.0', '0.0.0 0.0.1 0.1.0'],
  ['>1.0.0', '1.0.1 1.1.0', '0.0.1 0.1.0'],
  ['<=2.0.0', '2.0.0 1.9999.9999 0.2.9', '3.0.0 2.9999.9999 2.2.9'],
  ['<2.0.0', '1.9999.9999 0.2.9', '2.9999.9999 2.2.9'],
  ['>=   1.0.0', '1.0.0 1.0.1 1.1.0', '0.1.0'],
  ['<\t2.0.0', '0.2.9', '2.0.0'],
  ['>=0.1.97', '0.1.97 v0.1.97', '0.1.93 v0.1.93'],
  ['0.1.20 || 1.2.4', '1.2.4 0.1.20', '1.2.3'],
  ['>=0.2.3 || <0.0.1', '0.0.0 0.2.3 0.2.4', '0.0.3 0.2.2'],
  ['2.x.x', '2.1.3', '1.1.3 3.1.3'],
  ['1.2.x', '1.2.3', '1.3.3'],
  ['1.2.x || 2.x', '2.1.3 1.2.3', '3.1.3 1.1.3'],
  ['2.*.*', '2.1.3', '1.1.3 3.1.3'],
  ['1.2.* || 2.*', '2.1.3 1.2.3', '3.1.3 1.1.3'],
  ['2', '2.1.2', '1.1.2'],
  ['2.3', '2.3.1', '2.4.1'],
  ['~0.0.1', '0.0.1 0.0.2', '0.1.0-alpha 0.1.0'],
  ['~2', '2.0.9', '3.0.0'],
  ['~2.4', '2.4.0 2.4.5', '2.5.0 2.3.9'],
  ['~>3.2.1', '3.2.2', '3.3.2 3.2.0'],
  ['~1', '1.2.3', '0.2.3'],
  ['~> 1', '1.2.3', '2.2.3'],
  ['~ 1.0', '1.0.2', '1.1.0'],
  ['~ 1.0.3', '1.0.12', '1.1.0'],
  ['>= 1', '1.0.0', '0.9.9'],
  ['< 1.2', '1.1.1', '1.2.0'],
  ['<1', '0.9.9', '1.0.0'],
  ['~v0.5.4-pre', '0.5.5 0.5.4', '0.6.0'],
  ['~v0.5.4-beta', '0.5.4', '0.5.4-alpha'],
  ['=0.7.x', '0.7.2', '0.8.2'],
  ['<=0.7.x', '0.7.2 0.6.2', '0.8.0'],
  ['>=0.7.x', '0.7.2', '0.6.2'],
  ['<0.7.x', '0.6.2', '0.7.2'],
  ['~1.2.1 >=1.2.3', '1.2.3', '1.2.2'],
  ['~1.2.1 =1.2.3', '1.2.3', '1.2.4'],
  ['~1.2.1 >=1.2.3 1.2.3', '1.2.3', '1.2.4'],
  ['1.2.3 >=1.2.1', '1.2.3', '1.2.1'],
  ['>=1.2.1 >=1.2.3', '1.2.3', '1.2.1'],
  ['>=1.2', '1.2.8', '1.1.1'],
  ['>1.2', '1.3.0', '1.2.8'],
  ['^1.2.3', '1.8.1', '1.2.2 2.0.0-alpha 1.2.3-pre 1.2.3-beta'],
  ['^0.1.2', '0.1.2', '0.2.0'],
  ['^0.1', '0.1.2', '0.2.0'],
  ['^0.0.1', '0.0.1', '0.0.2-alpha 0.0.2'],
  ['^1.2', '1.4.2', '1.1.9'],
  ['^1.2 ^1', '1.4.2', '1.1.0'],
  ['^1.2.3-alpha', '1.2.3-pre', '1.2.3-alfa'],
  ['^0.0.1-alpha', '0.0.1-beta 0.0.1', '0.0.2'],
  ['^0.1.1-alpha', '0.1.1-beta', '0.2.0'],
  ['<=7.x', '7.9.9', '8.0.0'],
  ['=1.2.3', '1.2.3', '1.2.3-beta'],
  // With npm's includePrerelease, which is how Curfew reads every range.
  ['2.x', '2.0.0-pre.0 2.1.0-pre.0', '3.0.0-pre.0'],
  ['^1.0.0-0', '1.0.1-rc1', '2.0.0'],
  ['^1.0.0-rc2', '1.0.1-rc1', '1.0.0-rc1'],
  ['^1.0.0', '1.0.1-rc1 1.1.0-rc1', '1.0.0-rc1 2.0.0-rc1'],
  ['^1.2.3-rc2', '1.2.3', '2.0.0'],
];

test.each(ranges)(
  'npm reads "%s" so that it takes %s and leaves %s out',
  (range, inside, outside) => {
    expect(checkRange(range)).toBeNull();
    for (const [list, answer] of [
      [inside, 'in'],
      [outside, 'out'],
    ] as const) {
      for (const version of list === '' ? [] : words(list)) {
        expect([version, inRange('npm', version, range)]).toEqual([version, answer]);
        // Versions of these shapes compare the same wherever no other order is known.
        const elsewhere = inRange('executable', version, range);
        expect([version, elsewhere]).toEqual([
          version,
          elsewhere === 'unknown' ? elsewhere : answer,
        ]);
      }
    }
  },
);

test.each([
  ['<=1.2.3', '1.2.3-beta'],
  ['<1.2.3', '1.2.3-beta'],
  ['<1', '1.0.0-beta'],
  ['< 1', '1.0.0-beta'],
  ['<2.x', '2.0.0-rc.1'],
  ['=0.7.x', '0.7.0-asdf'],
  ['1.2.3+asdf - 2.4.3+asdf', '2.4.3-alpha'],
])('unlike npm, "%s" takes the prerelease %s, which its order puts inside', (range, version) => {
  expect(inRange('npm', version, range)).toBe('in');
  expect(inRange('executable', version, range)).toBe('in');
});

// https://semver.org/#spec-item-10: build metadata does not count.
test('a build does not make another version', () => {
  for (const range of ['=1.0.0', '<=1.0.0', '>=1.0.0', '1.0.x']) {
    expect(inRange('npm', '1.0.0+21AF26D3---117B344092BD', range)).toBe('in');
  }
  expect(inRange('npm', '1.0.0+21AF26D3---117B344092BD', '>1.0.0')).toBe('out');
});

// test/fixtures/range-parse.js: null there.
test.each(['>01.02.03', '~1.2.3beta', 'blerg'])('npm cannot read the range "%s"', (range) => {
  expect(inRange('npm', '1.2.3', range)).toBe('unknown');
});

test('a range that says nothing is refused, where npm takes it for any version', () => {
  for (const range of ['', '||', '1.x ||']) {
    expect(checkRange(range)).not.toBeNull();
    expect(inRange('npm', '1.3.4', range)).toBe('unknown');
  }
});

test.each(['not a version', 'glorp'])('"%s" is never decided by a range', (version) => {
  expect(inRange('npm', version, '>=2')).toBe('unknown');
});
