/**
 * What is on this machine now: readings of roots applied to what was known. Only a root that was read
 * to its end, or is gone, can remove; each read closes the rows of its own root and no other. A removal
 * needs a second such read at least `removalConfirmMs` later, so the gap in the middle of an update is
 * never one. It judges nothing and reports nothing.
 */
import type { Catalogue } from '../policies/catalogue.js';
import type { Component, RootStatus } from '../policies/component.js';
import type { Reading } from './detect/index.js';
import { relate } from './related.js';
import type { Store, StoredComponent, StoredRoot } from './store.js';

/** An update renames the old folder away and the new one in, at most 40 s later. */
export const removalConfirmMs = 45_000;

export interface InventoryChanges {
  /** New or changed components. */
  readonly present: readonly Component[];
  /** Ids of components that are gone, confirmed. */
  readonly removed: readonly string[];
  /** Roots to read again for a second look, with the earliest epoch ms at which it counts. */
  readonly nextChecks: readonly { readonly root: string; readonly atMs: number }[];
}

export interface Readings {
  readonly readings: readonly Reading[];
  /** True when these are all roots of the world: a root that is not among them is gone. */
  readonly isFull: boolean;
  /** Epoch ms of trusted time. */
  readonly atMs: number;
}

const removes = (status: RootStatus): boolean => status === 'complete' || status === 'absent';

/** Applies readings in one transaction. */
export function applyReadings(
  store: Store,
  { readings, isFull, atMs }: Readings,
): InventoryChanges {
  return store.transaction(() => {
    const present = new Map<string, Component>();
    const gone = new Set<string>();
    for (const reading of readings) {
      for (const component of reading.components) {
        if (putComponent(store, component, atMs)) present.set(component.id, component);
        store.putLink(reading.root.id, component.id, null);
      }
    }
    for (const reading of readings) {
      saveRoot(store, reading, atMs);
      if (!removes(reading.status)) continue;
      const seen = new Set(reading.components.map(({ id }) => id));
      for (const id of closeLinks(store, reading.root.id, seen, atMs)) gone.add(id);
    }
    if (isFull) for (const id of closeUnplanned(store, readings, atMs)) gone.add(id);
    const removed = [...gone].filter((id) => !store.hasLinks(id));
    for (const id of removed) removeComponent(store, id, atMs);
    const nextChecks = store
      .awaiting()
      .map(({ root, since }) => ({ root, atMs: since + removalConfirmMs }));
    return { present: [...present.values()], removed, nextChecks };
  });
}

/** True when the component is new or differs from what was known of it. */
function putComponent(store: Store, component: Component, atMs: number): boolean {
  const known = store.component(component.id)?.component;
  const isSame = known !== undefined && JSON.stringify(known) === JSON.stringify(component);
  store.putComponent(component, atMs);
  if (isSame) return false;
  const { id, tool, version } = component;
  if (known === undefined) {
    store.addHistory({
      at: atMs,
      kind: 'appeared',
      component: id,
      tool,
      before: null,
      after: version,
    });
  } else if (known.version !== version || known.state !== component.state) {
    const word = (one: Component): string => `${one.version ?? '?'} ${one.state}`;
    const [before, after] = [word(known), word(component)];
    store.addHistory({ at: atMs, kind: 'changed', component: id, tool, before, after });
  }
  return true;
}

function saveRoot(store: Store, { root, status, problems }: Reading, atMs: number): void {
  const lastComplete = removes(status) ? atMs : (store.root(root.id)?.lastComplete ?? null);
  store.putRoot({
    id: root.id,
    path: root.path,
    account: root.home?.account ?? null,
    status,
    lastRead: atMs,
    lastComplete,
    problems,
  });
}

/** First look: the link is marked. Second look, late enough: the link goes; answers whose went. */
function closeLinks(
  store: Store,
  root: string,
  seen: ReadonlySet<string>,
  atMs: number,
): readonly string[] {
  const closed: string[] = [];
  for (const { component, missingSince } of store.links(root)) {
    if (seen.has(component)) continue;
    // A clock that was set right in between may put the first look after now.
    if (missingSince === null || missingSince > atMs) store.putLink(root, component, atMs);
    else if (atMs - missingSince >= removalConfirmMs) {
      store.dropLink(root, component);
      closed.push(component);
    }
  }
  return closed;
}

/**
 * Roots that a full scan no longer lists. They are gone only if the places of the same owner could be
 * looked at: an unmounted home lists fewer roots too.
 */
function closeUnplanned(
  store: Store,
  readings: readonly Reading[],
  atMs: number,
): readonly string[] {
  const planned = new Set(readings.map(({ root }) => root.id));
  const blind = new Set(
    readings
      .filter(({ status }) => ['unavailable', 'unreadable', 'timeout'].includes(status))
      .map(({ root }) => root.home?.account ?? null),
  );
  const closed: string[] = [];
  for (const { id, account } of store.roots()) {
    if (planned.has(id) || blind.has(account)) continue;
    closed.push(...closeLinks(store, id, new Set(), atMs));
    if (store.links(id).length === 0) store.dropRoot(id);
  }
  return closed;
}

function removeComponent(store: Store, id: string, atMs: number): void {
  const known = store.component(id)?.component;
  store.dropComponent(id);
  store.dropVerdict(id);
  if (known === undefined) return;
  const { tool, version } = known;
  store.addHistory({
    at: atMs,
    kind: 'removed',
    component: id,
    tool,
    before: version,
    after: null,
  });
}

const owned = (component: Component): string =>
  `${component.tool ?? component.name}\n${component.owner ?? ''}`;

/**
 * Gives each component what evaluation needs of others with the same tool and owner; records that
 * serve only that are not among the answers.
 */
export function attach(
  store: Pick<Store, 'components' | 'roots'>,
  catalogue: Catalogue,
): readonly StoredComponent[] {
  const byId = new Map(store.components().map((stored) => [stored.component.id, stored]));
  const components = [...byId.values()].map(({ component }) => component);
  const related = relate(components, { catalogue, roots: store.roots() });
  const live = new Set(
    components.filter(({ state, tool }) => state === 'running' && tool !== null).map(owned),
  );
  return related.flatMap((component) => {
    const stored = byId.get(component.id);
    const running = component.state === 'running' || live.has(owned(component));
    return stored === undefined ? [] : [{ ...stored, component: { ...component, running } }];
  });
}

/** How far the roots of one subject have been looked at. `account` null: the machine's own. */
export interface Coverage {
  readonly isComplete: boolean;
  /** Epoch ms up to which every root has been read to its end; null: one never was. */
  readonly lastComplete: number | null;
  readonly lastRead: number;
  readonly roots: number;
  readonly notRead: readonly StoredRoot[];
}

/** The coverage of the roots that belong to an account, or to the machine. */
export function coverage(roots: readonly StoredRoot[], account: string | null): Coverage {
  const own = roots.filter((root) => root.account === account);
  const notRead = own.filter(({ status }) => !removes(status));
  const completions = own.map(({ lastComplete }) => lastComplete);
  const isEver = completions.length > 0 && completions.every((at) => at !== null);
  return {
    isComplete: notRead.length === 0,
    lastComplete: isEver ? Math.min(...completions.map((at) => at ?? 0)) : null,
    lastRead: Math.max(0, ...own.map(({ lastRead }) => lastRead)),
    roots: own.length,
    notRead,
  };
}
