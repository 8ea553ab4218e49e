/**
 * Where the telling parts of a program file lie: its Go build information, its macOS code signature,
 * and the places that may hold text. Code, debugging records and symbols are left out, so that a big
 * program is searched at a fraction of its size. A file whose tables do not hold is searched whole.
 */

/** A piece of a file. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface Layout {
  readonly kind: 'elf' | 'mach-o' | 'pe' | 'text' | 'other';
  /** Where the Go tools put the build information, if the program has such a place. */
  readonly goInfo: Span | null;
  /** The superblob of a Mach-O file. */
  readonly signature: Span | null;
  /** What may hold text, in order. */
  readonly places: readonly Span[];
}

/** Bytes of the file: fewer where it ends, null where it cannot be read. */
export type ReadBytes = (offset: number, length: number) => Buffer | null;

const maxSections = 512;
const maxTableBytes = 512 * 1024;

/** What a file is by its first bytes, and where to look in it. */
export function layoutOf(head: Buffer, size: number, read: ReadBytes): Layout {
  const whole = [{ offset: 0, length: size }];
  const none = { goInfo: null, signature: null, places: whole };
  const magic = head.length < 4 ? 0 : head.readUInt32BE(0);
  try {
    if (magic === 0x7f454c46) return elf(head, size, read) ?? { kind: 'elf', ...none };
    if (magic === machO64) return machO({ offset: 0, length: size }, read, none.places);
    if (magic === 0xcafebabe) return universal(head, size, read) ?? { kind: 'other', ...none };
    if (magic >>> 16 === 0x4d5a) return pe(head, size, read) ?? { kind: 'pe', ...none };
  } catch (error) {
    // A table that points beyond what was read: no reader of this format would take it.
    if (!(error instanceof RangeError)) throw error;
  }
  const isText = head.length > 0 && !head.subarray(0, 1024).includes(0);
  return { kind: isText ? 'text' : 'other', ...none };
}

/** The part of a list of spans that lies in the file. */
function clipped(spans: readonly Span[], size: number): readonly Span[] {
  return joined(
    spans
      .filter(({ offset }) => offset >= 0)
      .map(({ offset, length }) => ({ offset, length: Math.min(length, size - offset) })),
  );
}

/** Spans in order, without empty ones; those that lie side by side are read together. */
export function joined(spans: readonly Span[]): readonly Span[] {
  const all: { offset: number; length: number }[] = [];
  for (const { offset, length } of [...spans].sort((a, b) => a.offset - b.offset)) {
    if (length <= 0) continue;
    const last = all.at(-1);
    if (last !== undefined && offset - (last.offset + last.length) < 4096) {
      last.length = Math.max(last.length, offset + length - last.offset);
    } else all.push({ offset, length });
  }
  return all;
}

const number64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

function textAt(bytes: Buffer, from: number, length: number): string {
  const piece = bytes.subarray(from, from + length);
  const end = piece.indexOf(0);
  return piece.subarray(0, end === -1 ? piece.length : end).toString('latin1');
}

/** ELF, 64 bits, little-endian (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.sheader.html). */
function elf(head: Buffer, size: number, read: ReadBytes): Layout | null {
  if (head[4] !== 2 || head[5] !== 1) return null;
  const tableAt = number64(head, 0x28);
  const [entryBytes, count, namesIndex] = [0x3a, 0x3c, 0x3e].map((at) => head.readUInt16LE(at));
  if (entryBytes !== 64 || count === undefined || count < 2 || count > maxSections) return null;
  const table = read(tableAt, count * 64);
  if (table?.length !== count * 64 || namesIndex === undefined || namesIndex >= count) return null;
  const sections = Array.from({ length: count }, (_, index) => {
    const at = index * 64;
    return {
      nameAt: table.readUInt32LE(at),
      type: table.readUInt32LE(at + 4),
      flags: number64(table, at + 8),
      offset: number64(table, at + 24),
      length: number64(table, at + 32),
    };
  });
  const namesSpan = sections[namesIndex];
  const names = read(namesSpan?.offset ?? 0, Math.min(namesSpan?.length ?? 0, maxTableBytes));
  if (names === null) return null;
  const named = sections.map((section) => ({
    ...section,
    name: textAt(names, section.nameAt, 64),
  }));
  const stored = named.filter(({ type }) => type !== 0 && type !== 8);
  const isCode = (flags: number): boolean => (flags & 4) !== 0;
  const kept = stored.filter(
    ({ type, flags, name }) =>
      (type === 1 || type === 7) && !isCode(flags) && !/^\.(debug|eh_frame|gcc_except)/.test(name),
  );
  const ends = stored.map(({ offset, length }) => offset + length);
  const end = Math.max(tableAt + count * 64, ...ends);
  // "AI" in the header: what follows the program is a compressed file system.
  const isImage = head[8] === 0x41 && head[9] === 0x49;
  const rest = isImage ? [] : [{ offset: end, length: size - end }];
  return {
    kind: 'elf',
    goInfo: named.find(({ name }) => name === '.go.buildinfo') ?? null,
    signature: null,
    places: clipped([...kept, ...rest], size),
  };
}

