import { readArrivals } from '../../src/demo/traces.js';
import type { Dice } from './chance.js';
import {
  type Arrival,
  type Change,
  timeAndPrice,
  type WorldEvent,
  type WorldOffering,
} from './world.js';

/** A world while it is made: `shape` changes it in place. */
export interface Draft {
  dice: Dice;
  offerings: Mutable<WorldOffering>[];
  arrivals: Arrival[];
  endMs: number;
  ratePerSecond: number;
  event: WorldEvent | null;
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export const MINUTE = 60_000;
export const TYPICAL: Arrival = { atMs: 0, inputTokens: 1_000, outputTokens: 180 };

export function offeringOf(dice: Dice, index: number): Mutable<WorldOffering> {
  const input = dice.around(0.15e9, 2.5e9);
  return {
    provider: `provider-${index}`,
    fromMs: 0,
    prices: [{ fromMs: 0, input, output: input * dice.between(2, 5) }],
    ttftMs: dice.around(200, 900),
    inputTokenUs: dice.around(10, 80),
    outputTokenUs: dice.around(5_000, 28_000),
    sigma: dice.between(0.15, 0.4),
    failureRatio: dice.around(0.003, 0.05),
    loadSlope: 0,
    capacity: null,
    changes: [],
  };
}

/** A piece of the trace from anywhere in it, at the wanted mean rate; it starts over at its end. */
export function arrivalsOf(dice: Dice, ratePerSecond: number, endMs: number): Arrival[] {
  const trace = conversations();
  const [first, last] = [trace[0]!.atMs, trace.at(-1)!.atMs];
  const lengthMs = last - first + 200;
  const speed = (ratePerSecond * lengthMs) / 1000 / trace.length;
  const start = dice.whole(0, trace.length - 1);
  const arrivals: Arrival[] = [];
  for (let i = 0; ; i++) {
    const at = trace[(start + i) % trace.length]!;
    const laps = Math.floor((start + i) / trace.length) * lengthMs;
    const atMs = (at.atMs + laps - trace[start]!.atMs) / speed;
    if (atMs >= endMs) return arrivals;
    const { inputTokens, outputTokens } = at;
    arrivals.push({ atMs, inputTokens, outputTokens: Math.max(1, outputTokens) });
  }
}

let trace: Arrival[] | null = null;
function conversations(): Arrival[] {
  trace ??= readArrivals().filter(({ kind }) => kind === 'conv');
  return trace;
}

export function happen(
  draft: Draft,
  affected: number[],
  change: Partial<Change> & Pick<Change, 'fromMs' | 'toMs'>,
): void {
  const { fromMs, toMs } = change;
  const whole: Change = {
    fullMs: fromMs,
    periodMs: 0,
    slowdown: 1,
    failureRatio: 0,
    hangRatio: 0,
    ...change,
  };
  for (const index of affected) draft.offerings[index]!.changes = [whole];
  draft.event = { fromMs, toMs, affected };
}

export function passing(dice: Dice): { fromMs: number; toMs: number } {
  const fromMs = dice.between(4, 7) * MINUTE;
  return { fromMs, toMs: fromMs + dice.around(1, 4) * MINUTE };
}

/** Mostly the best one: what hits others is hardly felt. */
export function best({ dice, offerings }: Draft): number {
  const losses = offerings.map((it) => timeAndPrice(it, TYPICAL) / (1 - it.failureRatio));
  return dice.is(0.85) ? losses.indexOf(Math.min(...losses)) : dice.whole(0, losses.length - 1);
}

export function other(draft: Draft): number {
  const first = best(draft);
  return (first + draft.dice.whole(1, draft.offerings.length - 1)) % draft.offerings.length;
}

export function scale(it: Mutable<WorldOffering>, factor: number): void {
  it.ttftMs *= factor;
  it.inputTokenUs *= factor;
  it.outputTokenUs *= factor;
}

export function resized(it: Arrival, input: number, output: number): Arrival {
  const { atMs, inputTokens, outputTokens } = it;
  return {
    atMs,
    inputTokens: Math.max(1, Math.round(inputTokens * input)),
    outputTokens: Math.max(1, Math.round(outputTokens * output)),
  };
}

export function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
