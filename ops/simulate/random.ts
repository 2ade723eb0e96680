import { randomFrom } from '../../bench/random.js';

/** Draws from one seed. */
export interface Random {
  /** Of [0, 1). */
  unit(): number;
  /** An integer of [0, count). */
  below(count: number): number;
  chance(share: number): boolean;
  pick<T>(list: readonly T[]): T;
}

export function createRandom(seed: number): Random {
  const unit = randomFrom(seed);
  const below = (count: number): number => Math.floor(unit() * count);
  return {
    unit,
    below,
    chance: (share) => unit() < share,
    pick: (list) => list[below(list.length)]!,
  };
}
