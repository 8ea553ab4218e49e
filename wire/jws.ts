/**
 * Compact JWS (RFC 7515) with Ed25519, as both signed documents are: to sign a payload, and to open a
 * text that one of the trusted keys signed. What a payload may say is for the documents to check;
 * here a text is bounded, of the type that is expected, and whole.
 */
import { compactVerify, CompactSign, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { CurfewError } from './errors.js';
import { publicKeyOf, thumbprint, type SigningKey } from './keys.js';
import { maxFrameBytes } from './messages.js';
import { parseJson } from './parse.js';

/** The highest sequence ever taken and the SHA-256 of its JWS text; `sequence` 0: none yet. */
export interface Floor {
  readonly sequence: number;
  readonly sha256: string | null;
}
export const noFloor: Floor = { sequence: 0, sha256: null };

/** The payload as compact JWS. REQUEST_TOO_LARGE when it would not fit into one frame. */
export async function signJws(
  payload: object,
  key: SigningKey,
  header: { readonly typ: string; readonly jwk?: JWK },
): Promise<string> {
  const jws = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'EdDSA', ...header, kid: await thumbprint(key.x) })
    .sign(await importJWK({ ...key }, 'EdDSA'));
  if (jws.length > maxFrameBytes) {
    throw new CurfewError(
      'REQUEST_TOO_LARGE',
      `the signed document has ${jws.length} bytes; ${maxFrameBytes} fit into a message`,
      { hint: 'Publish fewer or shorter policies.' },
    );
  }
  return jws;
}

export type OpenedJws =
  | {
      readonly kind: 'opened';
      readonly tree: unknown;
      /** JWK `x` of the key that signed it. */
      readonly signedBy: string;
    }
  | { readonly kind: 'foreign'; readonly message: string }
  | { readonly kind: 'malformed'; readonly message: string };

/** The payload of a JWS whose type and signature hold for one of the keys. */
export async function openJws(
  jws: string,
  keys: readonly string[],
  typ: string,
): Promise<OpenedJws> {
  if (jws.length > maxFrameBytes) {
    return { kind: 'malformed', message: `${jws.length} bytes are more than ${maxFrameBytes}` };
  }
  let header;
  try {
    header = decodeProtectedHeader(jws);
  } catch {
    return { kind: 'malformed', message: 'not a compact JWS' };
  }
  // `crit` asks for extensions that change what is signed; we know none (RFC 7515, 4.1.11).
  if (header.alg !== 'EdDSA' || header.typ !== typ || header['crit'] !== undefined) {
    return { kind: 'malformed', message: `its header is not alg EdDSA, typ ${typ}` };
  }
  for (const x of keys) {
    if ((await thumbprint(x)) !== header.kid) continue;
    try {
      const { payload } = await compactVerify(jws, await publicKeyOf(x), { algorithms: ['EdDSA'] });
      const tree = parseJson(payload, maxFrameBytes);
      return tree.kind === 'value'
        ? { kind: 'opened', tree: tree.value, signedBy: x }
        : { kind: 'malformed', message: `${tree.path} ${tree.message}`.trim() };
    } catch {
      return { kind: 'foreign', message: 'its signature does not hold' };
    }
  }
  return { kind: 'foreign', message: `signed by ${header.kid ?? 'no key'}, which is not trusted` };
}
