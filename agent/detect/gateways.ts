/**
 * The host of the model endpoint that a tool is set up to use: from the tool's own settings first, then
 * from variables in a person's start files. Only the host is ever kept. A setting is found as a record
 * that stands for no install; `attachGateways` gives its host to the installs it concerns and takes
 * the record away. Variables that only a running shell knows are not seen.
 */
import type { Catalogue } from '../../policies/catalogue.js';
import type { Component, RootStatus } from '../../policies/component.js';
import { gatewayKind } from '../../policies/gateway.js';
import { makeComponent } from './component.js';
import { settingsFolder } from './editor-programs.js';
import type { Home, Reader, World } from './index.js';
import { urlHost } from './mcp-command.js';
import { assignments, startFiles } from './shell-path.js';
import { readToml, type TomlTable, type TomlValue } from './toml.js';

const maxBytes = 1024 * 1024;
const maxLineLength = 4096;
/** Marks the records of this file among those of the channel. */
const kind = 'model gateway';
/** Marks those that a person cannot change. */
const managed = 'managed settings';
/** Roots whose reading shows whether a person has set any. */
export const settingsRoot = 'config:settings';

/** Tools that follow the same settings. The first stands for all of them. */
interface Family {
  readonly tools: readonly string[];
  readonly variables: readonly string[];
  /** Files of the tool's own in a home, by precedence. */
  readonly files: readonly SettingsFile[];
}

interface SettingsFile {
  readonly at: string;
  readonly movedBy?: string;
  /** The address that a file sets, `''` when it sets none. */
  read(file: string, reader: Reader, variables: readonly string[]): Setting | null;
}

interface Setting {
  readonly key: string;
  readonly value: string;
}

/**
 * Sources: Claude Code (settings and LLM gateway pages), Codex (docs/config.md), Gemini CLI and Qwen
 * Code (docs/cli/configuration.md), aider (docs/llms/openai-compat.html).
 */
const families: readonly Family[] = [
  {
    tools: ['claude-code', 'claude-code-vscode', 'claude-code-jetbrains', 'sdk-claude-agent'],
    variables: [
      'ANTHROPIC_BASE_URL',
      'ANTHROPIC_AWS_BASE_URL',
      'ANTHROPIC_BEDROCK_BASE_URL',
      'ANTHROPIC_VERTEX_BASE_URL',
      'ANTHROPIC_FOUNDRY_BASE_URL',
    ],
    files: [{ at: '.claude/settings.json', movedBy: 'CLAUDE_CONFIG_DIR', read: fromEnvBlock }],
  },
  {
    tools: ['codex-cli', 'openai-chatgpt-vscode', 'codex-app'],
    variables: ['OPENAI_BASE_URL'],
    files: [{ at: '.codex/config.toml', movedBy: 'CODEX_HOME', read: fromCodex }],
  },
  {
    tools: ['gemini-cli'],
    variables: ['GOOGLE_GEMINI_BASE_URL'],
    files: [{ at: '.gemini/.env', read: fromLines }],
  },
  {
    tools: ['qwen-code'],
    variables: ['OPENAI_BASE_URL'],
    files: [
      { at: '.qwen/settings.json', read: fromEnvBlock },
      { at: '.qwen/.env', read: fromLines },
    ],
  },
  { tools: ['aider'], variables: ['OPENAI_API_BASE', 'OPENAI_BASE_URL'], files: [] },
];

const claude = families[0] as Family;

/** What a home's settings and start files say, one record for each group of tools. */
export function gatewaysOfHome(home: Home, world: World, reader: Reader): readonly Component[] {
  const lines = startFiles.flatMap((name) =>
    placedSettings(world.path.join(home.path, name), reader),
  );
  return families.flatMap((family) => {
    const own = family.files
      .map(({ at, movedBy, read }) => {
        const moved = movedBy === undefined ? undefined : home.env[movedBy];
        const parts = at.split('/');
        const file =
          moved === undefined
            ? world.path.join(home.path, ...parts)
            : world.path.join(moved, parts.at(-1) ?? '');
        const setting = read(file, reader, family.variables);
        return setting === null || setting.value === '' ? null : { ...setting, file };
      })
      .find((setting) => setting !== null);
    const inEditor = family === claude ? editorSetting(home, world, reader) : null;
    const set = own ?? inEditor ?? strangest(family, lines, world.catalogue);
    return set === null ? [] : [recordOf(family, set, world)];
  });
}

