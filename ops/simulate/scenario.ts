import fc from 'fast-check';
import type { Service } from './scheduler.js';

export type Role = 'publisher' | 'projector' | 'router';

/** What happens to the system from outside; `draw` is where its details come from. */
export type Command =
  | { do: 'publish'; slot: number; outcomes: number; draw: number }
  | { do: 'flush'; slot: number }
  | { do: 'foreign'; what: Foreign; partition: number; draw: number }
  /** A record that a publisher wrote is in the log once more. */
  | { do: 'repeat'; partition: number; draw: number }
  | { do: 'replay dead letter'; partition: number; draw: number }
  | { do: 'crash'; role: Role; slot: number }
  | { do: 'restart'; slot: number }
  | { do: 'stall'; role: Role; slot: number }
  | { do: 'resume' }
  | { do: 'rebalance' }
  | { do: 'outage'; service: Service }
  | { do: 'return' }
  | { do: 'lose hot keys' }
  | { do: 'expire'; hours: number }
  | { do: 'drift'; minutes: number };

export type Foreign =
  | 'single'
  | 'repeated id'
  | 'broken'
  | 'mended'
  | 'batch'
  | 'garbage'
  | 'flood of garbage'
  | 'gauge'
  | 'summary'
  | 'catalogue'
  | 'wrong topic';

/** A command, and how many steps are taken after it. */
export interface Move {
  command: Command;
  steps: number;
}

const slot = fc.nat(1);
const draw = fc.nat(1_000_000);
const partition = fc.nat(1);
const role = fc.constantFrom<Role>('publisher', 'projector', 'projector', 'router');

const does = <T extends Command['do'], F extends object>(
  name: T,
  fields: { [K in keyof F]: fc.Arbitrary<F[K]> },
): fc.Arbitrary<{ do: T } & F> =>
  fc.record({ do: fc.constant(name), ...fields }) as unknown as fc.Arbitrary<{ do: T } & F>;

const foreign: fc.Arbitrary<Foreign> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Foreign>('single') },
  { weight: 4, arbitrary: fc.constant<Foreign>('repeated id') },
  { weight: 3, arbitrary: fc.constant<Foreign>('broken') },
  { weight: 2, arbitrary: fc.constant<Foreign>('mended') },
  { weight: 4, arbitrary: fc.constant<Foreign>('batch') },
  { weight: 4, arbitrary: fc.constant<Foreign>('garbage') },
  { weight: 1, arbitrary: fc.constant<Foreign>('flood of garbage') },
  { weight: 3, arbitrary: fc.constant<Foreign>('gauge') },
  { weight: 2, arbitrary: fc.constant<Foreign>('summary') },
  { weight: 2, arbitrary: fc.constant<Foreign>('catalogue') },
  { weight: 1, arbitrary: fc.constant<Foreign>('wrong topic') },
);

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 20,
    arbitrary: does('publish', { slot, outcomes: fc.integer({ min: 1, max: 6 }), draw }),
  },
  { weight: 4, arbitrary: does('flush', { slot }) },
  { weight: 16, arbitrary: does('foreign', { what: foreign, partition, draw }) },
  { weight: 4, arbitrary: does('repeat', { partition, draw }) },
  { weight: 3, arbitrary: does('replay dead letter', { partition, draw }) },
  { weight: 8, arbitrary: does('crash', { role, slot }) },
  { weight: 1, arbitrary: does('restart', { slot }) },
  { weight: 3, arbitrary: does('stall', { role, slot }) },
  { weight: 3, arbitrary: does('resume', {}) },
  { weight: 5, arbitrary: does('rebalance', {}) },
  {
    weight: 3,
    arbitrary: does('outage', { service: fc.constantFrom<Service>('log', 'store', 'hot keys') }),
  },
  { weight: 3, arbitrary: does('return', {}) },
  { weight: 2, arbitrary: does('lose hot keys', {}) },
  { weight: 1, arbitrary: does('expire', { hours: fc.constantFrom(1, 30, 200, 800) }) },
  { weight: 2, arbitrary: does('drift', { minutes: fc.integer({ min: -90, max: 30 }) }) },
) as fc.Arbitrary<Command>;

const MOVES_MAX = 40;

export const anyScenario: fc.Arbitrary<Move[]> = fc.array(
  fc.record({ command, steps: fc.nat(30) }),
  { minLength: 5, maxLength: MOVES_MAX, size: 'max' },
);

/** The same parameters wherever a seed is turned into a scenario, so that it is always the same. */
export const generation = (seed: number) => ({ seed, numRuns: 1, unbiased: true }) as const;

export function scenarioOf(seed: number): Move[] {
  return fc.sample(anyScenario, generation(seed))[0]!;
}
