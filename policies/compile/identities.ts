/**
 * What a native enforcer can hold a tool by: names per ecosystem and install folders, each with the
 * components it would stop. A rule's own conditions are asked about those, so that a target means what
 * evaluation means. What only shows on a device (version, owner, gateway ...) is never guessed.
 */
import type { Catalogue, IdentifierKind, InstallFolder, Tool } from '../catalogue.js';
import { identifierKinds } from '../catalogue.js';
import type { Channel, Component, ComponentState } from '../component.js';
import type { Ecosystem, Match, Policy } from '../document.js';
import type { DeviceContext } from '../evaluate.js';
import { conditionsOf, normalPackage, type Condition, type Subject } from '../match.js';

/** A list of the catalogue, a folder of it, or a kind of name that only rules use. */
export type IdentityKind = IdentifierKind | 'folder' | 'mcp' | 'model' | 'service';

export interface Identity {
  /** null for a package that a rule names and no entry claims. */
  readonly tool: Tool | null;
  readonly kind: IdentityKind;
  /** As the catalogue or the rule writes it; of a folder its pattern. */
  readonly name: string;
  /** Only with kind `folder`. */
  readonly folder: InstallFolder | null;
}

/** Ecosystem of a rule's `package` to the lists that hold such names. */
const kindsOfEcosystem: Readonly<Record<Ecosystem, readonly IdentityKind[]>> = {
  npm: ['npm'],
  pypi: ['pypi'],
  homebrew: ['homebrewFormula', 'homebrewCask'],
  'editor-extension': ['editorExtension'],
  'jetbrains-plugin': ['jetbrainsPlugin'],
  'browser-extension': ['browserExtension'],
  application: ['bundleId', 'windowsApp', 'desktopFile'],
  executable: ['command'],
  mcp: ['mcp'],
  model: ['model'],
  service: ['service'],
  dpkg: ['dpkg'],
  rpm: ['rpm'],
  apk: ['apk'],
  pacman: ['pacman'],
  snap: ['snap'],
  flatpak: ['flatpak'],
  winget: ['winget'],
  scoop: ['scoop'],
  chocolatey: ['chocolatey'],
};

const channelOf: Partial<Readonly<Record<IdentityKind, Channel>>> = {
  npm: 'npm',
  npmParts: 'npm',
  pypi: 'pypi',
  homebrewFormula: 'homebrew',
  homebrewCask: 'homebrew',
  editorExtension: 'editor-extension',
  jetbrainsPlugin: 'jetbrains-plugin',
  browserExtension: 'browser-extension',
  bundleId: 'application',
  windowsApp: 'application',
  desktopFile: 'application',
  mcp: 'mcp',
  model: 'model',
  service: 'service',
};

/** Marks of a program file, which any channel may have brought. */
const ofFile: ReadonlySet<IdentityKind> = new Set([
  'command',
  'genericCommand',
  'goModule',
  'contentMarker',
  'codeSignature',
]);

/** Everything the catalogue and the policy's rules name, tools by id, then names of no tool. */
export function identitiesOf(policy: Policy, catalogue: Catalogue): Identity[] {
  const tools = [...catalogue.tools].sort((one, other) => (one.id < other.id ? -1 : 1));
  const ofTools = tools.flatMap((tool): Identity[] => [
    ...identifierKinds.flatMap((kind) =>
      [...tool.identifiers[kind]].sort().map((name) => ({ tool, kind, name, folder: null })),
    ),
    ...tool.folders.map((folder) => ({
      ...{ tool, folder },
      kind: 'folder' as const,
      name: folder.path,
    })),
  ]);
  return [...ofTools, ...unclaimed(policy, catalogue)];
}

/** Packages that rules name and no entry claims, in order of their names. */
function unclaimed(policy: Policy, catalogue: Catalogue): Identity[] {
  const found = new Map<string, Identity>();
  for (const { match } of policy.rules) {
    for (const [ecosystem, names] of Object.entries(match.package ?? {})) {
      for (const kind of kindsOfEcosystem[ecosystem as Ecosystem]) {
        for (const written of names) {
          const name = normalPackage(ecosystem, written);
          if (isClaimed(catalogue, kind, name)) continue;
          found.set(`${kind} ${name}`, { tool: null, kind, name, folder: null });
        }
      }
    }
  }
  return [...found.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, it]) => it);
}

function isClaimed(catalogue: Catalogue, kind: IdentityKind, name: string): boolean {
  if (kind === 'folder' || kind === 'mcp' || kind === 'model' || kind === 'service') return false;
  return catalogue.match(kind, name) !== null;
}

/** A component of the tool in its plainest form: installed for the machine, or running. */
function probe(
  tool: Tool | null,
  place: { channel: Channel; name: string; manager?: string; state?: ComponentState },
): Component {
  const { channel, name, manager = null, state = 'installed' } = place;
  return {
    ...{ id: '', tool: tool?.id ?? null, channel, manager, purl: null, name },
    ...{ version: null, path: '', owner: null, scope: 'global', state },
    ...{ confidence: 'high', evidence: [] },
  };
}

