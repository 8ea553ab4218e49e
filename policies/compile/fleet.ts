/**
 * Fleet: GitOps policies that fail where a denied tool is found, GitOps queries (reports) that say
 * what was found, and the same queries as an osquery pack. Nothing here stops anything. A denied tool
 * is looked for in every table of osquery that shows one of its names; what has no table is listed.
 * https://fleetdm.com/docs/configuration/yaml-files
 */
import { stringify } from 'yaml';
import { commandsOf } from '../commands.js';
import { platforms, type Platform } from '../component.js';
import type { IdentifierKind, InstallFolder } from '../catalogue.js';
import type { Denial, Severity } from '../document.js';
import { denialsOf, type Judged } from './denials.js';
import type { Compiled, CompileInput, CompiledFile, Target } from './index.js';
import { absenceQuery, findQuery, unseenKinds, type WantedNames } from './osquery.js';
import { plainRange } from './ranges.js';
import { plainReason, unexpressed, usualWarnings } from './words.js';

/** As Fleet and osquery call the platforms. */
const platformNames: Readonly<Record<Platform, { readonly id: string; readonly title: string }>> = {
  darwin: { id: 'darwin', title: 'macOS' },
  linux: { id: 'linux', title: 'Linux' },
  win32: { id: 'windows', title: 'Windows' },
};

/** How often hosts are asked; a sign-in a day sees it, and the load is small. */
const intervalSeconds = 3600;

/** Identities of one tool (or one package of no tool) that one rule denies in the same versions. */
interface Group {
  /** Tool id, or the kind and name of a package. */
  readonly key: string;
  readonly title: string;
  readonly first: Judged;
  readonly denial: Denial;
  readonly judged: readonly Judged[];
}

interface Check {
  readonly group: Group;
  readonly platform: Platform;
  readonly find: string;
}

/** Whether this target can say it: denied always, or in versions that can be compared as numbers. */
function isSayable({ outcome, versions }: Judged): boolean {
  if (outcome === 'denied') return true;
  return outcome === 'partly' && versions !== null && plainRange(versions) !== null;
}

