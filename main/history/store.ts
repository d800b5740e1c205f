import type { Database, Statement } from 'better-sqlite3';

/** Statements kept ready. Filters come in many shapes, so the least used are dropped. */
const MAX_STATEMENTS = 500;

/** Values that a statement may be given. */
export type Value = number | string | bigint | Uint8Array | null;

/** An open database, with its statements prepared once. */
export interface Store {
  readonly database: Database;
  /** Rows as objects. */
  rows<Row>(sql: string): Statement<Value[], Row>;
  /** Only the first column of each row. */
  column<T>(sql: string): Statement<Value[], T>;
  /** Rows as arrays, for reading very many. */
  tuples<T extends readonly unknown[]>(sql: string): Statement<Value[], T>;
  /** Runs `work` as one transaction; within another one, as a part of it that can fail alone. */
  transact<T>(work: () => T): T;
}

export function createStore(database: Database): Store {
  const statements = new Map<string, Statement>();
  const prepare = (sql: string, mode: 'rows' | 'column' | 'tuples'): Statement => {
    const key = `${mode} ${sql}`;
    let statement = statements.get(key);
    if (statement === undefined) {
      statement = database.prepare(sql);
      if (mode === 'column') statement.pluck();
      if (mode === 'tuples') statement.raw();
    } else {
      // Taken out and put back: a Map keeps the order of insertion, so the first is the stalest.
      statements.delete(key);
    }
    statements.set(key, statement);
    if (statements.size > MAX_STATEMENTS) {
      const [stalest] = statements.keys();
      if (stalest !== undefined) statements.delete(stalest);
    }
    return statement;
  };
  const transaction = database.transaction((work: () => unknown) => work());
  return {
    database,
    rows: <Row>(sql: string) => prepare(sql, 'rows') as Statement<Value[], Row>,
    column: <T>(sql: string) => prepare(sql, 'column') as Statement<Value[], T>,
    tuples: <T extends readonly unknown[]>(sql: string) =>
      prepare(sql, 'tuples') as Statement<Value[], T>,
    transact: <T>(work: () => T) => transaction.immediate(work) as T,
  };
}
