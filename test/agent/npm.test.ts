/**
 * Which npm packages count as installs: every manager's own layout, in the versions it really writes,
 * and the look-alikes, left-overs, stores and shims that must not count.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { homesWorld, folderWorld } from '../../agent/detect/world.js';
import { npmDetector } from '../../agent/detect/npm.js';
import { watchedFolders, type World } from '../../agent/detect/index.js';
import { scanWorld, type ScanResult } from '../../agent/scan.js';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { link, place } from '../worlds/native.js';
import * as made from '../worlds/npm.js';

const catalogue = builtInCatalogue();
let top = '';
let home = '';

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-npm-'));
  home = path.join(top, 'home/ana');
  fs.mkdirSync(home, { recursive: true });
});
afterEach(() => fs.rmSync(top, { recursive: true, force: true }));

const scan = (world: World): ScanResult => scanWorld(world, { detectors: [npmDetector] });
const scanHome = (): ScanResult => scan(homesWorld([home], { catalogue }));
const scanMachine = (platform: 'linux' | 'darwin' | 'win32' = 'linux'): ScanResult =>
  scan(folderWorld(top, platform, { catalogue }));

/** What a person would say was found: tool, version, state, manager, and where below the top. */
function rows(result: ScanResult, below = top): string[] {
  expect(result.status).toBe('complete');
  return result.components.map(
    ({ tool, version, state, manager, path: at }) =>
      `${tool} ${version} ${state} ${manager} ${at.replace(`${below}/`, '')}`,
  );
}

