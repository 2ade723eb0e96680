import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schemas } from '../../src/event/schemas.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { startBooks } from '../../src/roles/books.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, testWorld } from '../project/projection.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

describe('the books as metrics', () => {
  it('I3 are counted from the log and the tables, go on with them, and tell when they do not close', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    const metrics = createMetrics();
    const complaints: unknown[] = [];
    const stop = startBooks({
      pool: database.pool,
      schema: projection.schema,
      log: world.log,
      readSchemas: async () => schemas,
      topics: world.topics,
      minuteRetentionMs: world.config.minuteRetentionDays * 86_400_000,
      metrics,
      logger: { warn: () => {}, error: (fields: unknown) => complaints.push(fields) } as never,
      intervalMs: 20,
    });
    const ofPartition = async (key: 'books' | 'booksClosed'): Promise<Record<string, number>> => {
      const { values } = await metrics.gauge(key).get();
      const mine = values.filter(({ labels }) => labels['partition'] === 1);
      return Object.fromEntries(mine.map(({ labels, value }) => [labels['result'] ?? '', value]));
    };
    const shows = (expected: Record<string, number>) =>
      expect.poll(() => ofPartition('books'), { timeout: 10_000 }).toMatchObject(expected);

    await appendBatch(world, 1, idOf(1), 1, [outcome(), outcome({ event_id: idOf(9) })], START_MS);
    await shows({ read: 2, applied: 2, duplicate: 0, dead_lettered: 0, skipped: 0 });
    await appendBatch(world, 1, idOf(1), 1, [outcome()], START_MS);
    const garbage = { key: null, value: Buffer.from('garbage'), timestampMs: START_MS };
    await world.log.append(world.topics.outcomes, 1, [garbage]);
    await shows({ read: 4, applied: 2, duplicate: 1, dead_lettered: 1, skipped: 0 });
    expect(await ofPartition('booksClosed')).toEqual({ '': 1 });
    expect(complaints).toEqual([]);

    await database.pool.query(`update "${projection.schema}".outcome_minute set events = events + 1
      where partition = 1`);
    await expect.poll(() => ofPartition('booksClosed'), { timeout: 10_000 }).toEqual({ '': 0 });
    await stop();
    expect(complaints).toHaveLength(1);
    await world.close();
  });
});
