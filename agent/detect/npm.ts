/**
 * Packages of npm and its relatives that a person can run by name. It looks for the catalogue's names
 * among the direct entries of each global folder and reads the manifest of those alone; packages nested
 * in others, stores and shims are no installs. What no entry and no rule names is never reported.
 */
import type { Component, ComponentState } from '../../policies/component.js';
import { makeComponent, toolOf } from './component.js';
import type { Detector, Reader, Root, World } from './index.js';
import { foldersOf, type PackageFolder } from './npm-layouts.js';
import { npmPlaces, rootOfPlace, type NpmPlace } from './npm-roots.js';

export const npmDetector: Detector = {
  channel: 'npm',
  roots(world) {
    return npmPlaces(world).map((place) => {
      const reader = world.reader({ within: [place.within] });
      return rootOfPlace(place, watchOf(place, world, reader));
    });
  },
  read(root, world, reader) {
    const found = foldersOf(root, world, reader).flatMap((folder) =>
      packagesIn(folder, root, world, reader),
    );
    return ['npx', 'dlx', 'bunx'].includes(root.layout ?? '') ? oncePerVersion(found) : found;
  },
};

/** The folders whose entries change when a package comes or goes: the root's own and catalogued scopes. */
function watchOf(place: NpmPlace, world: World, reader: Reader): readonly string[] {
  if (place.layout === 'projects' || place.layout === 'bunx') return [];
  const root = rootOfPlace(place, []);
  if (reader.target(place.path)?.kind !== 'dir') return [place.path];
  const modules = foldersOf(root, world, reader).flatMap(({ path, watch }) => [
    ...watch,
    path,
    ...[...scopesOf(world)]
      .map((scope) => world.path.join(path, scope))
      .filter((folder) => reader.facts(folder) !== null),
  ]);
  return [...new Set([place.path, ...modules])];
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

interface Candidate {
  /** The name its folder gives it. */
  readonly name: string;
  readonly path: string;
  /** npm renames a folder so while it replaces or removes the package. */
  readonly isRetired: boolean;
}

/** `.name-XXXXXXXX`: eight characters of a hash (npm's arborist, retire-path). */
const retired = /^\.(.+)-[\w-]{8}$/;

function packagesIn(
  folder: PackageFolder,
  root: Root,
  world: World,
  reader: Reader,
): readonly Component[] {
  return candidatesIn(folder, world, reader).flatMap((candidate) => {
    const { isRetired, path } = candidate;
    if (reader.facts(world.path.join(path, 'package.json')) === null) {
      return isRetired ? [recordOf(candidate, null, { folder, root, world })] : [];
    }
    const manifest = manifestOf(path, world, reader);
    if (manifest === null) return [];
    const named = { ...candidate, name: manifest.name ?? candidate.name };
    if (toolOf(world, 'npm', named.name) === 'unwanted') return [];
    return [recordOf(named, manifest, { folder, root, world })];
  });
}

function candidatesIn(folder: PackageFolder, world: World, reader: Reader): readonly Candidate[] {
  const { path, direct } = folder;
  if (direct === null) return candidatesByName(path, world, reader);
  return [...direct]
    .map(([entry, name]) => ({
      name,
      path: world.path.join(path, ...entry.split('/')),
      isRetired: false,
    }))
    .filter(({ name }) => toolOf(world, 'npm', name) !== 'unwanted')
    .filter((candidate) => reader.facts(candidate.path) !== null)
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Entries whose own name is one we look for, and packages under another name than their own. */
function candidatesByName(path: string, world: World, reader: Reader): readonly Candidate[] {
  const found: Candidate[] = [];
  const others: string[] = [];
  const look = (parent: string, entry: string, scope: string): void => {
    const old = retired.exec(entry)?.[1];
    const name = `${scope}${old ?? entry}`;
    const place = world.path.join(parent, entry);
    if (toolOf(world, 'npm', name) !== 'unwanted') {
      found.push({ name, path: place, isRetired: old !== undefined });
    } else if (!entry.startsWith('.') && scope === '') others.push(place);
  };
  const scopes = scopesOf(world);
  for (const { name, kind } of reader.list(path)) {
    if (kind !== 'dir' && kind !== 'link') continue;
    if (!name.startsWith('@')) look(path, name, '');
    else if (scopes.has(name)) {
      const scope = world.path.join(path, name);
      for (const entry of reader.list(scope)) {
        if (entry.kind === 'dir' || entry.kind === 'link') look(scope, entry.name, `${name}/`);
      }
    }
  }
  return [...found, ...renamed(others, path, world)];
}

/** More packages than this in one folder are not opened to see whether one is renamed. */
const maxRenamed = 100;

/**
 * `npm install -g cc@npm:@anthropic-ai/claude-code` makes a folder `cc`: its manifest alone tells. What
 * is wrong with the manifest of other software is none of our concern, so its problems are dropped.
 */
function renamed(others: readonly string[], path: string, world: World): readonly Candidate[] {
  if (others.length > maxRenamed) return [];
  const reader = world.reader({ within: [path] });
  return others.flatMap((place) => {
    const name = manifestOf(place, world, reader)?.name ?? null;
    const isWanted = name !== null && toolOf(world, 'npm', name) !== 'unwanted';
    return isWanted && !isPart(place, world) ? [{ name, path: place, isRetired: false }] : [];
  });
}

function isPart(place: string, world: World): boolean {
  return world.catalogue.match('npmParts', world.path.basename(place)) !== null;
}

interface Manifest {
  readonly name: string | null;
  readonly version: string | null;
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
  return { name: text('name', maxNameLength), version: text('version', maxVersionLength) };
}

function recordOf(
  { name, path, isRetired }: Candidate,
  manifest: Manifest | null,
  { folder, root, world }: { folder: PackageFolder; root: Root; world: World },
): Component {
  const tool = toolOf(world, 'npm', name);
  const state: ComponentState = isRetired ? 'residual' : folder.state;
  return makeComponent(world, {
    tool: tool === 'unwanted' ? null : tool,
    channel: 'npm',
    manager: root.manager,
    name,
    version: manifest?.version ?? null,
    path,
    state,
    confidence: manifest === null ? 'medium' : 'high',
    evidence: [...(manifest === null ? [] : ['package.json']), ...folder.evidence],
    scope: folder.scope,
    ...(folder.owner === undefined ? {} : { owner: folder.owner }),
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
