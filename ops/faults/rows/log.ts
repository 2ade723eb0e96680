import type { FaultRow } from '../fault-row.js';
import { SOAK } from './campaigns.js';

const THREE_BROKERS = {
  file: 'test/log/kafka-faults.int.test.ts',
  name: 'when leaders are killed and hang',
};
const ONE_BROKER = { file: 'test/log/kafka-faults.int.test.ts', name: 'goes on where it stood' };

/** The log is away, changes its leaders, or is not what it was. */
export const logRows: readonly FaultRow[] = [
  {
    row: 6,
    fault: 'one broker restarts, in order or by kill -9',
    happens:
      'Appends to its partitions wait for the next leader; nothing acknowledged is lost, nothing is there twice.',
    tests: [THREE_BROKERS, SOAK],
    measured:
      'Any of three killed, until the lag was zero: p50 2.9 s, at most 8.0 s (11 times). 1,139,173 and 702,461 events through three kills each: a foreign reader missed none.',
  },
  {
    row: 7,
    fault: "the leader's disk is lost (one of three)",
    happens:
      'The other replicas have all that was acknowledged; the broker fills its new disk from them.',
    tests: [{ file: 'test/faults/broker-disks.fault.test.ts', name: 'replaced by an empty one' }],
    measured: 'Killed, disk emptied, back in sync under load: the test takes 27 s.',
  },
  {
    row: 8,
    fault: 'all brokers are down',
    happens:
      'Publishers keep batches in memory and on disk, and count what they must drop; the router answers as before. When the brokers are back, what was held is sent, in order.',
    tests: [
      ONE_BROKER,
      {
        file: 'test/publish/publisher-spool.test.ts',
        name: 'moves to disk what waits behind a log that hangs',
      },
      { file: 'test/e2e/kafka-trouble.e2e.test.ts', name: 'with Kafka gone' },
    ],
  },
  {
    row: 9,
    fault:
      'the network between a client and a broker drops everything, in both directions or in one',
    happens:
      'A send without an answer is given up after its time limit and made again through a new producer; a member without a beat is made anew.',
    tests: [
      ONE_BROKER,
      { file: 'test/log/kafka-wire.int.test.ts', name: 'a half-open connection' },
      { file: 'test/log/kafka-append-lane.test.ts', name: 'gives up a send that is not answered' },
    ],
  },
  {
    row: 10,
    fault: 'a slow network: latency, little bandwidth, resets',
    happens: 'Everything takes longer; buffers stay within their bounds.',
    tests: [
      SOAK,
      { file: 'test/faults/fault-proxy.test.ts' },
      { file: 'test/e2e/kafka-trouble.e2e.test.ts', name: 'slow' },
    ],
  },
  {
    row: 11,
    fault: 'a consumer stops without an error',
    happens:
      'No beat for the watchdog time: the member is thrown away and made anew, and reads on from Postgres.',
    tests: [
      ONE_BROKER,
      { file: 'test/simulate/checks.test.ts', name: 'a lag that does not reach zero' },
    ],
  },
  {
    row: 12,
    fault: 'an append whose answer is lost is made again',
    happens: 'The same bytes may stand in the log twice; they count once.',
    tests: [
      { file: 'test/log/kafka-wire.int.test.ts', name: 'whose replies are lost' },
      { file: 'test/fold/fold-batch.test.ts', name: 'I2 counts a batch once' },
      { file: 'test/publish/publisher-property.test.ts' },
    ],
  },
  {
    row: 13,
    fault: "the group's offsets are set back, also to 0",
    happens: 'Nobody reads them: assignment asks Postgres.',
    tests: [{ file: 'test/log/kafka-log.int.test.ts', name: 'does not ask it' }],
  },
  {
    row: 14,
    fault: 'the log begins above the stored offset (truncated, retention, unclean election)',
    happens:
      'The partition stops with log_truncated, one that was made anew with log_recreated; nothing is skipped in silence, no row changes, and the others go on.',
    tests: [
      { file: 'test/log/embedded-log.int.test.ts', name: 'log_truncated' },
      { file: 'test/log/kafka-log.int.test.ts', name: 'never begins elsewhere' },
      { file: 'test/project/log-faults.int.test.ts', name: 'a log that is not what was folded' },
    ],
  },
  {
    row: 15,
    fault: 'a topic gets more partitions under load',
    happens:
      'Members take the new partitions within a minute and read them from their first record on.',
    tests: [{ file: 'test/faults/kafka-group.fault.test.ts', name: 'added under load' }],
    measured:
      'From 4 to 12 partitions under load: all read, in 62 s (metadata is looked up once a minute).',
  },
];
