/**
 * What a disk may hold in place of what a program wrote: any bytes, any text, and samples that were cut,
 * overwritten, stretched or given another number somewhere. `foreignFile` puts bytes where the real reader
 * finds them, so that nothing stands in for the disk.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { ownDisk } from '../../agent/detect/disk.js';
import type { Reader } from '../../agent/detect/index.js';
import { createReader } from '../../agent/detect/reader.js';

export const anyBytes: fc.Arbitrary<Buffer> = fc
  .uint8Array({ maxLength: 300 })
  .map((bytes) => Buffer.from(bytes));

export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 120 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);

/** Text put together from pieces that mean something to a format. */
export function pieces(list: readonly string[], maxLength = 40): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...list), { maxLength }).map((all) => all.join(''));
}

type Change =
  | { readonly kind: 'bytes' | 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'number'; readonly at: number; readonly width: number; readonly value: bigint }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number };

/** Numbers at which lengths, counts and offsets go wrong. */
const edges = [0, 1, 2, 8, 0x1f, 0x20, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff].map(
  BigInt,
);
const wide = [0x80000000n, 0xfffffff0n, 0xffffffffn, 1n << 53n, (1n << 63n) - 1n, (1n << 64n) - 1n];

/** A sample with a few changes; places are likelier near its start and its end, where headers lie. */
export function mangled(sample: Buffer): fc.Arbitrary<Buffer> {
  const last = Math.max(sample.length - 1, 0);
  const at = fc.oneof(
    fc.nat(last),
    fc.nat(Math.min(last, 128)),
    fc.nat(Math.min(last, 64)).map((back) => last - back),
  );
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 });
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant('bytes' as const), at, bytes }),
    fc.record({
      kind: fc.constant('number' as const),
      at,
      width: fc.constantFrom(1, 2, 4, 8, -2, -4, -8),
      value: fc.constantFrom(...edges, ...wide, BigInt(sample.length), BigInt(last)),
    }),
    fc.record({ kind: fc.constant('insert' as const), at, bytes }),
    fc.record({ kind: fc.constant('cut' as const), at }),
    fc.record({ kind: fc.constant('repeat' as const), at, length: fc.nat(64) }),
  );
  return fc.array(change, { minLength: 1, maxLength: 5 }).map((all) => all.reduce(changed, sample));
}

export const mangledText = (sample: string): fc.Arbitrary<string> =>
  mangled(Buffer.from(sample)).map((bytes) => bytes.toString('utf8'));

function changed(sample: Buffer, change: Change): Buffer {
  const { at } = change;
  if (change.kind === 'cut') return sample.subarray(0, at);
  const [before, after] = [sample.subarray(0, at), sample.subarray(at)];
  if (change.kind === 'insert') return Buffer.concat([before, change.bytes, after]);
  if (change.kind === 'repeat') {
    return Buffer.concat([before, after.subarray(0, change.length), after]);
  }
  const copy = Buffer.from(sample);
  const written = change.kind === 'number' ? numberBytes(change.value, change.width) : change.bytes;
  copy.set(written.subarray(0, Math.max(copy.length - at, 0)), Math.min(at, copy.length));
  return copy;
}

/** Little-endian, or big-endian for a width below zero. */
function numberBytes(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  const part = bytes.subarray(0, Math.abs(width));
  return width < 0 ? Buffer.from(part).reverse() : part;
}

export interface ForeignFile {
  readonly path: string;
  /** A reader that has read nothing yet, with these bytes in the file. */
  holding(bytes: Buffer | string): Reader;
  remove(): void;
}

/** A file in a folder of its own. */
export function foreignFile(name: string): ForeignFile {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-mangled-')));
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return {
    path: file,
    holding(bytes) {
      fs.writeFileSync(file, bytes);
      const boundary = { within: [folder] };
      return createReader({ boundary, disk: ownDisk, platform: 'linux' });
    },
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
