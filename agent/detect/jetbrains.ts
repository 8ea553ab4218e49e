/**
 * Plugins of JetBrains IDEs and Android Studio: those a person installed, per product and version,
 * with the id that the plugin's own descriptor states, never its folder's or display name; and those
 * an IDE ships. `disabled_plugins.txt` decides `disabled`; the folder of a version that is gone while
 * a later one is there is `residual`. Places moved by `idea.properties` are not followed.
 */
import type { Component, ComponentState } from '../../policies/component.js';
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
    ...programRoots(world),
  ],
  read: (root, world, reader) =>
    isProgramRoot(root) ? readProgram(root, world, reader) : readVendor(root, world, reader),
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
  readonly place: VendorPlace;
  readonly world: World;
  readonly reader: Reader;
}

function readVendor(root: Root, world: World, reader: Reader): readonly Component[] {
  if (root.home === null) return [];
  const place = vendorPlaces(root.home, world).find(({ plugins }) => plugins === root.path);
  if (place === undefined) return [];
  const look: Look = { root, place, world, reader };
  const products = productsIn(root.path, reader);
  const others = place.config === root.path ? [] : productsIn(place.config, reader);
  return products.flatMap((product) => readProduct(product, [...products, ...others], look));
}

function readProduct(
  product: Product,
  settings: readonly Product[],
  look: Look,
): readonly Component[] {
  const { root, place, world, reader } = look;
  const folder = pluginsFolder(root.path, product, world);
  const entries = reader
    .list(folder)
    .filter(({ name, kind }) => kind === 'dir' || kind === 'link' || isArchive(name));
  if (entries.length > maxPlugins) reader.note(folder, 'too-many');
  const isLeft = isLeftBehind(product, settings, look);
  const off = disabledIds(world.path.join(place.config, product.name), look);
  const seen = new Set<string>();
  return entries.slice(0, maxPlugins).flatMap(({ name }) => {
    const path = world.path.join(folder, name);
    const real = reader.realPath(path) ?? path;
    if (seen.has(real)) return [];
    seen.add(real);
    const record = readPlugin(path, world, reader);
    const id = record?.id ?? null;
    if (record === null || id === null) return [];
    const isOff = off.has(id);
    const state = isLeft ? 'residual' : isOff ? 'disabled' : 'installed';
    const plugin: Plugin = { id, version: record.version, path, state, isOff };
    return componentOf(plugin, product, world) ?? [];
  });
}

interface Plugin {
  readonly id: string;
  readonly version: string | null;
  readonly path: string;
  readonly state: ComponentState;
  readonly isOff: boolean;
}

function componentOf(plugin: Plugin, product: Product, world: World): Component | null {
  const { id, version, path, state, isOff } = plugin;
  const claim = toolOf(world, 'jetbrains-plugin', id);
  if (claim === 'unwanted' && world.wholeChannels?.has('jetbrains-plugin') !== true) return null;
  return makeComponent(world, {
    tool: claim === 'unwanted' ? null : claim,
    channel: 'jetbrains-plugin',
    manager: product.name,
    name: id,
    version,
    path,
    state,
    confidence: state === 'residual' ? 'medium' : 'high',
    evidence: [
      'plugin.xml',
      ...(isOff ? ['disabled_plugins.txt'] : []),
      ...(state === 'residual' ? ['IDE removed'] : []),
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
function isLeftBehind(product: Product, settings: readonly Product[], look: Look): boolean {
  const { root, world } = look;
  const ides = idesOf(world)
    .filter(({ home }) => home === null || home === root.home)
    .map(({ product: name }) => productOf(name ?? ''))
    .filter((ide) => ide !== null);
  if (![...settings, ...ides].some((other) => isLater(other, product))) return false;
  if (ides.some(({ name }) => name === product.name)) return false;
  return !isProgramThere(product, look);
}

/** Parents of program folders; nothing else is looked at on a settings file's word. */
const programParents: Readonly<Record<World['platform'], readonly string[]>> = {
  linux: ['/opt/', '/usr/', '/snap/'],
  darwin: ['/Applications/'],
  win32: ['C:\\Program Files\\', 'C:\\Program Files (x86)\\'],
};

/** The IDE writes where it is into `.home` of its cache when it starts (ApplicationEx.LOCATOR_FILE_NAME). */
function isProgramThere(product: Product, { place, world, reader }: Look): boolean {
  const file = world.path.join(place.cache, product.name, '.home');
  const folder = (reader.text(file, 16 * 1024) ?? '').trim();
  if (folder === '' || !world.path.isAbsolute(folder)) return false;
  const normal = world.path.normalize(folder);
  const isProgram = programParents[world.platform].some((parent) => normal.startsWith(parent));
  const canTell = homeOf(world, normal) !== null || (world.hasSystem && isProgram);
  return !canTell || reader.target(normal) !== null;
}
