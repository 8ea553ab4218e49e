/**
 * `curfew enroll`: joins this machine to a server by hand or from an installer. The token comes from a
 * file or from an environment variable that is named, never from the command line, where every user
 * of the machine could read it. Enrolled already at this server is a success and changes nothing.
 */
import { type DeviceFacts } from '../wire/messages.js';
import { CurfewError } from '../wire/errors.js';
import { readSmall } from './files.js';
import { readIdentity } from './identity-files.js';
import { enrol } from './report/enrol.js';
import { serverAddress, type NetworkSettings } from './report/network.js';

export interface EnrollFlags {
  readonly server: string | null;
  readonly tokenFile: string | null;
  readonly tokenEnv: string | null;
  readonly label: string | null;
  readonly group: string | null;
}

export interface EnrollSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly dataFolder: string;
  readonly network: NetworkSettings;
  /** The settings that stand in for flags: `ServerUrl`, `DeviceGroup`, `PolicyKey`, `EnrollToken`. */
  readonly serverUrl: string | null;
  readonly group: string;
  readonly policyKey: string | null;
  readonly enrollToken: string | null;
  readonly facts: () => Promise<DeviceFacts>;
  readonly print: (line: string) => void;
}

const maxTokenBytes = 4096;

/** Prints what came of it. Errors: USAGE, and those of `enrol`. */
export async function runEnroll(flags: EnrollFlags, around: EnrollSurroundings): Promise<void> {
  const serverUrl = flags.server ?? around.serverUrl;
  if (serverUrl === null) {
    throw new CurfewError('USAGE', 'no server to enrol at', {
      hint: 'Give --server URL or set ServerUrl.',
    });
  }
  const before = readIdentity(around.dataFolder);
  if (before !== null) {
    if (before.serverUrl !== serverAddress(serverUrl).href) {
      throw new CurfewError('USAGE', `this machine is enrolled at ${before.serverUrl} already`, {
        hint: 'Use another data folder, or remove its identity.json first.',
      });
    }
    around.print(`enrolled already: device ${before.deviceId} at ${before.serverUrl}`);
    return;
  }
  const { identity } = await enrol({
    serverUrl,
    token: tokenOf(flags, around),
    policyKeyThumbprint: around.policyKey,
    facts: await around.facts(),
    group: flags.group ?? around.group,
    label: flags.label,
    dataFolder: around.dataFolder,
    network: around.network,
  });
  around.print(`enrolled: device ${identity.deviceId} at ${identity.serverUrl}`);
  if (identity.policyKey === 'unverified') {
    around.print(
      'unverified key: the policy key was trusted on first use; set PolicyKey to check it',
    );
  }
}

function tokenOf(flags: EnrollFlags, around: EnrollSurroundings): string {
  if (flags.tokenFile !== null && flags.tokenEnv !== null) {
    throw new CurfewError('USAGE', '--token-file and --token-env are both given', {
      hint: 'Give one of them.',
    });
  }
  const [text, source] =
    flags.tokenFile !== null
      ? [readSmall(flags.tokenFile, maxTokenBytes), `the file ${flags.tokenFile}`]
      : flags.tokenEnv !== null
        ? [around.env[flags.tokenEnv] ?? null, `the variable ${flags.tokenEnv}`]
        : [around.enrollToken, 'the setting EnrollToken'];
  const token = text?.trim() ?? '';
  if (/^[\x21-\x7e]{1,128}$/.test(token)) return token;
  throw new CurfewError('USAGE', `there is no enrolment token in ${source}`, {
    hint: 'Make one with `curfew-server token create`; give --token-file FILE or --token-env NAME.',
  });
}
