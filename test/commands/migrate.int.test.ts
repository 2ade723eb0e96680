import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandContext } from '../../src/commands/context.js';
import { run } from '../../src/commands/migrate.js';
import { loadConfig } from '../../src/config.js';
import { type TestDatabase, testDatabase } from '../postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

async function answerOf(environment: Record<string, string>): Promise<unknown> {
  const answers: unknown[] = [];
  const config = loadConfig(environment);
  const context = { config, json: true, answer: (value: unknown) => answers.push(value) };
  await run(context as unknown as CommandContext);
  return answers;
}

test('migrate makes the schemas of a namespace, says what it ran, and does it once', async () => {
  const namespace = `m${randomBytes(4).toString('hex')}`;
  const [projection, log] = [`${namespace}_airouter_v1`, `${namespace}_airouter_log`];
  try {
    const environment = { DATABASE_URL: database.databaseUrl, AIROUTER_NAMESPACE: namespace };
    // With Kafka as the log there is no log to be made here.
    expect(await answerOf({ ...environment, KAFKA_BROKERS: 'kafka:9092' })).toEqual([
      { schemas: { [projection]: expect.arrayContaining(['0001_projection']) } },
    ]);
    expect(await answerOf(environment)).toEqual([
      { schemas: { [projection]: [], [log]: expect.arrayContaining(['0001_log']) } },
    ]);
    expect(await answerOf(environment)).toEqual([{ schemas: { [projection]: [], [log]: [] } }]);
  } finally {
    for (const schema of [projection, log]) {
      await database.pool.query(`drop schema if exists "${schema}" cascade`);
    }
  }
});

test('the embedded Postgres is migrated by who starts it', async () => {
  await expect(answerOf({})).rejects.toMatchObject({ code: 'invalid_usage' });
});
