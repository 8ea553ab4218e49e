/**
 * The readers of program files and archives: what a linker, a signer, a bundler or zip wrote is found
 * again, and a file whose tables lie is read within its bounds or refused, never with an error.
 */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { maxEntryBytes, readEntry } from '../../agent/detect/archive.js';
import { bunSources } from '../../agent/detect/bun-bundle.js';
import { readCodeSignature } from '../../agent/detect/code-signature.js';
import { identifyContents } from '../../agent/detect/contents.js';
import { createSearcher } from '../../agent/detect/contents-search.js';
import {
  joined,
  layoutOf,
  type ReadBytes,
  type Span,
} from '../../agent/detect/executable-format.js';
import { findGoModule, readGoModule } from '../../agent/detect/go-module.js';
import type { FileFacts, Reader } from '../../agent/detect/index.js';
import { homesWorld } from '../../agent/detect/world.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { runs } from '../runs.js';
import { zip } from '../worlds/jetbrains.js';
import * as programs from '../worlds/programs.js';
import { anyBytes, foreignFile, mangled } from './mangled.js';

const readIn =
  (bytes: Buffer): ReadBytes =>
  (offset, length) =>
    offset < 0 || length < 0 ? null : bytes.subarray(offset, offset + length);

/** Holds that spans lie in order in the file, and part of each other nowhere. */
function expectInside(spans: readonly Span[], size: number): void {
  let end = 0;
  for (const { offset, length } of spans) {
    expect(offset).toBeGreaterThanOrEqual(end);
    expect(length).toBeGreaterThan(0);
    end = offset + length;
  }
  expect(end).toBeLessThanOrEqual(size);
}

// Not `v2`, which ends a module's path without being of its name.
const name = fc.stringMatching(/^[a-u][a-z0-9.-]{0,20}$/);
const version = fc.stringMatching(/^v\d{1,3}\.\d{1,3}\.\d{1,3}$/);

describe('program files', () => {
  const module = fc.tuple(name, name).map(([host, path]) => `${host}.example/${path}`);

  test('of Go name the module that they were built from', () => {
    fc.assert(
      fc.property(module, version, anyBytes, (path, built, noise) => {
        const info = programs.goInfo(path, built);
        const wanted = { path, version: built.slice(1) };
        expect(readGoModule(info)).toEqual(wanted);
        expect(findGoModule(Buffer.concat([noise, info, noise]))).toEqual(wanted);
        const program = programs.goProgram(path, built);
        const { kind, goInfo } = layoutOf(
          program.subarray(0, 4096),
          program.length,
          readIn(program),
        );
        expect(kind).toBe('elf');
        const { offset = 0, length = 0 } = goInfo ?? {};
        expect(readGoModule(program.subarray(offset, offset + length))).toEqual(wanted);
      }),
      runs(60),
    );
  });

  test('of macOS name their signer, alone or in a universal file', () => {
    const team = fc.option(fc.stringMatching(/^[A-Z0-9]{10}$/), { nil: null });
    fc.assert(
      fc.property(name, team, (identifier, signer) => {
        const program = programs.machO(programs.signature(identifier, signer));
        for (const file of [program, programs.universal(program)]) {
          const { kind, signature } = layoutOf(file.subarray(0, 4096), file.length, readIn(file));
          expect(kind).toBe('mach-o');
          const { offset = 0, length = 0 } = signature ?? {};
          const blob = file.subarray(offset, offset + length);
          expect(readCodeSignature(blob)).toEqual({ identifier, team: signer });
        }
      }),
      runs(60),
    );
  });

  test('that Bun compiled give their source and not its byte code', () => {
    const source = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(source, fc.nat(20_000), (text, bytecode) => {
        const file = programs.bunProgram(text, bytecode);
        const read = readIn(file);
        const { places } = layoutOf(file.subarray(0, 4096), file.length, read);
        const found = (bunSources(places, read) ?? []).map(({ offset, length }) =>
          file.toString('utf8', offset, offset + length),
        );
        expect(found).toEqual([text]);
      }),
      runs(60),
    );
  });

  const pe = Buffer.alloc(1024);
  pe.write('MZ');
  pe.writeUInt32LE(0x80, 0x3c);
  pe.write('PE\0\0', 0x80, 'latin1');
  pe.writeUInt16LE(2, 0x86);
  pe.write('.text\0\0\0.rdata\0\0', 0x98, 'latin1');
  const samples = [
    programs.goProgram('a.example/b', 'v1.2.3'),
    programs.machO(programs.signature('a.b', 'Q6L2SF6YDW'), 'text'),
    programs.universal(programs.machO(programs.signature('a.b', null))),
    programs.bunProgram('console.log(1)', 5000),
    pe,
    Buffer.from('#!/usr/bin/env node\n'),
  ];

  test('whose tables lie are searched within their own bytes', () => {
    const file = fc.oneof(anyBytes, ...samples.map((sample) => mangled(sample)));
    fc.assert(
      fc.property(file, (bytes) => {
        let asked = 0;
        const read: ReadBytes = (offset, length) => {
          asked += 1;
          return readIn(bytes)(offset, length);
        };
        const layout = layoutOf(bytes.subarray(0, 4096), bytes.length, read);
        if (bytes.length > 0) expectInside(layout.places, bytes.length);
        const sources = bunSources(layout.places, read);
        if (sources !== null) expectInside(sources, bytes.length);
        for (const place of [layout.goInfo, layout.signature]) {
          if (place === null) continue;
          const piece = bytes.subarray(place.offset, place.offset + place.length);
          expect(() => [readGoModule(piece), readCodeSignature(piece)]).not.toThrow();
        }
        expect(asked).toBeLessThan(60);
        findGoModule(bytes);
      }),
      runs(200),
    );
  });

  test('full of lines that begin a module’s are not looked at for ever', () => {
    expect(findGoModule(Buffer.from('\nmod\t'.repeat(1_000_000)))).toBeUndefined();
  });

  test('lie side by side when they are read together', () => {
    const span = fc.record({ offset: fc.nat(50_000), length: fc.integer({ min: -5, max: 9_000 }) });
    fc.assert(
      fc.property(fc.array(span, { maxLength: 12 }), (spans) => {
        const together = joined(spans);
        expectInside(together, 70_000);
        const holds = ({ offset, length }: Span): boolean =>
          together.some(
            (one) => one.offset <= offset && offset + length <= one.offset + one.length,
          );
        expect(spans.filter(({ length }) => length > 0).every(holds)).toBe(true);
      }),
      runs(150),
    );
  });
});

