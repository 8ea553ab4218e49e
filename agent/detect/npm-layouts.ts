/**
 * From a root to the node_modules folders in it, for each manager's own layout, and which of their
 * entries count: a manager that flattens its tree says in a manifest which packages were asked for.
 * Reads manifests and folder lists only; the packages themselves are read in `npm.ts`.
 */
import type { ComponentState, Scope } from '../../policies/component.js';
import { spelled } from './component.js';
import { isWithin } from './disk.js';
import type { Reader, Root, World } from './index.js';
import { modulesBelow, type NpmLayout } from './npm-roots.js';
import { projectFolders } from './projects.js';

/** A node_modules folder and what being in it means. */
export interface PackageFolder {
  readonly path: string;
  readonly state: ComponentState;
  readonly scope: Scope;
  /** Packages asked for, by the folder each has and its own name; null: every direct entry was. */
  readonly direct: ReadonlyMap<string, string> | null;
  readonly evidence: readonly string[];
  /** Set where the place does not say whose it is. */
  readonly owner?: string;
  /** Further folders whose entries change when a package comes or goes. */
  readonly watch: readonly string[];
}

interface Look {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

const layouts: Readonly<Record<NpmLayout, (look: Look) => readonly PackageFolder[]>> = {
  prefix: ({ root }) => [installed(root.path)],
  versions: (look) => versionFolders(look, look.root.path),
  // One more level: `node/22.21.0/x64` (https://github.com/jasongin/nvs).
  nvs: (look) =>
    entriesOf(look.root.path, look).flatMap((version) => versionFolders(look, version)),
  mise: miseFolders,
  volta: voltaFolders,
  pnpm: pnpmFolders,
  yarn: flatFolder,
  bun: flatFolder,
  npx: (look) => runOnceFolders(look, ''),
  dlx: (look) => runOnceFolders(look, 'pkg'),
  bunx: bunxFolders,
  zed: zedFolders,
  projects: copiesInProjects,
};

/**
 * The node_modules folders of a root that exist, by their real path in their owner's spelling, so that
 * one folder reached in two ways makes one record.
 */
export function foldersOf(root: Root, world: World, reader: Reader): readonly PackageFolder[] {
  const read = layouts[(root.layout ?? 'prefix') as NpmLayout];
  return read({ root, world, reader }).flatMap((folder) => {
    const real = reader.realPath(folder.path);
    return real === null ? [] : [{ ...folder, path: spelled(world, real) }];
  });
}

function installed(path: string): PackageFolder {
  return { path, state: 'installed', scope: 'global', direct: null, evidence: [], watch: [] };
}

/** One Node per entry; an entry that links to a sibling (`latest`, `22`) is that sibling again. */
function versionFolders(
  { world, reader }: Look,
  parent: string,
  below: readonly string[] = modulesBelow(world),
): readonly PackageFolder[] {
  return entriesOf(parent, { world, reader }).flatMap((entry) =>
    below
      .map((folder) => world.path.join(entry, folder))
      .filter((folder) => reader.target(folder)?.kind === 'dir')
      .map((folder) => ({
        ...installed(folder),
        direct: directNames(world.path.dirname(folder), reader, world),
        watch: [parent],
      })),
  );
}

function entriesOf(parent: string, { world, reader }: Omit<Look, 'root'>): readonly string[] {
  const real = reader.realPath(parent);
  if (real === null) return [];
  return reader.list(parent).flatMap(({ name, kind }) => {
    const entry = world.path.join(parent, name);
    if (kind === 'dir') return [entry];
    if (kind !== 'link') return [];
    const target = reader.realPath(entry);
    return target === null || isWithin(target, real, world.path.sep) ? [] : [entry];
  });
}

/** `installs/node/<version>` and the npm backend's `installs/npm-<package>/<version>` (mise.jdx.dev). */
function miseFolders(look: Look): readonly PackageFolder[] {
  const { root, world, reader } = look;
  const backend = ['lib/node_modules', 'node_modules', '5/node_modules'];
  return reader.list(root.path).flatMap(({ name, kind }) => {
    if (kind !== 'dir' || (name !== 'node' && !name.startsWith('npm-'))) return [];
    const folder = world.path.join(root.path, name);
    return versionFolders(look, folder, name === 'node' ? modulesBelow(world) : backend);
  });
}

/** An image counts while Volta's record of the package stands beside it; alone it is a left-over. */
function voltaFolders({ root, world, reader }: Look): readonly PackageFolder[] {
  const images = world.path.join(root.path, 'image/packages');
  const records = world.path.join(root.path, 'user/packages');
  return namesIn(images, reader, world).flatMap((name): PackageFolder[] => {
    const modules = modulesBelow(world)
      .map((folder) => world.path.join(images, name, folder))
      .find((folder) => reader.target(folder)?.kind === 'dir');
    if (modules === undefined) return [];
    const hasRecord = reader.facts(world.path.join(records, `${name}.json`)) !== null;
    return [
      {
        ...installed(modules),
        state: hasRecord ? 'installed' : 'residual',
        direct: new Map([[name, name]]),
        evidence: hasRecord ? ['volta record'] : [],
        watch: [images, records, world.path.dirname(world.path.join(records, name))],
      },
    ];
  });
}

/** Package names of a folder with a sub-folder per scope. */
function namesIn(folder: string, reader: Reader, world: World): readonly string[] {
  return reader.list(folder).flatMap(({ name, kind }) => {
    if (kind !== 'dir') return [];
    if (!name.startsWith('@')) return [name];
    return reader.list(world.path.join(folder, name)).map((entry) => `${name}/${entry.name}`);
  });
}

/**
 * `global/5` holds all packages of older versions; `global/v11` an install folder per group of packages
 * and a link named by a hash to each that is in use (pnpm.io/global-packages).
 */
function pnpmFolders(look: Look): readonly PackageFolder[] {
  const { root, world, reader } = look;
  return reader.list(root.path).flatMap(({ name, kind }) => {
    const folder = world.path.join(root.path, name);
    if (kind !== 'dir') return [];
    if (/^\d+$/.test(name)) return [groupFolder(folder, 'installed', look)];
    return /^v\d+$/.test(name) ? pnpmGroups(folder, look) : [];
  });
}

function pnpmGroups(parent: string, look: Look): readonly PackageFolder[] {
  const { world, reader } = look;
  const real = reader.realPath(parent) ?? parent;
  const entries = reader.list(parent);
  const inUse = new Set<string>();
  for (const { name, kind } of entries) {
    if (kind !== 'link') continue;
    const link = world.path.join(parent, name);
    const target = reader.realPath(link);
    if (target === null) continue;
    if (isWithin(target, real, world.path.sep)) inUse.add(target);
    else reader.note(link, 'outside');
  }
  return entries
    .filter(({ kind }) => kind === 'dir')
    .map(({ name }) => {
      const isUsed = inUse.has(world.path.join(real, name));
      const state = isUsed ? 'installed' : 'residual';
      return groupFolder(world.path.join(parent, name), state, look);
    });
}

/** A folder with a manifest of what was asked for, and node_modules beside it. */
function groupFolder(
  folder: string,
  state: ComponentState,
  { world, reader }: Look,
): PackageFolder {
  return {
    ...installed(world.path.join(folder, 'node_modules')),
    state,
    direct: directNames(folder, reader, world),
    watch: [folder, world.path.dirname(folder)],
  };
}

/** Yarn and Bun flatten all that their global packages need into one folder. */
function flatFolder(look: Look): readonly PackageFolder[] {
  return [groupFolder(look.root.path, 'installed', look)];
}

/** A folder per way of asking, `below` it the manifest and node_modules. */
function runOnceFolders(look: Look, below: string): readonly PackageFolder[] {
  const { root, world, reader } = look;
  return reader.list(root.path).flatMap(({ name, kind }) => {
    if (kind !== 'dir') return [];
    const folder = world.path.join(root.path, name, below);
    const rest = { evidence: [`${root.manager} cache`], watch: [root.path, folder] };
    const group = { ...groupFolder(folder, 'cached', look), ...rest };
    // Before npm 7 a folder was a prefix, named by the number of the process.
    const modules = world.path.join(folder, 'lib', 'node_modules');
    const isPrefix = root.layout === 'npx' && /^\d+$/.test(name);
    const own = { path: modules, direct: null };
    return isPrefix && world.platform !== 'win32' ? [{ ...group, ...own }] : [group];
  });
}

/** `<agent>/<version>/node_modules`, and one level more for agents that an extension brings. */
function zedFolders(look: Look): readonly PackageFolder[] {
  return entriesOf(look.root.path, look)
    .flatMap((agent) => [agent, ...entriesOf(agent, look)])
    .flatMap((folder) => [folder, ...entriesOf(folder, look)])
    .map((version) => ({
      ...groupFolder(version, 'bundled', look),
      direct: null,
      evidence: ['external agent'],
      watch: [look.root.path],
    }));
}

/**
 * `<temporary folder>/bunx-<uid>-<package>@<version>`, a scope being a folder of its own (Bun's
 * bunx_command). In a temporary folder that all share, only those of the world's people are entered.
 */
function bunxFolders(look: Look): readonly PackageFolder[] {
  const { root, world, reader } = look;
  return reader.list(root.path).flatMap(({ name, kind }) => {
    const match = kind === 'dir' ? /^bunx-(\d+)-(.+)$/.exec(name) : null;
    const person = root.home ?? world.homes.find(({ uid }) => String(uid) === match?.[1]);
    if (match === null || person === undefined) return [];
    const folder = world.path.join(root.path, name);
    const isScope = match[2]?.startsWith('@') === true;
    const inScope = isScope ? reader.list(folder).map((entry) => entry.name) : [''];
    return inScope.map((entry) => ({
      ...groupFolder(world.path.join(folder, entry), 'cached', look),
      evidence: ['bunx cache'],
      owner: person.account,
      watch: [],
    }));
  });
}

function copiesInProjects({ root, world, reader }: Look): readonly PackageFolder[] {
  return projectFolders(root.path, world, reader).map((path) => ({
    ...installed(path),
    scope: 'project',
    direct: directNames(world.path.dirname(path), reader, world),
  }));
}

/** A package's folder below node_modules, and nothing that leads elsewhere. */
const folderName = /^(?:@[^/\\]+\/)?(?!\.\.?$)[^/\\]+$/;
/** `npm:@scope/name@1.2.3`: the package under another folder's name. */
const alias = /^npm:((?:@[^/@]+\/)?[^/@]+)/;

/** The packages a manifest asks for; null without one, as then nothing says which were. */
function directNames(
  folder: string,
  reader: Reader,
  world: World,
): ReadonlyMap<string, string> | null {
  const file = world.path.join(folder, 'package.json');
  const manifest = reader.json(file);
  if (typeof manifest !== 'object' || manifest === null) return null;
  const direct = new Map<string, string>();
  for (const field of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    const listed = (manifest as Record<string, unknown>)[field];
    if (typeof listed !== 'object' || listed === null) continue;
    for (const [name, range] of Object.entries(listed)) {
      const real = typeof range === 'string' ? alias.exec(range)?.[1] : undefined;
      if (folderName.test(name)) direct.set(name, real ?? name);
      else reader.note(file, 'refused-entry');
    }
  }
  return direct;
}
