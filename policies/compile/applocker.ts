/**
 * AppLocker for Windows: a policy that denies install folders and launchers by path, to be merged into
 * what there is. Deny beats allow there, and a collection with any rule blocks all it does not allow:
 * so both collections always carry the rule that allows everything, or in an allow-list the system, the
 * program folders and administrators. Publisher names are not in the catalogue and are never guessed.
 */
import { denialsOf, type Denials, type Judged } from './denials.js';
import type { Compiled, CompiledFile, CompileInput, Target } from './index.js';
import { writeElement, writeXml, type Element } from './markup.js';
import {
  blockablePaths,
  placeOf,
  placeOfFolder,
  sparedPlaces,
  whyKept,
  whyNotPlace,
} from './places.js';
import { hashedUuid, isBlocked, isMild, messageOf, unexpressed, usualWarnings } from './words.js';

const collections = ['Exe', 'Script'] as const;
type Collection = (typeof collections)[number];

/** One path and what is said of it. */
interface PathRule {
  readonly collection: Collection;
  /** As AppLocker writes it, with its own path variables. */
  readonly path: string;
  readonly action: 'Allow' | 'Deny';
  readonly name: string;
  readonly description: string;
  /** Everyone, or administrators. */
  readonly sid: 'S-1-1-0' | 'S-1-5-32-544';
}

/** Both limits are of the published schema. */
const maxText = 1024;

/**
 * A place in AppLocker's words: its path variables are its own, not those of the environment.
 * https://learn.microsoft.com/windows/security/application-security/application-control/app-control-for-business/applocker/understanding-the-path-rule-condition-in-applocker
 */
function pathOf(place: string): string {
  const variables = [
    [/^C:\/Windows(?=\/)/i, '%WINDIR%'],
    [/^C:\/Program Files(?: \(x86\))?(?=\/)/i, '%PROGRAMFILES%'],
    [/^C:(?=\/)/i, '%OSDRIVE%'],
  ] as const;
  const [pattern, variable] = variables.find(([one]) => one.test(place)) ?? [/^$/, ''];
  return place.replace(pattern, variable).replaceAll('/', '\\');
}

/** Which collections look at such a file; one without a known ending may be either. */
function collectionsOf(place: string): readonly Collection[] {
  if (/\.(exe|com)$/i.test(place)) return ['Exe'];
  if (/\.(ps1|bat|cmd|vbs|js)$/i.test(place)) return ['Script'];
  return place.endsWith('*') ? collections : ['Exe'];
}

function denied(
  place: string,
  words: { readonly name: string; readonly description: string },
): PathRule[] {
  return collectionsOf(place).map((collection) => ({
    ...{ collection, path: pathOf(place), action: 'Deny', sid: 'S-1-1-0' },
    name: `Curfew: ${words.name}`.slice(0, maxText),
    description: words.description,
  }));
}

/** The launchers that npm writes for a global package, in the folder it has unless told otherwise. */
const launchersOf = (command: string): string[] =>
  ['cmd', 'ps1'].map((ending) => `C:/Users/*/AppData/Roaming/npm/${command}.${ending}`);

/** A command is held by its launchers where the tool's npm package is denied as well. */
const hasLaunchers = ({ tool, kind }: Judged, denials: Denials): boolean =>
  kind === 'command' &&
  denials.identities.some((one) => one.kind === 'npm' && one.tool === tool && isBlocked(one));

interface Blocked {
  readonly rules: readonly PathRule[];
  readonly written: ReadonlySet<Judged>;
  readonly expressedRules: ReadonlySet<string>;
}

function blockedOf(input: CompileInput, denials: Denials, spared: readonly string[]): Blocked {
  const rules: PathRule[] = [];
  const written = new Set<Judged>();
  for (const one of denials.identities.filter(isBlocked)) {
    const place = placeOfFolder(one.folder, 'win32');
    const isPlace = place !== null && whyNotPlace(one, 'win32', spared) === null;
    const launchers = hasLaunchers(one, denials) ? launchersOf(one.name) : [];
    const places = (isPlace ? [place] : launchers).filter(
      (path) => whyKept(path, 'win32', spared) === null,
    );
    if (places.length === 0 || one.denial === null) continue;
    const description = messageOf(one.denial, input.catalogue, maxText);
    const name = one.tool?.name ?? one.name;
    rules.push(...places.flatMap((path) => denied(path, { name, description })));
    written.add(one);
  }
  const expressedRules = new Set<string>();
  for (const rule of denials.inForce.filter((one) => !isMild(one))) {
    const description = messageOf(rule.denial, input.catalogue, maxText);
    for (const path of blockablePaths(rule, 'win32', spared)) {
      rules.push(...denied(placeOf(path, 'win32') ?? path, { name: rule.rule, description }));
      expressedRules.add(rule.rule);
    }
  }
  return { rules, written, expressedRules };
}

const everyone = { action: 'Allow', description: '', sid: 'S-1-1-0' } as const;

function allowEverything(collection: Collection): PathRule[] {
  return [{ ...everyone, collection, path: '*', name: 'Curfew: allow everything else' }];
}

