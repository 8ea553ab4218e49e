/**
 * What `curfew scan --state` remembers between scans: when each component was first seen, and what each
 * root held at its last complete read. A root that could not be read keeps what was known of it, and a
 * scan of other places leaves it alone. One small file, written atomically; the daemon has a database
 * instead.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Component } from '../policies/component.js';
import type { Reading, World } from './detect/index.js';
import { readSmall, writeAtomic } from './files.js';
import type { ScanResult } from './scan.js';

const fileName = 'scan-history.json';
const maxBytes = 64 * 1024 * 1024;
const format = 1;

interface RootRow {
  /** Which kind of scan planned it last: another kind does not close it. */
  readonly coverage: string;
  /** Of the home that it lies in; null for the machine's, left out by earlier versions. */
  readonly account?: string | null;
  readonly components: readonly Component[];
}

export interface History {
  readonly format: typeof format;
  readonly firstSeen: Readonly<Record<string, number>>;
  /** Instants of the last scans that saw them; left out by earlier versions. */
  readonly lastSeen?: Readonly<Record<string, number>>;
  readonly roots: Readonly<Record<string, RootRow>>;
}

const empty: History = { format, firstSeen: {}, roots: {} };

/** What is kept in a folder. A damaged file is set aside, and `say` hears of it. */
export function readHistory(folder: string, say: (sentence: string) => void): History {
  const file = path.join(folder, fileName);
  let text;
  try {
    text = readSmall(file, maxBytes);
    if (text === null) return empty;
    const value: unknown = JSON.parse(text);
    if (isHistory(value)) return value;
  } catch (error) {
    if (text === undefined) throw error;
  }
  const aside = `${file}.damaged-${Date.now()}`;
  fs.renameSync(file, aside);
  say(`the history in ${file} cannot be read; it is now ${aside}, and a new one begins`);
  return empty;
}

function isHistory(value: unknown): value is History {
  if (typeof value !== 'object' || value === null) return false;
  const { format: found, firstSeen, roots } = value as Partial<History>;
  if (found !== format || typeof firstSeen !== 'object' || typeof roots !== 'object') return false;
  return Object.values(roots).every((row) => {
    return Array.isArray(row.components) && row.components.every(isComponent);
  });
}

function isComponent(value: unknown): boolean {
  const component = value as Partial<Component> | null;
  return typeof component?.id === 'string' && typeof component.path === 'string';
}

export function writeHistory(folder: string, history: History): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeAtomic(path.join(folder, fileName), JSON.stringify(history));
}

/**
 * The world in which a home that held something the last time is not taken for an empty one: no tool
 * takes everything else of a home with it.
 */
export function withKnownHomes(world: World, { roots }: History): World {
  const owners = new Set(
    Object.values(roots).flatMap(({ components }) => components.map(({ owner }) => owner)),
  );
  const homes = world.homes.map((home) =>
    owners.has(home.account) ? { ...home, mayBeEmpty: false } : home,
  );
  return { ...world, homes };
}

/** The history after a scan, and every component that is known now, each once. */
export function remember(
  known: History,
  { readings }: Pick<ScanResult, 'readings'>,
  { coverage, atMs }: { readonly coverage: string; readonly atMs: number },
): { readonly history: History; readonly components: readonly Component[] } {
  const planned = new Set(readings.map(({ root }) => root.id));
  const blind = unseenAccounts(readings);
  const kept = Object.entries(known.roots).filter(
    ([id, row]) => !planned.has(id) && (row.coverage !== coverage || blind.has(accountOf(row))),
  );
  const read = readings.map((reading) => {
    return [reading.root.id, rowOf(reading, known, coverage)] as const;
  });
  const roots = Object.fromEntries(
    [...kept, ...read].filter(([, row]) => row.components.length > 0),
  );
  // What was read now comes first: it is newer than what an unread root is known to have held.
  const components = new Map<string, Component>();
  const all = [...readings, ...Object.values(roots)].flatMap((row) => row.components);
  for (const component of all) {
    if (!components.has(component.id)) components.set(component.id, component);
  }
  const seen = new Set(readings.flatMap((row) => row.components.map(({ id }) => id)));
  const ids = [...components.keys()];
  const firstSeen = Object.fromEntries(ids.map((id) => [id, known.firstSeen[id] ?? atMs]));
  const lastSeen = Object.fromEntries(
    ids.map((id) => [id, seen.has(id) ? atMs : (known.lastSeen?.[id] ?? firstSeen[id] ?? atMs)]),
  );
  return { history: { format, firstSeen, lastSeen, roots }, components: [...components.values()] };
}

/**
 * Whose places could not all be looked at: there a scan names fewer roots than there are, as files of a
 * home say where more of them lie.
 */
function unseenAccounts(readings: readonly Reading[]): ReadonlySet<string | null> {
  const unseen = ['unavailable', 'unreadable', 'timeout'];
  return new Set(
    readings
      .filter(({ status }) => unseen.includes(status))
      .map(({ root }) => root.home?.account ?? null),
  );
}

const accountOf = ({ account, components }: RootRow): string | null =>
  account === undefined ? (components[0]?.owner ?? null) : account;

function rowOf(reading: Reading, known: History, coverage: string): RootRow {
  const { root, status, components } = reading;
  const account = root.home?.account ?? null;
  if (status === 'complete' || status === 'absent') return { coverage, account, components };
  const found = new Set(components.map(({ id }) => id));
  const before = known.roots[root.id]?.components ?? [];
  const kept = before.filter(({ id }) => !found.has(id));
  return { coverage, account, components: [...components, ...kept] };
}
