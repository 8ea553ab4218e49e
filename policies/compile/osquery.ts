/**
 * What osquery's tables can show of a tool, as SQL: one SELECT per table and kind of name, joined by
 * UNION ALL. Columns are those of the published schema (https://osquery.io/schema). Names are compared
 * whole, never by substring, and only reach the text as quoted literals.
 */
import { normalName, type IdentifierKind, type InstallFolder } from '../catalogue.js';
import type { Platform } from '../component.js';
import type { Bound, PlainRange, Triple } from './ranges.js';

/** Names by the kind of identifier; folders are of the catalogue's install folders. */
export interface WantedNames {
  readonly names: Partial<Readonly<Record<IdentifierKind, readonly string[]>>>;
  readonly folders: readonly InstallFolder[];
  /** Only these versions; null for all. What has no version cannot be told apart, and is left out. */
  readonly versions: PlainRange | null;
  /** Whether live processes are looked for as well. */
  readonly includesRunning: boolean;
}

/** A text as an SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const listed = (names: readonly string[]): string =>
  `(${[...new Set(names)].sort().map(sqlText).join(', ')})`;

/** `split` is osquery's own (https://osquery.readthedocs.io/en/stable/introduction/sql/). */
const numbersOf = (column: string): string =>
  `(${[0, 1, 2].map((at) => `CAST(split(${column}, '.', ${at}) AS INTEGER)`).join(', ')})`;
const row = (numbers: Triple): string => `(${numbers.join(', ')})`;

/** One comparison. Where a dash begins a prerelease, that comes before its release, as in semver. */
function compared(column: string, bound: Bound, hasPrereleases: boolean): string {
  const { operator, isBeforePrereleases } = bound;
  const [own, wanted] = [numbersOf(column), row(bound.numbers)];
  if (!hasPrereleases || isBeforePrereleases || operator === '>' || operator === '<=') {
    return `${own} ${operator} ${wanted}`;
  }
  const isPrerelease = `split(${column}, '+', 0) LIKE '%-%'`;
  const isSame = `${own} = ${wanted}`;
  if (operator === '<') return `(${own} < ${wanted} OR (${isSame} AND ${isPrerelease}))`;
  const released = `(${isSame} AND NOT ${isPrerelease})`;
  return operator === '=' ? released : `(${own} > ${wanted} OR ${released})`;
}

function versionCondition(
  column: string,
  versions: PlainRange | null,
  hasPrereleases: boolean,
): string | null {
  if (versions === null || versions.some((all) => all.length === 0)) return null;
  const alternatives = versions.map((all) =>
    all.map((bound) => compared(column, bound, hasPrereleases)).join(' AND '),
  );
  const any = alternatives.map((one) => `(${one})`).join(' OR ');
  return alternatives.length === 1 ? any : `(${any})`;
}

interface TableLook {
  readonly platforms: readonly Platform[];
  readonly channel: string;
  /** Kinds of names that stand in `column`. */
  readonly kinds: readonly IdentifierKind[];
  readonly from: string;
  /** The expression that is compared with the normal form of a name. */
  readonly column: string;
  readonly name: string;
  /** Expression of the version; null where the table has none. */
  readonly version: string | null;
  readonly path: string;
  readonly where?: string;
  /** A dash in its versions begins a prerelease; in package databases it begins their own count. */
  readonly hasPrereleases?: true;
}

const everywhere: readonly Platform[] = ['darwin', 'linux', 'win32'];

/** Tables with user data show only the caller's own rows unless they are joined with `users`. */
const ofUsers = (table: string): string => `users CROSS JOIN ${table} USING (uid)`;

