/**
 * Plugins of JetBrains IDEs and Android Studio: those a person installed, per product and version,
 * with the id that the plugin's own descriptor states, never its folder's or display name; and those
 * an IDE ships. `disabled_plugins.txt` decides `disabled`; the folder of a version that is gone while
 * a later one is there is `residual`. Versions before 2020.1, which had other places, are not looked for.
 */
import type { Component } from '../../policies/component.js';
import { homeOf, makeComponent, toolOf } from './component.js';
import type { Detector, Home, Reader, Root, World } from './index.js';
import {
  isLater,
  productOf,
  vendorPlaces,
  type Product,
  type VendorPlace,
} from './jetbrains-places.js';
import { idesOf, isProgramRoot, programRoots, readProgram } from './jetbrains-programs.js';
import { isArchive, readPlugin } from './plugin-xml.js';

const maxPlugins = 5_000;

export const jetbrains: Detector = {
  channel: 'jetbrains-plugin',
  roots: (world) => [
    ...world.homes.flatMap((home) =>
      vendorPlaces(home, world).map((at) => rootOf(at, home, world)),
    ),
    ...toolboxRoots(world),
    ...programRoots(world),
  ],
  read(root, world, reader) {
    if (isProgramRoot(root)) return readProgram(root, world, reader);
    const look: Look = { root, world, reader };
    return root.layout === 'toolbox' ? readToolbox(look) : readVendor(look);
  },
};

function rootOf({ plugins }: VendorPlace, home: Home, world: World): Root {
  const boundary = { within: [home.path] };
  const products = productsIn(plugins, world.reader(boundary));
  return {
    id: `jetbrains-plugin:${plugins}`,
    channel: 'jetbrains-plugin',
    manager: null,
    path: plugins,
    home,
    boundary,
    watch: [plugins, ...products.map((product) => pluginsFolder(plugins, product, world))],
  };
}

function toolboxRoots(world: World): readonly Root[] {
  return idesOf(world).flatMap(({ added: path, product, home }) => {
    if (path === null || home === null) return [];
    const root: Root = {
      id: `jetbrains-plugin:${path}`,
      channel: 'jetbrains-plugin',
      manager: product,
      layout: 'toolbox',
      path,
      home,
      boundary: { within: [home.path] },
      watch: [path],
    };
    return root;
  });
}

function productsIn(folder: string, reader: Reader): readonly Product[] {
  return reader
    .list(folder)
    .filter(({ kind }) => kind === 'dir' || kind === 'link')
    .map(({ name }) => productOf(name))
    .filter((product) => product !== null);
}

/** On Linux the product's folder holds nothing but plugins. */
function pluginsFolder(vendor: string, { name }: Product, { path, platform }: World): string {
  return platform === 'linux' ? path.join(vendor, name) : path.join(vendor, name, 'plugins');
}

