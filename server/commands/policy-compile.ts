/**
 * `policy compile`: a policy in the languages of other enforcers, as files in a folder, with what each
 * cannot say. It deploys nothing and changes no policy. Exit code 3: something could not be said.
 */
import path from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { builtInCatalogue, type Catalogue } from '../../policies/catalogue.js';
import { targets, type Compiled, type Target } from '../../policies/compile/index.js';
import { checkDate, isZone, resolveDate } from '../../policies/dates.js';
import { lintPolicy } from '../../policies/lint-advice.js';
import { parsePolicy, type Policy } from '../../policies/document.js';
import { CurfewError } from '../../wire/errors.js';
import {
  listOf,
  print,
  readPolicy,
  say,
  settingsOf,
  tellProblems,
  textOf,
  withSettings,
  withStore,
  type Options,
  type SetExitCode,
} from '../command-line.js';
import { sha256Of, writeCompiled, type FileStatus } from '../compiled-folder.js';

const help = `
Without --enforce, products that can watch before they block are told to watch.
Exit code: 0 all of the policy is said; 1 the policy would be refused; 2 usage; 3 something cannot be said.
Example: curfew-server policy compile policy.yaml --target santa --at 2026-07-10 --out compiled`;

export function addCompileCommand(policy: Command, setExitCode: SetExitCode): void {
  withSettings(
    policy
      .command('compile [file]')
      .description('a policy as files for other enforcers, and what they cannot say'),
    ['data'],
  )
    .option('--target <ids>', 'for which: an id, several as a,b, or all')
    .option('--list', 'list the targets')
    .option('--live', 'the policy that is live on this server, instead of a file')
    .option('--policy <id>', 'which of the live policies')
    .option('--at <time>', 'denials in force at this day or instant (default: now)')
    .option('--zone <name>', 'where device-local dates are taken', 'UTC')
    .option('--allow-list', 'allow only what the policy approves or allows, where a target can')
    .option('--enforce', 'block at once')
    .option('--out <folder>', 'where the files go', 'compiled')
    .option('--dry-run', 'say what would be written')
    .option('--json', 'a line of JSON for each target')
    .addHelpText('after', help)
    .action(async (file: string | undefined, options: Options, command: Command) => {
      if (options['list'] === true) return listTargets(options['json'] === true);
      const chosen = chosenTargets(textOf(options['target']), options['allowList'] === true);
      const catalogue = builtInCatalogue();
      const subject = await subjectOf(file, command, catalogue);
      if (subject === null) return setExitCode(1);
      setExitCode(compileAll(subject, chosen, catalogue, options) ? 0 : 3);
    });
}

function listTargets(isJson: boolean): void {
  const table = new Table({
    head: ['id', 'product', 'allow-list'],
    style: { head: [], border: [] },
  });
  for (const { id, title, canAllowList } of targets) {
    if (isJson) print(JSON.stringify({ id, title, canAllowList }));
    else table.push([id, title, canAllowList ? 'yes' : 'no']);
  }
  if (!isJson) print(table.toString());
}

/** Errors: USAGE. */
function chosenTargets(given: string | null, isAllowList: boolean): readonly Target[] {
  const ids = listOf(given ?? undefined);
  const known = targets.map(({ id }) => id).join(', ');
  if (ids.length === 0) {
    throw new CurfewError('USAGE', 'no target is given', {
      hint: `Give --target all, or ${known}.`,
    });
  }
  if (ids.includes('all')) return targets;
  return [...new Set(ids)].map((id) => {
    const target = targets.find((one) => one.id === id);
    if (target === undefined) {
      throw new CurfewError('USAGE', `there is no target ${id}`, { hint: `There are ${known}.` });
    }
    if (isAllowList && !target.canAllowList) {
      throw new CurfewError('USAGE', `${id} cannot be asked for an allow-list`, {
        hint: 'Leave out --allow-list; policy compile --list says which targets can.',
      });
    }
    return target;
  });
}

interface Subject {
  /** Where the text came from, for messages. */
  readonly name: string;
  readonly policy: Policy;
}

/** The policy to compile; null when it would be refused, which has been told. Errors: USAGE. */
async function subjectOf(
  file: string | undefined,
  command: Command,
  catalogue: Catalogue,
): Promise<Subject | null> {
  const options: Options = command.opts();
  if ((file === undefined) !== (options['live'] === true)) {
    throw new CurfewError('USAGE', 'give either a policy file or --live');
  }
  if (file !== undefined) return lintedFile(file, catalogue);
  const { name, yaml } = await livePolicy(command, textOf(options['policy']));
  const parsed = parsePolicy(yaml, { catalogue });
  tellProblems(name, parsed.kind === 'invalid' ? parsed.problems : parsed.warnings);
  return parsed.kind === 'invalid' ? null : { name, policy: parsed.policy };
}

/** What planning would refuse is not compiled either. */
function lintedFile(file: string, catalogue: Catalogue): Subject | null {
  const { policy, problems } = lintPolicy(readPolicy(file), { catalogue, now: Date.now() });
  tellProblems(file, problems);
  const isWrong = problems.some(({ severity }) => severity === 'error');
  return policy === null || isWrong ? null : { name: file, policy };
}

