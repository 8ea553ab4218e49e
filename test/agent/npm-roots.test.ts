/**
 * Where the npm channel looks: the folders it watches, and the copies in projects that only a deep
 * scan sees.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchedFolders, type Home, type World } from '../../agent/detect/index.js';
import { npmDetector } from '../../agent/detect/npm.js';
import { folderWorld, homesWorld } from '../../agent/detect/world.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { link, place } from '../worlds/native.js';
import * as made from '../worlds/npm.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-npm-roots-'));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const scanHome = (isDeep: boolean): ScanResult =>
  scanWorld(homesWorld([home], { catalogue, isDeep }), { detectors: [npmDetector] });

function rows(result: ScanResult): string[] {
  expect(result.status).toBe('complete');
  return result.components.map(
    ({ tool, version, state, manager, path: at }) =>
      `${tool} ${version} ${state} ${manager} ${at.replace(`${home}/`, '')}`,
  );
}

describe('projects', () => {
  test('C029 a dependency of a project is no install, and a project copy in a deep scan', () => {
    made.unpackInto(path.join(home, 'code/shop/node_modules'), made.codex('0.48.0'));
    place(home, 'code/shop/package.json', '{"devDependencies":{"@openai/codex":"^0.48.0"}}');
    expect(rows(scanHome(false))).toEqual([]);
    const deep = scanHome(true);
    expect(rows(deep)).toEqual([
      'codex-cli 0.48.0 installed project code/shop/node_modules/@openai/codex',
    ]);
    expect(deep.components[0]?.scope).toBe('project');
  });

  test('C030 a copy that another global package brings is a part of it, in a deep scan alone', () => {
    const modules = path.join(home, '.npm-global/lib/node_modules');
    made.unpackInto(modules, { name: '@team/helper', version: '3.1.0' });
    const nested = path.join(modules, '@team/helper/node_modules');
    made.unpackInto(nested, made.gemini('0.8.1'));
    made.unpackInto(nested, { name: 'openai', version: '5.0.0' });
    expect(rows(scanHome(false))).toEqual([]);
    expect(scanHome(true).components).toMatchObject([
      {
        tool: 'gemini-cli',
        version: '0.8.1',
        state: 'bundled',
        scope: 'global',
        evidence: ['dependency of @team/helper', 'package.json'],
      },
    ]);
  });

  test('C049 folders that link to each other end the walk, and the tool is reported once', () => {
    made.unpackInto(path.join(home, 'node_modules'), made.codex('0.48.0'));
    link(home, 'node_modules/self', '..');
    link(home, 'a/b', path.join(home, 'c'));
    link(home, 'c/d', path.join(home, 'a'));
    expect(rows(scanHome(true))).toEqual([
      'codex-cli 0.48.0 installed project node_modules/@openai/codex',
    ]);
  });
});

describe('global packages in a folder that settings name', () => {
  const modules = (folder: string): string => path.join(home, folder, 'node_modules');

  test.each([
    ['.npmrc', '//r.example.test/:_authToken=CANARY\nglobal-dir=${HOME}/p\n', 'p/5', 'pnpm'],
    ['.config/pnpm/rc', 'global-dir = "~/p" \r\nglobal-bin-dir=~/b\r\n', 'p/5', 'pnpm'],
    ['.config/pnpm/config.yaml', "_auth: CANARY\nglobalDir: '~/p' # mine\n", 'p/5', 'pnpm'],
    ['.yarnrc', '# yarn lockfile v1\n\nglobal-folder "$HOME/y"\n', 'y', 'yarn'],
    ['.config/pnpm/config.yaml', 'globalDir: ~/p # mine\n', 'p/5', 'pnpm'],
    ['.yarnrc', '--global-folder $HOME/y\n', 'y', 'yarn'],
    ['.bunfig.toml', '[install]\ntoken = "CANARY"\nglobalDir = "~/b" # mine\n', 'b', 'bun'],
    ['.profile', 'export BUN_INSTALL_GLOBAL_DIR="$HOME/b"\n', 'b', 'bun'],
  ])('%s: %j', (file, text, folder, manager) => {
    place(home, file, text);
    made.unpackInto(modules(folder), made.codex('0.48.0'));
    place(home, `${folder}/package.json`, '{"dependencies":{"@openai/codex":"^0.48.0"}}');
    const result = scanHome(false);
    expect(rows(result)).toEqual([
      `codex-cli 0.48.0 installed ${manager} ${folder}/node_modules/@openai/codex`,
    ]);
    expect(JSON.stringify(result)).not.toContain('CANARY');
  });

  test('that lies in the home of somebody else is left alone', () => {
    place(home, '.yarnrc', `global-folder "${path.join(top, 'home/ben/y')}"\n`);
    made.unpackInto(path.join(top, 'home/ben/y/node_modules'), made.codex('0.48.0'));
    expect(rows(scanHome(false))).toEqual([]);
  });

  test("Yarn's for root belong to the machine", () => {
    const folder = path.join(top, 'usr/local/share/.config/yarn/global');
    made.unpackInto(path.join(folder, 'node_modules'), made.codex('0.48.0'));
    place(folder, 'package.json', '{"dependencies":{"@openai/codex":"^0.48.0"}}');
    const world = folderWorld(top, 'linux', { catalogue });
    expect(scanWorld(world, { detectors: [npmDetector] }).components).toMatchObject([
      { tool: 'codex-cli', manager: 'yarn', owner: null, state: 'installed' },
    ]);
  });
});

describe('copies that a program fetched to run them itself', () => {
  test.each([
    ['.local/share/zed/external_agents/gemini/0.9.0', 'bundled', 'zed'],
    ['.local/share/zed/external_agents/some-extension/agent/v_1', 'bundled', 'zed'],
    ['.npm/_npx/12345/lib', 'cached', 'npx'],
  ])('%s is %s', (folder, state, manager) => {
    made.unpackInto(path.join(home, folder, 'node_modules'), made.gemini('0.9.0'));
    expect(rows(scanHome(false))).toEqual([
      `gemini-cli 0.9.0 ${state} ${manager} ${folder}/node_modules/@google/gemini-cli`,
    ]);
  });

  test("what bunx keeps on macOS lies in its owner's temporary folder", () => {
    const { uid } = fs.statSync(top);
    made.bunx(path.join(top, 'private/var/folders/zz/abc/T'), uid, made.codex('0.48.0'));
    made.bunx(path.join(top, 'private/var/folders/zz/abc/T'), uid + 1, made.gemini('0.9.0'));
    const accounts = [{ name: 'ana', uid, home: '/Users/ana', shell: null }];
    place(top, 'Users/ana/.zshrc', '');
    const world = folderWorld(top, 'darwin', { catalogue, accounts });
    expect(scanWorld(world, { detectors: [npmDetector] }).components).toMatchObject([
      { tool: 'codex-cli', manager: 'bunx', owner: 'ana', state: 'cached' },
    ]);
  });
});

describe('global packages of a Node that', () => {
  test.each([
    ['nvs', '.nvs/node/22.21.0/x64', 'nvs', ''],
    ['nvs elsewhere', 'tools/nvs/node/22.21.0/arm64', 'nvs', 'export NVS_HOME=~/tools/nvs'],
    ['proto', '.proto/tools/node/22.21.0', 'proto', ''],
    ['all of proto share', '.proto/tools/node/globals', 'proto', ''],
    ['n', 'n', 'n', ''],
    ['nodenv', '.nodenv/versions/22.21.0', 'nodenv', ''],
    ['pnpm', '.local/share/pnpm/nodejs/22.21.0', 'pnpm', ''],
    ["Homebrew's", '.linuxbrew', 'npm', ''],
    ["Homebrew's elsewhere", 'brew', 'npm', 'export HOMEBREW_PREFIX="$HOME/brew"'],
  ])('%s has', (_, prefix, manager, line) => {
    place(home, '.zshenv', `${line}\n`);
    made.npmGlobal(path.join(home, prefix), made.codex('0.48.0'));
    expect(rows(scanHome(false))).toEqual([
      `codex-cli 0.48.0 installed ${manager} ${prefix}/lib/node_modules/@openai/codex`,
    ]);
  });

  test('an npmrc in another place names are found', () => {
    place(home, '.profile', 'export NPM_CONFIG_USERCONFIG=$HOME/.config/npm/npmrc\n');
    place(home, '.config/npm/npmrc', `prefix=\${HOME}/.config/npm/global\n`);
    made.npmGlobal(path.join(home, '.config/npm/global'), made.codex('0.48.0'));
    expect(rows(scanHome(false))).toEqual([
      'codex-cli 0.48.0 installed npm .config/npm/global/lib/node_modules/@openai/codex',
    ]);
  });
});

test('an npmrc outside the home is left alone, and the one in it counts', () => {
  place(home, '.profile', 'export NPM_CONFIG_USERCONFIG=/etc/other/npmrc\n');
  place(home, '.npmrc', `prefix=\${HOME}/packages\n`);
  made.npmGlobal(path.join(home, 'packages'), made.codex('0.48.0'));
  const scan = scanHome(false);
  expect(scan.status).toBe('complete');
  expect(rows(scan)).toEqual([
    'codex-cli 0.48.0 installed npm packages/lib/node_modules/@openai/codex',
  ]);
});

describe('what is looked at', () => {
  const looked = (text: string): string[] => {
    place(home, '.zshrc', text);
    const world = homesWorld([home], { catalogue });
    return npmDetector.roots(world).map(({ id }) => id.replace(`${home}/`, '~/'));
  };

  test('the variables of each manager move its place', () => {
    const lines = [
      'export NVM_DIR=~/a/nvm',
      'export FNM_DIR=~/a/fnm',
      'export VOLTA_HOME=~/a/volta',
      'export ASDF_DATA_DIR=~/a/asdf',
      'export MISE_DATA_DIR=~/a/mise',
      'export N_PREFIX=~/a/n',
      'export NODENV_ROOT=~/a/nodenv',
      'export PNPM_HOME=~/a/pnpm',
      'export BUN_INSTALL=~/a/bun',
    ];
    expect(looked(lines.join('\n'))).toEqual(
      expect.arrayContaining([
        'npm:~/a/nvm/versions/node',
        'npm:~/a/fnm/node-versions',
        'npm:~/a/volta/tools',
        'npm:~/a/asdf/installs/nodejs',
        'npm:~/a/mise/installs',
        'npm:~/a/n/lib/node_modules',
        'npm:~/a/nodenv/versions',
        'npm:~/a/pnpm/global',
        'npm:~/a/bun/install/global',
      ]),
    );
  });

  test('a place outside the home is nothing to a scan of that home alone', () => {
    expect(looked('export NVM_DIR=/srv/nvm').filter((id) => id.includes('/srv'))).toEqual([]);
  });

  test.each(['/home/ben/.hidden', '/srv/door'])(
    'a place in the home of someone else is not theirs to name (%s)',
    (prefix) => {
      made.npmGlobal(path.join(top, 'home/ben/.hidden'), made.codex('0.48.0'));
      link(top, 'srv/door', '/home/ben/.hidden');
      place(home, '.npmrc', `prefix=${prefix}\n`);
      const world = folderWorld(top, 'linux', { catalogue });
      expect(world.homes.map(({ account }) => account)).toEqual(['ana', 'ben']);
      expect(scanWorld(world, { detectors: [npmDetector] }).components).toEqual([]);
    },
  );

  test('a folder of pnpm that links out of the home is marked and not read', () => {
    const ben = path.join(top, 'home/ben');
    made.pnpmOld(ben, made.codex('0.46.0'));
    link(home, '.local/share/pnpm', path.join(ben, '.local/share/pnpm'));
    const { components, readings, status } = scanHome(false);
    expect([components, status]).toEqual([[], 'partial']);
    expect(readings.find(({ root }) => root.layout === 'pnpm')).toMatchObject({
      status: 'unreadable',
      problems: [{ code: 'outside', isLoss: true }],
    });
  });

  test('a place of the machine that a person names belongs to the machine', () => {
    place(home, '.zshrc', 'export NVM_DIR=/srv/nvm\n');
    made.npmGlobal(path.join(top, 'srv/nvm/versions/node/v22.21.0'), made.codex('0.48.0'));
    const world = folderWorld(top, 'linux', { catalogue });
    expect(scanWorld(world, { detectors: [npmDetector] }).components).toMatchObject([
      { owner: null, manager: 'nvm', path: expect.stringContaining('/srv/nvm/') as string },
    ]);
  });
});

describe('what is watched', () => {
  const watched = (owner: Home | null, world: World): readonly string[] =>
    npmDetector
      .roots(world)
      .filter((root) => root.home === owner)
      .flatMap((root) => watchedFolders(npmDetector, root, world));

  test('the folder of packages and the catalogued scopes in it, and no package', () => {
    made.npmGlobal(path.join(top, 'usr/local'), made.claudeCode('2.1.120'), {
      name: '@corp/x',
      version: '1.0.0',
    });
    const folders = watched(null, folderWorld(top, 'linux', { catalogue }));
    const modules = '/usr/local/lib/node_modules';
    expect(folders.filter((folder) => folder.startsWith(modules))).toEqual([
      modules,
      `${modules}/@anthropic-ai`,
    ]);
  });

  test('a version manager is watched for new versions too', () => {
    made.nvm(home, 'v22.21.0', made.codex('0.48.0'));
    const world = homesWorld([home], { catalogue });
    const at = path.join(home, '.nvm/versions/node');
    expect(watched(world.homes[0] ?? null, world).filter((one) => one.startsWith(at))).toEqual([
      at,
      `${at}/v22.21.0/lib/node_modules`,
      `${at}/v22.21.0/lib/node_modules/@openai`,
    ]);
  });
});
