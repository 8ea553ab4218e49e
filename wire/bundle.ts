/**
 * The bundle: all policies under one sequence, signed by the policy key, which may be offline. Signing
 * and verifying only: the caller keeps pins, floors and texts. A bundle is taken whole or refused whole,
 * and a sequence once seen is never left for a lower one or for another text under its number. What a
 * device gets beside it is in `assignment.ts`.
 */
import { decodeProtectedHeader } from 'jose';
import Type, { type Static, type TSchema } from 'typebox';
import { sha256Hex } from './digest.js';
import type { ErrorCode } from './errors.js';
import { openJws, signJws, type Floor } from './jws.js';
import { PublicKeyX, thumbprint, type SigningKey } from './keys.js';
import { maxFrameBytes } from './messages.js';
import { checker, parseJson } from './parse.js';

export { noFloor, type Floor } from './jws.js';
export { makeKey as makePolicyKey, parseSigningKey, thumbprint, type SigningKey } from './keys.js';

/** The format that this version writes and knows. */
export const documentFormat = 1;

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$' });
const instant = Type.String({ format: 'date-time', maxLength: 40 });
const sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** What the policy key signs. Objects stay open: a field this version does not know is passed over. */
export const BundlePayload = Type.Object({
  format: Type.Literal(documentFormat),
  server: id,
  sequence,
  issuedAt: instant,
  /** The author's own text is what is signed, so both sides judge from the same; 0 is the first priority. */
  policies: Type.Array(
    Type.Object({ priority: Type.Integer(), yaml: Type.String({ maxLength: maxFrameBytes }) }),
    { maxItems: 256 },
  ),
  catalogue: Type.Object({ sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
  /** JWK `x` of the keys that may sign assignments under this bundle. */
  assignmentKeys: Type.Array(PublicKeyX, { maxItems: 8 }),
  /** The policy key from the next sequence on; the present one is retired with it. */
  nextPolicyKey: nullable(PublicKeyX),
  /** A device that takes this bundle goes back to this instant as the floor of its trusted time, once. */
  resetFloor: Type.Optional(instant),
});
export type BundlePayload = Static<typeof BundlePayload>;

export interface Refusal<Code extends ErrorCode> {
  readonly kind: 'refused';
  readonly code: Code;
  readonly message: string;
}
const refused = <Code extends ErrorCode>(code: Code, message: string): Refusal<Code> => ({
  kind: 'refused',
  code,
  message,
});

type BundleCode =
  'BUNDLE_SIGNATURE_INVALID' | 'BUNDLE_SEQUENCE_OLD' | 'BUNDLE_FORMAT_UNKNOWN' | 'BUNDLE_MALFORMED';

export type VerifiedBundle =
  | {
      readonly kind: 'bundle';
      readonly payload: BundlePayload;
      /** To be kept, with `keyRotatedTo` as the new pin, before the bundle is used. */
      readonly floor: Floor;
      /** The key that signs from the next sequence on, or null while the pinned one does. */
      readonly keyRotatedTo: string | null;
      /** JWK `x` of the key that signed it: the pinned one, or the one that the settings name. */
      readonly signedBy: string;
    }
  /** The very text the floor stands for: nothing new, and what a stored copy must come to. */
  | { readonly kind: 'same'; readonly payload: BundlePayload }
  | Refusal<BundleCode>;

const bundleType = 'curfew-bundle+jws';

/**
 * The bundle as compact JWS. REQUEST_TOO_LARGE when it would not fit into one frame. The public key
 * travels in the header for devices whose settings name its thumbprint; by itself it proves nothing.
 */
export async function signBundle(payload: BundlePayload, key: SigningKey): Promise<string> {
  const { kty, crv, x } = key;
  return signJws(payload, key, { typ: bundleType, jwk: { kty, crv, x } });
}

/** The payload of a text that was verified when it was first taken. */
function payloadOf(jws: string): BundlePayload | null {
  const tree = parseJson(Buffer.from(jws.split('.')[1] ?? '', 'base64url'), maxFrameBytes);
  const checked = tree.kind === 'value' ? checkBundle(tree.value) : tree;
  return checked.kind === 'value' ? checked.value : null;
}

function formatOf(tree: unknown): unknown {
  return typeof tree === 'object' && tree !== null && 'format' in tree ? tree.format : undefined;
}

const checkBundle = checker(BundlePayload);

export interface BundleTrust {
  /** JWK `x` of the policy key that the device trusts now. */
  readonly pinnedKey: string;
  readonly floor: Floor;
  /** The server's id; a bundle for another one is refused. */
  readonly server?: string;
  /**
   * Thumbprint that the machine's settings name in the pinned key's place: then it alone is trusted, and
   * the floor, which belongs to the key before it, does not hold.
   */
  readonly repinTo?: string | null;
}

/** Thumbprint of the key that a bundle says it is signed by, unverified; null: not a JWS. */
export function signerOf(jws: string): string | null {
  try {
    return decodeProtectedHeader(jws).kid ?? null;
  } catch {
    return null;
  }
}

/** The key in a bundle's header, if it is the one with this thumbprint. */
async function keyInHeader(jws: string, expected: string): Promise<string | null> {
  try {
    const { jwk } = decodeProtectedHeader(jws);
    const isOurs = jwk?.kty === 'OKP' && jwk.crv === 'Ed25519' && typeof jwk.x === 'string';
    return isOurs && (await thumbprint(jwk.x ?? '')) === expected ? (jwk.x ?? null) : null;
  } catch {
    return null;
  }
}

/** The one key that a bundle may be signed by; null: the settings name one that is not in it. */
async function trustedKey(
  jws: string,
  { pinnedKey, repinTo }: BundleTrust,
): Promise<string | null> {
  return repinTo == null ? pinnedKey : keyInHeader(jws, repinTo);
}

/** A bundle from the wire or from the device's own store, against pin and floor. */
export async function verifyBundle(jws: string, trust: BundleTrust): Promise<VerifiedBundle> {
  const { floor } = trust;
  const sha256 = sha256Hex(jws);
  // The floor's own text was verified when it came, perhaps with a key that is retired by now.
  if (sha256 === floor.sha256) {
    const payload = payloadOf(jws);
    if (payload !== null) return { kind: 'same', payload };
  }
  const signedBy = await trustedKey(jws, trust);
  const opened = await openJws(jws, signedBy === null ? [] : [signedBy], bundleType);
  if (opened.kind === 'foreign') return refused('BUNDLE_SIGNATURE_INVALID', opened.message);
  if (opened.kind === 'malformed') return refused('BUNDLE_MALFORMED', opened.message);
  const format = formatOf(opened.tree);
  if (typeof format === 'number' && format !== documentFormat) {
    return refused(
      'BUNDLE_FORMAT_UNKNOWN',
      `format ${format}; this agent knows ${documentFormat}: upgrade the agent`,
    );
  }
  const checked = checkBundle(opened.tree);
  if (checked.kind === 'invalid') {
    return refused('BUNDLE_MALFORMED', `${checked.path} ${checked.message}`.trim());
  }
  const payload = checked.value;
  if (trust.server !== undefined && payload.server !== trust.server) {
    return refused('BUNDLE_SIGNATURE_INVALID', `signed for server ${payload.server}`);
  }
  if (payload.sequence <= floor.sequence && trust.repinTo == null) {
    return refused(
      'BUNDLE_SEQUENCE_OLD',
      `sequence ${payload.sequence}; ${floor.sequence} was seen`,
    );
  }
  return {
    kind: 'bundle',
    payload,
    floor: { sequence: payload.sequence, sha256 },
    keyRotatedTo: payload.nextPolicyKey === signedBy ? null : payload.nextPolicyKey,
    signedBy: signedBy ?? trust.pinnedKey,
  };
}
