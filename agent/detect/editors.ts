/**
 * Extensions of the VS Code family, as the editor itself decides what it loads: `extensions.json` and
 * the lists of named profiles first, `.obsolete` honoured. A folder that no list names is not an
 * install; only where there is no list at all do the folders speak, with less confidence. Nothing
 * outside the extensions folder is opened but the profile lists and their state. What a person has
 * switched off is `disabled` (`editor-state.ts`).
 * Formats: microsoft/vscode, extensionsProfileScannerService.ts and extensionsScannerService.ts.
 */
import type { Component } from '../../policies/component.js';
import { confidenceOf, extensionSigns, mayHaveExtensionSigns, type Signs } from './candidates.js';
import { makeComponent, toolOf } from './component.js';
import { morePlaces, userFolderOf } from './editor-places.js';
import { isProgramRoot, programRoots, readProgram, settingsFolder } from './editor-programs.js';
import { offSwitch } from './editor-state.js';
import type { Detector, Home, Reader, Root, World } from './index.js';

const maxEntries = 4_000;
const maxProfiles = 200;

/** One line of a list: which folder holds which extension. */
interface Listed {
  readonly id: string;
  readonly version: string | null;
  readonly folder: string;
}

/** An extension with every list that names it. */
interface Install extends Listed {
  readonly lists: readonly string[];
}

export const editors: Detector = {
  channel: 'editor-extension',
  roots: (world) => [
    ...world.homes.flatMap((home) => rootsOfHome(home, world)),
    ...programRoots(world),
  ],
  read: (root, world, reader) =>
    isProgramRoot(root) ? readProgram(root, world, reader) : readRoot(root, world, reader),
};

function rootsOfHome(home: Home, world: World): readonly Root[] {
  const boundary = { within: [home.path] };
  const reader = world.reader(boundary);
  const known = new Set(world.catalogue.editors.map((editor) => editor.homeFolder));
  const places = [
    ...world.catalogue.editors.map((editor) => ({ manager: editor.id, folder: editor.homeFolder })),
    ...unknownEditors(home, world, { reader, known }).map((folder) => ({
      manager: `unknown:${folder}`,
      folder,
    })),
  ];
  const seen = new Set<string>();
  const roots: Root[] = [];
  const own = places.map(({ manager, folder }) => {
    return { manager, path: world.path.join(home.path, folder, 'extensions') };
  });
  const more = morePlaces(home, world).map((place) => ({ ...place, path: place.extensions }));
  for (const { manager, path } of [...own, ...more]) {
    const real = reader.realPath(path) ?? path;
    if (seen.has(real)) continue;
    seen.add(real);
    const watch = [path, ...profileLists(home, world, { reader, manager, path }).map((p) => p.at)];
    const id = `editor-extension:${path}`;
    roots.push({ id, channel: 'editor-extension', manager, path, home, boundary, watch });
  }
  return roots;
}

/** Dot folders of the home that have the shape of an editor's folder and are in no catalogue. */
function unknownEditors(
  home: Home,
  world: World,
  { reader, known }: { reader: Reader; known: ReadonlySet<string> },
): readonly string[] {
  return reader
    .list(home.path)
    .filter(
      (entry) => entry.name.startsWith('.') && (entry.kind === 'dir' || entry.kind === 'link'),
    )
    .filter((entry) => !known.has(entry.name))
    .map((entry) => entry.name)
    .filter((name) => {
      const extensions = world.path.join(home.path, name, 'extensions');
      const list = world.path.join(extensions, 'extensions.json');
      if (reader.facts(list)?.kind === 'file') return true;
      return (
        reader.facts(extensions)?.kind === 'dir' &&
        reader
          .list(extensions)
          .slice(0, maxUnlisted)
          .some((entry) => entry.kind === 'dir' && unpackedName.test(entry.name))
      );
    });
}

/** Entries looked at to tell an editor's folder by. */
const maxUnlisted = 200;
/** How every editor of the family names the folder of an extension. */
const unpackedName = /^[a-z0-9][\w-]*\.[a-z0-9][\w.-]*-\d+\.\d+\.\d+(-[\w-]+)?$/i;

function readRoot(root: Root, world: World, reader: Reader): readonly Component[] {
  if (root.home === null) return [];
  const join = world.path.join;
  const manifest = join(root.path, 'extensions.json');
  const hasManifest = reader.facts(manifest) !== null;
  const obsolete = obsoleteFolders(join(root.path, '.obsolete'), reader);
  const listed = new Map<string, Install>();
  const lists = profileLists(root.home, world, { reader, manager: root.manager, path: root.path });
  const user = userFolder(root.home, world, { manager: root.manager, path: root.path });
  const place = { root, world, reader, isOff: offSwitch(user, world, reader) };
  const isRead = hasManifest && addList(listed, { name: 'extensions.json', file: manifest }, place);
  for (const { id, at } of lists) {
    addList(listed, { name: `profile:${id}`, file: join(at, 'extensions.json') }, place);
  }
  if (!hasManifest) addFolders(listed, place);
  if (isRead && listed.size === 0) noteEmptied(manifest, place);
  const kept = [...listed.values()].filter(({ folder }) => !obsolete.has(folder.toLowerCase()));
  const loaded = loadedAmong(kept);
  return kept
    .map((install) => componentOf(install, loaded.has(install), place))
    .filter((component) => component !== null);
}

