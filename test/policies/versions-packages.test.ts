/**
 * The vectors that package systems publish for their orders of versions: dpkg, rpm, Alpine's apk, pacman,
 * Homebrew, Windows and browsers. Each line says how the first version stands to the second.
 */
import { describe, expect, test } from 'vitest';
import * as orders from '../../policies/distributions.js';
import { dottedOrdering, type Ordering } from '../../policies/orderings.js';
import { inRange } from '../../policies/versions.js';

type Line = readonly [left: string, sign: string, right: string];

const lines = (text: string): readonly Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/) as unknown as Line);

const signs: Readonly<Record<string, number>> = { '<': -1, '=': 0, '>': 1 };

/** Holds a published line, from both sides, for the order and for the ranges of an ecosystem. */
function hold<V>(ecosystem: string, ordering: Ordering<V>, [left, sign, right]: Line): void {
  const [one, two] = [ordering.read(left), ordering.read(right)];
  expect([left, one === null, right, two === null]).toEqual([left, false, right, false]);
  const order = (ordering.compare(one as V, two as V) ?? NaN) / 1;
  expect([left, right, Math.sign(order)]).toEqual([left, right, signs[sign]]);
  expect(Math.sign(ordering.compare(two as V, one as V) ?? NaN)).toBe(0 - (signs[sign] ?? NaN));
  // A bound of one or two numbers stands for its series, whatever follows them.
  if (/^v?\d+(\.\d+)?$/.test(right)) return;
  const isLater = sign === '>';
  expect([left, right, inRange(ecosystem, left, `<=${right}`)]).toEqual([
    left,
    right,
    isLater ? 'out' : 'in',
  ]);
}

// Debian Policy 5.6.12 and dpkg's own tests (scripts/t/Dpkg_Version.t); epoch and count written out.
test.each(
  lines(`
    0:1.0~beta1~svn1245-1 < 0:1.0~beta1-1
    0:1.0~beta1-1 < 0:1.0-1
    0:1~~-1 < 0:1~~a-1
    0:1~~a-1 < 0:1~-1
    0:1~-1 < 0:1-1
    0:1-1 < 0:1a-1
    0:1.0-1 < 0:2.0-2
    0:2.2~rc-4 < 0:2.2-1
    0:1.0000-1 = 0:1.0-1
    2:2.5-0 > 1:7.5-0
    0:0foo-0 > 0:0fo-0
    0:0foo~1-0 < 0:0foo-0
    0:0foo~foo+Bar-0 < 0:0foo~foo+bar-0
    0:0foo~~-0 < 0:0foo~-0
    0:12345+that-really-is-some-ver-0 < 0:12345+that-really-is-some-ver-10
    0:0foo-0 < 0:0foo-01
    0:0foo.bar-0 > 0:0foobar-0
    0:0foo.bar-0 > 0:0foo1bar-0
    0:0foo1bar-1 < 0:0foobar-1
    0:0foo2.0-0 > 0:0foo2-0
    0:0foo2.0.0-0 < 0:0foo2.10.0-0
    0:0foo2.1-0 < 0:0foo2.10-0
    0:1.09-0 = 0:1.9-0
    0:1.0.8+nmu1-0 > 0:1.0.8-0
    0:3.11-0 > 0:3.10+nmu1-0
    0:0.9j-20080306-4 > 0:0.9i-20070324-2
    0:1.2.0~b7-1 > 0:1.2.0~b6-1
    0:1.011-1 > 0:1.06-2
    0:0.0.9+dfsg1-1 > 0:0.0.8+dfsg1-3
    0:4.6.99+svn6582-1 > 0:4.6.99+svn6496-1
    0:0.9.9~pre122-1 > 0:0.9.9~pre111-1
    2:2.3.2-2+lenny2 > 2:2.3.2-2
    1:3.8.1-1 > 0:3.8.GA-1
    0:1.0.1+gpl-1 > 0:1.0.1-2
    0:1a-0 < 0:1000a-0`),
)('dpkg: %s %s %s', (...line) => {
  hold('dpkg', orders.debianOrdering, line);
});

