import type { Status } from '../../src/event/outcome.js';
import { chance, normalOf, PURPOSE } from './chance.js';
import {
  type Arrival,
  conditionAt,
  costOf,
  plainMs,
  priceAt,
  SECOND_NANO_USD,
  TIMEOUT_MS,
  UNANSWERED_NANO_USD,
  type World,
} from './world.js';

/** What an attempt comes to. */
export interface AttemptResult {
  status: Status;
  durationMs: number;
  costNanoUsd: number;
  retryAfterMs: number | null;
  /** It would have come out otherwise without the change that the offering is in, or was refused. */
  isAffected: boolean;
}

/** What an attempt is expected to come to. */
export interface Expected {
  /** Probability of an answer. */
  success: number;
  /** nano-USD, time and price together, whether it succeeds or not. */
  cost: number;
  /** The same with what it costs those that come after it, by the load that it makes. */
  costToAll: number;
}

const ERROR_MS = { from: 50, to: 1_500 };
const REFUSED_MS = { from: 20, to: 150 };
/** Of plain failures. */
const TIMEOUT_SHARE = 0.05;
const INVALID_SHARE = 0.15;

/** The state of a world while requests go through it: what is in flight, and used of capacities. */
export class Truth {
  readonly world: World;
  readonly inFlight: number[];
  readonly #tokens: number[];
  readonly #filledMs: number[];

  constructor(world: World) {
    this.world = world;
    this.inFlight = world.offerings.map(() => 0);
    this.#tokens = world.offerings.map(({ capacity }) => capacity?.burst ?? 0);
    this.#filledMs = world.offerings.map(() => 0);
  }

  isOffered(index: number, atMs: number): boolean {
    return atMs >= this.world.offerings[index]!.fromMs;
  }

  expect(index: number, atMs: number, arrival: Arrival): Expected {
    const offering = this.world.offerings[index]!;
    if (this.#room(index, atMs) < 1) {
      const cost = timeValue((REFUSED_MS.from + REFUSED_MS.to) / 2);
      return { success: 0, cost, costToAll: cost };
    }
    const { slowdown, failureRatio, hangRatio } = conditionAt(offering, atMs);
    const load = 1 + offering.loadSlope * this.inFlight[index]!;
    const medianMs = plainMs(offering, arrival) * slowdown * load;
    const { inTime, meanMs } = truncated(medianMs, offering.sigma);
    const answers = (1 - hangRatio) * (1 - failureRatio);
    const success = answers * inTime;
    const failedMs =
      (1 - hangRatio) * failureRatio * meanFailureMs(slowdown) +
      (hangRatio + answers * (1 - inTime)) * TIMEOUT_MS;
    const price = success * costOf(priceAt(offering, atMs), arrival);
    const cost = price + timeValue(success * meanMs + failedMs);
    return { success, cost, costToAll: cost + timeValue(success * meanMs) * (load - 1) };
  }

  /** Begins an attempt: counts it in flight and against the capacity. */
  begin(index: number, atMs: number, request: number, arrival: Arrival): AttemptResult {
    const { seed, offerings } = this.world;
    const offering = offerings[index]!;
    const draw = (purpose: number): number => chance(seed, purpose, request, index);
    const load = 1 + offering.loadSlope * this.inFlight[index]!;
    this.inFlight[index]! += 1;
    if (this.#room(index, atMs) < 1) {
      return refused(offering.capacity!.retryAfterMs, draw(PURPOSE.failureTime));
    }
    this.#tokens[index]! -= 1;
    const { slowdown, failureRatio, hangRatio } = conditionAt(offering, atMs);
    const isFailure = draw(PURPOSE.failure) < failureRatio;
    const isHung = draw(PURPOSE.hang) < hangRatio;
    const wouldFail = draw(PURPOSE.failure) < offering.failureRatio;
    const isAffected = isHung || isFailure !== wouldFail || slowdown !== 1;
    if (isHung) return timedOut(isAffected);
    if (isFailure) {
      return failed(draw(PURPOSE.kind), draw(PURPOSE.failureTime), slowdown, isAffected);
    }
    const luck = normalOf(draw(PURPOSE.slowness), chance(seed, PURPOSE.slowness, request, ~index));
    const factor = Math.exp(offering.sigma * luck) * slowdown * load;
    const durationMs = Math.ceil(plainMs(offering, arrival) * factor);
    if (durationMs >= TIMEOUT_MS) return timedOut(isAffected);
    const costNanoUsd = costOf(priceAt(offering, atMs), arrival);
    return { status: 'success', durationMs, costNanoUsd, retryAfterMs: null, isAffected };
  }

