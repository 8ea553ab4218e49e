/**
 * Folders of a person's projects that hold what a detector asks for, for a deep scan alone. The
 * walk follows no link, enters no hidden folder but a project's `.venv`, none that the platform guards
 * with a privacy question, and nothing that it looks for; it is bounded in depth and folders, and says
 * so when it stops early.
 */
import type { Platform } from '../../policies/component.js';
import type { Entry, Reader, World } from './index.js';

const maxDepth = 8;
const maxFolders = 20_000;

/** Direct entries of a home that a scan never touches: guarded, or no place for projects. */
const guarded: Readonly<Record<Platform, ReadonlySet<string>>> = {
  linux: new Set(['snap']),
  darwin: new Set([
    'Applications',
    'Desktop',
    'Documents',
    'Downloads',
    'Library',
    'Movies',
    'Music',
    'Pictures',
    'Public',
  ]),
  win32: new Set(['AppData', 'Application Data', 'Local Settings', 'OneDrive']),
};

/** The node_modules folders below a home, in a fixed order. */
export function projectFolders(home: string, world: World, reader: Reader): readonly string[] {
  return walk(home, world, reader, (_, folders) => ({
    found: folders.filter((name) => name === 'node_modules'),
    next: folders.filter((name) => {
      return name !== 'node_modules' && !name.startsWith('.') && !kegs.has(name);
    }),
  }));
}

/** What a formula or a cask brings along is a part of it (`homebrew.ts`). */
const kegs = new Set(['Cellar', 'Caskroom']);

/** What has roots of its own: conda's environments, Homebrew with the environments in its formulae. */
const ownRoots = new Set(['conda-meta', ...kegs]);

/** The Python environments below a home, in a fixed order: what has a `pyvenv.cfg` (PEP 405). */
export function environmentFolders(home: string, world: World, reader: Reader): readonly string[] {
  return walk(home, world, reader, (entries, folders) => {
    if (entries.some(({ name }) => name === 'pyvenv.cfg')) return { found: [''], next: [] };
    if (entries.some(({ name }) => ownRoots.has(name))) return { found: [], next: [] };
    const isNext = (name: string): boolean =>
      name !== 'node_modules' && (!name.startsWith('.') || /^\.v?env/.test(name));
    return { found: [], next: folders.filter(isNext) };
  });
}

/** Folders below a home, itself left out, in which one of these names lies, in a fixed order. */
export function foldersWith(
  names: ReadonlySet<string>,
  home: string,
  world: World,
  reader: Reader,
): readonly string[] {
  const found = walk(home, world, reader, (entries, folders) => ({
    found: entries.some(({ name }) => names.has(name)) ? [''] : [],
    next: folders.filter((name) => name !== 'node_modules' && !name.startsWith('.')),
  }));
  return found.filter((folder) => folder !== home);
}

/** Folders that hold no program of a person's own, or whose programs have roots of their own. */
const stores = new Set(
  `.git .hg .svn .cache .npm .pnpm-store .yarn .rustup .gradle .m2 .nuget .Trash .tox .mypy_cache .ruff_cache
  .pytest_cache .terraform .next .turbo .vscode-server .var go/pkg .cargo/registry .cargo/git .local/share/pnpm
  .local/share/Trash .local/share/containers .local/share/flatpak .local/share/Steam .bun/install/cache
  .local/share/uv .local/share/mise .docker .minikube site-packages __pycache__ node_modules`.split(
    /\s+/,
  ),
);
/** Names of files that are no programs whatever their permissions: many, and each costs a call. */
const noProgram =
  /\.(d\.ts|tsx?|jsx|map|json|jsonc|ya?ml|toml|lock|md|txt|html?|s?css|svg|png|jpe?g|gif|webp|ico|woff2?|pdf|py|pyc|rs|go|c|cc|cpp|h|hpp|java|kt|rb|php|sql|log|so|dylib|dll|a|o|zip|gz|xz|zst|tar|sh|bash|zsh)$/i;

/** Files below a home that may be programs, in a fixed order; hidden folders are gone into too. */
export function programFiles(home: string, world: World, reader: Reader): readonly string[] {
  const { path } = world;
  return walk(home, world, reader, (entries, folders, folder) => ({
    found: entries
      .filter(({ kind, name }) => kind === 'file' && !noProgram.test(name))
      .map(({ name }) => name),
    next: folders.filter((name) => {
      const below = path.relative(home, path.join(folder, name)).replaceAll('\\', '/');
      return !stores.has(name) && !stores.has(below) && !kegs.has(name);
    }),
  }));
}

/** What to do with a folder: names below it that are sought (empty: itself), and those to go into. */
interface Step {
  readonly found: readonly string[];
  readonly next: readonly string[];
}

function walk(
  home: string,
  world: World,
  reader: Reader,
  step: (entries: readonly Entry[], folders: readonly string[], folder: string) => Step,
): readonly string[] {
  const found: string[] = [];
  let level = [home];
  let count = 0;
  for (let depth = 0; depth <= maxDepth && level.length > 0; depth += 1) {
    const below: string[] = [];
    for (const folder of level) {
      count += 1;
      if (count > maxFolders) {
        reader.note(folder, 'too-many');
        return found;
      }
      const entries = reader.list(folder);
      const folders = entries
        .filter(({ kind }) => kind === 'dir')
        .map(({ name }) => name)
        .filter((name) => folder !== home || !guarded[world.platform].has(name));
      const { found: sought, next } = step(entries, folders, folder);
      found.push(...sought.map((name) => world.path.join(folder, name)));
      below.push(...next.map((name) => world.path.join(folder, name)));
    }
    level = below;
  }
  return found;
}
