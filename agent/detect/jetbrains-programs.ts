/**
 * JetBrains IDEs and Android Studio as installed programs: which are there, under which name each
 * keeps its settings, and the plugins it ships, which are `bundled`. Known by the product record in
 * the program folder; a folder's name only says, where there are many, that it is worth a look. An IDE
 * that was unpacked into a place no list names is not found here.
 * Format: product-info.json, JetBrains/intellij-community, ProductInfoGenerator; before it, build.txt.
 */
import type { Component } from '../../policies/component.js';
import { makeComponent, toolOf } from './component.js';
import { dataFolder, localFolder, vendorPlaces } from './jetbrains-places.js';
import type { Home, Reader, Root, World } from './index.js';
import { readPlugin } from './plugin-xml.js';

const prefix = 'jetbrains-program:';
const maxFolders = 2_000;
/** Each snap's running version is behind a link. */
const snaps = '/snap';
/** What the vendors call these folders and archives, for places that hold much else. */
const usualName =
  /idea|pycharm|webstorm|phpstorm|clion|goland|rider|rubymine|datagrip|dataspell|rustrover|studio|aqua|mps|writerside|jetbrains/i;

/** An installed IDE. `product`: the name of its settings folder, `IntelliJIdea2025.3`. */
export interface Ide {
  readonly folder: string;
  readonly plugins: string;
  /** Where older Toolbox versions keep what the IDE's owner adds; null where there is none. */
  readonly added: string | null;
  readonly product: string | null;
  readonly home: Home | null;
}

/** A folder some levels above program folders. */
interface Place {
  readonly parent: string;
  readonly depth: number;
  readonly isCrowded: boolean;
  readonly home: Home | null;
}

const found = new WeakMap<World, readonly Ide[]>();

/** The IDEs that are there, each once. */
export function idesOf(world: World): readonly Ide[] {
  const known = found.get(world);
  if (known !== undefined) return known;
  const ides = new Map<string, Ide>();
  for (const place of placesOf(world)) {
    const reader = world.reader({ within: [place.parent] });
    for (const folder of programsBelow(place, world, reader)) {
      if (ides.has(folder)) continue;
      const product = productName(folder, world, reader);
      const added = `${world.platform === 'darwin' ? world.path.dirname(folder) : folder}.plugins`;
      ides.set(folder, {
        folder,
        plugins: pluginsOf(folder, world),
        added: place.home !== null && reader.facts(added) !== null ? added : null,
        product,
        home: place.home,
      });
    }
  }
  const list = [...ides.values()];
  found.set(world, list);
  return list;
}

function placesOf(world: World): readonly Place[] {
  const placeOf = ([parent, depth, kind]: Depth, home: Home | null): Place => {
    return { parent, depth, isCrowded: kind === 'crowded', home };
  };
  const own = world.homes.flatMap((home) =>
    placesInHome(home, world).map((place) => placeOf(place, home)),
  );
  if (!world.hasSystem) return own;
  return [...own, ...systemPlaces(world).map((place) => placeOf(place, null))];
}

type Depth = readonly [parent: string, depth: number, kind?: 'crowded'];

/** Toolbox keeps `<tool>/`, older ones `<tool>/ch-<n>/<build>/`. */
function placesInHome(home: Home, world: World): readonly Depth[] {
  const { path, platform } = world;
  const below = (...names: readonly string[]): string => path.join(home.path, ...names);
  switch (platform) {
    case 'linux':
      return [
        [path.join(dataFolder(home, world), 'JetBrains', 'Toolbox', 'apps'), 3],
        [dataFolder(home, world), 1, 'crowded'],
        [home.path, 1, 'crowded'],
        [path.join(localFolder(home, world), 'JetBrains', 'RemoteDev', 'dist'), 1],
        ...['opt', 'apps', 'Applications', '.local/opt'].map((name): Depth => [below(name), 1]),
      ];
    case 'darwin':
      return [
        [path.join(dataFolder(home, world), 'JetBrains', 'Toolbox', 'apps'), 4],
        [below('Applications'), 2],
      ];
    case 'win32':
      return [
        [path.join(localFolder(home, world), 'JetBrains', 'Toolbox', 'apps'), 3],
        [path.join(localFolder(home, world), 'Programs'), 1],
      ];
  }
}

function systemPlaces({ platform }: World): readonly Depth[] {
  switch (platform) {
    case 'linux':
      return [
        ['/opt', 2],
        ['/usr/share', 1, 'crowded'],
        ['/usr/local', 1, 'crowded'],
        ['/usr/local/share', 1, 'crowded'],
        [snaps, 1],
      ];
    case 'darwin':
      return [['/Applications', 2]];
    case 'win32':
      return [
        ['C:\\Program Files\\JetBrains', 1],
        ['C:\\Program Files (x86)\\JetBrains', 1],
        ['C:\\Program Files\\Android', 1],
      ];
  }
}

/** Program folders down to a depth; their own folders are not gone into. */
function programsBelow(place: Place, world: World, reader: Reader): readonly string[] {
  const isMac = world.platform === 'darwin';
  const { parent, depth, isCrowded } = place;
  const programs: string[] = [];
  let level: readonly string[] = [parent];
  for (let below = 1; below <= depth; below += 1) {
    const next: string[] = [];
    for (const folder of level) {
      for (const { name, kind } of reader.list(folder)) {
        if (kind !== 'dir' || (isCrowded && !usualName.test(name))) continue;
        const path = world.path.join(folder, name, parent === snaps ? 'current' : '');
        const mayBe = !isMac || name.endsWith('.app');
        if (mayBe && isProgram(path, world, reader)) programs.push(path);
        else if (!isMac || !mayBe) next.push(path);
      }
    }
    level = next.slice(0, maxFolders);
  }
  return programs.slice(0, maxFolders);
}

