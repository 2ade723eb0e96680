import type { FastifyRequest } from 'fastify';
import { AiRouterError } from '../errors.js';
import type { Access } from './access.js';
import type { Caller } from './caller.js';
import { foreignness } from './local.js';
import { SCOPES } from './scope.js';
import { asNamedTenant } from './tenant-header.js';

const CALLER: Caller = { keyId: null, tenant: '', namesTenants: true, scopes: new Set(SCOPES) };

/** Without keys: programs of this machine, for everything and for every tenant. */
export const localAccess: Access = {
  callerOf(request) {
    requireLocal(request);
    return asNamedTenant(CALLER, request);
  },
  admitToPages: requireLocal,
};

/** @throws AiRouterError forbidden */
export function requireLocal(request: FastifyRequest): void {
  const reason = foreignness(request);
  if (reason === null) return;
  throw new AiRouterError('forbidden', `only programs on this machine are served: ${reason}`);
}
