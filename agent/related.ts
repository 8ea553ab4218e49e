/**
 * What components say of each other, before any of them is judged or shown: the gateway that a tool's
 * settings name goes to its installs, and traces that an install explains go away. One place, so that
 * a scan by hand and the daemon's inventory tell the same. It reads nothing.
 */
import type { Catalogue } from '../policies/catalogue.js';
import type { Component } from '../policies/component.js';
import { withoutTraces } from './detect/config.js';
import { attachGateways, type RootState } from './detect/gateways.js';
import type { Reading } from './detect/index.js';

export interface Around {
  readonly catalogue: Catalogue;
  /** How far each root was read. */
  readonly roots: readonly RootState[];
}

/** All components of a device, in their order; fewer than before, and some with a gateway. */
export function relate(components: readonly Component[], around: Around): readonly Component[] {
  return withoutTraces(attachGateways(components, around), around.catalogue);
}

export function rootStates(readings: readonly Reading[]): readonly RootState[] {
  return readings.map(({ root, status }) => ({
    id: root.id,
    account: root.home?.account ?? null,
    status,
  }));
}
