/**
 * Agents that an editor was told to start by the Agent Client Protocol: whoever is started so is an AI
 * agent. What the catalogue or a record knows is told by its own channel; the rest is a candidate. Of a
 * settings file only the command of each entry is used, never its arguments or variables.
 * Formats: zed.dev/docs/ai/external-agents, jetbrains.com/help/ai-assistant/acp.html (`agent_servers`).
 */
import type { Component } from '../../policies/component.js';
import { homeOf, makeComponent } from './component.js';
import { identifyContents } from './contents.js';
import { commandPaths } from './executables-places.js';
import type { Home, Reader, Root, World } from './index.js';
import { settingsFolder } from './editor-programs.js';
import { originOf } from './origin.js';
import { isRuntime } from './process-files.js';

const prefix = 'executable:agent-servers:';
const maxAgents = 200;

export function agentServerRoots(world: World): readonly Root[] {
  return world.homes.flatMap((home) => filesOf(home, world).map((file) => rootOf(file, home)));
}

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
