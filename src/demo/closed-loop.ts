import type { Publisher } from '../publish/publisher.js';
import { Agenda } from './agenda.js';
import type { RouteCaller } from './http-caller.js';
import { outcomesOf } from './outcomes.js';
import { requestOf, routeBodyOf } from './requests.js';
import type { Shares } from './shares.js';
import type { Arrival } from './traces.js';
import type { VirtualClock } from './virtual-clock.js';
import type { World } from './world.js';

/** Arrivals of a step are decided on the state that the step before it left. */
export const STEP_MS = 15_000;
/** Outcomes are published in the tick in which they end. */
export const TICK_MS = 5_000;

export interface ClosedLoopParts {
  seed: string;
  world: World;
  arrivals: readonly Arrival[];
  /** Number of the first arrival: requests are told apart by it. */
  firstIndex: number;
  /** Waits after each step; a loop at real speed waits for the step to pass. */
  pause(): Promise<void>;
  caller: RouteCaller;
  publisher: Publisher;
  /** It is what record times come from. */
  clock: VirtualClock;
  /** Writes the decisions of the step's answers to the log. */
  logDecisions(answers: number): Promise<void>;
  /** Resolves when the router decides by everything that was published. */
  snapshotCaughtUp(): Promise<void>;
  shares: Shares;
  /** Requests in flight at once; the order of answers makes no difference. */
  concurrency: number;
  stop: AbortSignal;
  onStep(progress: StepProgress): void;
}

export interface StepProgress {
  nowMs: number;
  requests: number;
  published: number;
  /** Wall time from publishing a tick's outcomes to a snapshot that has them, ms. */
  freshnessMs: number | null;
}

export interface ClosedLoopTotals {
  requests: number;
  published: number;
  decisions: number;
  degraded: number;
  freshnessMs: number[];
}

/**
 * Arrivals and outcomes in lock-step virtual time: route what arrives, let the world answer,
 * publish what ended, wait until the router has seen it, go on. What a run does follows from its
 * seed alone, however fast or slow the parts are.
 */
export async function runClosedLoop(parts: ClosedLoopParts): Promise<ClosedLoopTotals> {
  const totals: ClosedLoopTotals = {
    requests: 0,
    published: 0,
    decisions: 0,
    degraded: 0,
    freshnessMs: [],
  };
  const agenda = new Agenda();
  const { arrivals } = parts;
  let startMs = Math.floor(arrivals[0]!.atMs / STEP_MS) * STEP_MS;
  let next = 0;
  parts.clock.set(startMs);
  await parts.snapshotCaughtUp();
  while ((next < arrivals.length || agenda.size > 0) && !parts.stop.aborted) {
    const first = next;
    while (next < arrivals.length && arrivals[next]!.atMs < startMs + STEP_MS) next += 1;
    const before = totals.decisions;
    await routeArrivals(parts, first, next, agenda, totals);
    const answers = totals.decisions - before;
    const freshnessMs = await publishStep(parts, startMs, answers, agenda, totals);
    if (freshnessMs !== null) totals.freshnessMs.push(freshnessMs);
    startMs += STEP_MS;
    const { requests, published } = totals;
    parts.onStep({ nowMs: startMs, requests, published, freshnessMs });
    await parts.pause();
  }
  return totals;
}

async function routeArrivals(
  parts: ClosedLoopParts,
  from: number,
  to: number,
  agenda: Agenda,
  totals: ClosedLoopTotals,
): Promise<void> {
  let next = from;
  const work = async (): Promise<void> => {
    while (next < to && !parts.stop.aborted) {
      const arrival = parts.arrivals[next]!;
      const index = parts.firstIndex + next;
      next += 1;
      const request = requestOf(parts.seed, index, arrival);
      const answer = await parts.caller.route(routeBodyOf(request), arrival.atMs);
      parts.shares.count(arrival.atMs, answer.candidates[0]!.provider);
      totals.requests += 1;
      totals.decisions += 1;
      if (answer.degraded.length > 0) totals.degraded += 1;
      const { seed, world } = parts;
      for (const outcome of outcomesOf(seed, world, index, arrival.atMs, request, answer)) {
        agenda.add(outcome);
      }
    }
  };
  await Promise.all(Array.from({ length: parts.concurrency }, work));
}

/** Publishes the three ticks of a step in order; answers the freshness of the last one. */
async function publishStep(
  parts: ClosedLoopParts,
  startMs: number,
  answers: number,
  agenda: Agenda,
  totals: ClosedLoopTotals,
): Promise<number | null> {
  let publishedAt: number | null = null;
  for (let endMs = startMs + TICK_MS; endMs <= startMs + STEP_MS; endMs += TICK_MS) {
    parts.clock.set(endMs);
    const ended = agenda.takeEnded(endMs);
    for (const outcome of ended) parts.publisher.record(outcome);
    totals.published += ended.length;
    if (ended.length > 0) publishedAt = performance.now();
    await parts.publisher.flush();
  }
  const freshness = async (): Promise<number | null> => {
    await parts.snapshotCaughtUp();
    return publishedAt === null ? null : performance.now() - publishedAt;
  };
  const [freshnessMs] = await Promise.all([freshness(), parts.logDecisions(answers)]);
  return freshnessMs;
}
