/**
 * Signed documents against everything that may be offered in their place: older ones, other ones under
 * a known number, other keys, changed bytes, other algorithms, newer formats.
 */
import { createPrivateKey, sign as signBytes } from 'node:crypto';
import { CompactSign, exportJWK, generateKeyPair, importJWK } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  exceptionsOf,
  signAssignment,
  verifyAssignment,
  type AssignmentPayload,
} from '../../wire/assignment.js';
import {
  makePolicyKey,
  noFloor,
  parseSigningKey,
  signBundle,
  thumbprint,
  verifyBundle,
  type BundlePayload,
  type SigningKey,
} from '../../wire/bundle.js';
import { sha256Hex } from '../../wire/digest.js';

const yaml = 'policy: ai-coding-tools\ntitle: "一 AI tools"\n';
function bundle(sequence: number, more: Partial<BundlePayload> = {}): BundlePayload {
  return {
    format: 1,
    server: 'server-1',
    sequence,
    issuedAt: '2026-07-01T00:00:00Z',
    policies: [{ priority: 0, yaml }],
    catalogue: { sha256: 'a'.repeat(64) },
    assignmentKeys: [],
    nextPolicyKey: null,
    ...more,
  };
}
function assignment(sequence: number, more: Partial<AssignmentPayload> = {}): AssignmentPayload {
  return {
    format: 1,
    server: 'server-1',
    device: 'device-1',
    sequence,
    issuedAt: '2026-07-01T00:00:00Z',
    group: 'engineering',
    persons: { ana: 'ana@corp.example' },
    exceptions: [],
    pause: false,
    message: null,
    rescanAfter: null,
    ...more,
  };
}
/** A JWS over any text, as a stranger with the key could make it. */
async function signText(text: string, key: SigningKey, header: object = {}): Promise<string> {
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({
      alg: 'EdDSA',
      typ: 'curfew-bundle+jws',
      kid: await thumbprint(key.x),
      ...header,
    })
    .sign(await importJWK({ ...key }, 'EdDSA'));
}
const base64url = (text: string): string => Buffer.from(text).toString('base64url');

let policyKey: SigningKey;
let otherKey: SigningKey;
beforeAll(async () => {
  policyKey = await makePolicyKey();
  otherKey = await makePolicyKey();
});

