import { expect, test } from 'vitest';
import type { Bench, Contender } from '../../bench/contest.js';
import { measure, median, spread } from '../../bench/measure.js';

/** A contender whose rate is that of the machine in this round. */
function benchOf(speeds: { ours: number; floor: number; peer: number | null }): Bench {
  let turn = 0;
  const contender =
    (speed: number): Contender =>
    async () => {
      // The machine is three times slower every other round of three turns.
      const slowdown = Math.floor(turn++ / 3) % 2 === 0 ? 1 : 3;
      return { units: speed, cpuSeconds: slowdown };
    };
  return {
    name: 'made-up',
    unit: 'turns per CPU second',
    floorIs: 'a number',
    peerIs: 'a number',
    open: async () => ({
      ours: contender(speeds.ours),
      floor: contender(speeds.floor),
      peer: speeds.peer === null ? null : contender(speeds.peer),
      answer: '',
      close: async () => {},
    }),
  };
}

test('a machine that is slow now and then does not change the ratios', async () => {
  const result = await measure(benchOf({ ours: 50, floor: 100, peer: 20 }), 'full');
  expect(result).toMatchObject({ ratio_floor: 0.5, ratio_peer: 2.5, noise_floor: 0 });
});

test('without a peer its figures are null, never 0', async () => {
  const result = await measure(benchOf({ ours: 50, floor: 100, peer: null }), 'smoke');
  expect(result).toMatchObject({ peer: null, ratio_peer: null, noise_peer: null });
});

test('a contest is closed when a contender fails', async () => {
  let closed = false;
  const failing: Bench = {
    ...benchOf({ ours: 1, floor: 1, peer: null }),
    open: async () => ({
      ours: () => Promise.reject(new Error('no answer')),
      floor: async () => ({ units: 1, cpuSeconds: 1 }),
      peer: null,
      answer: '',
      close: async () => {
        closed = true;
      },
    }),
  };
  await expect(measure(failing, 'smoke')).rejects.toThrow('no answer');
  expect(closed).toBe(true);
});

test('median and spread are those of the middle', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([1, 2, 3, 4])).toBe(2.5);
  expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(1 / 3);
});
