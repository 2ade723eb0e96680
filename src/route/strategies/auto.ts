import { hash } from 'node:crypto';
import type { ModelsValueOffering } from '../../hotkeys/values.js';
import { ratioOfPace } from '../arithmetic.js';
import type { OfferingView } from '../board.js';
import { costOfSuccess, costOfSuccessBy, timeValueOf } from '../candidate.js';
import { type Estimate, meanRatio } from '../estimate.js';
import type { Evidence } from '../evidence.js';
import { MASS_TOTAL } from '../masses.js';
import { DRAWS, NORMAL_QUANTILES } from '../normal-quantiles.js';
import { secondsOf } from '../window.js';
import { type Group, type Strategy, termsOfCost } from './strategy.js';

/**
 * What is left beside the first choice, shared as if that one were not there: what fails at the first
 * should go to the next best.
 */
const FLOOR_SHARE = 0.004;
/** Least share of each. */
const FLOOR_MIN = Math.floor(MASS_TOTAL * 0.0002);
const SUCCESS_MIN = 0.001;
/** What is uncertain is drawn with this part of its standard deviation: all of it explores too much. */
const EXPLORATION = 0.7;

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
 * One without a known price gets its floor alone, unless no price is known at all.
 */
export const auto: Strategy = {
  name: 'auto',
  algorithm: 'auto/3',
  order: 'drawn',
  summary:
    'Share = probability of being the cheapest way to one success, at the load that the share makes: price + value of time · (expected time + expected time lost in failures before it).',
  score: (candidate) => (candidate.costNanoUsd === null ? null : costOfSuccess(candidate)),
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

/** Weights are the parts that each won; floors those that each would win without the first choice. */
function dealt(group: Group): { weights: number[]; floors: number[] } {
  const hands = handsOf(group);
  const weights = winsOf(hands);
  const first = weights.indexOf(Math.max(...weights));
  const withoutFirst = winsOf(hands.map((hand, i) => (i === first ? null : hand)));
  return { weights, floors: floorsOf(group, withoutFirst) };
}

function handsOf({ board, candidates }: Group): (Hand | null)[] {
  const isPriceKnown = candidates.some(({ costNanoUsd }) => costNanoUsd !== null);
  return candidates.map((candidate): Hand | null => {
    const { costNanoUsd, referenceMs, view } = candidate;
    if (isPriceKnown && costNanoUsd === null) return null;
    return {
      price: costNanoUsd ?? 0,
      time: timeValueOf(referenceMs),
      failure: timeValueOf(view.estimate.failureMs),
      draws: drawsOf(view),
      loads: loadsOf(board.evidence, view.offering),
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

/** Probes that a recovery is found by, and how long an illness is taken to last. */
const PROBES = 2;
const ILLNESS_SECONDS_MIN = 120;
const PROBE_SHARE_MAX = 0.1;
const RATE_MIN = 0.1;

function floorsOf({ board, candidates }: Group, withoutFirst: readonly number[]): number[] {
  const scores = candidates.map((it) => (it.costNanoUsd === null ? null : costOfSuccess(it)));
  const known = scores.filter((score) => score !== null).sort((a, b) => a - b);
  const best = known[0] ?? 0;
  return candidates.map((candidate, i) => {
    const score = scores[i]!;
    if (score === null) return FLOOR_MIN;
    const share = (FLOOR_SHARE * withoutFirst[i]!) / DRAWS;
    const floor = Math.max(FLOOR_MIN, Math.floor(MASS_TOTAL * share));
    const hoped = candidate.view.estimateHoped;
    if (hoped === null) return floor;
    const gain = best - costOfSuccessBy(candidate, hoped);
    if (gain <= 0) return floor;
    const { success, unusualBins } = candidate.view.estimate;
    const rate = board.evidence.rateOf(candidate.view.offering.model);
    // To try it first and then the best, rather than the best at once, costs p·(g − least g) more.
    const loss = success.mean * (score - best);
    return Math.max(floor, probeMass(gain, loss, rate, secondsOf(unusualBins ?? 0)));
  });
}

/**
 * Least mass of one that was the best until it changed, or that may have become the best. Probes at
 * r a second cost r · loss for as long as it is not so (taken to last as long again as it has, where
 * there was a change), and find out after
 * PROBES / r seconds, in which rate · gain is lost: the sum of both is least at
 * r = √(PROBES · rate · gain / (duration · loss)).
 */
function probeMass(gain: number, loss: number, rate: number, seconds: number): number {
  const duration = Math.max(ILLNESS_SECONDS_MIN, seconds);
  const share = Math.sqrt(
    (PROBES * gain) / (duration * Math.max(RATE_MIN, rate) * Math.max(loss, gain)),
  );
  return Math.floor(MASS_TOTAL * Math.min(PROBE_SHARE_MAX, share));
}

interface Draws {
  /** (1 − p)/p: expected failures before one succeeds. */
  failures: Float64Array;
  /** Mean time in references. */
  ratios: Float64Array;
}

/** An estimate belongs to the evidence of one tick, whose decisions share its draws. */
const drawsByEstimate = new WeakMap<Estimate, Draws>();

function drawsOf({ offering, estimate }: OfferingView): Draws {
  let draws = drawsByEstimate.get(estimate);
  if (draws === undefined) {
    draws = makeDraws(offering.offering, estimate);
    drawsByEstimate.set(estimate, draws);
  }
  return draws;
}

function makeDraws(key: string, { success, pace }: Estimate): Draws {
  const [alphaOrder, betaOrder, paceOrder] = ordersOf(key);
  const failures = new Float64Array(DRAWS);
  const ratios = new Float64Array(DRAWS);
  const quantile = (order: number): number => EXPLORATION * NORMAL_QUANTILES[order]!;
  for (let i = 0; i < DRAWS; i++) {
    const a = gamma(success.alpha, quantile(alphaOrder[i]!));
    const b = gamma(success.beta, quantile(betaOrder[i]!));
    const p = a / (a + b);
    failures[i] = 1 / (p > SUCCESS_MIN ? p : SUCCESS_MIN) - 1;
    const mean = pace.mean + pace.deviation * quantile(paceOrder[i]!);
    ratios[i] = meanRatio(mean, pace.variance);
  }
  return { failures, ratios };
}

/** The quantile z of Gamma(shape, 1); 0 where the approximation is below it. */
function gamma(shape: number, z: number): number {
  const root = 1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape));
  return root > 0 ? shape * root * root * root : 0;
}

type Orders = readonly [alpha: Uint8Array, beta: Uint8Array, pace: Uint8Array];

/** As many as a catalogue has offerings; 768 bytes each. */
const ORDERS_MAX = 20_000;
const ordersByKey = new Map<string, Orders>();

function ordersOf(key: string): Orders {
  const known = ordersByKey.get(key);
  if (known !== undefined) return known;
  if (ordersByKey.size >= ORDERS_MAX) ordersByKey.clear();
  const orders = [
    shuffled(`alpha|${key}`),
    shuffled(`beta|${key}`),
    shuffled(`pace|${key}`),
  ] as const;
  ordersByKey.set(key, orders);
  return orders;
}

/**
 * 0..255 in the order of 256 numbers of 32 bits, eight from each SHA-256(utf8(text NUL block)):
 * equal ones, which are rare, by index.
 */
function shuffled(text: string): Uint8Array {
  const numbers: number[] = [];
  for (let block = 0; block < DRAWS / 8; block++) {
    const digest = hash('sha256', `${text}\0${block}`, 'buffer');
    for (let at = 0; at < 32; at += 4) numbers.push(digest.readUInt32BE(at));
  }
  const order = Uint8Array.from(numbers, (_, index) => index);
  return order.sort((a, b) => numbers[a]! - numbers[b]! || a - b);
}
