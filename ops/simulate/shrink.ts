import fc from 'fast-check';
import { anyScenario, generation, type Move, scenarioOf } from './scenario.js';
import { type SimulationOptions, simulate } from './simulation.js';

const SHRINK_MS_MAX = 30_000;

/** The shortest moves that still fail with the draws of this seed, as far as they are found. */
export async function shrink(
  seed: number,
  options: Pick<SimulationOptions, 'plant'> = {},
): Promise<readonly Move[]> {
  const property = fc.asyncProperty(anyScenario, async (moves) => {
    return (await simulate({ ...options, seed, moves })).failure === null;
  });
  const details = await fc.check(property, {
    ...generation(seed),
    interruptAfterTimeLimit: SHRINK_MS_MAX,
  });
  return details.counterexample?.[0] ?? scenarioOf(seed);
}
