/**
 * What a person's shell would have on PATH, read from the shell's own start files and never by running
 * one. It understands plain assignments; whatever needs a shell to be known (substitutions, tests) is
 * left out. Variables are the owner's, and no value but a folder is kept.
 */
import type { Platform } from '../../policies/component.js';
import type { Home, Reader, World } from './index.js';
import { editorOption, fishVariable, nushell, type Assignment } from './shell-dialects.js';

/** Start files of bash, zsh, fish and nushell, in the order they would be read. */
export const startFiles = [
  '.profile',
  '.bash_profile',
  '.bash_login',
  '.bashrc',
  '.zshenv',
  '.zprofile',
  '.zshrc',
  '.zlogin',
  '.config/zsh/.zshenv',
  '.config/zsh/.zprofile',
  '.config/zsh/.zshrc',
  '.config/fish/config.fish',
  '.config/nushell/env.nu',
  '.config/nushell/config.nu',
  'Library/Application Support/nushell/env.nu',
  'Library/Application Support/nushell/config.nu',
] as const;

/** Start files of the whole machine; every person's shell reads them before their own. */
export const machineStartFiles: readonly string[] = [
  '/etc/environment',
  '/etc/profile',
  '/etc/bash.bashrc',
  '/etc/bashrc',
  '/etc/zshenv',
  '/etc/zprofile',
  '/etc/zshrc',
  '/etc/zsh/zshenv',
  '/etc/zsh/zprofile',
  '/etc/zsh/zshrc',
  '/etc/fish/config.fish',
];
export const machineStartFolders: readonly string[] = [
  '/etc/environment.d',
  '/etc/profile.d',
  '/etc/fish/conf.d',
];

/** Folders of which each file of that ending is read: of a session, of fish, and what start files include whole. */
const startFolders = [
  { at: '.bashrc.d', ending: '' },
  { at: '.zshrc.d', ending: '' },
  { at: '.oh-my-zsh/custom', ending: '.zsh' },
  { at: '.config/environment.d', ending: '.conf' },
  { at: '.config/fish/conf.d', ending: '.fish' },
] as const;
const fishVariables = '.config/fish/fish_variables';
const maxFilesInFolder = 100;

/** Variables that say where a tool keeps its installs or settings; no others are looked at. */
export const placeVariables = [
  'NVM_DIR',
  'NVM_HOME',
  'FNM_DIR',
  'VOLTA_HOME',
  'NVS_HOME',
  'PROTO_HOME',
  'NODENV_ROOT',
  'N_PREFIX',
  'ASDF_DATA_DIR',
  'MISE_DATA_DIR',
  'PNPM_HOME',
  'BUN_INSTALL',
  'BUN_INSTALL_GLOBAL_DIR',
  'NPM_CONFIG_PREFIX',
  'npm_config_prefix',
  'npm_config_cache',
  'NPM_CONFIG_USERCONFIG',
  'npm_config_userconfig',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_CACHE_HOME',
  'CARGO_HOME',
  'GOPATH',
  'PIPX_HOME',
  'UV_TOOL_DIR',
  'UV_CACHE_DIR',
  'UV_PYTHON_INSTALL_DIR',
  'RYE_HOME',
  'CONDA_ENVS_PATH',
  'PYENV_ROOT',
  'WORKON_HOME',
  'PYTHONUSERBASE',
  'HOMEBREW_PREFIX',
  'CLAUDE_CONFIG_DIR',
  'CODEX_HOME',
  'QODER_CONFIG_DIR',
  'OPENCODE_CONFIG_DIR',
  'OPENCLAW_STATE_DIR',
  'VSCODE_EXTENSIONS',
  'VSCODE_PORTABLE',
  'OLLAMA_MODELS',
  'HF_HOME',
  'HF_HUB_CACHE',
  'LLAMA_CACHE',
  'SCOOP',
  'SCOOP_GLOBAL',
  'ChocolateyInstall',
  'MAMBA_ROOT_PREFIX',
  'PIXI_HOME',
] as const;

const maxFileBytes = 256 * 1024;
const maxLineLength = 4096;
const maxParts = 1000;

