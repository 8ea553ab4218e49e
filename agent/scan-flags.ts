/**
 * The command line of `curfew scan`, and the files it names, read and checked before anything is
 * scanned. What is wrong is said with the flag and the fix; nothing is guessed.
 */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { platforms, type Platform } from '../policies/component.js';
import type { Action } from '../policies/document.js';
import { CurfewError } from '../wire/errors.js';
import { resolveNow } from './detect/disk.js';
import type { ProcessEntry } from './detect/index.js';
import { parseAccounts } from './detect/world.js';
import type { Account } from './platform/index.js';

export interface ScanFlags {
  readonly isDeep: boolean;
  readonly isJson: boolean;
  readonly homes: readonly string[];
  readonly world: string | null;
  readonly platform: Platform | null;
  readonly accounts: readonly Account[] | null;
  readonly processes: readonly ProcessEntry[] | null;
  readonly state: string | null;
  readonly policy: { readonly file: string; readonly text: string } | null;
  /** The instant of the scan, epoch ms. */
  readonly atMs: number;
  readonly maxAction: Action;
}

const maxFileBytes = 16 * 1024 * 1024;

export const scanHelp = `Usage: curfew scan [options]

Looks for AI tools, however they were installed, and says what a policy makes of them.
Without --home or --world: this machine, as far as you may read it.

  --home DIR         a folder as one person's home (may be given more than once)
  --world DIR        a folder as the root of a machine
  --platform P       the system of --world or --home: ${platforms.join(', ')}
  --accounts FILE    the accounts of --world, as JSON: [{"name", "uid", "home", "shell"}]
  --processes FILE   what runs there, as JSON: [{"pid", "uid", "exe", "cwd", "argv"}]
  --deep             also copies inside projects
  --policy FILE      judge what is found by this policy
  --at TIME          judge as of this instant (2026-07-10T00:00:00+08:00) instead of now
  --max-action A     the most that may be done: observe, notify (default), block, remove
  --state DIR        keep what was known of places that could not be read this time
  --json             a JSON record a line instead of a table
  --schema           print the JSON Schema of those records

Exit code: 1 a violation; 3 something could not be read or judged; 0 neither; 2 wrong usage.

Example: curfew scan --policy policy.yaml --at 2026-07-10T00:00:00+08:00
`;

const hint = '`curfew scan --help` lists every option.';

function usage(message: string): CurfewError {
  return new CurfewError('USAGE', message, { hint });
}

/** The flags, or what is wanted instead of a scan. Throws a CurfewError of code USAGE. */
export async function parseScanFlags(
  argv: readonly string[],
): Promise<ScanFlags | 'help' | 'schema'> {
  const values = parseWords(argv);
  if (values.help === true) return 'help';
  if (values.schema === true) return 'schema';
  const { home: homes = [], world = null, accounts, processes, policy, state = null } = values;
  if (world !== null && homes.length > 0) throw usage('--world and --home exclude each other');
  if (accounts !== undefined && world === null) throw usage('--accounts needs --world');
  if (world !== null) refuseOther('--world', world);
  for (const home of homes) refuseOther('--home', home);
  const platform = platformOf(values.platform);
  if (platform !== null && world === null && homes.length === 0) {
    throw usage('--platform needs --world or --home');
  }
  return {
    isDeep: values.deep === true,
    isJson: values.json === true,
    homes,
    world,
    platform,
    accounts: accounts === undefined ? null : listIn('--accounts', accounts, parseAccounts),
    processes: processes === undefined ? null : listIn('--processes', processes, parseProcesses),
    state,
    policy: policy === undefined ? null : { file: policy, text: textIn('--policy', policy) },
    atMs: values.at === undefined ? Date.now() : await instantOf(values.at),
    maxAction: await actionOf(values['max-action']),
  };
}

