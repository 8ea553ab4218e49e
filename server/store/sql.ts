/**
 * A SQLite connection as the topic files use it: each statement prepared once, rows as plain objects.
 * It knows no table and opens no transaction.
 */
import type Database from 'better-sqlite3';

export type SqlValue = string | number | null;
export type Parameters = Readonly<Record<string, SqlValue>>;

export interface Sql {
  all<Row>(sql: string, parameters?: Parameters): readonly Row[];
  get<Row>(sql: string, parameters?: Parameters): Row | null;
  /** Rows changed. */
  run(sql: string, parameters?: Parameters): number;
}

export function sqlOf(database: Database.Database): Sql {
  const prepared = new Map<string, Database.Statement>();
  const statement = (sql: string): Database.Statement => {
    let known = prepared.get(sql);
    if (known === undefined) prepared.set(sql, (known = database.prepare(sql)));
    return known;
  };
  return {
    all: <Row>(sql: string, parameters: Parameters = {}) => statement(sql).all(parameters) as Row[],
    get: <Row>(sql: string, parameters: Parameters = {}) =>
      (statement(sql).get(parameters) as Row | undefined) ?? null,
    run: (sql, parameters = {}) => statement(sql).run(parameters).changes,
  };
}
