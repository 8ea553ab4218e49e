/**
 * `policy plan`: what publishing policies would do, before it is done: lint, the difference in words, the
 * dates in every zone of the fleet, the impact on the present inventory. Nothing becomes live; the plan is
 * kept, so that `policy publish` knows that somebody has seen it.
 */
import type { Command } from 'commander';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { differenceLanguages } from '../../policies/difference.js';
import { CurfewError } from '../../wire/errors.js';
import {
  listOf,
  print,
  readPolicy,
  say,
  settingsOf,
  withSettings,
  withStore,
  writeResult,
  type SetExitCode,
} from '../command-line.js';
import { planText, type PlanLanguage } from '../plan-text.js';
import { makePlan } from '../planning.js';
import type { PlanAnswer, PlanProblem } from '../plan-views.js';

const help = `
Exit code: 0 planned; 1 a policy has errors; 2 usage.
Example: curfew-server policy plan policy.yaml --at 2026-07-10 --at 2026-08-01T09:00:00+08:00`;

type PlanFlags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
const flag = (flags: PlanFlags, name: string): string | null => {
  const value = flags[name];
  return typeof value === 'string' ? value : null;
};

export function addPlanCommand(policy: Command, setExitCode: SetExitCode): void {
  const collect = (value: string, before: readonly string[]): readonly string[] => [
    ...before,
    value,
  ];
  withSettings(
    policy
      .command('plan [file...]')
      .description('what publishing would do: to policies, people and devices'),
    ['data'],
  )
    .option(
      '--at <time>',
      'also judge the fleet at this day or instant; may be given again',
      collect,
      [],
    )
    .option('--remove <policies>', 'policies that are to go, by id: a,b')
    .option('--order <policies>', 'priority by id, first the highest: a,b; the others follow')
    .option(
      '--language <tag>',
      `in which the difference is told: ${differenceLanguages.join(', ')}`,
      'en',
    )
    .option('--json', 'the plan as JSON, as the REST API answers it')
    .option('--out <file>', 'also write the plan as JSON to a file')
    .option('--author <name>', 'who plans', 'cli')
    .addHelpText('after', help)
    .action(async (files: readonly string[], flags: PlanFlags, command: Command) => {
      const answer = await plan(files, flags, command);
      const json = JSON.stringify(answer);
      const out = flag(flags, 'out');
      if (out !== null) writeResult(out, `${json}\n`);
      if (flags['json'] === true) print(json);
      tell(answer, files, flags);
      if (answer.kind === 'invalid') setExitCode(1);
    });
}

async function plan(files: readonly string[], flags: PlanFlags, command: Command) {
  const remove = listOf(flag(flags, 'remove') ?? undefined);
  const order = listOf(flag(flags, 'order') ?? undefined);
  if (files.length + remove.length + order.length === 0) {
    throw new CurfewError('USAGE', 'nothing is to be planned', {
      hint: 'Give the files that would be published, or --remove or --order.',
    });
  }
  languageOf(flags);
  const change = { texts: files.map(readPolicy), remove, order };
  const at = Array.isArray(flags['at']) ? (flags['at'] as readonly string[]) : [];
  const author = String(flags['author']);
  return withStore(settingsOf(command), (store) =>
    makePlan(
      { store, catalogue: builtInCatalogue(), now: Date.now(), onProgress: progress() },
      { change, at, author },
    ),
  );
}

const quietMs = 1_000;

/** Tells how far a large fleet is, once a second. */
function progress(): (devices: number, total: number) => void {
  let lastMs = performance.now();
  return (devices, total) => {
    if (performance.now() - lastMs < quietMs) return;
    lastMs = performance.now();
    say(`${devices.toLocaleString('en')} of ${total.toLocaleString('en')} devices`);
  };
}

/** Errors: USAGE. */
function languageOf(flags: PlanFlags): PlanLanguage {
  const given = flag(flags, 'language') ?? 'en';
  const found = differenceLanguages.find((tag) => tag.toLowerCase() === given.toLowerCase());
  if (found !== undefined) return found;
  throw new CurfewError(
    'USAGE',
    `--language is "${given}"; there are ${differenceLanguages.join(', ')}`,
  );
}

function tell(answer: PlanAnswer, files: readonly string[], flags: PlanFlags): void {
  tellFaults(answer.kind === 'invalid' ? answer.problems : answer.plan.warnings, files);
  if (answer.kind === 'plan' && flags['json'] !== true)
    print(planText(answer.plan, languageOf(flags)));
}

function tellFaults(problems: readonly PlanProblem[], files: readonly string[]): void {
  for (const { text, severity, line, column, field, message } of problems) {
    const place = `${files[text] ?? ''}:${line}:${column}`;
    process.stderr.write(`${place}: ${severity}: ${field === '' ? '' : `${field}: `}${message}\n`);
  }
}
