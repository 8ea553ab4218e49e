/**
 * The assignment of a device: made and signed with the online key when the device first says hello,
 * and kept. It names the group and softens nothing yet: exceptions and pauses have no author so far.
 */
import { documentFormat, signAssignment } from '../wire/bundle.js';
import type { ServerKeys } from './keys.js';
import type { Writing } from './store/index.js';
import type { Device, StoredAssignment } from './store/records.js';

export interface Issuer {
  readonly serverId: string;
  readonly keys: ServerKeys;
  readonly now: number;
}

/** The device's assignment, issued with sequence 1 if it has none. */
export async function assignmentOf(
  writing: Writing,
  device: Device,
  { serverId, keys, now }: Issuer,
): Promise<StoredAssignment> {
  const known = await writing.policies.assignment(device.id);
  if (known !== null) return known;
  const sequence = 1;
  const jws = await signAssignment(
    {
      format: documentFormat,
      server: serverId,
      device: device.id,
      sequence,
      issuedAt: new Date(now).toISOString(),
      group: device.group,
      persons: {},
      exceptions: [],
      pause: false,
      message: null,
      rescanAfter: null,
    },
    keys.online,
  );
  const issued = { device: device.id, sequence, jws, issuedAt: now };
  await writing.policies.addAssignment(issued);
  return issued;
}
