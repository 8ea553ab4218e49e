/**
 * Whether what a cask put on the machine is still there. The record that Homebrew keeps of each cask
 * names its artifacts; each is looked for where Homebrew leaves it, and nothing is opened but records.
 * Without a record that can be read, what lies in the cask's own folder has to do.
 */
import type { ComponentState, Confidence } from '../../policies/component.js';
import type { Reader, World } from './index.js';

/** One version of a cask: `<folder>/<version>` is where it was unpacked. */
export interface StagedCask {
  readonly folder: string;
  readonly token: string;
  readonly version: string;
  /** Whether this is the version that Homebrew takes for installed. */
  readonly isCurrent: boolean;
}

export interface StagedState {
  readonly state: ComponentState;
  readonly confidence: Confidence;
  readonly evidence: readonly string[];
}

/** A program that a cask brings: what it is called in the download, and where it goes if elsewhere. */
interface Artifact {
  readonly kind: string;
  readonly source: string;
  readonly target: string | null;
}

export function stagedState(cask: StagedCask, world: World, reader: Reader): StagedState {
  const staged = world.path.join(cask.folder, cask.version);
  const record = cask.isCurrent ? recordOf(cask, world, reader) : null;
  const evidence = record === null ? [] : [record.file];
  const programs = (record?.artifacts ?? []).filter(({ kind }) => programKinds.has(kind));
  if (programs.length > 0) {
    const folders = appFolders(cask, world, reader);
    const isThere = programs.some((artifact) =>
      placesOf(artifact, staged, folders, world).some((place) => reader.target(place) !== null),
    );
    const gone = isThere ? [] : ['program missing'];
    const state = isThere ? 'installed' : 'residual';
    return { state, confidence: 'high', evidence: [...evidence, ...gone] };
  }
  const isThere = hasContent(staged, cask.isCurrent, world, reader);
  return { state: isThere ? 'installed' : 'residual', confidence: 'medium', evidence };
}

/** A link out of the folder belongs to the version in use; of any other only its own files count. */
function hasContent(staged: string, isCurrent: boolean, world: World, reader: Reader): boolean {
  return reader.list(staged).some(({ name, kind }) => {
    if (kind === 'link') {
      return isCurrent && reader.target(world.path.join(staged, name)) !== null;
    }
    return (kind === 'file' || kind === 'dir') && !name.startsWith('.');
  });
}

/** Artifacts of which it can be told whether they are there (https://docs.brew.sh/Cask-Cookbook). */
const programKinds = new Set(['app', 'suite', 'binary', 'appimage']);

interface CaskRecord {
  readonly file: string;
  readonly artifacts: readonly Artifact[];
}

/** `.metadata/<version>/<time>/Casks/<token>.json`, or `.rb` for casks of taps and of former years. */
function recordOf(cask: StagedCask, world: World, reader: Reader): CaskRecord | null {
  const versioned = world.path.join(cask.folder, '.metadata', cask.version);
  const times = reader
    .list(versioned)
    .filter(({ kind }) => kind === 'dir')
    .map(({ name }) => name);
  const folder = world.path.join(versioned, times.at(-1) ?? '', 'Casks');
  for (const { name } of reader.list(folder)) {
    const file = world.path.join(folder, name);
    if (name === `${cask.token}.json` || name === `${cask.token}.internal.json`) {
      const record = reader.json(file);
      if (record !== undefined) return { file: name, artifacts: listed(record) };
    } else if (name === `${cask.token}.rb`) {
      const text = reader.text(file, 256 * 1024);
      if (text !== null) return { file: name, artifacts: written(text) };
    }
  }
  return null;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A path without steps upwards; Homebrew writes no other. */
const isPlace = (value: unknown): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  !value.includes('\0') &&
  !value.split('/').includes('..');

/** `"artifacts": [{"app": ["Name.app", {"target": "Other.app"}]}, ...]`. */
function listed(record: unknown): readonly Artifact[] {
  const list = isFields(record) ? record['artifacts'] : null;
  if (!Array.isArray(list)) return [];
  return list.filter(isFields).flatMap((entry) =>
    Object.entries(entry).flatMap(([kind, value]): Artifact[] => {
      const [source, options] = Array.isArray(value) ? (value as unknown[]) : [];
      const target = isFields(options) ? options['target'] : null;
      if (!isPlace(source)) return [];
      return [{ kind, source, target: isPlace(target) ? target : null }];
    }),
  );
}

/** The same in a cask's own language, where a line gives it in plain words. */
function written(text: string): readonly Artifact[] {
  const line = /^\s*(app|suite|binary|appimage)\s+"([^"\n]+)"(?:,\s*target:\s*"([^"\n]+)")?/gm;
  return [...text.matchAll(line)]
    .map(([, kind = '', source = '', target]) => ({ kind, source, target: target ?? null }))
    .filter(({ source, target }) => isPlace(source) && (target === null || isPlace(target)))
    .filter(({ source }) => !/#\{(?!appdir\}|staged_path\}|HOMEBREW_PREFIX\})/.test(source));
}

/** Where apps of this cask go: as recorded when it was installed, else the usual folder. */
function appFolders({ folder }: StagedCask, world: World, reader: Reader): readonly string[] {
  const file = world.path.join(folder, '.metadata', 'config.json');
  const config = reader.facts(file) === null ? null : reader.json(file);
  const set = ['explicit', 'env', 'default'].flatMap((layer) => {
    const fields = isFields(config) ? config[layer] : null;
    const place = isFields(fields) ? fields['appdir'] : null;
    return typeof place === 'string' && world.path.isAbsolute(place) ? [place] : [];
  });
  return [set[0] ?? '/Applications'];
}

/** Where an artifact may be: in the cask's folder (a link once it was moved), and where it went. */
function placesOf(
  { kind, source, target }: Artifact,
  staged: string,
  appFolders: readonly string[],
  world: World,
): readonly string[] {
  const prefix = world.path.join(staged, '..', '..', '..');
  const filled = (text: string, appFolder: string): string =>
    text
      .replace(/^(?:\$APPDIR|#\{appdir\})(?=\/)/, () => appFolder)
      .replace(/^(?:\$HOMEBREW_PREFIX|#\{HOMEBREW_PREFIX\})(?=\/)/, () => prefix)
      .replace(/^#\{staged_path\}(?=\/)/, () => staged);
  return appFolders.flatMap((folder) => {
    const from = filled(source, folder);
    if (kind === 'binary') return [absolute(from, staged, world)];
    const name = target ?? world.path.basename(from);
    return [absolute(from, staged, world), absolute(filled(name, folder), folder, world)];
  });
}

function absolute(place: string, folder: string, world: World): string {
  return world.path.isAbsolute(place) ? place : world.path.join(folder, place);
}
