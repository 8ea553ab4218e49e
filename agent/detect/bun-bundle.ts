/**
 * Where the source texts lie in a program that Bun has compiled: the table of modules at its end
 * (oven-sh/bun, `StandaloneModuleGraph`). Next to them lies their byte code, ten times as large and of
 * no use here. A table of an unknown form is no error: then the whole place is searched.
 */
import { joined, type ReadBytes, type Span } from './executable-format.js';

const trailer = Buffer.from('\n---- Bun! ----\n');
const offsetsBytes = 32;
const tailBytes = 32 * 1024;
const maxModules = 50_000;
/** A row of the table has grown over the years. */
const rowSizes = [52, 36, 44, 32];

/** The sources, adjoining ones together; null: not such a program, or a table of another form. */
export function bunSources(places: readonly Span[], read: ReadBytes): readonly Span[] | null {
  for (const { offset, length } of [...places].reverse().slice(0, 8)) {
    const from = offset + Math.max(0, length - tailBytes);
    const tail = read(from, Math.min(length, tailBytes));
    const at = tail?.lastIndexOf(trailer) ?? -1;
    if (tail === null || at < offsetsBytes) continue;
    const offsets = tail.subarray(at - offsetsBytes, at);
    return readTable(offsets, from + at - offsetsBytes, read);
  }
  return null;
}

function readTable(offsets: Buffer, end: number, read: ReadBytes): readonly Span[] | null {
  const total = Number(offsets.readBigUInt64LE(0));
  const [tableAt, tableBytes] = [offsets.readUInt32LE(8), offsets.readUInt32LE(12)];
  const base = end - total;
  if (base < 0 || tableAt + tableBytes > total || tableBytes > maxModules * 52) return null;
  const table = read(base + tableAt, tableBytes);
  if (table === null || table.length < tableBytes || tableBytes === 0) return null;
  for (const size of rowSizes) {
    const sources = tableBytes % size === 0 ? readRows(table, size, total) : null;
    if (sources !== null) {
      return joined(sources.map(({ offset, length }) => ({ offset: base + offset, length })));
    }
  }
  return null;
}

/** Each row begins with the places of the module's name and of its contents. */
function readRows(table: Buffer, size: number, total: number): Span[] | null {
  const spans: Span[] = [];
  for (let at = 0; at < table.length; at += size) {
    const [nameAt = 0, nameBytes = 0, offset = 0, length = 0] = [0, 4, 8, 12].map((field) =>
      table.readUInt32LE(at + field),
    );
    const isSound = nameAt + nameBytes <= total && offset + length <= total;
    if (!isSound || nameBytes === 0 || nameBytes > 4096) return null;
    spans.push({ offset, length });
  }
  return spans;
}
