import type { FaultRow } from '../fault-row.js';
import { SIMULATION, SOAK } from './campaigns.js';

/** The projector dies, hangs, or is not alone. */
export const projectorRows: readonly FaultRow[] = [
  {
    row: 1,
    fault: 'kill -9 of a projector between upsert and commit, at any point',
    happens:
      'The transaction is rolled back; the next owner reads on from the stored offset. The tables are those of a run without the kill.',
    tests: [SIMULATION, { file: 'test/e2e/stack.e2e.test.ts', name: 'killed on the way' }],
    measured:
      '6,000 simulated seeds, each with crashes at any await: none failed, 54 s on one of two shared cores; 13.3 MiB live after 100 seeds, 14.1 MiB after 1,000. Killed, until the lag was zero: p50 8.0 s, at most 12.4 s (19 times), of which 6 s are the session.',
  },
  {
    row: 2,
    fault: 'the session ends in the middle of an upsert (killed, pg_terminate_backend)',
    happens:
      'Nothing of the batch is kept, neither rows nor offset; it is folded and committed again.',
    tests: [
      { file: 'test/project/cut-commit.int.test.ts' },
      { file: 'test/project/projection-store.int.test.ts', name: 'leaves neither rows nor offset' },
    ],
  },
  {
    row: 3,
    fault: 'nobody knows whether a commit happened: the connection is cut after COMMIT was sent',
    happens:
      'The stored offset is read before anything is written again; what was committed is not applied a second time.',
    tests: [SIMULATION, SOAK, { file: 'test/project/lost-commit.int.test.ts' }],
  },
  {
    row: 4,
    fault: 'a zombie: a projector that stood still for longer than its session, and goes on',
    happens:
      'Its commit compares the stored offset, finds it moved, and changes no row; the rightful owner is not disturbed.',
    tests: [
      { file: 'test/project/projection-store.int.test.ts', name: 'a zombie' },
      { file: 'test/log/kafka-faults.int.test.ts', name: 'goes on where it stood' },
      SIMULATION,
    ],
  },
  {
    row: 5,
    fault: 'a storm of rebalances: members join and leave every two seconds',
    happens: 'Each record is delivered once and in order, from the offsets in Postgres.',
    tests: [
      { file: 'test/faults/kafka-group.fault.test.ts', name: 'come and go' },
      { file: 'test/e2e/stack.e2e.test.ts', name: 'two projectors, then one, then three' },
      { file: 'test/faults/window.fault.test.ts' },
    ],
    measured:
      'One minute of joins and leaves of up to 5 members under 6 writers: passed in 64 s. A full window of recent ids (2^16 events of each of 6 partitions) is read back on assignment in 3.2 to 10.9 s from Kafka and 4.0 to 9.6 s from the embedded log (batches of 100), 9.1 to 20.5 s where each event is a record of the embedded log, by one projector on an overloaded machine; 3.2 s where each is a record of Kafka, on one half as busy.',
  },
];
