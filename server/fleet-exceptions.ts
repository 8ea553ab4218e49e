/**
 * The exceptions of a whole fleet, found by whom they name: what a device's assignment would say, for
 * each device of a walk through all of them, without a query for each. It says nothing about time.
 */
import type { Exception } from '../policies/evaluate.js';
import type { FleetDevice } from './store/fleet.js';
import type { StoredException } from './store/records.js';

export class FleetExceptions {
  readonly #byDevice: ReadonlyMap<string, readonly StoredException[]>;
  readonly #byHardware: ReadonlyMap<string, readonly StoredException[]>;
  readonly #byPerson: ReadonlyMap<string, readonly StoredException[]>;

  constructor(stored: readonly StoredException[]) {
    this.#byDevice = grouped(stored, ({ device }) => device);
    this.#byHardware = grouped(stored, ({ hardwareId }) => hardwareId);
    this.#byPerson = grouped(stored, ({ person }) => person);
  }

  /** Those that may concern a component of the device; `person`: of the component's owner, or null. */
  of(device: FleetDevice, person: string | null): readonly Exception[] {
    const found = [
      ...listed(this.#byDevice, device.id),
      ...listed(this.#byHardware, device.hardwareId),
      ...listed(this.#byPerson, person),
    ];
    return found.map((one) => asException(one, person));
  }
}

/** Directories and admins differ in capitals. */
const fold = (text: string): string => text.toLowerCase();

function grouped(
  stored: readonly StoredException[],
  subject: (one: StoredException) => string | null,
): ReadonlyMap<string, readonly StoredException[]> {
  const named = stored.filter((one) => subject(one) !== null);
  return Map.groupBy(named, (one) => fold(subject(one) ?? ''));
}

const none: readonly StoredException[] = [];
function listed(
  groups: ReadonlyMap<string, readonly StoredException[]>,
  key: string | null,
): readonly StoredException[] {
  return key === null || groups.size === 0 ? none : (groups.get(fold(key)) ?? none);
}

/** As the assignment carries it: a person is written as the device writes it. */
function asException(
  { id, tool, person, device, hardwareId, reason, author, from, until }: StoredException,
  spelled: string | null,
): Exception {
  return {
    ...{ id, tool, reason, author, until },
    ...(person !== null && { person: spelled ?? person }),
    ...(device !== null && { device }),
    ...(hardwareId !== null && { hardwareId }),
    ...(from !== null && { from }),
  };
}
