/** Markup read back by parsers that are not ours: every text comes back as it was, or cannot be said at all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  writeElement,
  writePlist,
  writeProfile,
  writeRegistry,
  writeXml,
} from '../../../policies/compile/markup.js';
import { hostileTexts, readPlist, readXml } from './reading.js';

describe('XML', () => {
  test.each(hostileTexts)(
    '%j comes back as it was, between tags and as an attribute',
    async (text) => {
      const root = await readXml(
        writeXml({ name: 'a', attributes: { v: text }, children: [{ name: 'b', text }] }),
      );
      expect(root.attributes.get('v')).toBe(text);
      expect(root.children.map((child) => [child.name, child.text])).toEqual([['b', text]]);
    },
  );

  test('what XML cannot say becomes the replacement character', async () => {
    const root = await readXml(
      writeXml({ name: 'a', attributes: { v: 'a\u0000b\u001B\uD800' }, text: '\uFFFE\u0008' }),
    );
    expect([root.attributes.get('v'), root.text]).toEqual(['a\uFFFDb\uFFFD\uFFFD', '\uFFFD\uFFFD']);
  });

  test('an element alone has no declaration', () => {
    expect(writeElement({ name: 'a', children: [{ name: 'b', attributes: { c: '1' } }] })).toBe(
      '<a>\n  <b c="1"/>\n</a>\n',
    );
  });
});

describe('property lists', () => {
  test('any value comes back as it was', () => {
    const text = fc.oneof(
      fc.constantFrom(...hostileTexts),
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((it) => !/\p{C}/u.test(it)),
    );
    const { tree } = fc.letrec<{ tree: never }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.boolean(),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(text, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ) as never,
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(readPlist(writePlist(value))).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });

  test('the order of keys does not change a byte', () => {
    expect(writePlist({ b: 1, a: { d: true, c: 'x' } })).toBe(
      writePlist({ a: { c: 'x', d: true }, b: 1 }),
    );
  });

  test('a profile carries its payloads with their ids', () => {
    const text = writeProfile({
      identifier: 'com.example.curfew.x',
      uuid: 'aaaaaaaa-0000-8000-8000-000000000001',
      displayName: 'X',
      description: 'Y',
      payloads: [
        {
          domain: 'com.example.product',
          identifier: 'com.example.curfew.x.1',
          uuid: 'aaaaaaaa-0000-8000-8000-000000000002',
          settings: { Key: ['v'] },
        },
      ],
    });
    expect(readPlist(text)).toEqual({
      PayloadContent: [
        {
          Key: ['v'],
          PayloadIdentifier: 'com.example.curfew.x.1',
          PayloadType: 'com.example.product',
          PayloadUUID: 'AAAAAAAA-0000-8000-8000-000000000002',
          PayloadVersion: 1,
        },
      ],
      PayloadDescription: 'Y',
      PayloadDisplayName: 'X',
      PayloadIdentifier: 'com.example.curfew.x',
      PayloadScope: 'System',
      PayloadType: 'Configuration',
      PayloadUUID: 'AAAAAAAA-0000-8000-8000-000000000001',
      PayloadVersion: 1,
    });
  });
});

/** What regedit takes a line for: https://support.microsoft.com/help/310516. */
function readRegistry(text: string): Map<string, string | number> {
  const values = new Map<string, string | number>();
  for (const line of text.split('\r\n')) {
    const [, name = '', value = ''] = /^"((?:[^"\\]|\\.)*)"=(.*)$/.exec(line) ?? [];
    if (name === '') continue;
    const [, quoted, bytes, number] =
      /^"((?:[^"\\]|\\.)*)"$|^hex\(1\):([0-9a-f,]+)$|^dword:([0-9a-f]{8})$/.exec(value) ?? [];
    if (quoted !== undefined) values.set(name, quoted.replace(/\\(.)/g, '$1'));
    else if (number !== undefined) values.set(name, Number.parseInt(number, 16));
    else {
      const raw = Buffer.from((bytes ?? '').replaceAll(',', ''), 'hex').toString('utf16le');
      values.set(name, raw.replace(/\0$/, ''));
    }
  }
  return values;
}

describe('.reg files', () => {
  test.each(hostileTexts)('%j comes back as it was', (text) => {
    const written = writeRegistry([
      { key: 'HKEY_LOCAL_MACHINE\\SOFTWARE\\X', values: [{ name: 'v', value: text }] },
    ]);
    expect(readRegistry(written).get('v')).toBe(text);
    expect(written).toMatch(/^[\r\n -~]*$/);
  });

  test('keys, numbers and line ends are as regedit writes them', () => {
    expect(
      writeRegistry([
        { key: 'HKEY_LOCAL_MACHINE\\SOFTWARE\\X', values: [{ name: '1', value: 'a' }] },
        { key: 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Y', values: [{ name: 'n', value: 31 }] },
      ]),
    ).toBe(
      'Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]\r\n"1"="a"\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Y]\r\n"n"=dword:0000001f\r\n',
    );
  });
});
