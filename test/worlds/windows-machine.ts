/**
 * Builds a folder that stands for drive C: of a Windows machine with several people (drive D: lies in
 * `D` below it), AI tools planted in the layouts of the real programs, and the ground truth: findings
 * that a scan must report and decoys that it must not. Same seed, same tree. It never writes outside
 * the folder but for `<folder>.truth.json` and `<folder>.accounts.json`. From a command line:
 * `node test/bench/make-windows.mjs FOLDER [--seed 1] [--scale 1]`.
 */
import fs from 'node:fs';
import path from 'node:path';
import { writeHive, withKey, type HiveKey } from './hive.js';
import { plantApplications } from './windows-applications.js';
import { plantBrowsers } from './windows-browsers.js';
import { plantEditors } from './windows-editors.js';
import { plantNpm } from './windows-npm.js';
import { plantPackages } from './windows-packages.js';
import { plantPrograms } from './windows-programs.js';
import { plantPython } from './windows-python.js';
import { plantSettings } from './windows-settings.js';
import { home, people, windowsPath } from './windows-places.js';
import { plantWsl } from './windows-wsl.js';

export interface WindowsFinding {
  readonly channel: string;
  /** An id of the catalogue; null: any or none. */
  readonly tool: string | null;
  readonly name: string;
  readonly version: string | null;
  readonly path: string;
  readonly state: string;
  readonly scope: string;
  /** Account whose it is; null: the machine's. */
  readonly owner: string | null;
  readonly target?: string;
  readonly also?: readonly string[];
  readonly install?: string;
  readonly via?: string;
  readonly host?: string;
}

export interface WindowsDecoy {
  readonly why: string;
  readonly path: string;
  readonly mayBe?: string;
}

export interface WindowsTruth {
  readonly seed: number;
  readonly scale: number;
  readonly os: 'win32';
  readonly stats: { readonly files: number; readonly links: number };
  readonly notes: readonly string[];
  readonly findings: readonly WindowsFinding[];
  readonly decoys: readonly WindowsDecoy[];
}

type More = Partial<Omit<WindowsFinding, 'channel' | 'tool' | 'name' | 'version' | 'path'>>;

/** What a planter works with. Paths have `/`, `Users/ana/x` for `C:\Users\ana\x` and `D/x` for `D:\x`. */
export interface Machine {
  file(at: string, content: string | Buffer): void;
  json(at: string, value: unknown): void;
  /** A program file; `marker` is text that a real build holds. */
  program(at: string, marker?: string): void;
  /** A junction or symbolic link, with its target spelled as Windows does. */
  link(at: string, target: string): void;
  /** The same file under a second name. */
  hardLink(at: string, other: string): void;
  folder(at: string): void;
  /** Where a path lies on the disk. */
  onDisk(at: string): string;
  /** So many files of no interest, scaled. */
  filler(folder: string, count: number): void;
  int(low: number, high: number): number;
  hex(length: number): string;
  version(): string;
  /** Sets values of a key in the SOFTWARE hive (null), SYSTEM ('SYSTEM'), or a person's own (the account). */
  key(hive: string | null, name: string, values: Readonly<Record<string, string | number>>): void;
  found(
    channel: string,
    finding: readonly [string | null, string, string | null],
    at: string,
    more?: More,
  ): void;
  decoy(why: string, at: string, mayBe?: string): void;
  note(text: string): void;
}

const accounts = [
  ...people.map((name) => ({ name, uid: null, home: windowsPath(home(name)), shell: null })),
  ...['Public', 'Default'].map((name) => {
    return { name, uid: null, home: windowsPath(home(name)), shell: null };
  }),
];

const notes = [
  'Paths are relative to the folder that stands for C:, with `/`; drive D: is its folder D. A report is of a finding when its path is path, target or one in also, or lies below one of them; names compare without regard to case.',
  'Findings with the same `install` are one install seen twice (files and uninstall key): reporting either is enough, both is no mistake.',
  'tool is an id of the catalogue; null: no entry there (MCP servers carry `host`). version as the channel records it; null: any or none is right. owner is the account it belongs to, null the machine.',
  "Decoy: no report with state installed, running, cached, bundled or disabled at or below its path. A decoy inside a finding's path wins. `mayBe` names the state that is right there; state residual is never a false positive.",
  "Versions are plausible, not looked up. Nothing here was copied from a real Windows machine: layouts follow the programs' documents, sources and issue threads.",
];

