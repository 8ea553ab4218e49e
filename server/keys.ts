/**
 * The server's keys as files of the data folder: the policy key, which signs bundles and need not be here
 * (then only its public half is), and the online key, which signs assignments. Private keys have mode
 * 0600 and are never printed, logged or put into the database, so a copy of that forges nothing.
 */
import {
  chmodSync,
  existsSync,
  linkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { CurfewError } from '../wire/errors.js';
import { makePolicyKey, parseSigningKey, thumbprint, type SigningKey } from '../wire/bundle.js';
import { parsePublicKey } from '../wire/keys.js';
import { readBounded } from './bounded-file.js';
import type { SigningReads, SigningWrites } from './store/index.js';

/** Read from the files each time, as another process may rotate or move them while this one serves. */
export interface ServerKeys {
  readonly folder: string;
  /** Policy keys whose private half lies here: the present one, and one that is to follow it. */
  readonly held: readonly SigningKey[];
  /** JWK `x` of the policy key by what lies here; the store has the last word, see `policySigner`. */
  readonly policyKey: string;
  /** Signs assignments. */
  readonly online: SigningKey;
}

/** A key takes a few hundred; what is longer is no key. */
const maxKeyFileBytes = 64 * 1024;

export const policyKeyFile = 'policy-key.json';
export const publicKeyFile = 'policy-key.public.json';
export const nextPolicyKeyFile = 'next-policy-key.json';
export const onlineKeyFile = 'assignment-key.json';
export const nextOnlineKeyFile = 'next-assignment-key.json';

/** The keys of this data folder, made when there are none yet. Errors: SETTING_INVALID. */
export async function readOrMakeKeys(folder: string): Promise<ServerKeys> {
  const file = (name: string): string => path.join(folder, name);
  if (!existsSync(file(policyKeyFile)) && !existsSync(file(publicKeyFile))) {
    placeKey(file(policyKeyFile), await makePolicyKey());
  }
  if (!existsSync(file(onlineKeyFile))) placeKey(file(onlineKeyFile), await makePolicyKey());
  const online = liveKey(file(onlineKeyFile));
  const heldNow = (): readonly SigningKey[] =>
    [policyKeyFile, nextPolicyKeyFile]
      .map(file)
      .filter((one) => existsSync(one))
      .map(readKey);
  const policyKeyNow = (): string =>
    existsSync(file(publicKeyFile)) ? readPublicKey(file(publicKeyFile)) : (heldNow()[0]?.x ?? '');
  // Now, so that a file that is no key stops whoever starts with it.
  policyKeyNow();
  return {
    folder,
    get held() {
      return heldNow();
    },
    get policyKey() {
      return policyKeyNow();
    },
    get online() {
      return online();
    },
  };
}

export interface PolicySigner {
  /** JWK `x`, and its RFC 7638 thumbprint. */
  readonly x: string;
  readonly thumbprint: string;
  /** Null: the private half is elsewhere. */
  readonly key: SigningKey | null;
}

/** The key that signs the next bundle: what the store was told last, before that what lies in the folder. */
export async function policySigner(signing: SigningReads, keys: ServerKeys): Promise<PolicySigner> {
  const x = (await signing.policyKey()) ?? keys.policyKey;
  return { x, thumbprint: await thumbprint(x), key: keys.held.find((one) => one.x === x) ?? null };
}

/**
 * From the first signature or device on the store knows the key: if its file is lost later, a new one that
 * is made in its place is not taken for it.
 */
export async function rememberPolicyKey(signing: SigningWrites, keys: ServerKeys): Promise<void> {
  if ((await signing.policyKey()) === null) await signing.setPolicyKey(keys.policyKey);
}

/** A private key of a file. Errors: SETTING_INVALID. */
export function readKey(file: string): SigningKey {
  const parsed = parseSigningKey(readText(file));
  if (parsed.kind === 'value') return parsed.value;
  throw new CurfewError(
    'SETTING_INVALID',
    `${file} is no key: ${parsed.path} ${parsed.message}`.trim(),
    { hint: 'Restore the file from a backup; agents trust this key and no other.' },
  );
}

/** JWK `x` of a file that holds a public key, or a whole one. Errors: SETTING_INVALID. */
export function readPublicKey(file: string): string {
  const parsed = parsePublicKey(readText(file));
  if (parsed.kind === 'value') return parsed.value.x;
  throw new CurfewError(
    'SETTING_INVALID',
    `${file} is no public key: ${parsed.path} ${parsed.message}`.trim(),
    { hint: 'It is the file that `curfew-server key public KEYFILE` writes.' },
  );
}

function readText(file: string): string {
  try {
    return readBounded(file, maxKeyFileBytes).toString('utf8');
  } catch (error) {
    throw new CurfewError('SETTING_INVALID', `the key file ${file} cannot be read`, {
      hint: 'Give the path of a key file that this account may read.',
      cause: error,
    });
  }
}

export const publicText = (x: string): string =>
  `${JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x })}\n`;

/** Whole or not at all, for its owner only, and never over a key that is there. */
export function placeKey(file: string, key: SigningKey): void {
  const draft = writeDraft(file, `${JSON.stringify(key)}\n`);
  try {
    linkSync(draft, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A stick with FAT knows no hard links.
    if (code !== 'EEXIST' && !existsSync(file)) renameSync(draft, file);
    else if (code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Says, in place of whatever the folder said before, which policy key is ours. */
export function placePublicKey(folder: string, x: string): void {
  const file = path.join(folder, publicKeyFile);
  renameSync(writeDraft(file, publicText(x)), file);
}

function writeDraft(file: string, text: string): string {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true });
    chmodSync(draft, 0o600);
    return draft;
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The key of a file, read again when the file is another one. */
function liveKey(file: string): () => SigningKey {
  let seen = '';
  let key = readKey(file);
  return () => {
    const { mtimeMs, ino, size } = statSync(file);
    const now = `${mtimeMs}/${ino}/${size}`;
    if (now !== seen) key = readKey(file);
    seen = now;
    return key;
  };
}

/** After a rotation: the key that now signs takes the place of the one before, which is set aside. */
export async function settlePolicyKey(folder: string, x: string): Promise<void> {
  const present = path.join(folder, policyKeyFile);
  const next = path.join(folder, nextPolicyKeyFile);
  const isIn = (file: string): boolean => existsSync(file) && readKey(file).x === x;
  if (existsSync(present) && !isIn(present)) {
    const retired = await thumbprint(readKey(present).x);
    renameSync(present, path.join(folder, `retired-policy-key-${retired.slice(0, 12)}.json`));
  }
  if (isIn(next)) renameSync(next, present);
  if (existsSync(path.join(folder, publicKeyFile)) || !existsSync(present)) {
    placePublicKey(folder, x);
  }
}

/** JWK `x` of an online key that waits for a bundle to name it. */
export function namedNextOnlineKey(folder: string): string | null {
  const next = path.join(folder, nextOnlineKeyFile);
  return existsSync(next) ? readKey(next).x : null;
}

/** After a bundle that names the online key that was to follow: from now on that one signs. */
export function settleOnlineKey(folder: string, named: readonly string[]): boolean {
  const next = path.join(folder, nextOnlineKeyFile);
  if (!existsSync(next) || !named.includes(readKey(next).x)) return false;
  renameSync(next, path.join(folder, onlineKeyFile));
  return true;
}
