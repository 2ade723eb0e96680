import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildNextVersion } from '../../ops/faults/next-version.js';
import { AiRouter, answerOf, type Running, until } from './airouter.js';

// Both versions on Kafka, side by side for minutes: test/faults/upgrade.fault.test.ts.

let next: ReturnType<typeof buildNextVersion>;
let airouter: AiRouter;
let newer: AiRouter;
beforeAll(() => {
  next = buildNextVersion();
  airouter = new AiRouter();
  newer = new AiRouter(null, process.execPath, next.root);
}, 120_000);
afterAll(async () => {
  await newer.close();
  await airouter.close();
  next.remove();
});

async function generationOf(all: Running): Promise<string> {
  const { body } = await all.ask('/readyz');
  return String((JSON.parse(body) as { generation?: string }).generation);
}

const stop = async (all: Running): Promise<void> =>
  expect(await all.signal('SIGTERM')).toMatchObject({ code: 0 });

it('I1 I2 I6 a data folder goes to the next version and back, and nothing is lost or counted twice', async () => {
  const dataDir = await airouter.newDataDir();
  const ids: string[] = [];
  const publish = async (all: Running): Promise<void> => {
    const event_id = `0192f5c8-7d3a-7abc-8def-00000000000${ids.length}`;
    ids.push(event_id);
    const outcome = { model: 'm', provider: 'p', status: 'success', duration_ms: 500 };
    const outcomes = ids.map((id) => ({ ...outcome, event_id: id, occurred_at: Date.now() }));
    // Earlier ones once more: repeats.
    expect((await all.ask('/v1/outcomes', { outcomes })).status).toBe(202);
  };
  const verify = async (by: AiRouter) => {
    const verified = answerOf(await by.run(dataDir, ['verify', '--json']));
    const partitions = verified['partitions'] as { applied: number }[];
    return {
      closed: verified['books_closed'],
      match: verified['hot_keys_match'],
      applied: partitions.reduce((sum, { applied }) => sum + applied, 0),
    };
  };

  let all = await airouter.startAll(dataDir);
  await until(async () => (await generationOf(all)).startsWith('v1.'));
  await publish(all);
  await until(async () => (await verify(airouter)).applied === 1);
  await stop(all);

  all = await newer.startAll(dataDir);
  await until(async () => (await generationOf(all)).startsWith('v2.'));
  await publish(all);
  await until(async () => (await verify(newer)).applied === 2);
  expect(await verify(newer)).toEqual({ closed: true, match: true, applied: 2 });
  await stop(all);

  // The older version folds on, and its router waits for who decides.
  all = await airouter.startAll(dataDir);
  await until(async () => (await verify(airouter)).applied === 2);
  expect(await verify(airouter)).toEqual({ closed: true, match: null, applied: 2 });
  expect(await all.ask('/readyz')).toMatchObject({ status: 503 });
  const used = await airouter.run(dataDir, ['projection', 'use', '1', '--json']);
  expect(answerOf(used)).toEqual({ version: 1, changed: true });
  await until(async () => (await generationOf(all)).startsWith('v1.'));
  await publish(all);
  await until(async () => (await verify(airouter)).applied === 3);
  expect(await verify(airouter)).toEqual({ closed: true, match: true, applied: 3 });
  await stop(all);
});
