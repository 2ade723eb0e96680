import { setTimeout as sleep } from 'node:timers/promises';
import { RECOVERY_MS_MAX, recovered } from './campaign.js';
import { compareWithPython, type ForeignComparison } from './foreign-consumers.js';
import { allRoles, type World } from './world.js';

export interface Verdict {
  failures: string[];
  events: { recorded: number; acknowledged: number; applied: number; duplicate: number };
  /** As a reader counts that is none of ours; null = there is none on this machine, said why. */
  foreign: ForeignComparison | { missing: string };
  verified: Record<string, unknown>;
}

const LOOK_MS = 100;

/** The faults are over: the lag reaches zero, and everything is counted again (I1, I2, I3, I7, I9). */
export async function judge(world: World): Promise<Verdict> {
  const { ledger, services, probe, writers } = world;
  for (const proxy of services.proxies.values()) proxy.heal();
  writers.pause();
  const failures: string[] = [];
  if (!(await isSettled(world))) failures.push('I1: writers still wait for acknowledgements');
  const recovery = await recovered(world);
  if ('missing' in recovery) failures.push(`at rest there were no ${recovery.missing}`);
  await ledger.flush();
  const verified = await world.command('verify');
  const brokers = services.stack.kafkaBrokers!;
  const foreign = await compareWithPython(brokers, world.outcomesTopic, ledger.path);
  const books = booksOf(verified);
  if (verified['books_closed'] !== true) failures.push('I3: the books do not close');
  if (verified['hot_keys_match'] !== true) failures.push('I7: the hot keys are not the rows');
  if (books.dead_lettered + books.skipped > 0) failures.push('I9: good records were parked');
  if (!('broken' in foreign)) failures.push(`no foreign reader: ${foreign.missing}`);
  else failures.push(...differences(foreign, books.applied, ledger.acknowledged));
  for (const [what, times] of probe.failures) {
    failures.push(`I10: the router answered ${what}, ${times} times`);
  }
  for (const { name, ends } of allRoles(world.roles)) {
    // One that cannot go on says why, and leaves the rest to its supervisor.
    const defects = ends.filter((words) => !/\((log|database|hot_keys)_unavailable\)/.test(words));
    if (defects.length > 0) failures.push(`${name} ended: ${defects[0]}`);
  }
  const { recorded, acknowledged } = ledger;
  const { applied, duplicate } = books;
  return { failures, events: { recorded, acknowledged, applied, duplicate }, foreign, verified };
}

async function isSettled({ ledger }: World): Promise<boolean> {
  const endMs = performance.now() + RECOVERY_MS_MAX;
  while (!ledger.isSettled && performance.now() < endMs) await sleep(LOOK_MS);
  return ledger.isSettled;
}

function differences(foreign: ForeignComparison, applied: number, acknowledged: number): string[] {
  const found: string[] = [];
  const { missing, unacknowledged, broken, distinct_event_ids: distinct } = foreign;
  if (missing > 0) found.push(`I1: ${missing} acknowledged events are not in the topic`);
  if (unacknowledged > 0) found.push(`${unacknowledged} events were never acknowledged`);
  if (broken > 0) found.push(`${broken} records are not as they say`);
  if (applied !== distinct) found.push(`I2: ${applied} events were applied of ${distinct}`);
  if (foreign.acknowledged !== acknowledged) {
    found.push(`${acknowledged} acknowledgements of ${foreign.acknowledged} events`);
  }
  return found;
}

interface Books {
  applied: number;
  duplicate: number;
  dead_lettered: number;
  skipped: number;
}

function booksOf(verified: Record<string, unknown>): Books {
  const books: Books = { applied: 0, duplicate: 0, dead_lettered: 0, skipped: 0 };
  for (const partition of (verified['partitions'] ?? []) as Books[]) {
    for (const key of Object.keys(books) as (keyof Books)[]) books[key] += partition[key];
  }
  return books;
}