/** Builds the machine into `folder`, which must not exist. */
export function makeWindowsMachine(
  folder: string,
  { seed = 1, scale = 0.02 }: { readonly seed?: number; readonly scale?: number } = {},
): WindowsTruth {
  const root = path.resolve(folder);
  if (fs.existsSync(root)) throw new Error(`${root}: exists; name a folder that does not`);
  const findings: WindowsFinding[] = [];
  const decoys: WindowsDecoy[] = [];
  const told = [...notes];
  const hives = new Map<string, HiveKey>();
  const disk = writer(root, random(seed), scale);
  const machine: Machine = {
    ...disk,
    key: (hive, name, values) => {
      const file =
        hive === null || hive === 'SYSTEM'
          ? `Windows/System32/config/${hive ?? 'SOFTWARE'}`
          : `${home(hive)}/NTUSER.DAT`;
      hives.set(file, withKey(hives.get(file) ?? {}, name, { values }));
    },
    found: (channel, [tool, name, version], at, more = {}) => {
      const owner = people.find((account) => at.startsWith(`${home(account)}/`)) ?? null;
      const rest = { state: 'installed', scope: 'global', owner, ...more };
      findings.push({ channel, tool, name, version, path: at, ...rest });
    },
    decoy: (why, at, mayBe) =>
      void decoys.push({ why, path: at, ...(mayBe === undefined ? {} : { mayBe }) }),
    note: (text) => void told.push(text),
  };
  plantPeople(machine);
  for (const plant of planters) plant(machine);
  for (const [file, tree] of hives) writeHive(path.join(root, ...file.split('/')), tree);
  const truth: WindowsTruth = {
    ...{ seed, scale, os: 'win32', stats: disk.stats, notes: told, findings, decoys },
  };
  fs.writeFileSync(`${root}.truth.json`, `${JSON.stringify(truth, null, 1)}\n`);
  fs.writeFileSync(`${root}.accounts.json`, `${JSON.stringify(accounts, null, 1)}\n`);
  return truth;
}

const planters: readonly ((machine: Machine) => void)[] = [
  plantNpm,
  plantPython,
  plantPrograms,
  plantApplications,
  plantPackages,
  plantEditors,
  plantBrowsers,
  plantSettings,
  plantWsl,
];

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Writer = Omit<Machine, 'key' | 'found' | 'decoy' | 'note'> & {
  readonly stats: { files: number; links: number };
};

function writer(root: string, next: () => number, scale: number): Writer {
  const stats = { files: 0, links: 0 };
  const place = (at: string): string => {
    const full = path.join(root, ...at.split('/'));
    fs.mkdirSync(path.dirname(full), { recursive: true });
    return full;
  };
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const hex = (length: number): string =>
    Array.from({ length }, () => int(0, 15).toString(16)).join('');
  const file = (at: string, content: string | Buffer): void => {
    fs.writeFileSync(place(at), content);
    stats.files += 1;
  };
  return {
    stats,
    int,
    hex,
    version: () => `${int(0, 9)}.${int(0, 20)}.${int(0, 12)}`,
    file,
    json: (at, value) => file(at, `${JSON.stringify(value, null, 2)}\n`),
    program: (at, marker = '') => file(at, Buffer.concat([mz, Buffer.from(`${at}\0${marker}`)])),
    link: (at, target) => {
      fs.symlinkSync(windowsPath(target), place(at));
      stats.links += 1;
    },
    hardLink: (at, other) => {
      fs.linkSync(path.join(root, ...other.split('/')), place(at));
      stats.files += 1;
    },
    onDisk: (at) => path.join(root, ...at.split('/')),
    folder: (at) => void fs.mkdirSync(path.join(root, ...at.split('/')), { recursive: true }),
    filler: (folder, count) => {
      for (let at = 0; at < Math.max(1, Math.round(count * scale)); at += 1)
        file(`${folder}/f${at}.js`, `// ${hex(int(40, 400))}\n`);
    },
  };
}

/** The head of a Windows program. */
const mz = Buffer.concat([Buffer.from('MZ\u0090\u0000', 'latin1'), Buffer.alloc(4092)]);

/** What every profile has, and profiles that are nobody's. */
function plantPeople(machine: Machine): void {
  people.forEach((account, index) => {
    const sid = `S-1-5-21-1004336348-1177238915-682003330-${1001 + index}`;
    machine.key(null, `Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\${sid}`, {
      ProfileImagePath: windowsPath(home(account)),
    });
    for (const folder of ['Desktop', 'Documents', 'Downloads'])
      machine.filler(`${home(account)}/${folder}`, 60);
    machine.key(account, 'Environment', {
      Path: '%USERPROFILE%\\AppData\\Local\\Microsoft\\WindowsApps;%USERPROFILE%\\.local\\bin',
    });
  });
  machine.key(null, 'Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-18', {
    ProfileImagePath: '%systemroot%\\system32\\config\\systemprofile',
  });
  const nobodys: readonly (readonly [string, string])[] = [
    ['the profile that new ones are copied from', home('Default')],
    ['the folder that all people share', home('Public')],
    ['a profile of the system itself', 'Windows/System32/config/systemprofile'],
    ['a profile of a service', 'Windows/ServiceProfiles/LocalService'],
    ['what an upgrade of Windows set aside', 'Windows.old/Users/ana'],
    ['what was thrown away', '$Recycle.Bin/S-1-5-21-1004336348-1177238915-682003330-1001/$R7Q1ZK2'],
  ];
  for (const [why, profile] of nobodys) {
    const modules = `${profile}/AppData/Roaming/npm/node_modules/@anthropic-ai/claude-code`;
    machine.json(`${modules}/package.json`, {
      name: '@anthropic-ai/claude-code',
      version: '2.0.1',
    });
    machine.decoy(`${why}: nobody's install`, modules);
  }
}
