import { costOfSuccessBy } from '../candidate.js';
import type { Estimate } from '../estimate.js';
import { MASS_TOTAL } from '../masses.js';
import { ILLNESS_SECONDS_MIN } from '../recovery.js';
import { secondsOf } from '../window.js';
import type { Group } from './strategy.js';

/** Least share of each. */
const FLOOR_MIN = Math.floor(MASS_TOTAL * 0.0002);
/**
 * An offering becomes much faster by itself about four times a day, which nobody sees who does not
 * try it. Ten times a day would find it 1.6 times as soon, for a third more regret where all is calm.
 */
const SPEED_UP_SECONDS = 20_000;
/** So much faster, in eighths of an octave: 2.8 times. */
const SPEED_UP_PACE = 12;
const TRIED_SHARE_MAX = 0.1;
const RATE_MIN = 0.1;
/** A share grows until it is this many times its mean. */
const GROWTH_MAX = 4;

/**
 * Least masses: as much as it is worth to try those that would be the best if they were well again,
 * or had become faster. `scores`: expected cost of a success, nano-USD; null = unknown.
 */
export function floorsOf(
  { board, candidates }: Group,
  scores: readonly (number | null)[],
): number[] {
  const best = scores.reduce<number>((least, it) => Math.min(least, it ?? least), Infinity);
  return candidates.map((candidate, i) => {
    const score = scores[i]!;
    if (score === null) return FLOOR_MIN;
    const { estimate, alternative, quietSeconds, offering } = candidate.view;
    const rate = Math.max(RATE_MIN, board.evidence.rateOf(offering.model));
    // To try it first and then the best, rather than the best at once, costs p·(g − least g) more.
    const loss = estimate.success.mean * (score - best);
    const shareFor = (hoped: Estimate, seconds: number): number => {
      const gain = best - costOfSuccessBy(candidate, hoped);
      return gain <= 0 ? 0 : grown(triedShare({ gain, loss, rate, seconds }), quietSeconds, rate);
    };
    const { pace, unusualBins } = estimate;
    const faster = { ...estimate, pace: { ...pace, mean: pace.mean - SPEED_UP_PACE } };
    let share = shareFor(faster, SPEED_UP_SECONDS);
    if (alternative !== null) {
      const seconds = Math.max(ILLNESS_SECONDS_MIN, secondsOf(unusualBins ?? 0));
      share = Math.max(share, shareFor(alternative.estimate, seconds));
    }
    return Math.max(FLOOR_MIN, Math.floor(MASS_TOTAL * Math.min(TRIED_SHARE_MAX, share)));
  });
}

/**
 * Tries at r a second cost r · loss for `seconds`, as long as what is hoped for takes to come, and
 * find it 1 / r seconds after it came, in which rate · gain is lost: the sum of both is least at
 * r = √(rate · gain / (seconds · loss)). As a share of the requests; near equals are tried anyway.
 */
function triedShare(of: { gain: number; loss: number; rate: number; seconds: number }): number {
  const { gain, loss, rate, seconds } = of;
  return Math.sqrt(gain / (seconds * rate * Math.max(loss, gain)));
}

/**
 * The same number of tries, but at more even intervals: a share that grows with the time since the
 * last one, so that intervals have a Rayleigh distribution of the same mean. What comes in between
 * is found a third sooner than by chance alone.
 */
function grown(share: number, quietSeconds: number, rate: number): number {
  return share * Math.min(GROWTH_MAX, (Math.PI / 2) * quietSeconds * share * rate);
}
