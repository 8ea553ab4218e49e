/**
 * The part of the store that concerns what is on the machine: components, the roots that show them,
 * their verdicts and their history. SQL only; `inventory.ts` decides what appears and what is gone.
 */
import type { Database } from 'better-sqlite3';
import type { Component, RootStatus } from '../policies/component.js';
import type { Verdict } from '../policies/evaluate.js';
import type { Problem } from './detect/index.js';
import type { StoredComponent, StoredRoot, StoredVerdict } from './store.js';

/** History rows kept; the oldest go first. */
const keptHistory = 20_000;

export interface RootLink {
  readonly component: string;
  /** When a complete read first lacked it; null while it is there. */
  readonly missingSince: number | null;
}

export type HistoryKind = 'appeared' | 'changed' | 'removed' | 'verdict';

export interface HistoryRow {
  readonly at: number;
  readonly kind: HistoryKind;
  readonly component: string;
  readonly tool: string | null;
  readonly before: string | null;
  readonly after: string | null;
}

export interface InventoryStore {
  components(): readonly StoredComponent[];
  component(id: string): StoredComponent | null;
  /** Whether it is kept in just this form. */
  hasComponent(component: Component): boolean;
  /** Keeps first_seen of a known one. */
  putComponent(component: Component, atMs: number): void;
  /** They are still there, as they were. */
  sawComponents(ids: readonly string[], atMs: number): void;
  dropComponent(id: string): void;
  links(root: string): readonly RootLink[];
  putLink(root: string, component: string, missingSince: number | null): void;
  dropLink(root: string, component: string): void;
  hasLinks(component: string): boolean;
  /** These roots and all others that show a component of theirs. */
  sharing(roots: Iterable<string>): ReadonlySet<string>;
  /** Roots with a link that waits for its second look, and the earliest `missing_since`. */
  awaiting(): readonly { readonly root: string; readonly since: number }[];
  roots(): readonly StoredRoot[];
  root(id: string): StoredRoot | null;
  putRoot(root: StoredRoot): void;
  /** They were read again, to the same end: only the times are written. */
  sawRoots(roots: readonly StoredRoot[]): void;
  dropRoot(id: string): void;
  verdicts(): readonly StoredVerdict[];
  putVerdict(component: string, verdict: Verdict, since: number): void;
  dropVerdict(component: string): void;
  addHistory(row: HistoryRow): void;
  history(limit: number): readonly HistoryRow[];
}

interface ComponentSql {
  body: string;
  first_seen: number;
  last_seen: number;
}
interface RootSql {
  id: string;
  path: string;
  account: string | null;
  status: string;
  last_read: number;
  last_complete: number | null;
  problems: string;
}
interface VerdictSql {
  component: string;
  body: string;
  since: number;
}

const toComponent = (row: ComponentSql): StoredComponent => ({
  component: JSON.parse(row.body) as Component,
  firstSeen: row.first_seen,
  lastSeen: row.last_seen,
});
const toRoot = (row: RootSql): StoredRoot => ({
  id: row.id,
  path: row.path,
  account: row.account,
  status: row.status as RootStatus,
  lastRead: row.last_read,
  lastComplete: row.last_complete,
  problems: JSON.parse(row.problems) as Problem[],
});

/** The inventory's part of an open database. */
export function inventoryStore(db: Database): InventoryStore {
  return { ...components(db), ...links(db), ...roots(db), ...verdicts(db), ...history(db) };
}

type Components = Pick<
  InventoryStore,
  'components' | 'component' | 'hasComponent' | 'putComponent' | 'sawComponents' | 'dropComponent'
>;

function components(db: Database): Components {
  const all = db.prepare<[], ComponentSql>('SELECT * FROM components ORDER BY id');
  const one = db.prepare<[string], ComponentSql>('SELECT * FROM components WHERE id = ?');
  const put = db.prepare(
    `INSERT INTO components (id, body, first_seen, last_seen) VALUES (@id, @body, @at, @at)
     ON CONFLICT (id) DO UPDATE SET body = @body, last_seen = @at`,
  );
  const drop = db.prepare('DELETE FROM components WHERE id = ?');
  const same = db.prepare('SELECT 1 FROM components WHERE id = ? AND body = ?');
  const saw = db.prepare(
    'UPDATE components SET last_seen = ? WHERE id IN (SELECT value FROM json_each(?))',
  );
  return {
    components: () => all.all().map(toComponent),
    hasComponent: (component) => same.get(component.id, JSON.stringify(component)) !== undefined,
    sawComponents: (ids, at) => void saw.run(at, JSON.stringify(ids)),
    component(id) {
      const row = one.get(id);
      return row === undefined ? null : toComponent(row);
    },
    putComponent: (component, at) =>
      void put.run({ id: component.id, body: JSON.stringify(component), at }),
    dropComponent: (id) => void drop.run(id),
  };
}

