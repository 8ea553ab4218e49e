/**
 * The tables of the agent's database, by version. A migration only goes forward and is never edited
 * once released: a change is a new entry at the end. `user_version` says how many have run; a database
 * that has run more than we know was written by a newer agent and is left alone.
 */
import type { Database } from 'better-sqlite3';
import { CurfewError } from '../wire/errors.js';

const migrations: readonly string[] = [
  `
  -- A component is what a detector made of it (body, JSON); the rest is history.
  CREATE TABLE components (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
  ) WITHOUT ROWID;

  -- Which roots show a component. missing_since: a complete read of that root lacked it; a second one
  -- confirms. The row goes then, and with its last row the component.
  CREATE TABLE component_roots (
    root TEXT NOT NULL,
    component TEXT NOT NULL,
    missing_since INTEGER,
    PRIMARY KEY (root, component)
  ) WITHOUT ROWID;
  CREATE INDEX component_roots_by_component ON component_roots (component);

  CREATE TABLE roots (
    id TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    account TEXT,
    status TEXT NOT NULL,
    last_read INTEGER NOT NULL,
    last_complete INTEGER,
    problems TEXT NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    component TEXT NOT NULL,
    tool TEXT,
    before TEXT,
    after TEXT
  );

  CREATE TABLE verdicts (
    component TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    policy TEXT,
    rule TEXT,
    body TEXT NOT NULL,
    since INTEGER NOT NULL
  ) WITHOUT ROWID;

  -- One chain per subject ('machine', or 'person:' and the account).
  CREATE TABLE streams (
    subject TEXT PRIMARY KEY,
    stream TEXT NOT NULL UNIQUE,
    last_seq INTEGER NOT NULL,
    last_hash TEXT NOT NULL,
    -- What the server was last told of the scan, and whether it needs a snapshot.
    scan TEXT,
    needs_snapshot INTEGER NOT NULL
  ) WITHOUT ROWID;

  -- Outbox and ledger: a report waits, then is kept as what was said.
  CREATE TABLE outbox (
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    prev TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    code TEXT,
    acked_at INTEGER,
    PRIMARY KEY (stream, seq)
  ) WITHOUT ROWID;
  CREATE INDEX outbox_waiting ON outbox (stream, seq) WHERE state = 'pending';

  -- What the server was last told of each component; the next report is the difference.
  CREATE TABLE reported (
    component TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    hash TEXT NOT NULL
  ) WITHOUT ROWID;

  -- The signed documents in use ('bundle', 'assignment') and the catalogue, as they came.
  CREATE TABLE documents (
    kind TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    content TEXT NOT NULL,
    stored_at INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE trusted_time (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    saved_at INTEGER NOT NULL,
    is_confirmed INTEGER NOT NULL
  );

  -- Once per finding (tool and person, or an unnamed component) and rule.
  CREATE TABLE prompts (
    finding TEXT NOT NULL,
    rule TEXT NOT NULL,
    shown_at INTEGER NOT NULL,
    PRIMARY KEY (finding, rule)
  ) WITHOUT ROWID;

  -- Small facts of our own: the zone that device-local dates are read in, the device facts last told.
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  `,
  `
  -- A prompt is shown once for each status of its finding and rule, not once for ever.
  ALTER TABLE prompts ADD COLUMN status TEXT NOT NULL DEFAULT 'pending';

  -- Of each rule that counts by the device: its zone, and the notice from which grace counts.
  CREATE TABLE rule_terms (
    policy TEXT NOT NULL,
    rule TEXT NOT NULL,
    zone TEXT NOT NULL,
    judged_at INTEGER,
    told_at INTEGER,
    returned_at INTEGER,
    PRIMARY KEY (policy, rule)
  ) WITHOUT ROWID;
  `,
];

/** The version this build writes. */
export const schemaVersion = migrations.length;

/** The version of a database. STORE_NEWER when it is ahead of us. */
function versionOf(db: Database, file: string): number {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version <= schemaVersion) return version;
  throw new CurfewError(
    'STORE_NEWER',
    `${file} was written by a newer version (its tables are ${version}, this one knows ${schemaVersion})`,
    { hint: 'Install that version again; nothing was changed.' },
  );
}

/** Brings the database to this version in one transaction. STORE_NEWER when it is ahead of us. */
export function migrate(db: Database, file: string): void {
  const version = versionOf(db, file);
  if (version === schemaVersion) return;
  db.transaction(() => {
    for (const sql of migrations.slice(version)) db.exec(sql);
    db.pragma(`user_version = ${schemaVersion}`);
  })();
}

/** Where nothing may be changed, only a database of this very version can be read. */
export function refuseOtherVersion(db: Database, file: string): void {
  if (versionOf(db, file) === schemaVersion) return;
  throw new CurfewError('NOT_FOUND', `${file} is of an older version of the agent`, {
    hint: 'Start the agent of this version once with `curfew run`; it brings the database up to date.',
  });
}
