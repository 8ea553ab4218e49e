/**
 * `curfew-server device`: enrolled devices, and what is set for one of them or for all: group, people,
 * pause, message, a scan. Devices that are connected hear of it within a second, others when they come.
 */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { CurfewError } from '../../wire/errors.js';
import {
  dayMs,
  print,
  say,
  settingsOf,
  textOf,
  withSettings,
  withStore,
  type Options,
} from '../command-line.js';
import { revokeDevice } from '../enrol.js';
import type { Store } from '../store/index.js';
import { changeTerms, type TermsChange, type TermsOutcome } from '../terms.js';

export function addDeviceCommands(program: Command): void {
  const device = program.command('device').description('enrolled devices').exitOverride();
  addListCommand(device);
  withSettings(device.command('revoke <id>').description('let a device in no more'), ['data'])
    .addHelpText('after', '\nExample: curfew-server device revoke 1b4e28ba-2fa1-11d2-883f')
    .action(async (id: string, _options: Options, command: Command) => {
      await withStore(settingsOf(command), (store) =>
        revokeDevice(store, { id, actor: 'cli', now: Date.now() }),
      );
      print(`${id} is revoked`);
    });
  addSetCommand(device);
  addPauseCommands(device);
  addGraceCommand(device);
  addMessageCommand(device);
  addRescanCommand(device);
  for (const verb of device.commands) verb.exitOverride();
}

