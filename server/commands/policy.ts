/**
 * `curfew-server policy`: the verbs about policies, a file each.
 */
import type { Command } from 'commander';
import type { SetExitCode } from '../command-line.js';
import { addApplyCommand } from './policy-apply.js';
import { addCompileCommand } from './policy-compile.js';
import { addLintCommand } from './policy-lint.js';
import { addPlanCommand } from './policy-plan.js';
import { addPublishCommand } from './policy-publish.js';
import { addRollbackCommand } from './policy-rollback.js';
import { addSignCommand } from './policy-sign.js';
import { addSchemaCommand } from './policy-schema.js';
import { addTestCommand } from './policy-test.js';

export function addPolicyCommands(program: Command, setExitCode: SetExitCode): void {
  const policy = program.command('policy').description('policies').exitOverride();
  addLintCommand(policy, setExitCode);
  addPlanCommand(policy, setExitCode);
  addPublishCommand(policy, setExitCode);
  addSignCommand(policy, setExitCode);
  addRollbackCommand(policy);
  addApplyCommand(policy, setExitCode);
  addTestCommand(policy, setExitCode);
  addCompileCommand(policy, setExitCode);
  addSchemaCommand(policy);
  for (const verb of policy.commands) verb.exitOverride();
}
