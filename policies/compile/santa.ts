/**
 * Santa for macOS (https://northpole.dev): rules by signing id and a pattern of install folders, for a
 * sync server and as static rules of a profile. Denials only, so that all else runs as before; the
 * client's mode is left alone unless an allow-list was asked for. Santa sees programs and no scripts;
 * a Team ID alone would stop a vendor's other programs too, and is never written.
 */
import { denialsOf, type Denials, type Judged } from './denials.js';
import type { Compiled, CompiledFile, CompileInput, Target } from './index.js';
import { writeProfile, type PlistValue } from './markup.js';
import {
  blockablePaths,
  expressionOf,
  kept,
  placeOfFolder,
  sparedPlaces,
  whyNotPlace,
} from './places.js';
import { hashedUuid, isBlocked, isMild, messageOf, unexpressed, usualWarnings } from './words.js';

interface SantaRule {
  readonly identifier: string;
  readonly rule_type: 'SIGNINGID';
  readonly policy: 'ALLOWLIST' | 'BLOCKLIST';
  readonly custom_msg?: string;
  readonly custom_url?: string;
}

/** What was made of the denials. */
interface Blocked {
  readonly rules: readonly SantaRule[];
  /** Expressions of whole paths. */
  readonly paths: readonly string[];
  readonly written: ReadonlySet<Judged>;
  readonly expressedRules: ReadonlySet<string>;
}

function ruleOf(one: Judged, { catalogue }: CompileInput): SantaRule[] {
  if (one.denial === null) return [];
  const url = one.denial.replacement?.guide ?? null;
  return [
    {
      ...{ identifier: one.name, rule_type: 'SIGNINGID', policy: 'BLOCKLIST' },
      custom_msg: messageOf(one.denial, catalogue),
      ...(url === null ? {} : { custom_url: url }),
    },
  ];
}

function blockedOf(input: CompileInput, denials: Denials, spared: readonly string[]): Blocked {
  const blocked = denials.identities.filter(isBlocked);
  const signed = blocked.filter(({ kind }) => kind === 'codeSignature');
  const placed = blocked.filter(
    (one) =>
      placeOfFolder(one.folder, 'darwin') !== null && whyNotPlace(one, 'darwin', spared) === null,
  );
  const whole = denials.inForce
    .filter((rule) => !isMild(rule))
    .map((rule) => ({ rule: rule.rule, paths: blockablePaths(rule, 'darwin', spared) }))
    .filter((one) => one.paths.length > 0);
  const paths = [...placed.map(({ name }) => name), ...whole.flatMap((one) => one.paths)];
  return {
    rules: signed.flatMap((one) => ruleOf(one, input)),
    paths: [...new Set(paths.map((path) => expressionOf(path, 'darwin')))].sort(),
    written: new Set([...signed, ...placed]),
    expressedRules: new Set(whole.map(({ rule }) => rule)),
  };
}

/** What an allow-list lets run beside the system, and approved tools that it has no mark for. */
function allowedOf(denials: Denials): {
  readonly rules: readonly SantaRule[];
  readonly paths: readonly string[];
  readonly gaps: readonly string[];
} {
  const permitted = denials.identities.filter(
    ({ isPartlyPermitted, tool }) => isPartlyPermitted && tool !== null,
  );
  const signed = permitted.filter(({ kind }) => kind === 'codeSignature');
  const placed = permitted.filter(({ folder }) => placeOfFolder(folder, 'darwin') !== null);
  const marked = new Set([...signed, ...placed].map(({ tool }) => tool?.id));
  const gaps = new Set(permitted.map(({ tool }) => tool?.id ?? '').filter((id) => !marked.has(id)));
  return {
    rules: signed.map(({ name: identifier }) => ({
      ...{ identifier, rule_type: 'SIGNINGID', policy: 'ALLOWLIST' },
    })),
    paths: [
      ...kept.darwin.map(keptExpression),
      ...placed.map(({ name }) => expressionOf(name, 'darwin')),
    ],
    gaps: [...gaps].sort(),
  };
}

/** Here a star is any text, in a name or across names. */
const keptExpression = (place: string): string =>
  expressionOf(place.replaceAll('*', '**'), 'darwin');

const anyOf = (paths: readonly string[]): string => `^(?:${[...new Set(paths)].join('|')})$`;

const inOrder = (rules: readonly SantaRule[]): SantaRule[] =>
  [...rules].sort((one, other) => (one.identifier < other.identifier ? -1 : 1));

