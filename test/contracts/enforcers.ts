/**
 * What each product would do with the files of its target, read from the files alone: whether a tool
 * would be stopped, and why all else would not go on as before. One entry for each target; the suite
 * fails for a target that has none. Sample places stand for the catalogue's patterns.
 */
import { parse } from 'yaml';
import type { Tool } from '../../policies/catalogue.js';
import type { CompiledFile } from '../../policies/compile/index.js';
import type { Platform } from '../../policies/component.js';
import { elementsOf, readPlist, readXml, type ReadElement } from '../policies/compile/reading.js';

/** What stops, and whether the rest is free. */
export interface Enforcement {
  readonly stops: (tool: Tool) => boolean;
  /** Why the files would stop more than they name; empty when they would not. */
  readonly faults: readonly string[];
}
export type Enforcer = (files: readonly CompiledFile[]) => Promise<Enforcement>;

type Dict = Readonly<Record<string, unknown>>;

const textOf = (files: readonly CompiledFile[], name: string): string | null =>
  files.find((file) => file.name === name)?.text ?? null;
const jsonOf = (files: readonly CompiledFile[], name: string): unknown =>
  JSON.parse(textOf(files, name) ?? 'null');

/** Programs that have to run whatever a policy says, and ordinary ones that no policy names. */
export const mustRun: Readonly<Record<Platform, readonly string[]>> = {
  darwin: [
    '/bin/zsh',
    '/usr/bin/env',
    '/sbin/launchd',
    '/System/Library/CoreServices/Finder.app/Contents/MacOS/Finder',
    '/Library/Application Support/Curfew/bin/curfew',
    '/usr/local/jamf/bin/jamf',
    '/opt/orbit/bin/orbit/orbit',
    '/Applications/Safari.app/Contents/MacOS/Safari',
    '/Users/ana/bin/own-tool',
  ],
  linux: [
    '/bin/sh',
    '/usr/bin/bash',
    '/usr/lib/systemd/systemd',
    '/usr/sbin/sshd',
    '/opt/curfew/bin/curfew',
    '/opt/orbit/bin/orbit/orbit',
    '/usr/bin/git',
    '/home/ana/bin/own-tool',
  ],
  win32: [
    'C:/Windows/System32/cmd.exe',
    'C:/Windows/explorer.exe',
    'C:/Program Files/Example/Curfew/curfew.exe',
    'C:/Program Files (x86)/Microsoft Intune Management Extension/AgentExecutor.exe',
    'C:/Program Files/Git/bin/git.exe',
    'C:/Users/ana/AppData/Local/Programs/Own/own.exe',
  ],
};

const homes: Readonly<Record<Platform, string>> = {
  darwin: '/Users/ana',
  linux: '/home/ana',
  win32: 'C:/Users/ana',
};

/** Where a tool lies on a platform, by the catalogue. */
const samplesOf = ({ folders }: Tool, platform: Platform): string[] =>
  folders
    .filter(({ os }) => os.includes(platform))
    .map(({ path }) =>
      path.replace(/^~/, homes[platform]).replaceAll('{version}', '1.2.3').replaceAll('*', 'x'),
    );

/** Faults of a set of stopped places: what must run and would not. */
const stopped = (platform: Platform, isStopped: (path: string) => boolean): string[] =>
  mustRun[platform].filter(isStopped).map((path) => `${path} would not run`);

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** https://northpole.dev/features/binary-authorization: rules first, then the pattern of paths. */
const santa: Enforcer = (files) => {
  const profile = readPlist(textOf(files, 'santa/curfew-santa.mobileconfig') ?? '') as {
    PayloadContent: readonly [Dict];
  };
  const [settings] = profile.PayloadContent;
  const rules = settings['StaticRules'] as readonly Dict[];
  const synced = jsonOf(files, 'santa/rules.json') as { rules: readonly Dict[]; cursor: string };
  const preflight = jsonOf(files, 'santa/preflight.json') as Dict;
  const pattern = settings['BlockedPathRegex'];
  const regex = typeof pattern === 'string' ? new RegExp(pattern) : null;
  const isBlocked = (path: string): boolean => regex?.test(path) === true;
  const ids = new Set(
    rules.filter((one) => one['policy'] === 'BLOCKLIST').map((one) => one['identifier']),
  );
  const sorted = (list: readonly Dict[]): string[] =>
    list.map((one) => JSON.stringify(Object.entries(one).sort()));
  const isSame = JSON.stringify(sorted(rules)) === JSON.stringify(sorted(synced.rules));
  const faults = [
    ...(settings['ClientMode'] === undefined ? [] : ['ClientMode is set']),
    ...(rules.every((one) => one['rule_type'] === 'SIGNINGID')
      ? []
      : ['a rule of more than one program']),
    ...(isSame && synced.cursor === '' ? [] : ['profile and sync server differ']),
    ...(preflight['blocked_path_regex'] === pattern ? [] : ['profile and preflight differ']),
    ...stopped('darwin', isBlocked),
  ];
  const stops = (tool: Tool): boolean =>
    tool.identifiers.codeSignature.some((id) => ids.has(id)) ||
    samplesOf(tool, 'darwin').some(isBlocked);
  return Promise.resolve({ stops, faults });
};

