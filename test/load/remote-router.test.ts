import { afterEach, expect, it } from 'vitest';
import { formatUuid, uuidV8 } from '../../src/event/uuid.js';
import { RemoteRouter } from '../../src/load/remote-router.js';
import type { Log } from '../../src/log/port.js';
import { topicsOf } from '../../src/log/topics.js';
import { answeringServer } from './answering-server.js';

const TOPICS = topicsOf('loop');
const { outcomes, catalogue } = TOPICS;
/** Two partitions of outcomes that end at 4, a catalogue that ends at 9. */
const log = {
  partitions: async () =>
    new Map([
      [outcomes, 2],
      [catalogue, 1],
    ]),
  bounds: async (topic: string) => ({ start: 0, end: topic === outcomes ? 4 : 9 }),
} as unknown as Log;

let close = async (): Promise<void> => {};
afterEach(() => close());

type Vector = Record<string, number[]>;

/** A router of that seed whose answers come from these states, one after the other. */
async function routerOf(seed: string, vectors: (Vector | null)[]) {
  let asked = 0;
  const server = await answeringServer(({ request_id }) => {
    const vector = vectors[Math.min(asked, vectors.length - 1)]!;
    asked += 1;
    if (vector === null) return { status: 503, body: { code: 'not_ready' } };
    const decision_id = formatUuid(uuidV8(seed, request_id as string));
    return { status: 200, body: { decision_id, candidates: [], degraded: [], state: { vector } } };
  });
  close = server.close;
  const stop = new AbortController();
  const parts = { log, topics: TOPICS };
  const router = new RemoteRouter({
    url: server.url,
    apiKey: null,
    seed: '1',
    parts,
    stop: stop.signal,
  });
  return { router, stop, asked: () => asked };
}

const whole = { [outcomes]: [4, 4], [catalogue]: [9] };

it('asks again until the answer is made from everything in the log, in both lanes', async () => {
  const { router, asked } = await routerOf('1', [
    null,
    {},
    { [outcomes]: [4, 3], [catalogue]: [9] },
    { ...whole, [`metrics:${outcomes}`]: [4, 3] },
    { ...whole, [`metrics:${outcomes}`]: [4, 4] },
  ]);
  await router.caughtUp(1_000);
  router.close();
  expect(asked()).toBe(5);
});

it('takes no answer of a router that was started again and is behind', async () => {
  const { router, asked } = await routerOf('1', [whole, { [outcomes]: [1, 1] }, whole]);
  await router.caughtUp(1_000);
  const answer = await router.route({ request_id: 'a' }, 1_000);
  router.close();
  expect(answer.state.vector).toEqual(whole);
  expect(asked()).toBe(3);
});

it('refuses a router that decides by other ids than the seed gives', async () => {
  const { router } = await routerOf('2', [whole]);
  await expect(router.route({ request_id: 'a' }, 1_000)).rejects.toMatchObject({
    code: 'invalid_usage',
    message: expect.stringContaining('--virtual-seed 1'),
  });
  router.close();
});

it('stops at the signal while the router is away', async () => {
  const { router, stop } = await routerOf('1', [null]);
  const asking = router.caughtUp(1_000);
  stop.abort(new Error('stopped'));
  await expect(asking).rejects.toThrow('stopped');
  router.close();
});
