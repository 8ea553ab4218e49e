/**
 * What Homebrew has installed: kegs of formulae in `Cellar` and records of casks in `Caskroom`, in the
 * prefixes where it lies by default and where a PATH shows one. A cask counts while what it put on the
 * machine is there; its record alone is a trace. Formulae and taps are not asked, and nothing inside a
 * keg is an install of its own.
 */
import type { Component } from '../../policies/component.js';
import { normalName } from '../../policies/catalogue.js';
import { homeOf, makeComponent, spelled } from './component.js';
import { confidenceOf } from './candidates.js';
import { stagedState } from './homebrew-casks.js';
import { kegContents } from './homebrew-kegs.js';
import type { Detector, Home, Reader, Root, World } from './index.js';
import { isFolder } from './linked.js';
import { pathFolders } from './shell-path.js';

interface Prefix {
  readonly path: string;
  /** null: the machine's. */
  readonly home: Home | null;
}

/** `Cellar` holds a rack per formula, `Caskroom` a folder per cask (https://docs.brew.sh/Manpage). */
const rooms = ['Cellar', 'Caskroom'] as const;

export const homebrew: Detector = {
  channel: 'homebrew',
  roots(world) {
    if (world.platform === 'win32') return [];
    return prefixes(world).flatMap((prefix) => rooms.map((room) => rootOf(prefix, room, world)));
  },
  read(root, world, reader) {
    const look: Look = { root, world, reader };
    return root.layout === 'Cellar' ? formulae(look) : casks(look);
  },
};

/** Where it lies on a machine by default (https://docs.brew.sh/Installation), and below a home. */
const ofMachine: Readonly<Record<World['platform'], readonly string[]>> = {
  linux: ['/home/linuxbrew/.linuxbrew'],
  darwin: ['/opt/homebrew', '/usr/local'],
  win32: [],
};
const ofPerson = ['.linuxbrew', 'homebrew'];

function prefixes(world: World): readonly Prefix[] {
  const looking = world.reader({ within: [] });
  const owners = world.hasSystem ? [null, ...world.homes] : world.homes;
  const candidates: Prefix[] = [
    ...ofMachine[world.platform].map((path) => ({ path, home: null })),
    ...world.homes.flatMap((home) =>
      ofPerson.map((below) => ({ path: world.path.join(home.path, below), home })),
    ),
    ...owners.flatMap((home) => shownByPath(home, world, looking)),
  ];
  const taken = new Map<string, Prefix>();
  for (const { path } of candidates) {
    const real = looking.realPath(path);
    const home = homeOf(world, path);
    const isLedAway = real !== null && homeOf(world, real) !== home;
    if ((home === null && !world.hasSystem) || (isLedAway && home === null)) continue;
    const key = real ?? path;
    if (!taken.has(key)) taken.set(key, { path, home });
  }
  return [...taken.values()];
}

/** A prefix somewhere else shows itself by its `bin` on the PATH, or in its own variable. */
function shownByPath(home: Home | null, world: World, looking: Reader): readonly Prefix[] {
  const set = home?.env['HOMEBREW_PREFIX'];
  const folders = pathFolders(world, home)
    .filter((folder) => world.path.basename(folder) === 'bin')
    .map((folder) => world.path.dirname(folder));
  return [...folders, ...(set === undefined ? [] : [set])].flatMap((path) => {
    const isPrefix = rooms.some((room) => looking.realPath(world.path.join(path, room)) !== null);
    return isPrefix ? [{ path, home }] : [];
  });
}

function rootOf({ path, home }: Prefix, room: (typeof rooms)[number], world: World): Root {
  const folder = world.path.join(path, room);
  const boundary = { within: [home?.path ?? path] };
  const watched = world
    .reader(boundary)
    .list(folder)
    .filter(({ name, kind }) => kind === 'dir' && claimOf(name, room, world) !== 'unwanted')
    .map(({ name }) => world.path.join(folder, name));
  return {
    id: `homebrew:${folder}`,
    channel: 'homebrew',
    manager: room === 'Cellar' ? 'formula' : 'cask',
    layout: room,
    path: folder,
    home,
    boundary,
    watch: [folder, ...watched],
  };
}

/** Whether a formula or cask is reported, and as what; see `toolOf`. The two have names of their own. */
function claimOf(name: string, room: string, world: World): string | null | 'unwanted' {
  const kind = room === 'Cellar' ? 'homebrewFormula' : 'homebrewCask';
  const tool = world.catalogue.match(kind, name);
  if (tool !== null) return tool.id;
  const isNamed = world.named?.get('homebrew')?.has(normalName(kind, name)) === true;
  return isNamed || world.wholeChannels?.has('homebrew') === true ? null : 'unwanted';
}

interface Look {
  readonly root: Root;
  readonly world: World;
  readonly reader: Reader;
}

interface Claimed {
  readonly name: string;
  readonly tool: string | null;
  readonly path: string;
}

/** The folders of the formulae or casks that are reported. */
function claimedIn({ root, world, reader }: Look): readonly Claimed[] {
  return reader.list(root.path).flatMap((entry) => {
    const { name } = entry;
    const tool = claimOf(name, root.layout ?? '', world);
    const path = world.path.join(root.path, name);
    return tool !== 'unwanted' && isFolder(entry, path, reader) ? [{ name, tool, path }] : [];
  });
}

