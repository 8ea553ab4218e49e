/**
 * What policies would do to the fleet's present inventory: each component judged under what is live and
 * under what is planned, at several instants, counted by device, person and tool. It walks through the
 * fleet page by page; components that are alike, on devices that are alike, are judged once. What the
 * server cannot foresee is counted as that.
 */
import { setImmediate } from 'node:timers/promises';
import type { Catalogue } from '../policies/catalogue.js';
import { isZone } from '../policies/dates.js';
import type { Policy } from '../policies/document.js';
import { selectPolicy, type DeviceContext, type Exception } from '../policies/evaluate.js';
import { FleetExceptions } from './fleet-exceptions.js';
import { Forecaster, type OpenRule, type ToldFrom } from './forecast.js';
import {
  OpenTally,
  SetsByKey,
  Tally,
  type Figures,
  type OpenFigures,
  type Sets,
} from './impact-tally.js';
import type { FleetComponent, FleetDevice, FleetReads, KindFields } from './store/fleet.js';
import { readKind } from './store/fleet.js';
import type { StoredException } from './store/records.js';

/** Policies in order of priority, and since when devices can have been told of a rule. */
export interface PolicySide {
  readonly policies: readonly Policy[];
  readonly toldFrom: ToldFrom;
}
export interface ImpactInput {
  readonly fleet: FleetReads;
  readonly exceptions: readonly StoredException[];
  readonly catalogue: Catalogue;
  readonly live: PolicySide;
  readonly planned: PolicySide;
  /** Epoch ms, in the order of the answer. */
  readonly instants: readonly number[];
  /** Called now and then with the devices that were seen. */
  readonly onProgress?: (devices: number) => void;
}

export interface ToolFigures {
  /** Catalogue id; null for everything that no entry claims. */
  readonly tool: string | null;
  readonly figures: Figures;
}
export interface ImpactAt {
  readonly at: number;
  readonly devices: Figures;
  readonly people: Figures;
  /** Devices by tool. */
  readonly tools: readonly ToolFigures[];
}
export interface Impact {
  readonly devices: number;
  /** Of the devices; they have no inventory and are in no other figure. */
  readonly neverScanned: number;
  /** Of the devices: what could not be read may be more. */
  readonly partial: number;
  /** Of the devices: their zone is none that is known, and UTC is used. */
  readonly withoutZone: number;
  readonly components: number;
  readonly people: number;
  /** Devices by zone, as they tell it; most first. */
  readonly zones: readonly { readonly zone: string; readonly devices: number }[];
  /** How many devices follow which policy; null: none. */
  readonly follows: readonly { policy: string | null; live: number; planned: number }[];
  readonly at: readonly ImpactAt[];
  /** Rules of the plan that the server cannot foresee for some components. */
  readonly open: readonly OpenFigures[];
}

const devicesPerPage = 500;
const componentsPerPage = 20_000;
/** More kinds than any fleet has, unless paths are asked for: then they are forgotten and begun anew. */
const mostKinds = 100_000;

export async function impactOf(input: ImpactInput): Promise<Impact> {
  const walk = new Walk(input);
  const policies = [...input.live.policies, ...input.planned.policies];
  const fields = kindFields(policies, input.catalogue);
  let before = '';
  for (;;) {
    const devices = await input.fleet.devices(before, devicesPerPage);
    const last = devices.at(-1)?.id;
    if (last === undefined) return walk.end();
    walk.begin(devices);
    for (let offset = 0; ; offset += componentsPerPage) {
      const options = { offset, limit: componentsPerPage, fields };
      const page = await input.fleet.components({ after: before, last }, options);
      for (const component of page) walk.take(component);
      if (page.length < componentsPerPage) break;
      // A server that plans goes on answering.
      await setImmediate();
    }
    walk.endPage();
    before = last;
    await setImmediate();
  }
}

function kindFields(policies: readonly Policy[], catalogue: Catalogue): KindFields {
  const matches = policies.flatMap(({ rules }) => rules.map(({ match }) => match));
  const running = matches.filter((match) => match.running !== undefined);
  return {
    name: matches.some((match) => match.package !== undefined),
    path: matches.some((match) => match.path !== undefined),
    owners: matches.flatMap(({ owner = [] }) => owner),
    running: running.some(({ tool }) => tool === undefined)
      ? 'all'
      : running.flatMap(({ tool = [] }) => tool.map((id) => catalogue.tool(id)?.id ?? id)),
    fixed: policies.some(
      ({ timezone, rules, default: rest }) =>
        timezone === 'device-local' ||
        [...rules, rest].some(({ denial }) => (denial?.grace ?? null) !== null),
    ),
  };
}

/** A kind of component on a kind of device, judged. */
interface Judged {
  readonly tool: string | null;
  readonly sets: Sets;
  readonly open: readonly OpenRule[];
}

/** What a device has in common with those for which a component means the same. */
interface Cell {
  readonly live: Policy | null;
  readonly planned: Policy | null;
  readonly zone: string;
  readonly judged: Map<string, Judged>;
}

