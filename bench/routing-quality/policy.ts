import type { Status } from '../../src/event/outcome.js';
import type { Truth } from './truth.js';
import type { Arrival, World } from './world.js';

/** The end of an attempt, as everybody learns of it, late. Times are ms since the world's start. */
export interface Seen {
  offering: number;
  /** When the attempt ended. */
  endedMs: number;
  /** When the router knows of it. */
  seenMs: number;
  /** 0 is the first of its request. */
  attempt: number;
  status: Status;
  durationMs: number;
  retryAfterMs: number | null;
  arrival: Arrival;
}

/** Attempts in flight at an offering, as callers report them every 5 s. */
export interface Gauge {
  started: number;
  inFlight: number;
  /** In flight for longer than expected. */
  overdue: number;
  oldestMs: number;
}

/** Who is asked. Every policy is told the same, at the same moments. */
export interface Policy {
  seeOutcome(seen: Seen): void;
  /** By offering. */
  seeGauges(atMs: number, gauges: readonly Gauge[]): void;
  /** Offerings in the order in which they are to be tried, at most ATTEMPTS_MAX. */
  rank(atMs: number, arrival: Arrival, request: number): number[];
  /** Probability of each to be tried first by a request of that size now. */
  shares(atMs: number, arrival: Arrival): number[];
}

/** Only the oracle may look at the truth. */
export type PolicyMaker = (world: World, truth: Truth) => Policy;

export interface NamedPolicy {
  name: string;
  make: PolicyMaker;
}
