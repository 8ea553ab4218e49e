/**
 * Chrome, Edge and Firefox: `ExtensionSettings`, which blocks an extension by its id, disables or
 * removes it where it is installed, and tells the person why. `*` is blocked only for an allow-list.
 * It is one value and the last writer wins, so an admin who has one merges.
 * https://chromeenterprise.google/policies/#ExtensionSettings,
 * https://learn.microsoft.com/deployedge/microsoft-edge-policies#extensionsettings,
 * https://mozilla.github.io/enterprise-admin-reference/reference/policies/extensionsettings/
 */
import type { Catalogue } from '../catalogue.js';
import type { Denial } from '../document.js';
import { plainText, readMarkdown } from '../markdown.js';
import { denialsOf, type Judged } from './denials.js';
import type { Compiled, CompiledFile, CompileInput, Target } from './index.js';
import { writeProfile, writeRegistry, type RegistryValue } from './markup.js';
import { hashedUuid, isMild, unexpressed, usualWarnings } from './words.js';

interface Browser {
  readonly id: string;
  readonly title: string;
  readonly isFirefox: boolean;
  /** macOS preference domain. */
  readonly domain: string;
  readonly registryKey: string;
  readonly linuxPath: string;
}

const policies = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies';
const browsers: readonly Browser[] = [
  {
    id: 'chrome',
    title: 'Google Chrome',
    isFirefox: false,
    domain: 'com.google.Chrome',
    registryKey: `${policies}\\Google\\Chrome`,
    linuxPath: '/etc/opt/chrome/policies/managed/curfew.json',
  },
  {
    id: 'edge',
    title: 'Microsoft Edge',
    isFirefox: false,
    domain: 'com.microsoft.Edge',
    registryKey: `${policies}\\Microsoft\\Edge`,
    linuxPath: '/etc/opt/edge/policies/managed/curfew.json',
  },
  {
    id: 'firefox',
    title: 'Firefox',
    isFirefox: true,
    domain: 'org.mozilla.firefox',
    registryKey: `${policies}\\Mozilla\\Firefox`,
    linuxPath: '/etc/firefox/policies/policies.json',
  },
];

interface ExtensionRule {
  readonly [key: string]: string;
  readonly installation_mode: 'allowed' | 'blocked' | 'removed';
}
type ExtensionSettings = Readonly<Record<string, ExtensionRule>>;

/** 32 letters a to p: https://developer.chrome.com/docs/extensions/reference/manifest/key */
const chromiumId = /^[a-p]{32}$/;
/** https://extensionworkshop.com/documentation/develop/extensions-and-the-add-on-id/ */
const firefoxId =
  /^(?:\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}|[A-Za-z0-9._-]*@[A-Za-z0-9._-]+)$/;

const fits = ({ isFirefox }: Browser, name: string): boolean =>
  (isFirefox ? firefoxId : chromiumId).test(name);

/** Chrome's own limit; what is longer is refused whole. */
const longestMessage = 1000;
/** A reason may use Markdown, of which a browser shows the signs. */
const lineOf = (text: string): string =>
  plainText(readMarkdown(text).blocks).replace(/\s+/g, ' ').trim();

/** Why, in each language of the policy, English first; then what to use instead. One line. */
export function blockedMessage(denial: Denial, catalogue: Catalogue): string {
  const { reason, replacement } = denial;
  const languages = Object.entries(reason).sort(([one], [other]) => {
    if (one === 'en' || other === 'en') return one === 'en' ? -1 : 1;
    return one < other ? -1 : 1;
  });
  const tool = replacement === null ? null : catalogue.tool(replacement.tool);
  const instead = [tool?.name, replacement?.guide].filter((part) => part != null).join(': ');
  const tail = instead === '' ? '' : `${languages.length === 0 ? '' : ' '}→ ${instead}`;
  const why = languages.map(([, text]) => lineOf(text)).join(' / ');
  const room = longestMessage - tail.length;
  if (why.length <= room) return why + tail;
  // The guide is what helps: the reason gives way to it.
  return `${why.slice(0, room - 1).replace(/[\uD800-\uDBFF]$/, '')}…${tail}`.slice(
    0,
    longestMessage,
  );
}

function ruleOf(
  judged: Judged,
  browser: Browser,
  { catalogue }: CompileInput,
): ExtensionRule | null {
  const { kind, name, outcome, action, denial } = judged;
  if (kind !== 'browserExtension' || outcome !== 'denied' || denial === null) return null;
  if (action === null || isMild({ action }) || !fits(browser, name)) return null;
  const message = blockedMessage(denial, catalogue);
  return {
    // Firefox has no such mode; there `blocked` removes what is installed.
    installation_mode: action === 'remove' && !browser.isFirefox ? 'removed' : 'blocked',
    ...(message === '' ? {} : { blocked_install_message: message }),
  };
}

