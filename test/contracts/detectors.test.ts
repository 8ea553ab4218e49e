/**
 * The contract of detectors: every detector of the list against what a hostile or broken disk may
 * hold in the places it reads. It ends within bounds, never throws, marks the root it could not read,
 * and goes on finding what is honest elsewhere.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Root, World } from '../../agent/detect/index.js';
import { homesWorld } from '../../agent/detect/world.js';
import { thisPlatform } from '../../agent/platform/index.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { link, place } from '../worlds/native.js';
import { held, type Subject } from './subjects.js';

const catalogue = builtInCatalogue();
const isRoot = process.getuid?.() === 0;
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-contract-')));
  fs.chmodSync(top, 0o755);
  home = path.join(top, 'ana');
  fs.mkdirSync(home);
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

function worldOf({ platform = thisPlatform() }: Subject, at = home): World {
  return homesWorld([at], { catalogue, platform });
}

function scan(subject: Subject, at = home): ScanResult {
  const { detector } = subject;
  return scanWorld(worldOf(subject, at), { detectors: [detector], rootTimeMs: 20_000 });
}

const statusAt = (result: ScanResult, folder: string): string | undefined =>
  result.readings.find(({ root }) => root.path === folder)?.status;

const codesAt = (result: ScanResult, folder: string): string[] =>
  result.readings
    .filter(({ root }) => root.path === folder)
    .flatMap(({ problems }) => problems.map(({ code }) => code));

/** Its folder is a link to the same folder in another person's home. */
function linkedOut(subject: Subject): { result: ScanResult; folder: string } {
  const other = path.join(top, 'ben');
  const theirs = subject.install(other);
  const folder = path.join(home, path.relative(other, theirs));
  link(home, path.relative(home, folder), theirs);
  return { result: scan(subject), folder };
}

/** As somebody without rights, where these tests run as root. */
function unprivileged<T>(work: () => T): T {
  if (!isRoot) return work();
  process.seteuid?.(65_534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

describe.each(held)('$name', (subject) => {
  test('finds its honest install, with a complete root', () => {
    const folder = subject.install(home);
    const result = scan(subject);
    expect(result.status).toBe('complete');
    expect(statusAt(result, folder)).toBe('complete');
    expect(result.components).toMatchObject([
      { state: subject.state ?? 'installed', owner: 'ana' },
    ]);
  });

  test('says the same roots each time, every id once, and never reads outside a boundary', () => {
    subject.install(home);
    const roots = (): readonly Root[] => subject.detector.roots(worldOf(subject));
    expect(roots()).toEqual(roots());
    const ids = roots().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { boundary } of roots()) {
      for (const folder of boundary.within) expect(folder.startsWith(home)).toBe(true);
    }
  });

  test('a home with nothing in it is complete and empty', () => {
    expect(scan(subject)).toMatchObject({ status: 'complete', components: [] });
  });

  test('a link loop in place of its folder is marked', () => {
    const folder = subject.install(home);
    fs.rmSync(folder, { recursive: true });
    fs.symlinkSync(`${folder}-b`, folder);
    fs.symlinkSync(folder, `${folder}-b`);
    const result = scan(subject);
    expect(result.components.filter(({ path: at }) => at.startsWith(folder))).toEqual([]);
    expect(statusAt(result, folder)).toBe('unreadable');
  });

  test("a link into someone else's home is not followed", () => {
    expect(linkedOut(subject).result.components).toEqual([]);
  });

  test('links to the folder above do not multiply what is found', () => {
    const folder = subject.install(home);
    link(folder, 'self', '.');
    link(folder, 'up', '..');
    expect(scan(subject).components).toHaveLength(1);
  });

  test('a FIFO in place of its folder blocks nothing', () => {
    const folder = subject.install(home);
    fs.rmSync(folder, { recursive: true });
    execFileSync('mkfifo', [folder]);
    expect(scan(subject).components.filter(({ path: at }) => at.startsWith(folder))).toEqual([]);
  });

  test('FIFOs, devices by name, odd and endless names among its entries harm nothing', () => {
    const folder = subject.install(home);
    execFileSync('mkfifo', [path.join(folder, 'pipe'), path.join(folder, 'codex')]);
    for (const name of ['new\nline', '\u{1b}[2K', '\u{202e}gpj.exe', 'x'.repeat(255)]) {
      fs.mkdirSync(path.join(folder, name));
    }
    fs.mkdirSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]));
    const wanted = subject.state ?? 'installed';
    const found = scan(subject).components.filter(({ state }) => state === wanted);
    expect(found).toHaveLength(1);
  });

  test('twenty thousand other entries do not hide its own', () => {
    const folder = subject.install(home);
    // Hard links cost a directory entry and nothing else.
    const first = place(folder, 'other-0', '');
    for (let count = 1; count < 20_000; count += 1) {
      fs.linkSync(first, path.join(folder, `other-${count}`));
    }
    const result = scan(subject);
    expect(result.components).toHaveLength(1);
    expect(statusAt(result, folder)).toBe('complete');
  });

  test('a folder that vanishes while it is read costs nothing but itself', () => {
    const folder = subject.install(home);
    const world = worldOf(subject);
    const vanishing: World = {
      ...world,
      reader(boundary, deadlineMs) {
        const reader = world.reader(boundary, deadlineMs);
        const list = reader.list.bind(reader);
        reader.list = (at) => {
          const entries = list(at);
          if (at === folder) fs.rmSync(folder, { recursive: true, force: true });
          return entries;
        };
        return reader;
      },
    };
    const result = scanWorld(vanishing, { detectors: [subject.detector] });
    const thrown = result.readings.flatMap(({ problems }) => problems);
    expect(thrown.filter(({ code }) => code === 'io')).toEqual([]);
    expect(result.readings.length).toBe(scan(subject).readings.length);
  });

  test('folders nested deeply below it are not entered', () => {
    const folder = subject.install(home);
    fs.mkdirSync(path.join(folder, ...Array<string>(400).fill('d')), { recursive: true });
    expect(scan(subject)).toMatchObject({ status: 'complete', components: [{}] });
  });

  test('a folder without permission is marked, never clean', () => {
    const folder = subject.install(home);
    fs.chmodSync(folder, 0o000);
    const result = unprivileged(() => scan(subject));
    fs.chmodSync(folder, 0o755);
    expect(statusAt(result, folder)).toBe('unreadable');
    expect(codesAt(result, folder)).toContain('denied');
  });

  test('a home without permission is unreadable in every root', () => {
    subject.install(home);
    fs.chmodSync(home, 0o000);
    const result = unprivileged(() => scan(subject));
    fs.chmodSync(home, 0o755);
    expect(result.status).toBe('partial');
    expect(result.components).toEqual([]);
    expect(new Set(result.readings.map(({ status }) => status))).toEqual(new Set(['unreadable']));
  });
});

