import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import { Board } from '../../src/route/board.js';
import { MASS_TOTAL } from '../../src/route/masses.js';
import { planOf } from '../../src/route/plan.js';
import { frontsOf } from '../../src/route/strategies/pareto.js';
import { STRATEGIES } from '../../src/route/strategies/registry.js';
import { AS_OF, decideOn, measured, minute, offering, request, TICK } from './fixtures.js';

import { latency, order, type Rows, shares, withGauges, withLatency } from './measured-worlds.js';

const [a, b, c] = ['a', 'b', 'c'].map((provider) => offering('m', provider)) as [
  ModelsValueOffering,
  ModelsValueOffering,
  ModelsValueOffering,
];

describe('every strategy', () => {
  const snapshot = measured([a, b, c], {
    minutes: { [a.offering]: [minute(2, { success: 30, error: 1 }, { pace: 4 })] },
  });

  it.each([...STRATEGIES.keys()])('%s names the terms of each score', (strategy) => {
    const provider = { only: ['a', 'b', 'c'] };
    const plan = planOf(new Board(snapshot, AS_OF, false), request({ strategy, provider }));
    for (const tier of plan.variants[0]!.tiers) {
      for (const candidate of tier.candidates) {
        const terms = tier.strategy.terms(candidate, tier.group);
        expect(terms.length).toBeGreaterThan(0);
        expect(new Set(terms.map(({ name }) => name)).size).toBe(terms.length);
        for (const { name, value, unit } of terms) {
          expect(name).toMatch(/^[a-z0-9_]+$/);
          expect(unit).toMatch(/\S/);
          expect(value === null || Number.isFinite(value)).toBe(true);
        }
      }
    }
  });
});

