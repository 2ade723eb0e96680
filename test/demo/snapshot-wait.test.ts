import { expect, it } from 'vitest';
import { KnownEnds } from '../../src/demo/snapshot-wait.js';
import { topicsOf } from '../../src/log/topics.js';

it('the ends of a log are asked for once, then follow what is appended', async () => {
  const topics = topicsOf('demo');
  let asked = 0;
  const ends = new KnownEnds({
    topics,
    log: {
      partitions: async (names: readonly string[]) => new Map(names.map((name) => [name, 2])),
      bounds: async () => {
        asked += 1;
        return { start: 0, end: 5 };
      },
    } as never,
  });
  ends.appended(topics.outcomes, 1, 3);
  expect(Object.fromEntries(await ends.current())).toEqual({
    [topics.outcomes]: [5, 5],
    [topics.catalogue]: [5, 5],
  });
  ends.appended(topics.outcomes, 1, 9);
  ends.appended(topics.decisions, 0, 7);
  expect(Object.fromEntries(await ends.current())).toEqual({
    [topics.outcomes]: [5, 9],
    [topics.catalogue]: [5, 5],
  });
  expect(asked).toBe(4);
});
