/**
 * Traces of tools in a home: state folders that the catalogue names, and shell aliases of their
 * commands. A trace says that a tool was used, never that it is there; where an install explains it,
 * `withoutTraces` takes it away. Of a state folder no file is opened, of an alias only its name and
 * the tool are kept. The settings that name a model gateway are read on the same way.
 */
import type { Catalogue, Tool } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { makeComponent } from './component.js';
import { gatewaysOfHome, gatewaysOfMachine, settingsRoot } from './gateways.js';
import type { Detector, Home, Reader, Root, World } from './index.js';
import { managedFolders, managedIn, managedPolicy } from './managed-settings.js';
import { machineHives } from './registry.js';
import { startFiles } from './shell-path.js';
import { launchFolders } from './variables.js';

const prefix = 'config:state:';
const maxBytes = 256 * 1024;
const maxLineLength = 4096;

export const config: Detector = {
  channel: 'config',
  roots: (world) => [
    ...machineRoots(world),
    ...world.homes.map((home) => settingsOf(home)),
    ...world.homes.flatMap((home) => stateRoots(home, world)),
  ],
  read(root, world, reader) {
    if (root.home === null) {
      return root.path === machineFolders[world.platform]
        ? [...managedPolicy(null, world, reader), ...gatewaysOfMachine(world, reader)]
        : managedIn(root.path, world, reader);
    }
    return root.id.startsWith(prefix)
      ? readState(root, root.home, world, reader)
      : [
          ...managedPolicy(root.home, world, reader),
          ...gatewaysOfHome(root.home, world, reader),
          ...aliases(root.home, world, reader),
        ];
  },
};

/** Where variables of the whole machine are set: start files, or the registry's hives. */
const machineFolders = { linux: '/etc', darwin: '/etc', win32: machineHives } as const;

function machineRoots({ platform, hasSystem }: World): readonly Root[] {
  const machine = machineFolders[platform];
  const folders = [...managedFolders[platform], machine];
  return (hasSystem ? folders : []).map((path): Root => {
    const id = `${settingsRoot}:${path}`;
    const watch = path === machine ? [] : [path];
    const more = path === machine && platform === 'darwin' ? launchFolders : [];
    const boundary = { within: [path, ...more] };
    return { id, channel: 'config', manager: null, path, home: null, boundary, watch };
  });
}

/** Start files and settings lie all over a home, in folders that change all day: no watch pays there. */
function settingsOf(home: Home): Root {
  const { path } = home;
  const id = `${settingsRoot}:${path}`;
  const boundary = { within: [path] };
  return { id, channel: 'config', manager: null, path, home, boundary, watch: [] };
}

/** One root for each tool; its path is the first of its folders that is there. */
function stateRoots(home: Home, world: World): readonly Root[] {
  const boundary = { within: [home.path] };
  const reader = world.reader(boundary);
  return world.catalogue.tools.flatMap((tool): readonly Root[] => {
    const places = placesOf(tool, home, world);
    // The same question as when the root is read, so that the disk is asked once.
    const first = places.find(({ at }) => reader.target(at) !== null) ?? places[0];
    if (first === undefined) return [];
    const id = `${prefix}${home.path}:${tool.id}`;
    const rest = { manager: null, home, boundary, watch: [] };
    return [{ id, channel: 'config', path: first.at, ...rest }];
  });
}

interface Place {
  /** As the catalogue names it. */
  readonly pattern: string;
  readonly at: string;
}

const holders = new WeakMap<Catalogue, ReadonlyMap<string, string>>();

/** Which tool a folder that several share is told of: the first that the catalogue names it for. */
function holderOf(pattern: string, catalogue: Catalogue): string | undefined {
  let known = holders.get(catalogue);
  if (known === undefined) {
    const last = catalogue.tools.flatMap(({ id, config: own }) =>
      own.map((one) => [one, id] as const),
    );
    known = new Map(last.reverse());
    holders.set(catalogue, known);
  }
  return known.get(pattern);
}

/** Where the folders that a pattern of the catalogue begins with lie when a person has moved them. */
const movable = [
  ['~/.config/', 'XDG_CONFIG_HOME'],
  ['~/.local/share/', 'XDG_DATA_HOME'],
] as const;

const patternLists = new WeakMap<Catalogue, ReadonlyMap<string, readonly string[]>>();

