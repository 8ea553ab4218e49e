/**
 * Linux distributions of WSL as seen from Windows, without starting one. What WSL 1 unpacks into a
 * folder is a Linux machine inside this one: all detectors look at it in a world of its own, and what
 * they find is told with its Windows path and belongs to the person whose distribution it is. The disk
 * image of WSL 2 is never opened, nor is `\\wsl.localhost`: it is `not scanned`, and says so.
 * The registry's record: https://learn.microsoft.com/windows/wsl/disk-space, and
 * https://www.patrickwu.space/2020/07/19/wsl-related-registry/
 */
import type { Component } from '../../policies/component.js';
import { componentId, homeOf } from './component.js';
import type {
  ContentsCache,
  Detector,
  FileFacts,
  Home,
  Problem,
  Reader,
  Root,
  World,
} from './index.js';
import { readRegistry } from './registry.js';

/** One distribution of one person. */
interface Distribution {
  readonly home: Home;
  /** Windows paths: what holds its files, and of WSL 1 the world in which `/` is that folder. */
  readonly path: string;
  readonly world: World | null;
  /** Losses while its roots were listed. */
  readonly losses: () => readonly Problem[];
}

/** A root as the outside knows it, and what it is inside. */
interface Inner {
  readonly distribution: Distribution;
  /** null: the distribution itself. */
  readonly read: { readonly root: Root; readonly detector: Detector } | null;
}

const maxDistributions = 50;
const rootTimeMs = 10_000;
const evidence = 'WSL';

/** `all` are the detectors that look into each distribution; asked when needed, as this is one of them. */
export function insideWsl(all: () => readonly Detector[]): Detector {
  const plans = new WeakMap<World, ReadonlyMap<string, Inner>>();
  return {
    channel: 'package',
    async prepare(world) {
      for (const { world: inside } of distributionsOf(world)) {
        if (inside === null) continue;
        for (const { prepare } of all()) await prepare?.(inside);
      }
    },
    roots(world) {
      const plan = new Map<string, Inner>();
      const roots = distributionsOf(world).flatMap((distribution) =>
        rootsIn(distribution, all(), plan, world),
      );
      plans.set(world, plan);
      return roots;
    },
    read(root, world, reader) {
      const inner = plans.get(world)?.get(root.id);
      if (inner === undefined) return [];
      return inner.read === null
        ? unread(inner.distribution, world, reader)
        : readInner(inner, world, reader);
    },
  };
}

const known = new WeakMap<World, readonly Distribution[]>();

function distributionsOf(world: World): readonly Distribution[] {
  if (world.platform !== 'win32' || world.inside === undefined) return [];
  const before = known.get(world);
  if (before !== undefined) return before;
  const found = world.homes.flatMap((home) => distributionsIn(home, world));
  known.set(world, found);
  return found;
}

/** Each folder once, however it is known. */
function distributionsIn(home: Home, world: World): readonly Distribution[] {
  const reader = world.reader({ within: [home.path] });
  const places = [...registered(home, world, reader), ...usualPlaces(home, world, reader)];
  const seen = new Set<string>();
  return places
    .flatMap((place) => {
      const real = reader.realPath(place);
      // Whoever names another person's folder does not get it looked at.
      const isTheirs = real !== null && [home, null].includes(homeOf(world, real));
      if (real === null || !isTheirs || seen.has(real.toLowerCase())) return [];
      seen.add(real.toLowerCase());
      return partsOf(real, home, world, reader);
    })
    .slice(0, maxDistributions);
}

const wanted = new Set(['basepath', 'vhdfilename']);