/** The components that an enforcer stops who holds the tool by this identity. */
function probesOf({ tool, kind, name }: Identity): Component[] {
  const channel = channelOf[kind];
  if (channel !== undefined) return [probe(tool, { channel, name })];
  const isOfFile = ofFile.has(kind);
  if (!isOfFile && kind !== 'folder')
    return [probe(tool, { channel: 'package', name, manager: kind })];
  const commands = tool?.identifiers.command ?? [];
  const command = isOfFile && tool === null ? name : (commands[0] ?? tool?.id ?? name);
  const asFile = [
    probe(tool, { channel: 'executable', name: command }),
    probe(tool, { channel: 'process', name: command, state: 'running' }),
  ];
  if (tool === null) return asFile;
  if (kind === 'folder') return [...asFile, probe(tool, { channel: 'application', name: command })];
  // The same file may have come by any of the tool's other ways.
  const others = identifierKinds.filter((one) => !ofFile.has(one) && one !== 'npmParts');
  return [
    ...asFile,
    ...others.flatMap((one) =>
      tool.identifiers[one].flatMap((other) =>
        probesOf({ ...{ tool, kind: one }, name: other, folder: null }),
      ),
    ),
  ];
}

/** What can be said of an identity without looking at a device. */
const seen: ReadonlySet<keyof Match> = new Set([
  'tool',
  'kind',
  'vendor',
  'provider',
  'channel',
  'package',
  'state',
  'scope',
]);
const ofTool: ReadonlySet<string> = new Set(['tool', 'kind', 'vendor', 'provider']);

/** States in which nothing can be run: to let them be takes nothing from a denial. */
const inert: ReadonlySet<ComponentState> = new Set(['residual', 'disabled']);

export type Reach =
  | { readonly kind: 'no' }
  | { readonly kind: 'yes' }
  /** Depends on these fields, which no enforcer sees as the policy means them. */
  | { readonly kind: 'maybe'; readonly unseen: readonly (keyof Match)[] };

const device: DeviceContext = {
  ...{ id: '', hardwareId: null, person: null, group: null, zone: 'UTC' },
  platform: 'linux',
  maxAction: 'remove',
};

/** One rule, asked about identities. */
export interface ReachingRule {
  /** True when nothing in it speaks of a tool, a package or a channel. */
  readonly isOfPlaceOnly: boolean;
  /** What it asks for that shows only on a device. */
  readonly unseen: readonly (keyof Match)[];
  reach(identity: Identity): Reach;
}

/** On macOS the publisher is the team of the signature, which this one identity carries. */
function teamAnswer({ publisher }: Match, { kind, name }: Identity): 'yes' | 'no' | 'not seen' {
  if (publisher === undefined || kind !== 'codeSignature') return 'not seen';
  const team = name.split(':')[0]?.toLowerCase();
  return publisher.some((one) => one.toLowerCase() === team) ? 'yes' : 'no';
}

/** A match as a question about identities; `isDenial` decides how a state that cannot run counts. */
export function reachingRule(match: Match, catalogue: Catalogue, isDenial: boolean): ReachingRule {
  const conditions = conditionsOf(match, catalogue);
  const fixed = conditions.filter(({ field }) => seen.has(field));
  const hidden = conditions.map(({ field }) => field).filter((field) => !seen.has(field));
  const isInert = !isDenial && match.state?.every((state) => inert.has(state)) === true;
  return {
    isOfPlaceOnly: !fixed.some(
      ({ field }) => ofTool.has(field) || field === 'channel' || field === 'package',
    ),
    unseen: hidden,
    reach: (identity) => {
      if (isInert) return { kind: 'no' };
      const team = teamAnswer(match, identity);
      if (team === 'no') return { kind: 'no' };
      const open = team === 'yes' ? hidden.filter((field) => field !== 'publisher') : hidden;
      const answers = probesOf(identity).map((component) =>
        answer(fixed, { component, tool: identity.tool, device }),
      );
      return joined(answers, open);
    },
  };
}

/** The fields that are unmet; null when one of them can never be met by this component. */
function answer(fixed: readonly Condition[], subject: Subject): readonly (keyof Match)[] | null {
  const unmet = fixed.filter((condition) => condition.test(subject) === 'no');
  const fields = unmet.map(({ field }) => field);
  return fields.every((field) => field === 'state' || field === 'scope') ? fields : null;
}

function joined(
  answers: readonly (readonly (keyof Match)[] | null)[],
  hidden: readonly (keyof Match)[],
): Reach {
  const met = answers.filter((one) => one !== null);
  if (met.length === 0) return { kind: 'no' };
  const unseen = new Set([...hidden, ...met.flat()]);
  if (met.length < answers.length) unseen.add('channel');
  return unseen.size === 0 ? { kind: 'yes' } : { kind: 'maybe', unseen: [...unseen] };
}
