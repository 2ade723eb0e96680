import { randomBytes } from 'node:crypto';
import { formatUuid, uuidV7 } from '../event/uuid.js';
import type { RouteRequest } from '../route/request.js';
import { deliverList, problemOf } from './deliver.js';
import { fallbackAnswer } from './fallback.js';
import { createHttpCaller, type HttpAnswer, type HttpCaller } from './http.js';
import { type Attempt, InFlight } from './in-flight.js';
import * as limits from './limits.js';
import { Outbox, type OutboxStats } from './outbox.js';
import type { FallbackOffering, OutcomeInput, RouteAnswer } from './types.js';

export type { RouteRequest } from '../route/request.js';
export type { Attempt } from './in-flight.js';
export type { FallbackOffering, OutcomeInput, RouteAnswer, RouteCandidate } from './types.js';

export interface AiRouterClientOptions {
  /** Of the router. */
  url: string;
  /** Of the ingest role, where it is elsewhere. */
  ingestUrl?: string;
  apiKey?: string;
  /** By model, in order: what is called while the router does not answer. */
  fallback: Readonly<Record<string, readonly FallbackOffering[]>>;
  /** How long `route` and `models` wait. */
  timeoutMs: number;
  /** Outcomes in memory at most (10,000); in bytes, 1 KiB for each. */
  queueMax?: number;
  /** How long an outcome waits for company (200 ms). */
  lingerMs?: number;
  /** An attempt that takes longer is overdue (20 s). */
  overdueAfterMs?: number;
  /** How often gauges of attempts in flight are sent (5 s, which is what readers expect). */
  gaugeIntervalMs?: number;
  retry?: { initialMs: number; maxMs: number };
}

export interface AiRouterClientStats {
  routed: number;
  /** Answered by the client's own order. */
  fellBack: number;
  outcomes: OutboxStats & {
    /** Not JSON, such as a BigInt. */
    invalid: number;
  };
  gauges: { delivered: number; lost: number; untracked: number };
  /** The last thing that the other side refused, in one sentence. */
  lastRefusal: string | null;
}

/** The router understood the request and has no answer to it: another try would get the same. */
export class RouteRefused extends Error {
  readonly status: number;
  /** Stable code of the problem, such as `model_not_found`. */
  readonly code: string;

  constructor(answer: HttpAnswer) {
    super(problemOf(answer));
    this.name = 'RouteRefused';
    this.status = answer.status;
    this.code = String((answer.body as { code?: unknown } | null)?.code ?? 'unknown');
  }
}

/** Codes that are about the request. All else, a wrong key too, is about the router. */
const REFUSALS: ReadonlySet<string> = new Set([
  'invalid_request',
  'unsupported_field',
  'payload_too_large',
  'model_not_found',
  'no_eligible_offering',
]);

/**
 * What a service needs of AiRouter: where to send a request, and where to say how it ended. Neither
 * can hold it up: routing has a time limit and an order of its own to fall back to, outcomes wait
 * in bounded memory and are sent again, with the same ids, until they are acknowledged.
 */
export class AiRouterClient {
  readonly #options: AiRouterClientOptions;
  readonly #router: HttpCaller;
  readonly #ingest: HttpCaller;
  readonly #outcomes: Outbox<string>;
  readonly #inFlight: InFlight;
  #gaugeTimer: NodeJS.Timeout | null = null;
  #isSendingGauges = false;
  #isClosed = false;
  #routed = 0;
  #fellBack = 0;
  #invalid = 0;
  #gaugesDelivered = 0;
  #gaugesLost = 0;
  #lastRefusal: string | null = null;

