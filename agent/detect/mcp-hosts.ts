/**
 * Where each AI host keeps the list of MCP servers it starts, as data: file, format and the key below
 * which the servers stand. A new host is a line here. It opens nothing; whether a folder is there is
 * asked of the reader.
 * Sources: the hosts' own documentation, by way of `mcp_config` in each; paths of the editor family
 * follow microsoft/vscode (mcpResourceScannerService.ts).
 */
import type { Platform } from '../../policies/component.js';
import { homeOf } from './component.js';
import { morePlaces } from './editor-places.js';
import { settingsFolder } from './editor-programs.js';
import type { Boundary, Home, Reader, World } from './index.js';

export type McpFormat = 'json' | 'toml' | 'yaml';

/** One file of one host. */
export interface McpFile {
  readonly host: string;
  readonly format: McpFormat;
  /** Names of nested keys, from the top of the file; the first that is there counts. */
  readonly keys: readonly (readonly string[])[];
  /** Machine path. */
  readonly path: string;
  /** The file of one extension that is a server itself; `keys` lead to how it is started. */
  readonly isBundle?: boolean;
  /** Whether the host's own record has it switched off. */
  readonly isOff?: boolean;
}

/** A folder with such files, in one home or of the machine. */
export interface McpFolder {
  readonly path: string;
  readonly home: Home | null;
  readonly boundary: Boundary;
  readonly files: readonly McpFile[];
  /** False where the host itself writes all day, so that a watch would only cost. */
  readonly isWatched: boolean;
}

/** `~/` is the home, `<settings>/` the platform's folder of settings, else a path of the machine. */
interface HostPlace {
  readonly host: string;
  readonly at: string;
  readonly os?: readonly Platform[];
  readonly format?: McpFormat;
  readonly key?: string;
  readonly isBusy?: boolean;
  /** A variable that moves the folder of the file. */
  readonly movedBy?: string;
}

