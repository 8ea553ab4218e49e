/**
 * The hive reader against hives of two writers: our own, and libhivex 1.3.23 (`hivex-hive.txt`, gzip in
 * base64, made with its Python binding; lf lists, values of four types, names beyond Latin-1). Damage
 * of every kind must cost a note and nothing else.
 */
import fc from 'fast-check';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { ownDisk } from '../../agent/detect/disk.js';
import type { Problem, Reader } from '../../agent/detect/index.js';
import { createReader } from '../../agent/detect/reader.js';
import { openHive, type RegistryKey } from '../../agent/detect/registry-hive.js';
import { hiveBytes, withKey } from '../worlds/hive.js';
import { runs } from '../runs.js';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-hive-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const uninstall = 'Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall';
const wanted = new Set(['displayname', 'installlocation', 'systemcomponent', 'tags', 'big', '']);

interface Answer {
  readonly key: RegistryKey | null;
  readonly problems: readonly Problem[];
}

function readBytes(bytes: Buffer, name = uninstall): Answer {
  const file = path.join(folder, 'hive');
  fs.writeFileSync(file, bytes);
  const reader: Reader = createReader({
    boundary: { within: [folder] },
    disk: ownDisk,
    platform: 'linux',
  });
  const key = openHive(file, reader)?.read(name, wanted) ?? null;
  return { key, problems: reader.problems };
}

const isLoss = ({ problems }: Answer): boolean => problems.some((problem) => problem.isLoss);

const tree = withKey(
  withKey({}, `${uninstall}\\One`, {
    values: { DisplayName: 'Cursor (User)', SystemComponent: 1, Secret: 'unwanted' },
  }),
  `${uninstall}\\Ключ`,
  { values: { DisplayName: '名前' } },
);
const whole = hiveBytes(tree);

describe('a hive that other software wrote', () => {
  const text = fs.readFileSync(path.join(import.meta.dirname, 'hivex-hive.txt'), 'utf8');
  const hive = gunzipSync(Buffer.from(text, 'base64'));

  test('is read with every type of value and names beyond Latin-1', () => {
    const { key, problems } = readBytes(hive, uninstall.toUpperCase());
    expect(problems).toEqual([]);
    expect(key?.keys.size).toBe(33);
    expect(key?.keys.get('{DADADADA-ADAD-ADAD-ADAD-ADADADADADAD}}_is1')).toEqual(
      new Map<string, unknown>([
        ['displayname', 'Cursor (User)'],
        ['installlocation', '%LOCALAPPDATA%\\Programs\\cursor\\'],
        ['systemcomponent', 1],
        ['tags', ['one', 'two']],
      ]),
    );
    expect(key?.keys.get('Имя')).toEqual(new Map([['displayname', 'Имя 名前']]));
    expect(key?.keys.get('Empty')?.get('')).toBe('default');
  });
});

describe('a hive of ours', () => {
  test('gives what was written, without regard to case, and no value that is not wanted', () => {
    const { key, problems } = readBytes(whole, uninstall.toLowerCase());
    expect(problems).toEqual([]);
    expect([...(key?.keys ?? [])]).toEqual([
      [
        'One',
        new Map<string, unknown>([
          ['displayname', 'Cursor (User)'],
          ['systemcomponent', 1],
        ]),
      ],
      ['Ключ', new Map([['displayname', '名前']])],
    ]);
  });

  test('has no key that is not there, and that is no problem', () => {
    expect(readBytes(whole, 'Software\\Nothing\\Below')).toEqual({ key: null, problems: [] });
  });

  test('is found among thousands of keys, spread over many pieces of the file', () => {
    const keys = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, n) => [`k${n}`, { values: { DisplayName: `name ${n}` } }]),
    );
    const { key, problems } = readBytes(hiveBytes({ keys: { Many: { keys } } }), 'Many');
    expect(problems).toEqual([]);
    expect(key?.keys.get('k4321')?.get('displayname')).toBe('name 4321');
    expect(key?.keys.size).toBe(5_000);
  });

  test('that was not written to the end is read as it is, which is no loss', () => {
    const dirty = Buffer.from(whole);
    dirty.writeUInt32LE(2, 4);
    dirty.writeUInt32LE(dirty.readUInt32LE(508) ^ 3, 508);
    const { key, problems } = readBytes(dirty);
    expect(key?.keys.size).toBe(2);
    expect(problems.map(({ code, isLoss }) => [code, isLoss])).toEqual([['malformed', false]]);
  });
});