describe('least_connections', () => {
  it('gives the less busy the more, up to twice the share of its weight', () => {
    const snapshot = withGauges([a, b, c], { [a.offering]: 0, [b.offering]: 5, [c.offering]: 9 });
    const [one, two, three] = shares(snapshot, { strategy: 'least_connections' });
    expect(one).toBeCloseTo(5 / 9, 5);
    expect(two).toBeCloseTo(3 / 9, 5);
    expect(three).toBeCloseTo(1 / 9, 5);
  });

  it('reads loads by weight, and takes equal ones by weight', () => {
    const [light, heavy] = [offering('m', 'a', { weight: 1 }), offering('m', 'b', { weight: 3 })];
    const even = withGauges([light, heavy], { [light.offering]: 2, [heavy.offering]: 6 });
    const [one] = shares(even, { strategy: 'least_connections' });
    expect(one).toBeCloseTo(1 / 4, 5);
    const busy = withGauges([light, heavy], { [light.offering]: 2, [heavy.offering]: 3 });
    expect(shares(busy, { strategy: 'least_connections' })[0]).toBeLessThan(1 / 4);
  });

  it('takes one without a gauge for idle where others have one', () => {
    const snapshot = withGauges([a, b], { [b.offering]: 1 });
    expect(shares(snapshot, { strategy: 'least_connections' })[0]).toBeCloseTo(3 / 4, 5);
  });

  it.each([
    ['nobody tells', {}, TICK],
    ['the gauges are 15 s old', { [a.offering]: 9 }, TICK - 3],
  ])('says no_metrics and takes the weights where %s', (_name, gauges, newest) => {
    const offerings = [offering('m', 'a', { weight: 1 }), offering('m', 'b', { weight: 3 })];
    const decided = decideOn(withGauges(offerings, gauges, newest), {
      strategy: 'least_connections',
    });
    expect(decided.degraded).toContain('no_metrics');
    expect(decided.eligible.map(({ mass }) => mass / MASS_TOTAL)).toEqual([0.25, 0.75]);
  });

  it('is not degraded where gauges are there', () => {
    const snapshot = withGauges([a, b], { [a.offering]: 1 });
    expect(decideOn(snapshot, { strategy: 'least_connections' }).degraded).toEqual([]);
  });

  it('has shares that sum to 1 and never rise with the load', () => {
    const loads = fc.array(fc.nat(20), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(loads, (list) => {
        const offerings = list.map((_, i) => offering('m', `p${i}`));
        const gauges = Object.fromEntries(list.map((it, i) => [offerings[i]!.offering, it]));
        const found = shares(withGauges(offerings, gauges), { strategy: 'least_connections' });
        expect(found.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
        found.forEach((share, i) => {
          expect(share).toBeLessThanOrEqual(2 / list.length + 1e-5);
          found.forEach((other, j) => {
            if (list[i]! < list[j]!) expect(share).toBeGreaterThan(other);
          });
        });
      }),
    );
  });
});

describe('response_time', () => {
  const rows: Rows = {
    [a.offering]: [latency('ttft_ms', 900), latency('duration_ms', 1000)],
    [b.offering]: [latency('ttft_ms', 200), latency('duration_ms', 9000)],
  };

  it('reads the time to the first token of streamed answers, the duration of others', () => {
    const snapshot = withLatency([a, b], {
      [a.offering]: [...rows[a.offering]!, latency('ttft_ms', 5, 20, { stream: false })],
      [b.offering]: rows[b.offering]!,
    });
    expect(order(snapshot, { strategy: 'response_time', stream: true })).toEqual(['b', 'a']);
    const paced = measured([a, b], {
      minutes: {
        [a.offering]: [minute(4, { success: 30 }, { pace: -4 })],
        [b.offering]: [minute(4, { success: 30 }, { pace: 4, stream: true })],
      },
    });
    expect(order(paced, { strategy: 'response_time' })).toEqual(['a', 'b']);
  });

  it('is sort: latency of OpenRouter', () => {
    const snapshot = withLatency([a, b], rows);
    const sorted = decideOn(snapshot, { provider: { sort: 'latency' }, stream: true });
    expect(sorted.strategy).toBe('response_time');
    expect(sorted.candidates[0]!.provider).toBe('b');
  });

  it('takes the percentile that is asked for', () => {
    const snapshot = withLatency([a, b], {
      [a.offering]: [latency('ttft_ms', 300, 100)],
      [b.offering]: [latency('ttft_ms', 200, 80), latency('ttft_ms', 5000, 20)],
    });
    const at = (percentile: 'p50' | 'p99') =>
      order(snapshot, { strategy: 'response_time', stream: true, latency: { percentile } });
    expect(at('p50')).toEqual(['b', 'a']);
    expect(at('p99')).toEqual(['a', 'b']);
  });

  it('takes the window that is asked for', () => {
    const snapshot = withLatency([a, b], {
      [a.offering]: [latency('ttft_ms', 100, 500, { age: 20 }), latency('ttft_ms', 2000, 90)],
      [b.offering]: [latency('ttft_ms', 500, 500, { age: 20 }), latency('ttft_ms', 500, 90)],
    });
    const within = (window_minutes: number) =>
      order(snapshot, { strategy: 'response_time', stream: true, latency: { window_minutes } });
    expect(within(30)).toEqual(['a', 'b']);
    expect(within(5)).toEqual(['b', 'a']);
  });

  it('takes durations of a window and a percentile', () => {
    const snapshot = measured([a, b], {
      minutes: {
        [a.offering]: [
          minute(20, { success: 400 }, { pace: -8 }),
          minute(4, { success: 60 }, { pace: 8 }),
        ],
        [b.offering]: [
          minute(20, { success: 400 }, { pace: 0 }),
          minute(4, { success: 60 }, { pace: 0 }),
        ],
      },
    });
    const within = (window_minutes: number) =>
      order(snapshot, { strategy: 'response_time', latency: { window_minutes } });
    expect(within(5)).toEqual(['b', 'a']);
    expect(within(30)).toEqual(['a', 'b']);
  });

  it('leans on the provider and the model where few samples are there', () => {
    const other = offering('n', 'a');
    const snapshot = withLatency([a, b, c, other], {
      [a.offering]: [latency('ttft_ms', 100, 1)],
      [other.offering]: [latency('ttft_ms', 4000, 500)],
      [b.offering]: [latency('ttft_ms', 1000, 500)],
    });
    const ranked = order(snapshot, { strategy: 'response_time', stream: true });
    expect(ranked[0]).not.toBe('a');
    const many = withLatency([a, b], {
      [a.offering]: [latency('ttft_ms', 100, 100)],
      [b.offering]: [latency('ttft_ms', 1000, 500)],
    });
    expect(order(many, { strategy: 'response_time', stream: true })[0]).toBe('a');
  });

  it('compares by duration where no first token was measured of anybody', () => {
    const snapshot = measured([a, b], {
      minutes: {
        [a.offering]: [minute(4, { success: 30 }, { pace: 16, stream: true })],
        [b.offering]: [minute(4, { success: 30 }, { pace: -8, stream: true })],
      },
    });
    const decided = decideOn(snapshot, { strategy: 'response_time', stream: true });
    expect(decided.candidates[0]!.provider).toBe('b');
    expect(decided.candidates[0]!.score).not.toBeNull();
  });

  it('shares by weight within the buffer, and puts the others behind', () => {
    const [light, heavy] = [offering('m', 'a', { weight: 1 }), offering('m', 'b', { weight: 3 })];
    const snapshot = withLatency([light, heavy, c], {
      [light.offering]: [latency('ttft_ms', 500, 400)],
      [heavy.offering]: [latency('ttft_ms', 600, 400)],
      [c.offering]: [latency('ttft_ms', 2000, 400)],
    });
    const body = { strategy: 'response_time', stream: true, latency: { buffer: 0.5 } };
    expect(shares(snapshot, body)).toEqual([0.25, 0.75, 0]);
    expect(order(snapshot, body)[2]).toBe('c');
    expect(shares(snapshot, { ...body, latency: {} })).toEqual([1, 0, 0]);
  });
});

describe('throughput', () => {
  const snapshot = withLatency([a, b], {
    [a.offering]: [latency('time_per_output_token_us', 30_000, 80)],
    [b.offering]: [
      latency('time_per_output_token_us', 10_000, 80),
      latency('time_per_output_token_us', 200_000, 20),
    ],
  });

  it('puts the most tokens a second first, at the percentile that is asked for', () => {
    const at = (percentile: 'p50' | 'p90') =>
      order(snapshot, { provider: { sort: 'throughput' }, stream: true, latency: { percentile } });
    expect(at('p50')).toEqual(['b', 'a']);
    expect(at('p90')).toEqual(['a', 'b']);
  });

  it('says no_metrics where nothing was measured', () => {
    const decided = decideOn(measured([a, b]), { strategy: 'throughput' });
    expect(decided.degraded).toEqual(['no_metrics']);
    expect(decided.candidates.map(({ score }) => score)).toEqual([null, null]);
  });
});

describe('hybrid', () => {
  it('weighs failure, latency and cost', () => {
    const cheap = offering('m', 'cheap', { input: 100_000_000, output: 400_000_000 });
    const fast = offering('m', 'fast', { input: 900_000_000, output: 4_000_000_000 });
    const good = offering('m', 'good', { input: 150_000_000, output: 500_000_000 });
    const snapshot = measured([cheap, fast, good], {
      minutes: {
        [cheap.offering]: [minute(4, { success: 60, error: 60 }, { pace: 8 })],
        [fast.offering]: [minute(4, { success: 120, error: 20 }, { pace: -8 })],
        [good.offering]: [minute(4, { success: 140 }, { pace: -6 })],
      },
    });
    const decided = decideOn(snapshot, { strategy: 'hybrid' });
    expect(decided.candidates.map(({ provider }) => provider)).toEqual(['good', 'fast', 'cheap']);
    expect(decided.candidates[0]!.propensity).toBe(1);
  });

  it('shares by weight between equals, so that all replicas do not pick the same', () => {
    const [light, heavy] = [offering('m', 'a', { weight: 1 }), offering('m', 'b', { weight: 3 })];
    expect(shares(measured([light, heavy]), { strategy: 'hybrid' })).toEqual([0.25, 0.75]);
  });

  it('puts an unknown price last', () => {
    const unknown = offering('m', 'a', { input: null, output: null });
    expect(order(measured([unknown, b]), { strategy: 'hybrid' })).toEqual(['b', 'a']);
  });
});

describe('pareto', () => {
  const point = fc.tuple(
    fc.integer({ min: 0, max: 20 }).map((it) => it / 20),
    fc.integer({ min: 0, max: 20 }).map((it) => it / 20),
    fc.integer({ min: 0, max: 20 }).map((it) => it / 20),
  );

  it('places each point one front behind the worst of those that dominate it', () => {
    const dominates = (p: readonly number[], q: readonly number[]): boolean =>
      p.every((value, i) => value <= q[i]!) && p.some((value, i) => value + 0.05 <= q[i]!);
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 12 }), (points) => {
        const fronts = frontsOf(points);
        points.forEach((it, i) => {
          const before = points.flatMap((other, j) => (dominates(other, it) ? [fronts[j]!] : []));
          expect(fronts[i]).toBe(before.length === 0 ? 0 : Math.max(...before) + 1);
        });
      }),
    );
  });

  it('puts the best compromise of the front first, what is dominated last', () => {
    const cheap = offering('m', 'cheap', { input: 100_000_000, output: 400_000_000 });
    const dear = offering('m', 'dear', { input: 2_000_000_000, output: 9_000_000_000 });
    const middle = offering('m', 'middle', { input: 200_000_000, output: 800_000_000 });
    const worse = offering('m', 'worse', { input: 2_100_000_000, output: 9_000_000_000 });
    const snapshot = measured([cheap, dear, middle, worse], {
      minutes: {
        [cheap.offering]: [minute(4, { success: 100 }, { pace: 24 })],
        [dear.offering]: [minute(4, { success: 100 }, { pace: -8 })],
        [middle.offering]: [minute(4, { success: 100 }, { pace: -6 })],
        [worse.offering]: [minute(4, { success: 60, error: 40 }, { pace: 8 })],
      },
    });
    const ranked = order(snapshot, { strategy: 'pareto' });
    expect(ranked[0]).toBe('middle');
    expect(ranked[3]).toBe('worse');
  });
});
