/**
 * VS Code and the forks whose makers document the same policy: `extensions.allowed` as a machine policy.
 * It is one value and the last writer wins, so an admin who has one merges. Once it is set, what it does
 * not list is blocked: `"*": true` is dropped only for an allow-list. A key without a dot is a whole
 * publisher, so none is made of an extension's name. A value that does not parse is ignored without a word.
 * https://code.visualstudio.com/docs/enterprise/extensions
 */
import { denialsOf, type Denials, type Judged } from './denials.js';
import { deniedPublishers, isExtensionOf, type DeniedPublishers } from './extension-publishers.js';
import type { Compiled, CompiledFile, CompileInput, Target } from './index.js';
import { writeProfile, writeRegistry } from './markup.js';
import { sparedVersions } from './pins.js';
import { exactVersions } from './ranges.js';
import { hashedUuid, isMild, unexpressed, usualWarnings } from './words.js';

/** An editor whose maker says where its policy lies; what is not said is null, not guessed. */
interface Editor {
  readonly id: string;
  readonly title: string;
  /** macOS preference domain. */
  readonly domain: string | null;
  readonly registryKey: string | null;
  readonly linux: { readonly path: string; readonly isText: boolean };
  /** Said to the admin where the policy cannot reach or is weak. */
  readonly warnings: readonly string[];
}

const editors: readonly Editor[] = [
  {
    id: 'vscode',
    title: 'Visual Studio Code',
    domain: 'com.microsoft.VSCode',
    registryKey: 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\VSCode',
    // 1.106 and later; an object and its text are both read.
    linux: { path: '/etc/vscode/policy.json', isText: false },
    warnings: [
      'needs VS Code 1.96, on Linux 1.106; Insiders, VSCodium and remote servers in a browser read other places or none',
      'Intune does not write below Software\\Policies\\Microsoft: use a group policy, a script or the agent',
    ],
  },
  {
    // https://cursor.com/docs/enterprise/deployment-patterns; the registry key is only in its ADMX file.
    id: 'cursor',
    title: 'Cursor',
    domain: 'com.todesktop.230313mzl4w4u92',
    registryKey: null,
    linux: { path: '~/.cursor/policy.json', isText: true },
    warnings: [
      'on Linux Cursor reads its policy from the home of each person, who can change it there',
      'on Windows put allowed-extensions.json into the field AllowedExtensions of the ADMX template that comes with Cursor',
    ],
  },
  {
    // https://docs.windsurf.com: Enterprise Policies; the domain is only in the sample profile it ships.
    id: 'windsurf',
    title: 'Windsurf',
    domain: null,
    registryKey: 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Windsurf\\Windsurf',
    linux: { path: '/etc/windsurf/policies/policy.json', isText: true },
    warnings: [
      'on macOS put allowed-extensions.json into the key AllowedExtensions of the sample profile that comes with Windsurf (Contents/Resources/app/policies)',
    ],
  },
];

/** What `extensions.allowed` says of one id: never, always, or these versions alone. */
type Allowed = boolean | readonly string[];
type AllowedExtensions = Readonly<Record<string, Allowed>>;

const extensionId = /^[a-z0-9][a-z0-9-]*\.[a-z0-9][a-z0-9._-]*$/;
/** As VS Code reads an entry of a list; anything else would allow nothing. */
const version = /^\d+\.\d+\.\d+(-.*)?$/;

function valueOf(judged: Judged, input: CompileInput): Allowed | null {
  const { kind, name, outcome, action } = judged;
  if (kind !== 'editorExtension' || action === null || isMild({ action })) return null;
  if (!extensionId.test(name.toLowerCase())) return null;
  if (outcome === 'denied') return false;
  const spared = sparedVersions(judged, input);
  const versions = spared === null ? null : exactVersions(spared);
  return versions?.every((one) => version.test(one)) === true ? versions : null;
}

const isPermitted = ({ kind, name, isPermitted: isSaid }: Judged): boolean =>
  kind === 'editorExtension' && isSaid && extensionId.test(name.toLowerCase());

function allowedOf(
  written: ReadonlyMap<Judged, Allowed>,
  { publishers, spared }: DeniedPublishers,
  denials: Denials,
  isAllowList: boolean,
): AllowedExtensions {
  const entries = new Map<string, Allowed>(publishers.map((name) => [name, false]));
  // The more specific key wins, so these stay though their publisher is denied.
  for (const name of spared) entries.set(name, true);
  for (const [{ name }, value] of written) entries.set(name.toLowerCase(), value);
  if (isAllowList) {
    for (const { name } of denials.identities.filter(isPermitted)) {
      entries.set(name.toLowerCase(), true);
    }
  } else entries.set('*', true);
  return Object.fromEntries([...entries].sort(([one], [other]) => (one < other ? -1 : 1)));
}

