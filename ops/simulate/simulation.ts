import { Commands } from './commands.js';
import type { Failure } from './failures.js';
import { checkAtRest, checkCommitted } from './final-checks.js';
import { comeToRest } from './rest.js';
import { type Move, scenarioOf } from './scenario.js';
import { System } from './system.js';
import { Trace } from './trace.js';
import { installVirtualTime } from './virtual-time.js';

export interface SimulationOptions {
  seed: number;
  /** What happens; without it, what the seed says. */
  moves?: readonly Move[];
  /** Told of every step. */
  onLine?: (line: string) => void;
  /** Breaks a service before anything runs, to see the checks fail. */
  plant?: (system: System) => void;
}

export interface SimulationResult {
  /** What did not hold first; null = everything held. */
  failure: Failure | null;
  /** SHA-256 over all steps: equal for equal seeds. */
  traceHash: string;
  steps: number;
}

/**
 * One run: moves with faults, then rest, with the product's own modules on simulated services.
 * All that is left to chance follows from the seed.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const trace = new Trace(options.onLine ?? null);
  const system = new System(options.seed, trace);
  options.plant?.(system);
  const onDefect = (error: unknown): void => {
    system.failures.fail('defect', error instanceof Error ? String(error.stack) : String(error));
  };
  const restoreTime = installVirtualTime(system.scheduler);
  process.on('unhandledRejection', onDefect);
  try {
    await play(system, options.moves ?? scenarioOf(options.seed));
  } catch (error) {
    onDefect(error);
  } finally {
    process.off('unhandledRejection', onDefect);
    restoreTime();
  }
  const { first } = system.failures;
  return { failure: first, traceHash: trace.digest(), steps: trace.steps };
}

async function play(system: System, moves: readonly Move[]): Promise<void> {
  const { scheduler, failures } = system;
  const commands = new Commands(system);
  await system.start();
  for (const { command, steps } of moves) {
    await commands.apply(command);
    if (command.do === 'crash') checkCommitted(system);
    for (let step = 0; step < steps && failures.first === null; step++) await scheduler.step();
    if (failures.first !== null) return;
  }
  await comeToRest(system);
  if (failures.first === null) await checkAtRest(system);
}
