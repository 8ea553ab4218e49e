/**
 * Which document a device gets when it asks: of the bundles one that the policy key it trusts has signed,
 * so that a device that was away through rotations climbs from key to key; its own assignment; the
 * catalogue that the live bundle names. Nothing is signed or changed here.
 */
import type { Catalogue } from '../policies/catalogue.js';
import { signerOf } from '../wire/bundle.js';
import type { FromAgent } from '../wire/messages.js';
import { catalogueText } from './catalogue-text.js';
import type { Reading } from './store/index.js';

type Get = Extract<FromAgent, { type: 'get' }>;

/** The text, or null when there is none yet. */
export async function documentFor(
  read: Reading,
  { what, policyKey }: Get,
  { device, catalogue }: { readonly device: string; readonly catalogue: Catalogue },
): Promise<string | null> {
  switch (what) {
    case 'bundle':
      return bundleFor(read, policyKey ?? null);
    case 'assignment':
      return (await read.policies.assignment(device))?.jws ?? null;
    case 'catalogue':
      return liveCatalogue(read, catalogue);
  }
}

/** The newest bundle, or the newest one that the device can verify: it names the key that follows. */
async function bundleFor(read: Reading, policyKey: string | null): Promise<string | null> {
  const live = await read.policies.latest();
  if (live === null) return null;
  if (policyKey === null || signerOf(live.jws) === policyKey) return live.jws;
  return (await read.signing.rotationBy(policyKey)) ?? live.jws;
}

/** Of an older build, when the key that would name this one's is elsewhere. */
async function liveCatalogue(read: Reading, catalogue: Catalogue): Promise<string> {
  const named = (await read.policies.latest())?.catalogueSha256 ?? catalogue.sha256;
  const kept = named === catalogue.sha256 ? null : await read.signing.catalogue(named);
  return kept ?? catalogueText(catalogue);
}