interface Look {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

function readVendor(look: Look): readonly Component[] {
  const { root, world, reader } = look;
  if (root.home === null) return [];
  const place = vendorPlaces(root.home, world).find(({ plugins }) => plugins === root.path);
  if (place === undefined) return [];
  const products = productsIn(root.path, reader);
  const others = place.config === root.path ? [] : productsIn(place.config, reader);
  const names = new Set(products.map(({ name }) => name));
  const settings = [...products, ...others.filter(({ name }) => !names.has(name))];
  return settings.flatMap((product) => {
    const config = world.path.join(place.config, product.name);
    const context: Context = {
      product: product.name,
      off: disabledIds(config, look),
      isLeft: isLeftBehind(product, settings, { ...look, place }),
    };
    const folders = [pluginsFolder(root.path, product, world), movedFolder(config, look)];
    return folders.flatMap((folder) => (folder === null ? [] : readFolder(folder, context, look)));
  });
}

/** The owner's plugins of an IDE that is there, in the folder that Toolbox gave it. */
function readToolbox(look: Look): readonly Component[] {
  const { root, world } = look;
  const product = root.manager ?? '';
  const off = (root.home === null ? [] : vendorPlaces(root.home, world)).flatMap((place) => [
    ...disabledIds(world.path.join(place.config, product), look),
  ]);
  return readFolder(root.path, { product, off: new Set(off), isLeft: false }, look);
}

/** What decides the state of all plugins of one folder. */
interface Context {
  readonly product: string;
  readonly off: ReadonlySet<string>;
  readonly isLeft: boolean;
}

function readFolder(folder: string, context: Context, look: Look): readonly Component[] {
  const { world, reader } = look;
  const entries = reader
    .list(folder)
    .filter(({ name, kind }) => kind === 'dir' || kind === 'link' || isArchive(name));
  if (entries.length > maxPlugins) reader.note(folder, 'too-many');
  const seen = new Set<string>();
  return entries.slice(0, maxPlugins).flatMap(({ name }) => {
    const path = world.path.join(folder, name);
    const real = reader.realPath(path) ?? path;
    if (seen.has(real)) return [];
    seen.add(real);
    const record = readPlugin(path, world, reader);
    const id = record?.id ?? null;
    if (record === null || id === null) return [];
    return componentOf({ id, version: record.version, path }, context, world) ?? [];
  });
}

/** A line `idea.plugins.path=` in the IDE's own properties puts the plugins elsewhere. */
function movedFolder(config: string, { root, world, reader }: Look): string | null {
  const file = world.path.join(config, 'idea.properties');
  const text = reader.text(file, 256 * 1024) ?? '';
  const value = /^[ \t]*idea\.plugins\.path[ \t]*[=:](.*)$/m.exec(text)?.[1]?.trim() ?? '';
  const path = value.replaceAll('${user.home}', root.home?.path ?? '');
  if (path === '' || !world.path.isAbsolute(path) || path.includes('\0')) return null;
  const folder = world.path.normalize(path);
  if (homeOf(world, folder) === root.home) return folder;
  reader.note(file, 'refused-entry', false);
  return null;
}

interface Plugin {
  readonly id: string;
  readonly version: string | null;
  readonly path: string;
}

function componentOf(plugin: Plugin, context: Context, world: World): Component | null {
  const { product, off, isLeft } = context;
  const claim = toolOf(world, 'jetbrains-plugin', plugin.id);
  if (claim === 'unwanted' && world.wholeChannels?.has('jetbrains-plugin') !== true) return null;
  const isOff = off.has(plugin.id);
  return makeComponent(world, {
    tool: claim === 'unwanted' ? null : claim,
    channel: 'jetbrains-plugin',
    manager: product === '' ? null : product,
    name: plugin.id,
    version: plugin.version,
    path: plugin.path,
    state: isLeft ? 'residual' : isOff ? 'disabled' : 'installed',
    confidence: isLeft ? 'medium' : 'high',
    evidence: [
      'plugin.xml',
      ...(isOff ? ['disabled_plugins.txt'] : []),
      ...(isLeft ? ['IDE removed'] : []),
    ],
  });
}

/** One id a line. */
function disabledIds(config: string, { world, reader }: Look): ReadonlySet<string> {
  const text = reader.text(world.path.join(config, 'disabled_plugins.txt')) ?? '';
  return new Set(text.split('\n').map((line) => line.trim()));
}

/**
 * Whether nothing can start these plugins any more: a later version of the product is there and this
 * one's IDE is not. What cannot be told counts as there.
 */
function isLeftBehind(
  product: Product,
  settings: readonly Product[],
  look: Look & { readonly place: VendorPlace },
): boolean {
  const { root, world } = look;
  const ides = idesOf(world)
    .filter(({ home }) => home === null || home === root.home)
    .map(({ product: name }) => productOf(name ?? ''))
    .filter((ide) => ide !== null);
  if (![...settings, ...ides].some((other) => isLater(other, product))) return false;
  if (ides.some(({ name }) => name === product.name)) return false;
  return !isProgramThere(product, look.place, look);
}

/** Parents of program folders; nothing else is looked at on a settings file's word. */
const programParents: Readonly<Record<World['platform'], readonly string[]>> = {
  linux: ['/opt/', '/usr/', '/snap/'],
  darwin: ['/Applications/'],
  win32: ['C:\\Program Files\\', 'C:\\Program Files (x86)\\'],
};

/** The IDE writes where it is into `.home` of its cache when it starts (ApplicationEx.LOCATOR_FILE_NAME). */
function isProgramThere(product: Product, place: VendorPlace, { world, reader }: Look): boolean {
  const file = world.path.join(place.cache, product.name, '.home');
  const folder = (reader.text(file, 16 * 1024) ?? '').trim();
  if (folder === '' || !world.path.isAbsolute(folder)) return false;
  const normal = world.path.normalize(folder);
  const isProgram = programParents[world.platform].some((parent) => normal.startsWith(parent));
  const canTell = homeOf(world, normal) !== null || (world.hasSystem && isProgram);
  return !canTell || reader.target(normal) !== null;
}
