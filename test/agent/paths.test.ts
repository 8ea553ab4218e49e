/** The short ways through POSIX paths, held equal to Node's own on paths that are in order and out of it. */
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTidy, posixPath } from '../../agent/platform/paths.js';
import { runs } from '../runs.js';

const places = fc
  .array(fc.constantFrom('/', '.', '..', 'a', '.b', 'c.d', '\ufffdff', ' ', '\n'), { maxLength: 8 })
  .map((pieces) => pieces.join(''));

describe('POSIX paths', () => {
  it('are joined, cut and resolved as Node does it', () => {
    fc.assert(
      fc.property(places, places, places, (a, b, c) => {
        expect(posixPath.join(a, b)).toBe(path.posix.join(a, b));
        expect(posixPath.join(a, b, c)).toBe(path.posix.join(a, b, c));
        expect(posixPath.dirname(a)).toBe(path.posix.dirname(a));
        expect(posixPath.basename(a)).toBe(path.posix.basename(a));
        expect(posixPath.basename(a, b)).toBe(path.posix.basename(a, b));
        expect(posixPath.resolve(a)).toBe(path.posix.resolve(a));
        expect(posixPath.resolve(a, b)).toBe(path.posix.resolve(a, b));
      }),
      runs(1000),
    );
  });

  it('are tidy exactly when resolving them changes nothing', () => {
    fc.assert(
      fc.property(places, (place) => {
        const isAbsolute = place.startsWith('/') && place !== '/';
        expect(isTidy(place)).toBe(isAbsolute && path.posix.resolve(place) === place);
      }),
      runs(1000),
    );
  });
});
