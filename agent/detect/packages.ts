/**
 * Packages of the system's and the person's package systems, by their own records: dpkg, rpm,
 * apk and pacman databases, and the stores of snap, flatpak, scoop, chocolatey and winget. Only packages
 * that the catalogue or a rule names are looked at.
 */
import type { Component } from '../../policies/component.js';
import { dataFolder } from './applications-entry.js';
import { homeOf } from './component.js';
import type { Detector, Home, Reader, Root, World } from './index.js';
import { readApk, readDpkg, readPacman } from './packages-databases.js';
import { readRpm, rpmFolders } from './packages-rpm.js';
import { machineHives, registryEnvironment } from './registry.js';
import { readChocolatey, readFlatpak, readScoop, readSnap, readWinget } from './packages-stores.js';

type Reading = (root: Root, world: World, reader: Reader) => readonly Component[];

/** How each package system is read, by its name, which is the `manager` of what is found there. */
const readings: Readonly<Record<string, Reading>> = {
  dpkg: readDpkg,
  rpm: readRpm,
  apk: readApk,
  pacman: readPacman,
  snap: readSnap,
  flatpak: readFlatpak,
  scoop: readScoop,
  chocolatey: readChocolatey,
  winget: readWinget,
};

export const packages: Detector = {
  channel: 'package',
  roots: (world) => [
    ...(world.hasSystem ? systemRoots(world) : []),
    ...world.homes.flatMap((home) => homeRoots(home, world)),
  ],
  read: (root, world, reader) => readings[root.manager ?? '']?.(root, world, reader) ?? [],
};

interface Place {
  readonly manager: string;
  readonly path: string;
  readonly home?: Home;
  /** Further places that a read may end in. */
  readonly within?: readonly string[];
  readonly watch?: readonly string[];
}

function rootOf({ manager, path, home, within = [], watch = [] }: Place): Root {
  return {
    id: `package:${manager}:${path}`,
    channel: 'package',
    manager,
    path,
    home: home ?? null,
    boundary: { within: [home?.path ?? path, ...within] },
    watch: [path, ...watch],
  };
}

/** The distribution's name is part of a package's address. */
const release = ['/etc/os-release', '/usr/lib/os-release'];
const snapd = '/var/lib/snapd';

function systemRoots(world: World): readonly Root[] {
  if (world.platform === 'darwin') return [];
  if (world.platform === 'win32') return windowsRoots(world);
  const places: readonly Place[] = [
    { manager: 'dpkg', path: '/var/lib/dpkg', within: release },
    ...rpmFolders.map((path) => ({ manager: 'rpm', path, within: release })),
    { manager: 'apk', path: '/lib/apk/db', within: ['/usr/lib/apk/db', ...release] },
    { manager: 'apk', path: '/usr/lib/apk/db', within: release },
    { manager: 'pacman', path: '/var/lib/pacman/local', within: release },
    { manager: 'snap', path: '/snap', within: [snapd], watch: [`${snapd}/snaps`] },
    { manager: 'snap', path: `${snapd}/snap`, within: [snapd], watch: [`${snapd}/snaps`] },
    // flatpak touches `.changed` beside the folder with each of its own changes.
    { manager: 'flatpak', path: '/var/lib/flatpak/app', watch: ['/var/lib/flatpak'] },
  ];
  const looking = world.reader({ within: [] });
  const seen = new Set<string>();
  return places
    .filter(({ manager, path }) => {
      const real = `${manager}:${looking.realPath(path) ?? path}`;
      return seen.has(real) ? false : seen.add(real);
    })
    .map(rootOf);
}

function windowsRoots(world: World): readonly Root[] {
  const { join } = world.path;
  const { env } = registryEnvironment(null, world);
  const programData = 'C:\\ProgramData';
  const winget = 'C:\\Program Files\\WinGet\\Packages';
  const of = (manager: string, folder: string, below: string): Root =>
    rootOf({ manager, path: join(folder, below) });
  const roots = [
    of('scoop', join(programData, 'scoop'), 'apps'),
    ...scoopFolders(world).global.map((folder) => of('scoop', folder, 'apps')),
    of('chocolatey', env['ChocolateyInstall'] ?? join(programData, 'chocolatey'), 'lib'),
    rootOf({ manager: 'winget', path: winget, within: [machineHives] }),
  ];
  return [...new Map(roots.map((root) => [root.id.toLowerCase(), root])).values()];
}

const maxSettingsBytes = 256 * 1024;

/** Where scoop keeps its packages when it was told to: variables, and `root_path` and `global_path` of its settings. */
function scoopFolders(world: World): {
  readonly global: readonly string[];
  readonly own: ReadonlyMap<Home, readonly string[]>;
} {
  const isPlace = (value: unknown): value is string =>
    typeof value === 'string' && /^[A-Za-z]:[\\/][^\0]*$/.test(value);
  const machine = registryEnvironment(null, world).env;
  const global = [machine['SCOOP_GLOBAL']];
  const own = new Map<Home, readonly string[]>();
  for (const home of world.homes) {
    const reader = world.reader({ within: [home.path] });
    const file = world.path.join(home.path, '.config', 'scoop', 'config.json');
    const settings: unknown =
      reader.facts(file) === null ? null : reader.json(file, maxSettingsBytes);
    const record = (typeof settings === 'object' ? settings : null) as Readonly<
      Record<string, unknown>
    > | null;
    const set = [home.env['SCOOP'], record?.['root_path']].filter(isPlace);
    own.set(
      home,
      set.filter((folder) => [home, null].includes(homeOf(world, folder))),
    );
    const shared = record?.['global_path'];
    if (isPlace(shared) && homeOf(world, shared) === null) global.push(shared);
  }
  return { global: global.filter((folder) => folder !== undefined), own };
}

/** A place that is nobody's home, where it is named and where it really lies, may be read as well. */
function outside(path: string, world: World): readonly string[] {
  const real = world.reader({ within: [] }).realPath(path) ?? path;
  return [path, real].every((place) => homeOf(world, place) === null) ? [path] : [];
}

function homeRoots(home: Home, world: World): readonly Root[] {
  const { join } = world.path;
  switch (world.platform) {
    case 'darwin':
      return [];
    case 'linux': {
      const folder = join(dataFolder(home, world), 'flatpak');
      return [rootOf({ manager: 'flatpak', path: join(folder, 'app'), home, watch: [folder] })];
    }
    case 'win32': {
      const winget = join(home.path, 'AppData', 'Local', 'Microsoft', 'WinGet', 'Packages');
      return [
        ...[join(home.path, 'scoop'), ...(scoopFolders(world).own.get(home) ?? [])]
          .map((folder) => join(folder, 'apps'))
          .map((path) => rootOf({ manager: 'scoop', path, home, within: outside(path, world) })),
        rootOf({ manager: 'winget', path: winget, home }),
      ];
    }
  }
}
