/**
 * Extensions of Chrome and its relatives. The profile's preferences say which version is active and
 * whether it is on; folders alone speak only where the preferences cannot be read, with less
 * confidence. An unpacked extension is reported from wherever it lies and read only inside its
 * owner's home. No name of an extension is looked at, only its id.
 * Format: chromium/src, extensions/browser/extension_prefs.cc and disable_reason.h.
 */
import type { Component, ComponentState, Confidence } from '../../policies/component.js';
import { homeOf, makeComponent, toolOf } from './component.js';
import { isWithin } from './disk.js';
import type { Reader, Root, World } from './index.js';

const maxPreferencesBytes = 32 * 1024 * 1024;
const maxManifestBytes = 1024 * 1024;
const maxProfiles = 200;
/** A folder this much younger than the preferences is one they do not know yet. */
const unsavedMs = 2_000;

export interface Profile {
  /** The folder's own name; empty where the browser has a single profile and no folder for it. */
  readonly name: string;
  readonly path: string;
}

const usualProfile = /^(Default|Profile \d+|Guest Profile|System Profile)$/;
const records = ['Secure Preferences', 'Preferences'] as const;

/** The folders that are profiles, by what is in them. */
export function chromiumProfiles(folder: string, world: World, reader: Reader): readonly Profile[] {
  const { join } = world.path;
  const named = (parent: string): readonly Profile[] =>
    reader
      .list(parent)
      .filter(({ name, kind }) => kind === 'dir' || (kind === 'link' && usualProfile.test(name)))
      .map(({ name }) => ({ name, path: join(parent, name) }));
  const direct = named(folder);
  const side = direct.filter(({ name }) => name === '_side_profiles');
  const seen = new Set<string>();
  const profiles = [
    { name: '', path: folder },
    ...direct,
    ...side.flatMap(({ path }) => named(path)),
  ].filter(({ path, name }) => {
    const real = reader.realPath(path) ?? path;
    if (seen.has(real)) return false;
    seen.add(real);
    return usualProfile.test(name) || isProfile(path, world, reader);
  });
  if (profiles.length > maxProfiles) reader.note(folder, 'too-many');
  return profiles.slice(0, maxProfiles);
}

function isProfile(path: string, world: World, reader: Reader): boolean {
  return [...records, 'Extensions'].some(
    (name) => reader.facts(world.path.join(path, name)) !== null,
  );
}

