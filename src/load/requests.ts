import { createHttpCaller, type HttpCaller } from '../client/http.js';
import { Latencies, type Percentiles } from './latencies.js';
import { preciseNowMs } from './schedule.js';

export interface RequestsReport extends Partial<Percentiles> {
  requests: number;
  answered: number;
  /** By HTTP status; `none` = no answer came. */
  failed: Record<string, number>;
  /** Too many were under way. */
  not_sent: number;
  /** Answers that said so, by what they said. */
  degraded: Record<string, number>;
}

/** As many as the kernel's queue of new connections holds. */
const SOCKETS = 128;
/** Under way or waiting for a socket: with more the router is not the one that is measured. */
const UNDER_WAY_MAX = 5_000;
const TIMEOUT_MS = 10_000;

/** Requests to a router in an open loop: none waits for another's answer. */
export class RouteRequests {
  readonly #http: HttpCaller;
  readonly #latencies = new Latencies();
  readonly #underWay = new Set<Promise<void>>();
  readonly #failed: Record<string, number> = {};
  readonly #degraded: Record<string, number> = {};
  #requests = 0;
  #notSent = 0;

  constructor(url: string, apiKey: string | null) {
    this.#http = createHttpCaller(url, apiKey, SOCKETS);
  }

  send(body: object, dueMs: number): void {
    this.#requests += 1;
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#notSent += 1;
      return;
    }
    const call = this.#call(body, dueMs).finally(() => this.#underWay.delete(call));
    this.#underWay.add(call);
  }

  /** Every request has an answer, or its time is over. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  report(): RequestsReport {
    return {
      requests: this.#requests,
      answered: this.#latencies.count,
      failed: { ...this.#failed },
      not_sent: this.#notSent,
      degraded: { ...this.#degraded },
      ...this.#latencies.percentiles(),
    };
  }

  close(): void {
    this.#http.close();
  }

  async #call(body: object, dueMs: number): Promise<void> {
    try {
      const answer = await this.#http.call({
        method: 'POST',
        path: '/v1/route',
        body: JSON.stringify(body),
        timeoutMs: TIMEOUT_MS,
      });
      if (answer.status !== 200) return count(this.#failed, String(answer.status));
      this.#latencies.add(preciseNowMs() - dueMs);
      const { degraded } = answer.body as { degraded: string[] };
      for (const reason of degraded) count(this.#degraded, reason);
    } catch {
      count(this.#failed, 'none');
    }
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
