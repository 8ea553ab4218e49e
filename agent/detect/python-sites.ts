/**
 * From a root to the site-packages folders in it, and what being in each means: whether the packages
 * are there to be used, were kept by a run-once command, or belong to a project; and of a tool's own
 * environment, which packages were asked for. Reads lists and the managers' records only; the packages
 * themselves are read in `python-records.ts`.
 */
import { normalName } from '../../policies/catalogue.js';
import type { ComponentState, Scope } from '../../policies/component.js';
import { homeOf, spelled } from './component.js';
import { isWithin } from './disk.js';
import type { Reader, Root, World } from './index.js';
import { environmentFolders } from './projects.js';
import type { PythonLayout } from './python-places.js';
import { readToml } from './toml.js';

/** A site-packages folder. */
export interface Site {
  readonly path: string;
  /** The environment it belongs to; null for a folder beside no interpreter of its own. */
  readonly environment: string | null;
  readonly state: ComponentState;
  readonly scope: Scope;
  /** null: whoever made it, all that is in it can be imported and started. */
  readonly asked: Asked | null;
  /** Only packages with a command of their own count. */
  readonly isCommandsOnly: boolean;
}

/** What a tool's environment was made for, in PyPI's normal form; the rest of it are dependencies. */
export interface Asked {
  readonly main: string;
  readonly names: ReadonlySet<string>;
  /** The version that the manager noted. */
  readonly version: string | null;
  /** The manager's record; null when it is missing or broken and the folder's name has to do. */
  readonly record: string | null;
}

