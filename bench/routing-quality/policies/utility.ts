import { referenceMs } from '../../../src/fold/reference.js';
import { timeValue } from '../truth.js';
import { type Arrival, costOf, priceAt, type World } from '../world.js';

/**
 * What the tuned peers share with ours, so that what is compared is how they learn: the same
 * utility, the same reference of a size, the same facts.
 */

/** nano-USD of one success, if it takes `ratio` references and every try succeeds with `success`. */
export function costOfSuccess(
  world: World,
  index: number,
  atMs: number,
  arrival: Arrival,
  ratio: number,
  success: number,
): number {
  const price = costOf(priceAt(world.offerings[index]!, atMs), arrival);
  return (price + timeValue(ratio * referenceOf(arrival))) / Math.max(success, 0.001);
}

export function referenceOf({ inputTokens, outputTokens }: Arrival): number {
  return referenceMs(inputTokens, outputTokens);
}

/** `cancelled` and the like do not occur here: what is no success is a failure. */
export function isFailure(status: string): boolean {
  return status !== 'success';
}
