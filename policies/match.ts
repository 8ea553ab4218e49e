/**
 * Whether a rule's `match` holds for a component: each field becomes a condition that answers and can
 * say what it found. Names match whole, in their ecosystem's spelling, never by substring. It decides
 * no verdict; an unknown version and an unknown gateway are all that is neither met nor unmet.
 */
import { normalName, type Catalogue, type IdentifierKind, type Tool } from './catalogue.js';
import type { Component } from './component.js';
import type { Match } from './document.js';
import type { DeviceContext } from './evaluate.js';
import { gatewayKind, gatewayProvider, plainHost } from './gateway.js';
import { matchesPath } from './glob.js';
import { readPackageUrl } from './package-url.js';
import { publishersOf } from './publisher.js';
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

/** Whether all conditions are met: one unmet decides, else one that cannot be told. */
export function testAll(conditions: readonly Condition[], subject: Subject): Answer {
  let answer: Answer = 'yes';
  for (const condition of conditions) {
    const one = condition.test(subject);
    if (one === 'no') return 'no';
    if (one === 'unknown') answer = 'unknown';
  }
  return answer;
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
  if (provider !== undefined) conditions.push(providerCondition(provider));
  return conditions;
}

/**
 * Whose models the tool talks to: where it is set up for the host of a provider that is known, that
 * one alone; else those that the catalogue names.
 */
function providersOf({ component: { gateway }, tool }: Subject): readonly string[] {
  const configured = gateway == null || tool === null ? null : gatewayProvider(gateway);
  return configured === null ? (tool?.provider ?? []) : [configured];
}

function providerCondition(providers: readonly string[]): Condition {
  const wanted = new Set(providers.map(fold));
  return {
    field: 'provider',
    asked: providers,
    isOfTool: false,
    test: (one) => yesIf(providersOf(one).some((name) => wanted.has(fold(name)))),
    found: (one) => (one.tool === null ? null : providersOf(one).join(' and ')),
  };
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

/** The host that a tool is set up for, null for none; undefined where that cannot be told. */
function gatewayOf({ component: { gateway }, tool }: Subject): string | null | undefined {
  if (gateway !== undefined || tool === null) return gateway;
  return tool.provider.every((name) => name === 'none') ? null : undefined;
}

/** `isOfAny`: the rule names no package, path or publisher, so it speaks of known tools alone. */
function gatewayCondition(values: readonly string[], isOfAny: boolean): Condition {
  const words = new Set(values.map(plainHost));
  const suffixes = values
    .filter((value) => value.startsWith('*.'))
    .map((value) => `.${plainHost(value.slice(2))}`);
  return {
    field: 'gateway',
    asked: values,
    isOfTool: false,
    test: (subject) => {
      const { tool } = subject;
      const gateway = gatewayOf(subject);
      if (gateway === undefined) return tool === null && isOfAny ? 'no' : 'unknown';
      if (words.has(gatewayKind(gateway, tool))) return 'yes';
      const host = gateway === null ? '' : plainHost(gateway);
      const isNamed = words.has(host) && !kinds.has(host);
      return yesIf(host !== '' && (isNamed || suffixes.some((suffix) => host.endsWith(suffix))));
    },
    found: (subject) => {
      const gateway = gatewayOf(subject);
      if (gateway == null) return gateway === null ? 'none' : null;
      return `${gateway} (${gatewayKind(gateway, subject.tool)})`;
    },
  };
}

/** So many versions of one ecosystem are remembered by a rule. */
const mostVersions = 10_000;

function versionCondition(range: string): Condition {
  const answers = { in: 'yes', out: 'no', unknown: 'unknown' } as const;
  // A fleet has few versions of a tool, and comparing one costs more than all else of a judgement.
  const known = new Map<string, Map<string | null, Answer>>();
  const answer = ({ component }: Subject): Answer => {
    const [ecosystem] = packageOf(component);
    const { version } = component;
    let ofEcosystem = known.get(ecosystem);
    if (ofEcosystem === undefined) known.set(ecosystem, (ofEcosystem = new Map()));
    let found = ofEcosystem.get(version);
    if (found === undefined) {
      if (ofEcosystem.size >= mostVersions) ofEcosystem.clear();
      ofEcosystem.set(version, (found = answers[inRange(ecosystem, version, range)]));
    }
    return found;
  };
  return {
    field: 'version',
    asked: [range],
    isOfTool: false,
    test: answer,
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
    const wanted = new Set(publisher.map(fold));
    conditions.push({
      field: 'publisher',
      asked: publisher,
      isOfTool: false,
      test: (one) => yesIf(publishersOf(one.component).some((name) => wanted.has(fold(name)))),
      found: (one) => publishersOf(one.component).join(', ') || null,
    });
  }
  if (match.path !== undefined) conditions.push(pathCondition(match.path));
  if (match.gateway !== undefined) {
    const isOfAny = [match.package, match.path, publisher].every((one) => one === undefined);
    conditions.push(gatewayCondition(match.gateway, isOfAny));
  }
  if (version !== undefined) conditions.push(versionCondition(version));
  return conditions;
}
