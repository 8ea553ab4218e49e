/**
 * `policy rollback`: makes live again what was live before, under a new and higher sequence; lists what
 * was live and which ways back were signed in advance.
 */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { difference } from '../../policies/difference.js';
import { parsePolicy } from '../../policies/document.js';
import type { Publisher } from '../bundles.js';
import {
  print,
  textOf,
  wholeNumber,
  withPublisher,
  withSettings,
  type Options,
} from '../command-line.js';
import { prepareRollback, rollback } from '../rollback.js';
import type { StoredBundle } from '../store/records.js';
import { tellPrepared } from './key.js';

const mostListed = 50;

export function addRollbackCommand(policy: Command): void {
  withSettings(policy.command('rollback').description('make live again what was live before'), [
    'data',
  ])
    .option(
      '--to <sequence>',
      'what was live under it (default: the content before the present one)',
    )
    .option('--prepare <file>', 'write a way back that is signed elsewhere and kept here')
    .option('--list', 'what was live, newest first, and the ways back that are ready')
    .option('--json', 'with --list: a line of JSON for each')
    .option('--author <name>', 'who goes back', 'cli')
    .option('--dry-run', 'say what would be live')
    .addHelpText('after', '\nExample: curfew-server policy rollback --to 12 --author ana --dry-run')
    .action(async (options: Options, command: Command) => {
      const text = textOf(options['to']);
      const to = text === null ? null : wholeNumber(text, '--to');
      const author = String(options['author']);
      const prepare = textOf(options['prepare']);
      await withPublisher(command, async (publisher) => {
        if (options['list'] === true) return list(publisher, options['json'] === true);
        if (prepare !== null) {
          tellPrepared(prepare, await prepareRollback(publisher, { to, author }));
          return;
        }
        const before = await publisher.store.read.policies.latest();
        const isDryRun = options['dryRun'] === true;
        const { kind, ...rest } = await rollback(publisher, { to, author, isDryRun });
        const after = await publisher.store.read.policies.bundle(rest.to);
        for (const words of changesBetween(before, after)) process.stderr.write(`${words}\n`);
        print(JSON.stringify({ event: kind, ...rest }));
      });
    });
}

/** What changes, in words. */
function changesBetween(before: StoredBundle | null, after: StoredBundle | null): string[] {
  const policiesOf = (bundle: StoredBundle | null) =>
    (bundle?.policies ?? []).flatMap(({ yaml }) => {
      const parsed = parsePolicy(yaml);
      return parsed.kind === 'policy' ? [parsed.policy] : [];
    });
  return difference(policiesOf(before), policiesOf(after)).map(
    ({ policy, rule, words }) => `${policy}${rule === null ? '' : ` ${rule}`}: ${words.en}`,
  );
}

async function list({ store }: Publisher, isJson: boolean): Promise<void> {
  const ready = await store.read.signing.ready();
  const table = new Table({
    head: ['sequence', 'published', 'author', 'policies', 'ways back'],
    style: { head: [], border: [] },
  });
  let bundle = await store.read.policies.latest();
  for (let shown = 0; bundle !== null && shown < mostListed; shown += 1) {
    const { sequence, author } = bundle;
    const publishedAt = new Date(bundle.publishedAt).toISOString();
    const policies = bundle.policies.map(({ policy }) => policy);
    const readyAs = ready.filter((one) => one.ofSequence === sequence).map((one) => one.sequence);
    if (isJson) print(JSON.stringify({ sequence, publishedAt, author, policies, readyAs }));
    else table.push([sequence, publishedAt, author, policies.join(', '), readyAs.join(', ')]);
    bundle = await store.read.policies.bundleBefore(sequence);
  }
  if (!isJson) print(table.toString());
}
