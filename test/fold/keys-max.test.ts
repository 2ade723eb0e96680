import { expect, it } from 'vitest';
import { MergedTables } from '../../ops/simulate/merged-tables.js';
import { decode } from '../../src/event/decode.js';
import { assembleBatch, encodeOutcomeBody } from '../../src/event/encode.js';
import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { NEW_STATE, partitionState } from '../../src/fold/partition-state.js';
import { idOf, outcome, START_MS } from './outcomes.js';

const SETTINGS = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
const MODELS = 20_000;
const KEYS_MAX = 100;
const EVENTS_A_RECORD = 50;

/** Records of an emitter that has another model, and error type, with each event. */
function* records(): Generator<FoldRecord> {
  for (let offset = 0; offset * EVENTS_A_RECORD < MODELS; offset++) {
    const outcomes = Array.from({ length: EVENTS_A_RECORD }, (_, index) => {
      const n = offset * EVENTS_A_RECORD + index + 1;
      const failure = { status: 'error', error_type: `e${n}` } as const;
      return outcome({ event_id: idOf(n), model: `model-${n}`, ...failure });
    });
    const { value, headers } = assembleBatch(idOf(0), offset + 1, outcomes.map(encodeOutcomeBody));
    // Two days, so that yesterday's keys are there too.
    const timestampMs = START_MS + (offset * EVENTS_A_RECORD >= MODELS / 2 ? 86_400_000 : 0);
    yield { offset, timestampMs, decoded: decode(value, headers) };
  }
}

function fold(recordsABatch: number): { tables: MergedTables; rowsMax: number } {
  const state = partitionState('airouter.outcomes.v1', 0, KEYS_MAX, NEW_STATE);
  const tables = new MergedTables();
  let rowsMax = 0;
  let batch: FoldRecord[] = [];
  const flush = (): void => {
    const { delta } = foldBatch(state, batch, SETTINGS);
    tables.apply(delta);
    const sizes = Object.values(delta.rows).map((rows) => rows.size);
    rowsMax = Math.max(rowsMax, ...sizes);
    batch = [];
  };
  for (const record of records()) {
    batch.push(record);
    if (batch.length === recordsABatch) flush();
  }
  if (batch.length > 0) flush();
  return { tables, rowsMax };
}

it('I6 I11 meets the limit on keys with ever new models: the same tables however they are cut', () => {
  const whole = fold(MODELS);
  const cut = fold(7);
  expect(cut.tables.text()).toBe(whole.tables.text());
  const minutes = whole.tables.table('outcome_minute');
  // The limit of each day, and the row of all others.
  expect(minutes.length).toBeLessThanOrEqual(2 * KEYS_MAX + 1);
  expect(minutes.reduce((sum, row) => sum + Number(row['events']), 0)).toBe(MODELS);
  const others = minutes.find((row) => row['offering'] === '|||');
  expect(Number(others?.['events'])).toBeGreaterThanOrEqual(MODELS - 2 * KEYS_MAX);
  for (const table of ['usage_minute', 'outcome_error_minute'] as const) {
    const rows = whole.tables.table(table);
    expect(rows.length).toBeLessThanOrEqual(4 * KEYS_MAX + 2);
    expect(rows.reduce((sum, row) => sum + Number(row['events']), 0)).toBe(MODELS);
  }
  expect(whole.rowsMax).toBeLessThanOrEqual(4 * KEYS_MAX + 2);
});
