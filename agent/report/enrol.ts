/**
 * How this machine becomes a device: its key is made here and kept before anything is asked, so an
 * answer that was lost is asked for again with the same key. The policy key is the one the settings
 * name, or it is trusted on first use and marked `unverified`. Nothing is written on a refusal but the
 * key; a known floor of the same server is never lowered.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { noFloor, thumbprint } from '../../wire/bundle.js';
import { CurfewError, errorCodes, type ErrorCode } from '../../wire/errors.js';
import { makeDeviceKey } from '../../wire/identity.js';
import type { SigningKey } from '../../wire/keys.js';
import type { DeviceFacts, EnrollAnswer, EnrollRequest } from '../../wire/messages.js';
import { parseEnrollAnswer } from '../../wire/parse.js';
import {
  enrollingFile,
  readEnrolling,
  readPins,
  writeEnrolling,
  writeIdentity,
  writePins,
  type Identity,
  type Pins,
} from '../identity-files.js';
import { httpJson, serverAddress, type NetworkSettings } from './network.js';

const enrollPath = '/api/v1/enroll';

export interface EnrolOptions {
  readonly serverUrl: string;
  readonly token: string;
  /** RFC 7638 thumbprint from the setting `PolicyKey`; null: trust the first key seen. */
  readonly policyKeyThumbprint: string | null;
  readonly facts: DeviceFacts;
  readonly group: string;
  readonly label: string | null;
  readonly dataFolder: string;
  readonly network: NetworkSettings;
  readonly timeoutMs?: number;
}

export interface Enrolled {
  readonly identity: Identity;
  /** The server's clock at the answer, epoch ms. */
  readonly serverTimeMs: number;
}

/**
 * Enrols and writes identity and pins. Errors: ENROLL_UNREACHABLE, ENROLL_POLICY_KEY_MISMATCH, those of
 * the server (ENROLL_TOKEN_*, DEVICE_REVOKED, REQUEST_TOO_MANY), SETTING_INVALID.
 */
export async function enrol(options: EnrolOptions): Promise<Enrolled> {
  const { dataFolder } = options;
  const address = serverAddress(options.serverUrl);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const key = await keyFor(options, address);
  const answer = await ask(options, address, key);
  await checkPolicyKey(answer, options.policyKeyThumbprint);
  const pins = await pinsAfter(answer, readPins(dataFolder), options.policyKeyThumbprint !== null);
  const identity: Identity = {
    format: 1,
    serverUrl: address.href,
    serverId: answer.serverId,
    deviceId: answer.deviceId,
    key,
    policyKey: options.policyKeyThumbprint === null ? 'unverified' : 'verified',
    enrolledAt: answer.time,
  };
  // Pins first: a device that knows itself always knows whom it trusts.
  writePins(dataFolder, pins);
  writeIdentity(dataFolder, identity);
  rmSync(enrollingFile(dataFolder), { force: true });
  return { identity, serverTimeMs: Date.parse(answer.time) };
}

/** The key of an unanswered enrolment at this server, or a new one, on disk before it is used. */
async function keyFor({ dataFolder }: EnrolOptions, address: URL): Promise<SigningKey> {
  const before = readEnrolling(dataFolder);
  if (before?.serverUrl === address.href) return before.key;
  const key = await makeDeviceKey();
  writeEnrolling(dataFolder, { format: 1, serverUrl: address.href, key });
  return key;
}

async function ask(options: EnrolOptions, address: URL, key: SigningKey): Promise<EnrollAnswer> {
  const { token, facts, group, label, network, timeoutMs = 20_000 } = options;
  const body: EnrollRequest = { token: token.trim(), publicKey: key.x, facts, group, label };
  const url = new URL(enrollPath, address);
  const answer = await httpJson('POST', url, body, { network, timeoutMs });
  if (answer.kind === 'offline') {
    throw new CurfewError('ENROLL_UNREACHABLE', answer.message, {
      hint: 'Check ServerUrl and the network; enrolling again is safe.',
    });
  }
  if (answer.status >= 400 && answer.code !== null && isCode(answer.code)) {
    const hint = 'See docs/developer/errors.md for what to do.';
    throw new CurfewError(answer.code, answer.detail ?? `${url.host} refused`, { hint });
  }
  const parsed = parseEnrollAnswer(answer.value);
  if (answer.status < 300 && parsed.kind === 'value') return parsed.value;
  throw new CurfewError(
    'ENROLL_UNREACHABLE',
    `${url.host} answered ${answer.status}, not as a Curfew server does`,
    { hint: 'Check that ServerUrl is the address of a Curfew server.' },
  );
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

async function checkPolicyKey(answer: EnrollAnswer, expected: string | null): Promise<void> {
  const actual = await thumbprint(answer.policyKey);
  if (actual === answer.policyKeyThumbprint && (expected ?? actual) === actual) return;
  throw new CurfewError(
    'ENROLL_POLICY_KEY_MISMATCH',
    `the server's policy key has the thumbprint ${actual}, not ${expected ?? answer.policyKeyThumbprint}`,
    { hint: 'Compare the setting PolicyKey with `curfew-server init`; trust neither before.' },
  );
}

/**
 * Floors of the same server stay; another key than the one pinned there counts only when it is verified,
 * and one that was retired there never.
 */
async function pinsAfter(
  answer: EnrollAnswer,
  before: Pins | null,
  isVerified: boolean,
): Promise<Pins> {
  const { serverId, deviceId, policyKey } = answer;
  const known = before?.serverId === serverId ? before : null;
  const { retired = [], refused } = known ?? {};
  const isRetired = retired.includes(await thumbprint(policyKey));
  const isOther = known !== null && known.policyKey !== policyKey;
  if (isRetired || (isOther && !isVerified)) {
    throw new CurfewError(
      'ENROLL_POLICY_KEY_MISMATCH',
      isRetired
        ? 'the server shows a policy key that this device has seen retired'
        : 'the server shows another policy key than the one this device has pinned',
      { hint: 'Set PolicyKey to the thumbprint of the key that is right.' },
    );
  }
  const left = isOther ? [...retired, await thumbprint(known.policyKey)] : retired;
  return {
    format: 1,
    serverId,
    deviceId,
    policyKey,
    // A floor belongs to the key under which it was reached.
    bundle: known === null || isOther ? noFloor : known.bundle,
    assignment: known?.deviceId === deviceId ? known.assignment : noFloor,
    ...(left.length > 0 && { retired: left }),
    ...(refused !== undefined && { refused }),
  };
}
