/**
 * Tools that run now, by the file they came from: the executable, or the script that a general runtime
 * was started with. Of a command line only that one path is ever used; everything after it is dropped
 * before anything is kept. A process that cannot be looked into is no finding and no absence either.
 */
import type { Component } from '../../policies/component.js';
import { runningApplication } from './applications-running.js';
import { makeComponent, packageUrl, toolOf } from './component.js';
import { commandPaths } from './executables-places.js';
import { programName } from './executables-records.js';
import { matchVersionFolder } from './folders.js';
import type { Detector, Home, ProcessEntry, Reader, Root, World } from './index.js';
import { originOf } from './origin.js';
import { pythonCommand } from './python-commands.js';
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
  for (const entry of world.processes ?? []) {
    if (entry.argv === null && entry.exe === null) reader.note(root.id, 'denied', false);
    const component = componentOf(entry, world, reader);
    if (component !== null) found.set(component.id, component);
  }
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
}

function componentOf(entry: ProcessEntry, world: World, reader: Reader): Component | null {
  const home = world.homes.find(({ uid }) => uid !== null && uid === entry.uid) ?? null;
  const owner = home?.account ?? entry.account;
  const make = (identity: Identity, kind: string, confidence: 'high' | 'medium'): Component =>
    makeComponent(world, {
      ...identity,
      channel: 'process',
      owner,
      state: 'running',
      confidence,
      evidence: ['process', kind],
    });
  for (const { kind, path } of filesOf(entry, world)) {
    const identity = identify(path, world, reader);
    if (identity !== null) return make(identity, kind, 'high');
  }
  const named = byTitle(entry, home, world, reader);
  return named === null ? null : make(named, 'command name', 'medium');
}

/** Programs that run other people's programs; what they are is the script they were given. */
const runtimes =
  /^(node|nodejs|bun|deno|tsx|electron|python[\d.]*w?|ruby|sh|bash|dash|zsh|ksh|fish)(\.exe)?$/i;
/** Options of those runtimes whose value is the next argument. */
const valued =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|-W|-X|--env-file)$/;
/** Options after which there is no script but a program text or a module name. */
const scriptless = /^(-e|--eval|-p|--print|-c|-m|-i|-)$/;

/** The files a process may have come from, surest first. */
function filesOf(
  { exe, argv, cwd }: ProcessEntry,
  world: World,
): readonly { readonly kind: string; readonly path: string }[] {
  const program = exe?.replace(/ \(deleted\)$/, '') ?? null;
  const first = argv?.[0] ?? '';
  const isRuntime = [program, first].some((path) => {
    return path !== null && runtimes.test(world.path.basename(path));
  });
  const script = isRuntime ? scriptOf(argv ?? [], cwd, world) : null;
  return [
    ...(script === null ? [] : [{ kind: 'script path', path: script }]),
    ...(program === null ? [] : [{ kind: 'executable', path: program }]),
    ...(world.path.isAbsolute(first) ? [{ kind: 'executable', path: first }] : []),
  ];
}

function scriptOf(argv: readonly string[], cwd: string | null, world: World): string | null {
  for (let at = 1; at < Math.min(argv.length, 32); at += 1) {
    const argument = argv[at] ?? '';
    if (valued.test(argument)) at += 1;
    else if (scriptless.test(argument)) return null;
    else if (
      argument === 'run' &&
      /^(bun|deno)(\.exe)?$/.test(world.path.basename(argv[0] ?? ''))
    ) {
      continue;
    } else if (argument !== '' && !argument.startsWith('-')) {
      if (world.path.isAbsolute(argument)) return argument;
      return cwd === null ? null : world.path.join(cwd, argument);
    }
  }
  return null;
}

function identify(file: string, world: World, reader: Reader): Identity | null {
  if (file.includes('\0') || file.length > maxPathLength) return null;
  if (!world.path.isAbsolute(file)) return null;
  // A running program's file may be gone already; its place still says what it was.
  const path = reader.realPath(file) ?? world.path.normalize(file);
  const origin = originOf(path, world, reader);
  switch (origin.kind) {
    case 'npm': {
      const { name, version } = origin;
      const tool = origin.tool?.id ?? null;
      return { tool, name, version, purl: packageUrl('npm', name, version), manager: 'npm', path };
    }
    case 'homebrew': {
      const { tool, name, version, record } = origin;
      const purl = packageUrl('homebrew', name, version);
      return { tool: tool.id, name, version, purl, manager: record, path };
    }
    case 'vendor':
      return ofVendor(origin, path, world);
    case 'file':
    case 'other':
    case 'shim': {
      const match = matchVersionFolder(path, world);
      if (match !== null) return ofVendor(match, path, world);
      return ofPython(path, world, reader) ?? ofApplication(path, world, reader);
    }
  }
}

function ofApplication(path: string, world: World, reader: Reader): Identity | null {
  const running = runningApplication(path, world, reader);
  return running === null ? null : { ...running, purl: null };
}

function ofPython(path: string, world: World, reader: Reader): Identity | null {
  const command = pythonCommand(path, world, reader);
  const tool = command === null ? 'unwanted' : toolOf(world, 'pypi', command.name);
  if (command === null || tool === 'unwanted') return null;
  const { name, version, manager } = command;
  return { tool, name, version, purl: packageUrl('pypi', name, version), manager, path };
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
