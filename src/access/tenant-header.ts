import type { FastifyRequest } from 'fastify';
import { AiRouterError } from '../errors.js';
import type { Caller } from './caller.js';

const HEADER = 'x-airouter-tenant';

/**
 * The caller as the tenant that `X-AiRouter-Tenant` names, where it may name one.
 *
 * @throws AiRouterError invalid_request, forbidden
 */
export function asNamedTenant(caller: Caller, { headers, raw }: FastifyRequest): Caller {
  const tenant = headers[HEADER];
  if (tenant === undefined || tenant === caller.tenant) return caller;
  if (!caller.namesTenants) {
    const rule = 'absent: the key names its tenant';
    throw new AiRouterError('forbidden', `${HEADER} must be ${rule}`, { field: HEADER, rule });
  }
  // Headers are bytes without a known encoding; two of a name come as one, joined by a comma.
  const isName = typeof tenant === 'string' && /^[\x20-\x7e]{1,128}$/.test(tenant);
  if (isName && timesGiven(raw.rawHeaders) === 1) return { ...caller, tenant, namesTenants: false };
  const rule = 'given once, 1..128 characters of ASCII';
  throw new AiRouterError('invalid_request', `${HEADER} must be ${rule}`, { field: HEADER, rule });
}

/** `rawHeaders`: names and values in turn, as they came. */
function timesGiven(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === HEADER).length;
}
