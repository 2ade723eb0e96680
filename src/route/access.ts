import type { FastifyRequest } from 'fastify';
import { AiRouterError } from '../errors.js';

/** Who asks. */
export interface Caller {
  tenant: string;
}

/** Who the caller of a request is; throws `unauthorized` or `forbidden`. */
export type Authenticate = (request: FastifyRequest) => Caller;

/**
 * Without keys only this machine is served. The peer's address counts, not what a header says of
 * it: anybody can write a header.
 */
export const loopbackOnly: Authenticate = ({ socket }) => {
  if (isLoopback(socket.remoteAddress ?? '')) return { tenant: '' };
  throw new AiRouterError('forbidden', 'no keys are set, so only loopback is served');
};

function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return plain === '::1' || /^127(\.\d{1,3}){3}$/.test(plain);
}
