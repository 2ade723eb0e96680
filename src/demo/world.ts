import { costNanoUsd, priceAt } from '../catalogue/price-of.js';
import { offeringKey } from '../event/offering-key.js';
import type { CatalogueOffering, CataloguePrice, RequestOutcome } from '../event/outcome.js';
import { between, logNormal, unit, type Words, words } from './draws.js';
import { paceRange } from './pace.js';

/**
 * SYNTHETIC: how the providers of the demo behave. Speed, failures and the brown-out are drawn
 * from a seed; none of it was measured on the providers whose names it bears. Offerings, prices,
 * arrivals and sizes are real.
 *
 * - Every offering has a median time to the first token and for each further one, a spread, and a
 *   failure ratio of 2 to 7 %.
 * - In the middle third of the trace one provider browns out: 60 % of its attempts fail, and what
 *   it does takes five times as long.
 * - An attempt depends on the seed and its arguments alone, so attempts may be made in any order,
 *   or again.
 */
export interface World {
  brownout: Brownout;
  /** The offerings' character, by key text. */
  profiles: ReadonlyMap<string, Profile>;
  /** Throws for an offering that the world was not made with. */
  attempt(attempt: Attempt): AttemptResult;
}

/** Half-open: from its first moment until the one at which it is over, ms since the epoch. */
export interface Brownout {
  provider: string;
  fromMs: number;
  toMs: number;
}

export interface Profile {
  provider: string;
  /** ms to the first token without any input */
  ttftMs: number;
  /** µs to read one input token */
  inputTokenUs: number;
  /** µs to write one output token */
  outputTokenUs: number;
  /** Deviation of the logarithm of both times. */
  sigma: number;
  failureRatio: number;
  /** Share of the input that repeats an earlier one; null = this provider does not say. */
  cachedRatio: number | null;
  /** Whether whoever calls it knows what it cost. */
  knowsCost: boolean;
  /** Ascending; empty = unknown. */
  prices: readonly CataloguePrice[];
}

export interface Attempt {
  /** Place of the request's arrival in the merged trace. */
  requestIndex: number;
  /** 0 is the first attempt of the request. */
  attempt: number;
  /** Key text. */
  offering: string;
  /** When it starts, ms since the epoch. */
  atMs: number;
  inputTokens: number;
  outputTokens: number;
  stream: boolean;
}

/** What the attempt's outcome says of how it went; it ends at `atMs + duration_ms`. */
export type AttemptResult = Pick<
  RequestOutcome,
  | 'status'
  | 'error_type'
  | 'http_status'
  | 'duration_ms'
  | 'ttft_ms'
  | 'input_tokens'
  | 'output_tokens'
  | 'cached_input_tokens'
  | 'cache_write_tokens'
  | 'reasoning_tokens'
  | 'cost_nano_usd'
  | 'retry_after_ms'
  | 'ratelimit_remaining'
>;

/** Serves most of the models that are asked for, and fast: it has the largest share. */
const BROWNOUT_PROVIDER = 'groq';
const BROWNOUT_FAILURE_RATIO = 0.6;
const BROWNOUT_SLOWDOWN = 5;

/** Callers give up after a minute. */
export const TIMEOUT_MS = 60_000;

export interface WorldInput {
  seed: string;
  offerings: readonly CatalogueOffering[];
  prices: readonly CataloguePrice[];
  /** First and last arrival, ms since the epoch. */
  firstMs: number;
  lastMs: number;
}

export function createWorld({ seed, offerings, prices, firstMs, lastMs }: WorldInput): World {
  const thirdMs = Math.floor((lastMs - firstMs) / 3);
  const brownout = {
    provider: BROWNOUT_PROVIDER,
    fromMs: firstMs + thirdMs,
    toMs: firstMs + 2 * thirdMs,
  };
  const profiles = new Map(
    offerings.map((offering) => [offeringKey(offering), profileOf(seed, offering, prices)]),
  );
  return {
    brownout,
    profiles,
    attempt(attempt) {
      const profile = profiles.get(attempt.offering);
      if (profile === undefined) throw new Error(`${attempt.offering} is not of this world`);
      return resultOf(seed, attempt, profile, brownout);
    },
  };
}