interface Look {
  readonly profile: Profile;
  readonly extensions: string;
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

/** What the preferences say of one extension. */
interface Preference {
  readonly source: string;
  readonly path: string | null;
  readonly location: unknown;
  readonly version: string | null;
  readonly state: 'installed' | 'disabled' | 'unknown' | 'uninstalled';
}

interface Preferences {
  readonly entries: ReadonlyMap<string, Preference>;
  /** `absent`: there are none; `unreadable`: some could not be read, so silence says nothing. */
  readonly status: 'read' | 'absent' | 'unreadable';
  readonly mtimeMs: number;
}

export function readChromium(root: Root, world: World, reader: Reader): readonly Component[] {
  return chromiumProfiles(root.path, world, reader).flatMap((profile) => {
    const extensions = world.path.join(profile.path, 'Extensions');
    const look: Look = { profile, extensions, root, world, reader };
    const preferences = readPreferences(look);
    const folders = reader.list(extensions).filter(({ kind }) => kind === 'dir');
    const ids = new Set([...preferences.entries.keys(), ...folders.map(({ name }) => name)]);
    return [...ids].sort().flatMap((id) => {
      if (!/^[a-p]{32}$/.test(id)) return [];
      const claim = toolOf(world, 'browser-extension', id);
      const isWhole = world.wholeChannels?.has('browser-extension') === true;
      if (claim === 'unwanted' && !isWhole) return [];
      const tool = claim === 'unwanted' ? null : claim;
      const find = findOf(id, preferences, look);
      return find === null ? [] : [componentOf(id, tool, find, look)];
    });
  });
}

/** Both files: protected settings lie in the first where the browser protects them, else in the second. */
function readPreferences({ profile, world, reader }: Look): Preferences {
  const entries = new Map<string, Preference>();
  let status: Preferences['status'] = 'absent';
  let mtimeMs = 0;
  for (const name of records) {
    const file = world.path.join(profile.path, name);
    const facts = reader.facts(file);
    if (facts === null) continue;
    mtimeMs = Math.max(mtimeMs, facts.mtimeMs);
    const value = reader.json(file, maxPreferencesBytes);
    if (value !== undefined && asRecord(value) === null) reader.note(file, 'malformed');
    if (asRecord(value) === null) status = 'unreadable';
    else if (status === 'absent') status = 'read';
    const extensions = asRecord(asRecord(value)?.['extensions']);
    // Opera keeps those of its own store apart.
    for (const key of ['settings', 'opsettings']) {
      for (const [id, entry] of Object.entries(asRecord(extensions?.[key]) ?? {})) {
        const preference = asRecord(entry);
        if (preference === null || entries.has(id)) continue;
        entries.set(id, preferenceOf(preference, name));
      }
    }
  }
  return { entries, status, mtimeMs };
}

function preferenceOf(entry: Readonly<Record<string, unknown>>, source: string): Preference {
  const { path, location, manifest } = entry;
  const isPath = typeof path === 'string' && path !== '' && !path.includes('\0');
  return {
    source,
    path: isPath ? path : null,
    location,
    version: versionOf(asRecord(manifest)),
    state: stateOf(entry),
  };
}

/**
 * The list of reasons decides where there is one, as newer browsers write nothing else; before, it was
 * a number beside `state` (0 off, 1 on, 2 removed by its owner).
 */
function stateOf({
  state,
  disable_reasons: reasons,
}: Readonly<Record<string, unknown>>): Preference['state'] {
  if (state === 2) return 'uninstalled';
  if (Array.isArray(reasons)) return reasons.length > 0 ? 'disabled' : 'installed';
  if (typeof reasons === 'number' && reasons !== 0) return 'disabled';
  if (state === 0) return 'disabled';
  return state === 1 ? 'installed' : 'unknown';
}

/** What there is of one extension in one profile. */
interface Find {
  readonly path: string;
  readonly version: string | null;
  readonly state: ComponentState;
  readonly confidence: Confidence;
  readonly evidence: readonly string[];
}

function findOf(id: string, preferences: Preferences, look: Look): Find | null {
  const preference = preferences.entries.get(id);
  if (preference?.path != null && preference.state !== 'uninstalled') {
    return listedFind(id, { ...preference, path: preference.path }, look);
  }
  const latest = latestFolder(id, look);
  if (latest === null) return null;
  const found = { ...latest, evidence: [latest.hasManifest ? 'manifest.json' : 'folder'] };
  if (preference === undefined && preferences.status !== 'read') {
    const confidence = preferences.status === 'absent' ? 'medium' : 'low';
    return { ...found, state: 'installed', confidence };
  }
  if (preference !== undefined && preference.state !== 'uninstalled') {
    const state = preference.state === 'disabled' ? 'disabled' : 'installed';
    const evidence = [preference.source, ...found.evidence];
    return { ...found, state, confidence: 'medium', evidence };
  }
  const isUnsaved = latest.mtimeMs > preferences.mtimeMs + unsavedMs;
  return preference === undefined && isUnsaved
    ? { ...found, state: 'installed', confidence: 'medium' }
    : { ...found, state: 'residual', confidence: 'low' };
}

/** Manifest::Location: what the browser brings along itself, and what a developer loads. */
const shipped = new Set<unknown>([5, 10]);
const unpacked = new Set<unknown>([4, 8]);

function listedFind(id: string, preference: Preference & { path: string }, look: Look): Find {
  const { extensions, root, world, reader } = look;
  const path = world.path.resolve(extensions, preference.path);
  const isInside = path !== extensions && isWithin(path, extensions, world.path.sep);
  const isReadable = isInside || homeOf(world, path) === root.home;
  if (!isReadable && !shipped.has(preference.location)) {
    reader.note(path, 'refused-entry', false);
  }
  const isThere = isReadable && reader.facts(path)?.kind === 'dir';
  const other = isInside && !isThere ? latestFolder(id, look) : null;
  const manifest = isThere ? manifestVersion(path, look) : null;
  const isSure = manifest !== null && preference.state !== 'unknown';
  const state = preference.state === 'disabled' ? 'disabled' : 'installed';
  return {
    path: other?.path ?? path,
    version:
      manifest ?? other?.version ?? preference.version ?? folderVersion(world.path.basename(path)),
    state: shipped.has(preference.location) ? 'bundled' : state,
    confidence: isSure ? 'high' : 'medium',
    evidence: [
      preference.source,
      ...(manifest !== null || other?.hasManifest === true ? ['manifest.json'] : []),
      ...(preference.state === 'unknown' ? ['state unknown'] : []),
      ...(unpacked.has(preference.location) ? ['unpacked'] : []),
    ],
  };
}

function componentOf(id: string, tool: string | null, find: Find, look: Look): Component {
  const { profile, root, world } = look;
  return makeComponent(world, {
    ...find,
    tool,
    channel: 'browser-extension',
    manager: root.manager,
    name: id,
    owner: root.home?.account ?? null,
    evidence: [...find.evidence, ...(profile.name === '' ? [] : [`profile:${profile.name}`])],
  });
}

/** The folder of the highest version; an update leaves the one before it until the next start. */
function latestFolder(
  id: string,
  look: Look,
): {
  readonly path: string;
  readonly version: string | null;
  readonly mtimeMs: number;
  readonly hasManifest: boolean;
} | null {
  const { extensions, world, reader } = look;
  const folder = world.path.join(extensions, id);
  const names = reader
    .list(folder)
    .filter(({ name, kind }) => kind === 'dir' && folderVersion(name) !== null)
    .map(({ name }) => name)
    .sort((a, b) => compareVersions(b, a));
  const [name] = names;
  if (name === undefined) return null;
  const path = world.path.join(folder, name);
  const manifest = manifestVersion(path, look);
  return {
    path,
    version: manifest ?? folderVersion(name),
    mtimeMs: reader.facts(path)?.mtimeMs ?? 0,
    hasManifest: manifest !== null,
  };
}

/** `1.0.33_0`: the version and a counter. */
function folderVersion(name: string): string | null {
  return /^(\d+(?:\.\d+){0,3})_\d+$/.exec(name)?.[1] ?? null;
}

/** One to four numbers each, compared as numbers. */
function compareVersions(a: string, b: string): number {
  const [one, two] = [a, b].map((name) => name.split(/[._]/).map(Number)) as [number[], number[]];
  for (let at = 0; at < 5; at += 1) {
    const difference = (one[at] ?? -1) - (two[at] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function manifestVersion(folder: string, { world, reader }: Look): string | null {
  const file = world.path.join(folder, 'manifest.json');
  return versionOf(asRecord(reader.json(file, maxManifestBytes)));
}

function versionOf(manifest: Readonly<Record<string, unknown>> | null): string | null {
  const version = manifest?.['version'];
  return typeof version === 'string' && /^\d+(\.\d+){0,3}$/.test(version) ? version : null;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : null;
}
