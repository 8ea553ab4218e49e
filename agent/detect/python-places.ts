/**
 * Where Python packages lie that a person can run or import: the environments of pipx and uv, the
 * folders of each interpreter and of each person, version managers, conda, named virtual environments,
 * and what run-once commands keep. Says only where to look and who may be looked at there; what lies
 * there is read in `python.ts`.
 */
import { homeOf } from './component.js';
import type { Home, Root, World } from './index.js';
import { maxPathLength } from './reader.js';
import { expandFolder } from './shell-path.js';

/** How a root's folders are laid out; `python-sites.ts` has a reader for each. */
export type PythonLayout =
  | 'pipx' // an environment per tool, each with pipx_metadata.json
  | 'uv' // an environment per tool, each with uv-receipt.toml
  | 'environments' // an environment or interpreter per entry
  | 'project-environments' // the same, made by a project's own manager
  | 'environment' // the root is an environment
  | 'sites' // folders named by a Python version, site-packages below
  | 'site' // the root is a site-packages folder
  | 'mise' // a folder per tool that pipx or uv made, a version in it
  | 'pipx-run'
  | 'uvx'
  | 'projects';

export interface PythonPlace {
  readonly layout: PythonLayout;
  readonly manager: string;
  readonly path: string;
  /** null: the machine's. */
  readonly home: Home | null;
  /** Links may lead here and no further. */
  readonly within: string;
}

/** Every place once, in a fixed order; the first that claims a folder has it. */
export function pythonPlaces(world: World): readonly PythonPlace[] {
  const looking = world.reader({ within: [] });
  const taken = new Map<string, PythonPlace>();
  for (const place of [
    ...systemPlaces(world),
    ...world.homes.flatMap((h) => homePlaces(h, world)),
  ]) {
    const real = looking.realPath(place.path);
    const path = real ?? place.path;
    const key = world.platform === 'win32' ? path.toLowerCase() : path;
    const parent = taken.get(world.path.dirname(key));
    const isEntry = place.layout === 'environment' && parent?.layout === 'environments';
    const known = taken.get(key);
    // On another system's disk one spelling of a place of Windows is there and the other is not.
    const isThere = known !== undefined && (real === null || looking.realPath(known.path) !== null);
    if (!isEntry && !isThere) taken.set(key, place);
  }
  return [...taken.values()];
}

export function rootOfPlace(place: PythonPlace, watch: readonly string[]): Root {
  return {
    id: `pypi:${place.path}`,
    channel: 'pypi',
    manager: place.manager,
    layout: place.layout,
    path: place.path,
    home: place.home,
    boundary: { within: [place.within] },
    watch,
  };
}

type Row = readonly [layout: PythonLayout, manager: string, ...paths: string[]];

/** An installation of conda is an environment and holds others. */
const conda = (...folders: readonly string[]): readonly Row[] => [
  ['environment', 'conda', ...folders],
  ['environments', 'conda', ...folders.map((folder) => `${folder}/envs`)],
];

/** In the letters of older set-ups too, for a folder of Windows on another system's disk. */
const windowsConda = [
  'miniconda3',
  'anaconda3',
  'miniforge3',
  'Miniconda3',
  'Anaconda3',
  'Miniforge3',
];

const systemRows: Readonly<Record<World['platform'], readonly Row[]>> = {
  linux: [
    ['pipx', 'pipx', '/opt/pipx/venvs'],
    ['sites', 'system', '/usr/local/lib', '/usr/local/lib64', '/usr/lib', '/usr/lib64'],
    ['sites', 'homebrew', '/home/linuxbrew/.linuxbrew/lib'],
    ['environments', 'python', '/opt/python'],
    ['environments', 'pyenv', '/opt/pyenv/versions', '/usr/local/pyenv/versions'],
    ...conda(
      '/opt/conda',
      '/opt/miniconda3',
      '/opt/anaconda3',
      '/opt/miniforge3',
      '/opt/mambaforge',
      '/usr/local/miniconda3',
      '/usr/local/anaconda3',
    ),
  ],
  darwin: [
    ['pipx', 'pipx', '/opt/pipx/venvs'],
    ['sites', 'system', '/Library/Python'],
    ['sites', 'homebrew', '/opt/homebrew/lib', '/usr/local/lib'],
    ['environments', 'python', '/Library/Frameworks/Python.framework/Versions'],
    ...conda('/opt/miniconda3', '/opt/anaconda3', '/opt/miniforge3'),
    // Where Homebrew's casks put them, by processor.
    ...['/opt/homebrew', '/usr/local'].flatMap((prefix) =>
      conda(
        `${prefix}/anaconda3`,
        `${prefix}/miniconda3`,
        `${prefix}/Caskroom/miniconda/base`,
        `${prefix}/Caskroom/miniforge/base`,
        `${prefix}/Caskroom/mambaforge/base`,
      ),
    ),
  ],
  win32: [
    ...['C:\\ProgramData', 'C:', 'C:\\tools'].flatMap((parent) =>
      conda(...windowsConda.map((name) => `${parent}\\${name}`)),
    ),
  ],
};

