import { expect, it } from 'vitest';
import type { FoldedOutcome } from '../../src/event/outcome.js';
import type { Verdict } from '../../src/fold/context.js';
import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { NEW_STATE, partitionState } from '../../src/fold/partition-state.js';
import { idOf, outcome, START_MS } from './outcomes.js';

const SETTINGS = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
const VERDICT: Verdict = { code: 'rule_broken', reason: 'as it was said then' };

function fold(outcomes: FoldedOutcome[], earlier: Pick<FoldRecord, 'verdicts' | 'letters'> = {}) {
  const state = partitionState('airouter.outcomes.v1', 0, 100, NEW_STATE);
  const decoded = {
    type: 'OutcomeBatch',
    value: { publisher: idOf(9), sequence: 1, outcomes },
  } as const;
  const records = [{ offset: 4, timestampMs: START_MS, decoded, ...earlier }];
  return foldBatch(state, records, SETTINGS);
}

const good = outcome({ event_id: idOf(1) });
const broken = outcome({ event_id: idOf(2), model: '' });

it('I9 judges where nobody has', () => {
  const { parked, counts } = fold([good, broken]);
  expect(parked).toMatchObject([{ offset: 4, index: 1, code: 'rule_broken' }]);
  expect(counts).toMatchObject({ read: 2, applied: 1, deadLettered: 1 });
});

it('I6 parks what an earlier fold parked, in its words, and nothing else', () => {
  const { parked, counts } = fold([good, broken], { verdicts: new Map([[0, VERDICT]]) });
  expect(parked).toEqual([{ offset: 4, index: 0, ...VERDICT }]);
  expect(counts).toMatchObject({ read: 2, applied: 1, deadLettered: 1 });
});

it('I6 parks a record whole that an earlier fold could not read, though it can be read now', () => {
  const whole: Verdict = { code: 'unknown_schema', reason: 'as it was said then' };
  const { parked, counts, delta } = fold([good, good], { verdicts: new Map([[-1, whole]]) });
  expect(parked).toEqual([{ offset: 4, index: -1, ...whole }]);
  expect(counts).toMatchObject({ read: 1, applied: 0, deadLettered: 1 });
  expect(delta.rows.outcome_minute.size).toBe(0);
});

it('I9 parks what an attempt without a commit parked, in its words, and judges the rest', () => {
  const letters = new Map([[0, VERDICT]]);
  const { parked, counts } = fold([good, broken, outcome({ event_id: idOf(3) })], { letters });
  expect(parked).toMatchObject([
    { offset: 4, index: 0, ...VERDICT },
    { offset: 4, index: 1, code: 'rule_broken' },
  ]);
  expect(counts).toMatchObject({ read: 3, applied: 1, deadLettered: 2 });
});