test('a signature of any bytes names plain text or nothing', () => {
  const sample = programs.signature('com.example.tool', 'Q6L2SF6YDW');
  fc.assert(
    fc.property(fc.oneof(mangled(sample), anyBytes), (bytes) => {
      let read: ReturnType<typeof readCodeSignature> = null;
      try {
        read = readCodeSignature(bytes);
      } catch (error) {
        // What points beyond the signature; its caller takes it for none.
        expect(error).toBeInstanceOf(RangeError);
      }
      for (const text of [read?.identifier, read?.team]) {
        if (typeof text === 'string') expect(text).toMatch(/^[\x21-\x7e]{1,200}$/);
      }
    }),
    runs(150),
  );
});

test('a searcher finds what a plain search finds, once for each place', () => {
  const letters = fc.constantFrom('a', 'b', 'c');
  const text = fc.string({ unit: letters, minLength: 8, maxLength: 14 });
  fc.assert(
    fc.property(
      fc.uniqueArray(text, { minLength: 1, maxLength: 6 }),
      fc.string({ unit: letters, maxLength: 400 }),
      (needles, filler) => {
        const hay = Buffer.from(filler + needles.join(filler.slice(0, 5)) + filler.slice(9));
        const found: [number, number][] = [];
        createSearcher(needles).search(hay, (index, at) => found.push([at, index]) > 0);
        const plain = needles.flatMap((needle, index) => {
          const places: [number, number][] = [];
          for (let at = hay.indexOf(needle); at !== -1; at = hay.indexOf(needle, at + 1)) {
            places.push([at, index]);
          }
          return places;
        });
        const ordered = (list: [number, number][]) =>
          list.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(ordered(found)).toEqual(ordered(plain));
      },
    ),
    runs(150),
  );
});

describe('an archive', () => {
  const wanted = 'META-INF/plugin.xml';
  const file = foreignFile('a.jar');
  afterAll(() => file.remove());
  const entry = fc.record({
    name: fc.oneof(name, fc.constantFrom(`${wanted}.bak`, 'META-INF/', 'plugin.xml')),
    content: anyBytes,
    isStored: fc.boolean(),
  });

  test('gives the entry that was put into it', () => {
    const comment = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 4 }),
        fc.array(entry, { maxLength: 3 }),
        anyBytes,
        fc.boolean(),
        comment,
        (before, after, content, isStored, note) => {
          const bytes = zip([...before, { name: wanted, content, isStored }, ...after], note);
          expect(readEntry(file.path, wanted, file.holding(bytes))).toEqual({
            kind: 'found',
            bytes: content,
          });
          expect(
            readEntry(file.path, wanted, file.holding(zip([...before, ...after], note))),
          ).toEqual({ kind: 'absent' });
        },
      ),
      runs(80),
    );
  });

  test('that was mangled gives its own entry, none or a refusal', () => {
    const honest = zip(
      [
        { name: 'a', content: 'x'.repeat(50) },
        { name: wanted, content: '<idea-plugin/>' },
      ],
      'note',
    );
    fc.assert(
      fc.property(fc.oneof(mangled(honest), anyBytes), (bytes) => {
        const reader = file.holding(bytes);
        const read = readEntry(file.path, wanted, reader);
        expect(reader.problems).toEqual([]);
        if (read.kind === 'found') expect(read.bytes.length).toBeLessThanOrEqual(maxEntryBytes);
        if (read.kind === 'failed') expect(['malformed', 'too-large']).toContain(read.code);
      }),
      runs(150),
    );
  });
});

test('a program that claims gigabytes of build information is read no further than it may be', () => {
  const huge = programs.goProgram('a.example/b', 'v1.2.3');
  // The section's length, in the table at the end: the row before the last, 32 bytes in.
  huge.writeBigUInt64LE(4n << 30n, huge.length - 128 + 32);
  const file = foreignFile('tool');
  try {
    const reader = file.holding(huge);
    fs.truncateSync(file.path, 5 * 1024 ** 3);
    const facts = reader.facts(file.path);
    let longest = 0;
    const part: Reader['part'] = (at, offset, length) => {
      longest = Math.max(longest, length);
      return reader.part(at, offset, length);
    };
    const world = homesWorld([path.dirname(file.path)], { catalogue: builtInCatalogue() });
    const watched = Object.create(reader, { part: { value: part } }) as Reader;
    identifyContents(file.path, facts as FileFacts, world, watched);
    expect(facts?.size).toBe(5 * 1024 ** 3);
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(16 * 1024 * 1024);
  } finally {
    file.remove();
  }
});
