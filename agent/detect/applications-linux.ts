/**
 * Applications on Linux: menu entries by the id that the catalogue knows, and AppImages by the name of
 * their file. The entry is a pointer; the install is the program it starts, and an entry whose program
 * is gone is a trace. What flatpak, snap, Homebrew, npm or a vendor's installer put there belongs to
 * those channels and is not told again.
 */
import type { Tool } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import {
  commandOf,
  entriesOf,
  locate,
  maxEntryBytes,
  readEntry,
  systemEntries,
} from './applications-entry.js';
import { homeOf, makeComponent } from './component.js';
import type { Entry, FileFacts, Home, Reader, Root, World } from './index.js';
import { originOf, originOfScript } from './origin.js';
import { isOfPackage } from './packages-owner.js';

const maxEntries = 4_000;
/** Where people keep AppImages; a home's other folders are not looked through. */
export const imageFolders = ['Applications', 'AppImages', '.local/bin', 'bin'];
/** Where each often has a folder of its own, one level down. */
export const deepImageFolders = ['/opt', 'Applications', 'AppImages'];
const maxFolders = 200;

export function linuxRoots(world: World): readonly Root[] {
  const { join } = world.path;
  const rootOf = (path: string, home: Home | null, layout: 'entries' | 'images'): Root => ({
    id: `application:${path}`,
    channel: 'application',
    manager: layout === 'images' ? 'appimage' : 'desktop-entry',
    layout,
    path,
    home,
    boundary: boundaryOf(home, world),
    watch: [path],
  });
  const system = [
    ...systemEntries.map((path) => rootOf(path, null, 'entries')),
    rootOf('/opt', null, 'images'),
  ];
  return [
    ...(world.hasSystem ? system : []),
    ...world.homes.flatMap((home) => [
      rootOf(entriesOf(home, world), home, 'entries'),
      ...imageFolders.map((folder) => rootOf(join(home.path, folder), home, 'images')),
    ]),
  ];
}

/** A person's entry may start a program of the machine; the machine's never one of a person. */
function boundaryOf(home: Home | null, { hasSystem }: World): { readonly within: string[] } {
  const machine = hasSystem ? ['/opt', '/usr', '/var/lib/dpkg', '/var/lib/pacman', '/lib/apk'] : [];
  return { within: [...(home === null ? [] : [home.path]), ...machine] };
}

