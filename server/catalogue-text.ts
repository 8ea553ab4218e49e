/**
 * The catalogue as agents fetch it: the JSON text whose SHA-256 the bundle names. A text that does not
 * have that hash is never sent.
 */
import type { Catalogue } from '../policies/catalogue.js';
import { sparseCatalogue } from '../policies/catalogue-schema.js';
import { sha256Hex } from '../wire/digest.js';
import { CurfewError } from '../wire/errors.js';

/** Errors: CATALOGUE_INVALID. */
export function catalogueText({ tools, editors, advisories, sha256 }: Catalogue): string {
  const text = JSON.stringify(sparseCatalogue({ format: 1, tools, editors, advisories }));
  if (sha256Hex(text) === sha256) return text;
  throw new CurfewError('CATALOGUE_INVALID', 'the catalogue does not have the hash it names', {
    hint: 'Build again: `npm run generate` writes the catalogue with its hash.',
  });
}