function addListCommand(device: Command): void {
  withSettings(device.command('list').description('devices by host name'), ['data', 'stale-days'])
    .option('--json', 'a line of JSON for each')
    .addHelpText('after', '\nExample: curfew-server device list --json')
    .action(async (options: Options, command: Command) => {
      const settings = settingsOf(command);
      await withStore(settings, (store) =>
        listDevices(store, { staleDays: settings.staleDays, isJson: options['json'] === true }),
      );
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

/** The flags of every command that changes something for devices. */
function changing(command: Command): Command {
  return withSettings(command, ['data'])
    .option('--author <name>', 'who does it, for the audit log', 'cli')
    .option('--dry-run', 'say what would change and change nothing')
    .option('--json', 'a line of JSON');
}

function addSetCommand(device: Command): void {
  changing(device.command('set <id>').description('the group and the people of a device'))
    .option('--group <name>', 'the group that it belongs to')
    .option('--no-group', 'it belongs to none')
    .option('--account <name>', 'an account on it, with --person')
    .option('--person <name>', 'who that is; empty: nobody known')
    .addHelpText('after', '\nExample: curfew-server device set 1b4e28ba-2fa1-11d2-883f --group lab')
    .action(async (id: string, options: Options, command: Command) => {
      const { group, account, person } = options;
      if ((account === undefined) !== (person === undefined)) {
        throw new CurfewError('USAGE', '--account and --person go together');
      }
      const who = textOf(person);
      const change: TermsChange = {
        ...(group !== undefined && group !== true && { group: textOf(group) }),
        ...(account !== undefined && {
          person: { account: String(account), person: who === '' ? null : who },
        }),
      };
      if (Object.keys(change).length === 0) {
        throw new CurfewError('USAGE', 'nothing to set', {
          hint: 'Give --group NAME, --no-group, or --account NAME with --person NAME.',
        });
      }
      await carryOut(id, change, command);
    });
}

function addPauseCommands(device: Command): void {
  const pause = changing(device.command('pause [id]'))
    .description('stop all acting and prompting on a device, or on all')
    .option('--all', 'all devices')
    .option('--until <date>', 'a day (with --zone) or an instant at which it ends by itself')
    .option('--zone <zone>', 'where the day begins, such as Asia/Shanghai')
    .addHelpText(
      'after',
      '\nExample: curfew-server device pause --all --until 2027-01-04T09:00:00+08:00',
    );
  pause.action(async (id: string | undefined, options: Options, command: Command) => {
    const until = textOf(options['until']);
    const zone = textOf(options['zone']);
    await carryOut(targetOf(id, options), { pause: { until, zone } }, command);
  });
  changing(device.command('resume [id]'))
    .description('end a pause')
    .option('--all', 'the pause of all devices; single ones keep theirs')
    .addHelpText('after', '\nExample: curfew-server device resume --all')
    .action(async (id: string | undefined, options: Options, command: Command) => {
      await carryOut(targetOf(id, options), { pause: null }, command);
    });
}

function addGraceCommand(device: Command): void {
  changing(device.command('grace [id]'))
    .description('let nothing be in force on a device, or on all, before a date')
    .option('--all', 'all devices')
    .option('--until <date>', 'a day (with --zone) or an instant')
    .option('--zone <zone>', 'where the day begins, such as Asia/Shanghai')
    .option('--end', 'the dates of the policy hold again')
    .addHelpText(
      'after',
      '\nExample: curfew-server device grace --all --until 2027-01-04T09:00:00+08:00',
    )
    .action(async (id: string | undefined, options: Options, command: Command) => {
      const until = textOf(options['until']);
      const isEnd = options['end'] === true;
      if (isEnd === (until !== null)) {
        throw new CurfewError('USAGE', 'give either --until or --end', {
          hint: 'For example --until 2027-01-04 --zone Asia/Shanghai.',
        });
      }
      const grace = until === null ? null : { until, zone: textOf(options['zone']) };
      await carryOut(targetOf(id, options), { grace }, command);
    });
}

function addMessageCommand(device: Command): void {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    value,
  ];
  changing(device.command('message [id]'))
    .description('a text that the people of a device, or of all, are shown')
    .option('--all', 'all devices')
    .option('--text <language=text>', 'the text in a language; once for each', collect)
    .option('--clear', 'take it back')
    .addHelpText(
      'after',
      "\nExample: curfew-server device message --all --text en='Ask the service desk.' --text zh-CN='请联系服务台。'",
    )
    .action(async (id: string | undefined, options: Options, command: Command) => {
      const texts = (options['text'] ?? []) as unknown as readonly string[];
      const isCleared = options['clear'] === true;
      if (isCleared === texts.length > 0) {
        throw new CurfewError('USAGE', 'give either --text or --clear', {
          hint: "For example --text en='Ask the service desk.'",
        });
      }
      const message = isCleared ? null : Object.fromEntries(texts.map(languageAndText));
      await carryOut(targetOf(id, options), { message }, command);
    });
}

function languageAndText(text: string): readonly [string, string] {
  const [, language, rest] = /^([A-Za-z0-9-]+)=(.+)$/s.exec(text) ?? [];
  if (language !== undefined && rest !== undefined) return [language, rest.trim()];
  throw new CurfewError('USAGE', `--text ${text}: expected a language, = and the text`, {
    hint: "For example --text en='Ask the service desk.'",
  });
}

function addRescanCommand(device: Command): void {
  changing(device.command('rescan [id]'))
    .description(
      'have a device, or all, scan in full; again no sooner than ten minutes after a scan',
    )
    .option('--all', 'all devices')
    .addHelpText('after', '\nExample: curfew-server device rescan 1b4e28ba-2fa1-11d2-883f')
    .action(async (id: string | undefined, options: Options, command: Command) => {
      await carryOut(targetOf(id, options), { rescan: true }, command);
    });
}

/** Null: all devices. */
function targetOf(id: string | undefined, options: Options): string | null {
  const isAll = options['all'] === true;
  if (isAll === (id !== undefined)) {
    throw new CurfewError('USAGE', 'name one device or give --all', {
      hint: 'Devices are listed by `curfew-server device list`.',
    });
  }
  return id ?? null;
}

async function carryOut(
  device: string | null,
  change: TermsChange,
  command: Command,
): Promise<void> {
  const options = command.opts() as Options;
  const isDryRun = options['dryRun'] === true;
  const actor = String(options['author']);
  const outcome = await withStore(settingsOf(command), (store) =>
    changeTerms(store, { device, actor, now: Date.now(), isDryRun, change }),
  );
  if (isDryRun) say('nothing is changed: a dry run');
  print(options['json'] === true ? JSON.stringify(recordOf(outcome, isDryRun)) : words(outcome));
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

function recordOf({ device, isChanged, group, terms, persons }: TermsOutcome, isDryRun: boolean) {
  const { isPaused, pauseUntil, graceUntil, message, rescanAfter } = terms;
  return {
    event: isDryRun ? 'would-set' : isChanged ? 'set' : 'same',
    device,
    ...(device !== null && { group, persons }),
    pause: isPaused ? { until: iso(pauseUntil) } : null,
    graceUntil: iso(graceUntil),
    message,
    rescanAfter: iso(rescanAfter),
  };
}

function words({ device, isChanged, group, terms, persons }: TermsOutcome): string {
  const { isPaused, pauseUntil, graceUntil, message } = terms;
  const pause = isPaused ? `paused until ${iso(pauseUntil) ?? 'it is resumed'}` : 'not paused';
  const parts = [
    ...(device === null ? [] : [`group ${group ?? 'none'}`]),
    ...persons.map(({ account, person }) => `account ${account} is ${person}`),
    pause,
    ...(graceUntil === null ? [] : [`grace until ${iso(graceUntil) ?? ''}`]),
    message === null ? 'no message' : `message in ${Object.keys(message).join(', ')}`,
  ];
  return `${device ?? 'all devices'}: ${parts.join('; ')}${isChanged ? '' : ' (as before)'}`;
}