/** AppLocker's path variables and its star, as an expression on a path with slashes. */
function applockerPattern(path: string): RegExp {
  const source = literal(path.replaceAll('\\', '/'))
    .replaceAll('%WINDIR%', 'C:/Windows')
    .replaceAll('%PROGRAMFILES%', 'C:/Program Files(?: \\(x86\\))?')
    .replaceAll('%OSDRIVE%', 'C:')
    .replaceAll('\\*', '.*');
  return new RegExp(`^${source}$`, 'i');
}

const applocker: Enforcer = async (files) => {
  const root = await readXml(textOf(files, 'applocker/policy.xml') ?? '');
  const faults: string[] = [];
  const denied: RegExp[] = [];
  const collections = elementsOf(root, 'RuleCollection');
  for (const collection of collections) {
    const rules = elementsOf(collection, 'FilePathRule');
    const pathOf = (rule: ReadElement): string =>
      elementsOf(rule, 'FilePathCondition')[0]?.attributes.get('Path') ?? '';
    const isRest = (rule: ReadElement): boolean =>
      rule.attributes.get('Action') === 'Allow' &&
      rule.attributes.get('UserOrGroupSid') === 'S-1-1-0' &&
      pathOf(rule) === '*';
    if (!rules.some(isRest)) faults.push('a collection does not allow everything else');
    if (collection.attributes.get('EnforcementMode') !== 'AuditOnly')
      faults.push('it is not audited first');
    const denials = rules.filter((rule) => rule.attributes.get('Action') === 'Deny');
    denied.push(...denials.map((rule) => applockerPattern(pathOf(rule))));
  }
  if (collections.length !== 2) faults.push('there are not two collections');
  const isBlocked = (path: string): boolean => denied.some((pattern) => pattern.test(path));
  const launchers = ({ identifiers }: Tool): string[] =>
    identifiers.command.map((name) => `C:/Users/ana/AppData/Roaming/npm/${name}.cmd`);
  return {
    stops: (tool) => [...samplesOf(tool, 'win32'), ...launchers(tool)].some(isBlocked),
    faults: [...faults, ...stopped('win32', isBlocked)],
  };
};

const appcontrol: Enforcer = async (files) => {
  const root = await readXml(textOf(files, 'appcontrol/policy.xml') ?? '');
  const everything = new Set(
    elementsOf(root, 'Allow')
      .filter((rule) => rule.attributes.get('FileName') === '*')
      .map((rule) => rule.attributes.get('ID')),
  );
  const faults: string[] = [];
  for (const value of ['131', '12']) {
    const scenario = elementsOf(root, 'SigningScenario').find(
      (one) => one.attributes.get('Value') === value,
    );
    const refs = scenario === undefined ? [] : elementsOf(scenario, 'FileRuleRef');
    const isFree = refs.some((ref) => everything.has(ref.attributes.get('RuleID')));
    if (!isFree) faults.push(`scenario ${value} does not allow everything else`);
  }
  const options = elementsOf(root, 'Option').map(({ text }) => text);
  if (!options.includes('Enabled:Audit Mode')) faults.push('it is not audited first');
  const denied = elementsOf(root, 'Deny').map((rule) => {
    const source = literal((rule.attributes.get('FilePath') ?? '').replaceAll('\\', '/'))
      .replaceAll('%OSDRIVE%', 'C:')
      .replaceAll('%WINDIR%', 'C:/Windows')
      .replaceAll('\\*', '.*');
    return new RegExp(`^${source}$`, 'i');
  });
  const isBlocked = (path: string): boolean => denied.some((pattern) => pattern.test(path));
  return {
    stops: (tool) => samplesOf(tool, 'win32').some(isBlocked),
    faults: [...faults, ...stopped('win32', isBlocked)],
  };
};

const fapolicyd: Enforcer = (files) => {
  const [rules] = files.filter(({ name }) => name.endsWith('.rules'));
  const lines = (rules?.text ?? '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const places = lines.map((line) =>
    /^deny_syslog perm=execute all : (path|dir)=(\/\S+)$/.exec(line),
  );
  const isBlocked = (path: string): boolean =>
    places.some((place) =>
      place?.[1] === 'dir' ? path.startsWith(place[2] ?? '-') : path === place?.[2],
    );
  const samples = (tool: Tool): string[] => [
    ...samplesOf(tool, 'linux'),
    ...tool.identifiers.command.map((name) => `/usr/bin/${name}`),
    ...tool.identifiers.npm.map((name) => `/usr/lib/node_modules/${name}/cli.js`),
    ...tool.identifiers.homebrewFormula.map(
      (name) => `/home/linuxbrew/.linuxbrew/Cellar/${name}/1/bin/x`,
    ),
  ];
  const faults = [
    ...places.flatMap((place, at) => (place === null ? [`no such rule: ${lines[at] ?? ''}`] : [])),
    // The stock rule that allows what is trusted has 42, and the first rule that fits decides.
    ...((rules?.name ?? '').startsWith('fapolicyd/38-')
      ? []
      : ['the file does not sort before 42-']),
    ...stopped('linux', isBlocked),
  ];
  return Promise.resolve({ stops: (tool) => samples(tool).some(isBlocked), faults });
};

