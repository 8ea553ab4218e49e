/**
 * Versions and ranges: the orders that semver.org and PEP 440 publish, npm's notation, `vers:`, and
 * the rule that a prerelease never slips past a range and an unread version never counts as outside.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRange, inRange } from '../../policies/versions.js';
import { runs } from '../runs.js';

/** Holds that a published order, lowest first, is the order of the ranges. */
function expectOrder(ecosystem: string, versions: readonly string[]): void {
  for (const [at, low] of versions.entries()) {
    expect([low, inRange(ecosystem, low, `>=${low}`), inRange(ecosystem, low, `<${low}`)]).toEqual([
      low,
      'in',
      'out',
    ]);
    for (const high of versions.slice(at + 1)) {
      expect([low, high, inRange(ecosystem, low, `<${high}`)]).toEqual([low, high, 'in']);
      expect([low, high, inRange(ecosystem, high, `<=${low}`)]).toEqual([low, high, 'out']);
    }
  }
}

describe('orders', () => {
  // https://semver.org/#spec-item-11
  const semverOrder = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '2.0.0',
    '2.1.0',
    '2.1.1',
  ];

  test('npm orders as semver.org says', () => {
    expectOrder('npm', semverOrder);
  });

  test('other channels order the same versions the same way', () => {
    expectOrder('executable', semverOrder);
  });

  test('Python orders as PEP 440 says', () => {
    // https://peps.python.org/pep-0440/#summary-of-permitted-suffixes-and-relative-ordering
    expectOrder('pypi', [
      '1.dev0',
      '1.0.dev456',
      '1.0a1',
      '1.0a2.dev456',
      '1.0a12.dev456',
      '1.0a12',
      '1.0b1.dev456',
      '1.0b2',
      '1.0b2.post345.dev456',
      '1.0b2.post345',
      '1.0rc1.dev456',
      '1.0rc1',
      '1.0',
      '1.0.post456.dev34',
      '1.0.post456',
      '1.0.15',
      '1.1.dev1',
      '1!0.1',
    ]);
    expectOrder('pypi', ['1.0+abc.5', '1.0+abc.7', '1.0+5']);
  });

  test('Windows, calendar and editor versions order by their numbers', () => {
    expectOrder('application', ['1.2.3.4', '1.2.3.5', '1.2.3.40', '1.2.4', '1.10']);
    expectOrder('homebrew', ['2025.12.31', '2026.1.2', '2026.1.10', '20260110']);
    // https://calver.org: years in two digits and four, zero-padded or not, as days, with modifiers.
    expectOrder('application', [
      '25.12',
      '26.01',
      '26.4.1',
      '2025-12-31',
      '2026-01-02',
      '2026-01-10',
    ]);
    expectOrder('executable', ['2026.01.10-beta', '2026.01.10', '2026.02.01']);
    expectOrder('executable', ['20251231', '20260110', '20260201.1', '20260201.10']);
    expectOrder('editor-extension', ['1.98.0', '1.99.0-insider', '1.99.0', '1.388.0', '2025.3.0']);
  });

  test.each([
    ['1.0', '1.0.0'],
    ['1.0alpha1', '1.0a1'],
    ['1.0-beta.2', '1.0b2'],
    ['1.0c1', '1.0rc1'],
    ['1.0-1', '1.0.post1'],
    ['1.0rev4', '1.0.post4'],
    ['v1.0', '1.0'],
    ['1.0.DEV1', '1.0.dev1'],
    ['0!1.0', '1.0'],
    ['1.0+Ubuntu-1', '1.0+ubuntu.1'],
  ])('Python writes %s and %s for one version', (left, right) => {
    expect(inRange('pypi', left, `==${right}`)).toBe('in');
  });
});

describe('C060: any version, and version unknown', () => {
  test.each([
    [null, '*', 'in'],
    [null, '<2.0.0', 'unknown'],
    ['1.9.9', '<2.0.0', 'in'],
    ['2.0.0-rc.1', '<2.0.0', 'in'],
    ['2.0.0', '<2.0.0', 'out'],
  ])('%s and %s: %s', (version, range, answer) => {
    for (const ecosystem of ['npm', 'pypi', 'homebrew']) {
      expect(inRange(ecosystem, version, range)).toBe(answer);
    }
  });
});

