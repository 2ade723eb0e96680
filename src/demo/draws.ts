import { hash } from 'node:crypto';
import { uuidV8 } from '../event/uuid.js';

/**
 * Randomness as a function: each draw is a hash of the seed and of what it is for, so that it does
 * not matter in which order, how often or in which process it is asked for. Only + − × ÷ are used
 * on the way to a result: other functions may differ between engines.
 */

type Part = string | number;

/** Uniform draws below 2^32, eight for one purpose. */
export type Words = readonly number[];

/** Eight uniform integers of 0..2^32-1: the words of SHA-256(seed, purpose, parts), big-endian. */
export function words(seed: string, purpose: string, ...parts: readonly Part[]): Words {
  const digest = digestOf(seed, purpose, parts);
  return Array.from({ length: 8 }, (_, index) => digest.readUInt32BE(index * 4));
}

/** A word as a number of [0, 1). */
export function unit(word: number): number {
  return word / 2 ** 32;
}

/** A word as a number of [min, max). */
export function between(word: number, [min, max]: readonly [number, number]): number {
  return min + (max - min) * unit(word);
}

/** The item whose share of the weights a word falls into. */
export function pick<T>(word: number, items: readonly { item: T; weight: number }[]): T {
  const total = items.reduce((sum, { weight }) => sum + weight, 0);
  let left = unit(word) * total;
  for (const { item, weight } of items) {
    left -= weight;
    if (left < 0) return item;
  }
  return items.at(-1)!.item;
}

/** A standard normal number: twelve 16-bit uniform ones, summed (Irwin–Hall), within ±6. */
export function normal(seed: string, purpose: string, ...parts: readonly Part[]): number {
  const digest = digestOf(seed, purpose, parts);
  let sum = 0;
  for (let index = 0; index < 12; index++) sum += digest.readUInt16BE(index * 2);
  // The mean of a 16-bit word is 32767.5, and the variance of twelve such is 1 in units of 2^16.
  return (sum - 12 * 32_767.5) / 65_536;
}

/** e^x for |x| ≤ 20: x = k·ln 2 + r, e^r by its series, then k doublings. */
export function exp(x: number): number {
  const k = Math.round(x / Math.LN2);
  const r = x - k * Math.LN2;
  let series = 1;
  for (let n = 14; n >= 1; n--) series = 1 + (r / n) * series;
  for (let i = 0; i < Math.abs(k); i++) series = k > 0 ? series * 2 : series / 2;
  return series;
}

/** A log-normal factor around 1 with that deviation of its logarithm. */
export function logNormal(
  sigma: number,
  seed: string,
  purpose: string,
  ...parts: readonly Part[]
): number {
  return exp(sigma * normal(seed, purpose, ...parts));
}

/** 16 bytes in the shape of a UUID (version 8), for ids that must be the same on each run. */
export function idFrom(seed: string, purpose: string, ...parts: readonly Part[]): Buffer {
  return uuidV8(`demo/${purpose}/${seed}`, parts.join('/'));
}

function digestOf(seed: string, purpose: string, parts: readonly Part[]): Buffer {
  return hash('sha256', [purpose, ...parts, seed].join('\0'), 'buffer');
}
