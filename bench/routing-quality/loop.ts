import { Agenda } from './agenda.js';
import { chance, PURPOSE } from './chance.js';
import { TYPICAL } from './draft.js';
import type { Gauge, Policy, PolicyMaker } from './policy.js';
import { type AttemptResult, lossOf, Truth, timeValue } from './truth.js';
import { ATTEMPTS_MAX, OVERDUE_AFTER_MS, UNANSWERED_NANO_USD, type World } from './world.js';

/** What became of one request. */
export interface RequestResult {
  atMs: number;
  /** Expected at the moment of the decision, given its order of candidates; nano-USD. */
  expectedLoss: number;
  /** As it really went. */
  loss: number;
  /** Until it was answered or given up. */
  durationMs: number;
  isAnswered: boolean;
  attempts: number;
}

export interface Run {
  /** In the order of arrivals, warm-up left out. */
  requests: RequestResult[];
  /** Second by second from the start: share of each offering for a typical request. */
  shares: number[][];
  /** When each offering's attempts ended and were seen, in that order: what reactions are timed by. */
  seen: SeenTime[];
  /** When a gauge was first seen with overdue attempts that began in the event; null = never. */
  overdueSeenMs: (number | null)[];
}

export interface SeenTime {
  offering: number;
  startedMs: number;
  seenMs: number;
  /** Of the truth's. */
  isAffected: boolean;
}

/** An outcome is on its way for 80 to 180 ms, and the router looks every 200 ms. */
const ON_THE_WAY_MS = { from: 80, to: 180 };
const POLL_MS = 200;
const GAUGE_MS = 5_000;
const SECOND_MS = 1_000;

type Step = () => void;

/**
 * Runs a policy through a world: what it decides shapes what it learns next. Shares are asked for
 * only where they are wanted: that takes time, and changes no answer but the luck of peers.
 */
export function runWorld(world: World, make: PolicyMaker, areSharesWanted = true): Run {
  return new Loop(world, make).run(areSharesWanted);
}

class Loop {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #policy: Policy;
  readonly #agenda = new Agenda<Step>();
  /** By offering: when each attempt in flight began. */
  readonly #begun: Set<{ atMs: number }>[];
  readonly #started: number[];
  readonly #result: Run;
  #nowMs = 0;

  constructor(world: World, make: PolicyMaker) {
    this.#world = world;
    this.#truth = new Truth(world);
    this.#policy = make(world, this.#truth);
    this.#begun = world.offerings.map(() => new Set());
    this.#started = world.offerings.map(() => 0);
    const overdueSeenMs = world.offerings.map(() => null);
    this.#result = { requests: [], shares: [], seen: [], overdueSeenMs };
  }

  run(areSharesWanted: boolean): Run {
    const { arrivals, endMs } = this.#world;
    this.#at(GAUGE_MS, () => this.#gauge());
    if (areSharesWanted) this.#at(SECOND_MS, () => this.#sample());
    let next = 0;
    for (;;) {
      const arrivalMs = arrivals[next]?.atMs ?? Number.POSITIVE_INFINITY;
      const stepMs = this.#agenda.nextMs;
      const isOver = Math.min(arrivalMs, stepMs) >= endMs;
      if (isOver && this.#begun.every((begun) => begun.size === 0)) return this.#result;
      this.#nowMs = Math.min(arrivalMs, stepMs);
      if (arrivalMs < stepMs) this.#arrive(next++);
      else this.#agenda.take()();
    }
  }

  #at(atMs: number, step: Step): void {
    this.#agenda.add(atMs, step);
  }

  #arrive(request: number): void {
    const { arrivals, warmUpMs } = this.#world;
    const arrival = arrivals[request]!;
    const atMs = this.#nowMs;
    const isWarmUp = atMs < warmUpMs;
    const slate = isWarmUp ? this.#spread(request) : this.#policy.rank(atMs, arrival, request);
    const expected = slate.map((index) => this.#truth.expect(index, atMs, arrival));
    const result: RequestResult = {
      atMs,
      expectedLoss: lossOf(expected),
      loss: UNANSWERED_NANO_USD,
      durationMs: 0,
      isAnswered: false,
      attempts: 0,
    };
    if (!isWarmUp) this.#result.requests.push(result);
    this.#try(request, slate, result);
  }