const looks: readonly TableLook[] = [
  {
    platforms: everywhere,
    channel: 'npm',
    kinds: ['npm'],
    from: 'npm_packages',
    column: 'name',
    name: 'name',
    version: 'version',
    path: 'path',
    // What a package brings along below itself is not installed as a tool.
    where: "replace(path, '\\', '/') NOT LIKE '%/node_modules/%/node_modules/%'",
    hasPrereleases: true,
  },
  {
    platforms: everywhere,
    channel: 'pypi',
    kinds: ['pypi'],
    from: 'python_packages',
    column: "replace(replace(lower(name), '_', '-'), '.', '-')",
    name: 'name',
    version: 'version',
    path: 'path',
  },
  {
    platforms: ['darwin'],
    channel: 'homebrew',
    kinds: ['homebrewFormula', 'homebrewCask'],
    from: 'homebrew_packages',
    column: 'name',
    name: 'name',
    version: 'version',
    path: 'path',
  },
  {
    platforms: everywhere,
    channel: 'editor-extension',
    kinds: ['editorExtension'],
    from: ofUsers('vscode_extensions'),
    column: 'lower(name)',
    name: 'name',
    version: 'vscode_extensions.version',
    path: 'vscode_extensions.path',
    hasPrereleases: true,
  },
  {
    platforms: everywhere,
    channel: 'browser-extension',
    kinds: ['browserExtension'],
    from: ofUsers('chrome_extensions'),
    column: 'identifier',
    name: 'name',
    version: 'chrome_extensions.version',
    path: 'chrome_extensions.path',
  },
  {
    platforms: everywhere,
    channel: 'browser-extension',
    kinds: ['browserExtension'],
    from: ofUsers('firefox_addons'),
    column: 'identifier',
    name: 'name',
    version: 'firefox_addons.version',
    path: 'firefox_addons.path',
  },
  {
    platforms: ['darwin'],
    channel: 'application',
    kinds: ['bundleId'],
    from: 'apps',
    column: 'bundle_identifier',
    name: 'name',
    version: 'bundle_short_version',
    path: 'path',
  },
  {
    platforms: ['win32'],
    channel: 'application',
    kinds: ['windowsApp'],
    from: 'programs',
    column: 'name',
    name: 'name',
    version: 'version',
    path: "''",
  },
  {
    platforms: ['win32'],
    channel: 'package',
    kinds: ['chocolatey'],
    from: 'chocolatey_packages',
    column: 'lower(name)',
    name: 'name',
    version: 'version',
    path: 'path',
  },
  {
    platforms: ['linux'],
    channel: 'package',
    kinds: ['dpkg'],
    from: 'deb_packages',
    column: 'name',
    name: 'name',
    version: 'version',
    path: "''",
    // A removed package whose settings remain is still in the database.
    where: "status LIKE '% ok installed'",
  },
  {
    platforms: ['linux'],
    channel: 'package',
    kinds: ['rpm'],
    from: 'rpm_packages',
    column: 'name',
    name: 'name',
    version: 'version',
    path: "''",
  },
];

/** Kinds of names that no table of osquery shows. */
export const unseenKinds: readonly IdentifierKind[] = [
  'jetbrainsPlugin', // jetbrains_plugins has the display name, not the id
  'apk',
  'pacman',
  'snap',
  'flatpak',
  'winget',
  'scoop',
];

function selectFrom(look: TableLook, wanted: WantedNames): string | null {
  const names = look.kinds.flatMap((kind) =>
    (wanted.names[kind] ?? []).map((name) => normalName(kind, name)),
  );
  if (names.length === 0) return null;
  const version =
    wanted.versions === null || look.version === null
      ? null
      : versionCondition(look.version, wanted.versions, look.hasPrereleases === true);
  const where = [
    `${look.column} IN ${listed(names)}`,
    ...(look.where === undefined ? [] : [look.where]),
    ...(version === null ? [] : [version]),
  ];
  return select(look.channel, [look.name, look.version ?? "''", look.path], look.from, where);
}

function select(
  channel: string,
  columns: readonly string[],
  from: string,
  where: readonly string[],
): string {
  const [name, version, path] = columns;
  const shown = `${sqlText(channel)} AS channel, ${name} AS name, ${version} AS version, ${path} AS path`;
  return `SELECT ${shown} FROM ${from} WHERE ${where.join(' AND ')}`;
}

