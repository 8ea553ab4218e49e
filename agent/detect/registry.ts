/**
 * One view of a Windows machine's registry for everything that is looked for in it: the running system
 * where it answers (hives of people who are logged on are locked), else the hive files. A hive that is
 * there and cannot be read is a loss of the root that asks; it is never an empty answer. It keeps no
 * value that nobody asked for.
 */
import type { Home, Reader, World } from './index.js';
import { openHive, type RegistryKey } from './registry-hive.js';
import { expandFolder, placeVariables, splitPath } from './shell-path.js';

/** The machine's SOFTWARE and SYSTEM hives, a person's own, and a person's classes. */
export type HiveName = 'software' | 'system' | 'user' | 'classes';

/** A part of the registry: a key below the top of a hive. `home` is null for the machine's hives. */
export interface Branch {
  readonly hive: HiveName;
  readonly home: Home | null;
  readonly key: string;
  /** The values that are read, by name in lower case. */
  readonly wanted: ReadonlySet<string>;
}

/** The registry of the machine we run on. */
export interface LiveRegistry {
  /** null: no such key. `unloaded`: the hive is only a file now, or gives no answer. */
  read(branch: Branch): RegistryKey | null | 'unloaded';
}

/** What of a world the registry is read with. */
export type RegistryWorld = Pick<World, 'path' | 'platform' | 'reader' | 'registry'>;

export const machineHives = 'C:\\Windows\\System32\\config';

export function hiveFile(
  { hive, home }: Pick<Branch, 'hive' | 'home'>,
  world: RegistryWorld,
): string {
  const below = world.path.join;
  if (hive === 'software' || hive === 'system') return below(machineHives, hive.toUpperCase());
  return hive === 'user'
    ? below(home?.path ?? '', 'NTUSER.DAT')
    : below(home?.path ?? '', 'AppData', 'Local', 'Microsoft', 'Windows', 'UsrClass.dat');
}

/** The key, or null when it is not there; `reader` may look where the hive's file lies. */
export function readRegistry(
  branch: Branch,
  world: RegistryWorld,
  reader: Reader,
): RegistryKey | null {
  const live = world.registry === undefined ? 'unloaded' : world.registry.read(branch);
  if (live !== 'unloaded') return live;
  return openHive(hiveFile(branch, world), reader)?.read(branch.key, branch.wanted) ?? null;
}

/** Variables of the registry's environment that are kept: PATH, and where tools keep things. */
const wantedVariables = new Set(['path', ...placeVariables.map((name) => name.toLowerCase())]);
const windowsPlaces: Readonly<Record<string, string>> = {
  SYSTEMROOT: 'C:\\Windows',
  WINDIR: 'C:\\Windows',
  SYSTEMDRIVE: 'C:',
  PROGRAMFILES: 'C:\\Program Files',
  PROGRAMDATA: 'C:\\ProgramData',
  ALLUSERSPROFILE: 'C:\\ProgramData',
};

/** What the registry says of an environment. `folders` are parts of PATH, expanded as far as known. */
export interface RegistryEnvironment {
  readonly folders: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A place of a registry value with its variables replaced for the person (or the machine, for null);
 * null when one of them is not known. Names of variables have no case.
 */
export function expandPlace(
  text: string,
  home: Home | null,
  variables: Readonly<Record<string, string>> = {},
): string | null {
  const plain = text.replace(/%(\w+)%/g, (_, name: string) => `%${name.toUpperCase()}%`);
  const env = { ...windowsPlaces, ...variables };
  const owner = { home: home?.path ?? null, account: home?.account ?? null, env };
  return expandFolder(plain, owner, 'win32');
}

/**
 * A person's own variables (`HKCU\Environment`), or the machine's for `home` null. They are those of
 * the hive's owner, whoever runs us; only folders are kept.
 */
export function registryEnvironment(home: Home | null, world: RegistryWorld): RegistryEnvironment {
  const reader = world.reader({ within: [home?.path ?? machineHives] });
  const set = environmentOf(home, wantedVariables, { world, reader });
  const named = [...set.values()].flatMap((text) => [...text.matchAll(/%(\w+)%/g)]);
  const names = new Set(named.map(([, name = '']) => name.toLowerCase()));
  const others = names.size === 0 ? new Map() : environmentOf(home, names, { world, reader });
  const known: Record<string, string> = {};
  const keep = (name: string, text: string | undefined): string | null => {
    const value = expandPlace(text ?? '', home, known);
    if (value === null || !/^[A-Za-z]:[\\/]/.test(value)) return null;
    known[name.toUpperCase()] = value;
    return value;
  };
  for (const [name, text] of others) keep(name, text);
  const env: Record<string, string> = {};
  for (const name of placeVariables) {
    const value = keep(name, set.get(name.toLowerCase()));
    if (value !== null) env[name] = value;
  }
  const folders = splitPath(set.get('path') ?? '', 'win32').flatMap((part) => {
    const folder = part === '' ? null : expandPlace(part, home, known);
    return folder === null ? [] : [folder];
  });
  return { folders, env };
}

interface Looking {
  readonly world: RegistryWorld;
  readonly reader: Reader;
}

function environmentOf(
  home: Home | null,
  wanted: ReadonlySet<string>,
  { world, reader }: Looking,
): ReadonlyMap<string, string> {
  const key = environmentKey(home, world, reader);
  const hive = home === null ? 'system' : 'user';
  const values = readRegistry({ hive, home, key, wanted }, world, reader)?.values ?? new Map();
  const texts = [...values].filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return new Map(texts);
}

/** The key that a person's variables stand below in their hive, or the machine's in `SYSTEM`. */
export function environmentKey(home: Home | null, world: RegistryWorld, reader: Reader): string {
  return home === null ? systemEnvironment({ world, reader }) : 'Environment';
}

/** Which of the control sets is the current one, the running system knows and the hive says. */
function systemEnvironment({ world, reader }: Looking): string {
  const branch = {
    hive: 'system',
    home: null,
    key: 'Select',
    wanted: new Set(['current']),
  } as const;
  const current = readRegistry(branch, world, reader)?.values.get('current');
  const set = typeof current === 'number' ? String(current).padStart(3, '0') : '001';
  return `ControlSet${set}\\Control\\Session Manager\\Environment`;
}
