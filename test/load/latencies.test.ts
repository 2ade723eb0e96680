import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Latencies } from '../../src/load/latencies.js';

it('answers the percentiles of what was added, by whole ms rounded up', () => {
  const ms = fc.double({ min: 0, max: 59_999, noNaN: true });
  fc.assert(
    fc.property(fc.array(ms, { minLength: 1, maxLength: 300 }), (values) => {
      const latencies = new Latencies();
      for (const value of values) latencies.add(value);
      const sorted = values.map(Math.ceil).sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1];
      expect(latencies.percentiles()).toEqual({ p50: at(0.5), p99: at(0.99), max: sorted.at(-1) });
      expect(latencies.count).toBe(values.length);
    }),
  );
});

it('keeps the greatest as it is, however great', () => {
  const latencies = new Latencies();
  latencies.add(3_600_000.5);
  expect(latencies.percentiles()).toEqual({ p50: 3_600_001, p99: 3_600_001, max: 3_600_001 });
});

it('answers null where nothing was measured: unknown is not zero', () => {
  expect(new Latencies().percentiles()).toBeNull();
});
