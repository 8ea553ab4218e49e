/**
 * Add-ons of Firefox and its forks. `profiles.ini` says which folders are profiles, `extensions.json`
 * of each which add-ons it has and whether they are on; the files of the extensions folder speak only
 * where that list cannot be read, with less confidence. A path that the list names is never followed.
 * Format: mozilla-central, toolkit/mozapps/extensions/internal/XPIDatabase.sys.mjs.
 */
import { parse as parseWithComments } from 'jsonc-parser';
import type { Component, ComponentState, Confidence } from '../../policies/component.js';
import { readEntry } from './archive.js';
import { homeOf, makeComponent, toolOf } from './component.js';
import type { Reader, Root, World } from './index.js';

const maxListBytes = 32 * 1024 * 1024;
const maxAddons = 4_000;
const maxProfiles = 200;

export interface FirefoxProfile {
  readonly path: string;
  /** The profile was given up and its folder stayed. */
  readonly isLeft: boolean;
}

/** The profiles that the list names, and folders beside them that have add-ons. */
export function firefoxProfiles(
  folder: string,
  world: World,
  reader: Reader,
): readonly FirefoxProfile[] {
  const { join } = world.path;
  const list = join(folder, 'profiles.ini');
  const text = reader.text(list, 256 * 1024);
  const sections = text === null ? [] : sectionsOf(text);
  const home = homeOf(world, folder);
  const named = sections.flatMap((section) => {
    const path = section.get('Path');
    if (path === undefined || path === '' || path.includes('\0')) return [];
    const place = world.path.resolve(section.get('IsRelative') === '0' ? '/' : folder, path);
    if (homeOf(world, place) === home) return [place];
    reader.note(list, 'refused-entry', false);
    return [];
  });
  // Newer profiles are kept in a database; the list names only one of their group.
  const isGroup = sections.some((section) => section.has('StoreID'));
  const others = [folder, join(folder, 'Profiles')]
    .flatMap((parent) => foldersIn(parent, world, reader))
    .filter((path) => reader.facts(join(path, 'extensions.json')) !== null);
  const seen = new Set<string>();
  const profiles = [...named, ...others].filter((path) => {
    const real = reader.realPath(path) ?? path;
    return !seen.has(real) && seen.add(real).size > 0;
  });
  if (profiles.length > maxProfiles) reader.note(folder, 'too-many');
  return profiles.slice(0, maxProfiles).map((path) => {
    return { path, isLeft: text !== null && !isGroup && !named.includes(path) };
  });
}

function foldersIn(parent: string, world: World, reader: Reader): readonly string[] {
  return reader
    .list(parent)
    .filter(({ kind }) => kind === 'dir')
    .map(({ name }) => world.path.join(parent, name));
}

/** The `[ProfileN]` sections of the list. */
function sectionsOf(text: string): readonly ReadonlyMap<string, string>[] {
  const sections: Map<string, string>[] = [];
  let open: Map<string, string> | null = null;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const head = /^\[(\w+)\]/.exec(line)?.[1];
    const [, key = '', value = ''] = /^(\w+)\s*=(.*)$/.exec(line) ?? [];
    if (head !== undefined) {
      open = /^Profile\d+$/.test(head) ? new Map<string, string>() : null;
      if (open !== null) sections.push(open);
    } else if (key !== '') open?.set(key, value.trim());
  }
  return sections;
}

interface Look {
  readonly profile: FirefoxProfile;
  readonly extensions: string;
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

export function readFirefox(root: Root, world: World, reader: Reader): readonly Component[] {
  return firefoxProfiles(root.path, world, reader).flatMap((profile) => {
    const { join } = world.path;
    const extensions = join(profile.path, 'extensions');
    const look: Look = { profile, extensions, root, world, reader };
    const list = join(profile.path, 'extensions.json');
    const hasList = reader.facts(list) !== null;
    const addons = hasList ? listedAddons(list, reader) : null;
    const listed = new Set((addons ?? []).map(({ id }) => id));
    const loose = addonFiles(look).filter(({ id }) => !listed.has(id));
    return [
      ...(addons ?? []).flatMap((addon) => addonComponent(addon, look) ?? []),
      ...loose.flatMap((file) => {
        const isKnown = addons !== null;
        const state = isKnown || profile.isLeft ? 'residual' : 'installed';
        return fileComponent(file, { state, confidence: hasList ? 'low' : 'medium' }, look) ?? [];
      }),
    ];
  });
}

interface Addon {
  readonly id: string;
  readonly version: string | null;
  readonly path: string | null;
  readonly isShipped: boolean;
  readonly isOff: boolean;
}

/** As Firefox itself checks an id. */
const idPattern =
  /^(\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}|[\w.-]*@[\w.-]+)$/i;

