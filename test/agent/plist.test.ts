/**
 * Property lists as Apple writes them, and lists that were made to break their reader. The binary one
 * is put together byte by byte from the format's description.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePlist } from '../../agent/detect/plist.js';
import { runs } from '../runs.js';

const xml = (body: string): Buffer =>
  Buffer.from(`<?xml version="1.0"?>\n<!DOCTYPE plist>\n<plist version="1.0">${body}</plist>\n`);

/** A binary list of the given objects; the first is the top one, references are single bytes. */
function binary(...objects: readonly (readonly number[])[]): Buffer {
  const bytes = [...Buffer.from('bplist00')];
  const offsets: number[] = [];
  for (const object of objects) {
    offsets.push(bytes.length);
    bytes.push(...object);
  }
  const table = bytes.length;
  const trailer = Buffer.alloc(32);
  trailer.writeUInt8(1, 6);
  trailer.writeUInt8(1, 7);
  trailer.writeBigUInt64BE(BigInt(objects.length), 8);
  trailer.writeBigUInt64BE(BigInt(table), 24);
  return Buffer.concat([Buffer.from([...bytes, ...offsets]), trailer]);
}

const ascii = (text: string): number[] =>
  text.length < 15
    ? [0x50 | text.length, ...Buffer.from(text)]
    : [0x5f, 0x10, text.length, ...Buffer.from(text)];

test('an XML list gives text, numbers, truth values, lists and dictionaries', () => {
  const body =
    '<dict><key>a &amp; b</key><string>x &lt; &#233;<![CDATA[<&>]]></string><key>n</key><integer>-7</integer>' +
    '<key>on</key><true/><key>list</key><array><real>2.5</real><array/><date>2026-01-01T00:00:00Z</date></array></dict>';
  expect(parsePlist(xml(body))).toEqual(
    new Map<string, unknown>([
      ['a & b', 'x < é<&>'],
      ['n', -7],
      ['on', true],
      ['list', [2.5, [], null]],
    ]),
  );
});

test('what a comment or an inner dictionary says is not the list itself', () => {
  const list = parsePlist(
    xml(
      '<dict><!-- <key>id</key><string>no</string> --><key>in</key><dict><key>id</key><string>inner</string></dict></dict>',
    ),
  );
  expect(list).toEqual(new Map([['in', new Map([['id', 'inner']])]]));
});

test('a binary list gives the same kinds of values', () => {
  const long = 'com.example.application';
  const list = binary(
    [0xd3, 1, 2, 3, 4, 5, 6],
    ascii('id'),
    ascii('n'),
    ascii('l'),
    ascii(long),
    [0x11, 0x01, 0x00],
    [0xa3, 7, 8, 4],
    [0x09],
    [0x62, 0x65, 0xe5, 0x67, 0x2c],
  );
  expect(parsePlist(list)).toEqual(
    new Map<string, unknown>([
      ['id', long],
      ['n', 256],
      ['l', [true, '日本', long]],
    ]),
  );
});

test('a binary list that holds itself, or doubles at every level, ends', () => {
  expect(parsePlist(binary([0xa1, 0]))).toBeUndefined();
  const levels = Array.from({ length: 30 }, (_, level) => [0xa2, level + 1, level + 1]);
  expect(parsePlist(binary(...levels, [0x09]))).toBeUndefined();
});

test.each([
  ['nothing', ''],
  ['no list', 'hello'],
  ['no end', '<plist><dict><key>a</key><string>b</string></dict></plis'],
  ['tags that cross', '<plist><dict><key>a</key><array></dict></array></plist>'],
  ['a value without a key', '<plist><dict><string>b</string></dict></plist>'],
  ['a text that holds a tag', '<plist><string>a<array/></string></plist>'],
  ['deep nesting', `<plist>${'<array>'.repeat(500)}${'</array>'.repeat(500)}</plist>`],
])('%s is no property list', (_, text) => {
  expect(parsePlist(Buffer.from(text))).toBeUndefined();
});

test('no bytes make it throw', () => {
  const good = binary([0xd1, 1, 2], ascii('id'), ascii('com.example'));
  const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      parsePlist(bytes);
    }),
    runs(300),
  );
});

test.each(['<a', '<!--', '<![CDATA[', '<string>', '&#', '<plist><dict>'])(
  'a megabyte of "%s" is no property list, and is known for that at once',
  (piece) => {
    const bytes = Buffer.from(`<plist>${piece.repeat((1024 * 1024) / piece.length)}`);
    expect(parsePlist(bytes)).toBeUndefined();
  },
);
