import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MergedTables } from '../../ops/simulate/merged-tables.js';
import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { NEW_STATE, partitionState } from '../../src/fold/partition-state.js';
import { anyOutcome, idOf, START_MS } from './outcomes.js';

const SETTINGS = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
const KEYS_MAX = 2;

/** More keys than have a place, at times that cross days forwards and back. */
const anyRecords: fc.Arbitrary<FoldRecord[]> = fc
  .array(
    fc.record({
      hours: fc.integer({ min: 0, max: 60 }),
      model: fc.constantFrom('m1', 'm2', 'm3', '', '|'),
      region: fc.constantFrom('', 'eu'),
      tenant: fc.constantFrom('', 'acme', 'globex', 'initech'),
      outcome: anyOutcome(START_MS),
    }),
    { maxLength: 40 },
  )
  .map((entries) =>
    entries.map(({ hours, outcome, ...fields }, offset) => {
      const shiftMs = hours * 3_600_000;
      const occurred_at = outcome.occurred_at + shiftMs;
      const value = { ...outcome, ...fields, occurred_at, event_id: idOf(offset + 1) };
      const decoded = { type: 'RequestOutcome', value } as const;
      return { offset, timestampMs: START_MS + shiftMs, decoded };
    }),
  );

function foldIn(size: number, records: readonly FoldRecord[]) {
  const state = partitionState('airouter.outcomes.v1', 0, KEYS_MAX, NEW_STATE);
  const tables = new MergedTables();
  const marks = new Map<string, number | null>();
  const hours = new Set<number>();
  const admitted = [];
  for (let at = 0; at < records.length; at += size) {
    const result = foldBatch(state, records.slice(at, at + size), SETTINGS);
    tables.apply(result.delta);
    admitted.push(...state.admission.takeAdmitted());
    for (const hour of result.dirtyHours) hours.add(hour);
    for (const [name, minute] of result.marks) {
      marks.set(name, Math.max(minute ?? 0, marks.get(name) ?? 0));
    }
  }
  const inOrder = <T>(values: Iterable<T>): T[] => [...values].sort();
  return { tables: tables.text(), admitted, hours: inOrder(hours), marks: inOrder(marks) };
}

it('I6 rows found by their fields are those that their keys name, whoever has a place', () => {
  fc.assert(
    fc.property(anyRecords, (records) => {
      // A batch of one record finds nothing that an earlier one left.
      expect(foldIn(records.length + 1, records)).toEqual(foldIn(1, records));
    }),
    { numRuns: 300 },
  );
});
