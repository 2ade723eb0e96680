import type { FaultRow } from '../fault-row.js';

const redis = (name: string) => ({ file: 'test/hotkeys/redis-faults.int.test.ts', name });

/** Postgres and Redis are away, full, or have forgotten. */
export const storeRows: readonly FaultRow[] = [
  {
    row: 16,
    fault: 'Postgres restarts, refuses connections, or has too many',
    happens: 'Partitions pause and go on; nothing is parked; two log lines, one for each change.',
    tests: [
      { file: 'test/e2e/faults.e2e.test.ts', name: 'is brought back, said in two lines' },
      { file: 'test/database/classify.test.ts' },
      { file: 'test/database/pool-limits.int.test.ts' },
    ],
    measured: 'Killed and restarted, until the lag was zero: p50 2.9 s, at most 5.5 s (15 times).',
  },
  {
    row: 17,
    fault: 'two projectors meet in a deadlock or a serialization failure',
    happens: 'Keys are written in one order; what still conflicts is tried again whole.',
    tests: [
      { file: 'test/project/deadlock.int.test.ts' },
      { file: 'test/database/connect.int.test.ts', name: 'another transaction was in the way' },
      { file: 'test/project/projector.int.test.ts', name: 'folded by three projectors' },
    ],
  },
  {
    row: 18,
    fault: 'the disk of Postgres is full',
    happens: 'The projector waits and parks nothing; when there is room it goes on.',
    tests: [{ file: 'test/faults/full-database.fault.test.ts' }],
    measured: '2,000 outcomes waited on a full 64 MB disk and were applied once it had room.',
  },
  {
    row: 19,
    fault: "the broker's disk is full",
    happens:
      'Appends reject, publishers hold their batches; after a restart with room all that was acknowledged is there.',
    tests: [{ file: 'test/faults/broker-disks.fault.test.ts', name: 'disk is full' }],
  },
  {
    row: 20,
    fault: 'Redis is killed, flushed, or comes back empty',
    happens:
      'The router answers from its snapshot and says how old it is; the keys are written again by themselves.',
    tests: [redis('FLUSHALL'), redis('kill -9 and back empty'), redis('away at the start')],
    measured:
      'Flushed, until rows and keys agreed with the log: p50 1.3 s, at most 2.6 s (20 times); killed and back empty: p50 4.7 s, at most 9.8 s (8 times).',
  },
  {
    row: 21,
    fault: 'a writer of hot keys is late: an old value arrives after a newer one',
    happens: 'It writes nothing: its state is not the one that is there.',
    tests: [
      { file: 'test/hotkeys/redis-hot-keys.int.test.ts' },
      { file: 'test/hotkeys/refresher.property.test.ts' },
    ],
  },
  {
    row: 22,
    fault: 'a connection to Redis dies in silence',
    happens:
      'There are no invalidations to miss: readers poll, each call has a time limit, and the age is in every answer.',
    tests: [
      redis('a frozen Redis fails each call in bounded time'),
      { file: 'test/hotkeys/poller.test.ts', name: 'I10 keeps the last view' },
    ],
  },
  {
    row: 23,
    fault: 'Redis evicts, is out of memory, read-only or still loading',
    happens: 'A write changes all or nothing; a missing key is said to be lost and written again.',
    tests: [
      redis('out of memory'),
      redis('eviction under maxmemory'),
      redis('READONLY'),
      redis('one key evicted'),
    ],
  },
];