test.each([
  '10a:5.2',
  '5.2@3-2',
  'foo5.2',
  '0:foo5.2',
  '',
  '0:0 0-1',
  '-1:0-1',
  '0:',
  '1_2',
  'a:0-0',
])('dpkg refuses "%s", so no range decides about it', (version) => {
  expect(orders.debianOrdering.read(version)).toBeNull();
  expect(inRange('dpkg', version, '>=0.0')).toBe('unknown');
});

/** rpm's tests compare parts; a version has to begin with a number to be one here. */
describe('rpm', () => {
  // tests/rpmvercmp.at
  test.each(
    lines(`
      1.0 = 1.0
      1.0 < 2.0
      2.0 < 2.0.1
      2.0.1a > 2.0.1
      5.5p1 < 5.5p2
      5.5p10 > 5.5p1
      10xyz < 10.1xyz
      xyz10 < xyz10.1
      xyz.4 < 8
      xyz.4 < 2
      5.5p2 < 5.6p1
      5.6p1 < 6.5p1
      6.0.rc1 > 6.0
      10b2 > 10a1
      10a2 < 10b2
      1.0aa > 1.0a
      10.0001 = 10.1
      10.0001 < 10.0039
      4.999.9 < 5.0
      20101121 < 20101122
      2.0 = 2_0
      a+ = a_
      +a = _a
      +_ = _+
      + = _
      1.0~rc1 < 1.0
      1.0~rc1 < 1.0~rc2
      1.0~rc1~git123 < 1.0~rc1
      1.0^ > 1.0
      1.0^git1 > 1.0
      1.0^git1 < 1.0^git2
      1.0^git1 < 1.01
      1.0^20160101 < 1.0.1
      1.0^20160101^git1 = 1.0^20160101^git1
      1.0^20160102 > 1.0^20160101^git1
      1.0~rc1^git1 > 1.0~rc1
      1.0^git1 > 1.0^git1~pre`),
  )('%s %s %s', (left, sign, right) => {
    expect(Math.sign(orders.compareRpmText(left, right))).toBe(signs[sign]);
    expect(Math.sign(orders.compareRpmText(right, left))).toBe(0 - (signs[sign] ?? NaN));
    const isVersion = /^\d/.test(left) && /^\d/.test(right);
    if (isVersion) hold('rpm', orders.rpmOrdering, [left, sign, right]);
  });

  test('its epoch stands above everything, and the release behind the version', () => {
    hold('rpm', orders.rpmOrdering, ['1:0.9-1', '>', '0:2.0-1']);
    hold('rpm', orders.rpmOrdering, ['0:2.0-1.el9', '<', '0:2.0-2.el9']);
  });
});

