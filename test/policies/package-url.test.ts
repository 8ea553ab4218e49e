/** The package URLs we write, held equal to what the specification and its own library write. */
import fc from 'fast-check';
import { PackageURL } from 'packageurl-js';
import { describe, expect, it } from 'vitest';
import { readPackageUrl, writePackageUrl } from '../../policies/package-url.js';
import { runs } from '../runs.js';

const types = [
  ...['npm', 'pypi', 'brew', 'vscode-extension', 'huggingface', 'docker'],
  ...['deb', 'rpm', 'apk', 'alpm'],
] as const;

/** What the specification's own library writes; null where it refuses. */
function reference(
  ...[type, namespace, name, version, qualifiers]: [
    string,
    string | null,
    string,
    string | null,
    Record<string, string> | null,
  ]
): string | null {
  try {
    return new PackageURL(type, namespace, name, version, qualifiers, null).toString();
  } catch {
    return null;
  }
}

const letters = fc.string({
  unit: fc.constantFrom(...'aZ09@/:+%._-~ \t?#&=$äß蛋🥚\ud800\n'),
  maxLength: 12,
});
const texts = fc.oneof(letters, fc.string({ unit: 'binary', maxLength: 20 }));

describe('package URLs', () => {
  it.each([
    ['npm', '@anthropic-ai', 'claude-code', '2.1.91', 'pkg:npm/%40anthropic-ai/claude-code@2.1.91'],
    ['pypi', null, 'Aider_Chat', '0.86.1', 'pkg:pypi/aider-chat@0.86.1'],
    ['deb', 'debian', 'curl', '7.50.3-1', 'pkg:deb/debian/curl@7.50.3-1'],
    ['npm', null, 'foobar', null, 'pkg:npm/foobar'],
  ])('writes %s %s %s %s as the specification shows', (type, namespace, name, version, text) => {
    expect(writePackageUrl({ type, namespace, name, version })).toBe(text);
  });

  it('writes qualifiers in the order of their keys', () => {
    const qualifiers = { epoch: '1', arch: 'i386' };
    const parts = { type: 'rpm', namespace: 'Fedora', name: 'curl', version: '7.50.3-1.fc25' };
    expect(writePackageUrl({ ...parts, qualifiers })).toBe(
      'pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&epoch=1',
    );
  });

  it('writes what the library of the specification writes, whatever the parts are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.option(texts),
        texts,
        fc.option(texts),
        fc.option(fc.dictionary(fc.constantFrom('arch', 'Epoch', 'repository_url'), texts)),
        (type, namespace, name, version, qualifiers) => {
          expect(writePackageUrl({ type, namespace, name, version, qualifiers })).toBe(
            reference(type, namespace, name, version, qualifiers),
          );
        },
      ),
      runs(500),
    );
  });

  it('reads back the name and namespace that it wrote', () => {
    fc.assert(
      fc.property(fc.constantFrom('brew', 'docker'), texts, texts, (type, namespace, name) => {
        const text = writePackageUrl({ type, namespace, name, version: '1' });
        if (text === null) return;
        const segments = namespace.split('/').filter((segment) => segment !== '');
        expect(readPackageUrl(text)).toEqual({
          type,
          namespace: segments.length === 0 ? null : segments.join('/'),
          name: name.trim(),
        });
      }),
      runs(500),
    );
  });

  it.each(['', 'pkg:', 'pkg:npm', 'pkg:npm/', 'npm/x', 'pkg:npm/%E0%A4%A', 'pkg:npm/@scope/'])(
    'takes "%s" for no package URL',
    (text) => {
      expect(readPackageUrl(text)).toBeNull();
    },
  );
});