type Links = Pick<
  InventoryStore,
  'links' | 'putLink' | 'dropLink' | 'hasLinks' | 'sharing' | 'awaiting'
>;

function links(db: Database): Links {
  const of = db.prepare<[string], RootLink>(
    'SELECT component, missing_since AS missingSince FROM component_roots WHERE root = ?',
  );
  const put = db.prepare('INSERT OR REPLACE INTO component_roots VALUES (?, ?, ?)');
  const drop = db.prepare('DELETE FROM component_roots WHERE root = ? AND component = ?');
  const any = db.prepare('SELECT 1 FROM component_roots WHERE component = ? LIMIT 1');
  const others = db.prepare<[string], { root: string }>(
    `SELECT DISTINCT root FROM component_roots WHERE component IN
     (SELECT component FROM component_roots WHERE root = ?)`,
  );
  const waiting = db.prepare<[], { root: string; since: number }>(
    `SELECT root, min(missing_since) AS since FROM component_roots
     WHERE missing_since IS NOT NULL GROUP BY root`,
  );
  return {
    links: (root) => of.all(root),
    putLink: (root, component, missingSince) => void put.run(root, component, missingSince),
    dropLink: (root, component) => void drop.run(root, component),
    hasLinks: (component) => any.get(component) !== undefined,
    sharing(roots) {
      const ids = [...roots];
      return new Set([...ids, ...ids.flatMap((id) => others.all(id).map(({ root }) => root))]);
    },
    awaiting: () => waiting.all(),
  };
}

function roots(
  db: Database,
): Pick<InventoryStore, 'roots' | 'root' | 'putRoot' | 'sawRoots' | 'dropRoot'> {
  const all = db.prepare<[], RootSql>('SELECT * FROM roots ORDER BY id');
  const one = db.prepare<[string], RootSql>('SELECT * FROM roots WHERE id = ?');
  const put = db.prepare('INSERT OR REPLACE INTO roots VALUES (?, ?, ?, ?, ?, ?, ?)');
  const drop = db.prepare('DELETE FROM roots WHERE id = ?');
  const saw = db.prepare(
    `UPDATE roots SET last_read = one.value ->> 1, last_complete = one.value ->> 2
     FROM json_each(?) AS one WHERE roots.id = one.value ->> 0`,
  );
  return {
    roots: () => all.all().map(toRoot),
    root(id) {
      const row = one.get(id);
      return row === undefined ? null : toRoot(row);
    },
    putRoot({ id, path, account, status, lastRead, lastComplete, problems }) {
      put.run(id, path, account, status, lastRead, lastComplete, JSON.stringify(problems));
    },
    sawRoots: (seen) =>
      void saw.run(
        JSON.stringify(seen.map(({ id, lastRead, lastComplete }) => [id, lastRead, lastComplete])),
      ),
    dropRoot: (id) => void drop.run(id),
  };
}

function verdicts(db: Database): Pick<InventoryStore, 'verdicts' | 'putVerdict' | 'dropVerdict'> {
  const all = db.prepare<[], VerdictSql>('SELECT component, body, since FROM verdicts');
  const put = db.prepare('INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?, ?)');
  const drop = db.prepare('DELETE FROM verdicts WHERE component = ?');
  return {
    verdicts: () =>
      all.all().map(({ component, body, since }) => ({
        component,
        verdict: JSON.parse(body) as Verdict,
        since,
      })),
    putVerdict(component, verdict, since) {
      const body = JSON.stringify(verdict);
      put.run(component, verdict.status, verdict.policy, verdict.rule, body, since);
    },
    dropVerdict: (component) => void drop.run(component),
  };
}

function history(db: Database): Pick<InventoryStore, 'addHistory' | 'history'> {
  const add = db.prepare(
    'INSERT INTO history (at, kind, component, tool, before, after) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const prune = db.prepare(`DELETE FROM history WHERE id <= ? - ${keptHistory}`);
  const newest = db.prepare<[number], HistoryRow>(
    'SELECT at, kind, component, tool, before, after FROM history ORDER BY id DESC LIMIT ?',
  );
  return {
    addHistory({ at, kind, component, tool, before, after }) {
      const { lastInsertRowid } = add.run(at, kind, component, tool, before, after);
      if (Number(lastInsertRowid) % 1000 === 0) prune.run(lastInsertRowid);
    },
    history: (limit) => newest.all(limit),
  };
}
