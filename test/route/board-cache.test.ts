import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asAiRouterError } from '../../src/errors.js';
import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import { answerOf } from '../../src/route/answer.js';
import { Board } from '../../src/route/board.js';
import { BoardCache } from '../../src/route/board-cache.js';
import { decide } from '../../src/route/decide.js';
import { explanationOf } from '../../src/route/explain.js';
import { planOf } from '../../src/route/plan.js';
import type { RouteRequest } from '../../src/route/request.js';
import { nextSnapshot, type Snapshot } from '../../src/route/snapshot.js';
import { AS_OF, decisionId, measured, minute, offering, request, tick, view } from './fixtures.js';
import { type RandomWorld, randomOf, randomRequest, randomWorld } from './random-world.js';

const POLICY = {
  name: 'p',
  default_for: ['acme'],
  weights: { openai: 3 },
  split: { unit: 'sticky', ttl_s: 60, variants: [] as object[] },
};
POLICY.split.variants = [
  { name: 'a', percent: 70 },
  { name: 'b', percent: 30, strategy: 'weighted_round_robin' },
];

type Values = Map<string, string>;

/** One of the values, changed here and there. */
function change(values: Values, random: () => number): void {
  const pick = (names: string[]): string => names[Math.floor(random() * names.length)]!;
  const edit = (key: string, of: (value: never) => void): void => {
    const value = JSON.parse(values.get(key)!);
    of(value as never);
    values.set(key, JSON.stringify(value));
  };
  const kind = random();
  if (kind < 0.6) {
    edit(
      'health',
      (health: { ticks: Record<string, { counts: number[] }[]>; inflight: object }) => {
        const key = pick(Object.keys(health.ticks));
        const count = 1 + Math.floor(random() * 9);
        if (random() < 0.4) {
          Object.assign(health.inflight, { [key]: { in_flight: 9, overdue: count } });
        } else if (random() < 0.2) delete health.ticks[key];
        else health.ticks[key]!.at(-1)!.counts[random() < 0.5 ? 0 : 1]! += count;
      },
    );
  } else if (kind < 0.75) {
    const key = pick([...values.keys()].filter((name) => name.startsWith('metrics:')));
    edit(key, (metrics: { minutes: { counts: number[] }[] }) => {
      metrics.minutes[0]!.counts[0]! += 5;
    });
  } else if (kind < 0.8) {
    edit('models', (models: { offerings: { weight: number }[] }) => {
      models.offerings[Math.floor(random() * models.offerings.length)]!.weight += 1;
    });
  } else if (kind < 0.85) {
    const enabled = random() < 0.5;
    values.set('providers', JSON.stringify({ providers: [{ name: 'groq', enabled }] }));
  } else if (kind < 0.95) {
    const document = JSON.stringify({ ...POLICY, salt: random() < 0.5 ? 'x' : 'y' });
    const entry = { document, hash: hash('sha256', document, 'hex') };
    values.set('policies', JSON.stringify({ p: entry }));
  }
}

/** The bytes that are answered; of an error its code. */
function bytesOf(board: Board, snapshot: Snapshot, atMs: number, asked: RouteRequest): string {
  const input = {
    board,
    decidedAtMs: atMs,
    staleAfterMs: 10_000,
    tenant: asked.request_id.endsWith('0') ? 'acme' : '',
    request: asked,
    decisionId: decisionId(Number(asked.request_id)),
  };
  try {
    const decided = decide(input);
    const answer = answerOf({ decided, snapshot, decidedAtMs: atMs, isPreview: false });
    return JSON.stringify([answer, explanationOf(input, decided)]);
  } catch (error) {
    return asAiRouterError(error).code;
  }
}

