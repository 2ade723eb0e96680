import { DatabaseError } from 'pg';
import { AiRouterError } from '../errors.js';

/** SQLSTATEs after which the same work may succeed: by code, or by class (first two characters). */
const RETRY: Readonly<Record<string, string>> = {
  '08': 'the connection broke',
  '40001': 'another transaction came first',
  '40P01': 'two transactions waited for each other',
  '53': 'the server is short of connections, memory or disk',
  '55P03': 'a lock was not had in time',
  '57014': 'the statement took longer than its limit',
  '57P01': 'the server is shutting down',
  '57P02': 'another session crashed and took all sessions with it',
  '57P03': 'the server is starting up',
  '57P05': 'the session was idle for too long',
  '58': 'the operating system reported an error',
  '25006': 'the server is a replica: the primary has moved',
  '25P03': 'the transaction was idle for too long',
};

/** Socket and name errors of the operating system, as Node names them. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
]);

/** What the pg package says without a code. */
const CONNECTION_LOST =
  /^(Connection terminated|Query read timeout|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;

/**
 * An error of Postgres as `database_unavailable` where trying again may help; every other error
 * is answered as it is. `address` (host:port) is named where the server could not be reached.
 */
export function classify(error: unknown, address = 'Postgres'): unknown {
  if (error instanceof AiRouterError || !(error instanceof Error)) return error;
  const causes = error instanceof AggregateError ? error.errors : [error];
  const code = String((causes[0] as { code?: unknown } | undefined)?.code ?? '');
  const reason = RETRY[code] ?? RETRY[code.slice(0, 2)];
  if (causes[0] instanceof DatabaseError && reason !== undefined) {
    return unavailable(`${reason} (${code}: ${error.message})`, error);
  }
  if (UNREACHABLE.has(code) || CONNECTION_LOST.test(error.message)) {
    const messages = causes.map((cause) => (cause as Error).message).join('; ');
    return unavailable(`${address} cannot be reached: ${messages}`, error);
  }
  return error;
}

/**
 * An error of connecting to the database that a URL names, for its first use. A server that
 * answers and lets us not in (password, database, TLS) is no outage: `invalid_setting`.
 */
export function connectError(error: unknown, url: string): unknown {
  const address = `Postgres at ${addressOf(url)}`;
  const known = isRefusedParameter(error) ? error : classify(error, address);
  if (known instanceof AiRouterError || !(error instanceof Error)) return known;
  return new AiRouterError(
    'invalid_setting',
    `DATABASE_URL must name a database that can be entered; ${address} says: ${error.message}`,
    { field: 'DATABASE_URL', rule: 'a database that can be entered', cause: error },
  );
}

/** PgBouncer, of the limits that our sessions ask for: with 08P01, as for all it says. */
function isRefusedParameter(error: unknown): boolean {
  return error instanceof DatabaseError && /unsupported startup parameter/.test(error.message);
}

function unavailable(message: string, cause: unknown): AiRouterError {
  return new AiRouterError('database_unavailable', message, { cause });
}

/** `host:port` of a database URL, without user and password. */
export function addressOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname === '' ? 'localhost' : hostname}:${port === '' ? '5432' : port}`;
}
