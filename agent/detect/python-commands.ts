/**
 * Which Python package a command belongs to: the packages beside a `bin` folder say which commands
 * they put there. For processes, which are known by the script they were started with; the packages
 * themselves are found by their own detector.
 */
import { sitesBeside } from './python-sites.js';
import { distributionsIn, type Distribution } from './python-records.js';
import type { Reader, World } from './index.js';

export interface PythonCommand extends Pick<Distribution, 'name' | 'version'> {
  /** pipx and uv by their own folders, else pip. */
  readonly manager: string;
}

/** The package that declares this script as its command; null for every other file. */
export function pythonCommand(file: string, world: World, reader: Reader): PythonCommand | null {
  const folder = world.path.dirname(file);
  const isBin = /^(bin|scripts)$/i.test(world.path.basename(folder));
  const manager = managerOf(file.split(world.path.sep));
  const command = world.path.basename(file).replace(/(-script)?\.(exe|py|pyw)$/i, '');
  // Listing packages for every program that runs would cost more than the rest of the scan.
  if (!isBin || (manager === 'pip' && !isClaimed(command, world))) return null;
  for (const site of sitesBeside(world.path.dirname(folder), world, reader)) {
    const owner = distributionsIn(site, world, reader).find(
      (each) => !each.isLeftOver && declares(each, command, world, reader),
    );
    if (owner !== undefined) return { name: owner.name, version: owner.version, manager };
  }
  return null;
}

function isClaimed(command: string, { catalogue }: World): boolean {
  return (
    catalogue.match('command', command) !== null ||
    catalogue.match('genericCommand', command) !== null
  );
}

function managerOf(segments: readonly string[]): string {
  const has = (parent: string, child: string): boolean =>
    segments.some((name, index) => name === parent && segments[index + 1] === child);
  if (has('pipx', 'venvs')) return 'pipx';
  return has('uv', 'tools') ? 'uv' : 'pip';
}

/** `name = module:function` in entry_points.txt (packaging.python.org, entry points). */
function declares({ path }: Distribution, command: string, world: World, reader: Reader): boolean {
  const text = reader.text(world.path.join(path, 'entry_points.txt'), 64 * 1024) ?? '';
  return text.split('\n').some((line) => {
    const at = line.indexOf('=');
    return at > 0 && line.slice(0, at).trim() === command;
  });
}