describe('boards that are kept', () => {
  it('I8 answer the same bytes as one that is made for each request, whatever changes', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = randomOf(seed);
        const world: RandomWorld = randomWorld(random);
        const values: Values = new Map(world.values);
        const waiting: (() => void)[] = [];
        const cache = new BoardCache((run) => waiting.push(run));
        const requests = Array.from({ length: 12 }, (_, i) =>
          randomRequest(random, world, String(i)),
        );
        let kept: Snapshot | null = null;
        let atMs = AS_OF * 1000;
        for (let step = 0; step < 12; step++) {
          const before = new Map(values);
          change(values, random);
          const changedKeys = new Set(
            [...values.keys()].filter((k) => before.get(k) !== values.get(k)),
          );
          const whole = view(Object.fromEntries(values));
          kept = nextSnapshot(kept, kept === null ? whole : { ...whole, changedKeys }).snapshot;
          const anew = nextSnapshot(null, whole).snapshot;
          atMs += random() < 0.2 ? 1_700 : random() < 0.1 ? -1_500 : 90;
          for (let i = 0; i < 6; i++) {
            const asked = requests[Math.floor(random() * requests.length)]!;
            const second = Math.floor(atMs / 1000);
            const board = cache.boardOf(kept, second, asked.stream);
            const { plansMade } = board;
            const bytes = bytesOf(board, kept, atMs, asked);
            expect(bytes).toBe(bytesOf(new Board(anew, second, asked.stream), anew, atMs, asked));
            reached.add(board.plansMade === plansMade ? 'kept' : 'made');
            if (bytes.includes('"policy":"p"')) reached.add('policy');
            if (random() < 0.5) waiting.shift()?.();
          }
        }
      }),
      { numRuns: 15 },
    );
    expect([...reached].sort()).toEqual(['kept', 'made', 'policy']);
  });

  const own = offering('m', 'openai');
  const mate = offering('m', 'azure.ai.openai');
  const foreign = offering('other', 'groq');
  const ticksOf = (success: number) => [tick(0, { success }), tick(3, { success: 30 })];
  const state = (before: Snapshot | null, ownSuccess: number, foreignSuccess: number): Snapshot => {
    const all = measured([own, mate, foreign], {
      minutes: { [own.offering]: [minute(3, { success: 60 })] },
    });
    const health = {
      newest_tick: AS_OF / 5,
      ticks: { [own.offering]: ticksOf(ownSuccess), [foreign.offering]: ticksOf(foreignSuccess) },
      inflight: {},
    };
    if (before === null) return nextSnapshot(all, view({ health })).snapshot;
    return nextSnapshot(before, view({ health })).snapshot;
  };
  const asked = request({});
  /** Plans that had to be made while a request waited. */
  const madeOn = (board: Board): number => {
    const { plansMade } = board;
    planOf(board, asked);
    return board.plansMade - plansMade;
  };

  it('make a plan once for a tick, while nothing changes that it is made from', () => {
    const cache = new BoardCache();
    const first = state(null, 1, 1);
    expect(madeOn(cache.boardOf(first, AS_OF, false))).toBe(1);
    expect(madeOn(cache.boardOf(first, AS_OF, false))).toBe(0);
    expect(madeOn(cache.boardOf(first, AS_OF + 1, false))).toBe(0);
    const ofAnother = state(first, 1, 2);
    expect(madeOn(cache.boardOf(ofAnother, AS_OF + 1, false))).toBe(0);
    const ofItsOwn = state(ofAnother, 2, 2);
    expect(madeOn(cache.boardOf(ofItsOwn, AS_OF + 1, false))).toBe(1);
    expect(madeOn(cache.boardOf(ofItsOwn, AS_OF + 5, false))).toBe(1);
  });

  it('read the rows of a state once for a tick', () => {
    const cache = new BoardCache();
    const first = state(null, 1, 1);
    const { evidence } = cache.boardOf(first, AS_OF, false);
    expect(cache.boardOf(first, AS_OF + 4, false).evidence).toBe(evidence);
    expect(cache.boardOf(first, AS_OF + 5, false).evidence).not.toBe(evidence);
    expect(cache.boardOf(first, AS_OF, true).evidence).not.toBe(evidence);
    expect(cache.boardOf(state(first, 1, 2), AS_OF, false).evidence).not.toBe(evidence);
  });

  it('make everything anew for another catalogue', () => {
    const unpriced = (weight: number) => offering('m', 'openai', { prices: [], weight });
    const cache = new BoardCache();
    const shareIn = (...offerings: ModelsValueOffering[]): number =>
      planOf(cache.boardOf(measured(offerings), AS_OF, false), asked).eligible[0]!.mass;
    expect(shareIn(unpriced(1))).toBe(2 ** 20);
    expect(() => shareIn(unpriced(0))).toThrow('every offering of the named models was excluded');
  });

  it('make ahead what was asked for lately, and leave off when nobody asks any more', () => {
    const waiting: (() => void)[] = [];
    const cache = new BoardCache((run) => waiting.push(run));
    let snapshot = state(null, 1, 1);
    const boardOfNext = (n: number): Board => {
      snapshot = state(snapshot, n, 1);
      const board = cache.boardOf(snapshot, AS_OF, false);
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) run();
      return board;
    };
    expect(madeOn(cache.boardOf(snapshot, AS_OF, false))).toBe(1);
    const next = boardOfNext(2);
    expect(next.plansMade).toBe(0);
    expect(madeOn(next)).toBe(0);
    const ahead = Array.from({ length: 31 }, (_, i) => boardOfNext(3 + i).planCount);
    expect(ahead).toEqual([...Array<number>(30).fill(1), 0]);
    expect(madeOn(boardOfNext(34))).toBe(1);
  });

  it('make ahead for a newer state what an older one was not given the time for', () => {
    const waiting: (() => void)[] = [];
    const cache = new BoardCache((run) => waiting.push(run));
    const first = state(null, 1, 1);
    planOf(cache.boardOf(first, AS_OF, false), asked);
    const second = state(first, 2, 1);
    cache.boardOf(second, AS_OF, false);
    const third = cache.boardOf(state(second, 3, 1), AS_OF, false);
    expect(third.planCount).toBe(0);
    for (const run of waiting) run();
    expect(third.planCount).toBe(1);
    expect(madeOn(third)).toBe(0);
  });

  it('make nothing ahead while requests wait: who asks makes its own', () => {
    const waiting: (() => void)[] = [];
    let nowMs = 0;
    const cache = new BoardCache(
      (run) => waiting.push(run),
      () => nowMs,
    );
    const run = (): void => {
      for (const each of waiting.splice(0)) each();
    };
    const first = state(null, 1, 1);
    planOf(cache.boardOf(first, AS_OF, false), asked);
    const second = state(first, 2, 1);
    const busy = cache.boardOf(second, AS_OF, false);
    nowMs += 21;
    run();
    expect([busy.planCount, waiting.length]).toEqual([0, 0]);
    expect(madeOn(busy)).toBe(1);
    // The next state is in time, and has it made before anybody asks.
    const third = cache.boardOf(state(second, 3, 1), AS_OF, false);
    nowMs += 19;
    run();
    expect(third.planCount).toBe(1);
    expect(madeOn(third)).toBe(0);
  });

  it('I11 keep a bounded number of plans', () => {
    const cache = new BoardCache();
    const snapshot = state(null, 1, 1);
    const board = cache.boardOf(snapshot, AS_OF, false);
    for (let i = 0; i < 1_100; i++) planOf(board, request({ require: { context_tokens: i } }));
    expect(board.planCount).toBe(1_024);
    const tried = Array.from({ length: 64 }, (_, i) => `m|${'x'.repeat(80)}${i}||`);
    planOf(board, request({ tried }));
    expect(board.planCount).toBe(1_024);
    const fresh = cache.boardOf(snapshot, AS_OF + 9, false);
    planOf(fresh, request({ tried }));
    expect([fresh.planCount, fresh.plansMade]).toEqual([0, 1]);
    expect(cache.clear()).toBe(1_024);
    expect(cache.clear()).toBe(0);
  });
});