/** The rest of an allow-list: what AppLocker's own default rules allow, and Curfew's program folder. */
function allowSystem(collection: Collection): PathRule[] {
  return [
    { ...everyone, collection, path: '%WINDIR%\\*', name: 'Curfew: allow Windows' },
    {
      ...{ ...everyone, collection, path: '%PROGRAMFILES%\\*' },
      name: 'Curfew: allow installed programs, MDM agents and Curfew',
    },
    {
      ...{ ...everyone, collection, path: '%OSDRIVE%\\ProgramData\\Microsoft\\*' },
      name: 'Curfew: allow what Microsoft Defender and Intune run',
    },
    {
      ...{ ...everyone, collection, path: '*', sid: 'S-1-5-32-544' },
      name: 'Curfew: allow administrators everything',
    },
  ];
}

function elementOf(rule: PathRule): Element {
  const { collection, path, action, name, description, sid } = rule;
  return {
    name: 'FilePathRule',
    attributes: {
      Id: hashedUuid('applocker', collection, action, sid, path),
      Name: name,
      Description: description,
      UserOrGroupSid: sid,
      Action: action,
    },
    children: [
      {
        name: 'Conditions',
        children: [{ name: 'FilePathCondition', attributes: { Path: path } }],
      },
    ],
  };
}

/** Allows first, then by path; one rule for each path. */
function inOrder(rules: readonly PathRule[]): PathRule[] {
  const found = new Map<string, PathRule>();
  for (const rule of rules) {
    const key = `${rule.action} ${rule.path} ${rule.sid}`;
    if (!found.has(key)) found.set(key, rule);
  }
  return [...found.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, it]) => it);
}

function filesOf(rules: readonly PathRule[], mode: 'AuditOnly' | 'Enabled'): CompiledFile[] {
  const elements = collections.map((type) => ({
    name: 'RuleCollection',
    attributes: { Type: type, EnforcementMode: mode },
    children: inOrder(rules.filter(({ collection }) => collection === type)).map(elementOf),
  }));
  const root = { name: 'AppLockerPolicy', attributes: { Version: '1' }, children: elements };
  return [
    {
      name: 'applocker/policy.xml',
      text: writeXml(root),
      purpose: 'Set-AppLockerPolicy -Merge, or import into a group policy',
    },
    ...elements.map((element) => ({
      name: `applocker/csp-${element.attributes.Type.toLowerCase()}.xml`,
      text: writeElement(element),
      purpose: `the value of the AppLocker CSP at ${element.attributes.Type === 'Exe' ? 'EXE' : 'Script'}/Policy`,
    })),
  ];
}

const whyNot = (one: Judged, spared: readonly string[]): string | null => {
  switch (one.kind) {
    case 'npm':
    case 'pypi':
      return 'a package of scripts is run by an interpreter; at most its launcher is blocked';
    case 'editorExtension':
    case 'jetbrainsPlugin':
    case 'browserExtension':
      return 'an extension is loaded by its host and never executed';
    case 'windowsApp':
    case 'winget':
    case 'scoop':
    case 'chocolatey':
      return one.tool?.folders.some((folder) => folder.os.includes('win32')) === true
        ? null
        : 'the catalogue has neither its publisher nor its folder on Windows';
    case 'folder':
      return whyNotPlace(one, 'win32', spared);
    default:
      return null;
  }
};

/** What is let be and lies outside the folders that an allow-list allows anyway. */
function allowed(denials: Denials): { rules: PathRule[]; gaps: string[] } {
  const permitted = denials.identities.filter((one) => one.isPartlyPermitted && one.tool !== null);
  const packages = permitted.filter(({ kind }) => kind === 'npm').map(({ tool }) => tool);
  const rules = permitted.flatMap((one) => {
    const place = placeOfFolder(one.folder, 'win32');
    const isLaunched = one.kind === 'command' && packages.includes(one.tool);
    const places = [
      ...(place === null ? [] : [place]),
      ...(isLaunched ? launchersOf(one.name) : []),
    ];
    const name = `Curfew: ${one.tool?.name ?? one.name}`;
    return places.flatMap((path) =>
      collectionsOf(path).map((collection) => ({
        ...{ ...everyone, collection, path: pathOf(path), name },
      })),
    );
  });
  const placed = new Set(
    permitted
      .filter(({ folder }) => placeOfFolder(folder, 'win32') !== null)
      .map(({ tool }) => tool?.id),
  );
  const ids = permitted.map(({ tool }) => tool?.id ?? '').filter((id) => !placed.has(id));
  return { rules, gaps: [...new Set(ids)].sort() };
}

export const applocker: Target = {
  id: 'applocker',
  title: 'AppLocker',
  canAllowList: true,
  compile: (input): Compiled => {
    const denials = denialsOf(input);
    const spared = sparedPlaces(denials, 'win32');
    const { rules, written, expressedRules } = blockedOf(input, denials, spared);
    const rest = input.isAllowList ? allowed(denials) : { rules: [], gaps: [] };
    const isEnabled = input.isEnforced === true && rest.gaps.length === 0;
    const always = collections.flatMap(input.isAllowList ? allowSystem : allowEverything);
    return {
      files: filesOf([...always, ...rules, ...rest.rules], isEnabled ? 'Enabled' : 'AuditOnly'),
      notExpressible: unexpressed(denials, written, {
        ...{ product: 'AppLocker', isBlocking: true, expressedRules },
        whyNot: (_, one) => whyNot(one, spared),
      }),
      warnings: [
        ...usualWarnings(input, denials),
        ...rest.gaps.map(
          (id) =>
            `${id} is let be, and the catalogue has no folder of it: an allow-list would stop it`,
        ),
        isEnabled
          ? 'EnforcementMode is Enabled: what is denied stops at once'
          : 'EnforcementMode is AuditOnly: events 8003 and 8006 tell what would stop',
      ],
    };
  },
};
