/**
 * Property lists in both forms and the descriptors of plugins: what was written comes back, anything else
 * is answered and never with an error, and no list costs more than its bytes explain.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePlist, type PlistValue } from '../../agent/detect/plist.js';
import { parsePluginXml } from '../../agent/detect/plugin-xml.js';
import { runs } from '../runs.js';
import { infoPlist } from '../worlds/applications.js';
import { claudePlugin, pluginXml } from '../worlds/jetbrains.js';
import { anyBytes, anyText, mangled, mangledText, pieces } from './mangled.js';

const plain = fc.stringMatching(/^[ -~\u{e9}\u{4e2d}\u{1f680}]{0,24}$/u);

/** An XML list as Apple's own writer lays it out. */
function xmlOf(value: PlistValue): string {
  const quoted = (text: string): string =>
    text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? '');
  if (typeof value === 'string') return `<string>${quoted(value)}</string>`;
  if (typeof value === 'boolean') return value ? '<true/>' : '<false/>';
  if (typeof value === 'number')
    return `<${Number.isInteger(value) ? 'integer' : 'real'}>${value}</x>`.replace(
      '</x>',
      Number.isInteger(value) ? '</integer>' : '</real>',
    );
  if (value === null) return '<date>2026-07-10T00:00:00Z</date>';
  if (!(value instanceof Map))
    return `<array>${(value as readonly PlistValue[]).map(xmlOf).join('\n')}</array>`;
  const pairs = [...(value as ReadonlyMap<string, PlistValue>)];
  return `<dict>${pairs.map(([key, one]) => `<key>${quoted(key)}</key>${xmlOf(one)}`).join('\n')}</dict>`;
}

/** A binary list as CFBinaryPList lays it out; equal texts are one object. */
function binaryOf(top: PlistValue): Buffer {
  const objects: Buffer[] = [];
  const texts = new Map<string, number>();
  const sized = (kind: number, length: number): Buffer => {
    if (length < 15) return Buffer.from([(kind << 4) | length]);
    const head = Buffer.from([(kind << 4) | 15, 0x12, 0, 0, 0, 0]);
    head.writeUInt32BE(length, 2);
    return head;
  };
  const refs = (list: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(list.length * 2);
    list.forEach((ref, at) => bytes.writeUInt16BE(ref, at * 2));
    return bytes;
  };
  const add = (value: PlistValue): number => {
    const known = typeof value === 'string' ? texts.get(value) : undefined;
    if (known !== undefined) return known;
    const index = objects.push(Buffer.alloc(0)) - 1;
    if (typeof value === 'string') texts.set(value, index);
    objects[index] = encoded(value);
    return index;
  };
  const encoded = (value: PlistValue): Buffer => {
    if (typeof value === 'boolean') return Buffer.from([value ? 9 : 8]);
    if (value === null) return Buffer.from([0]);
    if (typeof value === 'number') {
      const bytes = Buffer.alloc(9);
      bytes[0] = Number.isInteger(value) ? 0x13 : 0x23;
      if (Number.isInteger(value)) bytes.writeBigInt64BE(BigInt(value), 1);
      else bytes.writeDoubleBE(value, 1);
      return bytes;
    }
    if (typeof value === 'string') {
      const isAscii = /^[\x00-\x7f]*$/.test(value);
      const body = isAscii ? Buffer.from(value) : Buffer.from(value, 'utf16le').swap16();
      return Buffer.concat([sized(isAscii ? 5 : 6, value.length), body]);
    }
    if (!(value instanceof Map)) {
      const list = value as readonly PlistValue[];
      return Buffer.concat([sized(10, list.length), refs(list.map(add))]);
    }
    const map = value as ReadonlyMap<string, PlistValue>;
    const ends = [...[...map.keys()].map(add), ...[...map.values()].map(add)];
    return Buffer.concat([sized(13, map.size), refs(ends)]);
  };
  add(top);
  return assembled(objects);
}

function assembled(objects: readonly Buffer[], count = objects.length): Buffer {
  const offsets = Buffer.alloc(objects.length * 4);
  let at = 8;
  objects.forEach((object, index) => {
    offsets.writeUInt32BE(at, index * 4);
    at += object.length;
  });
  const trailer = Buffer.alloc(32);
  trailer.set([4, 2], 6);
  trailer.writeBigUInt64BE(BigInt(count), 8);
  trailer.writeBigUInt64BE(BigInt(at), 24);
  return Buffer.concat([Buffer.from('bplist00'), ...objects, offsets, trailer]);
}

