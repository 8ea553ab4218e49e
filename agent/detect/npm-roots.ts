/**
 * Where npm packages that can be run as commands lie: the prefixes of the machine and of each person,
 * the Node version managers, the other package managers' global folders, and the run-once caches. Says
 * only where to look and who may be looked at there; what lies there is read in `npm.ts`.
 */
import { homeOf, spelled } from './component.js';
import type { Boundary, Home, Root, World } from './index.js';
import { movedFolders } from './manager-settings.js';
import { readNpmrc } from './npmrc.js';
import { pathFolders } from './shell-path.js';

/** How a root's folders are laid out; `npm.ts` has a reader for each. */
export type NpmLayout =
  | 'prefix' // the root is a node_modules folder
  | 'versions' // the root holds one Node per entry
  | 'nvs' // a folder per version, in it one per processor
  | 'mise'
  | 'volta'
  | 'pnpm'
  | 'yarn'
  | 'bun'
  | 'npx'
  | 'dlx'
  | 'bunx'
  | 'zed'
  | 'projects';

export interface NpmPlace {
  readonly layout: NpmLayout;
  readonly manager: string;
  readonly path: string;
  /** null: the machine's. */
  readonly home: Home | null;
  /** Links may lead here and no further. */
  readonly within: string;
}

/** Where one Node of a `versions` root keeps its global packages: as unpacked, fnm's, scoop's, old asdf's. */
export const modulesBelow = ({ platform }: World): readonly string[] =>
  platform === 'win32'
    ? ['node_modules', 'installation/node_modules', 'bin/node_modules']
    : ['lib/node_modules', 'installation/lib/node_modules', '.npm/lib/node_modules'];

/** Every place once, in a fixed order; the first that claims a folder has it. */
export function npmPlaces(world: World): readonly NpmPlace[] {
  const looking = world.reader({ within: [] });
  const keyOf = (folder: string): string => {
    const real = looking.realPath(folder) ?? folder;
    return world.platform === 'win32' ? real.toLowerCase() : real;
  };
  const taken = new Map<string, NpmPlace>();
  const families = new Set<string>();
  const take = (places: readonly NpmPlace[]): void => {
    for (const place of places) {
      const key = keyOf(place.path);
      if (!taken.has(key)) taken.set(key, place);
      if (place.layout === 'versions' || place.layout === 'mise') families.add(key);
    }
  };
  if (world.hasSystem) take(systemPlaces(world));
  for (const home of world.homes) take(homePlaces(home, world));
  for (const home of [null, ...world.homes]) {
    const named = [
      ...(home === null ? [] : configuredPlaces(home, world)),
      ...pathPlaces(home, world),
    ];
    take(named.filter(({ path }) => !isBelowFamily(keyOf(path), families, world)));
  }
  return [...taken.values()];
}

/** Whether a node_modules folder is one that a `versions` root reads already. */
function isBelowFamily(key: string, families: ReadonlySet<string>, world: World): boolean {
  let folder = key;
  for (let level = 0; level < 5; level += 1) {
    folder = world.path.dirname(folder);
    if (families.has(folder)) return true;
  }
  return false;
}

export function rootOfPlace(place: NpmPlace, watch: readonly string[]): Root {
  const boundary: Boundary = { within: [place.within] };
  return {
    id: `npm:${place.path}`,
    channel: 'npm',
    manager: place.manager,
    layout: place.layout,
    path: place.path,
    home: place.home,
    boundary,
    watch,
  };
}