/** Settings that the company put on the machine for Claude Code, which stand above a person's own. */
export function managedGateway(file: string, world: World, reader: Reader): readonly Component[] {
  const setting = fromEnvBlock(file, reader, claude.variables);
  return setting === null ? [] : [recordOf(claude, { ...setting, file }, world, managed)];
}

/** What the machine's own start files set for everybody who sets nothing else. */
const machineFiles = [
  '/etc/environment',
  '/etc/profile',
  '/etc/bash.bashrc',
  '/etc/bashrc',
  '/etc/zshenv',
  '/etc/zshrc',
  '/etc/zsh/zshenv',
  '/etc/zsh/zshrc',
];
const machineFolder = '/etc/profile.d';
const maxMachineFiles = 200;

export function gatewaysOfMachine(world: World, reader: Reader): readonly Component[] {
  const more = reader.list(machineFolder).filter(({ name }) => /\.(sh|fish)$/.test(name));
  const files = [
    ...machineFiles,
    ...more.slice(0, maxMachineFiles).map(({ name }) => world.path.join(machineFolder, name)),
  ];
  const lines = files.flatMap((file) => placedSettings(file, reader));
  return families.flatMap((family) => {
    const set = strangest(family, lines, world.catalogue);
    return set === null ? [] : [recordOf(family, set, world)];
  });
}

function placedSettings(file: string, reader: Reader): readonly Placed[] {
  return settingsIn(reader.text(file, maxBytes) ?? '').map((set) => ({ ...set, file }));
}

interface Placed extends Setting {
  readonly file: string;
}

function recordOf(
  { tools }: Family,
  { key, value, file }: Placed,
  world: World,
  ...more: readonly string[]
): Component {
  const host = urlHost(value);
  const tool = tools[0] ?? '';
  const component = makeComponent(world, {
    tool,
    channel: 'config',
    manager: null,
    name: `${tool} gateway`,
    version: null,
    path: file,
    state: 'residual',
    confidence: 'low',
    evidence: [kind, key, ...more],
  });
  return host === null ? component : { ...component, gateway: host };
}

/** Of several start files nobody knows which one counts: a third party's host before the vendor's, then the last. */
function strangest(family: Family, lines: readonly Placed[], catalogue: Catalogue): Placed | null {
  const tool = catalogue.tool(family.tools[0] ?? '');
  const set = lines.filter(({ key, value }) => family.variables.includes(key) && value !== '');
  const foreign = set.filter(({ value }) => gatewayKind(urlHost(value), tool) === 'third-party');
  return foreign.at(-1) ?? set.at(-1) ?? null;
}