  #try(request: number, slate: readonly number[], result: RequestResult): void {
    const attempt = result.attempts;
    const offering = slate[attempt]!;
    const arrival = this.#world.arrivals[request]!;
    const startedMs = this.#nowMs;
    const outcome = this.#truth.begin(offering, startedMs, request, arrival);
    const inFlight = { atMs: startedMs };
    this.#begun[offering]!.add(inFlight);
    this.#started[offering]! += 1;
    result.attempts += 1;
    this.#at(startedMs + outcome.durationMs, () => {
      this.#begun[offering]!.delete(inFlight);
      this.#truth.end(offering);
      this.#announce(request, offering, attempt, startedMs, outcome);
      result.durationMs += outcome.durationMs;
      result.loss += timeValue(outcome.durationMs) + outcome.costNanoUsd;
      if (outcome.status === 'success') {
        result.isAnswered = true;
        result.loss -= UNANSWERED_NANO_USD;
      } else if (result.attempts < slate.length) this.#try(request, slate, result);
    });
  }

  /** The outcome travels to the policy. */
  #announce(
    request: number,
    offering: number,
    attempt: number,
    startedMs: number,
    { status, durationMs, retryAfterMs, isAffected }: AttemptResult,
  ): void {
    const endedMs = this.#nowMs;
    const luck = chance(this.#world.seed, PURPOSE.delay, request, attempt);
    const arrivedMs = endedMs + ON_THE_WAY_MS.from + luck * (ON_THE_WAY_MS.to - ON_THE_WAY_MS.from);
    const seenMs = Math.ceil(arrivedMs / POLL_MS) * POLL_MS;
    const arrival = this.#world.arrivals[request]!;
    this.#at(seenMs, () => {
      this.#result.seen.push({ offering, startedMs, seenMs, isAffected });
      const seen = {
        offering,
        endedMs,
        seenMs,
        attempt,
        status,
        durationMs,
        retryAfterMs,
        arrival,
      };
      this.#policy.seeOutcome(seen);
    });
  }

  #gauge(): void {
    const atMs = this.#nowMs;
    const gauges = this.#begun.map((begun, offering): Gauge => {
      const ages = [...begun].map((it) => atMs - it.atMs);
      const started = this.#started[offering]!;
      this.#started[offering] = 0;
      const overdue = ages.filter((age) => age > OVERDUE_AFTER_MS).length;
      return { started, inFlight: ages.length, overdue, oldestMs: Math.max(0, ...ages) };
    });
    const affected = this.#overdueSinceEvent();
    this.#at(atMs + POLL_MS, () => {
      for (const offering of affected) {
        this.#result.overdueSeenMs[offering] ??= this.#nowMs;
      }
      this.#policy.seeGauges(this.#nowMs, gauges);
    });
    if (atMs < this.#world.endMs) this.#at(atMs + GAUGE_MS, () => this.#gauge());
  }

  /** Offerings with overdue attempts that the event may have to do with. */
  #overdueSinceEvent(): number[] {
    const fromMs = this.#world.event?.fromMs ?? Number.POSITIVE_INFINITY;
    const untilMs = this.#nowMs - OVERDUE_AFTER_MS;
    return this.#begun.flatMap((begun, offering) =>
      [...begun].some(({ atMs }) => atMs >= fromMs && atMs < untilMs) ? [offering] : [],
    );
  }

  #sample(): void {
    if (this.#nowMs >= this.#world.endMs) return;
    this.#result.shares.push(this.#policy.shares(this.#nowMs, TYPICAL));
    this.#at(this.#nowMs + SECOND_MS, () => this.#sample());
  }

  /** The same order for every policy. */
  #spread(request: number): number[] {
    const order = this.#world.offerings
      .map((_, index) => index)
      .filter((index) => this.#truth.isOffered(index, this.#nowMs))
      .map((index) => ({ index, by: chance(this.#world.seed, PURPOSE.warmUp, request, index) }));
    return order
      .sort((a, b) => a.by - b.by)
      .slice(0, ATTEMPTS_MAX)
      .map(({ index }) => index);
  }
}
