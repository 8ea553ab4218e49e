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
import type { RootLink } from './store-inventory.js';
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
  /** Whether a root came, went, or was read to another end than before. */
  readonly haveRootsChanged: boolean;
}

export interface Readings {
  readonly readings: readonly Reading[];
  /** True when these are all roots of the world: a root that is not among them is gone. */
  readonly isFull: boolean;
  /** Epoch ms of trusted time. */
  readonly atMs: number;
}

const removes = (status: RootStatus): boolean => status === 'complete' || status === 'absent';

/** Applies readings in one transaction. What is as it was is not written; only a full scan says when. */
export function applyReadings(
  store: Store,
  { readings, isFull, atMs }: Readings,
): InventoryChanges {
  return store.transaction(() => {
    const present = new Map<string, Component>();
    const gone = new Set<string>();
    const components = new Map(
      readings.flatMap((reading) => reading.components.map((one) => [one.id, one] as const)),
    );
    for (const component of components.values()) {
      if (putComponent(store, component, atMs)) present.set(component.id, component);
    }
    const links = new Map(readings.map(({ root }) => [root.id, store.links(root.id)]));
    for (const { root, components: seen } of readings) openLinks(store, root.id, seen, links);
    let haveRootsChanged = saveRoots(store, { readings, isFull, atMs });
    for (const { root, status, components: seen } of readings) {
      if (!removes(status)) continue;
      const ids = new Set(seen.map(({ id }) => id));
      for (const id of closeLinks(store, root.id, ids, atMs)) gone.add(id);
    }
    if (isFull) {
      const unplanned = closeUnplanned(store, readings, atMs);
      haveRootsChanged ||= unplanned.isRootGone;
      for (const id of unplanned.closed) gone.add(id);
      store.sawComponents([...components.keys()], atMs);
    }
    const removed = [...gone].filter((id) => !store.hasLinks(id));
    for (const id of removed) removeComponent(store, id, atMs);
    const nextChecks = store
      .awaiting()
      .map(({ root, since }) => ({ root, atMs: since + removalConfirmMs }));
    return { present: [...present.values()], removed, nextChecks, haveRootsChanged };
  });
}

/** True when the component is new or differs from what was known of it. */
function putComponent(store: Store, component: Component, atMs: number): boolean {
  if (store.hasComponent(component)) return false;
  const known = store.component(component.id)?.component;
  store.putComponent(component, atMs);
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

/** What a root shows is linked to it; a mark that it was missing goes. */
function openLinks(
  store: Store,
  root: string,
  components: readonly Component[],
  links: ReadonlyMap<string, readonly RootLink[]>,
): void {
  const open = new Set(
    links.get(root)?.flatMap((link) => (link.missingSince === null ? [link.component] : [])),
  );
  for (const { id } of components) if (!open.has(id)) store.putLink(root, id, null);
}

/** Answers whether any is new or differs in more than the time of its read. */
function saveRoots(store: Store, { readings, isFull, atMs }: Readings): boolean {
  const known = new Map(
    isFull
      ? store.roots().map((root) => [root.id, root])
      : readings.map(({ root }) => [root.id, store.root(root.id)]),
  );
  const same: StoredRoot[] = [];
  let haveChanged = false;
  for (const { root, status, problems } of readings) {
    const before = known.get(root.id) ?? null;
    const now: StoredRoot = {
      id: root.id,
      path: root.path,
      account: root.home?.account ?? null,
      status,
      lastRead: atMs,
      lastComplete: removes(status) ? atMs : (before?.lastComplete ?? null),
      problems,
    };
    if (before !== null && isSameRoot(before, now)) {
      same.push(now);
      continue;
    }
    haveChanged = true;
    store.putRoot(now);
  }
  if (isFull) store.sawRoots(same);
  return haveChanged;
}

function isSameRoot(before: StoredRoot, now: StoredRoot): boolean {
  const words = ({ path, account, status, problems }: StoredRoot): string =>
    JSON.stringify([path, account, status, problems]);
  return words(before) === words(now);
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
): { readonly closed: readonly string[]; readonly isRootGone: boolean } {
  const planned = new Set(readings.map(({ root }) => root.id));
  const blind = new Set(
    readings
      .filter(({ status }) => ['unavailable', 'unreadable', 'timeout'].includes(status))
      .map(({ root }) => root.home?.account ?? null),
  );
  const closed: string[] = [];
  let isRootGone = false;
  for (const { id, account } of store.roots()) {
    if (planned.has(id) || blind.has(account)) continue;
    closed.push(...closeLinks(store, id, new Set(), atMs));
    if (store.links(id).length > 0) continue;
    store.dropRoot(id);
    isRootGone = true;
  }
  return { closed, isRootGone };
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
