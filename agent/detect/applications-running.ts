/**
 * Which application or package a running program is a part of, where its own file bears no record: the
 * bundle around it, the AppImage it is mounted from, the package or the menu entry that its name leads
 * to. A name without such a record is nobody's, unless it is a command of the tool on the PATH.
 */
import { isOfApplication } from './applications-owner.js';
import { isBundle, recordOf, versionOf } from './applications.js';
import type { Tool } from '../../policies/catalogue.js';
import { homeOf } from './component.js';
import { identifyContents } from './contents.js';
import { isSystemFolder } from './executables-places.js';
import type { Reader, World } from './index.js';
import { originOfScript } from './origin.js';
import { isOfPackage } from './packages-owner.js';
import { pathFolders } from './shell-path.js';

/** `path` is that of the bundle, so that all processes of one application are told as one. */
export interface Running {
  readonly tool: string;
  readonly name: string;
  readonly version: string | null;
  readonly manager: string | null;
  readonly path: string;
  /** Nothing but its name and place say so. */
  readonly isByName?: boolean;
}

export function runningApplication(real: string, world: World, reader: Reader): Running | null {
  return (
    (world.platform === 'darwin' ? inBundle(real, world, reader) : null) ??
    (world.platform === 'linux' ? inImage(real, world) : null) ??
    byRecord(real, world, reader)
  );
}

/** Folders of which macOS asks the person before anybody may look into them. */
const asked = new Set(['Desktop', 'Documents', 'Downloads']);

/** The outermost bundle: what it starts of its own lies in bundles inside it. */
function inBundle(real: string, world: World, reader: Reader): Running | null {
  const { path } = world;
  const parts = real.split(path.sep);
  const at = parts.findIndex(isBundle);
  const home = homeOf(world, real);
  const below = home === null ? '' : path.relative(home.path, real).split(path.sep)[0];
  if (at === -1 || asked.has(below ?? '')) return null;
  const bundle = parts.slice(0, at + 1).join(path.sep);
  const record = recordOf(bundle, world, reader);
  const id = record?.get('CFBundleIdentifier');
  const tool = typeof id === 'string' ? world.catalogue.match('bundleId', id) : null;
  if (tool === null || typeof id !== 'string') return null;
  return {
    tool: tool.id,
    name: id,
    version: record === null ? null : versionOf(record),
    manager: 'bundle',
    path: bundle,
  };
}

/**
 * `/tmp/.mount_CursorAb1Cd2/usr/share/cursor/cursor`: the first six letters of the file's name, six
 * that are made up, and the program inside (AppImage/type2-runtime). Only its owner can look there.
 */
const mount = /^\/tmp\/\.mount_(.{1,6})\w{6}\/(?:.*\/)?([^/]+)$/;

function inImage(real: string, { catalogue }: World): Running | null {
  const [, start = '', program = ''] = mount.exec(real) ?? [];
  const tool = program === '' ? null : catalogue.match('desktopFile', program);
  if (tool === null || !program.startsWith(start.toLowerCase())) return null;
  return { tool: tool.id, name: program, version: null, manager: 'appimage', path: real };
}

function byRecord(real: string, world: World, reader: Reader): Running | null {
  const name = world.path.basename(real).replace(/\.exe$/i, '');
  const { catalogue } = world;
  const kinds = ['command', 'desktopFile', 'genericCommand'] as const;
  const tool = kinds.map((kind) => catalogue.match(kind, name)).find((each) => each !== null);
  if (tool === undefined) return null;
  const manager = isOfPackage(tool, real, world, reader)
    ? 'package'
    : isOfApplication(tool, real, world, reader)
      ? 'application'
      : null;
  const rest = { tool: tool.id, name, version: null, manager, path: real };
  if (manager !== null) return rest;
  const isCommand = catalogue.match('command', name) === tool && isOnPath(real, world);
  return isCommand && !isSomethingElse(tool, real, world, reader)
    ? { ...rest, isByName: true }
    : null;
}

/** Where a command is the tool by its name alone, what runs from there is it too. */
function isOnPath(real: string, world: World): boolean {
  const folder = world.path.dirname(real);
  const home = homeOf(world, real);
  const folders = [...(home === null ? [] : pathFolders(world, home)), ...pathFolders(world, null)];
  return folders.some((one) => one.toLowerCase() === folder.toLowerCase());
}

function isSomethingElse(tool: Tool, real: string, world: World, reader: Reader): boolean {
  const facts = isSystemFolder(world.path.dirname(real)) ? null : reader.target(real);
  // A script of Python or around a package is what its own record says, or nothing.
  if (facts?.kind === 'file' && originOfScript(real, facts.size, reader) !== 'file') return true;
  const contents = facts?.kind === 'file' ? identifyContents(real, facts, world, reader) : null;
  return contents !== null && contents.tool !== tool.id;
}