  constructor(options: AiRouterClientOptions) {
    const { url, ingestUrl = url, apiKey = null, queueMax = limits.QUEUE_MAX } = options;
    this.#options = options;
    this.#router = createHttpCaller(url, apiKey, limits.SOCKETS_MAX);
    this.#ingest = createHttpCaller(ingestUrl, apiKey, limits.INGEST_SOCKETS_MAX);
    this.#outcomes = new Outbox({
      deliver: (items) => this.#deliver('outcomes', items),
      bytesOf: (text) => Buffer.byteLength(text),
      lingerMs: options.lingerMs ?? limits.LINGER_MS,
      batchItemsMax: limits.BATCH_ITEMS_MAX,
      batchBytesMax: limits.BATCH_BYTES_MAX,
      queueItemsMax: queueMax,
      queueBytesMax: queueMax * limits.BYTES_PER_OUTCOME,
      retry: options.retry ?? limits.DELIVER_RETRY,
    });
    this.#inFlight = new InFlight(formatUuid(mintUuid()), options.overdueAfterMs ?? 20_000, () =>
      performance.now(),
    );
  }

  /**
   * Where to send a request. Where the router does not answer in time, or not with candidates, the
   * client's own order answers, and `fallback` says why.
   *
   * @throws RouteRefused: the request is wrong, or nothing fits it
   * @throws Error: no answer, and no offering of its own
   */
  async route(request: Partial<RouteRequest>): Promise<RouteAnswer> {
    this.#routed += 1;
    const answered = await this.#ask(request);
    if (!(answered instanceof Error)) return answered;
    const own = fallbackAnswer(this.#options.fallback, request, answered.message);
    if (own === null) throw answered;
    this.#fellBack += 1;
    return own;
  }

  /** The list of models, as OpenAI's clients know it. */
  async models(): Promise<{ id: string; [field: string]: unknown }[]> {
    const { timeoutMs } = this.#options;
    const answer = await this.#router.call({ method: 'GET', path: '/v1/models', timeoutMs });
    if (answer.status !== 200) throw new RouteRefused(answer);
    return (answer.body as { data: { id: string }[] }).data;
  }

  /**
   * Takes an outcome; the object may be changed afterwards. Never waits, never throws; `dropped`
   * where the memory is full, the client is closed, or it is not JSON (`stats` says which).
   */
  recordOutcome(outcome: OutcomeInput): 'accepted' | 'dropped' {
    try {
      const event_id = outcome.event_id ?? formatUuid(mintUuid());
      const occurred_at = outcome.occurred_at ?? Date.now();
      return this.#outcomes.add(JSON.stringify({ ...outcome, event_id, occurred_at }));
    } catch {
      this.#invalid += 1;
      return 'dropped';
    }
  }

  /** Tells of an attempt at an offering, by its key text, until `end` is called. */
  begin(offering: string): Attempt {
    if (this.#gaugeTimer === null && !this.#isClosed) {
      const { gaugeIntervalMs = limits.GAUGE_INTERVAL_MS } = this.#options;
      this.#gaugeTimer = setInterval(() => void this.#sendGauges(), gaugeIntervalMs).unref();
    }
    return this.#inFlight.begin(offering);
  }

  /** Resolves when every outcome so far is acknowledged or, for a reason that is counted, dropped. */
  flush(): Promise<void> {
    return this.#outcomes.flush();
  }

  stats(): AiRouterClientStats {
    return {
      routed: this.#routed,
      fellBack: this.#fellBack,
      outcomes: { ...this.#outcomes.stats(), invalid: this.#invalid },
      gauges: {
        delivered: this.#gaugesDelivered,
        lost: this.#gaugesLost,
        untracked: this.#inFlight.untracked,
      },
      lastRefusal: this.#lastRefusal,
    };
  }

  /** Sends what is held, within the deadline; what is left then is dropped and counted. */
  async close(
    { deadlineMs }: { deadlineMs: number } = { deadlineMs: limits.CLOSE_TIMEOUT_MS },
  ): Promise<void> {
    this.#isClosed = true;
    if (this.#gaugeTimer !== null) clearInterval(this.#gaugeTimer);
    await this.#outcomes.close({ deadlineMs });
    this.#router.close();
    this.#ingest.close();
  }

  /** The router's answer, or why there is none that counts. */
  async #ask(request: Partial<RouteRequest>): Promise<RouteAnswer | Error> {
    const { timeoutMs } = this.#options;
    const body = JSON.stringify(request);
    const call = { method: 'POST', path: '/v1/route', body, timeoutMs } as const;
    const answer = await this.#router.call(call).catch((error: Error) => error);
    if (answer instanceof Error) return answer;
    if (answer.status === 200 && isRouteAnswer(answer.body)) {
      return { ...(answer.body as RouteAnswer), fallback: null };
    }
    const refused = new RouteRefused(answer);
    if (REFUSALS.has(refused.code)) throw refused;
    return new Error(`the router answered ${answer.status}: ${problemOf(answer)}`);
  }

  #deliver(list: 'outcomes' | 'inflight', items: readonly string[]) {
    const onRefused = (sentence: string): void => {
      this.#lastRefusal = sentence;
    };
    const to = { path: `/v1/${list}`, list, timeoutMs: limits.INGEST_TIMEOUT_MS, onRefused };
    return deliverList(this.#ingest, to, items);
  }

  /** A gauge is not sent again: the next one says how it is by then. */
  async #sendGauges(): Promise<void> {
    if (this.#isSendingGauges) return;
    const gauges = this.#inFlight.gauges(Date.now()).map((gauge) => JSON.stringify(gauge));
    if (gauges.length === 0) return;
    this.#isSendingGauges = true;
    try {
      const { refused } = await this.#deliver('inflight', gauges);
      this.#gaugesDelivered += gauges.length - refused;
      this.#gaugesLost += refused;
    } catch {
      this.#gaugesLost += gauges.length;
    } finally {
      this.#isSendingGauges = false;
    }
  }
}

function mintUuid(): Buffer {
  return uuidV7(Date.now(), randomBytes(16));
}

function isRouteAnswer(body: unknown): boolean {
  const { candidates } = (body ?? {}) as { candidates?: unknown };
  return Array.isArray(candidates) && candidates.length > 0;
}
