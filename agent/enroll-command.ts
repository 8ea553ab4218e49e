/**
 * `curfew enroll`: joins this machine to a server by hand or from an installer. The token comes from a
 * file or from an environment variable that is named, never from the command line, where every user
 * of the machine could read it. Enrolled already is a success and changes nothing.
 */
import { parseArgs } from 'node:util';
import { CurfewError } from '../wire/errors.js';
import { assignedTo } from './facts-aside.js';
import { deviceFacts } from './facts.js';
import { readSmall } from './files.js';
import { readIdentity } from './identity-files.js';
import { thisPlatform } from './platform/index.js';
import { enrol } from './report/enrol.js';
import { networkSettings, serverAddress } from './report/network.js';
import type { CommandIo } from './scan-command.js';
import { printable } from './scan-output.js';
import { machineSettings, type SettingValues } from './settings.js';

type Environment = Readonly<Record<string, string | undefined>>;

const maxTokenBytes = 4096;

const enrollHelp = `Usage: curfew enroll [options]

Makes this machine a device of a Curfew server. Its key is made here and stays here.

  --server URL       the server; default: the setting ServerUrl
  --token-file FILE  the file with the enrolment token
  --token-env NAME   the environment variable with the enrolment token
  --group G          the group to ask for; default: the setting DeviceGroup
  --label L          a label for the console, for machines that are not real

Exit code: 0 enrolled, also if it was before; 2 wrong usage; 3 it could not be done.

Example: curfew enroll --server https://curfew.example.com --token-file /etc/curfew/enroll-token
`;

/** Runs the command and answers its exit code. */
export async function runEnroll(
  argv: readonly string[],
  io: CommandIo,
  env: Environment = process.env,
): Promise<number> {
  try {
    const flags = parseFlags(argv);
    if (flags.help === true) io.stdout(enrollHelp);
    else io.stdout(await join(flags, env));
    return 0;
  } catch (error) {
    if (!(error instanceof CurfewError)) throw error;
    io.stderr(`curfew enroll: ${printable(error.message)}\n`);
    if (error.hint !== null) io.stderr(`  ${error.hint}\n`);
    return error.code === 'USAGE' || error.code === 'SETTING_INVALID' ? 2 : 3;
  }
}

type Flags = ReturnType<typeof parseFlags>;

function parseFlags(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: false,
      options: {
        server: text,
        'token-file': text,
        'token-env': text,
        group: text,
        label: text,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    // What was typed is not repeated: it may be a token.
    const word = error instanceof Error && 'code' in error ? String(error.code) : '';
    const message =
      word === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL'
        ? 'a token does not belong on the command line'
        : 'there is an unknown option, or one without its value';
    throw new CurfewError('USAGE', message, { hint: '`curfew enroll --help` lists every option.' });
  }
}

/** What is to be printed once it is done. */
async function join(flags: Flags, env: Environment): Promise<string> {
  const { values } = machineSettings(thisPlatform(), env);
  const serverUrl = flags.server ?? values.ServerUrl;
  if (serverUrl === null) {
    throw new CurfewError('USAGE', 'no server to enrol at', {
      hint: 'Give --server URL or set ServerUrl.',
    });
  }
  const before = readIdentity(values.DataFolder);
  if (before !== null) {
    const done = `enrolled already: device ${before.deviceId} at ${before.serverUrl}\n`;
    if (before.serverUrl === serverAddress(serverUrl).href) return done;
    // The same server elsewhere, or another one? The agent's token tells: only the same takes it.
    return `${done}the setting ServerUrl decides where this device connects; for another server than that one\n  use another data folder, or move identity.json away first\n`;
  }
  const { identity } = await enrol({
    serverUrl,
    token: tokenOf(flags, values, env),
    policyKeyThumbprint: values.PolicyKey,
    facts: assignedTo(
      await deviceFacts(Intl.DateTimeFormat().resolvedOptions().timeZone),
      values.AssignedUser,
    ),
    group: flags.group ?? values.DeviceGroup,
    label: flags.label ?? values.DeviceLabel,
    dataFolder: values.DataFolder,
    network: networkSettings(values, env),
  });
  const done = `enrolled: device ${identity.deviceId} at ${identity.serverUrl}\n`;
  if (identity.policyKey === 'verified') return done;
  return `${done}unverified key: the policy key was trusted on first use; set PolicyKey to check it\n`;
}

function tokenOf(flags: Flags, values: SettingValues, env: Environment): string {
  const { 'token-file': file, 'token-env': name } = flags;
  if (file !== undefined && name !== undefined) {
    throw new CurfewError('USAGE', '--token-file and --token-env are both given', {
      hint: 'Give one of them.',
    });
  }
  const [text, source] =
    file !== undefined
      ? [readToken(file), `the file ${file}`]
      : name !== undefined
        ? [env[name] ?? null, `the variable ${name}`]
        : [values.EnrollToken, 'the setting EnrollToken'];
  const token = text?.trim() ?? '';
  if (/^[\x21-\x7e]{1,128}$/.test(token)) return token;
  throw new CurfewError('USAGE', `there is no enrolment token in ${source}`, {
    hint: 'Make one with `curfew-server token create`; give --token-file FILE or --token-env NAME.',
  });
}

/** Null: there is no such file, or it is none that holds a token. */
function readToken(file: string): string | null {
  try {
    return readSmall(file, maxTokenBytes);
  } catch {
    return null;
  }
}
