import { describe, expect, it } from 'vitest';
import { createRandom } from '../../ops/simulate/random.js';
import { growthOf, type MemorySample } from '../../ops/soak/memory.js';

/** Live MiB after each of so many faults; every `life` faults the processes are others. */
function samplesOf(count: number, life: number, liveMib: (fault: number) => number) {
  return Array.from({ length: count }, (_, faults): MemorySample => {
    const processes = `${Math.floor(faults / life)}`;
    return { faults, processes, liveMib: liveMib(faults), residentMib: 0 };
  });
}

const random = createRandom(1);
/** Of the batches that happen to be under way. */
const noise = () => random.below(4_000) / 1_000;

describe('growth of live memory', () => {
  it('is what leaks with each fault', () => {
    const growth = growthOf(samplesOf(100, 100, (fault) => 50 + fault * 0.1 + noise()))!;
    expect(growth.slope).toBeCloseTo(0.1, 1);
    expect(growth.slope - 2 * growth.error).toBeGreaterThan(0.05);
  });

  it('is none where memory only goes up and down', () => {
    const growth = growthOf(samplesOf(100, 100, () => 50 + noise()))!;
    expect(Math.abs(growth.slope)).toBeLessThan(3 * growth.error);
  });

  it('is seen though processes that are killed begin anew', () => {
    const growth = growthOf(samplesOf(100, 20, (fault) => 50 + (fault % 20) * 0.3))!;
    expect(growth.slope).toBeCloseTo(0.3, 6);
  });

  it('is not what one process holds more than the one before it', () => {
    const growth = growthOf(samplesOf(100, 20, (fault) => 50 + Math.floor(fault / 20) * 10))!;
    expect(growth.slope).toBe(0);
  });

  it('is not known from a few samples', () => {
    expect(growthOf(samplesOf(10, 10, (fault) => fault))).toBeNull();
  });
});
