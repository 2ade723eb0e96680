import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { AiRouterError } from '../errors.js';
import { type Caller, isAllowed } from './caller.js';
import { foreignness } from './local.js';
import type { Scope } from './scope.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where nobody had to say who asks. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** One of which a key must have; absent = no key is needed. */
    scopes?: readonly Scope[];
  }
}

/** Who is served. */
export interface Access {
  /**
   * Who asks; what the answer must say of it stands in the reply's headers.
   *
   * @throws AiRouterError unauthorized, forbidden, rate_limited, invalid_request
   */
  callerOf(request: FastifyRequest, reply: FastifyReply): Caller;
  /**
   * Lets a request have what holds nobody's data: the files of pages.
   *
   * @throws AiRouterError forbidden
   */
  admitToPages(request: FastifyRequest): void;
}

/** Lets into the routes that are registered after it whoever has one of the scopes. */
export function guard(app: FastifyInstance, access: Access, ...anyOf: readonly Scope[]): void {
  nameScopes(app, anyOf);
  app.addHook('onRequest', admit(access, anyOf));
}

/** The same, and programs of this machine without a key. */
export function guardButLocal(
  app: FastifyInstance,
  access: Access,
  ...anyOf: readonly Scope[]
): void {
  const admitted = admit(access, anyOf);
  nameScopes(app, anyOf);
  app.addHook('onRequest', function (request, reply, done) {
    const isLocal = request.headers.authorization === undefined && foreignness(request) === null;
    if (isLocal) done();
    else admitted.call(this, request, reply, done);
  });
}

/** Lets whom the access admits have files that hold nobody's data. */
export function guardPages(app: FastifyInstance, access: Access): void {
  app.addHook('onRequest', (request, _reply, done) => {
    access.admitToPages(request);
    done();
  });
}

function nameScopes(app: FastifyInstance, scopes: readonly Scope[]): void {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, scopes };
  });
}

/** Says who it is in `request.caller`. */
function admit(access: Access, anyOf: readonly Scope[]): onRequestHookHandler {
  return (request, reply, done) => {
    const caller = access.callerOf(request, reply);
    if (!isAllowed(caller, anyOf)) throw outOfScope(reply, anyOf);
    request.caller = caller;
    done();
  };
}

function outOfScope(reply: FastifyReply, anyOf: readonly Scope[]): AiRouterError {
  const scopes = anyOf.join(' or ');
  reply.header(
    'www-authenticate',
    `Bearer realm="airouter", error="insufficient_scope", scope="${anyOf.join(' ')}"`,
  );
  return new AiRouterError('forbidden', `the key must have the scope ${scopes}`, {
    field: 'authorization',
    rule: `a key of the scope ${scopes}`,
  });
}