/** A node_modules folder of the machine itself. */
function systemPlaces(world: World): readonly NpmPlace[] {
  const system = (layout: NpmLayout, manager: string, path: string): NpmPlace => {
    return { layout, manager, path, home: null, within: path };
  };
  const prefix = (path: string): NpmPlace => system('prefix', 'npm', path);
  if (world.platform === 'win32') {
    return [
      prefix('C:\\Program Files\\nodejs\\node_modules'),
      system('versions', 'nvm', 'C:\\ProgramData\\nvm'),
      system('versions', 'scoop', 'C:\\ProgramData\\scoop\\persist'),
    ];
  }
  const reader = world.reader({ within: ['/etc', '/usr/etc', '/usr/local/etc'] });
  const configured = ['/etc/npmrc', '/usr/etc/npmrc', '/usr/local/etc/npmrc'].flatMap((file) => {
    const { prefix: folder } = readNpmrc(file, null, world, reader);
    return folder === null ? [] : [prefix(world.path.join(folder, 'lib/node_modules'))];
  });
  return [
    prefix('/usr/local/lib/node_modules'),
    prefix('/usr/lib/node_modules'),
    ...(world.platform === 'darwin'
      ? [prefix('/opt/homebrew/lib/node_modules')]
      : [prefix('/home/linuxbrew/.linuxbrew/lib/node_modules')]),
    system('versions', 'npm', '/opt'),
    ...(world.platform === 'linux'
      ? [
          system('bunx', 'bunx', '/tmp'),
          // Root has its packages for everybody here, whatever its home (yarn's user-home-dir.js).
          system('yarn', 'yarn', '/usr/local/share/.config/yarn/global'),
        ]
      : temporaryFolders(world).map((folder) => system('bunx', 'bunx', folder))),
    system('versions', 'nvm', '/usr/local/nvm/versions/node'),
    system('versions', 'nvm', '/usr/local/share/nvm/versions/node'),
    ...configured.filter(({ path }) => homeOf(world, path) === null),
  ];
}

/** macOS gives each person a temporary folder: `/var/folders/<two letters>/<more>/T`. */
function temporaryFolders(world: World): readonly string[] {
  const people = new Set(world.homes.map(({ uid }) => uid));
  const top = '/private/var/folders';
  const looking = world.reader({ within: [top] });
  return looking
    .list(top)
    .filter(({ kind }) => kind === 'dir')
    .flatMap(({ name }) => {
      const folder = world.path.join(top, name);
      return looking.list(folder).map((entry) => world.path.join(folder, entry.name));
    })
    .filter((folder) => people.has(looking.facts(folder)?.uid ?? null))
    .map((folder) => world.path.join(folder, 'T'));
}

interface NamedPlaces {
  own(layout: NpmLayout, manager: string, ...places: Named[]): readonly NpmPlace[];
  from(variable: string, below?: string): Named;
}

/** Writes the places of a home: below it, or where a variable of its owner says. */
function namedPlaces(home: Home, world: World): NamedPlaces {
  return {
    own: (layout, manager, ...places) =>
      places.flatMap((place) => {
        const folder = typeof place === 'string' ? world.path.join(home.path, place) : place.folder;
        return folder === null ? [] : placeIn({ layout, manager, path: folder, home }, world);
      }),
    from(variable, below = '') {
      const folder = home.env[variable];
      return { folder: folder === undefined ? null : world.path.join(folder, below) };
    },
  };
}

/** Managers of several versions of Node, each with global packages of its own. */
function versionPlaces({ own, from }: NamedPlaces, world: World): readonly NpmPlace[] {
  const windows = world.platform === 'win32';
  return [
    ...own(
      'versions',
      'nvm',
      windows ? 'AppData/Roaming/nvm' : '.nvm/versions/node',
      windows ? 'AppData/Local/nvm' : '.config/nvm/versions/node',
      from('NVM_DIR', 'versions/node'),
      from('NVM_HOME'),
    ),
    ...own('versions', 'fnm', ...fnmFolders(world), from('FNM_DIR', 'node-versions')),
    ...own('versions', 'asdf', '.asdf/installs/nodejs', from('ASDF_DATA_DIR', 'installs/nodejs')),
    // Scoop's Node sends global packages to a folder that its updates leave alone.
    ...(windows ? own('versions', 'scoop', 'scoop/persist') : []),
    ...own('versions', 'nodenv', '.nodenv/versions', from('NODENV_ROOT', 'versions')),
    ...own('versions', 'nodebrew', '.nodebrew/node'),
    ...own(
      'nvs',
      'nvs',
      windows ? 'AppData/Local/nvs/node' : '.nvs/node',
      from('NVS_HOME', 'node'),
    ),
    ...own('versions', 'pnpm', `${pnpmHome(world)}/nodejs`, from('PNPM_HOME', 'nodejs')),
    // Beside its versions lies `globals`, which all of them share.
    ...own('versions', 'proto', '.proto/tools/node', from('PROTO_HOME', 'tools/node')),
    ...own(
      'versions',
      'volta',
      `${voltaHome(world)}/tools/image/node`,
      from('VOLTA_HOME', 'tools/image/node'),
    ),
  ];
}

