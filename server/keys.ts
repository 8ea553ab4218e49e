/**
 * The server's keys: the policy key, which signs bundles and may live elsewhere one day, and the online
 * key, which signs assignments. Each is a JWK file of mode 0600 in the data folder. They are never in
 * the database, so a copy of it forges nothing.
 */
import { chmodSync, existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CurfewError } from '../wire/errors.js';
import { makePolicyKey, parseSigningKey, thumbprint, type SigningKey } from '../wire/bundle.js';

export interface ServerKeys {
  readonly policy: SigningKey;
  /** RFC 7638, of the policy key. */
  readonly policyThumbprint: string;
  readonly online: SigningKey;
}

export const policyKeyFile = 'policy-key.json';
const onlineKeyFile = 'assignment-key.json';

/** The keys of this data folder, made when they are not there yet. Errors: SETTING_INVALID. */
export async function readOrMakeKeys(dataFolder: string): Promise<ServerKeys> {
  const policy = await readOrMake(path.join(dataFolder, policyKeyFile));
  const online = await readOrMake(path.join(dataFolder, onlineKeyFile));
  return { policy, policyThumbprint: await thumbprint(policy.x), online };
}

async function readOrMake(file: string): Promise<SigningKey> {
  if (!existsSync(file)) place(file, await makePolicyKey());
  const parsed = parseSigningKey(readFileSync(file, 'utf8'));
  if (parsed.kind === 'value') return parsed.value;
  throw new CurfewError(
    'SETTING_INVALID',
    `${file} is no key: ${parsed.path} ${parsed.message}`.trim(),
    { hint: 'Restore the file from a backup; agents trust this key and no other.' },
  );
}

/** Whole or not at all, and never over a key that another process made in the meantime. */
function place(file: string, key: SigningKey): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(key)}\n`, { mode: 0o600, flush: true });
  chmodSync(draft, 0o600);
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}
