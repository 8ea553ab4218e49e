/**
 * One entry out of an archive: what an honest zip holds is found, and an archive that lies about its
 * sizes, its places or its directory costs nothing but an answer.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maxEntryBytes, readEntry } from '../../agent/detect/archive.js';
import { ownDisk } from '../../agent/detect/disk.js';
import { createReader } from '../../agent/detect/reader.js';
import { zip } from '../worlds/jetbrains.js';
import { runs } from '../runs.js';

let top: string;

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-archive-')));
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const hasPython = spawnSync('python3', ['--version']).status === 0;
const name = 'META-INF/plugin.xml';
const others = Array.from({ length: 300 }, (_, count) => {
  return { name: `com/example/Other${count}.class`, content: `class ${count}` };
});

function read(bytes: Buffer): string {
  const file = path.join(top, 'a.jar');
  fs.writeFileSync(file, bytes);
  const reader = createReader({ boundary: { within: [top] }, disk: ownDisk, platform: 'linux' });
  const entry = readEntry(file, name, reader);
  expect(reader.problems).toEqual([]);
  if (entry.kind === 'found') return entry.bytes.toString();
  return entry.kind === 'failed' ? entry.code : entry.kind;
}

/** The archive with a number changed behind the directory's record of the entry (or before it). */
function changed(bytes: Buffer, signature: string, at: number, value: number, size: 2 | 4): Buffer {
  const copy = Buffer.from(bytes);
  const start = copy.lastIndexOf(Buffer.from(signature, 'latin1'));
  copy.writeUIntLE(value, start + at, size);
  return copy;
}

const honest = zip([{ name, content: '<idea-plugin/>' }]);
const directory = 'PK\u0001\u0002';
const end = 'PK\u0005\u0006';

describe('an honest archive', () => {
  test('gives its entry, packed or stored, small or large, with a comment or none', () => {
    expect(read(honest)).toBe('<idea-plugin/>');
    expect(read(zip([{ name, content: 'stored', isStored: true }]))).toBe('stored');
    expect(read(zip([...others, { name, content: 'x'.repeat(100_000) }]))).toHaveLength(100_000);
    const noise = {
      name: 'noise',
      content: fs.readFileSync(process.execPath).subarray(0, 300_000),
    };
    expect(read(zip([{ name, content: 'first' }, noise, ...others], 'c'.repeat(40_000)))).toBe(
      'first',
    );
  });

  test.skipIf(!hasPython)('is read as the zip program of others writes it', () => {
    fs.mkdirSync(path.join(top, 'META-INF'));
    fs.writeFileSync(path.join(top, name), '<idea-plugin>by python</idea-plugin>');
    execFileSync('python3', ['-m', 'zipfile', '-c', 'b.jar', 'META-INF'], { cwd: top });
    expect(read(fs.readFileSync(path.join(top, 'b.jar')))).toBe(
      '<idea-plugin>by python</idea-plugin>',
    );
  });

  test.skipIf(!hasPython)('of more than 65,534 entries is read by its large end record', () => {
    const script =
      "import zipfile\nwith zipfile.ZipFile('large.jar', 'w') as z:\n" +
      "  for n in range(66000): z.writestr('e%d' % n, '')\n" +
      `  z.writestr('${name}', 'last')\n`;
    execFileSync('python3', ['-c', script], { cwd: top });
    const large = fs.readFileSync(path.join(top, 'large.jar'));
    expect(read(large)).toBe('last');
    expect(read(changed(large, end, 16, 0xffffffff, 4))).toBe('last');
  });

  test('without the entry has none, also where only a longer name is like it', () => {
    expect(read(zip([]))).toBe('absent');
    expect(
      read(
        zip([
          { name: `old/${name}`, content: 'x' },
          { name: `${name}.bak`, content: 'x' },
        ]),
      ),
    ).toBe('absent');
  });
});

describe('a hostile archive', () => {
  test('that grows beyond the bound is not unpacked', () => {
    expect(read(zip([{ name, content: Buffer.alloc(maxEntryBytes + 1) }]))).toBe('too-large');
    const bomb = zip([{ name, content: Buffer.alloc(20 * 1024 * 1024) }]);
    expect(read(changed(bomb, directory, 24, 100, 4))).toBe('too-large');
  });

  test.each([
    ['an entry beyond the end', directory, 42, 0x7fffffff, 4],
    ['an entry at the wrong place', directory, 42, 3, 4],
    ['another sum', directory, 16, 7, 4],
    ['another length', directory, 24, 3, 4],
    ['a packed length beyond the end', directory, 20, 1_000_000, 4],
    ['a method nobody has', directory, 10, 99, 2],
    ['encryption', directory, 8, 1, 2],
    ['a directory beyond the end', end, 16, 0x7fffffff, 4],
    ['a directory of one byte', end, 12, 1, 4],
    ['a directory at the wrong place', end, 16, 5, 4],
    ['a large end record that is not there', end, 16, 0xffffffff, 4],
  ] as const)('that states %s is malformed', (_, signature, at, value, size) => {
    expect(read(changed(honest, signature, at, value, size))).toBe('malformed');
  });

  test('that is cut short, empty or no archive at all is malformed', () => {
    expect(read(honest.subarray(0, honest.length - 3))).toBe('malformed');
    expect(read(Buffer.alloc(0))).toBe('malformed');
    expect(read(Buffer.from('not an archive'.repeat(10_000)))).toBe('malformed');
  });

  test('of any bytes gives an answer and no error', () => {
    fc.assert(
      fc.property(fc.nat(honest.length - 1), fc.uint8Array({ maxLength: 40 }), (at, noise) => {
        const bytes = Buffer.from(honest);
        bytes.set(noise.subarray(0, bytes.length - at), at);
        expect(typeof read(bytes)).toBe('string');
      }),
      runs(100),
    );
  });
});
