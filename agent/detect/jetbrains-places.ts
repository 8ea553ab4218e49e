/**
 * Where JetBrains IDEs and Android Studio keep what belongs to a person: plugins, settings, caches,
 * one folder per product and version below a vendor's folder. It reads nothing but the list of
 * flatpak's sandboxes.
 * Source: https://www.jetbrains.com/help/idea/directories-used-by-the-ide-to-store-settings-caches-plugins-and-logs.html
 */
import { settingsFolder } from './editor-programs.js';
import type { Home, World } from './index.js';

/** One vendor's folders in a home; each holds a folder per product and version. */
export interface VendorPlace {
  readonly plugins: string;
  readonly config: string;
  readonly cache: string;
}

/** A product and version, from the name of its folder. */
export interface Product {
  readonly name: string;
  readonly family: string;
  readonly version: readonly number[];
}

const vendors = ['JetBrains', 'Google'];
const maxSandboxes = 500;

/** The folder below which programs keep what they download for a person. */
export function dataFolder(home: Home, world: World): string {
  if (world.platform !== 'linux') return settingsFolder(home, world);
  return home.env['XDG_DATA_HOME'] ?? world.path.join(home.path, '.local', 'share');
}

/** On Windows the folder that does not roam; elsewhere that of caches. */
export function localFolder(home: Home, { path, platform }: World): string {
  switch (platform) {
    case 'linux':
      return home.env['XDG_CACHE_HOME'] ?? path.join(home.path, '.cache');
    case 'darwin':
      return path.join(home.path, 'Library', 'Caches');
    case 'win32':
      return home.env['LOCALAPPDATA'] ?? path.join(home.path, 'AppData', 'Local');
  }
}

export function vendorPlaces(home: Home, world: World): readonly VendorPlace[] {
  const { join } = world.path;
  const own = vendors.map((vendor) => ({
    plugins: join(dataFolder(home, world), vendor),
    config: join(settingsFolder(home, world), vendor),
    cache: join(localFolder(home, world), vendor),
  }));
  return [...own, ...sandboxes(home, world)];
}

/** Flatpak gives each app folders of its own (https://docs.flatpak.org/en/latest/conventions.html). */
function sandboxes(home: Home, world: World): readonly VendorPlace[] {
  if (world.platform !== 'linux') return [];
  const { join } = world.path;
  const apps = join(home.path, '.var', 'app');
  return world
    .reader({ within: [home.path] })
    .list(apps)
    .slice(0, maxSandboxes)
    .flatMap(({ name }) => {
      const isGoogle = name.startsWith('com.google.AndroidStudio');
      if (!isGoogle && !name.startsWith('com.jetbrains.')) return [];
      const vendor = isGoogle ? 'Google' : 'JetBrains';
      const [plugins, config, cache] = ['data', 'config', 'cache'].map((folder) =>
        join(apps, name, folder, vendor),
      ) as [string, string, string];
      return { plugins, config, cache };
    });
}

/** `IntelliJIdea2025.3`, `AndroidStudio2025.1.2`; null for a folder of another kind. */
export function productOf(name: string): Product | null {
  const match = /^([A-Za-z][A-Za-z-]*)(\d{4}\.\d{1,3}(?:\.\d{1,3}){0,2})$/.exec(name);
  if (match === null) return null;
  const [, family = '', version = ''] = match;
  return { name, family, version: version.split('.').map(Number) };
}

/** Editions that were merged: the later versions of the free one are those of the other. */
const merged: Readonly<Record<string, string>> = { IdeaIC: 'IntelliJIdea', PyCharmCE: 'PyCharm' };

/** Whether `product` is a later version of the same product. */
export function isLater(product: Product, than: Product): boolean {
  const isSame = product.family === than.family || product.family === merged[than.family];
  if (!isSame) return false;
  const length = Math.max(product.version.length, than.version.length);
  for (let at = 0; at < length; at += 1) {
    const difference = (product.version[at] ?? 0) - (than.version[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
