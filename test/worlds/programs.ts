/**
 * Builds small program files with the tables of real ones: ELF with the Go linker's build information,
 * Mach-O with a code signature, a program that Bun has compiled. None of them can be run.
 */

const section = (
  name: number,
  type: number,
  flags: number,
  offset: number,
  size: number,
): Buffer => {
  const row = Buffer.alloc(64);
  row.writeUInt32LE(name, 0);
  row.writeUInt32LE(type, 4);
  row.writeBigUInt64LE(BigInt(flags), 8);
  row.writeBigUInt64LE(BigInt(offset), 24);
  row.writeBigUInt64LE(BigInt(size), 32);
  return row;
};

export interface Section {
  readonly name: string;
  readonly bytes: Buffer;
  readonly isCode?: boolean;
}

/** An ELF file of these sections, in this order. */
export function elf(sections: readonly Section[]): Buffer {
  const header = Buffer.alloc(64);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]).copy(header);
  const names = Buffer.from(`\0${[...sections.map(({ name }) => name), '.shstrtab'].join('\0')}\0`);
  const nameAt = (name: string): number => names.indexOf(`\0${name}\0`) + 1;
  const all = [...sections, { name: '.shstrtab', bytes: names }];
  let offset = header.length;
  const rows = all.map(({ name, bytes, ...rest }) => {
    const flags = 'isCode' in rest && rest.isCode === true ? 6 : 2;
    const type = name === '.shstrtab' ? 3 : 1;
    const row = section(nameAt(name), type, flags, offset, bytes.length);
    offset += bytes.length;
    return row;
  });
  header.writeBigUInt64LE(BigInt(offset), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(all.length + 1, 0x3c);
  header.writeUInt16LE(all.length, 0x3e);
  return Buffer.concat([header, ...all.map(({ bytes }) => bytes), Buffer.alloc(64), ...rows]);
}

/** A length as Go writes it, then the text between the marks that the linker puts around it. */
function counted(text: Buffer): Buffer {
  const digits: number[] = [];
  for (let left = text.length; ; left >>>= 7) {
    digits.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
    if (left < 0x80) break;
  }
  return Buffer.concat([Buffer.from(digits), text]);
}

export const moduleText = (module: string, version: string): string =>
  `path\t${module}/cmd/tool\nmod\t${module}\t${version}\th1:x=\ndep\tgithub.com/spf13/cobra\tv1.9.1\th1:y=\nbuild\t-compiler=gc\n`;

/** The build information of a Go program since Go 1.18. */
export function goInfo(module: string, version: string): Buffer {
  const head = Buffer.alloc(32);
  head.write('\xff Go buildinf:', 'latin1');
  head[14] = 8;
  head[15] = 2;
  const start = Buffer.from('3077af0c9274080241e1c107e6d618e6', 'hex');
  const end = Buffer.from('f932433186182072008242104116d8f2', 'hex');
  const text = Buffer.concat([start, Buffer.from(moduleText(module, version)), end]);
  return Buffer.concat([head, counted(Buffer.from('go1.25.3')), counted(text)]);
}

export const goProgram = (module: string, version: string): Buffer =>
  elf([
    { name: '.text', bytes: Buffer.alloc(512, 0xc3), isCode: true },
    { name: '.go.buildinfo', bytes: goInfo(module, version) },
  ]);

/** The superblob of a signature with one code directory. */
export function signature(identifier: string, team: string | null): Buffer {
  const names = Buffer.from(`${identifier}\0${team === null ? '' : `${team}\0`}`);
  const directory = Buffer.alloc(88);
  directory.writeUInt32BE(0xfade0c02, 0);
  directory.writeUInt32BE(88 + names.length, 4);
  directory.writeUInt32BE(0x20500, 8);
  directory.writeUInt32BE(88, 20);
  directory.writeUInt32BE(team === null ? 0 : 88 + identifier.length + 1, 48);
  const head = Buffer.alloc(20);
  head.writeUInt32BE(0xfade0cc0, 0);
  head.writeUInt32BE(20 + 88 + names.length, 4);
  head.writeUInt32BE(1, 8);
  head.writeUInt32BE(20, 16);
  return Buffer.concat([head, directory, names]);
}

/** A Mach-O program for one processor with that signature at its end. */
export function machO(blob: Buffer, text = ''): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(0xfeedfacf, 0);
  head.writeUInt32LE(1, 16);
  head.writeUInt32LE(16, 20);
  const body = Buffer.concat([Buffer.alloc(4096), Buffer.from(text)]);
  const command = Buffer.alloc(16);
  command.writeUInt32LE(0x1d, 0);
  command.writeUInt32LE(16, 4);
  command.writeUInt32LE(48 + body.length, 8);
  command.writeUInt32LE(blob.length, 12);
  return Buffer.concat([head, command, body, blob]);
}

/** A universal file with that program in it. */
export function universal(program: Buffer): Buffer {
  const head = Buffer.alloc(4096);
  head.writeUInt32BE(0xcafebabe, 0);
  head.writeUInt32BE(1, 4);
  head.writeUInt32BE(4096, 16);
  head.writeUInt32BE(program.length, 20);
  return Buffer.concat([head, program]);
}

/** A program compiled by Bun: `bytecode` bytes of no use beside the source, and the table at the end. */
export function bunProgram(source: string, bytecode: number): Buffer {
  const name = Buffer.from('/$bunfs/root/cli.js');
  const payload = Buffer.concat([name, Buffer.from(source), Buffer.alloc(bytecode, 7)]);
  const row = Buffer.alloc(52);
  row.writeUInt32LE(name.length, 4);
  row.writeUInt32LE(name.length, 8);
  row.writeUInt32LE(Buffer.byteLength(source), 12);
  const offsets = Buffer.alloc(32);
  offsets.writeBigUInt64LE(BigInt(payload.length + row.length), 0);
  offsets.writeUInt32LE(payload.length, 8);
  offsets.writeUInt32LE(row.length, 12);
  const graph = Buffer.concat([payload, row, offsets, Buffer.from('\n---- Bun! ----\n')]);
  return elf([
    { name: '.rodata', bytes: Buffer.alloc(2048) },
    { name: '.bun', bytes: graph },
  ]);
}