const nobody: readonly Exception[] = [];
/** The devices' ceilings are unknown here; they change no verdict. */
const maxAction = 'remove';

class Walk {
  readonly #input: ImpactInput;
  readonly #exceptions: FleetExceptions;
  readonly #live: Forecaster;
  readonly #planned: Forecaster;
  readonly #slots: number;
  readonly #hasLocalDates: boolean;
  readonly #cells = new Map<string, Cell>();
  #kinds = 0;
  #waiting: Map<string, FleetDevice> = new Map();

  // The device, its cell and the person whose components are coming in.
  #device: FleetDevice | null = null;
  #cell: Cell | null = null;
  #subject = '';
  #person: string | null = null;
  #excepted = nobody;
  readonly #deviceSets: Sets;
  readonly #toolSets: SetsByKey;
  readonly #personSets: SetsByKey;
  /** People of several devices; they are counted at the end. */
  readonly #everywhere: SetsByKey;

  #seen = 0;
  #neverScanned = 0;
  #partial = 0;
  #withoutZone = 0;
  #components = 0;
  readonly #zones = new Map<string, number>();
  #people = 0;
  readonly #follows = new Map<string | null, { live: number; planned: number }>();
  readonly #devices: Tally;
  readonly #persons: Tally;
  readonly #tools = new Map<string, Tally>();
  readonly #open = new OpenTally();

  constructor(input: ImpactInput) {
    this.#input = input;
    const { catalogue, instants, live, planned } = input;
    this.#exceptions = new FleetExceptions(input.exceptions);
    this.#live = new Forecaster({ catalogue, instants, toldFrom: live.toldFrom });
    this.#planned = new Forecaster({ catalogue, instants, toldFrom: planned.toldFrom });
    this.#slots = instants.length * 2;
    const policies = [...live.policies, ...planned.policies];
    this.#hasLocalDates = policies.some(({ timezone }) => timezone === 'device-local');
    this.#deviceSets = new Uint16Array(this.#slots);
    this.#toolSets = new SetsByKey(this.#slots);
    this.#personSets = new SetsByKey(this.#slots);
    this.#everywhere = new SetsByKey(this.#slots);
    this.#devices = new Tally(instants.length);
    this.#persons = new Tally(instants.length);
  }

  begin(devices: readonly FleetDevice[]): void {
    this.#waiting = new Map(devices.map((device) => [device.id, device]));
  }

