/**
 * The policy key leaves the server: copied to another place, read back from there, and only then taken out
 * of the data folder, where its public half stays. Nothing else of the server changes, so agents notice
 * nothing; publishing needs a signed file from then on.
 */
import { existsSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { CurfewError } from '../wire/errors.js';
import { record } from './audit.js';
import { signerHere, type Publisher } from './bundles.js';
import { placeKey, placePublicKey, policyKeyFile, readKey, settlePolicyKey } from './keys.js';

/** Errors: POLICY_KEY_OFFLINE when it is not here; USAGE when the place is taken or inside the data folder. */
export async function movePolicyKey(
  { store, keys, now }: Publisher,
  {
    file,
    author,
    isDryRun,
  }: { readonly file: string; readonly author: string; readonly isDryRun: boolean },
): Promise<{ readonly thumbprint: string }> {
  const { key, thumbprint } = await signerHere(store.read, keys);
  if (!path.relative(keys.folder, file).startsWith('..')) {
    throw new CurfewError('USAGE', `${file} lies in the data folder, which the key is to leave`);
  }
  if (existsSync(file)) {
    throw new CurfewError('USAGE', `${file} is there already`, {
      hint: 'Keys are never written over; give another name.',
    });
  }
  if (isDryRun) return { thumbprint };
  await settlePolicyKey(keys.folder, key.x);
  placeKey(file, key);
  if (readKey(file).x !== key.x) {
    throw new CurfewError('SETTING_INVALID', `${file} does not hold the key after writing it`);
  }
  placePublicKey(keys.folder, key.x);
  unlinkSync(path.join(keys.folder, policyKeyFile));
  await store.write((writing) =>
    record(writing, {
      at: now,
      actor: author,
      action: 'key.move',
      subject: thumbprint,
      detail: null,
    }),
  );
  return { thumbprint };
}
