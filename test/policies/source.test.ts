/** From the bytes of a file to its text: only UTF-8 is read, and what is no text is refused with its place. */
import { expect, test } from 'vitest';
import { decodeSource } from '../../policies/source.js';

test.each([
  ['a byte that begins nothing', [0xff], 2, 9],
  ['half a character', [0xe4, 0xb8], 2, 9],
  ['more bytes than a character may have', [0xc0, 0x80], 2, 9],
  ['half of a pair', [0xed, 0xa0, 0x80], 2, 9],
])('%s is refused with its place', (_, bytes, line, column) => {
  const [before, after] = ['policy: ä\ntitle: \ufffd', ' x\n'].map((part) => Buffer.from(part));
  const text = Buffer.concat([before ?? Buffer.of(), Buffer.from(bytes), after ?? Buffer.of()]);
  const message = 'bytes that are no UTF-8 text; save the file as UTF-8';
  expect(decodeSource(text)).toEqual({ kind: 'invalid', problems: [{ line, column, message }] });
});

test('UTF-8 is read, with or without its mark, and UTF-16 is named', () => {
  expect(decodeSource(Buffer.from('\ufeffa: ä'))).toEqual({ kind: 'text', text: 'a: ä' });
  const wide = decodeSource(Buffer.from('\ufeffa: b', 'utf16le'));
  expect(wide).toMatchObject({
    problems: [{ message: expect.stringContaining('UTF-16') as string }],
  });
  expect(decodeSource(Buffer.alloc(300_000, ' ')).kind).toBe('invalid');
});
