import { setTimeout as sleep } from 'node:timers/promises';
import { createRouteCaller, type RouteAnswer, type RouteCaller } from '../demo/http-caller.js';
import { DEMO_MODELS } from '../demo/requests.js';
import { logEnds } from '../demo/snapshot-wait.js';
import { AiRouterError, asAiRouterError } from '../errors.js';
import { formatUuid, uuidV8 } from '../event/uuid.js';
import type { Parts } from '../roles/parts.js';

export interface RemoteRouterOptions {
  url: string;
  /** Shown to a router that asks for one. */
  apiKey: string | null;
  seed: string;
  parts: Pick<Parts, 'log' | 'topics'>;
  stop: AbortSignal;
}

const ASK_AGAIN_MS = 10;
/** Long enough for a person to start the other processes, or a supervisor to start them again. */
const PATIENCE_MS = 300_000;

/**
 * A router in another process, which may be killed and started again: whatever it answers from an
 * older state than the loop has reached, or does not answer, is asked again. The same request gets
 * the same decision, so it makes no difference how often.
 */
export class RemoteRouter implements RouteCaller {
  readonly #options: RemoteRouterOptions;
  readonly #caller: RouteCaller;
  #ends: ReadonlyMap<string, number[]> = new Map();
  #probes = 0;

  constructor(options: RemoteRouterOptions) {
    this.#options = options;
    this.#caller = createRouteCaller(options.url, options.apiKey);
  }

  /** Resolves when the router decides by everything that is in the log now. */
  async caughtUp(virtualMs: number): Promise<void> {
    const { log, topics } = this.#options.parts;
    this.#ends = await logEnds(log, topics);
    this.#probes += 1;
    await this.route({ model: DEMO_MODELS[0], request_id: `probe/${this.#probes}` }, virtualMs);
  }

  async route(body: object, virtualMs: number): Promise<RouteAnswer> {
    const { stop, url } = this.#options;
    const endMs = performance.now() + PATIENCE_MS;
    let reason = 'its state lacks what is in the log';
    while (performance.now() < endMs) {
      stop.throwIfAborted();
      try {
        const answer = await this.#caller.route(body, virtualMs);
        this.#requireVirtual(answer, body);
        if (hasAll(answer.state.vector, this.#ends)) return answer;
      } catch (error) {
        if (asAiRouterError(error).code === 'invalid_usage') throw error;
        reason = (error as Error).message;
      }
      await sleep(ASK_AGAIN_MS);
    }
    throw new AiRouterError('not_ready', `the router at ${url} is not there: ${reason}`);
  }

  close(): void {
    this.#caller.close();
  }

  /** A router with a clock and ids of its own would make another run each time. */
  #requireVirtual(answer: RouteAnswer, body: object): void {
    const { seed, url } = this.#options;
    const { request_id } = body as { request_id: string };
    if (answer.decision_id === formatUuid(uuidV8(seed, request_id))) return;
    throw new AiRouterError(
      'invalid_usage',
      `the router at ${url} must be started with --virtual-seed ${seed}`,
      { field: '--virtual-seed', rule: seed },
    );
  }
}

/** Both lanes: a topic of which `metrics` has less stands in the vector once more. */
function hasAll(
  vector: Readonly<Record<string, number[]>>,
  ends: ReadonlyMap<string, number[]>,
): boolean {
  return [...ends].every(([topic, offsets]) =>
    offsets.every((end, partition) => {
      const metrics = vector[`metrics:${topic}`] ?? vector[topic];
      return (vector[topic]?.[partition] ?? 0) >= end && (metrics?.[partition] ?? 0) >= end;
    }),
  );
}
