/**
 * The commands of `curfew-server`. Results go to stdout, all else to stderr; an expected error is a
 * sentence with its fix and exit code 2. Commands beside `serve` work on the store directly, so they
 * work while the server runs; it notices by itself.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Table from 'cli-table3';
import { Command, CommanderError, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { builtInCatalogue } from '../policies/catalogue.js';
import { parsePolicy, type PolicyProblem } from '../policies/document.js';
import { CurfewError } from '../wire/errors.js';
import { makeEnrolToken, revokeDevice } from './enrol.js';
import { policyKeyFile, readOrMakeKeys, type ServerKeys } from './keys.js';
import { makeSignInLink, signInUrl } from './people.js';
import { publish } from './publish.js';
import { serve } from './serve.js';
import { prepareFolder, readSettings, settingsTable, type Settings } from './settings.js';
import { openSqliteStore } from './store/sqlite.js';
import type { Store } from './store/index.js';

const dayMs = 86_400_000;
const maxPolicyBytes = 1024 * 1024;

const databaseFile = (dataFolder: string): string => path.join(dataFolder, 'server.db');

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const say = (text: string): void => void process.stderr.write(`curfew-server: ${text}\n`);

/** Runs a command line and answers its exit code; nothing is thrown. */
export async function run(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = makeProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof CurfewError) {
      say(error.message + (error.hint === null ? '' : `\n  ${error.hint}`));
      return 2;
    }
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 2;
  }
}

type Options = Readonly<Record<string, string | boolean | undefined>>;
type SetExitCode = (code: number) => void;

/** The flags of the settings table; values stay texts, the table parses them. */
function withSettings(command: Command, names?: readonly string[]): Command {
  for (const { name, help, initial } of Object.values(settingsTable)) {
    if (names !== undefined && !names.includes(name)) continue;
    const flag = typeof initial === 'boolean' ? `--${name}` : `--${name} <value>`;
    command.addOption(new Option(flag, `${help} (default: ${String(initial ?? 'none')})`));
  }
  return command;
}

function settingsOf(command: Command): Settings {
  const flags: Record<string, string> = {};
  for (const { name } of Object.values(settingsTable)) {
    const key = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const value = (command.opts() as Options)[key];
    if (value !== undefined) flags[name] = String(value);
  }
  return readSettings({ flags, environment: process.env });
}

async function withStore<T>(
  settings: Settings,
  work: (store: Store, keys: ServerKeys) => Promise<T>,
): Promise<T> {
  prepareFolder(settings.dataFolder);
  const keys = await readOrMakeKeys(settings.dataFolder);
  const store = openSqliteStore(databaseFile(settings.dataFolder));
  try {
    return await work(store, keys);
  } finally {
    await store.close();
  }
}

function makeProgram(setExitCode: SetExitCode): Command {
  const program = new Command('curfew-server')
    .description('Gets a company off an AI tool by a date: the server.')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });
  addServerCommands(program);
  addTokenCommand(program);
  addPolicyCommands(program, setExitCode);
  addUserCommand(program);
  addDeviceCommands(program);
  program
    .command('version')
    .description('the version of this server')
    .action(() => print(manifest.version));
  for (const command of program.commands) command.exitOverride();
  return program;
}

function addServerCommands(program: Command): void {
  withSettings(program.command('serve').description('run the server until it is told to stop'))
    .addHelpText('after', '\nExample: curfew-server serve --data /var/lib/curfew-server')
    .action(async (_options: Options, command: Command) => {
      const settings = settingsOf(command);
      prepareFolder(settings.dataFolder);
      const store = openSqliteStore(databaseFile(settings.dataFolder));
      try {
        await serve({ settings, store });
      } finally {
        await store.close();
      }
    });
  withSettings(program.command('init').description('make keys and database'), ['data'])
    .addHelpText('after', '\nExample: curfew-server init --data /var/lib/curfew-server')
    .action(async (_options: Options, command: Command) => {
      const settings = settingsOf(command);
      await withStore(settings, async (store, keys) => {
        print(
          JSON.stringify({
            serverId: store.serverId,
            policyKey: keys.policy.x,
            policyKeyThumbprint: keys.policyThumbprint,
            policyKeyFile: path.join(settings.dataFolder, policyKeyFile),
          }),
        );
      });
    });
}

/** A whole number of a flag. Errors: USAGE. */
function wholeNumber(text: string, flag: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new CurfewError('USAGE', `${flag} is "${text}"; expected a whole number from 1`);
}

function addTokenCommand(program: Command): void {
  const token = program.command('token').description('enrolment tokens').exitOverride();
  withSettings(token.command('create').description('a new token, shown once'), ['data'])
    .option('--group <name>', 'group of the devices that use it')
    .option('--label <text>', 'a note for the console')
    .option('--uses <count>', 'how many devices may use it (default: without limit)')
    .option('--days <count>', 'how long it is good', '30')
    .addHelpText('after', '\nExample: curfew-server token create --group engineering --days 7')
    .action(async (options: Options, command: Command) => {
      const secret = await withStore(settingsOf(command), (store) =>
        makeEnrolToken(store, {
          group: textOf(options['group']),
          label: textOf(options['label']),
          lifeMs: wholeNumber(String(options['days']), '--days') * dayMs,
          uses:
            options['uses'] === undefined ? null : wholeNumber(String(options['uses']), '--uses'),
          actor: 'cli',
          now: Date.now(),
        }),
      );
      print(secret);
    });
}

