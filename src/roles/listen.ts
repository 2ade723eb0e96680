import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import { AiRouterError } from '../errors.js';

/**
 * Listens where the settings say; answers the port.
 *
 * @throws AiRouterError port_in_use, invalid_setting
 */
export async function listen(
  app: FastifyInstance,
  { port, host }: Pick<Config, 'port' | 'host'>,
): Promise<number> {
  try {
    await app.listen({ port, host });
  } catch (error) {
    throw asListenError(error, host, port);
  }
  return (app.server.address() as AddressInfo).port;
}

export function asListenError(error: unknown, host: string, port: number): unknown {
  const code = (error as { code?: string }).code;
  if (code === 'EADDRINUSE') {
    const message = `PORT ${port} on ${host} is taken by another process: another PORT is to be set, or 0 for any`;
    return new AiRouterError('port_in_use', message, {
      field: 'PORT',
      rule: 'a free port',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const message = `HOST ${host} with PORT ${port} cannot be listened on`;
    return new AiRouterError('invalid_setting', message, {
      field: 'HOST',
      rule: 'an address of this machine',
      cause: error,
    });
  }
  return error;
}
