/**
 * Applications with a window: macOS bundles, menu entries and AppImages on Linux, program folders and
 * uninstall keys on Windows. What an application is follows from its bundle identifier, the id of its
 * menu entry or the vendor's folder; a display name alone proves nothing. The publisher is what an
 * uninstall key, a code signature or a provisioning profile says, unproven.
 */
import type { Tool } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { linuxRoots, readLinux } from './applications-linux.js';
import { signerOf } from './bundle-signature.js';
import { readPackaged } from './applications-packaged.js';
import { readUninstall } from './applications-uninstall.js';
import { readWindows, windowsRoots } from './applications-windows.js';
import { makeComponent } from './component.js';
import { isWithin } from './disk.js';
import type { Detector, Home, Reader, Root, World } from './index.js';
import { parsePlist, type PlistValue } from './plist.js';

const maxPlistBytes = 1024 * 1024;
/** Folders among the applications that are looked into, and how deep they may nest. */
const maxFolders = 1_000;
const maxDepth = 2;
const caskrooms = ['/opt/homebrew/Caskroom', '/usr/local/Caskroom'];
/** Where people keep applications that are too large for their disk, with a link in the usual place. */
const elsewhere = ['/Volumes', '/Users/Shared', '/opt', '/Applications'];

export const applications: Detector = {
  channel: 'application',
  roots(world) {
    if (world.platform === 'linux') return linuxRoots(world);
    return world.platform === 'win32' ? windowsRoots(world) : bundleRoots(world);
  },
  read(root, world, reader) {
    if (world.platform === 'linux') return readLinux(root, world, reader);
    if (world.platform === 'win32') {
      if (root.layout === 'packaged') return readPackaged(root, world, reader);
      return (root.layout === 'registry' ? readUninstall : readWindows)(root, world, reader);
    }
    return readBundles(root, world, reader);
  },
};

function bundleRoots(world: World): readonly Root[] {
  const rootOf = (path: string, home: Home | null): Root => {
    const own = home?.path ?? path;
    const within = world.hasSystem ? [own, ...caskrooms, ...elsewhere] : [own];
    const id = `application:${path}`;
    const boundary = { within };
    return { id, channel: 'application', manager: 'bundle', path, home, boundary, watch: [path] };
  };
  return [
    ...(world.hasSystem ? [rootOf('/Applications', null)] : []),
    ...world.homes.map((home) => rootOf(world.path.join(home.path, 'Applications'), home)),
  ];
}

function readBundles(root: Root, world: World, reader: Reader): readonly Component[] {
  const found = new Map<string, Component>();
  for (const bundle of bundlesIn(root, world, reader)) {
    const component = bundleComponent(bundle, root, world, reader);
    if (component !== null) found.set(component.id, component);
  }
  return [...found.values()];
}

export const isBundle = (name: string): boolean => /\.app$/i.test(name);

/** Bundles of the folder and of the folders in it; links to folders are not entered, nor are bundles. */
function bundlesIn(root: Root, world: World, reader: Reader): readonly string[] {
  const bundles: string[] = [];
  let entered = 0;
  let folders: readonly string[] = [root.path];
  for (let depth = 0; depth <= maxDepth && folders.length > 0; depth += 1) {
    const next: string[] = [];
    for (const folder of folders) {
      entered += 1;
      if (entered > maxFolders) {
        reader.note(root.path, 'too-many');
        return bundles;
      }
      for (const { name, kind } of reader.list(folder)) {
        const place = world.path.join(folder, name);
        if (isBundle(name) && (kind === 'dir' || kind === 'link')) bundles.push(place);
        else if (kind === 'dir' && !isBundle(name) && !isClosed(name)) next.push(place);
      }
    }
    folders = next;
  }
  return bundles;
}

/** Hidden folders, and those that are one thing to whoever looks at them. */
const isClosed = (name: string): boolean =>
  name.startsWith('.') || /\.(?:framework|plugin|bundle|kext|appex|pkg)$/i.test(name);

