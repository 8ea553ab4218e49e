/**
 * `curfew-server exception`: who may keep a tool, why, and until when. Devices that are connected hear of
 * a change within a second, others when they come; an end that has come needs no word.
 */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { CurfewError } from '../../wire/errors.js';
import {
  print,
  say,
  settingsOf,
  textOf,
  withSettings,
  withStore,
  type Options,
} from '../command-line.js';
import {
  addException,
  endException,
  plannedException,
  subjectOf,
  type ExceptionRequest,
} from '../exceptions.js';
import { exceptionRow } from '../exception-views.js';
import type { Store } from '../store/index.js';
import type { StoredException } from '../store/records.js';

export function addExceptionCommands(program: Command): void {
  const exception = program
    .command('exception')
    .description('who may keep a tool for a while')
    .exitOverride();
  addAddCommand(exception);
  addListCommand(exception);
  addEndCommand(exception);
  for (const verb of exception.commands) verb.exitOverride();
}

function addAddCommand(exception: Command): void {
  withSettings(exception.command('add').description('let somebody keep a tool'), ['data'])
    .option('--tool <id>', 'the tool, by its id in the catalogue')
    .option('--person <name>', 'who: as AssignedUser says, or account@device')
    .option('--device <id>', 'or a device')
    .option('--hardware <id>', 'or a machine by its hardware id, enrolled or to come')
    .option('--from <date>', 'when it begins: a day (with --zone) or an instant; default: at once')
    .option('--until <date>', 'the first day or instant at which it no longer holds')
    .option('--zone <zone>', 'where a day begins, such as Asia/Shanghai')
    .option('--reason <text>', 'why; the person can read it')
    .option('--author <name>', 'who grants it', 'cli')
    .option('--dry-run', 'say what would be and change nothing')
    .option('--json', 'a line of JSON')
    .addHelpText(
      'after',
      '\nExample: curfew-server exception add --tool claude-code --hardware 4c4c4544-0042 --until 2027-09-01 --zone Asia/Shanghai --reason "Moves a customer project first" --author ana',
    )
    .action(async (options: Options, command: Command) => {
      const request = requestOf(options);
      const isDryRun = options['dryRun'] === true;
      const { exception, devices } = await withStore(settingsOf(command), (store) => {
        const excepting = { store, catalogue: builtInCatalogue(), now: Date.now() };
        return isDryRun
          ? plannedException(excepting, request)
          : addException(excepting, request, request.author);
      });
      if (isDryRun) say('nothing is changed: a dry run');
      if (devices.length === 0) say('no device that is enrolled now is reached by it');
      const event = isDryRun ? 'would-add' : 'added';
      print(
        options['json'] === true
          ? JSON.stringify({ event, ...exceptionRecord(exception), devices: devices.length })
          : `${event === 'added' ? `${exception.id}: ` : ''}${words(exception)}; devices now: ${devices.length}`,
      );
    });
}

function requestOf(options: Options): ExceptionRequest {
  return {
    tool: needed(options, 'tool'),
    person: textOf(options['person']),
    device: textOf(options['device']),
    hardwareId: textOf(options['hardware']),
    from: textOf(options['from']),
    until: needed(options, 'until'),
    zone: textOf(options['zone']),
    reason: needed(options, 'reason'),
    author: String(options['author']),
  };
}

function needed(options: Options, name: string): string {
  const text = textOf(options[name]);
  if (text !== null) return text;
  throw new CurfewError('USAGE', `--${name} is missing`, {
    hint: 'An exception has a tool, one of person, device and hardware, an end and a reason.',
  });
}

function addListCommand(exception: Command): void {
  withSettings(exception.command('list').description('exceptions, newest first'), ['data'])
    .option('--tool <id>', 'of one tool')
    .option('--past', 'also those that are over or were ended')
    .option('--json', 'a line of JSON for each')
    .addHelpText('after', '\nExample: curfew-server exception list --past --json')
    .action(async (options: Options, command: Command) => {
      await withStore(settingsOf(command), (store) => listExceptions(store, options));
    });
}

async function listExceptions(store: Store, options: Options): Promise<void> {
  const table = new Table({
    head: ['id', 'tool', 'for', 'until', 'author', 'reason'],
    style: { head: [], border: [] },
  });
  const tool = textOf(options['tool']);
  const canonical = tool === null ? null : (builtInCatalogue().tool(tool)?.id ?? tool);
  const now = Date.now();
  const filter = { tool: canonical, withPast: options['past'] === true, at: now };
  let after: readonly string[] | null = null;
  do {
    const page = await store.read.assignments.list(filter, { limit: 200, after });
    for (const one of page.rows) {
      const { id, until, endedAt, author, reason } = one;
      const end = endedAt === null ? iso(until) : `ended ${iso(endedAt)}`;
      if (options['json'] === true) print(JSON.stringify(exceptionRecord(one)));
      else table.push([id, one.tool, subjectOf(one), end, author, reason]);
    }
    after = page.next;
  } while (after !== null);
  if (options['json'] !== true) print(table.toString());
}

function addEndCommand(exception: Command): void {
  withSettings(exception.command('end <id>').description('end an exception now'), ['data'])
    .option('--author <name>', 'who ends it', 'cli')
    .option('--dry-run', 'say what would be and change nothing')
    .option('--json', 'a line of JSON')
    .addHelpText('after', '\nExample: curfew-server exception end 5f1c0a2b9d3e')
    .action(async (id: string, options: Options, command: Command) => {
      const isDryRun = options['dryRun'] === true;
      const actor = String(options['author']);
      const ended = await withStore(settingsOf(command), (store) =>
        endException(store, { id, actor, now: Date.now(), isDryRun }),
      );
      const { exception, devices, isChanged } = ended;
      if (isDryRun) say('nothing is changed: a dry run');
      const event = !isChanged ? 'over-already' : isDryRun ? 'would-end' : 'ended';
      print(
        options['json'] === true
          ? JSON.stringify({ event, ...exceptionRecord(exception), devices: devices.length })
          : `${id}: ${words(exception)}; ${event.replaceAll('-', ' ')}`,
      );
    });
}

const iso = (at: number): string => new Date(at).toISOString();

/** An exception as programs read it, here and from the API. */
const exceptionRecord = (one: StoredException) =>
  exceptionRow(one, { catalogue: builtInCatalogue(), now: Date.now() });

function words(one: StoredException): string {
  const from = one.from === null ? '' : ` from ${iso(one.from)}`;
  return `${one.tool} for ${subjectOf(one)}${from} until ${iso(one.until)}`;
}