interface Look {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

const layouts: Readonly<Record<PythonLayout, (look: Look) => readonly Site[]>> = {
  pipx: (look) => toolSites(look, pipxRecord),
  uv: (look) => toolSites(look, uvReceipt),
  mise: miseSites,
  environments: (look) => entriesOf(look.root.path, look).flatMap((entry) => sitesOf(entry, look)),
  'project-environments': (look) =>
    entriesOf(look.root.path, look)
      .flatMap((entry) => sitesOf(entry, look))
      .map((site) => ({ ...site, scope: 'project' })),
  environment: (look) => sitesOf(look.root.path, look),
  sites: (look) => versionedSites(look.root.path, look),
  site: ({ root }) => [siteAt(root.path, null)],
  'pipx-run': (look) => runOnce(entriesOf(look.root.path, look), look),
  uvx: (look) => runOnce(uvxEnvironments(look), look),
  projects: ({ root, world, reader }) =>
    environmentFolders(root.path, world, reader)
      .flatMap((folder) => sitesOf(folder, { root, world, reader }))
      .map((site) => ({ ...site, scope: 'project' })),
};

/**
 * The site-packages folders of a root that exist, each once, by their real path in their owner's
 * spelling, so that one folder reached in two ways makes one record.
 */
export function pythonSites(root: Root, world: World, reader: Reader): readonly Site[] {
  const read = layouts[(root.layout ?? 'site') as PythonLayout];
  const sites = new Map<string, Site>();
  for (const site of read({ root, world, reader })) {
    const real = reader.realPath(site.path);
    if (real === null || sites.has(real)) continue;
    const environment = site.environment === null ? null : reader.realPath(site.environment);
    sites.set(real, {
      ...site,
      path: spelled(world, real),
      environment: environment === null ? null : spelled(world, environment),
    });
  }
  return [...sites.values()];
}

function siteAt(path: string, environment: string | null): Site {
  const rest = { state: 'installed', scope: 'global', asked: null, isCommandsOnly: false } as const;
  return { path, environment, ...rest };
}

/**
 * The entries that are environments: folders, and links to somewhere else of the same person. A link
 * to a sibling (`3.12` -> `3.12.6`) is that sibling again. A link to a place of the machine, as for
 * its own Python, is that place's affair; one into another home is never followed.
 */
function entriesOf(parent: string, { world, reader }: Look): readonly string[] {
  const real = reader.realPath(parent);
  if (real === null) return [];
  return reader.list(parent).flatMap(({ name, kind }) => {
    const entry = world.path.join(parent, name);
    if (kind === 'dir') return [entry];
    if (kind !== 'link') return [];
    const target = reader.realPath(entry);
    if (target === null || isSibling(target, real, world)) return [];
    const isMachine = homeOf(world, target) === null && homeOf(world, parent) !== null;
    if (!isMachine) return [entry];
    reader.note(entry, 'outside', false);
    return [];
  });
}

/** Whether a link's target is an entry itself, the folder or one above it. */
function isSibling(target: string, parent: string, world: World): boolean {
  return world.path.dirname(target) === parent || isWithin(parent, target, world.path.sep);
}

/** An environment's own site-packages: `lib/python3.12/site-packages`, on Windows `Lib\site-packages`. */
function sitesOf(environment: string, look: Look): readonly Site[] {
  const { world, reader } = look;
  if (world.platform === 'win32') {
    const path = world.path.join(environment, 'Lib', 'site-packages');
    return reader.target(path)?.kind === 'dir' ? [siteAt(path, environment)] : [];
  }
  const lib = world.path.join(environment, 'lib');
  return versionedSites(lib, look).map((site) => ({ ...site, environment }));
}

/** The same for whatever lies beside a `bin` folder, a person's own on macOS and Windows included. */
export function sitesBeside(folder: string, world: World, reader: Reader): readonly string[] {
  const own = [['Lib', 'site-packages'], ['site-packages'], ['lib', 'python', 'site-packages']]
    .map((names) => world.path.join(folder, ...names))
    .filter((path) => reader.target(path)?.kind === 'dir');
  if (world.platform === 'win32') return own;
  const lib = world.path.join(folder, 'lib');
  return [...own, ...versionedSites(lib, { world, reader }).map(({ path }) => path)];
}

const versioned = /^(?:python|pypy)?\d[\w.+-]*$/i;
const below = ['site-packages', 'dist-packages', 'lib/python/site-packages'];

/** `python3.12/site-packages`, Debian's `dist-packages`, a person's folders of macOS and Windows. */
function versionedSites(parent: string, { world, reader }: Omit<Look, 'root'>): readonly Site[] {
  return reader
    .list(parent)
    .filter(({ name, kind }) => (kind === 'dir' || kind === 'link') && versioned.test(name))
    .flatMap(({ name }) => below.map((folder) => world.path.join(parent, name, folder)))
    .filter((folder) => reader.target(folder)?.kind === 'dir')
    .map((folder) => siteAt(folder, null));
}

function toolSites(look: Look, read: (environment: string, look: Look) => Asked): readonly Site[] {
  return entriesOf(look.root.path, look).flatMap((environment) => {
    const asked = read(environment, look);
    const sites = sitesOf(environment, look);
    // Without its packages the record alone is left, which still says what it was.
    const known = sites.length > 0 ? sites : [siteAt(environment, environment)];
    return known.map((site) => ({ ...site, asked }));
  });
}

/**
 * mise's backend for Python tools gives pipx or uv a home of its own for each version:
 * `pipx-<tool>/<version>/venvs/<tool>` or `pipx-<tool>/<version>/<tool>` (jdx/mise, pipx.rs).
 */
function miseSites(look: Look): readonly Site[] {
  const { root, world, reader } = look;
  return reader
    .list(root.path)
    .filter(({ name, kind }) => kind === 'dir' && name.startsWith('pipx-'))
    .flatMap(({ name }) => entriesOf(world.path.join(root.path, name), look))
    .flatMap((version) => {
      const made = (path: string): Look => ({ ...look, root: { ...root, path } });
      const ofUv = toolSites(made(version), uvReceipt).filter(({ asked }) => asked?.record != null);
      return [...ofUv, ...toolSites(made(world.path.join(version, 'venvs')), pipxRecord)];
    });
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= 256 ? value : null;

/** pipx_metadata.json (pipx's `PipxMetadata`): the main package and those injected beside it. */
function pipxRecord(environment: string, { world, reader }: Look): Asked {
  const name = 'pipx_metadata.json';
  const record = reader.json(world.path.join(environment, name));
  const main = fieldsOf(fieldsOf(record)['main_package']);
  const asked = textOf(main['package']);
  const injected = Object.keys(fieldsOf(fieldsOf(record)['injected_packages']));
  const own = normalName('pypi', asked ?? world.path.basename(environment));
  return {
    main: own,
    names: new Set([own, ...injected.map((each) => normalName('pypi', each))]),
    version: textOf(main['package_version']),
    record: asked === null ? null : name,
  };
}

/**
 * uv-receipt.toml (uv-tool's `Tool`): the requirements a person named, and by `from` the packages whose
 * commands were put on the PATH. The folder bears the tool's name.
 */
function uvReceipt(environment: string, { world, reader }: Look): Asked {
  const name = 'uv-receipt.toml';
  const file = world.path.join(environment, name);
  const text = reader.text(file, 256 * 1024);
  const receipt = text === null ? null : readToml(text);
  const tool = receipt?.['tool'];
  if (text !== null && tool === undefined) reader.note(file, 'malformed');
  const main = normalName('pypi', world.path.basename(environment));
  const named = [
    ...valuesOf('name', fieldsOf(tool)['requirements']),
    ...valuesOf('from', fieldsOf(tool)['entrypoints']),
  ];
  return {
    main,
    names: new Set([main, ...named.map((each) => normalName('pypi', each))]),
    version: null,
    record: tool === undefined ? null : name,
  };
}

/** One field of each table of a list. */
function valuesOf(key: string, list: unknown): readonly string[] {
  return Array.isArray(list) ? list.flatMap((each) => textOf(fieldsOf(each)[key]) ?? []) : [];
}

/** Environments that a run-once command keeps: only what has a command can have been run. */
function runOnce(environments: readonly string[], look: Look): readonly Site[] {
  return environments
    .flatMap((environment) => sitesOf(environment, look))
    .map((site) => ({ ...site, state: 'cached', isCommandsOnly: true }));
}

/**
 * `environments-v2/<interpreter>/<packages>` leads to `archive-v0/<id>`, by a link or, on Windows, by a
 * file that holds that path (uv-cache's `CacheBucket` and `Link`). Other archives are unpacked packages
 * that uv keeps for any use, and no install.
 */
function uvxEnvironments(look: Look): readonly string[] {
  const { root, world, reader } = look;
  return reader
    .list(root.path)
    .filter(({ name, kind }) => kind === 'dir' && /^environments-v\d+$/.test(name))
    .flatMap(({ name }) => {
      const bucket = world.path.join(root.path, name);
      return reader
        .list(bucket)
        .filter(({ kind }) => kind === 'dir')
        .flatMap((interpreter) => keptBelow(world.path.join(bucket, interpreter.name), look));
    });
}

function keptBelow(folder: string, { root, world, reader }: Look): readonly string[] {
  return reader.list(folder).flatMap(({ name, kind }) => {
    const entry = world.path.join(folder, name);
    // A folder with a `lib` of its own is the environment of a script, and no tool's.
    if (kind === 'link') return [entry];
    if (kind !== 'file' || world.platform !== 'win32') return [];
    const archive = /^(archive-v\d+)\/([\w-]+)\s*$/.exec(reader.text(entry, 1024) ?? '');
    if (archive === null) return [];
    return [world.path.join(root.path, archive[1] ?? '', archive[2] ?? '')];
  });
}
