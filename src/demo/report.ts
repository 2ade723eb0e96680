import type { CommandContext } from '../commands/context.js';
import type { Verification } from '../replay/verify.js';
import type { ClosedLoopTotals, StepProgress } from './closed-loop.js';
import type { BrownoutShares, Shares } from './shares.js';
import type { Brownout } from './world.js';

/** The demo's answer: this run alone. */
export interface DemoResult {
  requests: number;
  events_published: number;
  events_applied: number;
  duplicates: number;
  dead_lettered: number;
  books_closed: boolean;
  checksum: string;
  /** Wall time from publishing to a snapshot that has it. */
  freshness_ms: { p50: number; p99: number };
  decisions: number;
  degraded_decisions: number;
  brownout: BrownoutShares;
  seconds: number;
}

export function resultOf(
  totals: ClosedLoopTotals,
  verification: Verification,
  brownout: BrownoutShares,
  seconds: number,
): DemoResult {
  const sum = (field: 'applied' | 'duplicate' | 'dead_lettered'): number =>
    verification.partitions.reduce((total, books) => total + books[field], 0);
  const sorted = totals.freshnessMs.toSorted((a, b) => a - b);
  const percentile = (p: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0);
  return {
    requests: totals.requests,
    events_published: totals.published,
    events_applied: sum('applied'),
    duplicates: sum('duplicate'),
    dead_lettered: sum('dead_lettered'),
    books_closed: verification.books_closed,
    checksum: verification.checksum,
    freshness_ms: { p50: percentile(0.5), p99: percentile(0.99) },
    decisions: totals.decisions,
    degraded_decisions: totals.degraded,
    brownout,
    seconds: Math.round(seconds * 10) / 10,
  };
}

/** The answer for people; `url` is where the router answers. */
export function printAnswer(context: CommandContext, result: DemoResult, url: string): void {
  const { provider, share_before, share_during, share_after } = result.brownout;
  const percent = (share: number | null): string =>
    share === null ? 'unknown' : `${(share * 100).toFixed(1)} %`;
  const lines = [
    '',
    `${result.requests} requests routed, ${result.events_published} outcomes published, ` +
      `${result.events_applied} applied, books ${result.books_closed ? 'closed' : 'NOT CLOSED'}`,
    `${provider} was first choice for ${percent(share_before)} of requests before its brown-out, ` +
      `${percent(share_during)} in it, ${percent(share_after)} after it`,
    `from outcome to changed answer: ${result.freshness_ms.p50} ms (p50), ${result.freshness_ms.p99} ms (p99)`,
    `checksum ${result.checksum}`,
    `${url}/ · ${result.seconds} s`,
  ];
  for (const line of lines) context.progress(line);
}

/** A line every two virtual minutes: where requests go, and how fresh the answers are. */
export class Progress {
  readonly #context: CommandContext;
  readonly #shares: Shares;
  readonly #firstMs: number;
  readonly #lastMs: number;
  #nextMs = 0;

  constructor(context: CommandContext, shares: Shares, firstMs: number, lastMs: number) {
    this.#context = context;
    this.#shares = shares;
    this.#firstMs = firstMs;
    this.#lastMs = lastMs;
  }

  step(step: StepProgress, brownout: Brownout): void {
    if (step.nowMs < this.#nextMs) return;
    this.#nextMs = step.nowMs + 120_000;
    const done = (step.nowMs - this.#firstMs) / (this.#lastMs - this.#firstMs);
    const counts = this.#shares.lastMinute(step.nowMs);
    const total = counts.reduce((sum, [, requests]) => sum + requests, 0);
    const top = counts
      .slice(0, 5)
      .map(([name, requests]) => `${name} ${Math.round((requests / total) * 100)} %`.padEnd(22));
    const isBrownout = step.nowMs >= brownout.fromMs && step.nowMs < brownout.toMs;
    this.#context.progress(
      [
        new Date(step.nowMs).toISOString().slice(11, 19),
        `${Math.min(100, Math.round(done * 100))} %`.padStart(5),
        `${step.requests} requests`.padStart(15),
        `${Math.round(step.freshnessMs ?? 0)} ms fresh`.padStart(12),
        isBrownout ? `${brownout.provider} browns out` : ' '.repeat(brownout.provider.length + 11),
        top.join(''),
      ].join('  '),
    );
  }
}
