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
  const { parents, below } = placesOf(world);
  return parents.flatMap((parent) => {
    const home = homeOf(world, parent);
    if (home === null && !world.hasSystem) return [];
    const boundary = { within: [parent] };
    const reader = world.reader(boundary);
    return reader
      .list(parent)
      .filter(({ kind }) => kind === 'dir')
      .slice(0, maxPrograms)
      .flatMap(({ name }) => buildsOf(world.path.join(parent, name), world, reader))
      .map((program) => world.path.join(program, below))
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

/** Folders whose entries are programs, and where such a program keeps its extensions. */
function placesOf({ platform, path, homes }: World): {
  readonly parents: readonly string[];
  readonly below: string;
} {
  const inHomes = (folder: string): readonly string[] =>
    homes.map((home) => path.join(home.path, folder));
  switch (platform) {
    case 'linux':
      return {
        parents: ['/opt', '/usr/share', '/usr/lib', '/usr/local/share'],
        below: 'resources/app/extensions',
      };
    case 'darwin':
      return {
        parents: ['/Applications', ...inHomes('Applications')],
        below: 'Contents/Resources/app/extensions',
      };
    case 'win32':
      return {
        parents: ['C:\\Program Files', ...inHomes('AppData\\Local\\Programs')],
        below: 'resources\\app\\extensions',
      };
  }
}

/** The editor whose home folder the product record names. */
function editorOf(extensions: string, world: World, reader: Reader): EditorHost | null {
  const product = reader.json(world.path.join(world.path.dirname(extensions), 'product.json'));
  const isRecord = typeof product === 'object' && product !== null && 'dataFolderName' in product;
  const folder = isRecord ? product.dataFolderName : null;
  return world.catalogue.editors.find(({ homeFolder }) => homeFolder === folder) ?? null;
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