/** Where the registry says that this person's distributions lie. */
function registered(home: Home, world: World, reader: Reader): readonly string[] {
  const key = 'Software\\Microsoft\\Windows\\CurrentVersion\\Lxss';
  const found = readRegistry({ hive: 'user', home, key, wanted }, world, reader);
  return [...(found?.keys ?? [])].flatMap(([, values]) => {
    const base = values.get('basepath');
    const image = values.get('vhdfilename');
    const folder = typeof base === 'string' ? base.replace(/^\\\\\?\\/, '') : '';
    if (!/^[A-Za-z]:[\\/]/.test(folder) || folder.includes('\0')) return [];
    const named = typeof image === 'string' && /^[^\\/:]+\.vhdx$/i.test(image) ? [image] : [];
    return [folder, ...named.map((name) => world.path.join(folder, name))];
  });
}

/** What packages of distributions are called, so that no other app's folder is looked into. */
const packageName = /ubuntu|debian|kali|suse|fedora|oracle|alpine|arch|linux|wsl|pengwin/i;

/** Where they lie when nobody moves them, for a hive that cannot be read. */
function usualPlaces(home: Home, world: World, reader: Reader): readonly string[] {
  const { join } = world.path;
  const local = join(home.path, 'AppData', 'Local');
  const foldersIn = (parent: string): readonly string[] =>
    reader.list(parent).flatMap(({ name, kind }) => (kind === 'dir' ? [name] : []));
  const packages = join(local, 'Packages');
  const installed = join(local, 'wsl');
  return [
    ...foldersIn(packages)
      .filter((name) => packageName.test(name))
      .map((name) => join(packages, name, 'LocalState')),
    ...foldersIn(installed).map((name) => join(installed, name)),
    join(local, 'lxss'),
  ];
}

/** The files of a distribution: a folder that is a Linux machine, images and folders that are not read. */
function partsOf(place: string, home: Home, world: World, reader: Reader): readonly Distribution[] {
  const looking = world.reader({ within: [place] });
  const facts = looking.target(place);
  const sealed = (path: string): Distribution => ({ home, path, world: null, losses: () => [] });
  if (facts?.kind === 'file') return [sealed(place)];
  const path = world.path.join(place, 'rootfs');
  const image = world.path.join(place, 'ext4.vhdx');
  const hasFolder = looking.target(path)?.kind === 'dir' && looking.facts(path)?.kind === 'dir';
  const inside = hasFolder ? linuxIn(path, home, world) : null;
  // The first WSL kept people's homes beside the rest, where only its own driver could join them.
  const homes = ['home', 'root'].map((name) => world.path.join(place, name));
  const apart = hasFolder ? homes.filter((folder) => looking.target(folder)?.kind === 'dir') : [];
  const images = looking.facts(image) === null ? [] : [image];
  for (const { path: lost, code, isLoss } of looking.problems) reader.note(lost, code, isLoss);
  return [
    ...(inside === null ? [] : [inside]),
    ...(hasFolder && inside === null ? [path] : []).map(sealed),
    ...[...images, ...apart].map(sealed),
  ];
}

/** The Linux machine in a folder. Its people's homes that lie on Windows drives are looked at as such. */
function linuxIn(path: string, home: Home, outer: World): Distribution | null {
  const inside = outer.inside?.(path, 'linux') ?? null;
  if (inside === null) return null;
  const readers: Reader[] = [];
  const reader: World['reader'] = (...asked) => {
    const made = withoutModes(inside.reader(...asked));
    readers.push(made);
    return made;
  };
  const looking = inside.reader({ within: ['/'] });
  const homes = inside.homes.filter((one) => looking.target(one.path)?.kind === 'dir');
  const { wholeChannels, contents, contentBudgetBytes } = outer;
  const world: World = {
    ...{ ...inside, reader, homes, processes: null },
    ...(wholeChannels === undefined ? {} : { wholeChannels }),
    ...(contents === undefined ? {} : { contents: sharedCache(contents, path, outer) }),
    ...(contentBudgetBytes === undefined ? {} : { contentBudgetBytes }),
  };
  const losses = (): readonly Problem[] => [
    ...(inside.unread ?? []),
    ...[looking, ...readers].flatMap(({ problems }) => problems),
  ];
  return { home, path, world, losses };
}

