import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MergedTables } from '../../ops/simulate/merged-tables.js';
import type { DecodedRecord, FoldedOutcome } from '../../src/event/outcome.js';
import { type BatchResult, emptyResult } from '../../src/fold/context.js';
import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { NEW_STATE, type PartitionState, partitionState } from '../../src/fold/partition-state.js';
import { rememberRecord } from '../../src/fold/warm-up.js';
import { anyOutcome, idOf, outcome, START_MS } from './outcomes.js';

const SETTINGS = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };

const newState = (keysMax = 10_000, topic = 'airouter.outcomes.v1'): PartitionState =>
  partitionState(topic, 0, keysMax, NEW_STATE);

const record = (
  offset: number,
  decoded: FoldRecord['decoded'],
  recordMs = START_MS,
): FoldRecord => ({
  offset,
  timestampMs: recordMs,
  decoded,
});

const single = (value: FoldedOutcome): DecodedRecord => ({ type: 'RequestOutcome', value });
const batch = (publisher: number, sequence: number, outcomes: FoldedOutcome[]): DecodedRecord => ({
  type: 'OutcomeBatch',
  value: { publisher: idOf(publisher), sequence, outcomes },
});
const undecodable: FoldRecord['decoded'] = {
  failed: true,
  code: 'undecodable',
  field: '',
  rule: 'test',
  reason: 'test',
};

/** A log: batches of publishers that resend, single events that repeat, garbage, foreign records. */
const anyLog: fc.Arbitrary<FoldRecord[]> = fc
  .array(
    fc.integer({ min: -5_000, max: 200_000 }).chain((ms) => {
      const recordMs = START_MS + ms;
      return fc
        .oneof(
          fc
            .record({
              publisher: fc.integer({ min: 1, max: 3 }),
              sequence: fc.integer({ min: 0, max: 6 }),
              outcomes: fc.array(anyOutcome(recordMs), { maxLength: 4 }),
            })
            .map(({ publisher, sequence, outcomes }) => batch(publisher, sequence, outcomes)),
          anyOutcome(recordMs).map(single),
          fc.constant<FoldRecord['decoded']>({ type: 'unknown', value: null }),
          fc.constant(undecodable),
        )
        .map((decoded) => ({ recordMs, decoded }));
    }),
    { maxLength: 25 },
  )
  .map((entries) => entries.map((entry, i) => record(i * 2, entry.decoded, entry.recordMs)));

function foldWhole(records: readonly FoldRecord[]): { tables: MergedTables; result: BatchResult } {
  const result = foldBatch(newState(), records, SETTINGS);
  const tables = new MergedTables();
  tables.apply(result.delta);
  return { tables, result };
}

describe('the fold of a partition', () => {
  it('I6 gives the same tables however its records are cut into batches', () => {
    fc.assert(
      fc.property(anyLog, fc.infiniteStream(fc.integer({ min: 1, max: 4 })), (records, sizes) => {
        const whole = foldWhole(records);
        const state = newState();
        const tables = new MergedTables();
        const counts = emptyResult().counts;
        for (let at = 0; at < records.length; ) {
          const size = sizes.next().value as number;
          const part = foldBatch(state, records.slice(at, at + size), SETTINGS);
          tables.apply(part.delta);
          for (const key of Object.keys(counts) as (keyof typeof counts)[]) {
            counts[key] += part.counts[key];
          }
          at += size;
        }
        expect(tables.text()).toBe(whole.tables.text());
        expect(counts).toEqual(whole.result.counts);
      }),
    );
  });

  it('I2 I4 goes on after a restart as if it had never stopped', () => {
    fc.assert(
      fc.property(anyLog, fc.nat(), (records, cut) => {
        const at = records.length === 0 ? 0 : cut % records.length;
        const first = newState();
        const before = foldBatch(first, records.slice(0, at), SETTINGS);
        const tables = new MergedTables();
        tables.apply(before.delta);
        const second = partitionState('airouter.outcomes.v1', 0, 10_000, {
          offsetNext: first.offsetNext,
          highestRecordMs: first.highestRecordMs,
          admitted: first.admission.takeAdmitted(),
          deadLetters: first.limit.counters(),
        });
        second.highs.recall(first.highs.takeChanged());
        const parked = new Set(before.parked.map((place) => `${place.offset}/${place.index}`));
        for (const each of records.slice(0, at)) {
          rememberRecord(second, each.offset, each.decoded, parked);
        }
        tables.apply(foldBatch(second, records.slice(at), SETTINGS).delta);
        expect(tables.text()).toBe(foldWhole(records).tables.text());
      }),
    );
  });

  it('I3 closes its books: read = applied + duplicate + dead-lettered + skipped', () => {
    fc.assert(
      fc.property(anyLog, (records) => {
        const { tables, result } = foldWhole(records);
        const { read, applied, duplicate, deadLettered, skipped, late } = result.counts;
        expect(read).toBe(applied + duplicate + deadLettered + skipped);
        const inTables = tables
          .table('outcome_minute')
          .reduce((sum, row) => sum + (row['events'] as number), 0);
        expect(inTables + late).toBe(applied);
      }),
    );
  });

  it('I2 counts a batch once, whatever its publisher resends', () => {
    const events = [outcome({ event_id: idOf(1) }), outcome({ event_id: idOf(2) })];
    const { result } = foldWhole([
      record(0, batch(7, 1, events)),
      record(1, batch(7, 1, events)),
      record(2, batch(7, 2, [outcome({ event_id: idOf(3) })])),
      record(3, batch(7, 1, events)),
    ]);
    expect(result.counts).toMatchObject({ read: 7, applied: 3, duplicate: 4 });
  });

  it('I2 counts an id once, whoever sends it', () => {
    const event = outcome({ event_id: idOf(9) });
    const { result } = foldWhole([
      record(0, single(event)),
      record(1, batch(1, 1, [event])),
      record(2, batch(2, 1, [event])),
    ]);
    expect(result.counts).toMatchObject({ read: 3, applied: 1, duplicate: 2 });
  });

  it('skips records below its offset', () => {
    const state = newState();
    foldBatch(state, [record(4, single(outcome()))], SETTINGS);
    const again = foldBatch(state, [record(4, single(outcome({ event_id: idOf(2) })))], SETTINGS);
    expect(again.counts.read).toBe(0);
  });
});

