import type { StatusCounts } from '../../hotkeys/values.js';
import type { Snapshot } from '../snapshot.js';
import { failuresOf, successesOf } from '../tally.js';
import { ageOfTick, tickOf, WINDOW_TICKS } from '../ticks.js';

/** Successes and provider failures. */
export interface Traffic {
  success: number;
  failure: number;
}

const WINDOW_MINUTES = 30;

/** Outcomes of the last 30 minutes by model, of those that have any. */
export function activityOf({ catalogue, metrics, health }: Snapshot, asOf: number) {
  const activity = new Map<string, number>();
  const add = (offering: string, outcomes: number): void => {
    const model = catalogue.offerings.get(offering)?.model;
    if (model === undefined || outcomes === 0) return;
    activity.set(model, (activity.get(model) ?? 0) + outcomes);
  };
  const fromMinute = Math.floor(asOf / 60) - WINDOW_MINUTES;
  for (const [offering, { minutes }] of metrics) {
    for (const { minute, counts } of minutes) if (minute > fromMinute) add(offering, sum(counts));
  }
  // What is so new that its minute was not written yet.
  for (const [offering, rows] of health?.ticks ?? []) {
    if (metrics.has(offering)) continue;
    for (const { tick, counts } of rows) if (isRecent(tick, asOf)) add(offering, sum(counts));
  }
  return activity;
}

/** Outcomes of the last two minutes, of all attempts, streamed or whole. */
export function trafficOf(snapshot: Snapshot, offering: string, asOf: number): Traffic {
  const { success, failure } = ticksOf(snapshot, offering, asOf);
  const total = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  return { success: total(success), failure: total(failure) };
}

/** The same by tick of 5 s, oldest first; as-of lies in the last one. */
export function ticksOf({ health }: Snapshot, offering: string, asOf: number) {
  const success = new Array<number>(WINDOW_TICKS).fill(0);
  const failure = new Array<number>(WINDOW_TICKS).fill(0);
  for (const { tick, counts } of health?.ticks.get(offering) ?? []) {
    if (!isRecent(tick, asOf)) continue;
    const at = WINDOW_TICKS - 1 - ageOfTick(tick, tickOf(asOf));
    success[at]! += successesOf(counts);
    failure[at]! += failuresOf(counts);
  }
  return { success, failure };
}

function isRecent(tick: number, asOf: number): boolean {
  return ageOfTick(tick, tickOf(asOf)) !== -1;
}

function sum(counts: StatusCounts): number {
  return counts.reduce((total, count) => total + count, 0);
}
