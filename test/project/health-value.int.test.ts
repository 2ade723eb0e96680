import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withTransaction } from '../../src/database/connect.js';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { readHealthValue } from '../../src/project/health-value.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, testWorld } from './projection.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('the health value', () => {
  it('keeps the times to stay away that outlast the ticks: the longest, for a day at most', async () => {
    const world = await testWorld(database);
    const projection = world.projection({ tickRetentionMinutes: 120 });
    await projection.start();
    let sequence = 0;
    const append = (minute: number, fields: Partial<RequestOutcome>) => {
      sequence += 1;
      const occurred_at = START_MS + minute * MINUTE_MS;
      const one = outcome({ event_id: idOf(sequence), occurred_at, ...fields });
      return appendBatch(world, 0, idOf(99), sequence, [one], occurred_at);
    };
    const refused = (minute: number, model: string, retry_after_ms: number) =>
      append(minute, { model, retry_after_ms, status: 'rate_limited' });
    const kept = async () => {
      await projection.caughtUp();
      return withTransaction(database.pool, 'repeatable read', async (client) => {
        const value = await readHealthValue(client, projection.schema);
        expect(Object.keys(value.ticks)).toEqual(['m|p||']);
        return value.retry_until;
      });
    };
    await refused(0, 'hour', 60 * MINUTE_MS);
    await refused(1, 'hour', 5 * MINUTE_MS);
    await refused(2, 'minute', MINUTE_MS);
    await refused(3, 'weeks', 24 * DAY_MS);
    await append(10, {});
    const hour = START_MS + 60 * MINUTE_MS;
    const weeks = START_MS + 3 * MINUTE_MS + DAY_MS;
    expect(await kept()).toEqual({ 'hour|p||': hour, 'weeks|p||': weeks });
    await append(61, {});
    expect(await kept()).toEqual({ 'weeks|p||': weeks });
    // Ticks are kept for two hours: then it is asked again.
    await append(124, {});
    expect(await kept()).toEqual({});
    await world.close();
  });
});
