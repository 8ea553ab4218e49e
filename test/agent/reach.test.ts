/**
 * That every identifier of the catalogue leads to its tool on a machine: each is planted in the
 * smallest form that its channel has, all of them on one machine per platform, and the detectors look.
 * A kind of identifier that is not planted here has to say why.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderWorld } from '../../agent/detect/world.js';
import { scanWorld } from '../../agent/scan.js';
import {
  builtInCatalogue,
  identifierKinds,
  normalName,
  type IdentifierKind,
  type InstallFolder,
  type Tool,
} from '../../policies/catalogue.js';
import type { Channel, Component, Platform } from '../../policies/component.js';
import { bundle, menuEntry } from '../worlds/applications.js';
import * as browsers from '../worlds/browsers.js';
import * as editors from '../worlds/editors.js';
import { withKey, writeHive, type HiveKey } from '../worlds/hive.js';
import { commandCask, formula } from '../worlds/homebrew.js';
import { pluginsFolder, unpackPlugin } from '../worlds/jetbrains.js';
import { place, program } from '../worlds/native.js';
import { unpackInto } from '../worlds/npm.js';
import * as packages from '../worlds/packages.js';
import { rpmSqlite } from '../worlds/rpm.js';

const catalogue = builtInCatalogue();
const version = '1.2.3';
const homeOf = { linux: 'home/ana', darwin: 'Users/ana', win32: 'Users/ana' } as const;

interface Planter {
  readonly platform: Platform;
  readonly channel: Channel;
  /** Plants all names below the folder that stands for the machine. */
  readonly plant: (root: string, names: readonly string[]) => void;
}

const each =
  (plant: (root: string, name: string) => unknown): Planter['plant'] =>
  (root, names) => {
    for (const name of names) plant(root, name);
  };

/** A command that no tool has, so that only the record tells. */
const commandOf = (name: string): string => `run-${name.toLowerCase().replace(/[^a-z0-9]/g, '-')}`;

const uninstallKeys: Planter['plant'] = (root, names) => {
  const below = 'Microsoft\\Windows\\CurrentVersion\\Uninstall';
  const tree = names.reduce((made: HiveKey, name) => {
    const at = `C:\\Programs\\${name}`;
    const publisher = catalogue.match('windowsApp', name)?.vendor ?? '';
    const values = {
      DisplayName: name,
      DisplayVersion: version,
      Publisher: publisher,
      InstallLocation: at,
      UninstallString: `"${at}\\unins000.exe"`,
    };
    program(root, `Programs/${name}/${name.replace(/ \(User\)$/, '')}.exe`, name);
    return withKey(made, `${below}\\${name}_is1`, { values });
  }, {});
  writeHive(path.join(root, 'Windows/System32/config/SOFTWARE'), tree);
};

const browserExtensions: Planter['plant'] = (root, names) => {
  const home = path.join(root, homeOf.linux);
  const chromium = names.filter((name) => /^[a-p]{32}$/.test(name));
  const profile = path.join(home, browsers.chromeFolder.linux, 'Default');
  const list = chromium.map((id) => ({ id, version }));
  browsers.writePreferences(
    profile,
    list.map((one) => browsers.preference(one)),
  );
  for (const one of list) browsers.unpackExtension(profile, one);
  const firefox = path.join(home, browsers.firefoxFolder.linux);
  const addons = names.filter((name) => !chromium.includes(name)).map((id) => ({ id, version }));
  const folder = path.join(firefox, 'one.default');
  browsers.writeProfiles(firefox, ['one.default']);
  for (const one of addons) browsers.packAddon(folder, one);
  browsers.writeAddons(
    folder,
    addons.map((one) => browsers.addonEntry(folder, one)),
  );
};

