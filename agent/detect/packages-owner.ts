/**
 * Whether a program that was found by its name or its menu entry is a package's own file, so that it
 * is told once, by the package channel. It asks only the records of the packages that the tool is
 * known by, and decides nothing about programs of other tools.
 */
import type { Tool } from '../../policies/catalogue.js';
import { homeOf } from './component.js';
import type { Reader, World } from './index.js';
import { pacmanName, recordsOf } from './packages-databases.js';
import { rpmFolders, rpmHeaders } from './packages-rpm.js';
import { wingetName } from './packages-stores.js';

const maxListBytes = 8 * 1024 * 1024;
const maxDatabaseBytes = 64 * 1024 * 1024;
const maxShimBytes = 4 * 1024;

/** `real` is the program's real path, as a link or a launcher leads to it. */
export function isOfPackage(tool: Tool, real: string, world: World, reader: Reader): boolean {
  if (world.platform === 'darwin') return false;
  if (world.platform === 'win32') return isOfStore(tool, real, world, reader);
  if (homeOf(world, real) !== null) return false;
  // Older packages name the places that are links into /usr today.
  const names = [real, ...(real.startsWith('/usr/') ? [real.slice('/usr'.length)] : [])];
  return (
    isOfDpkg(tool, names, reader) ||
    isOfRpm(tool, names, world) ||
    isOfPacman(tool, names, reader) ||
    isOfApk(tool, names, reader)
  );
}

function hasLine(text: string | null, line: string): boolean {
  return text !== null && `\n${text}\n`.includes(`\n${line}\n`);
}

function isOfDpkg(tool: Tool, names: readonly string[], reader: Reader): boolean {
  return tool.identifiers.dpkg
    .flatMap((name) => ['', ':amd64', ':arm64'].map((arch) => `${name}${arch}`))
    .map((name) => reader.text(`/var/lib/dpkg/info/${name}.list`, maxListBytes))
    .some((list) => names.some((name) => hasLine(list, name)));
}

/** What cannot be read of the database is said by its own root. */
function isOfRpm(tool: Tool, names: readonly string[], world: World): boolean {
  if (tool.identifiers.rpm.length === 0) return false;
  const wanted = new Set(tool.identifiers.rpm);
  return rpmFolders.some((folder) => {
    const headers = rpmHeaders(folder, wanted, world.reader({ within: [folder] }))?.headers ?? [];
    return headers.some((header) => header.files().some((file) => names.includes(file)));
  });
}

function isOfPacman(tool: Tool, names: readonly string[], reader: Reader): boolean {
  const local = '/var/lib/pacman/local';
  if (tool.identifiers.pacman.length === 0) return false;
  return reader
    .list(local)
    .filter(({ name }) => tool.identifiers.pacman.includes(pacmanName(name) ?? ''))
    .map(({ name }) => reader.text(`${local}/${name}/files`, maxListBytes))
    .some((list) => names.some((name) => hasLine(list, name.slice(1))));
}

/** A record of apk lists each folder as `F:<folder>` and after it the files in it as `R:<name>`. */
function isOfApk(tool: Tool, names: readonly string[], reader: Reader): boolean {
  if (tool.identifiers.apk.length === 0) return false;
  return ['/lib/apk/db/installed', '/usr/lib/apk/db/installed']
    .flatMap((file) => {
      const text = reader.text(file, maxDatabaseBytes) ?? '';
      return recordsOf(text, 'P:', new Set(tool.identifiers.apk));
    })
    .some((record) =>
      names.some((name) => {
        const at = name.lastIndexOf('/');
        return record
          .split(/^F:/m)
          .some(
            (folder) =>
              folder.startsWith(`${name.slice(1, at)}\n`) &&
              hasLine(folder, `R:${name.slice(at + 1)}`),
          );
      }),
    );
}

function isOfStore(tool: Tool, real: string, world: World, reader: Reader): boolean {
  const { catalogue } = world;
  const parts = real.split(world.path.sep);
  const after = (...folders: readonly string[]): string | null => {
    const at = parts.findIndex((_, index) =>
      folders.every((name, step) => parts[index + step]?.toLowerCase() === name),
    );
    return at === -1 ? null : (parts[at + folders.length] ?? null);
  };
  const scoop = after('scoop', 'apps');
  if (scoop !== null) return catalogue.match('scoop', scoop) === tool;
  const winget = after('winget', 'packages');
  if (winget !== null) return catalogue.match('winget', wingetName(winget)) === tool;
  if (after('chocolatey', 'bin') !== null) {
    const lib = world.path.join(world.path.dirname(world.path.dirname(real)), 'lib');
    return reader.list(lib).some(({ name }) => catalogue.match('chocolatey', name) === tool);
  }
  const target = scoopTarget(real, world, reader);
  const app = /[\\/]apps[\\/]([^\\/]+)[\\/]/i.exec(target ?? '')?.[1];
  return app !== undefined && catalogue.match('scoop', app) === tool;
}

/** What a shim of scoop starts: each is a copy of one program, and the file beside it says. */
export function scoopTarget(real: string, world: World, reader: Reader): string | null {
  const isShim = world.platform === 'win32' && /\\scoop\\shims\\[^\\]+\.exe$/i.test(real);
  if (!isShim) return null;
  const shim = reader.text(real.replace(/\.exe$/i, '.shim'), maxShimBytes);
  return /^\s*path\s*=\s*"?([A-Za-z]:[\\/][^"\r\n]+)/m.exec(shim ?? '')?.[1] ?? null;
}
