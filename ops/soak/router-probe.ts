import { setTimeout as sleep } from 'node:timers/promises';
import type { Role } from './role.js';

const INTERVAL_MS = 50;
const TIMEOUT_MS = 5_000;

/** A caller that asks the router all the time (I10). */
export class RouterProbe {
  answered = 0;
  /** Answers from a state that is older than the router calls fresh: each said so. */
  stale = 0;
  /** What the router did wrong though nobody had harmed it, and how often. */
  readonly failures = new Map<string, number>();
  /** `fresh`, `stale`, or what came instead of an answer. */
  last = 'nothing';
  readonly #url: string;
  readonly #role: Role;
  #freshSinceMs = Number.NEGATIVE_INFINITY;
  /** A router that was just started has nothing to answer from until it has read its keys. */
  #readySinceMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  readonly #running: Promise<void>;

  constructor(url: string, role: Role) {
    this.#url = url;
    this.#role = role;
    this.#running = this.#run();
  }

  /** True where an answer from fresh state was asked for after that moment. */
  hasAnsweredSince(ms: number): boolean {
    return this.#freshSinceMs > ms;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      await this.#ask();
      await sleep(INTERVAL_MS);
    }
  }

  async #ask(): Promise<void> {
    const askedMs = performance.now();
    const outcome = await routeOnce(this.#url);
    this.last = outcome;
    if (outcome === 'fresh' || outcome === 'stale') {
      this.#readySinceMs = askedMs;
      this.answered += 1;
      if (outcome === 'stale') this.stale += 1;
      else this.#freshSinceMs = askedMs;
      return;
    }
    const { upSinceMs } = this.#role;
    const wasReady = upSinceMs < askedMs && this.#readySinceMs > upSinceMs;
    if (wasReady) this.failures.set(outcome, (this.failures.get(outcome) ?? 0) + 1);
  }
}

async function routeOnce(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/v1/route`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"gpt-4o"}',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = (await response.json()) as { degraded?: string[]; code?: string };
    if (response.status !== 200) return `${response.status} ${body.code}`;
    return body.degraded!.includes('stale') ? 'stale' : 'fresh';
  } catch (error) {
    return String((error as { cause?: { code?: string } }).cause?.code ?? error);
  }
}
