/**
 * Which folders are looked through for programs, and which entries of them are worth a look: what is on
 * somebody's PATH, and where vendors' installers put theirs, each folder once. Opens nothing.
 */
import { homeOf, spelled } from './component.js';
import { filesOf, isApplicationFolder, vendorFolders, type VendorFolder } from './folders.js';
import type { FileFacts, Home, Reader, Root, World } from './index.js';
import { pathFolders } from './shell-path.js';

/** A folder that is looked at: on somebody's PATH, the base of vendors' patterns, or both. */
export interface Place {
  readonly path: string;
  readonly home: Home | null;
  readonly isOnPath: boolean;
  readonly vendors: readonly VendorFolder[];
}

const plans = new WeakMap<World, ReadonlyMap<string, Place>>();

/** Windows spells one folder in many ways. */
export function placeKey(path: string, world: World): string {
  return world.platform === 'win32' ? path.toLowerCase() : path;
}

export function placesOf(world: World): ReadonlyMap<string, Place> {
  const known = plans.get(world);
  if (known !== undefined) return known;
  const places = new Map<string, Place>();
  const add = (path: string, isOnPath: boolean, vendors: readonly VendorFolder[]): void => {
    const home = homeOf(world, path);
    if (home === null && !world.hasSystem) return;
    const key = placeKey(path, world);
    const known = places.get(key);
    places.set(key, {
      path: known?.path ?? path,
      home,
      isOnPath: isOnPath || known?.isOnPath === true,
      vendors: [...(known?.vendors ?? []), ...vendors],
    });
  };
  const owners = world.hasSystem ? [null, ...world.homes] : world.homes;
  for (const folder of owners.flatMap((home) => pathFolders(world, home))) {
    add(placeOf(folder, world), true, []);
  }
  const programs = vendorFolders(world).filter(({ folder }) => !isApplicationFolder(folder));
  const byBase = Map.groupBy(programs, ({ base }) => base);
  for (const [base, vendors] of byBase) add(base, false, vendors);
  plans.set(world, places);
  return places;
}

/** All that Nix installs lies here, is root's and never changes. */
export const nixStore = '/nix/store/';

/**
 * A PATH folder that changes its name with every shell (fnm) is known by its real one. One that leads
 * out of its home to somebody else's keeps its own name, so that reading it says so.
 */
function placeOf(folder: string, world: World): string {
  const real = world.reader({ within: [] }).realPath(folder);
  if (real === null) return folder;
  const place = spelled(world, real);
  // A profile of Nix is its owner's though all that is in it lies in the machine's store.
  if (place.startsWith(nixStore) && homeOf(world, folder) !== null) return folder;
  const [from, to] = [homeOf(world, folder), homeOf(world, place)];
  const staysInside = from === null || from === to || (to === null && world.hasSystem);
  return staysInside ? place : folder;
}

/** The command that starts a file: its name, without the extension that Windows adds. */
export function commandOf(path: string, world: World): string {
  const name = world.path.basename(path);
  return world.platform === 'win32' ? name.replace(/\.(exe|cmd|ps1|bat)$/i, '') : name;
}

/** Where a command would be looked for when this person starts it, whether it is there or not. */
export function commandPaths(name: string, home: Home | null, world: World): readonly string[] {
  const file = world.platform === 'win32' ? `${name}.exe` : name;
  return [...placesOf(world).values()]
    .filter((place) => place.isOnPath && (place.home === null || place.home === home))
    .map(({ path }) => world.path.join(path, file));
}

/** One entry to look at. `name` is the command it is started by. */
export interface Candidate {
  readonly path: string;
  readonly name: string;
  readonly source: 'PATH' | 'folder';
}

/** What a look at a root is made with. */
export interface Look {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

/** Windows has no execute permission: there the name decides. */
export function isRunnable(facts: FileFacts, world: World): boolean {
  return (
    facts.kind === 'file' && facts.size > 0 && (facts.isExecutable || world.platform === 'win32')
  );
}

/** The files that a place's vendors put there. */
export function vendorCandidates(
  { vendors }: Place,
  { world, reader }: Look,
): readonly Candidate[] {
  return vendors.flatMap((vendor) =>
    filesOf(vendor, world, reader).map((path): Candidate => {
      return { path, name: commandOf(path, world), source: 'folder' };
    }),
  );
}

/** The entries of a PATH folder that bear a command's name, and all others. */
export function pathCandidates(
  folder: string,
  { world, reader }: Pick<Look, 'world' | 'reader'>,
): { readonly named: readonly Candidate[]; readonly others: readonly Candidate[] } {
  const entries = reader
    .list(folder)
    .filter(({ kind }) => kind === 'file' || kind === 'link')
    .map(({ name }): Candidate => {
      const path = world.path.join(folder, name);
      return { path, name: commandOf(path, world), source: 'PATH' };
    });
  const isNamed = ({ name }: Candidate): boolean =>
    world.catalogue.match('command', name) !== null ||
    world.catalogue.match('genericCommand', name) !== null;
  return {
    named: entries.filter(isNamed),
    others: entries.filter((candidate) => !isNamed(candidate)),
  };
}

/** What the system itself brings fills these folders; who may write there may do anything. */
const systemFolders =
  /^(\/(usr\/)?(s?bin|lib\w*|libexec|games)|\/nix\/store|\/snap\/bin|\/System|\/var\/lib\/flatpak\/exports\/bin|[A-Za-z]:\\Windows)([\\/]|$)/i;

export function isSystemFolder(folder: string): boolean {
  return systemFolders.test(folder);
}
