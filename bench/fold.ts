import { decode } from '../src/event/decode.js';
import type { FoldedOutcome } from '../src/event/outcome.js';
import type { FoldSettings } from '../src/fold/context.js';
import { type FoldRecord, foldBatch } from '../src/fold/fold-batch.js';
import { NEW_STATE, partitionState } from '../src/fold/partition-state.js';
import { topicsOf } from '../src/log/topics.js';
import { type Bench, type Contest, expectSame, inThisProcess, type Size } from './contest.js';
import { batchesOf, EVENTS_A_BATCH, outcomes, START_MS } from './traffic.js';

/** From decoded batches to what they change in every table. */
export const foldBench: Bench = {
  name: 'fold',
  unit: 'events per CPU second',
  floorIs: 'a plain Map by offering and minute: count, successes, sums of duration and tokens',
  peerIs: 'none: no other router folds its log; stream processors cannot be had in this process',
  open,
};

const TOPIC = topicsOf('').outcomes;

export const SETTINGS: FoldSettings = {
  tickRetentionMs: 120 * 60_000,
  minuteRetentionMs: 30 * 86_400_000,
};
/** Records of one fetch of a projector that catches up. */
export const RECORDS_A_FETCH = 128;

async function open(size: Size): Promise<Contest> {
  // Twice the window of recent ids: half of the ids that are added push one out.
  const events = outcomes(0, size === 'full' ? 131_072 : 1_000);
  const fetches = fetchesOf(events, 0);
  const fold = (): number => {
    const state = partitionState(TOPIC, 0, 10_000, NEW_STATE);
    let applied = 0;
    for (const records of fetches) applied += foldBatch(state, records, SETTINGS).counts.applied;
    return applied;
  };
  const plain = (): number => {
    let applied = 0;
    for (const records of fetches) for (const row of foldPlainly(records)) applied += row.events;
    return applied;
  };
  expectSame('events applied by the fold', fold(), events.length);
  expectSame('events applied by the plain one', plain(), events.length);
  return {
    ours: inThisProcess(fold),
    floor: inThisProcess(plain),
    peer: null,
    answer: `${events.length} events applied by both`,
    close: async () => {},
  };
}

/** Decoded records as a projector has them, fetch by fetch, the first at `offset`. */
export function fetchesOf(events: Parameters<typeof batchesOf>[0], offset: number): FoldRecord[][] {
  const records = batchesOf(events, offset + 1).map(({ value, headers }, index) => ({
    offset: offset + index,
    // In the log 40 ms after its last event.
    timestampMs: START_MS + (offset + index + 1) * EVENTS_A_BATCH + 40,
    decoded: decode(value, headers),
  }));
  return Array.from({ length: Math.ceil(records.length / RECORDS_A_FETCH) }, (_, i) =>
    records.slice(i * RECORDS_A_FETCH, (i + 1) * RECORDS_A_FETCH),
  );
}

interface PlainRow {
  events: number;
  success: number;
  durationMs: number;
  tokens: number;
}

function foldPlainly(records: readonly FoldRecord[]): Iterable<PlainRow> {
  const rows = new Map<string, PlainRow>();
  for (const { decoded } of records) {
    if ('failed' in decoded || decoded.type !== 'OutcomeBatch') throw new Error('not a batch');
    for (const event of decoded.value.outcomes) addPlainly(rows, event);
  }
  return rows.values();
}

function addPlainly(rows: Map<string, PlainRow>, event: FoldedOutcome): void {
  const minute = Math.floor(event.occurred_at / 60_000);
  const key = `${minute}|${event.model}|${event.provider}|${event.deployment}|${event.region}`;
  let row = rows.get(key);
  if (row === undefined) {
    row = { events: 0, success: 0, durationMs: 0, tokens: 0 };
    rows.set(key, row);
  }
  row.events += 1;
  if (event.status === 'success') row.success += 1;
  row.durationMs += event.duration_ms;
  row.tokens += (event.input_tokens ?? 0) + (event.output_tokens ?? 0);
}