const planters: Partial<Record<IdentifierKind, Planter>> = {
  npm: {
    platform: 'linux',
    channel: 'npm',
    plant: each((root, name) =>
      unpackInto(path.join(root, 'usr/lib/node_modules'), { name, version }),
    ),
  },
  pypi: {
    platform: 'linux',
    channel: 'pypi',
    plant: each((root, name) => {
      const folder = `usr/lib/python3/dist-packages/${name.replaceAll('-', '_')}-${version}.dist-info`;
      return place(
        root,
        `${folder}/METADATA`,
        `Metadata-Version: 2.4\nName: ${name}\nVersion: ${version}\n`,
      );
    }),
  },
  homebrewFormula: {
    platform: 'darwin',
    channel: 'homebrew',
    plant: each((root, name) =>
      formula(path.join(root, 'opt/homebrew'), { name, version, command: commandOf(name) }),
    ),
  },
  homebrewCask: {
    platform: 'darwin',
    channel: 'homebrew',
    plant: each((root, name) =>
      commandCask(path.join(root, 'opt/homebrew'), name, version, commandOf(name)),
    ),
  },
  editorExtension: {
    platform: 'linux',
    channel: 'editor-extension',
    plant: (root, names) =>
      editors.installed(
        path.join(root, homeOf.linux, '.vscode/extensions'),
        ...names.map((id) => ({ id, version })),
      ),
  },
  jetbrainsPlugin: {
    platform: 'linux',
    channel: 'jetbrains-plugin',
    plant: each((root, id) =>
      unpackPlugin(path.join(root, homeOf.linux, pluginsFolder.linux('IntelliJIdea2026.1')), {
        id,
        version,
        folder: commandOf(id),
      }),
    ),
  },
  browserExtension: { platform: 'linux', channel: 'browser-extension', plant: browserExtensions },
  bundleId: {
    platform: 'darwin',
    channel: 'application',
    plant: each((root, id) =>
      bundle(path.join(root, 'Applications'), commandOf(id), { id, version }),
    ),
  },
  windowsApp: { platform: 'win32', channel: 'application', plant: uninstallKeys },
  desktopFile: {
    platform: 'linux',
    channel: 'application',
    plant: each((root, id) => {
      // A menu entry's id may be anybody's: the program has to bear the tool's name too.
      program(root, `opt/${commandOf(id)}/${id}`, id);
      const folder = path.join(root, 'usr/share/applications');
      return menuEntry(folder, id, `/opt/${commandOf(id)}/${id}`);
    }),
  },
  dpkg: {
    platform: 'linux',
    channel: 'package',
    plant: (root, names) =>
      packages.dpkgStatus(root, ...names.map((name) => packages.dpkgRecord({ name, version }))),
  },
  rpm: {
    platform: 'linux',
    channel: 'package',
    plant: (root, names) =>
      void rpmSqlite(
        root,
        names.map((name) => ({ name, version, release: '1' })),
      ),
  },
  apk: {
    platform: 'linux',
    channel: 'package',
    plant: (root, names) => {
      const records = names.map((name) => `C:Q1def=\nP:${name}\nV:${version}-r0\nA:x86_64\n`);
      place(root, 'lib/apk/db/installed', `${records.join('\n')}\n`);
    },
  },
  pacman: {
    platform: 'linux',
    channel: 'package',
    plant: each((root, name) =>
      packages.pacmanLocal(root, { name, version: `${version}-1` }, commandOf(name)),
    ),
  },
  snap: {
    platform: 'linux',
    channel: 'package',
    plant: each((root, name) => packages.snap(root, { name, version })),
  },
  flatpak: {
    platform: 'linux',
    channel: 'package',
    plant: each((root, name) =>
      packages.flatpak(path.join(root, 'var/lib/flatpak'), { name, version }),
    ),
  },
  winget: {
    platform: 'win32',
    channel: 'package',
    plant: each((root, id) => packages.winget(path.join(root, homeOf.win32), id, commandOf(id))),
  },
  scoop: {
    platform: 'win32',
    channel: 'package',
    plant: each((root, name) =>
      packages.scoop(
        path.join(root, homeOf.win32),
        { name, version },
        { command: commandOf(name) },
      ),
    ),
  },
  chocolatey: {
    platform: 'win32',
    channel: 'package',
    plant: each((root, name) => packages.chocolatey(root, { name, version })),
  },
  command: {
    platform: 'linux',
    channel: 'executable',
    plant: each((root, name) => program(root, `usr/local/bin/${name}`, `BIN ${name}`)),
  },
};

/** Kinds of name that no record of a package manager holds, and why they are not planted here. */
const elsewhere: Partial<Record<IdentifierKind, string>> = {
  npmParts: 'a part of an install, never one itself',
  genericCommand: 'proves nothing by itself: below',
  goModule: 'read from the contents of a program',
  contentMarker: 'read from the contents of a program',
  codeSignature: 'read from the contents of a program',
};

