/**
 * The JSON Schema for editors with what one build knows: ids of tools, vendors and providers as examples,
 * which editors offer for completion. They are no closed lists: a policy may be written for a newer
 * catalogue, and whether a name is known is lint's to say.
 */
import type { Catalogue } from './catalogue.js';
import { policyJsonSchema } from './document.js';
import { gatewayProviders } from './gateway.js';

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  examples?: readonly string[];
}

/** One value and each of a list: both forms of a field. */
function offer(node: Node | undefined, words: readonly string[]): void {
  if (node === undefined) return;
  node.examples = words;
  for (const form of node.anyOf ?? []) (form.items ?? form).examples = words;
}

/** The schema of `policies/schema.json`, with the names of a catalogue. */
export function schemaWithNames(catalogue: Catalogue): object {
  const schema = structuredClone(policyJsonSchema()) as Node;
  const { tools } = catalogue;
  const ids = tools.map(({ id }) => id);
  const rule = schema.properties?.['rules']?.items?.properties;
  const match = rule?.['match']?.properties;
  offer(match?.['tool'], ids);
  offer(match?.['vendor'], [...new Set(tools.map(({ vendor }) => vendor))].sort());
  const providers = [...tools.flatMap(({ provider }) => provider), ...gatewayProviders];
  offer(match?.['provider'], [...new Set(providers)].sort());
  for (const denial of [rule, schema.properties?.['default']?.properties]) {
    offer(denial?.['replacement']?.properties?.['tool'], ids);
  }
  return schema;
}
