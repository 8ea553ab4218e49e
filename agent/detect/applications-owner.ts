/**
 * Whether a program that was found by its name or in a vendor's folder is a part of an application
 * that the application channel tells: a command inside a bundle, an AppImage on the PATH, a launcher
 * beside the program of a menu entry. Such a part is no install of its own.
 */
import type { Tool } from '../../policies/catalogue.js';
import {
  commandOf,
  entriesOf,
  locate,
  maxEntryBytes,
  readEntry,
  systemEntries,
} from './applications-entry.js';
import {
  deepImageFolders,
  imageFolders,
  isEntryProgram,
  isImage,
  readImageName,
} from './applications-linux.js';
import { toolNamed } from './applications-uninstall.js';
import { isBundle, recordOf } from './applications.js';
import { homeOf } from './component.js';
import { isWithin } from './disk.js';
import { isApplicationFolder } from './folders.js';
import type { Home, Reader, World } from './index.js';
import { machineHives } from './registry.js';
import { uninstallEntries } from './registry-uninstall.js';

/** `real` is the program's real path; `reader` may look where it lies. */
export function isOfApplication(tool: Tool, real: string, world: World, reader: Reader): boolean {
  const home = homeOf(world, real);
  if (world.platform === 'win32') {
    return isInProgramFolder(tool, real, home, world) || isInKeyFolder(tool, real, home, world);
  }
  if (world.platform === 'darwin') return isOfBundle(tool, real, { home, world, reader });
  return isImage(real)
    ? isOfImages(tool, real, { home, world, reader })
    : isOfEntry(tool, real, { home, world, reader });
}

interface Place {
  readonly home: Home | null;
  readonly world: World;
  readonly reader: Reader;
}

/** A launcher in the folder of a windowed program, or below it. */
function isInProgramFolder(tool: Tool, real: string, home: Home | null, { path }: World): boolean {
  return tool.folders.filter(isApplicationFolder).some(({ path: pattern }) => {
    if (/[*{]/.test(pattern)) return false;
    const program = pattern.startsWith('~/')
      ? path.join(home?.path ?? '', pattern.slice(2))
      : pattern;
    const folder = path.dirname(path.normalize(program));
    return isWithin(real.toLowerCase(), folder.toLowerCase(), path.sep);
  });
}

/** The same for a program that only an uninstall key leads to. */
function isInKeyFolder(tool: Tool, real: string, home: Home | null, world: World): boolean {
  const place = real.toLowerCase();
  return [...(world.hasSystem ? [null] : []), ...world.homes].some((owner) => {
    if (home !== null && owner !== null && owner !== home) return false;
    const looking = world.reader({ within: [owner?.path ?? machineHives] });
    return uninstallEntries(owner, world, looking).some(({ name, location }) => {
      const folder = world.path
        .normalize(location ?? '')
        .replace(/\\+$/, '')
        .toLowerCase();
      const isOurs = folder.length > 3 && isWithin(place, folder, world.path.sep);
      return isOurs && name !== null && toolNamed(name, world) === tool;
    });
  });
}

const isOfBundle = (tool: Tool, real: string, place: Place): boolean =>
  bundleAround(real, place) === tool;

/**
 * The application that a program is a private part of, where that is another tool's: the command line in
 * the folder of a desktop app goes when the app goes. null: it is nobody's part.
 */
export function hostOf(tool: Tool, real: string, world: World, reader: Reader): Tool | null {
  const home = homeOf(world, real);
  const found =
    world.platform === 'darwin'
      ? bundleAround(real, { home, world, reader })
      : world.platform === 'win32'
        ? world.catalogue.tools.find((each) => isInProgramFolder(each, real, home, world))
        : null;
  return found === tool ? null : (found ?? null);
}

/** The tool of the outermost bundle around a program, in a folder that is looked through for them. */
function bundleAround(real: string, { home, world, reader }: Place): Tool | null {
  const { path, catalogue } = world;
  const parts = real.split(path.sep);
  const at = parts.findIndex(isBundle);
  if (at === -1) return null;
  const bundle = parts.slice(0, at + 1).join(path.sep);
  const own = home === null ? [] : [reader.realPath(home.path) ?? home.path];
  const tops = ['/', ...own].map((folder) => path.join(folder, 'Applications'));
  if (!tops.some((folder) => isWithin(bundle, folder, path.sep))) return null;
  const id = recordOf(bundle, world, reader)?.get('CFBundleIdentifier');
  return typeof id === 'string' ? catalogue.match('bundleId', id) : null;
}

/** An AppImage in a folder that is looked through for them, under a name of the tool. */
function isOfImages(tool: Tool, real: string, { home, world, reader }: Place): boolean {
  const { path, catalogue } = world;
  const own = home === null ? '/' : (reader.realPath(home.path) ?? home.path);
  const folders = home === null ? ['opt'] : imageFolders;
  const isLookedAt = folders.some((folder) => {
    const place = path.join(own, folder);
    const isDeep = deepImageFolders.includes(home === null ? place : folder);
    const above = path.dirname(real);
    return above === place || (isDeep && path.dirname(above) === place);
  });
  const name = readImageName(real, world);
  return isLookedAt && name !== null && catalogue.match('desktopFile', name.id) === tool;
}

/** Folders whose programs have nothing to do with each other. */
const sharedFolders = /\/(s?bin|games|lib\w*|share|opt|local)$/;

function isOfEntry(tool: Tool, real: string, { home, world, reader }: Place): boolean {
  const { path } = world;
  const folders = home === null ? systemEntries : [entriesOf(home, world)];
  return folders.some((folder) =>
    tool.identifiers.desktopFile.some((id) => {
      const entry = readEntry(reader.text(path.join(folder, `${id}.desktop`), maxEntryBytes));
      const command = entry === null ? null : commandOf(entry.get('Exec') ?? '');
      const found = command === null ? null : locate(command, { home, world, reader });
      const program = found === null ? null : reader.realPath(found);
      if (program === null || !isEntryProgram(tool, program, world, reader)) return false;
      const place = path.dirname(program);
      return program === real || (!sharedFolders.test(place) && isWithin(real, place, path.sep));
    }),
  );
}