function groupsOf(identities: readonly Judged[]): Group[] {
  const groups = new Map<string, Judged[]>();
  for (const one of identities.filter(isSayable)) {
    const owner = one.tool?.id ?? `${one.kind} ${one.name}`;
    const key = JSON.stringify([owner, one.rule, one.versions]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((judged) => {
    const [first] = judged;
    if (first?.denial == null) return [];
    const key = first.tool?.id ?? `${first.kind} ${first.name}`;
    const range = first.versions === null ? '' : ` ${first.versions}`;
    const title = first.tool === null ? key : `${first.tool.name} [${key}]`;
    return [{ key, title: `${title}${range}`, first, denial: first.denial, judged }];
  });
}

function wantedOf({ judged, first }: Group): WantedNames {
  const names: Partial<Record<IdentifierKind, string[]>> = {};
  const folders: InstallFolder[] = [];
  for (const { kind, name, folder } of judged) {
    if (kind === 'folder') folders.push(...(folder === null ? [] : [folder]));
    else if (kind !== 'mcp' && kind !== 'model' && kind !== 'service') {
      (names[kind] ??= []).push(name);
    }
  }
  const versions = first.versions === null ? null : plainRange(first.versions);
  return { names, folders, versions, includesRunning: true };
}

/** Whether some table of these platforms shows this identity, on its own. */
function isShown(judged: Judged, among: readonly Platform[]): boolean {
  const versions = judged.versions === null ? null : plainRange(judged.versions);
  if (judged.kind === 'mcp' || judged.kind === 'model' || judged.kind === 'service') return false;
  const wanted: WantedNames = {
    names: judged.kind === 'folder' ? {} : { [judged.kind]: [judged.name] },
    folders: judged.folder === null ? [] : [judged.folder],
    ...{ versions, includesRunning: true },
  };
  return among.some((platform) => findQuery(wanted, platform) !== null);
}

function checksOf(groups: readonly Group[], among: readonly Platform[]): Check[] {
  return groups.flatMap((group) => {
    const wanted = wantedOf(group);
    return among.flatMap((platform) => {
      const find = findQuery(wanted, platform);
      return find === null ? [] : [{ group, platform, find }];
    });
  });
}

const isCritical = (severity: Severity): boolean => severity === 'critical';

function resolutionOf({ first, denial }: Group, { catalogue }: CompileInput): string {
  const { replacement } = denial;
  const removal =
    first.tool === null
      ? []
      : commandsOf(first.tool)
          .flatMap(({ way, uninstall }) => (uninstall === null ? [] : [`${way}: ${uninstall}`]))
          .sort();
  const remove = `Uninstall ${first.tool?.name ?? first.name}.`;
  const how = removal.length === 0 ? '' : ` By the way it was installed: ${removal.join('; ')}.`;
  const name = replacement === null ? null : (catalogue.tool(replacement.tool)?.name ?? null);
  const guide = replacement?.guide == null ? '' : `: ${replacement.guide}`;
  return `${remove}${how}${name === null ? '' : ` Use ${name} instead${guide}`}`;
}

const nameOf = ({ group, platform }: Check): string =>
  `Curfew: ${group.title} (${platformNames[platform].title})`;

function aboutOf({ group }: Check, { policy }: CompileInput): string {
  const reason = plainReason(group.denial);
  const rule = `Policy ${policy.policy}, rule ${group.first.rule}`;
  return reason === '' ? `${rule}.` : `${rule}: ${reason}`;
}

/** Byte-stable: keys in the order they are written here, no line folded. */
const yamlOf = (head: string, items: readonly object[]): string =>
  `# ${head}\n${stringify(items, { lineWidth: 0, aliasDuplicateObjects: false })}`;

function filesOf(checks: readonly Check[], input: CompileInput): CompiledFile[] {
  const policies = checks.map((check) => ({
    name: `${nameOf(check)} is absent`,
    description: aboutOf(check, input),
    resolution: resolutionOf(check.group, input),
    query: absenceQuery(check.find),
    platform: platformNames[check.platform].id,
    critical: isCritical(check.group.denial.severity),
  }));
  const queries = checks.map((check) => ({
    name: nameOf(check),
    description: aboutOf(check, input),
    query: `${check.find};`,
    interval: intervalSeconds,
    platform: platformNames[check.platform].id,
    automations_enabled: false,
  }));
  const packed = queries.map(({ name, description, query, interval, platform }) => [
    name,
    { query, interval, platform, description, snapshot: true },
  ]);
  return [
    {
      name: 'fleet/curfew.policies.yml',
      text: yamlOf('Made by Curfew. A policy passes when its query returns a row.', policies),
      purpose:
        'a list of policies for Fleet GitOps: put it under lib/ and name it as a path under policies; it replaces nothing else',
    },
    {
      name: 'fleet/curfew.queries.yml',
      text: yamlOf('Made by Curfew. Each row is one thing found.', queries),
      purpose:
        'a list of queries (reports) for Fleet GitOps: put it under lib/ and name it as a path under queries; it replaces nothing else',
    },
    {
      name: 'fleet/curfew-pack.json',
      text: `${JSON.stringify({ queries: Object.fromEntries(packed) }, null, 2)}\n`,
      purpose: 'the same queries as a pack for osquery without Fleet: name it under packs',
    },
  ];
}

const outOfSight: ReadonlySet<string> = new Set(unseenKinds);

function whyNot(kind: Judged['kind'], { name, versions }: Judged): string | null {
  if (kind === 'mcp' || kind === 'model' || kind === 'service') {
    return `no table of osquery shows ${kind} ${name}`;
  }
  if (outOfSight.has(kind)) return `no table of osquery shows ${kind} ids: ${name}`;
  if (versions === null) return null;
  return `where osquery's tables have no version (files, processes), or one that is not three numbers, ${versions} cannot be compared`;
}

function compile(input: CompileInput): Compiled {
  const denials = denialsOf(input);
  const { os } = input.policy.targets;
  const among = platforms.filter((platform) => os?.includes(platform) ?? true);
  const checks = checksOf(groupsOf(denials.identities), among);
  const written = new Set(
    denials.identities.filter((one) => isSayable(one) && isShown(one, among)),
  );
  const notExpressible = unexpressed(denials, written, {
    product: 'Fleet',
    isBlocking: false,
    seesVersions: true,
    whyNot,
  });
  const hasCritical = checks.some(({ group }) => isCritical(group.denial.severity));
  if (checks.length === 0) {
    return { files: [], notExpressible, warnings: usualWarnings(input, denials) };
  }
  return {
    files: filesOf(checks, input),
    notExpressible,
    warnings: [
      ...usualWarnings(input, denials),
      'npm_packages shows the global folders of the system alone: what nvm, pnpm or another prefix in a home has installed is found by the agent, not by Fleet',
      ...(hasCritical ? ['`critical` is a field of Fleet Premium'] : []),
      'an osquery that lacks one of the tables refuses the whole query: vscode_extensions came with 5.11',
    ],
  };
}

export const fleet: Target = {
  id: 'fleet',
  title: 'Fleet and osquery',
  canAllowList: false,
  compile,
};
