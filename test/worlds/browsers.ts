/**
 * Builds browser profiles below a home as the browsers lay them out: unpacked extensions and the
 * preferences that list them, Firefox's lists and its packed add-ons.
 */
import path from 'node:path';
import { place } from './native.js';
import { writeZip } from './jetbrains.js';

export interface Extension {
  readonly id: string;
  readonly version: string;
}

/** Claude for Chrome. */
export const claudeExtension: Extension = {
  id: 'fcoeoabgfenejglbffodgkkbkcdhcgfn',
  version: '1.0.33',
};

/** Where each platform keeps Chrome's profiles and Firefox's, below the home. */
export const chromeFolder = {
  linux: '.config/google-chrome',
  darwin: 'Library/Application Support/Google/Chrome',
  win32: 'AppData/Local/Google/Chrome/User Data',
};
export const firefoxFolder = {
  linux: '.mozilla/firefox',
  darwin: 'Library/Application Support/Firefox',
  win32: 'AppData/Roaming/Mozilla/Firefox',
};

/** A version folder in a profile; says nothing about whether it is loaded. */
export function unpackExtension(profile: string, { id, version }: Extension): string {
  const folder = `Extensions/${id}/${version}_0`;
  const manifest = { manifest_version: 3, name: 'Claude', version };
  place(profile, `${folder}/manifest.json`, JSON.stringify(manifest));
  return path.join(profile, folder);
}

/** How the browser remembers an extension that it installed from its store and that is on. */
export function preference(
  { id, version }: Extension,
  change: Readonly<Record<string, unknown>> = {},
): readonly [string, unknown] {
  const entry = {
    path: `${id}/${version}_0`,
    location: 1,
    from_webstore: true,
    disable_reasons: [],
    manifest: { manifest_version: 3, name: 'Claude', version },
  };
  return [id, { ...entry, ...change }];
}

/** Preferences with made-up private things among what is looked at. */
export function writePreferences(
  profile: string,
  list: readonly (readonly [string, unknown])[],
  file: 'Preferences' | 'Secure Preferences' = 'Preferences',
): void {
  const value = {
    account_info: [{ email: 'CANARY-mail@example.com', full_name: 'CANARY name' }],
    extensions: { settings: Object.fromEntries(list) },
    google: { services: { last_username: 'CANARY-user@example.com' } },
    homepage: 'https://CANARY.example/?token=CANARY',
  };
  place(profile, file, JSON.stringify(value));
}

/** The ordinary state of a profile: unpacked and listed. */
export function installExtension(profile: string, extension: Extension): string {
  writePreferences(profile, [preference(extension)]);
  return unpackExtension(profile, extension);
}

/** ChatGPTBox. */
export const addon: Extension = { id: '{b764208e-0a98-436d-a599-c1baa044f829}', version: '2.5.9' };

export function packAddon(profile: string, { id, version }: Extension): string {
  const manifest = { manifest_version: 3, name: 'Name', version };
  return writeZip(path.join(profile, `extensions/${id}.xpi`), [
    { name: 'manifest.json', content: JSON.stringify(manifest) },
  ]);
}

export function addonEntry(
  profile: string,
  { id, version }: Extension,
  change: Readonly<Record<string, unknown>> = {},
): unknown {
  return {
    id,
    version,
    type: 'extension',
    location: 'app-profile',
    active: true,
    userDisabled: false,
    appDisabled: false,
    visible: true,
    defaultLocale: { name: 'Name' },
    path: path.join(profile, `extensions/${id}.xpi`),
    ...change,
  };
}

export function writeAddons(profile: string, addons: readonly unknown[]): void {
  place(profile, 'extensions.json', JSON.stringify({ schemaVersion: 37, addons }));
}

/** `profiles.ini` with profiles by their paths, relative ones below the folder. */
export function writeProfiles(
  folder: string,
  paths: readonly string[],
  more: readonly string[] = [],
): void {
  const sections = paths.map((at, count) => {
    const isRelative = path.isAbsolute(at) ? 0 : 1;
    return `[Profile${count}]\nName=p${count}\nIsRelative=${isRelative}\nPath=${at}\n${more.join('\n')}\n`;
  });
  place(folder, 'profiles.ini', `${sections.join('\n')}\n[General]\nVersion=2\n`);
}