const machO64 = 0xcffaedfe;

/** The first 64-bit program of a universal file; numbers are big-endian. A Java class has the same magic. */
function universal(head: Buffer, size: number, read: ReadBytes): Layout | null {
  const count = head.readUInt32BE(4);
  if (count === 0 || count > 16) return null;
  for (let index = 0; index < count; index += 1) {
    const at = 8 + index * 20;
    const slice = { offset: head.readUInt32BE(at + 8), length: head.readUInt32BE(at + 12) };
    if (slice.length === 0 || slice.offset + slice.length > size) return null;
    if (read(slice.offset, 4)?.readUInt32BE(0) === machO64) return machO(slice, read, [slice]);
  }
  return null;
}

/** Mach-O, 64 bits, little-endian (`mach-o/loader.h` of Apple's cctools). */
function machO(slice: Span, read: ReadBytes, whole: readonly Span[]): Layout {
  const head = read(slice.offset, 32);
  const none: Layout = { kind: 'mach-o', goInfo: null, signature: null, places: whole };
  const commandBytes = head?.length === 32 ? head.readUInt32LE(20) : 0;
  const commands = read(slice.offset + 32, Math.min(commandBytes, maxTableBytes));
  if (head === null || commands === null || commandBytes === 0) return none;
  let signature: Span | null = null;
  let goInfo: Span | null = null;
  const places: Span[] = [];
  let at = 0;
  for (let left = head.readUInt32LE(16); left > 0 && at + 8 <= commands.length; left -= 1) {
    const [command, length] = [commands.readUInt32LE(at), commands.readUInt32LE(at + 4)];
    if (length < 8 || at + length > commands.length) break;
    if (command === 0x1d) {
      signature = {
        offset: slice.offset + commands.readUInt32LE(at + 8),
        length: commands.readUInt32LE(at + 12),
      };
    } else if (command === 0x19) {
      for (const section of sectionsOf(commands.subarray(at, at + length), slice.offset)) {
        if (section.name === '__go_buildinfo') goInfo = section;
        if (!section.isCode) places.push(section);
      }
    }
    at += length;
  }
  const kept = clipped(places, slice.offset + slice.length);
  return { kind: 'mach-o', goInfo, signature, places: kept.length === 0 ? whole : kept };
}

/** The sections of a segment; a segment that holds bytes without sections is one itself. */
function sectionsOf(
  segment: Buffer,
  start: number,
): readonly (Span & { readonly name: string; readonly isCode: boolean })[] {
  const count = Math.min(segment.readUInt32LE(64), Math.floor((segment.length - 72) / 80));
  return Array.from({ length: count }, (_, index) => {
    const at = 72 + index * 80;
    const offset = segment.readUInt32LE(at + 48);
    return {
      name: textAt(segment, at, 16),
      isCode: segment.readUInt32LE(at + 64) >= 0x8000_0000,
      // Zero: the section is made in memory.
      offset: offset === 0 ? -1 : start + offset,
      length: number64(segment, at + 40),
    };
  });
}

/** PE (https://learn.microsoft.com/windows/win32/debug/pe-format). */
function pe(head: Buffer, size: number, read: ReadBytes): Layout | null {
  const at = head.readUInt32LE(0x3c);
  const header = read(at, 24);
  if (header?.length !== 24 || header.readUInt32BE(0) !== 0x50450000) return null;
  const count = header.readUInt16LE(6);
  const table = read(at + 24 + header.readUInt16LE(20), count * 40);
  if (count === 0 || count > 96 || table?.length !== count * 40) return null;
  const sections = Array.from({ length: count }, (_, index) => ({
    name: textAt(table, index * 40, 8),
    isCode: (table.readUInt32LE(index * 40 + 36) & 0x2000_0020) !== 0,
    offset: table.readUInt32LE(index * 40 + 20),
    length: table.readUInt32LE(index * 40 + 16),
  }));
  const end = Math.max(...sections.map(({ offset, length }) => offset + length));
  const kept = sections.filter(({ isCode }) => !isCode);
  // Go has no section of its own here: the information is at the start of the initialized data.
  const initialized = sections.find(({ name }) => name === '.data');
  return {
    kind: 'pe',
    goInfo: initialized === undefined ? null : { ...initialized, length: 64 * 1024 },
    signature: null,
    places: clipped([...kept, { offset: end, length: size - end }], size),
  };
}
