import { createServer } from 'node:net';
import type { Config } from '../config.js';
import { findOwner } from '../database/owner.js';
import { asListenError } from './listen.js';

/**
 * Refuses a port that is taken before a database is made for nothing. Where the folder has an owner,
 * that one is likely to have it, and is named by who asks for the folder.
 *
 * @throws AiRouterError port_in_use, invalid_setting
 */
export async function requireFreePort({
  port,
  host,
  dataDir,
}: Pick<Config, 'port' | 'host' | 'dataDir'>): Promise<void> {
  try {
    await listenOnce(port, host);
  } catch (error) {
    if ((await findOwner(dataDir)) === null) throw asListenError(error, host, port);
  }
}

function listenOnce(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
