/**
 * How device states and verdicts look: their order, and the mark that names them. Colour is never the
 * only carrier: every mark has its word. The colours themselves are in `console.css`, one per state
 * and colour scheme.
 */
import { Tooltip } from '@mantine/core';
import type { DeviceState, Finding } from '../views.js';
import { useTexts } from './language.js';

type Verdict = Finding['verdict'];

/** Order in which states are listed: what needs somebody first, what is fine last. */
export const statesByNeed = [
  'violation',
  'pending',
  'unknown',
  'partial',
  'stale',
  'never-scanned',
  'excepted',
  'clear',
] as const satisfies readonly DeviceState[];

/** Fails to compile when a state is missing from the order above. */
export type StatesListed =
  Exclude<DeviceState, (typeof statesByNeed)[number]> extends never ? true : never;
const isEveryStateListed: StatesListed = true;
void isEveryStateListed;

/** States in which somebody has something to do. */
export const statesInNeed = statesByNeed.slice(0, -2);

/** A state read from an address, or null. */
export function stateOf(text: string | null): DeviceState | null {
  return statesByNeed.find((state) => state === text) ?? null;
}

/** A device's state as a word with its colour. */
export function StateMark({ state }: { readonly state: DeviceState }) {
  const texts = useTexts();
  return (
    <Tooltip label={texts.stateHints[state]} multiline maw={260}>
      <span className="mark" data-tone={state}>
        {texts.states[state]}
      </span>
    </Tooltip>
  );
}

/** In the place of a verdict: what is left of a tool and nobody has decided about. */
export function TraceMark() {
  const { findings } = useTexts();
  return (
    <Tooltip label={findings.traceHint} multiline maw={260}>
      <span className="mark">{findings.trace}</span>
    </Tooltip>
  );
}

/** A verdict as a word with its colour. */
export function VerdictMark({ verdict }: { readonly verdict: Verdict }) {
  const texts = useTexts();
  return (
    <span className="mark" data-tone={verdict}>
      {texts.verdicts[verdict]}
    </span>
  );
}
