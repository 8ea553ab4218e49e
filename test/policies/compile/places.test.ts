/** Places as targets write them: when two patterns can mean one file, and what is always kept running. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  expressionOf,
  oneName,
  overlap,
  placeOf,
  whyKept,
} from '../../../policies/compile/places.js';

describe('two patterns', () => {
  test.each([
    ['/usr/bin/*', '/usr/bin/env', true],
    ['/usr/bin/env', '/usr/bin/*', true],
    ['/usr/*', '*/env', true],
    ['/a*b', '/ab', true],
    ['/a*b*c', '/aXXcXXbXXc', true],
    ['/opt/x/*', '/opt/y/*', false],
    ['/opt/x', '/opt/xy', false],
    ['/opt/x*', '/opt/*y/z', true],
    ['*', '', true],
    ['', 'x', false],
    [`/home/${oneName}/x`, '/home/*/x', true],
    [`/home/${oneName}/x`, '/home/a/b/x', false],
    [`/home/${oneName}/a/${oneName}`, '/home/*/b/c.exe', false],
    [`/home/${oneName}/b/${oneName}`, '/home/*/b/c.exe', true],
  ])('%j and %j can mean one path: %j', (one, other, expected) => {
    expect(overlap(one, other)).toBe(expected);
    expect(overlap(other, one)).toBe(expected);
  });

  test('overlap whenever a path fits both', () => {
    const char = fc.constantFrom('a', 'b', '/');
    const path = fc.array(char, { maxLength: 8 }).map((chars) => chars.join(''));
    // A star in place of any stretch of the path leaves a pattern that the path fits.
    const starred = (text: string) =>
      fc.tuple(fc.nat(text.length), fc.nat(text.length)).map(([one, other]) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        return `${text.slice(0, from)}*${text.slice(to)}`;
      });
    fc.assert(
      fc.property(
        path.chain((text) => fc.tuple(starred(text), starred(text))),
        ([one, other]) => {
          expect(overlap(one, other)).toBe(true);
        },
      ),
    );
  });

  test('a long pair is answered in time', () => {
    expect(overlap(`${'*a'.repeat(300)}b`, 'a'.repeat(600))).toBe(false);
  });
});

test('patterns are read per platform', () => {
  expect(placeOf('~/x/{version}/y', 'linux')).toBe('/home/*/x/*/y');
  expect(placeOf('~/x', 'darwin')).toBe('/Users/*/x');
  expect(placeOf('c:\\Tools\\x.exe', 'win32')).toBe('C:/Tools/x.exe');
  expect(placeOf('C:/Tools/x.exe', 'linux')).toBeNull();
  expect(placeOf('/opt/x', 'win32')).toBeNull();
});

test.each([
  ['~/a b/{version}/x', '/Users/ana/a b/1.2/x', '/Users/ana/a b/1/2/x'],
  ['/opt/[x]+(y)/z', '/opt/[x]+(y)/z', '/opt/xx(y)/z'],
  ['/opt/**', '/opt/a/b', '/other/a'],
  ['/opt/a*', '/opt/abc', '/opt/a/b'],
])('%s is an expression of whole paths', (pattern, fits, other) => {
  const expression = new RegExp(`^(?:${expressionOf(pattern, 'darwin')})$`);
  expect([expression.test(fits), expression.test(other)]).toEqual([true, false]);
});

test('what must run is kept on each platform, whatever the case on Windows', () => {
  expect(whyKept('/usr/bin/env', 'darwin', [])).toContain('system');
  expect(whyKept('/opt/curfew/bin/curfew', 'linux', [])).toContain('Curfew');
  expect(whyKept('c:/windows/system32/cmd.exe', 'win32', [])).toContain('system');
  expect(whyKept('/opt/x/y', 'linux', [])).toBeNull();
  expect(whyKept('/opt/x/y', 'linux', ['/opt/x/*'])).toContain('lets be');
});
