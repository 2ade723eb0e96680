import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../simulate/random.js';
import { drawFault, type Fault } from './alphabet.js';
import { MemoryLog } from './memory.js';
import type { Offsets } from './observer.js';
import type { World } from './world.js';

export interface CampaignOptions {
  random: Random;
  faults: readonly Fault[];
  /** The campaign ends after so many faults, or so much time. */
  faultsMax: number;
  durationMs: number;
  /** Of good load before the first fault. */
  warmUpMs: number;
  /** Longest that a fault goes on. */
  holdMsMax: number;
  /** From one fault to the next; `null` = the next one once all is well again, and measured. */
  paceMs: number | null;
  say(line: string): void;
}

export interface CampaignResult {
  faults: number;
  /** ms from the end of a fault until everything written before was folded and known, by kind. */
  recoveryMs: Map<string, number[]>;
  failures: string[];
  /** Taken after each recovery; of one that waits for none, nothing. */
  memory: MemoryLog;
}

/** Longer than any session, watchdog or growing pause of the product. */
export const RECOVERY_MS_MAX = 300_000;
const LOOK_MS = 50;
/** Between two faults that are measured. */
const REST_MS = 1_000;

/** Fault after fault, each followed by a recovery, or by the next fault before there was one. */
export async function runCampaign(world: World, options: CampaignOptions): Promise<CampaignResult> {
  const { random, faultsMax, durationMs, holdMsMax, paceMs, say } = options;
  const result: CampaignResult = {
    faults: 0,
    recoveryMs: new Map(),
    failures: [],
    memory: new MemoryLog(),
  };
  await sleep(options.warmUpMs);
  const start = await recovered(world);
  if ('missing' in start) throw new Error(`before any fault there were no ${start.missing}`);
  if (paceMs === null) await result.memory.note(world, 0);
  const endMs = performance.now() + durationMs;
  while (result.faults < faultsMax && performance.now() < endMs) {
    const fault = drawFault(random, options.faults);
    result.faults += 1;
    await fault.run(world, random, holdMsMax);
    if (paceMs !== null) {
      say(`${result.faults}: ${fault.kind}`);
      await sleep(paceMs);
      continue;
    }
    const recovery = await recovered(world);
    if ('missing' in recovery) {
      result.failures.push(`${fault.kind}: for ${RECOVERY_MS_MAX} ms no ${recovery.missing}`);
      break;
    }
    say(`${result.faults}: ${fault.kind}: ${recovery.ms} ms`);
    const known = result.recoveryMs.get(fault.kind) ?? [];
    result.recoveryMs.set(fault.kind, [...known, recovery.ms]);
    await result.memory.note(world, result.faults);
    await sleep(REST_MS);
  }
  return result;
}

export type Recovery = { ms: number } | { missing: string };

/**
 * ms from now until what is recorded now is acknowledged, everything that the log then holds is
 * folded and in the hot keys, and the router answers from fresh state; or what never came.
 */
export async function recovered({ ledger, observer, probe }: World): Promise<Recovery> {
  const startMs = performance.now();
  const goal = ledger.recorded;
  let ends: Offsets | null = null;
  const conditions: [string, () => boolean | Promise<boolean>][] = [
    ['acknowledgements', () => ledger.acknowledged >= goal],
    [
      'answers of the log',
      async () => {
        ends = await observer.ends();
        return ends !== null;
      },
    ],
    ['rows and hot keys of what the log holds', () => observer.hasReached(ends!)],
    ['a fresh answer of the router', () => probe.hasAnsweredSince(startMs)],
  ];
  for (const [missing, holds] of conditions) {
    while (!(await holds())) {
      if (performance.now() - startMs > RECOVERY_MS_MAX) {
        return { missing: `${missing} (the router’s last answer: ${probe.last})` };
      }
      await sleep(LOOK_MS);
    }
  }
  return { ms: Math.round(performance.now() - startMs) };
}