/** The places below a home that each manager uses unless told otherwise, and where its variable says. */
function homePlaces(home: Home, world: World): readonly NpmPlace[] {
  const named = namedPlaces(home, world);
  const { own, from } = named;
  const windows = world.platform === 'win32';
  return [
    ...own(
      'prefix',
      'npm',
      ...(windows ? ['AppData/Roaming/npm/node_modules'] : homePrefixes),
      from('HOMEBREW_PREFIX', 'lib/node_modules'),
    ),
    ...versionPlaces(named, world),
    ...own('prefix', 'n', 'n/lib/node_modules', from('N_PREFIX', 'lib/node_modules')),
    ...own(
      'mise',
      'mise',
      windows ? 'AppData/Local/mise/installs' : '.local/share/mise/installs',
      from('MISE_DATA_DIR', 'installs'),
      from('XDG_DATA_HOME', 'mise/installs'),
    ),
    ...own('volta', 'volta', `${voltaHome(world)}/tools`, from('VOLTA_HOME', 'tools')),
    ...own(
      'pnpm',
      'pnpm',
      `${pnpmHome(world)}/global`,
      from('PNPM_HOME', 'global'),
      from('XDG_DATA_HOME', 'pnpm/global'),
    ),
    ...own('yarn', 'yarn', ...yarnFolders(world), from('XDG_CONFIG_HOME', 'yarn/global')),
    ...own('bun', 'bun', '.bun/install/global', from('BUN_INSTALL', 'install/global')),
    ...own('bun', 'bun', from('BUN_INSTALL_GLOBAL_DIR')),
    ...own('zed', 'zed', zedFolders[world.platform], from('XDG_DATA_HOME', 'zed/external_agents')),
    ...own('npx', 'npx', windows ? 'AppData/Local/npm-cache/_npx' : '.npm/_npx'),
    ...own('npx', 'npx', from('npm_config_cache', '_npx')),
    ...own('dlx', 'pnpm-dlx', dlxFolder(world), from('XDG_CACHE_HOME', 'pnpm/dlx')),
    ...(windows ? own('bunx', 'bunx', 'AppData/Local/Temp') : []),
    ...(world.isDeep ? own('projects', 'project', '') : []),
  ];
}

/** A folder below the home, or wherever a variable says. */
type Named = string | { readonly folder: string | null };

const homePrefixes = [
  '.npm-global/lib/node_modules',
  '.npm-packages/lib/node_modules',
  '.local/lib/node_modules',
  '.linuxbrew/lib/node_modules',
  'homebrew/lib/node_modules',
];

function fnmFolders(world: World): readonly string[] {
  const places = {
    linux: ['.local/share/fnm', '.fnm'],
    darwin: ['Library/Application Support/fnm', '.local/share/fnm', '.fnm'],
    win32: ['AppData/Roaming/fnm', 'AppData/Local/fnm'],
  };
  return places[world.platform].map((place) => `${place}/node-versions`);
}

const voltaHome = ({ platform }: World): string =>
  platform === 'win32' ? 'AppData/Local/Volta' : '.volta';

function pnpmHome({ platform }: World): string {
  return { linux: '.local/share/pnpm', darwin: 'Library/pnpm', win32: 'AppData/Local/pnpm' }[
    platform
  ];
}