/** Refuses what is no folder; one that may not be looked at is the scan's to report. */
function refuseOther(name: string, folder: string): void {
  let isFolder;
  try {
    // What must not be touched is the scan's to report too.
    const found = resolveNow(folder);
    if (found.kind === 'failed' && found.code === 'network-mount') return;
    isFolder = fs.statSync(folder).isDirectory();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    isFolder = code === 'EACCES' || code === 'EPERM';
  }
  if (!isFolder) throw usage(`${name} ${folder} is no folder`);
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

function parseWords(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: false,
      options: {
        deep: flag,
        home: { type: 'string', multiple: true },
        world: text,
        platform: text,
        accounts: text,
        processes: text,
        state: text,
        policy: text,
        at: text,
        'max-action': text,
        json: flag,
        schema: flag,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw usage((message.split('. ')[0] ?? message).replace(/\n[^]*/, ''));
  }
}

function platformOf(name: string | undefined): Platform | null {
  if (name === undefined) return null;
  const platform = platforms.find((known) => known === name);
  if (platform === undefined) {
    throw usage(`--platform ${name}: expected one of ${platforms.join(', ')}`);
  }
  return platform;
}

async function actionOf(name: string | undefined): Promise<Action> {
  if (name === undefined) return 'notify';
  const { actions } = await import('../policies/document.js');
  const action = actions.find((known) => known === name);
  if (action === undefined) {
    throw usage(`--max-action ${name}: expected one of ${actions.join(', ')}`);
  }
  return action;
}

async function instantOf(time: string): Promise<number> {
  const { checkDate, resolveDate } = await import('../policies/dates.js');
  const checked = checkDate(time);
  if (checked.kind === 'instant') return resolveDate(time, null, 'UTC');
  const why =
    checked.kind === 'day'
      ? 'expected an instant with offset like 2026-07-10T00:00:00+08:00, not a day'
      : checked.message;
  throw usage(`--at ${time}: ${why}`);
}

function textIn(name: string, file: string): string {
  try {
    const facts = fs.statSync(file);
    if (!facts.isFile()) throw new Error('it is not a regular file');
    if (facts.size > maxFileBytes) throw new Error(`it is larger than ${maxFileBytes} bytes`);
    return fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usage(`${name} ${file} cannot be read: ${reason}`);
  }
}

function listIn<T>(name: string, file: string, parse: (value: unknown) => T): T {
  const content = textIn(name, file);
  try {
    return parse(JSON.parse(content));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usage(`${name} ${file}: ${reason}`);
  }
}

const maxProcesses = 100_000;

/** The list of `--processes`; throws an Error that names the entry and the field. */
function parseProcesses(value: unknown): readonly ProcessEntry[] {
  if (!Array.isArray(value)) throw new Error('processes: expected a list of {pid, uid, exe, argv}');
  if (value.length > maxProcesses) throw new Error(`processes: more than ${maxProcesses}`);
  return value.map((item: unknown, index) => {
    const entry = (typeof item === 'object' ? item : null) as Record<string, unknown> | null;
    const fault = (field: string, what: string): Error =>
      new Error(`processes[${index}].${field}: expected ${what}`);
    const textOf = (field: string): string | null => {
      const found = entry?.[field] ?? null;
      if (found !== null && typeof found !== 'string') throw fault(field, 'a text or null');
      return found;
    };
    const { pid, uid = null, argv = null } = entry ?? {};
    if (!Number.isSafeInteger(pid)) throw fault('pid', 'a whole number');
    if (uid !== null && !Number.isSafeInteger(uid)) throw fault('uid', 'a whole number or null');
    const isList = Array.isArray(argv) && argv.every((word) => typeof word === 'string');
    if (argv !== null && !isList) throw fault('argv', 'a list of texts or null');
    return {
      pid: pid as number,
      uid: uid as number | null,
      account: textOf('account'),
      comm: textOf('comm'),
      exe: textOf('exe'),
      cwd: textOf('cwd'),
      argv: argv as readonly string[] | null,
    };
  });
}