// apk-tools, test/version.data
test.each(
  lines(`
    2.34 > 0.1.0_alpha
    0.1.0_alpha = 0.1.0_alpha
    0.1.0_alpha2 > 0.1.0_alpha
    2.2.39-r1 > 1.0.4-r3
    1.0.4-r3 < 1.0.4-r4
    0.7-r1 < 1.0.0
    1.1 > 1.1_alpha1
    1.2 < 1.3_alpha
    1.3_alpha2 < 1.3_alpha3
    0.7.0 < 0.8_beta1
    2.3.0b-r1 < 2.3.0b-r2
    2.3.0b-r4 > 0.12.1
    0.12 < 0.13_beta1
    0.9.12 < 0.9.13
    1.2.11 < 1.2.12.1
    3.1_p16 < 3.1_p17
    3.1_p17 > 1.06-r6
    1.06-r6 < 006
    006 > 1.0.0
    2.16.1-r3 = 2.16.1-r3
    2.59 < 20050718-r1
    3.9.8-r5 > 2.01.01_alpha10
    1.0 > 0.99.3.20040818
    1.39 > 1.00_beta2
    7.15.1-r1 > 1.02
    1.02 < 1.03-r1
    0.5.2.7 < 4.2.52_p2-r1
    4.2.52_p2-r1 < 4.2.52_p4-r2
    4.2.52_p4-r2 > 1.02.07
    1.02.07 < 1.02.10-r1
    2.5.1-r8 < 2.5.1a-r1
    20040401 > 2.0.0_rc3-r1
    3.0.0-r2 < 021109-r3
    021109-r3 < 20060512
    3.9_pre20060124 > 0.01
    1.1.7 < 6b-r7
    0.10.0 < 0.10.1_rc1
    2.1_pre20 < 2.1_pre26
    2.10.1 > 02.08.01b
    1.6d > 1.2.07.8
    1.2.07.8 < 1.2.12.04
    1.2.12.04 < 1.2.12.05
    1.07-r1 < 1.07.5
    3.3.17 > 0.59s-r11
    0.20070118 < 0.20070207_rc1
    4.5_p1 < 4.5_p1-r1
    0.9.8c-r1 < 0.9.8d
    2.2.3-r2 < 013
    013 < 014-r1
    1.8.5 < 1.8.5_p2
    1.6.8_p12-r1 > 1.6.8_p9-r2
    0.9.28.1 < 087-r1
    2.12r-r4 < 2.12r-r5
    1.3_pre1-r1 < 1.3.2
    1.0_p10-r0 > 1.0_p9-r0
    0.1.0_alpha_pre2 < 0.1.0_alpha
    1.0.0_pre20191002222144-r0 < 1.0.0_pre20210530193627-r0`),
)('apk: %s %s %s', (...line) => {
  const [left, sign, right] = line;
  // Where the bound leaves the count out, what it would decide is not held against the version.
  const isCountLeft = left.includes('-r') !== right.includes('-r');
  if (isCountLeft) expect(Math.sign(orders.compareApkText(...bare(left, right)))).toBe(signs[sign]);
  else hold('apk', orders.apkOrdering, line);
});

/** Without the counts, of which an equal version is the earlier one. */
const bare = (left: string, right: string): [string, string] => {
  const [one = '', two = ''] = [left, right].map((text) => text.replace(/-r\d+$/, ''));
  return one === two
    ? ([left, right].map((text) => text.replace(/-r(\d+)$/, '_p$1')) as [string, string])
    : [one, two];
};

test.each(['1.0bc', '23_foo', '4_beta1_'])('apk refuses "%s"', (version) => {
  expect(orders.apkOrdering.read(version)).toBeNull();
  expect(inRange('apk', version, '<99')).toBe('unknown');
});

// pacman, test/util/vercmptest.sh; the last four were seen with libalpm 13.
test.each(
  lines(`
    1.5.0 = 1.5.0
    1.5.1 > 1.5.0
    1.5.1 > 1.5
    1.5.0-1 = 1.5.0-1
    1.5.0-1 < 1.5.0-2
    1.5.0-2 < 1.5.1-1
    1.5-2 < 1.5.1-2
    1.5-1 = 1.5
    1.5 = 1.5-1
    1.0-1 < 1.1
    1.1-1 > 1.0
    1.5b-1 < 1.5-1
    1.5b < 1.5
    1.5b-1 < 1.5
    1.5b < 1.5.1
    1.0a < 1.0alpha
    1.0alpha < 1.0b
    1.0b < 1.0beta
    1.0beta < 1.0rc
    1.0rc < 1.0
    1.5.a > 1.5
    1.5.b > 1.5.a
    1.5.1 > 1.5.b
    1.5.b-1 = 1.5.b
    1.5-1 < 1.5.b
    2.0 = 2_0
    2.0_a = 2_0.a
    2.0a < 2.0.a
    2___a > 2_a
    0:1.0 < 0:1.1
    1:1.0 > 0:1.1
    1:1.0 < 2:1.1
    1:1.0-1 > 0:1.1-1
    0:1.0 = 1.0
    0:1.1 > 1.0
    1a+ > 1a
    1. > 1_a
    1.arc < 1.
    1+.. > 1+rc+.alpha`),
)('pacman: %s %s %s', (...line) => {
  hold('pacman', orders.alpmOrdering, line);
});

