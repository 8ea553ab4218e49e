/**
 * From when a denial is in force on one device, and what is asked for then: the policy's date, or the end
 * of the grace that the rule or the assignment gives; the later, stronger action; and what waits until
 * time is settled. It only ever makes an instant later and an action milder.
 */
import type { Action } from './document.js';
import type { EvaluationInput } from './evaluate.js';
import type { ReadyDenial } from './ready.js';

/** Epoch ms throughout. */
interface Terms {
  readonly effective: number;
  /** When the device was first told, where the rule gives a grace from there. */
  readonly noticed: number | undefined;
  readonly graceUntil: number | undefined;
  readonly escalation: { readonly at: number; readonly action: Action } | null;
}

/** When a denial is in force on a device, and what then. */
export function termsOf(rule: string, denial: ReadyDenial, input: EvaluationInput): Terms {
  const { now, notices, assignedGrace = -Infinity } = input;
  const noticed = denial.hasGrace ? notices?.get(rule) : undefined;
  const own = denial.hasGrace ? denial.graceUntil(noticed ?? now) : undefined;
  const isAssigned = assignedGrace > (own ?? denial.effective);
  const graceUntil = isAssigned ? assignedGrace : own;
  const effective = Math.max(denial.effective, graceUntil ?? -Infinity);
  const isTold = !denial.hasGrace || noticed !== undefined;
  return {
    effective,
    noticed,
    graceUntil,
    // Nobody was told yet, so nobody knows when it will be.
    escalation: isTold ? denial.escalation(effective) : null,
  };
}

/** What the policy asks for at an instant. */
export function actionAt(denial: ReadyDenial, terms: Terms, now: number): Action {
  const { effective, escalation } = terms;
  if (now >= effective) {
    return escalation !== null && now >= escalation.at ? escalation.action : denial.after;
  }
  const isAnnounced = denial.announce === null || now >= denial.announce;
  // In grace no more is asked for than without it: where nothing follows, nobody is told either.
  const isOver = now >= denial.effective && denial.after === 'observe';
  return isAnnounced && !isOver ? denial.before : 'observe';
}

/** The ceiling while it is not settled that an instant has passed: nothing is stopped on a doubt. */
export function certainAction(
  denial: ReadyDenial,
  { effective, escalation }: Terms,
  { now, settledUntil = Infinity }: EvaluationInput,
): Action {
  if (now < effective) return 'remove';
  if (effective > settledUntil) return 'notify';
  const isEscalated = escalation !== null && now >= escalation.at;
  return isEscalated && escalation.at > settledUntil ? denial.after : 'remove';
}
