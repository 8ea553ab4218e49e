/**
 * What a policy makes detectors report beyond the catalogue: the packages its rules name, and the
 * channels a rule takes whole. Nothing else that is uncatalogued is ever reported.
 */
import { normalName, type IdentifierKind } from '../policies/catalogue.js';
import { channels, type Channel } from '../policies/component.js';
import type { Match, Policy } from '../policies/document.js';

export interface AskedFor {
  /** For `World.named`: by ecosystem, in its normal form. */
  readonly named: ReadonlyMap<string, ReadonlySet<string>>;
  /** For `World.wholeChannels`. */
  readonly wholeChannels: ReadonlySet<Channel>;
}

/** Ecosystems that compare names by more than their spelling. */
const normalKinds: Readonly<Record<string, IdentifierKind>> = {
  pypi: 'pypi',
  'editor-extension': 'editorExtension',
  winget: 'winget',
  scoop: 'scoop',
  chocolatey: 'chocolatey',
};

export function askedFor(policies: readonly Policy[]): AskedFor {
  const named = new Map<string, Set<string>>();
  const wholeChannels = new Set<Channel>();
  for (const { match } of policies.flatMap(({ rules }) => rules)) {
    for (const [ecosystem, names] of Object.entries(match.package ?? {})) {
      const known = named.get(ecosystem) ?? new Set();
      const kind = normalKinds[ecosystem] ?? 'npm';
      for (const name of names) known.add(normalName(kind, name));
      named.set(ecosystem, known);
    }
    for (const channel of wholeChannelsOf(match)) wholeChannels.add(channel);
  }
  return { named, wholeChannels };
}

/** A rule that says nothing of the tool is about whatever lies in its channel, path or publisher. */
function wholeChannelsOf(match: Match): readonly Channel[] {
  const isOfTools = match.tool ?? match.kind ?? match.vendor ?? match.provider ?? match.package;
  if (isOfTools !== undefined) return [];
  if (match.channel !== undefined) return match.channel;
  return match.path === undefined && match.publisher === undefined ? [] : channels;
}