/** What the start files of one home say. `folders` are unexpanded parts of PATH. */
export interface ShellFacts {
  readonly folders: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What a variable or `~` in a folder stands for, from the owner's point of view. */
export interface Owner {
  readonly home: string | null;
  readonly account: string | null;
  readonly env: Readonly<Record<string, string>>;
}

/** The parts of a PATH value; a quoted part may hold the separator, a stray quote is dropped. */
export function splitPath(value: string, platform: Platform): readonly string[] {
  const separator = platform === 'win32' ? ';' : ':';
  const parts: string[] = [];
  let part = '';
  let isQuoted = false;
  for (const letter of value) {
    if (letter === '"') isQuoted = !isQuoted;
    else if (letter === separator && !isQuoted) {
      parts.push(part);
      part = '';
    } else part += letter;
  }
  return [...parts, part].slice(0, maxParts);
}

/** `~`, `$NAME`, `${NAME}` and `%NAME%` replaced for the owner; null when something stays unknown. */
export function expandFolder(text: string, owner: Owner, platform: Platform): string | null {
  const known: Readonly<Record<string, string | null>> = {
    ...owner.env,
    HOME: owner.home,
    USER: owner.account,
    USERPROFILE: owner.home,
    USERNAME: owner.account,
    APPDATA: owner.home === null ? null : `${owner.home}\\AppData\\Roaming`,
    LOCALAPPDATA: owner.home === null ? null : `${owner.home}\\AppData\\Local`,
  };
  let isKnown = true;
  const replace = (_: string, first?: string, second?: string): string => {
    const value = known[first ?? second ?? ''];
    if (typeof value === 'string') return value;
    isKnown = false;
    return '';
  };
  const tilde = /^~(?=$|[\\/])/;
  if (tilde.test(text) && owner.home === null) return null;
  const home = text.replace(tilde, () => owner.home ?? '');
  const expanded =
    platform === 'win32'
      ? home.replace(/%([A-Za-z_]\w*)%/g, replace)
      : home.replace(/\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-[^}]*)?\})/g, replace);
  return isKnown && !/[$`*?\n\0]/.test(expanded) ? expanded : null;
}

/**
 * The folders of PATH as absolute paths, each once, in order: variables expanded for the owner, empty
 * and relative parts dropped, never resolved against a working folder of ours.
 */
export function pathFolders(world: World, home: Home | null): readonly string[] {
  const parts = home === null ? world.systemPath : (world.homePath.get(home.account) ?? []);
  const owner: Owner = {
    home: home?.path ?? null,
    account: home?.account ?? null,
    env: home?.env ?? {},
  };
  const folders = new Map<string, string>();
  for (const part of parts) {
    const folder = absoluteFolder(expandFolder(part, owner, world.platform), world);
    if (folder === null) continue;
    const key = world.platform === 'win32' ? folder.toLowerCase() : folder;
    if (!folders.has(key)) folders.set(key, folder);
  }
  return [...folders.values()];
}

function absoluteFolder(folder: string | null, world: World): string | null {
  if (folder === null || !world.path.isAbsolute(folder)) return null;
  if (world.path.sep === '\\' && !/^[A-Za-z]:[\\/]/.test(folder)) return null;
  const normal = world.path.normalize(folder);
  const { root } = world.path.parse(normal);
  return normal.length > root.length && normal.endsWith(world.path.sep)
    ? normal.slice(0, -1)
    : normal;
}

/** Lines of a start file, and what reads one of them. */
export interface StartText {
  readonly file: string;
  readonly text: string;
  readonly read: (line: string) => readonly Assignment[];
}

/**
 * Reads the start files of a home, in their order. `machine`: texts of the machine's own, which come
 * first and are read from this person's point of view.
 */
export function readStartFiles(
  { home, account }: { readonly home: string; readonly account: string },
  join: (...parts: string[]) => string,
  reader: Reader,
  machine: readonly string[] = [],
): ShellFacts {
  const texts = [...machineTexts(machine), ...startTexts(home, join, reader)];
  return factsOf(texts, { home, account });
}

/** The same of the machine's start files for nobody: what needs a home stays out. */
export function readMachineStart(machine: readonly string[]): ShellFacts {
  return factsOf(machineTexts(machine), { home: null, account: null });
}

const machineTexts = (machine: readonly string[]): readonly StartText[] =>
  machine.map((text) => ({ file: '', text, read: assignments }));

/** Every start file of a home, in order. */
export function startTexts(
  home: string,
  join: (...parts: string[]) => string,
  reader: Reader,
): readonly StartText[] {
  const read = (name: string): Pick<StartText, 'file' | 'text'> => {
    const file = join(home, name);
    return { file, text: reader.text(file, maxFileBytes) ?? '' };
  };
  const further = startFolders.flatMap(({ at, ending }) =>
    reader
      .list(join(home, at))
      .filter(({ name, kind }) => kind !== 'dir' && name.endsWith(ending))
      .slice(0, maxFilesInFolder)
      .map(({ name }) => `${at}/${name}`),
  );
  const own = [...startFiles, ...further].map((file) => ({
    ...read(file),
    read: file.endsWith('.nu') ? nushell : assignments,
  }));
  const known = new Set(own.map(({ file }) => file));
  const moved = zshFolders(own, home)
    .flatMap((folder) => zshFiles.map((name) => join(folder, name)))
    .filter((file) => !known.has(file))
    .map((file) => ({ file, text: reader.text(file, maxFileBytes) ?? '', read: assignments }));
  return [...own, ...moved, { ...read(fishVariables), read: fishVariable }];
}

const zshFiles = ['.zshenv', '.zprofile', '.zshrc', '.zlogin'];

/** Where zsh's own files lie when `ZDOTDIR` moves them within the home. */
function zshFolders(texts: readonly StartText[], home: string): readonly string[] {
  const set = texts
    .filter(({ text }) => text.includes('ZDOTDIR='))
    .flatMap(({ text, read }) => text.split('\n').flatMap((line) => read(line)))
    .filter(({ name }) => name === 'ZDOTDIR')
    .map(({ value }) => expandFolder(value, { home, account: null, env: {} }, 'linux'))
    .filter((folder) => folder?.startsWith(`${home}/`) === true);
  return [...new Set(set)].slice(0, 4) as string[];
}

function factsOf(texts: readonly StartText[], owner: Omit<Owner, 'env'>): ShellFacts {
  const folders: string[] = [];
  const variables: Record<string, string> = Object.create(null) as Record<string, string>;
  const expand = (text: string): string | null =>
    expandFolder(text, { ...owner, env: variables }, 'linux');
  for (const { text, read } of texts) {
    for (const line of text.split('\n')) {
      if (line === '' || line.length > maxLineLength || /^\s*#/.test(line)) continue;
      for (const { name, value } of [...read(line), ...editorOption(line)]) {
        if (name === 'PATH') folders.push(...pathParts(value, expand));
        else keepVariable(variables, name, expand(value));
      }
      folders.push(...listed(line).flatMap((part) => pathParts(part, expand)));
    }
  }
  const env = Object.fromEntries(
    placeVariables.flatMap((name) => {
      const value = variables[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return { folders: folders.slice(0, maxParts), env };
}

/** Folders only: a variable that is no path is of no use here and may be a secret. */
function keepVariable(variables: Record<string, string>, name: string, value: string | null): void {
  if (value !== null && value.startsWith('/')) variables[name] = value;
}

/** Parts are expanded here, while the file's own variables are known; `$PATH` itself falls out. */
function pathParts(value: string, expand: (text: string) => string | null): readonly string[] {
  return splitPath(value, 'linux').flatMap((part) => {
    const folder = expand(part);
    return folder === null || folder === '' ? [] : [folder];
  });
}

function unquoted(value: string): string {
  return value.replace(/["']/g, '');
}

/** `NAME=value`, with or without `export`, and fish's `set -gx NAME value ...`. */
export function assignments(line: string): readonly Assignment[] {
  const found: Assignment[] = [];
  const shell = /(?:^|[\s;&|])([A-Za-z_]\w*)=((?:"[^"]*"|'[^']*'|[^\s;&|#"'()])*)/g;
  for (const [, name = '', value = ''] of line.matchAll(shell)) {
    found.push({ name, value: unquoted(value) });
  }
  const fish = /^\s*set\s+(?:-\w+\s+|--\w+\s+)*([A-Za-z_]\w*)\s+([^#;]+)/.exec(line);
  if (fish !== null) {
    const [, name = '', values = ''] = fish;
    const words = unquoted(values).trim().split(/\s+/);
    found.push({ name, value: name === 'PATH' ? words.join(':') : (words[0] ?? '') });
  }
  return found;
}

/** `fish_add_path a b` and zsh's `path=(a b $path)`. */
function listed(line: string): readonly string[] {
  const fish = /^\s*fish_add_path\s+([^#;]+)/.exec(line)?.[1];
  const zsh = /(?:^|[\s;])path\+?=\(([^)]*)\)/.exec(line)?.[1];
  return unquoted(`${fish ?? ''} ${zsh ?? ''}`)
    .split(/\s+/)
    .filter((word) => word !== '' && !word.startsWith('-'));
}
