/**
 * `policy publish`: makes policies live that were planned, or a file that was signed elsewhere; agents
 * hear of it from the serving process. Without a plan of this very content nothing is published.
 */
import type { Command } from 'commander';
import { checkDate } from '../../policies/dates.js';
import { CurfewError } from '../../wire/errors.js';
import {
  listOf,
  print,
  readPolicy,
  readSignFile,
  tellProblems,
  textOf,
  withPublisher,
  withSettings,
  type Options,
  type SetExitCode,
} from '../command-line.js';
import {
  preparePublish,
  publish,
  type Outcome,
  type Published,
  type PublishRequest,
  type Unplanned,
} from '../publish.js';
import { looksSigned, parseSignedFile } from '../sign-files.js';
import { publishSigned } from '../signed.js';
import { tellPrepared } from './key.js';

const examples = `
Example: curfew-server policy plan policy.yaml && curfew-server policy publish policy.yaml --author ana
  With the policy key elsewhere:
  curfew-server policy publish policy.yaml --prepare to-sign.json
  curfew-server policy publish signed.json`;

export function addPublishCommand(policy: Command, setExitCode: SetExitCode): void {
  withSettings(
    policy
      .command('publish [files...]')
      .description('make planned policies live, or a file that `policy sign` wrote'),
    ['data'],
  )
    .option('--remove <policies>', 'policies that are to go, by id: a,b')
    .option('--order <policies>', 'priority by id, first the highest: a,b; the others follow')
    .option('--reset-floor <instant>', 'set back the trusted time of devices that take it')
    .option('--prepare <file>', 'write what is to be signed elsewhere, and publish nothing')
    .option('--author <name>', 'who publishes', 'cli')
    .option('--dry-run', 'say what would be published')
    .addHelpText('after', examples)
    .action(async (files: string[], options: Options, command: Command) => {
      const [first] = files;
      const isSigned = first !== undefined && looksSigned(first, readSignFile(first));
      if (isSigned) await publishFile(files, options, command);
      else await publishTexts(files, { options, command, setExitCode });
    });
}

async function publishFile(
  files: readonly string[],
  options: Options,
  command: Command,
): Promise<void> {
  const [file = ''] = files;
  const others = ['remove', 'order', 'prepare', 'resetFloor'].filter(
    (name) => options[name] !== undefined,
  );
  if (files.length > 1 || others.length > 0) {
    throw new CurfewError('USAGE', 'a signed file is published alone and as it was signed');
  }
  if (options['dryRun'] === true) {
    throw new CurfewError('USAGE', 'what is signed was shown when it was prepared and signed');
  }
  const signed = parseSignedFile(file, readSignFile(file));
  await withPublisher(command, async (publisher) => {
    const outcome = await publishSigned(publisher, signed, String(options['author']));
    if (outcome.kind === 'unplanned') throw unplannedError(outcome, 'the texts that were prepared');
    const { kind, ...rest } = outcome;
    print(JSON.stringify({ event: kind, ...rest }));
  });
}

interface Call {
  readonly options: Options;
  readonly command: Command;
  readonly setExitCode: SetExitCode;
}

async function publishTexts(
  files: readonly string[],
  { options, command, setExitCode }: Call,
): Promise<void> {
  const request: PublishRequest = {
    change: {
      texts: files.map((file) => readPolicy(file)),
      remove: listOf(options['remove']),
      order: listOf(options['order']),
    },
    author: String(options['author']),
    resetFloor: resetFloorOf(options),
  };
  const { texts, remove, order } = request.change;
  if (texts.length + remove.length + order.length === 0 && request.resetFloor === null) {
    throw new CurfewError('USAGE', 'nothing is named that could be published', {
      hint: 'Give policy files, --remove or --order.',
    });
  }
  await withPublisher(command, async (publisher) => {
    const prepare = textOf(options['prepare']);
    const isDryRun = options['dryRun'] === true;
    const outcome =
      prepare === null
        ? await publish(publisher, { ...request, isDryRun })
        : await preparePublish(publisher, request);
    if (outcome.kind === 'invalid') {
      for (const { index, problems } of outcome.faults) tellProblems(files[index] ?? '', problems);
      setExitCode(1);
      return;
    }
    if (outcome.kind === 'unplanned') throw unplannedError(outcome, planWords(files, options));
    outcome.warnings.forEach((problems, index) => tellProblems(files[index] ?? '', problems));
    if (outcome.kind === 'prepared' && prepare !== null) tellPrepared(prepare, outcome.request);
    else print(JSON.stringify(recordOf(outcome)));
  });
}

/** What a publish prints; `policy` where it was one file's. */
export function recordOf(
  outcome: Exclude<Published, { kind: 'invalid' | 'unplanned' }> | ({ kind: 'prepared' } & Outcome),
): object {
  const { kind: event, sequence, given, changed, removed, policies } = outcome;
  const one = given.length === 1 ? { policy: given[0] } : {};
  return { event, sequence, ...one, changed, removed, policies };
}

function resetFloorOf(options: Options): string | null {
  const text = textOf(options['resetFloor']);
  if (text === null) return null;
  if (checkDate(text).kind !== 'invalid' && text.includes('T')) return new Date(text).toISOString();
  throw new CurfewError('USAGE', `--reset-floor is "${text}"; expected an instant`, {
    hint: 'Write it like 2026-07-10T09:00:00+08:00.',
  });
}

/** The plan that is missing, as a command. */
export function planWords(files: readonly string[], options: Options): string {
  const flags = ['remove', 'order', 'data'].flatMap((name) => {
    const value = textOf(options[name]);
    return value === null ? [] : [`--${name}`, value];
  });
  return ['curfew-server policy plan', ...files, ...flags].map(quoted).join(' ');
}

const quoted = (word: string): string =>
  /^[\w./:,=@ -]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** Errors as values: PLAN_MISSING, PLAN_STALE, with the command that helps. */
export function unplannedError(
  { liveSequence, plannedOver }: Unplanned,
  command: string,
): CurfewError {
  const hint = `Look at what it does first: ${command}`;
  return plannedOver === null
    ? new CurfewError('PLAN_MISSING', 'nobody has planned this very content', { hint })
    : new CurfewError(
        'PLAN_STALE',
        `it was planned over sequence ${plannedOver}, and ${liveSequence} is live now`,
        { hint },
      );
}
