import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import type {
  ConsumerHandlers,
  Log,
  LogBatch,
  LogConsumer,
  TopicPartition,
} from '../../src/log/port.js';
import { type MakeLog, newTopic, text, useLogs, valueText } from './contract.js';

const WAIT = { timeout: 60_000, interval: 20 };
const until = (condition: () => void): Promise<void> => vi.waitFor(condition, WAIT);
export const newGroup = (): string => `group.${randomBytes(6).toString('hex')}`;
const placeOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** A promise that the test resolves. */
function newGate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const retryError = (): AiRouterError => new AiRouterError('database_unavailable', 'try again');
const stopError = (): AiRouterError => new AiRouterError('dead_letter_limit', 'a person must act');

/** The store that checkpoints are kept in, and what was delivered, in order. */
export class Ledger implements ConsumerHandlers {
  readonly checkpoints = new Map<string, number>();
  readonly delivered: { place: string; value: string; offset: number }[] = [];
  readonly assignedPlaces: string[] = [];
  readonly revokedPlaces: string[] = [];
  inFlight = new Map<string, number>();
  /** What a test makes of a batch before it is taken. */
  before: (batch: LogBatch) => Promise<void> = async () => {};

  constructor(shared?: Ledger) {
    if (shared === undefined) return;
    this.checkpoints = shared.checkpoints;
    this.delivered = shared.delivered;
  }

  assigned = async (place: TopicPartition): Promise<number> => {
    this.assignedPlaces.push(placeOf(place));
    return this.checkpoints.get(placeOf(place)) ?? 0;
  };

  batch = async (batch: LogBatch): Promise<number> => {
    const place = placeOf(batch);
    const running = (this.inFlight.get(place) ?? 0) + 1;
    this.inFlight.set(place, running);
    expect(running).toBe(1);
    expect(batch.records.length).toBeGreaterThan(0);
    try {
      await this.before(batch);
      // As the checkpoint in a database: moved by compare-and-set.
      if ((this.checkpoints.get(place) ?? 0) !== batch.fetchOffset) {
        throw new AiRouterError('checkpoint_moved', place);
      }
      for (const record of batch.records) {
        this.delivered.push({ place, value: valueText(record), offset: record.offset });
      }
      const next = batch.records.at(-1)!.offset + 1;
      this.checkpoints.set(place, next);
      return next;
    } finally {
      this.inFlight.set(place, running - 1);
    }
  };

  revoked = (places: readonly TopicPartition[]): void => {
    this.revokedPlaces.push(...places.map(placeOf));
  };

  values(topic: string, partition: number): string[] {
    const place = placeOf({ topic, partition });
    return this.delivered.filter((one) => one.place === place).map(({ value }) => value);
  }
}

export function consumerContract(makeLog: MakeLog): void {
  describe('consumer', () => {
    deliveryContract(makeLog);
    errorContract(makeLog);
    groupContract(makeLog);
  });
}

