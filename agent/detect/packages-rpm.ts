/**
 * The database of rpm in the forms it has today: SQLite (Fedora, RHEL since 9) and rpm's own `ndb`
 * (openSUSE). Which packages there are is asked of the list of names, and only the headers of wanted
 * ones are read. The Berkeley DB of older systems is not read; the root says so and is never clean.
 * Formats: rpm's lib/backend/sqlite.c and lib/backend/ndb/rpmpkg.c.
 */
import type { Component } from '../../policies/component.js';
import type { Reader, Root, World } from './index.js';
import {
  distributionUrl,
  isWholeChannel,
  packageComponent,
  wantedNames,
} from './packages-claim.js';
import { distributionOf } from './packages-databases.js';
import { readRpmHeader, type RpmHeader } from './rpm-header.js';
import { openSqlite } from './sqlite-file.js';

/** Where rpm keeps its database; on newer systems one is a link to the other. */
export const rpmFolders: readonly string[] = ['/var/lib/rpm', '/usr/lib/sysimage/rpm'];

/** null: of every package. */
type Names = ReadonlySet<string> | null;

interface Database {
  readonly file: string;
  readonly headers: readonly RpmHeader[];
}

export function readRpm(root: Root, world: World, reader: Reader): readonly Component[] {
  const names = isWholeChannel(world) ? null : wantedNames('rpm', world);
  const database = rpmHeaders(root.path, names, reader);
  if (database === null) return [];
  // Keys of repositories are kept as packages of this name.
  return database.headers
    .filter(({ name }) => name !== 'gpg-pubkey')
    .map((header) => componentOf(header, database.file, world, reader));
}

function componentOf(
  { name, version, release, epoch, arch }: RpmHeader,
  file: string,
  world: World,
  reader: Reader,
): Component {
  const inUrl = version === null || release === null ? version : `${version}-${release}`;
  const whole = inUrl === null || epoch === null ? inUrl : `${epoch}:${inUrl}`;
  const address = { name, version: inUrl, arch, epoch };
  return packageComponent(
    'rpm',
    {
      name,
      version: whole,
      path: file,
      state: 'installed',
      confidence: 'high',
      evidence: [world.path.basename(file)],
      purl: distributionUrl('rpm', distributionOf(reader, ''), address),
    },
    world,
  );
}

/** The headers of the wanted packages of a folder's database; null when there is none to read. */
export function rpmHeaders(folder: string, names: Names, reader: Reader): Database | null {
  const sqlite = `${folder}/rpmdb.sqlite`;
  if (reader.facts(sqlite) !== null) {
    return { file: sqlite, headers: sqliteHeaders(sqlite, names, reader) };
  }
  const ndb = `${folder}/Packages.db`;
  if (reader.facts(ndb) !== null) return { file: ndb, headers: ndbHeaders(ndb, names, reader) };
  const berkeley = `${folder}/Packages`;
  if (reader.facts(berkeley) !== null) reader.note(berkeley, 'unsupported');
  return null;
}

/** Enough of a header to hold its index of tags and what comes first in its store. */
const startBytes = 16 * 1024;
const maxBlobBytes = 32 * 1024 * 1024;
const maxPackages = 20_000;

/** `Packages` holds a header per number, `Name` the numbers of each name (lib/backend/sqlite.c). */
function sqliteHeaders(file: string, names: Names, reader: Reader): readonly RpmHeader[] {
  const database = openSqlite(file, reader);
  if (database === null) return [];
  const found: RpmHeader[] = [];
  const take = (blob: unknown): void => {
    const header = Buffer.isBuffer(blob) ? readRpmHeader(blob) : null;
    if (header === null) reader.note(file, 'malformed');
    else found.push(header);
  };
  if (names === null) {
    const outcome = database.each('Packages', (row) => {
      if (found.length >= maxPackages) return 'stop';
      const start = row.start(1, startBytes);
      take(start === null || readRpmHeader(start) === null ? row.value(1) : start);
      return undefined;
    });
    if (outcome !== 'read' && outcome !== 'damaged') reader.note(file, 'malformed');
    return found;
  }
  const numbers = new Set<number | bigint>();
  const outcome = database.each('Name', (row) => {
    const [name, number] = [row.value(0), row.value(1)];
    const isWanted = typeof name === 'string' && names.has(name);
    if (isWanted && (typeof number === 'number' || typeof number === 'bigint')) numbers.add(number);
  });
  if (outcome !== 'read' && outcome !== 'damaged') reader.note(file, 'malformed');
  for (const number of numbers) take(database.row('Packages', number)?.[1]);
  return found.filter(({ name }) => names.has(name));
}

const slotBytes = 16;
const blockBytes = 16;
const pageBytes = 4096;
const headerBytes = 32;
const maxSlotPages = 256;

/** Numbers in the file are little-endian, so its words read in order. */
const word = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, at + 4);

/** Slots at the start say where each package's block of bytes lies; there is no list of names. */
function ndbHeaders(file: string, names: Names, reader: Reader): readonly RpmHeader[] {
  const start = reader.part(file, 0, headerBytes);
  if (start === null) return [];
  const pages = start.bytes.length < headerBytes ? 0 : start.bytes.readUInt32LE(12);
  const isKnown = pages > 0 && word(start.bytes, 0) === 'RpmP' && start.bytes.readUInt32LE(4) === 0;
  if (!isKnown || pages > maxSlotPages) {
    reader.note(file, isKnown ? 'too-large' : 'malformed');
    return [];
  }
  const slots = reader.part(file, 0, pages * pageBytes)?.bytes ?? Buffer.alloc(0);
  const found: RpmHeader[] = [];
  for (let at = headerBytes; at + slotBytes <= slots.length; at += slotBytes) {
    const block = slots.readUInt32LE(at + 8);
    if (block === 0) continue;
    const header = blockHeader(file, block * blockBytes, names, reader);
    if (word(slots, at) !== 'Slot' || header === null) reader.note(file, 'malformed');
    else if (header !== 'unwanted') found.push(header);
  }
  if (slots.length < pages * pageBytes) reader.note(file, 'malformed');
  return found.slice(0, maxPackages);
}

/** A block is `BlbS`, the package's number, a time, the length, and so many bytes. */
function blockHeader(
  file: string,
  offset: number,
  names: Names,
  reader: Reader,
): RpmHeader | 'unwanted' | null {
  const head = slotBytes;
  const start = reader.part(file, offset, head + startBytes)?.bytes;
  if (start === undefined || start.length < head || word(start, 0) !== 'BlbS') return null;
  const length = start.readUInt32LE(12);
  if (length > maxBlobBytes) return null;
  const first = readRpmHeader(start.subarray(head, head + length));
  if (first !== null && names !== null && !names.has(first.name)) return 'unwanted';
  if (first !== null && (names === null || length <= startBytes)) return first;
  const whole = readRpmHeader(reader.part(file, offset + head, length)?.bytes ?? Buffer.alloc(0));
  return whole === null || names === null || names.has(whole.name) ? whole : 'unwanted';
}
