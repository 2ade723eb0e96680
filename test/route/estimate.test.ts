import { expect, it } from 'vitest';
import { DEFAULT_PRIOR, type Estimate, estimatesOf } from '../../src/route/estimate.js';
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

it('leans on the half hour where the newest are no further from it than luck explains', () => {
  const steady = bin({ success: 10 });
  const lucky = bin({ success: 10, pace: -0.25 });
  const { changedBins, pace } = estimateOf(lucky, steady);
  expect(changedBins).toBeNull();
  const alone = estimateOf(lucky, emptyTally()).pace.mean;
  expect(alone).toBeLessThan(-0.24);
  // Half way to the mean of all, which is −0.12.
  expect(pace.mean).toBeGreaterThan(0.75 * alone);
  expect(pace.mean).toBeLessThan(0.6 * alone);
});

it('follows the newest where luck does not explain them, before they are a change', () => {
  const [newest, older] = [bin({ success: 30, pace: 0.6 }), bin({ success: 100 })];
  const { changedBins, pace } = estimateOf(newest, older);
  expect(changedBins).toBeNull();
  // The mean of all is 0.12, that by age 0.5.
  expect(pace.mean).toBeGreaterThan(0.4);
});

it('takes failures for what all of them took, rather than the newest alone', () => {
  const failed = (failureMs: number): Tally => ({ ...bin({ success: 10, failure: 1 }), failureMs });
  // 24 of 1 s among 53: of the newest alone it would be 4 s.
  const { failureMs } = estimateOf(failed(1_000), failed(60_000));
  expect(failureMs).toBeGreaterThan(15_000);
  expect(failureMs).toBeLessThan(31_000);
});
