/**
 * Windows: people are the profiles of the registry's ProfileList with a person's security identifier
 * (S-1-5-21-… local or domain, S-1-12-1-… Entra). It asks the system's own `reg.exe`, by its full path
 * and with a time limit, and reads no home.
 */
import path from 'node:path';
import type { Account, PlatformFacts } from './index.js';
import { liveRegistry, parseProfileList, profileList, queryRegistry } from './reg-query.js';

const sharedNames = [
  'Public',
  'Default',
  'Default User',
  'All Users',
  'Guest',
  'WDAGUtilityAccount',
];

/** The people of `reg query ProfileList /s`. */
export function parseProfiles(text: string): readonly Account[] {
  return [...parseProfileList(text).values()].map((home) => ({
    name: path.win32.basename(home),
    uid: null,
    home,
    shell: null,
  }));
}

const isPerson = ({ name }: Account): boolean =>
  !sharedNames.some((shared) => shared.toLowerCase() === name.toLowerCase());

export const win32: PlatformFacts = {
  platform: 'win32',
  path: path.win32,
  homeFolders: ['C:\\Users'],
  sharedNames,
  rootHome: null,
  defaultPath: [
    'C:\\Windows\\System32',
    'C:\\Windows',
    'C:\\Program Files\\nodejs',
    'C:\\ProgramData\\chocolatey\\bin',
  ],
  pathFiles: [],
  pathFolders: [],
  homeBins: [
    '.local/bin',
    'AppData/Roaming/npm',
    'AppData/Local/Microsoft/WindowsApps',
    'AppData/Local/Microsoft/WinGet/Links',
    'scoop/shims',
  ],
  ownBins: ['.cargo/bin', 'go/bin', '.deno/bin', '.bun/bin'],
  configFolder: 'AppData/Roaming',
  localFolder: 'AppData/Local',
  cacheFolder: 'AppData/Local',
  isPerson,
  listAccounts() {
    const text = queryRegistry(profileList, true);
    return text === null || text === '' ? null : parseProfiles(text);
  },
  liveRegistry,
};