/** null: there is a list and it cannot be used. */
function listedAddons(file: string, reader: Reader): readonly Addon[] | null {
  const value = reader.json(file, maxListBytes);
  const list = asRecord(value)?.['addons'];
  if (!Array.isArray(list)) {
    if (value !== undefined) reader.note(file, 'malformed');
    return null;
  }
  if (list.length > maxAddons) reader.note(file, 'too-many', true);
  return list.slice(0, maxAddons).flatMap((entry) => addonOf(asRecord(entry)) ?? []);
}

/** Locations of what the browser brings along itself. */
const shipped = new Set<unknown>([
  'app-builtin',
  'app-builtin-addons',
  'app-system-defaults',
  'app-system-addons',
]);

function addonOf(entry: Readonly<Record<string, unknown>> | null): Addon | null {
  const { id, version, type, path, location } = entry ?? {};
  if (entry === null || typeof id !== 'string' || !idPattern.test(id)) return null;
  // One that another location's copy hides is not loaded.
  if ((type !== undefined && type !== 'extension') || entry['visible'] === false) return null;
  const isOff =
    entry['active'] === false ||
    ['userDisabled', 'appDisabled', 'softDisabled'].some((key) => Boolean(entry[key]));
  return {
    id,
    version: versionOf(version),
    path: typeof path === 'string' && path !== '' && !path.includes('\0') ? path : null,
    isShipped: shipped.has(location),
    isOff,
  };
}

function claimOf(id: string, world: World): { readonly tool: string | null } | null {
  const claim = toolOf(world, 'browser-extension', id);
  if (claim !== 'unwanted') return { tool: claim };
  return world.wholeChannels?.has('browser-extension') === true ? { tool: null } : null;
}

function addonComponent(addon: Addon, look: Look): Component | null {
  const { profile, extensions, root, world, reader } = look;
  const claim = claimOf(addon.id, world);
  if (claim === null) return null;
  const { join } = world.path;
  const own = [join(extensions, `${addon.id}.xpi`), join(extensions, addon.id)];
  const there = own.find((path) => reader.facts(path) !== null);
  const named = addon.path !== null && world.path.isAbsolute(addon.path) ? addon.path : null;
  const state = addon.isShipped ? 'bundled' : addon.isOff ? 'disabled' : 'installed';
  return makeComponent(world, {
    ...claim,
    channel: 'browser-extension',
    manager: root.manager,
    name: addon.id,
    version: addon.version,
    path: there ?? named ?? join(extensions, `${addon.id}.xpi`),
    state: profile.isLeft ? 'residual' : state,
    confidence: there === undefined || profile.isLeft ? 'medium' : 'high',
    owner: root.home?.account ?? null,
    evidence: ['extensions.json', profileEvidence(look)],
  });
}

const profileEvidence = ({ profile, world }: Look): string =>
  `profile:${world.path.basename(profile.path)}`;

interface AddonFile {
  readonly id: string;
  readonly path: string;
}

function addonFiles({ extensions, world, reader }: Look): readonly AddonFile[] {
  return reader.list(extensions).flatMap(({ name, kind }) => {
    const isPacked = kind === 'file' && name.endsWith('.xpi');
    const id = isPacked ? name.slice(0, -'.xpi'.length) : name;
    const isAddon = (isPacked || kind === 'dir') && idPattern.test(id);
    return isAddon ? [{ id, path: world.path.join(extensions, name) }] : [];
  });
}

function fileComponent(
  { id, path }: AddonFile,
  found: { readonly state: ComponentState; readonly confidence: Confidence },
  look: Look,
): Component | null {
  const { root, world } = look;
  const claim = claimOf(id, world);
  if (claim === null) return null;
  return makeComponent(world, {
    ...claim,
    ...found,
    channel: 'browser-extension',
    manager: root.manager,
    name: id,
    version: fileVersion(path, look),
    path,
    owner: root.home?.account ?? null,
    evidence: ['file name', profileEvidence(look)],
  });
}

/** From the manifest in the add-on; null when it cannot be read. */
function fileVersion(path: string, { world, reader }: Look): string | null {
  const isPacked = path.endsWith('.xpi');
  const entry = isPacked ? readEntry(path, 'manifest.json', reader) : null;
  if (entry?.kind === 'failed') reader.note(path, entry.code, false);
  const text =
    entry === null
      ? reader.text(world.path.join(path, 'manifest.json'))
      : entry.kind === 'found'
        ? entry.bytes.toString('utf8')
        : null;
  const manifest = parseWithComments(text ?? '', [], { allowTrailingComma: true }) as unknown;
  return versionOf(asRecord(manifest)?.['version']);
}

function versionOf(version: unknown): string | null {
  return typeof version === 'string' && /^[\w.+-]{1,64}$/.test(version) ? version : null;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : null;
}
