import { describe, expect, it } from 'vitest';
import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import type { RouteRequest } from '../../src/route/request.js';
import { decideOn, offering } from './fixtures.js';

import { latency, order, type Rows, withLatency } from './measured-worlds.js';

const [a, b, _c] = ['a', 'b', 'c'].map((provider) => offering('m', provider)) as [
  ModelsValueOffering,
  ModelsValueOffering,
  ModelsValueOffering,
];

describe('preferred_max_latency and preferred_min_throughput', () => {
  const rows: Rows = {
    [a.offering]: [
      latency('ttft_ms', 3000, 40),
      latency('time_per_output_token_us', 50_000, 40),
      latency('duration_ms', 9_000, 40, { stream: false }),
    ],
    [b.offering]: [
      latency('ttft_ms', 500, 30),
      latency('ttft_ms', 6000, 10),
      latency('time_per_output_token_us', 10_000, 40),
    ],
  };
  const cheap = offering('m', 'a', { input: 0, output: 0 });
  const snapshot = withLatency([cheap, b], rows);
  const ask = (provider: RouteRequest['provider'], stream = true) =>
    decideOn(snapshot, { provider: { sort: 'price', ...provider }, stream }).candidates;

  it('put those that miss them behind, without leaving them out', () => {
    expect(ask({}).map(({ provider }) => provider)).toEqual(['a', 'b']);
    const preferred = ask({ preferred_max_latency: 1 });
    expect(preferred.map(({ provider }) => provider)).toEqual(['b', 'a']);
    expect(preferred[0]!.reasons).not.toContain('below_preference');
    expect(preferred[1]!.reasons).toContain('below_preference');
  });

  it.each([
    ['p90 of latency', { preferred_max_latency: { p90: 1 } }, ['a', 'b']],
    ['p50 of latency', { preferred_max_latency: { p50: 1 } }, ['b', 'a']],
    ['all that are given', { preferred_max_latency: { p50: 4, p90: 4 } }, ['a', 'b']],
    ['tokens a second', { preferred_min_throughput: 50 }, ['b', 'a']],
    ['tokens a second at p99', { preferred_min_throughput: { p99: 10 } }, ['a', 'b']],
    ['both', { preferred_max_latency: { p99: 4 }, preferred_min_throughput: 50 }, ['a', 'b']],
  ])('are of %s, in seconds', (_name, provider, expected) => {
    expect(ask(provider).map((it) => it.provider)).toEqual(expected);
  });

  it('are of the whole duration of plain answers', () => {
    expect(ask({ preferred_max_latency: 8 }, false).map((it) => it.provider)).toEqual(['b', 'a']);
    expect(ask({ preferred_max_latency: 10 }, false).map((it) => it.provider)).toEqual(['a', 'b']);
  });

  it('take one that is not measured for meeting them', () => {
    const unmeasured = withLatency([cheap, b], { [b.offering]: rows[b.offering]! });
    const provider = { sort: 'price', preferred_max_latency: 0.1 } as const;
    expect(order(unmeasured, { provider, stream: true })).toEqual(['a', 'b']);
  });

  it('prefer a fallback model that meets them to a first one that does not', () => {
    const other = offering('n', 'c');
    const models = withLatency([cheap, other], { [cheap.offering]: rows[a.offering]! });
    const body = { models: ['m', 'n'], stream: true };
    expect(order(models, body)).toEqual(['a', 'c']);
    expect(order(models, { ...body, provider: { preferred_max_latency: 1 } })).toEqual(['c', 'a']);
  });
});