const readers = held.filter(
  (subject): subject is (typeof held)[number] & { record: string } => subject.record !== null,
);

describe.each(readers)('$name and its record', (subject) => {
  const broken = (change: (file: string) => void): ScanResult => {
    const folder = subject.install(home);
    change(path.join(folder, subject.record));
    const result = scan(subject);
    expect(result.components.filter(({ confidence }) => confidence === 'high')).toEqual([]);
    expect(['partial', 'unreadable']).toContain(statusAt(result, folder));
    return result;
  };

  test("a folder linked into someone else's home marks its root", () => {
    const { result, folder } = linkedOut(subject);
    expect(['unreadable', 'partial']).toContain(statusAt(result, folder));
    expect(codesAt(result, folder)).toContain('outside');
  });

  test('a half-written record marks its root', () => {
    broken((file) => fs.truncateSync(file, fs.statSync(file).size - 3));
  });

  test('an empty file marks its root', () => {
    broken((file) => fs.truncateSync(file, 0));
  });

  test('200 MB are not read', () => {
    broken((file) => fs.truncateSync(file, 200 * 1024 * 1024));
  });

  test('a FIFO in its place is not opened', () => {
    broken((file) => {
      fs.rmSync(file);
      execFileSync('mkfifo', [file]);
    });
  });

  test('a link out of the home in its place is not read', () => {
    broken((file) => {
      fs.renameSync(file, path.join(top, 'record'));
      fs.symlinkSync(path.join(top, 'record'), file);
    });
  });

  test('a link loop in its place is marked', () => {
    broken((file) => {
      fs.rmSync(file);
      fs.symlinkSync(path.basename(file), file);
    });
  });

  test('no permission for it marks its root', () => {
    const folder = subject.install(home);
    fs.chmodSync(path.join(folder, subject.record), 0o000);
    const result = unprivileged(() => scan(subject));
    expect(['partial', 'unreadable']).toContain(statusAt(result, folder));
    expect(codesAt(result, folder)).toContain('denied');
  });

  const isJson = subject.isJson !== false;

  test
    .runIf(isJson)
    .each(['[]', '{}', 'null', '7', '"text"', '[[[[]]]]', '{"name":{"name":[]},"version":[1]}'])(
    'JSON of another shape is no install by its name alone with a version: %s',
    (text) => {
      const folder = subject.install(home);
      fs.writeFileSync(path.join(folder, subject.record), text);
      for (const { version } of scan(subject).components) expect(version).toBeNull();
    },
  );

  test.runIf(isJson)('a byte-order mark and comments are read as the tools read them', () => {
    const folder = subject.install(home);
    const file = path.join(folder, subject.record);
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, `\u{feff}// written by hand\n${text}\n/* end */\n`);
    expect(scan(subject)).toMatchObject({ status: 'complete', components: [{}] });
  });

  test('names like those of the language itself are only names', () => {
    const folder = subject.install(home);
    const file = path.join(folder, subject.record);
    fs.writeFileSync(file, '{"__proto__": {"name": "x"}, "constructor": 1, "toString": null}');
    scan(subject);
    expect(({} as Record<string, unknown>)['name']).toBeUndefined();
  });
});
