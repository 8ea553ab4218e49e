/**
 * The places where vendors' own installers put programs, as the catalogue names them: where each
 * pattern lies in this world, which files it holds now, and which pattern a real path is in. Follows
 * no link and opens nothing.
 */
import { matchFolder, type InstallFolder, type Tool } from '../../policies/catalogue.js';
import { homeOf, spelled } from './component.js';
import { isWithin } from './disk.js';
import type { Home, Reader, World } from './index.js';

/** A pattern in one home, or on the machine when it names no home. */
export interface VendorFolder {
  readonly tool: Tool;
  readonly folder: InstallFolder;
  readonly home: Home | null;
  /** The part before the first wildcard, always a folder. */
  readonly base: string;
  /** What follows `base`, segment by segment. */
  readonly rest: readonly string[];
}

/** A pattern that holds a real path, and what the path says. */
export interface VendorMatch {
  readonly tool: Tool;
  readonly folder: InstallFolder;
  readonly version: string | null;
}

const maxPerFolder = 500;
const plans = new WeakMap<World, readonly VendorFolder[]>();

/** Every pattern for this platform, once per home. */
export function vendorFolders(world: World): readonly VendorFolder[] {
  const known = plans.get(world);
  if (known !== undefined) return known;
  const patterns = world.catalogue.tools.flatMap((tool) =>
    tool.folders
      .filter((folder) => folder.os.includes(world.platform))
      .map((folder) => ({ tool, folder })),
  );
  const plan = patterns.flatMap(({ tool, folder }): VendorFolder[] => {
    if (!folder.path.startsWith('~/')) {
      const place = { tool, folder, home: null, ...split(folder.path, '', world) };
      return world.hasSystem ? [place] : [];
    }
    return world.homes.flatMap((home) =>
      inHome(folder.path, world).flatMap((pattern) => {
        const moved = movesOf(home, world).filter(({ from }) => pattern.startsWith(from));
        return [
          split(pattern, home.path, world),
          ...moved.map(({ from, to }) => split(pattern.slice(from.length), to, world)),
        ].map((place) => ({ tool, folder, home, ...place }));
      }),
    );
  });
  plans.set(world, plan);
  return plan;
}

/** Variables that move what lies below a folder of the home. */
const movers = [
  ['.local/share/', 'XDG_DATA_HOME'],
  ['.config/', 'XDG_CONFIG_HOME'],
  ['.codex/', 'CODEX_HOME'],
  ['.claude/', 'CLAUDE_CONFIG_DIR'],
] as const;

interface Move {
  /** Below the home, with `/` at the end. */
  readonly from: string;
  readonly to: string;
}

const moves = new WeakMap<Home, readonly Move[]>();

/** What a person has moved to elsewhere in the home. */
function movesOf(home: Home, world: World): readonly Move[] {
  const known = moves.get(home);
  if (known !== undefined) return known;
  const found = movers.flatMap(([from, name]): Move[] => {
    const to = home.env[name];
    const isOwn = to !== undefined && homeOf(world, to) === home;
    return isOwn && world.path.relative(world.path.join(home.path, from), to) !== ''
      ? [{ from, to }]
      : [];
  });
  moves.set(home, found);
  return found;
}

/** Where a path would lie if nothing had been moved. */
function unmoved(place: string, home: Home | null, world: World): string {
  if (home === null) return place;
  const { join, relative, sep } = world.path;
  const move = movesOf(home, world).find(({ to }) => isWithin(place, to, sep));
  return move === undefined ? place : join(home.path, move.from, relative(move.to, place));
}

const anyEditor = '*/extensions/';

/** Patterns below a home. No home is ever listed, so "any editor" means those of the catalogue. */
function inHome(pattern: string, world: World): readonly string[] {
  const below = pattern.slice(2);
  if (!isWild(below.slice(0, below.indexOf('/')))) return [below];
  if (!below.startsWith(anyEditor)) return [];
  const rest = below.slice(anyEditor.length);
  return world.catalogue.editors.map(({ homeFolder }) => `${homeFolder}/extensions/${rest}`);
}

