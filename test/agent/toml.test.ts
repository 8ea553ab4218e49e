/** The plain part of TOML: round trips, the examples of its own page, and any text at all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readToml } from '../../agent/detect/toml.js';
import { runs } from '../runs.js';

describe('TOML', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9 #'"\\[\]{}=.,\t\u{e9}\u{4e2d}-]{0,16}$/u);
  const key = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/), word);
  /** A basic string is JSON's string. */
  const quoted = (text: string): string => JSON.stringify(text);

  test('tables, keys and strings come back as they were written', () => {
    const tables = fc.dictionary(
      key,
      fc.dictionary(key, fc.oneof(word, fc.array(word, { maxLength: 3 })), { maxKeys: 4 }),
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(tables, (wanted) => {
        const lines = Object.entries(wanted).flatMap(([name, pairs]) => [
          `[ top.${quoted(name)} ] # a table`,
          ...Object.entries(pairs).map(([field, value]) => {
            const text = Array.isArray(value)
              ? `[ # values\n ${value.map((one) => `${quoted(one)},\n`).join(' ')}]`
              : quoted(value);
            return `  ${quoted(field)}\t= ${text} # "none"`;
          }),
        ]);
        const read = readToml(lines.join('\r\n')) ?? {};
        expect(JSON.parse(JSON.stringify(read['top'] ?? {}))).toEqual(
          JSON.parse(JSON.stringify(wanted)),
        );
      }),
      runs(100),
    );
  });

  test.each([
    ['a = 1\nb.c = true # x', { a: '1', b: { c: 'true' } }],
    ['[[a]]\nx = "1"\n[[a]]\nx = "2"', { a: [{ x: '1' }, { x: '2' }] }],
    ['a = { x = "1", y = [ "2" ] }', { a: { x: '1', y: ['2'] } }],
    ['a = """\none\\\n  two"""', { a: 'onetwo' }],
    ["a = '''\n\\n'''", { a: '\\n' }],
    ['a = "\\u00e9\\t"', { a: '\u{e9}\t' }],
    ['when = 1979-05-27 07:32:00Z', { when: '1979-05-27 07:32:00Z' }],
  ])('%j', (text, value) => {
    expect(JSON.parse(JSON.stringify(readToml(text)))).toEqual(value);
  });

  test.each(['a', 'a =', 'a = "', '[a', 'a = [1', 'a = {', 'a = "x" b = "y"', '= 1', 'a = "x\ny"'])(
    '%j is none',
    (text) => {
      expect(readToml(text)).toBeNull();
    },
  );
});
