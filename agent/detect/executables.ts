/**
 * Programs on the PATH and in vendors' install folders; in a deep scan anywhere below a home. What one
 * is follows from the file it leads to, the record beside that file and what the file holds; its name
 * only says where to look first. Nothing is ever run.
 */
import type { Component } from '../../policies/component.js';
import { agentServerRoots, fetched, readAgentServers, readFetchedAgents } from './agent-servers.js';
import { hostOf } from './applications-owner.js';
import { homeOf, spelled } from './component.js';
import { pendingContents } from './contents.js';
import { isWithin } from './disk.js';
import { readDeep } from './executables-copies.js';
import {
  isRunnable,
  isSystemFolder,
  nixStore,
  pathCandidates,
  placeKey,
  placesOf,
  vendorCandidates,
  type Candidate,
  type Look,
  type Place,
} from './executables-places.js';
import {
  commandComponent,
  componentOf,
  windowsLauncher,
  type Seen,
} from './executables-records.js';
import type { Boundary, Detector, Home, Reader, Root, World } from './index.js';
import { originOf } from './origin.js';

export const executables: Detector = {
  channel: 'executable',
  roots: (world) => [
    ...[...placesOf(world).values()].map((place) => rootOf(place, world)),
    ...agentServerRoots(world),
    ...(world.isDeep ? world.homes.map(deepRoot) : []),
  ],
  watch: (root, world) => (root.layout === onPath ? launchedFolders(root, world) : []),
  read(root, world, reader) {
    const before = pendingContents(world);
    const found = readers[root.layout ?? 'folder']?.(root, world, reader) ?? [];
    // Said, and no loss: what such a file was the last time still stands.
    if (pendingContents(world) > before) reader.note(root.path, 'too-large', false);
    return found;
  },
};

/** A folder on somebody's PATH. */
const onPath = 'path';

/** By what a root is; a folder of a vendor has no layout of its own. */
const readers: Readonly<Record<string, Detector['read']>> = {
  folder: readRoot,
  [onPath]: readRoot,
  deep: readDeep,
  'agent-servers': readAgentServers,
  [fetched]: readFetchedAgents,
};

function rootOf(place: Place, world: World): Root {
  const { path, home, isOnPath } = place;
  return {
    id: `executable:${path}`,
    channel: 'executable',
    manager: null,
    ...(isOnPath ? { layout: onPath } : {}),
    path,
    home,
    boundary: boundaryOf(place, world),
    watch: [path],
  };
}

function deepRoot(home: Home): Root {
  return {
    id: `executable:deep:${home.path}`,
    channel: 'executable',
    manager: null,
    layout: 'deep',
    path: home.path,
    home,
    boundary: { within: [home.path] },
    watch: [],
  };
}

/** Where a person's launchers lead: a program that goes leaves its launcher behind. */
function launchedFolders({ path, home, boundary }: Root, world: World): readonly string[] {
  if (home === null) return [];
  const reader = world.reader(boundary);
  const folders = pathCandidates(path, { world, reader }).named.flatMap((candidate) => {
    const real = reader.realPath(candidate.path);
    const folder = real === null ? path : spelled(world, world.path.dirname(real));
    return homeOf(world, folder) === home && folder !== path ? [folder] : [];
  });
  return [...new Set(folders)];
}

/**
 * A person's links may lead anywhere in that home, and into the store of Nix; the machine's anywhere on
 * the machine.
 */
function boundaryOf({ path, home }: Place, world: World): Boundary {
  if (home === null) return { within: [world.path.parse(path).root] };
  const hasStore = world.hasSystem && world.platform !== 'win32';
  return { within: hasStore ? [home.path, nixFolder] : [home.path] };
}

const nixFolder = nixStore.slice(0, -1);

/** More files without a command's name are not looked at in one folder. */
const maxOthers = 4_000;

function readRoot(root: Root, world: World, reader: Reader): readonly Component[] {
  const place = placesOf(world).get(placeKey(root.path, world));
  if (place === undefined) return [];
  const look: Look = { root, world, reader };
  const { named, others } = place.isOnPath
    ? pathCandidates(root.path, look)
    : { named: [], others: [] };
  const files = new Set<string>();
  const found = new Map<string, Component>();
  const add = (seen: Seen | null): void => {
    if (seen === null || found.has(seen.component.id) || files.has(seen.fileId)) return;
    files.add(seen.fileId);
    found.set(seen.component.id, seen.component);
  };
  for (const candidate of [...vendorCandidates(place, look), ...named]) {
    add(lookAt(candidate, look));
  }
  // Software of every kind: what is wrong with it marks nothing.
  const aside: Look = { root, world, reader: world.reader(root.boundary) };
  for (const candidate of smallestFirst(others, aside)) add(lookAt(candidate, aside));
  return [...found.values()];
}

