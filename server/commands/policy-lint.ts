/**
 * `policy lint`: everything wrong or doubtful in a policy file, with line and column; nothing is changed.
 */
import type { Command } from 'commander';
import { builtInCatalogue } from '../../policies/catalogue.js';
import { parsePolicy } from '../../policies/document.js';
import { print, readPolicy, tellProblems, type SetExitCode } from '../command-line.js';

export function addLintCommand(policy: Command, setExitCode: SetExitCode): void {
  policy
    .command('lint <file>')
    .description('check a policy; 1 when it would be refused')
    .addHelpText('after', '\nExample: curfew-server policy lint policy.yaml')
    .action((file: string) => {
      const parsed = parsePolicy(readPolicy(file), { catalogue: builtInCatalogue() });
      tellProblems(file, parsed.kind === 'invalid' ? parsed.problems : parsed.warnings);
      if (parsed.kind === 'invalid') setExitCode(1);
      else print(`${file}: ${parsed.policy.policy} is valid`);
    });
}
