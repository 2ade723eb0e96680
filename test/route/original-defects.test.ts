import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { Board } from '../../src/route/board.js';
import { breakerOf } from '../../src/route/breaker.js';
import type { Snapshot } from '../../src/route/snapshot.js';
import { STRATEGIES } from '../../src/route/strategies/registry.js';
import { AS_OF, decideOn, measured, minute, offering, snapshotOf, tick } from './fixtures.js';
import { appOf, post } from './route-app.js';

// The twelve defects of the program that this one began as: each must stay away. S1 to S4 are of
// its writer of metrics; S1 to S4 beside a database are in test/project/original-defects.int.test.ts.

const x = offering('m', 'openai');
const y = offering('m', 'azure.ai.openai');
const massOf = (snapshot: Snapshot, key: string): number =>
  decideOn(snapshot).eligible.find((it) => it.offering === key)?.mass ?? 0;

describe('defects of the original', () => {
  it('S5 what is measured changes what is decided, with no step between', () => {
    const good = measured([x, y], { minutes: { [x.offering]: [minute(3, { success: 60 })] } });
    const bad = measured([x, y], { minutes: { [x.offering]: [minute(3, { error: 60 })] } });
    expect(massOf(good, x.offering)).toBeGreaterThan(massOf(bad, x.offering));
  });

  it('S6 a million good calls do not hide an outage', () => {
    const outage = Array.from({ length: 3 }, (_, age) => tick(age, { error: 20 }));
    const snapshot = measured([x, y], {
      minutes: { [x.offering]: [minute(20, { success: 1_000_000 })] },
      ticks: { [x.offering]: outage },
    });
    const { excluded } = decideOn(snapshot);
    expect(excluded).toEqual([{ offering: x.offering, reason: 'open_failures' }]);
  });

  it('S7 who failed is tried again by itself, and is back once it answers', () => {
    const failing = measured([x], { ticks: { [x.offering]: [tick(0, { error: 20 })] } });
    const at = (seconds: number) => breakerOf(failing.health, x.offering, AS_OF + seconds);
    expect(at(0)).toMatchObject({ state: 'open', share: 0 });
    expect(at(20).state).toBe('half_open');
    expect(at(20).share).toBeGreaterThan(0);
    const recovered = measured([x], {
      ticks: {
        [x.offering]: [
          tick(23, { error: 20 }),
          ...Array.from({ length: 18 }, (_, age) => tick(age, { success: 20 })),
        ],
      },
    });
    expect(breakerOf(recovered.health, x.offering, AS_OF).state).toBe('closed');
    expect(failing.catalogue.offerings.get(x.offering)!.enabled).toBe(true);
  });

  it('S8 what was never measured is not instant, not free and not perfect', () => {
    const fast = measured([x, y], {
      minutes: { [x.offering]: [minute(3, { success: 200 }, { pace: -24 })] },
    });
    const { candidates } = decideOn(fast, { strategy: 'response_time' });
    expect(candidates.map((it) => it.offering)).toEqual([x.offering, y.offering]);
    expect(candidates[1]!.reasons).toContain('no_data');
    expect(candidates[1]!.expected.duration_ms_p50).toBeGreaterThan(0);
    expect(candidates[1]!.expected.success_ratio).toBeLessThan(1);
    const unknown = offering('m', 'groq', { prices: [] });
    const partlyUnknown = offering('m', 'mistral', { input: null, output: 0 });
    const free = offering('m', 'deepseek', { input: 0, output: 0 });
    const order = decideOn(measured([unknown, partlyUnknown, x, free]), {
      strategy: 'cost_optimized',
      limit: 4,
    });
    expect(order.candidates.map((it) => it.expected.cost_nano_usd === null)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(order.candidates[0]).toMatchObject({
      offering: free.offering,
      expected: { cost_nano_usd: 0 },
    });
  });

  it('S9 no key is searched for, nothing is flushed, and an empty answer is a hit', async () => {
    for (const text of sourcesOf('src/hotkeys', 'src/route')) {
      expect(text).not.toMatch(/\b(FLUSHDB|FLUSHALL|flushdb|flushall)\b/);
      expect(text).not.toMatch(/call\('(KEYS|SCAN)'|\.(keys|scan)\(['"`]/);
    }
    const { app } = appOf(snapshotOf({ models: { models: [], aliases: {}, offerings: [] } }));
    for (let i = 0; i < 5; i++) await app.inject('/v1/models');
    const { service_performance } = (await app.inject('/v1/stats')).json();
    expect(service_performance).toMatchObject({ cache_hits: 4, cache_misses: 1 });
  });

  it.each([...STRATEGIES.keys()])(
    'S10 strategy %s is what decides when it is asked for',
    async (name) => {
      const snapshot = measured([x, y], {
        minutes: { [x.offering]: [minute(3, { success: 60 })] },
      });
      const provider = name === 'specified_provider' ? { only: ['openai'] } : {};
      const answer = await appOf(snapshot).app.inject(
        post({ model: 'm', strategy: name, provider }),
      );
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toMatchObject({ strategy: name });
    },
  );

  it('S11 priority means one thing: the lowest number first', () => {
    const first = offering('m', 'groq', { priority: 1 });
    const second = offering('m', 'anthropic', { priority: 2 });
    for (const strategy of ['fallback', 'weighted_round_robin']) {
      const { candidates } = decideOn(measured([second, first]), { strategy });
      expect(candidates.map((it) => it.offering)).toEqual([first.offering, second.offering]);
    }
  });

  it('S12 what happens to one model at a provider is nothing to its others', () => {
    const other = offering('other', 'openai');
    const snapshot = measured([x, y, other], {
      ticks: { [x.offering]: [tick(0, { error: 20 })] },
    });
    const board = new Board(snapshot, AS_OF, false);
    expect(board.view(x).breaker.state).toBe('open');
    expect(board.view(other).breaker.state).toBe('closed');
    const busy = snapshotOf({
      models: { models: [], aliases: {}, offerings: [x, other] },
      health: {
        newest_tick: AS_OF / 5,
        ticks: {},
        inflight: { [x.offering]: { in_flight: 9, overdue: 9, oldest_ms: 60_000 } },
      },
    });
    expect(breakerOf(busy.health, x.offering, AS_OF).reason).toBe('overdue');
    expect(breakerOf(busy.health, other.offering, AS_OF).state).toBe('closed');
  });
});

/** Texts of all files below the folders. */
function sourcesOf(...folders: string[]): string[] {
  return folders.flatMap((folder) => {
    const path = join(packageRoot, folder);
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(path, file), 'utf8'));
  });
}