const textOf = (value: string | boolean | undefined): string | null =>
  typeof value === 'string' ? value : null;

function readPolicy(file: string): string {
  let bytes;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new CurfewError('USAGE', `${file} cannot be read`, { cause: error });
  }
  if (bytes.byteLength <= maxPolicyBytes) return bytes.toString('utf8');
  throw new CurfewError('POLICY_INVALID', `${file} is larger than ${maxPolicyBytes} bytes`);
}

function tellProblems(file: string, problems: readonly PolicyProblem[]): void {
  for (const { severity, line, column, field, message } of problems) {
    process.stderr.write(`${file}:${line}:${column}: ${severity}: ${field}: ${message}\n`);
  }
}

function addPolicyCommands(program: Command, setExitCode: SetExitCode): void {
  const policy = program.command('policy').description('policies').exitOverride();
  policy
    .command('lint <file>')
    .description('check a policy; 1 when it would be refused')
    .addHelpText('after', '\nExample: curfew-server policy lint policy.yaml')
    .action((file: string) => {
      const parsed = parsePolicy(readPolicy(file), { catalogue: builtInCatalogue() });
      tellProblems(file, parsed.kind === 'invalid' ? parsed.problems : parsed.warnings);
      if (parsed.kind === 'invalid') setExitCode(1);
      else print(`${file}: ${parsed.policy.policy} is valid`);
    });
  withSettings(policy.command('publish <file>').description('sign a policy and make it live'), [
    'data',
  ])
    .option('--author <name>', 'who publishes', 'cli')
    .addHelpText('after', '\nExample: curfew-server policy publish policy.yaml --author ana')
    .action(async (file: string, options: Options, command: Command) => {
      const yaml = readPolicy(file);
      const author = String(options['author']);
      const outcome = await withStore(settingsOf(command), (store, keys) =>
        publish({ store, keys, catalogue: builtInCatalogue(), now: Date.now() }, { yaml, author }),
      );
      if (outcome.kind === 'invalid') {
        tellProblems(file, outcome.problems);
        setExitCode(1);
        return;
      }
      tellProblems(file, outcome.warnings);
      const { kind, sequence } = outcome;
      print(JSON.stringify({ event: kind, sequence, policy: outcome.policy }));
    });
}

function addUserCommand(program: Command): void {
  const user = program.command('user').description('people of the console').exitOverride();
  withSettings(user.command('link').description('a sign-in link, good once for 15 minutes'), [
    'data',
    'host',
    'port',
    'public-url',
  ])
    .option('--user <name>', 'whose', 'admin')
    .addHelpText('after', '\nExample: curfew-server user link --user ana')
    .action(async (options: Options, command: Command) => {
      const settings = settingsOf(command);
      const user = String(options['user']);
      const secret = await withStore(settings, (store) =>
        makeSignInLink(store, { user, role: 'admin', now: Date.now() }),
      );
      print(signInUrl(settings.publicUrl ?? `http://${settings.host}:${settings.port}`, secret));
    });
}

function addDeviceCommands(program: Command): void {
  const device = program.command('device').description('enrolled devices').exitOverride();
  withSettings(device.command('list').description('devices by host name'), ['data', 'stale-days'])
    .option('--json', 'a line of JSON for each')
    .addHelpText('after', '\nExample: curfew-server device list --json')
    .action(async (options: Options, command: Command) => {
      const settings = settingsOf(command);
      await withStore(settings, (store) =>
        listDevices(store, { staleDays: settings.staleDays, isJson: options['json'] === true }),
      );
    });
  withSettings(device.command('revoke <id>').description('let a device in no more'), ['data'])
    .addHelpText('after', '\nExample: curfew-server device revoke 1b4e28ba-2fa1-11d2-883f')
    .action(async (id: string, _options: Options, command: Command) => {
      await withStore(settingsOf(command), (store) =>
        revokeDevice(store, { id, actor: 'cli', now: Date.now() }),
      );
      print(`${id} is revoked`);
    });
}

async function listDevices(
  store: Store,
  { staleDays, isJson }: { readonly staleDays: number; readonly isJson: boolean },
): Promise<void> {
  const table = new Table({
    head: ['id', 'host', 'group', 'state', 'findings'],
    style: { head: [], border: [] },
  });
  const staleBefore = Date.now() - staleDays * dayMs;
  let after: readonly string[] | null = null;
  do {
    const page = await store.read.devices.list(
      { state: null, search: null },
      { limit: 200, after },
      staleBefore,
    );
    for (const { device, state, findings, lastKnown } of page.rows) {
      const { id, facts, group } = device;
      const row = { id, hostName: facts.hostName, group, state, lastKnown, findings };
      if (isJson) print(JSON.stringify(row));
      else table.push([id, facts.hostName, group ?? '', state, findings]);
    }
    after = page.next;
  } while (after !== null);
  if (!isJson) print(table.toString());
}