async function livePolicy(
  command: Command,
  id: string | null,
): Promise<{ readonly name: string; readonly yaml: string }> {
  const live = await withStore(settingsOf(command), (store) => store.read.policies.latest());
  const policies = live?.policies ?? [];
  const [only] = policies;
  const found =
    id === null && policies.length === 1 ? only : policies.find((one) => one.policy === id);
  if (found !== undefined) return { name: found.policy, yaml: found.yaml };
  const ids = policies.map(({ policy }) => policy).join(', ');
  const hint =
    policies.length === 0 ? 'Publish one first.' : `Live are ${ids}: give one with --policy.`;
  const what = id === null ? 'there is not one live policy' : `no policy ${id} is live`;
  throw new CurfewError('USAGE', what, { hint });
}

/** Errors: USAGE. A day begins where the policy's days do. */
function instantOf(given: string | null, policy: Policy, zone: string): number {
  if (given === null) return Date.now();
  const checked = checkDate(given);
  if (checked.kind === 'invalid') throw new CurfewError('USAGE', `--at: ${checked.message}`);
  return resolveDate(given, policy.timezone ?? 'utc', zone);
}

/** Whether everything could be said. Errors: USAGE, FOLDER_NOT_WRITABLE. */
function compileAll(
  { policy }: Subject,
  chosen: readonly Target[],
  catalogue: Catalogue,
  options: Options,
): boolean {
  const zone = textOf(options['zone']) ?? 'UTC';
  if (zone === 'device-local' || !isZone(zone)) {
    throw new CurfewError(
      'USAGE',
      `--zone is "${zone}"; expected an IANA zone such as Asia/Shanghai`,
    );
  }
  const at = instantOf(textOf(options['at']), policy, zone);
  const isEnforced = options['enforce'] === true;
  const made = chosen.map((target) => {
    const isAllowList = options['allowList'] === true && target.canAllowList;
    const input = { policy, catalogue, at, zone, isAllowList, isEnforced };
    return { target, compiled: target.compile(input), isAllowList };
  });
  const folder = path.resolve(textOf(options['out']) ?? 'compiled');
  const files = made.flatMap(({ compiled }) => compiled.files);
  const tops = new Set(made.map(({ target }) => target.id));
  for (const { name } of files) tops.add(name.split('/')[0] ?? '');
  const statuses = writeCompiled(folder, files, { tops, isDryRun: options['dryRun'] === true });
  for (const { target, compiled, isAllowList } of made) {
    if (options['json'] !== true) continue;
    const entries = compiled.files.map(({ name, text, purpose }) => ({
      ...{ name, purpose, bytes: Buffer.byteLength(text), sha256: sha256Of(text) },
      status: statuses.get(name),
    }));
    const { notExpressible, warnings } = compiled;
    print(
      JSON.stringify({
        ...{ target: target.id, policy: policy.policy, at: new Date(at).toISOString() },
        ...{ isAllowList, isEnforced, files: entries, notExpressible, warnings },
      }),
    );
  }
  if (options['json'] !== true) printFiles(made, statuses);
  tellLimits(made, policy, zone);
  if (options['dryRun'] === true) say(`nothing was written: ${folder} would change as listed`);
  return made.every(({ compiled }) => compiled.notExpressible.length === 0);
}

interface Made {
  readonly target: Target;
  readonly compiled: Compiled;
}

/** Wide enough for a file name, narrow enough for a terminal. */
const table = (head: readonly string[]): Table.Table =>
  new Table({ head: [...head], style: { head: [], border: [] }, wordWrap: true });

function printFiles(made: readonly Made[], statuses: ReadonlyMap<string, FileStatus>): void {
  const files = table(['file', 'status', 'for']);
  const named = new Set<string>();
  for (const { compiled } of made) {
    for (const { name, purpose } of compiled.files) {
      named.add(name);
      files.push([name, statuses.get(name) ?? '', purpose]);
    }
  }
  for (const [name, status] of statuses) if (!named.has(name)) files.push([name, status, '']);
  print(files.toString());
}

/** What no file says, to stderr: also with --json, whose reader may look only at stdout. */
function tellLimits(made: readonly Made[], policy: Policy, zone: string): void {
  const rows = made.flatMap(({ target, compiled }) =>
    compiled.notExpressible.map(({ rule, tool, reason }) => [target.id, rule, tool ?? '', reason]),
  );
  if (rows.length > 0) {
    const limits = table(['target', 'rule', 'tool', 'cannot be said because']);
    limits.push(...rows);
    process.stderr.write(`${limits.toString()}\n`);
  }
  for (const { target, compiled } of made) {
    for (const warning of compiled.warnings) say(`${target.id}: ${warning}`);
  }
  if (policy.timezone === 'device-local') say(`device-local dates are taken in ${zone}`);
  say('exceptions, grace and pauses of single devices are not in these files');
}
