/**
 * Whether a rule's `match` holds for a component: each field becomes a condition that answers and can
 * say in words what it found. Names match whole, in their ecosystem's spelling, never by substring.
 * It decides no verdict; an unknown version is the only thing that is neither met nor unmet.
 */
import { normalName, type Catalogue, type IdentifierKind, type Tool } from './catalogue.js';
import type { Component } from './component.js';
import type { Match } from './document.js';
import type { DeviceContext } from './evaluate.js';
import { gatewayKind, plainHost } from './gateway.js';
import { matchesPath } from './glob.js';
import { readPackageUrl } from './package-url.js';
import { inRange } from './versions.js';

export interface Subject {
  readonly component: Component;
  readonly tool: Tool | null;
  readonly device: DeviceContext;
}

export type Answer = 'yes' | 'no' | 'unknown';

export interface Condition {
  readonly field: keyof Match;
  /** What the rule asks for: any of these. */
  readonly asked: readonly string[];
  /** True when the answer depends on the catalogue entry alone. */
  readonly isOfTool: boolean;
  test(subject: Subject): Answer;
  /** What the component has; null: nothing known. */
  found(subject: Subject): string | null;
}

const spellings: Readonly<Record<string, IdentifierKind>> = {
  pypi: 'pypi',
  'editor-extension': 'editorExtension',
  winget: 'winget',
  scoop: 'scoop',
  chocolatey: 'chocolatey',
};

/** A package name as its ecosystem compares it. */
export function normalPackage(ecosystem: string, name: string): string {
  const kind = spellings[ecosystem];
  return kind === undefined ? name : normalName(kind, name);
}

/** Ecosystem and name of a component. A process of a package carries it as a package URL. */
export function packageOf({ channel, manager, name, purl }: Component): [string, string] {
  if (channel === 'package') return [manager ?? channel, name];
  if (channel !== 'process' || purl === null) return [channel, name];
  const parts = readPackageUrl(purl);
  if (parts?.type !== 'npm' && parts?.type !== 'pypi') return [channel, name];
  const { type, namespace, name: short } = parts;
  return [type, namespace === null ? short : `${namespace}/${short}`];
}

const yesIf = (isMet: boolean): Answer => (isMet ? 'yes' : 'no');
const fold = (text: string): string => text.toLowerCase();

/** A condition on one text of the component; null or undefined is unmet. */
function oneOf(
  field: keyof Match,
  values: readonly string[],
  read: (subject: Subject) => string | null | undefined,
  options: { isOfTool?: boolean; isCaseless?: boolean } = {},
): Condition {
  const normal = options.isCaseless === true ? fold : (text: string) => text;
  const wanted = new Set(values.map(normal));
  return {
    field,
    asked: values,
    isOfTool: options.isOfTool ?? false,
    test: (subject) => {
      const value = read(subject);
      return yesIf(typeof value === 'string' && wanted.has(normal(value)));
    },
    found: (subject) => read(subject) ?? null,
  };
}

function toolConditions(match: Match, catalogue: Catalogue): Condition[] {
  const conditions: Condition[] = [];
  const { tool, kind, vendor, provider } = match;
  const ofTool = { isOfTool: true };
  if (tool !== undefined) {
    const ids = tool.map((id) => catalogue.tool(id)?.id ?? id);
    conditions.push(oneOf('tool', ids, ({ component }) => component.tool, ofTool));
  }
  if (kind !== undefined) conditions.push(oneOf('kind', kind, (one) => one.tool?.kind, ofTool));
  if (vendor !== undefined) {
    const options = { isOfTool: true, isCaseless: true };
    conditions.push(oneOf('vendor', vendor, (one) => one.tool?.vendor, options));
  }
  if (provider !== undefined) {
    const wanted = new Set(provider.map(fold));
    conditions.push({
      field: 'provider',
      asked: provider,
      isOfTool: true,
      test: (one) => yesIf(one.tool?.provider.some((name) => wanted.has(fold(name))) === true),
      found: (one) => one.tool?.provider.join(' and ') ?? null,
    });
  }
  return conditions;
}

function packageCondition(packages: NonNullable<Match['package']>): Condition {
  const wanted = new Map(
    Object.entries(packages).map(([ecosystem, names]) => [
      ecosystem,
      new Set(names.map((name) => normalPackage(ecosystem, name))),
    ]),
  );
  return {
    field: 'package',
    asked: Object.entries(packages).flatMap(([ecosystem, names]) =>
      names.map((name) => `${ecosystem} ${name}`),
    ),
    isOfTool: false,
    test: ({ component }) => {
      const [ecosystem, name] = packageOf(component);
      const names = wanted.get(ecosystem);
      return yesIf(names !== undefined && names.has(normalPackage(ecosystem, name)));
    },
    found: ({ component }) => packageOf(component).join(' '),
  };
}

