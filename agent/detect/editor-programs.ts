/**
 * Extensions that an editor ships inside its own program folder, which nobody can uninstall: they are
 * `bundled`. The editor is known by its product record, a new one by the shape of its folder. Whether
 * all its people have switched AI features off is told as evidence; it changes no state.
 */
import type { EditorHost } from '../../policies/catalogue.js';
import type { Component } from '../../policies/component.js';
import { homeOf, makeComponent, toolOf } from './component.js';
import type { Home, Reader, Root, World } from './index.js';

const prefix = 'editor-program:';
/** VS Code's own switch for all of its AI features. */
const switchName = 'chat.disableAIFeatures';
const maxPrograms = 2_000;

/** The extensions folders inside editors' program folders that are there now. */
export function programRoots(world: World): readonly Root[] {
  return placesOf(world).flatMap(({ parent, below }) => {
    const home = homeOf(world, parent);
    if (home === null && !world.hasSystem) return [];
    const boundary = { within: [parent] };
    const reader = world.reader(boundary);
    return reader
      .list(parent)
      .filter(
        ({ name, kind }) => kind === 'dir' && (parent !== home?.path || !name.startsWith('.')),
      )
      .slice(0, maxPrograms)
      .flatMap(({ name }) => buildsOf(world.path.join(parent, name), world, reader))
      .map((program) => world.path.join(program, ...below.split('/')))
      .filter((path) => reader.facts(path)?.kind === 'dir')
      .map((path): Root => {
        const manager = editorOf(path, world, reader)?.id ?? null;
        const id = `${prefix}${path}`;
        return { id, channel: 'editor-extension', manager, path, home, boundary, watch: [path] };
      });
  });
}

/**
 * The program's folder, and on Windows the folders in it that newer setups keep for each build, named
 * by the head of its commit (microsoft/vscode, build/win32/code.iss). Only those of an editor are
 * looked for: a folder that has a command's script beside them.
 */
function buildsOf(program: string, { path, platform }: World, reader: Reader): readonly string[] {
  if (platform !== 'win32' || reader.facts(path.join(program, 'bin'))?.kind !== 'dir') {
    return [program];
  }
  const builds = reader
    .list(program)
    .filter(({ name, kind }) => kind === 'dir' && /^[0-9a-f]{10,40}$/i.test(name))
    .map(({ name }) => path.join(program, name));
  return [program, ...builds];
}

export function isProgramRoot({ id }: Root): boolean {
  return id.startsWith(prefix);
}

/** A folder whose entries are programs, and where such a program keeps its extensions. */
interface Place {
  readonly parent: string;
  readonly below: string;
}

const inProgram = 'resources/app/extensions';
const snaps = ['code', 'code-insiders', 'codium'];
const flatpaks = ['com.visualstudio.code', 'com.visualstudio.code.insiders', 'com.vscodium.codium'];
/** Folders of a home in which people unpack programs; itself among them. */
const unpackedIn = ['', 'Apps', 'apps', 'opt', 'programs', '.local/opt', '.local/share'];

function placesOf(world: World): readonly Place[] {
  const { platform, path, homes } = world;
  const programs = (...parents: readonly string[]): readonly Place[] =>
    parents.map((parent) => ({ parent, below: inProgram }));
  const inHomes = (...folders: readonly string[]): readonly string[] =>
    homes.flatMap((home) => folders.map((folder) => path.join(home.path, folder)));
  const servers = homes.flatMap((home) => serverPlaces(home, world));
  switch (platform) {
    case 'linux': {
      const sandboxed = ['/var/lib/flatpak', ...inHomes('.local/share/flatpak')].flatMap((top) =>
        flatpaks.flatMap((app) =>
          ['extra', 'share'].map((folder) =>
            path.join(top, 'app', app, 'current/active/files', folder),
          ),
        ),
      );
      return [
        ...programs('/opt', '/usr/share', '/usr/lib', '/usr/local/share'),
        ...programs(...snaps.map((app) => `/snap/${app}/current/usr/share`), ...sandboxed),
        ...programs(...inHomes(...unpackedIn)),
        ...servers,
      ];
    }
    case 'darwin':
      return [
        ...['/Applications', ...inHomes('Applications')].map((parent) => {
          return { parent, below: 'Contents/Resources/app/extensions' };
        }),
        ...servers,
      ];
    case 'win32':
      return [
        ...programs('C:\\Program Files', ...inHomes('AppData\\Local\\Programs')),
        // Names have no case there, so `apps` is `Apps`.
        ...programs(...inHomes(...unpackedIn.filter((one) => !/^\.|^apps$/.test(one)))),
        ...servers,
      ];
  }
}

