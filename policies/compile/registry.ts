/**
 * An npm registry that refuses denied packages: Verdaccio's built-in filter (6.4 and later) and its
 * access list, exclude patterns for Artifactory and Nexus, and overrides for pnpm. npm itself has no
 * list of packages to refuse, so nothing is written for it. A scope is never blocked as a whole.
 * https://www.npmjs.com/package/@verdaccio/package-filter, https://verdaccio.org/docs/packages/,
 * https://pnpm.io/settings#overrides
 */
import { stringify } from 'yaml';
import { denialsOf, type Judged } from './denials.js';
import type { Compiled, CompiledFile, CompileInput, Target } from './index.js';
import { sparedVersions } from './pins.js';
import { npmRange } from './ranges.js';
import { isMild, unexpressed, usualWarnings } from './words.js';

/** A package as a registry is told of it. */
interface Refusal {
  readonly name: string;
  /** The denied range in npm's notation; null for every version. */
  readonly versions: string | null;
  /** Of a package that is denied in every version: the range that is served all the same. */
  readonly spared: string | null;
}

/** A group that no account is in; Verdaccio answers everybody else with 401 or 403. */
const nobody = 'curfew-denied';

/** What npm accepts as a name: https://docs.npmjs.com/cli/configuring-npm/package-json#name */
const packageName = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-zA-Z0-9~-][a-zA-Z0-9._~-]*$/;

function refusalOf(judged: Judged, input: CompileInput): Refusal | null {
  const { kind, name, outcome, versions, action } = judged;
  if (kind !== 'npm' && kind !== 'npmParts') return null;
  if (action === null || isMild({ action }) || !packageName.test(name)) return null;
  if (isUnnamedLibrary(judged, input)) return null;
  if (outcome === 'denied') return { name, versions: null, spared: null };
  if (versions !== null) {
    const range = npmRange(versions);
    return range === null ? null : { name, versions: range, spared: null };
  }
  const spared = sparedVersions(judged, input);
  const range = spared === null ? null : npmRange(spared);
  return range === null ? null : { name, versions: null, spared: range };
}

/**
 * A library is installed because others need it, an approved tool too. A rule on a vendor, or the default,
 * means what somebody has installed by itself: only one that names the library, or projects, is about these.
 */
function isUnnamedLibrary({ tool, rule: id }: Judged, { policy }: CompileInput): boolean {
  if (tool?.kind !== 'sdk') return false;
  const match = policy.rules.find((rule) => rule.id === id)?.match ?? {};
  const isNamed =
    match.tool?.includes(tool.id) === true ||
    match.kind?.includes('sdk') === true ||
    match.package !== undefined ||
    match.scope?.includes('project') === true;
  return !isNamed;
}

const yamlOf = (head: readonly string[], value: object): string =>
  `${head.map((line) => `# ${line}\n`).join('')}${stringify(value, { lineWidth: 0, singleQuote: true })}`;

function filterFile(refusals: readonly Refusal[]): CompiledFile {
  const block = refusals.map(({ name, versions }) => ({
    package: name,
    ...(versions === null ? {} : { versions }),
  }));
  const allow = refusals.flatMap(({ name, spared }) =>
    spared === null ? [] : [{ package: name, versions: spared }],
  );
  const filter = { block, ...(allow.length === 0 ? {} : { allow }) };
  return {
    name: 'registry/verdaccio-filter.yaml',
    text: yamlOf(['Made by Curfew. Hides what is denied from every answer about a package.'], {
      filters: { '@verdaccio/package-filter': filter },
    }),
    purpose:
      'for config.yaml of Verdaccio 6.4 or later; if it has this filter already, add these entries to its own `block` and `allow` lists, as a second key would replace the first',
  };
}

function accessFile(names: readonly string[]): CompiledFile {
  const packages = Object.fromEntries(names.map((name) => [name, { access: nobody }]));
  return {
    name: 'registry/verdaccio-packages.yaml',
    text: yamlOf(
      [
        'Made by Curfew. Refuses the files too, which a lock file asks for by their address.',
        `No account may be in the group ${nobody}.`,
      ],
      { packages },
    ),
    purpose:
      'for config.yaml of Verdaccio: put these entries first under `packages`, as the first pattern that fits decides',
  };
}

function excludeFile(names: readonly string[]): CompiledFile {
  return {
    name: 'registry/exclude-patterns.txt',
    text: names.map((name) => `${name}/**\n`).join(''),
    purpose:
      'one a line, for the exclude patterns of the remote npm repository in Artifactory, or as routing rules in Nexus; added to those that are there',
  };
}

function pnpmFile(refusals: readonly Refusal[]): CompiledFile | null {
  const overrides = Object.fromEntries(
    refusals
      .filter(({ spared }) => spared === null)
      .map(({ name, versions }) => [versions === null ? name : `${name}@${versions}`, '-']),
  );
  if (Object.keys(overrides).length === 0) return null;
  return {
    name: 'registry/pnpm-workspace.yaml',
    text: yamlOf(['Made by Curfew. pnpm leaves these packages out of what it installs.'], {
      overrides,
    }),
    purpose:
      'to be merged into pnpm-workspace.yaml of a repository; whoever may write there can take it out again',
  };
}

function filesOf(refusals: readonly Refusal[]): CompiledFile[] {
  if (refusals.length === 0) return [];
  const whole = refusals
    .filter(({ versions, spared }) => versions === null && spared === null)
    .map(({ name }) => name);
  const pnpm = pnpmFile(refusals);
  return [
    filterFile(refusals),
    ...(whole.length === 0 ? [] : [accessFile(whole), excludeFile(whole)]),
    ...(pnpm === null ? [] : [pnpm]),
  ];
}

function whyNot(judged: Judged, input: CompileInput): string | null {
  const { kind } = judged;
  if (kind !== 'npm' && kind !== 'npmParts') return null;
  if (isUnnamedLibrary(judged, input)) {
    return `${judged.name} is a library that other programs need: a rule has to name its tool, or scope project, to refuse it`;
  }
  if (!packageName.test(judged.name)) return `${judged.name} is no name that npm accepts`;
  return judged.versions === null
    ? null
    : `the range ${judged.versions} has no exact form in npm's notation`;
}

function compile(input: CompileInput): Compiled {
  const denials = denialsOf(input);
  const written = new Map<Judged, Refusal>();
  for (const judged of denials.identities) {
    const refusal = refusalOf(judged, input);
    if (refusal !== null) written.set(judged, refusal);
  }
  const refusals = [...written.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  const notExpressible = unexpressed(denials, new Set(written.keys()), {
    product: 'an npm registry',
    isBlocking: true,
    seesVersions: true,
    whyNot: (_, judged) => whyNot(judged, input),
  });
  const isPartial = refusals.some(({ versions, spared }) => versions !== null || spared !== null);
  return {
    files: filesOf(refusals),
    notExpressible,
    warnings: [
      ...usualWarnings(input, denials),
      ...(refusals.length === 0
        ? []
        : [
            'a registry cannot tell a tool from a dependency: the packages are refused in projects too, which a rule without `scope` leaves alone',
            'npm, pnpm and yarn use another registry when their own settings name one: let nothing but your registry through the network',
          ]),
      ...(isPartial
        ? [
            'a version that the filter hides is still served to a lock file that names its address: clear it from the storage as well',
          ]
        : []),
    ],
  };
}

export const npmRegistry: Target = {
  id: 'npm-registry',
  title: 'npm registry (Verdaccio)',
  canAllowList: false,
  compile,
};