describe('a prerelease does not slip past a range', () => {
  test.each([
    ['2.0.0-rc.1', '<2', 'in'],
    ['2.0.0-rc.1', '<2.0', 'in'],
    ['2.0.0-rc.1', '< 2.x', 'in'],
    ['2.1.197-rc.1', '>=2.1.91 <=2.1.197', 'in'],
    ['2.1.150-beta', '>=2.1.91 <=2.1.197', 'in'],
    ['2.1.91-rc.1', '>=2.1.91 <=2.1.197', 'out'],
    ['2.1.198-rc.1', '>=2.1.91 <=2.1.197', 'out'],
    ['2.1.0-rc.1', '2.1.x', 'in'],
    ['2.1.0-rc.1', '2.1', 'in'],
    ['1.5.0-rc.1', '^1.2.3', 'in'],
    ['2.0.0-rc.1', '^1.2.3', 'out'],
    ['3.0.0-rc.1', '>=3.0.0', 'out'],
    ['3.1.0-rc.1', '>=3.0.0', 'in'],
  ])('%s is by %s %s', (version, range, answer) => {
    expect(inRange('npm', version, range)).toBe(answer);
    expect(inRange('executable', version, range)).toBe(answer);
  });

  test('nor does one of Python, whose installers would leave it out', () => {
    expect(inRange('pypi', '2.0rc1', '<2.0')).toBe('in');
    expect(inRange('pypi', '1.5.dev3', '>=1.0,<2.0')).toBe('in');
  });

  test('of any prerelease, a range up to its release takes it', () => {
    const part = fc.nat({ max: 40 });
    const word = fc.constantFrom('rc', 'beta', 'alpha', 'next', '0');
    fc.assert(
      fc.property(part, part, part, word, part, (major, minor, patch, pre, count) => {
        const release = `${major}.${minor}.${patch}`;
        expect(inRange('npm', `${release}-${pre}.${count}`, `<=${release}`)).toBe('in');
        expect(inRange('npm', `${release}-${pre}.${count}`, `<${release}`)).toBe('in');
        expect(inRange('npm', `${release}-${pre}.${count}`, `>=${release}`)).toBe('out');
      }),
      runs(100),
    );
  });
});

describe('numbers of any length', () => {
  test.each([
    ['1.0.0-rc.99999999999999999998', '<1.0.0-rc.99999999999999999999', 'in'],
    ['1.0.0-rc.01.5', '<1.0.0-rc.1.6', 'in'],
    ['1.0.0-99999999999999999998', '<1.0.0-99999999999999999999', 'in'],
    ['01:2.0.0', '<1:3.0.0', 'in'],
    ['2:1.0.0', '<1:3.0.0', 'out'],
  ])('%s is by %s %s', (version, range, answer) => {
    expect(inRange('application', version, range)).toBe(answer);
  });
});

describe('a series', () => {
  test.each([
    ['application', '2.1.3.9', '<=2.1.3.x', 'in'],
    ['application', '2.1.4.0', '<=2.1.3.x', 'out'],
    ['application', '2.1.3.9', '>2.1.3.*', 'out'],
    ['application', '2.1.4.0', '>2.1.3.*', 'in'],
    ['pypi', '2.1', '<=2.x', 'in'],
    ['pypi', '2.1', '>2.x', 'out'],
    ['homebrew', '2.0.0-rc.1', '>=2.x', 'in'],
    ['npm', '1.2.0-rc.1', '^1.2', 'in'],
    ['executable', '1.2.0-rc.1', '^1.2', 'in'],
    ['executable', '1.2.0-rc.1', '~1.2', 'in'],
    ['npm', '1.0.0-rc.1', '1.0.0 - 2.0.0', 'out'],
    ['npm', '2.0.0-rc.1', '1.0.0 - 2.0.0', 'in'],
    ['dpkg', '1:2.1.9-1', '1:2.1.x', 'in'],
    ['dpkg', '2:2.1.9-1', '1:2.1.x', 'out'],
    ['rpm', '1.0^git1', '<1.0^git2', 'in'],
  ])('of %s: %s is by %s %s', (ecosystem, version, range, answer) => {
    expect(checkRange(range)).toBeNull();
    expect(inRange(ecosystem, version, range)).toBe(answer);
  });
});

