import { DatabaseError, Pool, type PoolClient, types } from 'pg';
import { classify } from './classify.js';

export interface PoolOptions {
  /** Connections that are kept once they were needed. */
  poolSize: number;
  /** Connections beyond them under load, closed when they idle. */
  poolOverflow?: number;
  /** Longest statement; the server cancels it. 0 = no limit. */
  statementTimeoutMs: number;
  /** Longest wait for a lock. */
  lockTimeoutMs: number;
  /** What is written can be made again: commits do not wait for the disk. */
  isDisposable?: boolean;
  /** Shown in pg_stat_activity. */
  applicationName: string;
}

export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

/**
 * Longest wait for a connection, also for a free one of the pool: what waits longer is tried again.
 */
const CONNECT_TIMEOUT_MS = 5_000;
/** Connections beyond those that are kept are closed once they idle so long. */
const IDLE_CLOSE_MS = 30_000;
/** A client that was stopped within a transaction must not hold its locks for ever. */
const IDLE_IN_TRANSACTION_MS = 60_000;
/** How much later than the server we give up ourselves: only where its answer is lost. */
const ANSWER_GRACE_MS = 5_000;

/** Whatever a single statement fails with comes classified, as from `withTransaction`. */
class ClassifyingPool extends Pool {
  override query = ((...given: unknown[]) =>
    (super.query as (...given: unknown[]) => Promise<unknown>)
      .apply(this, given)
      .catch((error: unknown) => {
        throw classify(error);
      })) as Pool['query'];
}

/**
 * Connections to one database. `int8` is read as a number, and a value beyond 2^53 − 1 is an
 * error, not a wrong number: a statement whose sums may be larger selects them as text. `numeric`
 * stays text. An idle connection that breaks is replaced in silence; what uses one gets its error.
 */
export function createPool(url: string, options: PoolOptions): Pool {
  const pool = new ClassifyingPool({
    connectionString: url,
    application_name: options.applicationName,
    max: options.poolSize + (options.poolOverflow ?? 0),
    min: options.poolSize,
    idleTimeoutMillis: IDLE_CLOSE_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    allowExitOnIdle: false,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    ...(options.statementTimeoutMs > 0 && {
      query_timeout: options.statementTimeoutMs + ANSWER_GRACE_MS,
    }),
    // What is acknowledged is on disk, also where the server's default is otherwise.
    options: `-c TimeZone=UTC -c synchronous_commit=${options.isDisposable ? 'off' : 'on'}`,
    types: { getTypeParser: typeParser as typeof types.getTypeParser },
  });
  // Without a listener, the error of a connection that nobody uses would end the process.
  pool.on('error', () => {});
  return pool;
}

/**
 * Runs `work` in one transaction on one connection; commits when it resolves, rolls back when it
 * rejects. Errors come classified. When the commit itself fails for want of an answer, it may
 * have happened: the caller has to read again.
 */
export async function withTransaction<T>(
  pool: Pool,
  isolation: Isolation,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  let client: PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw classify(error);
  }
  // A connection that breaks between two statements tells its client, who must be listening.
  const onError = (): void => {};
  client.on('error', onError);
  let broken: unknown = null;
  try {
    await client.query(`begin isolation level ${isolation}`);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    broken = await rollback(client, error);
    throw classify(error);
  } finally {
    client.off('error', onError);
    client.release(broken !== null);
  }
}

/** Answers why the connection cannot be used again; null = it can. */
async function rollback(client: PoolClient, reason: unknown): Promise<unknown> {
  const isLost = !(reason instanceof DatabaseError) && classify(reason) !== reason;
  if (isLost) return reason;
  try {
    await client.query('rollback');
    return null;
  } catch (failed) {
    return failed;
  }
}

const INT8 = types.builtins.INT8;

function typeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  return oid === INT8 && format !== 'binary'
    ? safeInteger
    : (types.getTypeParser(oid, format as 'text') as (value: string) => unknown);
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`int8 ${text} is beyond 2^53 − 1: select it as text`);
}
