import { setTimeout as sleep } from 'node:timers/promises';
import type { HotState } from '../hotkeys/port.js';
import type { LogAdmin } from '../log/port.js';
import type { Topics } from '../log/topics.js';
import type { Parts } from '../roles/parts.js';
import type { Router } from '../roles/route.js';

const LOOK_AGAIN_MS = 3;

/**
 * Resolves when the router's snapshot has every outcome and catalogue record that is in the log
 * now, in both lanes.
 */
export async function snapshotHas(
  poller: Router['poller'],
  { log, topics }: Pick<Parts, 'log' | 'topics'>,
  stop: AbortSignal,
): Promise<void> {
  const ends = await logEnds(log, topics);
  while (!stop.aborted && !hasAll(poller.view?.state ?? null, ends)) {
    await poller.pollNow();
    if (!hasAll(poller.view?.state ?? null, ends)) await sleep(LOOK_AGAIN_MS);
  }
}

/** Where the topics end that decisions depend on: the offset after the newest record, by partition. */
export async function logEnds(
  log: Pick<LogAdmin, 'partitions' | 'bounds'>,
  topics: Topics,
): Promise<ReadonlyMap<string, number[]>> {
  const ends = new Map<string, number[]>();
  for (const [topic, partitions] of await log.partitions([topics.outcomes, topics.catalogue])) {
    const bounds = Array.from({ length: partitions }, (_, i) => log.bounds(topic, i));
    ends.set(
      topic,
      (await Promise.all(bounds)).map(({ end }) => end),
    );
  }
  return ends;
}

function hasAll(state: HotState | null, ends: ReadonlyMap<string, number[]>): boolean {
  if (state === null) return false;
  return Object.values(state.lanes).every((lane) =>
    [...ends].every(([topic, offsets]) =>
      offsets.every((end, partition) => (lane?.vector[topic]?.[partition] ?? 0) >= end),
    ),
  );
}
