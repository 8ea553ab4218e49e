/**
 * Further places where an editor of the VS Code family keeps extensions than a dot folder of the home:
 * sandboxes of flatpak and snap, code-server, what a person's start files name, and the folder beside a
 * portable copy. Says only where to look; `editors.ts` reads them.
 * Sources: microsoft/vscode (environmentService.ts), code.visualstudio.com/docs/editor/portable, the
 * flathub manifests, coder/code-server.
 */
import { homeOf } from './component.js';
import type { Home, Reader, World } from './index.js';

export interface EditorPlace {
  /** The editor's id in the catalogue. */
  readonly manager: string;
  readonly extensions: string;
  /** The folder with settings, state and profiles; null when it is not known. */
  readonly user: string | null;
}

interface Sandbox {
  readonly manager: string;
  /** The sandbox's own folder, below the home. */
  readonly at: string;
  readonly extensions: string;
  readonly user: string;
}

const flatpaks: readonly Sandbox[] = [
  ['vscode', 'com.visualstudio.code', 'vscode', 'Code'],
  ['vscode-insiders', 'com.visualstudio.code.insiders', 'vscode-insiders', 'Code - Insiders'],
  ['vscodium', 'com.vscodium.codium', 'codium', 'VSCodium'],
].map(([manager = '', app = '', folder = '', config = '']) => ({
  manager,
  at: `.var/app/${app}`,
  extensions: `data/${folder}/extensions`,
  user: `config/${config}/User`,
}));

const snaps: readonly Sandbox[] = [
  ['vscode', 'code', '.vscode', 'Code'],
  ['vscode-insiders', 'code-insiders', '.vscode-insiders', 'Code - Insiders'],
  ['vscodium', 'codium', '.vscode-oss', 'VSCodium'],
].flatMap(([manager = '', app = '', folder = '', config = '']) =>
  ['current', 'common'].map((version) => ({
    manager,
    at: `snap/${app}/${version}`,
    extensions: `${folder}/extensions`,
    user: `.config/${config}/User`,
  })),
);

const known = new WeakMap<Home, readonly EditorPlace[]>();

/** The places of one home that are there now; the same list for the length of a scan. */
export function morePlaces(home: Home, world: World): readonly EditorPlace[] {
  const found = known.get(home) ?? placesOf(home, world);
  known.set(home, found);
  return found;
}

/** The `User` folder that belongs to an extensions folder of `morePlaces`; undefined for any other. */
export function userFolderOf(
  extensions: string,
  home: Home,
  world: World,
): string | null | undefined {
  return morePlaces(home, world).find((place) => place.extensions === extensions)?.user;
}

function placesOf(home: Home, world: World): readonly EditorPlace[] {
  const { join } = world.path;
  const reader = world.reader({ within: [home.path] });
  const sandboxes = world.platform === 'linux' ? [...flatpaks, ...snaps] : [];
  return [
    ...sandboxes.map(({ manager, at, extensions, user }) => {
      const folder = join(home.path, at);
      return { manager, extensions: join(folder, extensions), user: join(folder, user) };
    }),
    ...codeServer(home, world),
    ...named(home, world),
    ...portable(home, world, reader),
  ].filter(({ extensions }) => {
    return homeOf(world, extensions) === home && reader.target(extensions)?.kind === 'dir';
  });
}

function codeServer(home: Home, { platform, path }: World): readonly EditorPlace[] {
  if (platform === 'win32') return [];
  const share = home.env['XDG_DATA_HOME'] ?? path.join(home.path, '.local', 'share');
  const folder = path.join(share, 'code-server');
  const user = path.join(folder, 'User');
  return [{ manager: 'code-server', extensions: path.join(folder, 'extensions'), user }];
}

/** Where the editor keeps them is then no longer its own folder; its settings stay where they were. */
function named(home: Home, { path }: World): readonly EditorPlace[] {
  const { VSCODE_EXTENSIONS: folder, VSCODE_PORTABLE: beside } = home.env;
  return [
    ...(folder === undefined ? [] : [{ manager: 'vscode', extensions: folder, user: null }]),
    ...(beside === undefined ? [] : [portablePlace('vscode', beside, path.join)]),
  ];
}

function portablePlace(manager: string, folder: string, join: World['path']['join']): EditorPlace {
  const user = join(folder, 'user-data', 'User');
  return { manager, extensions: join(folder, 'extensions'), user };
}

/** Folders of a home in which people unpack programs; itself among them. `apps` is `Apps` where names have no case. */
const unpackedIn = ['', 'Applications', 'Apps', 'apps', 'bin', 'opt', 'programs', '.local/opt'];
const maxPrograms = 400;

/** `data` beside the program, and on macOS `<name>-portable-data` beside the bundle. */
function portable(home: Home, world: World, reader: Reader): readonly EditorPlace[] {
  const { join } = world.path;
  const folders = unpackedIn.filter((one) => one !== 'apps' || world.platform === 'linux');
  return folders.flatMap((below) => {
    const parent = join(home.path, ...below.split('/'));
    if (reader.facts(parent) === null) return [];
    return reader
      .list(parent)
      .filter(({ name, kind }) => kind === 'dir' && !name.startsWith('.'))
      .slice(0, maxPrograms)
      .flatMap(({ name }) => {
        if (world.platform === 'darwin') {
          const isBeside = name.endsWith('-portable-data');
          return isBeside ? [portablePlace('vscode', join(parent, name), join)] : [];
        }
        const data = join(parent, name, 'data');
        if (reader.facts(join(data, 'extensions'))?.kind !== 'dir') return [];
        const manager = productOf(join(parent, name), world, reader);
        return manager === null ? [] : [portablePlace(manager, data, join)];
      });
  });
}

/** The editor that an unpacked program is by its own record; null when it is none. */
function productOf(program: string, world: World, reader: Reader): string | null {
  const file = world.path.join(program, 'resources', 'app', 'product.json');
  const record = reader.facts(file) === null ? null : reader.json(file);
  const isRecord = typeof record === 'object' && record !== null && 'dataFolderName' in record;
  const folder = isRecord ? record.dataFolderName : null;
  return world.catalogue.editors.find(({ homeFolder }) => homeFolder === folder)?.id ?? null;
}
