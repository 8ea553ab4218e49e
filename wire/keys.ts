/**
 * Ed25519 keys as both sides keep them: JWK (RFC 8037), the public half known by its `x` and named by
 * its RFC 7638 thumbprint. Keys are made and read here and written by the callers, who choose the
 * file and its mode (0600).
 */
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
} from 'jose';
import Type, { type Static } from 'typebox';
import { checker, parseJson, type Parsed } from './parse.js';

/** `x` of a public key: base64url of 32 bytes. */
export const PublicKeyX = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });

/** A whole key, private part in `d`. The form of every key file. */
export const SigningKey = Type.Object({
  kty: Type.Literal('OKP'),
  crv: Type.Literal('Ed25519'),
  x: PublicKeyX,
  d: PublicKeyX,
});
export type SigningKey = Static<typeof SigningKey>;

/** The public half, as it is handed to whoever is to trust the key. */
export const PublicKey = Type.Omit(SigningKey, ['d']);
export type PublicKey = Static<typeof PublicKey>;

const checkSigningKey = checker(SigningKey);
const checkPublicKey = checker(PublicKey);

/** A new key from the system's randomness. */
export async function makeKey(): Promise<SigningKey> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { x = '', d = '' } = await exportJWK(pair.privateKey);
  return { kty: 'OKP', crv: 'Ed25519', x, d };
}

/** The text of a key file into its key. */
export function parseSigningKey(text: string): Parsed<SigningKey> {
  const tree = parseJson(text, 4096);
  return tree.kind === 'invalid' ? tree : checkSigningKey(tree.value);
}

/** The text of a file that holds a public key; of a whole key the private half is passed over. */
export function parsePublicKey(text: string): Parsed<PublicKey> {
  const tree = parseJson(text, 4096);
  return tree.kind === 'invalid' ? tree : checkPublicKey(tree.value);
}

/** RFC 7638 thumbprint, as admins compare it. */
export async function thumbprint(x: string): Promise<string> {
  return calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x });
}

/** A public key ready to verify with. */
export async function publicKeyOf(x: string): Promise<CryptoKey> {
  return (await importJWK({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA')) as CryptoKey;
}
