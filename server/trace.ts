/**
 * What is a trace of a tool and no more: something left over, like the folder that an update puts the
 * old version into, of which no rule speaks. The default decides nothing about it, so neither history
 * nor console shows its "allowed" as if somebody had allowed the tool.
 */
import type { ReportedComponent } from '../wire/messages.js';

/** Whether a component is left over and its verdict no rule's. */
export function isTrace({ state, verdict }: Pick<ReportedComponent, 'state' | 'verdict'>): boolean {
  return state === 'residual' && (verdict.rule === null || verdict.rule === 'default');
}