function isProgram(folder: string, world: World, reader: Reader): boolean {
  if (reader.facts(recordOf(folder, world)) !== null) return true;
  const build = recordOf(folder, world, 'build.txt');
  return reader.facts(build) !== null && productOfBuild(reader.text(build, 1024)) !== null;
}

/** A file beside the program that says which it is. */
function recordOf(folder: string, { path, platform }: World, name = 'product-info.json'): string {
  return platform === 'darwin'
    ? path.join(folder, 'Contents', 'Resources', name)
    : path.join(folder, name);
}

function productName(folder: string, world: World, reader: Reader): string | null {
  const name = asRecord(reader.json(recordOf(folder, world)))?.['dataDirectoryName'];
  if (typeof name === 'string') return name;
  return productOfBuild(reader.text(recordOf(folder, world, 'build.txt'), 1024));
}

/** Product codes of https://plugins.jetbrains.com/docs/intellij/build-number-ranges.html. */
const families: Readonly<Record<string, string>> = {
  IU: 'IntelliJIdea',
  IC: 'IdeaIC',
  PY: 'PyCharm',
  PC: 'PyCharmCE',
  WS: 'WebStorm',
  PS: 'PhpStorm',
  CL: 'CLion',
  GO: 'GoLand',
  RD: 'Rider',
  RM: 'RubyMine',
  DB: 'DataGrip',
  DS: 'DataSpell',
  RR: 'RustRover',
  AI: 'AndroidStudio',
};

/** `IU-253.28294.334` keeps its settings in `IntelliJIdea2025.3`. */
function productOfBuild(text: string | null): string | null {
  const [, code = '', year = '', part = ''] = /^([A-Z]{2})-(\d\d)(\d)\./.exec(text ?? '') ?? [];
  const family = Object.hasOwn(families, code) ? families[code] : undefined;
  return family === undefined ? null : `${family}20${year}.${part}`;
}

function pluginsOf(folder: string, { path, platform }: World): string {
  return platform === 'darwin'
    ? path.join(folder, 'Contents', 'plugins')
    : path.join(folder, 'plugins');
}

/** The plugins folders of the IDEs that are there. */
export function programRoots(world: World): readonly Root[] {
  return idesOf(world).map(({ folder, plugins, product, home }): Root => {
    return {
      id: `${prefix}${plugins}`,
      channel: 'jetbrains-plugin',
      manager: product,
      path: plugins,
      home,
      boundary: { within: [folder] },
      watch: [plugins],
    };
  });
}

export function isProgramRoot({ id }: Root): boolean {
  return id.startsWith(prefix);
}

/** An IDE ships some 150 plugins, so its record says which folders need not be opened. */
export function readProgram(root: Root, world: World, reader: Reader): readonly Component[] {
  const [folder] = root.boundary.within;
  const listed = listedPlugins(
    folder === undefined ? undefined : reader.json(recordOf(folder, world)),
  );
  const isOff = offSwitch(root, world);
  return reader.list(root.path).flatMap(({ name, kind }) => {
    if (kind !== 'dir') return [];
    const ids = listed.get(name);
    const isNone = (id: string): boolean => toolOf(world, 'jetbrains-plugin', id) === 'unwanted';
    if (ids?.every(isNone) === true) return [];
    const path = world.path.join(root.path, name);
    const record = readPlugin(path, world, reader);
    const id = record?.id ?? null;
    const tool = id === null ? 'unwanted' : toolOf(world, 'jetbrains-plugin', id);
    if (record === null || id === null || tool === 'unwanted') return [];
    return makeComponent(world, {
      tool,
      channel: 'jetbrains-plugin',
      manager: root.manager,
      name: id,
      version: record.version,
      path,
      state: 'bundled',
      confidence: 'high',
      evidence: ['plugin.xml', 'program folder', ...(isOff(id) ? [disabledList] : [])],
    });
  });
}

const disabledList = 'disabled_plugins.txt';

/** Whether everybody who has settings of this IDE has a plugin switched off there. */
function offSwitch({ home, manager }: Root, world: World): (id: string) => boolean {
  let lists: readonly ReadonlySet<string>[] | null = null;
  return (id) => {
    lists ??= (home === null ? world.homes : [home]).flatMap((each) => {
      const reader = world.reader({ within: [each.path] });
      return vendorPlaces(each, world).flatMap(({ config }) => {
        const folder = world.path.join(config, manager ?? '');
        if (manager === null || reader.facts(folder) === null) return [];
        const text = reader.text(world.path.join(folder, disabledList)) ?? '';
        return new Set(text.split('\n').map((line) => line.trim()));
      });
    });
    return lists.length > 0 && lists.every((list) => list.has(id));
  };
}

/** Plugin folders by name with the ids that the record's `layout` gives them. */
function listedPlugins(record: unknown): ReadonlyMap<string, readonly string[]> {
  const listed = new Map<string, string[]>();
  const layout = asRecord(record)?.['layout'];
  for (const value of Array.isArray(layout) ? layout : []) {
    const { name, kind, classPath } = asRecord(value) ?? {};
    if (kind !== 'plugin' || typeof name !== 'string' || !Array.isArray(classPath)) continue;
    for (const file of classPath) {
      const folder = /^plugins\/([^/]+)\//.exec(String(file))?.[1];
      if (folder === undefined) continue;
      const ids = listed.get(folder) ?? [];
      if (!ids.includes(name)) listed.set(folder, [...ids, name]);
    }
  }
  return listed;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : null;
}
