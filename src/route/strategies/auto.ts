import type { ModelsValueOffering } from '../../hotkeys/values.js';
import { ratioOfPace } from '../arithmetic.js';
import { type Candidate, costOfSuccess, timeValueOf } from '../candidate.js';
import type { Evidence } from '../evidence.js';
import { DRAWS } from '../normal-quantiles.js';
import { type Draws, drawsOf } from './draws.js';
import { byScore, type Group, type Strategy, termsOfCost } from './strategy.js';
import { floorsOf } from './tries.js';

/** At a rank after the first, each is chosen that much more often than the next worse one. */
const LATER_ODDS = 16;

/**
 * Probability matching on the expected cost of one success,
 * g = price + v·E[time] + v·E[time of a failure]·(1 − p)/p with v = 1,000,000 nano-USD a second:
 * of 256 parts each goes to the candidate whose g is the least in that part's draw, so each is
 * chosen as often as it is likely to be the best, given what is known.
 *
 * p ~ Beta(α, β), drawn as A / (A + B) of two Gamma variables by the approximation of Wilson and
 * Hilferty, A = α·(1 − 1/(9α) + z/(3√α))³; the mean pace ~ Normal. The draws z are 256 fixed
 * quantiles of the normal distribution, for each candidate in an order of its own that follows
 * from its key: constant for all requests of a second, independent between candidates.
 *
 * The parts are dealt one after the other: where times rise with load, a candidate costs more with
 * each part that it has got already, and so much more as it makes the others wait (the derivative
 * of rate · time). So a share settles where one more request would cost the same anywhere.
 *
 * What is known are the outcomes of 30 minutes, streamed and whole answers apart, since a change
 * (likelihood ratio above e^10) the newer ones alone; later attempts only where there are fewer
 * than 8 first ones. The newest of them count a second time, each half as much for every 80 s of
 * age. Few outcomes count beside those of the provider and the model, as 6 of them for p and 3 for
 * the pace; where nothing at all is known 19 of 20 attempts succeed, as fast as a plain offering.
 * Calls that hang count as failures before they end. A pace is taken to be uncertain by 4 % at
 * least, so that near equals share, but for one that changed or that a load slows down.
 *
 * Pace is that of the model's usual size. That of another size follows from the slope of the
 * offering's pace on how much of the reference generating takes, of the same 30 minutes.
 *
 * One that became another, and may be as before again, is drawn as either, each in its part of the
 * 256 by how likely it is (a hidden Markov model of two states), from 30 % on. Below that, and where
 * one could have become 2.8 times faster unseen, it is tried as often as that pays, 10 % at most, and
 * the more the longer nobody did. Each has 0.02 % at least.
 *
 * The later ranks are for what fails at the first: they have masses of their own, 16 to 1 in the order
 * of the scores.
 *
 * One without a known price gets its floor alone, unless no price is known at all.
 */
export const auto: Strategy = {
  name: 'auto',
  algorithm: 'auto/7',
  order: 'drawn',
  summary:
    'Share = probability of being the cheapest way to one success, at the load that the share makes: price + value of time · (expected time + expected time lost in failures before it).',
  score: scoreOf,
  terms: termsOfCost,
  tiers: (group) => {
    const { candidates } = group;
    return [{ order: 'drawn', candidates, ...dealt(group) }];
  },
};

interface Hand {
  /** nano-USD. */
  price: number;
  /** Of one reference. */
  time: number;
  /** Of one failed attempt. */
  failure: number;
  draws: Draws;
  /** Factor of the time, by parts that it has already; null = no load is felt. */
  loads: Float64Array | null;
}

/** Weights are the parts that each won. */
function dealt(group: Group): { weights: number[]; floors: number[]; later: number[] } {
  const floors = floorsOf(group, group.candidates.map(scoreOf));
  return { weights: winsOf(handsOf(group)), floors, later: laterOf(group) };
}

function laterOf({ candidates }: Group): number[] {
  const weights = new Map<string, number>();
  let weight = 1;
  for (const { key } of byScore(candidates, scoreOf)) {
    weights.set(key, weight);
    weight /= LATER_ODDS;
  }
  return candidates.map(({ key }) => weights.get(key)!);
}

function scoreOf(candidate: Candidate): number | null {
  return candidate.costNanoUsd === null ? null : costOfSuccess(candidate);
}

function handsOf({ board, candidates }: Group): (Hand | null)[] {
  const isPriceKnown = candidates.some(({ costNanoUsd }) => costNanoUsd !== null);
  return candidates.map((candidate): Hand | null => {
    const { costNanoUsd, referenceMs, view } = candidate;
    if (isPriceKnown && costNanoUsd === null) return null;
    const loads = loadsOf(board.evidence, view.offering);
    return {
      price: costNanoUsd ?? 0,
      time: timeValueOf(referenceMs),
      failure: timeValueOf(view.estimate.failureMs),
      draws: drawsOf(view, loads !== null),
      loads,
    };
  });
}

function winsOf(hands: readonly (Hand | null)[]): number[] {
  const wins = new Array<number>(hands.length).fill(0);
  for (let part = 0; part < DRAWS; part++) {
    let winner = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < hands.length; i++) {
      const hand = hands[i];
      if (hand == null) continue;
      const { price, time, failure, draws, loads } = hand;
      const load = loads === null ? 1 : loads[wins[i]!]!;
      const cost = price + time * draws.ratios[part]! * load + failure * draws.failures[part]!;
      if (cost < least) {
        least = cost;
        winner = i;
      }
    }
    if (winner !== -1) wins[winner]! += 1;
  }
  return wins;
}

/** Beyond three octaves below and five above the measured pace a slope says nothing. */
const LOAD_PACE_MIN = -24;
const LOAD_PACE_MAX = 40;

function loadsOf(evidence: Evidence, offering: ModelsValueOffering): Float64Array | null {
  const { slope, rate } = evidence.loadSlope(offering);
  if (slope <= 0) return null;
  const rateOfAll = evidence.rateOf(offering.model);
  return Float64Array.from({ length: DRAWS + 1 }, (_, parts) => {
    const rateHere = (parts / DRAWS) * rateOfAll;
    const pace = Math.min(LOAD_PACE_MAX, Math.max(LOAD_PACE_MIN, slope * (rateHere - rate)));
    // d(rate · time) / d(rate), where time is 2^(pace / 8).
    return ratioOfPace(pace) * (1 + (Math.LN2 / 8) * slope * rateHere);
  });
}
