/**
 * `policy schema`: the JSON Schema of a policy, or of the cases beside one, for editors and validators,
 * on stdout.
 */
import type { Command } from 'commander';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { schemaWithNames } from '../../policies/json-schema.js';
import { casesJsonSchema } from '../../policies/test-cases.js';
import { print, type Options } from '../command-line.js';

export function addSchemaCommand(policy: Command): void {
  policy
    .command('schema')
    .description('print the JSON Schema of a policy, for completion in editors')
    .option('--cases', 'of the cases of `policy test` instead')
    .addHelpText('after', '\nExample: curfew-server policy schema > curfew-policy.schema.json')
    .action((options: Options) => {
      const isOfCases = options['cases'] === true;
      const schema = isOfCases ? casesJsonSchema() : schemaWithNames(builtInCatalogue());
      print(JSON.stringify(schema, null, 2));
    });
}
