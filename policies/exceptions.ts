/**
 * Exceptions: somebody may keep a tool for a while. Whether one concerns a component, whether it holds
 * at an instant, and why not. What follows from one that holds is for `evaluate.ts` to say.
 */
import type { EvaluationInput } from './evaluate.js';
import type { ExceptionOutcome, TraceCause } from './trace.js';

/** Names a person, a device or a hardware id. */
export interface Exception {
  readonly id: string;
  readonly tool: string;
  readonly person?: string;
  readonly device?: string;
  readonly hardwareId?: string;
  readonly reason: string;
  readonly author: string;
  /** First instant (epoch ms) at which it holds; left out: at once. */
  readonly from?: number;
  /** First instant (epoch ms) at which it no longer holds. */
  readonly until: number;
}

interface WhyNot {
  readonly outcome: ExceptionOutcome;
  /** The person, device or hardware id that it names, where another is concerned. */
  readonly whose: string | null;
}

/** Why an exception does not hold for this component, and whose it is; null when it holds. */
function whyNotExcepted(exception: Exception, { device, now }: EvaluationInput): WhyNot | null {
  const { person, device: id, hardwareId, from, until } = exception;
  if (person === undefined && id === undefined && hardwareId === undefined) {
    return { outcome: 'names-nobody', whose: null };
  }
  if (person !== undefined && !isPerson(person, device)) {
    return { outcome: 'other-person', whose: person };
  }
  if (id !== undefined && id !== device.id) return { outcome: 'other-device', whose: id };
  if (hardwareId !== undefined && hardwareId !== device.hardwareId) {
    return { outcome: 'other-hardware', whose: hardwareId };
  }
  if (from !== undefined && !(now >= from)) return { outcome: 'not-begun', whose: null };
  return now < until ? null : { outcome: 'ended', whose: null };
}

/** Account names of Windows have no case. */
function isPerson(named: string, { person, platform }: EvaluationInput['device']): boolean {
  if (person === null) return false;
  return named === person || (platform === 'win32' && fold(named) === fold(person));
}
const fold = (text: string): string => text.toLowerCase();

function concerns(exception: Exception, { catalogue, component }: EvaluationInput): boolean {
  if (component.tool === null) return false;
  return (catalogue.tool(exception.tool)?.id ?? exception.tool) === component.tool;
}

/** The exception that holds for the component at that instant; undefined: none does. */
export function exceptionThatHolds(input: EvaluationInput): Exception | undefined {
  return input.exceptions.find(
    (one) => concerns(one, input) && whyNotExcepted(one, input) === null,
  );
}

/** Each exception for the tool, and why it does or does not hold. `deciding`: the one that decided. */
export function exceptionCauses(
  input: EvaluationInput,
  deciding: Exception | undefined,
): readonly { readonly id: string; readonly holds: boolean; readonly cause: TraceCause }[] {
  return input.exceptions
    .filter((one) => concerns(one, input))
    .map((one) => {
      const whyNot = whyNotExcepted(one, input);
      const { id, from, until, reason } = one;
      const { outcome, whose } = whyNot ?? {
        outcome: one === deciding ? ('holds' as const) : ('not-needed' as const),
        whose: null,
      };
      const begins = outcome === 'not-begun' && from !== undefined ? { from } : undefined;
      return {
        id,
        holds: whyNot === null,
        cause: { kind: 'exception', outcome, whose, ...begins, until, reason },
      };
    });
}

/** The instants at which exceptions begin or end by themselves, epoch ms. */
export const exceptionInstants = (exceptions: readonly Exception[]): readonly number[] =>
  exceptions.flatMap(({ from, until }) => (from === undefined ? [until] : [from, until]));
