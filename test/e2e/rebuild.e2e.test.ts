import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AiRouter, answerOf, type Running, until } from './airouter.js';

const airouter = new AiRouter();
let dataDir: string;
let all: Running;
beforeAll(async () => {
  dataDir = await airouter.newDataDir();
  all = await airouter.startAll(dataDir);
  expect((await airouter.run(dataDir, ['catalogue', 'import'])).code).toBe(0);
  await publish(300);
  await until(async () => (await all.ask('/v1/route', { model: 'gpt-4o' })).status === 200);
});
afterAll(() => airouter.close());

async function publish(count: number): Promise<void> {
  const outcomes = Array.from({ length: count }, (_, index) => ({
    event_id: randomUUID(),
    occurred_at: Date.now(),
    operation: 'chat',
    model: index % 2 === 0 ? 'gpt-4o' : 'claude-sonnet-4',
    provider: index % 3 === 0 ? 'openai' : 'azure.ai.openai',
    status: index % 10 === 0 ? 'error' : 'success',
    stream: false,
    duration_ms: 100 + index,
  }));
  const answer = await all.ask('/v1/outcomes', { outcomes });
  if (answer.status !== 202) throw new Error(answer.body);
}

describe('airouter rebuild, beside a running airouter all', () => {
  it('I6 is equal and takes the place of what is live, under a router that goes on', async () => {
    const killed = airouter.start(dataDir, ['rebuild']);
    await killed.says(/Folding the log into airouter_v1_shadow/);
    await killed.signal('SIGKILL');
    const { code, stdout, stderr } = await airouter.run(dataDir, ['rebuild', '--json']);
    expect(stderr).toContain('Comparing every table');
    const answer = answerOf({ stdout });
    expect(answer).toMatchObject({ equal: true, swapped: true, difference: null });
    expect(answer['checksum_rebuilt']).toBe(answer['checksum_live']);
    expect(answer['events']).toBeGreaterThan(300);
    expect(code).toBe(0);
    expect((await all.ask('/v1/route', { model: 'gpt-4o' })).status).toBe(200);
  });

  it('I7 leaves books closed, hot keys equal, and a projector that goes on', async () => {
    await publish(100);
    let verified: Record<string, unknown> = {};
    await until(async () => {
      verified = answerOf(await airouter.run(dataDir, ['verify', '--json']));
      const [books] = verified['partitions'] as { read: number }[];
      return books !== undefined && (verified['hot_keys_match'] ?? false) === true;
    });
    const partitions = verified['partitions'] as { applied: number }[];
    expect(partitions.reduce((sum, { applied }) => sum + applied, 0)).toBe(400);
    expect(verified).toMatchObject({ books_closed: true });
  });

  it('refuses what contradicts itself', async () => {
    const { code, stderr } = await airouter.run(dataDir, ['rebuild', '--repair', '--no-swap']);
    expect(code).toBe(2);
    expect(stderr).toContain('--repair swaps');
  });
});
