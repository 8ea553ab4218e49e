/**
 * Names that a disk may hold and text cannot: the reader spells them so that they lead back to the same
 * file (C052). What a person sees of them is held in `test/agent/scan-command.test.ts`.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ownDisk } from '../../agent/detect/disk.js';
import type { Reader } from '../../agent/detect/index.js';
import { onDisk } from '../../agent/detect/names.js';
import { createReader } from '../../agent/detect/reader.js';
import { place } from '../worlds/native.js';

let inside = '';

beforeEach(() => {
  inside = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-names-')));
});
afterEach(() => fs.rmSync(inside, { recursive: true, force: true }));

const reader = (): Reader =>
  createReader({ boundary: { within: [inside] }, disk: ownDisk, platform: 'linux' });

describe('names', () => {
  test('odd names are listed and read without a throw', () => {
    const names = ['new\nline', '\u{1b}[2K', '\u{202e}gpj.exe', 'cafe\u{301}', 'caf\u{e9}'];
    for (const name of names) place(inside, name, name);
    const one = reader();
    expect(one.list(inside).map(({ name }) => name)).toEqual([...names].sort());
    for (const name of names) expect(one.text(path.join(inside, name))).toBe(name);
  });

  test('C052 a name that is no UTF-8 leads back to its bytes: listed, read, and in a path', () => {
    const names = [
      Buffer.from([0xff, 0xfe]),
      Buffer.from('\ufffdff'),
      Buffer.from('caf\xe9', 'latin1'),
      Buffer.from('a'),
    ];
    for (const name of names) {
      const folder = Buffer.concat([Buffer.from(`${inside}/`), name]);
      fs.mkdirSync(folder);
      fs.writeFileSync(Buffer.concat([folder, Buffer.from('/'), name]), name);
    }
    const one = reader();
    const listed = one.list(inside).map(({ name }) => name);
    expect(new Set(listed).size).toBe(names.length);
    const bytes = listed.map((name) => {
      const file = path.join(inside, name, name);
      expect(one.realPath(file)).toBe(file);
      expect(one.facts(file)).toMatchObject({ kind: 'file' });
      expect(one.list(path.join(inside, name))).toEqual([{ name, kind: 'file' }]);
      // For whoever acts on it later: the path of the record, as the system takes it.
      expect(fs.readFileSync(onDisk(file))).toEqual(one.bytes(file));
      return one.bytes(file);
    });
    expect(bytes).toEqual(listed.map((name) => Buffer.from(onDisk(name))));
    expect(one.problems).toEqual([]);
  });

  test('a link to a name that is no UTF-8 is followed, and what is read there is inside', () => {
    const real = Buffer.concat([Buffer.from(`${inside}/`), Buffer.from([0xe9])]);
    fs.writeFileSync(real, 'text');
    fs.symlinkSync(Buffer.from([0xe9]), path.join(inside, 'link'));
    const one = reader();
    expect(one.text(path.join(inside, 'link'))).toBe('text');
    expect(one.realPath(path.join(inside, 'link'))).toBe(`${inside}/\ufffde9`);
    expect(one.problems).toEqual([]);
  });

  test('a path with a zero byte is refused, not thrown', () => {
    const one = reader();
    expect(one.text(`${inside}/a\0b`)).toBeNull();
    expect(one.problems).toHaveLength(1);
  });
});
