import { hash } from 'node:crypto';
import type { OfferingView } from '../board.js';
import { type Candidate, costOfSuccess, costOfSuccessBy, timeValueOf } from '../candidate.js';
import { type Estimate, meanRatio } from '../estimate.js';
import { MASS_TOTAL } from '../masses.js';
import { DRAWS, NORMAL_QUANTILES } from '../normal-quantiles.js';
import { type Strategy, termsOfCost } from './strategy.js';

/** Least share of each: what nobody is sent to cannot show that it has recovered. */
const FLOOR = Math.floor(MASS_TOTAL * 0.005);
/** Least share of one that was the best until it changed: its recovery is worth finding soon. */
const FLOOR_IF_BEST_BEFORE = Math.floor(MASS_TOTAL * 0.02);
const SUCCESS_MIN = 0.001;

/**
 * Probability matching on the expected cost of one success, g = (price + v·E[time]) / p with
 * v = 1,000,000 nano-USD a second: each candidate gets the share of 256 draws in which its g is
 * the least, so it is chosen as often as it is likely to be the best, given what is known.
 *
 * p ~ Beta(α, β), drawn as A / (A + B) of two Gamma variables by the approximation of Wilson and
 * Hilferty, A = α·(1 − 1/(9α) + z/(3√α))³; the mean pace ~ Normal. The draws z are 256 fixed
 * quantiles of the normal distribution, for each candidate in an order of its own that follows
 * from its key: constant for all requests of a second, independent between candidates.
 * One without a known price gets its floor alone, unless no price is known at all.
 */
export const auto: Strategy = {
  name: 'auto',
  algorithm: 'auto/1',
  order: 'drawn',
  summary:
    'Share = probability of being the cheapest way to one success: (price + value of time · expected time) / success probability.',
  score: (candidate) => (candidate.costNanoUsd === null ? null : costOfSuccess(candidate)),
  terms: termsOfCost,
  tiers: ({ candidates }) => [
    { order: 'drawn', candidates, weights: winsOf(candidates), floors: floorsOf(candidates) },
  ],
};

function winsOf(candidates: readonly Candidate[]): number[] {
  const wins = new Array<number>(candidates.length).fill(0);
  const least = new Float64Array(DRAWS).fill(Number.POSITIVE_INFINITY);
  const winner = new Int32Array(DRAWS).fill(-1);
  const isPriceKnown = candidates.some(({ costNanoUsd }) => costNanoUsd !== null);
  candidates.forEach((candidate, index) => {
    if (isPriceKnown && candidate.costNanoUsd === null) return;
    const { tries, ratios } = drawsOf(candidate.view);
    const price = candidate.costNanoUsd ?? 0;
    const time = timeValueOf(candidate.referenceMs);
    for (let i = 0; i < DRAWS; i++) {
      const cost = (price + time * ratios[i]!) * tries[i]!;
      if (cost < least[i]!) {
        least[i] = cost;
        winner[i] = index;
      }
    }
  });
  for (const index of winner) if (index !== -1) wins[index]! += 1;
  return wins;
}

function floorsOf(candidates: readonly Candidate[]): number[] {
  let best = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (candidate.costNanoUsd === null) continue;
    const score = costOfSuccess(candidate);
    if (score < best) best = score;
  }
  return candidates.map((candidate) => {
    const before = candidate.view.estimateBefore;
    if (before === null || candidate.costNanoUsd === null) return FLOOR;
    const ratio = meanRatio(before.pace.mean, before.pace.variance);
    const wasBest = costOfSuccessBy(candidate, before.success.mean, ratio) < best;
    return wasBest ? FLOOR_IF_BEST_BEFORE : FLOOR;
  });
}

interface Draws {
  /** 1/p: expected attempts until one succeeds. */
  tries: Float64Array;
  /** Mean time in references. */
  ratios: Float64Array;
}

/** A view belongs to one board, whose decisions share its draws. */
const drawsByView = new WeakMap<OfferingView, Draws>();

function drawsOf(view: OfferingView): Draws {
  let draws = drawsByView.get(view);
  if (draws === undefined) {
    draws = makeDraws(view.offering.offering, view.estimate);
    drawsByView.set(view, draws);
  }
  return draws;
}

function makeDraws(key: string, { success, pace }: Estimate): Draws {
  const [alphaOrder, betaOrder, paceOrder] = ordersOf(key);
  const tries = new Float64Array(DRAWS);
  const ratios = new Float64Array(DRAWS);
  for (let i = 0; i < DRAWS; i++) {
    const a = gamma(success.alpha, NORMAL_QUANTILES[alphaOrder[i]!]!);
    const b = gamma(success.beta, NORMAL_QUANTILES[betaOrder[i]!]!);
    const p = a / (a + b);
    tries[i] = 1 / (p > SUCCESS_MIN ? p : SUCCESS_MIN);
    const mean = pace.mean + pace.deviation * NORMAL_QUANTILES[paceOrder[i]!]!;
    ratios[i] = meanRatio(mean, pace.variance);
  }
  return { tries, ratios };
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
