import { expect, it } from 'vitest';
import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { NEW_STATE, partitionState } from '../../src/fold/partition-state.js';
import { topicsOf } from '../../src/log/topics.js';
import { idOf, outcome, START_MS } from './outcomes.js';

const SETTINGS = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
const EVENTS = 2_000;

function rowsOf(events: number, models: number) {
  const state = partitionState(topicsOf('').outcomes, 0, 10_000, NEW_STATE);
  const records = Array.from({ length: events }, (_, n): FoldRecord => {
    const value = outcome({ event_id: idOf(n + 1), model: `model-${n % models}` });
    return { offset: n, timestampMs: START_MS, decoded: { type: 'RequestOutcome', value } };
  });
  const { counts, delta } = foldBatch(state, records, SETTINGS);
  expect(counts.applied).toBe(events);
  return Object.entries(delta.rows).map(([table, rows]) => [table, rows.size] as const);
}

it('a batch of one key becomes the rows of one event, however many it has', () => {
  expect(rowsOf(EVENTS, 1)).toEqual(rowsOf(1, 1));
  expect(new Map(rowsOf(EVENTS, 500)).get('outcome_minute')).toBe(500);
});
