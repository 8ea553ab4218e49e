/**
 * What is looked at: this machine, single homes, or a folder that stands for a machine, each as a
 * `World` that detectors cannot tell apart. Homes come from the account list, a person's PATH from
 * their own start files; the daemon's environment is applied to nobody but the person who runs it.
 */
import nodePath, { type PlatformPath } from 'node:path';
import type { Catalogue } from '../../policies/catalogue.js';
import type { Platform } from '../../policies/component.js';
import {
  currentAccount,
  isPrivileged,
  localPeople,
  ownPath,
  platformFacts,
  thisPlatform,
  type Account,
  type PlatformFacts,
} from '../platform/index.js';
import { parsePasswd } from '../platform/linux.js';
import { folderDisk, rememberingDisk, type Disk } from './disk.js';
import { guardedFolders } from './guarded.js';
import type { Home, Problem, ProcessEntry, Reader, World } from './index.js';
import { machineMounts, refusing, type Mounts } from './mounts.js';
import { createReader } from './reader.js';
import { registryEnvironment, type LiveRegistry, type RegistryWorld } from './registry.js';
import {
  machineStartFiles,
  machineStartFolders,
  placeVariables,
  readMachineStart,
  readStartFiles,
  splitPath,
} from './shell-path.js';

export interface WorldOptions {
  readonly catalogue: Catalogue;
  /** null or left out: processes are not looked at. */
  readonly processes?: readonly ProcessEntry[] | null;
  readonly isDeep?: boolean;
  /** Packages that rules name, by ecosystem; see `World.named`. */
  readonly named?: ReadonlyMap<string, ReadonlySet<string>>;
  /** Whether homes are looked into also where they lie on a network or FUSE mount. */
  readonly hasNetworkHomes?: boolean;
}

/** What a scan of these homes, as they lie on the disk, must not touch: mounts as they are now, guarded folders. */
function untouched(
  homes: readonly string[],
  platform: Platform,
  { hasNetworkHomes }: WorldOptions,
): Mounts {
  const mounts = machineMounts(hasNetworkHomes === true ? homes : []);
  const folders = homes.flatMap((home) =>
    guardedFolders(platform).map((folder) => [nodePath.join(home, folder), 'guarded'] as const),
  );
  return refusing(new Map(folders), mounts);
}

/** The environment of the one person it belongs to. */
interface OwnEnvironment {
  readonly account: string;
  readonly env: NodeJS.ProcessEnv;
}

interface Place {
  readonly facts: PlatformFacts;
  readonly path: PlatformPath;
  readonly disk: Disk;
  readonly people: readonly Account[];
  readonly hasSystem: boolean;
  /** See `Home.mayBeEmpty`. */
  readonly mayBeEmpty: boolean;
  readonly own: OwnEnvironment | null;
  /** The running system's registry, where this is that machine. */
  readonly registry?: LiveRegistry | undefined;
}

/**
 * This machine. With rights over all homes every local person is looked at; without, the current user.
 * `takesOwnEnvironment` applies our PATH and variables to the current user: the default without those
 * rights, and right for a scan that a person starts by hand; never for the daemon. `isOwnHomeOnly`
 * leaves the other people out also where we could look at them.
 */
export function machineWorld(
  options: WorldOptions & {
    readonly takesOwnEnvironment?: boolean;
    readonly isOwnHomeOnly?: boolean;
  },
): World {
  const facts = platformFacts(thisPlatform());
  const own = options.takesOwnEnvironment ?? !isPrivileged();
  const everyone = options.isOwnHomeOnly === true ? [currentAccount()] : localPeople();
  const homes = everyone.map(({ home }) => home);
  const disk = rememberingDisk(untouched(homes, facts.platform, options));
  const isThere = (home: string): boolean => disk.resolve(home).kind !== 'absent';
  const people = everyone.filter(({ home }) => home !== facts.rootHome || isThere(home));
  return buildWorld(options, {
    facts,
    path: ownPath,
    disk,
    people,
    hasSystem: true,
    mayBeEmpty: false,
    own: own ? { account: currentAccount().name, env: process.env } : null,
    registry: facts.liveRegistry?.(),
  });
}

