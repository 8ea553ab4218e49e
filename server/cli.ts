/**
 * The commands of `curfew-server`. Results go to stdout, all else to stderr; an expected error is a
 * sentence with its fix and exit code 2. Commands beside `serve` work on the store directly, so they
 * work while the server runs; it notices by itself.
 */
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { CurfewError } from '../wire/errors.js';
import {
  databaseFile,
  dayMs,
  print,
  say,
  settingsOf,
  textOf,
  wholeNumber,
  withSettings,
  withStore,
  type Options,
  type SetExitCode,
} from './command-line.js';
import { addDeviceCommands } from './commands/device.js';
import { addExceptionCommands } from './commands/exception.js';
import { addInitCommand } from './commands/init.js';
import { addKeyCommands } from './commands/key.js';
import { addPolicyCommands } from './commands/policy.js';
import { makeEnrolToken } from './enrol.js';
import { makeSignInLink, signInUrl } from './people.js';
import { serve } from './serve.js';
import { prepareFolder } from './settings.js';
import { openSqliteStore } from './store/sqlite.js';

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
    say(
      diskWords(error) ?? (error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
    return 2;
  }
}

/** What the disk or the database could not do, as a sentence; null for anything else. */
function diskWords(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  const code = String(error.code);
  const doing = error.message.replace(/^[A-Z]+: /, '');
  if (/^(ENOSPC|EDQUOT|SQLITE_FULL)/.test(code)) {
    return `the disk is full: ${doing}\n  Nothing is half done; make room and run it again.`;
  }
  if (/^(EROFS|EACCES|EPERM|SQLITE_READONLY|SQLITE_CANTOPEN)/.test(code)) {
    return `no right to write there: ${doing}\n  Give this account the right, or choose another place.`;
  }
  if (/^(ENOENT|ENOTDIR|EISDIR)$/.test(code)) {
    return `nothing can be written or read there: ${doing}\n  Give a path whose folder exists.`;
  }
  if (/^(EIO|SQLITE_IOERR)/.test(code))
    return `the disk fails: ${doing}\n  Look at the disk first.`;
  return code.startsWith('SQLITE_BUSY')
    ? 'another command works on this data folder\n  Wait for it to end and run this again.'
    : null;
}

function makeProgram(setExitCode: SetExitCode): Command {
  const program = new Command('curfew-server')
    .description('Gets a company off an AI tool by a date: the server.')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });
  addServerCommands(program);
  addTokenCommand(program);
  addPolicyCommands(program, setExitCode);
  addKeyCommands(program);
  addUserCommand(program);
  addDeviceCommands(program);
  addExceptionCommands(program);
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
  addInitCommand(program);
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
