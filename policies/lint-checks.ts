/**
 * The checks of lint that go beyond a single field, by the names that its JSON carries: stable, each with
 * its severity. An error is what a policy says and cannot mean, or must not say; a warning is what it may
 * mean and rarely does. `docs/admin/policy-lint.md` lists the same names, and a test holds the two equal.
 */
import type { Fault } from './shape.js';
import type { Step } from './source.js';

export const lintChecks = {
  /** The document itself, as devices check it too; its severity is that of the problem. */
  document: 'error',
  'policy-twice': 'error',
  'never-matches': 'error',
  duplicate: 'error',
  covered: 'error',
  shadowed: 'warning',
  compared: 'warning',
  'announce-order': 'error',
  'date-past': 'warning',
  'date-far': 'warning',
  'device-local': 'warning',
  'action-order': 'warning',
  'grace-covers-notice': 'warning',
  'replacement-denied': 'error',
  'replacement-later': 'warning',
  'allow-list-empty': 'warning',
  'allow-list-partial': 'warning',
  'allow-list-siblings': 'warning',
  'language-missing': 'warning',
  'language-wanted': 'error',
  'language-tag': 'warning',
  markdown: 'error',
  'hidden-character': 'error',
  address: 'warning',
  'exception-nobody': 'error',
  'exception-tool': 'error',
  'exception-never': 'error',
  'exception-ended': 'warning',
  'exception-idle': 'warning',
} as const;
export type LintCheck = keyof typeof lintChecks;

/** A fault of one of the checks; `within`: signs in a text value that it is about, and where in it. */
export interface Advice extends Fault {
  readonly check: LintCheck;
  readonly within?: { readonly found: string; readonly offset: number };
}

export const advice = (
  check: LintCheck,
  path: readonly Step[],
  message: string,
  within?: Advice['within'],
): Advice => ({
  check,
  severity: lintChecks[check],
  path,
  message,
  ...(within === undefined ? {} : { within }),
});