function filesOf(
  input: CompileInput,
  rules: readonly SantaRule[],
  settings: Readonly<Record<string, PlistValue>>,
): CompiledFile[] {
  const { policy } = input.policy;
  const { ClientMode: mode, BlockedPathRegex: blocked, AllowedPathRegex: allowed } = settings;
  const preflight = {
    ...(mode === undefined ? {} : { client_mode: mode === 2 ? 'LOCKDOWN' : 'MONITOR' }),
    ...(blocked === undefined ? {} : { blocked_path_regex: blocked }),
    ...(allowed === undefined ? {} : { allowed_path_regex: allowed }),
  };
  const profile = writeProfile({
    identifier: `com.example.curfew.santa.${policy}`,
    uuid: hashedUuid('santa', policy),
    displayName: 'Curfew: rules for Santa',
    description: `What the policy ${policy} denies.`,
    payloads: [
      {
        domain: 'com.northpolesec.santa',
        identifier: `com.example.curfew.santa.${policy}.rules`,
        uuid: hashedUuid('santa', policy, 'rules'),
        settings: { ...settings, StaticRules: rules.map((rule) => ({ ...rule })) },
      },
    ],
  });
  const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  return [
    {
      name: 'santa/curfew-santa.mobileconfig',
      text: profile,
      purpose: 'a profile for the MDM, where no sync server gives rules',
    },
    {
      name: 'santa/rules.json',
      text: json({ rules, cursor: '' }),
      purpose: 'the reply of a sync server to ruledownload',
    },
    {
      name: 'santa/preflight.json',
      text: json(preflight),
      purpose: 'what a sync server adds to its reply to preflight',
    },
  ];
}

const whyNot = (one: Judged, spared: readonly string[]): string | null => {
  const signatures = one.tool?.identifiers.codeSignature ?? [];
  switch (one.kind) {
    case 'npm':
    case 'pypi':
      return 'a package of scripts is run by an interpreter, which is all Santa sees';
    case 'editorExtension':
    case 'jetbrainsPlugin':
    case 'browserExtension':
      return 'an extension is loaded by its host and never executed';
    case 'homebrewFormula':
    case 'homebrewCask':
      if (signatures.length > 0) return null;
      return 'the catalogue has no signing id of what Homebrew installs';
    case 'bundleId':
      if (signatures.some((signature) => signature.endsWith(`:${one.name}`))) return null;
      return 'the catalogue has no Team ID to the bundle id';
    case 'folder':
      // What is signed is stopped wherever it lies.
      if (one.folder?.bundled === true && signatures.length > 0) return null;
      return whyNotPlace(one, 'darwin', spared);
    default:
      return null;
  }
};

/** Files of an allow-list: audit first, and never a lock before every approved tool has its mark. */
function allowList(
  input: CompileInput,
  denials: Denials,
  { rules, paths }: Blocked,
): Pick<Compiled, 'files' | 'warnings'> {
  const allowed = allowedOf(denials);
  const isLocked = input.isEnforced === true && allowed.gaps.length === 0;
  const files = filesOf(input, inOrder([...rules, ...allowed.rules]), {
    ...(paths.length === 0 ? {} : { BlockedPathRegex: anyOf(paths) }),
    AllowedPathRegex: anyOf(allowed.paths),
    ClientMode: isLocked ? 2 : 1,
  });
  const warnings = allowed.gaps.map(
    (id) => `${id} is let be, and the catalogue has no mark of it: an allow-list would stop it`,
  );
  const mode = isLocked
    ? 'LOCKDOWN stops every program that is not listed, not AI tools alone'
    : 'ClientMode stays MONITOR: nothing is stopped for not being listed';
  return { files, warnings: [...warnings, mode] };
}

export const santa: Target = {
  id: 'santa',
  title: 'Santa',
  canAllowList: true,
  compile: (input) => {
    const denials = denialsOf(input);
    const spared = sparedPlaces(denials, 'darwin');
    const blocked = blockedOf(input, denials, spared);
    const { rules, paths, written, expressedRules } = blocked;
    const notExpressible = unexpressed(denials, written, {
      ...{ product: 'Santa', isBlocking: true, expressedRules },
      whyNot: (_, one) => whyNot(one, spared),
    });
    const warnings = usualWarnings(input, denials);
    if (paths.length > 0) {
      warnings.push(
        'BlockedPathRegex is one value: where a profile or sync server sets it already, join both by |',
      );
    }
    if (input.isAllowList) {
      const made = allowList(input, denials, blocked);
      return { files: made.files, notExpressible, warnings: [...warnings, ...made.warnings] };
    }
    const settings = paths.length === 0 ? {} : { BlockedPathRegex: anyOf(paths) };
    return { files: filesOf(input, inOrder(rules), settings), notExpressible, warnings };
  },
};
