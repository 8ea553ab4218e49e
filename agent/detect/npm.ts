/**
 * Packages of npm and its relatives that a person can run by name. It looks for the catalogue's names
 * among the direct entries of each global folder; packages nested in others, stores and shims are no
 * installs. What no entry and no rule names is reported only where its own manifest has the signs of an
 * AI tool (`candidates.ts`), as a candidate.
 */
import type { Component, ComponentState } from '../../policies/component.js';
import { confidenceOf, npmSigns, type Signs } from './candidates.js';
import { makeComponent, toolOf } from './component.js';
import type { Detector, Reader, Root, World } from './index.js';
import { foldersOf, type PackageFolder } from './npm-layouts.js';
import { npmPlaces, rootOfPlace } from './npm-roots.js';

export const npmDetector: Detector = {
  channel: 'npm',
  roots: (world) =>
    npmPlaces(world).map((place) => {
      return rootOfPlace(place, isWatched(place.layout) ? [place.path] : []);
    }),
  watch: (root, world) => foldersToWatch(root, world, world.reader(root.boundary)),
  read(root, world, reader) {
    const folders = foldersOf(root, world, reader);
    const found = [
      ...folders.flatMap((folder) => packagesIn(folder, root, world, reader)),
      ...(world.isDeep ? folders.flatMap((folder) => nestedIn(folder, root, world)) : []),
    ];
    return ['npx', 'dlx', 'bunx'].includes(root.layout ?? '') ? oncePerVersion(found) : found;
  },
};

/** Whether anybody waits for a change there. */
const isWatched = (layout: string | undefined): boolean =>
  layout !== 'projects' && layout !== 'bunx';

/** The folders whose entries change when a package comes or goes, catalogued scopes among them. */
function foldersToWatch(root: Root, world: World, reader: Reader): readonly string[] {
  if (!isWatched(root.layout) || reader.target(root.path)?.kind !== 'dir') return [];
  return foldersOf(root, world, reader).flatMap(({ path, watch }) => [
    ...watch,
    path,
    ...reader
      .list(path)
      .filter(({ name }) => name.startsWith('@') && scopesOf(world).has(name))
      .map(({ name }) => world.path.join(path, name)),
  ]);
}

const scopeLists = new WeakMap<World, ReadonlySet<string>>();

/** The scopes in which a package may be one we look for. */
function scopesOf(world: World): ReadonlySet<string> {
  const known = scopeLists.get(world);
  if (known !== undefined) return known;
  const names = [
    ...world.catalogue.tools.flatMap(({ identifiers }) => identifiers.npm),
    ...(world.named?.get('npm') ?? []),
  ];
  const scopes = new Set(
    names.filter((name) => name.startsWith('@')).map((name) => name.slice(0, name.indexOf('/'))),
  );
  scopeLists.set(world, scopes);
  return scopes;
}

/**
 * Copies that other global packages bring along, for a deep scan: parts of those, and no installs. A
 * library is in so many packages that to tell of it says nothing.
 */
function nestedIn(folder: PackageFolder, root: Root, world: World): readonly Component[] {
  if (folder.state !== 'installed' || folder.scope !== 'global') return [];
  const reader = world.reader({ within: [folder.path] });
  const packages = reader.list(folder.path).flatMap(({ name, kind }) => {
    if (kind !== 'dir' || name.startsWith('.')) return [];
    if (!name.startsWith('@')) return [name];
    const scope = world.path.join(folder.path, name);
    return reader.list(scope).map((entry) => `${name}/${entry.name}`);
  });
  return packages.slice(0, maxOpened).flatMap((name) => {
    if (toolOf(world, 'npm', name) !== 'unwanted') return [];
    const path = world.path.join(folder.path, ...name.split('/'), 'node_modules');
    if (reader.facts(path)?.kind !== 'dir') return [];
    const evidence = [`dependency of ${name}`];
    const nested = { ...folder, path, state: 'bundled', direct: null, evidence } as const;
    return packagesIn(nested, root, world, reader).filter(({ tool }) => {
      return tool === null || world.catalogue.tool(tool)?.kind !== 'sdk';
    });
  });
}