/** https://code.visualstudio.com/docs/enterprise/extensions */
const editor =
  (id: string): Enforcer =>
  (files) => {
    const settings = jsonOf(files, `${id}/settings.json`) as Dict | null;
    const allowed = (settings?.['extensions.allowed'] ?? { '*': true }) as Dict;
    return Promise.resolve({
      stops: ({ identifiers }) =>
        identifiers.editorExtension.some((name) => allowed[name] === false),
      faults: allowed['*'] === true ? [] : ['what is not listed is blocked'],
    });
  };

const browser =
  (id: string, file: string): Enforcer =>
  (files) => {
    const top = (jsonOf(files, `${id}/${file}`) ?? {}) as { policies?: Dict } & Dict;
    const settings = ((top.policies ?? top)['ExtensionSettings'] ?? {}) as Readonly<
      Record<string, Dict>
    >;
    const isOff = (name: string): boolean =>
      /^(blocked|removed)$/.test(String(settings[name]?.['installation_mode']));
    return Promise.resolve({
      stops: ({ identifiers }) => identifiers.browserExtension.some(isOff),
      faults: isOff('*') ? ['every extension is blocked'] : [],
    });
  };

const jetbrains: Enforcer = (files) => {
  const [, ...rows] = (textOf(files, 'jetbrains/ide-services-rules.csv') ?? '').trim().split('\n');
  const ids = rows.map((row) =>
    /^"((?:[^"]|"")+)","Block[^"]*"/.exec(row)?.[1]?.replaceAll('""', '"'),
  );
  return Promise.resolve({
    stops: ({ identifiers }) => identifiers.jetbrainsPlugin.some((id) => ids.includes(id)),
    faults: ids.some((id) => id === undefined || id === '*') ? ['a rule of no single plugin'] : [],
  });
};

const npmRegistry: Enforcer = (files) => {
  const filter = parse(textOf(files, 'registry/verdaccio-filter.yaml') ?? '{}') as {
    filters?: Readonly<Record<string, { block?: readonly Dict[] }>>;
  };
  const block = filter.filters?.['@verdaccio/package-filter']?.block ?? [];
  const names = new Set(block.map((one) => one['package']));
  const isWide = block.some(
    (one) => typeof one['package'] !== 'string' || one['package'].includes('*'),
  );
  return Promise.resolve({
    stops: ({ identifiers }) => identifiers.npm.some((name) => names.has(name)),
    faults: isWide ? ['more than one package is blocked by a rule'] : [],
  });
};

/** Reports only: what it says of a tool it says under the tool's id. */
const fleet: Enforcer = (files) => {
  const queries = (parse(textOf(files, 'fleet/curfew.queries.yml') ?? '[]') ??
    []) as readonly Dict[];
  const policies = (parse(textOf(files, 'fleet/curfew.policies.yml') ?? '[]') ??
    []) as readonly Dict[];
  const isAsking = [...queries, ...policies].every((one) => /^SELECT /.test(String(one['query'])));
  const isScripted = policies.some((one) => 'run_script' in one || 'install_software' in one);
  return Promise.resolve({
    stops: ({ id }) => queries.some((one) => String(one['name']).includes(`[${id}]`)),
    faults: [
      ...(isAsking ? [] : ['a query does not only ask']),
      ...(isScripted ? ['a policy starts something'] : []),
    ],
  });
};

/** Settings bound a tool and stop none; a star would bound everything in it. */
const aiTools: Enforcer = (files) =>
  Promise.resolve({
    stops: () => false,
    faults: files
      .filter(({ text }) => text.includes('"*"'))
      .map(({ name }) => `${name} has a star`),
  });

export const enforcers: Readonly<Record<string, Enforcer>> = {
  santa,
  applocker,
  appcontrol,
  fapolicyd,
  vscode: editor('vscode'),
  cursor: editor('cursor'),
  windsurf: editor('windsurf'),
  chrome: browser('chrome', 'curfew.json'),
  edge: browser('edge', 'curfew.json'),
  firefox: browser('firefox', 'policies.json'),
  jetbrains,
  'npm-registry': npmRegistry,
  fleet,
  'ai-tools': aiTools,
};
