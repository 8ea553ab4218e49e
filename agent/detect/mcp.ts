/**
 * MCP servers that the AI hosts of a person are set up to start: one component per file and server
 * name. Told are the name, the program, the package and its pinned version, the host of a URL and the
 * names of variables; never a value of any of them, an argument, a header, or the rest of an address.
 * The files of projects are looked for in a deep scan alone. Nothing is started or connected to.
 */
import type { Component } from '../../policies/component.js';
import { makeComponent, toolOf } from './component.js';
import type { Detector, Home, Reader, Root, World } from './index.js';
import { commandName, servedPackage, urlHost } from './mcp-command.js';
import {
  mcpFolders,
  projectFiles,
  projectNames,
  type McpFile,
  type McpFolder,
} from './mcp-hosts.js';
import { foldersWith } from './projects.js';
import { readToml } from './toml.js';

/** Claude Code keeps its own state beside its servers, which grows with every project. */
const maxJsonBytes = 16 * 1024 * 1024;
const maxTextBytes = 1024 * 1024;
const maxServers = 500;
const maxVariables = 12;

type Fields = Readonly<Record<string, unknown>>;

export const mcp: Detector = {
  channel: 'mcp',
  roots: (world) => [
    ...mcpFolders(world).map(toRoot),
    ...(world.isDeep ? world.homes.map(projectsOf) : []),
  ],
  read: (root, world, reader) =>
    root.id.startsWith(projectsPrefix)
      ? readProjects(root, world, reader)
      : readFolder(root, world, reader),
  prepare: loadYaml,
};

function toRoot({ path, home, boundary, files, isWatched }: McpFolder): Root {
  const manager = files[0]?.host ?? null;
  const watch = isWatched ? [path] : [];
  return { id: `mcp:${path}`, channel: 'mcp', manager, path, home, boundary, watch };
}

const projectsPrefix = 'mcp:projects:';

function projectsOf(home: Home): Root {
  const { path } = home;
  const id = `${projectsPrefix}${path}`;
  const boundary = { within: [path] };
  return { id, channel: 'mcp', manager: null, path, home, boundary, watch: [] };
}

function readProjects(root: Root, world: World, reader: Reader): readonly Component[] {
  return foldersWith(projectNames, root.path, world, reader).flatMap((folder) =>
    projectFiles(folder, world)
      .filter(({ path }) => reader.facts(path) !== null)
      .flatMap((file) => readFile(file, world, reader))
      .map((component): Component => ({ ...component, scope: 'project' })),
  );
}

let parseYaml: ((text: string) => unknown) | null = null;

/** The YAML library costs more than a whole scan of most homes; it is loaded where a file asks for it. */
async function loadYaml(world: World): Promise<void> {
  if (parseYaml !== null) return;
  const isNeeded = mcpFolders(world).some(({ files, boundary }) => {
    const reader = world.reader(boundary);
    return files.some(({ format, path }) => format === 'yaml' && reader.facts(path) !== null);
  });
  if (!isNeeded) return;
  parseYaml = (await import('./yaml.js')).readYaml;
}

function readFolder(root: Root, world: World, reader: Reader): readonly Component[] {
  const folder = mcpFolders(world).find(({ path }) => path === root.path);
  if (folder === undefined || reader.target(root.path) === null) return [];
  return folder.files.flatMap((file) => {
    const facts = reader.facts(file.path);
    if (facts === null) {
      const isDenied = reader.problems.some(({ code }) => code === 'denied');
      if (isDenied) reader.note(root.path, 'denied');
      return [];
    }
    return readFile(file, world, reader);
  });
}

function readFile(file: McpFile, world: World, reader: Reader): readonly Component[] {
  return serversOf(file, contents(file, reader), reader).map((server) =>
    componentOf(server, file, world),
  );
}

function contents({ format, path }: McpFile, reader: Reader): unknown {
  if (format === 'json') return reader.json(path, maxJsonBytes);
  const text = reader.text(path, maxTextBytes);
  if (text === null) return undefined;
  const value = format === 'toml' ? readToml(text) : fromYaml(text);
  if (value === null) reader.note(path, 'malformed');
  return value;
}

/** null: not YAML, or nobody has asked for the library to be loaded. */
function fromYaml(text: string): unknown {
  try {
    return parseYaml === null ? null : (parseYaml(text) ?? {});
  } catch {
    return null;
  }
}

interface Server {
  readonly name: string;
  readonly fields: Fields;
  readonly key: string;
  readonly scope: 'global' | 'project';
  /** Of a server that is installed whole, what its own record says. */
  readonly version?: string | null;
}

function serversOf(file: McpFile, value: unknown, reader: Reader): readonly Server[] {
  const top = asFields(value);
  if (top === null) return [];
  if (file.isBundle === true) return bundled(top, file);
  const names = file.keys.find((keys) => at(top, keys) !== undefined);
  const own = names === undefined ? [] : entries(at(top, names), names, 'global');
  const all = [...own, ...projectServers(top, file)].map((server) => switched(server, top));
  // Many projects may start one server.
  const found = [...new Map([...all].reverse().map((one) => [one.name, one])).values()].reverse();
  if (found.length > maxServers) reader.note(file.path, 'too-many');
  return found.slice(0, maxServers).filter(({ fields }) => isServer(fields, file));
}

