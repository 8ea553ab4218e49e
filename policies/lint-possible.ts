/**
 * Rules that can never match, each with the first reason: fields that contradict one another, what the
 * catalogue knows of the tools named, states a channel never has, an empty range of versions, another
 * system than the policy is for. It judges each rule alone; `lint-order.ts` compares them.
 */
import type { Catalogue, IdentifierKind, Tool } from './catalogue.js';
import { channels, type Channel, type Platform } from './component.js';
import type { Match, Policy } from './document.js';
import { advice, type Advice } from './lint-checks.js';
import type { Ranges } from './lint-ranges.js';
import {
  allChannels,
  channelBits,
  situationsOf,
  toolList,
  toolsOf,
  type Reach,
} from './lint-reach.js';

/** Where a channel's finds come from in an entry; a channel that is not here may hold any tool. */
const identifiersOf: Readonly<Partial<Record<Channel, readonly IdentifierKind[]>>> = {
  npm: ['npm', 'npmParts'],
  pypi: ['pypi'],
  homebrew: ['homebrewFormula', 'homebrewCask'],
  'editor-extension': ['editorExtension'],
  'jetbrains-plugin': ['jetbrainsPlugin'],
  'browser-extension': ['browserExtension'],
  mcp: ['npm', 'pypi'],
  package: ['dpkg', 'rpm', 'apk', 'pacman', 'snap', 'flatpak', 'winget', 'scoop', 'chocolatey'],
};

/** Local models are no tool of the catalogue, whatever runs them. */
const withoutTools: ReadonlySet<Channel> = new Set(['model']);

const channelsByTool = new WeakMap<Tool, number>();

/** The channels by which something that is this tool may be found. */
export function channelsOf(tool: Tool): number {
  let bits = channelsByTool.get(tool);
  if (bits === undefined) {
    const names = channels.filter((channel) => {
      if (withoutTools.has(channel)) return false;
      const kinds = identifiersOf[channel];
      return kinds === undefined || kinds.some((kind) => tool.identifiers[kind].length > 0);
    });
    channelsByTool.set(tool, (bits = channelBits(names)));
  }
  return bits;
}

/** Channels in which a package of an ecosystem is found; a process carries those of npm and PyPI. */
function channelsOfPackage(ecosystem: string): number {
  const own = (channels as readonly string[]).includes(ecosystem) ? ecosystem : 'package';
  const others: readonly Channel[] = own === 'npm' || own === 'pypi' ? ['process'] : [];
  return channelBits([own as Channel, ...others]);
}

const managerSystems: Readonly<Record<string, readonly Platform[]>> = {
  homebrew: ['darwin', 'linux'],
  ...Object.fromEntries(
    ['dpkg', 'rpm', 'apk', 'pacman', 'snap', 'flatpak'].map((name) => [name, ['linux'] as const]),
  ),
  ...Object.fromEntries(
    ['winget', 'scoop', 'chocolatey'].map((name) => [name, ['win32'] as const]),
  ),
};

const kindOfPackage: Readonly<Record<string, readonly IdentifierKind[]>> = {
  npm: ['npm', 'npmParts'],
  pypi: ['pypi'],
  'editor-extension': ['editorExtension'],
  'jetbrains-plugin': ['jetbrainsPlugin'],
  'browser-extension': ['browserExtension'],
  homebrew: ['homebrewFormula', 'homebrewCask'],
};

interface Impossible {
  readonly field: keyof Match;
  readonly why: string;
}

interface Judged {
  readonly match: Match;
  readonly reach: Reach;
  readonly catalogue: Catalogue;
  readonly ranges: Ranges;
  readonly systems: readonly Platform[] | null;
}

const either = (values: readonly string[]): string =>
  values.length > 3 ? `${values.slice(0, 3).join(', ')} ...` : values.join(' or ');

/** The field that, joined with those before it, leaves no tool. */
function noTool({ match, reach, catalogue }: Judged): Impossible | null {
  if (reach.tools !== 0n) return null;
  const fields = ['tool', 'kind', 'vendor', 'provider'] as const;
  const present = fields.filter((field) => match[field] !== undefined);
  const alone = present.find((field) => toolsOf({ [field]: match[field] }, catalogue) === 0n);
  const field = alone ?? present.at(-1) ?? 'tool';
  const words = (names: readonly (typeof fields)[number][]): string =>
    names.map((name) => `${name} ${either(match[name] ?? [])}`).join(' and ');
  if (alone !== undefined)
    return { field, why: `no tool of the catalogue has the ${words([alone])}` };
  const tools = toolList(toolsOf({ tool: match.tool ?? [] }, catalogue), catalogue);
  const [only] = tools;
  const fact =
    only === undefined || tools.length > 1
      ? ''
      : ` (${only.id}: kind ${only.kind}, vendor ${only.vendor}, provider ${either(only.provider)})`;
  return { field, why: `no tool of the catalogue has ${words(present)}${fact}` };
}

const channelNames = (bits: number): readonly Channel[] =>
  channels.filter((_, at) => (bits >> at) & 1);