/** Folders of the machine itself. On Windows an interpreter for all has a folder of its own version. */
function systemPlaces(world: World): readonly PythonPlace[] {
  if (!world.hasSystem) return [];
  const rows = systemRows[world.platform].flatMap(([layout, manager, ...paths]) =>
    paths.map((path): PythonPlace => ({ layout, manager, path, home: null, within: path })),
  );
  if (world.platform !== 'win32') return rows;
  const reader = world.reader({ within: ['C:\\', 'C:\\Program Files'] });
  const interpreters = ['C:\\', 'C:\\Program Files', 'C:\\Program Files (x86)'].flatMap((parent) =>
    reader
      .list(parent)
      .filter(({ name, kind }) => kind === 'dir' && /^Python\d+(-\d+)?$/i.test(name))
      .map(({ name }): PythonPlace => {
        const path = world.path.join(parent, name);
        return { layout: 'environment', manager: 'python', path, home: null, within: path };
      }),
  );
  return [...rows, ...interpreters];
}

const condaFolders = [
  '.micromamba',
  'miniconda3',
  'anaconda3',
  'miniforge3',
  'mambaforge',
  'micromamba',
  'opt/miniconda3',
  'opt/anaconda3',
];

/**
 * Below a home, in the order in which the managers' own documents give them: pipx.pypa.io
 * (configure-paths), docs.astral.sh/uv/reference/storage, docs.python.org/3/library/site.html,
 * virtualenvwrapper, pipenv, python-poetry.org/docs/configuration, hatch.pypa.io, docs.conda.io.
 */
const everywhere: readonly Row[] = [
  ['pipx', 'pipx', '.local/share/pipx/venvs', '.local/pipx/venvs', 'pipx/venvs'],
  ['pipx-run', 'pipx-run', '.local/share/pipx/.cache', '.local/pipx/.cache', 'pipx/.cache'],
  ['uv', 'uv', '.local/share/uv/tools'],
  ['environments', 'uv-python', '.local/share/uv/python'],
  ['uvx', 'uvx', '.cache/uv'],
  ['environments', 'pyenv', '.pyenv/versions'],
  ['uv', 'rye', '.rye/tools'],
  ['environments', 'pixi', '.pixi/envs'],
  ['environments', 'virtualenv', '.virtualenvs', '.venvs'],
  ['environment', 'virtualenv', '.venv', 'venv'],
  ['project-environments', 'pipenv', '.local/share/virtualenvs'],
  ...conda(...condaFolders),
  ['environments', 'conda', '.conda/envs'],
];