const jsonOf = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const only = 'it is one value: merge with an AllowedExtensions that is set already';

function profileFile({ id, title, domain }: Editor, value: string, policy: string): CompiledFile[] {
  if (domain === null) return [];
  const identifier = `curfew.${policy}.${id}`;
  const payload = {
    ...{ domain, identifier: `${identifier}.extensions`, uuid: hashedUuid(identifier, domain) },
    settings: { AllowedExtensions: value },
  };
  return [
    {
      name: `${id}/curfew.mobileconfig`,
      text: writeProfile({
        ...{ identifier, uuid: hashedUuid(identifier), payloads: [payload] },
        displayName: `Curfew: ${title}`,
        description: `Extensions that policy ${policy} does not allow.`,
      }),
      purpose: `a profile for the MDM on macOS; ${only}`,
    },
  ];
}

function registryFile({ id, registryKey }: Editor, value: string): CompiledFile[] {
  if (registryKey === null) return [];
  const values = [{ name: 'AllowedExtensions', value }];
  return [
    {
      name: `${id}/curfew.reg`,
      text: writeRegistry([{ key: registryKey, values }]),
      purpose: `for \`reg import\` or a group policy preference on Windows; ${only}`,
    },
  ];
}

function filesOf(editor: Editor, allowed: AllowedExtensions, policy: string): CompiledFile[] {
  const { id, title, domain, registryKey, linux } = editor;
  const value = JSON.stringify(allowed);
  const isPlaceKnown = domain !== null && registryKey !== null;
  const bare = {
    name: `${id}/allowed-extensions.json`,
    text: `${value}\n`,
    purpose: `the value of AllowedExtensions alone, for the template or sample profile of ${title}`,
  };
  return [
    {
      name: `${id}/policy.json`,
      text: jsonOf({ AllowedExtensions: linux.isText ? value : allowed }),
      purpose: `${linux.path} on Linux, owned by root; ${only}`,
    },
    ...profileFile(editor, value, policy),
    ...registryFile(editor, value),
    ...(isPlaceKnown ? [] : [bare]),
    {
      name: `${id}/settings.json`,
      text: jsonOf({ 'extensions.allowed': allowed }),
      purpose: 'for user settings where no policy can be set; whoever owns them can change it',
    },
  ];
}

function whyNot(kind: Judged['kind'], { name, versions }: Judged): string | null {
  if (kind !== 'editorExtension') return null;
  if (!extensionId.test(name.toLowerCase())) return `${name} is no id of the form publisher.name`;
  return versions === null
    ? null
    : `the versions ${versions} are denied, and only single versions can be allowed, without ranges`;
}

function compile(editor: Editor, input: CompileInput): Compiled {
  const denials = denialsOf(input);
  const written = new Map<Judged, Allowed>();
  for (const judged of denials.identities) {
    const value = valueOf(judged, input);
    if (value !== null) written.set(judged, value);
  }
  const byPublisher = deniedPublishers(denials, input);
  const said = denials.identities.filter(
    (one) =>
      written.has(one) ||
      (isExtensionOf(one, byPublisher.publishers) && byPublisher.rules.has(one.rule)),
  );
  const notExpressible = unexpressed(denials, new Set(said), {
    product: editor.title,
    ...{ isBlocking: true, seesVersions: true, whyNot, expressedRules: byPublisher.rules },
  });
  const canAllowList = denials.identities.some(isPermitted);
  const isAllowList = input.isAllowList && canAllowList;
  const isEmpty = written.size + byPublisher.publishers.length === 0 && !isAllowList;
  return {
    files: isEmpty
      ? []
      : filesOf(editor, allowedOf(written, byPublisher, denials, isAllowList), input.policy.policy),
    notExpressible,
    warnings: [
      ...usualWarnings(input, denials),
      ...(input.isAllowList && !canAllowList
        ? [
            'no rule approves or allows an extension: an allow-list would block all of them, and is not written',
          ]
        : []),
      ...(isAllowList
        ? [
            'every extension that is not listed is blocked, also those that have nothing to do with AI: add what people need',
          ]
        : []),
      ...(isEmpty ? [] : editor.warnings),
    ],
  };
}

/** One target for each editor: they share a format and no place. */
export const editorTargets: readonly Target[] = editors.map((editor) => ({
  id: editor.id,
  title: `${editor.title} extensions`,
  canAllowList: true,
  compile: (input) => compile(editor, input),
}));
