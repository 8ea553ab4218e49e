/**
 * Where a person and a machine set environment variables for good: start files of shells and sessions,
 * files that those include, launchd, the registry. It looks for some variables by name, and what it hands
 * out is for the caller to take a host from; nothing here is kept. No shell is asked, no file written.
 */
import { homeOf } from './component.js';
import type { Home, Reader, World } from './index.js';
import { parsePlist } from './plist.js';
import { environmentKey, readRegistry } from './registry.js';
import type { Assignment } from './shell-dialects.js';
import {
  assignments,
  expandFolder,
  machineStartFiles,
  machineStartFolders,
  startTexts,
  type StartText,
} from './shell-path.js';

/** A variable, what it is set to, and where. */
export interface SetVariable {
  readonly key: string;
  readonly value: string;
  readonly file: string;
}

type Wanted = ReadonlySet<string>;
type ReadLine = (line: string) => readonly Assignment[];

const maxFileBytes = 256 * 1024;
const maxLineLength = 4096;
const maxFilesInFolder = 200;
const maxIncluded = 10;

/** `setenv NAME value` of csh and of `launchctl`. */
const setenv: ReadLine = (line) => {
  const found = /\bsetenv\s+([A-Za-z_]\w*)\s+(?:"([^"]*)"|'([^']*)'|([^\s;"']+))/.exec(line);
  const [, name, ...values] = found ?? [];
  return name === undefined ? [] : [{ name, value: values.find((one) => one !== undefined) ?? '' }];
};