const byPlatform: Readonly<Record<World['platform'], readonly Row[]>> = {
  linux: [
    ['sites', 'pip', '.local/lib'],
    ['pipx-run', 'pipx-run', '.cache/pipx'],
    ['environments', 'asdf', '.asdf/installs/python'],
    ['environments', 'mise', '.local/share/mise/installs/python'],
    ['mise', 'mise', '.local/share/mise/installs'],
    ['environments', 'conda', '.local/share/mamba/envs'],
    ['project-environments', 'poetry', '.cache/pypoetry/virtualenvs'],
    ['project-environments', 'pdm', '.local/share/pdm/venvs'],
  ],
  darwin: [
    ['sites', 'pip', 'Library/Python', '.local/lib'],
    ['pipx', 'pipx', 'Library/Application Support/pipx/venvs'],
    ['pipx-run', 'pipx-run', 'Library/Caches/pipx'],
    // uv's own places before it took to those of XDG; it stays with them where they are.
    ['uv', 'uv', 'Library/Application Support/uv/tools'],
    ['environments', 'uv-python', 'Library/Application Support/uv/python'],
    ['uvx', 'uvx', 'Library/Caches/uv'],
    ['environments', 'asdf', '.asdf/installs/python'],
    ['environments', 'mise', '.local/share/mise/installs/python'],
    ['mise', 'mise', '.local/share/mise/installs'],
    ['environments', 'conda', '.local/share/mamba/envs'],
    ['project-environments', 'poetry', 'Library/Caches/pypoetry/virtualenvs'],
    ['project-environments', 'pdm', 'Library/Application Support/pdm/venvs'],
  ],
  win32: [
    ['sites', 'pip', 'AppData/Roaming/Python'],
    ['environments', 'python', 'AppData/Local/Programs/Python', 'AppData/Local/Python'],
    ['pipx', 'pipx', 'AppData/Local/pipx/venvs', 'AppData/Local/pipx/pipx/venvs'],
    ['pipx-run', 'pipx-run', 'AppData/Local/pipx/.cache', 'AppData/Local/pipx/pipx/Cache'],
    ['uv', 'uv', 'AppData/Roaming/uv/tools', 'AppData/Roaming/uv/data/tools'],
    ['environments', 'uv-python', 'AppData/Roaming/uv/python', 'AppData/Roaming/uv/data/python'],
    ['uvx', 'uvx', 'AppData/Local/uv/cache'],
    ['environments', 'pyenv', '.pyenv/pyenv-win/versions'],
    ['environments', 'virtualenv', 'Envs'],
    ['environments', 'mise', 'AppData/Local/mise/installs/python'],
    ['mise', 'mise', 'AppData/Local/mise/installs'],
    ...conda(
      ...windowsConda.map((name) => `AppData/Local/${name}`),
      ...windowsConda.slice(3),
      'AppData/Local/Continuum/anaconda3',
    ),
    ['project-environments', 'poetry', 'AppData/Local/pypoetry/Cache/virtualenvs'],
    ['project-environments', 'pdm', 'AppData/Local/pdm/pdm/venvs'],
  ],
};

/** Where a person's own variables put what the tables above have by default. */
const byVariable: readonly (readonly [variable: string, below: string, PythonLayout, string])[] = [
  ['PIPX_HOME', 'venvs', 'pipx', 'pipx'],
  ['PIPX_HOME', '.cache', 'pipx-run', 'pipx-run'],
  ['UV_TOOL_DIR', '', 'uv', 'uv'],
  ['UV_CACHE_DIR', '', 'uvx', 'uvx'],
  ['XDG_DATA_HOME', 'uv/tools', 'uv', 'uv'],
  ['XDG_DATA_HOME', 'pipx/venvs', 'pipx', 'pipx'],
  ['XDG_DATA_HOME', 'virtualenvs', 'project-environments', 'pipenv'],
  ['XDG_CACHE_HOME', 'uv', 'uvx', 'uvx'],
  ['XDG_CACHE_HOME', 'pypoetry/virtualenvs', 'project-environments', 'poetry'],
  ['UV_PYTHON_INSTALL_DIR', '', 'environments', 'uv-python'],
  ['RYE_HOME', 'tools', 'uv', 'rye'],
  ['MAMBA_ROOT_PREFIX', '', 'environment', 'conda'],
  ['MAMBA_ROOT_PREFIX', 'envs', 'environments', 'conda'],
  ['CONDA_ENVS_PATH', '', 'environments', 'conda'],
  ['PIXI_HOME', 'envs', 'environments', 'pixi'],
  ['PYENV_ROOT', 'versions', 'environments', 'pyenv'],
  ['WORKON_HOME', '', 'environments', 'virtualenv'],
  ['PYTHONUSERBASE', 'lib', 'sites', 'pip'],
  ['ASDF_DATA_DIR', 'installs/python', 'environments', 'asdf'],
  ['MISE_DATA_DIR', 'installs/python', 'environments', 'mise'],
  ['MISE_DATA_DIR', 'installs', 'mise', 'mise'],
];

