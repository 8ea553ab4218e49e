/**
 * Which published faults a component has: the catalogue's advisories held against its tool, channel and
 * version. A version that is not known is never taken for a sound one. It looks nothing up and decides
 * no verdict; a policy denies versions by its own rules. Loaded only where something was found.
 */
import type { Advisory, Catalogue, CatalogueDocument, Identifiers } from './catalogue.js';
import type { Channel, Component } from './component.js';
import { checkRange, inRange } from './versions.js';

export interface Affected {
  readonly advisory: Advisory;
  /** False when the version is not known, or the range cannot be read for it: possibly affected. */
  readonly isCertain: boolean;
}

type Subject = Pick<Component, 'tool' | 'channel' | 'manager' | 'purl' | 'version' | 'state'>;

/** Traces and records that name a program and are none: without a version they prove no fault. */
const records: ReadonlySet<Channel> = new Set(['config', 'mcp', 'model', 'service']);

/** The advisories of a component's tool that its version is in or may be in, the certain ones first. */
export function affectedBy(component: Subject, catalogue: Catalogue): readonly Affected[] {
  const { tool, channel, version, state } = component;
  if (tool === null) return [];
  if (version === null && (state === 'residual' || records.has(channel))) return [];
  const numbers = numberingOf(component);
  const found = catalogue.advisories.flatMap((advisory): Affected[] => {
    const answers = advisory.affects
      .filter((one) => one.tool === tool && isOneOf(one.channels, component))
      .map(({ versions }) => inRange(numbers, version, versions));
    if (answers.includes('in')) return [{ advisory, isCertain: version !== null }];
    return answers.includes('unknown') ? [{ advisory, isCertain: false }] : [];
  });
  return found.sort((a, b) => Number(b.isCertain) - Number(a.isCertain));
}

const packageType = (purl: string | null): 'npm' | 'pypi' | null =>
  purl === null
    ? null
    : purl.startsWith('pkg:npm/')
      ? 'npm'
      : /^pkg:pypi\//.test(purl)
        ? 'pypi'
        : null;

/** Whose rules the version follows: a process or a record of a package carries it as a package URL. */
function numberingOf({ channel, manager, purl }: Subject): string {
  return packageType(purl) ?? (channel === 'package' ? (manager ?? channel) : channel);
}

function isOneOf(channels: readonly Channel[], { channel, purl }: Subject): boolean {
  if (channels.length === 0 || channels.includes(channel)) return true;
  const type = packageType(purl);
  return type === null
    ? channel === 'process' && channels.includes('executable')
    : channels.includes(type);
}

/** The lists whose names show in a channel; a program of its own needs a command, a folder or content. */
const listsOf: Partial<Record<Channel, readonly (keyof Identifiers)[]>> = {
  npm: ['npm'],
  pypi: ['pypi'],
  homebrew: ['homebrewFormula', 'homebrewCask'],
  'editor-extension': ['editorExtension'],
  'jetbrains-plugin': ['jetbrainsPlugin'],
  'browser-extension': ['browserExtension'],
  application: ['bundleId', 'windowsApp', 'desktopFile'],
  package: ['dpkg', 'rpm', 'apk', 'pacman', 'snap', 'flatpak', 'winget', 'scoop', 'chocolatey'],
};

/**
 * What is wrong with a catalogue's advisories, each with its field: a tool that is not there, a channel
 * by which the tool is not known, a range that nothing can read, an id used twice.
 */
export function findAdvisoryFaults(
  document: CatalogueDocument,
): readonly { readonly field: string; readonly message: string }[] {
  const tools = new Map(document.tools.map((tool) => [tool.id, tool]));
  const ids = new Set<string>();
  return document.advisories.flatMap(({ id, affects }, index) => {
    const isTwice = ids.has(id);
    ids.add(id);
    const twice = isTwice
      ? [{ field: `advisories[${index}].id (${id})`, message: 'is used twice' }]
      : [];
    const faults = affects.flatMap(({ tool, channels, versions }, at) => {
      const place = (name: string): string => `advisories[${index}].affects[${at}].${name} (${id})`;
      const { identifiers } = tools.get(tool) ?? {};
      if (identifiers === undefined)
        return [{ field: place('tool'), message: `${tool} is no tool of the catalogue` }];
      const strange = channels.filter((channel) =>
        listsOf[channel]?.every((list) => identifiers[list].length === 0),
      );
      const range = checkRange(versions);
      return [
        ...strange.map((channel) => {
          return { field: place('channels'), message: `${tool} has no name in ${channel}` };
        }),
        ...(range === null ? [] : [{ field: place('versions'), message: range }]),
      ];
    });
    return [...twice, ...faults];
  });
}
