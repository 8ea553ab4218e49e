/**
 * Applications in the folders where Windows installers put them, per person and for the machine, as
 * the catalogue names them. Files speak for somebody who is signed off as well, whose registry is not
 * loaded. The registry itself is not read: an application elsewhere is seen only when it runs.
 */
import type { Component } from '../../policies/component.js';
import { makeComponent } from './component.js';
import { isApplicationFolder, segmentTest, vendorFolders, type VendorFolder } from './folders.js';
import type { Home, Reader, Root, World } from './index.js';

const prefix = 'application:';
const maxPerFolder = 500;

/** The folders below which programs lie; names within them are compared without regard to case. */
function topsOf({ path, homes, hasSystem }: World): readonly { top: string; home: Home | null }[] {
  return [
    ...(hasSystem ? [{ top: 'C:\\Program Files', home: null }] : []),
    ...homes.map((home) => ({ top: path.join(home.path, 'AppData', 'Local'), home })),
  ];
}

export function windowsRoots(world: World): readonly Root[] {
  return topsOf(world).map(({ top, home }) => ({
    id: `${prefix}${top}`,
    channel: 'application',
    manager: null,
    path: top,
    home,
    boundary: { within: [home?.path ?? top] },
    watch: [top, ...(home === null ? [] : [world.path.join(top, 'Programs')])],
  }));
}

export function readWindows(root: Root, world: World, reader: Reader): readonly Component[] {
  const found = new Map<string, Component>();
  const vendors = vendorFolders(world).filter(
    (vendor) => vendor.home === root.home && isApplicationFolder(vendor.folder),
  );
  for (const vendor of vendors) {
    for (const { file, version } of filesBelow(root.path, vendor, { world, reader })) {
      const facts = reader.target(file);
      if (facts?.kind !== 'file' || facts.size === 0) continue;
      const component = componentOf(file, version, { vendor, world, reader });
      found.set(component.id, component);
    }
  }
  return withoutLaunchers([...found.values()], world);
}

interface Place {
  readonly world: World;
  readonly reader: Reader;
}

/** The files that fit the pattern now, with the version that a folder's name states. */
function filesBelow(
  top: string,
  { folder, home }: VendorFolder,
  { world, reader }: Place,
): readonly { readonly file: string; readonly version: string | null }[] {
  const above = home === null ? 'C:/Program Files/' : '~/AppData/Local/';
  let places: readonly { file: string; version: string | null }[] = [{ file: top, version: null }];
  for (const segment of folder.path.slice(above.length).split('/')) {
    const test = segmentTest(segment);
    places = places.flatMap(({ file, version }) => {
      const names = reader
        .list(file)
        .map(({ name }) => name)
        .filter(test);
      if (names.length > maxPerFolder) reader.note(file, 'too-many');
      return names.slice(0, maxPerFolder).map((name) => ({
        file: world.path.join(file, name),
        version: versionIn(segment, name) ?? version,
      }));
    });
  }
  return places;
}

function versionIn(segment: string, name: string): string | null {
  return segment.includes('{version}') ? (/\d+(?:\.\d+)+/.exec(name)?.[0] ?? null) : null;
}

function componentOf(
  file: string,
  version: string | null,
  { vendor, world, reader }: Place & { readonly vendor: VendorFolder },
): Component {
  const { path } = world;
  const manifest = path.join(path.dirname(file), 'resources', 'app', 'package.json');
  const record = version === null ? reader.json(manifest) : undefined;
  const stated =
    typeof record === 'object' && record !== null && 'version' in record ? record.version : null;
  return makeComponent(world, {
    tool: vendor.tool.id,
    channel: 'application',
    manager: vendor.folder.manager,
    name: path.basename(vendor.folder.path, '.exe'),
    version: version ?? (typeof stated === 'string' && stated !== '' ? stated : null),
    path: file,
    state: vendor.folder.bundled ? 'bundled' : 'installed',
    confidence: 'high',
    evidence: ['install folder', ...(typeof stated === 'string' ? ['package.json'] : [])],
    publisher: null,
  });
}

/** Squirrel's launcher lies beside the folders of versions that it starts: it is no install of its own. */
function withoutLaunchers(found: readonly Component[], { path }: World): readonly Component[] {
  const isStarted = (launcher: Component): boolean =>
    found.some(
      (other) =>
        other.id !== launcher.id &&
        other.tool === launcher.tool &&
        other.version !== null &&
        path.dirname(path.dirname(other.path)) === path.dirname(launcher.path),
    );
  return found.filter((each) => each.version !== null || !isStarted(each));
}
