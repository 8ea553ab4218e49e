/** The device token: what proves a device to one server for a few minutes, once. */
import { importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkDeviceToken, deviceToken, makeDeviceKey, peekDeviceId } from '../../wire/identity.js';
import type { SigningKey } from '../../wire/keys.js';

const nowMs = Date.UTC(2026, 6, 10, 4);
const minute = 60_000;
let key: SigningKey;
let otherKey: SigningKey;
beforeAll(async () => {
  key = await makeDeviceKey();
  otherKey = await makeDeviceKey();
});

const token = (at = nowMs): Promise<string> =>
  deviceToken({ deviceId: 'device-1', privateKey: key, audience: 'server-1', nowMs: at });
const check = (at = nowMs, known = new Set<string>()) => ({
  publicKey: key.x,
  audience: 'server-1',
  nowMs: at,
  seen: (jti: string) => known.size === known.add(jti).size,
});

describe('a device token', () => {
  test('names its device before and after it is proven', async () => {
    const made = await token();
    expect(peekDeviceId(made)).toBe('device-1');
    expect(await checkDeviceToken(made, check())).toMatchObject({
      kind: 'device',
      deviceId: 'device-1',
      expMs: nowMs + 5 * minute,
    });
  });

  test('is good once', async () => {
    const made = await token();
    const once = check();
    expect((await checkDeviceToken(made, once)).kind).toBe('device');
    expect(await checkDeviceToken(made, once)).toMatchObject({ code: 'DEVICE_TOKEN_INVALID' });
  });

  test('is good for one of two uses at the same moment', async () => {
    const made = await token();
    const once = check();
    const both = await Promise.all([checkDeviceToken(made, once), checkDeviceToken(made, once)]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['device', 'refused']);
  });

  test.each([
    [4 * minute, 'device'],
    [5 * minute, 'DEVICE_TOKEN_EXPIRED'],
    [9 * minute, 'DEVICE_TOKEN_EXPIRED'],
    [11 * minute, 'DEVICE_CLOCK_SKEW'],
    [-minute / 2, 'device'],
    [-2 * minute, 'DEVICE_CLOCK_SKEW'],
    [-400 * 24 * 60 * minute, 'DEVICE_CLOCK_SKEW'],
  ])('%d ms after it was made is judged %s', async (laterMs, expected) => {
    const judged = await checkDeviceToken(await token(), check(nowMs + laterMs));
    expect(judged.kind === 'device' ? 'device' : judged.code).toBe(expected);
  });

  test('of another key, for another server, without signature or of another type is invalid and remembers nothing', async () => {
    const known = new Set<string>();
    const claims = { iss: 'device-1', aud: 'server-1', jti: 'aaaaaaaa-bbbb', iat: nowMs / 1000 };
    const exp = nowMs / 1000 + 60;
    const signer = await importJWK({ ...key }, 'EdDSA');
    const sign = (payload: object, typ = 'curfew-device+jwt'): Promise<string> =>
      new SignJWT({ ...payload }).setProtectedHeader({ alg: 'EdDSA', typ }).sign(signer);
    const bad = [
      await deviceToken({
        deviceId: 'device-1',
        privateKey: otherKey,
        audience: 'server-1',
        nowMs,
      }),
      await deviceToken({ deviceId: 'device-1', privateKey: key, audience: 'server-2', nowMs }),
      new UnsecuredJWT({ ...claims, exp }).encode(),
      await sign({ ...claims, exp }, 'JWT'),
      await sign(claims),
      await sign({ ...claims, exp, jti: undefined }),
      await sign({ ...claims, exp: exp + 24 * 3600 }),
      'not-a-token',
      'a'.repeat(10_000),
    ];
    for (const one of bad) {
      expect(await checkDeviceToken(one, check(nowMs, known)), one.slice(0, 80)).toMatchObject({
        kind: 'refused',
        code: 'DEVICE_TOKEN_INVALID',
      });
    }
    expect(known.size).toBe(0);
    expect((await checkDeviceToken(await sign({ ...claims, exp }), check(nowMs, known))).kind).toBe(
      'device',
    );
  });

  test('that names no usable device is not looked up', () => {
    expect(peekDeviceId('x.y.z')).toBeNull();
    expect(peekDeviceId(new UnsecuredJWT({ iss: '../../etc' }).encode())).toBeNull();
    expect(peekDeviceId(new UnsecuredJWT({}).encode())).toBeNull();
  });
});
