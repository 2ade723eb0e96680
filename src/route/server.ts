import { type FastifyInstance, fastify } from 'fastify';
import type { ErrorCode } from '../errors.js';
import { defectOf } from '../observe/defect.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { drainOnClose } from './drain.js';
import { type OverloadLimits, shedOverload } from './overload.js';
import { errorOfFramework, problemOf, sendProblem } from './problem.js';
import { refuseMalformed } from './refuse-malformed.js';
import { refuseUnknownRoutes } from './unknown-route.js';

/** Bodies of requests: the largest sensible one is a few KiB. */
const BODY_BYTES_MAX = 64 * 1024;
/** The largest URL part: a model's name of 256 characters, percent-encoded. */
const PARAMETER_CHARACTERS_MAX = 4096;
/** Bodies are small and callers near: who needs longer is stuck, or means harm. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Headers come in one piece: who sends them slowly holds a socket. */
const HEADERS_TIMEOUT_MS = 5_000;
/** How often both are looked at: by so much later a slow request is ended. */
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;
/** Node's own limit: keys and traces of proxies take a tenth of it. */
const HEADER_BYTES_MAX = 16 * 1024;
/** A connection on which nothing moves for so long, within a request, is ended. */
const CONNECTION_TIMEOUT_MS = 60_000;
/** Above the 60 s of common load balancers, so that they close first and no request is lost. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** Each open socket costs about 10 KB. */
const CONNECTIONS_MAX = 10_000;

export interface ServerOptions {
  /** Above which requests are refused; by default none are. */
  overload?: OverloadLimits;
  metrics?: Metrics;
}

/**
 * A server whose every error is problem JSON, without routes. Bounded in what it waits for, in what it
 * reads and in how many it talks to.
 */
export function createServer(
  logger: Pick<Logger, 'error'>,
  { overload, metrics }: ServerOptions = {},
): FastifyInstance {
  const app = fastify({
    // A line a request is the dearest part of one; what changes is logged, not what happens.
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    forceCloseConnections: 'idle',
    // While it stops, those who are connected are still answered, and told to go elsewhere.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    // Fastify's own defaults make 0 of null and drop unknown fields.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true } },
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply, problemOf(errorOfFramework(error)));
    },
    clientErrorHandler: refuseMalformed,
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  app.server.on('error', acceptLog(app, logger));
  drainOnClose(app);
  // Fastify takes text/plain too.
  app.removeContentTypeParser('text/plain');
  app.decorateRequest('caller', null);
  if (overload !== undefined) shedOverload(app, overload);
  refuseUnknownRoutes(app);
  const reportDefect = defectLog(logger);
  app.setErrorHandler((error: Error, request, reply) => {
    const known = errorOfFramework(error, request.routeOptions.bodyLimit);
    if (known.code === 'internal') reportDefect(error);
    if (REFUSALS.has(known.code)) metrics?.counter('refused').inc({ code: known.code });
    return sendProblem(reply, problemOf(known));
  });
  return app;
}

/** What is refused for who asks, or for when. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'unauthorized',
  'forbidden',
  'rate_limited',
  'overloaded',
]);

/** A defect on the request path repeats with every request. */
function defectLog(logger: Pick<Logger, 'error'>): (error: Error) => void {
  return seldom((error, times) => {
    logger.error({ err: defectOf(error), times }, 'A request failed by a defect.');
  });
}

/** A connection that the system could not hand over, as where files have run out, ends nobody. */
function acceptLog(app: FastifyInstance, logger: Pick<Logger, 'error'>): (error: Error) => void {
  const say = seldom((error, times) => {
    logger.error({ reason: error.message, times }, 'A connection could not be accepted.');
  });
  // One that cannot listen at all is told by `listen`.
  return (error) => (app.server.listening ? say(error) : undefined);
}

/** Defects that come with every request are said so often, with their number. */
const SELDOM_INTERVAL_MS = 10_000;

/** At most one line in 10 s, which says how often it happened. */
function seldom(say: (error: Error, times: number) => void): (error: Error) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let times = 0;
  return (error) => {
    times += 1;
    if (performance.now() - lastMs < SELDOM_INTERVAL_MS) return;
    say(error, times);
    lastMs = performance.now();
    times = 0;
  };
}
