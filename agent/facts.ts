/**
 * Facts about this machine that come from the operating system: who it is (host name, system, hardware
 * id) and what runs on it. Of a process nothing is kept here; detectors use the one path they match.
 */
import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import os from 'node:os';
import si from 'systeminformation';
import type { DeviceFacts } from '../wire/messages.js';
import { fitText } from '../wire/parse.js';
import type { ProcessEntry } from './detect/index.js';
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

/** What runs now; null when the system's list could not be had. */
export async function listProcesses(): Promise<readonly ProcessEntry[] | null> {
  const listed = await within(si.processes());
  return listed === null ? null : entriesOf(listed.list);
}

/** A process as the system lists it; what is empty is not known. */
export type ListedProcess = Pick<
  si.Systeminformation.ProcessesProcessData,
  'pid' | 'name' | 'path' | 'user' | 'command' | 'params'
>;

/** The listed processes but ourselves and, on Linux, those that have ended since. */
export function entriesOf(listed: readonly ListedProcess[]): readonly ProcessEntry[] {
  return listed
    .filter(({ pid }) => pid > 0 && pid !== process.pid)
    .flatMap((one): readonly ProcessEntry[] => {
      const { pid, name, path, user, command, params } = one;
      const account = user === '' ? null : user;
      if (process.platform === 'linux') {
        const own = linuxEntry(pid);
        return own === null ? [] : [{ pid, account, ...own }];
      }
      const exe = path === '' ? null : path;
      const argv = command === '' ? null : [command, ...params.split(' ').filter(Boolean)];
      return [{ pid, uid: null, account, comm: name || null, exe, cwd: null, argv }];
    });
}

/**
 * Linux says it exactly (proc(5)): arguments parted by NUL, links to the program and its folder. What
 * may not be read is null in the entry; null for an entry: the process has ended.
 */
function linuxEntry(pid: number): Omit<ProcessEntry, 'pid' | 'account'> | null {
  const folder = `/proc/${pid}`;
  const attempt = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch {
      return null;
    }
  };
  const line = attempt(() => readFileSync(`${folder}/cmdline`, 'utf8'));
  const argv =
    line === null
      ? null
      : line
          .slice(0, 64 * 1024)
          .split('\0')
          .slice(0, -1);
  const entry = {
    uid: attempt(() => statSync(folder).uid),
    comm: attempt(() => readFileSync(`${folder}/comm`, 'utf8').trim()),
    exe: attempt(() => readlinkSync(`${folder}/exe`).replace(/ \(deleted\)$/, '')),
    cwd: attempt(() => readlinkSync(`${folder}/cwd`)),
    argv,
  };
  // Looked at last: a process that ended between two reads would look like one that hides something.
  return existsSync(folder) ? entry : null;
}