function deliveryContract(makeLog: MakeLog): void {
  const logs = useLogs(makeLog);

  it('delivers from where the handlers say, in order, and what is appended later', async () => {
    const { log, topic } = await logs.openTopic(2);
    await log.append(topic, 0, ['a', 'b', 'c'].map(text));
    await log.append(topic, 1, ['x'].map(text));
    const ledger = new Ledger();
    ledger.checkpoints.set(`${topic}/0`, 1);
    await start(log, [topic], ledger);
    await until(() => {
      expect(ledger.values(topic, 0)).toEqual(['b', 'c']);
      expect(ledger.values(topic, 1)).toEqual(['x']);
    });
    await log.append(topic, 1, ['y', 'z'].map(text));
    await until(() => expect(ledger.values(topic, 1)).toEqual(['x', 'y', 'z']));
    expect(ledger.assignedPlaces.sort()).toEqual([`${topic}/0`, `${topic}/1`]);
  });

  it('delivers what another process appends', async () => {
    const { log, topic } = await logs.openTopic(1);
    const other = await logs.open();
    const ledger = new Ledger();
    await start(log, [topic], ledger);
    for (let n = 0; n < 5; n += 1) await other.log.append(topic, 0, [text(`${n}`)]);
    await until(() => expect(ledger.values(topic, 0)).toEqual(['0', '1', '2', '3', '4']));
  });

  it('delivers several topics, and partitions beside each other', async () => {
    const { log, topic } = await logs.openTopic(2);
    const second = newTopic();
    await log.createTopics([{ topic: second, partitions: 1, timestampType: 'LogAppendTime' }]);
    const gate = newGate();
    const ledger = new Ledger();
    ledger.before = async ({ topic: of, partition }) => {
      if (of === topic && partition === 0) await gate.opened;
    };
    await log.append(topic, 0, [text('slow')]);
    await log.append(topic, 1, [text('fast')]);
    await log.append(second, 0, [text('other')]);
    await start(log, [topic, second], ledger);
    await until(() => {
      expect(ledger.values(topic, 1)).toEqual(['fast']);
      expect(ledger.values(second, 0)).toEqual(['other']);
    });
    expect(ledger.values(topic, 0)).toEqual([]);
    gate.open();
    await until(() => expect(ledger.values(topic, 0)).toEqual(['slow']));
  });

  it('waits on close for the batch in flight, and delivers none after it', async () => {
    const { log, topic } = await logs.openTopic(1);
    const ledger = new Ledger();
    const started = newGate();
    const gate = newGate();
    ledger.before = async () => {
      started.open();
      await gate.opened;
    };
    const consumer = await start(log, [topic], ledger);
    await log.append(topic, 0, [text('a')]);
    await started.opened;
    await log.append(topic, 0, [text('b')]);
    let isClosed = false;
    const closing = consumer.close().then(() => {
      isClosed = true;
    });
    for (let n = 0; n < 20; n += 1) await log.bounds(topic, 0);
    expect(isClosed).toBe(false);
    gate.open();
    await closing;
    expect(ledger.checkpoints.get(`${topic}/0`)).toBe(ledger.delivered.at(-1)!.offset + 1);
    const count = ledger.delivered.length;
    await log.append(topic, 0, [text('c')]);
    await log.read(topic, 0, 0, 1000);
    expect(ledger.delivered.length).toBe(count);
  });
}

function errorContract(makeLog: MakeLog): void {
  const logs = useLogs(makeLog);

  it('delivers a batch again, from where the handlers then say, after a retry error (I1)', async () => {
    const { log, topic } = await logs.openTopic(1);
    await log.append(topic, 0, ['a', 'b', 'c'].map(text));
    const ledger = new Ledger();
    let failures = 0;
    ledger.before = async () => {
      failures += 1;
      if (failures === 3) ledger.checkpoints.set(`${topic}/0`, 1); // Another one did the first.
      if (failures <= 3) throw retryError();
    };
    await start(log, [topic], ledger);
    await until(() => expect(ledger.values(topic, 0)).toEqual(['b', 'c']));
    expect(ledger.assignedPlaces).toEqual(Array(4).fill(`${topic}/0`));
  });

  it('stops a partition at any other error, while the others go on (I9)', async () => {
    const { log, topic } = await logs.openTopic(3);
    const ledger = new Ledger();
    const calls: number[] = [];
    ledger.before = async ({ partition }) => {
      calls.push(partition);
      if (partition === 0) throw stopError();
      if (partition === 1) throw new TypeError('a defect');
    };
    await start(log, [topic], ledger);
    for (let n = 0; n < 3; n += 1) {
      for (const partition of [0, 1, 2]) await log.append(topic, partition, [text(`${n}`)]);
    }
    await until(() => {
      expect(ledger.values(topic, 2)).toEqual(['0', '1', '2']);
      expect(calls).toContain(0);
      expect(calls).toContain(1);
    });
    await log.append(topic, 2, [text('3')]);
    await until(() => expect(ledger.values(topic, 2)).toHaveLength(4));
    expect(calls.filter((partition) => partition === 0)).toHaveLength(1);
    expect(calls.filter((partition) => partition === 1)).toHaveLength(1);
  });

  it('asks again where to start after a retry error, and stops at any other', async () => {
    const { log, topic } = await logs.openTopic(2);
    await log.append(topic, 0, [text('a')]);
    await log.append(topic, 1, [text('b')]);
    const ledger = new Ledger();
    let asked = 0;
    const assigned = ledger.assigned;
    ledger.assigned = async (place) => {
      if (place.partition === 1) throw new AiRouterError('log_recreated', 'not the same topic');
      asked += 1;
      if (asked < 3) throw retryError();
      return assigned(place);
    };
    await start(log, [topic], ledger);
    await until(() => expect(ledger.values(topic, 0)).toEqual(['a']));
    await log.append(topic, 1, [text('c')]);
    await log.append(topic, 0, [text('d')]);
    await until(() => expect(ledger.values(topic, 0)).toEqual(['a', 'd']));
    expect(ledger.values(topic, 1)).toEqual([]);
  });
}