function split(
  pattern: string,
  start: string,
  world: World,
): { readonly base: string; readonly rest: readonly string[] } {
  const segments = pattern.split('/');
  const wild = segments.findIndex(isWild);
  const cut = wild === -1 ? segments.length - 1 : wild;
  const root = pattern.startsWith('/') ? '/' : '';
  const base = world.path.join(root, start, ...segments.slice(0, cut));
  return { base, rest: segments.slice(cut) };
}

function isWild(segment: string): boolean {
  return segment.includes('{version}') || segment.includes('*');
}

/** The paths that fit the pattern now, links among them. */
export function filesOf(vendor: VendorFolder, world: World, reader: Reader): readonly string[] {
  let places: readonly string[] = [vendor.base];
  vendor.rest.forEach((segment, index) => {
    const isLast = index === vendor.rest.length - 1;
    places = places.flatMap((place) => {
      if (!isWild(segment)) return [world.path.join(place, segment)];
      const names = reader
        .list(place)
        .filter(({ kind }) => (isLast ? kind === 'file' : kind === 'dir'))
        .map(({ name }) => name)
        .filter(segmentTest(segment));
      if (names.length > maxPerFolder) reader.note(place, 'too-many');
      return names.slice(0, maxPerFolder).map((name) => world.path.join(place, name));
    });
  });
  return places;
}

/** Whether a name fits one segment of a pattern; names compare without regard to case. */
export function segmentTest(segment: string): (name: string) => boolean {
  const source = segment
    .split(/(\{version\}|\*)/)
    .map((piece) => {
      if (piece === '{version}') return 'v?\\d.*';
      return piece === '*' ? '.+' : piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    })
    .join('');
  const test = new RegExp(`^${source}$`, 'i');
  return (name) => test.test(name);
}

/** The pattern that holds this real path, in the home it lies in or on the machine. */
export function matchVendor(real: string, world: World): VendorMatch | null {
  const owner = homeOf(world, real);
  const home = owner?.path ?? null;
  const place = unmoved(spelled(world, real), owner, world);
  for (const tool of world.catalogue.tools) {
    for (const folder of tool.folders) {
      if (!folder.os.includes(world.platform)) continue;
      const found = matchFolder(folder, place, home);
      if (found === null || !isVersion(found.version)) continue;
      return { tool, folder, version: found.version };
    }
  }
  return null;
}

/** A windowed program's own folder on Windows, which the application channel reads. */
export function isApplicationFolder({ os, path, bundled }: InstallFolder): boolean {
  const isProgram = /^(~\/AppData\/Local|C:\/Program Files)\/.*\.exe$/i.test(path);
  return os.includes('win32') && isProgram && !bundled;
}

const insides = new WeakMap<InstallFolder, InstallFolder>();

/**
 * The same for any file of a version's own folder, such as the runtime and the scripts beside the
 * program. Folders that several programs share have no version in their path and never match.
 */
export function matchVersionFolder(real: string, world: World): VendorMatch | null {
  const owner = homeOf(world, real);
  const home = owner?.path ?? null;
  const place = unmoved(spelled(world, real), owner, world);
  const below = home === null ? place : world.path.relative(home, place);
  const start = home === null ? '' : home + world.path.sep;
  for (const tool of world.catalogue.tools) {
    for (const folder of tool.folders) {
      const cut = folder.path.lastIndexOf('/');
      const isOwn = folder.path.slice(0, cut).includes('{version}');
      if (!isOwn || !folder.os.includes(world.platform)) continue;
      const inside = insides.get(folder) ?? { ...folder, path: `${folder.path.slice(0, cut)}/*` };
      insides.set(folder, inside);
      const depth = folder.path.split('/').length - (folder.path.startsWith('~/') ? 1 : 0);
      const names = below.split(world.path.sep).slice(0, depth);
      const found = matchFolder(inside, start + names.join(world.path.sep), home);
      if (found !== null && isVersion(found.version)) return { tool, folder, ...found };
    }
  }
  return null;
}

/** A folder of versions also holds locks and downloads; a version begins with a digit. */
function isVersion(version: string | null): boolean {
  return version === null || /^v?\d/.test(version);
}