describe('globals of npm', () => {
  test('C018 a scoped package of the machine is found with its whole name', () => {
    made.npmGlobal(path.join(top, 'usr/local'), made.claudeCode('2.1.120'), {
      name: 'npm',
      version: '11.5.1',
    });
    const result = scanMachine();
    expect(result.status).toBe('complete');
    expect(result.components).toMatchObject([
      {
        tool: 'claude-code',
        channel: 'npm',
        name: '@anthropic-ai/claude-code',
        purl: 'pkg:npm/%40anthropic-ai/claude-code@2.1.120',
        version: '2.1.120',
        path: '/usr/local/lib/node_modules/@anthropic-ai/claude-code',
        owner: null,
        scope: 'global',
        state: 'installed',
        confidence: 'high',
      },
    ]);
  });

  test('a Node unpacked below /opt counts as a prefix of the machine', () => {
    made.npmGlobal(path.join(top, 'opt/node'), made.codex('0.48.0'));
    expect(rows(scanMachine())).toEqual([
      'codex-cli 0.48.0 installed npm /opt/node/lib/node_modules/@openai/codex',
    ]);
  });

  test('C020 a prefix in the npmrc of its owner is followed, and nothing else of that file', () => {
    made.npmrcPrefix(home, '${HOME}/.packages', made.gemini('0.9.0'));
    const result = scanHome();
    expect(rows(result, home)).toEqual([
      'gemini-cli 0.9.0 installed npm .packages/lib/node_modules/@google/gemini-cli',
    ]);
    expect(result.components[0]?.owner).toBe('ana');
    expect(JSON.stringify(result)).not.toContain('CANARY');
  });

  test('a prefix in the home of someone else is not followed', () => {
    const other = path.join(top, 'home/ben');
    made.npmrcPrefix(home, path.join(other, '.hidden'), made.gemini('0.9.0'));
    expect(rows(scan(homesWorld([home, other], { catalogue })))).toEqual([]);
  });

  test('a prefix named by a shell start file is found', () => {
    place(home, '.zshrc', 'export NPM_CONFIG_PREFIX="$HOME/tools/npm"\n');
    made.npmGlobal(path.join(home, 'tools/npm'), made.gemini('0.9.0'));
    expect(rows(scanHome(), home)).toEqual([
      'gemini-cli 0.9.0 installed npm tools/npm/lib/node_modules/@google/gemini-cli',
    ]);
  });

  test('a Node anywhere on the PATH of its owner shows its globals', () => {
    place(home, '.profile', 'PATH="$HOME/sdk/node22/bin:$PATH"\n');
    made.npmGlobal(path.join(home, 'sdk/node22'), made.gemini('0.9.0'));
    expect(rows(scanHome(), home)).toEqual([
      'gemini-cli 0.9.0 installed npm sdk/node22/lib/node_modules/@google/gemini-cli',
    ]);
  });

  test('C023 a folder renamed in the middle of an update is residual, and an install again after it', () => {
    const modules = path.join(top, 'usr/local/lib/node_modules');
    made.unpackInto(modules, made.claudeCode('2.1.265'), '@anthropic-ai/.claude-code-2DTsDk1V');
    link(top, 'usr/local/bin/claude', '../lib/node_modules/@anthropic-ai/claude-code/cli.js');
    expect(rows(scanMachine())).toEqual([
      'claude-code 2.1.265 residual npm /usr/local/lib/node_modules/@anthropic-ai/.claude-code-2DTsDk1V',
    ]);
    fs.renameSync(
      path.join(modules, '@anthropic-ai/.claude-code-2DTsDk1V'),
      path.join(modules, '@anthropic-ai/claude-code'),
    );
    expect(rows(scanMachine())).toEqual([
      'claude-code 2.1.265 installed npm /usr/local/lib/node_modules/@anthropic-ai/claude-code',
    ]);
  });

  test('C030 a copy nested in another package is not an install', () => {
    const modules = path.join(top, 'usr/local/lib/node_modules');
    made.unpackInto(modules, { name: 'team-helper', version: '3.1.0' });
    made.unpackInto(path.join(modules, 'team-helper/node_modules'), made.gemini('0.8.1'));
    expect(rows(scanMachine())).toEqual([]);
  });

  test('C056 look-alike names are not the tools they resemble', () => {
    const names = [
      'claude-code-router',
      'oh-my-claudecode',
      'codex-activator',
      'codex',
      'opencode',
      '@anthropic-ai-tools/claude-code',
      'gemini-cli',
    ];
    const modules = path.join(top, 'usr/local/lib/node_modules');
    for (const name of names) made.unpackInto(modules, { name, version: '1.0.0' });
    const real = new Set(['claude-code', 'codex-cli', 'gemini-cli', 'opencode']);
    expect(scanMachine().components.filter(({ tool }) => real.has(tool ?? ''))).toEqual([]);
    made.unpackInto(modules, made.gemini('0.9.0'));
    const found = scanMachine().components.filter(({ tool }) => real.has(tool ?? ''));
    expect(found.map(({ tool }) => tool)).toEqual(['gemini-cli']);
  });

  test('the manifest decides over the name of the folder', () => {
    const modules = path.join(top, 'usr/local/lib/node_modules');
    made.unpackInto(modules, { name: 'left-pad', version: '1.3.0' }, '@openai/codex');
    expect(rows(scanMachine())).toEqual([]);
  });

  test.each(['npm', 'bun'])('a package under a name of its own choice is known (%s)', (manager) => {
    const folder = manager === 'bun' ? made.bunGlobal(home) : path.join(home, '.npm-global/lib');
    const dependencies = { cc: 'npm:@anthropic-ai/claude-code@2.1.198' };
    if (manager === 'bun') place(folder, 'package.json', JSON.stringify({ dependencies }));
    made.unpackInto(path.join(folder, 'node_modules'), made.claudeCode('2.1.198'), 'cc');
    place(folder, 'node_modules/broken/package.json', '{"name":');
    const at = path.relative(home, folder);
    expect(rows(scanHome(), home)).toEqual([
      `claude-code 2.1.198 installed ${manager} ${at}/node_modules/cc`,
    ]);
  });

  test('an entry of a manifest that leads out of its folder is refused', () => {
    const dependencies = { '../../../secret': 'npm:@openai/codex@1.0.0' };
    place(made.bunGlobal(home), 'package.json', JSON.stringify({ dependencies }));
    made.unpackInto(path.join(made.bunGlobal(home), '../..'), made.codex('1.0.0'), 'secret');
    const { components, readings } = scanHome();
    expect(components).toEqual([]);
    expect(readings.flatMap(({ problems }) => problems)).toMatchObject([{ code: 'refused-entry' }]);
  });

  test('a package that only a rule names is reported without a tool', () => {
    made.npmGlobal(path.join(top, 'usr/local'), { name: '@corp/secret-agent', version: '1.0.0' });
    expect(rows(scanMachine())).toEqual([]);
    const named = new Map([['npm', new Set(['@corp/secret-agent'])]]);
    expect(rows(scan(folderWorld(top, 'linux', { catalogue, named })))).toEqual([
      'null 1.0.0 installed npm /usr/local/lib/node_modules/@corp/secret-agent',
    ]);
  });

  test('a manifest without a version still counts, with the version unknown', () => {
    place(home, '.npm-global/lib/node_modules/opencode-ai/package.json', '{"name":"opencode-ai"}');
    expect(rows(scanHome(), home)).toEqual([
      'opencode null installed npm .npm-global/lib/node_modules/opencode-ai',
    ]);
  });

  test('a half-written manifest invents nothing and marks its root', () => {
    place(home, '.npm-global/lib/node_modules/opencode-ai/package.json', '{"name":"opencode-ai"');
    const { components, readings, status } = scanHome();
    expect(components).toEqual([]);
    expect(status).toBe('partial');
    expect(readings.find(({ root }) => root.path.includes('.npm-global'))).toMatchObject({
      status: 'partial',
      problems: [{ code: 'malformed', isLoss: true }],
    });
  });
});

