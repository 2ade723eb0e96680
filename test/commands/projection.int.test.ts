import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { CommandContext } from '../../src/commands/context.js';
import { run } from '../../src/commands/projection.js';
import { loadConfig } from '../../src/config.js';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import { createLogger } from '../../src/observe/logger.js';
import { projectionSchema } from '../../src/project/projection-version.js';
import { dropSchema } from '../../src/replay/shadow.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, type TestWorld, testWorld } from '../project/projection.js';

const WAIT = { timeout: 30_000, interval: 200 };

let database: TestDatabase;
let world: TestWorld | null = null;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
afterEach(async () => {
  const { namespace } = world!.config;
  await world!.close();
  for (const version of [1, 2]) {
    await dropSchema(database.pool, projectionSchema(namespace, version));
  }
  await dropSchema(database.pool, `${namespace}_airouter_log`);
});

function newContext(namespace: string, json: boolean) {
  const lines: string[] = [];
  const answers: unknown[] = [];
  const context: CommandContext = {
    config: loadConfig({ DATABASE_URL: database.databaseUrl, AIROUTER_NAMESPACE: namespace }),
    logger: createLogger('silent'),
    json,
    stop: new AbortController().signal,
    fail: (error) => {
      throw error;
    },
    progress: () => {},
    answer: (value) => answers.push(value),
    print: (line) => lines.push(line),
  };
  return { context, lines, answers };
}

it('shows the versions, points readers at one of them, and ends those below', async () => {
  world = await testWorld(database);
  const { namespace } = world.config;
  const say = async (...args: string[]): Promise<string[]> => {
    const { context, lines } = newContext(namespace, false);
    await run(context, { args });
    return lines;
  };
  const refuse = (args: string[], message: RegExp) =>
    expect(say(...args)).rejects.toMatchObject({
      code: 'invalid_usage',
      message: expect.stringMatching(message),
    });
  await refuse(['list'], /there is none yet/);

  const hotKeys = createMemoryHotKeys();
  const version = (number: number) =>
    world!.projection({}, database, {
      schema: projectionSchema(namespace, number),
      hotKeys,
      fail: () => {},
    });
  const outcomes = [outcome({ event_id: idOf(1) })];
  await appendBatch(world, 0, idOf(9), 1, outcomes, START_MS);
  const first = version(1);
  await first.start();
  await first.caughtUp();
  expect(await say('list')).toEqual([`1\t${first.schema}\t1 records\t0 behind\tin force`]);
  expect(await say('use', '1')).toEqual(['Version 1 is in force already.']);
  expect(await say('finalize')).toEqual(['No version is below 1, which is in force.']);

  const second = version(2);
  await second.start();
  await vi.waitUntil(async () => (await say('list'))[1]?.endsWith('in force'), WAIT);
  expect((await say('use', '1'))[0]).toMatch(/^Version 1 is in force; readers follow/);
  expect((await say('list')).map((line) => line.endsWith('in force'))).toEqual([true, false]);
  await refuse(['use', '3'], /VERSION must be one of 1, 2/);
  await refuse(['use', 'x'], /VERSION must be a whole number/);
  await refuse(['use'], /use takes a VERSION/);
  await refuse(['list', '1'], /list takes no version/);
  await refuse(['drop'], /the action must be list, use, finalize, got "drop"/);
  const { context, answers } = newContext(namespace, true);
  await run(context, { args: ['use', '2'] });
  await run(context, { args: ['finalize'] });
  await run(context, { args: ['list'] });
  expect(answers).toEqual([
    { version: 2, changed: true },
    { in_force: 2, ended: [1] },
    {
      versions: [{ version: 2, schema: second.schema, in_force: true, records: 1, lag_records: 0 }],
    },
  ]);
});
