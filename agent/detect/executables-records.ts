/**
 * What a program is by the record beside it: a vendor's folder, a package, a keg; or by its name alone
 * where no record and nothing in it says otherwise. Nothing is ever run, so a version that no record
 * states stays null.
 */
import type { Tool } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { makeComponent, spelled, toolOf } from './component.js';
import { isWithin } from './disk.js';
import { copyComponent, isToldElsewhere, lookInside } from './executables-copies.js';
import {
  commandOf,
  commandPaths,
  isRunnable,
  type Candidate,
  type Look,
} from './executables-places.js';
import { ofLaunch, readScript, type Behind, type Script } from './executables-scripts.js';
import { isApplicationFolder } from './folders.js';
import type { FileFacts, Root, World } from './index.js';
import { foldersOf } from './npm-layouts.js';
import { modulesBelow, npmPlaces, rootOfPlace, type NpmPlace } from './npm-roots.js';
import { originOf, originOfScript, packageBeside, type Origin } from './origin.js';
import { scoopTarget } from './packages-owner.js';

/** The tool whose command this name is and nobody else's. */
function claimOf(name: string, world: World): Tool | null {
  return world.catalogue.match('command', name);
}

/** A component and the file it stands for. */
export interface Seen {
  readonly component: Component;
  readonly fileId: string;
}

/** Where an entry leads. */
export interface Target {
  readonly real: string;
  readonly facts: FileFacts;
  readonly origin: Origin;
}

export function componentOf(candidate: Candidate, target: Target, look: Look): Component | null {
  const { real, facts, origin } = target;
  const { world, reader } = look;
  switch (origin.kind) {
    case 'npm':
      return packageComponent(origin, candidate, look);
    case 'homebrew':
      return kegComponent(origin, candidate, look);
    case 'nix':
      return storedComponent(origin, candidate, target, look);
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
    case 'file':
      return ofFile(candidate, target, look);
  }
}

/** No record by its place: what a script starts, the package beside it, what it holds, at last its name. */
function ofFile(candidate: Candidate, { real, facts }: Target, look: Look): Component | null {
  const { world, reader } = look;
  if (!isRunnable(facts, world)) return null;
  if (/\.exe$/i.test(real)) {
    if (originOfScript(real, facts.size, reader) !== 'file') return null;
    // What Bun puts beside a copy of one program for it to know what to start.
    if (reader.facts(real.replace(/\.exe$/i, '.bunx')) !== null) return null;
  }
  const claim = claimOf(candidate.name, world);
  const script = readScript(real, facts, look, claim !== null);
  const told = script === null ? null : scriptComponent(script, { ...candidate, path: real }, look);
  if (told !== null) return told === 'other' ? null : told;
  // Whatever else lies around is none of this root's concern.
  const beside = packageBeside(real, world, world.reader(look.root.boundary));
  if (beside !== null) {
    return isLinkedGlobally(beside, look) ? null : packageComponent(beside, candidate, look);
  }
  const copy = lookInside(real, facts, look);
  if (copy !== null) return copy === 'other' ? null : copyComponent(copy, ['PATH'], world);
  if (claim === null || isToldElsewhere(claim, real, look)) return null;
  const state = isDeadShim(real, look) ? 'residual' : 'installed';
  return fileComponent(claim, { ...candidate, path: real }, look, state);
}

/** By nothing but the command that a program is started by. */
export function commandComponent(
  candidate: Candidate,
  { real, facts }: Target,
  look: Look,
): Component | null {
  const tool = claimOf(candidate.name, look.world);
  if (tool === null || !isRunnable(facts, look.world)) return null;
  return isToldElsewhere(tool, real, look)
    ? null
    : fileComponent(tool, { ...candidate, path: real }, look);
}

/** `npm link`: the folder that somebody works in, which the npm channel reads through its link. */
function isLinkedGlobally(
  { name, folder }: Extract<Origin, { kind: 'npm' }>,
  { world, root }: Look,
): boolean {
  const looking = world.reader(root.boundary);
  const real = looking.realPath(folder);
  return npmPlaces(world)
    .filter(({ layout }) => layout !== 'projects')
    .flatMap((place) => foldersOf(rootOfPlace(place, []), world, looking))
    .some(({ path }) => looking.realPath(world.path.join(path, ...name.split('/'))) === real);
}

/** A copy of a program that starts another, which is gone: of scoop, and chocolatey's without its package. */
function isDeadShim(real: string, { world, reader }: Look): boolean {
  const started = scoopTarget(real, world, reader);
  if (started !== null) return reader.target(started) === null;
  return world.platform === 'win32' && /\\chocolatey\\bin\\[^\\]+\.exe$/i.test(real);
}

