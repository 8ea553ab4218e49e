/**
 * The store on SQLite: one connection that writes, one that reads committed state. Writes wait for
 * each other in a queue, so a transaction may span `await`s without another write slipping in. A
 * commit is on disk when `write` resolves (WAL with synchronous FULL).
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { CurfewError } from '../../wire/errors.js';
import type { Reading, Store, Writing } from './index.js';
import { migrations } from './migrations.js';
import { sqlOf, type Sql } from './sql.js';
import { assignmentSources } from './sqlite-assignments.js';
import { complianceWrites } from './sqlite-compliance.js';
import { deviceWrites, tokenWrites } from './sqlite-devices.js';
import { fleetReads } from './sqlite-fleet.js';
import { peopleWrites } from './sqlite-people.js';
import { policyWrites } from './sqlite-policies.js';
import { reportWrites } from './sqlite-reports.js';
import { signingWrites } from './sqlite-signing.js';

const busyTimeoutMs = 10_000;

/** Errors: STORE_NEWER, STORE_DAMAGED. */
export function openSqliteStore(file: string): Store {
  const isNew = !existsSync(file);
  const writer = connect(file);
  try {
    migrate(writer, file);
  } catch (error) {
    writer.close();
    throw error;
  }
  if (isNew && process.platform !== 'win32') chmodSync(file, 0o600);
  const reader = connect(file);
  return new SqliteStore(writer, reader);
}

class SqliteStore implements Store {
  readonly serverId: string;
  readonly read: Reading;
  readonly #writer: Database.Database;
  readonly #reader: Database.Database;
  readonly #writing: Writing;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(writer: Database.Database, reader: Database.Database) {
    this.#writer = writer;
    this.#reader = reader;
    this.#writing = topics(sqlOf(writer));
    this.read = topics(sqlOf(reader));
    const row = reader.prepare('SELECT id FROM server').get() as { id: string };
    this.serverId = row.id;
  }

  write<T>(work: (writing: Writing) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => this.#transaction(work));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #transaction<T>(work: (writing: Writing) => Promise<T>): Promise<T> {
    this.#writer.exec('BEGIN IMMEDIATE');
    try {
      const result = await work(this.#writing);
      this.#writer.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#writer.inTransaction) this.#writer.exec('ROLLBACK');
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#queue;
    this.#reader.close();
    this.#writer.close();
  }
}

function topics(sql: Sql): Writing {
  return {
    devices: deviceWrites(sql),
    tokens: tokenWrites(sql),
    reports: reportWrites(sql),
    compliance: complianceWrites(sql),
    fleet: fleetReads(sql),
    policies: policyWrites(sql),
    signing: signingWrites(sql),
    assignments: assignmentSources(sql),
    people: peopleWrites(sql),
  };
}

function connect(file: string): Database.Database {
  const database = new Database(file, { timeout: busyTimeoutMs });
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('wal_autocheckpoint = 10000');
    database.pragma('foreign_keys = ON');
  } catch (error) {
    database.close();
    throw new CurfewError('STORE_DAMAGED', `${file} cannot be read as a database`, {
      hint: 'Restore it from a backup, or move it away to start with an empty server.',
      cause: error,
    });
  }
  return database;
}

function migrate(database: Database.Database, file: string): void {
  const upgrade = database.transaction(() => {
    const version = database.pragma('user_version', { simple: true }) as number;
    if (version > migrations.length) {
      throw new CurfewError(
        'STORE_NEWER',
        `${file} has version ${version}; this server knows ${migrations.length}`,
        { hint: 'Start the newer server that wrote it, or restore the backup from before.' },
      );
    }
    for (const step of migrations.slice(version)) database.exec(step);
    database.pragma(`user_version = ${migrations.length}`);
    if (version === 0) {
      database
        .prepare('INSERT INTO server (id, created_at) VALUES (?, ?)')
        .run(randomUUID(), Date.now());
    }
  });
  upgrade.immediate();
}