describe('parts of one package', () => {
  test.each([true, false])('a hard-linked Claude Code is one install (nested: %s)', (isNested) => {
    const folder = made.bunGlobal(home);
    if (!isNested) {
      place(folder, 'package.json', '{"dependencies":{"@anthropic-ai/claude-code":"2.1.198"}}');
    }
    made.claudeCodeHardLinked(path.join(folder, 'node_modules'), '2.1.198', isNested);
    expect(rows(scanHome(), home)).toEqual([
      'claude-code 2.1.198 installed bun .bun/install/global/node_modules/@anthropic-ai/claude-code',
    ]);
  });

  test.each([true, false])(
    "Codex's aliased platform package is no second (nested: %s)",
    (isNested) => {
      made.codexAlias(path.join(home, '.npm-global/lib/node_modules'), '0.48.0', isNested);
      expect(rows(scanHome(), home)).toEqual([
        'codex-cli 0.48.0 installed npm .npm-global/lib/node_modules/@openai/codex',
      ]);
    },
  );
});

describe('Node version managers', () => {
  test('each Node of nvm has globals of its own', () => {
    made.nvm(home, 'v20.19.5', made.claudeCode('2.1.91'));
    made.nvm(home, 'v22.21.0', made.claudeCode('2.1.198'), made.codex('0.48.0'));
    const at = '.nvm/versions/node';
    expect(rows(scanHome(), home)).toEqual([
      `claude-code 2.1.91 installed nvm ${at}/v20.19.5/lib/node_modules/@anthropic-ai/claude-code`,
      `claude-code 2.1.198 installed nvm ${at}/v22.21.0/lib/node_modules/@anthropic-ai/claude-code`,
      `codex-cli 0.48.0 installed nvm ${at}/v22.21.0/lib/node_modules/@openai/codex`,
    ]);
  });

  test('C027 thousands of per-shell links are one install, and none of them is listed', () => {
    made.fnm(home, 'v22.21.0', made.codex('0.48.0'));
    const shell = made.fnmShells(home, 'v22.21.0', 2000);
    place(home, '.bashrc', `export PATH="${shell}/bin:$PATH"\n`);
    const { readings, ...result } = scanHome();
    const at = '.local/share/fnm/node-versions/v22.21.0/installation/lib/node_modules';
    expect(rows({ readings, ...result }, home)).toEqual([
      `codex-cli 0.48.0 installed fnm ${at}/@openai/codex`,
    ]);
    const world = homesWorld([home], { catalogue });
    const watched = readings.flatMap(({ root }) => watchedFolders(npmDetector, root, world));
    expect(watched.filter((folder) => folder.includes('multishells'))).toEqual([]);
  });

  test('asdf and mise count by their installs, never by their shims or short names', () => {
    made.asdf(home, '22.17.1', made.codex('0.48.0'));
    made.mise(home, '22.21.0', made.gemini('0.9.0'));
    made.miseBackend(home, made.opencode('1.14.29'));
    const installs = '.local/share/mise/installs';
    expect(rows(scanHome(), home).sort()).toEqual([
      'codex-cli 0.48.0 installed asdf .asdf/installs/nodejs/22.17.1/lib/node_modules/@openai/codex',
      `gemini-cli 0.9.0 installed mise ${installs}/node/22.21.0/lib/node_modules/@google/gemini-cli`,
      `opencode 1.14.29 installed mise ${installs}/npm-opencode-ai/1.14.29/lib/node_modules/opencode-ai`,
    ]);
  });

  test('C026 Volta counts by package and record together, never by the shim', () => {
    made.volta(home, made.codex('0.48.0'));
    const image = '.volta/tools/image/packages/@openai/codex';
    const row = `${image}/lib/node_modules/@openai/codex`;
    expect(rows(scanHome(), home)).toEqual([`codex-cli 0.48.0 installed volta ${row}`]);
    fs.rmSync(path.join(home, '.volta/tools/user'), { recursive: true });
    expect(rows(scanHome(), home)).toEqual([`codex-cli 0.48.0 residual volta ${row}`]);
    fs.rmSync(path.join(home, image), { recursive: true });
    expect(rows(scanHome(), home)).toEqual([]);
  });
});