function bundleComponent(
  bundle: string,
  root: Root,
  world: World,
  reader: Reader,
): Component | null {
  const real = reader.realPath(bundle);
  if (real === null || caskrooms.some((folder) => isWithin(real, folder, world.path.sep))) {
    return null; // gone, or the Homebrew channel's own
  }
  if (reader.facts(bundle)?.kind === 'link' && !isInside(real, root, world, reader)) {
    reader.note(bundle, 'outside', false);
    return null;
  }
  const record = recordOf(real, world, reader);
  const id = record?.get('CFBundleIdentifier');
  if (record === null || typeof id !== 'string' || id === '') return null;
  const tool = world.catalogue.match('bundleId', id);
  if (tool === null && world.wholeChannels?.has('application') !== true) return null;
  const isCask = tool !== null && isOfCask(tool, real, world, reader);
  const program = record.get('CFBundleExecutable');
  // What cannot be read of the program says nothing about the bundle.
  const signer =
    tool === null
      ? null
      : signerOf(
          real,
          typeof program === 'string' ? program : null,
          world,
          world.reader(root.boundary),
        );
  return makeComponent(world, {
    tool: tool?.id ?? null,
    channel: 'application',
    manager: 'bundle',
    name: id,
    version: versionOf(record),
    path: real,
    state: 'installed',
    confidence: 'high',
    evidence: [
      'Info.plist',
      ...(isCask ? ['Caskroom'] : []),
      ...(signer === null ? [] : [signer.evidence]),
    ],
    publisher: signer?.team ?? null,
  });
}

/** The version that people see, else that of the build. */
export function versionOf(record: ReadonlyMap<string, PlistValue>): string | null {
  for (const key of ['CFBundleShortVersionString', 'CFBundleVersion']) {
    const version = record.get(key);
    if (typeof version === 'string' && version.trim() !== '') return version.trim();
  }
  return null;
}

/** The record of a bundle; an app of the iPad has it in a bundle of its own, inside (`WrappedBundle`). */
export function recordOf(
  bundle: string,
  { path }: World,
  reader: Reader,
): ReadonlyMap<string, PlistValue> | null {
  const own = readRecord(path.join(bundle, 'Contents', 'Info.plist'), reader);
  if (own !== null) return own;
  const wrapped = path.join(bundle, 'WrappedBundle');
  return reader.facts(wrapped) === null
    ? null
    : readRecord(path.join(wrapped, 'Info.plist'), reader);
}

function isInside(real: string, root: Root, { path }: World, reader: Reader): boolean {
  return root.boundary.within.some((folder) =>
    isWithin(real, reader.realPath(folder) ?? folder, path.sep),
  );
}

/** The record of a bundle; null when it is not there, or is none, which is noted. */
export function readRecord(file: string, reader: Reader): ReadonlyMap<string, PlistValue> | null {
  const bytes = reader.bytes(file, maxPlistBytes);
  if (bytes === null) return null;
  const value = parsePlist(bytes);
  if (value instanceof Map) return value as ReadonlyMap<string, PlistValue>;
  reader.note(file, 'malformed');
  return null;
}

/** Whether a cask of the tool has put this very bundle here: its folder keeps a link to it. */
function isOfCask(tool: Tool, real: string, world: World, reader: Reader): boolean {
  if (!world.hasSystem) return false;
  const { join } = world.path;
  return caskrooms.some((caskroom) =>
    tool.identifiers.homebrewCask.some((token) =>
      reader
        .list(join(caskroom, token))
        .filter(({ name, kind }) => kind === 'dir' && !name.startsWith('.'))
        .flatMap(({ name: version }) =>
          reader.list(join(caskroom, token, version)).map(({ name }) => join(version, name)),
        )
        .some((entry) => reader.realPath(join(caskroom, token, entry)) === real),
    ),
  );
}
