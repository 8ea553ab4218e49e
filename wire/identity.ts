/**
 * A device's key and the short-lived token that opens each of its connections: made on the device,
 * checked on the server. The token is bound to one server (`aud`), lives for minutes and is used once;
 * who remembers the used ones is the caller. The private key never crosses the wire.
 */
import { randomUUID } from 'node:crypto';
import { decodeJwt, errors, importJWK, jwtVerify, SignJWT } from 'jose';
import { makeKey, publicKeyOf, type SigningKey } from './keys.js';

/** What a token lives, and the most a server accepts. */
const tokenLifeMs = 5 * 60_000;
/** How far a device's clock may be ahead. */
const leewayMs = 60_000;
const tokenType = 'curfew-device+jwt';
const maxTokenLength = 2048;

/** The device's own Ed25519 key, made where it stays. */
export const makeDeviceKey = makeKey;

export interface TokenRequest {
  readonly deviceId: string;
  readonly privateKey: SigningKey;
  /** The server's id. */
  readonly audience: string;
  readonly nowMs: number;
}

/** A token for one connection: compact JWS with iss, aud, iat, exp and a random jti. */
export async function deviceToken(request: TokenRequest): Promise<string> {
  const issuedAt = Math.floor(request.nowMs / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA', typ: tokenType })
    .setIssuer(request.deviceId)
    .setAudience(request.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + tokenLifeMs / 1000)
    .setJti(randomUUID())
    .sign(await importJWK({ ...request.privateKey }, 'EdDSA'));
}

export type CheckedToken =
  | {
      readonly kind: 'device';
      readonly deviceId: string;
      readonly jti: string;
      readonly expMs: number;
    }
  | {
      readonly kind: 'refused';
      readonly code: 'DEVICE_TOKEN_INVALID' | 'DEVICE_TOKEN_EXPIRED' | 'DEVICE_CLOCK_SKEW';
      readonly message: string;
    };

export interface TokenCheck {
  /** JWK `x` of the device that `peekDeviceId` named. */
  readonly publicKey: string;
  readonly audience: string;
  readonly nowMs: number;
  /**
   * Remembers the id until `expMs` and answers true if it was known already. Asked last, when all else
   * holds, so a forged token fills nothing.
   */
  readonly seen: (jti: string, expMs: number) => boolean | Promise<boolean>;
}

type Refusal = Extract<CheckedToken, { kind: 'refused' }>['code'];
const refused = (code: Refusal, message: string): CheckedToken => ({
  kind: 'refused',
  code,
  message,
});

/** The device a token claims to be from, to look its key up; nothing about it is proven yet. */
export function peekDeviceId(token: string): string | null {
  if (token.length > maxTokenLength) return null;
  try {
    const { iss } = decodeJwt(token);
    return iss !== undefined && /^[A-Za-z0-9_.-]{1,64}$/.test(iss) ? iss : null;
  } catch {
    return null;
  }
}

/** Whether a token proves a device now: signature first, then times, then that it is used once. */
export async function checkDeviceToken(token: string, check: TokenCheck): Promise<CheckedToken> {
  if (token.length > maxTokenLength) return refused('DEVICE_TOKEN_INVALID', 'token is too long');
  let claims;
  try {
    const verified = await jwtVerify(token, await publicKeyOf(check.publicKey), {
      algorithms: ['EdDSA'],
      typ: tokenType,
      audience: check.audience,
      requiredClaims: ['iss', 'iat', 'exp', 'jti'],
      // Times are judged below, where a clock that is off can be told from a token that is old.
      currentDate: new Date(0),
      clockTolerance: Number.MAX_SAFE_INTEGER,
    });
    claims = verified.payload;
  } catch (error) {
    const why = error instanceof errors.JOSEError ? error.message : 'not a token';
    return refused('DEVICE_TOKEN_INVALID', `device token refused: ${why}`);
  }
  const { iss = '', iat = 0, exp = 0, jti = '' } = claims;
  if (!/^[A-Za-z0-9-]{8,64}$/.test(jti)) {
    return refused('DEVICE_TOKEN_INVALID', 'device token has no usable jti');
  }
  const fault = faultOfTimes(iat * 1000, exp * 1000, check.nowMs);
  if (fault !== null) return fault;
  if (await check.seen(jti, exp * 1000)) {
    return refused('DEVICE_TOKEN_INVALID', 'device token was used before');
  }
  return { kind: 'device', deviceId: iss, jti, expMs: exp * 1000 };
}

function faultOfTimes(issuedMs: number, expMs: number, nowMs: number): CheckedToken | null {
  if (expMs <= issuedMs || expMs - issuedMs > tokenLifeMs) {
    return refused('DEVICE_TOKEN_INVALID', 'device token lives longer than five minutes');
  }
  const offMs = issuedMs - nowMs;
  // Long past is a clock that is behind: the agent makes each token just before it is used.
  if (offMs > leewayMs || nowMs - expMs > tokenLifeMs) {
    const seconds = Math.round(offMs / 1000);
    return refused('DEVICE_CLOCK_SKEW', `the device's clock differs by ${seconds} s`);
  }
  return nowMs >= expMs
    ? refused('DEVICE_TOKEN_EXPIRED', 'device token is past its five minutes')
    : null;
}