const homes: Readonly<Record<Platform, readonly string[]>> = {
  linux: ['/home/%', '/root'],
  darwin: ['/Users/%', '/var/root'],
  win32: ['C:/Users/%'],
};

/** osquery reads `%` in a path as any text within one name. */
function pathPatterns(pattern: string, platform: Platform): readonly string[] {
  const open = pattern.replace(/\{version\}|\*/g, '%');
  const whole = open.startsWith('~/')
    ? homes[platform].map((home) => `${home}${open.slice(1)}`)
    : [open];
  return platform === 'win32' ? whole.map((one) => one.replaceAll('/', '\\')) : whole;
}

const binFolders: Readonly<Record<Platform, readonly string[]>> = {
  linux: ['/usr/bin', '/usr/local/bin', '~/.local/bin', '~/bin'],
  darwin: ['/usr/local/bin', '/opt/homebrew/bin', '~/.local/bin', '~/bin'],
  win32: ['~/.local/bin'],
};

function selectFiles(wanted: WantedNames, platform: Platform): string | null {
  if (wanted.versions !== null) return null;
  const places = wanted.folders
    .filter(({ os, bundled }) => os.includes(platform) && !bundled)
    .map(({ path }) => path);
  const suffix = platform === 'win32' ? '.exe' : '';
  for (const command of wanted.names.command ?? []) {
    places.push(...binFolders[platform].map((folder) => `${folder}/${command}${suffix}`));
  }
  const patterns = [...new Set(places.flatMap((one) => pathPatterns(one, platform)))].sort();
  if (patterns.length === 0) return null;
  const any = patterns
    .map((one) => (one.includes('%') ? `path LIKE ${sqlText(one)}` : `path = ${sqlText(one)}`))
    .join(' OR ');
  return select('executable', ['filename', "''", 'path'], 'file', [`(${any})`]);
}

const runtimes: Readonly<Record<'posix' | 'windows', readonly string[]>> = {
  posix: ['node', 'bun', 'deno'],
  windows: ['node.exe', 'bun.exe', 'deno.exe'],
};

/** A process by the name of its program, or a JavaScript runtime that runs a file of the package. */
function selectProcesses(wanted: WantedNames, platform: Platform): string | null {
  if (!wanted.includesRunning || wanted.versions !== null) return null;
  const isWindows = platform === 'win32';
  const conditions = [...new Set(wanted.names.command ?? [])].sort().map((command) => {
    const end = isWindows ? `\\${command.toLowerCase()}.exe` : `/${command}`;
    const path = isWindows ? 'lower(path)' : 'path';
    return `substr(${path}, -${[...end].length}) = ${sqlText(end)}`;
  });
  const packages = [...new Set(wanted.names.npm ?? [])].sort();
  if (packages.length > 0) {
    const inside = packages
      .map((name) => `instr(replace(cmdline, '\\', '/'), ${sqlText(`/node_modules/${name}/`)}) > 0`)
      .join(' OR ');
    const runtime = listed(runtimes[isWindows ? 'windows' : 'posix']);
    conditions.push(`(lower(name) IN ${runtime} AND (${inside}))`);
  }
  if (conditions.length === 0) return null;
  return select('process', ['name', "''", 'path'], 'processes', [`(${conditions.join(' OR ')})`]);
}

/** One statement that gives a row for everything found on that platform; null when nothing can be. */
export function findQuery(wanted: WantedNames, platform: Platform): string | null {
  const selects = [
    ...looks
      .filter(({ platforms }) => platforms.includes(platform))
      .map((look) => selectFrom(look, wanted)),
    selectFiles(wanted, platform),
    selectProcesses(wanted, platform),
  ].filter((one) => one !== null);
  return selects.length === 0 ? null : selects.join('\nUNION ALL\n');
}

/** A statement that gives a row exactly when the other gives none: what a Fleet policy asks. */
export function absenceQuery(find: string): string {
  return `SELECT 1 WHERE NOT EXISTS (\n${find}\n);`;
}