interface Listed {
  /** The name its folder gives it. */
  readonly name: string;
  readonly path: string;
  /** npm renames a folder so while it replaces or removes the package. */
  readonly isRetired: boolean;
}

/** Direct entries by what their names say. */
interface Direct {
  readonly wanted: readonly Listed[];
  /** Places of all other packages; their manifests tell whether one is renamed, or a candidate. */
  readonly others: readonly string[];
}

interface Scene {
  readonly folder: PackageFolder;
  readonly root: Root;
  readonly world: World;
}

/** `.name-XXXXXXXX`: eight characters of a hash (npm's arborist, retire-path). */
const retired = /^\.(.+)-[\w-]{8}$/;

function packagesIn(
  folder: PackageFolder,
  root: Root,
  world: World,
  reader: Reader,
): readonly Component[] {
  const scene: Scene = { folder, root, world };
  const { wanted, others } =
    folder.direct === null
      ? directByName(scene, reader)
      : directByList(scene, folder.direct, reader);
  const found = wanted.flatMap((listed) => {
    const { isRetired, path } = listed;
    if (reader.facts(world.path.join(path, 'package.json')) === null) {
      return isRetired ? [recordOf(listed, null, scene)] : [];
    }
    const manifest = manifestOf(path, world, reader);
    if (manifest === null) return [];
    const named = { ...listed, name: manifest.name ?? listed.name };
    if (toolOf(world, 'npm', named.name) === 'unwanted') return [];
    return [recordOf(named, manifest, scene)];
  });
  return [...found, ...byManifest(others, scene)];
}

function directByList(
  { folder, world }: Scene,
  direct: ReadonlyMap<string, string>,
  reader: Reader,
): Direct {
  const all = [...direct].map(([entry, name]): Listed => {
    const path = world.path.join(folder.path, ...entry.split('/'));
    return { name, path, isRetired: false };
  });
  const [wanted, others] = [true, false].map((isWanted) =>
    all.filter(({ name }) => (toolOf(world, 'npm', name) !== 'unwanted') === isWanted),
  ) as [Listed[], Listed[]];
  return {
    wanted: wanted
      .filter(({ path }) => reader.facts(path) !== null)
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
    others: others.map(({ path }) => path),
  };
}

function directByName({ folder: { path }, world }: Scene, reader: Reader): Direct {
  const wanted: Listed[] = [];
  const others: string[] = [];
  const look = (parent: string, entry: string, scope: string): void => {
    const old = retired.exec(entry)?.[1];
    const name = `${scope}${old ?? entry}`;
    const place = world.path.join(parent, entry);
    if (toolOf(world, 'npm', name) !== 'unwanted') {
      wanted.push({ name, path: place, isRetired: old !== undefined });
    } else if (!entry.startsWith('.')) others.push(place);
  };
  const scopes = scopesOf(world);
  const lenient = world.reader({ within: [path] });
  let strange = 0;
  for (const { name, kind } of reader.list(path)) {
    if (kind !== 'dir' && kind !== 'link') continue;
    if (!name.startsWith('@')) look(path, name, '');
    else if (scopes.has(name) || (strange += 1) <= maxOpened) {
      const scope = world.path.join(path, name);
      for (const entry of (scopes.has(name) ? reader : lenient).list(scope)) {
        if (entry.kind === 'dir' || entry.kind === 'link') look(scope, entry.name, `${name}/`);
      }
    }
  }
  return { wanted, others };
}

/** More packages than this in one folder are not opened to see what they are. */
const maxOpened = 300;

/**
 * What the manifests of other packages tell. `npm install -g cc@npm:@anthropic-ai/claude-code` makes a
 * folder `cc`: its manifest alone says whose it is. What is wrong with the manifest of other software is
 * none of our concern, so its problems are dropped; and what a link brings in from elsewhere, as from
 * somebody's project, is no package that was installed here.
 */