/** Folders named by a version; Homebrew's own begin with a dot. */
function versionsIn(folder: string, { world, reader }: Look): readonly string[] {
  return reader
    .list(folder)
    .filter(({ name }) => !name.startsWith('.'))
    .filter((entry) => isFolder(entry, world.path.join(folder, entry.name), reader))
    .map(({ name }) => name);
}

/** Every keg is a whole program. `opt/<name>` leads to the one in use, older ones can still be started. */
function formulae(look: Look): readonly Component[] {
  const { root, world, reader } = look;
  const named = new Set(claimedIn(look).map(({ name }) => name));
  const prefix = world.path.dirname(root.path);
  const known = claimedIn(look).flatMap((formula) => {
    const inUse = reader.realPath(world.path.join(prefix, 'opt', formula.name));
    return versionsIn(formula.path, look).map((version) => {
      const keg = world.path.join(formula.path, version);
      const entries = reader.list(keg).map(({ name }) => name);
      const hasReceipt = entries.includes('INSTALL_RECEIPT.json');
      return makeComponent(world, {
        tool: formula.tool,
        channel: 'homebrew',
        manager: 'formula',
        name: formula.name,
        version: isSetAside(version) ? version.slice(0, -setAside.length) : version,
        path: placeOf(keg, look),
        // What is cut short while it is unpacked or removed has nothing left to start.
        state:
          entries.some((name) => !name.startsWith('.')) && !isSetAside(version)
            ? 'installed'
            : 'residual',
        confidence: hasReceipt ? 'high' : 'medium',
        evidence: [
          'Cellar',
          ...(hasReceipt ? ['INSTALL_RECEIPT.json'] : []),
          reader.realPath(keg) === inUse ? 'linked' : 'not linked',
        ],
      });
    });
  });
  return [...known, ...unnamed(named, look)];
}

/** Homebrew's name for a keg while it puts another in its place (`Reinstall.backup_path`). */
const setAside = '.reinstall';
const isSetAside = (version: string): boolean => version.endsWith(setAside);

/** More racks than this are not looked into for what they are. */
const maxUnnamed = 2_000;

/** Formulae that nobody names, by what they were made of; the keg in use alone. */
function unnamed(named: ReadonlySet<string>, look: Look): readonly Component[] {
  const { root, world } = look;
  const { join, dirname } = world.path;
  const reader = world.reader(root.boundary);
  const racks = reader
    .list(root.path)
    .filter(({ name, kind }) => kind === 'dir' && !named.has(name));
  return racks.slice(0, maxUnnamed).flatMap(({ name }) => {
    const keg = reader.realPath(join(dirname(root.path), 'opt', name));
    const rack = reader.realPath(join(root.path, name));
    if (keg === null || rack === null || dirname(keg) !== rack) return [];
    const contents = kegContents(keg, name, world, reader);
    if (contents === null) return [];
    const { tool, signs, evidence } = contents;
    return makeComponent(world, {
      tool,
      channel: 'homebrew',
      manager: 'formula',
      name,
      version: world.path.basename(keg),
      path: placeOf(keg, look),
      state: 'installed',
      confidence: signs === null ? 'medium' : confidenceOf(signs),
      evidence: ['Cellar', evidence, 'linked', ...(signs?.names ?? [])],
      ...(signs === null ? {} : { candidate: signs.reasons }),
    });
  });
}

/** The real path in its owner's spelling, so that a launcher that leads here makes the same record. */
function placeOf(folder: string, { world, reader }: Look): string {
  return spelled(world, reader.realPath(folder) ?? folder);
}

function casks(look: Look): readonly Component[] {
  const { world, reader } = look;
  return claimedIn(look).flatMap((cask) => {
    const staged = new Set(versionsIn(cask.path, look));
    const recorded = new Set(versionsIn(world.path.join(cask.path, '.metadata'), look));
    const current = currentVersion(cask.path, recorded, look);
    return [...new Set([...recorded, ...staged])].sort().map((version) => {
      const folder = world.path.join(cask.path, version);
      const { state, confidence, evidence } = stagedState(
        { folder: cask.path, token: cask.name, version, isCurrent: version === current },
        world,
        reader,
      );
      return makeComponent(world, {
        tool: cask.tool,
        channel: 'homebrew',
        manager: 'cask',
        name: cask.name,
        version,
        path: placeOf(staged.has(version) ? folder : cask.path, look),
        state,
        confidence,
        evidence: ['Caskroom', ...evidence],
      });
    });
  });
}

/** Of the versions with a record the one written last, as Homebrew takes it. */
function currentVersion(folder: string, recorded: ReadonlySet<string>, look: Look): string | null {
  const stamps = [...recorded].flatMap((version) => {
    const times = versionsIn(look.world.path.join(folder, '.metadata', version), look);
    return times.map((time) => ({ version, time }));
  });
  return stamps.sort((a, b) => (a.time < b.time ? 1 : -1))[0]?.version ?? null;
}
