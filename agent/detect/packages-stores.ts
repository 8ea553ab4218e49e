/**
 * Package systems that keep a folder per package: snap, flatpak, scoop, chocolatey and winget's
 * portable packages. The folder's name says which package it is, its own record which version; a
 * folder without the part that can be run is a trace. Only folders of wanted packages are entered.
 */
import type { Component, ComponentState } from '../../policies/component.js';
import { homeOf } from './component.js';
import type { Reader, Root, World } from './index.js';
import { isFolder } from './linked.js';
import { isWanted, packageComponent, type PackageSystem } from './packages-claim.js';
import { uninstallEntries, type UninstallEntry } from './registry-uninstall.js';

const maxPackages = 4_000;
/** Portable packages whose place is asked for by their key. */
const maxElsewhere = 200;
const maxRecordBytes = 1024 * 1024;

interface Store {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

/** A folder of a wanted package. `name` is the package's, which may be a part of the folder's. */
interface Folder {
  readonly name: string;
  readonly path: string;
  /** Whose store it is in, where that lies outside the home. */
  readonly owner?: string;
}

function foldersOf(
  system: PackageSystem,
  { root, world, reader }: Store,
  nameOf: (folder: string) => string = (folder) => folder,
): readonly Folder[] {
  const folders = reader.list(root.path).flatMap((entry): Folder[] => {
    const name = nameOf(entry.name);
    const path = world.path.join(root.path, entry.name);
    if (!isWanted(system, name, world) || !isFolder(entry, path, reader)) return [];
    const isAway = root.home !== null && homeOf(world, path) === null;
    return [{ name, path, ...(isAway ? { owner: root.home.account } : {}) }];
  });
  if (folders.length > maxPackages) reader.note(root.path, 'too-many');
  return folders.slice(0, maxPackages);
}

/** What a store says of one package; null: nothing worth telling. */
interface Told {
  readonly version: string | null;
  readonly state: ComponentState;
  readonly evidence: string;
  /** Whether the package's own record was read. */
  readonly isRead: boolean;
}

function componentOf(
  system: PackageSystem,
  folder: Folder,
  { version, state, evidence, isRead }: Told,
  world: World,
): Component {
  const confidence = isRead ? 'high' : 'medium';
  const found = { ...folder, version, state, confidence, evidence: [evidence] } as const;
  return packageComponent(system, found, world);
}

/** `/snap/<name>/current` leads to the revision in use; without it the snap is switched off. */
export function readSnap(root: Root, world: World, reader: Reader): readonly Component[] {
  const { join } = world.path;
  const store = { root, world, reader };
  return foldersOf('snap', store).flatMap((folder) => {
    if (reader.facts(join(folder.path, 'current')) !== null) {
      const record = reader.text(join(folder.path, 'current', 'meta', 'snap.yaml'), maxRecordBytes);
      const version = /^version:[ \t]*["']?([^"'\s#]+)/m.exec(record ?? '')?.[1] ?? null;
      const told = { version, state: 'installed', evidence: 'snap.yaml' } as const;
      return componentOf('snap', folder, { ...told, isRead: record !== null }, world);
    }
    const isKept = reader
      .list('/var/lib/snapd/snaps')
      .some(({ name }) => name.startsWith(`${folder.name}_`) && name.endsWith('.snap'));
    const told = { version: null, state: 'disabled', evidence: 'snaps', isRead: true } as const;
    return isKept ? componentOf('snap', folder, told, world) : [];
  });
}

/** `app/<id>/current/active` is the deployment in use; flatpak itself records no version in it. */
export function readFlatpak(root: Root, world: World, reader: Reader): readonly Component[] {
  const { join } = world.path;
  return foldersOf('flatpak', { root, world, reader }).map((folder) => {
    const active = join(folder.path, 'current', 'active');
    const metadata = reader.text(join(active, 'metadata'), maxRecordBytes);
    const isRead = metadata !== null && /^\[Application\]/m.test(metadata);
    if (metadata !== null && !isRead) reader.note(join(active, 'metadata'), 'malformed');
    return componentOf(
      'flatpak',
      folder,
      {
        version: isRead ? flatpakVersion(folder.name, active, { root, world, reader }) : null,
        state: metadata === null ? 'residual' : 'installed',
        evidence: 'metadata',
        isRead,
      },
      world,
    );
  });
}

/** The first release that the program's own AppStream record names, which is its latest. */
function flatpakVersion(id: string, active: string, { world, reader }: Store): string | null {
  const { join } = world.path;
  const share = join(active, 'files', 'share');
  const files = [
    join(share, 'metainfo', `${id}.metainfo.xml`),
    join(share, 'metainfo', `${id}.appdata.xml`),
    join(share, 'appdata', `${id}.appdata.xml`),
  ];
  const file = files.find((each) => reader.facts(each) !== null);
  const text = file === undefined ? null : reader.text(file, maxRecordBytes);
  return /<release\b[^<>]*\bversion=["']([^"']+)["']/.exec(text ?? '')?.[1] ?? null;
}

/** `apps/<name>/current` is a junction to the version in use, which holds the manifest it came from. */
export function readScoop(root: Root, world: World, reader: Reader): readonly Component[] {
  const { join } = world.path;
  return foldersOf('scoop', { root, world, reader }).map((folder) => {
    const inUse = ['current', ...versionsIn(folder.path, reader)].find(
      (name) => reader.facts(join(folder.path, name, 'manifest.json')) !== null,
    );
    const state = inUse === undefined ? 'residual' : 'installed';
    const record =
      inUse === undefined ? undefined : reader.json(join(folder.path, inUse, 'manifest.json'));
    const version =
      typeof record === 'object' && record !== null && 'version' in record ? record.version : null;
    const isRead = typeof version === 'string' && version !== '';
    const told = { version: isRead ? version : null, state, evidence: 'manifest.json' } as const;
    return componentOf('scoop', folder, { ...told, isRead }, world);
  });
}

/** Folders of versions, newest name first; scoop can be told to make no `current`. */
function versionsIn(folder: string, reader: Reader): readonly string[] {
  return reader
    .list(folder)
    .filter(({ name, kind }) => kind === 'dir' && name !== 'current' && !name.startsWith('_'))
    .map(({ name }) => name)
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

/** `lib/<id>/<id>.nuspec` (https://learn.microsoft.com/nuget/reference/nuspec). */
export function readChocolatey(root: Root, world: World, reader: Reader): readonly Component[] {
  return foldersOf('chocolatey', { root, world, reader }).map((folder) => {
    const record = reader
      .list(folder.path)
      .find(({ name, kind }) => kind === 'file' && /\.nuspec$/i.test(name));
    const file = record === undefined ? null : world.path.join(folder.path, record.name);
    const text = file === null ? null : reader.text(file, maxRecordBytes);
    const version = /<version>\s*([^<\s]+)\s*<\/version>/.exec(text ?? '')?.[1] ?? null;
    if (file !== null && text !== null && version === null) reader.note(file, 'malformed');
    const state = record === undefined ? 'residual' : 'installed';
    const told = { version, state, evidence: 'nuspec', isRead: version !== null } as const;
    return componentOf('chocolatey', folder, told, world);
  });
}

/** `<Id>_<source>`: the version of a portable package is in its uninstall key only. */
export const wingetName = (folder: string): string =>
  folder.replace(/_Microsoft\.Winget\.Source_.*$|_[^_]*$/i, '');

export function readWinget(root: Root, world: World, reader: Reader): readonly Component[] {
  const registered = uninstallEntries(root.home, world, reader).filter(
    ({ winget }) => winget !== null,
  );
  const keyOf = (name: string): UninstallEntry | null =>
    registered.find(({ id }) => id.toLowerCase() === name.toLowerCase()) ?? null;
  const inStore = foldersOf('winget', { root, world, reader }, wingetName).map((folder) => {
    const key = keyOf(world.path.basename(folder.path));
    const isEmpty = reader.list(folder.path).length === 0;
    return wingetComponent(folder, isEmpty ? 'residual' : 'installed', key, world);
  });
  const known = new Set(inStore.map(({ path }) => path.toLowerCase()));
  const elsewhere = registered.slice(0, maxElsewhere).flatMap((key) => {
    const folder = folderElsewhere(key, { root, world, reader });
    if (folder === null || known.has(folder.path.toLowerCase())) return [];
    const isThere = world.reader({ within: [folder.path] }).list(folder.path).length > 0;
    return isThere ? [wingetComponent(folder, 'installed', key, world)] : [];
  });
  return [...inStore, ...elsewhere];
}

function wingetComponent(
  folder: Folder,
  state: ComponentState,
  key: UninstallEntry | null,
  world: World,
): Component {
  const told = { version: key?.version ?? null, state, evidence: 'package folder', isRead: true };
  const component = componentOf('winget', folder, told, world);
  const evidence = [...component.evidence, ...(key === null ? [] : ['uninstall key'])];
  return { ...component, evidence };
}

/** Where winget was told to put a portable package, if that is no other person's home. */
function folderElsewhere(
  { winget, location }: UninstallEntry,
  { root, world }: Store,
): Folder | null {
  if (winget === null || location === null || !isWanted('winget', winget, world)) return null;
  if (world.path.sep !== '\\') return null;
  const path = world.path.normalize(location).replace(/\\+$/, '');
  const owner = homeOf(world, path);
  const isLocal = path.length > 2 && (owner === null || owner === root.home);
  return isLocal ? { name: winget, path } : null;
}
