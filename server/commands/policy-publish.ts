/**
 * `policy publish`: signs a policy and makes it live; agents hear of it from the serving process.
 */
import type { Command } from 'commander';
import { builtInCatalogue } from '../../policies/catalogue.js';
import {
  print,
  readPolicy,
  settingsOf,
  tellProblems,
  withSettings,
  withStore,
  type Options,
  type SetExitCode,
} from '../command-line.js';
import { publish } from '../publish.js';

export function addPublishCommand(policy: Command, setExitCode: SetExitCode): void {
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
