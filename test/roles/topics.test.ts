import { expect, test } from 'vitest';
import { topicsOf } from '../../src/log/topics.js';
import { sayWeaknesses } from '../../src/roles/topics.js';

const topics = topicsOf('');

async function linesFor(weaknesses: (names: readonly string[]) => Promise<string[]>) {
  const lines: [string, object, string][] = [];
  const say = (level: string) => (fields: object, text: string) =>
    void lines.push([level, fields, text]);
  const logger = { info: say('info'), warn: say('warn') };
  await sayWeaknesses({ weaknesses }, topics, logger as never);
  return lines;
}

test('what is weaker than it should be is one line, whatever the number of topics', async () => {
  const lines = await linesFor(async (names) => names.map((name) => `${name} has 1 of 3 copies.`));
  expect(lines).toEqual([
    [
      'warn',
      { weaknesses: expect.arrayContaining([`${topics.outcomes} has 1 of 3 copies.`]) },
      'Topics are weaker than acknowledged records need.',
    ],
  ]);
});

test('topics that are as they should be are not worth a line', async () => {
  expect(await linesFor(async () => [])).toEqual([]);
});

test('a role that may not look at its topics starts, and says so', async () => {
  const lines = await linesFor(() => Promise.reject(new Error('not allowed')));
  expect(lines).toEqual([
    ['info', { reason: 'not allowed' }, 'How safe the topics are cannot be seen.'],
  ]);
});
