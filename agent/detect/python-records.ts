/**
 * What an installed Python package says of itself: the records beside it in a site-packages folder.
 * The folder's name says which records are worth opening, the record says what the package is, and
 * only its header is used (https://packaging.python.org/en/latest/specifications/core-metadata/).
 */
import { normalName } from '../../policies/catalogue.js';
import { hasConsoleScript, pypiSigns, type Signs } from './candidates.js';
import { toolOf } from './component.js';
import type { Entry, Reader, World } from './index.js';

/** One installed package. `name` is in PyPI's normal form (PEP 503). */
export interface Distribution {
  readonly name: string;
  readonly version: string | null;
  /** The record's own folder or file. */
  readonly path: string;
  /** File name of the record that spoke; null when none could be read. */
  readonly record: string | null;
  /** pip has set it aside, its files are gone, or another record of the same package came later. */
  readonly isLeftOver: boolean;
  readonly hasCommand: boolean;
  /** Set for what nothing names and what looks like an AI tool. */
  readonly signs?: Signs;
}

/**
 * Which of the packages that nothing names may be candidates: those of these names, or those that
 * somebody asked pip for, which leaves a file REQUESTED beside their record (PEP 376).
 */
export type Suspects = ReadonlySet<string> | 'requested' | null;

/** An entry that may be the record of a package we look for. */
interface Candidate {
  readonly name: string;
  readonly path: string;
  /** Where the header is; `path` itself where the record is a file. */
  readonly header: string;
  readonly isSetAside: boolean;
}

/** No folder has so many packages; what lies there beyond them is a trap for whoever reads it all. */
const maxRecords = 2000;

/** The packages of a site-packages folder that are reported; all of them if a rule takes the channel. */
export function distributionsIn(
  folder: string,
  world: World,
  reader: Reader,
  suspects: Suspects = null,
): readonly Distribution[] {
  const entries = reader.list(folder);
  const candidates = entries.flatMap((entry) => candidateOf(entry, folder, world) ?? []);
  if (candidates.length > maxRecords) reader.note(folder, 'too-many');
  const found = candidates
    .slice(0, maxRecords)
    .filter((candidate) => !isOfHomebrew(candidate, world, reader))
    .flatMap((candidate) => read(candidate, world, reader) ?? []);
  if (suspects !== null) found.push(...suspected(entries, suspects, folder, world));
  return [...Map.groupBy(found, ({ name }) => name).values()].flatMap((same) => {
    return withOneInUse(same, reader);
  });
}

/** More packages than this in one folder are not opened to see whether they look like an AI tool. */
const maxSuspects = 500;

/**
 * Packages that nothing names and that look like an AI tool. What is wrong with other software's records
 * is none of our concern, so its problems are dropped.
 */
function suspected(
  entries: readonly Entry[],
  suspects: ReadonlySet<string> | 'requested',
  folder: string,
  world: World,
): readonly Distribution[] {
  const reader = world.reader({ within: [folder] });
  return entries
    .filter(({ name, kind }) => kind === 'dir' && name.endsWith('.dist-info'))
    .slice(0, maxSuspects)
    .flatMap(({ name: entry }) => {
      const name = normalName('pypi', recordName.exec(entry)?.[1] ?? '');
      if (name === '' || entry.startsWith('~') || isWanted(name, world)) return [];
      const path = world.path.join(folder, entry);
      const text = (file: string): string | null => reader.text(world.path.join(path, file));
      const isSuspect =
        suspects === 'requested'
          ? reader.facts(world.path.join(path, 'REQUESTED')) !== null
          : suspects.has(name);
      if (!isSuspect || !hasConsoleScript(text('entry_points.txt') ?? '')) return [];
      const metadata = text('METADATA') ?? '';
      const header = parseHeader(metadata);
      if (header === null || normalName('pypi', header.name) !== name) return [];
      const signs = pypiSigns(name, metadata, world.catalogue);
      if (signs === null) return [];
      const { version } = header;
      const rest = { record: 'METADATA', isLeftOver: false, hasCommand: true, signs };
      return [{ name, version, path, ...rest }];
    });
}

/** Whether a package is one that is reported. */
function isWanted(name: string, world: World): boolean {
  return world.wholeChannels?.has('pypi') === true || toolOf(world, 'pypi', name) !== 'unwanted';
}

/**
 * `<name>-<version>.dist-info`, `<name>-<version>[-py3.x].egg-info` (a folder or the header itself), `.egg`,
 * and `<name>.egg-link`, which a package that somebody works on leaves in place of a record.
 */
const recordName = /^(.+?)(?:-(?:v?\d[^-]*)(?:-.*)?)?\.(dist-info|egg-info|egg|egg-link)$/;

