/**
 * Which Python packages count as installs: pipx's and uv's own layouts, the folders of interpreters and
 * people, conda and virtual environments, and the dependencies that must not count.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchedFolders, type World } from '../../agent/detect/index.js';
import { executables } from '../../agent/detect/executables.js';
import { python } from '../../agent/detect/python.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import { link, place } from '../worlds/native.js';
import * as made from '../worlds/python.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-python-')));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const scan = (world: World): ScanResult => scanWorld(world, { detectors: [python] });
const scanHome = (platform: Platform = 'linux', isDeep = false): ScanResult =>
  scan(homesWorld([home], { catalogue, platform, isDeep }));
const scanMachine = (platform: Platform): ScanResult =>
  scan(folderWorld(top, platform, { catalogue }));

/** What a person would say was found: package, version, state, manager, and where below a folder. */
function rows(result: ScanResult, below = home): string[] {
  expect(result.status).toBe('complete');
  return result.components.map(({ name, version, state, manager, path: at }) =>
    [name, version, state, manager, at.replace(`${below}/`, '')].join(' '),
  );
}

const evidence = (result: ScanResult): (readonly string[])[] =>
  result.components.map((component) => component.evidence);

describe('tools in an environment of their own', () => {
  test('a pipx install is the tool, and its dependencies are not', () => {
    made.pipx(home, made.aider('0.86.1'), { dependencies: [made.openai('2.6.0')] });
    const result = scanHome();
    expect(rows(result)).toEqual([
      'aider-chat 0.86.1 installed pipx .local/share/pipx/venvs/aider-chat',
    ]);
    expect(result.components).toMatchObject([
      {
        tool: 'aider',
        channel: 'pypi',
        purl: 'pkg:pypi/aider-chat@0.86.1',
        owner: 'ana',
        scope: 'global',
        confidence: 'high',
        evidence: ['METADATA', 'pipx_metadata.json'],
      },
    ]);
  });

  test.each([
    ['linux', '.local/share/pipx/venvs'],
    ['linux', '.local/pipx/venvs'],
    ['darwin', '.local/pipx/venvs'],
    ['darwin', 'Library/Application Support/pipx/venvs'],
  ] as const)('pipx keeps its environments on %s in %s', (platform, below) => {
    made.pipx(home, made.aider('0.86.1'), { below });
    expect(rows(scanHome(platform))).toEqual([
      `aider-chat 0.86.1 installed pipx ${below}/aider-chat`,
    ]);
  });

  test('pipx with a suffix: the record names the package, the folder does not', () => {
    made.pipx(home, made.aider('0.80.0'), { suffix: '@0.80' });
    expect(rows(scanHome())).toEqual([
      'aider-chat 0.80.0 installed pipx .local/share/pipx/venvs/aider-chat@0.80',
    ]);
  });

  test('what a person injected beside another tool is theirs, in its own place', () => {
    const black = { name: 'black', version: '25.1.0', command: 'black' };
    made.pipx(home, black, { injected: [made.litellm('1.78.5')] });
    expect(rows(scanHome())).toEqual([
      'litellm 1.78.5 installed pipx ' +
        '.local/share/pipx/venvs/black/lib/python3.12/site-packages/litellm-1.78.5.dist-info',
    ]);
  });

  test('without its record a pipx environment is known by its folder, with the same certainty of version', () => {
    const at = made.pipx(home, made.aider('0.86.1'), { dependencies: [made.openai('2.6.0')] });
    fs.rmSync(path.join(at, 'pipx_metadata.json'));
    expect(rows(scanHome())).toEqual([
      'aider-chat 0.86.1 installed pipx .local/share/pipx/venvs/aider-chat',
    ]);
    expect(evidence(scanHome())).toEqual([['METADATA']]);
  });

  test('a half-written pipx record marks the root and loses no install', () => {
    const at = made.pipx(home, made.aider('0.86.1'));
    fs.truncateSync(path.join(at, 'pipx_metadata.json'), 40);
    const result = scanHome();
    expect(result.status).toBe('partial');
    expect(result.components).toMatchObject([{ tool: 'aider', version: '0.86.1' }]);
  });

  test('a uv tool, and the packages whose commands were asked for with it', () => {
    made.uvTool(home, made.aider('0.86.1'), {
      beside: [made.litellm('1.78.5')],
      dependencies: [made.openai('2.6.0')],
    });
    const at = '.local/share/uv/tools/aider-chat';
    expect(rows(scanHome()).sort()).toEqual([
      `aider-chat 0.86.1 installed uv ${at}`,
      `litellm 1.78.5 installed uv ${at}/lib/python3.12/site-packages/litellm-1.78.5.dist-info`,
    ]);
    expect(evidence(scanHome())).toContainEqual(['METADATA', 'uv-receipt.toml']);
  });

  test.each([
    ['linux', '.local/share/uv/tools', 'uv'],
    ['darwin', 'Library/Application Support/uv/tools', 'uv'],
    ['linux', '.rye/tools', 'rye'],
  ] as const)('a tool on %s in %s', (platform, below, manager) => {
    made.uvTool(home, made.aider('0.86.1'), { below, dependencies: [made.openai('2.6.0')] });
    expect(rows(scanHome(platform))).toEqual([
      `aider-chat 0.86.1 installed ${manager} ${below}/aider-chat`,
    ]);
  });

  test('nothing of a receipt but names of packages is kept', () => {
    made.uvTool(home, made.aider('0.86.1'));
    expect(JSON.stringify(scanHome())).not.toContain('CANARY');
  });

  test('the tool folder that a variable names, and the machine-wide one of pipx', () => {
    place(home, '.profile', 'export UV_TOOL_DIR="$HOME/tools"\nexport PIPX_HOME=$HOME/px\n');
    made.uvTool(home, made.aider('0.86.1'), { below: 'tools' });
    made.pipx(home, made.litellm('1.78.5'), { below: 'px/venvs' });
    made.pipx(top, made.aider('0.85.0'), { below: 'opt/pipx/venvs' });
    const result = scanMachine('linux');
    expect(rows(result, '/home/ana').sort()).toEqual([
      'aider-chat 0.85.0 installed pipx /opt/pipx/venvs/aider-chat',
      'aider-chat 0.86.1 installed uv tools/aider-chat',
      'litellm 1.78.5 installed pipx px/venvs/litellm',
    ]);
    expect(result.components.map(({ owner }) => owner)).toContain(null);
  });

  test.each(['pipx', 'uv'] as const)(
    'C033 %s without its interpreter is still an install',
    (by) => {
      const build = by === 'pipx' ? made.pipx : made.uvTool;
      const at = build(home, made.aider('0.86.1'));
      expect(evidence(scanHome())[0]).not.toContain('interpreter missing');
      fs.rmSync(path.join(at, 'bin/python'));
      link(at, 'bin/python', '/opt/python/3.12.6/bin/python3.12-gone');
      const result = scanHome();
      expect(result.status).toBe('complete');
      expect(result.components).toMatchObject([{ version: '0.86.1', state: 'installed' }]);
      expect(evidence(result)[0]).toContain('interpreter missing');
    },
  );

  test('a record whose packages are gone is a trace', () => {
    const at = made.pipx(home, made.aider('0.86.1'));
    fs.rmSync(path.join(at, 'lib'), { recursive: true });
    expect(rows(scanHome())).toEqual([
      'aider-chat 0.86.1 residual pipx .local/share/pipx/venvs/aider-chat',
    ]);
  });

  test('a launcher into such an environment is no second install', () => {
    made.pipx(home, made.aider('0.86.1'));
    made.uvTool(home, made.litellm('1.78.5'));
    const world = homesWorld([home], { catalogue });
    const result = scanWorld(world, { detectors: [python, executables] });
    expect(result.components.map(({ channel, tool }) => [channel, tool])).toEqual([
      ['pypi', 'aider'],
      ['pypi', 'litellm'],
    ]);
  });
});

