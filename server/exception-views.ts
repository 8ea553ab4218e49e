/** Exceptions and pauses as the API answers them. Nothing here is stored. */
import type { Catalogue } from '../policies/catalogue.js';
import { pauseAt } from './assignment.js';
import { toolName } from './compliance.js';
import type { Reading } from './store/index.js';
import type { Device, StoredException } from './store/records.js';
import type { DeviceDetail, ExceptionRow } from './views.js';

const iso = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));

export function exceptionRow(
  one: StoredException,
  { catalogue, now }: { readonly catalogue: Catalogue; readonly now: number },
): ExceptionRow {
  const { id, tool, person, device, hardwareId, reason, author, from, until, endedBy } = one;
  const holds = one.endedAt === null && now < until && (from === null || from <= now);
  return {
    ...{ id, tool, person, device, hardwareId, reason, author, endedBy, holds },
    toolName: toolName(catalogue, tool),
    from: isoOrNull(from),
    until: iso(until),
    createdAt: iso(one.createdAt),
    endedAt: isoOrNull(one.endedAt),
  };
}

/** What the device's assignment says of exceptions and pause now; those to come are among them. */
export async function softenings(
  { assignments }: Pick<Reading, 'assignments'>,
  { id, facts }: Device,
  { catalogue, now }: { readonly catalogue: Catalogue; readonly now: number },
): Promise<Pick<DeviceDetail, 'exceptions' | 'pause'>> {
  const persons = await assignments.persons(id);
  const open = await assignments.openFor(
    {
      device: id,
      hardwareId: facts.hardwareId,
      assignedUser: facts.assignedUser ?? null,
      persons: persons.map(({ person }) => person),
    },
    now,
  );
  const pause = pauseAt([await assignments.terms(id), await assignments.terms(null)], now);
  return {
    exceptions: open.map((one) => exceptionRow(one, { catalogue, now })),
    pause: pause === null ? null : { until: isoOrNull(pause.until) },
  };
}
