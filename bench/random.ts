/** Uniform numbers of [0, 1) from a seed (xorshift32): the same input on every run and machine. */
export function randomFrom(seed: number): () => number {
  let state = (Math.imul(seed, 2_654_435_761) ^ 0x9e3779b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** The index of the weight that `draw` of [0, 1) falls into. */
export function indexOf(draw: number, weights: readonly number[], total: number): number {
  let left = draw * total;
  for (let index = 0; index < weights.length; index++) {
    left -= weights[index]!;
    if (left < 0) return index;
  }
  return weights.length - 1;
}