const folders = catalogue.tools.flatMap((tool) =>
  tool.folders.flatMap((folder) => folder.os.map((platform) => ({ tool, folder, platform }))),
);
/** A path that fits the pattern, without the drive. */
const exampleOf = ({ path: pattern }: InstallFolder, platform: Platform): string =>
  pattern
    .replace(/^~/, homeOf[platform])
    .replace(/^([A-Z]:)?\//, '')
    .replace('/*/extensions/', '/.vscode/extensions/')
    .replace('{version}', version)
    .replaceAll('*', 'linux-x64');
/** Starts the newest version in a folder beside it, and is told as that. */
const launchers = ['~/AppData/Local/AnthropicClaude/claude.exe'];

const trees = new Map<string, string>();
const found = new Map<string, readonly Component[]>();
const platforms = ['linux', 'darwin', 'win32'] as const;
const namesOf = (kind: IdentifierKind): readonly string[] =>
  catalogue.tools.flatMap(({ identifiers }) => identifiers[kind]);

function look(tree: string, platform: Platform, plant: (root: string) => void): void {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'curfew-reach-')));
  trees.set(tree, root);
  const home = path.join(root, homeOf[platform]);
  fs.mkdirSync(home, { recursive: true });
  plant(root);
  const homePath = platform === 'win32' ? 'C:\\Users\\ana' : `/${homeOf[platform]}`;
  const world = folderWorld(root, platform, {
    catalogue,
    accounts: [{ name: 'ana', home: homePath, uid: null, shell: null }],
  });
  found.set(tree, scanWorld(world).components);
}

beforeAll(() => {
  for (const platform of platforms) {
    look(platform, platform, (root) => {
      for (const [kind, planter] of Object.entries(planters)) {
        if (planter.platform === platform) planter.plant(root, namesOf(kind as IdentifierKind));
      }
    });
    look(`${platform} folders`, platform, (root) => {
      for (const { folder, platform: on } of folders) {
        if (on === platform) program(root, exampleOf(folder, platform), folder.path);
      }
    });
  }
  look('shared commands', 'linux', (root) => {
    for (const name of namesOf('genericCommand')) program(root, `usr/local/bin/${name}`, name);
  });
});
afterAll(() => {
  for (const root of trees.values()) fs.rmSync(root, { recursive: true, force: true });
});

const isNamed = ({ name, path: at }: Component, kind: IdentifierKind, wanted: string): boolean =>
  normalName(kind, name) === normalName(kind, wanted) ||
  at
    .split(/[\\/]/)
    .some((segment) => [wanted, commandOf(wanted), `${commandOf(wanted)}.app`].includes(segment));

describe.each(Object.entries(planters))('%s', (kind, { platform, channel }) => {
  const claims = catalogue.tools.flatMap((tool) =>
    tool.identifiers[kind as IdentifierKind].map((name) => ({ tool, name })),
  );
  test.each(claims)('$name leads to $tool.id', ({ tool, name }) => {
    const here = found.get(platform)?.filter((one) => one.channel === channel) ?? [];
    const named = here.filter((one) => isNamed(one, kind as IdentifierKind, name));
    expect([...new Set(named.map((one) => one.tool))]).toEqual([tool.id]);
  });
});

const stateOf = ({ bundled }: InstallFolder): string => (bundled ? 'bundled' : 'installed');

describe.each(platforms)('install folders of %s', (platform) => {
  const here = folders.filter((one) => one.platform === platform);
  test.each(here)('$folder.path is $tool.id', ({ tool, folder }) => {
    const at = exampleOf(folder, platform).replaceAll('/', platform === 'win32' ? '\\' : '/');
    const seen = found.get(`${platform} folders`)?.filter((one) => one.path.endsWith(at)) ?? [];
    const told = seen.map((one) => [one.tool, one.state]);
    expect(told).toEqual(launchers.includes(folder.path) ? [] : [[tool.id, stateOf(folder)]]);
    if (folder.path.includes('{version}')) expect(seen[0]?.version).toBe(version);
  });
});

test('a command that several programs share leads to no tool', () => {
  const named = namesOf('genericCommand');
  expect(named.length).toBeGreaterThan(20);
  expect(found.get('shared commands')).toEqual([]);
});

test('every kind of identifier is planted here, or says why not', () => {
  const known = [...Object.keys(planters), ...Object.keys(elsewhere)];
  expect(known.sort()).toEqual([...identifierKinds].sort());
});

test('every tool is reached by something that was planted', () => {
  const reached = new Set([...found.values()].flat().map(({ tool }) => tool));
  const unreached = catalogue.tools.filter((tool: Tool) => !reached.has(tool.id));
  expect(unreached.map(({ id }) => id)).toEqual([]);
});
