import { AiRouterError } from '../errors.js';
import { runRemoteLoop } from '../load/closed-loop.js';
import { type OpenLoopResult, runOpenLoop } from '../load/open-loop.js';
import { openTarget } from '../load/target.js';
import { openParts } from '../roles/parts.js';
import { minutesOf, seedOf, wholeNumber } from './arguments.js';
import type { CommandContext } from './context.js';
import { closeInTime, throwIfFailed } from './serve.js';

/** More than one process makes. */
const RATE_MAX = 100_000;
/** A day. */
const SECONDS_MAX = 86_400;

/** `airouter load`: the demo's world against processes that are running. */
export function run(context: CommandContext, options: Record<string, unknown>): Promise<void> {
  const isClosed = options['closedLoop'] === true;
  if (isClosed !== (options['virtual'] === true)) {
    throw wrong('--closed-loop', 'given together with --virtual: it has no other clock');
  }
  return isClosed ? closedLoop(context, options) : openLoop(context, options);
}

async function openLoop(context: CommandContext, options: Record<string, unknown>): Promise<void> {
  if (options['minutes'] !== undefined) throw wrong('--minutes', 'given with --closed-loop');
  const seed = seedOf('--seed', options['seed']);
  const rate = within('--rate', options['rate'] ?? 1000, RATE_MAX);
  const seconds = within('--seconds', options['seconds'] ?? 60, SECONDS_MAX);
  const target = await openTarget(context);
  try {
    const routeUrl = options['route'] === true ? urlOf(options['url'] ?? target.routerUrl) : null;
    context.progress(
      `Writing ${rate} made-up outcomes a second into ${target.outcomesTopic} for ${seconds} s` +
        (routeUrl === null ? '' : `, with as many requests to ${routeUrl}`),
    );
    const result = await runOpenLoop({ context, target, seed, rate, seconds, routeUrl });
    throwIfFailed(context.stop);
    context.stop.throwIfAborted();
    if (context.json) context.answer(result);
    else context.print(JSON.stringify(result, null, 2));
    requireWhole(result);
  } finally {
    await closeInTime([target.close], context.config.shutdownTimeoutMs, context.logger);
  }
}

/** A load that was not made in full, or not seen in full, is no measurement. */
function requireWhole({ outcomes, acknowledged, freshness_ms, route_ms }: OpenLoopResult): void {
  const unseen = freshness_ms?.unseen ?? 0;
  const unanswered = route_ms === null ? 0 : route_ms.requests - route_ms.answered;
  if (acknowledged === outcomes && unseen === 0 && unanswered === 0) return;
  throw new AiRouterError(
    'check_failed',
    `${outcomes - acknowledged} outcomes were not acknowledged, ${unseen} not seen, ` +
      `${unanswered} requests not answered`,
  );
}

async function closedLoop(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  for (const name of ['rate', 'seconds', 'route']) {
    if (options[name] !== undefined) throw wrong(`--${name}`, 'given without --closed-loop');
  }
  const { config, logger } = context;
  const seed = seedOf('--seed', options['seed']);
  const minutes = minutesOf(options['minutes']);
  const url = urlOf(options['url'] ?? null);
  if (config.namespace === '') throw wrong('--namespace', 'given: it is emptied');
  if (config.redisUrl === null) {
    throw new AiRouterError(
      'owner_required',
      'REDIS_URL is not set: a router in another process reads the hot keys there',
    );
  }
  const parts = await openParts(context, 'own', { singleNode: true });
  try {
    const result = await runRemoteLoop({ context, parts, seed, minutes, url });
    throwIfFailed(context.stop);
    if (context.json) context.answer({ loop: 'closed', seed, minutes, ...result });
    if (result.books_closed) return;
    throw new AiRouterError('check_failed', 'the projection does not hold what was published');
  } finally {
    await closeInTime([parts.close], config.shutdownTimeoutMs, logger);
  }
}

function urlOf(given: unknown): string {
  if (given === null) throw wrong('--url', 'given: no router is known here');
  const text = String(given);
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw wrong('--url', `an http(s) URL, got "${text}"`);
}

function within(option: string, given: unknown, max: number): number {
  const value = wholeNumber(option, given);
  if (value >= 1 && value <= max) return value;
  throw wrong(option, `1..${max}, got ${value}`);
}

function wrong(field: string, rule: string): AiRouterError {
  return new AiRouterError('invalid_usage', `${field} must be ${rule}`, { field, rule });
}