describe('other package managers', () => {
  test('C025 both layouts of pnpm count, its store and an orphaned group do not', () => {
    made.pnpmOld(home, made.codex('0.46.0'));
    made.pnpmNew(home, { folder: '71-19c', hash: '9f8e7d6c5b4a3921' }, made.opencode('1.14.29'));
    made.pnpmNew(home, { folder: '70-19b', hash: null }, made.gemini('0.8.0'));
    const at = '.local/share/pnpm/global';
    expect(rows(scanHome(), home).sort()).toEqual([
      `codex-cli 0.46.0 installed pnpm ${at}/5/node_modules/@openai/codex`,
      `gemini-cli 0.8.0 residual pnpm ${at}/v11/70-19b/node_modules/@google/gemini-cli`,
      `opencode 1.14.29 installed pnpm ${at}/v11/71-19c/node_modules/opencode-ai`,
    ]);
  });

  test('C025 a group that links out of the folder of pnpm is not followed', () => {
    made.pnpmNew(home, { folder: '71-19c', hash: 'aa' }, made.opencode('1.14.29'));
    made.flatGlobal(path.join(home, 'elsewhere'), [made.gemini('0.8.0')]);
    link(home, '.local/share/pnpm/global/v11/bb', path.join(home, 'elsewhere'));
    const { components, status } = scanHome();
    expect(components.map(({ tool }) => tool)).toEqual(['opencode']);
    expect(status).toBe('partial');
  });

  test.each([
    ['yarn', made.yarnGlobal],
    ['bun', made.bunGlobal],
  ])('%s counts what was asked for and not what that needs', (manager, folder) => {
    made.flatGlobal(folder(home), [made.codex('0.48.0')], [made.gemini('0.8.1')]);
    const at = path.relative(home, folder(home));
    expect(rows(scanHome(), home)).toEqual([
      `codex-cli 0.48.0 installed ${manager} ${at}/node_modules/@openai/codex`,
    ]);
  });

  test('C028 run-once copies are cached, one row a version', () => {
    made.npx(path.join(home, '.npm'), '0b6f1c8e22d94a57', made.gemini('0.9.0'));
    made.npx(path.join(home, '.npm'), '1111111111111111', made.gemini('0.9.0'));
    made.npx(path.join(home, '.npm'), 'f174a06391103c7e', made.gemini('0.8.1'));
    expect(rows(scanHome(), home)).toEqual([
      'gemini-cli 0.9.0 cached npx .npm/_npx/0b6f1c8e22d94a57/node_modules/@google/gemini-cli',
      'gemini-cli 0.8.1 cached npx .npm/_npx/f174a06391103c7e/node_modules/@google/gemini-cli',
    ]);
  });

  test('C028 the run-once cache of Windows is below the local data of its owner', () => {
    const cache = path.join(top, 'Users/ana/AppData/Local/npm-cache');
    made.npx(cache, 'f174a06391103c7e', made.gemini('0.8.1'));
    expect(scanMachine('win32').components).toMatchObject([
      {
        state: 'cached',
        owner: 'ana',
        path: 'C:\\Users\\ana\\AppData\\Local\\npm-cache\\_npx\\f174a06391103c7e\\node_modules\\@google\\gemini-cli',
      },
    ]);
  });

  test('what pnpm dlx and bunx ran once is cached, and belongs to whom ran it', () => {
    place(top, 'etc/passwd', 'ana:x:1000:1000::/home/ana:/bin/bash\n');
    made.pnpmDlx(home, made.gemini('0.9.0'));
    made.bunx(path.join(top, 'tmp'), 1000, made.codex('0.48.0'));
    made.bunx(path.join(top, 'tmp'), 1000, made.opencode('1.14.29'));
    made.bunx(path.join(top, 'tmp'), 1007, made.claudeCode('2.1.91'));
    const result = scanMachine();
    expect(rows(result).sort()).toEqual([
      'codex-cli 0.48.0 cached bunx /tmp/bunx-1000-@openai/codex@latest/node_modules/@openai/codex',
      'gemini-cli 0.9.0 cached pnpm-dlx /home/ana/.cache/pnpm/dlx/5f1c/19c-4d2/node_modules/@google/gemini-cli',
      'opencode 1.14.29 cached bunx /tmp/bunx-1000-opencode-ai@latest/node_modules/opencode-ai',
    ]);
    expect(new Set(result.components.map(({ owner }) => owner))).toEqual(new Set(['ana']));
  });

  test('C032 three launchers on Windows are one install, and one launcher alone is none', () => {
    const ana = path.join(top, 'Users/Ana 100% Lima');
    made.windowsNpm(ana, made.gemini('0.9.0'));
    const win = scanMachine('win32');
    expect(win.components).toMatchObject([
      {
        tool: 'gemini-cli',
        version: '0.9.0',
        owner: 'Ana 100% Lima',
        state: 'installed',
        path: 'C:\\Users\\Ana 100% Lima\\AppData\\Roaming\\npm\\node_modules\\@google\\gemini-cli',
      },
    ]);
    fs.rmSync(path.join(ana, 'AppData/Roaming/npm/node_modules'), { recursive: true });
    expect(scanMachine('win32').components).toEqual([]);
  });
});
