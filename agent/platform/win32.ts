/**
 * Windows: people are the profiles of the registry's ProfileList with a person's security identifier
 * (S-1-5-21-… local or domain, S-1-12-1-… Entra). It asks the system's own `reg.exe`, by its full path
 * and with a time limit, and reads no home.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Account, PlatformFacts } from './index.js';

const profileList = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList';
const sharedNames = [
  'Public',
  'Default',
  'Default User',
  'All Users',
  'Guest',
  'WDAGUtilityAccount',
];

/** Profiles of `reg query ProfileList /s`: a line with the key, below it lines `name  type  value`. */
export function parseProfiles(text: string): readonly Account[] {
  return text.split(/^(?=HKEY_)/m).flatMap((block) => {
    const sid = /^HKEY_LOCAL_MACHINE\\.*\\(S-1-(?:5-21|12-1)-[\d-]+)\s*$/m.exec(block)?.[1];
    const home = /^\s+ProfileImagePath\s+REG_(?:EXPAND_)?SZ\s+(.+?)\s*$/m.exec(block)?.[1];
    if (sid === undefined || home === undefined) return [];
    const place = home.replace(/^%SystemDrive%/i, 'C:');
    return [{ name: path.win32.basename(place), uid: null, home: place, shell: null }];
  });
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
  configFolder: 'AppData/Roaming',
  localFolder: 'AppData/Local',
  cacheFolder: 'AppData/Local',
  isPerson,
  listAccounts() {
    try {
      const text = execFileSync('C:\\Windows\\System32\\reg.exe', ['query', profileList, '/s'], {
        encoding: 'utf8',
        timeout: 10_000,
        windowsHide: true,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return parseProfiles(text);
    } catch {
      return null;
    }
  },
};