/** An extension that is one server: Claude Desktop unpacks each into a folder of its own. */
function bundled(top: Fields, { keys, isOff }: McpFile): readonly Server[] {
  const [names = []] = keys;
  const fields = asFields(at(top, names));
  const name = asText(top['name']);
  if (fields === null || name === null || name === '' || name.length > 200) return [];
  const version = /^v?\d[\w.+-]{0,40}$/.exec(asText(top['version']) ?? '')?.[0] ?? null;
  const own = { ...fields, ...(isOff === true ? { disabled: true } : {}) };
  return [{ name, fields: own, key: 'manifest.json', scope: 'global', version }];
}

/** Gemini CLI and its forks name what is off, or all that is on, in a list of its own. */
function switched(server: Server, top: Fields): Server {
  const lists = asFields(top['mcp']);
  const [excluded, allowed] = [lists?.['excluded'], lists?.['allowed']];
  const isOff =
    texts(excluded).includes(server.name) ||
    (Array.isArray(allowed) && !texts(allowed).includes(server.name));
  return isOff ? { ...server, fields: { ...server.fields, disabled: true } } : server;
}

/** Claude Code keeps the servers that a person added for one project only beside those for all. */
function projectServers(top: Fields, { host, keys }: McpFile): readonly Server[] {
  const projects = host === 'claude-code' ? asFields(top['projects']) : null;
  return Object.values(projects ?? {}).flatMap((project) =>
    keys.flatMap((names) => entries(at(asFields(project) ?? {}, names), names, 'project')),
  );
}

function entries(
  value: unknown,
  names: readonly string[],
  scope: Server['scope'],
): readonly Server[] {
  const key = names.join('.');
  const listed = Array.isArray(value)
    ? value.map((one: unknown): [unknown, unknown] => [asFields(one)?.['name'], one])
    : Object.entries(asFields(value) ?? {});
  return listed.flatMap(([name, one]): Server[] => {
    const fields = asFields(one);
    const isNamed = typeof name === 'string' && name !== '' && name.length <= 200;
    return isNamed && fields !== null ? [{ name, fields, key, scope }] : [];
  });
}

/** Goose lists what is built into it beside the servers. */
function isServer({ type }: Fields, { host }: McpFile): boolean {
  return host !== 'goose' || (type !== 'builtin' && type !== 'platform');
}

function componentOf(
  { name, fields, key, scope, version }: Server,
  file: McpFile,
  world: World,
): Component {
  const { program, args } = commandOf(fields);
  const command = program === null ? null : commandName(program);
  const served = program === null ? null : servedPackage(program, args);
  const host = hostOf(fields, served?.name === 'mcp-remote' ? args : []);
  const claim =
    served === null || served.ecosystem === 'docker'
      ? 'unwanted'
      : toolOf(world, served.ecosystem, served.name);
  return makeComponent(world, {
    tool: claim === 'unwanted' ? null : claim,
    channel: 'mcp',
    manager: file.host,
    name,
    version: served?.version ?? version ?? null,
    purl: served?.purl ?? null,
    path: file.path,
    scope,
    state: isOff(fields) ? 'disabled' : 'installed',
    confidence: file.format === 'toml' ? 'medium' : 'high',
    evidence: [
      key,
      ...(command === null ? [] : [`command ${command}`]),
      ...(served === null ? [] : [`package ${served.name}`]),
      ...(host === null ? [] : [`host ${host}`]),
      ...variablesOf(fields).map((variable) => `env ${variable}`),
    ],
  });
}

/** `command` and `args` as each host spells them: a string, a list, or an object with both. */
function commandOf(fields: Fields): { program: string | null; args: readonly string[] } {
  const command = fields['command'] ?? fields['cmd'];
  const nested = asFields(command);
  if (nested !== null) return { program: asText(nested['path']), args: texts(nested['args']) };
  if (Array.isArray(command)) {
    const [program = null, ...args] = texts(command);
    return { program, args };
  }
  return { program: asText(command), args: texts(fields['args']) };
}

/** The server's address, or the one that a bridge is told to connect to. */
function hostOf(fields: Fields, bridged: readonly string[]): string | null {
  const named = ['url', 'serverUrl', 'httpUrl', 'uri'].map((key) => asText(fields[key]));
  for (const text of [...named, ...bridged]) {
    const host = text === null ? null : urlHost(text);
    if (host !== null) return host;
  }
  return null;
}

function isOff(fields: Fields): boolean {
  const [disabled, enabled] = [fields['disabled'], fields['enabled']];
  return disabled === true || disabled === 'true' || enabled === false || enabled === 'false';
}

function variablesOf(fields: Fields): readonly string[] {
  return ['env', 'envs', 'environment']
    .flatMap((key) => Object.keys(asFields(fields[key]) ?? {}))
    .filter((name) => /^[A-Za-z_]\w{0,59}$/.test(name))
    .slice(0, maxVariables);
}

function at(fields: Fields, names: readonly string[]): unknown {
  return names.reduce<unknown>((value, name) => {
    const inside = asFields(value);
    return inside !== null && Object.hasOwn(inside, name) ? inside[name] : undefined;
  }, fields);
}

function asFields(value: unknown): Fields | null {
  const isFields = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isFields ? (value as Fields) : null;
}

const asText = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