/** Folders as one person's home each, paths as on disk; nothing of the machine around them. */
export function homesWorld(
  folders: readonly string[],
  options: WorldOptions & { readonly platform?: Platform },
): World {
  const facts = platformFacts(options.platform ?? thisPlatform());
  const current = currentAccount();
  const people: Account[] = [];
  for (const folder of folders) {
    const home = nodePath.resolve(folder);
    const isOwn = home === nodePath.resolve(current.home);
    const name = isOwn ? current.name : nodePath.basename(home);
    const isTaken = people.some((other) => other.name === name);
    people.push({
      name: isTaken ? `${name}-${people.length + 1}` : name,
      uid: isOwn ? current.uid : null,
      home,
      shell: null,
    });
  }
  return buildWorld(options, {
    facts,
    path: ownPath,
    disk: rememberingDisk(
      untouched(
        people.map(({ home }) => home),
        facts.platform,
        options,
      ),
    ),
    people,
    hasSystem: false,
    mayBeEmpty: true,
    own: null,
    registry: facts.platform === thisPlatform() ? facts.liveRegistry?.() : undefined,
  });
}

/**
 * A folder as the root of a machine of any platform. People are `accounts` when given, else those of
 * the folder's own account list and homes. Throws when the folder does not exist.
 */
export function folderWorld(
  folder: string,
  platform: Platform,
  options: WorldOptions & { readonly accounts?: readonly Account[] | undefined },
): World {
  const facts = platformFacts(platform);
  const named = options.hasNetworkHomes === true ? [nodePath.resolve(folder)] : [];
  const plain = folderDisk(folder, platform, machineMounts(named));
  const listed = options.accounts ?? folderAccounts(plain, facts);
  const homes = listed.flatMap(({ home }) => plain.toDisk(home) ?? []);
  const disk = folderDisk(folder, platform, untouched([...homes, ...named], platform, options));
  const exists = (home: string): boolean => {
    const place = disk.toDisk(home);
    return place !== null && disk.resolve(place).kind === 'real';
  };
  return buildWorld(options, {
    facts,
    path: facts.path,
    disk,
    people: listed
      .filter((account) => facts.isPerson(account))
      .filter(({ home, uid }) => (uid !== 0 && home !== facts.rootHome) || exists(home)),
    hasSystem: true,
    mayBeEmpty: options.accounts === undefined,
    own: null,
  });
}

/** The accounts a folder shows by itself: its passwd file, and homes that no line of it names. */
function folderAccounts(disk: Disk, facts: PlatformFacts): readonly Account[] {
  const read = (within: string) =>
    createReader({ boundary: { within: [within] }, disk, platform: facts.platform });
  const passwd = facts.platform === 'win32' ? null : read('/etc').text('/etc/passwd');
  const known = parsePasswd(passwd ?? '');
  const homes = facts.homeFolders.flatMap((parent) =>
    read(parent)
      .list(parent)
      .filter(({ kind, name }) => kind !== 'file' && !facts.sharedNames.includes(name))
      .map(({ name }) => ({ name, uid: null, home: facts.path.join(parent, name), shell: null })),
  );
  const root = { name: 'root', uid: 0, home: facts.rootHome ?? '', shell: null };
  const own = facts.rootHome === null ? homes : [...homes, root];
  const isNew = ({ name, home }: Account): boolean =>
    !known.some((other) => other.home === home || other.name === name);
  return [...known, ...own.filter(isNew)];
}

function buildWorld(options: WorldOptions, place: Place): World {
  const { facts, path, disk } = place;
  const reader: World['reader'] = (boundary, deadlineMs = Infinity) =>
    createReader({ boundary, disk, platform: facts.platform, deadlineMs });
  const registry = place.registry === undefined ? {} : { registry: place.registry };
  const looked = { platform: facts.platform, path, reader, ...registry };
  const homes: Home[] = [];
  const homePath = new Map<string, readonly string[]>();
  const unread: Problem[] = [];
  const machine = place.hasSystem ? machineTexts(facts, reader) : [];
  const machinePath = readMachineStart(machine).folders;
  const ofMachine = new Set(machinePath);
  for (const { name, uid, home } of place.people) {
    const start = reader({ within: [home] });
    const shell = readStartFiles({ home, account: name }, path.join, start, machine);
    // One that is linked from elsewhere is kept there by some tool, and is nobody's attempt to hide.
    unread.push(...start.problems.filter(({ code, isLoss }) => isLoss && code !== 'outside'));
    const set =
      facts.platform === 'win32'
        ? registryEnvironment({ account: name, uid, path: home, env: {} }, looked)
        : { folders: [], env: {} };
    const own = place.own?.account === name ? place.own.env : {};
    const ownPlaces = placeVariables.flatMap((variable) => {
      const value = own[variable];
      return value === undefined || value === '' ? [] : [[variable, value] as const];
    });
    homes.push({
      account: name,
      uid,
      path: home,
      env: { ...shell.env, ...set.env, ...Object.fromEntries(ownPlaces) },
      ...(place.mayBeEmpty ? { mayBeEmpty: true } : {}),
    });
    homePath.set(name, [
      ...splitPath(own['PATH'] ?? '', facts.platform),
      ...set.folders,
      ...shell.folders.filter((folder) => !ofMachine.has(folder)),
      ...facts.homeBins.map((bin) => path.join(home, bin)),
      ...ownBins({ name, home }, facts, start),
    ]);
  }
  return {
    ...looked,
    ...(facts.platform === 'win32' ? { inside: insideOf(disk, options) } : {}),
    homes,
    hasSystem: place.hasSystem,
    systemPath: place.hasSystem
      ? [...registryPath(looked), ...machinePath, ...systemPath(facts, reader)]
      : [],
    homePath,
    unread,
    catalogue: options.catalogue,
    processes: options.processes ?? null,
    isDeep: options.isDeep ?? false,
    forget: () => disk.forget(),
    ...(options.named === undefined ? {} : { named: options.named }),
  };
}