test('what is watched: the folder of environments, and in each the one that an update changes', () => {
  const at = made.pipx(home, made.aider('0.86.1'));
  const world = homesWorld([home], { catalogue, platform: 'linux' });
  const watched = (below: string): readonly string[] =>
    python
      .roots(world)
      .filter((root) => root.path === path.join(home, below))
      .flatMap((root) => watchedFolders(python, root, world));
  expect(watched('.local/share/pipx/venvs')).toEqual([
    path.join(home, '.local/share/pipx/venvs'),
    path.join(at, 'lib/python3.12/site-packages'),
  ]);
  expect(watched('.local/share/uv/tools')).toEqual([path.join(home, '.local/share/uv/tools')]);
  expect(watched('.cache/uv')).toEqual([]);
});

describe('run-once copies', () => {
  test('what uvx keeps is cached, without the packages that have no command', () => {
    made.uvxKept(home, 'A1b2C3', made.aider('0.86.1'), made.openai('2.6.0'));
    // An unpacked package that any environment may be linked from is no copy that was run.
    made.wheelInto(path.join(home, '.cache/uv/archive-v0/Zz9'), made.litellm('1.78.5'));
    expect(rows(scanHome())).toEqual([
      'aider-chat 0.86.1 cached uvx ' +
        '.cache/uv/archive-v0/A1b2C3/lib/python3.12/site-packages/aider_chat-0.86.1.dist-info',
    ]);
  });

  test('on Windows uvx finds its copy by a file that names it', () => {
    const cache = path.join(home, 'AppData/Local/uv/cache');
    made.wheelInto(path.join(cache, 'archive-v0/A1b2/Lib/site-packages'), made.aider('0.86.1'));
    place(cache, 'environments-v2/0a1b/2c3d', 'archive-v0/A1b2');
    place(cache, 'environments-v2/0a1b/evil', 'archive-v0/../../../../../../etc');
    fs.renameSync(path.join(top, 'home'), path.join(top, 'Users'));
    const result = scanMachine('win32');
    expect(result.components).toMatchObject([
      { tool: 'aider', state: 'cached', version: '0.86.1' },
    ]);
  });

  test('what pipx run keeps is cached', () => {
    made.pipx(home, made.aider('0.86.1'), { below: '.cache/pipx' });
    expect(rows(scanHome())).toEqual([
      'aider-chat 0.86.1 cached pipx-run ' +
        '.cache/pipx/aider-chat/lib/python3.12/site-packages/aider_chat-0.86.1.dist-info',
    ]);
  });
});

