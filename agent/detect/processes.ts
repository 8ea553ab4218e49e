/**
 * Tools that run now, by the file they came from: the executable, or the script that a general runtime
 * was started with; by the record of that file, else by what it holds. Of a command line only that one path is ever used; everything after it is dropped
 * before anything is kept. A process that cannot be looked into is no finding and no absence either.
 */
import type { Component } from '../../policies/component.js';
import { runningApplication } from './applications-running.js';
import { makeComponent, packageUrl, toolOf } from './component.js';
import { earlierContents, identifyContents } from './contents.js';
import { commandPaths, isSystemFolder } from './executables-places.js';
import { programName } from './executables-records.js';
import { matchVersionFolder } from './folders.js';
import type { Detector, Home, ProcessEntry, Reader, Root, World } from './index.js';
import { originOf, packageBeside, type Origin } from './origin.js';
import {
  isRuntime,
  programOf,
  startedFiles,
  startedModule,
  startedPackage,
  startedScript,
} from './process-files.js';
import {
  pythonCommand,
  pythonCommandOf,
  pythonModule,
  type PythonCommand,
} from './python-commands.js';
import { maxPathLength } from './reader.js';

export const processes: Detector = {
  channel: 'process',
  roots(world) {
    if (world.processes === null) return [];
    const path = world.platform === 'win32' ? 'C:\\' : '/';
    const boundary = { within: [path] };
    const rest = { manager: null, home: null, watch: [] };
    return [{ id: 'processes', channel: 'process', path, boundary, ...rest }];
  },
  read: readProcesses,
};

function readProcesses(root: Root, world: World, reader: Reader): readonly Component[] {
  const found = new Map<string, Component>();
  const unknown: ProcessEntry[] = [];
  for (const entry of world.processes ?? []) {
    if (entry.argv === null && entry.exe === null) reader.note(root.id, 'denied', false);
    const component = componentOf(entry, world, reader);
    if (component === null) unknown.push(entry);
    else found.set(component.id, component);
  }
  for (const component of copiesAmong(unknown, root, world)) found.set(component.id, component);
  return [...found.values()];
}

/** What a file tells about the process that came from it. */
interface Identity {
  readonly tool: string | null;
  readonly name: string;
  readonly version: string | null;
  readonly purl: string | null;
  readonly manager: string | null;
  readonly path: string;
  /** The file is not there: removed meanwhile, or only there for a container. */
  readonly isGone?: boolean;
  /** Nothing but its name and place say so. */
  readonly isByName?: boolean;
}

function componentOf(entry: ProcessEntry, world: World, reader: Reader): Component | null {
  let byName: Component | null = null;
  for (const { kind, path } of startedFiles(entry, world)) {
    const identity = identify(path, world, reader);
    if (identity === null) continue;
    const { isGone, isByName, ...known } = identity;
    if (isByName === true) byName ??= running(entry, known, [kind, 'medium'], world);
    else return running(entry, known, [kind, isGone === true ? 'medium' : 'high'], world);
  }
  const inner = ofArgument(entry, world);
  if (inner !== null) return running(entry, inner, ['script path', 'high'], world);
  if (byName !== null) return byName;
  const named = byTitle(entry, homeOfEntry(entry, world), world, reader);
  return named === null ? null : running(entry, named, ['command name', 'medium'], world);
}

/** By number; on Windows by name, which may bear that of the machine or domain in front. */
function homeOfEntry({ uid, account }: ProcessEntry, { homes, platform }: World): Home | null {
  const byNumber = homes.find((home) => home.uid !== null && home.uid === uid);
  if (byNumber !== undefined || platform !== 'win32' || account === null) return byNumber ?? null;
  const name = account.slice(account.lastIndexOf('\\') + 1).toLowerCase();
  return homes.find((home) => home.account.toLowerCase() === name) ?? null;
}

function running(
  entry: ProcessEntry,
  identity: Identity,
  [kind, confidence]: readonly [string, 'high' | 'medium'],
  world: World,
): Component {
  const owner = homeOfEntry(entry, world)?.account ?? entry.account;
  return makeComponent(world, {
    ...identity,
    channel: 'process',
    // Of a process of nobody we know, its file says whose it is.
    ...(owner === null ? {} : { owner }),
    state: 'running',
    confidence,
    evidence: ['process', kind],
  });
}