function candidateOf({ name, kind }: Entry, folder: string, world: World): Candidate | null {
  if (!/(-info|\.egg|\.egg-link)$/.test(name)) return null;
  const [, stem = '', form = ''] = recordName.exec(name) ?? [];
  if (
    stem === '' ||
    kind === 'other' ||
    (form === 'dist-info' && kind === 'file') ||
    (form === 'egg-link' && kind !== 'file')
  )
    return null;
  const isSetAside = stem.startsWith('~');
  const isWorthIt = isSetAside ? tailsOf(world).has(tailOf(stem)) : isWanted(stem, world);
  if (!isWorthIt) return null;
  const path = world.path.join(folder, name);
  const header = (): string => {
    if (form === 'egg-link') return path;
    if (form === 'dist-info') return world.path.join(path, 'METADATA');
    if (form === 'egg') return world.path.join(path, 'EGG-INFO', 'PKG-INFO');
    return kind === 'file' ? path : world.path.join(path, 'PKG-INFO');
  };
  return { name: normalName('pypi', stem), path, header: header(), isSetAside };
}

const tails = new WeakMap<World, ReadonlySet<string>>();

const tailOf = (name: string): string => normalName('pypi', name).slice(1);

/** pip replaces the first letter by `~` while it replaces or removes a package (AdjacentTempDirectory). */
function tailsOf(world: World): ReadonlySet<string> {
  const known = tails.get(world);
  if (known !== undefined) return known;
  const names = [
    ...world.catalogue.tools.flatMap(({ identifiers }) => identifiers.pypi),
    ...(world.named?.get('pypi') ?? []),
  ];
  const made = new Set(names.map(tailOf));
  tails.set(world, made);
  return made;
}

/** Homebrew links what its formulae bring into its own site-packages; it is the formula's. */
function isOfHomebrew({ path }: Candidate, world: World, reader: Reader): boolean {
  const segments = (reader.realPath(path) ?? path).split(world.path.sep);
  return segments.includes('Cellar');
}

function read(candidate: Candidate, world: World, reader: Reader): Distribution | null {
  const { path, header: file, isSetAside } = candidate;
  // Where it leads is somebody's project, which is not read on its word.
  if (path.endsWith('.egg-link')) {
    const { name } = candidate;
    const rest = { record: 'egg-link', isLeftOver: false, hasCommand: true };
    return { name, version: null, path, ...rest };
  }
  const rest = {
    path,
    hasCommand: reader.facts(world.path.join(path, 'entry_points.txt')) !== null,
  };
  const text = reader.text(file);
  const header = text === null ? null : parseHeader(text);
  if (header === null) {
    if (text !== null) reader.note(file, 'malformed');
    // Only its record can say what was set aside; what is in use bears its name.
    if (isSetAside) return null;
    const isLeftOver = text === null && reader.facts(file) === null && rest.path !== file;
    return { name: candidate.name, version: null, record: null, isLeftOver, ...rest };
  }
  if (!isWanted(header.name, world)) return null;
  const name = normalName('pypi', header.name);
  const record = file === path ? 'egg-info' : world.path.basename(file);
  return { name, version: header.version, record, isLeftOver: isSetAside, ...rest };
}

export interface Header {
  readonly name: string;
  readonly version: string | null;
}

/** A project name as the core metadata allow it, and a version without anything odd. */
const nameForm = /^[A-Z0-9](?:[A-Z0-9._-]{0,254}[A-Z0-9])?$/i;
const versionForm = /^[\w.!+-]{1,128}$/;

/**
 * Name and version of a header: lines up to the first empty one, of two the first. A line without its
 * end is half-written and does not count; null when there is no name, or its version is cut off.
 */
export function parseHeader(text: string): Header | null {
  const fields = new Map<string, string>();
  for (let start = 0; ;) {
    const end = text.indexOf('\n', start);
    if (end === -1) break;
    const line = text.slice(start, end).replace(/\r$/, '');
    start = end + 1;
    if (line === '') break;
    if (/^[ \t]/.test(line)) continue;
    const key = /^[\w-]+(?=:)/.exec(line)?.[0].toLowerCase();
    if (key === undefined) break;
    if (!fields.has(key)) fields.set(key, line.slice(key.length + 1).trim());
  }
  const name = fields.get('name');
  const version = fields.get('version');
  if (name === undefined || !nameForm.test(name) || version === undefined) return null;
  return { name, version: versionForm.test(version) ? version : null };
}

/** Of several records of one package in one folder the one that came last is in use. */
function withOneInUse(same: readonly Distribution[], reader: Reader): readonly Distribution[] {
  const live = same.filter(({ isLeftOver }) => !isLeftOver);
  if (live.length < 2) return same;
  const age = ({ path }: Distribution): number => reader.facts(path)?.mtimeMs ?? 0;
  const [last] = [...live].sort((a, b) => {
    return Number(b.record !== null) - Number(a.record !== null) || age(b) - age(a);
  });
  return same.map((each) => (each === last ? each : { ...each, isLeftOver: true }));
}