function inOrder(entries: readonly (readonly [string, ExtensionRule])[]): ExtensionSettings {
  return Object.fromEntries([...entries].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Code points beyond ASCII written as JSON escapes, so that no code page can change them. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007F-\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function filesOf(
  browser: Browser,
  settings: ExtensionSettings,
  { policy }: CompileInput,
): CompiledFile[] {
  const { id, title, isFirefox, domain, registryKey, linuxPath } = browser;
  const inner = { ExtensionSettings: settings };
  const identifier = `curfew.${policy.policy}.${id}`;
  const only = 'it is one value: merge with an ExtensionSettings that is set already';
  const values: RegistryValue[] = [{ name: 'ExtensionSettings', value: asciiJson(settings) }];
  return [
    {
      name: `${id}/${isFirefox ? 'policies' : 'curfew'}.json`,
      text: `${JSON.stringify(isFirefox ? { policies: inner } : inner, null, 2)}\n`,
      purpose: `${linuxPath} on Linux, owned by root; ${only}`,
    },
    {
      name: `${id}/curfew.mobileconfig`,
      text: writeProfile({
        ...{ identifier, uuid: hashedUuid(identifier) },
        displayName: `Curfew: ${title}`,
        description: `Browser extensions that policy ${policy.policy} does not allow.`,
        payloads: [
          {
            domain,
            identifier: `${identifier}.extensions`,
            uuid: hashedUuid(identifier, domain),
            // Firefox reads policies from its preferences only when told to.
            settings: { ...inner, ...(isFirefox ? { EnterprisePoliciesEnabled: true } : {}) },
          },
        ],
      }),
      purpose: `a profile for the MDM on macOS; ${only}`,
    },
    {
      name: `${id}/curfew.reg`,
      text: writeRegistry([{ key: registryKey, values }]),
      purpose: `for \`reg import\` or a group policy preference on Windows; ${only}`,
    },
    ...olderList(browser, settings),
  ];
}

/** The list from before `ExtensionSettings`, which overrides it: for an admin who still keeps that. */
function olderList({ id, isFirefox }: Browser, settings: ExtensionSettings): CompiledFile[] {
  const ids = Object.keys(settings);
  if (isFirefox || ids.includes('*')) return [];
  return [
    {
      name: `${id}/extension-install-blocklist.json`,
      text: `${JSON.stringify({ ExtensionInstallBlocklist: ids }, null, 2)}\n`,
      purpose:
        'instead of the others, for an admin who keeps the older lists: ids to be added to ExtensionInstallBlocklist, which says nothing to the person and is overridden by ExtensionSettings',
    },
  ];
}

function whyNot(browser: Browser) {
  return (kind: Judged['kind'], { name }: Judged): string | null => {
    if (kind !== 'browserExtension' || fits(browser, name)) return null;
    return fitsAny(name)
      ? null // another browser's
      : `${name} is no extension id of ${browser.title}`;
  };
}

const fitsAny = (name: string): boolean => chromiumId.test(name) || firefoxId.test(name);

function compile(browser: Browser, input: CompileInput): Compiled {
  const denials = denialsOf(input);
  const written = new Map<Judged, ExtensionRule>();
  for (const judged of denials.identities) {
    const rule = ruleOf(judged, browser, input);
    if (rule !== null) written.set(judged, rule);
  }
  const notExpressible = unexpressed(denials, new Set(written.keys()), {
    product: browser.title,
    isBlocking: true,
    whyNot: whyNot(browser),
  });
  const permitted = denials.identities.filter(
    ({ kind, name, isPartlyPermitted }) =>
      kind === 'browserExtension' && isPartlyPermitted && fits(browser, name),
  );
  const isAllowList = input.isAllowList && permitted.length > 0;
  const denied = [...written].map(([{ name }, rule]) => [name, rule] as const);
  const allowed = permitted.map(({ name }) => [name, { installation_mode: 'allowed' }] as const);
  const star = [['*', { installation_mode: 'blocked' }]] as const;
  const settings = inOrder(isAllowList ? [...denied, ...allowed, ...star] : denied);
  return {
    files: Object.keys(settings).length === 0 ? [] : filesOf(browser, settings, input),
    notExpressible,
    warnings: [...usualWarnings(input, denials), ...listWarnings(input, isAllowList)],
  };
}

function listWarnings(input: CompileInput, isAllowList: boolean): string[] {
  if (isAllowList) {
    return [
      'every extension that is not listed is blocked, also those that have nothing to do with AI: add what people need',
    ];
  }
  return input.isAllowList
    ? [
        'no rule approves or allows an extension of this browser: an allow-list would block all of them, and is not written',
      ]
    : [];
}

export const browserTargets: readonly Target[] = browsers.map((browser) => ({
  id: browser.id,
  title: `${browser.title} extensions`,
  canAllowList: true,
  compile: (input) => compile(browser, input),
}));
