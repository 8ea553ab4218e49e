/**
 * Facts about this machine that come from the operating system: who it is (host name, system, hardware
 * id). What runs on it is in `running.ts`.
 */
import os from 'node:os';
import si from 'systeminformation';
import type { DeviceFacts } from '../wire/messages.js';
import { fitText } from '../wire/parse.js';
import { thisPlatform } from './platform/index.js';
import { agentVersion } from './version.js';

const timeLimitMs = 5_000;

/** Resolves with the answer, or with null when it is late or fails: facts never hold anything up. */
async function within<T>(answer: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeLimitMs);
  });
  try {
    return await Promise.race([answer, late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** Ids that makers leave in for all their machines name none. */
const emptyIds =
  /^(0+|f+|-|none|unknown|not specified|to be filled.*|default string|03000200-0400-0500-0006-000700080009)$/i;

/** The hardware's own UUID, or null when there is none that tells machines apart. */
function hardwareIdOf(uuid: string | null | undefined): string | null {
  const id = uuid?.trim().toLowerCase() ?? '';
  return id === '' || emptyIds.test(id.replaceAll('-', '')) || emptyIds.test(id) ? null : id;
}

/** The facts that are reported. `zone`: the IANA zone that `device-local` dates are read in. */
export async function deviceFacts(zone: string): Promise<DeviceFacts> {
  const [system, hardware] = await Promise.all([within(si.osInfo()), within(si.uuid())]);
  return {
    hostName: fitText(os.hostname(), 255),
    platform: thisPlatform(),
    osName: fitText(system?.distro || os.type(), 120),
    osVersion: fitText(system?.release || os.release(), 120),
    arch: fitText(os.arch(), 32),
    hardwareId: hardwareIdOf(hardware?.hardware),
    agentVersion,
    zone: fitText(zone, 64),
  };
}
