import type { Socket } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { AiRouterError } from '../errors.js';
import type { Logger } from '../observe/logger.js';
import { errorOfFramework, PROBLEM_TYPE, problemOf, sendProblem } from './problem.js';

/** Bodies of requests: the largest sensible one is a few KiB. */
const BODY_BYTES_MAX = 64 * 1024;
/** The largest URL part: a model's name of 256 characters, percent-encoded. */
const PARAMETER_CHARACTERS_MAX = 4096;
/** Bodies are small and callers near: who needs longer is stuck, or means harm. */
const REQUEST_TIMEOUT_MS = 10_000;
const CONNECTION_TIMEOUT_MS = 60_000;
/** Above the 60 s of common load balancers, so that they close first and no request is lost. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** Each open socket costs about 10 KB. */
const CONNECTIONS_MAX = 10_000;

/**
 * A server whose every error is problem JSON, without routes. Bounded in what it waits for, in what it
 * reads and in how many it talks to.
 */
export function createServer(logger: Pick<Logger, 'error'>): FastifyInstance {
  const app = fastify({
    // A line a request is the dearest part of one; what changes is logged, not what happens.
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
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
  // Fastify takes text/plain too.
  app.removeContentTypeParser('text/plain');
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problemOf(new AiRouterError('not_found', 'no such route'))),
  );
  const reportDefect = defectLog(logger);
  app.setErrorHandler((error: Error, request, reply) => {
    const known = errorOfFramework(error, request.routeOptions.bodyLimit);
    if (known.code === 'internal') reportDefect(error);
    return sendProblem(reply, problemOf(known));
  });
  return app;
}

/** What is not HTTP never becomes a request: answered on the bare socket. */
function refuseMalformed(error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const field = 'request';
  const rule = 'well-formed HTTP/1.1';
  const broken = new AiRouterError('invalid_request', error.message, { field, rule });
  const body = JSON.stringify({ ...problemOf(broken), detail: `${field} must be ${rule}` });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\nconnection: close\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const DEFECT_LOG_INTERVAL_MS = 10_000;

/** A defect on the request path repeats with every request: one line in 10 s says how often. */
function defectLog(logger: Pick<Logger, 'error'>): (error: Error) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let unlogged = 0;
  return (error) => {
    unlogged += 1;
    if (performance.now() - lastMs < DEFECT_LOG_INTERVAL_MS) return;
    logger.error({ err: error, times: unlogged }, 'A request failed by a defect.');
    lastMs = performance.now();
    unlogged = 0;
  };
}
