import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import type { Access } from './access.js';
import { stateOf } from './access-key.js';
import type { KeyRing, KnownKey } from './key-ring.js';
import type { RequestLimit } from './request-limit.js';
import { asNamedTenant } from './tenant-header.js';

const SCHEME = /^bearer +/i;
const CHALLENGE = 'Bearer realm="airouter"';

/** Who shows a key in force. */
export function keyAccess(ring: KeyRing, clock: Clock): Access {
  return {
    callerOf(request, reply) {
      const { caller, limit } = keyOf(ring, clock, request, reply);
      if (limit !== null) spend(limit, reply);
      return asNamedTenant(caller, request);
    },
    // Their scripts ask for a key.
    admitToPages() {},
  };
}

function keyOf(
  ring: KeyRing,
  clock: Clock,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): KnownKey {
  const { authorization } = headers;
  if (authorization === undefined) {
    throw unauthorized(reply, CHALLENGE, 'a key is needed, as Authorization: Bearer');
  }
  const scheme = SCHEME.exec(authorization)?.[0];
  const known = scheme === undefined ? null : ring.find(authorization.slice(scheme.length));
  const invalid = `${CHALLENGE}, error="invalid_token"`;
  if (known === null) throw unauthorized(reply, invalid, 'the key is none that is known here');
  // Only who has the key learns what became of it.
  const state = stateOf(known.key, clock.nowMs());
  if (state !== 'live') throw unauthorized(reply, invalid, `the key is ${state}`);
  return known;
}

function unauthorized(reply: FastifyReply, challenge: string, message: string): AiRouterError {
  reply.header('www-authenticate', challenge);
  return new AiRouterError('unauthorized', message, {
    field: 'authorization',
    rule: 'Bearer with a key in force',
  });
}

function spend(limit: RequestLimit, reply: FastifyReply): void {
  const { isAdmitted, remaining, waitMs } = limit.admit(performance.now());
  const waitSeconds = Math.ceil(waitMs / 1000);
  reply.header('ratelimit-limit', limit.perSecond);
  reply.header('ratelimit-remaining', remaining);
  reply.header('ratelimit-reset', waitSeconds);
  if (isAdmitted) return;
  reply.header('retry-after', Math.max(1, waitSeconds));
  throw new AiRouterError(
    'rate_limited',
    `the key is limited to ${limit.perSecond} requests a second`,
  );
}