function pathCondition(patterns: readonly string[]): Condition {
  return {
    field: 'path',
    asked: patterns,
    isOfTool: false,
    test: ({ component: { path }, device: { home, platform } }) =>
      yesIf(matchesPath(patterns, { path, home: home ?? null, isWindows: platform === 'win32' })),
    found: ({ component }) => component.path,
  };
}

/** Words of a rule, which a host of the same name is not. */
const kinds: ReadonlySet<string> = new Set(['vendor', 'third-party', 'none']);

function gatewayCondition(values: readonly string[]): Condition {
  const words = new Set(values.map(plainHost));
  const suffixes = values
    .filter((value) => value.startsWith('*.'))
    .map((value) => `.${plainHost(value.slice(2))}`);
  return {
    field: 'gateway',
    asked: values,
    isOfTool: false,
    test: ({ component: { gateway }, tool }) => {
      if (gateway === undefined) return 'no';
      if (words.has(gatewayKind(gateway, tool))) return 'yes';
      const host = gateway === null ? '' : plainHost(gateway);
      const isNamed = words.has(host) && !kinds.has(host);
      return yesIf(host !== '' && (isNamed || suffixes.some((suffix) => host.endsWith(suffix))));
    },
    found: ({ component: { gateway }, tool }) =>
      gateway === undefined
        ? null
        : gateway === null
          ? 'none'
          : `${gateway} (${gatewayKind(gateway, tool)})`,
  };
}

function versionCondition(range: string): Condition {
  const answers = { in: 'yes', out: 'no', unknown: 'unknown' } as const;
  return {
    field: 'version',
    asked: [range],
    isOfTool: false,
    test: ({ component }) => answers[inRange(packageOf(component)[0], component.version, range)],
    found: ({ component }) => component.version,
  };
}

/** States and scopes that a rule reaches when it names none. */
const usualStates = ['installed', 'running'] as const;
const usualScopes = ['global'] as const;

function placeConditions(match: Match): Condition[] {
  const { running } = match;
  const scope = oneOf('scope', match.scope ?? usualScopes, ({ component }) => component.scope);
  const conditions: Condition[] = [
    oneOf('state', match.state ?? usualStates, ({ component }) => component.state),
    {
      ...scope,
      // A live process is the tool at work, whatever folder its file lies in.
      test: (one) => (one.component.state === 'running' ? 'yes' : scope.test(one)),
    },
  ];
  if (running === undefined) return conditions;
  const read = ({ component }: Subject): boolean | undefined =>
    component.state === 'running' ? true : component.running;
  conditions.push({
    field: 'running',
    asked: [String(running)],
    isOfTool: false,
    test: (subject) => yesIf(read(subject) === running),
    found: (subject) => read(subject)?.toString() ?? null,
  });
  return conditions;
}

/** The conditions of a match, cheapest first and the version last; all of them must be met. */
export function conditionsOf(match: Match, catalogue: Catalogue): readonly Condition[] {
  const conditions = toolConditions(match, catalogue);
  const { channel, publisher, owner, version } = match;
  if (channel !== undefined) {
    conditions.push(oneOf('channel', channel, ({ component }) => component.channel));
  }
  if (match.package !== undefined) conditions.push(packageCondition(match.package));
  conditions.push(...placeConditions(match));
  if (owner !== undefined) {
    const exact = oneOf('owner', owner, ({ component }) => component.owner);
    const caseless = oneOf('owner', owner, exact.found, { isCaseless: true });
    // Account names of Windows have no case.
    const test = (one: Subject): Answer =>
      one.component.owner !== null && one.device.platform === 'win32'
        ? caseless.test(one)
        : exact.test(one);
    conditions.push({ ...exact, test });
  }
  if (publisher !== undefined) {
    const read = ({ component }: Subject): string | null | undefined => component.publisher;
    conditions.push(oneOf('publisher', publisher, read, { isCaseless: true }));
  }
  if (match.path !== undefined) conditions.push(pathCondition(match.path));
  if (match.gateway !== undefined) conditions.push(gatewayCondition(match.gateway));
  if (version !== undefined) conditions.push(versionCondition(version));
  return conditions;
}
