/**
 * Packages of npm and its relatives on a Windows machine: each manager's own folder, with the launcher
 * triplets that npm writes, links as junctions, the run-once caches, and look-alikes beside them.
 */
import type { Machine } from './windows-machine.js';
import { home, kim, local, roaming, windowsPath } from './windows-places.js';

interface Pack {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly tool: string;
}

const packs = {
  claude: {
    ...{ name: '@anthropic-ai/claude-code', version: '2.1.120', tool: 'claude-code' },
    bin: { claude: 'bin/claude.exe' },
  },
  oldClaude: {
    ...{ name: '@anthropic-ai/claude-code', version: '2.0.31', tool: 'claude-code' },
    bin: { claude: 'cli.js' },
  },
  codex: {
    ...{ name: '@openai/codex', version: '0.141.0', tool: 'codex-cli' },
    bin: { codex: 'bin/codex.js' },
  },
  gemini: {
    ...{ name: '@google/gemini-cli', version: '0.61.0', tool: 'gemini-cli' },
    bin: { gemini: 'bundle/gemini.js' },
  },
  opencode: {
    ...{ name: 'opencode-ai', version: '1.18.33', tool: 'opencode' },
    bin: { opencode: 'bin/opencode.exe' },
  },
  copilot: {
    ...{ name: '@github/copilot', version: '1.0.102', tool: 'github-copilot-cli' },
    bin: { copilot: 'npm-loader.js' },
  },
  qwen: {
    ...{ name: '@qwen-code/qwen-code', version: '0.24.4', tool: 'qwen-code' },
    bin: { qwen: 'cli-entry.js' },
  },
  amp: {
    ...{ name: '@ampcode/cli', version: '0.0.1790142911-g7618fb', tool: 'amp' },
    bin: { amp: 'bin/amp.exe' },
  },
  auggie: {
    ...{ name: '@augmentcode/auggie', version: '0.36.0', tool: 'augment' },
    bin: { auggie: 'augment.mjs' },
  },
  taskMaster: {
    ...{ name: 'task-master-ai', version: '0.29.0', tool: 'task-master' },
    bin: { 'task-master': 'dist/task-master.js' },
  },
  cn: {
    ...{ name: '@continuedev/cli', version: '1.5.47', tool: 'continue' },
    bin: { cn: 'dist/cn.js' },
  },
  promptfoo: {
    ...{ name: 'promptfoo', version: '0.118.17', tool: 'promptfoo' },
    bin: { promptfoo: 'dist/src/main.js' },
  },
  crush: { name: '@charmland/crush', version: '0.30.1', tool: 'crush', bin: { crush: 'run.js' } },
  droid: {
    name: 'droid',
    version: '0.22.3',
    tool: 'factory-droid',
    bin: { droid: 'bin/droid.js' },
  },
  qoder: {
    ...{ name: '@qoder-ai/qodercli', version: '0.1.12', tool: 'qoder-cli' },
    bin: { qodercli: 'bundle/qodercli.js' },
  },
} satisfies Record<string, Pack>;

export function plantNpm(machine: Machine): void {
  plantPrefixes(machine);
  plantVersionManagers(machine);
  plantOtherManagers(machine);
  plantCaches(machine);
  plantDecoys(machine);
}

/** The package as unpacked; answers its folder. */
function unpack(
  machine: Machine,
  modules: string,
  { name, version, bin }: Omit<Pack, 'tool'>,
): string {
  const at = `${modules}/${name}`;
  machine.json(`${at}/package.json`, { name, version, bin, license: 'MIT' });
  machine.filler(`${at}/dist`, machine.int(20, 90));
  for (const target of new Set(Object.values(bin))) {
    if (target.endsWith('.exe')) machine.program(`${at}/${target}`, version);
    else machine.file(`${at}/${target}`, '#!/usr/bin/env node\nimport("./index.js");\n');
  }
  return at;
}

