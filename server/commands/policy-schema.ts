/**
 * `policy schema`: the JSON Schema of a policy, for editors and validators, on stdout.
 */
import type { Command } from 'commander';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { schemaWithNames } from '../../policies/json-schema.js';
import { print } from '../command-line.js';

export function addSchemaCommand(policy: Command): void {
  policy
    .command('schema')
    .description('print the JSON Schema of a policy, for completion in editors')
    .addHelpText('after', '\nExample: curfew-server policy schema > curfew-policy.schema.json')
    .action(() => print(JSON.stringify(schemaWithNames(builtInCatalogue()), null, 2)));
}
