/**
 * The text databases of dpkg, apk and pacman: which of the wanted packages they record, in which
 * version, and whether they are installed or only left as traces. A database is searched for the
 * wanted names and never taken apart as a whole. The files of a package are not looked at.
 * Formats: dpkg's status file (deb-control(5)), apk's installed database
 * (https://wiki.alpinelinux.org/wiki/Apk_spec), pacman's local database (libalpm, be_local.c).
 */
import type { Component, ComponentState } from '../../policies/component.js';
import type { Reader, Root, World } from './index.js';
import {
  distributionUrl,
  isWanted,
  isWholeChannel,
  packageComponent,
  wantedNames,
} from './packages-claim.js';

const maxDatabaseBytes = 64 * 1024 * 1024;
const maxRecordBytes = 256 * 1024;
const maxPackages = 20_000;

/** The records of a database, parted by empty lines, whose line `<key><name>` is wanted. */
export function recordsOf(
  text: string,
  key: string,
  names: ReadonlySet<string> | null,
): readonly string[] {
  if (names === null) return text.split('\n\n').slice(0, maxPackages);
  return [...names].flatMap((name) => {
    const line = `${key}${name}\n`;
    const found: string[] = [];
    for (let at = text.indexOf(line); at !== -1; at = text.indexOf(line, at)) {
      if (at > 0 && text[at - 1] !== '\n') {
        at += line.length;
        continue;
      }
      const before = text.lastIndexOf('\n\n', at);
      const after = text.indexOf('\n\n', at);
      found.push(text.slice(before === -1 ? 0 : before + 2, after === -1 ? undefined : after + 1));
      // A record is one package, whatever else in it says so: each is looked at once.
      at = after === -1 ? text.length : after;
    }
    return found;
  });
}

/** The rest of the line that begins with `key`. */
function fieldOf(record: string, key: string): string | null {
  const at = record.startsWith(key) ? 0 : record.indexOf(`\n${key}`) + 1;
  if (at === 0 && !record.startsWith(key)) return null;
  const end = record.indexOf('\n', at);
  const value = record.slice(at + key.length, end === -1 ? undefined : end).trim();
  return value === '' ? null : value;
}

/** The distribution as os-release(5) names it; purl namespaces are in lower case. */
export function distributionOf(reader: Reader, otherwise: string): string {
  for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
    const id = /^ID=["']?([\w.-]+)/m.exec(reader.text(file, maxRecordBytes) ?? '')?.[1];
    if (id !== undefined) return id.toLowerCase();
  }
  return otherwise;
}

export function readDpkg(root: Root, world: World, reader: Reader): readonly Component[] {
  const { join } = world.path;
  const names = isWholeChannel(world) ? null : wantedNames('dpkg', world);
  const status = join(root.path, 'status');
  const text = reader.text(status, maxDatabaseBytes);
  if (text === null ? isLost(root, world, reader) : !isWhole(text, /^Package:/m)) {
    reader.note(status, text === null ? 'vanished' : 'malformed');
  }
  // Images without dpkg itself keep one record a file.
  const parts = reader
    .list(join(root.path, 'status.d'))
    .filter(({ name, kind }) => kind === 'file' && (names === null || names.has(name)))
    .slice(0, maxPackages)
    .map(({ name }) => join(root.path, 'status.d', name));
  return [
    ...recordsOf(text ?? '', 'Package: ', names).map((record) => ({ file: status, record })),
    ...parts.map((file) => ({ file, record: reader.text(file, maxRecordBytes) ?? '' })),
  ].flatMap(({ file, record }) => dpkgComponent(file, record, world, reader) ?? []);
}

/** A database in lines ends with one; what was cut off may have been anything. */
const isWhole = (text: string, record: RegExp): boolean =>
  text.trim() === '' || (record.test(text) && text.endsWith('\n'));

/** dpkg renames the next database over this one: without it, what it keeps beside it says that it was here. */
function isLost(root: Root, { path }: World, reader: Reader): boolean {
  const isSet = reader.facts(path.join(root.path, 'status.d')) !== null;
  return !isSet && ['status-old', 'info'].some((name) => reader.facts(path.join(root.path, name)));
}

function dpkgComponent(
  file: string,
  record: string,
  world: World,
  reader: Reader,
): Component | null {
  const name = fieldOf(record, 'Package: ');
  const status = fieldOf(record, 'Status: ')?.split(' ').at(-1);
  const state = status === undefined ? 'installed' : dpkgState(status);
  if (name === null || state === null) return null;
  const version = fieldOf(record, 'Version: ');
  const arch = fieldOf(record, 'Architecture: ');
  const purl = distributionUrl('deb', distributionOf(reader, 'debian'), { name, version, arch });
  const evidence = [
    world.path.basename(world.path.dirname(file)) === 'status.d' ? 'status.d' : 'status',
  ];
  const found = { name, version, path: file, state, confidence: 'high', evidence, purl } as const;
  return packageComponent('dpkg', found, world);
}

/** dpkg's own word for how far a package is installed. */
function dpkgState(status: string): ComponentState | null {
  if (status === 'not-installed') return null;
  return status === 'config-files' ? 'residual' : 'installed';
}

export function readApk(root: Root, world: World, reader: Reader): readonly Component[] {
  const file = world.path.join(root.path, 'installed');
  const text = reader.text(file, maxDatabaseBytes);
  if (text === null) return [];
  if (!isWhole(text, /^P:/m)) reader.note(file, 'malformed');
  const names = isWholeChannel(world) ? null : wantedNames('apk', world);
  return recordsOf(text, 'P:', names).flatMap((record) => {
    const name = fieldOf(record, 'P:');
    if (name === null) return [];
    const version = fieldOf(record, 'V:');
    const arch = fieldOf(record, 'A:');
    const purl = distributionUrl('apk', distributionOf(reader, 'alpine'), { name, version, arch });
    const found = { name, version, path: file, evidence: ['installed'], purl } as const;
    return packageComponent('apk', { ...found, state: 'installed', confidence: 'high' }, world);
  });
}

/** The package that an entry of pacman's database is for: `<name>-<version>-<release>`. */
export function pacmanName(entry: string): string | null {
  return /^(.+)-[^-]+-[^-]+$/.exec(entry)?.[1] ?? null;
}

export function readPacman(root: Root, world: World, reader: Reader): readonly Component[] {
  return reader
    .list(root.path)
    .filter(({ kind }) => kind === 'dir')
    .flatMap(({ name: entry }) => {
      const named = pacmanName(entry);
      if (named === null || !isWanted('pacman', named, world)) return [];
      const file = world.path.join(root.path, entry, 'desc');
      const record = reader.text(file, maxRecordBytes);
      if (record === null) return [];
      const field = (key: string): string | null =>
        new RegExp(`^%${key}%\n(.+)$`, 'm').exec(record)?.[1]?.trim() ?? null;
      const name = field('NAME');
      if (name !== named) {
        reader.note(file, 'malformed');
        return [];
      }
      const version = field('VERSION');
      const address = { name, version, arch: field('ARCH') };
      const purl = distributionUrl('alpm', distributionOf(reader, 'arch'), address);
      const found = { name, version, path: root.path, evidence: ['desc'], purl } as const;
      return packageComponent(
        'pacman',
        { ...found, state: 'installed', confidence: 'high' },
        world,
      );
    });
}
