import type { CampaignResult } from './campaign.js';
import { memoryFailures, memoryReport } from './memory.js';
import type { Verdict } from './verdict.js';
import { allRoles, type World } from './world.js';

/** The last line of a campaign. Times in ms, memory in MiB. */
export function reportOf(
  { probe, roles }: World,
  { faults, recoveryMs, memory, failures: unrecovered }: CampaignResult,
  { failures, events, foreign, verified }: Verdict,
) {
  const all = [...unrecovered, ...failures, ...memoryFailures(memory)];
  const { books_closed, hot_keys_match, checksum } = verified;
  return {
    faults,
    failed: all.length,
    failures: all,
    events,
    foreign,
    books_closed,
    hot_keys_match,
    checksum,
    ended: allRoles(roles).flatMap(({ name, ends }) => ends.map((words) => `${name}: ${words}`)),
    router: { answered: probe.answered, stale: probe.stale },
    recovery_ms: byName(recoveryMs, recoveryOf),
    memory: memoryReport(memory),
  };
}

function byName<T>(
  lists: ReadonlyMap<string, readonly number[]>,
  of: (list: readonly number[]) => T,
): Record<string, T> {
  return Object.fromEntries([...lists].sort().map(([name, list]) => [name, of(list)]));
}

function recoveryOf(list: readonly number[]) {
  const sorted = [...list].sort((a, b) => a - b);
  return { n: sorted.length, p50: medianOf(sorted), max: sorted.at(-1)! };
}

const medianOf = (sorted: readonly number[]): number =>
  sorted[Math.floor((sorted.length - 1) / 2)]!;
