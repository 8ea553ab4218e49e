/**
 * Programs on the PATH and in vendors' install folders. The name of an entry only says that it is
 * worth a look; what it is follows from the file it leads to and the record beside that file. Nothing
 * is ever run, so a version that no record states stays null. Renamed copies are not looked for.
 */
import type { Tool } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { isOfApplication } from './applications-owner.js';
import { homeOf, makeComponent, spelled } from './component.js';
import { isWithin } from './disk.js';
import { filesOf, isApplicationFolder, vendorFolders, type VendorFolder } from './folders.js';
import type { Boundary, Detector, FileFacts, Home, Reader, Root, World } from './index.js';
import { npmPlaces } from './npm-roots.js';
import { originOf, originOfScript, type Origin } from './origin.js';
import { isOfPackage, scoopTarget } from './packages-owner.js';
import { pathFolders } from './shell-path.js';

/** A folder that is looked at: on somebody's PATH, the base of vendors' patterns, or both. */
interface Place {
  readonly path: string;
  readonly home: Home | null;
  readonly isOnPath: boolean;
  readonly vendors: readonly VendorFolder[];
}

export const executables: Detector = {
  channel: 'executable',
  roots: (world) => [...placesOf(world).values()].map((place) => rootOf(place, world)),
  read: readRoot,
};

const plans = new WeakMap<World, ReadonlyMap<string, Place>>();

/** Windows spells one folder in many ways. */
function keyOf(path: string, world: World): string {
  return world.platform === 'win32' ? path.toLowerCase() : path;
}

