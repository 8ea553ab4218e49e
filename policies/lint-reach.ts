/**
 * What a rule's match can take at all, as sets, so that two rules can be compared without a machine:
 * tools of the catalogue, channels, situations (state, scope, running), and the names and patterns it
 * lists. A set may be larger than the truth, never smaller, except where `covers` says that it is exact.
 * For lint alone: devices evaluate components, never sets.
 */
import type { Catalogue, Tool } from './catalogue.js';
import { channels, componentStates, type Channel, type ComponentState } from './component.js';
import type { Match } from './document.js';
import { gatewayProviders, plainHost } from './gateway.js';
import { normalPackage } from './match.js';
import type { Ranges } from './lint-ranges.js';

export interface Reach {
  /** A bit for each tool of the catalogue, in its order, and a last one for what no entry claims. */
  readonly tools: bigint;
  /** A bit for each channel, in the order of `channels`. */
  readonly channels: number;
  /** A bit for each of `situations`. */
  readonly situations: number;
  /** `ecosystem name` in normal form; null: any. */
  readonly packages: ReadonlySet<string> | null;
  readonly owners: ReadonlySet<string> | null;
  readonly publishers: ReadonlySet<string> | null;
  readonly paths: ReadonlySet<string> | null;
  /** Of these the tools are more than the catalogue says: a tool can be set up for another provider. */
  readonly providers: ReadonlySet<string> | null;
  readonly gateways: ReadonlySet<string> | null;
  readonly version: string | null;
}

interface Situation {
  readonly state: ComponentState;
  readonly scope: 'global' | 'project' | 'any';
  /** `none`: not known, which no rule on `running` takes. */
  readonly running: boolean | 'none';
}

/** A running tool has no scope and runs; of anything else both may be. */
export const situations: readonly Situation[] = componentStates.flatMap((state): Situation[] =>
  state === 'running'
    ? [{ state, scope: 'any', running: true }]
    : (['global', 'project'] as const).flatMap((scope) =>
        ([true, false, 'none'] as const).map((running) => ({ state, scope, running })),
      ),
);

const bitsOf = <T>(list: readonly T[], isIn: (one: T) => boolean): number =>
  list.reduce((bits, one, at) => (isIn(one) ? bits | (1 << at) : bits), 0);

export const channelBits = (names: readonly Channel[]): number =>
  bitsOf(channels, (one) => names.includes(one));
export const allChannels = channelBits(channels);
export const situationBits = (isIn: (one: Situation) => boolean): number =>
  bitsOf(situations, isIn);

/** The states that detectors ever give what they find in a channel. */
const statesOf: Readonly<Partial<Record<Channel, readonly ComponentState[]>>> = {
  process: ['running'],
  config: ['residual'],
  service: ['residual'],
  model: ['installed'],
  mcp: ['installed', 'disabled'],
};
const otherStates = componentStates.filter((state) => state !== 'running');

/** Situations in which something of a channel can be. */
export function situationsOf(channel: Channel): number {
  return situationsByChannel.get(channel) ?? 0;
}

const situationsByChannel = new Map(
  channels.map((channel) => {
    const states = statesOf[channel] ?? otherStates;
    return [channel, situationBits(({ state }) => states.includes(state))];
  }),
);

const fold = (text: string): string => text.toLowerCase();
const setOf = (
  values: readonly string[] | undefined,
  normal: (text: string) => string = (text) => text,
): ReadonlySet<string> | null => (values === undefined ? null : new Set(values.map(normal)));