/** The three launchers of npm's cmd-shim: for a POSIX shell, cmd.exe and PowerShell. */
function launchers(machine: Machine, folder: string, command: string, target: string): void {
  const slashed = `node_modules/${target}`;
  const backslashed = slashed.replaceAll('/', '\\');
  const isScript = !target.endsWith('.exe');
  machine.file(
    `${folder}/${command}`,
    [
      '#!/bin/sh',
      `basedir=$(dirname "$(echo "$0" | sed -e 's,\\\\,/,g')")`,
      `exec ${isScript ? 'node ' : ''} "$basedir/${slashed}" "$@"`,
      '',
    ].join('\n'),
  );
  machine.file(
    `${folder}/${command}.cmd`,
    `@ECHO off\r\nGOTO start\r\n:find_dp0\r\nSET dp0=%~dp0\r\nEXIT /b\r\n:start\r\nSETLOCAL\r\nCALL :find_dp0\r\n${isScript ? '"%_prog%"  ' : ''}"%dp0%\\${backslashed}"   %*\r\n`,
  );
  machine.file(
    `${folder}/${command}.ps1`,
    `#!/usr/bin/env pwsh\n$basedir=Split-Path $MyInvocation.MyCommand.Definition -Parent\n& ${isScript ? '"node$exe" ' : ''} "$basedir/${slashed}" $args\n`,
  );
}

/** `npm install -g` below a prefix: packages in node_modules, launchers beside it. */
function install(machine: Machine, prefix: string, via: string, ...list: readonly Pack[]): void {
  for (const pack of list) {
    const at = unpack(machine, `${prefix}/node_modules`, pack);
    for (const [command, target] of Object.entries(pack.bin))
      launchers(machine, prefix, command, `${pack.name}/${target}`);
    machine.found('npm', [pack.tool, pack.name, pack.version], at, { via });
    if (pack === packs.claude) plantHalf(machine, at);
  }
  unpack(machine, `${prefix}/node_modules`, { name: 'typescript', version: '5.9.3', bin: {} });
}

/** From 2.1.113 on the platform package's program stands in for `bin/claude.exe` by a hard link. */
function plantHalf(machine: Machine, at: string): void {
  const name = '@anthropic-ai/claude-code-win32-x64';
  const half = `${at}/node_modules/${name}`;
  machine.json(`${half}/package.json`, { name, version: '2.1.120', os: ['win32'], cpu: ['x64'] });
  machine.hardLink(`${half}/claude.exe`, `${at}/bin/claude.exe`);
  machine.decoy('platform half of an npm package: no second install', half);
}

/** Node itself as its archive has it. */
function node(machine: Machine, folder: string): void {
  machine.program(`${folder}/node.exe`);
  const npm = { name: 'npm', version: '10.9.3', bin: { npm: 'bin/npm-cli.js' } };
  unpack(machine, `${folder}/node_modules`, npm);
  launchers(machine, folder, 'npm', 'npm/bin/npm-cli.js');
  unpack(machine, `${folder}/node_modules`, { name: 'corepack', version: '0.34.0', bin: {} });
}

function plantPrefixes(machine: Machine): void {
  node(machine, 'Program Files/nodejs');
  // The installer's own npmrc sends global packages to each person's folder; an administrator's do not.
  machine.file('Program Files/nodejs/node_modules/npm/npmrc', 'prefix=${APPDATA}\\npm\n');
  install(machine, 'Program Files/nodejs', 'npm', packs.oldClaude);
  install(machine, `${roaming('ana')}/npm`, 'npm', packs.claude, packs.codex);
  install(machine, `${roaming('ben')}/npm`, 'npm', packs.oldClaude);
  install(machine, `${home(kim)}/npm-global`, 'npm', packs.droid);
  machine.file(`${home(kim)}/.npmrc`, 'prefix=${USERPROFILE}\\npm-global\nfund=false\n');
  install(machine, 'D/node/global', 'npm', packs.qoder);
  machine.file(`${home('ben')}/.npmrc`, 'prefix=D:\\node\\global\r\n');
}

function plantVersionManagers(machine: Machine): void {
  const nvm = `${local('ana')}/nvm`;
  for (const [version, pack] of [
    ['v22.21.0', packs.gemini],
    ['v20.19.5', packs.opencode],
  ] as const) {
    node(machine, `${nvm}/${version}`);
    install(machine, `${nvm}/${version}`, 'nvm', pack);
  }
  machine.file(`${nvm}/settings.txt`, `root: ${windowsPath(nvm)}\r\npath: C:\\nvm4w\\nodejs\r\n`);
  machine.program(`${nvm}/nvm.exe`);
  machine.link('nvm4w/nodejs', `${nvm}/v22.21.0`);
  node(machine, 'ProgramData/nvm/v24.1.0');
  install(machine, 'ProgramData/nvm/v24.1.0', 'nvm', packs.promptfoo);
  node(machine, 'D/nvm/v22.20.0');
  install(machine, 'D/nvm/v22.20.0', 'nvm', packs.qwen);
  machine.key('ben', 'Environment', { NVM_HOME: 'D:\\nvm', NVM_SYMLINK: 'C:\\nvm4w\\nodejs' });
  const fnm = `${roaming('ben')}/fnm/node-versions/v22.11.0/installation`;
  node(machine, fnm);
  install(machine, fnm, 'fnm', packs.copilot);
  machine.link(`${roaming('ben')}/fnm/aliases/default`, fnm);
  const mise = `${local(kim)}/mise/installs/node/22.21.0`;
  node(machine, mise);
  install(machine, mise, 'mise', packs.opencode);
  plantVolta(machine);
}

