/**
 * What a program on the disk belongs to, decided by its real path and the record beside it and never
 * by the name it is started under: a vendor's install folder, an npm package, a Homebrew keg, a Python
 * environment, a shim that starts something else, or nothing but itself.
 */
import type { Tool } from '../../policies/catalogue.js';
import { matchVendor, type VendorMatch } from './folders.js';
import type { Reader, World } from './index.js';

export type Origin =
  | ({ readonly kind: 'vendor' } & VendorMatch)
  /** `manager`: that of a vendor's own folder; null where the npm channel knows better. */
  | ({ readonly kind: 'npm'; readonly manager: string | null } & Package)
  | {
      readonly kind: 'homebrew';
      readonly tool: Tool;
      readonly record: 'formula' | 'cask';
      readonly name: string;
      readonly version: string;
      readonly folder: string;
    }
  /** A package of the Nix store; which tool it is, its command and what it holds say. */
  | {
      readonly kind: 'nix';
      readonly name: string;
      readonly version: string | null;
      readonly folder: string;
    }
  /** A record of another tool, or of a channel that has its own detector. */
  | { readonly kind: 'other' }
  /** Starts whatever its settings say; never the tool itself. */
  | { readonly kind: 'shim' }
  | { readonly kind: 'file' };

/** What a package says of itself; its folder may be an alias. */
interface Manifest {
  readonly name: string;
  readonly version: string | null;
}

/** `tool` null: no catalogue entry claims it, but a rule names it. */
type Package = Manifest & { readonly folder: string; readonly tool: Tool | null };

/** Programs that stand behind many names and pick what to start by the name they were called. */
const shimPrograms = new Set([
  'volta-shim',
  'volta',
  'mise',
  'rtx',
  'asdf',
  'proto',
  'proto-shim',
  'nodenv',
  'fnm',
  'snap',
  'busybox',
]);

const shimManagers =
  /^\.?(asdf|mise|rtx|proto|nodenv|pyenv(-win)?|goenv|rbenv|jenv|aqua(proj-aqua)?)$/i;

/** Folders in which each file is a copy of one program, whatever its name: on Windows there are no links. */
function isInShims(segments: readonly string[]): boolean {
  const [above = '', parent = ''] = segments.slice(-3, -1);
  if (/^bin$/i.test(parent)) return /^\.?volta$/i.test(above);
  return /^shims$/i.test(parent) && segments.some((name) => shimManagers.test(name));
}

/** Longer scripts are programs of their own. */
const maxShimBytes = 16 * 1024;
/** The launchers that pip, pipx and uv write on Windows have some ten to some hundred KB. */
const maxLauncherBytes = 1024 * 1024;

export function originOf(real: string, world: World, reader: Reader): Origin {
  const vendor = matchVendor(real, world);
  const segments = real.split(world.path.sep);
  const keg = kegOf(segments, world);
  if (keg !== null) return keg;
  const stored = storedPackage(segments, world);
  if (stored !== null) return stored;
  if (segments.includes('node_modules')) {
    const whole = packageOf(segments, world, reader);
    if (whole !== null) return { ...whole, manager: vendor?.folder.manager ?? null };
  }
  if (vendor !== null) return { kind: 'vendor', ...vendor };
  if (segments.includes('node_modules') || isPython(segments)) return { kind: 'other' };
  const program = (segments.at(-1) ?? '').replace(/\.exe$/i, '');
  const isShim = shimPrograms.has(program) || isInShims(segments);
  return isShim ? { kind: 'shim' } : { kind: 'file' };
}

/** `Cellar/<formula>/<version>/` and `Caskroom/<token>/<version>/` (https://docs.brew.sh/Manpage). */
function kegOf(segments: readonly string[], world: World): Origin | null {
  const at = segments.findIndex((name) => name === 'Cellar' || name === 'Caskroom');
  const name = segments[at + 1];
  const version = segments[at + 2];
  if (at === -1 || name === undefined || version === undefined) return null;
  const record = segments[at] === 'Cellar' ? 'formula' : 'cask';
  const kind = record === 'formula' ? 'homebrewFormula' : 'homebrewCask';
  const tool = world.catalogue.match(kind, name);
  if (tool === null) return null;
  const folder = segments.slice(0, at + 3).join(world.path.sep);
  return { kind: 'homebrew', tool, record, name, version, folder };
}

/**
 * `/nix/store/<32 letters>-<name>-<version>`: the version begins at the first part that begins with a
 * digit (nix.dev/manual/nix, store path; `parseDrvName`).
 */
export function storedPackage(
  segments: readonly string[],
  { path }: World,
): Extract<Origin, { kind: 'nix' }> | null {
  const [top, nix, store, entry = ''] = segments;
  if (top !== '' || nix !== 'nix' || store !== 'store') return null;
  const [, whole = ''] = /^[0-9a-z]{32}-(.{1,200})$/.exec(entry) ?? [];
  if (whole === '') return null;
  const [, name = whole, version = null] = /^(.+?)-(\d[^/]*)$/.exec(whole) ?? [];
  return { kind: 'nix', name, version, folder: path.sep + path.join('nix', 'store', entry) };
}

