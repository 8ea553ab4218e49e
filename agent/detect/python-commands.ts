/**
 * Which Python package a command belongs to: the packages beside a `bin` folder say which commands
 * they put there. For processes, which are known by the script they were started with; the packages
 * themselves are found by their own detector.
 */
import { normalName } from '../../policies/catalogue.js';
import { homeOf, packageUrl, toolOf } from './component.js';
import { isSystemFolder } from './executables-places.js';
import { interpreterOf } from './launchers.js';
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

/**
 * The package of a script by the environment of the interpreter that runs it: on Windows the command of
 * pipx and uv is a program elsewhere, which gives itself to that interpreter.
 */
export function pythonCommandOf(
  { python, script }: { readonly python: string; readonly script: string },
  world: World,
  reader: Reader,
): PythonCommand | null {
  const { basename, dirname, sep } = world.path;
  const environment = dirname(dirname(python));
  const command = basename(script).replace(/(-script)?\.(exe|py|pyw)$/i, '');
  const manager = managerOf(environment.split(sep));
  if (manager === 'pip' && !isClaimed(command, world)) return null;
  for (const site of sitesBeside(environment, world, reader)) {
    const owner = distributionsIn(site, world, reader).find(
      (each) => !each.isLeftOver && declares(each, command, world, reader),
    );
    if (owner !== undefined) return { name: owner.name, version: owner.version, manager };
  }
  return null;
}

/** A module that was started by its name, and the package that brought it. */
export interface PythonModule {
  readonly tool: string | null | 'unwanted';
  readonly name: string;
  readonly version: string | null;
  readonly purl: string | null;
  readonly manager: string;
  readonly path: string;
}

/** The package of `python -m module`, beside the interpreter or in the person's own folder. */
export function pythonModule(
  { python, module }: { readonly python: string; readonly module: string },
  home: string | null,
  world: World,
  reader: Reader,
): PythonModule | null {
  const { path } = world;
  const own = home === null ? [] : [path.join(home, '.local')];
  const folders = [path.dirname(path.dirname(python)), ...own];
  for (const site of folders.flatMap((folder) => sitesBeside(folder, world, reader))) {
    const owner = distributionsIn(site, world, reader).find(
      (each) => !each.isLeftOver && provides(each, module, world, reader),
    );
    if (owner === undefined) continue;
    const { name, version } = owner;
    const tool = toolOf(world, 'pypi', name);
    const purl = packageUrl('pypi', name, version);
    return {
      tool,
      name,
      version,
      purl,
      manager: managerOf(site.split(path.sep)),
      path: owner.path,
    };
  }
  return null;
}

/** Names that every script of a command begins with. */
const ofPython = /^(sys|re|os|importlib|pkg_resources)$/;

/**
 * The package behind a script of Python, by the module that it takes its command from and where its
 * interpreter lies. null for what pipx and uv keep in environments of their own. Of a script that bears
 * no tool's name only one that was put away from its interpreter is worth the look.
 */
export function pythonScript(
  file: string,
  text: string,
  isNamed: boolean,
  world: World,
): PythonModule | null {
  const interpreter = interpreterOf(text);
  const { dirname, join } = world.path;
  const isAway =
    interpreter !== null && !isSystemFolder(interpreter) && dirname(interpreter) !== dirname(file);
  if (!isNamed && !isAway) return null;
  const modules = [...text.matchAll(/^(?:from|import) ([A-Za-z]\w{0,99})/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !ofPython.test(name));
  const python = interpreter ?? join(dirname(file), 'python');
  const home = homeOf(world, file);
  const looking = world.reader({ within: [home === null || world.hasSystem ? '/' : home.path] });
  for (const module of modules.slice(0, 3)) {
    const found = pythonModule({ python, module }, home?.path ?? null, world, looking);
    if (found === null) continue;
    const owner = homeOf(world, found.path);
    return found.manager === 'pip' && (owner === home || owner === null) ? found : null;
  }
  return null;
}

const maxRecordBytes = 4 * 1024 * 1024;

/** The list of a package's files, or the shorter one of its modules (packaging.python.org, RECORD). */
function provides(
  { name, path }: Distribution,
  module: string,
  world: World,
  reader: Reader,
): boolean {
  if (normalName('pypi', module) === name) return true;
  const read = (file: string): string =>
    reader.text(world.path.join(path, file), maxRecordBytes) ?? '';
  return (
    read('top_level.txt').split('\n').includes(module) ||
    `\n${read('RECORD')}`.includes(`\n${module}/`)
  );
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