/** Where a cell of a kind begins in the file. */
const cellOf = (bytes: Buffer, kind: string): number => bytes.indexOf(kind, 4096, 'latin1');

describe('a damaged or hostile hive', () => {
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(whole);
    change(bytes);
    return bytes;
  };
  const cases: Record<string, Buffer> = {
    'an empty file': Buffer.alloc(0),
    'another format': Buffer.from('SQLite format 3\0'.repeat(400)),
    'only a base block': whole.subarray(0, 4096),
    'half a hive': whole.subarray(0, 4096 + 400),
    'a list that holds itself': changed((bytes) => {
      const at = cellOf(bytes, 'lh');
      bytes.write('ri', at, 'latin1');
      bytes.writeUInt32LE(at - 4 - 4096, at + 4);
    }),
    'a count beyond the list': changed((bytes) =>
      bytes.writeUInt16LE(0xffff, cellOf(bytes, 'lh') + 2),
    ),
    'a name longer than its cell': changed((bytes) => {
      bytes.writeUInt16LE(0xfff0, 4096 + bytes.readUInt32LE(36) + 4 + 72);
    }),
    'an offset beyond the file': changed((bytes) => bytes.writeUInt32LE(0xfffffff8, 36)),
    'a checksum of something else': changed((bytes) => bytes.writeUInt32LE(1, 508)),
  };

  test.each(Object.entries(cases))('%s is a loss, never an empty answer', (_, bytes) => {
    expect(isLoss(readBytes(bytes))).toBe(true);
  });

  test('a key that is its own child is asked once', () => {
    const loop = changed((bytes) => {
      const root = bytes.readUInt32LE(36);
      bytes.writeUInt32LE(root, 4096 + bytes.readUInt32LE(4096 + root + 4 + 28) + 4 + 4);
    });
    expect(readBytes(loop).key).toBe(null);
    expect(readBytes(loop, 'root\\root\\root').key?.keys.size).toBe(1);
  });

  test('four thousand million keys are as many as the list has, and a loss', () => {
    const many = changed((bytes) => {
      bytes.writeUInt32LE(0xfffffff0, 4096 + bytes.readUInt32LE(36) + 4 + 20);
    });
    expect(readBytes(many, 'Nothing').key).toBe(null);
    expect(isLoss(readBytes(many, 'Nothing'))).toBe(true);
  });

  test('lists of lists, each as long as can be, end soon', () => {
    const bytes = Buffer.alloc(4096 + 1024 * 1024);
    whole.copy(bytes, 0, 0, 4096);
    bytes.write('hbin', 4096, 'latin1');
    bytes.writeUInt32LE(bytes.length - 4096, 40);
    const root = 32;
    bytes.writeUInt32LE(root, 36);
    const at = (offset: number): number => 4096 + offset + 4;
    bytes.writeInt32LE(-88, at(root) - 4);
    bytes.write('nk', at(root), 'latin1');
    bytes.writeUInt32LE(0xfffffff0, at(root) + 20);
    bytes.writeUInt32LE(128, at(root) + 28);
    for (const [offset, kind, leads] of [
      [128, 'ri', 300_032],
      [300_032, 'li', root],
    ] as const) {
      bytes.writeInt32LE(-(4 + 4 + 4 * 65_534), at(offset) - 4);
      bytes.write(kind, at(offset), 'latin1');
      bytes.writeUInt16LE(65_534, at(offset) + 2);
      for (let n = 0; n < 65_534; n += 1) bytes.writeUInt32LE(leads, at(offset) + 4 + n * 4);
    }
    expect(isLoss(readBytes(bytes, 'x'))).toBe(true);
  });

  test('any bytes changed anywhere: nothing is thrown, and what is answered is bounded', () => {
    const change = fc.tuple(
      fc.nat(whole.length - 4),
      fc.constantFrom(0, 1, 8, 0x20, 0x7fff, 0x8000, 0xffff),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes.writeUInt16LE(value, at);
        const { key } = readBytes(bytes);
        return key === null || key.keys.size <= 20_000;
      }),
      runs(100),
    );
  });
});