describe('the time of an event', () => {
  it('is its own minute, half-open', () => {
    const { tables } = foldWhole([
      record(0, single(outcome({ event_id: idOf(1), occurred_at: START_MS - 1 }))),
      record(1, single(outcome({ event_id: idOf(2), occurred_at: START_MS }))),
    ]);
    const minutes = tables.table('outcome_minute').map((row) => row['minute']);
    expect(minutes).toEqual([START_MS / 60_000 - 1, START_MS / 60_000]);
  });

  it("is its record's where it is more than 5 min ahead", () => {
    const at = (ms: number, id: number) => single(outcome({ event_id: idOf(id), occurred_at: ms }));
    const { tables, result } = foldWhole([
      record(0, at(START_MS + 300_000, 1)),
      record(1, at(START_MS + 300_001, 2)),
    ]);
    expect(result.counts.skewed).toBe(1);
    const minutes = tables.table('outcome_minute').map((row) => row['minute']);
    expect(minutes).toEqual([START_MS / 60_000, START_MS / 60_000 + 5]);
  });

  it('counts in a tick only within -60 s to +5 s of its record', () => {
    const at = (ms: number, id: number) => single(outcome({ event_id: idOf(id), occurred_at: ms }));
    const { tables } = foldWhole([
      record(0, at(START_MS - 60_001, 1)),
      record(1, at(START_MS - 60_000, 2)),
      record(2, at(START_MS + 5_000, 3)),
      record(3, at(START_MS + 5_001, 4)),
    ]);
    expect(tables.table('outcome_tick').map((row) => row['events'])).toEqual([2]);
    expect(tables.table('outcome_tick')[0]!['tick']).toBe(START_MS / 5_000);
  });

  it('stays in the range of the tables, whatever a copied log claims', () => {
    for (const recordMs of [-1, 2 ** 53 - 1]) {
      const { tables, result } = foldWhole([
        record(0, single(outcome({ occurred_at: 253_402_300_799_999 })), recordMs),
      ]);
      expect(result.counts).toMatchObject({ applied: 1, skewed: 1 });
      const minute = tables.table('outcome_minute')[0]!['minute'] as number;
      expect(minute).toBeGreaterThanOrEqual(0);
      expect(minute).toBeLessThan(2 ** 31);
    }
  });

  it('is late beyond the retention of the minutes', () => {
    const { tables, result } = foldWhole([
      record(0, single(outcome({ occurred_at: START_MS - SETTINGS.minuteRetentionMs - 60_000 }))),
    ]);
    expect(result.counts).toMatchObject({ applied: 1, late: 1 });
    expect(tables.table('outcome_minute')).toEqual([]);
  });
});

