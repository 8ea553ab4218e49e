/**
 * Applications that a Windows uninstall key names, wherever they lie. The key is a pointer: the install
 * is the program it leads to, told as the same record that its folder gives, and a key whose program is
 * gone is a trace. A display name alone proves nothing: the program or the publisher has to be the
 * tool's too. What winget, scoop and Chocolatey keep in folders of their own is theirs.
 */
import type { Tool } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { installsOf, versionBeside } from './applications-windows.js';
import { homeOf, makeComponent, type Found } from './component.js';
import type { Home, Reader, Root, World } from './index.js';
import { isOfPackage } from './packages-owner.js';
import { uninstallEntries, type UninstallEntry } from './registry-uninstall.js';

const maxEntries = 10_000;
/** Keys that claim to be a tool's, and the time for all the places they name. */
const maxClaims = 200;
const followingTimeMs = 4_000;

/** What installers put after a name: who it is for, the processor, the language, the version. */
const decorations = [
  /\s*\((?:user|machine|system|all users|x64|x86|arm64|64-bit|32-bit|x(?:64|86) [a-z]{2}(?:-[a-z]{2,4})?)\)$/i,
  /\s+(?:version\s+)?v?\d+(?:\.\d+)+(?:[-+][\w.]+)?$/i,
];

/** The tool of a display name: the whole name, or what is left without an installer's additions. */
export function toolNamed(name: string, { catalogue }: World): Tool | null {
  let rest = name.trim();
  for (let step = 0; step < 4; step += 1) {
    const tool = catalogue.match('windowsApp', rest);
    if (tool !== null) return tool;
    const shorter = decorations.reduce((text, pattern) => text.replace(pattern, ''), rest);
    if (shorter === rest || shorter === '') return null;
    rest = shorter;
  }
  return null;
}

interface Place {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
  /** When following keys to their places has to end. */
  readonly deadlineMs: number;
}

export function readUninstall(root: Root, world: World, reader: Reader): readonly Component[] {
  const deadlineMs = performance.now() + followingTimeMs;
  const place = { root, world, reader, deadlineMs };
  const entries = uninstallEntries(root.home, world, reader);
  if (entries.length > maxEntries) reader.note(root.path, 'too-many');
  const installed = installsOf(root.home, world);
  let claims = 0;
  return entries.slice(0, maxEntries).flatMap((entry) => {
    if (entry.name === null || entry.winget !== null) return [];
    const beside = installed.filter(({ path }) => isIn(path, entry.location, world));
    if (beside.length > 0) return beside.map((component) => withKey(component, entry));
    const tool = toolNamed(entry.name, world);
    if (tool === null && world.wholeChannels?.has('application') !== true) return [];
    if (performance.now() >= deadlineMs) reader.note(root.path, 'timeout');
    if (tool === null) return unclaimed(entry, place);
    claims += 1;
    if (claims <= maxClaims) return componentsOf(entry, tool, installed, place);
    reader.note(root.path, 'too-many');
    return [];
  });
}

/** Where an entry leads to now. */
interface Target {
  /** As it is spelled on the disk; null when it is gone, or may not be followed. */
  readonly folder: string | null;
  readonly icon: string | null;
  readonly looking: Reader;
}

function componentsOf(
  entry: UninstallEntry,
  tool: Tool,
  installed: readonly Component[],
  place: Place,
): readonly Component[] {
  const { world, reader } = place;
  const known = installed.filter((component) => component.tool === tool.id);
  if (known.length > 0 && entry.location === null) {
    return known.map((component) => withKey(component, entry));
  }
  // Paths of a home that was copied elsewhere lead nowhere here.
  if (world.path.sep !== '\\') return [];
  const hasPlace = entry.location !== null || entry.icon !== null;
  if (!hasPlace) return isPublisher(tool, entry.publisher) ? [ofKey(entry, tool, place)] : [];
  const target = targetOf(entry, place);
  if (target === null) return [];
  const found = programOf(tool, target, world);
  for (const { path, code, isLoss } of target.looking.problems) reader.note(path, code, isLoss);
  if (found !== null) return ofProgram(entry, tool, { ...found, target, place });
  const isOurs = isPublisher(tool, entry.publisher) || isProgramOf(tool, entry.icon, world);
  if (!isOurs) return [];
  const folder = target.folder;
  const isThere = folder !== null && hasProgram(folder, target.looking);
  if (!isThere) return [trace(entry, tool, place)];
  return isPublisher(tool, entry.publisher) ? [inFolder(entry, tool, folder, place)] : [];
}