function homePlaces(home: Home, world: World): readonly PythonPlace[] {
  const at = (layout: PythonLayout, manager: string, path: string): readonly PythonPlace[] =>
    placeIn({ layout, manager, path, home }, world);
  const fixed = [...everywhere, ...byPlatform[world.platform]].flatMap(
    ([layout, manager, ...paths]) =>
      paths.flatMap((path) => at(layout, manager, world.path.join(home.path, path))),
  );
  const set = byVariable.flatMap(([variable, below, layout, manager]) => {
    const folder = home.env[variable];
    return folder === undefined ? [] : at(layout, manager, world.path.join(folder, below));
  });
  return [
    ...fixed,
    ...set,
    ...hatchPlaces(home, world).flatMap((path) => at('project-environments', 'hatch', path)),
    ...storePythons(home, world).flatMap((path) => at('sites', 'pip', path)),
    ...condaFoldersOf(home, world).flatMap((path) => at('environments', 'conda', path)),
    ...listedByConda(home, world).flatMap((path) => at('environment', 'conda', path)),
    ...(world.isDeep ? at('projects', 'project', home.path) : []),
  ];
}

/** Only homes of the world and places of the machine are looked at, and each under its owner's name. */
function placeIn(place: Omit<PythonPlace, 'within'>, world: World): readonly PythonPlace[] {
  const { home, path } = place;
  if (!world.path.isAbsolute(path)) return [];
  const real = world.reader({ within: [] }).realPath(path) ?? path;
  if (home !== null && homeOf(world, path) === home) return [{ ...place, within: home.path }];
  const isMachine = world.hasSystem && homeOf(world, path) === null && homeOf(world, real) === null;
  return isMachine ? [{ ...place, home: null, within: path }] : [];
}

/** `<data folder>/hatch/env/virtual/<project>/<hash>/<name>`: the folders that hold named ones. */
function hatchPlaces(home: Home, world: World): readonly string[] {
  const data = {
    linux: '.local/share/hatch',
    darwin: 'Library/Application Support/hatch',
    win32: 'AppData/Local/hatch',
  };
  const parent = world.path.join(home.path, data[world.platform], 'env', 'virtual');
  return foldersBelow(parent, home, world).flatMap((project) => foldersBelow(project, home, world));
}

const storeName = /^PythonSoftwareFoundation\.Python\.3\.\d+_/i;

/** The interpreter of the Microsoft Store keeps a person's packages in the app's own folder. */
function storePythons(home: Home, world: World): readonly string[] {
  if (world.platform !== 'win32') return [];
  const parent = world.path.join(home.path, 'AppData', 'Local', 'Packages');
  return foldersBelow(parent, home, world)
    .filter((folder) => storeName.test(world.path.basename(folder)))
    .map((folder) => world.path.join(folder, 'LocalCache', 'local-packages'));
}

function foldersBelow(parent: string, home: Home, world: World): readonly string[] {
  return world
    .reader({ within: [home.path] })
    .list(parent)
    .filter(({ kind }) => kind === 'dir')
    .map(({ name }) => world.path.join(parent, name));
}

const maxListed = 200;

/** `envs_dirs` of a person's settings: further folders of environments (docs.conda.io, .condarc). */
function condaFoldersOf(home: Home, world: World): readonly string[] {
  const reader = world.reader({ within: [home.path] });
  const owner = { home: home.path, account: home.account, env: home.env };
  return ['.condarc', '.conda/.condarc', '.config/conda/.condarc', '.mambarc'].flatMap((name) => {
    const text = reader.text(world.path.join(home.path, name), 256 * 1024) ?? '';
    const list =
      /^envs_(?:dirs|path):[ \t]*\r?\n((?:[ \t]*-[^\n]*(?:\n|$))+)/m.exec(text)?.[1] ?? '';
    return list.split('\n').flatMap((line) => {
      const value = line
        .trim()
        .slice(1, maxPathLength)
        .trim()
        .replace(/^(["'])(.*)\1$/, '$2');
      const folder = value === '' ? null : expandFolder(value, owner, world.platform);
      return folder === null || !world.path.isAbsolute(folder) ? [] : [folder];
    });
  });
}

/** `~/.conda/environments.txt` names every environment conda made for this person, wherever it lies. */
function listedByConda(home: Home, world: World): readonly string[] {
  const file = world.path.join(home.path, '.conda', 'environments.txt');
  const text = world.reader({ within: [home.path] }).text(file, 256 * 1024) ?? '';
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines
    .filter((line) => world.path.isAbsolute(line) && !line.includes('\0'))
    .map((line) => world.path.normalize(line))
    .filter((line) => line !== world.path.parse(line).root && line !== home.path)
    .slice(0, maxListed);
}
