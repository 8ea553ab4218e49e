/**
 * Builds the ways an npm package gets onto a machine, below a temporary folder: one function per way,
 * each as its manager lays it out on the disk, launchers and records included. Contents are made up.
 */
import fs from 'node:fs';
import path from 'node:path';
import { link, place, program } from './native.js';

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Command to file, as in the manifest. */
  readonly bin?: Readonly<Record<string, string>>;
}

export const claudeCode = (version: string): NpmPackage => {
  return { name: '@anthropic-ai/claude-code', version, bin: { claude: 'cli.js' } };
};
export const codex = (version: string): NpmPackage => {
  return { name: '@openai/codex', version, bin: { codex: 'bin/codex.js' } };
};
export const gemini = (version: string): NpmPackage => {
  return { name: '@google/gemini-cli', version, bin: { gemini: 'dist/index.js' } };
};
export const opencode = (version: string): NpmPackage => {
  return { name: 'opencode-ai', version, bin: { opencode: 'bin/opencode' } };
};

/** The package itself, as unpacked into `modules`; answers its folder. */
export function unpackInto(modules: string, pack: NpmPackage, folder = pack.name): string {
  place(modules, `${folder}/package.json`, JSON.stringify(pack, null, 2));
  for (const file of Object.values(pack.bin ?? {})) {
    program(modules, `${folder}/${file}`, '#!/usr/bin/env node\n');
  }
  return path.join(modules, folder);
}

/** `npm install -g` with a prefix: lib/node_modules, and a relative link per command in bin. */
export function npmGlobal(prefix: string, ...packs: readonly NpmPackage[]): void {
  for (const pack of packs) {
    unpackInto(path.join(prefix, 'lib/node_modules'), pack);
    for (const [command, file] of Object.entries(pack.bin ?? {})) {
      link(prefix, `bin/${command}`, `../lib/node_modules/${pack.name}/${file}`);
    }
  }
}

/** A person's own prefix, with the lines that an npmrc has besides. */
export function npmrcPrefix(home: string, prefix: string, ...packs: readonly NpmPackage[]): void {
  const lines = [
    '; moved by me',
    `prefix=${prefix}`,
    '//packages.example.test/:_authToken=CANARY-npm-token',
    'fund=false',
  ];
  place(home, '.npmrc', `${lines.join('\n')}\n`);
  npmGlobal(prefix.replace(/^(~|\$\{HOME\})/, home), ...packs);
}

export function nvm(home: string, node: string, ...packs: readonly NpmPackage[]): void {
  npmGlobal(path.join(home, '.nvm/versions/node', node), ...packs);
  place(home, '.nvm/alias/default', `${node}\n`);
}

/** fnm, with the per-shell links that its users have on PATH. */
export function fnm(home: string, node: string, ...packs: readonly NpmPackage[]): void {
  const install = path.join(home, '.local/share/fnm/node-versions', node, 'installation');
  npmGlobal(install, ...packs);
  link(home, '.local/share/fnm/aliases/default', install);
}

/** As many per-shell links as shells were ever opened, all to one install. */
export function fnmShells(home: string, node: string, count: number): string {
  const folder = path.join(home, '.local/state/fnm_multishells');
  const install = path.join(home, '.local/share/fnm/node-versions', node, 'installation');
  fs.mkdirSync(folder, { recursive: true });
  for (let shell = 0; shell < count; shell += 1) {
    fs.symlinkSync(install, path.join(folder, `${1000 + shell}_1780000000000`));
  }
  return path.join(folder, '1000_1780000000000');
}

/** Volta: an image per package, a record, and a shim that is one program for all commands. */
export function volta(home: string, pack: NpmPackage): void {
  const image = `.volta/tools/image/packages/${pack.name}`;
  npmGlobal(path.join(home, image), pack);
  const record = {
    name: pack.name,
    version: pack.version,
    platform: { node: '22.17.1', npm: null, pnpm: null, yarn: null },
    bins: Object.keys(pack.bin ?? {}),
    manager: 'Npm',
  };
  place(home, `.volta/tools/user/packages/${pack.name}.json`, JSON.stringify(record));
  voltaShims(home, Object.keys(pack.bin ?? {}));
}

export function voltaShims(home: string, commands: readonly string[]): void {
  program(home, '.volta/bin/volta-shim');
  for (const command of commands) link(home, `.volta/bin/${command}`, 'volta-shim');
}

export function asdf(home: string, node: string, ...packs: readonly NpmPackage[]): void {
  npmGlobal(path.join(home, '.asdf/installs/nodejs', node), ...packs);
  for (const command of packs.flatMap(({ bin }) => Object.keys(bin ?? {}))) {
    const text = `#!/usr/bin/env bash\n# asdf-plugin: nodejs ${node}\nexec asdf exec "${command}" "$@"\n`;
    program(home, `.asdf/shims/${command}`, text);
  }
}

/** mise's Node with globals, and the links by which it names a version more shortly. */
export function mise(home: string, node: string, ...packs: readonly NpmPackage[]): void {
  const installs = path.join(home, '.local/share/mise/installs/node');
  npmGlobal(path.join(installs, node), ...packs);
  for (const short of ['latest', node.split('.')[0] ?? '']) link(installs, short, `./${node}`);
}

/** mise's npm backend: a prefix of its own per package and version. */
export function miseBackend(home: string, pack: NpmPackage): void {
  const folder = `npm-${pack.name.replace('@', '').replace('/', '-')}`;
  const install = path.join(home, '.local/share/mise/installs', folder);
  npmGlobal(path.join(install, pack.version), pack);
  link(install, 'latest', `./${pack.version}`);
}

