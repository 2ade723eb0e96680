import type { FaultRow } from '../fault-row.js';
import { SIMULATION } from './campaigns.js';

const fold = (name: string) => ({ file: 'test/fold/fold-batch.test.ts', name });

/** Time, bytes and values that are not as they should be. */
export const inputRows: readonly FaultRow[] = [
  {
    row: 24,
    fault: 'clocks jump, also back',
    happens:
      'Folds read no clock; time limits run on a clock that never jumps; record times of the embedded log never run back.',
    tests: [
      { file: 'test/log/embedded-log.int.test.ts', name: 'times that never run back' },
      { file: 'test/tidy.test.ts', name: 'reads no clock' },
      { file: 'test/route/imports.test.ts', name: 'reads a clock' },
      SIMULATION,
    ],
  },
  {
    row: 25,
    fault: 'events from the future, from the past, out of order, days late',
    happens:
      "Each counts in its own minute; more than 5 min ahead at its record's time; beyond retention as late, in the books.",
    tests: [fold('5 min ahead'), fold('is late beyond the retention'), fold('-60 s to +5 s')],
  },
  {
    row: 26,
    fault: 'a batch with a flipped bit',
    happens: 'Its CRC is wrong: the record is parked whole, with its bytes.',
    tests: [
      { file: 'test/event/decode.test.ts', name: 'fails the batch for any flipped bit' },
      { file: 'test/log/kafka-wire.int.test.ts', name: 'a turned bit' },
      { file: 'test/project/projector.int.test.ts', name: 'parks garbage with its bytes' },
    ],
  },
  {
    row: 27,
    fault: 'random and truncated bytes, empty values, tombstones, wrong magic',
    happens: 'Each is parked with place and reason, in bounded time.',
    tests: [
      { file: 'test/event/hostile-bytes.test.ts' },
      { file: 'test/event/decode.test.ts' },
      { file: 'test/project/hostile-records.int.test.ts' },
    ],
    measured: '100,000 damaged records: the slowest took 7.4 ms, the median 1.8 µs.',
  },
  {
    row: 28,
    fault: 'an Avro bomb: a few bytes that claim millions of items, or endless strings',
    happens: 'Refused by a walk over lengths and counts, before anything is allocated.',
    tests: [{ file: 'test/event/hostile-bytes.test.ts' }],
    measured: 'Claims of 10 M and 200 M items were refused in 14 and 2 µs.',
  },
  {
    row: 29,
    fault: 'an unknown schema id, a schema that does not fit, a registry that is down',
    happens:
      'Partitions wait for a registry that is down; what is not known anywhere is parked as unknown_schema, and a schema that cannot be read by ours is refused when it is registered.',
    tests: [
      { file: 'test/project/foreign-schemas.int.test.ts' },
      { file: 'test/event/schema-compatibility.test.ts' },
    ],
  },
  {
    row: 30,
    fault: 'NaN, infinity, negative times, costs beyond 2^53, tokens of -1',
    happens: 'Refused with field and rule; sums stay exact beyond 2^53.',
    tests: [{ file: 'test/event/rules.test.ts' }, fold('adds beyond 2^53 exactly')],
  },
  {
    row: 31,
    fault: '__proto__ and constructor as names, a name of 1 MB, NUL, lone surrogates, emoji',
    happens:
      'Kept as the text that they are, or refused with field and rule; never an attribute of an object.',
    tests: [
      { file: 'test/event/rules.test.ts', name: 'has no NUL, lone surrogate' },
      { file: 'test/event/decode.test.ts', name: 'keeps __proto__' },
      { file: 'test/route/bad-input.test.ts', name: '__proto__' },
    ],
  },
  {
    row: 32,
    fault: 'millions of distinct models or tenants',
    happens:
      'At most AIROUTER_KEYS_MAX a partition and day have rows of their own; the others fold into one.',
    tests: [{ file: 'test/fold/admission.test.ts' }, fold('beyond the limit into other')],
    measured:
      'A million models at a limit of 10,000: 10,001 rows, 250 MB, 23 s of CPU; the same tables however the log was cut.',
  },
  {
    row: 33,
    fault: 'all events are of one key',
    happens: 'A batch becomes one row of each table: less work than for many keys.',
    tests: [{ file: 'test/fold/hot-key.test.ts' }],
  },
  {
    row: 34,
    fault: 'the dead-letter topic is away',
    happens:
      'The partition waits and the others go on; nothing is skipped, and each place is parked once.',
    tests: [
      SIMULATION,
      { file: 'test/simulate/checks.test.ts', name: 'a dead letter that was not written' },
      { file: 'test/project/dead-letters.int.test.ts', name: 'park their places once' },
      { file: 'test/project/log-faults.int.test.ts', name: 'dead letters that nobody takes' },
    ],
  },
  {
    row: 35,
    fault: 'a flood of poison',
    happens:
      'The partition stops at its limit and says so; the other partitions go on; dlq allow lets it go on. Events that only break a rule are parked, and never stop it.',
    tests: [
      { file: 'test/project/projector.int.test.ts', name: 'stops behind the limit' },
      fold('I9 stops behind the 20th'),
      fold('I9 stops beyond 1 %'),
      { file: 'test/project/dead-letters.int.test.ts', name: 'whose every event is bad' },
    ],
    measured:
      '2 million bad events of 4 million, in batches of 500: folded as fast as they were written (10,800 a second); verify then counted them again in 20 s, with 280 MiB at most.',
  },
];
