/**
 * Programs that are a tool by what they hold, under whatever name and wherever: on a PATH, or in a deep
 * scan anywhere below a home. One file is one component however many names it has, and none at all
 * where a record tells of it already.
 */
import type { Tool } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { isOfApplication } from './applications-owner.js';
import { homeOf, makeComponent, spelled } from './component.js';
import { identifyContents } from './contents.js';
import { isRunnable, isSystemFolder, placesOf, type Look } from './executables-places.js';
import { filesOf, vendorFolders } from './folders.js';
import type { Contents, FileFacts, Reader, Root, World } from './index.js';
import { foldersOf } from './npm-layouts.js';
import { npmPlaces, rootOfPlace } from './npm-roots.js';
import { originOf } from './origin.js';
import { isOfPackage } from './packages-owner.js';
import { programFiles } from './projects.js';

/** A program that is a tool by its contents. */
export interface Copy {
  readonly tool: Tool;
  readonly contents: Contents;
  /** Its first name on a PATH, else where it was met. */
  readonly path: string;
}

/** `other`: something else by its contents, or told by a record. null: nothing is known of it. */
export function lookInside(real: string, facts: FileFacts, look: Look): Copy | 'other' | null {
  const { world, root } = look;
  // What cannot be read is no loss here: the name and the records have been read.
  const reader = world.reader(root.boundary);
  const contents = identifyContents(real, facts, world, reader);
  if (contents === null) return null;
  const tool = contents.tool === null ? null : world.catalogue.tool(contents.tool);
  if (tool === null || isToldElsewhere(tool, real, { world, reader })) return 'other';
  if (recordedFiles(tool, world).has(facts.fileId)) return 'other';
  return { tool, contents, path: firstName(real, facts, world) };
}

/** A package's own file, or a part of an application: that channel tells the install. */
export function isToldElsewhere(
  tool: Tool,
  real: string,
  { world, reader }: Pick<Look, 'world' | 'reader'>,
): boolean {
  return isOfPackage(tool, real, world, reader) || isOfApplication(tool, real, world, reader);
}

export function copyComponent(
  { tool, contents, path }: Copy,
  evidence: readonly string[],
  world: World,
): Component {
  return makeComponent(world, {
    tool: tool.id,
    channel: 'executable',
    manager: null,
    name: nameOf(path, world),
    version: contents.version,
    path,
    state: 'installed',
    confidence: contents.evidence === 'content marker' ? 'medium' : 'high',
    evidence: [...evidence, contents.evidence],
    ...(contents.publisher === undefined ? {} : { publisher: contents.publisher }),
  });
}

function nameOf(path: string, world: World): string {
  const name = world.path.basename(path);
  return world.platform === 'win32' ? name.replace(/\.exe$/i, '') : name;
}

const recorded = new WeakMap<World, Map<Tool, ReadonlySet<string>>>();

/** The files that records of the tool explain, so that a hard link to one is no second install. */
function recordedFiles(tool: Tool, world: World): ReadonlySet<string> {
  const ofWorld = recorded.get(world) ?? new Map<Tool, ReadonlySet<string>>();
  recorded.set(world, ofWorld);
  const known = ofWorld.get(tool);
  if (known !== undefined) return known;
  const looking = world.reader({ within: [...everywhere(world)] });
  const files = [
    ...vendorFolders(world)
      .filter((vendor) => vendor.tool === tool)
      .flatMap((vendor) => filesOf(vendor, world, looking)),
    ...packageFiles(tool, world, looking),
  ];
  const ids = new Set(files.flatMap((file) => looking.target(file)?.fileId ?? []));
  ofWorld.set(tool, ids);
  return ids;
}

function everywhere(world: World): readonly string[] {
  const homes = world.homes.map(({ path }) => path);
  return world.hasSystem ? [world.path.parse(homes[0] ?? '/').root, ...homes] : homes;
}

function packageFiles(tool: Tool, world: World, reader: Reader): readonly string[] {
  const { npm, npmParts } = tool.identifiers;
  if (npm.length === 0) return [];
  return npmPlaces(world)
    .filter(({ layout }) => layout !== 'projects')
    .flatMap((place) => foldersOf(rootOfPlace(place, []), world, reader))
    .flatMap(({ path }) => {
      const packages = npm.map((name) => world.path.join(path, ...name.split('/')));
      const parts = [path, ...packages.map((folder) => world.path.join(folder, 'node_modules'))];
      return [
        ...packages,
        ...parts.flatMap((folder) =>
          npmParts.map((name) => world.path.join(folder, ...name.split('/'))),
        ),
      ];
    })
    .flatMap((folder) => filesBelow(folder, 4, world, reader));
}

/** A package's programs lie at its top, in `bin`, or some folders further down. */
function filesBelow(folder: string, depth: number, world: World, reader: Reader): string[] {
  if (reader.target(folder)?.kind !== 'dir') return [];
  return reader
    .list(folder)
    .slice(0, 200)
    .flatMap(({ name, kind }) => {
      const path = world.path.join(folder, name);
      if (kind === 'file') return [path];
      const isBelow = kind === 'dir' && depth > 1 && name !== 'node_modules';
      return isBelow ? filesBelow(path, depth - 1, world, reader) : [];
    });
}

const firstNames = new WeakMap<World, Map<string, string>>();

/** Hard links: the first of a file's names on the PATHs that its owner may start it from. */
function firstName(real: string, { fileId }: FileFacts, world: World): string {
  const ofWorld = firstNames.get(world) ?? new Map<string, string>();
  firstNames.set(world, ofWorld);
  const home = homeOf(world, real);
  const key = JSON.stringify([fileId, home?.path]);
  const known = ofWorld.get(key);
  if (known !== undefined) return known;
  const places = [...placesOf(world).values()].filter(
    (place) => place.isOnPath && place.home === home && !isSystemFolder(place.path),
  );
  const names = places.flatMap(({ path: folder }) => {
    const reader = world.reader({ within: [folder] });
    return reader
      .list(folder)
      .filter(({ kind }) => kind === 'file')
      .map(({ name }) => world.path.join(folder, name))
      .filter((path) => reader.facts(path)?.fileId === fileId);
  });
  const first = names.sort()[0] ?? spelled(world, real);
  ofWorld.set(key, first);
  return first;
}

/** Everything below a home that may be run and lies in no place of its own. */
export function readDeep(root: Root, world: World, reader: Reader): readonly Component[] {
  const found = new Map<string, Component>();
  const looking = world.reader(root.boundary);
  for (const path of programFiles(root.path, world, reader)) {
    const facts = looking.facts(path);
    if (facts === null || !isRunnable(facts, world)) continue;
    const copy = lookInside(path, facts, { root, world, reader });
    if (copy === null || copy === 'other') continue;
    const real = looking.realPath(path) ?? path;
    if (originOf(real, world, looking).kind !== 'file' || found.has(facts.fileId)) continue;
    found.set(facts.fileId, copyComponent(copy, [], world));
  }
  return [...found.values()];
}