describe('a property list', () => {
  const { value } = fc.letrec<{ value: PlistValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      plain,
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((number) => number + 0.5)
        .filter((number) => !Number.isInteger(number)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(plain, tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    ),
  }));

  test('comes back as it was written, in XML and in binary', () => {
    fc.assert(
      fc.property(value, (written) => {
        const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n${xmlOf(written)}\n</plist>`;
        expect(parsePlist(Buffer.from(xml))).toEqual(written);
        const wide = Buffer.from(`\ufeff${xml}`, 'utf16le');
        expect(parsePlist(wide)).toEqual(written);
        expect(parsePlist(binaryOf(written))).toEqual(written);
      }),
      runs(120),
    );
  });

  test('is read or refused, whatever stands there', () => {
    const info = Buffer.from(infoPlist({ id: 'com.example.app', version: '1.2.3' }));
    const packed = binaryOf(
      new Map<string, PlistValue>([
        ['id', 'a.b'],
        ['list', [1, true, 'a.b', null]],
      ]),
    );
    const tags = [
      '<dict>',
      '</dict>',
      '<key>',
      '</key>',
      '<array>',
      '</array>',
      '<string>',
      '</string>',
      '<integer>',
      '</integer>',
      '<true/>',
      '<plist>',
      '</plist>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&#x41;',
      '&#9999999;',
      'a',
      '1',
      '>',
      '<',
    ];
    const bytes = fc.oneof(
      anyBytes,
      anyBytes.map((rest) => Buffer.concat([Buffer.from('bplist00'), rest])),
      mangled(info),
      mangled(packed),
      pieces(tags, 24).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (written) => {
        const read = parsePlist(written);
        if (read === undefined) return;
        expect(['string', 'number', 'boolean', 'object']).toContain(typeof read);
        expect(read).not.toBeNaN();
      }),
      runs(250),
    );
  });

  test('that names one text a hundred thousand times holds it once', () => {
    const text = Buffer.alloc(6 + 1_000_000, 0x61);
    text.set([0x5f, 0x12, 0, 0x0f, 0x42, 0x40]);
    const list = Buffer.alloc(6 + 90_000 * 2);
    list.set([0xaf, 0x12, 0, 1, 0x5f, 0x90]);
    for (let at = 6; at < list.length; at += 2) list.writeUInt16BE(1, at);
    const read = parsePlist(assembled([list, text])) as readonly string[];
    expect(read).toHaveLength(90_000);
    expect(read.at(-1)).toHaveLength(1_000_000);
  });

  test('whose texts lie in each other is none', () => {
    // Each offset of the run begins a text that reaches to its end.
    const run = Buffer.alloc(60_000);
    for (let at = 0; at < run.length; at += 6) run.set([0x5f, 0x12, 0, 0, 0xaf, 0xc8], at);
    const [count, top] = [2_000, Buffer.alloc(6 + 2_000 * 2)];
    top.set([0xaf, 0x12, 0, 0, count >> 8, count & 255]);
    for (let ref = 0; ref < count; ref += 1) top.writeUInt16BE(ref + 1, 6 + ref * 2);
    const offsets = Buffer.alloc((count + 1) * 4);
    offsets.writeUInt32BE(8, 0);
    for (let ref = 0; ref < count; ref += 1)
      offsets.writeUInt32BE(8 + top.length + ref * 6, (ref + 1) * 4);
    const trailer = Buffer.alloc(32);
    trailer.set([4, 2], 6);
    trailer.writeBigUInt64BE(BigInt(count + 1), 8);
    trailer.writeBigUInt64BE(BigInt(8 + top.length + run.length), 24);
    expect(
      parsePlist(Buffer.concat([Buffer.from('bplist00'), top, run, offsets, trailer])),
    ).toBeUndefined();
  });

  test('gives no number that is none, and takes only text for a key', () => {
    const xml = (body: string): Buffer => Buffer.from(`<plist>${body}</plist>`);
    expect(parsePlist(xml('<integer>x</integer>'))).toBeNull();
    expect(parsePlist(xml('<integer></integer>'))).toBeNull();
    expect(
      parsePlist(assembled([Buffer.from([0xd1, 0, 1, 0, 1]), Buffer.from([9])])),
    ).toBeUndefined();
  });
});

describe('a plugin’s descriptor', () => {
  test('gives the id and version that were written', () => {
    const word = fc.stringMatching(/^[!-~\u{e9}]([ -~\u{e9}]{0,20}[!-~\u{e9}])?$/u);
    const noise = fc.constantFrom(
      '',
      '<!-- <id>no</id> -->',
      '<depends a=">"><id>no</id></depends>',
      '<![CDATA[ ]]>',
      '<?x <id>?>',
    );
    fc.assert(
      fc.property(word, word, noise, (id, version, extra) => {
        const quoted = (text: string): string =>
          text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
        const text = `<?xml version="1.0"?>\n${extra.startsWith('<!--') ? extra : ''}<idea-plugin url='a>b'>${extra}<id>\n${quoted(id)} </id><version><![CDATA[${version.replaceAll(']]>', '')}]]></version></idea-plugin>`;
        expect(parsePluginXml(text)).toEqual({
          id,
          version: version.replaceAll(']]>', '') || null,
        });
      }),
      runs(120),
    );
  });

  test('is read or refused, whatever stands there', () => {
    const text = fc.oneof(
      anyText,
      mangledText(pluginXml(claudePlugin)),
      pieces([
        '<idea-plugin>',
        '</idea-plugin>',
        '<id>',
        '</id>',
        '<version>',
        '</version>',
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<!DOCTYPE x [',
        ']>',
        '"',
        "'",
        '/',
        '>',
        'a',
        '&#65;',
        '&lt;',
      ]),
    );
    fc.assert(
      fc.property(text, (written) => {
        const read = parsePluginXml(written);
        for (const field of [read?.id, read?.version]) {
          if (typeof field !== 'string') continue;
          expect(field.length).toBeLessThanOrEqual(256);
          expect(field).not.toMatch(/\p{Cc}|^\s|\s$|^$/u);
        }
      }),
      runs(150),
    );
  });
});