describe('what the tables hold', () => {
  it('keeps unknown apart from zero', () => {
    const { tables } = foldWhole([
      record(0, single(outcome({ event_id: idOf(1), output_tokens: null, cost_nano_usd: null }))),
      record(1, single(outcome({ event_id: idOf(2), output_tokens: 0, cost_nano_usd: 0 }))),
    ]);
    expect(tables.table('outcome_minute')[0]).toMatchObject({
      events: 2,
      output_tokens_known: 1,
      output_tokens: 0,
    });
    expect(tables.table('usage_minute')[0]).toMatchObject({
      cost_nano_usd_known: 1,
      cost_nano_usd: 0,
      uncosted_events: 1,
      uncosted_output_unknown: 1,
    });
  });

  it('adds beyond 2^53 exactly', () => {
    const huge = 2 ** 53 - 2;
    const { tables } = foldWhole(
      [1, 2, 3].map((n) => record(n, single(outcome({ event_id: idOf(n), cost_nano_usd: huge })))),
    );
    expect(tables.table('usage_minute')[0]!['cost_nano_usd']).toBe(3n * BigInt(huge));
  });

  it('has latencies of successes only, timeouts as censored', () => {
    const { tables } = foldWhole([
      record(0, single(outcome({ event_id: idOf(1), duration_ms: 100 }))),
      record(1, single(outcome({ event_id: idOf(2), duration_ms: 5, status: 'unauthorized' }))),
      record(2, single(outcome({ event_id: idOf(3), duration_ms: 60_000, status: 'timeout' }))),
    ]);
    const duration = tables.table('latency_minute').find((row) => row['metric'] === 'duration_ms');
    expect(duration).toMatchObject({ observations: 1, total: 100, censored: 1 });
  });

  it('folds keys beyond the limit into other', () => {
    const state = newState(1);
    const events = ['a', 'b', 'a', 'c'].map((model, n) =>
      record(n, single(outcome({ event_id: idOf(n + 1), model }))),
    );
    const tables = new MergedTables();
    tables.apply(foldBatch(state, events, SETTINGS).delta);
    const offerings = tables.table('outcome_minute').map((row) => [row['offering'], row['events']]);
    expect(offerings).toEqual([
      ['a|p||', 2],
      ['|||', 2],
    ]);
  });

  it('I2 keeps the last gauge of an emitter in a tick: one that is sent twice starts nothing twice', () => {
    const gauge = (inFlight: number): DecodedRecord => ({
      type: 'Inflight',
      value: {
        emitter: idOf(1),
        offering: 'm|p||',
        tick: 0,
        started: 2,
        in_flight: inFlight,
        overdue: 0,
        oldest_ms: 0,
      },
    });
    const state = newState(10, 'airouter.inflight.v1');
    const records = [record(0, gauge(5)), record(1, gauge(3)), record(2, gauge(3))];
    const tables = new MergedTables();
    tables.apply(foldBatch(state, records, SETTINGS).delta);
    expect(tables.table('inflight_tick')).toMatchObject([{ started: 2, in_flight: 3 }]);
  });
});

describe('bad records', () => {
  it('I4 skips what does not belong to the topic: a row has one writer', () => {
    const state = newState(10, 'ns.airouter.inflight.v1');
    const { counts, delta } = foldBatch(state, [record(0, single(outcome()))], SETTINGS);
    expect(counts).toMatchObject({ read: 1, skipped: 1, applied: 0 });
    expect(Object.values(delta.rows).every((rows) => rows.size === 0)).toBe(true);
  });

  it('I9 parks an event that breaks a rule, alone, with its index', () => {
    const { result } = foldWhole([
      record(
        5,
        batch(1, 1, [outcome({ event_id: idOf(1) }), outcome({ event_id: idOf(2), model: '' })]),
      ),
    ]);
    expect(result.counts).toMatchObject({ read: 2, applied: 1, deadLettered: 1 });
    expect(result.parked).toMatchObject([{ offset: 5, index: 1, code: 'rule_broken' }]);
    expect(result.parked[0]!.reason).toContain('model');
  });

  it('I9 stops behind the 20th undecodable record in a row', () => {
    const records = Array.from({ length: 30 }, (_, n) => record(n, undecodable));
    const { result } = foldWhole(records);
    expect(result.stoppedAt).toBe(20);
    expect(result.parked).toHaveLength(20);
  });

  it('I9 stops beyond 1 % of the last 10,000 and at least 20', () => {
    const records = Array.from({ length: 3_000 }, (_, n) =>
      record(n, n % 20 === 0 ? undecodable : { type: 'unknown', value: null }),
    );
    const { result } = foldWhole(records);
    expect(result.parked).toHaveLength(101);
    expect(result.stoppedAt).toBe(2_001);
  });

  it('I2 I9 counts a replayed dead letter once for its place, however often it is replayed', () => {
    const origin = { topic: 'airouter.outcomes.v1', partition: 0, offset: 0, index: 1 };
    const fixed = single(outcome({ event_id: idOf(2) }));
    const bad = outcome({ event_id: idOf(2), model: '' });
    const { result } = foldWhole([
      record(0, batch(1, 1, [outcome({ event_id: idOf(1) }), bad])),
      { ...record(1, fixed), origin },
      { ...record(2, fixed), origin },
      { ...record(3, fixed), origin: { ...origin, index: 0 } },
      { ...record(4, fixed), origin: { ...origin, partition: 1 } },
    ]);
    expect(result.counts).toMatchObject({ read: 6, applied: 2, deadLettered: 1, duplicate: 3 });
    expect(result.replayed).toEqual(['0/1']);
  });

  it('I2 counts no copy of a place whose copy an earlier batch has counted', () => {
    const origin = { topic: 'airouter.outcomes.v1', partition: 0, offset: 0, index: -1 };
    const copy = { ...record(7, single(outcome())), origin };
    expect(foldBatch(newState(), [copy], SETTINGS, new Set()).counts.duplicate).toBe(1);
    expect(foldBatch(newState(), [copy], SETTINGS, new Set(['0/-1'])).counts.applied).toBe(1);
  });

  it('I9 never stops for events that only break a rule', () => {
    const records = Array.from({ length: 300 }, (_, n) =>
      record(n, single(outcome({ event_id: idOf(n + 1), model: '' }))),
    );
    expect(foldWhole(records).result.stoppedAt).toBeNull();
  });
});
