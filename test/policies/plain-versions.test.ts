/** Plain releases by their numbers: never another answer than the ecosystems' own rules. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inPlainRange } from '../../policies/plain-versions.js';
import { inRange } from '../../policies/versions.js';
import { runs } from '../runs.js';

test.each([
  ['2.1.91', '>=2.1.91 <=2.1.197', true],
  ['2.1.197', '>=2.1.91 <=2.1.197', true],
  ['2.1.198', '>=2.1.91 <=2.1.197', false],
  ['2.1.9', '>=2.1.91 <=2.1.197', false],
  ['10.0.0', '<9.9.9', false],
  ['1.82.8', '1.82.7 || 1.82.8', true],
  ['2.1.100-beta.1', '>=2.1.91 <=2.1.197', true],
  ['0.1.14-beta', '<0.1.9', false],
  ['1.2.9', '<1.3', true],
  ['1.3.0', '<1.3', false],
  ['1.3.0', '>=1.3 <2', true],
])('%s in %s: %s', (version, range, isIn) => {
  expect(inPlainRange('npm', version, range)).toBe(isIn);
});

test.each([
  ['2.1.91-rc.1', '>=2.1.91'],
  ['2.1', '>=2.1.91'],
  ['2.1.0.1', '<3.0.0'],
  ['2.01.3', '<3.0.0'],
  ['1:2.1.3', '<3.0.0'],
  ['2.1.3_1', '<3.0.0'],
  ['2.1.3', '<=3'],
  ['2.1.3', '>2.1'],
  ['2.1.3', '2.1'],
  ['2.1.3', '^2.0.0'],
  ['2.1.3', '!=2.1.3'],
  ['2.1.3', 'vers:npm/<3.0.0'],
  ['2.1.3', ''],
])('%s in %s is for the ecosystem to say', (version, range) => {
  expect(inPlainRange('npm', version, range)).toBeNull();
});

test('an answer is that of every ecosystem', () => {
  const number = fc.oneof(fc.nat(3), fc.nat(200));
  const triple = fc.tuple(number, number, number).map((numbers) => numbers.join('.'));
  const end = fc.constantFrom('', '', '', '-alpha.3', '-beta.0', '-beta', '-rc.1');
  const short = fc.array(number, { minLength: 1, maxLength: 2 }).map((one) => one.join('.'));
  const bound = fc.oneof(
    fc.tuple(fc.constantFrom('>=', '<=', '<', '>', ''), triple).map((one) => one.join('')),
    fc.tuple(fc.constantFrom('>=', '<'), short).map((one) => one.join('')),
  );
  const both = fc.array(bound, { minLength: 1, maxLength: 3 }).map((list) => list.join(' '));
  const range = fc.array(both, { minLength: 1, maxLength: 2 }).map((list) => list.join(' || '));
  const kinds = [
    'npm',
    'pypi',
    'homebrew',
    'executable',
    'process',
    'editor-extension',
    'jetbrains-plugin',
    'dpkg',
    'rpm',
    'apk',
    'pacman',
  ];
  const ecosystem = fc.constantFrom(...kinds);
  let decided = 0;
  fc.assert(
    fc.property(ecosystem, triple, end, range, (kind, release, suffix, wanted) => {
      const version = release + suffix;
      const isIn = inPlainRange(kind, version, wanted);
      if (isIn === null) return;
      decided += 1;
      expect(inRange(kind, version, wanted)).toBe(isIn ? 'in' : 'out');
    }),
    runs(4000),
  );
  expect(decided).toBeGreaterThan(2000);
});