/** Tools that may fit all of `tool`, `kind`, `vendor` and `provider`. */
export function toolsOf(match: Match, catalogue: Catalogue): bigint {
  const { tool, kind, vendor, provider } = match;
  const ids = setOf(tool?.map((id) => catalogue.tool(id)?.id ?? id));
  const [vendors, providers] = [setOf(vendor, fold), setOf(provider, fold)];
  const isSetUpFor = provider?.some((name) => gatewayProviders.has(fold(name))) === true;
  const talksTo = ({ provider: own }: Tool): boolean =>
    providers === null ||
    own.some((name) => providers.has(fold(name))) ||
    (isSetUpFor && own.some((name) => name !== 'none'));
  const isIn = (one: Tool): boolean =>
    (ids === null || ids.has(one.id)) &&
    (kind === undefined || kind.includes(one.kind)) &&
    (vendors === null || vendors.has(fold(one.vendor))) &&
    talksTo(one);
  let bits = 0n;
  catalogue.tools.forEach((one, at) => {
    if (isIn(one)) bits |= 1n << BigInt(at);
  });
  const isAny = ids === null && kind === undefined && vendors === null && providers === null;
  return isAny ? bits | (1n << BigInt(catalogue.tools.length)) : bits;
}

/** The tools of a set, in the catalogue's order; what no entry claims is left out. */
export const toolList = (bits: bigint, catalogue: Catalogue): readonly Tool[] =>
  catalogue.tools.filter((_, at) => (bits >> BigInt(at)) & 1n);

function packagesOf(match: Match): ReadonlySet<string> | null {
  if (match.package === undefined) return null;
  return new Set(
    Object.entries(match.package).flatMap(([ecosystem, names]) =>
      names.map((name) => `${ecosystem} ${normalPackage(ecosystem, name)}`),
    ),
  );
}

/** What a match can take, as its fields say. */
export function reachOf(match: Match, catalogue: Catalogue): Reach {
  const states = match.state ?? ['installed', 'running'];
  const scopes: readonly string[] = match.scope ?? ['global'];
  return {
    tools: toolsOf(match, catalogue),
    channels: match.channel === undefined ? allChannels : channelBits(match.channel),
    situations: situationBits(
      ({ state, scope, running }) =>
        states.includes(state) &&
        (scope === 'any' || scopes.includes(scope)) &&
        (match.running === undefined || match.running === running),
    ),
    packages: packagesOf(match),
    owners: setOf(match.owner),
    publishers: setOf(match.publisher, fold),
    paths: setOf(match.path),
    providers: setOf(match.provider, fold),
    gateways: setOf(match.gateway, plainHost),
    version: match.version ?? null,
  };
}

const sets = ['packages', 'owners', 'publishers', 'paths', 'providers', 'gateways'] as const;

const isWithin = (inner: ReadonlySet<string> | null, outer: ReadonlySet<string> | null): boolean =>
  outer === null || (inner !== null && [...inner].every((one) => outer.has(one)));

/** Whether `outer` takes all that `inner` takes, but for tools, channels and situations. Exact when true. */
export const coversNames = (outer: Reach, inner: Reach, ranges: Ranges): boolean =>
  sets.every((set) => isWithin(inner[set], outer[set])) &&
  ranges.covers(outer.version, inner.version);

const mayMeet = (one: ReadonlySet<string> | null, other: ReadonlySet<string> | null): boolean =>
  one === null || other === null || [...one].some((name) => other.has(name));

const isPattern = (path: string): boolean => /[*?~]/.test(path);
const isHostKind = (gateway: string): boolean =>
  gateway === 'vendor' || gateway === 'third-party' || gateway.startsWith('*.');

/**
 * Whether both can take the same thing. Exact when false; patterns and kinds of hosts are taken to meet,
 * and publishers and providers too, as one thing may have several.
 */
export function meet(one: Reach, other: Reach, ranges: Ranges): boolean {
  if ((one.tools & other.tools) === 0n) return false;
  if ((one.channels & other.channels) === 0) return false;
  if ((one.situations & other.situations) === 0) return false;
  const loosely = (set: 'paths' | 'gateways', isLoose: (name: string) => boolean): boolean =>
    mayMeet(one[set], other[set]) ||
    [...(one[set] ?? []), ...(other[set] ?? [])].some((name) => isLoose(name));
  return (
    mayMeet(one.packages, other.packages) &&
    mayMeet(one.owners, other.owners) &&
    loosely('paths', isPattern) &&
    loosely('gateways', isHostKind) &&
    ranges.meet(one.version, other.version)
  );
}