  take([id, subject, kind]: FleetComponent): void {
    if (this.#device?.id !== id) {
      this.#endDevice();
      const device = this.#waiting.get(id);
      // Of a device that was revoked.
      if (device === undefined) return;
      this.#waiting.delete(id);
      this.#beginDevice(device);
    }
    if (this.#device === null || this.#cell === null) return;
    if (subject !== this.#subject) this.#beginSubject(this.#device, subject);
    const judged =
      this.#excepted.length === 0
        ? this.#judgedAlike(kind, this.#cell, this.#device)
        : this.#judge(kind, this.#cell, this.#device);
    this.#count(judged, id);
  }

  /** What is left of the page's devices has no components. */
  endPage(): void {
    this.#endDevice();
    for (const device of this.#waiting.values()) {
      this.#beginDevice(device);
      this.#endDevice();
    }
    this.#input.onProgress?.(this.#seen);
  }

  end(): Impact {
    this.#everywhere.each((_, sets, from) => {
      this.#people += 1;
      this.#persons.add(sets, from);
    });
    const unfollowed = this.#input.planned.policies.filter((one) => !this.#follows.has(one.policy));
    for (const { policy } of unfollowed) this.#follows.set(policy, { live: 0, planned: 0 });
    return {
      devices: this.#seen,
      neverScanned: this.#neverScanned,
      partial: this.#partial,
      withoutZone: this.#withoutZone,
      components: this.#components,
      people: this.#people,
      zones: [...this.#zones]
        .map(([zone, devices]) => ({ zone, devices }))
        .sort((one, other) => other.devices - one.devices || (one.zone < other.zone ? -1 : 1)),
      follows: [...this.#follows].map(([policy, counts]) => ({ policy, ...counts })),
      at: this.#input.instants.map((at, index) => ({
        at,
        devices: this.#devices.figures(index),
        people: this.#persons.figures(index),
        tools: [...this.#tools].sort().map(([tool, tally]) => ({
          tool: tool === '' ? null : tool,
          figures: tally.figures(index),
        })),
      })),
      open: this.#open.figures(),
    };
  }

  #beginDevice(device: FleetDevice): void {
    this.#device = device;
    this.#subject = '';
    this.#seen += 1;
    this.#zones.set(device.zone, (this.#zones.get(device.zone) ?? 0) + 1);
    if (device.standing === 'never-scanned') this.#neverScanned += 1;
    if (device.standing === 'partial') this.#partial += 1;
    const cell = this.#cellOf(device);
    this.#cell = cell;
    this.#follow(cell.live, 'live');
    this.#follow(cell.planned, 'planned');
  }

  #follow(policy: Policy | null, side: 'live' | 'planned'): void {
    const id = policy?.policy ?? null;
    const counts = this.#follows.get(id) ?? { live: 0, planned: 0 };
    counts[side] += 1;
    this.#follows.set(id, counts);
  }

  #cellOf(device: FleetDevice): Cell {
    const { live, planned } = this.#input;
    const target = {
      id: device.id,
      group: device.group,
      platform: device.platform,
      assignedUser: device.assignedUser,
    };
    const followed = selectPolicy(live.policies, target);
    const next = selectPolicy(planned.policies, target);
    const hasZone = isKnownZone(device.zone);
    if (!hasZone) this.#withoutZone += 1;
    const zone = hasZone ? device.zone : 'UTC';
    const at = [
      followed === null ? -1 : live.policies.indexOf(followed),
      next === null ? -1 : planned.policies.indexOf(next),
    ];
    const key = `${at.join(' ')} ${device.platform} ${device.graceUntil ?? ''} ${this.#hasLocalDates ? zone : ''}`;
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = { live: followed, planned: next, zone, judged: new Map() };
      this.#cells.set(key, cell);
    }
    return cell;
  }

  #beginSubject(device: FleetDevice, subject: string): void {
    this.#subject = subject;
    const account = subject === 'machine' ? null : subject.slice('person:'.length);
    this.#person = personOf(account, device);
    this.#excepted = this.#exceptions.of(device, this.#person);
  }

  #judgedAlike(kind: string, cell: Cell, device: FleetDevice): Judged {
    let judged = cell.judged.get(kind);
    if (judged === undefined) {
      judged = this.#judge(kind, cell, device);
      this.#kinds += 1;
      if (this.#kinds > mostKinds) {
        for (const { judged: known } of this.#cells.values()) known.clear();
        this.#kinds = 0;
      }
      cell.judged.set(kind, judged);
    }
    return judged;
  }

  #judge(text: string, cell: Cell, device: FleetDevice): Judged {
    const kind = readKind(text);
    const { id, hardwareId, group, platform } = device;
    const context: DeviceContext = {
      ...{ id, hardwareId, group, platform, maxAction },
      person: this.#person,
      zone: cell.zone,
    };
    const around = {
      ...{ device: context, exceptions: this.#excepted },
      ...(device.graceUntil !== null && { assignedGrace: device.graceUntil }),
    };
    const live = this.#live.forecast(kind, cell.live, around);
    const planned = this.#planned.forecast(kind, cell.planned, around);
    const sets = Uint16Array.from({ length: this.#slots }, (_, slot) =>
      slot % 2 === 0 ? (live.bits[slot >> 1] ?? 0) : (planned.bits[slot >> 1] ?? 0),
    );
    // Devices may name any tool; only those of the catalogue are counted by name.
    const tool = kind.tool === null ? null : (this.#input.catalogue.tool(kind.tool)?.id ?? null);
    return { tool, sets, open: planned.open };
  }

  #count({ tool, sets, open }: Judged, device: string): void {
    this.#components += 1;
    for (let slot = 0; slot < this.#slots; slot += 1) {
      this.#deviceSets[slot] = (this.#deviceSets[slot] ?? 0) | (sets[slot] ?? 0);
    }
    this.#toolSets.join(tool ?? '', sets);
    if (this.#person !== null) {
      // An account@device is on one device; whom somebody named may be on several, in any capitals.
      if (this.#person.endsWith(`@${device}`)) this.#personSets.join(this.#person, sets);
      else this.#everywhere.join(this.#person.toLowerCase(), sets);
    }
    for (const rule of open) this.#open.add(rule, device);
  }

  #endDevice(): void {
    const device = this.#device;
    if (device === null) return;
    this.#device = null;
    if (device.standing !== 'never-scanned') this.#devices.add(this.#deviceSets);
    this.#deviceSets.fill(0);
    this.#toolSets.each((tool, sets, from) => {
      let tally = this.#tools.get(tool);
      if (tally === undefined) {
        this.#tools.set(tool, (tally = new Tally(this.#input.instants.length)));
      }
      tally.add(sets, from);
    });
    this.#toolSets.clear();
    this.#personSets.each((_, sets, from) => {
      this.#people += 1;
      this.#persons.add(sets, from);
    });
    this.#personSets.clear();
  }
}

/** As the agent has it: whose device it is, else whom an admin named, else the account. */
function personOf(account: string | null, device: FleetDevice): string | null {
  if (device.assignedUser !== null) return device.assignedUser;
  if (account === null) return null;
  return device.persons[account] ?? `${account}@${device.id}`;
}

const zones = new Map<string, boolean>();
const mostZones = 2_000;

function isKnownZone(zone: string): boolean {
  let known = zones.get(zone);
  if (known === undefined) {
    known = zone !== 'device-local' && isZone(zone);
    if (zones.size >= mostZones) zones.clear();
    zones.set(zone, known);
  }
  return known;
}
