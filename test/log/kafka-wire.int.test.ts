import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../ops/faults/fault-proxy.js';
import { freePorts } from '../../ops/stack/ports.js';
import { type Stack, startStack } from '../../ops/stack/stack.js';
import { createKafkaLog } from '../../src/log/kafka-log.js';
import type { Log } from '../../src/log/port.js';
import { newTopic, readAll, valueText } from './contract.js';
import { noBrokers, serviceEnvironment } from './kafka-brokers.js';

const skipped = noBrokers === null ? '' : ` (skipped: ${noBrokers})`;

describe.skipIf(noBrokers !== null)(`a broker behind a bad network${skipped}`, () => {
  let stack: Stack;
  let proxy: FaultProxy;
  let log: Log;
  beforeAll(async () => {
    const [port, advertisedPort] = (await freePorts(2)) as [number, number];
    const proxied = [{ port, advertisedPort }];
    stack = await startStack({ kafka: 1, environment: serviceEnvironment, proxied });
    proxy = await FaultProxy.open(port, advertisedPort);
    const brokers = [`127.0.0.1:${advertisedPort}`];
    log = createKafkaLog({ brokers, singleNode: true, requestTimeoutMs: 10_000 });
  });
  afterAll(async () => {
    await log.close();
    await proxy.close();
    await stack.stop();
  });

  async function topicWith(...values: string[]): Promise<string> {
    const topic = newTopic();
    await log.createTopics([{ topic, partitions: 1, timestampType: 'LogAppendTime' }]);
    for (const value of values) await append(topic, value);
    return topic;
  }
  const append = (topic: string, value: string): Promise<number> =>
    log.append(topic, 0, [{ key: null, value: Buffer.from(value) }]);

  it('I1 I9 what a turned bit made of a record is not delivered: it is read again', async () => {
    const topic = await topicWith('first', 'a marked one', 'last');
    const flipped = proxy.flip(Buffer.from('marked'));
    const records = await readAll(log, topic, 0);
    await flipped;
    expect(records.map(valueText)).toEqual(['first', 'a marked one', 'last']);
  });

  it('I1 I2 an append whose replies are lost is not acknowledged before the log has it once', async () => {
    const topic = await topicWith('first');
    const lost = proxy.loseReplyTo(Buffer.from('lost reply'));
    const offset = await append(topic, 'lost reply');
    await lost;
    await append(topic, 'next');
    const records = await readAll(log, topic, 0);
    expect(records.map(valueText)).toEqual(['first', 'lost reply', 'next']);
    expect(records[1]!.offset).toBe(offset);
  });

  it('I1 a half-open connection holds an append up and loses nothing', async () => {
    const topic = await topicWith('first');
    proxy.hold('reply');
    const waiting = append(topic, 'held');
    proxy.cut();
    proxy.heal();
    await waiting;
    expect((await readAll(log, topic, 0)).map(valueText)).toEqual(['first', 'held']);
  });
});