  end(index: number): void {
    this.inFlight[index]! -= 1;
  }

  /** Attempts that the capacity still takes; Infinity without one. */
  #room(index: number, atMs: number): number {
    const { capacity } = this.world.offerings[index]!;
    if (capacity === null) return Number.POSITIVE_INFINITY;
    const gained = ((atMs - this.#filledMs[index]!) / 1000) * capacity.perSecond;
    if (gained > 0) {
      this.#tokens[index] = Math.min(capacity.burst, this.#tokens[index]! + gained);
      this.#filledMs[index] = atMs;
    }
    return this.#tokens[index]!;
  }
}

/** Expected loss of a request whose candidates are tried in this order. */
export function lossOf(slate: readonly Expected[]): number {
  let loss = 0;
  let reached = 1;
  for (const { success, cost } of slate) {
    loss += reached * cost;
    reached *= 1 - success;
  }
  return loss + reached * UNANSWERED_NANO_USD;
}

export function timeValue(ms: number): number {
  return (ms / 1000) * SECOND_NANO_USD;
}

function meanFailureMs(slowdown: number): number {
  const fast = (slowdown * (ERROR_MS.from + ERROR_MS.to)) / 2;
  return TIMEOUT_SHARE * TIMEOUT_MS + (1 - TIMEOUT_SHARE) * fast;
}

function failed(kind: number, time: number, slowdown: number, isAffected: boolean): AttemptResult {
  if (kind < TIMEOUT_SHARE) return timedOut(isAffected);
  const status = kind < TIMEOUT_SHARE + INVALID_SHARE ? 'invalid_response' : 'error';
  const durationMs = Math.ceil((ERROR_MS.from + (ERROR_MS.to - ERROR_MS.from) * time) * slowdown);
  return { status, durationMs, costNanoUsd: 0, retryAfterMs: null, isAffected };
}

function refused(retryAfterMs: number | null, time: number): AttemptResult {
  const durationMs = Math.ceil(REFUSED_MS.from + (REFUSED_MS.to - REFUSED_MS.from) * time);
  return { status: 'rate_limited', durationMs, costNanoUsd: 0, retryAfterMs, isAffected: true };
}

function timedOut(isAffected: boolean): AttemptResult {
  const durationMs = TIMEOUT_MS;
  return { status: 'timeout', durationMs, costNanoUsd: 0, retryAfterMs: null, isAffected };
}

/** Of a log-normal time: how likely it is below the limit, and its mean then. */
export function truncated(medianMs: number, sigma: number): { inTime: number; meanMs: number } {
  const z = Math.log(TIMEOUT_MS / medianMs) / sigma;
  const inTime = normalBelow(z);
  if (inTime < 1e-9) return { inTime: 0, meanMs: TIMEOUT_MS };
  const meanMs = (medianMs * Math.exp((sigma * sigma) / 2) * normalBelow(z - sigma)) / inTime;
  return { inTime, meanMs: Math.min(meanMs, TIMEOUT_MS) };
}

/** Distribution function of the standard normal (Abramowitz and Stegun 26.2.17, to 7.5e-8). */
function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const above = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z >= 0 ? 1 - above : above;
}
