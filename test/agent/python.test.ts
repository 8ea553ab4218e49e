/**
 * Which Python packages count as installs: pipx's and uv's own layouts, the folders of interpreters and
 * people, conda and virtual environments, and the look-alikes, dependencies and left-overs that must
 * not count.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { World } from '../../agent/detect/index.js';
import { executables } from '../../agent/detect/executables.js';
import { python } from '../../agent/detect/python.js';
import { parseHeader } from '../../agent/detect/python-records.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import { link, place, program } from '../worlds/native.js';
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
    ['linux', 'conda', 'home/ana/miniforge3/envs/work/lib/python3.12/site-packages'],
    ['linux', 'conda', 'opt/conda/envs/work/lib/python3.12/site-packages'],
    ['linux', 'virtualenv', 'home/ana/.virtualenvs/work/lib/python3.12/site-packages'],
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
    const site = 'virtualenvs/work-AbC12-py3.12/lib/python3.12/site-packages';
    made.wheelInto(path.join(home, '.cache/pypoetry', site), made.openai('2.6.0'));
    made.wheelInto(path.join(home, '.local/share', site), made.openai('2.5.0'));
    const hatch = '.local/share/hatch/env/virtual/work/Ab12/default/lib/python3.12/site-packages';
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
    made.environment(path.join(home, 'work/conda-a'), made.litellm('1.78.5'));
    made.environment(path.join(top, 'home/ben/conda-b'), made.litellm('1.70.0'));
    const lines = [path.join(home, 'work/conda-a'), path.join(top, 'home/ben/conda-b'), '/', 'x'];
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
      path.join(versions, '3.11.13/envs/work/lib/python3.11/site-packages'),
      made.litellm('1.0'),
    );
    link(versions, '3.11', '3.11.13');
    link(versions, 'work', path.join(versions, '3.11.13/envs/work'));
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

describe('records', () => {
  const site = (): string => path.join(home, '.local/lib/python3.12/site-packages');

  test('C034 punctuation and case do not tell two names apart, anything more does', () => {
    place(site(), 'Aider_Chat-0.86.1.dist-info/METADATA', 'Name: Aider.Chat\nVersion: 0.86.1\n\n');
    for (const name of ['aider-chat-extras', 'aiderchat', 'cline', 'my-aider-chat']) {
      made.wheelInto(site(), { name, version: '1.0' });
    }
    expect(rows(scanHome())).toEqual([
      'aider-chat 0.86.1 installed pip ' +
        '.local/lib/python3.12/site-packages/Aider_Chat-0.86.1.dist-info',
    ]);
  });

  test('the record says what a package is, not the name of its folder', () => {
    place(site(), 'aider_chat-1.0.dist-info/METADATA', 'Name: something-else\nVersion: 1.0\n');
    expect(rows(scanHome())).toEqual([]);
  });

  test('only packages of wanted names are opened', () => {
    made.wheelInto(site(), made.aider('0.86.1'));
    place(site(), 'numpy-2.0.dist-info/METADATA', 'not a header at all');
    expect(rows(scanHome())).toHaveLength(1);
  });

  test('older forms of the record are read: a file, a folder, an egg', () => {
    const header = 'Metadata-Version: 1.0\nName: litellm\nVersion: 1.0.0\n';
    place(site(), 'litellm-1.0.0-py3.12.egg-info', header);
    const other = path.join(home, '.local/lib/python3.11/site-packages');
    place(other, 'litellm-1.0.1-py3.11.egg-info/PKG-INFO', header.replace('1.0.0', '1.0.1'));
    const third = path.join(home, '.local/lib/python3.10/site-packages');
    place(third, 'litellm-1.0.2-py3.10.egg/EGG-INFO/PKG-INFO', header.replace('1.0.0', '1.0.2'));
    expect(
      scanHome()
        .components.map(({ version }) => version)
        .sort(),
    ).toEqual(['1.0.0', '1.0.1', '1.0.2']);
  });

  test('what pip has set aside while it replaces a package is a trace', () => {
    const header = 'Name: aider-chat\nVersion: 0.85.0\n';
    place(site(), '~ider_chat-0.85.0.dist-info/METADATA', header);
    made.wheelInto(site(), made.aider('0.86.1'));
    expect(
      scanHome()
        .components.map(({ version, state }) => `${version} ${state}`)
        .sort(),
    ).toEqual(['0.85.0 residual', '0.86.1 installed']);
  });

  test('of two records of one package the later is in use', () => {
    const old = made.wheelInto(site(), made.aider('0.9.0'));
    fs.utimesSync(old, 1_700_000_000, 1_700_000_000);
    made.wheelInto(site(), made.aider('0.86.1'));
    expect(
      scanHome()
        .components.map(({ version, state }) => `${version} ${state}`)
        .sort(),
    ).toEqual(['0.86.1 installed', '0.9.0 residual']);
  });

  test('a record folder without its record is a trace without a version', () => {
    fs.mkdirSync(path.join(site(), 'aider_chat-0.86.1.dist-info'), { recursive: true });
    expect(scanHome().components).toMatchObject([
      { state: 'residual', version: null, confidence: 'medium' },
    ]);
  });

  test('a package that a rule names is reported without a tool', () => {
    made.wheelInto(site(), { name: 'Team.Agent', version: '3.1' });
    const named = new Map([['pypi', new Set(['team-agent'])]]);
    const result = scan(homesWorld([home], { catalogue, platform: 'linux', named }));
    expect(result.components).toMatchObject([{ tool: null, name: 'team-agent', version: '3.1' }]);
  });

  test('a rule that takes the channel whole takes every package', () => {
    made.wheelInto(site(), { name: 'numpy', version: '2.0' });
    const world = homesWorld([home], { catalogue, platform: 'linux' });
    const whole = scan({ ...world, wholeChannels: new Set(['pypi'] as const) });
    expect(whole.components).toMatchObject([{ tool: null, name: 'numpy' }]);
  });

  test('a package linked out of the home is not read', () => {
    const theirs = made.wheelInto(path.join(top, 'home/ben/site'), made.aider('0.86.1'));
    link(site(), path.basename(theirs), theirs);
    const result = scanHome();
    expect(result.status).toBe('partial');
    expect(result.components.filter(({ version }) => version !== null)).toEqual([]);
  });

  test('a program beside the records is never a record', () => {
    program(site(), 'aider_chat.egg', 'BIN');
    program(site(), 'aider.py', 'BIN');
    expect(scanHome().components.filter(({ state }) => state === 'installed')).toEqual([]);
  });
});

describe('the header of a record', () => {
  test('ends at the first empty line, and of two fields the first counts', () => {
    const text = 'Name: a\r\nVersion: 1\r\nVersion: 2\r\n\r\nName: b\r\nVersion: 3\r\n';
    expect(parseHeader(text)).toEqual({ name: 'a', version: '1' });
  });

  test('a folded line belongs to the field above it', () => {
    const text = 'Summary: one\n  Name: inner\n\tVersion: 9\nName: a\nVersion: 1\n';
    expect(parseHeader(text)).toEqual({ name: 'a', version: '1' });
  });

  test.each([
    ['nothing', ''],
    ['no name', 'Version: 1\n'],
    ['no version', 'Name: a\n'],
    ['a version cut off', 'Name: a\nVersion: 1.2'],
    ['a name that is none', 'Name: ../a\nVersion: 1\n'],
    ['a name after the header', 'Summary: x\n\nName: a\nVersion: 1\n'],
  ])('with %s says nothing', (_, text) => {
    expect(parseHeader(text)).toBeNull();
  });

  test('whatever the text, there is an answer, and it is one line of a name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, version) => {
        const header = parseHeader(`Name: ${name}\nVersion: ${version}\n\nName: other\n`);
        if (header === null) return;
        expect(header.name).toMatch(/^[\w.-]+$/);
        if (header.version !== null) expect(header.version).toMatch(/^[\w.!+-]+$/);
      }),
    );
  });
});