function profileOf(
  seed: string,
  offering: CatalogueOffering,
  prices: readonly CataloguePrice[],
): Profile {
  const [ttft, input, output, sigma, failure, cached, cost] = words(
    seed,
    'profile',
    offeringKey(offering),
  ) as [number, number, number, number, number, number, number];
  const pace = paceRange(offering.provider);
  const own = prices.filter(
    (price) => price.model === offering.model && price.provider === offering.provider,
  );
  const deployment = own.some((price) => price.deployment === offering.deployment)
    ? offering.deployment
    : '';
  return {
    provider: offering.provider,
    ttftMs: between(ttft, pace.ttftMs),
    inputTokenUs: between(input, [10, 60]),
    outputTokenUs: between(output, pace.tokenMs) * 1_000,
    sigma: between(sigma, [0.15, 0.4]),
    failureRatio: between(failure, [0.02, 0.07]),
    // The upper half of the draw says how much, the lower that nothing is said.
    cachedRatio: unit(cached) < 0.5 ? null : (unit(cached) - 0.5) * 0.8,
    knowsCost: unit(cost) < 0.5,
    prices: own
      .filter((price) => price.deployment === deployment)
      .toSorted((a, b) => a.valid_from - b.valid_from),
  };
}

function resultOf(
  seed: string,
  attempt: Attempt,
  profile: Profile,
  brownout: Brownout,
): AttemptResult {
  const { atMs, inputTokens, outputTokens } = attempt;
  const id = [attempt.requestIndex, attempt.attempt, attempt.offering] as const;
  const draws = words(seed, 'attempt', ...id);
  const isBrownout =
    profile.provider === brownout.provider && atMs >= brownout.fromMs && atMs < brownout.toMs;
  const slowdown = isBrownout ? BROWNOUT_SLOWDOWN : 1;
  if (unit(draws[0]!) < (isBrownout ? BROWNOUT_FAILURE_RATIO : profile.failureRatio)) {
    return failure(draws, slowdown);
  }
  const readingMs = (profile.inputTokenUs * inputTokens) / 1_000;
  const writingMs = (profile.outputTokenUs * Math.max(0, outputTokens - 1)) / 1_000;
  const ttftMs =
    (profile.ttftMs + readingMs) * logNormal(profile.sigma, seed, 'ttft', ...id) * slowdown;
  const restMs = writingMs * logNormal(profile.sigma, seed, 'writing', ...id) * slowdown;
  const durationMs = Math.ceil(ttftMs + restMs);
  if (durationMs >= TIMEOUT_MS) return timeout();
  return {
    ...success(attempt, profile),
    duration_ms: durationMs,
    ttft_ms: attempt.stream ? Math.ceil(ttftMs) : null,
    ratelimit_remaining: Math.floor(between(draws[1]!, [200, 5_000])),
  };
}

function success(attempt: Attempt, profile: Profile): Omit<AttemptResult, 'duration_ms'> {
  const { atMs, inputTokens, outputTokens } = attempt;
  const cached =
    profile.cachedRatio === null ? null : Math.floor(inputTokens * profile.cachedRatio);
  const price = profile.knowsCost ? priceAt(profile.prices, atMs) : null;
  const usage = { input: inputTokens, cachedInput: cached, cacheWrite: null, output: outputTokens };
  const cost = price === null ? null : costNanoUsd(price.tiers, usage);
  return {
    ...UNKNOWN,
    status: 'success',
    http_status: 200,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cached_input_tokens: cached,
    cost_nano_usd: cost === null ? null : Number(cost),
  };
}

/** Of failures half are the provider's errors, three in ten rate limits, two in ten timeouts. */
function failure(draws: Words, slowdown: number): AttemptResult {
  const kind = unit(draws[1]!);
  if (kind < 0.5) {
    const httpStatus = [500, 502, 503][Math.floor(between(draws[2]!, [0, 3]))]!;
    return {
      ...UNKNOWN,
      status: 'error',
      http_status: httpStatus,
      error_type: String(httpStatus),
      duration_ms: Math.ceil(between(draws[3]!, [50, 1_500]) * slowdown),
    };
  }
  if (kind < 0.8) {
    return {
      ...UNKNOWN,
      status: 'rate_limited',
      http_status: 429,
      error_type: '429',
      duration_ms: Math.ceil(between(draws[3]!, [20, 150]) * slowdown),
      retry_after_ms: Math.floor(between(draws[4]!, [1, 6])) * 1_000,
      ratelimit_remaining: 0,
    };
  }
  return timeout();
}

function timeout(): AttemptResult {
  return { ...UNKNOWN, status: 'timeout', error_type: 'timeout', duration_ms: TIMEOUT_MS };
}

/** What an attempt that failed does not say; absent is not 0. */
const UNKNOWN: Omit<AttemptResult, 'status' | 'duration_ms'> = {
  error_type: null,
  http_status: null,
  ttft_ms: null,
  input_tokens: null,
  output_tokens: null,
  cached_input_tokens: null,
  cache_write_tokens: null,
  reasoning_tokens: null,
  cost_nano_usd: null,
  retry_after_ms: null,
  ratelimit_remaining: null,
};