const places: readonly HostPlace[] = [
  { host: 'claude-code', at: '~/.claude.json', isBusy: true, movedBy: 'CLAUDE_CONFIG_DIR' },
  { host: 'claude-code', at: '/etc/claude-code/managed-mcp.json', os: ['linux'] },
  {
    host: 'claude-code',
    at: '/Library/Application Support/ClaudeCode/managed-mcp.json',
    os: ['darwin'],
  },
  {
    host: 'claude-code',
    at: 'C:/Program Files/ClaudeCode/managed-mcp.json',
    os: ['win32'],
  },
  { host: 'claude-desktop', at: '<settings>/Claude/claude_desktop_config.json', isBusy: true },
  // A packaged app has its own view of the settings folder (anthropics/claude-code, issue 26073).
  {
    host: 'claude-desktop',
    at: '~/AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/claude_desktop_config.json',
    os: ['win32'],
    isBusy: true,
  },
  {
    host: 'codex',
    at: '~/.codex/config.toml',
    format: 'toml',
    key: 'mcp_servers',
    isBusy: true,
    movedBy: 'CODEX_HOME',
  },
  {
    host: 'codex',
    at: '/etc/codex/config.toml',
    os: ['linux', 'darwin'],
    format: 'toml',
    key: 'mcp_servers',
  },
  { host: 'cursor', at: '~/.cursor/mcp.json' },
  { host: 'windsurf', at: '~/.codeium/windsurf/mcp_config.json' },
  { host: 'windsurf', at: '~/.codeium/mcp_config.json' },
  {
    host: 'copilot-jetbrains',
    at: '~/.config/github-copilot/intellij/mcp.json',
    os: ['linux', 'darwin'],
    key: 'servers',
  },
  {
    host: 'copilot-jetbrains',
    at: '<settings>/github-copilot/intellij/mcp.json',
    os: ['darwin'],
    key: 'servers',
  },
  {
    host: 'copilot-jetbrains',
    at: '~/AppData/Local/github-copilot/intellij/mcp.json',
    os: ['win32'],
    key: 'servers',
  },
  { host: 'visual-studio', at: '~/.mcp.json', os: ['win32'], key: 'servers' },
  { host: 'copilot-cli', at: '~/.copilot/mcp-config.json', isBusy: true },
  { host: 'gemini-cli', at: '~/.gemini/settings.json', isBusy: true },
  { host: 'antigravity', at: '~/.gemini/antigravity/mcp_config.json' },
  { host: 'antigravity', at: '~/.gemini/config/mcp_config.json' },
  { host: 'kiro', at: '~/.kiro/settings/mcp.json' },
  { host: 'amazon-q', at: '~/.aws/amazonq/mcp.json' },
  { host: 'amazon-q', at: '~/.aws/amazonq/agents/default.json' },
  { host: 'opencode', at: '~/.config/opencode/opencode.json', key: 'mcp' },
  { host: 'opencode', at: '~/.config/opencode/opencode.jsonc', key: 'mcp' },
  { host: 'crush', at: '~/.config/crush/crush.json', key: 'mcp' },
  { host: 'amp', at: '~/.config/amp/settings.json', key: 'amp.mcpServers' },
  { host: 'continue', at: '~/.continue/config.yaml', format: 'yaml' },
  {
    host: 'goose',
    at: '~/.config/goose/config.yaml',
    os: ['linux', 'darwin'],
    format: 'yaml',
    key: 'extensions',
  },
  {
    host: 'goose',
    at: '<settings>/Block/goose/config/config.yaml',
    os: ['win32'],
    format: 'yaml',
    key: 'extensions',
  },
  { host: 'junie', at: '~/.junie/mcp/mcp.json' },
  { host: 'cline', at: '~/.cline/data/settings/cline_mcp_settings.json' },
  { host: 'qoder-ide', at: '<settings>/Qoder/SharedClientCache/mcp.json' },
  { host: 'qoder-cli', at: '~/.qoder/settings.json', isBusy: true, movedBy: 'QODER_CONFIG_DIR' },
  { host: 'iflow-cli', at: '~/.iflow/settings.json', isBusy: true },
  { host: 'augment', at: '~/.augment/settings.json', isBusy: true },
  { host: 'rovo-dev', at: '~/.rovodev/mcp.json', isBusy: true },
  { host: 'kimi-cli', at: '~/.kimi/mcp.json', isBusy: true },
  { host: 'qwen-code', at: '~/.qwen/settings.json', isBusy: true },
  { host: 'codebuddy', at: '~/.codebuddy/.mcp.json', isBusy: true },
  { host: 'kimi-code', at: '~/.kimi-code/mcp.json', isBusy: true },
  { host: 'factory-droid', at: '~/.factory/mcp.json', isBusy: true },
  { host: 'devin', at: '~/.config/devin/config.json' },
  {
    host: 'zed',
    at: '~/.config/zed/settings.json',
    os: ['linux', 'darwin'],
    key: 'context_servers',
  },
  {
    host: 'zed',
    at: '~/.var/app/dev.zed.Zed/config/zed/settings.json',
    os: ['linux'],
    key: 'context_servers',
  },
  { host: 'zed', at: '<settings>/Zed/settings.json', os: ['win32'], key: 'context_servers' },
  { host: 'lm-studio', at: '~/.lmstudio/mcp.json' },
];

/** Extensions that keep a list of their own inside each editor they are installed in. */
const inEditors: readonly { readonly host: string; readonly file: string }[] = [
  { host: 'cline', file: 'saoudrizwan.claude-dev/settings/cline_mcp_settings.json' },
  { host: 'roo', file: 'rooveterinaryinc.roo-cline/settings/mcp_settings.json' },
  { host: 'kilo-code', file: 'kilocode.kilo-code/settings/mcp_settings.json' },
];

/** Lists inside a project, below its folder. */
const inProjects: readonly HostPlace[] = [
  { host: 'claude-code', at: '.mcp.json' },
  { host: 'vscode-copilot', at: '.vscode/mcp.json', key: 'servers' },
  { host: 'cursor', at: '.cursor/mcp.json' },
  { host: 'copilot-cli', at: '.github/mcp.json' },
  { host: 'kiro', at: '.kiro/settings/mcp.json' },
  { host: 'roo', at: '.roo/mcp.json' },
  { host: 'junie', at: '.junie/mcp/mcp.json' },
  { host: 'jetbrains-ai', at: '.ai/mcp/mcp.json' },
  { host: 'gemini-cli', at: '.gemini/settings.json' },
  { host: 'codex', at: '.codex/config.toml', format: 'toml', key: 'mcp_servers' },
  { host: 'opencode', at: 'opencode.json', key: 'mcp' },
  { host: 'opencode', at: 'opencode.jsonc', key: 'mcp' },
  { host: 'qoder-cli', at: '.qoder/settings.local.json' },
  { host: 'trae', at: '.trae/mcp.json' },
  { host: 'factory-droid', at: '.factory/mcp.json' },
  { host: 'devin', at: '.devin/mcp_config.json' },
];