/** Of what each manager links its programs into the folders that are there. */
function ownBins(
  { name, home }: Pick<Account, 'name' | 'home'>,
  { platform, path, ownBins: below }: PlatformFacts,
  reader: Reader,
): readonly string[] {
  const ofNix = platform === 'win32' ? [] : [`/etc/profiles/per-user/${name}/bin`];
  return [...below.map((bin) => path.join(home, bin)), ...ofNix].filter(
    (folder) => reader.realPath(folder) !== null,
  );
}

/** Folders of a machine as machines of their own. */
function insideOf(disk: Disk, options: WorldOptions): NonNullable<World['inside']> {
  return (folder, platform) => {
    const at = disk.toDisk(folder);
    if (at === null || disk.resolve(at).kind !== 'real') return null;
    // Its people are its own, whatever accounts this machine was given.
    return folderWorld(at, platform, { ...options, processes: null, accounts: undefined });
  };
}

/** The machine's PATH as Windows keeps it. */
function registryPath(world: RegistryWorld): readonly string[] {
  return world.platform === 'win32' ? registryEnvironment(null, world).folders : [];
}

const maxStartFiles = 200;

function machineTexts({ platform }: PlatformFacts, reader: World['reader']): readonly string[] {
  if (platform === 'win32') return [];
  const etc = reader({ within: ['/etc'] });
  const further = machineStartFolders.flatMap((folder) =>
    etc
      .list(folder)
      .filter(({ name, kind }) => kind !== 'dir' && /\.(conf|sh|fish)$/.test(name))
      .map(({ name }) => `${folder}/${name}`)
      .slice(0, maxStartFiles),
  );
  return [...machineStartFiles, ...further].flatMap((file) => etc.text(file, 64 * 1024) ?? []);
}

/** The machine's PATH: its own files where the platform has them, then what is usual. */
function systemPath(facts: PlatformFacts, reader: World['reader']): readonly string[] {
  const etc = facts.platform === 'win32' ? null : reader({ within: ['/etc'] });
  const files = facts.pathFolders.flatMap((folder) =>
    (etc?.list(folder) ?? []).map(({ name }) => facts.path.join(folder, name)),
  );
  const lines = [...facts.pathFiles, ...files].flatMap((file) =>
    (etc?.text(file, 64 * 1024) ?? '').split('\n'),
  );
  return [...lines.map((line) => line.trim()).filter((line) => line !== ''), ...facts.defaultPath];
}

/** The list of `--accounts`, checked; throws an Error that names the entry and the field. */
export function parseAccounts(value: unknown): readonly Account[] {
  if (!Array.isArray(value))
    throw new Error('accounts: expected a list of {name, uid, home, shell}');
  return value.map((entry: unknown, index) => {
    const account = (typeof entry === 'object' ? entry : null) as Record<string, unknown> | null;
    const { name, uid = null, home, shell = null } = account ?? {};
    if (typeof name !== 'string' || name === '')
      throw new Error(`accounts[${index}].name: expected a name`);
    if (typeof home !== 'string' || home === '')
      throw new Error(`accounts[${index}].home: expected a folder`);
    if (uid !== null && !Number.isInteger(uid))
      throw new Error(`accounts[${index}].uid: expected a whole number or null`);
    if (shell !== null && typeof shell !== 'string')
      throw new Error(`accounts[${index}].shell: expected a path or null`);
    return { name, uid: uid as number | null, home, shell };
  });
}
