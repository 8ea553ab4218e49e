/**
 * The agent's database: SQLite in WAL mode, every commit on disk before it returns. All SQL of the
 * agent is here and in the files `store-*.ts`; what the rows mean is decided by the
 * inventory, the loop and the outbox. A damaged database is set aside, never deleted, and a new one is
 * begun: identity, pins and floors are files of their own, and the next scan fills the rest.
 */
import fs from 'node:fs';
import path from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import type { Component, RootStatus } from '../policies/component.js';
import type { Verdict } from '../policies/evaluate.js';
import { CurfewError } from '../wire/errors.js';
import type { Problem } from './detect/index.js';
import { inventoryStore, type InventoryStore } from './store-inventory.js';
import { reportStore, type ReportStore } from './store-reports.js';
import { migrate, refuseOtherVersion } from './store-schema.js';
import { termsStore, type TermsStore } from './store-terms.js';

export type DocumentKind = 'bundle' | 'assignment' | 'catalogue';

/** A signed document as it came; for the catalogue its JSON text under the bundle's sequence. */
export interface StoredDocument {
  readonly sequence: number;
  readonly content: string;
}

export interface StoredRoot {
  readonly id: string;
  readonly path: string;
  /** null: belongs to the machine. */
  readonly account: string | null;
  readonly status: RootStatus;
  readonly lastRead: number;
  readonly lastComplete: number | null;
  readonly problems: readonly Problem[];
}

export interface StoredComponent {
  readonly component: Component;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

export interface StoredVerdict {
  readonly component: string;
  readonly verdict: Verdict;
  /** Since when the status has been this one. */
  readonly since: number;
}

export interface Store extends InventoryStore, ReportStore, TermsStore {
  readonly file: string;
  /** Where a damaged database was put, when this one is its successor. */
  readonly setAsideAs: string | null;
  document(kind: DocumentKind): StoredDocument | null;
  saveDocument(kind: DocumentKind, document: StoredDocument, atMs: number): void;
  /** Adds to a counter and answers its value. */
  count(name: string, by?: number): number;
  saveTrustedTime(atMs: number, isConfirmed: boolean): void;
  /** A small fact of our own under a name (`facts`); null when it was never kept. */
  fact(name: string): string | null;
  saveFact(name: string, value: string): void;
  transaction<T>(work: () => T): T;
  close(): void;
}

export interface StoreOptions {
  /** For a look beside a running agent: changes nothing, migrates nothing. */
  readonly isReadOnly?: boolean;
  /** Wall time for the name of a damaged file. */
  readonly nowMs?: number;
}

export const databaseName = 'curfew.db';

/**
 * Opens the database in the data folder, making both when they are missing. STORE_NEWER when a newer
 * agent wrote it; STORE_DAMAGED when it is damaged and may not be set aside (read-only).
 */
export function openStore(folder: string, options: StoreOptions = {}): Store {
  const file = path.join(folder, databaseName);
  if (options.isReadOnly === true) return wrap(openReadOnly(file), file, null);
  makeFolder(folder);
  let setAsideAs: string | null = null;
  let db = openSound(file);
  if (db === null) {
    setAsideAs = setAside(file, options.nowMs ?? Date.now());
    db = openSound(file);
  }
  if (db === null) {
    throw new CurfewError('STORE_DAMAGED', `${file} cannot be made`, {
      hint: `The damaged one is kept as ${setAsideAs ?? file}; check the disk.`,
    });
  }
  try {
    migrate(db, file);
    return wrap(db, file, setAsideAs);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Makes the data folder when it is missing. Errors: FOLDER_NOT_WRITABLE. */
export function makeFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    throw new CurfewError('FOLDER_NOT_WRITABLE', `the data folder ${folder} cannot be written`, {
      hint: 'Choose another with CURFEW_DATA_FOLDER, or give this account the right to write there.',
      cause: error,
    });
  }
}

/** The native part lies beside the bundle where there is no node_modules. */
export function nativeBinding(): { nativeBinding?: string } {
  const beside = path.join(import.meta.dirname, 'better_sqlite3.node');
  return fs.existsSync(beside) ? { nativeBinding: beside } : {};
}

/** The open database, or null when it is damaged. */
function openSound(file: string): Database | null {
  let db: Database | null = null;
  try {
    db = new Sqlite(file, { timeout: 5000, ...nativeBinding() });
    fs.chmodSync(file, 0o600);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    if (db.pragma('quick_check(1)', { simple: true }) === 'ok') return db;
  } catch (error) {
    if (!isDamage(error)) {
      db?.close();
      throw error;
    }
  }
  db?.close();
  return null;
}

function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

/** Puts the damaged file and its logs aside under a name with the time; answers the new name. */
function setAside(file: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[:.]/g, '-');
  const aside = `${file}.damaged-${stamp}`;
  for (const ending of ['', '-wal', '-shm']) {
    if (fs.existsSync(file + ending)) fs.renameSync(file + ending, aside + ending);
  }
  return aside;
}

function openReadOnly(file: string): Database {
  if (!fs.existsSync(file)) {
    throw new CurfewError('NOT_FOUND', `there is no database at ${file}`, {
      hint: 'The agent has not run with this data folder yet; start it with `curfew run`.',
    });
  }
  let db: Database | null = null;
  try {
    db = new Sqlite(file, { readonly: true, timeout: 5000, ...nativeBinding() });
    refuseOtherVersion(db, file);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof CurfewError) throw error;
    throw new CurfewError('STORE_DAMAGED', `${file} cannot be read`, { cause: error });
  }
}

function wrap(db: Database, file: string, setAsideAs: string | null): Store {
  return {
    file,
    setAsideAs,
    ...inventoryStore(db),
    ...reportStore(db),
    ...termsStore(db),
    ...documents(db),
    ...remembering(db),
    transaction: (work) => db.transaction(work).immediate(),
    close: () => void db.close(),
  };
}

function documents(db: Database): Pick<Store, 'document' | 'saveDocument'> {
  const read = db.prepare<[string], StoredDocument>(
    'SELECT sequence, content FROM documents WHERE kind = ?',
  );
  const save = db.prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)');
  return {
    document: (kind) => read.get(kind) ?? null,
    saveDocument: (kind, { sequence, content }, atMs) =>
      void save.run(kind, sequence, content, atMs),
  };
}

function remembering(db: Database): Pick<Store, 'count' | 'saveTrustedTime' | 'fact' | 'saveFact'> {
  const readFact = db.prepare<[string], { value: string }>(
    'SELECT value FROM facts WHERE name = ?',
  );
  const saveFact = db.prepare('INSERT OR REPLACE INTO facts VALUES (?, ?)');
  const count = db.prepare<[string, number], { value: number }>(
    `INSERT INTO counters VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value`,
  );
  const time = db.prepare('INSERT OR REPLACE INTO trusted_time VALUES (1, ?, ?)');
  return {
    fact: (name) => readFact.get(name)?.value ?? null,
    saveFact: (name, value) => void saveFact.run(name, value),
    count: (name, by = 1) => count.get(name, by)?.value ?? 0,
    saveTrustedTime: (atMs, isConfirmed) => void time.run(Math.round(atMs), isConfirmed ? 1 : 0),
  };
}
