/**
 * `policy apply`: makes a folder of policies live, as a pipeline does after a merge: lint, the cases beside
 * them, plan, publish. What is live already changes nothing, however often it runs. Policies that are
 * live and not in the folder stay unless --prune says that they go.
 */
import { globSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { Catalogue } from '../../policies/catalogue.js';
import { lintPolicy } from '../../policies/lint-advice.js';
import { CurfewError } from '../../wire/errors.js';
import type { Publisher } from '../bundles.js';
import {
  print,
  readPolicy,
  tellProblems,
  textOf,
  withPublisher,
  withSettings,
  type Options,
  type SetExitCode,
} from '../command-line.js';
import { planText } from '../plan-text.js';
import { makePlan } from '../planning.js';
import type { PolicyChange } from '../policy-change.js';
import { preparePublish, publish } from '../publish.js';
import { tellPrepared } from './key.js';
import { planWords, recordOf, unplannedError } from './policy-publish.js';
import { caseEnding, readable, testFile } from './policy-test.js';

const help = `
Priority is the order of the files' paths: 10-first.yaml before 20-second.yaml. NAME.test.yaml holds the cases of NAME.yaml.
Exit code: 0 live, or was already; 1 a policy has errors or a case failed, and nothing was published; 2 usage.
Example: curfew-server policy apply policies/ --author ci --dry-run`;

export function addApplyCommand(policy: Command, setExitCode: SetExitCode): void {
  withSettings(
    policy.command('apply <folder>').description('make a folder of policies live, for GitOps'),
    ['data'],
  )
    .option('--prune', 'live policies that the folder does not have go')
    .option('--prepare <file>', 'with the policy key elsewhere: write what is to be signed')
    .option('--json', 'a line of JSON for each file, case and result')
    .option('--author <name>', 'who publishes', 'cli')
    .option('--dry-run', 'lint, test and plan, and publish nothing')
    .addHelpText('after', help)
    .action(async (folder: string, options: Options, command: Command) => {
      const files = filesOf(folder);
      await withPublisher(command, async (publisher) => {
        const isFine = await apply(publisher, files, options);
        if (!isFine) setExitCode(1);
      });
    });
}

interface Folder {
  /** In the order of their paths. */
  readonly policies: readonly string[];
  readonly cases: readonly string[];
}

/** The YAML files of a folder and those below it, hidden ones left out. Errors: USAGE. */
function filesOf(folder: string): Folder {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CurfewError('USAGE', `${folder} is no folder`);
  }
  const isHidden = (file: string): boolean =>
    file.split(path.sep).some((one) => one.startsWith('.') || one === 'node_modules');
  const files = globSync('**/*.{yaml,yml}', {
    cwd: folder,
    exclude: (name) => name === 'node_modules',
  })
    .filter((file) => !isHidden(file))
    .sort()
    .map((file) => path.join(folder, file));
  const cases = files.filter((file) => caseEnding.test(file));
  const policies = files.filter((file) => !caseEnding.test(file));
  if (policies.length > 0) return { policies, cases };
  throw new CurfewError('USAGE', `${folder} holds no policy`, {
    hint: 'An empty folder takes nothing away; use `policy publish --remove POLICY` for that.',
  });
}

/** False when something in the folder is wrong. */
async function apply(
  publisher: Publisher,
  { policies: files, cases }: Folder,
  options: Options,
): Promise<boolean> {
  const isJson = options['json'] === true;
  const { store, catalogue } = publisher;
  const ids = files.map((file) => lint(file, catalogue, isJson));
  const isValid = !ids.includes(null);
  // Every file is looked at before the first fault ends it.
  const held = isValid ? cases.map((file) => casesHold(file, catalogue, isJson)) : [];
  if (!isValid || held.includes(false)) {
    tellResult({ event: 'refused' }, isJson);
    return false;
  }
  const order = ids.flatMap((id) => (id === null ? [] : [id]));
  const live = await store.read.policies.latest();
  const others = (live?.policies ?? [])
    .map(({ policy }) => policy)
    .filter((id) => !order.includes(id));
  const isPruning = options['prune'] === true;
  for (const policy of isPruning ? [] : others) {
    if (isJson) print(JSON.stringify({ record: 'unmanaged', policy }));
  }
  const texts = files.map((file) => readPolicy(file));
  const change = { texts, remove: isPruning ? others : [], order };
  await publishChange(publisher, { change, files, options });
  return true;
}

/** The policy's id, or null when it has errors. */
function lint(file: string, catalogue: Catalogue, isJson: boolean): string | null {
  const { policy: parsed, problems } = lintPolicy(readPolicy(file), { catalogue, now: Date.now() });
  tellProblems(file, problems);
  const isWrong = problems.some(({ severity }) => severity === 'error');
  const policy = isWrong ? null : (parsed?.policy ?? null);
  if (isJson) print(JSON.stringify({ record: 'file', file, policy, problems }));
  return policy;
}

/** Whether the cases of a file come out as expected. */
function casesHold(file: string, catalogue: Catalogue, isJson: boolean): boolean {
  const { runs } = readable(file, () => testFile(file, catalogue, isJson));
  return runs?.every(({ isPassed }) => isPassed) ?? false;
}

interface Applied {
  readonly change: PolicyChange;
  readonly files: readonly string[];
  readonly options: Options;
}

async function publishChange(
  publisher: Publisher,
  { change, files, options }: Applied,
): Promise<void> {
  const { store, catalogue } = publisher;
  const isJson = options['json'] === true;
  const author = String(options['author']);
  const tried = await publish(publisher, { change, author, isDryRun: true });
  if (tried.kind === 'unplanned') {
    const planner = { store, catalogue, now: publisher.now };
    const planned = await makePlan(planner, { change, at: [], author });
    if (planned.kind === 'plan' && isJson)
      print(JSON.stringify({ record: 'plan', ...planned.plan }));
    else if (planned.kind === 'plan') process.stderr.write(`${planText(planned.plan, 'en')}\n`);
  }
  const prepare = textOf(options['prepare']);
  const isDryRun = options['dryRun'] === true;
  const outcome =
    prepare === null || isDryRun
      ? await publish(publisher, { change, author, isDryRun })
      : await preparePublish(publisher, { change, author });
  if (outcome.kind === 'invalid')
    throw new CurfewError('POLICY_INVALID', 'a policy changed meanwhile');
  if (outcome.kind === 'unplanned') throw unplannedError(outcome, planWords(files, options));
  if (outcome.kind === 'prepared' && prepare !== null) tellPrepared(prepare, outcome.request);
  tellResult(recordOf(outcome), isJson);
}

function tellResult(result: object, isJson: boolean): void {
  if (isJson) {
    print(JSON.stringify({ record: 'result', ...result }));
    return;
  }
  const {
    event,
    sequence,
    changed = [],
    removed = [],
  } = result as {
    event: string;
    sequence?: number;
    changed?: readonly string[];
    removed?: readonly string[];
  };
  const parts = [
    sequence === undefined ? event : `${event}: sequence ${sequence}`,
    ...changed.map((id) => `changed ${id}`),
    ...removed.map((id) => `removed ${id}`),
  ];
  print(parts.join('; '));
}