/** Every assignment of a text. What a later line unsets is still told: it was set for something. */
function settingsIn(text: string): readonly Setting[] {
  return text
    .split('\n')
    .filter((line) => line.length <= maxLineLength && !/^\s*#/.test(line))
    .flatMap(assignments)
    .map(({ name, value }) => ({ key: name, value: value.trim() }));
}

function fromLines(file: string, reader: Reader, variables: readonly string[]): Setting | null {
  const lines = settingsIn(reader.text(file, maxBytes) ?? '');
  return lines.findLast(({ key }) => variables.includes(key)) ?? null;
}

/** `{"env": {"NAME": "value"}}` */
function fromEnvBlock(file: string, reader: Reader, variables: readonly string[]): Setting | null {
  if (reader.facts(file) === null) return null;
  const env = fieldOf(reader.json(file, maxBytes), 'env');
  for (const key of variables) {
    const value = fieldOf(env, key);
    if (typeof value === 'string' && value !== '') return { key, value };
  }
  return null;
}

/** The provider that is chosen, by the profile if one is, and its address. */
function fromCodex(file: string, reader: Reader): Setting | null {
  const text = reader.text(file, maxBytes);
  if (text === null) return null;
  const top = readToml(text);
  if (top === null) {
    reader.note(file, 'malformed');
    return null;
  }
  const profile = tableOf(tableOf(top['profiles'])?.[wordOf(top['profile']) ?? '']);
  const provider = wordOf(profile?.['model_provider']) ?? wordOf(top['model_provider']);
  const chosen = tableOf(tableOf(top['model_providers'])?.[provider ?? '']);
  const address = wordOf(chosen?.['base_url']);
  if (address !== null) return { key: 'model_providers', value: address };
  const direct = provider === null || provider === 'openai' ? wordOf(top['openai_base_url']) : null;
  return direct === null ? null : { key: 'openai_base_url', value: direct };
}

const tableOf = (value: TomlValue | undefined): TomlTable | null =>
  typeof value === 'object' && !Array.isArray(value) ? (value as TomlTable) : null;
const wordOf = (value: TomlValue | undefined): string | null =>
  typeof value === 'string' ? value : null;

/** Variables that the extension of Claude Code passes on: a list of `{name, value}`. */
function editorSetting(home: Home, world: World, reader: Reader): Placed | null {
  for (const { configFolder } of world.catalogue.editors) {
    if (configFolder === null) continue;
    const folder = settingsFolder(home, world);
    const file = world.path.join(folder, configFolder, 'User', 'settings.json');
    if (reader.facts(file) === null) continue;
    const list = fieldOf(reader.json(file, maxBytes), 'claudeCode.environmentVariables');
    for (const one of Array.isArray(list) ? (list as readonly unknown[]) : []) {
      const [key, value] = [fieldOf(one, 'name'), fieldOf(one, 'value')];
      if (typeof key !== 'string' || !claude.variables.includes(key)) continue;
      if (typeof value === 'string' && value !== '') return { key, value, file };
    }
  }
  return null;
}

function fieldOf(value: unknown, name: string): unknown {
  const isRecord = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  return isRecord ? (value as Record<string, unknown>)[name] : undefined;
}

/** What is known of a root; readings and stored roots both have it. */
export interface RootState {
  readonly id: string;
  /** Account of the home it lies in; null for the machine's. */
  readonly account: string | null;
  readonly status: RootStatus;
}

/**
 * Components with the gateway of their tool: what is managed before the owner's own, and that before
 * what the machine sets for all. What belongs to the machine is everybody's, so there a third party's
 * host of any person counts. No setting is `null` if all places of one could be read, else nothing is
 * said. The records themselves are left out.
 */
export function attachGateways(
  components: readonly Component[],
  around: { readonly catalogue: Catalogue; readonly roots: readonly RootState[] },
): readonly Component[] {
  const records = components.filter(isRecord);
  // Those inside a distribution of WSL end in the same way.
  const isOfSettings = new RegExp(`(?:^|:)${settingsRoot}:`);
  const roots = around.roots.filter(({ id }) => isOfSettings.test(id));
  const isLooked = (owner: string | null): boolean => {
    const own = roots.filter(({ account }) => [owner, account].includes(null) || account === owner);
    return own.length > 0 && own.every(({ status }) => /^(complete|absent)$/.test(status));
  };
  return components
    .filter((component) => !isRecord(component))
    .map((component) => {
      const family = families.find(({ tools }) => tools.includes(component.tool ?? ''));
      if (family === undefined) return component;
      const ofFamily = records.filter(({ tool }) => tool === family.tools[0]);
      const { owner } = component;
      const set = [
        ofFamily.filter(({ evidence }) => evidence.includes(managed)),
        ofFamily.filter((record) => record.owner === owner || (owner === null && record.owner)),
        ofFamily.filter((record) => record.owner === null),
      ].find((records) => records.length > 0);
      if (set === undefined) return isLooked(owner) ? { ...component, gateway: null } : component;
      const tool = around.catalogue.tool(component.tool ?? '');
      const hosts = set.flatMap(({ gateway }) => (gateway == null ? [] : [gateway])).sort();
      const host = hosts.find((one) => gatewayKind(one, tool) === 'third-party') ?? hosts[0];
      return host === undefined ? component : { ...component, gateway: host };
    });
}

function isRecord({ channel, evidence }: Component): boolean {
  return channel === 'config' && evidence.includes(kind);
}
