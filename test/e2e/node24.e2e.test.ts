import { execFileSync } from 'node:child_process';
import { afterAll, expect, test } from 'vitest';
import { AiRouter, answerOf } from './airouter.js';

const node24 = process.env['TEST_NODE_24'];
const airouters: AiRouter[] = [];
afterAll(() => Promise.all(airouters.map((each) => each.close())));

/** A short demo under a Node, and what it answers. */
async function demoUnder(node: string): Promise<Record<string, unknown>> {
  const airouter = new AiRouter(null, node);
  airouters.push(airouter);
  const args = ['demo', '--once', '--json', '--seed', '7', '--minutes', '3'];
  const ended = await airouter.run(await airouter.newDataDir(), args);
  expect(ended.code, ended.stderr).toBe(0);
  return answerOf(ended);
}

test('the demo decides and counts the same under Node 24 as under this one (I3, I6, I8)', async ({
  skip,
}) => {
  if (!node24) return skip('TEST_NODE_24 names no Node 24');
  expect(execFileSync(node24, ['--version'], { encoding: 'utf8' })).toMatch(/^v24\./);
  const [here, there] = [await demoUnder(process.execPath), await demoUnder(node24)];
  for (const answer of [here, there]) {
    expect(answer).toMatchObject({ books_closed: true, duplicates: 0, dead_lettered: 0 });
  }
  const { freshness_ms: _, seconds: __, ...made } = here;
  expect(there).toMatchObject(made);
});
