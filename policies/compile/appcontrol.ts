/**
 * App Control for Business (WDAC): a base policy of its own that denies by path and allows all else, for
 * the kernel and for programs. Several base policies intersect, so it can loosen nothing an admin has.
 * It begins in audit mode. Signers and original file names are not in the catalogue and never guessed;
 * an allow-list is the admin's own policy and is never written here.
 */
import { denialsOf, type Denials, type Judged } from './denials.js';
import type { Compiled, CompileInput, Target } from './index.js';
import { writeXml, type Element } from './markup.js';
import { blockablePaths, placeOf, placeOfFolder, sparedPlaces, whyNotPlace } from './places.js';
import { hashedUuid, isBlocked, isMild, unexpressed, usualWarnings } from './words.js';

interface PathDenial {
  readonly path: string;
  readonly name: string;
}

/**
 * A place in App Control's words, or null. One star at the beginning or the end is all that every
 * supported Windows reads; a home is any path before the rest.
 * https://learn.microsoft.com/windows/security/application-security/application-control/app-control-for-business/design/select-types-of-rules-to-create
 */
function pathOf(place: string): string | null {
  const rest = place
    .replace(/^C:\/Users\/\*(?=\/)/, '*')
    .replace(/^C:\/Windows(?=\/)/i, '%WINDIR%')
    .replace(/^C:(?=\/)/i, '%OSDRIVE%');
  const stars = rest.split('*').length - 1;
  const isAtEdge = rest.startsWith('*') || rest.endsWith('*');
  return stars === 0 || (stars === 1 && isAtEdge) ? rest.replaceAll('/', '\\') : null;
}

interface Blocked {
  readonly denials: readonly PathDenial[];
  readonly written: ReadonlySet<Judged>;
  readonly expressedRules: ReadonlySet<string>;
}

function blockedOf(denials: Denials, spared: readonly string[]): Blocked {
  const found: PathDenial[] = [];
  const written = new Set<Judged>();
  for (const one of denials.identities.filter(isBlocked)) {
    const place = placeOfFolder(one.folder, 'win32');
    const path = place === null ? null : pathOf(place);
    if (path === null || whyNotPlace(one, 'win32', spared) !== null) continue;
    found.push({ path, name: one.tool?.name ?? one.name });
    written.add(one);
  }
  const expressedRules = new Set<string>();
  for (const rule of denials.inForce.filter((one) => !isMild(one))) {
    const paths = blockablePaths(rule, 'win32', spared).map((path) => {
      const place = placeOf(path, 'win32');
      return place === null ? null : pathOf(place);
    });
    if (paths.length === 0 || paths.includes(null)) continue;
    found.push(...paths.flatMap((path) => (path === null ? [] : { path, name: rule.rule })));
    expressedRules.add(rule.rule);
  }
  const byPath = new Map([...found].reverse().map((one) => [one.path, one]));
  const sorted = [...byPath.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  return { denials: sorted, written, expressedRules };
}

const text = (name: string, value: string): Element => ({ name, text: value });
const options = (values: readonly string[]): Element => ({
  name: 'Rules',
  children: values.map((value) => ({ name: 'Rule', children: [text('Option', value)] })),
});

const kernelAllow = 'ID_ALLOW_A_1';
const userAllow = 'ID_ALLOW_A_2';

function scenario(
  value: '131' | '12',
  { id, name }: { readonly id: string; readonly name: string },
  ruleIds: readonly string[],
): Element {
  const refs = ruleIds.map((RuleID) => ({ name: 'FileRuleRef', attributes: { RuleID } }));
  return {
    name: 'SigningScenario',
    attributes: { Value: value, ID: id, FriendlyName: name },
    children: [{ name: 'ProductSigners', children: [{ name: 'FileRulesRef', children: refs }] }],
  };
}

function policyElement(
  { policy: { policy }, isEnforced }: CompileInput,
  denials: readonly PathDenial[],
): Element {
  const id = `{${hashedUuid('appcontrol', policy).toUpperCase()}}`;
  const rules = denials.map(({ path, name }) => ({
    name: 'Deny',
    attributes: {
      ID: `ID_DENY_${hashedUuid('appcontrol', path).replaceAll('-', '').toUpperCase()}`,
      FriendlyName: name,
      FilePath: path,
    },
  }));
  const allow = (ID: string, FriendlyName: string): Element => ({
    name: 'Allow',
    attributes: { ID, FriendlyName, FileName: '*' },
  });
  const mode = isEnforced === true ? [] : ['Enabled:Audit Mode'];
  return {
    name: 'SiPolicy',
    attributes: { xmlns: 'urn:schemas-microsoft-com:sipolicy', PolicyType: 'Base Policy' },
    children: [
      text('VersionEx', '10.0.0.0'),
      text('PlatformID', '{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}'),
      options([
        'Enabled:UMCI',
        ...mode,
        'Enabled:Unsigned System Integrity Policy',
        'Enabled:Update Policy No Reboot',
        // Folders of a home can be written by their owner, and a denial there must count all the same.
        'Disabled:Runtime FilePath Rule Protection',
      ]),
      { name: 'EKUs' },
      {
        name: 'FileRules',
        children: [
          allow(kernelAllow, 'Curfew: allow all of the kernel'),
          allow(userAllow, 'Curfew: allow every other program'),
          ...rules,
        ],
      },
      { name: 'Signers' },
      {
        name: 'SigningScenarios',
        children: [
          scenario('131', { id: 'ID_SIGNINGSCENARIO_DRIVERS', name: 'Kernel' }, [kernelAllow]),
          scenario('12', { id: 'ID_SIGNINGSCENARIO_WINDOWS', name: 'Programs' }, [
            userAllow,
            ...rules.map(({ attributes }) => attributes.ID),
          ]),
        ],
      },
      { name: 'UpdatePolicySigners' },
      { name: 'CiSigners' },
      text('HvciOptions', '0'),
      text('BasePolicyID', id),
      text('PolicyID', id),
    ],
  };
}

const whyNot = (one: Judged, spared: readonly string[]): string | null => {
  switch (one.kind) {
    case 'npm':
    case 'pypi':
      return 'a package of scripts is run by an interpreter, which is all App Control sees';
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
        : 'the catalogue has neither its signer nor its folder on Windows';
    case 'folder': {
      const place = placeOfFolder(one.folder, 'win32');
      const why = whyNotPlace(one, 'win32', spared);
      if (place === null || why !== null) return why;
      return 'its folder carries a version, and App Control reads one star at an end of a path alone';
    }
    default:
      return null;
  }
};

export const appcontrol: Target = {
  id: 'appcontrol',
  title: 'App Control for Business',
  canAllowList: false,
  compile: (input): Compiled => {
    const denials = denialsOf(input);
    const spared = sparedPlaces(denials, 'win32');
    const blocked = blockedOf(denials, spared);
    return {
      files: [
        {
          name: 'appcontrol/policy.xml',
          text: writeXml(policyElement(input, blocked.denials)),
          purpose: 'made binary by ConvertFrom-CIPolicy, then CiTool or the ApplicationControl CSP',
        },
      ],
      notExpressible: unexpressed(denials, blocked.written, {
        ...{ product: 'App Control', isBlocking: true, expressedRules: blocked.expressedRules },
        whyNot: (_, one) => whyNot(one, spared),
      }),
      warnings: [
        ...usualWarnings(input, denials),
        input.isEnforced === true
          ? 'the policy is enforced: what is denied stops at once'
          : 'the policy is in audit mode: event 3076 tells what would stop',
      ],
    };
  },
};
