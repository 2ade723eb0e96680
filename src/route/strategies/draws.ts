import { hash } from 'node:crypto';
import type { ModelsValueOffering } from '../../hotkeys/values.js';
import type { OfferingView } from '../board.js';
import { type Estimate, meanRatio } from '../estimate.js';
import { DRAWS, NORMAL_QUANTILES } from '../normal-quantiles.js';

/** Below it the alternative is only tried: those shares are so small that their cost decides. */
const LIKELY_MIN = 0.3;
/** What is uncertain is drawn with this part of its standard deviation: all of it explores too much. */
const EXPLORATION = 0.7;
/**
 * No pace is known better than that, in eighths of an octave (4 %): what is modelled is not quite
 * what is true. So near equals share, and small differences do not move the traffic.
 */
const PACE_DEVIATION_MIN = 0.45;
const SUCCESS_MIN = 0.001;

/** What may be true of an offering, 256 times, as likely as what is known of it says. */
export interface Draws {
  /** (1 − p)/p: expected failures before one succeeds. */
  failures: Float64Array;
  /** Mean time in references. */
  ratios: Float64Array;
}

/** An estimate belongs to the evidence of one tick, whose decisions share its draws. */
const drawsByEstimate = new WeakMap<Estimate, Draws>();

/**
 * `isLoaded`: its times rise with its share. Then the load makes it share, and the better it is known
 * where the costs are equal, the better; so it is with one that changed, which is no one's equal.
 */
export function drawsOf(
  { offering, estimate, alternative }: OfferingView,
  isLoaded: boolean,
): Draws {
  const own = drawsBy(offering, estimate, isLoaded);
  if (alternative === null || alternative.probability < LIKELY_MIN) return own;
  const other = drawsBy(offering, alternative.estimate, isLoaded);
  const order = ordersOf(offering.offering).other;
  const parts = alternative.probability * DRAWS;
  const mixed = (from: Float64Array, to: Float64Array): Float64Array =>
    from.map((draw, i) => (order[i]! < parts ? to[i]! : draw));
  return {
    failures: mixed(own.failures, other.failures),
    ratios: mixed(own.ratios, other.ratios),
  };
}

function drawsBy({ offering }: ModelsValueOffering, estimate: Estimate, isLoaded: boolean): Draws {
  let draws = drawsByEstimate.get(estimate);
  if (draws === undefined) {
    const isSteady = !isLoaded && estimate.unusualBins === null;
    draws = makeDraws(offering, estimate, isSteady ? PACE_DEVIATION_MIN : 0);
    drawsByEstimate.set(estimate, draws);
  }
  return draws;
}

function makeDraws(key: string, { success, pace }: Estimate, deviationMin: number): Draws {
  const orders = ordersOf(key);
  const failures = new Float64Array(DRAWS);
  const ratios = new Float64Array(DRAWS);
  const deviation = Math.sqrt(pace.deviation * pace.deviation + deviationMin * deviationMin);
  const quantile = (order: number): number => EXPLORATION * NORMAL_QUANTILES[order]!;
  for (let i = 0; i < DRAWS; i++) {
    const a = gamma(success.alpha, quantile(orders.alpha[i]!));
    const b = gamma(success.beta, quantile(orders.beta[i]!));
    const p = a / (a + b);
    failures[i] = 1 / (p > SUCCESS_MIN ? p : SUCCESS_MIN) - 1;
    const mean = pace.mean + deviation * quantile(orders.pace[i]!);
    ratios[i] = meanRatio(mean, pace.variance);
  }
  return { failures, ratios };
}

/** The quantile z of Gamma(shape, 1); 0 where the approximation is below it. */
function gamma(shape: number, z: number): number {
  const root = 1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape));
  return root > 0 ? shape * root * root * root : 0;
}

/** 0..255, each in an order of its own. */
interface Orders {
  alpha: Uint8Array;
  beta: Uint8Array;
  pace: Uint8Array;
  /** By which the alternative gets its parts. */
  other: Uint8Array;
}

/** As many as a catalogue has offerings; 1 KiB each. */
const ORDERS_MAX = 20_000;
const ordersByKey = new Map<string, Orders>();

function ordersOf(key: string): Orders {
  const known = ordersByKey.get(key);
  if (known !== undefined) return known;
  if (ordersByKey.size >= ORDERS_MAX) ordersByKey.clear();
  const orders: Orders = {
    alpha: shuffled(`alpha|${key}`),
    beta: shuffled(`beta|${key}`),
    pace: shuffled(`pace|${key}`),
    other: shuffled(`other|${key}`),
  };
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