function noChannel({ match, reach, catalogue }: Judged): Impossible | null {
  const ecosystems = Object.keys(match.package ?? {});
  const fitting = ecosystems.reduce((bits, one) => bits | channelsOfPackage(one), 0);
  if (match.package !== undefined && (fitting & reach.channels) === 0) {
    const why = `a package of ${either(ecosystems)} is not found by channel ${either(channelNames(reach.channels))}`;
    return { field: 'channel', why };
  }
  const isOfTools = match.tool ?? match.kind ?? match.vendor ?? match.provider;
  if (isOfTools === undefined || reach.channels === allChannels) return null;
  const tools = toolList(reach.tools, catalogue);
  if (tools.some((tool) => (channelsOf(tool) & reach.channels) !== 0)) return null;
  const by = either(channelNames(reach.channels));
  if (channelNames(reach.channels).every((channel) => withoutTools.has(channel))) {
    const why = `what is found by channel ${by} is of no tool of the catalogue; leave out tool, kind, vendor and provider`;
    return { field: 'channel', why };
  }
  const known = channelNames(tools.reduce((bits, tool) => bits | channelsOf(tool), 0));
  const why = `${either(tools.map(({ id }) => id))} has no identifier by which channel ${by} would find it; it is found by ${known.join(', ')}`;
  return { field: 'channel', why };
}

/** Packages that the catalogue gives to another tool, or to none, are never those of the rule's tools. */
function noPackage({ match, reach, catalogue }: Judged): Impossible | null {
  const isOfTools = match.tool ?? match.kind ?? match.vendor ?? match.provider;
  if (match.package === undefined || isOfTools === undefined) return null;
  const tools = new Set(toolList(reach.tools, catalogue));
  const names = Object.entries(match.package).flatMap(([ecosystem, list]) =>
    list.map((name) => ({ ecosystem, name })),
  );
  const ownerOf = ({ ecosystem, name }: (typeof names)[number]): Tool | null | undefined => {
    const kinds = kindOfPackage[ecosystem];
    return (
      kinds?.map((kind) => catalogue.match(kind, name)).find((tool) => tool !== null) ??
      (kinds && null)
    );
  };
  const owners = names.map(ownerOf);
  if (owners.some((owner) => owner === undefined || (owner !== null && tools.has(owner))))
    return null;
  const [first] = names;
  const of = owners[0]?.id ?? 'no tool of the catalogue';
  const why = `${first?.ecosystem ?? ''} ${first?.name ?? ''} is of ${of}, not of ${either([...tools].map(({ id }) => id))}`;
  return { field: 'package', why };
}

function noSituation({ match, reach }: Judged): Impossible | null {
  if (reach.situations === 0) {
    const why = `what is running has running true; state ${either(match.state ?? [])} and running ${String(match.running)} never come together`;
    return { field: 'running', why };
  }
  const open = channelNames(reach.channels);
  if (open.some((channel) => (situationsOf(channel) & reach.situations) !== 0)) return null;
  const states: Readonly<Partial<Record<Channel, string>>> = {
    process: 'running',
    config: 'residual',
    service: 'residual',
  };
  const needed = open.map((channel) => states[channel]).find((state) => state !== undefined);
  const asked =
    match.state === undefined ? 'installed or running, as no state is named' : either(match.state);
  const fix =
    needed === undefined ? '' : `; what is found by it is ${needed}: write state: ${needed}`;
  const why = `nothing by channel ${either(open)} has the state ${asked}${fix}`;
  return { field: match.state === undefined ? 'channel' : 'state', why };
}

function noSystem({ match, systems }: Judged): Impossible | null {
  if (systems === null) return null;
  const names = [...Object.keys(match.package ?? {}), ...(match.channel ?? [])];
  const isHere = (name: string): boolean =>
    managerSystems[name]?.some((system) => systems.includes(system)) ?? true;
  const listed = match.package === undefined ? (match.channel ?? []) : Object.keys(match.package);
  if (names.length > 0 && listed.length > 0 && !listed.some(isHere)) {
    const field = match.package === undefined ? 'channel' : 'package';
    return {
      field,
      why: `the policy is for ${systems.join(', ')}, which have no ${either(listed)}`,
    };
  }
  const isWindows = (path: string): boolean => /^[a-z]:|\\/i.test(path);
  const fits = (path: string): boolean =>
    path.startsWith('~') || systems.some((system) => (system === 'win32') === isWindows(path));
  if (match.path === undefined || match.path.some(fits)) return null;
  return { field: 'path', why: `the policy is for ${systems.join(', ')}, where no such path is` };
}

function noVersion({ match, ranges }: Judged): Impossible | null {
  if (match.version === undefined || !ranges.isEmpty(match.version)) return null;
  return { field: 'version', why: `no version is in the range ${match.version}` };
}

const reasons = [noTool, noSituation, noChannel, noPackage, noVersion, noSystem] as const;

/** The rules that can match nothing, with why. */
export function impossibleRules(
  policy: Policy,
  reaches: readonly Reach[],
  { catalogue, ranges }: { readonly catalogue: Catalogue; readonly ranges: Ranges },
): Advice[] {
  return policy.rules.flatMap(({ id, match }, at) => {
    const reach = reaches[at];
    if (reach === undefined) return [];
    const judged = { match, reach, catalogue, ranges, systems: policy.targets.os };
    for (const reason of reasons) {
      const found = reason(judged);
      if (found === null) continue;
      const path = ['rules', at, 'match', found.field];
      return [advice('never-matches', path, `rule ${id} can never match: ${found.why}`)];
    }
    return [];
  });
}