describe('notations', () => {
  test.each([
    ['npm', '2.1.91', '>=2.1.91 <=2.1.197', 'in'],
    ['npm', '2.1.198', '>=2.1.91 <=2.1.197', 'out'],
    ['npm', '2.1.90', '>=2.1.91, <=2.1.197', 'out'],
    ['npm', '3.4.5', '^1.2 || 3.x', 'in'],
    ['npm', '2.0.0', '^1.2 || 3.x', 'out'],
    ['npm', '1.5.0', '1.2.3 - 2.3.4', 'in'],
    ['npm', '1.2.3', '!=1.2.3', 'out'],
    ['npm', '1.2.4', '>=1.0.0 !=1.2.3', 'in'],
    ['npm', '0.2.9', '^0.2.3', 'in'],
    ['npm', '0.3.0', '^0.2.3', 'out'],
    ['executable', '0.2.9', '^0.2.3', 'in'],
    ['executable', '0.3.0', '^0.2.3', 'out'],
    ['executable', '1.2.9', '~1.2.3', 'in'],
    ['executable', '1.3.0', '~1.2.3', 'out'],
    ['executable', '2.1.9', '<=2.1', 'in'],
    ['npm', '2.1.9', '<=2.1', 'in'],
    ['executable', '2.1.9', '>2.1', 'out'],
    ['npm', '2.1.9', '>2.1', 'out'],
    ['executable', '1.5.0', '1.2.3 - 2.3.4', 'in'],
    ['pypi', '1.4.9', '~=1.4.5', 'in'],
    ['pypi', '1.5.0', '~=1.4.5', 'out'],
    ['pypi', '1.9', '~=1.4', 'in'],
    ['pypi', '1.4.2', '==1.4.*', 'in'],
    ['pypi', '1.5', '!=1.4.*', 'in'],
    ['pypi', '1.7.post1', '>1.7', 'out'],
    ['pypi', '1.7.1', '>1.7', 'in'],
    ['pypi', '1.0+cu121', '==1.0', 'in'],
    ['pypi', '1.0+cu121', '<=1.0', 'in'],
    ['pypi', '1.0+cu121', '==1.0+cu122', 'out'],
    ['dpkg', '2.1.197-1', '<=2.1.197', 'in'],
    ['homebrew', '2.1.197_1', '<=2.1.197', 'in'],
    ['npm', '1.2.3+build.5', '1.2.3', 'in'],
    ['npm', 'v1.2.3', '1.2.3', 'in'],
  ])('%s %s is by %s %s', (ecosystem, version, range, answer) => {
    expect(checkRange(range)).toBeNull();
    expect(inRange(ecosystem, version, range)).toBe(answer);
  });

  test.each([
    ['npm', '2.1.91', 'vers:npm/>=2.1.91|<=2.1.197', 'in'],
    ['npm', '2.1.197', 'vers:npm/>=2.1.91|<=2.1.197', 'in'],
    ['npm', '2.1.198', 'vers:npm/>=2.1.91|<=2.1.197', 'out'],
    ['npm', '2.1.197-rc.1', 'vers:npm/>=2.1.91|<=2.1.197', 'in'],
    ['npm', '1.2.3', 'vers:npm/1.2.3|>=2.0.0|<5.0.0', 'in'],
    ['npm', '1.2.4', 'vers:npm/1.2.3|>=2.0.0|<5.0.0', 'out'],
    ['npm', '3.0.0', 'vers:npm/>=2.0.0|!=3.0.0|<5.0.0', 'out'],
    ['npm', '0.1.0', 'vers:npm/<1.0.0|>=2.0.0', 'in'],
    ['npm', '1.5.0', 'vers:npm/<1.0.0|>=2.0.0', 'out'],
    ['npm', '9.0.0', 'vers:npm/<1.0.0|>=2.0.0', 'in'],
    ['pypi', '1.0rc1', 'vers:pypi/>=0.9|<1.0', 'in'],
    ['pypi', '1.0+local.1', 'vers:pypi/1.0%2Blocal.1', 'in'],
    ['executable', '2.1.100', 'vers:npm/>=2.1.91|<=2.1.197', 'in'],
    ['npm', null, 'vers:npm/*', 'in'],
    ['npm', '1.0.0', 'vers:all/*', 'in'],
    ['npm', '1.0.0', 'vers:none/*', 'out'],
    ['npm', null, 'vers:none/*', 'out'],
    // https://github.com/package-url/vers-spec: "How to parse", containment; and its tests for PyPI.
    ['pypi', '1.0.0', 'vers:pypi/<=1.3.0|3.0.0', 'in'],
    ['pypi', '3.0', 'vers:pypi/<=1.3.0|3.0.0', 'in'],
    ['pypi', '2.0', 'vers:pypi/<=1.3.0|3.0.0', 'out'],
    ['pypi', '0.0.3', 'vers:pypi/>0.0.2', 'in'],
    ['pypi', '0.0.0.1', 'vers:pypi/<0.0.2', 'in'],
    ['pypi', '1.5', 'vers:pypi/>=1.0.0|<=2.0.0', 'in'],
    ['pypi', '2.0.3', 'vers:pypi/>=3.0.0|2.0.3', 'in'],
    ['pypi', '2.0.3', 'vers:pypi/>=1.0.0|<=2.0.0', 'out'],
    ['pypi', '0.0.9', 'vers:pypi/>=1.0.0|<=2.0.0', 'out'],
    ['pypi', '2.0.3', 'vers:pypi/>=3.0.0|!=2.0.3', 'out'],
    ['pypi', '1.5', 'vers:pypi/<=1.0.0|>=2.0.0', 'out'],
    ['pypi', '2.0.3', 'vers:pypi/0.0.2|0.0.6|>=3.0.0|0.0.1|0.0.4|0.0.5|0.0.3', 'out'],
    // Each ecosystem here by its type of package URL, and by the name that policies use.
    ['dpkg', '1:2.0~rc1-1', 'vers:deb/>=1:1.0|<1:2.0', 'in'],
    ['dpkg', '2.0-1', 'vers:deb/>=1:1.0|<1:2.0', 'out'],
    ['rpm', '2.0~rc1-1', 'vers:rpm/<2.0', 'in'],
    ['apk', '1.2.3_rc1-r0', 'vers:alpine/<1.2.3', 'in'],
    ['apk', '1.2.3_rc1-r0', 'vers:apk/<1.2.3', 'in'],
    ['pacman', '1.0rc1-1', 'vers:alpm/<1.0', 'in'],
    ['homebrew', '1.2.3_1', 'vers:homebrew/>=1.2.3|<1.3', 'in'],
    ['chocolatey', '1.2.3.4', 'vers:nuget/>=1.2.3.3|<1.2.3.5', 'in'],
    ['winget', '2026.1.10', 'vers:generic/>=2025.12.31', 'in'],
    ['editor-extension', '1.2.3', 'vers:semver/>1.2.3-rc.1', 'in'],
  ])('%s %s is by %s %s', (ecosystem, version, range, answer) => {
    expect(checkRange(range)).toBeNull();
    expect(inRange(ecosystem, version, range)).toBe(answer);
  });

  test.each([
    '',
    '>=',
    '<<2',
    '>=1 <',
    'vers:npm/',
    'vers:npm/>=1||<2',
    'vers:npm/%zz',
    'vers:npm/=1.0.0',
    'vers:npm/>=1.0.0| <2.0.0',
    'vers:npm/|>=1.0.0',
    'vers:npm/>=1.0.0|',
    'vers:npm/*|1.0.0',
    'vers:npm/>=1.0.0|>=2.0.0',
    'vers:npm/1.0.0|<2.0.0',
    'vers:npm/1.0.0|1.0.0',
    'vers:NPM/1.0.0',
    'vers:nmp/>=1.0.0',
    'vers:maven/>=1.0',
    'vers:invalid/1.0.0',
    'vers:none/1.0.0',
    '||',
    'latest !',
  ])('the range "%s" is refused, and decides nothing', (range) => {
    expect(checkRange(range)).toMatch(/^(expected a range|no order of versions is known for)/);
    expect(inRange('npm', '1.0.0', range)).toBe('unknown');
  });
});