/**
 * Programs that bear no record are what they hold. Those in the system's folders and inside
 * applications are not looked into: they come with a record of their own.
 */
function copiesAmong(entries: readonly ProcessEntry[], root: Root, world: World): Component[] {
  const reader = world.reader(root.boundary);
  const started = entries.flatMap((entry) =>
    startedFiles(entry, world)
      .filter(({ kind, path }) => kind === 'script path' || !isRuntime(path, world))
      .filter(({ path }) => mayBeCopy(path, world))
      .map(({ path }) => ({ entry, path, facts: reader.target(path) })),
  );
  started.sort((a, b) => (a.facts?.size ?? 0) - (b.facts?.size ?? 0));
  return started.flatMap(({ entry, path, facts }) => {
    const contents =
      facts === null
        ? earlierContents(path, world)
        : facts.kind === 'file'
          ? identifyContents(path, facts, world, reader)
          : null;
    if (contents?.tool == null) return [];
    const { tool, version, evidence } = contents;
    const place = reader.realPath(path) ?? path;
    const name = world.path.basename(place).replace(/\.exe$/i, '');
    const identity = { tool, name, version, purl: null, manager: null, path: place };
    const confidence = evidence === 'content marker' ? 'medium' : 'high';
    return [running(entry, identity, [evidence, confidence], world)];
  });
}

const withRecords = /\.app[\\/]Contents[\\/]|^[A-Za-z]:\\Program Files|^\/(proc|sys|dev)\//i;

function mayBeCopy(path: string, world: World): boolean {
  if (path.includes('\0') || path.length > maxPathLength || !world.path.isAbsolute(path))
    return false;
  return !isSystemFolder(path) && !withRecords.test(path);
}

/** What a runtime was told to run by name. */
function ofArgument(entry: ProcessEntry, world: World): Identity | null {
  const module = startedModule(entry, world);
  const home = homeOfEntry(entry, world)?.path ?? null;
  const python = module === null ? null : pythonModule(module, home, world, aside(world));
  if (python !== null) return python.tool === 'unwanted' ? null : { ...python, tool: python.tool };
  const script = startedScript(entry, world);
  const command = script === null ? null : pythonCommandOf(script, world, aside(world));
  if (script !== null && command !== null) return ofCommand(command, script.script, world);
  const named = startedPackage(entry, world);
  const tool = named === null ? 'unwanted' : toolOf(world, 'npm', named.name);
  const path = programOf(entry) ?? entry.argv?.[0] ?? '';
  if (named === null || tool === 'unwanted' || !world.path.isAbsolute(path)) return null;
  const { name, version } = named;
  return { tool, name, version, purl: packageUrl('npm', name, version), manager: 'deno', path };
}

function identify(file: string, world: World, reader: Reader): Identity | null {
  if (file.includes('\0') || file.length > maxPathLength) return null;
  if (!world.path.isAbsolute(file)) return null;
  // A running program's file may be gone already; its place still says what it was.
  const real = reader.realPath(file);
  const path = real ?? world.path.normalize(file);
  const gone = real === null ? packageGone(path, world) : null;
  if (gone !== null) return { ...gone, path, isGone: true };
  const origin = originOf(path, world, reader);
  switch (origin.kind) {
    case 'npm':
      return ofPackage(origin, path);
    case 'homebrew': {
      const { tool, name, version, record } = origin;
      const purl = packageUrl('homebrew', name, version);
      return { tool: tool.id, name, version, purl, manager: record, path };
    }
    case 'vendor':
      return ofVendor(origin, path, world);
    case 'nix':
      return ofStore(origin, path, world);
    case 'file':
    case 'other':
    case 'shim': {
      const beside = isSystemFolder(path) ? null : packageBeside(path, world, aside(world));
      if (beside !== null) return ofPackage(beside, path);
      const match = matchVersionFolder(path, world);
      if (match !== null) return ofVendor(match, path, world);
      return (
        ofSnap(path, world) ?? ofPython(path, world, reader) ?? ofApplication(path, world, reader)
      );
    }
  }
}

