/** A world: who can be called, how each really behaves at each moment, and who asks when. */

/** Times are ms since the world's start. */
export interface World {
  family: string;
  seed: number;
  offerings: readonly WorldOffering[];
  arrivals: readonly Arrival[];
  /** Until then everybody's requests are spread evenly, and nothing is counted. */
  warmUpMs: number;
  endMs: number;
  /** What happens, where something does that ends. */
  event: WorldEvent | null;
}

export interface WorldEvent {
  fromMs: number;
  /** Infinity = it stays. */
  toMs: number;
  /** Offerings that it hits. */
  affected: readonly number[];
}

export interface Arrival {
  atMs: number;
  inputTokens: number;
  outputTokens: number;
}

export interface WorldOffering {
  provider: string;
  /** It is in the catalogue from then on. */
  fromMs: number;
  /** Ascending; nano-USD per million tokens. */
  prices: readonly WorldPrice[];
  ttftMs: number;
  inputTokenUs: number;
  outputTokenUs: number;
  /** Deviation of the logarithm of a time. */
  sigma: number;
  failureRatio: number;
  /** Each attempt in flight makes an answer longer by this share. */
  loadSlope: number;
  capacity: Capacity | null;
  changes: readonly Change[];
}

export interface WorldPrice {
  fromMs: number;
  input: number;
  output: number;
}

/** A token bucket: beyond it attempts are refused with 429. */
export interface Capacity {
  perSecond: number;
  burst: number;
  /** Null = the provider does not say. */
  retryAfterMs: number | null;
}

export interface Change {
  fromMs: number;
  toMs: number;
  /** Reaches its full size by then; `fromMs` = at once. */
  fullMs: number;
  /** Alternates between on and off; 0 = always on. */
  periodMs: number;
  /** Factor of all times. */
  slowdown: number;
  failureRatio: number;
  /** Share of the attempts that never answer. */
  hangRatio: number;
}

/** Callers give up after a minute. */
export const TIMEOUT_MS = 60_000;
/** Attempts that take longer are overdue to their emitters. */
export const OVERDUE_AFTER_MS = 20_000;
/** Candidates that a caller tries before it gives up. */
export const ATTEMPTS_MAX = 3;

/** What a second of waiting is worth, in nano-USD. */
export const SECOND_NANO_USD = 1_000_000;
/** A request that nobody answered costs as much as half a minute of waiting, beside its own time. */
export const UNANSWERED_NANO_USD = 30 * SECOND_NANO_USD;

export function priceAt(offering: WorldOffering, atMs: number): WorldPrice {
  return offering.prices.findLast(({ fromMs }) => fromMs <= atMs)!;
}

/** nano-USD of a success. */
export function costOf(price: WorldPrice, { inputTokens, outputTokens }: Arrival): number {
  return (inputTokens * price.input + outputTokens * price.output) / 1e6;
}

/** Times of answers without any load or change. */
export function plainMs(offering: WorldOffering, { inputTokens, outputTokens }: Arrival): number {
  const { ttftMs, inputTokenUs, outputTokenUs } = offering;
  return ttftMs + (inputTokenUs * inputTokens + outputTokenUs * outputTokens) / 1000;
}

/** nano-USD of a success without any load or change, at the first price. */
export function timeAndPrice(offering: WorldOffering, arrival: Arrival): number {
  const time = (plainMs(offering, arrival) / 1000) * SECOND_NANO_USD;
  return costOf(offering.prices[0]!, arrival) + time;
}

export interface Condition {
  slowdown: number;
  failureRatio: number;
  hangRatio: number;
}

/** How an offering really is at a moment, but for its load and its capacity. */
export function conditionAt(offering: WorldOffering, atMs: number): Condition {
  const condition = { slowdown: 1, failureRatio: offering.failureRatio, hangRatio: 0 };
  for (const change of offering.changes) {
    const part = partOf(change, atMs);
    if (part === 0) continue;
    condition.slowdown *= change.slowdown ** part;
    condition.failureRatio = Math.max(condition.failureRatio, part * change.failureRatio);
    condition.hangRatio = Math.max(condition.hangRatio, part * change.hangRatio);
  }
  return condition;
}

function partOf({ fromMs, toMs, fullMs, periodMs }: Change, atMs: number): number {
  if (atMs < fromMs || atMs >= toMs) return 0;
  if (periodMs > 0 && Math.floor((atMs - fromMs) / periodMs) % 2 === 1) return 0;
  return atMs >= fullMs ? 1 : (atMs - fromMs) / (fullMs - fromMs);
}