describe('what cannot be read is unknown', () => {
  test.each([
    ['npm', 'latest', '<2.0.0'],
    ['npm', '1.2.3.4', '<2.0.0'],
    ['npm', '', '<2.0.0'],
    ['pypi', '1.0-final-2', '<2.0'],
    ['application', 'IU-253.1234', '<2.0'],
    ['dpkg', '1:1.0', '<2.0'],
    ['executable', '2.0.0p1', '<2.0.0'],
    ['executable', '9'.repeat(40), '<2.0.0'],
    ['executable', `1.${'0.'.repeat(4000)}1`, '<2.0.0'],
  ])('%s %s by %s', (ecosystem, version, range) => {
    expect(inRange(ecosystem, version, range)).toBe('unknown');
  });

  test('a suffix nobody knows leaves different numbers decided', () => {
    expect(inRange('executable', '1.9.0p1', '<2.0.0')).toBe('in');
    expect(inRange('executable', '2.1.0p1', '<2.0.0')).toBe('out');
  });

  test('no text makes it fail or run long', () => {
    const ecosystem = fc.constantFrom('npm', 'pypi', 'dpkg');
    fc.assert(
      fc.property(ecosystem, fc.string({ maxLength: 200 }), fc.string(), (kind, version, range) => {
        expect(['in', 'out', 'unknown']).toContain(inRange(kind, version, range));
        checkRange(range);
      }),
      runs(200),
    );
  });
});