/** Whether a program lies in the very folder of a key, or in one of its folders of versions. */
function isIn(file: string, folder: string | null, { path }: World): boolean {
  const place =
    folder === null
      ? null
      : path
          .normalize(folder)
          .replace(/[\\/]+$/, '')
          .toLowerCase();
  const own = path.dirname(file).toLowerCase();
  const isVersioned = /^app-\d/.test(path.basename(own));
  return place !== null && (own === place || (isVersioned && path.dirname(own) === place));
}

/** The same install with the proof of its key. */
function withKey(component: Component, { publisher, version }: UninstallEntry): Component {
  return {
    ...component,
    version: component.version ?? version,
    evidence: [...component.evidence, 'uninstall key'].sort(),
    ...(publisher === null ? {} : { publisher }),
  };
}

/** null: it lies in another person's home, where this root may not look, or on a drive that is not here. */
function targetOf({ location, icon, key }: UninstallEntry, place: Place): Target | null {
  const { world, reader, root, deadlineMs } = place;
  const above = location ?? (icon === null ? null : world.path.dirname(icon));
  const drive = world.path.parse(above ?? '').root;
  const looking = world.reader({ within: [drive] }, deadlineMs);
  if (looking.target(drive) === null) {
    reader.note(key, 'not-mounted');
    return null;
  }
  const folder = above === null ? null : spelledOnDisk(above, world, looking);
  const file = icon === null ? null : spelledOnDisk(icon, world, looking);
  const places = [above, folder, file].flatMap((each) =>
    each === null ? [] : [each, looking.realPath(each) ?? each],
  );
  const isOurs = places.every((each) => mayLook(homeOf(world, each), root.home));
  if (!isOurs) reader.note(key, 'outside', false);
  return isOurs ? { folder, icon: file, looking } : null;
}

const mayLook = (owner: Home | null, asking: Home | null): boolean =>
  owner === null || asking === null || owner === asking;

/** The path as its folders list it, since keys are written in any case; null when it is not there. */
function spelledOnDisk(file: string, { path }: World, looking: Reader): string | null {
  const { root } = path.parse(path.normalize(file));
  let at = root;
  for (const part of path.normalize(file).slice(root.length).split(path.sep)) {
    if (part === '') continue;
    const same = looking.list(at).find(({ name }) => name.toLowerCase() === part.toLowerCase());
    const next = path.join(at, same?.name ?? part);
    if (same === undefined && looking.target(next) === null) return null;
    at = next;
  }
  return at;
}

