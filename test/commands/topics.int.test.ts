import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/context.js';
import { run } from '../../src/commands/topics.js';
import { loadConfig } from '../../src/config.js';
import { createLogger } from '../../src/observe/logger.js';
import { anyBrokers, noKafka } from '../log/kafka-brokers.js';

let brokers: string[];
let stop: (() => Promise<void>) | undefined;
beforeAll(async () => {
  if (noKafka === null) ({ brokers, stop } = await anyBrokers());
});
afterAll(() => stop?.());

function newContext(environment: Record<string, string>) {
  const lines: string[] = [];
  const answers: unknown[] = [];
  const context: CommandContext = {
    config: loadConfig(environment),
    logger: createLogger('silent'),
    json: true,
    stop: new AbortController().signal,
    fail: (error) => {
      throw error;
    },
    progress: (line) => lines.push(line),
    answer: (value) => answers.push(value),
    print: (line) => lines.push(line),
  };
  return { context, lines, answers };
}

it.skipIf(noKafka !== null)(
  'makes every topic once, and accepts topics of one copy only when it is told to',
  async () => {
    const AIROUTER_NAMESPACE = `t${randomBytes(6).toString('hex')}`;
    const environment = { KAFKA_BROKERS: brokers.join(','), AIROUTER_NAMESPACE };
    const { context, lines, answers } = newContext({ ...environment, AIROUTER_PARTITIONS: '2' });
    await run(context, { args: ['create'], singleNode: true });
    await run(context, { args: ['create'], singleNode: true });
    expect(lines.join('\n')).toContain("one machine's page cache");
    const [first, second] = answers as { topics: { topic: string; created: boolean }[] }[];
    expect(first!.topics).toHaveLength(8);
    expect(first!.topics).toContainEqual({
      topic: `${AIROUTER_NAMESPACE}.airouter.outcomes.v1`,
      partitions: 2,
      created: true,
    });
    expect(second!.topics.some(({ created }) => created)).toBe(false);

    await expect(run(context, { args: ['create'] })).rejects.toMatchObject({
      code: 'check_failed',
    });
    const other = newContext({ ...environment, AIROUTER_PARTITIONS: '3' });
    await expect(run(other.context, { args: ['create'], singleNode: true })).rejects.toMatchObject({
      code: 'invalid_setting',
    });
  },
);

it('refuses other actions, half a SASL setting, and an embedded log', async () => {
  const tryTo = (environment: Record<string, string>, action: string) =>
    run(newContext(environment).context, { args: [action] });
  const KAFKA_BROKERS = '127.0.0.1:1';
  await expect(tryTo({ KAFKA_BROKERS }, 'drop')).rejects.toMatchObject({ code: 'invalid_usage' });
  await expect(tryTo({}, 'create')).rejects.toMatchObject({ code: 'invalid_usage' });
  const half = { KAFKA_BROKERS, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u' };
  await expect(tryTo(half, 'create')).rejects.toMatchObject({ code: 'invalid_setting' });
});