function plantVolta(machine: Machine): void {
  const volta = `${local('ben')}/Volta`;
  const { name, version, tool } = packs.auggie;
  const image = `${volta}/tools/image/packages/${name}`;
  const at = unpack(machine, `${image}/node_modules`, packs.auggie);
  launchers(machine, image, 'auggie', `${name}/augment.mjs`);
  const platform = { node: '22.21.0', npm: null, pnpm: null, yarn: null };
  const record = { name, version, platform, bins: ['auggie'], manager: 'Npm' };
  machine.json(`${volta}/tools/user/packages/${name}.json`, record);
  machine.json(`${volta}/tools/user/bins/auggie.json`, {
    ...record,
    name: 'auggie',
    package: name,
  });
  const script = '@echo off\r\nvolta run %~n0 %*\r\n';
  for (const command of ['auggie', 'codex']) machine.file(`${volta}/bin/${command}.cmd`, script);
  machine.found('npm', [tool, name, version], at, { via: 'volta' });
  machine.decoy('shim whose package record is gone', `${volta}/bin/codex.cmd`, 'residual');
  machine.note(
    'volta: the folder node_modules below an image and the .cmd shim follow volta-cli/volta (v4 layout), not a machine.',
  );
}

function plantOtherManagers(machine: Machine): void {
  const pnpm = `${local('ana')}/pnpm`;
  const { name, version, tool } = packs.amp;
  const store = `${pnpm}/global/5/.pnpm/@ampcode+cli@${version}/node_modules`;
  const real = unpack(machine, store, packs.amp);
  machine.link(`${pnpm}/global/5/node_modules/${name}`, real);
  machine.json(`${pnpm}/global/5/package.json`, { dependencies: { [name]: version } });
  machine.file(
    `${pnpm}/amp.cmd`,
    `@"%~dp0\\global\\5\\node_modules\\@ampcode\\cli\\bin\\amp.exe" %*\r\n`,
  );
  machine.found('npm', [tool, name, version], `${pnpm}/global/5/node_modules/${name}`, {
    via: 'pnpm',
    target: real,
  });

  const group = `${local(kim)}/pnpm/global/v11`;
  const inGroup = unpack(machine, `${group}/1b7-19a8c2/node_modules`, packs.qwen);
  machine.json(`${group}/1b7-19a8c2/package.json`, {
    dependencies: { [packs.qwen.name]: packs.qwen.version },
  });
  machine.link(`${group}/${machine.hex(32)}`, `${group}/1b7-19a8c2`);
  machine.found('npm', ['qwen-code', packs.qwen.name, packs.qwen.version], inGroup, {
    via: 'pnpm',
  });

  const yarn = `${local('ana')}/Yarn/Data/global`;
  const { name: master, version: masterVersion } = packs.taskMaster;
  const inYarn = unpack(machine, `${yarn}/node_modules`, packs.taskMaster);
  machine.json(`${yarn}/package.json`, { dependencies: { [master]: `^${masterVersion}` } });
  launchers(machine, `${local('ana')}/Yarn/bin`, 'task-master', `${master}/dist/task-master.js`);
  machine.found('npm', ['task-master', master, masterVersion], inYarn, { via: 'yarn' });

  const bun = `${home('ben')}/.bun/install/global`;
  const inBun = unpack(machine, `${bun}/node_modules`, packs.cn);
  machine.json(`${bun}/package.json`, {
    dependencies: { [packs.cn.name]: `^${packs.cn.version}` },
  });
  machine.program(`${home('ben')}/.bun/bin/cn.exe`);
  machine.file(`${home('ben')}/.bun/bin/cn.bunx`, Buffer.from([0x2e, 0, 0x2e, 0]));
  machine.found('npm', ['continue', packs.cn.name, packs.cn.version], inBun, { via: 'bun' });

  // Scoop's Node keeps global packages in a folder that survives its updates.
  const scoop = `${home('ben')}/scoop`;
  node(machine, `${scoop}/apps/nodejs/24.8.0`);
  machine.json(`${scoop}/apps/nodejs/24.8.0/manifest.json`, { version: '24.8.0' });
  machine.link(`${scoop}/apps/nodejs/current`, `${scoop}/apps/nodejs/24.8.0`);
  machine.link(`${scoop}/apps/nodejs/24.8.0/bin`, `${scoop}/persist/nodejs/bin`);
  install(machine, `${scoop}/persist/nodejs/bin`, 'npm', packs.crush);
}