interface Place {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

export function readLinux(root: Root, world: World, reader: Reader): readonly Component[] {
  const place = { root, world, reader };
  const files = root.layout === 'images' ? imageFiles(place) : entryFiles(place);
  if (files.length > maxEntries) reader.note(root.path, 'too-many');
  const found = new Map<string, Component>();
  for (const file of files.slice(0, maxEntries)) {
    const component =
      root.layout === 'images' ? imageComponent(file, place) : entryComponent(file, place);
    if (component !== null) found.set(component.id, component);
  }
  return [...found.values()];
}

const isNoFolder = ({ kind }: Entry): boolean => kind === 'file' || kind === 'link';

const entryFiles = ({ root, world, reader }: Place): readonly string[] =>
  reader
    .list(root.path)
    .filter((entry) => isNoFolder(entry) && entry.name.endsWith('.desktop'))
    .map(({ name }) => world.path.join(root.path, name));

function imageFiles({ root, world, reader }: Place): readonly string[] {
  const { path } = world;
  const entries = reader.list(root.path);
  const below = path.relative(root.home?.path ?? '', root.path);
  const folders = deepImageFolders.includes(root.home === null ? root.path : below)
    ? entries.filter(({ kind, name }) => kind === 'dir' && !name.startsWith('.'))
    : [];
  if (folders.length > maxFolders) reader.note(root.path, 'too-many');
  const parted = folders.slice(0, maxFolders).map(({ name }) => path.join(root.path, name));
  return [
    { folder: root.path, entries },
    ...parted.map((folder) => ({ folder, entries: reader.list(folder) })),
  ].flatMap(({ folder, entries: listed }) =>
    listed
      .filter((entry) => isNoFolder(entry) && isImage(entry.name))
      .map(({ name }) => path.join(folder, name)),
  );
}

export const isImage = (name: string): boolean => /\.appimage$/i.test(name);

/** What builders put after name and version. */
const architecture = /[-_. ](?:x86_64|x64|amd64|aarch64|arm64|linux|universal)$/i;
const imageVersion = /[-_. ]v?(\d+(?:\.\d+)+)/i;

export interface ImageName {
  readonly id: string;
  readonly version: string | null;
}

/** `LM-Studio-0.3.30-4-x64.AppImage` is `lm-studio` of version 0.3.30. */
export function readImageName(file: string, world: World): ImageName | null {
  const name = world.path.basename(file);
  if (!isImage(name)) return null;
  let stem = name.slice(0, -'.appimage'.length);
  while (architecture.test(stem)) stem = stem.replace(architecture, '');
  const version = imageVersion.exec(stem);
  if (version !== null) stem = stem.slice(0, version.index);
  return { id: spelling(stem), version: version?.[1] ?? null };
}

const spelling = (name: string): string => name.toLowerCase().replace(/[\s_]+/g, '-');

function imageComponent(file: string, place: Place): Component | null {
  const { world, reader } = place;
  const name = readImageName(file, world);
  const tool = name === null ? null : world.catalogue.match('desktopFile', name.id);
  if (name === null || tool === null) return null;
  const program = programAt(file, place);
  return program === null || !isImage(program.real) ? null : ofImage(tool, program, place, 'file');
}

interface Program {
  readonly real: string;
  readonly facts: FileFacts;
}

/** The file behind a path, unless it is another person's or lies where this root may not look. */
function programAt(file: string, { root, world, reader }: Place): Program | null {
  const real = reader.realPath(file);
  const facts = real === null ? null : reader.target(file);
  if (real === null || facts?.kind !== 'file' || facts.size === 0) return null;
  const owner = homeOf(world, real);
  const isOurs = owner === null ? world.hasSystem : owner === root.home;
  if (!isOurs) reader.note(file, 'outside', false);
  return isOurs ? { real, facts } : null;
}

/** One record however an AppImage is come by: its menu entry, its folder, or a command on the PATH. */
function ofImage(
  tool: Tool,
  { real, facts }: Program,
  { world }: Place,
  proof: 'file' | 'desktop entry',
): Component {
  const name = readImageName(real, world);
  const isNamed = isNamedAs(tool, tool.id, real, world);
  return makeComponent(world, {
    tool: tool.id,
    channel: 'application',
    manager: 'appimage',
    name: tool.identifiers.desktopFile[0] ?? tool.id,
    version: name?.version ?? null,
    path: real,
    state: facts.isExecutable ? 'installed' : 'residual',
    confidence: !isNamed ? 'low' : proof === 'file' ? 'medium' : 'high',
    evidence: ['AppImage', ...(proof === 'file' ? [] : [proof])],
    publisher: null,
  });
}

function entryComponent(file: string, place: Place): Component | null {
  const { root, world, reader } = place;
  const id = world.path.basename(file, '.desktop');
  const claimed = world.catalogue.match('desktopFile', id);
  // Entries that people make for an AppImage have any name; a system's are as their package made them.
  if (claimed === null && (root.home === null || reader.facts(file)?.kind === 'link')) return null;
  const entry = readEntry(reader.text(file, maxEntryBytes));
  const command = entry === null ? null : commandOf(entry.get('Exec') ?? '');
  if (entry === null || command === null || entry.get('Hidden') === 'true') return null;
  const path = locate(command, { ...place, home: root.home });
  if (path === null) {
    const isLeft = claimed !== null && isNamedAs(claimed, id, command, world);
    return isLeft ? trace(file, id, claimed, world) : null;
  }
  const program = programAt(path, place);
  if (program === null) return null;
  const image = isImage(program.real) ? readImageName(program.real, world) : null;
  const tool = (image === null ? null : world.catalogue.match('desktopFile', image.id)) ?? claimed;
  if (tool === null) return null;
  if (image !== null) return ofImage(tool, program, place, 'desktop entry');
  return isNamedAs(tool, id, program.real, world) ? ofProgram(tool, id, program, place) : null;
}

/** An entry that is left of a program. */
function trace(file: string, id: string, tool: Tool, world: World): Component {
  return makeComponent(world, {
    tool: tool.id,
    channel: 'application',
    manager: 'desktop-entry',
    name: id,
    version: null,
    path: file,
    state: 'residual',
    confidence: 'medium',
    evidence: ['desktop entry'],
    publisher: null,
  });
}

/** An id alone may be anybody's: the program must bear a name of the tool too. */
function isNamedAs(tool: Tool, id: string, program: string, world: World): boolean {
  const { desktopFile, command, genericCommand } = tool.identifiers;
  const names = [id, ...desktopFile, ...command, ...genericCommand].map(spelling);
  const image = readImageName(program, world);
  const stem = spelling(world.path.basename(program).replace(/\.(sh|bin)$/, ''));
  return names.includes(stem) || (image !== null && names.includes(image.id));
}

/** Whether a program is nobody else's to tell: a file by itself, or in a folder of the tool's own vendor. */
export function isEntryProgram(tool: Tool, real: string, world: World, reader: Reader): boolean {
  const origin = originOf(real, world, reader);
  return (
    origin.kind === 'file' ||
    (origin.kind === 'vendor' && origin.tool === tool && origin.folder.bundled !== true)
  );
}

function ofProgram(tool: Tool, id: string, program: Program, place: Place): Component | null {
  const { world, reader } = place;
  const { real, facts } = program;
  if (!facts.isExecutable || !isEntryProgram(tool, real, world, reader)) return null;
  if (originOfScript(real, facts.size, reader) !== 'file') return null;
  if (isOfPackage(tool, real, world, reader)) return null;
  const folder = world.path.dirname(real);
  const manifests = [folder, world.path.dirname(folder)].map((parent) =>
    world.path.join(parent, 'resources', 'app', 'package.json'),
  );
  const record = manifests.map((file) => reader.json(file)).find((value) => value !== undefined);
  const stated =
    typeof record === 'object' && record !== null && 'version' in record ? record.version : null;
  return makeComponent(world, {
    tool: tool.id,
    channel: 'application',
    manager: 'desktop-entry',
    name: tool.identifiers.desktopFile[0] ?? id,
    version: typeof stated === 'string' && stated !== '' ? stated : null,
    path: real,
    state: 'installed',
    confidence: 'medium',
    evidence: ['desktop entry', ...(typeof stated === 'string' ? ['package.json'] : [])],
    publisher: null,
  });
}