/** `other`: a record of its own tells it. null: the script says nothing, so that its name may. */
function scriptComponent(
  script: Script,
  candidate: Candidate,
  look: Look,
): Component | 'other' | null {
  const { world } = look;
  const claim = claimOf(candidate.name, world);
  switch (script.kind) {
    case 'other':
      return 'other';
    case 'gone':
      if (claim === null || isToldElsewhere(claim, candidate.path, look)) return 'other';
      return fileComponent(claim, candidate, look, 'residual');
    case 'deno':
      return denoComponent(script, candidate, look) ?? 'other';
    case 'python': {
      const { tool, ...module } = script.module;
      if (tool === 'unwanted') return 'other';
      const rest = { channel: 'pypi', state: 'installed', confidence: 'high' } as const;
      const evidence = ['METADATA', candidate.source];
      return makeComponent(world, { ...module, ...rest, tool, evidence });
    }
    case 'program':
      return programComponent(script.program, candidate, look);
  }
}

/** `deno install -g npm:<package>` writes a script that names the package; its copy lies in Deno's cache. */
function denoComponent(
  { name, version }: { readonly name: string; readonly version: string | null },
  candidate: Candidate,
  { world }: Look,
): Component | null {
  const tool = toolOf(world, 'npm', name);
  if (tool === 'unwanted') return null;
  return makeComponent(world, {
    tool,
    channel: 'npm',
    manager: 'deno',
    name,
    version,
    path: candidate.path,
    state: 'installed',
    confidence: 'high',
    evidence: ['deno script', candidate.source],
  });
}

/** A wrapper is what it starts; only where nothing is known of that may its own name speak. */
function programComponent(
  { reader, ...target }: Behind,
  candidate: Candidate,
  look: Look,
): Component | 'other' | null {
  const aside: Look = { ...look, reader };
  const { origin, real, facts } = target;
  if (origin.kind !== 'file') return componentOf(candidate, target, aside) ?? 'other';
  if (!isRunnable(facts, look.world)) return null;
  const beside = packageBeside(real, look.world, reader);
  if (beside !== null) return packageComponent(beside, candidate, aside) ?? 'other';
  const copy = lookInside(real, facts, { ...aside, root: widened(look.root, real, look.world) });
  if (copy === null) return null;
  return copy === 'other' ? 'other' : copyComponent(copy, ['PATH'], look.world);
}

/** The same root, from which also this program may be read. */
function widened(root: Root, real: string, { path }: World): Root {
  return { ...root, boundary: { within: [...root.boundary.within, path.dirname(real)] } };
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

const npmFolders = new WeakMap<World, readonly NpmPlace[]>();

/** Whether the npm channel reads this folder itself, and knows more about it. */
function isNpmRoot(folder: string, world: World): boolean {
  const looking = world.reader({ within: [] });
  const known =
    npmFolders.get(world) ??
    npmPlaces(world).map((place) => {
      return { ...place, path: spelled(world, looking.realPath(place.path) ?? place.path) };
    });
  npmFolders.set(world, known);
  const at = spelled(world, folder);
  return known.some(({ path, layout }) => {
    if (!isWithin(at, path, world.path.sep)) return false;
    if (layout !== 'versions') return true;
    // Of a folder of programs only those of the shape of a Node are read.
    const [, ...below] = world.path.relative(path, at).split(world.path.sep);
    return modulesBelow(world).some((modules) => `${below.join('/')}/`.startsWith(`${modules}/`));
  });
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

/** Of Nix: by what it holds, else by its command, which is surer where the package bears it too. */
function storedComponent(
  { name, version, folder }: Extract<Origin, { kind: 'nix' }>,
  candidate: Candidate,
  { real, facts }: Target,
  look: Look,
): Component | null {
  const { world, root } = look;
  if (!isRunnable(facts, world)) return null;
  const copy = lookInside(real, facts, look);
  const tool = copy === null || copy === 'other' ? claimOf(candidate.name, world) : copy.tool;
  if (tool === null || copy === 'other') return null;
  const { command, npm, pypi, homebrewFormula } = tool.identifiers;
  const known = [tool.id, ...tool.aliases, ...command, ...npm, ...pypi, ...homebrewFormula];
  const isSure = copy !== null || known.some((each) => each.split('/').at(-1) === name);
  return makeComponent(world, {
    tool: tool.id,
    channel: 'package',
    manager: 'nix',
    name,
    version,
    path: folder,
    owner: root.home?.account ?? null,
    state: 'installed',
    confidence: isSure ? 'high' : 'medium',
    evidence: ['nix store', candidate.source],
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
export function windowsLauncher(candidate: Candidate, facts: FileFacts, look: Look): Seen | null {
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
  const script = ofLaunch(text, candidate.path, look);
  const told = script === null ? null : scriptComponent(script, candidate, look);
  if (told === 'other') return null;
  const stem = world.path.join(root.path, candidate.name);
  if (told !== null) {
    return { component: told, fileId: told.path === candidate.path ? stem : told.path };
  }
  const tool = claimOf(candidate.name, world);
  if (tool === null || isToldElsewhere(tool, candidate.path, look)) return null;
  return { component: fileComponent(tool, candidate, look, 'residual'), fileId: stem };
}
