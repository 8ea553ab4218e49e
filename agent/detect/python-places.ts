/**
 * Where Python packages lie that a person can run or import: the environments of pipx and uv, the
 * folders of each interpreter and of each person, version managers, conda, named virtual environments,
 * and what run-once commands keep. Says only where to look and who may be looked at there; what lies
 * there is read in `python.ts`.
 */
import { homeOf } from './component.js';
import type { Home, Root, World } from './index.js';

/** How a root's folders are laid out; `python-sites.ts` has a reader for each. */
export type PythonLayout =
  | 'pipx' // an environment per tool, each with pipx_metadata.json
  | 'uv' // an environment per tool, each with uv-receipt.toml
  | 'environments' // an environment or interpreter per entry
  | 'project-environments' // the same, made by a project's own manager
  | 'environment' // the root is an environment
  | 'sites' // folders named by a Python version, site-packages below
  | 'site' // the root is a site-packages folder
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
    const real = looking.realPath(place.path) ?? place.path;
    const key = world.platform === 'win32' ? real.toLowerCase() : real;
    const parent = taken.get(world.path.dirname(key));
    const isEntry = place.layout === 'environment' && parent?.layout === 'environments';
    if (!isEntry && !taken.has(key)) taken.set(key, place);
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

const systemRows: Readonly<Record<World['platform'], readonly Row[]>> = {
  linux: [
    ['pipx', 'pipx', '/opt/pipx/venvs'],
    ['sites', 'system', '/usr/local/lib', '/usr/local/lib64', '/usr/lib', '/usr/lib64'],
    ['sites', 'homebrew', '/home/linuxbrew/.linuxbrew/lib'],
    ['environments', 'python', '/opt/python'],
    ['environments', 'pyenv', '/opt/pyenv/versions', '/usr/local/pyenv/versions'],
    ['environment', 'conda', '/opt/conda', '/opt/miniconda3', '/opt/anaconda3', '/opt/miniforge3'],
    ['environments', 'conda', '/opt/conda/envs', '/opt/miniconda3/envs', '/opt/anaconda3/envs'],
    ['environments', 'conda', '/opt/miniforge3/envs'],
  ],
  darwin: [
    ['pipx', 'pipx', '/opt/pipx/venvs'],
    ['sites', 'system', '/Library/Python'],
    ['sites', 'homebrew', '/opt/homebrew/lib', '/usr/local/lib'],
    ['environments', 'python', '/Library/Frameworks/Python.framework/Versions'],
    ['environment', 'conda', '/opt/miniconda3', '/opt/anaconda3', '/opt/homebrew/anaconda3'],
    ['environment', 'conda', '/opt/homebrew/Caskroom/miniconda/base'],
    ['environment', 'conda', '/opt/homebrew/Caskroom/miniforge/base'],
    ['environments', 'conda', '/opt/miniconda3/envs', '/opt/anaconda3/envs'],
    ['environments', 'conda', '/opt/homebrew/anaconda3/envs'],
    ['environments', 'conda', '/opt/homebrew/Caskroom/miniconda/base/envs'],
    ['environments', 'conda', '/opt/homebrew/Caskroom/miniforge/base/envs'],
  ],
  win32: [
    ['environment', 'conda', 'C:\\ProgramData\\miniconda3', 'C:\\ProgramData\\anaconda3'],
    ['environment', 'conda', 'C:\\ProgramData\\miniforge3'],
    ['environments', 'conda', 'C:\\ProgramData\\miniconda3\\envs'],
    ['environments', 'conda', 'C:\\ProgramData\\anaconda3\\envs'],
    ['environments', 'conda', 'C:\\ProgramData\\miniforge3\\envs'],
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
  ['environment', 'conda', ...condaFolders],
  ['environments', 'conda', ...condaFolders.map((folder) => `${folder}/envs`), '.conda/envs'],
];

const byPlatform: Readonly<Record<World['platform'], readonly Row[]>> = {
  linux: [
    ['sites', 'pip', '.local/lib'],
    ['pipx-run', 'pipx-run', '.cache/pipx'],
    ['environments', 'asdf', '.asdf/installs/python'],
    ['environments', 'mise', '.local/share/mise/installs/python'],
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
    ['environment', 'conda', 'AppData/Local/miniconda3', 'AppData/Local/anaconda3'],
    ['environments', 'conda', 'AppData/Local/miniconda3/envs', 'AppData/Local/anaconda3/envs'],
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
  ['PYENV_ROOT', 'versions', 'environments', 'pyenv'],
  ['WORKON_HOME', '', 'environments', 'virtualenv'],
  ['PYTHONUSERBASE', 'lib', 'sites', 'pip'],
  ['ASDF_DATA_DIR', 'installs/python', 'environments', 'asdf'],
  ['MISE_DATA_DIR', 'installs/python', 'environments', 'mise'],
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