describe('folders of interpreters and people', () => {
  test.each([
    ['linux', 'pip', 'home/ana/.local/lib/python3.12/site-packages'],
    ['linux', 'system', 'usr/local/lib/python3.12/dist-packages'],
    ['linux', 'system', 'usr/lib/python3/dist-packages'],
    ['linux', 'pyenv', 'home/ana/.pyenv/versions/3.11.13/lib/python3.11/site-packages'],
    ['linux', 'asdf', 'home/ana/.asdf/installs/python/3.12.6/lib/python3.12/site-packages'],
    ['linux', 'conda', 'home/ana/miniconda3/lib/python3.12/site-packages'],
    ['linux', 'conda', 'home/ana/miniforge3/envs/notes/lib/python3.12/site-packages'],
    ['linux', 'conda', 'opt/conda/envs/notes/lib/python3.12/site-packages'],
    ['linux', 'virtualenv', 'home/ana/.virtualenvs/notes/lib/python3.12/site-packages'],
    ['linux', 'virtualenv', 'home/ana/.venv/lib/python3.12/site-packages'],
    ['linux', 'pixi', 'home/ana/.pixi/envs/notes/lib/python3.12/site-packages'],
    ['linux', 'homebrew', 'home/linuxbrew/.linuxbrew/lib/python3.12/site-packages'],
    ['darwin', 'pip', 'Users/ana/Library/Python/3.12/lib/python/site-packages'],
    ['darwin', 'system', 'Library/Python/3.9/site-packages'],
    ['darwin', 'homebrew', 'opt/homebrew/lib/python3.12/site-packages'],
    [
      'darwin',
      'python',
      'Library/Frameworks/Python.framework/Versions/3.12/lib/python3.12/site-packages',
    ],
    ['win32', 'pip', 'Users/ana/AppData/Roaming/Python/Python312/site-packages'],
    ['win32', 'python', 'Users/ana/AppData/Local/Programs/Python/Python312/Lib/site-packages'],
    ['win32', 'python', 'Program Files/Python312/Lib/site-packages'],
    ['win32', 'uv', 'Users/ana/AppData/Roaming/uv/tools/litellm/Lib/site-packages'],
    ['win32', 'pipx', 'Users/ana/pipx/venvs/litellm/Lib/site-packages'],
    ['win32', 'conda', 'ProgramData/miniconda3/Lib/site-packages'],
    [
      'win32',
      'pip',
      'Users/ana/AppData/Local/Packages/PythonSoftwareFoundation.Python.3.12_qbz5n2kfra8p0/' +
        'LocalCache/local-packages/Python312/site-packages',
    ],
  ] as const)('%s: %s in %s', (platform, manager, site) => {
    const homes = { linux: 'home', darwin: 'Users', win32: 'Users' };
    fs.mkdirSync(path.join(top, homes[platform], 'ana'), { recursive: true });
    made.wheelInto(path.join(top, site), made.litellm('1.78.5'));
    const result = scanMachine(platform);
    expect(result.status).toBe('complete');
    expect(result.components).toMatchObject([
      {
        tool: 'litellm',
        version: '1.78.5',
        state: 'installed',
        manager,
        scope: 'global',
        owner: site.includes('/ana/') ? 'ana' : null,
      },
    ]);
  });

  test("environments that a project's manager made are of that project", () => {
    const site = 'virtualenvs/notes-AbC12-py3.12/lib/python3.12/site-packages';
    made.wheelInto(path.join(home, '.cache/pypoetry', site), made.openai('2.6.0'));
    made.wheelInto(path.join(home, '.local/share', site), made.openai('2.5.0'));
    const hatch = '.local/share/hatch/env/virtual/notes/Ab12/default/lib/python3.12/site-packages';
    made.wheelInto(path.join(home, hatch), made.openai('2.4.0'));
    const found = scanHome().components.map(({ manager, version, scope }) =>
      [manager, version, scope].join(' '),
    );
    expect(found.sort()).toEqual([
      'hatch 2.4.0 project',
      'pipenv 2.5.0 project',
      'poetry 2.6.0 project',
    ]);
  });

  test("conda's own list names environments anywhere below the home, and none elsewhere", () => {
    made.environment(path.join(home, 'notes/conda-a'), made.litellm('1.78.5'));
    made.environment(path.join(top, 'home/ben/conda-b'), made.litellm('1.70.0'));
    const lines = [path.join(home, 'notes/conda-a'), path.join(top, 'home/ben/conda-b'), '/', 'x'];
    place(home, '.conda/environments.txt', `${lines.join('\n')}\n`);
    expect(scanHome().components).toMatchObject([{ version: '1.78.5', manager: 'conda' }]);
  });

  test('one interpreter under several names is one', () => {
    const versions = path.join(home, '.pyenv/versions');
    made.wheelInto(
      path.join(versions, '3.11.13/lib/python3.11/site-packages'),
      made.aider('0.86.1'),
    );
    made.wheelInto(
      path.join(versions, '3.11.13/envs/notes/lib/python3.11/site-packages'),
      made.litellm('1.0'),
    );
    link(versions, '3.11', '3.11.13');
    link(versions, 'notes', path.join(versions, '3.11.13/envs/notes'));
    expect(scanHome().components.map(({ name }) => name)).toEqual(['aider-chat', 'litellm']);
  });

  test("a version that is a link to the machine's own Python loses nothing of the root", () => {
    const versions = path.join(home, '.pyenv/versions');
    made.wheelInto(
      path.join(versions, '3.11.13/lib/python3.11/site-packages'),
      made.aider('0.86.1'),
    );
    made.wheelInto(path.join(top, 'opt/brewed/lib/python3.11/site-packages'), made.litellm('1.0'));
    link(versions, 'brewed', path.join(top, 'opt/brewed'));
    expect(rows(scanHome())).toHaveLength(1);
  });

  test('what a formula of Homebrew links into its site-packages is the formula', () => {
    const keg = 'opt/homebrew/Cellar/aider/0.86.1/lib/python3.12/site-packages';
    const record = made.wheelInto(path.join(top, keg), made.aider('0.86.1'));
    const site = 'opt/homebrew/lib/python3.12/site-packages';
    link(top, `${site}/${path.basename(record)}`, record);
    expect(scanMachine('darwin').components).toEqual([]);
  });

  test('environments in projects are looked for in a deep scan alone', () => {
    made.environment(path.join(home, 'code/a/.venv'), made.openai('2.6.0'));
    made.environment(path.join(home, 'code/b/env'), made.openai('2.5.0'));
    const libexec = path.join(home, 'homebrew/Cellar/aider/0.86.1/libexec');
    made.environment(libexec, made.aider('0.86.1'));
    expect(rows(scanHome())).toEqual([]);
    const deep = scanHome('linux', true).components;
    expect(deep.map(({ version, scope }) => `${version} ${scope}`)).toEqual([
      '2.6.0 project',
      '2.5.0 project',
    ]);
  });
});