/** What the folders of a file say that was removed while it ran: the innermost package, or a tool's environment. */
function packageGone(path: string, world: World): Omit<Identity, 'path'> | null {
  const { catalogue } = world;
  const segments = path.split(world.path.sep);
  const version = null;
  for (let at = segments.length - 2; at >= 0; at -= 1) {
    const [parent = '', folder = '', entry = ''] = segments.slice(at - 1);
    if (/^(uv|pipx)$/.test(parent) && /^(tools|venvs)$/.test(folder)) {
      const tool = catalogue.match('pypi', entry);
      const purl = packageUrl('pypi', entry, null);
      if (tool !== null) return { tool: tool.id, name: entry, version, purl, manager: parent };
    }
    if (folder !== 'node_modules') continue;
    const name = segments.slice(at + 1, at + (entry.startsWith('@') ? 3 : 2)).join('/');
    const whole = catalogue.match('npmParts', name);
    const tool = whole ?? catalogue.match('npm', name);
    if (tool === null) continue;
    const own = whole?.identifiers.npm[0] ?? name;
    const purl = packageUrl('npm', own, null);
    return { tool: tool.id, name: own, version, purl, manager: 'npm' };
  }
  return null;
}

/** `/snap/<name>/<revision>/...`, where each revision is mounted. */
function ofSnap(path: string, { catalogue }: World): Identity | null {
  const [, name = ''] = /^(?:\/var\/lib\/snapd)?\/snap\/([^/]+)\/[^/]+\//.exec(path) ?? [];
  const tool = name === '' ? null : catalogue.match('snap', name);
  if (tool === null) return null;
  return { tool: tool.id, name, version: null, purl: null, manager: 'snap', path };
}

function ofPackage(
  { tool, name, version }: Extract<Origin, { kind: 'npm' }>,
  path: string,
): Identity {
  const purl = packageUrl('npm', name, version);
  return { tool: tool?.id ?? null, name, version, purl, manager: 'npm', path };
}

/** What lies around a program is none of this root's concern. */
function aside(world: World): Reader {
  return world.reader({ within: [world.platform === 'win32' ? 'C:\\' : '/'] });
}

function ofApplication(path: string, world: World, reader: Reader): Identity | null {
  const running = runningApplication(path, world, reader);
  return running === null ? null : { ...running, purl: null };
}

function ofPython(path: string, world: World, reader: Reader): Identity | null {
  const command = pythonCommand(path, world, reader);
  return command === null ? null : ofCommand(command, path, world);
}

function ofCommand(
  { name, version, manager }: PythonCommand,
  path: string,
  world: World,
): Identity | null {
  const tool = toolOf(world, 'pypi', name);
  if (tool === 'unwanted') return null;
  return { tool, name, version, purl: packageUrl('pypi', name, version), manager, path };
}

/** A program of the Nix store; one that it wraps has a name like `.codex-wrapped`. */
function ofStore(
  { name, version }: Extract<Origin, { kind: 'nix' }>,
  path: string,
  world: World,
): Identity | null {
  const command = world.path.basename(path).replace(/^\.(.+)-wrapped_*$/, '$1');
  const tool = world.catalogue.match('command', command);
  return tool === null ? null : { tool: tool.id, name, version, purl: null, manager: 'nix', path };
}

function ofVendor(
  match: Pick<NonNullable<ReturnType<typeof matchVersionFolder>>, 'tool' | 'folder' | 'version'>,
  path: string,
  world: World,
): Identity {
  const { tool, folder, version } = match;
  const name = programName(tool, folder.path, world);
  return { tool: tool.id, name, version, purl: null, manager: folder.manager, path };
}

/**
 * A script may overwrite its command line with its own name, so that neither file is to be seen any
 * more. Then the name counts if its owner's PATH leads from it to an install of that very tool.
 */
function byTitle(
  { argv }: ProcessEntry,
  home: Home | null,
  world: World,
  reader: Reader,
): Identity | null {
  const title = (argv?.[0] ?? '').trim();
  const tool = title === '' ? null : world.catalogue.match('command', title);
  if (tool === null || argv?.slice(1).some((argument) => argument !== '') === true) return null;
  for (const entry of commandPaths(title, home, world)) {
    const identity = reader.realPath(entry) === null ? null : identify(entry, world, reader);
    if (identity !== null) return identity.tool === tool.id ? identity : null;
  }
  return null;
}
