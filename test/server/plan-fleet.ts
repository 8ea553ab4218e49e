/**
 * A small fleet in a real store, written down by hand so that its figures can be counted by hand: devices
 * with group, system, zone and people, and what each has.
 */
import { randomUUID } from 'node:crypto';
import type { Platform } from '../../policies/component.js';
import { applySnapshot } from '../../server/inventory.js';
import type { Store } from '../../server/store/index.js';
import type { ReportedComponent } from '../../wire/messages.js';
import { complete, component, noon, partial } from './fixture.js';

/** What somebody has; the owner is an account, null for what belongs to the machine. */
export interface Has extends Partial<
  Pick<
    ReportedComponent,
    'channel' | 'manager' | 'path' | 'scope' | 'state' | 'gateway' | 'name' | 'purl'
  >
> {
  readonly tool: string | null;
  readonly version?: string | null;
  readonly owner?: string | null;
  readonly verdict?: Partial<ReportedComponent['verdict']>;
}

export interface FleetMember {
  readonly id: string;
  readonly group?: string;
  readonly platform?: Platform;
  readonly zone?: string;
  readonly hardwareId?: string;
  readonly assignedUser?: string;
  /** Null: it was never scanned. */
  readonly has: readonly Has[] | null;
  readonly isPartial?: boolean;
}

/** Enrols a device and takes its reports as ingest does, one for each owner. */
export async function addMember(store: Store, member: FleetMember): Promise<void> {
  const { id, group = 'engineering', platform = 'linux', zone = 'Asia/Shanghai', has } = member;
  const { hardwareId = null, assignedUser } = member;
  const facts = {
    ...{ hostName: id, platform, osName: 'x', osVersion: '1', arch: 'x64' },
    ...{ hardwareId, agentVersion: '0.1.0', zone },
    ...(assignedUser !== undefined && { assignedUser }),
  };
  await store.write(async (writing) => {
    await writing.devices.add({
      ...{ id, publicKey: randomUUID(), facts, group, label: null },
      ...{ enrolledAt: noon, lastSeen: noon, revokedAt: null, mayReplace: null },
    });
    if (has === null) return;
    const owners = new Set<string | null>([null, ...has.map(({ owner = 'ana' }) => owner)]);
    for (const owner of owners) {
      const components = has
        .filter((one) => (one.owner === undefined ? 'ana' : one.owner) === owner)
        .map((one) => reported(one, owner));
      const scan = member.isPartial === true ? partial : complete;
      const subject = owner === null ? 'machine' : `person:${owner}`;
      const state = { device: id, subject, at: noon, receivedAt: noon };
      await applySnapshot(writing, state, { components, scan, bundleSequence: 1 });
    }
  });
}

let components = 0;

function reported(has: Has, owner: string | null): ReportedComponent {
  const { tool, version = '1.0.0', owner: _, verdict, ...fields } = has;
  components += 1;
  const whole = component('a', { tool });
  return {
    ...whole,
    purl: null,
    name: tool ?? 'something',
    version,
    ...fields,
    owner,
    id: components.toString(16).padStart(32, '0'),
    verdict: { ...whole.verdict, ...verdict },
  };
}
