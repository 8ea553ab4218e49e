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
import {
  fieldOf,
  fromCodex,
  fromCrush,
  fromEnvBlock,
  fromKey,
  fromLines,
  fromOpenCode,
  fromQwen,
  type ReadSettings,
  type Setting,
} from './gateway-files.js';
import type { Home, Reader, World } from './index.js';
import { urlHost } from './mcp-command.js';
import { editorUserFolders } from './mcp-hosts.js';
import { homeVariables, machineVariables } from './variables.js';

const maxBytes = 1024 * 1024;
/** Marks the records of this file among those of the channel. */
const kind = 'model gateway';
/** Marks those that a person cannot change. */
export const managed = 'managed settings';
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
  readonly read: ReadSettings;
}

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
    files: [
      { at: '.claude/settings.local.json', movedBy: 'CLAUDE_CONFIG_DIR', read: fromEnvBlock },
      { at: '.claude/settings.json', movedBy: 'CLAUDE_CONFIG_DIR', read: fromEnvBlock },
    ],
  },
  {
    tools: ['codex-cli', 'openai-chatgpt-vscode', 'codex-app'],
    variables: ['OPENAI_BASE_URL'],
    files: [{ at: '.codex/config.toml', movedBy: 'CODEX_HOME', read: fromCodex }],
  },
  {
    tools: ['gemini-cli'],
    variables: ['GOOGLE_GEMINI_BASE_URL', 'GOOGLE_VERTEX_BASE_URL'],
    files: [
      { at: '.gemini/.env', read: fromLines },
      { at: '.env', read: fromLines },
    ],
  },
  {
    tools: ['qwen-code'],
    variables: ['OPENAI_BASE_URL'],
    files: [
      { at: '.qwen/settings.json', read: fromQwen },
      { at: '.qwen/.env', read: fromLines },
      { at: '.env', read: fromLines },
    ],
  },
  {
    tools: ['aider'],
    variables: ['OPENAI_API_BASE', 'OPENAI_BASE_URL'],
    files: [
      { at: '.aider.conf.yml', read: fromKey('openai-api-base') },
      { at: '.env', read: fromLines },
    ],
  },
  {
    tools: ['opencode'],
    variables: [],
    files: ['opencode.json', 'opencode.jsonc', 'config.json'].map((name) => {
      const at = `.config/opencode/${name}`;
      return { at, movedBy: 'OPENCODE_CONFIG_DIR', read: fromOpenCode };
    }),
  },
  {
    tools: ['crush'],
    variables: [],
    files: [{ at: '.config/crush/crush.json', read: fromCrush }],
  },
  {
    tools: ['continue'],
    variables: [],
    files: [
      { at: '.continue/config.yaml', read: fromKey('apiBase') },
      { at: '.continue/config.json', read: fromKey('apiBase') },
    ],
  },
];

const claude = families[0] as Family;
const followed = new Set(families.flatMap(({ variables }) => variables));

/** What a home's settings and start files say, one record for each group of tools. */
export function gatewaysOfHome(home: Home, world: World, reader: Reader): readonly Component[] {
  const { catalogue } = world;
  const set = homeVariables(home, world, reader, followed);
  return families.flatMap((family) => {
    const own = family.files
      .map((file) => ofFile(family, file, { home, world, reader }))
      .find((settings) => settings.length > 0);
    const inEditor =
      own === undefined && family === claude ? editorSetting(home, world, reader) : null;
    const chosen =
      strangest(family, own ?? [], catalogue) ?? inEditor ?? lastOf(family, set, catalogue);
    return chosen === null ? [] : [recordOf(family, chosen, world)];
  });
}

interface Place {
  readonly home: Home;
  readonly world: World;
  readonly reader: Reader;
}

function ofFile(
  { variables }: Family,
  { at, movedBy, read }: SettingsFile,
  { home, world, reader }: Place,
): readonly Placed[] {
  const { join } = world.path;
  const moved = movedBy === undefined ? undefined : home.env[movedBy];
  const settings = at.startsWith('.config/') ? home.env['XDG_CONFIG_HOME'] : undefined;
  const usual =
    settings === undefined ? join(home.path, at) : join(settings, at.slice('.config/'.length));
  const file = moved === undefined ? usual : join(moved, at.split('/').at(-1) ?? '');
  return read(file, reader, variables).map((setting) => ({ ...setting, file }));
}

/** Settings that the company has put on the machine for Claude Code, for everybody or one account. */
export function managedRecord(
  [first]: readonly Placed[],
  world: World,
  account: string | null = null,
): readonly Component[] {
  if (first === undefined) return [];
  return [{ ...recordOf(claude, first, world, managed), owner: account }];
}

/** The variables that `managedRecord` takes. */
export const managedVariables: readonly string[] = claude.variables;

export function gatewaysOfMachine(world: World, reader: Reader): readonly Component[] {
  const set = machineVariables(world, reader, followed);
  return families.flatMap((family) => {
    const chosen = lastOf(family, set, world.catalogue);
    return chosen === null ? [] : [recordOf(family, chosen, world)];
  });
}

/** A setting, and where it stands. */
export interface Placed extends Setting {
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
function lastOf(family: Family, all: readonly Placed[], catalogue: Catalogue): Placed | null {
  const set = all.filter(({ key, value }) => family.variables.includes(key) && value !== '');
  return strangest(family, [...set].reverse(), catalogue);
}

/** A third party's host before the vendor's, then the first. */
function strangest(family: Family, set: readonly Placed[], catalogue: Catalogue): Placed | null {
  const tool = catalogue.tool(family.tools[0] ?? '');
  const foreign = set.find(({ value }) => gatewayKind(urlHost(value), tool) === 'third-party');
  return foreign ?? set[0] ?? null;
}

/** Variables that the extension of Claude Code passes on: a list of `{name, value}`. */
function editorSetting(home: Home, world: World, reader: Reader): Placed | null {
  for (const { user } of editorUserFolders(home, world)) {
    const file = world.path.join(user, 'settings.json');
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
