/**
 * Where browsers keep a person's profiles, on each platform and in snap and flatpak, and the two
 * families they belong to. A browser of the Chromium family that no list names is known by the shape
 * of its folder. Nothing of a profile is read here.
 * Sources: https://chromium.googlesource.com/chromium/src/+/main/docs/user_data_dir.md,
 * https://support.mozilla.org/kb/profiles-where-firefox-stores-user-data, the vendors' own pages.
 */
import { settingsFolder } from './editor-programs.js';
import type { Home, Reader, World } from './index.js';
import { localFolder } from './jetbrains-places.js';

export type Family = 'chromium' | 'firefox';

/** The folder that holds a browser's profiles. */
export interface BrowserPlace {
  readonly manager: string;
  readonly family: Family;
  readonly path: string;
}

/**
 * Folders with `/` below: `linux` the settings folder; `darwin` Application Support; `win32` the local
 * folder, with `~` the roaming one. `snap` and `flatpak` name the sandbox.
 */
interface Browser {
  readonly id: string;
  readonly linux?: string;
  readonly darwin?: string;
  readonly win32?: string;
  readonly snap?: string;
  readonly flatpak?: readonly string[];
}

/** One of Chrome's channels has the same layout on each platform but for the name. */
const named = (id: string, linux: string, darwin: string, win32 = darwin): Browser => {
  return { id, linux, darwin, win32: `${win32}/User Data` };
};

const chromium: readonly Browser[] = [
  { ...named('chrome', 'google-chrome', 'Google/Chrome'), flatpak: ['com.google.Chrome'] },
  named('chrome-beta', 'google-chrome-beta', 'Google/Chrome Beta'),
  {
    ...named('chrome-dev', 'google-chrome-unstable', 'Google/Chrome Dev'),
    flatpak: ['com.google.ChromeDev'],
  },
  named('chrome-canary', 'google-chrome-canary', 'Google/Chrome Canary', 'Google/Chrome SxS'),
  named('chrome-for-testing', 'google-chrome-for-testing', 'Google/Chrome for Testing'),
  {
    ...named('chromium', 'chromium', 'Chromium'),
    snap: 'chromium',
    flatpak: ['org.chromium.Chromium', 'io.github.ungoogled_software.ungoogled_chromium'],
  },
  {
    ...named('edge', 'microsoft-edge', 'Microsoft Edge', 'Microsoft/Edge'),
    flatpak: ['com.microsoft.Edge'],
  },
  named('edge-beta', 'microsoft-edge-beta', 'Microsoft Edge Beta', 'Microsoft/Edge Beta'),
  {
    ...named('edge-dev', 'microsoft-edge-dev', 'Microsoft Edge Dev', 'Microsoft/Edge Dev'),
    flatpak: ['com.microsoft.EdgeDev'],
  },
  named('edge-canary', 'microsoft-edge-canary', 'Microsoft Edge Canary', 'Microsoft/Edge SxS'),
  {
    ...named('brave', 'BraveSoftware/Brave-Browser', 'BraveSoftware/Brave-Browser'),
    snap: 'brave',
    flatpak: ['com.brave.Browser'],
  },
  named('brave-beta', 'BraveSoftware/Brave-Browser-Beta', 'BraveSoftware/Brave-Browser-Beta'),
  named('brave-dev', 'BraveSoftware/Brave-Browser-Dev', 'BraveSoftware/Brave-Browser-Dev'),
  named(
    'brave-nightly',
    'BraveSoftware/Brave-Browser-Nightly',
    'BraveSoftware/Brave-Browser-Nightly',
  ),
  { ...named('vivaldi', 'vivaldi', 'Vivaldi'), snap: 'vivaldi', flatpak: ['com.vivaldi.Vivaldi'] },
  named('vivaldi-snapshot', 'vivaldi-snapshot', 'Vivaldi Snapshot'),
  {
    id: 'opera',
    linux: 'opera',
    darwin: 'com.operasoftware.Opera',
    win32: '~/Opera Software/Opera Stable',
    snap: 'opera',
    flatpak: ['com.opera.Opera'],
  },
  {
    id: 'opera-beta',
    linux: 'opera-beta',
    darwin: 'com.operasoftware.OperaNext',
    win32: '~/Opera Software/Opera Next',
    snap: 'opera-beta',
  },
  {
    id: 'opera-developer',
    linux: 'opera-developer',
    darwin: 'com.operasoftware.OperaDeveloper',
    win32: '~/Opera Software/Opera Developer',
    snap: 'opera-developer',
  },
  {
    id: 'opera-gx',
    linux: 'opera-gx',
    darwin: 'com.operasoftware.OperaGX',
    win32: '~/Opera Software/Opera GX Stable',
  },
  {
    id: 'arc',
    darwin: 'Arc/User Data',
    win32: 'Packages/TheBrowserCompany.Arc_ttt1ap7aakyb4/LocalCache/Local/Arc/User Data',
  },
  { id: 'dia', darwin: 'Dia/User Data' },
  { id: 'comet', darwin: 'Comet', win32: 'Perplexity/Comet/User Data' },
  { id: 'chatgpt-atlas', darwin: 'com.openai.atlas/browser-data/host' },
  named('yandex', 'yandex-browser', 'Yandex/YandexBrowser'),
  named('yandex-beta', 'yandex-browser-beta', 'Yandex/YandexBrowser Beta'),
  named('whale', 'naver-whale', 'Naver/Whale', 'Naver/Naver Whale'),
  named('helium', 'net.imput.helium', 'net.imput.helium', 'imput/Helium'),
  named('thorium', 'thorium', 'Thorium'),
];