function byManifest(others: readonly string[], scene: Scene): readonly Component[] {
  const { folder, root, world } = scene;
  if (others.length > maxOpened) return [];
  const within = folder.direct === null ? [folder.path] : root.boundary.within;
  const reader = world.reader({ within });
  const mayHoldCandidates = folder.state === 'installed' && folder.scope === 'global';
  // Where a list says what was asked for it says the packages' own names too.
  if (folder.direct !== null && !mayHoldCandidates) return [];
  return others.flatMap((path) => {
    const manifest = manifestOf(path, world, reader);
    const name = manifest?.name ?? null;
    if (manifest === null || name === null || isPart(path, name, scene)) return [];
    if (toolOf(world, 'npm', name) !== 'unwanted') {
      const isRenamed = folder.direct === null;
      return isRenamed ? [recordOf({ name, path, isRetired: false }, manifest, scene)] : [];
    }
    const listed = { name, path, isRetired: false };
    if (world.wholeChannels?.has('npm') === true) return [recordOf(listed, manifest, scene)];
    const signs = mayHoldCandidates ? npmSigns(manifest.fields, world.catalogue) : null;
    if (signs === null || !isInstalled(path, world, reader)) return [];
    return [recordOf(listed, manifest, scene, signs)];
  });
}

/** A part of a catalogued package, by the name of its folder or by its own. */
function isPart(place: string, name: string, { folder, world }: Scene): boolean {
  const below = world.path.relative(folder.path, place).replaceAll('\\', '/');
  return [below, name].some((one) => world.catalogue.match('npmParts', one) !== null);
}

/** A package that a manager put there, and not a link to a folder that somebody works in. */
function isInstalled(place: string, world: World, reader: Reader): boolean {
  return (reader.realPath(place) ?? '').split(world.path.sep).includes('node_modules');
}

interface Manifest {
  readonly name: string | null;
  readonly version: string | null;
  readonly fields: object;
}

const maxNameLength = 214; // npm's own limit
const maxVersionLength = 256; // node-semver's own limit

function manifestOf(folder: string, world: World, reader: Reader): Manifest | null {
  const file = world.path.join(folder, 'package.json');
  const value = reader.json(file);
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    reader.note(file, 'malformed');
    return null;
  }
  const text = (field: string, maxLength: number): string | null => {
    const entry = (value as Record<string, unknown>)[field];
    const isText = typeof entry === 'string' && entry !== '' && entry.length <= maxLength;
    return isText ? entry : null;
  };
  return {
    name: text('name', maxNameLength),
    version: text('version', maxVersionLength),
    fields: value,
  };
}

function recordOf(
  { name, path, isRetired }: Listed,
  manifest: Manifest | null,
  { folder, root, world }: Scene,
  signs: Signs | null = null,
): Component {
  const tool = toolOf(world, 'npm', name);
  const state: ComponentState = isRetired ? 'residual' : folder.state;
  const sure = manifest === null ? 'medium' : 'high';
  return makeComponent(world, {
    tool: tool === 'unwanted' ? null : tool,
    channel: 'npm',
    manager: root.manager,
    name,
    version: manifest?.version ?? null,
    path,
    state,
    confidence: signs === null ? sure : confidenceOf(signs),
    evidence: [
      ...(manifest === null ? [] : ['package.json']),
      ...folder.evidence,
      ...(signs?.names ?? []),
    ],
    scope: folder.scope,
    ...(folder.owner === undefined ? {} : { owner: folder.owner }),
    ...(signs === null ? {} : { candidate: signs.reasons }),
  });
}

/** A run-once cache keeps a folder per way of asking; one version is one row. */
function oncePerVersion(components: readonly Component[]): readonly Component[] {
  const rows = new Map<string, Component>();
  for (const component of components) {
    const key = JSON.stringify([component.name, component.version, component.owner]);
    if (!rows.has(key)) rows.set(key, component);
  }
  return [...rows.values()];
}
