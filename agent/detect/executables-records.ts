/**
 * What a program is by the record beside it: a vendor's folder, a package, a keg; or by its name alone
 * where no record and nothing in it says otherwise. Nothing is ever run, so a version that no record
 * states stays null.
 */
import type { Tool } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { makeComponent, spelled } from './component.js';
import { isWithin } from './disk.js';
import { copyComponent, isToldElsewhere, lookInside } from './executables-copies.js';
import {
  commandOf,
  commandPaths,
  isRunnable,
  type Candidate,
  type Look,
} from './executables-places.js';
import { isApplicationFolder } from './folders.js';
import type { FileFacts, World } from './index.js';
import { npmPlaces } from './npm-roots.js';
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

/** No record by its place: the package beside it, what it holds, at last its name. */
function ofFile(candidate: Candidate, { real, facts }: Target, look: Look): Component | null {
  const { world, reader } = look;
  if (!isRunnable(facts, world)) return null;
  if (originOfScript(real, facts.size, reader) !== 'file') return null;
  // Whatever else lies around is none of this root's concern.
  const beside = packageBeside(real, world, world.reader(look.root.boundary));
  if (beside !== null) return packageComponent(beside, candidate, look);
  const copy = lookInside(real, facts, look);
  if (copy !== null) return copy === 'other' ? null : copyComponent(copy, ['PATH'], world);
  const tool = claimOf(candidate.name, world);
  if (tool === null || isToldElsewhere(tool, real, look)) return null;
  const started = scoopTarget(real, world, reader);
  const isDead = started !== null && reader.target(started) === null;
  const state = isDead ? 'residual' : 'installed';
  return fileComponent(tool, { ...candidate, path: real }, look, state);
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
  const tool = claimOf(candidate.name, world);
  if (tool === null || isToldElsewhere(tool, candidate.path, look)) return null;
  const stem = world.path.join(root.path, candidate.name);
  return { component: fileComponent(tool, candidate, look, 'residual'), fileId: stem };
}