/** `linux` is below the home here, where `+` stands for the settings folder. */
interface Fork extends Omit<Browser, 'linux'> {
  readonly linux: readonly string[];
}

const firefox: readonly Fork[] = [
  {
    id: 'firefox',
    linux: ['.mozilla/firefox', '+/mozilla/firefox'],
    darwin: 'Firefox',
    win32: '~/Mozilla/Firefox',
    snap: 'firefox',
    flatpak: ['org.mozilla.firefox'],
  },
  {
    id: 'firefox',
    linux: [],
    win32: 'Packages/Mozilla.Firefox_n80bbvh6b1yt2/LocalCache/Roaming/Mozilla/Firefox',
  },
  {
    id: 'librewolf',
    linux: ['.librewolf', '+/librewolf/librewolf'],
    darwin: 'librewolf',
    win32: '~/librewolf',
    flatpak: ['io.gitlab.librewolf-community'],
  },
  {
    id: 'waterfox',
    linux: ['.waterfox'],
    darwin: 'Waterfox',
    win32: '~/Waterfox',
    flatpak: ['net.waterfox.waterfox'],
  },
  {
    id: 'floorp',
    linux: ['.floorp'],
    darwin: 'Floorp',
    win32: '~/Floorp',
    flatpak: ['one.ablaze.floorp'],
  },
  {
    id: 'zen',
    linux: ['.zen', '+/zen'],
    darwin: 'zen',
    win32: '~/zen',
    flatpak: ['app.zen_browser.zen'],
  },
];

const maxUnknown = 100;

/**
 * The places of this home: those that are there, those that cannot be looked at, and the two most
 * common browsers', which may come to be there.
 */
export function browserPlaces(home: Home, world: World): readonly BrowserPlace[] {
  const reader = world.reader({ within: [home.path] });
  const seen = new Set<string>();
  const isNew = (path: string): boolean => {
    const real = reader.realPath(path) ?? path;
    return !seen.has(real) && seen.add(real).size > 0;
  };
  const always = new Set<string>();
  const known = [...chromiumPlaces(home, world), ...firefoxPlaces(home, world)];
  const there = known.filter(({ manager, path }) => {
    const isFirst = (manager === 'chrome' || manager === 'firefox') && !always.has(manager);
    if (isFirst) always.add(manager);
    const before = reader.problems.length;
    const isThere = reader.target(path) !== null || reader.problems.length > before;
    return (isFirst || isThere) && isNew(path);
  });
  return [...there, ...unknownPlaces(home, world, reader).filter(({ path }) => isNew(path))];
}

function chromiumPlaces(home: Home, world: World): readonly BrowserPlace[] {
  const { path, platform } = world;
  return chromium.flatMap(({ id, linux, snap, flatpak = [], ...others }) => {
    const place = (...names: readonly string[]): BrowserPlace => {
      return { manager: id, family: 'chromium', path: path.join(...names) };
    };
    if (platform !== 'linux')
      return placesBelow(others[platform], home, world).map((at) => place(at));
    if (linux === undefined) return [];
    const snapped = snap === undefined ? [] : [path.join(home.path, 'snap', snap)];
    return [
      place(settingsFolder(home, world), linux),
      ...snapped.flatMap((at) => [
        place(at, 'common', linux),
        place(at, 'common', '.config', linux),
        place(at, 'current', '.config', linux),
      ]),
      ...flatpak.map((app) => place(home.path, '.var', 'app', app, 'config', linux)),
    ];
  });
}

function firefoxPlaces(home: Home, world: World): readonly BrowserPlace[] {
  const { path, platform } = world;
  return firefox.flatMap(({ id, linux, snap, flatpak = [], ...others }) => {
    const place = (...names: readonly string[]): BrowserPlace => {
      return { manager: id, family: 'firefox', path: path.join(...names) };
    };
    if (platform !== 'linux')
      return placesBelow(others[platform], home, world).map((at) => place(at));
    return linux.flatMap((folder) => {
      const below = folder.startsWith('+/') ? folder.slice(2) : null;
      return [
        below === null ? place(home.path, folder) : place(settingsFolder(home, world), below),
        ...(snap === undefined ? [] : [place(home.path, 'snap', snap, 'common', below ?? folder)]),
        ...flatpak.map((app) =>
          place(home.path, '.var', 'app', app, below === null ? folder : `config/${below}`),
        ),
      ];
    });
  });
}

function placesBelow(folder: string | undefined, home: Home, world: World): readonly string[] {
  if (folder === undefined) return [];
  if (world.platform === 'darwin') return [world.path.join(settingsFolder(home, world), folder)];
  return folder.startsWith('~/')
    ? [world.path.join(settingsFolder(home, world), folder.slice(2))]
    : [world.path.join(localFolder(home, world), folder)];
}

/** Folders beside the known ones with a default profile that holds extensions. */
function unknownPlaces(home: Home, world: World, reader: Reader): readonly BrowserPlace[] {
  const { path, platform } = world;
  const parent = platform === 'win32' ? localFolder(home, world) : settingsFolder(home, world);
  const inside =
    platform === 'linux' ? [''] : platform === 'darwin' ? ['', 'User Data'] : ['User Data'];
  return reader
    .list(parent)
    .filter(({ kind }) => kind === 'dir')
    .flatMap(({ name }) =>
      inside.map((folder): BrowserPlace => {
        return {
          manager: `unknown:${name}`,
          family: 'chromium',
          path: path.join(parent, name, folder),
        };
      }),
    )
    .filter((place) => reader.facts(path.join(place.path, 'Default', 'Extensions'))?.kind === 'dir')
    .slice(0, maxUnknown);
}
