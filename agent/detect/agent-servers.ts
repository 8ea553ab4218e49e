/**
 * Agents that an editor was told to start by the Agent Client Protocol, and programs that Zed fetched to
 * start them so: whoever is started so is an AI agent. What the catalogue or a record knows is told by its
 * own channel; the rest is a candidate. Of a settings file only the command of each entry is used, never
 * its arguments or variables.
 * Formats: zed.dev/docs/ai/external-agents, jetbrains.com/help/ai-assistant/acp.html (`agent_servers`).
 */
import type { Component } from '../../policies/component.js';
import { homeOf, makeComponent } from './component.js';
import { identifyContents } from './contents.js';
import { commandPaths } from './executables-places.js';
import type { Home, Reader, Root, World } from './index.js';
import { settingsFolder } from './editor-programs.js';
import { zedFolders } from './npm-roots.js';
import { originOf } from './origin.js';
import { isRuntime } from './process-files.js';

const prefix = 'executable:agent-servers:';
const maxAgents = 200;

export function agentServerRoots(world: World): readonly Root[] {
  return world.homes.flatMap((home) => [
    ...filesOf(home, world).map((file) => rootOf(file, home)),
    { ...rootOf(world.path.join(home.path, zedFolders[world.platform]), home), layout: fetched },
  ]);
}

/** The layout of the folder in which Zed keeps the agents that it fetched. */
export const fetched = 'fetched-agents';

function filesOf(home: Home, world: World): readonly string[] {
  const { path, platform } = world;
  const config = home.env['XDG_CONFIG_HOME'] ?? path.join(home.path, '.config');
  const zed =
    platform === 'win32'
      ? path.join(settingsFolder(home, world), 'Zed')
      : path.join(platform === 'linux' ? config : path.join(home.path, '.config'), 'zed');
  return [path.join(zed, 'settings.json'), path.join(home.path, '.jetbrains', 'acp.json')].filter(
    (file) => homeOf(world, file) === home,
  );
}

function rootOf(file: string, home: Home): Root {
  return {
    id: `${prefix}${file}`,
    channel: 'executable',
    manager: null,
    layout: 'agent-servers',
    path: file,
    home,
    boundary: { within: [home.path] },
    watch: [],
  };
}

export function readAgentServers(root: Root, world: World, reader: Reader): readonly Component[] {
  const settings = reader.json(root.path);
  const servers = fieldsOf(fieldsOf(settings)['agent_servers']);
  const found = new Map<string, Component>();
  for (const entry of Object.values(servers).slice(0, maxAgents)) {
    const command = commandOf(entry);
    const component = command === null ? null : candidateOf(command, root, world);
    if (component !== null) found.set(component.id, component);
  }
  return [...found.values()];
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** A program, as text or as the `path` of an object. */
function commandOf(entry: unknown): string | null {
  const { command } = fieldsOf(entry);
  const text = typeof command === 'object' ? fieldsOf(command)['path'] : command;
  return typeof text === 'string' && /^[^\0\n]{1,1000}$/.test(text) ? text : null;
}

function candidateOf(command: string, { home, path: file }: Root, world: World): Component | null {
  if (
    home === null ||
    isRuntime(command, world) ||
    /^(npx|uvx|bunx|pnpm|npm|docker)$/.test(command)
  )
    return null;
  const { path } = world;
  const own = command.replace(/^~(?=[\\/])/, () => home.path);
  const places = path.isAbsolute(own) ? [own] : commandPaths(own, home, world);
  const reader = world.reader({ within: [home.path] });
  const isOwn = (real: string | null): real is string =>
    real !== null && homeOf(world, real) === home;
  const real = places.map((place) => reader.realPath(place)).find(isOwn);
  const facts = real === undefined ? null : reader.facts(real);
  if (real === undefined || facts?.kind !== 'file' || originOf(real, world, reader).kind !== 'file')
    return null;
  const name = path.basename(real).replace(/\.exe$/i, '');
  const isKnown =
    world.catalogue.match('command', name) !== null ||
    identifyContents(real, facts, world, reader)?.tool != null;
  if (isKnown) return null;
  return makeComponent(world, {
    tool: null,
    channel: 'executable',
    manager: null,
    name,
    version: null,
    path: real,
    state: 'installed',
    confidence: 'medium',
    evidence: ['agent_servers', path.basename(file)],
    candidate: ['speaks-acp'],
  });
}

const versionFolder = /^v_(\d[\w.+-]*?)(?:_.*)?$/;

/** `registry/<agent>/v_<version>_<hash>`, of an extension `<extension>/<agent>/v_...` (zed, agent_server_store.rs). */
export function readFetchedAgents(root: Root, world: World, reader: Reader): readonly Component[] {
  const below = (folder: string): readonly string[] =>
    reader
      .list(folder)
      .filter(({ kind }) => kind === 'dir')
      .map(({ name }) => world.path.join(folder, name));
  const agents = below(root.path).flatMap(below).slice(0, maxAgents);
  return agents.flatMap((agent) =>
    below(agent).flatMap((folder) => {
      const version = versionFolder.exec(world.path.basename(folder))?.[1];
      return version === undefined ? [] : programOf(folder, { agent, version }, world, reader);
    }),
  );
}

/** The program that bears the agent's name. */
function programOf(
  folder: string,
  { agent, version }: { readonly agent: string; readonly version: string },
  world: World,
  reader: Reader,
): readonly Component[] {
  const name = world.path.basename(agent);
  const path = [folder, world.path.join(folder, 'bin')]
    .flatMap((place) => [name, `${name}.exe`].map((file) => world.path.join(place, file)))
    .find((file) => reader.facts(file)?.kind === 'file');
  if (path === undefined) return [];
  const tool = world.catalogue.match('command', name)?.id ?? null;
  return [
    makeComponent(world, {
      tool,
      channel: 'executable',
      manager: 'zed',
      name,
      version,
      path,
      state: 'bundled',
      confidence: tool === null ? 'medium' : 'high',
      evidence: ['external agent'],
      ...(tool === null ? { candidate: ['speaks-acp'] as const } : {}),
    }),
  ];
}
