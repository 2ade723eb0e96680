import { DEAD_LETTER_MUTATIONS } from './dead-letters.js';
import { type Check, type Mutation, SIMULATION } from './mutation.js';

const STORE: Check = {
  by: 'test',
  project: 'int',
  file: 'test/project/projection-store.int.test.ts',
};

export const MUTATIONS: readonly Mutation[] = [
  ...DEAD_LETTER_MUTATIONS,
  {
    name: 'the offset is committed before its rows',
    edits: [
      {
        file: 'src/pipeline.ts',
        from: `  await parts.store.commit({ state, expected, last, deadLettersFrom, result });
`,
        to: `  await parts.store.commit({ state, expected, last, deadLettersFrom, result: emptyResult() });
  await parts.store.commit({ state, expected: state.offsetNext, last, deadLettersFrom, result });
`,
      },
      {
        file: 'src/pipeline.ts',
        from: `import type { BatchResult, FoldSettings, Verdict } from './fold/context.js';`,
        to: `import { emptyResult, type BatchResult, type FoldSettings, type Verdict } from './fold/context.js';`,
      },
    ],
    check: SIMULATION,
    invariants: ['I4', 'I5'],
  },
  {
    name: 'rows are written though the offset did not move',
    edits: [
      {
        file: 'src/project/combined-statement.ts',
        from: "'where exists (select from first)'",
        to: "''",
      },
    ],
    check: STORE,
    invariants: ['I5'],
  },
  {
    name: 'the transaction ends between the rows and what is parked with them',
    edits: [
      {
        file: 'src/project/projection-store.ts',
        from: 'await writeRows(client, rows);',
        to: `await writeRows(client, rows);
      await client.query('commit; begin');`,
      },
    ],
    check: STORE,
    invariants: ['I4'],
  },
  {
    name: 'ids among the last events are not compared',
    edits: [
      {
        file: 'src/fold/outcomes.ts',
        from: 'if (state.recent.addAndTell(outcome.event_id, context.offset)) {',
        to: 'if (state.recent.addAndTell(outcome.event_id, context.offset) && state.offsetNext < 0) {',
      },
    ],
    check: SIMULATION,
    invariants: ['I2'],
  },
  {
    name: "a publisher's sequence is not compared",
    edits: [
      {
        file: 'src/fold/outcomes.ts',
        from: '  if (isNew) {',
        to: '  if (isNew || batch.sequence > 0) {',
      },
    ],
    check: SIMULATION,
    invariants: ['I2'],
  },
  {
    name: 'a commit does not compare the stored offset',
    edits: [
      {
        file: 'src/project/checkpoint.ts',
        from: 'where topic = $1 and partition = $2 and offset_next = $3\n',
        to: 'where topic = $1 and partition = $2 and $3::int8 is not null\n',
      },
    ],
    check: STORE,
    invariants: ['I5'],
  },
  {
    name: 'hot keys are written before the commit',
    edits: [
      {
        file: 'src/pipeline.ts',
        from: `  await parts.store.commit({ state, expected, last, deadLettersFrom, result });
  parts.refresher.notify({ caughtUp: state.offsetNext >= batch.highWatermark });
`,
        to: `  parts.refresher.notify({ caughtUp: state.offsetNext >= batch.highWatermark });
  await parts.store.commit({ state, expected, last, deadLettersFrom, result });
`,
      },
    ],
    check: SIMULATION,
    invariants: ['I7'],
  },
  {
    name: 'hot keys are written whatever others wrote meanwhile',
    edits: [
      {
        file: 'src/hotkeys/memory-hot-keys.ts',
        from: 'if (stored?.writeId !== known?.writeId) return false;',
        to: 'if (stored?.writeId !== known?.writeId && write.next.version < 0) return false;',
      },
      {
        file: 'src/hotkeys/memory-hot-keys.ts',
        from: 'if (stored !== null && stored.version > write.next.version) return false;',
        to: 'if (stored !== null && write.next.version < 0) return false;',
      },
    ],
    check: SIMULATION,
    invariants: ['I7'],
  },
  {
    name: 'a producer is used again after a send that rejected',
    edits: [
      {
        file: 'src/log/kafka-append-lane.ts',
        from: `      this.#end();
      throw asLogError(`,
        to: '      throw asLogError(',
      },
    ],
    check: { by: 'test', project: 'unit', file: 'test/log/kafka-append-lane.test.ts' },
    invariants: ['I1'],
  },
  {
    name: 'an append that rejects counts as acknowledged',
    edits: [
      {
        file: 'src/publish/lane.ts',
        from: '(error: unknown) => ({ error }),',
        to: "() => 'acknowledged' as const,",
      },
    ],
    check: SIMULATION,
    invariants: ['I1'],
  },
  {
    name: 'a partition that waits at its end is not woken',
    edits: [
      {
        file: 'src/log/partition-feed.ts',
        from: `    this.#isWoken = true;
    this.#endWait();`,
        to: '    this.#isWoken = true;',
      },
    ],
    check: SIMULATION,
    invariants: ['I9'],
  },
  {
    name: 'a consumer that hears nothing from its group is not started anew',
    edits: [
      {
        file: 'src/log/kafka-membership.ts',
        from: 'stuck = setTimeout(() => end(noBeat()), limitMs);',
        to: 'stuck = setTimeout(() => void noBeat(), limitMs);',
      },
    ],
    check: {
      by: 'test',
      project: 'int',
      file: 'test/log/kafka-faults.int.test.ts',
      name: 'killed or frozen',
    },
    invariants: ['I1', 'I5'],
  },
  {
    name: 'a new owner does not read the last events back',
    edits: [
      {
        file: 'src/pipeline.ts',
        from: '    rememberRecord(state, record.offset, decoded, parked);',
        to: '    if (record.offset < 0) rememberRecord(state, record.offset, decoded, parked);',
      },
    ],
    check: SIMULATION,
    invariants: ['I2', 'I4'],
  },
  {
    name: 'a new owner takes a parked event for one that counted',
    edits: [
      {
        file: 'src/pipeline.ts',
        from: '    rememberRecord(state, record.offset, decoded, parked);',
        to: '    rememberRecord(state, record.offset, decoded, new Set(parked.size < 0 ? parked : []));',
      },
    ],
    check: SIMULATION,
    invariants: ['I2', 'I4'],
  },
  {
    name: 'a replayed dead letter counts as often as it is replayed',
    edits: [
      {
        file: 'src/fold/outcomes.ts',
        from: '!replayable.delete(place)',
        to: '!replayable.has(place)',
      },
    ],
    check: SIMULATION,
    // Counted again within one batch, it shows first as rows that no fold of single records gives.
    invariants: ['I2', 'I4'],
  },
  {
    name: 'what is stored of a publisher that memory does not hold is not read',
    edits: [
      {
        file: 'src/pipeline.ts',
        from: 'if (absent.length > 0) highs.recall(',
        to: 'if (absent.length < 0) highs.recall(',
      },
    ],
    check: SIMULATION,
    invariants: ['I2', 'I4'],
  },
  {
    name: 'a sum takes the wrong field',
    edits: [
      {
        file: 'src/fold/outcome-rows.ts',
        from: 'addKnown(row, at.minute.output, outcome.output_tokens);',
        to: 'addKnown(row, at.minute.output, outcome.input_tokens);',
      },
    ],
    check: SIMULATION,
    invariants: ['I3'],
  },
];