describe('keys', () => {
  test('a thumbprint is that of RFC 8037, appendix A.3', async () => {
    expect(await thumbprint('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo')).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  test('a key file is read back, and a public key alone is refused with its path', () => {
    expect(parseSigningKey(JSON.stringify(policyKey))).toEqual({ kind: 'value', value: policyKey });
    const { kty, crv, x } = policyKey;
    expect(parseSigningKey(JSON.stringify({ kty, crv, x }))).toMatchObject({ kind: 'invalid' });
    expect(parseSigningKey('{"kty":')).toMatchObject({ kind: 'invalid', message: 'not JSON' });
  });
});

describe('a bundle', () => {
  test('is taken with the text its author wrote and the floor it sets', async () => {
    const jws = await signBundle(bundle(7), policyKey);
    expect(await verifyBundle(jws, { pinnedKey: policyKey.x, floor: noFloor })).toEqual({
      kind: 'bundle',
      payload: bundle(7),
      floor: { sequence: 7, sha256: sha256Hex(jws) },
      keyRotatedTo: null,
      signedBy: policyKey.x,
    });
  });

  test('carries a signature that the platform itself finds valid', async () => {
    const jws = await signBundle(bundle(7), policyKey);
    const [header = '', payload = '', signature = ''] = jws.split('.');
    const key = createPrivateKey({ key: { ...policyKey }, format: 'jwk' });
    const expected = signBytes(null, Buffer.from(`${header}.${payload}`), key);
    expect(Buffer.from(signature, 'base64url').equals(expected)).toBe(true);
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      alg: 'EdDSA',
      typ: 'curfew-bundle+jws',
      kid: await thumbprint(policyKey.x),
      jwk: { kty: 'OKP', crv: 'Ed25519', x: policyKey.x },
    });
  });

  test('C087: an older one, another one under the same number and one by a retired key are refused', async () => {
    const seven = await signBundle(bundle(7, { nextPolicyKey: otherKey.x }), policyKey);
    const taken = await verifyBundle(seven, { pinnedKey: policyKey.x, floor: noFloor });
    if (taken.kind !== 'bundle') throw new Error(taken.kind);
    expect(taken.keyRotatedTo).toBe(otherKey.x);
    // The floor and the pin survive a restart as JSON.
    const trust = {
      pinnedKey: otherKey.x,
      floor: JSON.parse(JSON.stringify(taken.floor)) as typeof taken.floor,
    };

    const five = await signBundle(bundle(5), otherKey);
    expect(await verifyBundle(five, trust)).toMatchObject({ code: 'BUNDLE_SEQUENCE_OLD' });
    const sevenB = await signBundle(bundle(7, { policies: [] }), otherKey);
    expect(await verifyBundle(sevenB, trust)).toMatchObject({ code: 'BUNDLE_SEQUENCE_OLD' });
    const eight = await signBundle(bundle(8), policyKey);
    expect(await verifyBundle(eight, trust)).toMatchObject({ code: 'BUNDLE_SIGNATURE_INVALID' });

    expect(await verifyBundle(seven, trust)).toMatchObject({ kind: 'same' });
    const next = await signBundle(bundle(8), otherKey);
    expect(await verifyBundle(next, trust)).toMatchObject({ kind: 'bundle', keyRotatedTo: null });
  });

  test('C090: an unknown format is refused whole, an unknown optional field is passed over', async () => {
    const trust = { pinnedKey: policyKey.x, floor: noFloor };
    const newer = await signText(JSON.stringify({ ...bundle(8), format: 2, rules: [] }), policyKey);
    expect(await verifyBundle(newer, trust)).toMatchObject({
      kind: 'refused',
      code: 'BUNDLE_FORMAT_UNKNOWN',
      message: expect.stringContaining('format 2') as string,
    });
    const wider = await signText(
      JSON.stringify({ ...bundle(8), policies: [{ priority: 1, yaml, stage: 'canary' }], note: 1 }),
      policyKey,
    );
    expect(await verifyBundle(wider, trust)).toMatchObject({
      kind: 'bundle',
      payload: { policies: [{ priority: 1, yaml }] },
    });
  });

  test('for another server is refused', async () => {
    const jws = await signBundle(bundle(7), policyKey);
    const trust = { pinnedKey: policyKey.x, floor: noFloor, server: 'server-2' };
    expect(await verifyBundle(jws, trust)).toMatchObject({ code: 'BUNDLE_SIGNATURE_INVALID' });
  });

  test('with one changed byte in any part is refused', async () => {
    const jws = await signBundle(bundle(7), policyKey);
    const trust = { pinnedKey: policyKey.x, floor: noFloor };
    const parts = jws.split('.');
    for (const [index, part] of parts.entries()) {
      for (const at of [0, Math.floor(part.length / 2), part.length - 3]) {
        const changed = part.slice(0, at) + (part[at] === 'A' ? 'B' : 'A') + part.slice(at + 1);
        const forged = parts.map((one, other) => (other === index ? changed : one)).join('.');
        expect((await verifyBundle(forged, trust)).kind, `part ${index} at ${at}`).toBe('refused');
      }
      const without = parts.filter((_, other) => other !== index).join('.');
      expect((await verifyBundle(without, trust)).kind).toBe('refused');
    }
    expect((await verifyBundle('', trust)).kind).toBe('refused');
  });

  test.each([
    ['no algorithm at all', { alg: 'none' }],
    ['a shared secret made of the public key', { alg: 'HS256' }],
    ['another type of document', { typ: 'curfew-assignment+jws' }],
  ])('with %s in its header is refused', async (_, header) => {
    const good = await signBundle(bundle(7), policyKey);
    const [, payload = '', signature = ''] = good.split('.');
    const kid = await thumbprint(policyKey.x);
    const head = base64url(
      JSON.stringify({ alg: 'EdDSA', typ: 'curfew-bundle+jws', kid, ...header }),
    );
    for (const end of ['', signature]) {
      const forged = `${head}.${payload}.${end}`;
      expect((await verifyBundle(forged, { pinnedKey: policyKey.x, floor: noFloor })).kind).toBe(
        'refused',
      );
    }
  });

  test('that asks for a critical extension is refused though its signature holds', async () => {
    const jws = await signText(JSON.stringify(bundle(7)), policyKey, { b64: true, crit: ['b64'] });
    const trust = { pinnedKey: policyKey.x, floor: noFloor };
    expect(await verifyBundle(jws, trust)).toMatchObject({ code: 'BUNDLE_MALFORMED' });
  });

  test('signed by an elliptic-curve key under the pinned name is refused', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const jws = await new CompactSign(new TextEncoder().encode(JSON.stringify(bundle(7))))
      .setProtectedHeader({
        alg: 'ES256',
        typ: 'curfew-bundle+jws',
        kid: await thumbprint(policyKey.x),
        jwk: await exportJWK(pair.publicKey),
      })
      .sign(pair.privateKey);
    const trust = { pinnedKey: policyKey.x, floor: noFloor };
    expect((await verifyBundle(jws, trust)).kind).toBe('refused');
  });

  test.each([
    ['text that is not JSON', 'policy: x'],
    ['a missing field', JSON.stringify({ ...bundle(7), catalogue: undefined })],
    ['a sequence of zero', JSON.stringify(bundle(0))],
    ['a prototype key', JSON.stringify(bundle(7)).replace('{', '{"__proto__":{"format":1},')],
    ['no format', JSON.stringify({ ...bundle(7), format: undefined })],
    ['a field nested 100,000 deep', `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('signed over %s is malformed', async (_, text) => {
    const jws = await signText(text, policyKey);
    const trust = { pinnedKey: policyKey.x, floor: noFloor };
    expect(await verifyBundle(jws, trust)).toMatchObject({ code: 'BUNDLE_MALFORMED' });
  });

  test('that would not fit into a message is refused on both sides', async () => {
    const large = bundle(7, { policies: [{ priority: 0, yaml: '#'.repeat(1_000_000) }] });
    await expect(signBundle(large, policyKey)).rejects.toThrow(/fit into a message/);
    const jws = await signText(JSON.stringify(large), policyKey);
    const trust = { pinnedKey: policyKey.x, floor: noFloor };
    expect(await verifyBundle(jws, trust)).toMatchObject({ code: 'BUNDLE_MALFORMED' });
  });
});

describe('an assignment', () => {
  const trust = (keys: string[]) => ({
    keys,
    floor: noFloor,
    device: 'device-1',
    server: 'server-1',
  });

  test('by a key that the bundle names is taken, with its exceptions as instants', async () => {
    const exception = {
      id: 'e1',
      tool: 'claude-code',
      person: 'ana@corp.example',
      reason: 'hand-over',
      author: 'ben',
      until: '2026-08-01T00:00:00+08:00',
    };
    const jws = await signAssignment(assignment(3, { exceptions: [exception] }), otherKey);
    const taken = await verifyAssignment(jws, trust([policyKey.x, otherKey.x]));
    if (taken.kind !== 'assignment') throw new Error(taken.kind);
    expect(taken.floor).toEqual({ sequence: 3, sha256: sha256Hex(jws) });
    expect(exceptionsOf(taken.payload)).toEqual([
      { ...exception, until: Date.UTC(2026, 6, 31, 16) },
    ]);
  });

  test('for another device or server, by another key, older, or of a bundle’s type is refused', async () => {
    const keys = trust([otherKey.x]);
    const good = await signAssignment(assignment(3), otherKey);
    const refusals = await Promise.all([
      verifyAssignment(good, { ...keys, device: 'device-2' }),
      verifyAssignment(good, { ...keys, server: 'server-2' }),
      verifyAssignment(good, trust([policyKey.x])),
      verifyAssignment(good, trust([])),
      verifyAssignment(good, { ...keys, floor: { sequence: 3, sha256: 'b'.repeat(64) } }),
      verifyAssignment(await signBundle(bundle(4), otherKey), keys),
    ]);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ kind: 'refused', code: 'ASSIGNMENT_INVALID' });
    }
  });

  test('seen before is the same, but not once the bundle no longer names its key', async () => {
    const jws = await signAssignment(assignment(3), otherKey);
    const floor = { sequence: 3, sha256: sha256Hex(jws) };
    expect(await verifyAssignment(jws, { ...trust([otherKey.x]), floor })).toMatchObject({
      kind: 'same',
    });
    expect((await verifyAssignment(jws, { ...trust([policyKey.x]), floor })).kind).toBe('refused');
  });
});
