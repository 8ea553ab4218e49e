/**
 * A SQLite connection as the topic files use it: each statement prepared once, rows as plain objects.
 * It knows no table and opens no transaction.
 */
import type Database from 'better-sqlite3';

export type SqlValue = string | number | null;
export type Parameters = Readonly<Record<string, SqlValue>>;

export interface Sql {
  all<Row>(sql: string, parameters?: Parameters): readonly Row[];
  /** Rows as arrays of their columns: half the cost, for millions of them. */
  rows<Row extends readonly unknown[]>(sql: string, parameters?: Parameters): readonly Row[];
  get<Row>(sql: string, parameters?: Parameters): Row | null;
  /** Rows changed. */
  run(sql: string, parameters?: Parameters): number;
}

export function sqlOf(database: Database.Database): Sql {
  const prepared = new Map<string, Database.Statement>();
  const raw = new Map<string, Database.Statement>();
  const statement = (sql: string, known = prepared): Database.Statement => {
    let found = known.get(sql);
    if (found !== undefined) return found;
    found = database.prepare(sql);
    if (known === raw) found.raw();
    known.set(sql, found);
    return found;
  };
  return {
    all: <Row>(sql: string, parameters: Parameters = {}) => statement(sql).all(parameters) as Row[],
    rows: <Row extends readonly unknown[]>(sql: string, parameters: Parameters = {}) =>
      statement(sql, raw).all(parameters) as Row[],
    get: <Row>(sql: string, parameters: Parameters = {}) =>
      (statement(sql).get(parameters) as Row | undefined) ?? null,
    run: (sql, parameters = {}) => statement(sql).run(parameters).changes,
  };
}
