import type { Pool } from 'pg';
import { AiRouterError } from '../errors.js';
import { addressOf, connectError } from './classify.js';

/** Oldest major version of PostgreSQL that the tests run on. */
const MAJOR_MIN = 15;

/** What a session says of its server and of itself. */
export interface Session {
  /** As `server_version`: `15.18 (Debian 15.18-0+deb12u1)`. */
  version: string;
  /** As `server_version_num`: 150018. */
  versionNumber: number;
  statementTimeoutMs: number;
  /** The process that answers is not the one that let us in: something stands in between. */
  isPooled: boolean;
}

/**
 * Holds the server behind a pool to what the product is built on, once, before its first use.
 * Throws `invalid_setting` for a server that will not do, `database_unavailable` for one that
 * cannot be reached.
 */
export async function checkServer(
  pool: Pool,
  url: string,
  statementTimeoutMs: number,
): Promise<void> {
  const session = await describeSession(pool).catch((error: unknown) => {
    throw connectError(error, url);
  });
  const problem = problemOf(session, statementTimeoutMs);
  if (problem === null) return;
  throw new AiRouterError(
    'invalid_setting',
    `DATABASE_URL must ${problem.rule}; ${addressOf(url)} ${problem.found}.`,
    { field: 'DATABASE_URL', rule: problem.rule },
  );
}

async function describeSession(pool: Pool): Promise<Session> {
  const client = await pool.connect();
  // A connection that breaks tells its client too, and would end the process without a listener.
  const onError = (): void => {};
  client.on('error', onError);
  try {
    const { rows } = await client.query<{
      version: string;
      version_number: number;
      statement_timeout_ms: number;
      pid: number;
    }>(
      `select current_setting('server_version') as version,
         current_setting('server_version_num')::int as version_number,
         (select setting::int from pg_settings where name = 'statement_timeout')
           as statement_timeout_ms,
         pg_backend_pid() as pid`,
    );
    const [row] = rows;
    return {
      version: row!.version,
      versionNumber: row!.version_number,
      statementTimeoutMs: row!.statement_timeout_ms,
      // Poolers hand out process ids of their own, so that a cancel comes to them.
      isPooled: (client as unknown as { processID: number | null }).processID !== row!.pid,
    };
  } finally {
    client.off('error', onError);
    client.release();
  }
}

/**
 * What is wrong, as `must <rule>` and what was found; null = nothing. A pooler that shares
 * sessions drops the settings of ours, and with them limits, time zone and locks of a session.
 */
export function problemOf(
  session: Session,
  statementTimeoutMs: number,
): { rule: string; found: string } | null {
  if (session.versionNumber < MAJOR_MIN * 10_000) {
    return {
      rule: `name PostgreSQL ${MAJOR_MIN} or newer`,
      found: `is ${session.version}`,
    };
  }
  if (session.statementTimeoutMs === statementTimeoutMs) return null;
  const where = session.isPooled ? 'is a pooler that gives' : 'gives';
  return {
    rule: 'lead to Postgres itself, or to a pooler that keeps a session and its settings for each client',
    found: `${where} statement_timeout ${session.statementTimeoutMs} ms where ${statementTimeoutMs} ms were asked for`,
  };
}
