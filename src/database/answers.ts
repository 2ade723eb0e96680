import { Client } from 'pg';
import { EMBEDDED_USER } from './data-folder.js';

/** A server that is up answers at once: then it is asked again. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Whether the server of exactly this data folder answers on the port. */
export async function answers(port: number, password: string, data: string): Promise<boolean> {
  if (port === 0) return false;
  const client = new Client({
    connectionString: urlOf(port, password),
    connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  client.on('error', () => {}); // What breaks later is told by the query.
  try {
    await client.connect();
    const result = await client.query<{ folder: string }>(
      "select current_setting('data_directory') as folder",
    );
    return result.rows[0]?.folder === data;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** With the password: not to be logged. */
export function urlOf(port: number, password: string): string {
  return `postgres://${EMBEDDED_USER}:${password}@127.0.0.1:${port}/postgres`;
}