/** The folders below a home that each tool holds, as the catalogue names them. */
function patternsOf(tool: Tool, catalogue: Catalogue): readonly string[] {
  let known = patternLists.get(catalogue);
  if (known === undefined) {
    known = new Map(
      catalogue.tools.map(({ id, config: own }) => [
        id,
        own.filter((one) => one.startsWith('~/') && holderOf(one, catalogue) === id),
      ]),
    );
    patternLists.set(catalogue, known);
  }
  return known.get(tool.id) ?? [];
}

function placesOf(tool: Tool, home: Home, { path, catalogue }: World): readonly Place[] {
  return patternsOf(tool, catalogue).flatMap((pattern): Place[] => {
    const usual = path.join(home.path, pattern.slice(2));
    const [start = '', name] = movable.find(([begin]) => pattern.startsWith(begin)) ?? [];
    const set = name === undefined ? undefined : home.env[name];
    if (set === undefined) return [{ pattern, at: usual }];
    const moved = path.join(set, pattern.slice(start.length));
    return [...new Set([usual, moved])].map((at) => ({ pattern, at }));
  });
}

function readState(root: Root, home: Home, world: World, reader: Reader): readonly Component[] {
  const tool = world.catalogue.tool(root.id.slice(root.id.lastIndexOf(':') + 1));
  if (tool === null) return [];
  const left = placesOf(tool, home, world).filter(({ at }) => isUsed(at, reader));
  const [first] = left;
  if (first === undefined) return [];
  const evidence = ['state folder', ...left.map(({ pattern }) => pattern)];
  return [traceOf(tool, { name: tool.id, path: first.at, evidence }, world)];
}

/** An empty folder is no trace of use. */
function isUsed(at: string, reader: Reader): boolean {
  const target = reader.target(at);
  if (target?.kind === 'file') return target.size > 0 && reader.facts(at)?.kind === 'file';
  return target?.kind === 'dir' && reader.list(at).length > 0;
}

function traceOf(
  tool: Tool,
  found: { readonly name: string; readonly path: string; readonly evidence: readonly string[] },
  world: World,
): Component {
  return makeComponent(world, {
    ...found,
    tool: tool.id,
    channel: 'config',
    manager: null,
    version: null,
    state: 'residual',
    confidence: 'low',
  });
}

/** `alias c='claude --continue'`, and fish's form with a blank. */
const aliasPattern =
  /^\s*alias\s+(?:-\w+\s+|--\w+\s+)*([\w.-]{1,64})(?:=|\s+)(?:'([^']*)'|"([^"]*)"|(\S+))/;

function aliases(home: Home, world: World, reader: Reader): readonly Component[] {
  return startFiles.flatMap((start) => {
    const path = world.path.join(home.path, ...start.split('/'));
    const lines = (reader.text(path, maxBytes) ?? '').split('\n');
    return lines.flatMap((line) => {
      const [, name, ...texts] = line.length > maxLineLength ? [] : (aliasPattern.exec(line) ?? []);
      if (name === undefined) return [];
      const program = (texts.find((text) => text !== undefined) ?? '').trim().split(/\s/)[0] ?? '';
      const command = program.split('/').at(-1) ?? '';
      const tool = world.catalogue.match('command', command);
      return tool === null ? [] : [traceOf(tool, { name, path, evidence: ['alias'] }, world)];
    });
  });
}

/** Components without the traces that an install of the same tool, or of one that shares its state, explains. */
export function withoutTraces(
  components: readonly Component[],
  catalogue: Catalogue,
): readonly Component[] {
  const explained = new Set<string>();
  const keyOf = (tool: string, owner: string | null): string => JSON.stringify([tool, owner]);
  for (const { tool: id, owner, state } of components) {
    const tool = id === null ? null : catalogue.tool(id);
    if (tool === null || state === 'residual') continue;
    const holding = tool.config.map((pattern) => holderOf(pattern, catalogue) ?? tool.id);
    for (const holder of [tool.id, ...holding]) explained.add(keyOf(holder, owner));
  }
  return components.filter(({ channel, tool, owner, state }) => {
    if (channel !== 'config' || state !== 'residual' || tool === null) return true;
    return !explained.has(keyOf(tool, owner)) && !explained.has(keyOf(tool, null));
  });
}
