import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { AiRouterError } from '../errors.js';

/** Above which requests are refused; 0 = never. */
export interface OverloadLimits {
  /** Mean over a second. */
  eventLoopDelayMs: number;
  memoryBytes: number;
}

/** Who looks after the process must see it, and who brings its state must come in: now more than ever. */
const ALWAYS_SERVED: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/metrics',
  '/internal/hotkeys',
]);

/** Refuses at the door what could not be answered in time, so that the rest is. */
export function shedOverload(
  app: FastifyInstance,
  { eventLoopDelayMs, memoryBytes }: OverloadLimits,
): void {
  app.register(underPressure, {
    maxEventLoopDelay: eventLoopDelayMs,
    maxRssBytes: memoryBytes,
    sampleInterval: 1000,
    pressureHandler(request, _reply, type, value) {
      if (ALWAYS_SERVED.has(request.routeOptions.url ?? '')) return;
      // A second without a sample says nothing; the library makes infinity of it.
      if (value === Number.POSITIVE_INFINITY) return;
      const reason = type === 'rssBytes' ? 'memory is short' : 'the process is behind';
      throw new AiRouterError('overloaded', `${reason}; send it again a little later`);
    },
  });
}