/** `NAME DEFAULT=value OVERRIDE=value` (pam_env.conf(5)). */
const pamVariable: ReadLine = (line) => {
  const name = /^([A-Za-z_]\w*)\s+(?:DEFAULT|OVERRIDE)=/.exec(line)?.[1];
  const values = [...line.matchAll(/\b(?:DEFAULT|OVERRIDE)=(?:"([^"]*)"|(\S+))/g)];
  return name === undefined
    ? assignments(line)
    : values.map(([, quoted, bare]) => ({ name, value: quoted ?? bare ?? '' }));
};

/** `$env:NAME = "value"`, `SetEnvironmentVariable('NAME', 'value')`, `setx NAME value`. */
const powershell: ReadLine = (line) => {
  const forms = [
    /\$env:([A-Za-z_]\w*)\s*=\s*["']?([^\s"';]+)/gi,
    /SetEnvironmentVariable\(\s*["']([A-Za-z_]\w*)["']\s*,\s*["']([^"']+)["']/gi,
    /\bsetx(?:\.exe)?\s+([A-Za-z_]\w*)\s+["']?([^\s"']+)/gi,
    /\bEnv:\\?([A-Za-z_]\w*)\s+(?:-Value\s+)?["']([^"']+)["']/gi,
  ];
  return forms.flatMap((form) =>
    [...line.matchAll(form)].map(([, name = '', value = '']) => ({ name, value })),
  );
};

/** Files beside those that `shell-path.ts` reads for PATH, and how a line of each is read. */
const further: readonly (readonly [string, ReadLine])[] = [
  ['.bash_aliases', assignments],
  ['.zsh_aliases', assignments],
  ['.aliases', assignments],
  ['.exports', assignments],
  ['.xprofile', assignments],
  ['.xsessionrc', assignments],
  ['.pam_environment', pamVariable],
  ['.cshrc', setenv],
  ['.tcshrc', setenv],
  ['.login', setenv],
  ['.config/powershell/profile.ps1', powershell],
  ['.config/powershell/Microsoft.PowerShell_profile.ps1', powershell],
];

const powershellFolders = ['Documents', 'OneDrive/Documents'].flatMap((documents) =>
  ['PowerShell', 'WindowsPowerShell'].map((name) => `${documents}/${name}`),
);
const ofWindows = powershellFolders.flatMap((folder) =>
  ['profile.ps1', 'Microsoft.PowerShell_profile.ps1'].map(
    (name) => [`${folder}/${name}`, powershell] as const,
  ),
);

/** Where the wanted variables are set for one person; a later one need not be the one that counts. */
export function homeVariables(
  home: Home,
  world: World,
  reader: Reader,
  wanted: Wanted,
): readonly SetVariable[] {
  const { join } = world.path;
  const more = world.platform === 'win32' ? [...further, ...ofWindows] : further;
  const texts = [
    ...startTexts(home.path, join, reader),
    ...more.map(([name, read]) => {
      const file = join(home.path, ...name.split('/'));
      return { file, text: reader.text(file, maxFileBytes) ?? '', read };
    }),
  ];
  return [
    ...[...texts, ...included(texts, home, world, reader)].flatMap((text) => setIn(text, wanted)),
    ...launchVariables([join(home.path, 'Library', 'LaunchAgents')], world, reader, wanted),
    ...registryVariables(home, world, reader, wanted),
  ];
}

/** Files below the home that start files include by `.` or `source`, one step deep. */
function included(
  texts: readonly StartText[],
  home: Home,
  world: World,
  reader: Reader,
): readonly StartText[] {
  const known = new Set(texts.map(({ file }) => file));
  const owner = { home: home.path, account: home.account, env: home.env };
  const named = texts.flatMap(({ text }) =>
    [...text.matchAll(/(?:^|[\s;&|])(?:\.|source)[ \t]+(?:"([^"\n]+)"|'([^'\n]+)'|([^\s;&|]+))/gm)]
      .map(([, one, two, three]) => expandFolder(one ?? two ?? three ?? '', owner, 'linux'))
      .filter((file) => file !== null && world.path.isAbsolute(file))
      .map((file) => world.path.normalize(file as string)),
  );
  const own = [...new Set(named)].filter(
    (file) => !known.has(file) && homeOf(world, file) === home,
  );
  return own.slice(0, maxIncluded).flatMap((file) => {
    const facts = reader.target(file);
    if (facts?.kind !== 'file' || facts.size > maxFileBytes) return [];
    return { file, text: reader.text(file, maxFileBytes) ?? '', read: assignments };
  });
}

/** The wanted assignments of a text. What a later line unsets is still told: it was set for something. */
function setIn({ file, text, read }: StartText, wanted: Wanted): readonly SetVariable[] {
  if (![...wanted].some((name) => text.includes(name))) return [];
  const lines = text
    .split('\n')
    .filter((line) => line.length <= maxLineLength && !/^\s*(?:#|$)/.test(line));
  let others: ReadonlyMap<string, string> | null = null;
  const valueOf = (name: string): string => {
    others ??= new Map(lines.flatMap((line) => read(line).map((set) => [set.name, set.value])));
    return others.get(name) ?? `$${name}`;
  };
  return lines.flatMap((line) =>
    [...read(line), ...inAlias(line)]
      .filter(({ name }) => wanted.has(name))
      .map(({ name, value }) => ({
        key: name,
        value: value
          .trim()
          // What stands in for a variable that is not set is what counts on most days.
          .replace(/\$\{\w+:?-([^}$]*)\}/g, '$1')
          .replace(/\$\{?([A-Za-z_]\w*)\}?/g, (_, other: string) => valueOf(other)),
        file,
      })),
  );
}

/** `alias claude='NAME=value claude'`: what is set for one command alone counts too. */
const inAlias: ReadLine = (line) =>
  /^\s*(?:alias|abbr)\s/.test(line) ? assignments(line.replace(/["']/g, ' ')) : [];

/** What launchd starts only to set a variable: `launchctl setenv NAME value` in an agent's property list. */
function launchVariables(
  folders: readonly string[],
  world: World,
  reader: Reader,
  wanted: Wanted,
): readonly SetVariable[] {
  if (world.platform !== 'darwin') return [];
  const files = folders.flatMap((folder) =>
    reader
      .list(folder)
      .filter(({ name, kind }) => kind === 'file' && name.endsWith('.plist'))
      .slice(0, maxFilesInFolder)
      .map(({ name }) => world.path.join(folder, name)),
  );
  return files.flatMap((file) => {
    const size = reader.facts(file)?.size ?? 0;
    const bytes = size > maxFileBytes ? null : reader.bytes(file, maxFileBytes);
    const record = bytes === null ? undefined : parsePlist(bytes);
    const words = record instanceof Map ? record.get('ProgramArguments') : null;
    const line = Array.isArray(words) ? words.filter((word) => typeof word === 'string') : [];
    const at = line.findIndex((word) => /\bsetenv\b/.test(word));
    if (at === -1) return [];
    // Either three words, or one line that a shell is given.
    const own =
      line[at] === 'setenv' ? [{ name: line[at + 1] ?? '', value: line[at + 2] ?? '' }] : [];
    return [...own, ...setenv(line[at] ?? '')]
      .filter(({ name }) => wanted.has(name))
      .map(({ name, value }) => ({ key: name, value, file }));
  });
}

/** `HKCU\Environment`, or the machine's for `home` null. */
function registryVariables(
  home: Home | null,
  world: World,
  reader: Reader,
  wanted: Wanted,
): readonly SetVariable[] {
  if (world.platform !== 'win32') return [];
  const names = new Map([...wanted].map((name) => [name.toLowerCase(), name]));
  const key = environmentKey(home, world, reader);
  const hive = home === null ? 'system' : 'user';
  const branch = { hive, home, key, wanted: new Set(names.keys()) } as const;
  const start = home === null ? 'HKEY_LOCAL_MACHINE\\SYSTEM' : 'HKEY_CURRENT_USER';
  return [...(readRegistry(branch, world, reader)?.values ?? [])].flatMap(([name, value]) =>
    typeof value === 'string' && value !== ''
      ? [{ key: names.get(name.toLowerCase()) ?? name, value, file: `${start}\\${key}` }]
      : [],
  );
}

/** What the machine's own start files set for everybody who sets nothing else. */
const machineFiles: readonly (readonly [string, ReadLine])[] = [
  ...machineStartFiles.map((file) => [file, assignments] as const),
  ['/etc/security/pam_env.conf', pamVariable],
  ['/etc/csh.cshrc', setenv],
  ['/etc/csh.login', setenv],
];

/** Where launchd finds what it starts for everybody. */
export const launchFolders = ['/Library/LaunchAgents', '/Library/LaunchDaemons'];

export function machineVariables(
  world: World,
  reader: Reader,
  wanted: Wanted,
): readonly SetVariable[] {
  if (world.platform === 'win32') return registryVariables(null, world, reader, wanted);
  const more = machineStartFolders.flatMap((folder) =>
    reader
      .list(folder)
      .filter(({ name, kind }) => kind !== 'dir' && /\.(sh|fish|conf|csh)$/.test(name))
      .slice(0, maxFilesInFolder)
      .map(
        ({ name }) => [`${folder}/${name}`, name.endsWith('.csh') ? setenv : assignments] as const,
      ),
  );
  const texts = [...machineFiles, ...more].map(([file, read]) => {
    return { file, text: reader.text(file, maxFileBytes) ?? '', read };
  });
  return [
    ...texts.flatMap((text) => setIn(text, wanted)),
    ...launchVariables(launchFolders, world, reader, wanted),
  ];
}
