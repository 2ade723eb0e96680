import { expect, it } from 'vitest';
import { type Estimate, estimatesOf } from '../../src/route/estimate.js';
import { DEFAULT_PRIOR } from '../../src/route/prior.js';
import { emptyTally, type Tally } from '../../src/route/tally.js';
import { type Window, windowOf } from '../../src/route/window.js';

const empty = { offering: '', metrics: undefined, health: null, plainMs: 0, usualGeneration: 0 };

function bin({ success = 0, failure = 0, pace = 0, variance = 16 }): Tally {
  const paceSquares = success * (pace * pace + variance);
  const moments = { paceCount: success, paceSum: success * pace, paceSquares };
  return { ...emptyTally(), success, failure, ...moments };
}

/** Two minutes of ticks, and the 28 minutes before: the two bins between are of minutes in the ticks. */
function estimateOf(newest: Tally, older: Tally): Estimate {
  const window: Window = windowOf(empty, 0, false);
  const bins = window.bins.map((_, i) => (i < 24 ? newest : i < 26 ? emptyTally() : older));
  return estimatesOf(DEFAULT_PRIOR, { ...window, bins }).estimate;
}

it('leans on the half hour, and on the newest of it a second time', () => {
  const steady = bin({ success: 10 });
  const lucky = bin({ success: 10, pace: -0.25 });
  const { changedBins, success, pace } = estimateOf(lucky, steady);
  expect(changedBins).toBeNull();
  const all = (24 * 10 * -0.25) / (53 * 10);
  const alone = estimateOf(lucky, emptyTally()).pace.mean;
  expect(pace.mean).toBeLessThan(all);
  expect(pace.mean).toBeCloseTo(all + pace.newestPart * (alone - all), 2);
  expect(pace.newestPart).toBeLessThan(0.3);
  // All 530, the newest by age, and what is thought of an offering before.
  expect(success.alpha).toBeGreaterThan(650);
  expect(success.alpha).toBeLessThan(530 + 240);
});

it('knows a pace the better the more outcomes there are, and a few by as much as they say', () => {
  const many = estimateOf(bin({ success: 10 }), bin({ success: 100 })).pace;
  const few = estimateOf(bin({ success: 1 }), emptyTally()).pace;
  expect(many.deviation).toBeLessThan(4 / Math.sqrt(2_700));
  expect(few.deviation).toBeGreaterThan(4 / Math.sqrt(50));
  expect(few.newestPart).toBeGreaterThan(many.newestPart);
});

it('takes failures for what all of them took, rather than the newest alone', () => {
  const failed = (failureMs: number): Tally => ({ ...bin({ success: 10, failure: 1 }), failureMs });
  // 24 of 1 s among 53: of the newest alone it would be 4 s.
  const { failureMs } = estimateOf(failed(1_000), failed(60_000));
  expect(failureMs).toBeGreaterThan(15_000);
  expect(failureMs).toBeLessThan(31_000);
});

it('hopes that one is somewhat faster still than a single fast answer says', () => {
  const window: Window = windowOf(empty, 0, false);
  const fast = bin({ success: 1, pace: -20, variance: 0 });
  const bins = window.bins.map((_, i) =>
    i === 0 ? fast : i < 26 ? emptyTally() : bin({ success: 10 }),
  );
  const { estimate, alternative } = estimatesOf(DEFAULT_PRIOR, { ...window, bins });
  expect(estimate.pace.mean).toBeGreaterThan(-2);
  // By half the standard deviation of one answer, some 2; what was before pulls it back by 1.7.
  expect(alternative?.probability).toBe(0);
  expect(alternative?.estimate.pace.mean).toBeGreaterThan(-21);
  expect(alternative?.estimate.pace.mean).toBeLessThan(-20);
});