/** File names of the tool's program on Windows, by their lower case. */
function programNames(tool: Tool, { path }: World): ReadonlyMap<string, string> {
  const files = tool.folders
    .filter(({ os }) => os.includes('win32'))
    .map((folder) => path.basename(folder.path))
    .filter((name) => /\.exe$/i.test(name) && !/[*{]/.test(name));
  const named = tool.identifiers.windowsApp.map((name) => `${name.replace(/ \(User\)$/, '')}.exe`);
  return new Map([...named, ...files].map((name) => [name.toLowerCase(), name]));
}

function isProgramOf(tool: Tool, file: string | null, world: World): boolean {
  return file !== null && programNames(tool, world).has(world.path.basename(file).toLowerCase());
}

interface Program {
  /** The file, and its name without `.exe` as the catalogue writes it. */
  readonly file: string;
  readonly name: string;
}

function programOf(tool: Tool, { folder, icon, looking }: Target, world: World): Program | null {
  const names = programNames(tool, world);
  const entries = folder === null ? [] : looking.list(folder);
  const files = [
    ...(icon === null ? [] : [icon]),
    ...entries.map(({ name }) => world.path.join(folder ?? '', name)),
  ];
  for (const file of files) {
    const name = names.get(world.path.basename(file).toLowerCase());
    const facts = name === undefined ? null : looking.target(file);
    if (name === undefined || facts?.kind !== 'file' || facts.size === 0) continue;
    return { file, name: name.replace(/\.exe$/i, '') };
  }
  return null;
}

/** Any program but those that remove or renew another. */
function hasProgram(folder: string, looking: Reader): boolean {
  return looking
    .list(folder)
    .some(({ name }) => /\.exe$/i.test(name) && !/^(?:unins|update)/i.test(name));
}

function record(
  entry: UninstallEntry,
  tool: Tool | null,
  place: Place,
  found: Partial<Found>,
): Component {
  const { world, root } = place;
  return makeComponent(world, {
    tool: tool?.id ?? null,
    channel: 'application',
    manager: null,
    name: entry.name ?? entry.id,
    version: entry.version,
    path: entry.key,
    owner: root.home?.account ?? null,
    state: 'installed',
    confidence: 'medium',
    evidence: ['uninstall key'],
    publisher: entry.publisher,
    ...found,
  });
}

/**
 * A program of that name is another vendor's if its key says so and no record beside it says that it is
 * the tool: two products may share their name and that of their file.
 */
function ofProgram(
  entry: UninstallEntry,
  tool: Tool,
  { file, name, target, place }: Program & { readonly target: Target; readonly place: Place },
): readonly Component[] {
  const { world } = place;
  const isProven =
    isPublisher(tool, entry.publisher) || isProduct(tool, file, world, target.looking);
  if (!isProven && entry.publisher !== null) return [];
  if (isOfPackage(tool, file, world, target.looking)) return [];
  const { version, evidence } = versionBeside(file, world, target.looking);
  const owner = homeOf(world, file)?.account ?? null;
  const more = { name, path: file, owner, version: version ?? entry.version } as const;
  const proof = ['uninstall key', 'program', ...evidence];
  const confidence = isProven ? 'high' : 'medium';
  return [record(entry, tool, place, { ...more, confidence, evidence: proof })];
}

/** Whether the product record of an editor of the VS Code family bears a name of the tool. */
function isProduct(tool: Tool, file: string, { path }: World, looking: Reader): boolean {
  const product = looking.json(
    path.join(path.dirname(file), 'resources', 'app', 'product.json'),
  ) as Readonly<Record<string, unknown>> | null | undefined;
  const names = [tool.id, tool.name, ...tool.aliases, ...tool.identifiers.windowsApp].map(
    plainName,
  );
  return ['nameLong', 'nameShort', 'applicationName'].some((field) => {
    const name = typeof product === 'object' ? product?.[field] : undefined;
    return typeof name === 'string' && names.includes(plainName(name));
  });
}

/** The publisher's folder is there, its program under a name that the catalogue does not know. */
function inFolder(entry: UninstallEntry, tool: Tool, folder: string, place: Place): Component {
  const owner = homeOf(place.world, folder)?.account ?? null;
  return record(entry, tool, place, { name: tool.id, path: folder, owner });
}

/** Nothing but the key says where it would be. */
const ofKey = (entry: UninstallEntry, tool: Tool, place: Place): Component =>
  record(entry, tool, place, { name: tool.id });

const trace = (entry: UninstallEntry, tool: Tool, place: Place): Component =>
  record(entry, tool, place, { name: tool.id, state: 'residual' });

/** What only a rule over the whole channel asks for. */
function unclaimed(entry: UninstallEntry, place: Place): readonly Component[] {
  if (place.world.path.sep !== '\\' || entry.location === null)
    return [record(entry, null, place, {})];
  const target = targetOf(entry, place);
  if (target === null) return [];
  const state = target.folder === null ? 'residual' : 'installed';
  return [record(entry, null, place, { path: target.folder ?? entry.key, state })];
}

const legalForms = /\b(?:inc|llc|ltd|limited|pbc|pte|gmbh|corp|corporation|co|company)\b/g;

function plainName(name: string): string {
  const words = name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ');
  return words.replace(legalForms, ' ').replaceAll(' ', '');
}

/**
 * Whether the publisher is the tool's vendor, bears its name or is the publisher that begins its winget
 * ids; legal forms do not count.
 */
function isPublisher(tool: Tool, publisher: string | null): boolean {
  const plain = plainName(publisher ?? '');
  const registered = tool.identifiers.winget.map((id) => id.split('.')[0] ?? '');
  const names = [tool.vendor, tool.name, ...tool.formerNames, ...registered];
  return plain !== '' && names.some((each) => plainName(each) === plain);
}