test('what a bound says nothing of is left undecided: the epoch of a newer count', () => {
  expect(inRange('pacman', '1:1.0', '<=1.1')).toBe('unknown');
  expect(inRange('dpkg', '1:1.0-1', '<=1.1')).toBe('unknown');
});

// Homebrew, Library/Homebrew/test/version_spec.rb
test.each(
  lines(`
    0.1 = 0.1.0
    0.1 < 0.2
    1.2.3 > 1.2.2
    1.2.4 < 1.2.4.1
    1.2.3 > 1.2.3alpha4
    1.2.3 > 1.2.3beta2
    1.2.3 > 1.2.3rc3
    1.2.3 < 1.2.3-p34
    1.2.3alpha < 1.2.3
    1.2.3 < 1.2.3a
    1.2.3alpha4 = 1.2.3a4
    1.2.3alpha4 = 1.2.3A4
    1.2.3alpha4 > 1.2.3alpha3
    1.2.3alpha4 < 1.2.3alpha10
    1.2.3alpha4 < 1.2.3beta2
    1.2.3alpha4 < 1.2.3rc3
    1.2.3alpha4 < 1.2.3-p34
    1.2.3beta2 = 1.2.3b2
    1.2.3beta2 = 1.2.3B2
    1.2.3beta2 < 1.2.3beta10
    1.2.3beta2 < 1.2.3rc3
    1.2.3pre9 = 1.2.3PRE9
    1.2.3pre9 < 1.2.3pre10
    1.2.3pre3 > 1.2.3alpha4
    1.2.3pre3 > 1.2.3beta5
    1.2.3pre3 < 1.2.3rc2
    1.2.3pre3 < 1.2.3-p2
    1.2.3rc3 = 1.2.3RC3
    1.2.3rc3 < 1.2.3rc10
    1.2.3rc3 < 1.2.3-p34
    1.2.3-p34 = 1.2.3-P34
    1.2.3-p34 > 1.2.3-p33
    1.2.3-p34 > 1.2.3-p9
    1.2.3.post34 > 1.2.3.post33
    1.2.3.post34 > 1.2.3rc35
    1.2.3.post34 > 1.2.3beta35
    1.2.3.post34 > 1.2.3
    2.1.0-p194 < 2.1-p195
    2.1-p194 < 2.1.0-p195
    2-p194 < 2.1-p195`),
)('Homebrew: %s %s %s', (...line) => {
  hold('homebrew', orders.homebrewOrdering, line);
});

test.each(['HEAD', 'HEAD-abcdef', 'R16B', 'latest'])(
  'Homebrew’s %s has no number, so no range decides about it',
  (version) => {
    expect(inRange('homebrew', version, '<99')).toBe('unknown');
    expect(inRange('homebrew', version, '*')).toBe('in');
  },
);

// Chrome, "Manifest - Version"; winget, src/AppInstallerCLITests/Versions.cpp; then calendar versions.
test.each(
  lines(`
    1.1 < 1.1.9.9999
    1.1.9.9999 < 1.2
    1 = 1.0.0.0
    1 < 2
    0.0.1-alpha < 0.0.2-alpha
    0.0.1-beta < 0.0.2-alpha
    13.9.8 < 14.1
    1.0 = 1.0.0
    1.2.3.4 < 1.2.3.40
    126.0.6478.62 < 126.0.6478.126
    65535.65535.65535.65534 < 65535.65535.65535.65535
    2025.12.31 < 2026.1.2
    2026.1.9 < 2026.1.10
    26.04 < 26.10
    20260109 < 20260110`),
)('dotted numbers: %s %s %s', (...line) => {
  for (const channel of ['application', 'browser-extension', 'winget']) {
    hold(channel, dottedOrdering, line);
  }
});
