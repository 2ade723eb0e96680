/**
 * Draws of a world: the same for the same numbers, whoever asks and in whatever order, so every
 * policy meets the same luck.
 */

/** What a draw is for. Each kind of draw of one attempt is its own. */
export const PURPOSE = {
  failure: 1,
  kind: 2,
  failureTime: 3,
  slowness: 4,
  hang: 5,
  retryAfter: 6,
  delay: 7,
  warmUp: 8,
  policy: 9,
} as const;

/** [0, 1), from up to four integers (a mix of MurmurHash3's finalizer). */
export function chance(seed: number, a: number, b = 0, c = 0): number {
  let mixed = mix(seed | 0);
  mixed = mix(Math.imul(mixed ^ a, 0x9e3779b1) + 1);
  mixed = mix(Math.imul(mixed ^ b, 0x85ebca77) + 2);
  mixed = mix(Math.imul(mixed ^ c, 0xc2b2ae3d) + 3);
  return (mixed >>> 0) / 2 ** 32;
}

function mix(value: number): number {
  let it = value ^ (value >>> 16);
  it = Math.imul(it, 0x85ebca6b);
  it ^= it >>> 13;
  it = Math.imul(it, 0xc2b2ae35);
  return it ^ (it >>> 16);
}

/** Numbers one after the other. */
export interface Dice {
  /** [0, 1) */
  next(): number;
  between(low: number, high: number): number;
  /** Log-uniform. */
  around(low: number, high: number): number;
  /** low..high, both included. */
  whole(low: number, high: number): number;
  is(probability: number): boolean;
  normal(): number;
}

export function diceOf(seed: number, purpose: number): Dice {
  let count = 0;
  const next = (): number => chance(seed, purpose, ++count);
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    around: (low, high) => low * (high / low) ** next(),
    whole: (low, high) => low + Math.floor((high - low + 1) * next()),
    is: (probability) => next() < probability,
    normal: () => normalOf(next(), next()),
  };
}

/** Standard normal from two uniform numbers (Box and Muller). */
export function normalOf(a: number, b: number): number {
  return Math.sqrt(-2 * Math.log(1 - a)) * Math.cos(2 * Math.PI * b);
}
