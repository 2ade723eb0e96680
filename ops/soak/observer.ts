import type { Pool } from 'pg';
import { createPool } from '../../src/database/connect.js';
import type { HotKeys } from '../../src/hotkeys/port.js';
import { createRedisHotKeys } from '../../src/hotkeys/redis-hot-keys.js';
import { createKafkaLog } from '../../src/log/kafka-log.js';
import type { Log } from '../../src/log/port.js';
import { foldedTopics, topicsOf } from '../../src/log/topics.js';
import { projectionSchema } from '../../src/project/projection-version.js';
import type { Stack } from '../stack/stack.js';

/** Next offset by topic and partition. */
export type Offsets = ReadonlyMap<string, readonly number[]>;

const NOWHERE: Offsets = new Map();

/** Looks at the services themselves, past the proxies: how far the product is. */
export interface Observer {
  /** Where the log ends now; null = it cannot be asked. */
  ends(): Promise<Offsets | null>;
  /** True where all below these offsets is folded, and the router's keys say so. */
  hasReached(ends: Offsets): Promise<boolean>;
  close(): Promise<void>;
}

const QUIET = { info: () => {}, warn: () => {} };
const POOL = {
  poolSize: 2,
  statementTimeoutMs: 10_000,
  lockTimeoutMs: 1_000,
  applicationName: 'soak',
};

export function createObserver(stack: Stack, namespace: string): Observer {
  const log = createKafkaLog({ brokers: stack.kafkaBrokers!.split(','), giveUpAfterMs: 5_000 });
  const pool = createPool(stack.databaseUrl!, POOL);
  const hotKeys = createRedisHotKeys({ urls: [stack.redisUrl!], namespace, logger: QUIET });
  const topics = foldedTopics(topicsOf(namespace));
  const schema = projectionSchema(namespace);
  return {
    // While a service is away, nobody knows.
    ends: () => endsOf(log, topics).catch(() => null),
    async hasReached(ends) {
      const folded = await foldedTo(pool, schema).catch(() => NOWHERE);
      return reaches(folded, ends) && reaches(await keysTo(hotKeys).catch(() => NOWHERE), ends);
    },
    async close() {
      await Promise.all([log.close(), hotKeys.close(), pool.end()]);
    },
  };
}

async function endsOf(log: Log, topics: readonly string[]): Promise<Offsets> {
  const partitions = await log.partitions(topics);
  const ends = topics.map(async (topic): Promise<[string, number[]]> => {
    const numbers = Array.from({ length: partitions.get(topic) ?? 0 }, (_, partition) => partition);
    const bounds = await Promise.all(numbers.map((partition) => log.bounds(topic, partition)));
    return [topic, bounds.map(({ end }) => end)];
  });
  return new Map(await Promise.all(ends));
}

async function foldedTo(pool: Pool, schema: string): Promise<Offsets> {
  const { rows } = await pool.query<{ topic: string; offsets: number[] }>(
    `select topic, array_agg(offset_next::int4 order by partition) as offsets
     from "${schema}".projection_checkpoint group by topic`,
  );
  return new Map(rows.map(({ topic, offsets }) => [topic, offsets]));
}

/** The lane `health` is written at once; a lost state stands nowhere. */
async function keysTo(hotKeys: HotKeys): Promise<Offsets> {
  const read = await hotKeys.read(null);
  return new Map(Object.entries(read?.state.lanes.health?.vector ?? {}));
}

function reaches(offsets: Offsets, ends: Offsets): boolean {
  return [...ends].every(([topic, partitions]) =>
    partitions.every((end, partition) => (offsets.get(topic)?.[partition] ?? 0) >= end),
  );
}