/** Of two versions in one list, or in a folder without lists, the editor loads the later one. */
function loadedAmong(installs: readonly Install[]): ReadonlySet<Install> {
  const chosen = new Map<string, Install>();
  for (const install of installs) {
    for (const list of install.lists.length === 0 ? [''] : install.lists) {
      const key = JSON.stringify([list, install.id]);
      const other = chosen.get(key);
      if (other === undefined || isLater(install.version, other.version)) chosen.set(key, install);
    }
  }
  return new Set(chosen.values());
}

function isLater(version: string | null, than: string | null): boolean {
  const [one, two] = [version, than].map((each) => (each ?? '').split(/[.+-]/).map(Number));
  for (let at = 0; at < 3; at += 1) {
    const difference = (one?.[at] ?? 0) - (two?.[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

interface Place {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
  /** Whether every list that names an extension has it switched off. */
  readonly isOff: (id: string, lists: readonly string[]) => boolean;
}

/** Folder names marked for deletion at the editor's next start. */
function obsoleteFolders(file: string, reader: Reader): ReadonlySet<string> {
  const marks = reader.facts(file)?.size ? reader.json(file) : undefined;
  if (typeof marks !== 'object' || marks === null) return new Set();
  const names = Object.entries(marks).filter(([, isMarked]) => isMarked === true);
  return new Set(names.map(([name]) => name.toLowerCase()));
}

/** Adds what one list names; false when it is absent or no list. */
function addList(
  listed: Map<string, Install>,
  list: { readonly name: string; readonly file: string },
  place: Place,
): boolean {
  const { root, world, reader } = place;
  const entries = reader.json(list.file);
  if (!Array.isArray(entries)) {
    if (entries !== undefined) reader.note(list.file, 'malformed');
    return false;
  }
  if (entries.length > maxEntries) reader.note(list.file, 'too-many', true);
  for (const value of entries.slice(0, maxEntries)) {
    const entry = parseEntry(value, root, world);
    if (entry === 'odd') reader.note(list.file, 'malformed', false);
    else if (entry === 'outside' || leadsOut(entry.folder, place)) {
      reader.note(list.file, 'refused-entry', false);
    } else {
      const known = listed.get(entry.folder);
      listed.set(entry.folder, { ...entry, ...known, lists: [...(known?.lists ?? []), list.name] });
    }
  }
  return true;
}

const idPattern = /^[a-z0-9][a-z0-9-_]*\.[a-z0-9][a-z0-9-_.]*$/i;

function parseEntry(value: unknown, root: Root, world: World): Listed | 'odd' | 'outside' {
  const entry = asRecord(value);
  const id = asRecord(entry?.['identifier'])?.['id'];
  if (entry === null || typeof id !== 'string' || !idPattern.test(id)) return 'odd';
  const { location } = entry;
  const own = typeof location === 'string' ? location : locationPath(location, world);
  const place = entry['relativeLocation'] ?? own;
  if (typeof place !== 'string' || place === '' || place.includes('\0')) return 'odd';
  const folder = world.path.relative(root.path, world.path.resolve(root.path, place));
  const isChild = folder !== '' && !folder.startsWith('..') && !/[\\/]/.test(folder);
  if (!isChild || world.path.isAbsolute(folder)) return 'outside';
  const version = entry['version'];
  return {
    id: id.toLowerCase(),
    version: typeof version === 'string' && version !== '' ? version : null,
    folder,
  };
}

/**
 * `location` is a URI as the editor revives it; on Windows its path is `/c:/Users/...`. As text it is the
 * name of the folder.
 */
function locationPath(location: unknown, world: World): string | null {
  const uri = asRecord(location);
  if (uri === null || uri['scheme'] !== 'file' || typeof uri['path'] !== 'string') return null;
  const path = uri['path'];
  return world.platform === 'win32' ? path.replace(/^\/(?=[a-z]:)/i, '') : path;
}

/** Whether a link takes the folder out of the extensions folder. What is not there leads nowhere. */
function leadsOut(folder: string, { root, world, reader }: Place): boolean {
  const path = world.path.join(root.path, folder);
  if (reader.facts(path)?.kind !== 'link') return false;
  const real = reader.realPath(path);
  const within = reader.realPath(root.path) ?? root.path;
  return real === null || !real.startsWith(within + world.path.sep);
}

/** No list at all: an old editor, or the first start after an upgrade. */
function addFolders(listed: Map<string, Install>, place: Place): void {
  const { root, world, reader } = place;
  for (const { name, kind } of reader.list(root.path)) {
    if (kind !== 'dir' || name.startsWith('.') || listed.has(name)) continue;
    const found = readPackage(world.path.join(root.path, name), place);
    if (found !== null) listed.set(name, { ...found, folder: name, lists: [] });
  }
}

function readPackage(
  folder: string,
  { world, reader }: Place,
): { readonly id: string; readonly version: string | null } | null {
  const record = asRecord(reader.json(world.path.join(folder, 'package.json')));
  const id = `${String(record?.['publisher'])}.${String(record?.['name'])}`;
  if (record === null || !idPattern.test(id)) return null;
  const version = record['version'];
  return { id: id.toLowerCase(), version: typeof version === 'string' ? version : null };
}

/** An emptied list beside whole folders is a removal that a reviewer should be able to question. */
function noteEmptied(manifest: string, { root, world, reader }: Place): void {
  const isWhole = (name: string): boolean =>
    reader.facts(world.path.join(root.path, name, 'package.json')) !== null;
  const folders = reader
    .list(root.path)
    .filter(({ name, kind }) => kind === 'dir' && isWhole(name));
  if (folders.length > 0) reader.note(manifest, 'manifest-empty', false);
}

/** A folder that is being deleted, or was not deleted to its end: the editor finds no record in it. */
function isHalfDeleted(path: string, { world, reader }: Place): boolean {
  const before = reader.problems.length;
  const record = reader.facts(world.path.join(path, 'package.json'));
  return record === null && reader.list(path).length > 0 && reader.problems.length === before;
}

function componentOf(install: Install, isLoaded: boolean, place: Place): Component | null {
  const { root, world, reader } = place;
  const claim = toolOf(world, 'editor-extension', install.id);
  const isAsked = claim !== 'unwanted' || world.wholeChannels?.has('editor-extension') === true;
  const path = world.path.join(root.path, install.folder);
  const signs = isAsked ? null : signsIn(path, place);
  if (!isAsked && signs === null) return null;
  const hasFolder = reader.facts(path) !== null;
  const inFolder = install.version === null && hasFolder ? readPackage(path, place) : null;
  const isListed = install.lists.length > 0;
  const isOff = place.isOff(install.id, install.lists);
  const isThere = isLoaded && !isHalfDeleted(path, place);
  const sure = isListed && hasFolder && isThere ? 'high' : 'medium';
  const readsPackage = !isListed || inFolder !== null || signs !== null;
  return makeComponent(world, {
    tool: claim === 'unwanted' ? null : claim,
    channel: 'editor-extension',
    manager: root.manager,
    name: install.id,
    version: install.version ?? inFolder?.version ?? null,
    path,
    state: !isThere ? 'residual' : isOff ? 'disabled' : 'installed',
    confidence: signs === null ? sure : confidenceOf(signs),
    evidence: [
      ...install.lists,
      ...(isOff ? ['state.vscdb'] : []),
      ...(readsPackage ? ['package.json'] : []),
      ...(signs?.names ?? []),
    ],
    ...(signs === null ? {} : { candidate: signs.reasons }),
  });
}

/** Larger manifests than this are not looked into; the largest known have a fifth of it. */
const maxManifestBytes = 2 * 1024 * 1024;

/** What an extension that nothing names declares. Problems with other software's files are dropped. */
function signsIn(folder: string, { root, world }: Place): Signs | null {
  const reader = world.reader({ within: [root.path] });
  const text = reader.text(world.path.join(folder, 'package.json'), maxManifestBytes);
  if (text === null || !mayHaveExtensionSigns(text)) return null;
  try {
    return extensionSigns(JSON.parse(text));
  } catch {
    return null; // half-written, or no manifest that the editor would take
  }
}

/** The folders of named profiles, each with a list of its own. */
function profileLists(
  home: Home,
  world: World,
  editor: { readonly reader: Reader; readonly manager: string | null; readonly path: string },
): readonly { readonly id: string; readonly at: string }[] {
  const user = userFolder(home, world, editor);
  if (user === null) return [];
  const profiles = world.path.join(user, 'profiles');
  return editor.reader
    .list(profiles)
    .filter(({ name, kind }) => kind === 'dir' && /^[\w-]{1,64}$/.test(name))
    .slice(0, maxProfiles)
    .map(({ name }) => ({ id: name, at: world.path.join(profiles, name) }));
}

/** Where the editor of an extensions folder keeps settings, profiles and their state; null: not known. */
function userFolder(
  home: Home,
  world: World,
  { manager, path: extensions }: { readonly manager: string | null; readonly path: string },
): string | null {
  const { path } = world;
  const further = userFolderOf(extensions, home, world);
  if (further !== undefined) return further;
  const host = world.catalogue.editors.find((known) => known.id === manager);
  if (host?.isServer === true) return path.join(path.dirname(extensions), 'data', 'User');
  if (host === undefined || host.configFolder === null) return null;
  return path.join(settingsFolder(home, world), host.configFolder, 'User');
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : null;
}
