import { afterAll, beforeAll } from 'vitest';
import { createKafkaLog } from '../../src/log/kafka-log.js';
import { type LogHandle, logContract } from './contract.js';
import { anyBrokers, cuttableSockets } from './kafka-brokers.js';

let brokers: string[];
let stop: () => Promise<void>;
beforeAll(async () => {
  ({ brokers, stop } = await anyBrokers());
});
afterAll(() => stop());

async function makeLog(): Promise<LogHandle> {
  const { socketFactory, cut } = cuttableSockets();
  const log = createKafkaLog({ brokers, singleNode: true, sessionTimeoutMs: 6000, socketFactory });
  return {
    log,
    close: () => log.close(),
    async kill() {
      cut();
    },
  };
}

logContract('Kafka', makeLog);