function plantCaches(machine: Machine): void {
  const cached = (modules: string, pack: Pack, via: string, version = pack.version): void => {
    const at = unpack(machine, `${modules}/node_modules`, { ...pack, version });
    machine.json(`${modules}/package.json`, { dependencies: { [pack.name]: `^${version}` } });
    machine.found('npm', [pack.tool, pack.name, version], at, { via, state: 'cached' });
  };
  cached(`${local('ana')}/npm-cache/_npx/4f2c1a9e8b7d6035`, packs.gemini, 'npx', '0.60.0');
  cached(`${local('ben')}/npm-cache/_npx/91ce00d23ab41f77`, packs.qoder, 'npx', '0.1.9');
  cached(
    `${local('ana')}/Temp/bunx-3187234567-@openai/codex@latest`,
    packs.codex,
    'bunx',
    '0.140.0',
  );
  const dlx = `${local('ana')}/pnpm-cache/dlx/${machine.hex(32)}`;
  cached(`${dlx}/19a8c2f1d7e-2f4c`, packs.copilot, 'dlx', '1.0.90');
  machine.link(`${dlx}/pkg`, `${dlx}/19a8c2f1d7e-2f4c`);
  machine.filler(`${local('ana')}/npm-cache/_cacache/content-v2/sha512/aa/bb`, 400);
}

function plantDecoys(machine: Machine): void {
  const npm = `${roaming('ana')}/npm`;
  const lookAlike = (why: string, name: string, version: string): void => {
    machine.decoy(why, unpack(machine, `${npm}/node_modules`, { name, version, bin: {} }));
  };
  lookAlike('typosquat scope (synthetic name)', '@antropic-ai/claude-code', '2.1.120');
  lookAlike('npm package that shares its name with the PyPI gateway', 'litellm', '0.12.0');
  lookAlike('name that only begins like the tool (synthetic)', '@openai/codex-theme', '1.0.0');
  launchers(machine, npm, 'qwen', '@qwen-code/qwen-code/cli-entry.js');
  for (const suffix of ['', '.cmd', '.ps1'])
    machine.decoy('launcher whose package is gone', `${npm}/qwen${suffix}`, 'residual');
  machine.folder(`${npm}/node_modules/@google`);
  machine.decoy('scope folder that an uninstall left', `${npm}/node_modules/@google`);
  const half = `${npm}/node_modules/@anthropic-ai/.claude-code-2DTsDk1V`;
  machine.json(`${half}/package.json`, { name: '@anthropic-ai/claude-code', version: '2.1.91' });
  machine.decoy('what a broken update left', half, 'residual');
  machine.folder(`${npm}/opencode.exe`);
  machine.decoy('a folder called like a program on the PATH', `${npm}/opencode.exe`);
  const nested = `${npm}/node_modules/typescript/node_modules/@openai/codex`;
  machine.json(`${nested}/package.json`, { name: '@openai/codex', version: '0.2.0' });
  machine.decoy('package inside another package', nested);
  const project = `${home('ana')}/source/repos/notes`;
  machine.json(`${project}/package.json`, {
    name: 'notes',
    keywords: ['@openai/codex', 'gemini-cli'],
  });
  machine.file(
    `${project}/README.md`,
    '# Notes\n\nTry `npm install -g @anthropic-ai/claude-code`.\n',
  );
  machine.decoy('a project that only mentions tools', project);
  machine.program(`${home('ana')}/Downloads/codex-x86_64-pc-windows-msvc.exe`);
  machine.decoy(
    'a download that nothing starts',
    `${home('ana')}/Downloads/codex-x86_64-pc-windows-msvc.exe`,
  );
}