function groupContract(makeLog: MakeLog): void {
  const logs = useLogs(makeLog);

  async function pair(partitions: number) {
    const { log, topic, handle } = await logs.openTopic(partitions);
    const other = await logs.open();
    const first = new Ledger();
    const second = new Ledger(first);
    const group = newGroup();
    const consumer = await start(log, [topic], first, group);
    await start(other.log, [topic], second, group);
    const all = Array.from({ length: partitions }, (_, n) => n);
    let turn = 0;
    /** One record into each partition; resolves when all of them were delivered. */
    const round = async (from: Log): Promise<void> => {
      const value = `${turn++}`;
      for (const partition of all) await from.append(topic, partition, [text(value)]);
      await until(() => {
        for (const partition of all) expect(first.values(topic, partition)).toContain(value);
      });
    };
    return { handle, other, consumer, topic, first, second, all, round };
  }

  /** Each partition was delivered whole, in order, once. */
  function expectWhole(ledger: Ledger, topic: string, partitions: number[]): void {
    for (const partition of partitions) {
      const values = ledger.values(topic, partition);
      expect(values).toEqual(values.map((_, n) => `${n}`));
    }
  }

  it('shares the partitions among the members of a group', async () => {
    const { handle, first, second, round, topic, all } = await pair(4);
    await until(() => expect(second.assignedPlaces.length).toBeGreaterThan(0));
    await until(() => expect(first.revokedPlaces.length).toBeGreaterThan(0));
    await round(handle.log);
    await round(handle.log);
    expectWhole(first, topic, all);
  });

  it('hands the partitions of a member that leaves to the others (I5)', async () => {
    const { handle, other, consumer, second, topic, all, first, round } = await pair(4);
    await until(() => expect(second.assignedPlaces.length).toBeGreaterThan(0));
    await round(handle.log);
    await consumer.close();
    await round(other.log);
    await round(other.log);
    expectWhole(first, topic, all);
    expect(new Set(second.assignedPlaces).size).toBe(4);
  });

  it('hands the partitions of a member that dies to the others, from their checkpoints (I1 I5)', async () => {
    const { handle, other, second, topic, all, first, round } = await pair(4);
    await until(() => expect(second.assignedPlaces.length).toBeGreaterThan(0));
    await round(handle.log);
    await handle.kill();
    await round(other.log);
    await round(other.log);
    expectWhole(first, topic, all);
    expect(new Set(second.assignedPlaces).size).toBe(4);
  });

  it('delivers everything to each group', async () => {
    const { log, topic } = await logs.openTopic(2);
    const [one, two] = [new Ledger(), new Ledger()];
    await start(log, [topic], one);
    await start(log, [topic], two);
    await log.append(topic, 0, [text('a')]);
    await log.append(topic, 1, [text('b')]);
    for (const ledger of [one, two]) {
      await until(() => {
        expect(ledger.values(topic, 0)).toEqual(['a']);
        expect(ledger.values(topic, 1)).toEqual(['b']);
      });
    }
  });
}

async function start(
  log: Log,
  topics: string[],
  handlers: ConsumerHandlers,
  group = newGroup(),
): Promise<LogConsumer> {
  const consumer = log.consumer(group, topics);
  await consumer.start(handlers);
  return consumer;
}