/** What programs are by their contents is remembered with the rest of the machine, by their Windows paths. */
function sharedCache(outer: ContentsCache, rootfs: string, { path }: World): ContentsCache {
  const outward = (place: string): string => outwardPath(place, { path: rootfs }, { path });
  let pending = 0;
  return {
    get: (facts) => outer.get(facts),
    earlier: (place) => outer.earlier(outward(place)),
    set: (place, facts, contents) => outer.set(outward(place), facts, contents),
    get pending() {
      return pending;
    },
    // What is left over here is left over of the whole scan.
    set pending(count) {
      outer.pending += Math.max(0, count - pending);
      pending = count;
    },
  };
}

/** Windows does not show who may run a Linux file, so every file may be a program. */
function withoutModes(reader: Reader): Reader {
  const runnable = (facts: FileFacts | null): FileFacts | null =>
    facts === null ? null : { ...facts, isExecutable: true };
  return {
    list: (folder) => reader.list(folder),
    bytes: (...asked) => reader.bytes(...asked),
    part: (...asked) => reader.part(...asked),
    text: (...asked) => reader.text(...asked),
    json: (...asked) => reader.json(...asked),
    facts: (place) => runnable(reader.facts(place)),
    target: (place) => runnable(reader.target(place)),
    realPath: (place) => reader.realPath(place),
    note: (...told) => reader.note(...told),
    get problems() {
      return reader.problems;
    },
  };
}

/** A Linux path as Windows has it. */
function outwardPath(
  place: string,
  { path: rootfs }: Pick<Distribution, 'path'>,
  { path }: Pick<World, 'path'>,
): string {
  return place.startsWith('/') ? path.join(rootfs, ...place.split('/')) : place;
}

function rootsIn(
  distribution: Distribution,
  detectors: readonly Detector[],
  plan: Map<string, Inner>,
  world: World,
): readonly Root[] {
  const { home, path, world: inside } = distribution;
  const id = `wsl:${path}`;
  const boundary = { within: [path] };
  plan.set(id, { distribution, read: null });
  const own: Root = {
    ...{ id, channel: 'package', manager: 'wsl', path, home, boundary, watch: [] },
  };
  if (inside === null) return [own];
  const roots = detectors.flatMap((detector) =>
    detector.roots(inside).map((root): Root => {
      const outer = `${id}:${root.id}`;
      plan.set(outer, { distribution, read: { root, detector } });
      const place = outwardPath(root.path, distribution, world);
      return { ...root, id: outer, path: place, home, boundary, watch: [] };
    }),
  );
  return [own, ...roots];
}

/** What of a distribution is not read, for whatever reason. */
function unread(distribution: Distribution, world: World, reader: Reader): readonly Component[] {
  if (distribution.world === null) reader.note(distribution.path, 'unsupported');
  for (const { path, code, isLoss } of distribution.losses()) {
    if (isLoss) reader.note(outwardPath(path, distribution, world), code);
  }
  return [];
}

function readInner(
  { distribution, read }: Inner,
  world: World,
  outer: Reader,
): readonly Component[] {
  const inside = distribution.world;
  if (inside === null || read === null) return [];
  const { root, detector } = read;
  const reader = inside.reader(root.boundary, performance.now() + rootTimeMs);
  const components = detector.read(root, inside, reader);
  for (const { path, code, isLoss } of reader.problems) {
    outer.note(outwardPath(path, distribution, world), code, isLoss);
  }
  return components.map((component) => outward(component, distribution, world));
}

/** The record as Windows sees it. What belongs to the distribution's own machine is its person's too. */
function outward(component: Component, distribution: Distribution, world: World): Component {
  const path = outwardPath(component.path, distribution, world);
  const owner = distribution.home.account;
  const id = componentId(component.channel, component.name, path, owner);
  return { ...component, id, path, owner, evidence: [...component.evidence, evidence].sort() };
}