/** Names in a project's folder that show that one of its lists may be there. */
export const projectNames: ReadonlySet<string> = new Set(
  inProjects.map(({ at }) => at.split('/')[0] ?? at),
);

/** The files that a project's folder may have. */
export function projectFiles(folder: string, { path }: World): readonly McpFile[] {
  return inProjects.map((place) => toFile(place, path.join(folder, ...place.at.split('/'))));
}

/** What an editor's own list is called where the host is not the editor itself. */
const hostOfEditor = (id: string): string => (id.startsWith('vscod') ? 'vscode-copilot' : id);

const ofServers = [['servers'], ['mcpServers']];
const maxProfiles = 100;
const maxDropped = 200;
const maxRecordBytes = 256 * 1024;

const plans = new WeakMap<World, readonly McpFolder[]>();

/** The folders that hold such files now, and each home itself, in a fixed order; looked up once. */
export function mcpFolders(world: World): readonly McpFolder[] {
  const known = plans.get(world);
  if (known !== undefined) return known;
  const plan = listFolders(world);
  plans.set(world, plan);
  return plan;
}

function listFolders(world: World): readonly McpFolder[] {
  const own = world.hasSystem ? machineFiles(world).map((file) => placed(file, null, world)) : [];
  const folders = [
    ...own,
    ...world.homes.flatMap((home) => {
      const reader = world.reader({ within: [home.path] });
      return [
        ...homeFiles(home, world),
        ...editorFiles(home, world, reader),
        ...droppedFiles(home, world, reader),
      ]
        .map((file) => placed(file, home, world))
        .filter(({ path }) => path === home.path || reader.facts(path) !== null);
    }),
  ];
  const byPath = new Map<string, McpFolder>();
  for (const folder of folders) {
    const known = byPath.get(folder.path);
    const files = [...(known?.files ?? []), ...folder.files];
    const isWatched = folder.isWatched && known?.isWatched !== false;
    byPath.set(folder.path, { ...(known ?? folder), files, isWatched });
  }
  return [...byPath.values()];
}

interface BusyFile extends McpFile {
  readonly isBusy: boolean;
}

function placed({ isBusy, ...file }: BusyFile, home: Home | null, { path }: World): McpFolder {
  const folder = path.dirname(file.path);
  const boundary = { within: [home === null ? folder : home.path] };
  return { path: folder, home, boundary, files: [file], isWatched: !isBusy };
}

function toFile(place: HostPlace, path: string): BusyFile {
  const { host, format = 'json', key = 'mcpServers', isBusy = false } = place;
  // Visual Studio takes both spellings.
  const keys = host === 'visual-studio' ? ofServers : [[key]];
  return { host, format, keys, path, isBusy };
}

function isHere({ os }: HostPlace, { platform }: World): boolean {
  return os === undefined || os.includes(platform);
}

function machineFiles(world: World): readonly BusyFile[] {
  return places
    .filter((place) => isHere(place, world) && !/^[~<]/.test(place.at))
    .map((place) => toFile(place, world.path.normalize(place.at)));
}

function homeFiles(home: Home, world: World): readonly BusyFile[] {
  const { path } = world;
  return places
    .filter((place) => isHere(place, world) && /^[~<]/.test(place.at))
    .flatMap((place) => {
      const [, start, rest = ''] = /^(~|<settings>)\/(.*)$/.exec(place.at) ?? [];
      const moved = place.movedBy === undefined ? undefined : home.env[place.movedBy];
      if (moved !== undefined) return [toFile(place, path.join(moved, path.basename(rest)))];
      const folder = start === '~' ? home.path : settingsFolder(home, world);
      // Programs that follow the XDG folders on every system but Windows are under ~/.config.
      const set = rest.startsWith('.config/') ? home.env['XDG_CONFIG_HOME'] : undefined;
      const usual = path.join(folder, rest);
      const own = set === undefined ? usual : path.join(set, rest.slice('.config/'.length));
      return [...new Set([own, usual])].map((file) => toFile(place, file));
    });
}