/** pnpm up to 10: one project with everything, packages linked into a store beside it. */
export function pnpmOld(home: string, ...packs: readonly NpmPackage[]): void {
  pnpmProject(path.join(home, '.local/share/pnpm/global/5'), packs);
  for (const { bin } of packs) {
    for (const command of Object.keys(bin ?? {})) {
      program(home, `.local/share/pnpm/${command}`, '#!/bin/sh\n');
    }
  }
}

/** pnpm 11: a project per group, found through a link that a hash names (pnpm.io/global-packages). */
export function pnpmNew(
  home: string,
  group: { readonly folder: string; readonly hash: string | null },
  ...packs: readonly NpmPackage[]
): void {
  const global = path.join(home, '.local/share/pnpm/global/v11');
  pnpmProject(path.join(global, group.folder), packs);
  if (group.hash !== null) link(global, group.hash, group.folder);
}

function pnpmProject(folder: string, packs: readonly NpmPackage[]): void {
  place(folder, 'package.json', JSON.stringify({ dependencies: wanted(packs) }));
  for (const pack of packs) {
    const store = `.pnpm/${pack.name.replace('/', '+')}@${pack.version}/node_modules`;
    unpackInto(path.join(folder, store), pack);
    const at = `node_modules/${pack.name}`;
    const up = '../'.repeat(pack.name.split('/').length);
    link(folder, at, `${up}${store}/${pack.name}`);
  }
}

const wanted = (packs: readonly NpmPackage[]): Record<string, string> =>
  Object.fromEntries(packs.map(({ name, version }) => [name, version]));

/** Yarn 1 and Bun: what was asked for in a manifest, and all that it needs in one flat folder. */
export function flatGlobal(
  folder: string,
  packs: readonly NpmPackage[],
  needed: readonly NpmPackage[] = [],
): void {
  place(folder, 'package.json', JSON.stringify({ dependencies: wanted(packs) }));
  for (const pack of [...packs, ...needed]) unpackInto(path.join(folder, 'node_modules'), pack);
}

export const yarnGlobal = (home: string): string => path.join(home, '.config/yarn/global');
export const bunGlobal = (home: string): string => path.join(home, '.bun/install/global');

/** npx: a folder per way of asking, named by a hash. */
export function npx(cache: string, hash: string, pack: NpmPackage): void {
  const manifest = {
    dependencies: { [pack.name]: `^${pack.version}` },
    _npx: { packages: [pack.name] },
  };
  place(cache, `_npx/${hash}/package.json`, JSON.stringify(manifest));
  unpackInto(path.join(cache, `_npx/${hash}/node_modules`), pack);
}

/** pnpm dlx: a link named `pkg` to the install that is in use. */
export function pnpmDlx(home: string, pack: NpmPackage): void {
  const at = path.join(home, '.cache/pnpm/dlx/5f1c');
  flatGlobal(path.join(at, '19c-4d2'), [pack]);
  link(at, 'pkg', '19c-4d2');
}

/** bunx: a folder in the shared temporary folder, by the number of the person and the package. */
export function bunx(temporary: string, uid: number, pack: NpmPackage): void {
  flatGlobal(path.join(temporary, `bunx-${uid}-${pack.name}@latest`), [pack]);
}

/** npm on Windows: packages beside the launchers, three launchers a command. */
export function windowsNpm(home: string, ...packs: readonly NpmPackage[]): void {
  const prefix = path.join(home, 'AppData/Roaming/npm');
  for (const pack of packs) {
    unpackInto(path.join(prefix, 'node_modules'), pack);
    for (const [command, file] of Object.entries(pack.bin ?? {})) {
      const target = `node_modules/${pack.name}/${file}`;
      place(prefix, command, `#!/bin/sh\nexec node "$basedir/${target}" "$@"\n`);
      place(prefix, `${command}.ps1`, `& node "$basedir/${target}" $args\r\n`);
      place(
        prefix,
        `${command}.cmd`,
        `@ECHO off\r\nnode "%~dp0\\${target.replaceAll('/', '\\')}" %*\r\n`,
      );
    }
  }
}

/**
 * Claude Code from 2.1.113 on: the wrapper's program is one file with that of the platform package, by
 * a hard link that its install script makes. `isNested`: as npm lays it out; else flattened (yarn, bun).
 */
export function claudeCodeHardLinked(modules: string, version: string, isNested = true): void {
  const wrapper = { ...claudeCode(version), bin: { claude: 'bin/claude.exe' } };
  const folder = unpackInto(modules, wrapper);
  const part = '@anthropic-ai/claude-code-linux-x64';
  const parts = isNested ? path.join(folder, 'node_modules') : modules;
  unpackInto(parts, { name: part, version });
  const binary = program(parts, `${part}/claude`, `BIN ${version}`);
  fs.rmSync(path.join(folder, 'bin/claude.exe'));
  fs.linkSync(binary, path.join(folder, 'bin/claude.exe'));
  program(modules, `${wrapper.name}/cli-wrapper.cjs`, '#!/usr/bin/env node\n');
}

/** Codex: its platform package is the same npm package under an alias, told apart by its version. */
export function codexAlias(modules: string, version: string, isNested = true): void {
  const folder = unpackInto(modules, codex(version));
  const parts = isNested ? path.join(folder, 'node_modules') : modules;
  const alias = { name: '@openai/codex', version: `${version}-linux-x64` };
  unpackInto(parts, alias, '@openai/codex-linux-x64');
  program(parts, '@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/codex/codex');
}
