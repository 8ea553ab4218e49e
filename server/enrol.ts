/**
 * How a device becomes known: an enrolment token is exchanged for a device id. The private key stays
 * on the device. Same hardware under a new key is a new device, marked as one that may replace the
 * other; nothing is merged without an admin.
 */
import { randomUUID } from 'node:crypto';
import { CurfewError } from '../wire/errors.js';
import { sha256Hex } from '../wire/digest.js';
import type { EnrollAnswer, EnrollRequest } from '../wire/messages.js';
import { record } from './audit.js';
import { policySigner, rememberPolicyKey, type ServerKeys } from './keys.js';
import { makeSecret } from './people.js';
import type { Store, Writing } from './store/index.js';
import type { Device, EnrolToken } from './store/records.js';

export const tokenPrefix = 'cfe_';

export interface TokenRequest {
  readonly group: string | null;
  readonly label: string | null;
  readonly lifeMs: number;
  /** Null: without limit. */
  readonly uses: number | null;
  readonly actor: string;
  readonly now: number;
}

/** A new enrolment token, shown once; its hash is kept. */
export async function makeEnrolToken(store: Store, request: TokenRequest): Promise<string> {
  const token = `${tokenPrefix}${makeSecret()}`;
  const { group, label, uses, actor, now } = request;
  await store.write(async (writing) => {
    const id = await writing.tokens.add({
      hash: sha256Hex(token),
      group,
      label,
      createdAt: now,
      expiresAt: now + request.lifeMs,
      usesLeft: uses,
      isRevoked: false,
    });
    const deed = { at: now, actor, action: 'token.create', subject: `token ${id}`, detail: group };
    await record(writing, deed);
  });
  return token;
}

export interface Enrolment {
  readonly store: Store;
  readonly keys: ServerKeys;
  readonly now: number;
}

/**
 * Errors: ENROLL_TOKEN_UNKNOWN, ENROLL_TOKEN_EXPIRED, ENROLL_TOKEN_USED_UP, DEVICE_REVOKED. The same
 * key and a valid token once more is the answer repeated: the first one may have been lost.
 */
export async function enrol(
  { store, keys, now }: Enrolment,
  request: EnrollRequest,
): Promise<EnrollAnswer> {
  const deviceId = await store.write(async (writing) => {
    const token = await validToken(writing, request.token, now);
    const known = await writing.devices.byKey(request.publicKey);
    if (known !== null) return knownId(known);
    if (!(await writing.tokens.use(token.id))) {
      throw new CurfewError('ENROLL_TOKEN_USED_UP', 'this enrolment token has no uses left', {
        hint: 'Make a new one with `curfew-server token create`.',
      });
    }
    const device = await newDevice(writing, { request, token, now });
    await writing.devices.add(device);
    await rememberPolicyKey(writing.signing, keys);
    await writing.reports.addHistory(device.id, [
      {
        at: now,
        kind: 'enrolled',
        tool: null,
        component: null,
        from: null,
        to: null,
        detail: device.mayReplace === null ? null : `may replace ${device.mayReplace}`,
      },
    ]);
    const deed = { at: now, actor: device.id, action: 'device.enrol', subject: device.id };
    await record(writing, { ...deed, detail: `token ${token.id}` });
    return device.id;
  });
  // What signs the next bundle also signed the newest one, so a new device can verify that.
  const signer = await policySigner(store.read.signing, keys);
  return {
    deviceId,
    serverId: store.serverId,
    policyKey: signer.x,
    policyKeyThumbprint: signer.thumbprint,
    time: new Date(now).toISOString(),
  };
}

export interface Revocation {
  readonly id: string;
  readonly actor: string;
  readonly now: number;
}

/**
 * Ends a device's membership: it is not let in again, and an open connection is ended within a second.
 * Errors: NOT_FOUND. A device that was revoked already stays as it is.
 */
export async function revokeDevice(store: Store, { id, actor, now }: Revocation): Promise<void> {
  await store.write(async (writing) => {
    const device = await writing.devices.get(id);
    if (device === null) {
      throw new CurfewError('NOT_FOUND', `there is no device ${id}`, {
        hint: 'List them with `curfew-server device list`.',
      });
    }
    if (device.revokedAt !== null) return;
    await writing.devices.revoke(id, now);
    const deed = { at: now, actor, action: 'device.revoke', subject: id, detail: null };
    await record(writing, deed);
  });
}

function knownId(device: Device): string {
  if (device.revokedAt === null) return device.id;
  throw new CurfewError('DEVICE_REVOKED', `device ${device.id} was revoked`, {
    hint: 'Enrol with a new device key.',
  });
}

async function validToken(writing: Writing, text: string, now: number): Promise<EnrolToken> {
  const token = await writing.tokens.byHash(sha256Hex(text));
  if (token === null) {
    throw new CurfewError('ENROLL_TOKEN_UNKNOWN', 'this enrolment token is unknown', {
      hint: 'Make a new one with `curfew-server token create`.',
    });
  }
  if (token.expiresAt <= now || token.isRevoked) {
    throw new CurfewError('ENROLL_TOKEN_EXPIRED', 'this enrolment token has expired', {
      hint: 'Make a new one with `curfew-server token create`.',
    });
  }
  return token;
}

async function newDevice(
  writing: Writing,
  {
    request,
    token,
    now,
  }: { readonly request: EnrollRequest; readonly token: EnrolToken; readonly now: number },
): Promise<Device> {
  const { hardwareId } = request.facts;
  const before = hardwareId === null ? null : await writing.devices.byHardware(hardwareId);
  return {
    id: randomUUID(),
    publicKey: request.publicKey,
    facts: request.facts,
    // A token's group is the admin's word; what the device asks for counts only without it.
    group: token.group ?? (request.group === '' ? null : request.group),
    label: request.label,
    enrolledAt: now,
    lastSeen: null,
    revokedAt: null,
    mayReplace: before?.id ?? null,
  };
}
