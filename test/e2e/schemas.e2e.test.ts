import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { AiRouter, sentenceOf } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

it('registers a schema of another producer once, refuses one that does not fit, and lists them', async () => {
  const dataDir = await airouter.newDataDir();
  const shipped = join(packageRoot, 'schemas', 'avro', 'request-outcome.v1.avsc');
  const outcome = JSON.parse(await readFile(shipped, 'utf8')) as { fields: object[] };
  const file = async (name: string, fields: object[]): Promise<string> => {
    const path = join(dirname(dataDir), name);
    await writeFile(path, JSON.stringify({ ...outcome, fields: [...outcome.fields, ...fields] }));
    return path;
  };
  const team = await file('team.avsc', [{ name: 'team', type: 'string', default: '' }]);
  const bare = await file('bare.avsc', [{ name: 'bare', type: 'string' }]);
  await airouter.startAll(dataDir);
  const run = (...args: string[]) => airouter.run(dataDir, ['schemas', ...args, '--json']);
  const subject = 'ai.router.RequestOutcome';
  const first = await run('register', team);
  expect(JSON.parse(first.stdout)).toEqual({ id: 100, subject, registered: true });
  const second = await run('register', team);
  expect(JSON.parse(second.stdout)).toEqual({ id: 100, subject, registered: false });
  const third = await run('register', bare);
  expect(`${third.code} ${sentenceOf(third)}`).toBe(
    '2 airouter: bare must be in every version, or have a default (compared with schema 1) (schema_refused)',
  );
  const { schemas } = JSON.parse((await run('list')).stdout);
  expect(schemas.at(-1)).toEqual({ id: 100, subject, from: 'log', refused: null });
  expect(schemas[0]).toEqual({ id: 1, subject, from: 'airouter', refused: null });

  const dlq = await airouter.run(dataDir, ['dlq', 'discard', 'nowhere']);
  expect(`${dlq.code} ${sentenceOf(dlq)}`).toBe(
    '2 airouter: a place is topic/partition/offset/index, as dlq list shows them, got "nowhere" (invalid_usage)',
  );
});