/** Folders in which each file, or a file in each folder, is a list of its own. */
function droppedFiles(home: Home, world: World, reader: Reader): readonly BusyFile[] {
  const { join } = world.path;
  const namesIn = (folder: string, kind: 'file' | 'dir'): readonly string[] => {
    const names = reader
      .list(folder)
      .filter((entry) => entry.kind === kind && !entry.name.startsWith('.'))
      .map(({ name }) => name);
    if (names.length > maxDropped) reader.note(folder, 'too-many');
    return names.slice(0, maxDropped);
  };
  const blocks = join(home.path, '.continue', 'mcpServers');
  const gemini = join(home.path, '.gemini', 'extensions');
  const claude = join(settingsFolder(home, world), 'Claude');
  const isOff = (id: string): boolean => {
    const file = join(claude, 'Claude Extensions Settings', `${id}.json`);
    const record = reader.facts(file) === null ? null : reader.json(file, maxRecordBytes);
    return (
      typeof record === 'object' && (record as { isEnabled?: unknown } | null)?.isEnabled === false
    );
  };
  const rest = { keys: [['mcpServers']], isBusy: true } as const;
  return [
    ...namesIn(blocks, 'file')
      .filter((name) => /\.(ya?ml|json)$/i.test(name))
      .map((name): BusyFile => {
        const format = /json$/i.test(name) ? 'json' : 'yaml';
        return { host: 'continue', format, path: join(blocks, name), ...rest };
      }),
    ...namesIn(gemini, 'dir').map((name): BusyFile => {
      const path = join(gemini, name, 'gemini-extension.json');
      return { host: 'gemini-cli', format: 'json', path, ...rest };
    }),
    ...namesIn(join(claude, 'Claude Extensions'), 'dir').map((id): BusyFile => {
      const path = join(claude, 'Claude Extensions', id, 'manifest.json');
      const own = { keys: [['server', 'mcp_config']], isBundle: true, isOff: isOff(id) } as const;
      return { host: 'claude-desktop', format: 'json', path, ...rest, ...own };
    }),
  ];
}

/** Where editors of the VS Code family keep a person's settings, with the editor's id; not all are there. */
export function editorUserFolders(
  home: Home,
  world: World,
): readonly { readonly id: string; readonly user: string }[] {
  const { path } = world;
  const usual = world.catalogue.editors.map(({ id, homeFolder, configFolder }) => {
    const own = path.join(home.path, homeFolder, 'data', 'User');
    const shared = path.join(settingsFolder(home, world), configFolder ?? '', 'User');
    return { id, user: configFolder === null ? own : shared };
  });
  // Sandboxes and portable folders.
  const more = morePlaces(home, world).flatMap(({ manager, user }) =>
    user === null || homeOf(world, user) !== home ? [] : [{ id: manager, user }],
  );
  return [...new Map([...more, ...usual].map((place) => [place.user, place])).values()];
}

/** The lists of editors of the VS Code family: the editor's own, its profiles', its extensions'. */
function editorFiles(home: Home, world: World, reader: Reader): readonly BusyFile[] {
  const { path } = world;
  return editorUserFolders(home, world).flatMap(({ user, id }) => {
    if (reader.facts(user) === null) return [];
    const host = hostOfEditor(id);
    const rest = { format: 'json', isBusy: false } as const;
    const profiles = reader
      .list(path.join(user, 'profiles'))
      .filter(({ kind }) => kind === 'dir')
      .slice(0, maxProfiles)
      .map(({ name }) => path.join(user, 'profiles', name));
    const own = [user, ...profiles].flatMap((folder) => [
      { host, keys: ofServers, path: path.join(folder, 'mcp.json'), ...rest },
      { host, keys: [['mcp', 'servers']], path: path.join(folder, 'settings.json'), ...rest },
    ]);
    const others = inEditors.map(({ host: extension, file }) => {
      const at = path.join(user, 'globalStorage', ...file.split('/'));
      return { host: extension, keys: [['mcpServers']], path: at, ...rest };
    });
    return [...own, ...others];
  });
}
