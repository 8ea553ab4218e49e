/**
 * Applications of Windows in the folders where their installers put them, per person and for the
 * machine, as the catalogue names them. Files speak for somebody who is signed off as well. What lies
 * elsewhere is told by the uninstall keys, which are read in a file of their own.
 */
import type { Component } from '../../policies/component.js';
import { makeComponent } from './component.js';
import { isApplicationFolder, segmentTest, vendorFolders, type VendorFolder } from './folders.js';
import type { Home, Reader, Root, World } from './index.js';
import { hiveFile, machineHives, type HiveName } from './registry.js';

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
  const folders = topsOf(world).map(({ top, home }): Root => ({
    id: `${prefix}${top}`,
    channel: 'application',
    manager: null,
    path: top,
    home,
    boundary: { within: [home?.path ?? top] },
    watch: [top, ...(home === null ? [] : [world.path.join(top, 'Programs')])],
  }));
  const owners = [...(world.hasSystem ? [null] : []), ...world.homes];
  return [
    ...folders,
    ...owners.map((home) => registryRoot(home === null ? 'software' : 'user', home, world)),
    ...world.homes.map((home) => registryRoot('classes', home, world)),
  ];
}

/** A hive with uninstall keys, or of registered packages. It changes all the time and is not watched. */
function registryRoot(hive: HiveName, home: Home | null, world: World): Root {
  const path = hiveFile({ hive, home }, world);
  return {
    id: `${prefix}${path}`,
    channel: 'application',
    manager: null,
    layout: hive === 'classes' ? 'packaged' : 'registry',
    path,
    home,
    boundary: { within: [home?.path ?? machineHives] },
    watch: [],
  };
}

export function readWindows(root: Root, world: World, reader: Reader): readonly Component[] {
  const vendors = vendorFolders(world).filter(
    (vendor) => vendor.home === root.home && isApplicationFolder(vendor.folder),
  );
  return installsIn(vendors, world, reader);
}

/** What the catalogue's folders hold: a person's, or the machine's for `home` null. */
export function installsOf(home: Home | null, world: World): readonly Component[] {
  const vendors = vendorFolders(world).filter(
    (vendor) => vendor.home === home && isApplicationFolder(vendor.folder),
  );
  const top = topsOf(world).find((each) => each.home === home)?.top;
  if (vendors.length === 0 || top === undefined) return [];
  return installsIn(vendors, world, world.reader({ within: [home?.path ?? top] }));
}

function installsIn(
  vendors: readonly VendorFolder[],
  world: World,
  reader: Reader,
): readonly Component[] {
  const tops = new Map(topsOf(world).map(({ top, home }) => [home, top]));
  const found = new Map<string, Component>();
  for (const vendor of vendors) {
    const top = tops.get(vendor.home);
    if (top === undefined) continue;
    for (const { file, version } of filesBelow(top, vendor, { world, reader })) {
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

/** The record of a program in a folder that the catalogue names. */
export function componentOf(
  file: string,
  version: string | null,
  { vendor, world, reader }: Place & { readonly vendor: VendorFolder },
): Component {
  const { path } = world;
  const stated = version === null ? versionBeside(file, world, reader) : null;
  return makeComponent(world, {
    tool: vendor.tool.id,
    channel: 'application',
    manager: vendor.folder.manager,
    name: path.basename(vendor.folder.path, '.exe'),
    version: version ?? stated?.version ?? null,
    path: file,
    state: vendor.folder.bundled ? 'bundled' : 'installed',
    confidence: 'high',
    evidence: ['install folder', ...(stated?.evidence ?? [])],
    publisher: null,
  });
}

/**
 * The version that the records beside a program state. Editors that were made of VS Code keep its
 * version in `package.json` and their own in `product.json`.
 */
export function versionBeside(
  file: string,
  { path }: World,
  reader: Reader,
): { readonly version: string | null; readonly evidence: readonly string[] } {
  const app = path.join(path.dirname(file), 'resources', 'app');
  for (const [name, field] of [
    ['product.json', 'productVersion'],
    ['package.json', 'version'],
  ] as const) {
    const record = reader.json(path.join(app, name)) as Readonly<Record<string, unknown>> | null;
    const stated = typeof record === 'object' ? record?.[field] : undefined;
    if (typeof stated === 'string' && stated !== '') return { version: stated, evidence: [name] };
  }
  return { version: null, evidence: [] };
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
