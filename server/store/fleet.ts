/**
 * The whole fleet to be walked through: devices in the order of their ids, and their components in the
 * same order, a page at a time. It is for reckonings over everything, so a component comes as the few
 * fields that decide about it, in one text that is the same for all that are alike.
 */
import type { Channel, ComponentState, Platform, Scope } from '../../policies/component.js';
import type { Standing } from './records.js';

/** A device that is not revoked, with what evaluation must know of it. */
export interface FleetDevice {
  readonly id: string;
  readonly group: string | null;
  readonly platform: Platform;
  readonly zone: string;
  readonly hardwareId: string | null;
  /** The device's own setting. */
  readonly assignedUser: string | null;
  /** Account to person, as an admin set it. */
  readonly persons: Readonly<Record<string, string>>;
  /** Epoch ms until which an admin lets nothing be in force on it; null: no grace was given. */
  readonly graceUntil: number | null;
  readonly standing: Standing;
}

/** Fields that tell components apart only where a rule asks for them; each costs more kinds. */
export interface KindFields {
  readonly name: boolean;
  readonly path: boolean;
  /** Accounts that rules name, in any case; of all others the owner tells nothing. */
  readonly owners: readonly string[];
  /** Whether it runs: of these tools, of all, or of none. */
  readonly running: readonly string[] | 'all';
  /** What the device has fixed for the rule that it reported: its first notice, its zone. */
  readonly fixed: boolean;
}

/** Device, subject, kind; in this order of devices and subjects. */
export type FleetComponent = readonly [device: string, subject: string, kind: string];

export interface FleetReads {
  /** How many devices there are. */
  size(): Promise<number>;
  /** Devices after an id, in its order. */
  devices(after: string, limit: number): Promise<readonly FleetDevice[]>;
  /** Devices by zone, as they tell it. */
  zones(): Promise<readonly { readonly zone: string; readonly devices: number }[]>;
  /** Components of the devices after `after`, up to and including `last`; the first `offset` are passed over. */
  components(
    devices: { readonly after: string; readonly last: string },
    options: { readonly offset: number; readonly limit: number; readonly fields: KindFields },
  ): Promise<readonly FleetComponent[]>;
}

/** What a kind says. A field that was not asked for is null. */
export interface Kind {
  readonly tool: string | null;
  readonly channel: Channel;
  readonly version: string | null;
  readonly state: ComponentState;
  readonly scope: Scope;
  readonly gateway: string | null;
  /** Of packages. */
  readonly manager: string | null;
  /** Of processes. */
  readonly purl: string | null;
  readonly name: string | null;
  readonly path: string | null;
  readonly owner: string | null;
  readonly running: boolean | null;
  /** Rule of the reported verdict; since when the device has been told of it, and the zone of its dates. */
  readonly rule: string | null;
  readonly noticed: string | null;
  readonly zone: string | null;
}

/** The fields of a kind in the order of its text, which is a JSON array. */
const kindOrder = [
  'tool',
  'channel',
  'version',
  'state',
  'scope',
  'gateway',
  'manager',
  'purl',
  'name',
  'path',
  'owner',
  'running',
  'rule',
  'noticed',
  'zone',
] as const satisfies readonly (keyof Kind)[];

export function readKind(text: string): Kind {
  const values = JSON.parse(text) as readonly (string | number | null)[];
  const fields = Object.fromEntries(kindOrder.map((name, at) => [name, values[at] ?? null]));
  const running = fields['running'] ?? null;
  return { ...fields, running: running === null ? null : running === 1 } as unknown as Kind;
}
