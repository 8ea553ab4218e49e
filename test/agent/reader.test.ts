/**
 * The reader against what a disk may hold: it ends in time, stays inside its boundary, opens regular
 * files only, and tells an absence from something it could not read.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeName } from '../../agent/detect/names.js';
import { folderDisk, ownDisk, rememberingDisk, type Disk } from '../../agent/detect/disk.js';
import type { Reader } from '../../agent/detect/index.js';
import { createReader, type ReaderOptions } from '../../agent/detect/reader.js';
import { link, place } from '../worlds/native.js';

let top = '';
let inside = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-reader-')));
  inside = path.join(top, 'in');
  fs.mkdirSync(inside);
  fs.chmodSync(top, 0o755);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

function reader(change: Partial<ReaderOptions> = {}): Reader {
  const boundary = { within: [inside] };
  return createReader({ boundary, disk: ownDisk, platform: 'linux', ...change });
}

const codes = (one: Reader): string[] => one.problems.map(({ code }) => code);

describe('text and JSON', () => {
  test('a byte-order mark is not part of the text', () => {
    const file = place(inside, 'a.json', '\u{feff}{"a": 1}');
    expect(reader().text(file)).toBe('{"a": 1}');
    expect(reader().json(file)).toEqual({ a: 1 });
  });

  test('UTF-16 with its mark is text, either way round and cut short', () => {
    const bytes = Buffer.from('\u{feff}{"a": "例"}', 'utf16le');
    place(inside, 'little.json', '');
    fs.writeFileSync(path.join(inside, 'little.json'), bytes);
    fs.writeFileSync(path.join(inside, 'big.json'), Buffer.from(bytes).swap16());
    fs.writeFileSync(path.join(inside, 'odd'), Buffer.from([0xfe, 0xff, 0x00, 0x61, 0x00]));
    const one = reader();
    expect(one.json(path.join(inside, 'little.json'))).toEqual({ a: '例' });
    expect(one.json(path.join(inside, 'big.json'))).toEqual({ a: '例' });
    expect(one.text(path.join(inside, 'odd'))).toBe('a');
    expect(one.problems).toEqual([]);
  });

  test('comments and trailing commas are read as editors write them', () => {
    const file = place(inside, 'a.json', '{\n // yes\n "a": [1, 2,],\n}\n');
    expect(reader().json(file)).toEqual({ a: [1, 2] });
  });

  test.each(['', '{"a":', 'not json', '{"a":1} trailing'])(
    'half-written JSON is malformed: %j',
    (text) => {
      const one = reader();
      const file = place(inside, 'a.json', text);
      expect(one.json(file)).toBeUndefined();
      expect(one.problems).toEqual([{ path: file, code: 'malformed', isLoss: true }]);
    },
  );

  test('what is not there is no problem', () => {
    const one = reader();
    place(inside, 'file', '');
    expect(one.text(path.join(inside, 'none'))).toBeNull();
    expect(one.text(path.join(inside, 'file/below'))).toBeNull();
    expect(one.json(path.join(inside, 'none'))).toBeUndefined();
    expect(one.list(path.join(inside, 'none'))).toEqual([]);
    expect(one.facts(path.join(inside, 'none'))).toBeNull();
    expect(one.realPath(path.join(inside, 'none'))).toBeNull();
    expect(one.problems).toEqual([]);
  });
});

describe('bounds', () => {
  test('a file of 200 MB is refused by its size', () => {
    const one = reader();
    const file = place(inside, 'package.json', '{}');
    fs.truncateSync(file, 200 * 1024 * 1024);
    expect(one.text(file)).toBeNull();
    expect(one.problems).toEqual([{ path: file, code: 'too-large', isLoss: true }]);
  });

  test('a file that holds more than its size says is cut off while it is read', () => {
    // Files of /proc have size 0 and content, as a file that grows has more than it said.
    const one = reader({ boundary: { within: ['/proc'] } });
    expect(fs.statSync('/proc/self/status').size).toBe(0);
    expect(one.text('/proc/self/status', 100)).toBeNull();
    expect(codes(one)).toEqual(['too-large']);
    expect(one.text('/proc/self/status')).toContain('Threads:');
  });

  test('a file of exactly the limit is read, one byte more is not', () => {
    const file = place(inside, 'a', 'x'.repeat(64));
    expect(reader().text(file, 64)).toHaveLength(64);
    expect(reader().text(file, 63)).toBeNull();
  });

  test('a list stops at its limit and says so', () => {
    for (let count = 0; count < 20; count += 1) place(inside, `f${count}`, '');
    const one = reader({ maxEntries: 7 });
    expect(one.list(inside)).toHaveLength(7);
    expect(one.problems).toEqual([{ path: inside, code: 'too-many', isLoss: true }]);
  });

  test('after its time nothing more is read, and that is said once', () => {
    const file = place(inside, 'a', 'x');
    const one = reader({ deadlineMs: performance.now() - 1 });
    expect(one.text(file)).toBeNull();
    expect(one.list(inside)).toEqual([]);
    expect(codes(one)).toEqual(['timeout']);
  });

  test('problems without end are bounded and still count as a loss', () => {
    const one = reader();
    for (let count = 0; count < 5000; count += 1) one.note(`/x/${count}`, 'malformed');
    expect(one.problems.length).toBeLessThan(300);
    expect(one.problems.at(-1)).toMatchObject({ code: 'too-many', isLoss: true });
  });
});

describe('links', () => {
  test('no link leads out, by a file, a folder or in the middle', () => {
    place(top, 'out/secret.json', '{"secret": true}');
    link(inside, 'file', '../out/secret.json');
    link(inside, 'folder', path.join(top, 'out'));
    const one = reader();
    expect(one.json(path.join(inside, 'file'))).toBeUndefined();
    expect(one.json(path.join(inside, 'folder/secret.json'))).toBeUndefined();
    expect(one.list(path.join(inside, 'folder'))).toEqual([]);
    expect(one.facts(path.join(inside, 'folder/secret.json'))).toBeNull();
    expect(one.text(path.join(inside, '../out/secret.json'))).toBeNull();
    expect(new Set(codes(one))).toEqual(new Set(['outside']));
  });

  test('a name that only begins like the boundary lies outside', () => {
    const file = place(`${inside}side`, 'a', 'x');
    const one = reader();
    expect(one.text(file)).toBeNull();
    expect(codes(one)).toEqual(['outside']);
  });

  test('a folder swapped for a link after the check gives nothing away', () => {
    place(top, 'out/a.json', '{"secret": true}');
    fs.symlinkSync(path.join(top, 'out'), path.join(inside, 'folder'));
    // As the check saw it: a real folder, before somebody put a link in its place.
    const before: Disk = { ...ownDisk, resolve: (at) => ({ kind: 'real', path: at }) };
    const one = reader({ disk: before });
    expect(one.json(path.join(inside, 'folder/a.json'))).toBeUndefined();
    expect(codes(one)).toEqual(['outside']);
  });

  test('links inside are followed, and facts tell the link from its target', () => {
    const file = place(inside, 'real/a', 'text');
    link(inside, 'short', 'real/a');
    const one = reader();
    const short = path.join(inside, 'short');
    expect(one.text(short)).toBe('text');
    expect(one.facts(short)?.kind).toBe('link');
    expect(one.target(short)).toMatchObject({ kind: 'file', size: 4 });
    expect(one.realPath(short)).toBe(file);
    expect(one.problems).toEqual([]);
  });

  test('links that lead to each other are a loop and a loss', () => {
    link(inside, 'a', 'b');
    link(inside, 'b', 'a');
    const one = reader();
    expect(one.text(path.join(inside, 'a'))).toBeNull();
    expect(one.problems).toMatchObject([{ code: 'loop', isLoss: true }]);
  });

  test('a dangling link is an absence', () => {
    link(inside, 'a', 'gone');
    const one = reader();
    expect(one.text(path.join(inside, 'a'))).toBeNull();
    expect(one.target(path.join(inside, 'a'))).toBeNull();
    expect(one.problems).toEqual([]);
  });

  test('hard links of one file have one file id', () => {
    const file = place(inside, 'a', 'x');
    fs.linkSync(file, path.join(inside, 'b'));
    place(inside, 'c', 'x');
    const id = (name: string) => reader().facts(path.join(inside, name))?.fileId;
    expect(id('a')).toBe(id('b'));
    expect(id('a')).not.toBe(id('c'));
  });
});

describe('a part of a file', () => {
  test('is read from its beginning or back from its end, whatever the file weighs', () => {
    const file = place(inside, 'large', 'begin');
    fs.truncateSync(file, 5 * 1024 ** 3);
    fs.appendFileSync(file, 'end');
    const one = reader();
    expect(one.part(file, 0, 5)?.bytes.toString()).toBe('begin');
    const tail = one.part(file, -3, 100);
    expect(tail).toMatchObject({ offset: 5 * 1024 ** 3, size: 5 * 1024 ** 3 + 3 });
    expect(tail?.bytes.toString()).toBe('end');
    expect(one.problems).toEqual([]);
  });

  test('beyond the file is empty, and before its beginning is its beginning', () => {
    const file = place(inside, 'small', 'abc');
    const one = reader();
    expect(one.part(file, 10, 5)?.bytes.length).toBe(0);
    expect(one.part(file, 1, -4)?.bytes.length).toBe(0);
    expect(one.part(file, -10, 2)).toMatchObject({ offset: 0, size: 3 });
  });

  test('of what is no file, not there or elsewhere is nothing', () => {
    execFileSync('mkfifo', [path.join(inside, 'fifo')]);
    link(inside, 'out', '/etc/passwd');
    const one = reader();
    for (const name of ['fifo', 'absent', 'out']) {
      expect(one.part(path.join(inside, name), 0, 10)).toBeNull();
    }
    expect(codes(one)).toEqual(['not-regular', 'outside']);
  });
});

describe('what is no regular file', () => {
  test('a FIFO is not opened and is a loss', () => {
    const fifo = path.join(inside, 'package.json');
    execFileSync('mkfifo', [fifo]);
    const one = reader();
    expect(one.text(fifo)).toBeNull();
    expect(one.list(fifo)).toEqual([]);
    expect(one.problems).toEqual([{ path: fifo, code: 'not-regular', isLoss: true }]);
  });

  test('a folder where a file should be is no file', () => {
    const one = reader();
    expect(one.text(inside)).toBeNull();
    expect(codes(one)).toEqual(['not-regular']);
  });

  test.each(['darwin', 'win32'] as const)(
    'a cloud-only file of %s is not pulled down',
    (platform) => {
      const file = place(inside, 'settings.json', '');
      fs.truncateSync(file, 8192); // a size and no blocks
      const one = reader({ platform });
      expect(one.text(file)).toBeNull();
      expect(one.problems).toEqual([{ path: file, code: 'placeholder', isLoss: true }]);
    },
  );
});

describe('rights', () => {
  test.runIf(process.getuid?.() === 0)('what may not be read is denied, and a loss', () => {
    const file = place(inside, 'locked/a', 'x');
    const own = place(inside, 'b', 'x', 0o600);
    fs.chmodSync(path.dirname(file), 0o700);
    const one = reader();
    process.seteuid?.(65_534);
    try {
      expect(one.text(file)).toBeNull();
      expect(one.text(own)).toBeNull();
      expect(one.list(path.dirname(file))).toEqual([]);
    } finally {
      process.seteuid?.(0);
    }
    expect(one.problems).toEqual([
      { path: file, code: 'denied', isLoss: true },
      { path: own, code: 'denied', isLoss: true },
      { path: path.dirname(file), code: 'denied', isLoss: true },
    ]);
  });

  test.skipIf(process.getuid?.() === 0)('what may not be read is denied, and a loss', () => {
    const file = place(inside, 'locked/a', 'x');
    fs.chmodSync(file, 0);
    const one = reader();
    expect(one.text(file)).toBeNull();
    expect(one.problems).toEqual([{ path: file, code: 'denied', isLoss: true }]);
  });
});

describe('a folder as a machine', () => {
  test('an absolute link stays in the folder, and no step leads above it', () => {
    place(top, 'opt/node/a.json', '{"a": 1}');
    link(top, 'usr/local/node', '/opt/node');
    link(top, 'usr/local/up', '../../../../../../opt/node');
    link(top, 'usr/local/etc', '/etc');
    const one = createReader({
      boundary: { within: ['/'] },
      disk: folderDisk(top, 'linux'),
      platform: 'linux',
    });
    expect(one.realPath('/usr/local/node')).toBe('/opt/node');
    expect(one.json('/usr/local/node/a.json')).toEqual({ a: 1 });
    expect(one.json('/usr/local/up/a.json')).toEqual({ a: 1 });
    expect(one.text('/usr/local/etc/passwd')).toBeNull();
    expect(one.text('/../../../../etc/passwd')).toBeNull();
    expect(one.problems).toEqual([]);
  });

  test('a link that names the folder itself is a link within the machine', () => {
    place(top, 'opt/node/a', 'x');
    link(top, 'usr/node', path.join(top, 'opt/node'));
    const disk = folderDisk(top, 'linux');
    const one = createReader({ boundary: { within: ['/opt'] }, disk, platform: 'linux' });
    expect(one.realPath('/usr/node')).toBe('/opt/node');
    expect(one.text('/usr/node/a')).toBe('x');
  });

  test('links without end are a loop', () => {
    link(top, 'a', '/b');
    link(top, 'b', '/a');
    const disk = folderDisk(top, 'linux');
    const one = createReader({ boundary: { within: ['/'] }, disk, platform: 'linux' });
    expect(one.text('/a')).toBeNull();
    expect(codes(one)).toEqual(['loop']);
  });

  test('drives of Windows are folders, C the folder itself', () => {
    place(top, 'Users/ana/a.txt', 'c');
    place(top, 'D/tools/a.txt', 'd');
    const disk = folderDisk(top, 'win32');
    const boundary = { within: ['C:\\Users', 'D:\\tools'] };
    const one = createReader({ boundary, disk, platform: 'win32' });
    expect(one.text('C:\\Users\\ana\\a.txt')).toBe('c');
    expect(one.text('d:\\tools\\a.txt')).toBe('d');
    expect(one.realPath('C:\\Users\\ana')).toBe('C:\\Users\\ana');
    expect(one.realPath('D:\\tools\\a.txt')).toBe('D:\\tools\\a.txt');
    expect(one.text('\\\\server\\share\\a.txt')).toBeNull();
    expect(one.problems).toEqual([]);
  });
});

describe('a disk that remembers for the length of a scan', () => {
  test('leads where the disk itself leads', () => {
    place(inside, 'a/b/c.txt', 'c');
    link(inside, 'to-folder', 'a/b');
    link(inside, 'to-link', 'to-folder');
    link(inside, 'out', '/etc');
    link(inside, 'dangling', 'nowhere');
    link(inside, 'round', 'round');
    const disk = rememberingDisk();
    const names = ['a', 'a/b', 'a/b/c.txt', 'to-folder', 'to-folder/c.txt', 'to-link/c.txt'];
    const more = ['out', 'out/passwd', 'dangling', 'dangling/x', 'round', 'round/x', 'a/b/c.txt/x'];
    for (const name of [...names, ...more, ...names, ...more]) {
      const at = path.join(inside, name);
      expect(disk.resolve(at), name).toEqual(ownDisk.resolve(at));
    }
  });

  test('tells what is there also of a folder it was asked about many times', () => {
    const odd = Buffer.concat([Buffer.from(`${inside}/odd/`), Buffer.from([0xff])]);
    place(inside, 'plain/there', 'x');
    place(inside, 'odd/there', 'x');
    fs.writeFileSync(odd, 'x');
    place(inside, 'file', 'no folder');
    const disk = rememberingDisk();
    for (const folder of ['plain', 'odd', 'file', 'none']) {
      const names = Array.from({ length: 40 }, (_, count) => `name-${count}`);
      for (const name of [...names, 'there', ...names.slice(0, 3)]) {
        const at = `${inside}/${folder}/${name}`;
        expect(disk.resolve(at), at).toEqual(ownDisk.resolve(at));
      }
    }
    const spelled = decodeName(odd);
    expect(disk.resolve(spelled)).toEqual({ kind: 'real', path: spelled });
  });

  test('sees in the next scan what came meanwhile', () => {
    const disk = rememberingDisk();
    for (let count = 0; count < 40; count += 1) disk.resolve(path.join(inside, `name-${count}`));
    place(inside, 'name-39', 'x');
    disk.forget();
    expect(disk.resolve(path.join(inside, 'name-39')).kind).toBe('real');
  });

  test('opens nothing outside when a folder becomes a link after it was seen', () => {
    place(top, 'out/secret.txt', 'CANARY');
    place(inside, 'folder/secret.txt', 'mine');
    const one = reader({ disk: rememberingDisk() });
    const file = path.join(inside, 'folder/secret.txt');
    expect(one.text(file)).toBe('mine');
    fs.rmSync(path.join(inside, 'folder'), { recursive: true });
    link(inside, 'folder', path.join(top, 'out'));
    expect(one.text(file)).toBeNull();
    expect(one.list(path.join(inside, 'folder'))).toEqual([]);
    expect(codes(one)).toContain('outside');
  });
});