function placesOf(world: World): ReadonlyMap<string, Place> {
  const known = plans.get(world);
  if (known !== undefined) return known;
  const places = new Map<string, Place>();
  const add = (path: string, isOnPath: boolean, vendors: readonly VendorFolder[]): void => {
    const home = homeOf(world, path);
    if (home === null && !world.hasSystem) return;
    const key = keyOf(path, world);
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

/**
 * A PATH folder that changes its name with every shell (fnm) is known by its real one. One that leads
 * out of its home to somebody else's keeps its own name, so that reading it says so.
 */
function placeOf(folder: string, world: World): string {
  const real = world.reader({ within: [] }).realPath(folder);
  if (real === null) return folder;
  const place = spelled(world, real);
  const [from, to] = [homeOf(world, folder), homeOf(world, place)];
  const staysInside = from === null || from === to || (to === null && world.hasSystem);
  return staysInside ? place : folder;
}

function rootOf(place: Place, world: World): Root {
  const { path, home } = place;
  return {
    id: `executable:${path}`,
    channel: 'executable',
    manager: null,
    path,
    home,
    boundary: boundaryOf(place, world),
    watch: [path, ...launchedFolders(place, world)],
  };
}

/** Where a person's launchers lead: a program that goes leaves its launcher behind. */
function launchedFolders({ path, home, isOnPath }: Place, world: World): readonly string[] {
  if (home === null || !isOnPath) return [];
  const reader = world.reader({ within: [home.path] });
  const folders = commandsIn(path, world, reader).flatMap((candidate) => {
    const real = reader.realPath(candidate.path);
    const folder = real === null ? path : spelled(world, world.path.dirname(real));
    return homeOf(world, folder) === home && folder !== path ? [folder] : [];
  });
  return [...new Set(folders)];
}

/** A person's links may lead anywhere in that home; the machine's anywhere on the machine. */
function boundaryOf({ path, home }: Place, world: World): Boundary {
  return { within: [home?.path ?? world.path.parse(path).root] };
}

/** One entry to look at. `name` is the command it is started by. */
interface Candidate {
  readonly path: string;
  readonly name: string;
  readonly source: 'PATH' | 'folder';
}

interface Look {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

function readRoot(root: Root, world: World, reader: Reader): readonly Component[] {
  const place = placesOf(world).get(keyOf(root.path, world));
  if (place === undefined) return [];
  const look: Look = { root, world, reader };
  const candidates = [
    ...place.vendors.flatMap((vendor) =>
      filesOf(vendor, world, reader).map((path): Candidate => {
        return { path, name: commandOf(path, world), source: 'folder' };
      }),
    ),
    ...(place.isOnPath ? commandsIn(root.path, world, reader) : []),
  ];
  const files = new Set<string>();
  const found = new Map<string, Component>();
  for (const candidate of candidates) {
    const seen = lookAt(candidate, look);
    if (seen === null || found.has(seen.component.id) || files.has(seen.fileId)) continue;
    files.add(seen.fileId);
    found.set(seen.component.id, seen.component);
  }
  return [...found.values()];
}

/** The entries of a PATH folder that bear a command's name; no other entry is touched. */
function commandsIn(folder: string, world: World, reader: Reader): readonly Candidate[] {
  return reader
    .list(folder)
    .filter(({ kind }) => kind === 'file' || kind === 'link')
    .map(({ name }): Candidate => {
      const path = world.path.join(folder, name);
      return { path, name: commandOf(path, world), source: 'PATH' };
    })
    .filter(({ name }) => {
      return (
        claimOf(name, world) !== null || world.catalogue.match('genericCommand', name) !== null
      );
    });
}

function commandOf(path: string, world: World): string {
  const name = world.path.basename(path);
  return world.platform === 'win32' ? name.replace(/\.(exe|cmd|ps1|bat)$/i, '') : name;
}

/** The tool whose command this name is and nobody else's. */
function claimOf(name: string, world: World): Tool | null {
  return world.catalogue.match('command', name);
}

interface Seen {
  readonly component: Component;
  readonly fileId: string;
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
    reader.note(candidate.path, 'outside', false);
    return null;
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
  return component === null ? null : { component, fileId: facts.fileId };
}

interface Target {
  readonly real: string;
  readonly facts: FileFacts;
  readonly origin: Origin;
}

function componentOf(candidate: Candidate, target: Target, look: Look): Component | null {
  const { real, facts, origin } = target;
  const { world, reader } = look;
  switch (origin.kind) {
    case 'npm':
      return packageComponent(origin, candidate, look);
    case 'homebrew':
      return kegComponent(origin, candidate, look);
    case 'other':
    case 'shim':
      return null;
    case 'vendor': {
      if (isApplicationFolder(origin.folder)) return null;
      if (isToldElsewhere(origin.tool, real, look)) return null;
      const isLauncher = originOfScript(real, facts.size, reader) === 'other';
      if (isLauncher || !isRunnable(facts, world)) return null;
      return vendorComponent(origin, target, candidate, look);
    }
    case 'file': {
      const tool = claimOf(candidate.name, world);
      if (tool === null || !isRunnable(facts, world)) return null;
      if (originOfScript(real, facts.size, reader) !== 'file') return null;
      if (isToldElsewhere(tool, real, look)) return null;
      const started = scoopTarget(real, world, reader);
      const isDead = started !== null && reader.target(started) === null;
      const state = isDead ? 'residual' : 'installed';
      return fileComponent(tool, { ...candidate, path: real }, look, state);
    }
  }
}

/** A package's own file, or a part of an application: that channel tells the install. */
function isToldElsewhere(tool: Tool, real: string, { world, reader }: Look): boolean {
  return isOfPackage(tool, real, world, reader) || isOfApplication(tool, real, world, reader);
}

/** Windows has no execute permission: there the name decides. */
function isRunnable(facts: FileFacts, world: World): boolean {
  return (
    facts.kind === 'file' && facts.size > 0 && (facts.isExecutable || world.platform === 'win32')
  );
}

function packageComponent(
  origin: Extract<Origin, { kind: 'npm' }>,
  candidate: Candidate,
  { world }: Look,
): Component | null {
  if (origin.manager === null && isNpmRoot(origin.folder, world)) return null;
  return makeComponent(world, {
    tool: origin.tool?.id ?? null,
    channel: 'npm',
    manager: origin.manager,
    name: origin.name,
    version: origin.version,
    path: origin.folder,
    state: 'installed',
    confidence: 'high',
    evidence: ['package.json', candidate.source],
  });
}

const npmFolders = new WeakMap<World, readonly string[]>();

/** Whether the npm channel reads this folder itself, and knows more about it. */
function isNpmRoot(folder: string, world: World): boolean {
  const looking = world.reader({ within: [] });
  const known =
    npmFolders.get(world) ??
    npmPlaces(world).map(({ path }) => spelled(world, looking.realPath(path) ?? path));
  npmFolders.set(world, known);
  return known.some((place) => isWithin(spelled(world, folder), place, world.path.sep));
}

function kegComponent(
  origin: Extract<Origin, { kind: 'homebrew' }>,
  candidate: Candidate,
  { world }: Look,
): Component {
  return makeComponent(world, {
    tool: origin.tool.id,
    channel: 'homebrew',
    manager: origin.record,
    name: origin.name,
    version: origin.version,
    path: origin.folder,
    state: 'installed',
    confidence: 'high',
    evidence: [origin.record === 'formula' ? 'Cellar' : 'Caskroom', candidate.source],
  });
}

function vendorComponent(
  { tool, folder, version }: Extract<Origin, { kind: 'vendor' }>,
  { real }: Target,
  candidate: Candidate,
  look: Look,
): Component {
  const launcher = (): string =>
    candidate.source === 'PATH' || hasLauncher(real, tool, look) ? 'PATH' : 'no launcher';
  return makeComponent(look.world, {
    tool: tool.id,
    channel: 'executable',
    manager: folder.manager,
    name: programName(tool, folder.path, look.world),
    version,
    path: real,
    state: folder.bundled ? 'bundled' : 'installed',
    confidence: 'high',
    evidence: ['install folder', ...(folder.bundled ? [] : [launcher()])],
  });
}

/** The pattern's file name, or the tool's command where the file bears another. */
export function programName(tool: Tool, pattern: string, world: World): string {
  const last = pattern.slice(pattern.lastIndexOf('/') + 1);
  const name = /[*{]|\.js$/.test(last) ? (tool.identifiers.command[0] ?? tool.id) : last;
  return commandOf(name, world);
}

/** Whether a command of the tool on its owner's PATH leads to this file. */
function hasLauncher(real: string, tool: Tool, { world, reader, root }: Look): boolean {
  const { command, genericCommand } = tool.identifiers;
  return [...command, ...genericCommand].some((name) =>
    commandPaths(name, root.home, world).some((entry) => reader.realPath(entry) === real),
  );
}

/** Where a command would be looked for when this person starts it, whether it is there or not. */
export function commandPaths(name: string, home: Home | null, world: World): readonly string[] {
  const file = world.platform === 'win32' ? `${name}.exe` : name;
  return [...placesOf(world).values()]
    .filter((place) => place.isOnPath && (place.home === null || place.home === home))
    .map(({ path }) => world.path.join(path, file));
}

/** A file of the tool's own command name and no record: as much as a name can say. */
function fileComponent(
  tool: Tool,
  file: { readonly path: string; readonly name: string },
  { world }: Look,
  state: 'installed' | 'residual' = 'installed',
): Component {
  return makeComponent(world, {
    tool: tool.id,
    channel: 'executable',
    manager: null,
    name: file.name,
    version: null,
    path: file.path,
    state,
    confidence: 'low',
    evidence: ['PATH', 'name'],
  });
}

const maxLauncherBytes = 16 * 1024;

/**
 * The script npm writes for a command on Windows, one of up to three of one name. It stands for the
 * package it starts; without that package it is a trace.
 */
function windowsLauncher(candidate: Candidate, facts: FileFacts, look: Look): Seen | null {
  const { world, reader, root } = look;
  if (facts.kind !== 'file' || facts.size > maxLauncherBytes) return null;
  const text = reader.text(candidate.path, maxLauncherBytes) ?? '';
  const named = /node_modules[\\/]((?:@[\w.-]+[\\/])?[\w.-]+)[\\/]/.exec(text)?.[1];
  if (named !== undefined) {
    const folder = world.path.join(root.path, 'node_modules', named, 'package.json');
    const origin = originOf(folder, world, reader);
    if (origin.kind === 'npm') {
      const component = packageComponent(origin, candidate, look);
      return component === null ? null : { component, fileId: origin.folder };
    }
  }
  const tool = claimOf(candidate.name, world);
  if (tool === null || isToldElsewhere(tool, candidate.path, look)) return null;
  const stem = world.path.join(root.path, candidate.name);
  return { component: fileComponent(tool, candidate, look, 'residual'), fileId: stem };
}
