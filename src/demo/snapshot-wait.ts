import { setTimeout as sleep } from 'node:timers/promises';
import type { HotState } from '../hotkeys/port.js';
import type { LogAdmin } from '../log/port.js';
import type { Topics } from '../log/topics.js';
import type { Parts } from '../roles/parts.js';
import type { Router } from '../roles/route.js';

const LOOK_AGAIN_MS = 3;

/** Resolves when the router's snapshot has everything below the ends, in both lanes. */
export async function snapshotHas(
  poller: Router['poller'],
  ends: ReadonlyMap<string, number[]>,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted && !hasAll(poller.view?.state ?? null, ends)) {
    await poller.pollNow();
    if (!hasAll(poller.view?.state ?? null, ends)) await sleep(LOOK_AGAIN_MS);
  }
}

/** The ends of a log that nobody else writes: asked for once, then known from what is appended. */
export class KnownEnds {
  readonly #parts: Pick<Parts, 'log' | 'topics'>;
  #ends: ReadonlyMap<string, number[]> | null = null;

  constructor(parts: Pick<Parts, 'log' | 'topics'>) {
    this.#parts = parts;
  }

  async current(): Promise<ReadonlyMap<string, number[]>> {
    const { log, topics } = this.#parts;
    this.#ends ??= await logEnds(log, topics);
    return this.#ends;
  }

  /** `end`: the offset after the last record that was appended. */
  readonly appended = (topic: string, partition: number, end: number): void => {
    const offsets = this.#ends?.get(topic);
    if (offsets !== undefined) offsets[partition] = end;
  };
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
