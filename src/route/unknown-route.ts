import type { FastifyInstance } from 'fastify';
import { AiRouterError } from '../errors.js';
import { problemOf, sendProblem } from './problem.js';

interface KnownPath {
  pattern: RegExp;
  methods: Set<string>;
}

/**
 * Answers what no route is for: a path that has routes for other methods is 405 and says which,
 * any other one is 404. Before a body is read, as nobody would take it.
 */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const paths = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const name of [method].flat()) path.methods.add(name);
    paths.set(url, path);
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const methods = methodsOf(paths.values(), request.url);
    if (methods.length === 0) throw new AiRouterError('not_found', 'no such route');
    const allowed = methods.join(', ');
    reply.header('allow', allowed);
    throw new AiRouterError('method_not_allowed', `the method must be one of ${allowed}`, {
      field: 'method',
      rule: `one of ${allowed}`,
    });
  });
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problemOf(new AiRouterError('not_found', 'no such route'))),
  );
}

/** Of every path that a URL fits: one with a parameter and a wildcard may stand side by side. */
function methodsOf(paths: Iterable<KnownPath>, url: string): string[] {
  const [path = ''] = url.split(/[?#]/, 1);
  const methods = [...paths].flatMap((it) => (it.pattern.test(path) ? [...it.methods] : []));
  return [...new Set(methods)].sort();
}

/** Of the router's notation: `:name` is a part of a path, `*` all that is left of one. */
function patternOf(url: string): RegExp {
  const literal = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(/:\w+/g, '[^/]+').replace(/\*/g, '.*')}$`);
}