/** The remote half of an editor is a program too, one per version: by the editor's own command, or as `bin/<commit>`. */
function serverPlaces(home: Home, world: World): readonly Place[] {
  const { join } = world.path;
  const reader = world.reader({ within: [home.path] });
  return world.catalogue.editors.flatMap(({ homeFolder, isServer }) => {
    const folder = join(home.path, homeFolder);
    if (!isServer || reader.facts(folder) === null) return [];
    return [
      { parent: join(folder, 'cli', 'servers'), below: 'server/extensions' },
      { parent: join(folder, 'bin'), below: 'extensions' },
    ];
  });
}

/** The editor whose home folder the product record names; a server lies in its own. */
function editorOf(extensions: string, world: World, reader: Reader): EditorHost | null {
  const { editors } = world.catalogue;
  const folders = new Set(extensions.split(world.path.sep));
  const server = editors.find(({ homeFolder, isServer }) => isServer && folders.has(homeFolder));
  if (server !== undefined) return server;
  const product = reader.json(world.path.join(world.path.dirname(extensions), 'product.json'));
  const isRecord = typeof product === 'object' && product !== null && 'dataFolderName' in product;
  const folder = isRecord ? product.dataFolderName : null;
  return editors.find(({ homeFolder }) => homeFolder === folder) ?? null;
}

export function readProgram(root: Root, world: World, reader: Reader): readonly Component[] {
  const editor = editorOf(root.path, world, reader);
  const isOff = isSwitchedOff(editor, root.home, world);
  return reader.list(root.path).flatMap(({ name: folder, kind }) => {
    const path = world.path.join(root.path, folder);
    const record = kind === 'dir' ? reader.json(world.path.join(path, 'package.json')) : undefined;
    if (typeof record !== 'object' || record === null) return [];
    const { publisher, name, version } = record as Readonly<Record<string, unknown>>;
    if (typeof publisher !== 'string' || typeof name !== 'string') return [];
    const id = `${publisher}.${name}`.toLowerCase();
    const tool = toolOf(world, 'editor-extension', id);
    if (tool === 'unwanted') return [];
    return makeComponent(world, {
      tool,
      channel: 'editor-extension',
      manager: root.manager,
      name: id,
      version: typeof version === 'string' ? version : null,
      path,
      state: 'bundled',
      confidence: 'high',
      evidence: ['package.json', 'program folder', ...(isOff ? [`disabled:${switchName}`] : [])],
    });
  });
}

/** Whether everybody who has settings of this editor has turned its AI features off there. */
function isSwitchedOff(editor: EditorHost | null, owner: Home | null, world: World): boolean {
  const homes = owner === null ? world.homes : [owner];
  const settings = homes.flatMap((home) => {
    const reader = world.reader({ within: [home.path] });
    return configFolders(editor, home, world).flatMap((folder) => {
      const file = world.path.join(folder, 'User', 'settings.json');
      const values = reader.facts(file) === null ? undefined : reader.json(file);
      return typeof values === 'object' && values !== null ? [values] : [];
    });
  });
  const isOff = (values: object): boolean =>
    switchName in values && (values as Record<string, unknown>)[switchName] === true;
  return settings.length > 0 && settings.every(isOff);
}

/** Where the editor keeps a person's settings; of an unknown one, wherever any editor does. */
function configFolders(editor: EditorHost | null, home: Home, world: World): readonly string[] {
  const hosts = editor === null ? world.catalogue.editors : [editor];
  return hosts.flatMap(({ configFolder }) => {
    return configFolder === null
      ? []
      : [world.path.join(settingsFolder(home, world), configFolder)];
  });
}

/** The folder below which programs keep a person's settings. */
export function settingsFolder(home: Home, { path, platform }: World): string {
  switch (platform) {
    case 'linux':
      return home.env['XDG_CONFIG_HOME'] ?? path.join(home.path, '.config');
    case 'darwin':
      return path.join(home.path, 'Library', 'Application Support');
    case 'win32':
      return home.env['APPDATA'] ?? path.join(home.path, 'AppData', 'Roaming');
  }
}
