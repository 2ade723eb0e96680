import type { Pool, QueryResultRow } from 'pg';
import { AiRouterError } from '../errors.js';

/** One statement of the embedded log: it is planned once a connection. */
export interface Statement {
  name: string;
  text: string;
}

/** The tables of one embedded log. */
export interface LogDatabase {
  /** Qualified, quoted name of a table of the log. */
  table(name: 'log_topic' | 'log_partition' | 'log_record' | 'log_member'): string;
  statement(name: string, text: string): Statement;
  /** Rejects with `log_unavailable` where trying again may help. */
  query<Row extends QueryResultRow>(statement: Statement, values: unknown[]): Promise<Row[]>;
}

export function logDatabase(pool: Pool, schema: string): LogDatabase {
  return {
    table: (name) => `"${schema}".${name}`,
    statement: (name, text) => ({ name: `${schema}_${name}`, text }),
    async query<Row extends QueryResultRow>(statement: Statement, values: unknown[]) {
      try {
        return (await pool.query<Row>({ ...statement, values })).rows;
      } catch (error) {
        throw asLogError(error);
      }
    },
  };
}

function asLogError(error: unknown): unknown {
  return error instanceof AiRouterError && error.code === 'database_unavailable'
    ? new AiRouterError('log_unavailable', `The embedded log: ${error.message}`, {
        cause: error.cause,
      })
    : error;
}
