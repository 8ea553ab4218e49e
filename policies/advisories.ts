/**
 * The catalogue's advisories: which of them a component has, and what may be wrong with them as they
 * are written. Ranges are read by each ecosystem's own rules; a scan decides what it can without those
 * (`affected.ts`) and loads this file for the rest.
 */
import { affectedWith, type Affected, type Affectable } from './affected.js';
import type { Catalogue, CatalogueDocument, Identifiers } from './catalogue.js';
import type { Channel } from './component.js';
import { checkRange, inRange } from './versions.js';

/** The advisories of a component's tool that its version is in or may be in, the certain ones first. */
export function affectedBy(component: Affectable, catalogue: Catalogue): readonly Affected[] {
  return affectedWith(component, catalogue, inRange);
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
