import type { InjectOptions } from 'fastify';
import { createRouteApp, type RouteAppOptions } from '../../src/route/app.js';
import type { Snapshot } from '../../src/route/snapshot.js';
import { AS_OF, measured, minute, offering, tick } from './fixtures.js';

export const a = offering('openai/gpt-x', 'openai');
export const b = offering('openai/gpt-x', 'azure.ai.openai', { region: 'eu' });
export const snapshot = measured([a, b], {
  ticks: { [a.offering]: [tick(0, { success: 5 })] },
  minutes: { [a.offering]: [minute(5, { success: 99, error: 1 })] },
});
export const model = a.model;

export function appOf(current: Snapshot | null = snapshot, other: Partial<RouteAppOptions> = {}) {
  const lines: string[] = [];
  const log = (fields: unknown, text?: unknown) => void lines.push(String(text ?? fields));
  const app = createRouteApp({
    snapshotSource: { current: () => current },
    clock: { nowMs: () => AS_OF * 1000 + 250 },
    logger: { info: log, warn: log, error: log },
    staleAfterMs: 10_000,
    ...other,
  });
  return { app, lines };
}

export const post = (payload: unknown, headers: Record<string, string> = {}): InjectOptions => ({
  method: 'POST',
  url: '/v1/route',
  headers: { 'content-type': 'application/json', ...headers },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
});
