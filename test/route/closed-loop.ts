import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import { Board } from '../../src/route/board.js';
import { decide } from '../../src/route/decide.js';
import { nextSnapshot, type Snapshot } from '../../src/route/snapshot.js';
import {
  AS_OF,
  catalogue,
  decisionId,
  health,
  hotState,
  minute,
  request,
  tick,
  view,
} from './fixtures.js';

/** How an offering behaves at a second since the start. */
export type Behaviour = (second: number) => { success: number; pace: number };

/** Mulberry32: numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

interface Outcome {
  endsAt: number;
  offering: string;
  isSuccess: boolean;
  pace: number;
}

const PLAIN_SECONDS = 2.4;

/**
 * Decides a steady stream of requests, each by what the ones before it came to: outcomes appear in
 * ticks and minutes once they have ended, read a second later. Returns each offering's share of
 * the first attempts, by tick of 5 s since the start.
 */
export function closedLoop(
  offerings: readonly ModelsValueOffering[],
  behaviours: readonly Behaviour[],
  options: { seconds: number; perSecond: number; strategy: string; seed: number },
): Map<string, number>[] {
  const random = generator(options.seed);
  const byKey = new Map(offerings.map((it, i) => [it.offering, behaviours[i]!]));
  const shares: Map<string, number>[] = [];
  const pending: Outcome[] = [];
  const ended: Outcome[] = [];
  for (let second = 0; second < options.seconds; second++) {
    takeEnded(pending, ended, second);
    const board = new Board(snapshotAt(offerings, ended, second), AS_OF + second, false);
    const share = shares[Math.floor(second / 5)] ?? new Map<string, number>();
    shares[Math.floor(second / 5)] = share;
    for (let i = 0; i < options.perSecond; i++) {
      const { offering } = decide({
        board,
        decidedAtMs: (AS_OF + second) * 1000,
        staleAfterMs: 10_000,
        tenant: '',
        request: request({ strategy: options.strategy, limit: 1 }),
        decisionId: decisionId(second * 1000 + i),
      }).candidates[0]!;
      share.set(offering, (share.get(offering) ?? 0) + 1 / (5 * options.perSecond));
      pending.push(attempt(offering, byKey.get(offering)!(second), second, random));
    }
  }
  return shares;
}

function attempt(
  offering: string,
  { success, pace }: ReturnType<Behaviour>,
  second: number,
  random: () => number,
): Outcome {
  const spread = Math.round(8 * (random() - 0.5));
  const isSuccess = random() < success;
  const endsAt = second + PLAIN_SECONDS * 2 ** ((pace + spread) / 8);
  return { endsAt, offering, isSuccess, pace: pace + spread };
}

function takeEnded(pending: Outcome[], ended: Outcome[], second: number): void {
  for (let i = pending.length - 1; i >= 0; i--) {
    if (pending[i]!.endsAt < second) ended.push(...pending.splice(i, 1));
  }
}

function snapshotAt(
  offerings: readonly ModelsValueOffering[],
  ended: readonly Outcome[],
  second: number,
): Snapshot {
  const now = AS_OF + second;
  const tickRows: Record<string, ReturnType<typeof tick>[]> = {};
  const values: Record<string, unknown> = { models: catalogue(offerings) };
  for (const { offering } of offerings) {
    const own = ended.filter((it) => it.offering === offering);
    const rowOf = (outcomes: Outcome[]) => {
      const good = outcomes.filter((it) => it.isSuccess).map((it) => it.pace);
      const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
      const by = { success: good.length, error: outcomes.length - good.length };
      const pace: [number, number, number] = [good.length, sum(good), sum(good.map((x) => x * x))];
      return { by, pace };
    };
    tickRows[offering] = group(own, 5, now - 125).map(([at, outcomes]) => {
      const { by, pace } = rowOf(outcomes);
      return { ...tick(0, by), tick: at, pace };
    });
    const minutes = group(own, 60, now - 1800).map(([at, outcomes]) => {
      const { by, pace } = rowOf(outcomes);
      return { ...minute(0, by), minute: at, pace };
    });
    values[`metrics:${offering}`] = { offering, minutes, latency: [] };
  }
  values['health'] = health({ ticks: tickRows, newest_tick: Math.floor(now / 5) });
  return nextSnapshot(null, view(values, { state: hotState(now * 1000) })).snapshot;
}

function group(outcomes: readonly Outcome[], seconds: number, from: number): [number, Outcome[]][] {
  const groups = new Map<number, Outcome[]>();
  for (const outcome of outcomes) {
    if (AS_OF + outcome.endsAt < from) continue;
    const at = Math.floor((AS_OF + outcome.endsAt) / seconds);
    groups.set(at, [...(groups.get(at) ?? []), outcome]);
  }
  return [...groups];
}