/** Agents that Zed fetched to run them itself (zed-industries/zed, paths.rs). */
export const zedFolders = {
  linux: '.local/share/zed/external_agents',
  darwin: 'Library/Application Support/Zed/external_agents',
  win32: 'AppData/Local/Zed/external_agents',
};

function yarnFolders({ platform }: World): readonly string[] {
  return platform === 'win32' ? ['AppData/Local/Yarn/Data/global'] : ['.config/yarn/global'];
}

function dlxFolder({ platform }: World): string {
  return {
    linux: '.cache/pnpm/dlx',
    darwin: 'Library/Caches/pnpm/dlx',
    win32: 'AppData/Local/pnpm-cache/dlx',
  }[platform];
}

/**
 * A place somebody's own settings name. Inside their home it is bound to that home; a place of the
 * machine is read as such; what lies in another person's home is not theirs to point us at.
 */
function placeIn(place: Omit<NpmPlace, 'within'>, world: World): readonly NpmPlace[] {
  const { home, path, layout } = place;
  const real = world.reader({ within: [] }).realPath(path) ?? path;
  if (home !== null && homeOf(world, path) === home) {
    const isOwn = homeOf(world, real) === home;
    const within = layout === 'pnpm' && isOwn ? world.path.dirname(path) : home.path;
    return [{ ...place, within }];
  }
  const isMachine = world.hasSystem && homeOf(world, path) === null && homeOf(world, real) === null;
  return isMachine ? [{ ...place, home: null, within: path }] : [];
}

/** Prefix and cache as the person's npmrc or environment sets them. */
function configuredPlaces(home: Home, world: World): readonly NpmPlace[] {
  const { path, env } = { path: world.path, env: home.env };
  const reader = world.reader({ within: [home.path] });
  const set = env['NPM_CONFIG_USERCONFIG'] ?? env['npm_config_userconfig'];
  // One outside the home is not this person's to decide over; npm itself names one when it starts a program.
  const isOwn = set !== undefined && homeOf(world, set) === home;
  const user = readNpmrc(isOwn ? set : path.join(home.path, '.npmrc'), home, world, reader);
  const shared =
    user.globalconfig === null ? null : readNpmrc(user.globalconfig, home, world, reader);
  const prefixes = [
    user.prefix,
    shared?.prefix,
    env['npm_config_prefix'],
    env['NPM_CONFIG_PREFIX'],
  ].flatMap((folder) => folder ?? []);
  const caches = [user.cache, shared?.cache].flatMap((folder) => folder ?? []);
  const moved = movedFolders(home, world, reader);
  const named = (['pnpm', 'yarn', 'bun'] as const).flatMap((manager) =>
    moved[manager].map((folder) => ({ layout: manager, manager, path: folder, home })),
  );
  return [
    ...named.flatMap((place) => placeIn(place, world)),
    ...prefixes.flatMap((folder) => {
      const modules = path.join(folder, prefixModules(world));
      return placeIn({ layout: 'prefix', manager: 'npm', path: modules, home }, world);
    }),
    ...caches.flatMap((folder) =>
      placeIn({ layout: 'npx', manager: 'npx', path: path.join(folder, '_npx'), home }, world),
    ),
  ];
}

const prefixModules = ({ platform }: World): string =>
  platform === 'win32' ? 'node_modules' : 'lib/node_modules';

/** A Node somewhere else shows itself by its `bin` on the PATH; only such folders that exist. */
function pathPlaces(home: Home | null, world: World): readonly NpmPlace[] {
  if (home === null && !world.hasSystem) return [];
  const looking = world.reader({ within: [] });
  return pathFolders(world, home).flatMap((folder) => {
    const bin = looking.realPath(folder);
    if (bin === null) return [];
    const prefix = world.platform === 'win32' ? bin : world.path.dirname(bin);
    const modules = spelled(world, world.path.join(prefix, prefixModules(world)));
    if (looking.realPath(modules) === null) return [];
    return placeIn({ layout: 'prefix', manager: 'npm', path: modules, home }, world);
  });
}