/** Programs that run other people's programs: large, many, and hardly ever a tool under that name. */
const runtimes = /^(node|bun|deno|python[\d.]*)$/;

/** What is worth a look inside, so that a budget goes as far as it can. */
function smallestFirst(others: readonly Candidate[], { root, world, reader }: Look): Candidate[] {
  if (isSystemFolder(reader.realPath(root.path) ?? root.path)) return [];
  const remembers = world.contents !== undefined || world.isDeep;
  return others
    .slice(0, maxOthers)
    .filter(({ name }) => remembers || !runtimes.test(name))
    .filter(({ path }) => world.platform !== 'win32' || isWindowsProgram(path, root, reader))
    .flatMap((candidate) => {
      const facts = reader.target(candidate.path);
      if (facts === null && isPackageElsewhere(candidate, root, world)) {
        return [{ candidate, size: 0 }];
      }
      return facts !== null && isRunnable(facts, world) ? [{ candidate, size: facts.size }] : [];
    })
    .sort((a, b) => a.size - b.size)
    .map(({ candidate }) => candidate);
}

/** Of links out of the home only those into a package are worth following without a command's name. */
function isPackageElsewhere({ path }: Candidate, { home }: Root, world: World): boolean {
  if (home === null || !world.hasSystem) return false;
  return world.reader({ within: [] }).realPath(path)?.includes('node_modules') === true;
}

/** npm's own folder has three launchers for each package, all of which its channel knows. */
function isWindowsProgram(path: string, root: Root, reader: Reader): boolean {
  if (/\.exe$/i.test(path)) return true;
  return /\.(cmd|bat)$/i.test(path) && reader.facts(`${root.path}\\node_modules`) === null;
}

function lookAt(candidate: Candidate, look: Look): Seen | null {
  const { world, reader, root } = look;
  const real = reader.realPath(candidate.path);
  const facts = real === null ? null : reader.target(candidate.path);
  if (real === null || facts === null) return null;
  const isInside = root.boundary.within.some((folder) => {
    return isWithin(real, reader.realPath(folder) ?? folder, world.path.sep);
  });
  if (!isInside) {
    const seen = onMachine(candidate, real, look);
    if (seen === null) reader.note(candidate.path, 'outside', false);
    return seen;
  }
  // In a vendor's own folder a program may be a script, or be named by its version alone.
  if (world.platform === 'win32' && candidate.source === 'PATH' && !/\.exe$/i.test(real)) {
    return windowsLauncher(candidate, facts, look);
  }
  const component = componentOf(
    candidate,
    { real, facts, origin: originOf(real, world, reader) },
    look,
  );
  return component === null
    ? null
    : { component: asPart(component, real, look), fileId: facts.fileId };
}

/**
 * A person's link to a program of the machine, which may be on nobody's PATH: what its place and the
 * record beside it say, at last the command. What it holds is not read on a link's word.
 */
function onMachine(candidate: Candidate, real: string, look: Look): Seen | null {
  const { root, world } = look;
  if (root.home === null || !world.hasSystem || homeOf(world, real) !== null) return null;
  const aside = { ...look, reader: world.reader({ within: [world.path.parse(real).root] }) };
  const facts = aside.reader.facts(real);
  if (facts === null) return null;
  const origin = originOf(real, world, aside.reader);
  const component =
    origin.kind === 'file'
      ? commandComponent(candidate, { real, facts, origin }, aside)
      : componentOf(candidate, { real, facts, origin }, aside);
  return component === null ? null : { component, fileId: facts.fileId };
}

/** What another tool's application keeps in its own folder is a part of that one. */
function asPart(component: Component, real: string, { world, reader }: Look): Component {
  const { tool: id, channel, manager, state, evidence } = component;
  const tool = id === null ? null : world.catalogue.tool(id);
  const isOwn = channel !== 'executable' || manager !== null || state !== 'installed';
  if (isOwn || tool === null || hostOf(tool, real, world, reader) === null) return component;
  return { ...component, state: 'bundled', evidence: [...evidence, 'application'].sort() };
}