/** The claimed package a path lies in, from the innermost outwards: a platform part stands for its whole. */
function packageOf(
  segments: readonly string[],
  world: World,
  reader: Reader,
): ({ readonly kind: 'npm' } & Package) | null {
  for (let at = segments.length - 2; at >= 0; at -= 1) {
    if (segments[at] !== 'node_modules') continue;
    const isScoped = segments[at + 1]?.startsWith('@') ?? false;
    const end = at + (isScoped ? 3 : 2);
    if (end >= segments.length) continue;
    const folder = segments.slice(0, end).join(world.path.sep);
    const whole = wholeOf(folder, segments.slice(at + 1, end).join('/'), world, reader);
    if (whole !== null) return { kind: 'npm', ...whole };
  }
  return null;
}

function wholeOf(folder: string, folderName: string, world: World, reader: Reader): Package | null {
  const part = world.catalogue.match('npmParts', folderName);
  if (part === null) {
    const manifest = readManifest(folder, world, reader);
    if (manifest === null) return null;
    const tool = world.catalogue.match('npm', manifest.name);
    const isNamed = world.named?.get('npm')?.has(manifest.name) === true;
    return tool === null && !isNamed ? null : { folder, tool, ...manifest };
  }
  const siblings = folder.slice(0, folder.length - folderName.length);
  for (const name of part.identifiers.npm) {
    const beside = world.path.join(siblings, ...name.split('/'));
    const manifest = readManifest(beside, world, reader);
    if (manifest?.name === name) return { folder: beside, tool: part, ...manifest };
  }
  return null;
}

/** How far above a program its package's own folder may lie. */
const maxLevels = 3;

/** The package that a program outside any node_modules belongs to: its manifest names the file. */
export function packageBeside(
  real: string,
  world: World,
  reader: Reader,
): Extract<Origin, { kind: 'npm' }> | null {
  let folder = world.path.dirname(real);
  for (let level = 0; level < maxLevels; level += 1) {
    const file = world.path.join(folder, 'package.json');
    if (reader.facts(file) !== null) {
      const manifest = readManifest(folder, world, reader);
      const tool = manifest === null ? null : world.catalogue.match('npm', manifest.name);
      if (manifest === null || tool === null || !isCommand(real, folder, world, reader))
        return null;
      return { kind: 'npm', manager: null, folder, tool, ...manifest };
    }
    folder = world.path.dirname(folder);
  }
  return null;
}

/** Whether the manifest's `bin` names this file. */
function isCommand(real: string, folder: string, world: World, reader: Reader): boolean {
  const manifest = reader.json(world.path.join(folder, 'package.json'));
  const bin =
    typeof manifest === 'object' && manifest !== null && 'bin' in manifest ? manifest.bin : null;
  const targets = typeof bin === 'object' && bin !== null ? Object.values(bin) : [bin];
  return targets.some(
    (target) =>
      typeof target === 'string' && reader.realPath(world.path.join(folder, target)) === real,
  );
}

function readManifest(folder: string, world: World, reader: Reader): Manifest | null {
  const manifest = reader.json(world.path.join(folder, 'package.json'));
  if (typeof manifest !== 'object' || manifest === null || !('name' in manifest)) return null;
  if (typeof manifest.name !== 'string') return null;
  const hasVersion = 'version' in manifest && typeof manifest.version === 'string';
  return { name: manifest.name, version: hasVersion ? String(manifest.version) : null };
}

function isPython(segments: readonly string[]): boolean {
  const below = (parent: string, child: string): boolean =>
    segments.some((name, index) => name === parent && segments[index + 1] === child);
  return segments.includes('site-packages') || below('uv', 'tools') || below('pipx', 'venvs');
}

/** The text of a small script; null for every other file. */
export function scriptText(file: string, size: number, reader: Reader): string | null {
  if (size > maxShimBytes || /\.exe$/i.test(file)) return null;
  const text = reader.text(file, maxShimBytes);
  return text?.startsWith('#!') === true ? text : null;
}

const starter = /\b(asdf|mise|rtx|nodenv|pyenv|goenv|proto|volta|flatpak)\s+(exec|x|run)\b/;

/** What a script says it starts. `file`: a program of its own as far as can be told. */
export function originOfText(text: string): 'shim' | 'other' | 'python' | 'file' {
  if (/^#!.*\bpython[\d.]*/.test(text) || /^#!.*\n'''exec'/.test(text)) return 'python';
  if (text.includes('node_modules/')) return 'other';
  return starter.test(text) ? 'shim' : 'file';
}

/** The same of a file. A script of Python, too, is another record's. */
export function originOfScript(
  file: string,
  size: number,
  reader: Reader,
): 'shim' | 'other' | 'file' {
  if (/\.exe$/i.test(file)) return isPythonLauncher(file, size, reader) ? 'other' : 'file';
  const text = scriptText(file, size, reader);
  const kind = text === null ? 'file' : originOfText(text);
  return kind === 'python' ? 'other' : kind;
}

/** A small program with a zip file at its end whose `__main__.py` starts the package's command. */
function isPythonLauncher(file: string, size: number, reader: Reader): boolean {
  if (size > maxLauncherBytes) return false;
  return reader.text(file, maxLauncherBytes)?.includes('__main__.py') === true;
}
